//! The train step: epochs with a checkpoint after each, resumed at the last one.

use std::cell::Cell;
use std::time::Instant;

use super::{Cause, ExecuteError, Executor, FACTS, WEIGHTS, at};
use crate::data::augment::Augment;
use crate::data::{self, Dataset};
use crate::gradients::batches::Order;
use crate::models::{Network, weights};
use crate::optimizers;
use crate::plan::{Plan, Step, StepId, Work};
use crate::results::TrainingFacts;
use crate::seed;
use crate::signature::Value;
use crate::store::{StoreError, replace_sealed};
use crate::training::{self, Evaluation, Training, checkpoint};

const CHECKPOINT: &str = "checkpoint.safetensors";

impl Executor<'_> {
    /// The network and its trained weights: from the cache, or trained now.
    pub(super) fn trained(&self, plan: &Plan, step: &Step) -> Result<(Network, Vec<f32>), ExecuteError> {
        let Work::Train {
            data,
            weights: from,
            optimizer,
            epochs,
            batch,
            decay,
            milestones,
            schedule,
            clip,
            augment,
            seed,
        } = &step.work
        else {
            unreachable!("a train step")
        };
        let (network, theta) = self.weights(plan, plan.step(from))?;
        if self.cached(step)? {
            self.reused(step);
            let path = self.store.directory(&step.id).join(WEIGHTS);
            let theta = weights::read(&network, &path).map_err(|cause| at(step, cause))?;
            return Ok((network, theta));
        }
        let lock = self.lock(step)?;
        if lock.waited() && self.cached(step)? {
            drop(lock);
            return self.trained(plan, step);
        }
        let dataset = self.dataset(plan, data)?;
        let start = Instant::now();
        let kind = optimizers::find(&optimizer.name).expect("the checker knows the optimizers");
        let (lr, batch) = (optimizer.args.number("lr"), *batch as usize);
        let rates = match schedule {
            Some(schedule) => training::rates(schedule, lr, *epochs as usize, dataset.len() / batch.max(1)),
            None => training::step_decay(lr, *epochs as usize, *decay, milestones).into(),
        };
        let optimizer = kind.build(&optimizer.args, network.parameter_count());
        let order = order_seed(*seed);
        let mut training = Training::new(
            &network,
            &dataset,
            self.engine,
            optimizer,
            rates,
            batch,
            Order::Shuffled,
            order,
            theta,
        );
        training.clip = *clip;
        let fits = training.augment(
            Augment::from_calls(augment),
            seed::derive(*seed, "augmentation of training images"),
        );
        assert!(fits, "the checker lets no augmentation meet such a normalisation");
        let partial = self.store.partial(&step.id);
        std::fs::create_dir_all(&partial)
            .map_err(StoreError::write(&partial))
            .map_err(|cause| at(step, cause))?;
        let left = self.left(step, &partial.join(CHECKPOINT));
        let left = left.and_then(|bytes| checkpoint::restore(&mut training, &bytes));
        let mut reports = left.unwrap_or_default();
        let steps = training.steps_per_epoch() as u64;
        self.observer
            .begin(step, *epochs * steps, training.epoch as u64 * steps, "steps");
        let test = self.test_split(plan, data);
        let evaluate = |theta: &[f32]| {
            let score = |data: &Dataset| training::score(self.engine, &network, theta, data);
            let test = test.as_ref().map(score);
            Evaluation {
                train_accuracy: score(&dataset).accuracy(),
                test_accuracy: test.map(|it| it.accuracy()),
                test_loss: test.map(|it| it.mean_loss()).filter(|loss| loss.is_finite()),
            }
        };
        let waiting = Cell::new(0);
        while !training.is_done() {
            // A step takes a millisecond: telling of each would cost more than it is worth.
            let progress = || {
                waiting.set(waiting.get() + 1);
                if waiting.get() == 16 {
                    self.observer.advance(waiting.replace(0));
                }
                !self.cancelled()
            };
            let report = training.run_epoch(&progress).map_err(|cause| at(step, cause))?;
            let mut report = report.ok_or_else(|| at(step, Cause::Interrupted))?;
            if training.epoch == 1 {
                report.evaluation = Some(evaluate(&training.theta));
            }
            reports.push(report);
            self.observer.note(&format!(
                "epoch {} of {epochs}, loss {:.4}",
                training.epoch, report.loss
            ));
            let bytes =
                checkpoint::save(&training, &reports).expect("θ and the optimizer's state are float32");
            replace_sealed(&partial.join(CHECKPOINT), bytes).map_err(|cause| at(step, cause))?;
        }
        let theta = training.theta;
        let last = evaluate(&theta);
        let facts = TrainingFacts {
            epochs: reports.len(),
            losses: reports.iter().map(|report| report.loss).collect(),
            train_accuracy: last.train_accuracy,
            test_accuracy: last.test_accuracy,
            test_loss: last.test_loss,
            first: reports.first().and_then(|report| report.evaluation),
            classes: Some(dataset.classes),
        };
        self.observer.note(&format!(
            "training accuracy {:.2} %",
            100.0 * facts.train_accuracy
        ));
        let weights = weights::to_safetensors(&network, &theta).expect("θ fits the network's shapes");
        let facts = serde_yaml::to_string(&facts)
            .expect("facts are numbers")
            .into_bytes();
        self.store
            .put(step, &[(WEIGHTS, &weights), (FACTS, &facts)])
            .map_err(|cause| at(step, cause))?;
        self.store
            .discard_partial(&step.id)
            .map_err(|cause| at(step, cause))?;
        self.finished(step, start);
        Ok((network, theta))
    }

    /// The test split of the data set, if it has one here.
    fn test_split(&self, plan: &Plan, data: &StepId) -> Option<Dataset> {
        let call = match &plan.step(data).work {
            Work::Load { data: call } => call,
            // Noise is on the labels trained with; accuracy on the test split is against its own labels.
            Work::Corrupt { data, .. } => return self.test_split(plan, data),
            _ => return None,
        };
        let mut args = call.args.clone();
        args.0
            .insert("split".to_string(), Value::Text("test".to_string()));
        args.0.shift_remove("subset");
        data::dataset(&call.name)?.load(&args, self.search).ok()
    }
}

/// The seed of the order of a training's minibatches, from the study's.
pub(super) fn order_seed(seed: u64) -> u64 {
    seed::derive(seed, "order of training minibatches")
}
