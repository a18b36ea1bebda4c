//! `--device auto | cpu | flex | cuda[:i] | cuda:all`, `--precision f32 | tf32`: what computes gradients.

#[cfg(feature = "cuda")]
mod cuda;
mod machine;
mod memory_limit;
pub mod nvidia;

pub use machine::{cpu_name, take_peak_memory};
pub use memory_limit::{MemoryLimit, memory_limit};

use burn::Device;
use miette::Diagnostic;
use thiserror::Error;

use self::nvidia::Installation;
use crate::gradients::engine::Engine;
use crate::layers::Products;

/// A device as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// CUDA if there is one, else the CPU.
    Auto,
    /// gradstudy's own kernels.
    Cpu,
    /// burn's CPU backend: slower, for comparison.
    Flex,
    /// The i-th NVIDIA GPU.
    Cuda(usize),
    /// Every NVIDIA GPU: independent steps side by side.
    AllCuda,
}

impl std::str::FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "auto" => Ok(Choice::Auto),
            None if text == "cpu" => Ok(Choice::Cpu),
            None if text == "flex" => Ok(Choice::Flex),
            None if text == "cuda" => Ok(Choice::Cuda(0)),
            Some(("cuda", "all")) => Ok(Choice::AllCuda),
            Some(("cuda", index)) => index
                .parse()
                .map(Choice::Cuda)
                .map_err(|_| format!("`{index}` is not the number of a GPU")),
            _ => Err(format!(
                "`{text}` is none of auto, cpu, flex, cuda, cuda:0, cuda:1, …, cuda:all"
            )),
        }
    }
}

impl std::fmt::Display for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Choice::Auto => f.write_str("auto"),
            Choice::Cpu => f.write_str("cpu"),
            Choice::Flex => f.write_str("flex"),
            Choice::Cuda(index) => write!(f, "cuda:{index}"),
            Choice::AllCuda => f.write_str("cuda:all"),
        }
    }
}

/// How exactly a GPU multiplies matrices of float32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// As float32 does, or better.
    #[default]
    F32,
    /// Factors are rounded to TF32 (10 bits behind the point) on tensor cores: faster, with relative errors of 10⁻³.
    Tf32,
}

impl std::str::FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "f32" => Ok(Precision::F32),
            "tf32" => Ok(Precision::Tf32),
            _ => Err(format!("`{text}` is neither f32 nor tf32")),
        }
    }
}

impl std::fmt::Display for Precision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Precision::F32 => "f32",
            Precision::Tf32 => "tf32",
        })
    }
}

/// A device that is there.
#[derive(Debug)]
pub struct Selected {
    pub engine: Engine,
    /// The other GPUs, where all are asked for.
    pub beside: Vec<Engine>,
    /// `cpu`, `flex`, `cuda` or `cuda-tf32`: results of one class are never taken for another's.
    pub class: &'static str,
    /// For people and manifests.
    pub description: String,
    /// Why `auto` did not take a GPU, if it did not.
    pub remark: Option<String>,
}

/// Why a device cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum DeviceError {
    #[error("this gradstudy was built without CUDA")]
    #[diagnostic(
        code(gradstudy::device::not_built),
        help("build it with `cargo build --release --features cuda`, or use `--device cpu`")
    )]
    NotBuilt,
    #[error("no CUDA device: {why}")]
    #[diagnostic(code(gradstudy::device::none), help("{help}, or use `--device cpu`"))]
    None { why: String, help: &'static str },
    #[error("no CUDA device {index}: there {}", are(*found))]
    #[diagnostic(
        code(gradstudy::device::not_found),
        help("`nvidia-smi -L` lists them; CUDA_VISIBLE_DEVICES hides those that it does not name")
    )]
    NotFound { index: usize, found: usize },
    #[error("CUDA device {index} cannot be used: {reason}")]
    #[diagnostic(code(gradstudy::device::unusable), help("{help}, or use `--device cpu`"))]
    Unusable {
        index: usize,
        reason: String,
        help: &'static str,
    },
    #[error("`--precision tf32` is for CUDA devices, and this is {device}")]
    #[diagnostic(
        code(gradstudy::device::precision),
        help("leave it out: CPUs multiply float32 as it is")
    )]
    Precision { device: String },
}

fn are(found: usize) -> String {
    match found {
        1 => "is one, cuda:0".to_string(),
        found => format!("are {found}, cuda:0 to cuda:{}", found - 1),
    }
}

/// Finds the device asked for, and tries it; `installation` tells errors what is missing.
pub fn select(
    choice: Choice,
    precision: Precision,
    installation: &Installation,
) -> Result<Selected, DeviceError> {
    let selected = match choice {
        Choice::Cpu => cpu(None),
        Choice::Flex => Selected {
            engine: Engine::Burn(Device::flex(), Products::Native),
            beside: Vec::new(),
            class: "flex",
            description: format!("burn flex on {}", cpu_name()),
            remark: None,
        },
        Choice::Cuda(index) => cuda(index, precision, installation)?,
        Choice::AllCuda => all_cuda(precision, installation)?,
        Choice::Auto if !cfg!(feature = "cuda") => cpu(None),
        Choice::Auto => match cuda(0, precision, installation) {
            Ok(selected) => selected,
            Err(error) => cpu(Some(format!("{error}: using the CPU"))),
        },
    };
    match precision {
        Precision::Tf32 if !selected.class.starts_with("cuda") => Err(DeviceError::Precision {
            device: selected.class.to_string(),
        }),
        _ => Ok(selected),
    }
}

fn cpu(remark: Option<String>) -> Selected {
    Selected {
        engine: Engine::Host,
        beside: Vec::new(),
        class: "cpu",
        description: cpu_name(),
        remark,
    }
}

/// Every GPU; the first of them by itself where there is one.
fn all_cuda(precision: Precision, installation: &Installation) -> Result<Selected, DeviceError> {
    let mut selected = cuda(0, precision, installation)?;
    for index in 1.. {
        match cuda(index, precision, installation) {
            Ok(other) => {
                selected.beside.push(other.engine);
                selected.description += &format!("; {}", other.description);
            }
            Err(DeviceError::NotFound { .. }) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(selected)
}

#[cfg(feature = "cuda")]
use cuda::cuda;

#[cfg(not(feature = "cuda"))]
fn cuda(_: usize, _: Precision, _: &Installation) -> Result<Selected, DeviceError> {
    Err(DeviceError::NotBuilt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named_as_documented() {
        assert_eq!("cuda:1".parse(), Ok(Choice::Cuda(1)));
        assert_eq!("cuda:all".parse(), Ok(Choice::AllCuda));
        assert_eq!("auto".parse(), Ok(Choice::Auto));
        assert!("gpu".parse::<Choice>().unwrap_err().contains("none of auto"));
        assert!("cuda:x".parse::<Choice>().is_err());
        assert_eq!("tf32".parse(), Ok(Precision::Tf32));
        assert!("f16".parse::<Precision>().is_err());
    }

    #[test]
    fn tf32_is_not_for_cpus() {
        for choice in [Choice::Cpu, Choice::Flex] {
            let said = select(choice, Precision::Tf32, &Installation::default());
            assert!(matches!(said, Err(DeviceError::Precision { .. })), "{said:?}");
            assert!(select(choice, Precision::F32, &Installation::default()).is_ok());
        }
    }

    #[test]
    fn errors_count_devices() {
        let error = |found| DeviceError::NotFound { index: 7, found }.to_string();
        assert_eq!(error(1), "no CUDA device 7: there is one, cuda:0");
        assert_eq!(error(2), "no CUDA device 7: there are 2, cuda:0 to cuda:1");
    }
}
