//! Slurm pretended by scripts that write down how they were called.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{STUDY, submission};
use crate::support::{Gradstudy, Said};

/// A gradstudy whose path has a pretended Slurm.
struct Pretended {
    gradstudy: Gradstudy,
}

impl Pretended {
    fn new(study: &str) -> Pretended {
        let gradstudy = Gradstudy::new(study);
        let bin = gradstudy.path().join("bin");
        fs::create_dir(&bin).unwrap();
        let programs = [
            (
                "sbatch",
                "echo \"$@\" >> calls; [ -e refuse ] && { echo 'sbatch: error: no account' >&2; exit 1; }\n\
                        n=$(wc -l < calls); echo $((100 + n));",
            ),
            ("scontrol", "echo 'MaxArraySize            = 4'"),
            ("squeue", "cat queue 2>/dev/null; true"),
            ("scancel", "echo \"scancel $@\" >> calls; rm -f queue"),
        ];
        for (name, lines) in programs {
            let path = bin.join(name);
            fs::write(
                &path,
                format!("#!/bin/sh\ncd '{}'\n{lines}\n", gradstudy.path().display()),
            )
            .unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Pretended { gradstudy }
    }

    fn run(&self, arguments: &[&str]) -> Said {
        let path = format!(
            "{}/bin:{}",
            self.gradstudy.path().display(),
            std::env::var("PATH").unwrap()
        );
        let mut command = self.gradstudy.command(arguments);
        command.env("PATH", path);
        command.env("GRADSTUDY_CLUSTERS", self.gradstudy.path().join("clusters.toml"));
        Said::of(command.output().unwrap())
    }

    /// Without what differs from machine to machine.
    fn plain(&self, text: &str) -> String {
        let folder = submission(&self.gradstudy);
        let name = folder.file_name().unwrap().to_str().unwrap();
        text.replace(env!("CARGO_BIN_EXE_gradstudy"), "GRADSTUDY")
            .replace(&self.gradstudy.path().display().to_string(), "FOLDER")
            .replace(name, "test-HASH")
    }

    fn read(&self, name: &str) -> String {
        self.plain(&fs::read_to_string(self.gradstudy.path().join(name)).unwrap())
    }
}

const CLUSTERS: &str = r#"
[clusters.site]
sbatch = ["--account=me", "--partition=main"]
setup = "module load tools"
cpus = 2
time_limit = "30min"
restarts = 3
"#;

#[test]
fn arrays_are_submitted_wave_by_wave() {
    let slurm = Pretended::new(STUDY);
    fs::write(slurm.gradstudy.path().join("clusters.toml"), CLUSTERS).unwrap();
    let said = slurm
        .run(&["submit", "test.study", "--task-time", "0s", "--at-once", "2"])
        .success();
    // Four units in each of two waves, in arrays of at most four.
    insta::assert_snapshot!("submission_calls", slurm.read("calls"));
    let script = fs::read_dir(submission(&slurm.gradstudy).join("scripts")).unwrap();
    let mut scripts: Vec<_> = script.map(|entry| entry.unwrap().path()).collect();
    scripts.sort();
    let texts: Vec<String> = scripts
        .iter()
        .map(|path| slurm.plain(&fs::read_to_string(path).unwrap()))
        .collect();
    assert_eq!(texts.len(), 3);
    insta::assert_snapshot!("submission_array", texts[0]);
    insta::assert_snapshot!("submission_report", texts[2]);
    insta::assert_snapshot!("submission_stdout", slurm.plain(&said.stdout));
    insta::assert_snapshot!("submission_stderr", slurm.plain(&said.stderr));
}

#[test]
fn nodes_that_are_given_out_whole_have_several_tasks_each() {
    let slurm = Pretended::new(STUDY);
    fs::write(
        slurm.gradstudy.path().join("clusters.toml"),
        "[clusters.whole]\nper_node = 3\n[clusters.other]\n",
    )
    .unwrap();
    slurm
        .run(&[
            "submit",
            "test.study",
            "--task-time",
            "0s",
            "--cluster",
            "whole",
            "--threads",
            "1",
        ])
        .success();
    let calls = slurm.read("calls");
    assert!(calls.lines().next().unwrap().contains("--array=0-1 "), "{calls}");
    let script = slurm.read(&format!("cache/submissions/{}/scripts/1-0.sh", {
        submission(&slurm.gradstudy)
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .to_string()
    }));
    for part in [
        "--ntasks=3",
        "--mem=1536M",
        "SLURM_ARRAY_TASK_ID * 3",
        "$3 + SLURM_PROCID",
        "-lt 4 ]",
    ] {
        assert!(script.contains(part), "{part}: {script}");
    }
    let unknown = slurm.run(&["submit", "test.study", "--cluster", "nowhere"]);
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown.stderr.contains("no cluster `nowhere`"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn jobs_that_live_are_not_submitted_again() {
    let slurm = Pretended::new(STUDY);
    slurm.run(&["submit", "test.study"]).success();
    let queue = slurm.gradstudy.path().join("queue");
    fs::write(&queue, "101|0|RUNNING|None\n102|0|PENDING|Dependency\n").unwrap();
    let said = slurm.run(&["submit", "test.study"]);
    assert_eq!(said.code, Some(2));
    assert!(
        said.stderr.contains("jobs 101 (running), 102 (pending)"),
        "{}",
        said.stderr
    );
    let status = slurm.run(&["status", "test-"]).success();
    assert!(
        status.stdout.contains("1 running, 1 pending (Dependency)"),
        "{}",
        status.stdout
    );
    slurm.run(&["cancel", "test-"]).success();
    assert!(
        slurm.read("calls").contains("scancel 101 102"),
        "{}",
        slurm.read("calls")
    );
    let status = slurm.run(&["status", "test-"]);
    assert_eq!(status.code, Some(1));
    assert!(
        status.stdout.contains("8 stopped; cancelled"),
        "{}",
        status.stdout
    );
    // Jobs that are gone without a word of any task.
    slurm.run(&["submit", "test.study"]).success();
    let status = slurm.run(&["status", "test-"]);
    assert!(
        status.stdout.contains("its job is no longer in the queue"),
        "{}",
        status.stdout
    );
}

#[test]
fn what_slurm_refuses_is_told() {
    let slurm = Pretended::new(STUDY);
    fs::write(slurm.gradstudy.path().join("refuse"), "").unwrap();
    let said = slurm.run(&["submit", "test.study"]);
    assert_eq!(said.code, Some(2));
    assert!(
        said.stderr.contains("no account") && said.stderr.contains("clusters.toml"),
        "{}",
        said.stderr
    );
    let without = slurm
        .gradstudy
        .command(&["submit", "test.study"])
        .env("PATH", "")
        .output()
        .unwrap();
    let said = Said::of(without);
    assert_eq!(said.code, Some(2));
    assert!(
        said.stderr.contains("there is no Slurm on this machine"),
        "{}",
        said.stderr
    );
}

/// `--print` shows everything and does nothing.
#[test]
fn printing_writes_nothing() {
    let slurm = Pretended::new(STUDY);
    let said = slurm
        .run(&["submit", "test.study", "--print", "--task-time", "0s"])
        .success();
    assert!(
        said.stdout.contains("#SBATCH --array") || said.stdout.contains("--array=0-3"),
        "{}",
        said.stdout
    );
    assert!(
        said.stdout.contains("--dependency=afterany:$job1"),
        "{}",
        said.stdout
    );
    assert!(!slurm.gradstudy.path().join("calls").exists());
    assert!(!slurm.gradstudy.path().join("cache/submissions").exists());
}
