//! `gradstudy run STUDY`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::Args;
use jiff::Zoned;

use crate::execute::Executor;
use crate::figures;
use crate::plots::{self, PlotError};
use crate::report::{Templates, Timing, tabulate, to_terminal};
use crate::run::manifest::{DeviceFacts, Invocation};
use crate::run::{self, Manifest, conventions};
use crate::store::Store;

use super::options::{Computing, Places};
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
    /// Where reports go, as DIR/STUDY/RUN/
    #[arg(long, value_name = "DIR", default_value = "reports")]
    reports_dir: PathBuf,
    /// Folder of templates that replace gradstudy's own
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// Show report.html in the browser
    #[arg(long)]
    open: bool,
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
        let store = Store::open(&self.places.cache(), device.class)?;
        let (cancel, bars) = (stop_on_request(), Bars::new());
        let executor = Executor::new(
            &store,
            &search,
            &device.engine,
            self.computing.memory(),
            &bars,
            &cancel,
        );
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
        let results = run::results(&plan, &execution);
        let spectra = run::spectra(&plan, &execution);
        let tables = study
            .tables
            .iter()
            .map(|table| tabulate(&results, table, &conventions(&study, table)))
            .collect::<Result<Vec<_>, _>>()?;
        let figures = study
            .figures
            .iter()
            .map(|spec| Ok(figures::documents(&plots::draw(spec, &results, &spectra)?)?))
            .collect::<Result<Vec<_>, PlotError>>()?;
        let timings: Vec<_> = execution
            .steps
            .iter()
            .map(|step| Timing {
                step: step.id.short().to_string(),
                what: format!("{} {}", step.operation, step.label),
                seconds: step.seconds,
                reused: step.reused,
            })
            .collect();
        let facts = DeviceFacts {
            class: device.class,
            name: device.description.clone(),
        };
        let invocation = Invocation {
            study_text: &source.text,
            command: self.study.command("run"),
            warnings,
            device: facts,
            seeds: &study.seeds,
            overrides: &study.overrides,
            started: started.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            seconds: start.elapsed().as_secs_f64(),
        };
        let manifest = Manifest::new(&plan, &execution, invocation);
        let contents = run::folder::Contents {
            study_text: &source.text,
            resolved: &crate::study::render(&study),
            manifest: &manifest,
            results: &results,
            spectra: &spectra,
            tables: &tables,
            figures: &figures,
            timings: &timings,
        };
        let name = format!("{}-{}", started.strftime("%Y%m%d-%H%M%S"), &plan.id().0[..8]);
        let folder = run::write(&self.reports_dir, &study.slug, &name, &contents, &templates)?;
        for table in &tables {
            print(&format!("{}\n", to_terminal(table)));
        }
        print(&format!(
            "{:.1} s; report in {}\n",
            start.elapsed().as_secs_f64(),
            folder.display()
        ));
        if self.open {
            show_in_browser(&folder.join("report.html"));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Opens the page with the program that the user has for such; where there is none, says where the page is.
fn show_in_browser(page: &Path) {
    if let Err(reason) = open::that_detached(page) {
        eprintln!(
            "cannot open a browser ({reason}); the report is {}",
            page.display()
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
