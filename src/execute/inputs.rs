//! What trainings and recordings are made from: labels, and which examples each minibatch is of.

use super::record::batches_of;
use super::train::order_seed;
use super::{ExecuteError, Executor};
use crate::data::label_noise;
use crate::gradients::batches::{Batches, Order};
use crate::plan::{Plan, StepId, Work};

/// The labels of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// The data set, for people.
    pub dataset: String,
    /// The noise on them, such as `40 % symmetric`, or `clean`.
    pub noise: String,
    /// The study seed that the noise was drawn from; none for clean labels.
    pub seed: Option<u64>,
    /// Labels of one example: 1, or as many as a sequence has positions.
    pub positions: usize,
    /// Class numbers as a network learns them, example by example.
    pub labels: Vec<u32>,
    /// Those before the noise.
    pub clean: Vec<u32>,
}

/// Which examples the minibatches of a training or a recording are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minibatches {
    /// Of a recording \[T, B\], of a training \[epochs, minibatches of an epoch, B\].
    pub shape: Vec<usize>,
    /// Numbers of examples from 0, in C's order.
    pub indices: Vec<u32>,
}

impl Executor<'_> {
    /// The labels of a load or corrupt step.
    pub fn labels(&self, plan: &Plan, id: &StepId) -> Result<Labels, ExecuteError> {
        let data = self.dataset(plan, id)?;
        let (clean, noise, seed) = match &plan.step(id).work {
            Work::Corrupt {
                data, labels, seed, ..
            } => (
                self.dataset(plan, data)?,
                label_noise::describe(labels),
                Some(*seed),
            ),
            _ => (data.clone(), "clean".to_string(), None),
        };
        Ok(Labels {
            dataset: data.name.clone(),
            noise,
            seed,
            positions: data.positions(),
            labels: data.labels.clone(),
            clean: clean.labels.clone(),
        })
    }

    /// The minibatches of a record or train step, drawn as that draws them.
    pub fn minibatches(&self, plan: &Plan, id: &StepId) -> Result<Minibatches, ExecuteError> {
        let (mut batches, shape): (Batches, Vec<usize>) = match &plan.step(id).work {
            Work::Record {
                data,
                batch,
                iterations,
                order,
                seed,
                ..
            } => {
                let examples = self.dataset(plan, data)?.len();
                let batches = batches_of(*order, examples, *batch as usize, *seed);
                (batches, vec![*iterations as usize, *batch as usize])
            }
            Work::Train {
                data,
                epochs,
                batch,
                seed,
                ..
            } => {
                let examples = self.dataset(plan, data)?.len();
                let batches = Batches::new(Order::Shuffled, examples, *batch as usize, order_seed(*seed));
                let per_epoch = batches.per_epoch();
                (batches, vec![*epochs as usize, per_epoch, *batch as usize])
            }
            _ => unreachable!("minibatches are of records and trainings"),
        };
        let minibatches = shape[..shape.len() - 1].iter().product();
        let indices = batches.indices(0..minibatches);
        Ok(Minibatches { shape, indices })
    }
}
