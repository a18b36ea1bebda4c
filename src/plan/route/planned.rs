//! The routes of a plan's recordings, and what its steps want of them.

use std::ops::Range;

use super::{Chosen, Means, Recording, Route};
use crate::models::select::{NoSuchLayer, select};
use crate::models::{self, Network};
use crate::plan::{Plan, Step, StepId, Work, spectrum_method};
use crate::signature::Call;

/// The route of one recording that only spectra use.
#[derive(Debug)]
pub struct Planned {
    /// The record step.
    pub record: StepId,
    pub chosen: Chosen,
    /// What `gradstudy plan` says of it.
    pub words: String,
}

impl Planned {
    /// Gives the record step the route's cost where G is not in memory.
    pub fn put_cost(&self, plan: &mut Plan) {
        let Some(number) = plan.number(&self.record) else {
            return;
        };
        let step = &mut plan.steps[number];
        match &self.chosen.route {
            Route::Memory => return,
            Route::File => (),
            Route::Layers(_) | Route::Windows(_) | Route::Sketch => {
                step.cost.seconds = step.cost.seconds.min(self.chosen.seconds);
            }
        }
        step.cost.bytes = self.chosen.bytes;
    }
}

/// The routes of the recordings of which only spectra that are not `finished` will be made.
pub fn spectra_alone(plan: &Plan, means: Means, finished: impl Fn(&Step) -> bool) -> Vec<Planned> {
    let records = plan.steps.iter().filter_map(|record| {
        let Work::Record { weights, .. } = &record.work else {
            return None;
        };
        let spectrum = |user: &&Step| matches!(user.work, Work::Spectrum { .. }) && !finished(user);
        let users: Vec<&Step> = plan.users(&record.id).filter(spectrum).collect();
        if users.is_empty() || needs_history(plan, record, &finished) {
            return None;
        }
        let network = network_of(plan, weights)?;
        let recording = Recording::of(&network, record, users.into_iter()).ok()?;
        let chosen = recording.choose(means);
        let gflop = |flops: f64| format!("{:.1} GFLOP", flops / 1e9);
        let instead = match chosen.flops < chosen.flops_of_history {
            true => format!(" instead of {}", gflop(chosen.flops_of_history)),
            false => String::new(),
        };
        let words = format!(
            "inner products {}: {}{instead}, {} of memory",
            recording.words(&chosen),
            gflop(chosen.flops),
            crate::plan::display::size(chosen.bytes)
        );
        Some(Planned {
            record: record.id.clone(),
            chosen,
            words,
        })
    });
    records.collect()
}

/// The network of a weights step.
fn network_of(plan: &Plan, weights: &StepId) -> Option<Network> {
    match &plan.step(weights).work {
        Work::Initialise { model, input, .. } => models::find(&model.name)?.build(&model.args, *input).ok(),
        Work::Train { weights, .. } => network_of(plan, weights),
        _ => None,
    }
}

/// The rows of G that a spectrum step of `record` is of: all, or those of its `layers`.
pub fn rows_of(network: &Network, record: &Step, step: &Step) -> Result<Vec<Range<usize>>, NoSuchLayer> {
    match (&step.work, &record.work) {
        (Work::Spectrum { call, .. }, _) if call.args.get("layers").is_some() => {
            select(network, call.args.text("layers"))
        }
        (_, Work::Record { rows, .. }) => Ok(std::iter::once(0..rows.iter().map(Range::len).sum()).collect()),
        _ => unreachable!("a spectrum of a record step"),
    }
}

/// The sketch that a spectrum step is of, if it is of one.
pub(super) fn sketch_of(step: &Step) -> Option<&Call> {
    match &step.work {
        Work::Spectrum { call, .. } => call.args.get("sketch").map(|_| call.args.call("sketch")),
        _ => None,
    }
}

/// Whether a spectrum step is of sketched gradients.
pub fn is_sketched(step: &Step) -> bool {
    sketch_of(step).is_some()
}

/// Whether the history of `record` is needed for other things than its sums, given what is `finished`.
pub fn needs_history(plan: &Plan, record: &Step, finished: impl Fn(&Step) -> bool) -> bool {
    let keep = matches!(record.work, Work::Record { keep: true, .. });
    let mut users = plan.users(&record.id).filter(|user| match &user.work {
        Work::Test { .. } => true,
        Work::Spectrum { call, .. } => spectrum_method(&call.name).needs_values(),
        _ => false,
    });
    finished(record) || keep || users.any(|user| !finished(user))
}
