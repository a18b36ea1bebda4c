//! `clusters.toml`: what a site wants of jobs. It is the user's, and no part of a study.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::SubmissionError;

/// The file: a table for each cluster, and the name of the one that is meant where none is named.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Clusters {
    default: Option<String>,
    #[serde(default)]
    clusters: BTreeMap<String, Cluster>,
}

/// The settings of a cluster; what is absent holds as without the file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cluster {
    /// Options of `sbatch` for every job, such as `--account=me`.
    pub sbatch: Vec<String>,
    /// Options of `sbatch` for jobs that need a GPU, in place of `--gres=gpu:1`.
    pub gpu: Option<Vec<String>>,
    /// Lines of shell before the work, such as `module load cuda`.
    pub setup: Option<String>,
    /// Cores of a task, as `--threads`.
    pub cpus: Option<u16>,
    /// As `--memory`.
    pub memory: Option<String>,
    /// The longest time that a job may ask for, such as `24h`.
    pub time_limit: Option<String>,
    /// Tasks side by side in one job, where nodes are given out whole.
    pub per_node: Option<u16>,
    /// As `--at-once`.
    pub at_once: Option<u32>,
    /// As `--task-time`.
    pub task_time: Option<String>,
    /// How often a task that was stopped with its work saved is put back into the queue.
    pub restarts: Option<u32>,
}

/// The settings of the cluster `name`, or of the default one, in the file at `path`; nothing where there is no file and none
/// was named.
///
/// # Errors
/// The file cannot be read, says something unknown, or has no such cluster.
pub fn read(path: &Path, name: Option<&str>) -> Result<Cluster, SubmissionError> {
    let fail = |reason: String| SubmissionError::Clusters {
        path: path.to_path_buf(),
        reason,
    };
    let bytes = match crate::files::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && name.is_none() => {
            return Ok(Cluster::default());
        }
        other => other.map_err(|error| fail(error.to_string()))?,
    };
    let text = String::from_utf8(bytes).map_err(|error| fail(error.to_string()))?;
    let mut file: Clusters =
        toml::from_str(&text).map_err(|error| fail(error.to_string().trim().to_string()))?;
    let Some(name) = name.map(str::to_string).or(file.default) else {
        // One cluster needs no name.
        return match file.clusters.len() {
            0 | 1 => Ok(file.clusters.into_values().next().unwrap_or_default()),
            _ => Err(fail(format!(
                "it has several clusters and no `default`: name one with `--cluster`: {}",
                names(&file.clusters)
            ))),
        };
    };
    let known = names(&file.clusters);
    file.clusters
        .remove(&name)
        .ok_or_else(|| fail(format!("it has no cluster `{name}`, only: {known}")))
}

fn names(clusters: &BTreeMap<String, Cluster>) -> String {
    clusters.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// Seconds of `90s`, `30min`, `2h`, `1.5d`, or of `[days-]hours:minutes:seconds`, as schedulers write times.
pub fn parse_time(text: &str) -> Result<f64, String> {
    let wrong = || format!("`{text}` is not a time: write 90s, 30min, 2h or 1d");
    let text = text.trim();
    if text.contains(':') {
        let (days, rest) = text.split_once('-').unwrap_or(("0", text));
        let days: f64 = days.parse().map_err(|_| wrong())?;
        let parts: Result<Vec<f64>, _> = rest.split(':').map(str::parse).collect();
        let seconds = match parts.map_err(|_| wrong())?[..] {
            [hours, minutes] => 3600.0 * hours + 60.0 * minutes,
            [hours, minutes, seconds] => 3600.0 * hours + 60.0 * minutes + seconds,
            _ => return Err(wrong()),
        };
        return finite(86_400.0 * days + seconds).ok_or_else(wrong);
    }
    let unit = text.trim_start_matches(|it: char| it.is_ascii_digit() || it == '.');
    let number: f64 = text[..text.len() - unit.len()].parse().map_err(|_| wrong())?;
    let seconds = match unit.trim() {
        "s" => 1.0,
        "min" | "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err(wrong()),
    };
    finite(number * seconds).ok_or_else(wrong)
}

/// A time that can pass.
fn finite(seconds: f64) -> Option<f64> {
    (seconds.is_finite() && seconds >= 0.0).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn times_have_units_or_colons() {
        let times =
            ["90s", "30min", "1.5h", "1d", "1-02:00:00", "0:10"].map(|text| parse_time(text).unwrap());
        assert_eq!(times, [90.0, 1800.0, 5400.0, 86_400.0, 93_600.0, 600.0]);
        assert!(
            [
                "", "5", "h", "1:2:3:4", "x:1", "nan:0", "inf:0", "-1h", "-5:00", "1..2h"
            ]
            .iter()
            .all(|text| parse_time(text).is_err())
        );
    }

    #[test]
    fn a_cluster_is_named_or_the_only_one_or_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clusters.toml");
        assert_eq!(read(&path, None).unwrap(), Cluster::default());
        assert!(read(&path, Some("hpc")).is_err());
        let write = |text: &str| fs::write(&path, text).unwrap();
        write("[clusters.hpc]\nsbatch = [\"--account=me\"]\nper_node = 4\n");
        let only = read(&path, None).unwrap();
        assert_eq!(
            (&only.sbatch[..], only.per_node),
            (&["--account=me".to_string()][..], Some(4))
        );
        write("default = \"b\"\n[clusters.a]\ncpus = 1\n[clusters.b]\ncpus = 2\n");
        assert_eq!(read(&path, None).unwrap().cpus, Some(2));
        assert_eq!(read(&path, Some("a")).unwrap().cpus, Some(1));
        let unknown = read(&path, Some("c")).unwrap_err().to_string();
        assert!(unknown.contains("no cluster `c`, only: a, b"), "{unknown}");
        write("[clusters.a]\ncpus = 1\n[clusters.b]\ncpus = 2\n");
        let several = read(&path, None).unwrap_err().to_string();
        assert!(several.contains("name one with `--cluster`: a, b"), "{several}");
        write("[clusters.a]\npartition = \"x\"\n");
        let unknown = read(&path, None).unwrap_err().to_string();
        assert!(unknown.contains("unknown field `partition`"), "{unknown}");
    }
}
