//! Optimizers that a study can name: one file each, listed in [`OPTIMIZERS`].
//!
//! An optimizer is two things: a rule that turns each gradient into a direction, with moments that evolve from step
//! to step, and what a step does with that direction. Training takes both; a recording `through` an optimizer takes
//! the rule alone, at parameters that stand still.

mod adam;
mod adamw;
mod sgd;

use rayon::prelude::*;

#[cfg(feature = "kernels")]
use crate::kernels::Update;
use gradstudy_base::signature::{Args, Signature};

/// An optimizer that studies can name.
pub trait OptimizerKind: Sync {
    /// Name and settings; every optimizer has `lr`, the learning rate before any schedule.
    fn signature(&self) -> &'static Signature;

    /// An optimizer of `parameters` numbers with all its moments at their start. `args` are those of
    /// [`OptimizerKind::signature`] or, for its direction alone, of the entry of the same name in [`DIRECTIONS`].
    fn build(&self, args: &Args, parameters: usize) -> Box<dyn Optimizer>;
}

/// An optimizer at work.
pub trait Optimizer: Send {
    /// Turns a gradient into the direction u of the step θ ← θ − ηu, and moves the moments on. Without the learning
    /// rate η and without weight decay.
    fn direction(&mut self, gradient: &mut [f32]);

    /// Moves `theta` by one step at learning rate `lr`, weight decay included; `gradient` is used up.
    fn step(&mut self, theta: &mut [f32], gradient: &mut [f32], lr: f32);

    /// The next [`Optimizer::step`] as a kernel does it with the vectors of [`Optimizer::state`] that are as long as θ;
    /// None where there is no such kernel, and steps are made on the host.
    #[cfg(feature = "kernels")]
    fn update(&self, _lr: f32) -> Option<Update> {
        None
    }

    /// Says that the step of [`Optimizer::update`] was made.
    #[cfg(feature = "kernels")]
    fn updated(&mut self) {}

    /// Everything that the next step depends on besides θ: named vectors, for a checkpoint.
    fn state(&self) -> Vec<(&'static str, &[f32])>;

    /// Takes back what [`Optimizer::state`] gave; false if it does not fit.
    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f32>>) -> bool;
}

/// Every optimizer, in alphabetical order.
pub static OPTIMIZERS: &[&dyn OptimizerKind] = &[&adam::Adam, &adamw::AdamW, &sgd::Sgd];

/// What a recording can go through: the settings of the optimizers' directions, and `none`. AdamW is not among
/// them: without weight decay its direction is Adam's.
pub const DIRECTIONS: &[&Signature] = &[&NONE, &adam::DIRECTION, &sgd::DIRECTION];

/// The direction that is the gradient itself, for grids.
static NONE: Signature = Signature {
    name: "none",
    summary: "the gradient itself",
    params: &[],
    version: 1,
};

/// The optimizer called `name`.
pub fn find(name: &str) -> Option<&'static dyn OptimizerKind> {
    OPTIMIZERS
        .iter()
        .copied()
        .find(|optimizer| optimizer.signature().name == name)
}

/// Parameters that a thread takes at once: enough that handing them out costs little. Nothing is summed across
/// parameters, so no result depends on it.
const PART: usize = 1 << 13;

/// Coupled weight decay: g ← g + λθ.
fn couple(gradient: &mut [f32], theta: &[f32], decay: f32) {
    if decay != 0.0 {
        let parts = gradient.par_chunks_mut(PART).zip(theta.par_chunks(PART));
        parts.for_each(|(gradient, theta)| gradient.iter_mut().zip(theta).for_each(|(g, x)| *g += decay * x));
    }
}

/// θ ← θ − ηu.
fn descend(theta: &mut [f32], direction: &[f32], lr: f32) {
    let parts = theta.par_chunks_mut(PART).zip(direction.par_chunks(PART));
    parts.for_each(|(theta, direction)| theta.iter_mut().zip(direction).for_each(|(x, u)| *x -= lr * u));
}

/// λ, which settings of a direction alone lack.
fn weight_decay(args: &Args) -> f64 {
    args.get("weight_decay")
        .map_or(0.0, |_| args.number("weight_decay"))
}

/// The vector called `name` of a saved state, if it has the length of `current`.
fn fitting(state: &dyn Fn(&str) -> Option<Vec<f32>>, name: &str, current: &[f32]) -> Option<Vec<f32>> {
    state(name).filter(|vector| vector.len() == current.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_direction_belongs_to_an_optimizer_and_every_optimizer_has_a_rate() {
        for direction in DIRECTIONS.iter().filter(|direction| direction.name != "none") {
            let kind = find(direction.name).expect(direction.name);
            for param in direction.params {
                let known = kind.signature().params;
                assert!(known.iter().any(|own| own.name == param.name), "{}", param.name);
            }
        }
        for kind in OPTIMIZERS {
            let params = kind.signature().params;
            assert_eq!(params[0].name, "lr", "{}", kind.signature().name);
        }
    }
}
