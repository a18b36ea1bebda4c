//! Checked study → plan.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::json;

use super::cost::{self, Cost};
use super::error::PlanError;
use super::inputs::factors;
use super::spectra::{Known, Measurable};
use super::step::{Operation, Step, StepId, StepKey, Work};
use super::weights::NetworkOf;
use super::{Plan, Planned, PlannedInput, PlannedRecord, PlannedSpectrum, index_of, settings};
use crate::data::{self, SearchPath, label_noise};
use crate::gradients::batches::Order;
use crate::layers::BatchNormMode;
use crate::models::{self};
use crate::optimizers;
use crate::results::Subject;
use crate::signature::Call;
use crate::study::{BatchNorm, Case, DataSpec, Study, is_clean};

/// Raised when the way gradients are computed changes their values.
pub(super) const GRADIENT_VERSION: u32 = 1;

/// Plans `study` with the data found on `search`. Errors: data sets that are not there, models that do not fit them.
pub fn lower(study: &Study, search: &SearchPath) -> Result<Plan, Vec<PlanError>> {
    plan(study, search, false)
}

/// Plans `study` with every training, whether something asks for it or not, and lists data and weights as
/// [`Plan::inputs`]: for what is taken out of it one by one, not for running it. Errors as [`lower`].
pub fn lower_with_inputs(study: &Study, search: &SearchPath) -> Result<Plan, Vec<PlanError>> {
    plan(study, search, true)
}

fn plan(study: &Study, search: &SearchPath, with_inputs: bool) -> Result<Plan, Vec<PlanError>> {
    let mut lowering = Lowering {
        search,
        with_inputs,
        steps: IndexMap::new(),
        levels: Vec::new(),
        levels_of: HashMap::new(),
        networks: HashMap::new(),
        loads: HashMap::new(),
        files: HashMap::new(),
    };
    let (mut out, mut errors) = (Out::default(), Vec::new());
    for case in &study.cases {
        for seed in &study.seeds {
            if let Err(error) = lowering.case(case, *seed, &mut out) {
                let text = error.to_string();
                if errors.iter().all(|known: &PlanError| known.to_string() != text) {
                    errors.push(error);
                }
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut steps: Vec<Step> = lowering.steps.into_values().collect();
    for step in &mut steps {
        name_levels(step, &lowering.levels_of);
    }
    let (index, users) = index_of(&steps);
    Ok(Plan {
        title: study.title.clone(),
        steps,
        measurements: out.measurements,
        spectra: out.spectra,
        records: out.records,
        inputs: out.inputs,
        factors: factors(study),
        index,
        users,
    })
}

/// Notes the statement of a step and the levels that all its uses have in common, and puts these behind the statement's name
/// in its label: `noisy (lr = 0.1): …`.
fn name_levels(step: &mut Step, levels_of: &HashMap<StepId, Vec<(String, String)>>) {
    let levels = levels_of.get(&step.id).map_or(&[][..], Vec::as_slice);
    let of_statement = !matches!(
        step.key.operation,
        Operation::Load | Operation::Corrupt | Operation::Initialise
    );
    step.levels = levels.to_vec();
    let Some((name, rest)) = step.label.split_once(": ").filter(|_| of_statement) else {
        return;
    };
    step.statement = name.to_string();
    if !levels.is_empty() {
        let levels: Vec<String> = levels
            .iter()
            .map(|(factor, level)| format!("{factor} = {level}"))
            .collect();
        step.label = format!("{name} ({}): {rest}", levels.join(", "));
    }
}

/// What a plan is asked for, as it is found.
#[derive(Default)]
pub(super) struct Out {
    pub measurements: Vec<Planned>,
    pub spectra: Vec<PlannedSpectrum>,
    pub records: Vec<PlannedRecord>,
    pub inputs: Vec<PlannedInput>,
}

pub(super) struct Lowering<'a> {
    search: &'a SearchPath,
    /// Whether every training is planned, and data and weights are listed.
    with_inputs: bool,
    steps: IndexMap<StepId, Step>,
    /// Levels of the case that is being planned, as (factor, label).
    levels: Vec<(String, String)>,
    /// The levels that all cases which use a step have in common.
    levels_of: HashMap<StepId, Vec<(String, String)>>,
    /// The network that each weights step has values for.
    pub networks: HashMap<StepId, NetworkOf>,
    /// Load steps already made, by their call: the files are hashed once.
    loads: HashMap<String, StepId>,
    /// Digests of the user's own files, by path.
    pub files: HashMap<String, String>,
}

impl Lowering<'_> {
    pub fn add(&mut self, key: StepKey, work: Work, label: String, cost: Cost) -> StepId {
        let id = key.id();
        let levels = &self.levels;
        self.levels_of
            .entry(id.clone())
            .and_modify(|common| common.retain(|level| levels.contains(level)))
            .or_insert_with(|| levels.clone());
        self.steps.entry(id.clone()).or_insert(Step {
            id: id.clone(),
            key,
            work,
            label,
            statement: String::new(),
            levels: Vec::new(),
            cost,
        });
        id
    }

    /// The work of a step added before.
    pub fn work(&self, id: &StepId) -> &Work {
        &self.steps[id].work
    }

    fn case(&mut self, case: &Case, seed: u64, out: &mut Out) -> Result<(), PlanError> {
        let levels: Vec<_> = case
            .levels
            .iter()
            .map(|l| (l.factor.clone(), l.label.clone()))
            .collect();
        self.levels = levels.clone();
        let mut recorded = HashMap::new();
        for (name, spec) in &case.records {
            let (data, weights) = self.inputs(case, &spec.of, &spec.on, seed)?;
            let of = self.networks[&weights].clone();
            let batch_norm = match spec.batch_norm {
                BatchNorm::Batch => BatchNormMode::Batch,
                BatchNorm::Running => BatchNormMode::Running,
            };
            of.network.check_batch(spec.batch as usize, batch_norm)?;
            let n = of.network.parameter_count();
            let rows = match &spec.layers {
                Some(pattern) => models::select::select(&of.network, pattern)?,
                None => std::iter::once(0..n).collect(),
            };
            let count: usize = rows.iter().map(std::ops::Range::len).sum();
            let kind = dataset_of(case, &spec.on);
            let examples = kind.outline(&case.data[&spec.on].call.args)?.examples;
            let order = Order::parse(&spec.order).expect("the checker knows the orders");
            let order = order.of(spec.batch, examples);
            let subject = Subject {
                dataset: kind.title(&case.data[&spec.on].call.args),
                model: of.name.clone(),
                training: of.training.to_string(),
                batch: spec.batch,
                iterations: spec.iterations,
                parameters: count as u64,
                spectrum: None,
                layers: spec.layers.clone(),
            };
            // `keep` changes where G goes, not what it is: it is no part of the key.
            let (settings, done) = settings::record(spec, order);
            let through = spec.transform.through.as_ref().map(optimizer);
            let key = StepKey {
                operation: Operation::Record,
                version: GRADIENT_VERSION + of.network.version() - 1
                    + through.map_or(0, |kind| kind.signature().version - 1),
                settings,
                seed: Some(seed),
                inputs: vec![data.clone(), weights.clone()],
            };
            let work = Work::Record {
                data: data.clone(),
                weights,
                batch: spec.batch,
                iterations: spec.iterations,
                order,
                keep: spec.keep,
                rows,
                batch_norm,
                transform: spec.transform.clone(),
                seed,
            };
            let label = format!(
                "{}: gradients of {} ({}) on {}, B = {}, T = {}, {done}seed {seed}",
                name,
                subject.model,
                subject.training,
                title_of(case, &spec.on),
                spec.batch,
                spec.iterations
            );
            let mut cost = cost::record(
                &of.network,
                count,
                spec.batch,
                spec.iterations,
                order,
                batch_norm,
                spec.keep,
            );
            if !spec.transform.is_identity() {
                cost = cost::transformed(cost, &of.network, spec.iterations);
            }
            cost.bytes += self.data_bytes(&data);
            let step = self.add(key, work, label, cost);
            if !case.given.contains(name) {
                out.records.push(PlannedRecord {
                    step: step.clone(),
                    record: name.clone(),
                    levels: levels.clone(),
                    seed,
                });
            }
            recorded.insert(name.as_str(), (step, subject));
        }
        for (name, spec) in &case.arrays {
            recorded.insert(name.as_str(), self.own_numbers(name, &spec.call)?);
        }
        if self.with_inputs {
            self.list_inputs(case, seed, &levels, out)?;
        }
        // A training that nothing asks for, of a shared file say, is run only where there is nothing else to do.
        if case.records.is_empty() && case.arrays.is_empty() && case.spectra.is_empty() {
            for name in case.trains.keys() {
                self.weights(case, name, seed)?;
            }
        }
        let mut known = Known::new();
        for (name, (step, subject)) in recorded {
            let record = name.to_string();
            let history = Measurable {
                step,
                record,
                subject,
            };
            known.insert(name, vec![history]);
        }
        self.spectra(case, seed, &levels, &mut known, out)?;
        self.tests(case, seed, &levels, &known, out)
    }

    /// The data and weights steps that `of` and `on` name.
    pub fn inputs(
        &mut self,
        case: &Case,
        of: &str,
        on: &str,
        seed: u64,
    ) -> Result<(StepId, StepId), PlanError> {
        let data = self.data(&case.data[on], seed)?;
        let weights = match case.trains.contains_key(of) {
            true => self.weights(case, of, seed)?,
            false => self.initialise(case, of, on, seed)?,
        };
        Ok((data, weights))
    }

    /// The data set, and its labels with noise if the study puts some on them.
    pub fn data(&mut self, spec: &DataSpec, seed: u64) -> Result<StepId, PlanError> {
        let data = self.load(&spec.call)?;
        if is_clean(&spec.labels) {
            return Ok(data);
        }
        let noise = label_noise::find(&spec.labels.name).expect("the checker knows the label noises");
        let key = StepKey {
            operation: Operation::Corrupt,
            version: noise.signature().version,
            settings: json!({"labels": spec.labels}),
            seed: Some(seed),
            inputs: vec![data.clone()],
        };
        let label = format!(
            "{}: {}, seed {seed}",
            self.steps[&data].label,
            label_noise::describe(&spec.labels)
        );
        let work = Work::Corrupt {
            data,
            labels: spec.labels.clone(),
            seed,
        };
        Ok(self.add(key, work, label, Cost::default()))
    }

    /// Memory that a data step's examples take.
    fn data_bytes(&self, id: &StepId) -> u64 {
        let step = &self.steps[id];
        match &step.work {
            Work::Corrupt { data, .. } => self.data_bytes(data),
            _ => step.cost.bytes,
        }
    }

    fn load(&mut self, call: &Call) -> Result<StepId, PlanError> {
        // Where a file lies tells calls apart that are written alike.
        let text = format!("{call:?}");
        if let Some(id) = self.loads.get(&text) {
            return Ok(id.clone());
        }
        let kind = data::dataset(&call.name).expect("the checker knows the data sets");
        let digest = kind.digest(&call.args, self.search)?;
        let key = StepKey {
            operation: Operation::Load,
            version: kind.signature().version,
            settings: json!({"data": call, "files": digest}),
            seed: None,
            inputs: vec![],
        };
        let outline = kind.outline(&call.args)?;
        let size: usize = outline.shape.iter().product();
        let cost = cost::load(outline.examples, size as u64);
        let id = self.add(
            key,
            Work::Load { data: call.clone() },
            kind.title(&call.args),
            cost,
        );
        self.loads.insert(text, id.clone());
        Ok(id)
    }
}

pub(super) fn dataset_of(case: &Case, on: &str) -> &'static dyn data::DatasetKind {
    data::dataset(&case.data[on].call.name).expect("the checker knows the data sets")
}

/// The data called `on`, and what was done to their labels.
pub(super) fn title_of(case: &Case, on: &str) -> String {
    let DataSpec { call, labels, .. } = &case.data[on];
    let title = dataset_of(case, on).title(&call.args);
    match is_clean(labels) {
        true => title,
        false => format!("{title} ({})", label_noise::describe(labels)),
    }
}

pub(super) fn optimizer(call: &Call) -> &'static dyn optimizers::OptimizerKind {
    optimizers::find(&call.name).expect("the checker knows the optimizers")
}
