//! Learning rates over a training: one for each epoch, or one for each step.

use std::f64::consts::PI;

use gradstudy_lang::study::{Decay, Each, Milestone, Schedule, ScheduleShape};

/// The learning rate of every epoch or every step.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates {
    values: Vec<f64>,
    /// How many of the values belong to an epoch.
    per_epoch: usize,
}

impl From<Vec<f64>> for Rates {
    /// One for each epoch.
    fn from(values: Vec<f64>) -> Self {
        Rates { values, per_epoch: 1 }
    }
}

impl Rates {
    /// Epochs of the training.
    pub fn epochs(&self) -> usize {
        self.values.len() / self.per_epoch
    }

    /// The rate of step `step` of epoch `epoch`, both from 0.
    pub fn at(&self, epoch: usize, step: usize) -> f64 {
        match self.per_epoch {
            1 => self.values[epoch],
            steps => self.values[epoch * steps + step],
        }
    }
}

/// Learning rate of each epoch: `lr`, multiplied by `factor` at each of the `milestones` (epochs done).
pub fn step_decay(lr: f64, epochs: usize, factor: f64, milestones: &[usize]) -> Vec<f64> {
    (0..epochs)
        .map(|epoch| {
            lr * factor.powi(milestones.iter().filter(|milestone| **milestone <= epoch).count() as i32)
        })
        .collect()
}

/// The rates of `schedule`. A unit u = 0, 1, …, U − 1 is a step or an epoch and the warm-up takes the first W:
///
/// - u < W: lr · (from + (1 − from) u/W), `torch.optim.lr_scheduler.LinearLR`;
/// - then with p = (u − W)/(U − W): lr · (to + (1 − to)(1 + cos πp)/2), `CosineAnnealingLR`, or
///   lr · (1 − (1 − to) p), `LinearLR` again; `steps` drops at its epochs, `MultiStepLR`.
///
/// A warm-up given as a part of the training is rounded up to whole steps or down to whole epochs.
pub fn rates(schedule: &Schedule, lr: f64, epochs: usize, steps_per_epoch: usize) -> Rates {
    let per_epoch = match schedule.each {
        Each::Step => steps_per_epoch.max(1),
        Each::Epoch => 1,
    };
    let units = epochs * per_epoch;
    let warm = schedule
        .warmup
        .map_or(0, |warmup| match (warmup.lasts, schedule.each) {
            (Milestone::Epoch(epoch), _) => epoch as usize * per_epoch,
            (Milestone::Fraction(part), Each::Step) => (part * units as f64 - 1e-9).ceil() as usize,
            (fraction, Each::Epoch) => fraction.epoch(epochs as u64) as usize,
        });
    let from = schedule.warmup.map_or(1.0, |warmup| warmup.from);
    let rate = |unit: usize| {
        if unit < warm {
            return lr * (from + (1.0 - from) * unit as f64 / warm as f64);
        }
        let part = (unit - warm) as f64 / (units - warm) as f64;
        match &schedule.shape {
            ScheduleShape::Constant => lr,
            ScheduleShape::Linear { to } => lr * (1.0 - (1.0 - to) * part),
            ScheduleShape::Cosine { to } => lr * (to + (1.0 - to) * (1.0 + (PI * part).cos()) / 2.0),
            ScheduleShape::Steps { decay } => {
                lr * decay.factor.powi(drops(decay, unit / per_epoch, epochs) as i32)
            }
        }
    };
    Rates {
        values: (0..units).map(rate).collect(),
        per_epoch,
    }
}

/// How often the rate has dropped when `epoch` begins.
fn drops(decay: &Decay, epoch: usize, epochs: usize) -> usize {
    let passed = |milestone: &&Milestone| milestone.epoch(epochs as u64) <= epoch as u64;
    decay.at.iter().filter(passed).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradstudy_lang::study::Warmup;

    #[test]
    fn the_rate_drops_at_each_milestone() {
        assert_eq!(step_decay(1.0, 5, 0.5, &[2, 4]), [1.0, 1.0, 0.5, 0.5, 0.25]);
    }

    #[test]
    fn a_part_is_rounded_up_to_steps_and_down_to_epochs() {
        let schedule = |each| Schedule {
            shape: ScheduleShape::Constant,
            warmup: Some(Warmup {
                lasts: Milestone::Fraction(0.3),
                from: 0.0,
            }),
            each,
        };
        // 30 % of 5 epochs of 3 steps: 4.5 of 15 steps, 1.5 of 5 epochs.
        let steps = rates(&schedule(Each::Step), 1.0, 5, 3);
        assert_eq!((steps.at(1, 1), steps.at(1, 2)), (0.8, 1.0));
        assert_eq!(steps.epochs(), 5);
        let by_epoch = rates(&schedule(Each::Epoch), 1.0, 5, 3);
        assert_eq!((by_epoch.at(0, 2), by_epoch.at(1, 0)), (0.0, 1.0));
    }
}
