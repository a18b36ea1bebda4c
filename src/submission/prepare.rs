//! A plan as units and tasks of a manifest.

use std::collections::{HashMap, HashSet};

use super::learn::{self, Factors};
use super::manifest::Unit;
use super::pack::{Piece, Task, memory_class, pack};
use crate::gradients::engine::Engine;
use crate::plan::need::{Need, needs};
use crate::plan::route::{self, Means};
use crate::plan::units::{self, UnitKind};
use crate::plan::{Plan, Step, StepId, Work};
use crate::store::Store;

/// What is to be done of a plan.
#[derive(Debug)]
pub struct Prepared {
    /// All of the plan's, so that numbers stay.
    pub units: Vec<Unit>,
    /// What the cache lacks.
    pub tasks: Vec<Task>,
    /// Of what the cache lacks, by estimate.
    pub seconds: f64,
    /// Peak memory of the process that writes the report, in bytes: it holds every data set.
    pub report_bytes: u64,
}

/// How a study is cut.
pub struct Cut<'a> {
    /// Bytes that a history may take in memory.
    pub memory: u64,
    /// Whether gradstudy's own kernels on the processor do the work.
    pub host: bool,
    /// Whether trainings and recordings need a GPU.
    pub gpu: bool,
    /// About how long a task is to take.
    pub task_seconds: f64,
    pub round: u32,
    /// What estimates are multiplied by.
    pub learnt: HashMap<UnitKind, Factors>,
    /// By how many doublings of its memory class the unit of this name is to get more.
    pub raised: &'a dyn Fn(&str) -> u32,
}

impl Cut<'_> {
    /// Whether the results of a device are made by gradstudy's kernels on the processor.
    pub fn is_host(engine: &Engine) -> bool {
        matches!(engine, Engine::Host)
    }

    /// The units of `plan`, and tasks of those that the cache lacks a part of.
    pub fn prepare(&self, plan: &mut Plan, store: &Store) -> Prepared {
        let finished: HashSet<StepId> = plan
            .steps
            .iter()
            .filter(|step| store.has(&step.id))
            .map(|step| step.id.clone())
            .collect();
        let is_finished = |step: &Step| finished.contains(&step.id);
        self.put_costs(plan, store, is_finished);
        let needs = needs(plan, is_finished);
        let all = units::units(plan);
        let units: Vec<Unit> = all.iter().map(|unit| self.unit(plan, unit, &needs)).collect();
        let runs = |unit: &units::Unit| unit.steps.iter().any(|step| needs[*step] == Need::Run);
        let numbers: Vec<usize> = (0..all.len()).filter(|unit| runs(&all[*unit])).collect();
        let waves = units::waves(&units::missing(all, &needs));
        let pieces: Vec<Piece> = numbers
            .iter()
            .zip(waves)
            .map(|(number, wave)| Piece {
                unit: *number,
                wave,
                gpu: units[*number].gpu,
                memory: units[*number].memory,
                seconds: units[*number].seconds,
            })
            .collect();
        let loads = plan
            .steps
            .iter()
            .filter(|step| matches!(step.work, Work::Load { .. }));
        let loads = loads.map(|step| step.cost.bytes);
        Prepared {
            tasks: pack(&pieces, self.task_seconds, self.round),
            seconds: pieces.iter().map(|piece| piece.seconds).sum(),
            report_bytes: units::PROGRAM + loads.sum::<u64>(),
            units,
        }
    }

    /// Gives recordings the cost of the way in which they will be made.
    fn put_costs(&self, plan: &mut Plan, store: &Store, finished: impl Fn(&Step) -> bool) {
        let means = Means {
            memory: self.memory,
            disk: store.free_space(),
            host: self.host,
            history: false,
        };
        let routes = route::spectra_alone(plan, means, finished);
        for route in &routes {
            route.put_cost(plan);
        }
        let avoided: HashSet<StepId> = routes.into_iter().map(|route| route.record).collect();
        for step in &mut plan.steps {
            let recorded = matches!(step.work, Work::Record { .. } | Work::Read { .. });
            // A larger one goes to a file.
            if recorded && !avoided.contains(&step.id) {
                step.cost.bytes = step.cost.bytes.min(self.memory);
            }
        }
    }

    fn unit(&self, plan: &Plan, unit: &units::Unit, needs: &[Need]) -> Unit {
        let estimate = units::estimate(plan, unit, needs);
        let step = |number: &usize| {
            let step = &plan.steps[*number];
            (step.id.clone(), units::is_asked(step))
        };
        let learnt = self.learnt.get(&unit.kind).copied().unwrap_or(learn::NONE);
        let bytes = (estimate.bytes as f64 * learnt.memory) as u64;
        let id = plan.steps[unit.steps[0]].id.0[..16].to_string();
        Unit {
            label: units::label(plan, unit),
            kind: unit.kind,
            estimate,
            seconds: estimate.seconds * learnt.seconds,
            bytes,
            memory: memory_class(bytes) << (self.raised)(&id),
            raised: (self.raised)(&id),
            id,
            gpu: self.gpu && unit.kind != UnitKind::Comparison,
            inputs: unit.inputs.clone(),
            steps: unit.steps.iter().map(step).collect(),
        }
    }
}
