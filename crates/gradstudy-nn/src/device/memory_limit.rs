//! How much memory there is for this process: the machine's, or less where a container or a scheduler allows less.

use std::fs;
use std::path::{Path, PathBuf};

/// Bytes that may be used, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryLimit {
    pub bytes: u64,
    /// Such as `the machine's memory`, `Slurm's --mem`.
    pub source: &'static str,
}

/// The least of physical memory, the limits of the process's control groups, and what Slurm gave the job on this node, as far
/// as they are told. `variable` looks up an environment variable.
pub fn memory_limit(variable: impl Fn(&str) -> Option<String>) -> Option<MemoryLimit> {
    let physical = super::machine::memory().map(|bytes| MemoryLimit {
        bytes,
        source: "the machine's memory",
    });
    let groups = control_groups(Path::new("/")).map(|bytes| MemoryLimit {
        bytes,
        source: "the control group's limit",
    });
    let all = [physical, groups, slurm(variable)];
    // Of equal limits the first: the plainest words.
    all.into_iter().flatten().min_by_key(|limit| limit.bytes)
}

/// `--mem` or `--mem-per-cpu` of a Slurm job, of which variables are in MB; 0 stands for all of the node.
fn slurm(variable: impl Fn(&str) -> Option<String>) -> Option<MemoryLimit> {
    let number = |name: &str| variable(name)?.trim().parse::<u64>().ok().filter(|it| *it > 0);
    let (megabytes, source) = match number("SLURM_MEM_PER_NODE") {
        Some(all) => (all, "Slurm's --mem"),
        None => {
            let cpus = number("SLURM_CPUS_ON_NODE").or(number("SLURM_CPUS_PER_TASK"))?;
            (
                number("SLURM_MEM_PER_CPU")?.checked_mul(cpus)?,
                "Slurm's --mem-per-cpu",
            )
        }
    };
    Some(MemoryLimit {
        bytes: megabytes.checked_mul(1 << 20)?,
        source,
    })
}

/// The least memory limit of the control groups that this process is in, of either version, and of all above them. `root`: of
/// the file system.
fn control_groups(root: &Path) -> Option<u64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let limits = groups.lines().flat_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next(), fields.next(), fields.next());
        let (controllers, path) = (controllers.unwrap_or_default(), path.unwrap_or_default());
        let (top, file) = match controllers {
            "" => ("sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|it| it == "memory") => {
                ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => return Vec::new(),
        };
        let top = root.join(top);
        let group: PathBuf = top.join(path.trim_start_matches('/'));
        let above = group.ancestors().take_while(|it| it.starts_with(&top));
        above.filter_map(|group| limit_in(&group.join(file))).collect()
    });
    limits.min()
}

/// The number in such a file; `max`, or what version 1 writes for it, is none.
fn limit_in(file: &Path) -> Option<u64> {
    let bytes: u64 = fs::read_to_string(file).ok()?.trim().parse().ok()?;
    (bytes < 1 << 60).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_files(files: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("writable");
            fs::write(path, text).expect("writable");
        }
        control_groups(root.path())
    }

    #[test]
    fn the_least_limit_of_all_groups_above_counts() {
        let group = "0::/system.slice/slurmstepd.scope/job_7/step_0/user\n";
        let path = "sys/fs/cgroup/system.slice/slurmstepd.scope";
        assert_eq!(with_files(&[("proc/self/cgroup", group)]), None);
        let job = format!("{path}/job_7/memory.max");
        let step = format!("{path}/job_7/step_0/memory.max");
        let files = [
            ("proc/self/cgroup", group),
            (job.as_str(), "2000000\n"),
            (step.as_str(), "max\n"),
        ];
        assert_eq!(with_files(&files), Some(2_000_000));
        let older = "12:cpu,cpuacct:/a\n11:memory:/docker/b\n";
        let files = [
            ("proc/self/cgroup", older),
            ("sys/fs/cgroup/memory/docker/b/memory.limit_in_bytes", "3000000\n"),
            (
                "sys/fs/cgroup/memory/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
        ];
        assert_eq!(with_files(&files), Some(3_000_000));
    }

    #[test]
    fn slurm_tells_memory_of_a_node_or_of_a_processor() {
        let of = |variables: &[(&str, &str)]| {
            let variables: Vec<(String, String)> = variables
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect();
            slurm(|name| variables.iter().find(|it| it.0 == name).map(|it| it.1.clone()))
                .map(|limit| limit.bytes >> 20)
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("SLURM_MEM_PER_NODE", "4096")]), Some(4096));
        assert_eq!(of(&[("SLURM_MEM_PER_NODE", "0")]), None);
        assert_eq!(
            of(&[("SLURM_MEM_PER_CPU", "1000"), ("SLURM_CPUS_ON_NODE", "3")]),
            Some(3000)
        );
        assert_eq!(of(&[("SLURM_MEM_PER_CPU", "1000")]), None);
    }
}
