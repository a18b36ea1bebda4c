//! What of a plan has to be made, and what that takes, with the memory there is.

use super::need::{Need, needs};
use super::route::{self, Means, Planned};
use super::{Plan, Step, StepId, Work};

/// What a run of a plan will make, and how.
#[derive(Debug)]
pub struct Resources {
    /// For each step of the plan.
    pub needs: Vec<Need>,
    /// How the inner products of recordings of which only spectra are made come about.
    pub routes: Vec<Planned>,
    /// Recordings that do not fit the memory and go to files.
    pub to_file: Vec<StepId>,
    /// Bytes of these files.
    pub disk: u64,
}

impl Resources {
    /// What is to be made of `plan` with `means` where some steps are `finished`; the costs of its steps become those of
    /// the ways that are taken.
    pub fn put(plan: &mut Plan, means: Means, finished: impl Fn(&Step) -> bool) -> Self {
        let routes = route::spectra_alone(plan, means, &finished);
        for route in &routes {
            route.put_cost(plan);
        }
        let needs = needs(plan, &finished);
        let avoided = |step: &Step| routes.iter().any(|route| route.record == step.id);
        let goes_to_file = |step: &Step, need: Need| {
            matches!(step.work, Work::Record { .. } | Work::Read { .. })
                && step.cost.bytes > means.memory
                && !avoided(step)
                && need == Need::Run
        };
        let (mut to_file, mut disk) = (Vec::new(), 0);
        for (step, need) in plan.steps.iter_mut().zip(&needs) {
            if goes_to_file(step, *need) {
                to_file.push(step.id.clone());
                disk += step.cost.bytes;
                step.cost.bytes = means.memory;
            }
        }
        Resources {
            needs,
            routes,
            to_file,
            disk,
        }
    }

    /// The step that is to be made and takes the most memory.
    pub fn largest<'p>(&self, plan: &'p Plan) -> Option<&'p Step> {
        let made = plan.steps.iter().zip(&self.needs);
        let made = made.filter(|(_, need)| **need == Need::Run).map(|(step, _)| step);
        made.max_by_key(|step| step.cost.bytes)
    }
}
