//! `--device auto | cpu | flex | cuda[:i]`: what computes gradients.

use burn::tensor::Device;
use miette::Diagnostic;
use thiserror::Error;

use crate::gradients::engine::Engine;

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
}

impl std::str::FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "auto" => Ok(Choice::Auto),
            None if text == "cpu" => Ok(Choice::Cpu),
            None if text == "flex" => Ok(Choice::Flex),
            None if text == "cuda" => Ok(Choice::Cuda(0)),
            Some(("cuda", index)) => index
                .parse()
                .map(Choice::Cuda)
                .map_err(|_| format!("`{index}` is not the number of a GPU")),
            _ => Err(format!(
                "`{text}` is none of auto, cpu, flex, cuda, cuda:0, cuda:1, …"
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
        }
    }
}

/// A device that is there.
#[derive(Debug)]
pub struct Selected {
    pub engine: Engine,
    /// `cpu`, `flex` or `cuda`: results of one class are never taken for another's.
    pub class: &'static str,
    /// For people and manifests.
    pub description: String,
    /// Why `auto` did not take a GPU, if it did not.
    pub remark: Option<String>,
}

/// Why a device cannot be used.
#[derive(Debug, Error, Diagnostic)]
pub enum DeviceError {
    #[error("this gradstudy was built without CUDA")]
    #[diagnostic(
        code(gradstudy::device::not_built),
        help("build it with `cargo build --release --features cuda`, or use `--device cpu`")
    )]
    NotBuilt,
    #[error("no CUDA device {index}: {found} found")]
    #[diagnostic(
        code(gradstudy::device::not_found),
        help("check `nvidia-smi` and that libcuda.so.1 can be loaded, or use `--device cpu`")
    )]
    NotFound { index: usize, found: usize },
}

/// Finds the device asked for.
pub fn select(choice: Choice) -> Result<Selected, DeviceError> {
    match choice {
        Choice::Cpu => Ok(cpu(None)),
        Choice::Flex => Ok(Selected {
            engine: Engine::Burn(Device::flex()),
            class: "flex",
            description: format!("burn flex on {}", cpu_name()),
            remark: None,
        }),
        Choice::Cuda(index) => cuda(index),
        Choice::Auto if !cfg!(feature = "cuda") => Ok(cpu(None)),
        Choice::Auto => cuda(0).or_else(|error| Ok(cpu(Some(format!("{error}: using the CPU"))))),
    }
}

fn cpu(remark: Option<String>) -> Selected {
    Selected {
        engine: Engine::Host,
        class: "cpu",
        description: cpu_name(),
        remark,
    }
}

#[cfg(feature = "cuda")]
fn cuda(index: usize) -> Result<Selected, DeviceError> {
    use burn::tensor::DeviceType;
    // Making a tensor without a driver panics; listing does not.
    let found = Device::enumerate(DeviceType::Cuda).into_iter().count();
    if index >= found {
        return Err(DeviceError::NotFound { index, found });
    }
    let engine = Engine::Burn(Device::cuda(index));
    Ok(Selected {
        engine,
        class: "cuda",
        description: match &gpus()[..] {
            [] => format!("CUDA device {index}"),
            models => format!("CUDA device {index}: {}", models.join(" or ")),
        },
        remark: None,
    })
}

/// Where NVIDIA's driver tells of its GPUs, a folder each.
const NVIDIA: &str = "/proc/driver/nvidia/gpus";

/// The models of the machine's NVIDIA GPUs, each once: CUDA numbers them by rules of its own, so where there are several
/// models it is not known which is meant.
fn nvidia_models(folder: &std::path::Path) -> Vec<String> {
    let mut models = Vec::new();
    for gpu in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let text = std::fs::read_to_string(gpu.path().join("information")).unwrap_or_default();
        let model = text.lines().find_map(|line| line.strip_prefix("Model:"));
        models.extend(model.map(|model| model.trim().to_string()));
    }
    models.sort();
    models.dedup();
    models
}

/// The models of the machine's NVIDIA GPUs, as the driver tells; none where there is no driver.
pub fn gpus() -> Vec<String> {
    nvidia_models(std::path::Path::new(NVIDIA))
}

#[cfg(not(feature = "cuda"))]
fn cuda(_index: usize) -> Result<Selected, DeviceError> {
    Err(DeviceError::NotBuilt)
}

/// The processor's name and the threads in use.
pub fn cpu_name() -> String {
    let name = sysinfo::System::new().ok().and_then(|mut system| {
        system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
        system.cpus().first().map(|cpu| cpu.brand().trim().to_string())
    });
    format!(
        "{}, {} threads",
        name.unwrap_or("CPU".to_string()),
        rayon::current_num_threads()
    )
}

/// Bytes of physical memory, if the system tells.
pub fn memory() -> Option<u64> {
    let mut system = sysinfo::System::new().ok()?;
    system.refresh_memory();
    Some(system.total_memory())
}

/// Largest resident memory of this process since the last call, in bytes; none where the system does not tell, or
/// cannot start counting anew.
pub fn take_peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    // 5 sets the peak back to what is resident now: proc(5).
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024 * kibibytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graphics_cards_are_named_as_the_driver_does() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        assert!(nvidia_models(&folder.path().join("none")).is_empty());
        for (gpu, model) in [
            ("0000:01:00.0", "H100"),
            ("0000:02:00.0", "A100"),
            ("0000:03:00.0", "H100"),
        ] {
            let gpu = folder.path().join(gpu);
            std::fs::create_dir(&gpu).expect("writable");
            let text = format!("Model: \t\t NVIDIA {model}\nIRQ:   \t\t 33\n");
            std::fs::write(gpu.join("information"), text).expect("writable");
        }
        assert_eq!(nvidia_models(folder.path()), ["NVIDIA A100", "NVIDIA H100"]);
    }

    #[test]
    fn devices_are_named_as_documented() {
        assert_eq!("cuda:1".parse(), Ok(Choice::Cuda(1)));
        assert_eq!("auto".parse(), Ok(Choice::Auto));
        assert!("gpu".parse::<Choice>().unwrap_err().contains("none of auto"));
        assert!("cuda:x".parse::<Choice>().is_err());
    }
}
