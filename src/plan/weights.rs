//! Steps that give a network its values: drawn, read from a file, or trained.

use serde_json::json;

use super::cost::{self, Cost};
use super::error::PlanError;
use super::lower::{GRADIENT_VERSION, Lowering, dataset_of, optimizer, title_of};
use super::settings;
use super::step::{Operation, StepId, StepKey, Work};
use crate::layers::BatchNormMode;
use crate::models::{self, Network, weights};
use crate::study::Case;

#[derive(Clone)]
pub(super) struct NetworkOf {
    pub network: std::rc::Rc<Network>,
    /// As tables print it: of a network that the study writes out, the name of its statement.
    pub name: String,
    pub training: &'static str,
}

impl Lowering<'_> {
    pub fn initialise(&mut self, case: &Case, model: &str, on: &str, seed: u64) -> Result<StepId, PlanError> {
        let spec = &case.models[model];
        let data = dataset_of(case, on);
        let outline = data.outline(&case.data[on].call.args)?;
        let input = outline.shape;
        let kind = models::find(&spec.call.name).expect("the checker knows the models");
        let network = models::build(kind, &spec.call.args, &outline)?;
        if network.classes < outline.classes {
            return Err(PlanError::Logits {
                model: model.to_string(),
                logits: network.classes,
                dataset: data.title(&case.data[on].call.args),
                classes: outline.classes,
            });
        }
        let name = match models::written::is_written(&spec.call.name) {
            true => model.to_string(),
            false => network.name.to_string(),
        };
        let mut settings = json!({"model": spec.call, "input": input, "weights": null});
        let (mut training, mut label) = ("random", format!("{name} at random, seed {seed}"));
        if let Some(file) = &spec.weights {
            let (path, key) = weights::file_and_key(&file.path);
            let bytes = crate::files::read(path).map_err(|reason| PlanError::Weights {
                path: path.display().to_string(),
                reason,
            })?;
            settings["weights"] = blake3::hash(&bytes).to_hex().to_string().into();
            if let Some(key) = key {
                settings["weights_key"] = key.into();
            }
            (training, label) = ("loaded", format!("{name} from {}", file.written));
            // What is wrong with the file is told by the check, or by the step.
            let notes = weights::load(&network, &file.path).map_or(Vec::new(), |loaded| loaded.notes);
            if !notes.is_empty() {
                label = format!("{label} ({})", notes.join("; "));
            }
        }
        let key = StepKey {
            operation: Operation::Initialise,
            version: kind.signature().version,
            settings,
            seed: spec.weights.is_none().then_some(seed),
            inputs: vec![],
        };
        let work = Work::Initialise {
            model: spec.call.clone(),
            input,
            weights: spec.weights.as_ref().map(|file| file.path.clone()),
            seed,
        };
        let cost = Cost {
            bytes: 4 * network.parameter_count() as u64,
            ..Cost::default()
        };
        let id = self.add(key, work, label, cost);
        self.networks.insert(
            id.clone(),
            NetworkOf {
                network: network.into(),
                name,
                training,
            },
        );
        Ok(id)
    }

    /// The step that trains `train`.
    pub fn weights(&mut self, case: &Case, train: &str, seed: u64) -> Result<StepId, PlanError> {
        let spec = &case.trains[train];
        let (data, weights) = self.inputs(case, &spec.of, &spec.on, seed)?;
        let NetworkOf { network, name, .. } = self.networks[&weights].clone();
        network.check_batch(spec.batch as usize, BatchNormMode::Batch)?;
        let kind = optimizer(&spec.optimizer);
        let (decay, milestones) = match &spec.decay {
            None => (1.0, vec![]),
            Some(decay) => {
                let epochs = decay
                    .at
                    .iter()
                    .map(|milestone| milestone.epoch(spec.epochs) as usize)
                    .collect();
                (decay.factor, epochs)
            }
        };
        let (settings, clip) = settings::train(spec, decay, &milestones);
        let key = StepKey {
            operation: Operation::Train,
            version: GRADIENT_VERSION + network.version() - 1 + kind.signature().version - 1,
            settings,
            seed: Some(seed),
            inputs: vec![data.clone(), weights.clone()],
        };
        let on = &case.data[&spec.on].call.args;
        let examples = dataset_of(case, &spec.on).outline(on)?.examples;
        let cost = cost::train(&network, examples, spec.epochs, spec.batch);
        let label = format!(
            "{train}: {name} on {}, {}, {} epochs, seed {seed}",
            title_of(case, &spec.on),
            spec.optimizer.name,
            spec.epochs
        );
        let work = Work::Train {
            data,
            weights,
            optimizer: spec.optimizer.clone(),
            epochs: spec.epochs,
            batch: spec.batch,
            decay,
            milestones,
            schedule: spec.schedule.clone(),
            clip,
            augment: spec.augment.clone(),
            seed,
        };
        let id = self.add(key, work, label, cost);
        self.networks.insert(
            id.clone(),
            NetworkOf {
                network,
                name,
                training: "pretrain",
            },
        );
        Ok(id)
    }
}
