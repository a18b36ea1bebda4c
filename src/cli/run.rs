//! `gradstudy run STUDY`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::Args;
use jiff::Zoned;

use crate::device::{Choice, Precision};
use crate::execute::Executor;
use crate::plan::Plan;
use crate::report::number::size;
use crate::report::{Templates, to_terminal};
use crate::run::manifest::{DeviceFacts, Invocation};
use crate::run::registry::{RegisteredRun, Registry};
use crate::run::{self, Manifest};
use crate::store::Store;

use super::options::{Computing, Places, ReportsPlace};
use super::progress::Bars;
use super::{Failure, print, study};

/// Run a study and write its report
#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    study: study::StudyArguments,
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    computing: Computing,
    #[command(flatten)]
    reports: ReportsPlace,
    /// Folder of templates that replace gradstudy's own
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// Show report.html in the browser
    #[arg(long)]
    open: bool,
    /// End with the first step that fails; else what does not need it is made, and the report says what is missing
    #[arg(long)]
    fail_fast: bool,
}

impl Run {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let start = Instant::now();
        let started = Zoned::now();
        let (source, study, warnings) = study::load_with_warnings(&self.study)?;
        let templates = match &self.templates {
            Some(directory) => Templates::overridden_by(directory)?,
            None => Templates::embedded(),
        };
        let device = self.computing.select()?;
        let search = self.places.search();
        let plan = study::plan(&study, &search)?;
        if plan.steps.is_empty() {
            eprintln!("the study asks for nothing: it has no `train`, `record` or `test` that would run");
        }
        let layout = run::Layout::of(&study);
        run::check_writable(&self.reports.reports_dir, &layout.slug)?;
        let store = Store::open(&self.places.cache(), device.class)?;
        let (cancel, bars) = (stop_on_request(), Bars::new());
        let memory = self.computing.memory();
        warn_of_disk(&plan, &store);
        let registration = Registry::of(&self.places.cache()).begin(RegisteredRun {
            format_version: 0,
            study: plan.title.clone(),
            source: std::path::absolute(&self.study.path).unwrap_or_else(|_| self.study.path.clone()),
            started: started.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            plan: plan.id().0,
            folder: None,
            steps: plan.steps.iter().map(|step| step.id.0.clone()).collect(),
        })?;
        let mut executor = Executor::new(&store, &search, &device.engine, memory, &bars, &cancel);
        executor.beside = &device.beside;
        executor.fail_fast = self.fail_fast;
        executor.device = device.description.clone();
        let execution = executor.run(&plan);
        bars.clear();
        let execution = match execution {
            Err(error) if error.is_interrupt() => {
                super::show(&error);
                // What a shell reports for a process ended by Ctrl-C.
                return Err(Failure::Shown(130));
            }
            other => other?,
        };
        let nothing_new = execution.steps.iter().all(|step| step.reused || !step.is_kept);
        let facts = DeviceFacts {
            class: device.class.to_string(),
            name: device.description.clone(),
        };
        let invocation = Invocation {
            study_text: &source.text,
            files: &study.files,
            command: self.command(),
            warnings,
            device: facts,
            seeds: &study.seeds,
            overrides: &study.overrides,
            started: started.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            seconds: start.elapsed().as_secs_f64(),
        };
        let run = run::Run {
            manifest: Manifest::new(&plan, &execution, invocation),
            study_text: source.text.to_string(),
            resolved: crate::study::render(&study),
            layout,
            results: run::results(&plan, &execution),
            spectra: run::spectra(&plan, &execution),
        };
        let name = format!("{}-{}", started.strftime("%Y%m%d-%H%M%S"), &plan.id().0[..8]);
        let before = match nothing_new && self.templates.is_none() {
            true => run.written_before(&self.reports.reports_dir),
            false => None,
        };
        let folder = match &before {
            Some(folder) => {
                registration.withdraw();
                folder.clone()
            }
            None => {
                let folder = run.write(&self.reports.reports_dir, &name, &templates)?;
                registration.finish(&folder)?;
                folder
            }
        };
        let tables = run.tables()?;
        for table in &tables {
            print(&format!("{}\n", to_terminal(table)));
        }
        print(&format!(
            "{:.1} s; {} {}\n",
            start.elapsed().as_secs_f64(),
            match before {
                Some(_) => "nothing new: the report is in",
                None => "report in",
            },
            folder.display()
        ));
        if self.open {
            show_in_browser(&folder.join("report.html"));
        }
        Ok(match run.manifest.failures.len() {
            0 => ExitCode::SUCCESS,
            failed => {
                eprintln!(
                    "{failed} of {} steps failed, and what needs them was not made; the tables say what is missing",
                    run.manifest.steps.len()
                );
                ExitCode::from(1)
            }
        })
    }

    /// What makes the run again: the study, what was changed in it, and where and with what it computed.
    fn command(&self) -> String {
        let mut command = self.study.command("run");
        if self.computing.device != Choice::Auto {
            command += &format!(" --device {}", self.computing.device);
        }
        if self.computing.precision != Precision::default() {
            command += &format!(" --precision {}", self.computing.precision);
        }
        if let Some(directory) = &self.places.data.data_dir {
            command += &format!(
                " --data-dir {}",
                study::shell_word(&directory.display().to_string())
            );
        }
        command
    }
}

/// Opens the page with the program that the user has for such; where there is none, says where the page is.
pub(super) fn show_in_browser(page: &Path) {
    if let Err(reason) = open::that_detached(page) {
        eprintln!(
            "cannot open a browser ({reason}); the report is {}",
            page.display()
        );
    }
}

/// Says before the work that the disk of the cache may not hold what stays of it.
fn warn_of_disk(plan: &Plan, store: &Store) {
    let missing = plan.steps.iter().filter(|step| !store.has(&step.id));
    let (needed, free) = (
        missing.map(|step| step.cost.disk).sum::<u64>(),
        store.free_space(),
    );
    // 0: the system does not say.
    if free > 0 && needed > free {
        eprintln!(
            "warning: what the cache is to keep takes about {}, {} are free there; `--cache-dir` chooses another place, \
             `gradstudy gc` shows what can be freed",
            size(needed),
            size(free)
        );
    }
}

/// A flag that the first Ctrl-C (or a termination signal) sets; the second ends the process at once.
pub fn stop_on_request() -> Arc<AtomicBool> {
    let cancel = Arc::new(AtomicBool::new(false));
    let flag = cancel.clone();
    // Without a handler Ctrl-C still ends the process, only less gently.
    let _ = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("stopping at the next chunk; once more to stop now");
    });
    cancel
}
