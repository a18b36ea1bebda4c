//! The pieces of a plan that processes on several machines can make, each by itself: trainings, recordings with all that
//! is made of them, spectra of losses.

use std::collections::HashMap;

use indexmap::IndexSet;

use serde::{Deserialize, Serialize};

use super::need::Need;
use super::{Plan, Step, StepId, Work};

/// Steps that one process makes in one go. Data and initial weights belong to none: whoever needs them makes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Of the plan, as numbers, inputs first.
    pub steps: Vec<usize>,
    /// The units that make its inputs, as numbers; they come before it.
    pub inputs: Vec<usize>,
    pub kind: UnitKind,
}

/// What most of a unit's work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnitKind {
    Training,
    /// A recording, or numbers of a file, with its tests and spectra; with the training of its weights where nothing else
    /// needs those.
    Recording,
    /// The spectrum of a loss, with what is made of it.
    Curvature,
    /// Tests that compare two recordings.
    Comparison,
}

/// The units of a plan, each after those that make its inputs.
pub fn units(plan: &Plan) -> Vec<Unit> {
    let number: HashMap<&StepId, usize> = plan.steps.iter().enumerate().map(|(i, it)| (&it.id, i)).collect();
    let mut units: Vec<Unit> = Vec::new();
    let mut owner: Vec<Option<usize>> = vec![None; plan.steps.len()];
    let mut comparisons: HashMap<Vec<usize>, usize> = HashMap::new();
    for (i, step) in plan.steps.iter().enumerate() {
        let owners = || step.key.inputs.iter().filter_map(|input| owner[number[input]]);
        let inputs: Vec<usize> = owners().collect::<IndexSet<_>>().into_iter().collect();
        let of = |id: &StepId| owner[number[id]];
        owner[i] = match &step.work {
            Work::Load { .. } | Work::Corrupt { .. } | Work::Initialise { .. } => None,
            Work::Train { .. } => Some(begin(&mut units, UnitKind::Training, inputs)),
            Work::Record { .. } | Work::Read { .. } => Some(begin(&mut units, UnitKind::Recording, inputs)),
            Work::Spectrum { on: Some(_), .. } => Some(begin(&mut units, UnitKind::Curvature, inputs)),
            Work::Test { other: Some(_), .. } if inputs.len() > 1 => {
                let known = comparisons.entry(inputs.clone());
                Some(*known.or_insert_with(|| begin(&mut units, UnitKind::Comparison, inputs)))
            }
            Work::Spectrum { of: base, .. }
            | Work::Eigenvectors { of: base, .. }
            | Work::Test { of: base, .. } => of(base),
        };
        if let Some(unit) = owner[i] {
            units[unit].steps.push(i);
        }
    }
    merged(units)
}

fn begin(units: &mut Vec<Unit>, kind: UnitKind, inputs: Vec<usize>) -> usize {
    units.push(Unit {
        steps: Vec::new(),
        inputs,
        kind,
    });
    units.len() - 1
}

/// Puts each training that one recording alone needs into that recording's unit: one process, one place in a queue.
fn merged(mut units: Vec<Unit>) -> Vec<Unit> {
    let mut users = vec![Vec::new(); units.len()];
    for (number, unit) in units.iter().enumerate() {
        unit.inputs.iter().for_each(|input| users[*input].push(number));
    }
    let mut gone = vec![false; units.len()];
    for number in 0..units.len() {
        let [user] = users[number][..] else { continue };
        let alone = units[number].kind == UnitKind::Training
            && units[user].kind == UnitKind::Recording
            && units[user].inputs == [number];
        if alone {
            let training = std::mem::take(&mut units[number].steps);
            units[user].steps.splice(0..0, training);
            units[user].inputs = std::mem::take(&mut units[number].inputs);
            gone[number] = true;
        }
    }
    renumbered(units, &gone)
}

/// The units that are not `gone`, inputs renumbered.
fn renumbered(units: Vec<Unit>, gone: &[bool]) -> Vec<Unit> {
    let mut numbers = Vec::with_capacity(units.len());
    let mut next = 0;
    for gone in gone {
        numbers.push(next);
        next += usize::from(!gone);
    }
    let stay = units.into_iter().zip(gone).filter(|(_, gone)| !**gone);
    let renumber = |(mut unit, _): (Unit, &bool)| {
        unit.inputs.retain(|input| !gone[*input]);
        unit.inputs.iter_mut().for_each(|input| *input = numbers[*input]);
        unit
    };
    stay.map(renumber).collect()
}

/// The units of which something has to be made, with inputs among themselves alone.
pub fn missing(units: Vec<Unit>, needs: &[Need]) -> Vec<Unit> {
    let runs = |unit: &Unit| unit.steps.iter().any(|step| needs[*step] == Need::Run);
    let gone: Vec<bool> = units.iter().map(|unit| !runs(unit)).collect();
    renumbered(units, &gone)
}

/// The wave of each unit: 0 where nothing is waited for, else one more than that of its latest input.
pub fn waves(units: &[Unit]) -> Vec<usize> {
    let mut waves: Vec<usize> = Vec::with_capacity(units.len());
    for unit in units {
        let before = unit.inputs.iter().map(|input| waves[*input] + 1);
        waves.push(before.max().unwrap_or(0));
    }
    waves
}

/// What a unit takes of a machine, by estimate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Of the steps that are to be made, and of the data that they load.
    pub seconds: f64,
    /// Peak memory in bytes, the data and the program included.
    pub bytes: u64,
}

/// Bytes that the program itself takes, with its threads.
pub const PROGRAM: u64 = 150_000_000;

/// Estimates of `unit` of `plan`, where steps are needed so.
pub fn estimate(plan: &Plan, unit: &Unit, needs: &[Need]) -> Estimate {
    let (mut loads, mut seconds, mut largest) = (IndexSet::new(), 0.0, 0);
    for number in unit.steps.iter().filter(|number| needs[**number] == Need::Run) {
        let step = &plan.steps[*number];
        seconds += step.cost.seconds;
        largest = largest.max(step.cost.bytes);
        step.key
            .inputs
            .iter()
            .for_each(|input| data_of(plan, input, &mut loads));
    }
    let data = loads.iter().map(|id| &plan.step(id).cost);
    let (load_seconds, load_bytes) = data.fold((0.0, 0), |(seconds, bytes), cost| {
        (seconds + cost.seconds, bytes + cost.bytes)
    });
    Estimate {
        seconds: seconds + load_seconds,
        bytes: PROGRAM + load_bytes + largest,
    }
}

/// Notes the data sets behind `id`, as far as no other unit has read them.
fn data_of<'p>(plan: &'p Plan, id: &'p StepId, loads: &mut IndexSet<&'p StepId>) {
    match &plan.step(id).work {
        Work::Load { .. } => drop(loads.insert(id)),
        Work::Corrupt { data, .. } => data_of(plan, data, loads),
        _ => {}
    }
}

/// Whether a result is asked for by itself, so that it is missing where the cache has it not.
pub fn is_asked(step: &Step) -> bool {
    matches!(
        step.work,
        Work::Test { .. } | Work::Spectrum { .. } | Work::Train { .. } | Work::Record { keep: true, .. }
    )
}

/// What `unit` does, in a few words: the labels of its first step and how much hangs on it.
pub fn label(plan: &Plan, unit: &Unit) -> String {
    let step = |place: usize| &plan.steps[unit.steps[place]];
    let of = |step: &Step| format!("{} {}", step.key.operation.verb(), step.label);
    let recording = unit
        .steps
        .iter()
        .position(|it| matches!(plan.steps[*it].work, Work::Record { .. }))
        .filter(|place| *place > 0);
    let (mut text, mut named) = (of(step(0)), 1);
    if let Some(place) = recording {
        text = format!("{text}; {}", of(step(place)));
        named += 1;
    }
    match unit.steps.len() - named {
        0 => text,
        1 => format!("{text} (with 1 more step)"),
        more => format!("{text} (with {more} more steps)"),
    }
}
