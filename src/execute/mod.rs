//! Runs a plan: only what the results need and the cache lacks, each result stored as soon as it is there.

mod beside;
mod checkpoint;
mod curvature;
mod data;
mod error;
mod facts;
mod failures;
mod inputs;
mod kept;
mod log;
mod measure;
pub mod observer;
mod on_gpu;
mod own;
mod pieces;
mod record;
mod sketch;
mod solve;
mod spectrum;
mod sums;
mod targets;
mod test;
mod train;
mod unit;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub use error::{Cause, ExecuteError};
pub use facts::{DataFacts, Execution, Failure, NoiseFacts, StepReport};
pub use inputs::{Labels, Minibatches};
pub use observer::Observer;
pub use spectrum::Spectra;

use indexmap::IndexMap;
use on_gpu::OnGpu;

use crate::data::{Dataset, SearchPath};
use crate::device;
use crate::gradients::engine::Engine;
use crate::gradients::history::GradientHistory;
use crate::models::{self, Network, weights};
use crate::plan::route::{self, Means, Recording, Route};
use crate::plan::{Plan, Step, StepId, Work};
use crate::stats::outcome::Outcome;
use crate::store::Store;

/// What a run needs besides the plan.
pub struct Executor<'a> {
    pub store: &'a Store,
    pub search: &'a SearchPath,
    pub engine: &'a Engine,
    /// Further devices, which make independent steps at the same time.
    pub beside: &'a [Engine],
    /// Bytes that a gradient history may take in memory, with what recording it needs; larger ones go to a file in the
    /// cache.
    pub memory: u64,
    pub observer: &'a dyn Observer,
    /// Set from outside to stop at the next chunk, epoch or block of samples.
    pub cancel: &'a AtomicBool,
    /// Whether the first failure ends the run; else what does not need the failed step is made all the same.
    pub fail_fast: bool,
    /// What computes, as people read it: noted with what steps cost.
    pub device: String,
    datasets: RefCell<HashMap<StepId, Rc<Dataset>>>,
    noises: RefCell<Vec<NoiseFacts>>,
    log: RefCell<Vec<StepReport>>,
    /// Steps that failed, or lack an input that did.
    failures: RefCell<IndexMap<StepId, Failure>>,
    /// Time that went into recordings for spectra alone.
    recording: Cell<Duration>,
}

/// File names within a step's folder.
const OUTCOME: &str = "outcome.yaml";
const VERDICTS: &str = "verdicts.bits";
const SAMPLES: &str = "samples.safetensors";
const SPECTRUM: &str = "spectrum.json";
const WEIGHTS: &str = "weights.safetensors";
const FACTS: &str = "facts.yaml";
const HISTORY: &str = "history.f32";

impl<'a> Executor<'a> {
    /// An executor of one device that has done nothing yet.
    pub fn new(
        store: &'a Store,
        search: &'a SearchPath,
        engine: &'a Engine,
        memory: u64,
        observer: &'a dyn Observer,
        cancel: &'a AtomicBool,
    ) -> Self {
        let (datasets, noises, log, failures, recording) = Default::default();
        Executor {
            store,
            search,
            engine,
            beside: &[],
            memory,
            observer,
            cancel,
            fail_fast: false,
            device: String::new(),
            datasets,
            noises,
            log,
            failures,
            recording,
        }
    }

    /// Runs everything that `plan` asks for. What was finished before an error stays in the cache. A step that fails takes
    /// with it what is made from it; the others are made, and [`Execution::failures`] says what was not.
    ///
    /// # Errors
    /// The run was stopped, nothing can be written, or, with [`Executor::fail_fast`], a step failed.
    pub fn run(&self, plan: &Plan) -> Result<Execution, ExecuteError> {
        let (mut outcomes, mut spectra) = (HashMap::new(), Spectra::new());
        // What came before is no step's.
        device::take_peak_memory();
        if !self.beside.is_empty() {
            self.run_beside(plan)?;
        }
        for step in &plan.steps {
            if self.lacks_input(step) {
                continue;
            }
            let made = self.step(plan, step, &mut outcomes, &mut spectra);
            self.spare([step], made)?;
        }
        let data = self.data_facts(plan)?;
        self.report_unneeded(plan);
        let failures = self.failures.take();
        let mut trainings = Vec::new();
        let trains =
            |step: &&Step| matches!(step.work, Work::Train { .. }) && !failures.contains_key(&step.id);
        for step in plan.steps.iter().filter(trains) {
            let facts = self.yaml(&step.id, FACTS).map_err(|cause| at(step, cause))?;
            trainings.push((step.id.clone(), facts));
        }
        Ok(Execution {
            outcomes,
            spectra,
            steps: self.log.take(),
            data,
            noises: self.noises.take(),
            trainings,
            failures,
        })
    }

    /// Makes one step, with what is best made beside it.
    fn step(
        &self,
        plan: &Plan,
        step: &Step,
        outcomes: &mut HashMap<StepId, Outcome>,
        spectra: &mut Spectra,
    ) -> Result<(), ExecuteError> {
        match &step.work {
            Work::Train { .. } => self.weights(plan, step).map(|_| ()),
            Work::Record { .. } | Work::Read { .. } => self.record_and_test(plan, step, outcomes, spectra),
            Work::Spectrum { on: Some(_), .. } => self.curvature(plan, step, spectra),
            Work::Spectrum { on: None, .. } if !spectra.contains_key(&step.id) => {
                self.spectrum_of_spectrum(step, spectra)
            }
            Work::Test { other: Some(_), .. } => {
                let outcome = self.compare(step)?;
                outcomes.insert(step.id.clone(), outcome);
                Ok(())
            }
            Work::Test { of, .. } if spectra.contains_key(of) => {
                let outcome = self.test_spectrum(step, &spectra[of])?;
                outcomes.insert(step.id.clone(), outcome);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// G of one record step, recorded now unless the cache has it.
    pub fn history(&self, plan: &Plan, id: &StepId) -> Result<GradientHistory, ExecuteError> {
        let step = plan.step(id);
        let _lock = self.lock(step)?;
        let history = self.record(plan, step)?;
        if history.path().is_none() {
            // What an interrupted run left on the disk is all in memory now.
            self.store.discard_partial(id).map_err(|cause| at(step, cause))?;
        }
        Ok(history)
    }

    /// θ of one weights step (initial or trained), with the network it belongs to.
    pub fn theta(&self, plan: &Plan, id: &StepId) -> Result<(Network, Vec<f32>), ExecuteError> {
        self.weights(plan, plan.step(id))
    }

    fn record_and_test(
        &self,
        plan: &Plan,
        record: &Step,
        outcomes: &mut HashMap<StepId, Outcome>,
        spectra: &mut Spectra,
    ) -> Result<(), ExecuteError> {
        let keep = matches!(record.work, Work::Record { keep: true, .. });
        let (mut tests, mut missing) = (Vec::new(), Vec::new());
        for user in plan.users(&record.id) {
            match user.work {
                Work::Test { .. } if self.cached(user)? => {
                    outcomes.insert(user.id.clone(), self.outcome(user)?);
                }
                Work::Test { .. } => tests.push(user),
                Work::Eigenvectors { .. } if !self.cached(user)? => tests.push(user),
                Work::Spectrum { .. } if !self.load_spectrum(user, spectra)? => missing.push(user),
                _ => {}
            }
        }
        if tests.is_empty() && missing.is_empty() && (!keep || self.store.has(&record.id)) {
            self.discard_leftover(record);
            return Ok(());
        }
        let lock = self.lock(record)?;
        if lock.waited() {
            // What the other process made is in the cache now.
            drop(lock);
            return self.record_and_test(plan, record, outcomes, spectra);
        }
        let route = self.route(plan, record, &missing)?;
        if matches!(route, Route::Layers(_) | Route::Windows(_) | Route::Sketch) {
            self.spectra_by_route(plan, record, &route, &missing, spectra)?;
            return self
                .store
                .discard_partial(&record.id)
                .map_err(|cause| at(record, cause));
        }
        let history = match self.made_on_gpu(plan, record, &mut tests, &mut missing, outcomes, spectra)? {
            OnGpu::Nothing => self.record(plan, record)?,
            OnGpu::Recorded(history) => history,
            OnGpu::Everything => return Ok(()),
        };
        let made = (|| {
            let made = self.spectra_of_history(plan, record, &history, &missing, spectra);
            let lacking = missing.iter().filter(|step| !spectra.contains_key(&step.id));
            self.spare(lacking.copied(), made)?;
            for test in tests {
                let made = match test.work {
                    Work::Eigenvectors { .. } => self.eigenvectors(test, &history),
                    _ => self.test(test, &history).map(|outcome| {
                        outcomes.insert(test.id.clone(), outcome);
                    }),
                };
                self.spare([test], made)?;
            }
            Ok(())
        })();
        // Numbers of a file are read again as fast as a copy of them would be.
        let worth = matches!(record.work, Work::Record { .. });
        if worth && made.as_ref().is_err_and(ExecuteError::is_interrupt) {
            self.save_partial(record, &history, history.iterations(), None)
                .map_err(|cause| at(record, cause))?;
        }
        made?;
        drop(history);
        self.store
            .discard_partial(&record.id)
            .map_err(|cause| at(record, cause))
    }

    /// How the spectra `missing` of `record` are to be made.
    fn route(&self, plan: &Plan, record: &Step, missing: &[&Step]) -> Result<Route, ExecuteError> {
        if matches!(record.work, Work::Read { .. }) {
            return Ok(Route::Memory);
        }
        let history = route::needs_history(plan, record, |step| self.store.has(&step.id));
        if history || missing.is_empty() {
            return Ok(Route::Memory);
        }
        let Work::Record { weights, .. } = &record.work else {
            unreachable!("a record step")
        };
        let (network, _) = self.weights(plan, plan.step(weights))?;
        let recording = Recording::of(&network, record, missing.iter().copied());
        let recording = recording.map_err(|cause| at(record, cause))?;
        Ok(recording
            .choose(Means {
                memory: self.memory,
                disk: self.store.free_space(),
                host: matches!(self.engine, Engine::Host),
                history,
            })
            .route)
    }

    /// The network and θ of an initialise or train step.
    fn weights(&self, plan: &Plan, step: &Step) -> Result<(Network, Vec<f32>), ExecuteError> {
        match &step.work {
            Work::Initialise {
                model,
                input,
                weights: file,
                seed,
            } => {
                let start = Instant::now();
                self.observer.begin(step, 1, 0, "model");
                let kind = models::find(&model.name).expect("the checker knows the models");
                let network = kind.build(&model.args, *input).map_err(|cause| at(step, cause))?;
                let theta = match file {
                    None => weights::initial(&network, *seed),
                    Some(file) => {
                        weights::load(&network, file)
                            .map_err(|cause| at(step, cause))?
                            .values
                    }
                };
                // Made in a moment, as often as it is needed: no cost to keep.
                self.observer.end(step, start.elapsed().as_secs_f64());
                Ok((network, theta))
            }
            Work::Train { .. } => self.trained(plan, step),
            _ => unreachable!("weights come from initialise and train steps"),
        }
    }

    fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// Counts the time since `start` as recording.
    fn recorded_since(&self, start: Instant) {
        self.recording.set(self.recording.get() + start.elapsed());
    }
}

/// The error `cause` at `step`.
fn at(step: &Step, cause: impl Into<Cause>) -> ExecuteError {
    ExecuteError {
        cause: Box::new(cause.into()),
        step: step.id.clone(),
        id: step.id.short().to_string(),
        verb: step.key.operation.verb(),
        label: step.label.clone(),
    }
}
