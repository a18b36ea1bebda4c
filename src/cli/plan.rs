//! `gradstudy plan STUDY`

use std::process::ExitCode;

use clap::Args;

use crate::gradients::engine::Engine;
use crate::plan::display::{State, size, to_text};
use crate::plan::route::{self, Means};
use crate::plan::{Plan, Step, StepId, Work};
use crate::store::Store;

use super::options::{Computing, Places};
use super::{Failure, print, study};

/// Show what a run would do: steps, time, memory, what is cached
///
/// Of a folder, each study in it is planned; one that cannot be planned does not stop the others (exit code 2).
#[derive(Debug, Args)]
pub struct PlanCommand {
    #[command(flatten)]
    study: study::StudyArguments,
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    computing: Computing,
}

impl PlanCommand {
    pub fn execute(mut self) -> Result<ExitCode, Failure> {
        if !self.study.path.is_dir() {
            self.plan()?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut code = 0;
        for path in study::studies_in(std::slice::from_ref(&self.study.path))? {
            print(&format!("{}\n", path.display()));
            self.study.path = path;
            if let Err(failure) = self.plan() {
                code = 2;
                failure.tell();
            }
        }
        Ok(ExitCode::from(code))
    }

    fn plan(&self) -> Result<(), Failure> {
        let (_, study) = study::load(&self.study)?;
        let device = self.computing.select()?;
        let mut plan = study::plan(&study, &self.places.search())?;
        let store = Store::open(&self.places.cache(), device.class)?;
        let memory = self.computing.memory();
        let means = Means {
            memory,
            disk: store.free_space(),
            host: matches!(device.engine, Engine::Host),
            history: false,
        };
        let finished = |step: &Step| store.has(&step.id);
        let routes = route::spectra_alone(&plan, means, finished);
        let avoided: Vec<_> = routes.iter().map(|route| route.record.clone()).collect();
        for route in &routes {
            route.put_cost(&mut plan);
        }
        let to_file = |step: &&Step| {
            matches!(step.work, Work::Record { .. } | Work::Read { .. })
                && step.cost.bytes > memory
                && !avoided.contains(&step.id)
                && matches!(state(&plan, &store, step), State::Run(_))
        };
        let to_file: Vec<StepId> = plan
            .steps
            .iter()
            .filter(to_file)
            .map(|step| step.id.clone())
            .collect();
        let mut disk = 0;
        for step in plan.steps.iter_mut().filter(|step| to_file.contains(&step.id)) {
            disk += step.cost.bytes;
            step.cost.bytes = memory;
        }
        print(&to_text(&plan, |step| state(&plan, &store, step)));
        for route in &routes {
            print(&format!("{}\n", route.words));
        }
        if !to_file.is_empty() {
            print(&format!(
                "gradient histories over the {} of `--memory`, which go to files: {}, of {} in all\n",
                size(memory),
                to_file.len(),
                size(disk)
            ));
        }
        Ok(())
    }
}

/// Whether `step` is finished, will run, or is needed by nothing that will.
fn state(plan: &Plan, store: &Store, step: &Step) -> State {
    if store.has(&step.id) {
        return State::Cached;
    }
    let wanted = match &step.work {
        Work::Test { .. } | Work::Spectrum { .. } | Work::Train { .. } | Work::Record { keep: true, .. } => {
            true
        }
        _ => plan
            .users(&step.id)
            .any(|user| matches!(state(plan, store, user), State::Run(_))),
    };
    if wanted {
        State::Run(store.explain(step))
    } else {
        State::NotNeeded
    }
}
