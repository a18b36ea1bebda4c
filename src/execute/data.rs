//! The data of a run: each set read once, and what is known of it.

use std::rc::Rc;
use std::time::Instant;

use super::{DataFacts, ExecuteError, Executor, NoiseFacts, at};
use crate::data::{self, Dataset, label_noise};
use crate::plan::{Plan, StepId, Work};

impl Executor<'_> {
    /// What is known of the data sets; a run that found every result in the cache still says which data they are of.
    pub(super) fn data_facts(&self, plan: &Plan) -> Result<Vec<DataFacts>, ExecuteError> {
        let mut facts = Vec::new();
        for step in &plan.steps {
            if !matches!(step.work, Work::Load { .. } | Work::Corrupt { .. }) || self.lacks_input(step) {
                continue;
            }
            let data = match self.dataset(plan, &step.id) {
                Ok(data) => data,
                Err(error) => {
                    self.spare([step], Err(error))?;
                    continue;
                }
            };
            if matches!(step.work, Work::Load { .. }) {
                facts.push(DataFacts {
                    name: data.name.clone(),
                    examples: data.len(),
                    shape: data.shape,
                    digest: data.digest.clone(),
                    normalisation: data.note.clone(),
                });
            }
        }
        Ok(facts)
    }

    /// The data of a load or corrupt step.
    pub(super) fn dataset(&self, plan: &Plan, id: &StepId) -> Result<Rc<Dataset>, ExecuteError> {
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
}
