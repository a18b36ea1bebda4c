//! Optimizers that a study can name: one file each, listed in [`OPTIMIZERS`].

mod sgd;

use crate::signature::{Args, Signature};

/// An optimizer that studies can name.
pub trait OptimizerKind: Sync {
    /// Name and settings; every optimizer has `lr`, the learning rate before any schedule.
    fn signature(&self) -> &'static Signature;

    /// An optimizer of `parameters` numbers with all its moments at their start.
    fn build(&self, args: &Args, parameters: usize) -> Box<dyn Optimizer>;
}

/// An optimizer at work.
pub trait Optimizer: Send {
    /// Moves `theta` by one step at learning rate `lr`; `gradient` is used up.
    fn step(&mut self, theta: &mut [f32], gradient: &mut [f32], lr: f32);

    /// Everything that the next step depends on besides θ: named vectors, for a checkpoint.
    fn state(&self) -> Vec<(&'static str, &[f32])>;

    /// Takes back what [`Optimizer::state`] gave; false if it does not fit.
    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f32>>) -> bool;
}

/// Every optimizer, in alphabetical order.
pub static OPTIMIZERS: &[&dyn OptimizerKind] = &[&sgd::Sgd];

/// The optimizer called `name`.
pub fn find(name: &str) -> Option<&'static dyn OptimizerKind> {
    OPTIMIZERS
        .iter()
        .copied()
        .find(|optimizer| optimizer.signature().name == name)
}
