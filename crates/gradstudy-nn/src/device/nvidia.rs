//! What a machine has of NVIDIA's software: what burn's CUDA backend will look for, looked for first, so that an error
//! can say what is missing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Installation {
    /// The kernel driver's version.
    pub driver: Option<String>,
    /// The driver's library, and where it was looked for.
    pub libcuda: Option<PathBuf>,
    pub libcuda_places: String,
    /// exp, log, tanh and their like for the GPU, and where they were looked for.
    pub libdevice: Option<PathBuf>,
    pub libdevice_places: String,
    /// Models of the GPUs that the driver knows, each once: CUDA numbers them by rules of its own.
    pub models: Vec<String>,
    /// `CUDA_VISIBLE_DEVICES`, if it is set.
    pub visible: Option<String>,
}

const LIBCUDA: [&str; 2] = ["libcuda.so.1", "libcuda.so"];
/// Folders of the system that the linker's cache need not name.
const LIBRARIES: [&str; 5] = [
    "lib64",
    "usr/lib64",
    "lib/x86_64-linux-gnu",
    "usr/lib/x86_64-linux-gnu",
    "usr/lib/wsl/lib",
];
/// Where a toolkit lies if `CUDA_PATH` does not say.
const TOOLKITS: [&str; 4] = ["usr/local/cuda", "opt/cuda", "usr/lib/cuda", "usr"];
const LIBDEVICE: &str = "nvvm/libdevice/libdevice.10.bc";

impl Installation {
    /// What this machine has, given what its environment says of a name.
    pub fn look(environment: impl Fn(&str) -> Option<OsString>) -> Self {
        Installation::under(Path::new("/"), environment)
    }

    /// What lies under `root`, in an environment.
    fn under(root: &Path, environment: impl Fn(&str) -> Option<OsString>) -> Self {
        let driver = std::fs::read_to_string(root.join("proc/driver/nvidia/version")).ok();
        let mut folders: Vec<PathBuf> = environment("LD_LIBRARY_PATH")
            .map(|path| std::env::split_paths(&path).collect())
            .unwrap_or_default();
        let mut libcuda_places = match folders.is_empty() {
            true => String::new(),
            false => "LD_LIBRARY_PATH, ".to_string(),
        };
        libcuda_places += "the linker's cache";
        folders.extend(LIBRARIES.map(|folder| root.join(folder)));
        let in_folders = folders
            .iter()
            .flat_map(|folder| LIBCUDA.map(|name| folder.join(name)));
        let libcuda = in_cache(&root.join("etc/ld.so.cache"))
            .into_iter()
            .chain(in_folders)
            .find(|path| path.exists());
        libcuda_places += &format!(", /{}", LIBRARIES.join(", /"));
        // As burn does: where CUDA_PATH is set, nowhere else.
        let toolkits: Vec<PathBuf> = match environment("CUDA_PATH") {
            Some(path) => vec![PathBuf::from(path)],
            None => TOOLKITS.map(|folder| root.join(folder)).to_vec(),
        };
        let candidates: Vec<PathBuf> = toolkits.iter().map(|folder| folder.join(LIBDEVICE)).collect();
        let named = candidates.iter().map(|path| path.display().to_string());
        Installation {
            driver: driver.map(|text| driver_version(&text)),
            libcuda,
            libcuda_places,
            libdevice_places: named.collect::<Vec<_>>().join(", "),
            libdevice: candidates.into_iter().find(|path| path.is_file()),
            models: models(&root.join("proc/driver/nvidia/gpus")),
            visible: environment("CUDA_VISIBLE_DEVICES").map(|it| it.to_string_lossy().into_owned()),
        }
    }

    /// Why CUDA shows no device at all, and what to do about it.
    pub fn why_no_device(&self) -> (String, &'static str) {
        match self {
            Installation { libcuda: None, .. } => (
                format!(
                    "libcuda.so.1, the library of NVIDIA's driver, is not there (looked for in {})",
                    self.libcuda_places
                ),
                "install the driver, or in a container pass the GPU on (`docker run --gpus all`)",
            ),
            Installation { driver: None, .. } => (
                "libcuda is there, but the kernel has no NVIDIA driver (no /proc/driver/nvidia/version)"
                    .to_string(),
                "load the driver, or in a container pass the GPU on (`docker run --gpus all`)",
            ),
            Installation {
                driver: Some(driver),
                visible,
                models,
                ..
            } => (
                format!(
                    "the driver {driver} knows {}, and CUDA sees none of them (CUDA_VISIBLE_DEVICES is {})",
                    match models.is_empty() {
                        true => "no GPU".to_string(),
                        false => models.join(", "),
                    },
                    visible
                        .as_ref()
                        .map_or("not set".to_string(), |it| format!("`{it}`"))
                ),
                "check `nvidia-smi` and CUDA_VISIBLE_DEVICES",
            ),
        }
    }

    /// A line on each thing, for `gradstudy devices`.
    pub fn lines(&self) -> Vec<String> {
        let found = |path: &Option<PathBuf>, places: &str| match path {
            Some(path) => path.display().to_string(),
            None => format!("not found in {places}"),
        };
        let mut lines = vec![
            format!(
                "driver: {}",
                self.driver.as_deref().unwrap_or("none in the kernel")
            ),
            format!("libcuda: {}", found(&self.libcuda, &self.libcuda_places)),
            format!("libdevice: {}", found(&self.libdevice, &self.libdevice_places)),
        ];
        lines.extend(self.models.iter().map(|model| format!("GPU: {model}")));
        lines.extend(
            self.visible
                .iter()
                .map(|it| format!("CUDA_VISIBLE_DEVICES: {it}")),
        );
        lines
    }
}

/// The version in `/proc/driver/nvidia/version`: the first word of its first line that is a version.
fn driver_version(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let is_version =
        |word: &&str| word.contains('.') && word.chars().all(|it| it.is_ascii_digit() || it == '.');
    line.split_whitespace()
        .find(is_version)
        .unwrap_or(line)
        .to_string()
}

/// Paths of libcuda that the linker's cache names: text between bytes that are none.
fn in_cache(cache: &Path) -> Vec<PathBuf> {
    let bytes = std::fs::read(cache).unwrap_or_default();
    let texts = bytes.split(|byte| *byte == 0);
    let paths = texts.filter_map(|text| std::str::from_utf8(text).ok());
    paths
        .filter(|text| {
            text.starts_with('/') && LIBCUDA.iter().any(|name| text.ends_with(&format!("/{name}")))
        })
        .map(PathBuf::from)
        .collect()
}

/// The models of the machine's NVIDIA GPUs, each once, as the driver tells in a folder for each.
fn models(folder: &Path) -> Vec<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        std::fs::write(path, text).expect("writable");
    }

    fn look(root: &Path, set: &[(&str, &str)]) -> Installation {
        let value = |name: &str| set.iter().find(|it| it.0 == name).map(|it| OsString::from(it.1));
        Installation::under(root, value)
    }

    #[test]
    fn each_thing_that_is_missing_is_named() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = folder.path();
        let nothing = look(root, &[]);
        let (why, help) = nothing.why_no_device();
        assert!(
            why.contains("libcuda.so.1") && why.contains("/usr/lib/wsl/lib"),
            "{why}"
        );
        assert!(help.contains("--gpus all"));
        assert!(nothing.libdevice.is_none() && nothing.libdevice_places.contains("usr/local/cuda/nvvm"));

        write(&root.join("usr/lib64/libcuda.so.1"), "");
        let (why, _) = look(root, &[]).why_no_device();
        assert!(why.contains("/proc/driver/nvidia/version"), "{why}");

        let version =
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19\nGCC version: 12.3\n";
        write(&root.join("proc/driver/nvidia/version"), version);
        for (gpu, model) in [
            ("0000:01:00.0", "H100"),
            ("0000:02:00.0", "A100"),
            ("0000:03:00.0", "H100"),
        ] {
            let text = format!("Model: \t\t NVIDIA {model}\nIRQ:   \t\t 33\n");
            write(
                &root.join("proc/driver/nvidia/gpus").join(gpu).join("information"),
                &text,
            );
        }
        let hidden = look(root, &[("CUDA_VISIBLE_DEVICES", "-1")]);
        let (why, _) = hidden.why_no_device();
        assert_eq!(
            why,
            "the driver 535.104.05 knows NVIDIA A100, NVIDIA H100, and CUDA sees none of them (CUDA_VISIBLE_DEVICES \
             is `-1`)"
        );
        assert!(hidden.lines().contains(&"GPU: NVIDIA H100".to_string()));
    }

    #[test]
    fn libraries_are_found_where_the_linker_and_burn_look() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = folder.path();
        let library = root.join("opt/driver/libcuda.so.1");
        write(&library, "");
        let cache = format!(
            "ld.so-1.7.0\0\u{1}libcuda.so.1\0{}\0libc.so.6\0",
            library.display()
        );
        write(&root.join("etc/ld.so.cache"), &cache);
        assert_eq!(look(root, &[]).libcuda, Some(library));

        write(&root.join("opt/cuda").join(LIBDEVICE), "");
        assert_eq!(
            look(root, &[]).libdevice,
            Some(root.join("opt/cuda").join(LIBDEVICE))
        );
        // CUDA_PATH is the only place where it is set.
        let other = look(root, &[("CUDA_PATH", "/nowhere")]);
        assert_eq!(other.libdevice, None);
        assert_eq!(other.libdevice_places, "/nowhere/nvvm/libdevice/libdevice.10.bc");
    }
}
