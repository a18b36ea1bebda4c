//! The scripts that Slurm runs.

use std::path::Path;

use super::clusters::Cluster;
use super::pack::Array;

/// Seconds between the warning that a job is to end and its end: a task saves its work meanwhile.
const WARNING: u32 = 120;
/// Of this many times its estimate a job gets the time, and [`SPARE`] seconds more.
const SLACK: f64 = 3.0;
const SPARE: f64 = 600.0;

/// What all scripts of a submission have in common.
#[derive(Debug)]
pub struct Common<'a> {
    pub slug: &'a str,
    pub folder: &'a Path,
    /// The program.
    pub binary: &'a Path,
    pub threads: u16,
    /// How often a task that was stopped with its work saved is put back into the queue.
    pub restarts: u32,
    /// Seconds that a job may ask for.
    pub time_limit: Option<f64>,
    pub cluster: &'a Cluster,
}

impl Common<'_> {
    /// Minutes that a job of so many seconds, by estimate, asks for.
    pub fn minutes(&self, seconds: f64) -> u64 {
        let asked = SLACK * seconds + SPARE;
        let minutes = (asked.min(self.time_limit.unwrap_or(f64::INFINITY)) / 60.0).ceil();
        minutes.max(1.0) as u64
    }

    /// Tasks of one index of an array.
    pub fn per_node(&self) -> usize {
        usize::from(self.cluster.per_node.unwrap_or(1).max(1))
    }

    /// The largest index of an array.
    pub fn last_index(&self, array: &Array) -> usize {
        array.tasks.div_ceil(self.per_node()) - 1
    }

    fn head(&self, name: &str, log: &str, minutes: u64, options: &[String]) -> String {
        let logs = self.folder.join("logs").display().to_string().replace('%', "%%");
        let mut lines = vec![
            format!("--job-name={name}"),
            format!("--output=\"{logs}/{log}\""),
            "--open-mode=append".to_string(),
            format!("--time={minutes}"),
        ];
        lines.extend_from_slice(options);
        let lines: String = lines.iter().map(|line| format!("#SBATCH {line}\n")).collect();
        let setup = self.cluster.setup.as_deref().unwrap_or("").trim_end();
        let setup = match setup.is_empty() {
            true => String::new(),
            false => format!("{setup}\n"),
        };
        format!("#!/bin/bash\n{lines}{setup}")
    }

    /// The script of an array: each index runs one task, or several side by side.
    pub fn array(&self, array: &Array) -> String {
        let per_node = self.per_node();
        let mut options = match per_node {
            1 => Vec::new(),
            _ => vec!["--nodes=1".to_string(), format!("--ntasks={per_node}")],
        };
        options.extend([
            format!("--cpus-per-task={}", self.threads),
            format!("--mem={}M", array.memory * per_node as u64),
            "--requeue".to_string(),
            // Without `B:`: what srun started hears it, in time.
            format!("--signal=TERM@{WARNING}"),
        ]);
        options.extend(self.cluster.sbatch.iter().cloned());
        if array.gpu {
            let gpu = self.cluster.gpu.clone();
            options.extend(gpu.unwrap_or_else(|| vec!["--gres=gpu:1".to_string()]));
        }
        let head = self.head(
            &format!("gs-{}", self.slug),
            "%A_%a.log",
            self.minutes(array.seconds),
            &options,
        );
        let (binary, folder) = (word(self.binary), word(self.folder));
        let first = match per_node {
            1 => format!("$(({} + SLURM_ARRAY_TASK_ID))", array.first),
            _ => format!("$(({} + SLURM_ARRAY_TASK_ID * {per_node}))", array.first),
        };
        let work = match per_node {
            1 => format!("{binary} task {folder} \"$task\""),
            // The last job of an array may have less to do than the others.
            _ => format!(
                "bash -c 'task=$(($3 + SLURM_PROCID)); [ $task -lt {} ] || exit 0; exec \"$1\" task \"$2\" $task' - \
                 {binary} {folder} \"$task\"",
                array.first + array.tasks
            ),
        };
        format!(
            "{head}task={first}\n\
             rm -f {folder}/ended/$task\n\
             me=${{SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}}${{SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}}\n\
             # srun does not take over the cores of the job by itself; a site's WaitTime would end those that take longer.\n\
             srun --ntasks={per_node} --cpus-per-task=\"${{SLURM_CPUS_PER_TASK:-1}}\" --mpi=none --kill-on-bad-exit=0 \
             --wait=0 \\\n    {work}\n\
             code=$?\n\
             echo \"$code $me ${{SLURM_RESTART_COUNT:-0}}\" > {folder}/ended/$task\n\
             # 75: stopped with its work saved. This task alone is put back into the queue; Slurm ends this script then.\n\
             if [ \"$code\" = 75 ] && [ \"${{SLURM_RESTART_COUNT:-0}}\" -lt {} ]; then scontrol requeue \"$me\" && sleep 60; fi\n\
             exit $code\n",
            self.restarts
        )
    }

    /// The script of the job that writes the report from the cache. `memory` is in MB.
    pub fn collector(&self, memory: u64) -> String {
        let mut options = vec![
            format!("--cpus-per-task={}", self.threads),
            format!("--mem={memory}M"),
            "--requeue".to_string(),
        ];
        options.extend(self.cluster.sbatch.iter().cloned());
        let head = self.head(
            &format!("gs-{}-report", self.slug),
            "report-%j.log",
            self.minutes(0.0),
            &options,
        );
        format!(
            "{head}exec {} run {} --cached --partial\n",
            word(self.binary),
            word(self.folder)
        )
    }
}

/// A path as one word of a shell.
pub fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "._/=-:%+,".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_three_estimates_and_ten_minutes_within_the_site_s_limit() {
        let cluster = Cluster::default();
        let mut common = Common {
            slug: "a",
            folder: Path::new("/c"),
            binary: Path::new("/b"),
            threads: 1,
            restarts: 1,
            time_limit: None,
            cluster: &cluster,
        };
        assert_eq!((common.minutes(0.0), common.minutes(600.0)), (10, 40));
        common.time_limit = Some(1800.0);
        assert_eq!(common.minutes(600.0), 30);
    }

    #[test]
    fn paths_are_words() {
        let words = ["/a/b-1.study", "/a b", "it's"].map(|path| word(Path::new(path)));
        assert_eq!(words, ["/a/b-1.study", "'/a b'", r"'it'\''s'"]);
    }
}
