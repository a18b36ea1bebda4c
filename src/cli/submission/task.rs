//! `gradstudy task SUBMISSION N`

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use clap::Args;
use indexmap::IndexMap;

use super::frozen::{self, Frozen};
use crate::cli::options::{CachePlace, Computing};
use crate::cli::progress::{Count, Form, Progress};
use crate::cli::run::stop_on_request;
use crate::cli::{Failure, log, show};
use crate::device::{Choice, Selected};
use crate::execute::{ExecuteError, Executor, Failure as StepFailure};
use crate::plan::need::{Need, needs};
use crate::plan::{Plan, Step, StepId, Work};
use crate::run::registry::{RegisteredRun, Registration, Registry};
use crate::store::{CacheLock, Store};
use crate::submission::manifest::{Binary, Unit};
use crate::submission::state::{Condition, Heartbeat, UnitState};
use crate::submission::work::{Made, Maker, TaskAtWork};
use crate::submission::{self, Manifest, SubmissionError};

/// Make one task of a submission; exit code 0 done, 1 a unit failed or lacks an input, 2 trouble, 75 stopped, work saved
///
/// What schedulers start. Finished units are in the cache, whatever becomes of the others; the same command goes on where a
/// stopped task was.
#[derive(Debug, Args)]
pub struct TaskCommand {
    /// Folder or name of the submission
    #[arg(value_name = "SUBMISSION")]
    submission: String,
    /// Number of the task, from 0
    #[arg(value_name = "N")]
    number: usize,
    /// Wait for inputs that other tasks are to make, for a scheduler that begins all tasks in their order
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    cache: CachePlace,
}

/// How long an input may be invisible whose unit is done.
const VISIBLE: Duration = Duration::from_secs(30);

/// Makes units by running their part of the plan.
struct Steps<'a> {
    task: &'a TaskAtWork<'a>,
    frozen: &'a Frozen,
    store: &'a Store,
    selected: &'a Selected,
    cancel: Arc<AtomicBool>,
}

impl TaskCommand {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let folder = submission::find(&self.cache.cache(), &self.submission)?;
        let manifest = Manifest::open(&folder)?;
        let Some(task) = manifest.tasks.get(self.number) else {
            let (number, tasks) = (self.number, manifest.tasks.len());
            return Err(SubmissionError::Task { number, tasks }.into());
        };
        if submission::is_cancelled(&folder) {
            log::remark("the submission was cancelled: nothing is made");
            return Ok(ExitCode::from(1));
        }
        let cancel = stop_on_request();
        let at_work = TaskAtWork {
            manifest: &manifest,
            folder: &folder,
            number: self.number,
            job: job(),
            cancel: &cancel,
            wait: self.wait,
            again: restarts() > 0,
            visible: VISIBLE,
        };
        let (selected, store, frozen) = match prepare(&manifest, &folder, task.gpu) {
            Ok(prepared) => prepared,
            Err(failure) => {
                // What cannot be told in a file is told in the log.
                let _ = at_work.give_up(&failure.message());
                return Err(failure);
            }
        };
        let steps = Steps {
            task: &at_work,
            frozen: &frozen,
            store: &store,
            selected: &selected,
            cancel: cancel.clone(),
        };
        let registration = register(&manifest)?;
        let code = at_work.run(&steps)?;
        registration.withdraw();
        Ok(ExitCode::from(code))
    }
}

/// Has `gc` leave what the submission is made of while a task works.
fn register(manifest: &Manifest) -> Result<Registration, Failure> {
    let waiting = || log::remark("waiting for `gradstudy gc`");
    let _lock = CacheLock::shared(&manifest.cache, &waiting)?;
    let steps = manifest.units.iter().flat_map(|unit| &unit.steps);
    let run = RegisteredRun {
        format_version: 0,
        study: manifest.study.clone(),
        source: manifest.directory.join(&manifest.source),
        started: jiff::Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        plan: manifest.plan.clone(),
        folder: None,
        steps: steps.map(|(id, _)| id.0.clone()).collect(),
    };
    Ok(Registry::of(&manifest.cache).begin(run)?)
}

/// The device, the cache and the study, if they are those that were submitted.
fn prepare(manifest: &Manifest, folder: &Path, gpu: bool) -> Result<(Selected, Store, Frozen), Failure> {
    let here = Binary::this()?;
    if here.blake3 != manifest.binary.blake3 {
        let (here, submitted) = (here.path, manifest.binary.path.clone());
        return Err(SubmissionError::Binary { here, submitted }.into());
    }
    let selected = select(manifest, gpu)?;
    let store = Store::open(&manifest.cache, &manifest.class)?;
    Ok((selected, store, frozen::open(manifest, folder)?))
}

/// What computes: the device that was submitted for, or, for what needs no GPU, this machine's processor.
fn select(manifest: &Manifest, gpu: bool) -> Result<Selected, Failure> {
    let device: Choice = manifest.device.parse().unwrap_or(Choice::Cpu);
    let on_gpu = matches!(device, Choice::Cuda(_) | Choice::AllCuda);
    let beside_gpu = on_gpu && !gpu;
    let computing = Computing {
        device: if beside_gpu { Choice::Cpu } else { device },
        precision: match beside_gpu {
            true => Default::default(),
            false => manifest.precision.parse().unwrap_or_default(),
        },
        memory: Some(manifest.memory),
        threads: Some(manifest.threads),
    };
    let selected = computing.select()?;
    match beside_gpu || selected.class == manifest.class {
        true => Ok(selected),
        false => Err(SubmissionError::Device {
            what: format!("the task is for {}, which", manifest.class),
            reason: format!("this machine would compute on {}", selected.class),
            help: "submit for a device that every machine of the cluster has",
        }
        .into()),
    }
}

/// What the scheduler calls this job.
fn job() -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let index = variable("SLURM_ARRAY_TASK_ID");
    match (variable("SLURM_ARRAY_JOB_ID"), index) {
        (Some(array), Some(index)) => Some(format!("{array}_{index}")),
        _ => variable("SLURM_JOB_ID")
            .or_else(|| variable("PBS_JOBID"))
            .or_else(|| variable("LSB_JOBID")),
    }
}

/// How often Slurm put this job back into its queue.
fn restarts() -> u32 {
    let count = std::env::var("SLURM_RESTART_COUNT").ok();
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}

impl Steps<'_> {
    /// The part of the plan that makes a unit, and what of it is needed.
    fn part(&self, unit: &Unit) -> (Plan, Vec<Need>) {
        let plan = &self.frozen.plan;
        let numbers: Vec<usize> = unit.steps.iter().filter_map(|(id, _)| plan.number(id)).collect();
        let part = plan.part(&numbers);
        let needed = needs(&part, |step| self.store.has(&step.id));
        (part, needed)
    }
}

impl Maker for Steps<'_> {
    fn has(&self, unit: &Unit) -> bool {
        let (part, needed) = self.part(unit);
        let runs = |id: &StepId| part.number(id).is_some_and(|number| needed[number] == Need::Run);
        !unit.steps.iter().any(|(id, _)| runs(id))
    }

    fn lacks(&self, unit: &Unit) -> Option<(StepId, String)> {
        let (part, needed) = self.part(unit);
        let own = |id: &StepId| unit.steps.iter().any(|(step, _)| step == id);
        let made = |step: &&Step| matches!(step.work, Work::Train { .. } | Work::Eigenvectors { .. });
        let steps = part.steps.iter().zip(&needed);
        let steps = steps.filter(|(step, need)| **need == Need::Run && own(&step.id));
        let inputs = steps.flat_map(|(step, _)| &step.key.inputs).filter(|id| !own(id));
        let mut inputs = inputs.map(|id| part.step(id)).filter(made);
        let absent = inputs.find(|step| !self.store.has(&step.id))?;
        // A look at the folder itself makes a network file system ask its server again.
        let folder = self.store.directory(&absent.id);
        let _ = folder
            .parent()
            .and_then(|folder| Some(fs::read_dir(folder).ok()?.count()));
        let what = format!("{} {}", absent.key.operation.verb(), absent.label);
        Some((absent.id.clone(), what))
    }

    fn make(&self, unit: &Unit, before: Option<&UnitState>) -> Result<Made, SubmissionError> {
        let (part, needed) = self.part(unit);
        let (manifest, folder) = (self.task.manifest, self.task.folder);
        let state = UnitState::begin(self.task.number, self.task.job.clone(), before);
        let heartbeat = Heartbeat::start(folder, &unit.id, state, self.cancel.clone())?;
        let progress = Progress::new(Form::choose(false, log::is_json()), Count::of(&part, &needed));
        let (search, engine) = (&self.frozen.search, &self.selected.engine);
        let mut executor = Executor::new(
            self.store,
            search,
            engine,
            manifest.memory,
            &progress,
            &self.cancel,
        );
        executor.device = format!("{} on {}", self.selected.description, crate::process::host());
        // A mistake in gradstudy takes one unit with it, not the others.
        let made = catch_unwind(AssertUnwindSafe(|| executor.make(&part)));
        progress.clear();
        let mut state = heartbeat.end();
        let made = conclude(made, &mut state, submission::is_cancelled(folder));
        if state.condition == Condition::Stopped {
            let why = state.message.as_deref().unwrap_or_default();
            log::remark(&format!("{}: {why}", unit.label));
        }
        state.write(folder, &unit.id)?;
        Ok(made)
    }

    fn tell(&self, text: &str) {
        log::remark(text);
    }
}

/// What came of a unit, put into its state.
fn conclude(
    made: thread::Result<Result<IndexMap<StepId, StepFailure>, ExecuteError>>,
    state: &mut UnitState,
    cancelled: bool,
) -> Made {
    match made {
        Ok(Ok(failures)) if failures.is_empty() => {
            state.condition = Condition::Done;
            Made::Done
        }
        Ok(Ok(failures)) => {
            state.condition = Condition::Failed;
            state.message = failures
                .values()
                .next()
                .map(|it| format!("{}: {}", it.what, it.message));
            state.failures = failures;
            Made::Failed
        }
        Ok(Err(error)) if error.is_interrupt() => {
            let why = if cancelled {
                "the submission was cancelled"
            } else {
                "stopped on request"
            };
            state.condition = Condition::Stopped;
            state.message = Some(format!("{why}, with its work saved"));
            Made::Stopped
        }
        Ok(Err(error)) => {
            show(&error);
            state.condition = Condition::Failed;
            state.message = Some(error.to_string());
            state.failures = IndexMap::from([(error.step.clone(), error.failure())]);
            Made::Trouble(error.to_string())
        }
        Err(_) => {
            state.condition = Condition::Failed;
            state.message = Some("a mistake in gradstudy: the log says where".to_string());
            Made::Failed
        }
    }
}
