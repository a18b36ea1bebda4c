//! `gradstudy submit STUDY`

mod make;
mod slurm;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::words::{name, queue, refuse_alive, study};
use crate::cli::options::{Computing, Places, ReportsPlace, clusters_file, parse_size};
use crate::cli::study::StudyArguments;
use crate::cli::{Failure, counted, log, print};
use crate::plan::display::duration;
use crate::run::registry::{RegisteredRun, Registry};
use crate::store::StoreError;
use crate::submission::clusters::{self, Cluster, parse_time};
use crate::submission::status::{Standing, Status, status};
use crate::submission::{self, Manifest, SubmissionError, jobs, shell, state};
use make::Made;

/// Hand a study to Slurm, or write its tasks out for another scheduler
///
/// The study is cut into units (trainings, recordings with their tests and spectra, spectra of losses), these are packed into
/// tasks of about one length, and what the cache lacks is submitted as arrays, wave by wave; a last job writes the report.
/// Submitting again submits what is missing then.
#[derive(Debug, Args)]
pub struct Submit {
    #[command(flatten)]
    study: StudyArguments,
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    computing: Computing,
    #[command(flatten)]
    reports: ReportsPlace,
    /// What the tasks are for: slurm submits them; shell prints a command line each, json what each needs
    #[arg(long, value_enum, default_value = "slurm")]
    to: Target,
    /// Show the scripts and calls, and submit nothing
    #[arg(long)]
    print: bool,
    /// A cluster of clusters.toml [default: the one that it says]
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// Tasks of an array that may run at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    at_once: Option<u32>,
    /// About how long a task is to take, by estimate; shorter units are packed together [default: 30min]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    task_time: Option<f64>,
    /// Give units that were killed for want of memory twice as much
    #[arg(long)]
    more_memory: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    Slurm,
    Shell,
    Json,
}

/// Seconds of a task, where nobody says.
const TASK_SECONDS: f64 = 1800.0;

impl Submit {
    pub fn execute(mut self) -> Result<ExitCode, Failure> {
        let file = clusters_file();
        let cluster = clusters::read(&file, self.cluster.as_deref())?;
        self.take_over(&cluster, &file)?;
        let made = make::make(&self)?;
        if made
            .manifest
            .tasks
            .iter()
            .all(|task| task.round != made.manifest.round)
        {
            return self.nothing(&made);
        }
        if !self.print {
            self.write(&made)?;
        }
        match self.to {
            Target::Slurm => slurm::submit(&self, &cluster, &made)?,
            Target::Shell => {
                print(&shell::lines(&made.manifest, &made.folder));
                self.summary(&made, "tasks, a line each on standard output");
                log::remark(&format!(
                    "when they have ended, `{}` writes the report",
                    shell::collector(&made.manifest, &made.folder)
                ));
            }
            Target::Json => {
                let json = shell::json(&made.manifest, &made.folder);
                print(&(serde_json::to_string_pretty(&json).expect("tasks are data") + "\n"));
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Takes from the site's settings what the command line does not say.
    fn take_over(&mut self, cluster: &Cluster, file: &Path) -> Result<(), SubmissionError> {
        let wrong = |reason: String| SubmissionError::Clusters {
            path: file.to_path_buf(),
            reason,
        };
        if let (None, Some(text)) = (self.computing.memory, &cluster.memory) {
            self.computing.memory = Some(parse_size(text).map_err(|why| wrong(format!("memory: {why}")))?);
        }
        if let (None, Some(text)) = (self.task_time, &cluster.task_time) {
            self.task_time = Some(parse_time(text).map_err(|why| wrong(format!("task_time: {why}")))?);
        }
        self.computing.threads = self.computing.threads.or(cluster.cpus);
        self.at_once = self.at_once.or(cluster.at_once);
        Ok(())
    }

    fn task_seconds(&self) -> f64 {
        self.task_time.unwrap_or(TASK_SECONDS)
    }

    /// Says that nothing is missing.
    fn nothing(&self, made: &Made) -> Result<ExitCode, Failure> {
        let text = format!(
            "nothing to submit: the cache has every result; `{} --cached` writes the report",
            self.study.command("run")
        );
        match self.to {
            Target::Slurm => print(&format!("{text}\n")),
            Target::Shell => log::remark(&text),
            Target::Json => {
                log::remark(&text);
                let json = shell::json(&made.manifest, &made.folder);
                print(&(serde_json::to_string_pretty(&json).expect("tasks are data") + "\n"));
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Writes the submission's folder, unless jobs of it are there; what is written is before what is submitted.
    fn write(&self, made: &Made) -> Result<(), Failure> {
        let (folder, manifest) = (&made.folder, &made.manifest);
        submission::make_folder(folder)?;
        // Of two who submit at once the second finds the jobs of the first.
        let lock = std::fs::File::create(folder.join("submit.lock")).map_err(StoreError::write(folder))?;
        let _ = lock.lock();
        let before = earlier(folder)?;
        let running = before.as_ref().map_or(0, |(_, status)| status.running());
        refuse_alive(folder, running, queue(folder).as_deref())?;
        if let Some((before, status)) = before {
            if before.round >= manifest.round {
                let (name, what) = (name(folder), "another submission".to_string());
                return Err(SubmissionError::Alive {
                    name,
                    what,
                    one: true,
                }
                .into());
            }
            // What was said of units before is not true of this round.
            for (unit, stand) in before.units.iter().zip(&status.units) {
                if stand.standing != Standing::Done {
                    let _ = std::fs::remove_file(state::path(folder, &unit.id));
                }
            }
        }
        if manifest.round == 1 {
            // What a submission left that cannot be read.
            jobs::forget(folder);
            for unit in &manifest.units {
                let _ = std::fs::remove_file(state::path(folder, &unit.id));
            }
        }
        manifest.write(folder, &made.texts)?;
        submission::set_cancelled(folder, false)?;
        // The steps are this run's: `gc` leaves them.
        drop(Registry::of(&manifest.cache).begin(RegisteredRun {
            format_version: 0,
            study: manifest.study.clone(),
            source: manifest.directory.join(&manifest.source),
            started: made.started.clone(),
            plan: manifest.plan.clone(),
            folder: None,
            steps: made.steps.clone(),
        })?);
        Ok(())
    }

    /// Says what is submitted.
    fn summary(&self, made: &Made, what: &str) {
        let manifest = &made.manifest;
        let tasks: Vec<_> = shell::last_round(manifest).collect();
        let waves = tasks.iter().map(|(_, task)| task.wave + 1).max().unwrap_or(0);
        let units: usize = tasks.iter().map(|(_, task)| task.units.len()).sum();
        let done = manifest.units.len() - units;
        log::line(&format!(
            "{}: {} in {} {what}, {}{}; about {} of work on {}{}",
            name(&made.folder),
            counted(units, "unit"),
            tasks.len(),
            counted(waves, "wave"),
            if done > 0 {
                format!(" ({done} are in the cache)")
            } else {
                String::new()
            },
            duration(made.seconds),
            counted(usize::from(manifest.threads), "core"),
            match made.learnt {
                0 => String::new(),
                units => format!(", by what {} took here", counted(units, "unit")),
            },
        ));
    }
}

/// What was submitted before in `folder`, and how it stands.
fn earlier(folder: &Path) -> Result<Option<(Manifest, Status)>, SubmissionError> {
    if !folder.join(submission::MANIFEST).is_file() {
        return Ok(None);
    }
    let manifest = match Manifest::open(folder) {
        Err(error @ (SubmissionError::Damaged { .. } | SubmissionError::Format { .. })) => {
            log::remark(&format!(
                "warning: {error}; it is submitted as if for the first time"
            ));
            return Ok(None);
        }
        other => other?,
    };
    let status = status(&manifest, folder, queue(folder).as_deref());
    Ok(Some((manifest, status)))
}

/// An absolute path, as far as the system can say.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// How the study is submitted again.
fn again(manifest: &Manifest) -> String {
    format!("gradstudy submit {}", study(manifest))
}
