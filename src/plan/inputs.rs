//! What a study starts from, as far as it can be named: levels of factors, data, weights.

use indexmap::IndexMap;

use super::error::PlanError;
use super::lower::{Lowering, Out};
use super::spectra::Levels;
use super::{InputKind, PlannedInput};
use crate::hessian::signatures;
use crate::results::Factors;
use crate::study::{Case, LevelValue, Study};

/// The levels that are numbers or truth values. A label that stands for several values, as it may where included
/// studies have factors of one name, is left out.
pub(super) fn factors(study: &Study) -> Factors {
    let mut found: IndexMap<&str, IndexMap<&str, Option<LevelValue>>> = IndexMap::new();
    for level in study.cases.iter().flat_map(|case| &case.levels) {
        let of_label = found.entry(&level.factor).or_default();
        let known = of_label.entry(&level.label).or_insert(level.value);
        if *known != level.value {
            *known = None;
        }
    }
    let values = |levels: IndexMap<&str, Option<LevelValue>>| {
        let levels = levels.into_iter();
        levels
            .filter_map(|(label, value)| Some((label.to_string(), value?)))
            .collect()
    };
    let factors = found
        .into_iter()
        .map(|(factor, levels)| (factor.to_string(), values(levels)));
    factors
        .filter(|(_, levels): &(_, IndexMap<_, _>)| !levels.is_empty())
        .collect()
}

impl Lowering<'_> {
    /// Plans every data set, training and initial weights of the case, and lists them in `out`.
    pub fn list_inputs(
        &mut self,
        case: &Case,
        seed: u64,
        levels: &Levels,
        out: &mut Out,
    ) -> Result<(), PlanError> {
        let mut list = |step, kind, name: &str| {
            out.inputs.push(PlannedInput {
                step,
                kind,
                name: name.to_string(),
                levels: levels.to_vec(),
                seed,
            });
        };
        for (name, spec) in &case.data {
            list(self.data(spec, seed)?, InputKind::Data, name);
        }
        for name in case.trains.keys() {
            list(self.weights(case, name, seed)?, InputKind::Train, name);
        }
        for (model, all) in drawn(case) {
            for on in &all {
                let step = self.initialise(case, model, on, seed)?;
                match all.len() {
                    1 => list(step, InputKind::Model, model),
                    _ => list(step, InputKind::Model, &format!("{model} on {on}")),
                }
            }
        }
        Ok(())
    }
}

/// The models of a case, each with the data sets that it is trained, recorded or measured on from its initial weights.
fn drawn(case: &Case) -> IndexMap<&str, Vec<&str>> {
    let mut found: IndexMap<&str, Vec<&str>> = IndexMap::new();
    let trains = case
        .trains
        .values()
        .map(|spec| (spec.of.as_str(), spec.on.as_str()));
    let records = case
        .records
        .values()
        .map(|spec| (spec.of.as_str(), spec.on.as_str()));
    let curvatures = case
        .spectra
        .values()
        .filter(|spec| signatures::find(&spec.call.name).is_some());
    let curvatures = curvatures.map(|spec| (spec.call.args.text("of"), spec.call.args.text("on")));
    for (of, on) in trains.chain(records).chain(curvatures) {
        if case.models.contains_key(of) {
            let all = found.entry(of).or_default();
            if !all.contains(&on) {
                all.push(on);
            }
        }
    }
    found
}
