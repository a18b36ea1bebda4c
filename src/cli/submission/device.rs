//! The device that others are to compute on.

use crate::cli::Failure;
use crate::cli::options::Computing;
use crate::device::{Choice, DeviceError, Precision};
use crate::submission::SubmissionError;
use crate::submission::prepare::Cut;

/// A device that need not be on this machine: login nodes seldom have a GPU.
#[derive(Debug)]
pub struct Device {
    /// Results are kept apart by it.
    pub class: &'static str,
    /// How it is asked for.
    pub name: &'static str,
    /// For people; none of a device that was not looked at.
    pub description: Option<String>,
    /// Whether gradstudy's own kernels on the processor do the work.
    pub host: bool,
    pub gpu: bool,
}

impl Device {
    /// The device that is asked for.
    ///
    /// # Errors
    /// It cannot compute in this gradstudy, or is one GPU among several: which one a task has, its scheduler says.
    pub fn of(computing: &Computing) -> Result<Device, Failure> {
        match computing.device {
            Choice::Cuda(0) if !cfg!(feature = "cuda") => Err(DeviceError::NotBuilt.into()),
            Choice::Cuda(0) => Ok(Device {
                class: match computing.precision {
                    Precision::F32 => "cuda",
                    Precision::Tf32 => "cuda-tf32",
                },
                name: "cuda",
                description: None,
                host: false,
                gpu: true,
            }),
            choice @ (Choice::Cuda(_) | Choice::AllCuda) => Err(SubmissionError::Device {
                what: format!("`--device {choice}`"),
                reason: "the scheduler says which GPU a task has, one each".to_string(),
                help: "use `--device cuda`",
            }
            .into()),
            _ => {
                let selected = computing.select()?;
                let name = match selected.class {
                    class @ ("cpu" | "flex") => class,
                    _ => "cuda",
                };
                Ok(Device {
                    class: selected.class,
                    name,
                    host: Cut::is_host(&selected.engine),
                    description: Some(selected.description),
                    gpu: name == "cuda",
                })
            }
        }
    }
}
