//! Epochs on a GPU: θ, the optimizer's moments and the data stay there from step to step.

use super::clip::Clip;
use super::{EpochReport, Training, TrainingError};
use crate::gradients::failure::{EngineError, attempt};
use crate::gradients::kernels::{DeviceData, KernelNetwork};
use crate::kernels::{Buffer, Clipped, Gpu};
use crate::layers::BatchNormMode;

/// Steps whose losses are read together: to wait for each would leave the GPU idle in between.
const STEPS: usize = 32;

/// A step whose losses are still on the GPU.
struct Pending {
    step: usize,
    lr: f64,
    losses: Buffer,
}

impl Training<'_> {
    /// [`Training::run_epoch`] on a GPU; None where the device is none, or a layer or the optimizer has no kernel.
    /// Stopped or failed, it leaves the weights of the epoch's start.
    pub(super) fn run_epoch_on_gpu(
        &mut self,
        progress: &dyn Fn() -> bool,
    ) -> Option<Result<Option<EpochReport>, TrainingError>> {
        let gpu = self.engine.gpu()?;
        self.optimizer.update(0.0)?;
        let network = KernelNetwork::new(self.network, &self.theta, BatchNormMode::Batch, &gpu)?;
        let mut found = None;
        let done = attempt(|| {
            found = Some(self.epoch_on(&gpu, &network, progress)?);
            Ok(())
        });
        Some(match (done, found) {
            (Err(error), _) => Err(error.into()),
            (Ok(()), found) => found.unwrap_or(Ok(None)),
        })
    }

    fn epoch_on(
        &mut self,
        gpu: &Gpu,
        network: &KernelNetwork,
        progress: &dyn Fn() -> bool,
    ) -> Result<Result<Option<EpochReport>, TrainingError>, EngineError> {
        let n = self.network.parameter_count();
        let steps = self.steps_per_epoch();
        let named: Vec<(&'static str, Buffer)> = (self.optimizer.state().into_iter())
            .filter(|(_, values)| values.len() == n)
            .map(|(name, values)| (name, gpu.upload(values)))
            .collect();
        let moments: Vec<Buffer> = named.iter().map(|(_, moment)| moment.clone()).collect();
        let (mut pending, mut total) = (Vec::with_capacity(STEPS), 0.0);
        for step in 0..steps {
            let lr = self.rates.at(self.epoch, step);
            let (losses, gradient) = self.minibatch_on(gpu, network, self.epoch * steps + step);
            let clipped = clipped(self.clip, gpu, &gradient)?;
            let update = self
                .optimizer
                .update(lr as f32)
                .expect("it has had a kernel before");
            gpu.update(update, network.values(), &gradient, &moments, clipped);
            self.optimizer.updated();
            pending.push(Pending { step, lr, losses });
            if pending.len() == STEPS || step + 1 == steps {
                for Pending { step, lr, losses } in pending.drain(..) {
                    let loss = mean(gpu, &losses)?;
                    if !loss.is_finite() {
                        return Ok(Err(TrainingError::Diverged {
                            epoch: self.epoch + 1,
                            step: step + 1,
                            lr,
                            loss,
                        }));
                    }
                    total += loss;
                }
            }
            if !progress() {
                return Ok(Ok(None));
            }
        }
        gpu.read_into(network.values(), &mut self.theta)?;
        let mut back = Vec::with_capacity(named.len());
        for (name, moment) in &named {
            let mut values = vec![0.0; n];
            gpu.read_into(moment, &mut values)?;
            back.push((*name, values));
        }
        let state = self.optimizer.state().into_iter();
        let kept: Vec<_> = state
            .filter(|(_, values)| values.len() != n)
            .map(|(name, values)| (name, values.to_vec()))
            .collect();
        let all: Vec<_> = back.into_iter().chain(kept).collect();
        let take = |name: &str| Some(all.iter().find(|(own, _)| *own == name)?.1.clone());
        assert!(
            self.optimizer.restore(&take),
            "an optimizer takes back its own state"
        );
        self.epoch += 1;
        let loss = total / steps as f64;
        Ok(Ok(Some(EpochReport {
            loss,
            evaluation: None,
        })))
    }

    /// Losses and gradient of minibatch `t`.
    fn minibatch_on(&mut self, gpu: &Gpu, network: &KernelNetwork, t: usize) -> (Buffer, Buffer) {
        let indices = self.batches.indices(t..t + 1);
        let epoch = t / self.batches.per_epoch();
        let data = self.data;
        if let Some(it) = &mut self.augment {
            it.augment
                .fill(data, &indices, &it.zero, it.seed, epoch, &mut it.minibatch);
            let indices: Vec<u32> = (0..indices.len() as u32).collect();
            let data = DeviceData::new(gpu, &it.minibatch, indices.len());
            return network.train(&data, &indices);
        }
        let all = || DeviceData::new(gpu, data, usize::MAX);
        network.train(self.device_data.get_or_insert_with(all), &indices)
    }
}

fn clipped(clip: Clip, gpu: &Gpu, gradient: &Buffer) -> Result<Clipped, EngineError> {
    let mut clipped = Clipped {
        scale: 1.0,
        bound: f32::INFINITY,
    };
    match clip {
        Clip::None => {}
        Clip::Norm(bound) => clipped.scale = Clip::scale(bound, gpu.square_sum(gradient)?.sqrt()),
        Clip::Value(bound) => clipped.bound = bound as f32,
    }
    Ok(clipped)
}

fn mean(gpu: &Gpu, losses: &Buffer) -> Result<f64, EngineError> {
    let mut values = vec![0.0; losses.len];
    gpu.read_into(losses, &mut values)?;
    Ok(values.iter().map(|loss| f64::from(*loss)).sum::<f64>() / losses.len as f64)
}
