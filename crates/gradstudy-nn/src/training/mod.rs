//! Pretraining: epochs of minibatch steps from given weights, with checkpoints after each epoch.

pub mod checkpoint;
mod clip;
mod evaluate;
#[cfg(feature = "kernels")]
mod kernels;
mod rates;

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::gradients::batches::{Batches, Order};
use crate::gradients::engine::Engine;
use crate::gradients::failure::EngineError;
use crate::models::Network;
use crate::optimizers::Optimizer;
use gradstudy_data::Dataset;
use gradstudy_data::augment::Augment;

pub use clip::Clip;
pub use evaluate::score;
pub use rates::{Rates, rates, step_decay};

/// Where a training stands.
pub struct Training<'a> {
    pub network: &'a Network,
    pub data: &'a Dataset,
    pub engine: &'a Engine,
    pub optimizer: Box<dyn Optimizer>,
    /// The learning rates; they say how many epochs there are.
    pub rates: Rates,
    /// What is done to each gradient before the optimizer takes it; nothing unless it is set.
    pub clip: Clip,
    augment: Option<Augmented>,
    batches: Batches,
    /// θ, and behind it the running statistics of the network's batch normalisations.
    pub theta: Vec<f32>,
    /// Epochs done.
    pub epoch: usize,
    gradient: Vec<f32>,
    /// Mean and variances of the last minibatch, in the order of the running statistics.
    statistics: Vec<f32>,
    /// The data, where a GPU makes the steps.
    #[cfg(feature = "kernels")]
    device_data: Option<crate::gradients::kernels::DeviceData<'a>>,
}

/// Images that are drawn anew for each epoch.
struct Augmented {
    augment: Augment,
    /// What stands beside an image, in each channel.
    zero: Vec<f32>,
    seed: u64,
    /// The images of one minibatch.
    minibatch: Dataset,
}

/// What one epoch did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// Mean loss over the epoch's samples, each at the weights of its step.
    pub loss: f64,
    /// How well the weights after the epoch predict, where that was asked for.
    pub evaluation: Option<Evaluation>,
}

/// How well a network predicts at one point of its training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Fraction of the training labels predicted right, the noise on them included.
    pub train_accuracy: f64,
    /// Fraction of the test split's own labels predicted right, if the data set has such a split.
    pub test_accuracy: Option<f64>,
    /// Mean cross-entropy on the test split.
    pub test_loss: Option<f64>,
}

impl<'a> Training<'a> {
    /// A training of as many epochs as `rates` (a number for each epoch, or [`rates`]) over shuffled minibatches (the
    /// last partial one dropped).
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        network: &'a Network,
        data: &'a Dataset,
        engine: &'a Engine,
        optimizer: Box<dyn Optimizer>,
        rates: impl Into<Rates>,
        batch: usize,
        order: Order,
        seed: u64,
        theta: Vec<f32>,
    ) -> Self {
        let batches = Batches::new(order, data.len(), batch, seed);
        let gradient = vec![0.0; network.parameter_count()];
        let statistics = vec![0.0; network.buffer_count()];
        Training {
            network,
            data,
            engine,
            optimizer,
            rates: rates.into(),
            clip: Clip::None,
            augment: None,
            batches,
            theta,
            epoch: 0,
            gradient,
            statistics,
            #[cfg(feature = "kernels")]
            device_data: None,
        }
    }

    /// Changes the images as `augment` says, drawn from `seed`. False, and nothing is changed, if the normalisation
    /// differs from pixel to pixel: there is no one value that stands beside an image.
    pub fn augment(&mut self, augment: Augment, seed: u64) -> bool {
        let Some(zero) = self.data.note.zero(self.data.shape[0]) else {
            return augment.is_identity();
        };
        let minibatch = Dataset {
            images: Vec::new(),
            labels: Vec::new(),
            name: self.data.name.clone(),
            digest: self.data.digest.clone(),
            note: self.data.note.clone(),
            ..*self.data
        };
        self.augment = (!augment.is_identity()).then_some(Augmented {
            augment,
            zero,
            seed,
            minibatch,
        });
        true
    }

    /// Minibatches in an epoch.
    pub fn steps_per_epoch(&self) -> usize {
        self.batches.per_epoch()
    }

    /// Whether all epochs are done.
    pub fn is_done(&self) -> bool {
        self.epoch == self.rates.epochs()
    }

    /// One step on minibatch `t` (counted from the first epoch) at learning rate `lr`; returns the minibatch's loss.
    pub fn step(&mut self, t: usize, lr: f64) -> Result<f64, TrainingError> {
        let mut indices = self.batches.indices(t..t + 1);
        let epoch = t / self.batches.per_epoch();
        let Training {
            engine,
            network,
            mut data,
            ..
        } = *self;
        if let Some(it) = &mut self.augment {
            it.augment
                .fill(data, &indices, &it.zero, it.seed, epoch, &mut it.minibatch);
            data = &it.minibatch;
            indices = (0..indices.len() as u32).collect();
        }
        let statistics = &mut self.statistics;
        let loss = engine.gradient(
            network,
            &self.theta,
            data,
            &indices,
            &mut self.gradient,
            statistics,
        )?;
        if !loss.is_finite() {
            let (epoch, step) = (epoch + 1, t % self.batches.per_epoch() + 1);
            return Err(TrainingError::Diverged {
                epoch,
                step,
                lr,
                loss,
            });
        }
        let n = network.parameter_count();
        self.clip.apply(&mut self.gradient);
        self.optimizer
            .step(&mut self.theta[..n], &mut self.gradient, lr as f32);
        network.update_running(&mut self.theta, &self.statistics);
        Ok(loss)
    }

    /// One epoch; `progress` is told of each step and returns false to stop. None if it was stopped: the weights
    /// then lie within the epoch, and only a checkpoint brings a whole number of epochs back.
    pub fn run_epoch(&mut self, progress: &dyn Fn() -> bool) -> Result<Option<EpochReport>, TrainingError> {
        #[cfg(feature = "kernels")]
        if let Some(report) = self.run_epoch_on_gpu(progress) {
            return report;
        }
        let steps = self.steps_per_epoch();
        let mut total = 0.0;
        for step in 0..steps {
            let lr = self.rates.at(self.epoch, step);
            total += self.step(self.epoch * steps + step, lr)?;
            if !progress() {
                return Ok(None);
            }
        }
        self.epoch += 1;
        Ok(Some(EpochReport {
            loss: total / steps as f64,
            evaluation: None,
        }))
    }
}

/// Why a training stops.
#[derive(Debug, Error, Diagnostic)]
pub enum TrainingError {
    #[error("the training diverged: loss {loss} in epoch {epoch}, step {step}, at learning rate {lr}")]
    #[diagnostic(
        code(gradstudy::training::diverged),
        help(
            "lower `lr`, or check that the data are normalised; checkpoints of the earlier epochs are kept"
        )
    )]
    Diverged {
        epoch: usize,
        step: usize,
        lr: f64,
        loss: f64,
    },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Engine(#[from] EngineError),
}
