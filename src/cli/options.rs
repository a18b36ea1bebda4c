//! Options that several commands share.

use std::path::PathBuf;

use clap::Args;
use directories::ProjectDirs;

use crate::data::SearchPath;
use crate::device::nvidia::Installation;
use crate::device::{self, Choice, MemoryLimit, Precision, Selected};

use super::Failure;

/// Memory for a gradient history where the system does not say how much there is.
const UNKNOWN_MEMORY: u64 = 2_000_000_000;

/// Where data sets are.
#[derive(Debug, Args)]
pub struct DataPlace {
    /// Folder of data sets, tried before GRADSTUDY_DATA and the user's cache
    #[arg(long, value_name = "DIR", global = true)]
    pub data_dir: Option<PathBuf>,
}

/// Where data sets and finished steps are.
#[derive(Debug, Args)]
pub struct Places {
    #[command(flatten)]
    pub data: DataPlace,
    /// Folder of finished steps [default: the user's cache]
    #[arg(long, value_name = "DIR", env = "GRADSTUDY_CACHE")]
    pub cache_dir: Option<PathBuf>,
}

/// Where finished steps are.
#[derive(Debug, Args)]
pub struct CachePlace {
    /// Folder of finished steps [default: the user's cache]
    #[arg(long, value_name = "DIR", env = "GRADSTUDY_CACHE")]
    pub cache_dir: Option<PathBuf>,
}

/// Where runs are.
#[derive(Debug, Args)]
pub struct ReportsPlace {
    /// Folder of reports, as DIR/STUDY/RUN/
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub reports_dir: PathBuf,
}

/// How to compute.
#[derive(Debug, Args)]
pub struct Computing {
    /// auto, cpu (gradstudy's kernels), flex (burn on the CPU), cuda, cuda:N, or cuda:all (independent steps side by side)
    #[arg(long, default_value = "auto", env = "GRADSTUDY_DEVICE")]
    pub device: Choice,
    /// How exactly CUDA devices multiply matrices: f32, or tf32 on tensor cores (layers with kernels of gradstudy's own stay f32)
    #[arg(long, default_value = "f32", value_name = "f32|tf32")]
    pub precision: Precision,
    /// Memory for a gradient history and what recording it needs, such as 8GB; larger ones go to a file
    /// [default: 60 % of the memory that the machine, its control group or Slurm allows]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub memory: Option<u64>,
    /// Threads [default: all cores]; results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

impl DataPlace {
    /// Where data sets are looked for, first choice first.
    pub fn search(&self) -> SearchPath {
        let mut dirs = Vec::new();
        if let Some(dir) = &self.data_dir {
            dirs.push(("--data-dir".to_string(), dir.clone()));
        }
        if let Some(dir) = std::env::var_os("GRADSTUDY_DATA").filter(|dir| !dir.is_empty()) {
            dirs.push(("GRADSTUDY_DATA".to_string(), PathBuf::from(dir)));
        }
        dirs.push(("the user's cache".to_string(), user_cache().join("data")));
        SearchPath::new(dirs)
    }
}

impl CachePlace {
    /// The folder of finished steps.
    pub fn cache(&self) -> PathBuf {
        self.cache_dir.clone().unwrap_or_else(user_cache)
    }
}

impl Places {
    /// Where data sets are looked for, first choice first.
    pub fn search(&self) -> SearchPath {
        self.data.search()
    }

    /// The folder of finished steps.
    pub fn cache(&self) -> PathBuf {
        self.cache_dir.clone().unwrap_or_else(user_cache)
    }
}

/// What this machine has of NVIDIA's software.
pub fn installation() -> Installation {
    Installation::look(|name| std::env::var_os(name))
}

impl Computing {
    /// Sets the number of threads, and finds the device; says on standard error why `auto` took no GPU.
    pub fn select(&self) -> Result<Selected, Failure> {
        if let Some(threads) = self.threads {
            // Fails only where a pool exists already, which nothing before this has made.
            let _ = rayon::ThreadPoolBuilder::new()
                .num_threads(threads.into())
                .build_global();
        }
        let selected = device::select(self.device, self.precision, &installation())?;
        if let Some(remark) = &selected.remark {
            super::log::remark(remark);
        }
        Ok(selected)
    }

    /// Bytes that a history may take in memory.
    pub fn memory(&self) -> u64 {
        self.memory.unwrap_or_else(default_memory)
    }
}

/// What this process may use, as the machine, its control groups and Slurm say.
pub(super) fn memory_limit() -> Option<MemoryLimit> {
    device::memory_limit(|name| std::env::var(name).ok())
}

/// Bytes for a history where `--memory` does not say: 60 % of what may be used.
pub(super) fn default_memory() -> u64 {
    memory_limit().map_or(UNKNOWN_MEMORY, |limit| limit.bytes / 10 * 6)
}

/// `~/.cache/gradstudy` on Linux; the working folder's `.gradstudy` where there is no home.
fn user_cache() -> PathBuf {
    ProjectDirs::from("", "", "gradstudy")
        .map_or(PathBuf::from(".gradstudy"), |dirs| dirs.cache_dir().to_path_buf())
}

/// `clusters.toml` of `GRADSTUDY_CLUSTERS`, else of the user's folder of settings.
pub fn clusters_file() -> PathBuf {
    let own = || {
        let folder = ProjectDirs::from("", "", "gradstudy").map(|dirs| dirs.config_dir().to_path_buf());
        folder.unwrap_or_default().join("clusters.toml")
    };
    std::env::var_os("GRADSTUDY_CLUSTERS")
        .filter(|path| !path.is_empty())
        .map_or_else(own, PathBuf::from)
}

/// Bytes of `512MB`, `8GB`, `16GiB` or a plain number.
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "B" => 1.0,
        "kB" | "KB" => 1e3,
        "MB" | "M" => 1e6,
        "GB" | "G" => 1e9,
        "TB" | "T" => 1e12,
        "MiB" => 1048576.0,
        "GiB" => 1073741824.0,
        unit => return Err(format!("`{unit}` is none of kB, MB, GB, TB, MiB, GiB")),
    };
    match digits.trim().parse::<f64>() {
        Ok(number) if number >= 0.0 && number.is_finite() => Ok((number * unit) as u64),
        _ => Err(format!("`{digits}` is not a size")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("8GB"), Ok(8_000_000_000));
        assert_eq!(parse_size("1.5MiB"), Ok(1_572_864));
        assert_eq!(parse_size("100"), Ok(100));
        assert!(parse_size("8XB").is_err() && parse_size("GB").is_err() && parse_size("-1GB").is_err());
    }
}
