//! Runs a plan: only what the results need and the cache lacks, each result stored as soon as it is there.

mod error;
pub mod observer;
mod record;
mod train;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};

pub use error::{Cause, ExecuteError};
pub use observer::Observer;

use crate::data::{self, Dataset, NormalizationNote, SearchPath, label_noise};
use crate::gradients::engine::Engine;
use crate::gradients::history::GradientHistory;
use crate::models::{self, Network, weights};
use crate::plan::test_kind;
use crate::plan::{Plan, Step, StepId, Work};
use crate::seed;
use crate::stats::monitor::Monitor;
use crate::stats::outcome::Outcome;
use crate::store::{Store, StoreError};

/// What a run needs besides the plan.
pub struct Executor<'a> {
    pub store: &'a Store,
    pub search: &'a SearchPath,
    pub engine: &'a Engine,
    /// Bytes that a gradient history may take in memory; larger ones go to a file in the cache.
    pub memory: u64,
    pub observer: &'a dyn Observer,
    /// Set from outside to stop at the next chunk, epoch or block of samples.
    pub cancel: &'a AtomicBool,
    datasets: RefCell<HashMap<StepId, Rc<Dataset>>>,
    noises: RefCell<Vec<NoiseFacts>>,
    log: RefCell<Vec<StepReport>>,
}

/// How long a step took.
#[derive(Debug, Clone, Serialize)]
pub struct StepReport {
    pub id: StepId,
    pub operation: &'static str,
    pub label: String,
    pub seconds: f64,
    /// Whether its result was in the cache.
    pub reused: bool,
}

/// What is known of a data set that was used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DataFacts {
    pub name: String,
    pub examples: usize,
    pub shape: [usize; 3],
    /// BLAKE3 of pixels and labels.
    pub digest: String,
    pub normalisation: NormalizationNote,
}

/// What label noise did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NoiseFacts {
    /// The data set, its noise and the seed.
    pub data: String,
    /// The share of labels that differ from the data set's own.
    pub realised_rate: f64,
}

/// What is known of trained weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingFacts {
    pub epochs: usize,
    /// Mean loss of each epoch.
    pub losses: Vec<f64>,
    /// Fraction of training samples classified right at the final weights.
    pub train_accuracy: f64,
    /// The same on the test split, if the data set has one.
    pub test_accuracy: Option<f64>,
}

/// What a run produced.
#[derive(Debug)]
pub struct Execution {
    pub outcomes: HashMap<StepId, Outcome>,
    pub steps: Vec<StepReport>,
    pub data: Vec<DataFacts>,
    pub noises: Vec<NoiseFacts>,
    pub trainings: Vec<(String, TrainingFacts)>,
}

/// File names within a step's folder.
const OUTCOME: &str = "outcome.yaml";
const WEIGHTS: &str = "weights.safetensors";
const FACTS: &str = "facts.yaml";
const HISTORY: &str = "history.f32";

impl<'a> Executor<'a> {
    /// An executor that has done nothing yet.
    pub fn new(
        store: &'a Store,
        search: &'a SearchPath,
        engine: &'a Engine,
        memory: u64,
        observer: &'a dyn Observer,
        cancel: &'a AtomicBool,
    ) -> Self {
        let (datasets, noises, log) = Default::default();
        Executor {
            store,
            search,
            engine,
            memory,
            observer,
            cancel,
            datasets,
            noises,
            log,
        }
    }

    /// Runs everything that `plan` asks for. What was finished before an error stays in the cache.
    pub fn run(&self, plan: &Plan) -> Result<Execution, ExecuteError> {
        let mut outcomes = HashMap::new();
        for step in &plan.steps {
            match &step.work {
                Work::Train { .. } => self.weights(plan, step).map(|_| ())?,
                Work::Record { .. } => self.record_and_test(plan, step, &mut outcomes)?,
                _ => {}
            }
        }
        let mut trainings = Vec::new();
        for step in plan
            .steps
            .iter()
            .filter(|step| matches!(step.work, Work::Train { .. }))
        {
            let facts = self.yaml(&step.id, FACTS).map_err(|cause| at(step, cause))?;
            trainings.push((step.label.clone(), facts));
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
                examples: data.labels.len(),
                shape: data.shape,
                digest: data.digest.clone(),
                normalisation: data.note.clone(),
            });
        }
        Ok(Execution {
            outcomes,
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
    ) -> Result<(), ExecuteError> {
        let keep = matches!(record.work, Work::Record { keep: true, .. });
        let mut missing = Vec::new();
        for test in plan
            .users(&record.id)
            .filter(|step| matches!(step.work, Work::Test { .. }))
        {
            if self.store.has(&test.id) {
                self.reused(test);
                outcomes.insert(
                    test.id.clone(),
                    self.yaml(&test.id, OUTCOME).map_err(|cause| at(test, cause))?,
                );
            } else {
                missing.push(test);
            }
        }
        if missing.is_empty() && (!keep || self.store.has(&record.id)) {
            return Ok(());
        }
        let _lock = self.store.lock(&record.id).map_err(|cause| at(record, cause))?;
        let history = self.record(plan, record)?;
        for test in missing {
            let outcome = self.test(test, &history);
            if outcome.as_ref().is_err_and(ExecuteError::is_interrupt) {
                self.save_partial(record, &history, history.iterations())
                    .map_err(|cause| at(record, cause))?;
            }
            outcomes.insert(test.id.clone(), outcome?);
        }
        drop(history);
        self.store
            .discard_partial(&record.id)
            .map_err(|cause| at(record, cause))
    }

    fn test(&self, step: &Step, history: &GradientHistory) -> Result<Outcome, ExecuteError> {
        let Work::Test {
            test,
            direction,
            seed,
            ..
        } = &step.work
        else {
            unreachable!("a test step")
        };
        let kind = test_kind(&test.name);
        let samples = match direction {
            crate::stats::outcome::Direction::Dimension => history.iterations(),
            crate::stats::outcome::Direction::Iteration => history.parameters(),
            crate::stats::outcome::Direction::Spectrum => 1,
        };
        let start = Instant::now();
        self.observer.begin(step, samples as u64, 0, "samples");
        let progress = |samples| self.observer.advance(samples);
        let monitor = Monitor {
            progress: &progress,
            cancel: self.cancel,
        };
        let seed = seed::derive(*seed, &format!("test {}", test.name));
        let outcome = kind
            .run(history.view(), *direction, &test.args, seed, &monitor)
            .ok_or_else(|| at(step, Cause::Interrupted))?;
        let bytes = serde_yaml::to_string(&outcome)
            .expect("an outcome is made of numbers")
            .into_bytes();
        self.store
            .put(step, &[(OUTCOME, &bytes)])
            .map_err(|cause| at(step, cause))?;
        self.finished(step, start);
        Ok(outcome)
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
                    labels: noisy,
                    ..(*clean).clone()
                }
            }
            _ => unreachable!("data come from load and corrupt steps"),
        };
        let data = Rc::new(data);
        self.finished(step, start);
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
                    Some(path) => weights::read(&network, path.as_ref()).map_err(|cause| at(step, cause))?,
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
