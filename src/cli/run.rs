//! `gradstudy run STUDY`

mod collect;
mod summary;
mod watch;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::{Args, ValueEnum};
use jiff::Zoned;

use crate::device::{Choice, Precision};
use crate::execute::{Execution, Executor};
use crate::gradients::engine::Engine;
use crate::plan::Plan;
use crate::plan::need::needs;
use crate::plan::resources::Resources;
use crate::plan::route::Means;
use crate::report::{Templates, to_screen};
use crate::run::manifest::{DeviceFacts, Invocation};
use crate::run::registry::{RegisteredRun, Registration, Registry};
use crate::run::{self, Manifest};
use crate::store::leftovers::sweep;
use crate::store::{CacheLock, Store};
use crate::study::Study;
use crate::syntax::Source;

use super::options::{Computing, Places, ReportsPlace, memory_limit};
use super::progress::{Count, Form, Progress};
use super::resources::{disk_note, memory_notes};
use super::terminal::screen;
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
    /// Run again whenever the study (or what it uses) is saved; with --open the page follows
    #[arg(long)]
    watch: bool,
    /// Compute nothing: write the report from what the cache has, and say what it lacks (exit code 1). STUDY may be a
    /// submission
    #[arg(long, conflicts_with_all = ["watch", "fail_fast"])]
    cached: bool,
    /// With --cached: write the report all the same where results are missing
    #[arg(long, requires = "cached")]
    partial: bool,
    /// End with the first step that fails; else what does not need it is made, and the report says what is missing
    #[arg(long)]
    fail_fast: bool,
    /// Say only what goes wrong; tables are printed all the same
    #[arg(long, short)]
    quiet: bool,
    /// How steps are told of on standard error: lines (bars on a terminal), or a JSON object a line
    #[arg(long, value_enum, default_value = "text")]
    log_format: LogFormat,
    /// Print where the run is and how it went as JSON, instead of the tables
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

/// A run that came to its end.
struct Finished {
    /// Holds its report.
    folder: PathBuf,
    /// What the study takes by `use`.
    files: Vec<PathBuf>,
    /// Steps that failed, and figures that could not be drawn.
    failed: usize,
}

/// What was run, and all that its report needs.
struct Ran {
    start: Instant,
    started: Zoned,
    source: Source,
    study: Study,
    warnings: Vec<String>,
    templates: Templates,
    plan: Plan,
    layout: run::Layout,
    registration: Registration,
    execution: Execution,
    device: DeviceFacts,
    form: Form,
}

impl Run {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        if self.log_format == LogFormat::Json {
            super::log::set_json();
        }
        if self.watch {
            return watch::watch(&self);
        }
        if self.cached {
            return collect::collect(self);
        }
        let finished = self.once(stop_on_request)?;
        if self.open {
            show_in_browser(&finished.folder.join("report.html"));
        }
        Ok(ExitCode::from(u8::from(finished.failed > 0)))
    }

    /// Runs the study as it is now and writes its report. The flag of `cancel` stops it at the next chunk.
    fn once(&self, cancel: impl FnOnce() -> Arc<AtomicBool>) -> Result<Finished, Failure> {
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
            super::log::remark(
                "the study asks for nothing: it has no `train`, `record` or `test` that would run",
            );
        }
        let layout = run::Layout::of(&study);
        run::check_writable(&self.reports.reports_dir, &layout.slug)?;
        let store = Store::open(&self.places.cache(), device.class)?;
        let cancel = cancel();
        // From here on `gc` leaves what this run needs: the cache is looked into afterwards.
        let waiting = || super::log::remark("waiting for `gradstudy gc`");
        let lock = CacheLock::shared(&self.places.cache(), &waiting)?;
        let registration = Registry::of(&self.places.cache()).begin(RegisteredRun {
            format_version: 0,
            study: plan.title.clone(),
            source: std::path::absolute(&self.study.path).unwrap_or_else(|_| self.study.path.clone()),
            started: started.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            plan: plan.id().0,
            folder: None,
            steps: plan.steps.iter().map(|step| step.id.0.clone()).collect(),
        })?;
        drop(lock);
        for folder in ["steps", "costs", "runs"] {
            sweep(&self.places.cache().join(folder));
        }
        let count = Count::of(&plan, &needs(&plan, |step| store.has(&step.id)));
        let form = Form::choose(self.quiet, self.log_format == LogFormat::Json);
        let progress = Progress::new(form, count);
        let memory = self.computing.memory();
        self.warn_of_resources(&plan, &store, matches!(device.engine, Engine::Host));
        let mut executor = Executor::new(&store, &search, &device.engine, memory, &progress, &cancel);
        executor.beside = &device.beside;
        executor.fail_fast = self.fail_fast;
        executor.device = device.description.clone();
        let execution = executor.run(&plan);
        progress.clear();
        let execution = match execution {
            Err(error) if error.is_interrupt() => {
                super::show(&error);
                // What a shell reports for a process ended by Ctrl-C.
                return Err(Failure::Shown(130));
            }
            other => other?,
        };
        let device = DeviceFacts {
            class: device.class.to_string(),
            name: device.description.clone(),
        };
        self.finish(Ran {
            start,
            started,
            source,
            study,
            warnings,
            templates,
            plan,
            layout,
            registration,
            execution,
            device,
            form,
        })
    }

    /// Writes the report of what was run, and tells of it.
    fn finish(&self, ran: Ran) -> Result<Finished, Failure> {
        let (plan, execution, study) = (&ran.plan, &ran.execution, &ran.study);
        let nothing_new = execution.steps.iter().all(|step| step.reused || !step.is_kept);
        let invocation = Invocation {
            study_text: &ran.source.text,
            files: &study.files,
            command: self.command(),
            warnings: ran.warnings,
            device: ran.device,
            seeds: &study.seeds,
            overrides: &study.overrides,
            started: ran.started.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            seconds: ran.start.elapsed().as_secs_f64(),
        };
        let run = run::Run {
            manifest: Manifest::new(plan, execution, invocation),
            study_text: ran.source.text.to_string(),
            resolved: crate::study::render(study),
            layout: ran.layout,
            results: run::results(plan, execution),
            spectra: run::spectra(plan, execution),
        };
        let name = format!("{}-{}", ran.started.strftime("%Y%m%d-%H%M%S"), &plan.id().0[..8]);
        let before = match nothing_new && self.templates.is_none() {
            true => run.written_before(&self.reports.reports_dir),
            false => None,
        };
        let folder = match &before {
            Some(folder) => {
                ran.registration.withdraw();
                folder.clone()
            }
            None => {
                let folder = run.write(&self.reports.reports_dir, &name, &ran.templates)?;
                ran.registration.finish(&folder)?;
                folder
            }
        };
        let seconds = ran.start.elapsed().as_secs_f64();
        match self.json {
            true => print(&summary::json(&run, execution, &folder, seconds)?),
            false => self.tell(&run, &folder, seconds, before.is_some())?,
        }
        if ran.form == Form::Json {
            super::log::event("finished", summary::finished(&run, execution, &folder, seconds));
        }
        let undrawn = run::open_manifest(&folder)?.undrawn;
        for figure in &undrawn {
            super::log::remark(&format!("warning: {figure}"));
        }
        let failed = run.manifest.failures.len();
        if failed > 0 {
            super::log::remark(&format!(
                "{failed} of {} steps {}, and what needs them was not made; the tables say what is missing",
                run.manifest.steps.len(),
                if self.cached {
                    "are missing or failed"
                } else {
                    "failed"
                },
            ));
        }
        let beside = self.study.path.parent().unwrap_or(Path::new(""));
        Ok(Finished {
            files: study.files.iter().map(|file| beside.join(&file.name)).collect(),
            folder,
            failed: failed + undrawn.len(),
        })
    }

    /// Prints the tables, and where the report is.
    fn tell(&self, run: &run::Run, folder: &Path, seconds: f64, before: bool) -> Result<(), Failure> {
        let screen = screen();
        for table in &run.tables()? {
            print(&format!("{}\n", to_screen(table, &screen)));
        }
        let what = match before {
            true => "nothing new: the report is in",
            false => "report in",
        };
        print(&screen.wrap("", &format!("{seconds:.1} s; {what} {}", folder.display())));
        Ok(())
    }

    /// Says before the work what of memory and disk may not suffice.
    fn warn_of_resources(&self, plan: &Plan, store: &Store, host: bool) {
        let memory = self.computing.memory();
        let means = Means {
            memory,
            disk: store.free_space(),
            host,
            history: false,
        };
        let mut costed = plan.clone();
        let needed = Resources::put(&mut costed, means, |step| store.has(&step.id));
        let notes = memory_notes(&costed, &needed, memory, memory_limit().as_ref());
        for note in notes.into_iter().chain(disk_note(plan, store)) {
            super::log::remark(&format!("warning: {note}"));
        }
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
        if crate::limits::bytes() != crate::limits::DEFAULT {
            command += &format!(" --limit {}", crate::limits::bytes());
        }
        command
    }
}

/// Opens the page with the program that the user has for such; where there is none, says where the page is.
pub(super) fn show_in_browser(page: &Path) {
    if let Err(reason) = open::that_detached(page) {
        super::log::remark(&format!(
            "cannot open a browser ({reason}); the report is {}",
            page.display()
        ));
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
        super::log::remark("stopping at the next chunk; once more to stop now");
    });
    cancel
}
