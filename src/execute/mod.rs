//! Runs a plan: only what the results need and the cache lacks, each result stored as soon as it is there.

mod beside;
mod checkpoint;
mod curvature;
mod error;
mod facts;
mod inputs;
mod measure;
pub mod observer;
mod on_gpu;
mod own;
mod record;
mod sketch;
mod solve;
mod spectrum;
mod sums;
mod test;
mod train;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub use error::{Cause, ExecuteError};
pub use facts::{DataFacts, Execution, NoiseFacts, StepReport, TrainingFacts};
pub use inputs::{Labels, Minibatches};
pub use observer::Observer;
pub use spectrum::Spectra;

use on_gpu::OnGpu;

use crate::data::{self, Dataset, SearchPath, label_noise};
use crate::device;
use crate::gradients::engine::Engine;
use crate::gradients::history::GradientHistory;
use crate::models::{self, Network, weights};
use crate::plan::route::{self, Means, Recording, Route};
use crate::plan::{Plan, Step, StepId, Work};
use crate::stats::outcome::Outcome;
use crate::store::{Store, StoreError};

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
    datasets: RefCell<HashMap<StepId, Rc<Dataset>>>,
    noises: RefCell<Vec<NoiseFacts>>,
    log: RefCell<Vec<StepReport>>,
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
        let (datasets, noises, log, recording) = Default::default();
        Executor {
            store,
            search,
            engine,
            beside: &[],
            memory,
            observer,
            cancel,
            datasets,
            noises,
            log,
            recording,
        }
    }

    /// Runs everything that `plan` asks for. What was finished before an error stays in the cache.
    pub fn run(&self, plan: &Plan) -> Result<Execution, ExecuteError> {
        let (mut outcomes, mut spectra) = (HashMap::new(), Spectra::new());
        // What came before is no step's.
        device::take_peak_memory();
        if !self.beside.is_empty() {
            self.run_beside(plan)?;
        }
        for step in &plan.steps {
            match &step.work {
                Work::Train { .. } => self.weights(plan, step).map(|_| ())?,
                Work::Record { .. } | Work::Read { .. } => {
                    self.record_and_test(plan, step, &mut outcomes, &mut spectra)?
                }
                Work::Spectrum { on: Some(_), .. } => self.curvature(plan, step, &mut spectra)?,
                Work::Spectrum { on: None, .. } if !spectra.contains_key(&step.id) => {
                    self.spectrum_of_spectrum(step, &mut spectra)?
                }
                Work::Test { other: Some(_), .. } => {
                    let outcome = self.compare(step)?;
                    outcomes.insert(step.id.clone(), outcome);
                }
                Work::Test { of, .. } if spectra.contains_key(of) => {
                    let outcome = self.test_spectrum(step, &spectra[of])?;
                    outcomes.insert(step.id.clone(), outcome);
                }
                _ => {}
            }
        }
        let mut trainings = Vec::new();
        let trains = || {
            let steps = plan.steps.iter();
            steps.filter(|step| matches!(step.work, Work::Train { .. }))
        };
        for step in trains() {
            let facts = self.yaml(&step.id, FACTS).map_err(|cause| at(step, cause))?;
            // Trainings that differ in a setting which their labels do not show.
            let alike = trains().filter(|other| other.label == step.label).count();
            let label = match alike {
                1 => step.label.clone(),
                _ => format!("{} (step {})", step.label, step.id.short()),
            };
            trainings.push((label, facts));
        }
        let mut facts = Vec::new();
        let of_data = |step: &&Step| matches!(step.work, Work::Load { .. } | Work::Corrupt { .. });
        for step in plan.steps.iter().filter(of_data) {
            // A run that found every result in the cache still says which data they are of.
            let data = self.dataset(plan, &step.id)?;
            if matches!(step.work, Work::Corrupt { .. }) {
                continue;
            }
            facts.push(DataFacts {
                name: data.name.clone(),
                examples: data.len(),
                shape: data.shape,
                digest: data.digest.clone(),
                normalisation: data.note.clone(),
            });
        }
        Ok(Execution {
            outcomes,
            spectra,
            steps: self.log.take(),
            data: facts,
            noises: self.noises.take(),
            trainings,
        })
    }

    /// G of one record step, recorded now unless the cache has it.
    pub fn history(&self, plan: &Plan, id: &StepId) -> Result<GradientHistory, ExecuteError> {
        let step = plan.step(id);
        let _lock = self.store.lock(id).map_err(|cause| at(step, cause))?;
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
                Work::Test { .. } if self.store.has(&user.id) => {
                    outcomes.insert(user.id.clone(), self.outcome(user)?);
                }
                Work::Test { .. } | Work::Eigenvectors { .. } if !self.store.has(&user.id) => {
                    tests.push(user)
                }
                Work::Spectrum { .. } if !self.load_spectrum(user, spectra)? => missing.push(user),
                _ => {}
            }
        }
        if tests.is_empty() && missing.is_empty() && (!keep || self.store.has(&record.id)) {
            return Ok(());
        }
        let _lock = self.store.lock(&record.id).map_err(|cause| at(record, cause))?;
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
        let made = self
            .spectra_of_history(plan, record, &history, &missing, spectra)
            .and_then(|()| {
                for test in tests {
                    if matches!(test.work, Work::Eigenvectors { .. }) {
                        self.eigenvectors(test, &history)?;
                        continue;
                    }
                    outcomes.insert(test.id.clone(), self.test(test, &history)?);
                }
                Ok(())
            });
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

    fn dataset(&self, plan: &Plan, id: &StepId) -> Result<Rc<Dataset>, ExecuteError> {
        if let Some(data) = self.datasets.borrow().get(id) {
            return Ok(data.clone());
        }
        let step = plan.step(id);
        let start = Instant::now();
        self.observer.begin(step, 1, 0, "data set");
        let data = match &step.work {
            Work::Load { data: call } => {
                let kind = data::dataset(&call.name).expect("the checker knows the data sets");
                let data = kind.load(&call.args, self.search);
                data.map_err(|cause| at(step, cause))?
            }
            Work::Corrupt {
                data, labels, seed, ..
            } => {
                let clean = self.dataset(plan, data)?;
                let noisy = label_noise::corrupt(&clean.labels, clean.classes, labels, *seed);
                self.noises.borrow_mut().push(NoiseFacts {
                    data: step.label.clone(),
                    realised_rate: label_noise::realised_rate(&clean.labels, &noisy),
                });
                Dataset {
                    digest: format!("{} with labels of {}", clean.digest, step.id.short()),
                    labels: noisy,
                    ..(*clean).clone()
                }
            }
            _ => unreachable!("data come from load and corrupt steps"),
        };
        let data = Rc::new(data);
        // Another device may have told of it.
        if self.log.borrow().iter().all(|report| report.id != step.id) {
            self.finished(step, start);
        }
        self.datasets.borrow_mut().insert(id.clone(), data.clone());
        Ok(data)
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
                Ok((network, theta))
            }
            Work::Train { .. } => self.trained(plan, step),
            _ => unreachable!("weights come from initialise and train steps"),
        }
    }

    fn yaml<T: serde::de::DeserializeOwned>(&self, id: &StepId, name: &str) -> Result<T, StoreError> {
        let bytes = self.store.read(id, name)?;
        serde_yaml::from_slice(&bytes).map_err(|error| {
            let path = self.store.directory(id).join(name);
            StoreError::Damaged {
                path,
                reason: error.to_string(),
            }
        })
    }

    fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// Counts the time since `start` as recording.
    fn recorded_since(&self, start: Instant) {
        self.recording.set(self.recording.get() + start.elapsed());
    }

    fn finished(&self, step: &Step, start: Instant) {
        let seconds = start.elapsed().as_secs_f64();
        self.observer.end(step, seconds);
        self.report(step, seconds, false);
    }

    /// Notes that the cache had a step's result, unless this run made or noted it before.
    fn reused(&self, step: &Step) {
        if self.log.borrow().iter().all(|report| report.id != step.id) {
            self.observer.reused(step);
            self.report(step, 0.0, true);
        }
    }

    fn report(&self, step: &Step, seconds: f64, reused: bool) {
        let (id, operation, label) = (step.id.clone(), step.key.operation.verb(), step.label.clone());
        self.log.borrow_mut().push(StepReport {
            id,
            operation,
            label,
            seconds,
            reused,
            peak_memory: device::take_peak_memory().filter(|_| !reused),
        });
    }
}

/// The error `cause` at `step`.
fn at(step: &Step, cause: impl Into<Cause>) -> ExecuteError {
    ExecuteError {
        cause: Box::new(cause.into()),
        id: step.id.short().to_string(),
        verb: step.key.operation.verb(),
        label: step.label.clone(),
    }
}
