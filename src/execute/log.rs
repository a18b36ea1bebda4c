//! What each step cost, for the run's manifest and, beside the cache, for later runs.

use std::time::Instant;

use super::{Executor, StepReport};
use crate::device;
use crate::plan::{Plan, Step, Work};
use crate::store::StepCost;

impl Executor<'_> {
    pub(super) fn finished(&self, step: &Step, start: Instant) {
        self.made(step, start.elapsed().as_secs_f64());
    }

    /// Notes that a step was made in so many seconds.
    pub(super) fn made(&self, step: &Step, seconds: f64) {
        self.observer.end(step, seconds);
        let cost = StepCost {
            seconds,
            peak_memory: device::take_peak_memory(),
            device: self.device.clone(),
        };
        // Beside a result that is safe, a note that cannot be written is no reason to stop.
        let _ = self.store.note_cost(&step.id, &cost);
        self.report(step, Some(cost), false);
    }

    /// Notes that the cache had a step's result, unless this run made or noted it before.
    pub(super) fn reused(&self, step: &Step) {
        if self.log.borrow().iter().all(|report| report.id != step.id) {
            self.observer.reused(step);
            self.report(step, self.store.cost(&step.id), true);
        }
    }

    pub(super) fn report(&self, step: &Step, cost: Option<StepCost>, reused: bool) {
        let (id, operation, label) = (step.id.clone(), step.key.operation.verb(), step.label.clone());
        self.log.borrow_mut().push(StepReport {
            id,
            operation,
            label,
            seconds: cost.as_ref().map_or(0.0, |cost| cost.seconds),
            reused,
            peak_memory: cost.as_ref().and_then(|cost| cost.peak_memory),
            device: cost.filter(|_| reused).map(|cost| cost.device),
            is_kept: !matches!(
                step.work,
                Work::Load { .. } | Work::Corrupt { .. } | Work::Initialise { .. }
            ),
        });
    }

    /// Notes what the steps cost that nothing had to be made of again, such as recordings all of whose tests are in the
    /// cache.
    pub(super) fn report_unneeded(&self, plan: &Plan) {
        for step in &plan.steps {
            let known = self.log.borrow().iter().any(|report| report.id == step.id);
            if let (false, Some(cost)) = (known, self.store.cost(&step.id)) {
                self.report(step, Some(cost), true);
            }
        }
    }
}
