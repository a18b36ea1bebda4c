//! The registries, gathered for the checker.

use std::sync::LazyLock;

use miette::Diagnostic;

use crate::data::{self, DATASETS};
use crate::gradients::own;
use crate::hessian::{self, signatures::CURVATURES};
use crate::layers::{BatchNormMode, in_words};
use crate::models::{self, MODELS, Network};
use crate::optimizers::{DIRECTIONS, OPTIMIZERS};
use crate::plots::FIGURES;
use crate::report;
use crate::signature::{Call, Default, Param, ParamType, Signature, Value};
use crate::spectra::SPECTRA;
use crate::spectra::measures::MEASURES;
use crate::stats::TESTS;
use crate::study::own_numbers::FILE;
use crate::study::{DataOutline, Facts, LayerFault, Stage, Vocabulary};

/// What a `record` statement can record.
static GRADIENTS: Signature = Signature {
    name: "gradients",
    summary: "the gradient history G at fixed parameters: T gradients of the mean loss over minibatches",
    params: &[
        Param {
            name: "of",
            ty: ParamType::Reference(&["model", "train"]),
            default: Default::Required,
            doc: "a model (at its initial weights) or a training (at its final weights)",
        },
        Param {
            name: "on",
            ty: ParamType::Reference(&["data"]),
            default: Default::Required,
            doc: "the data set",
        },
        Param {
            name: "batch",
            ty: ParamType::Integer { min: 1, max: 1 << 31 },
            default: Default::Text("1"),
            doc: "minibatch size B",
        },
        Param {
            name: "iterations",
            ty: ParamType::Integer { min: 1, max: 1 << 31 },
            default: Default::Text("5000"),
            doc: "iterations T",
        },
        Param {
            name: "order",
            ty: ParamType::Word(&["shuffled", "replacement", "sequential"]),
            default: Default::Text("shuffled"),
            doc: "how minibatches are drawn; `shuffled` and `sequential` drop the last partial batch of an epoch",
        },
        Param {
            name: "keep",
            ty: ParamType::Boolean,
            default: Default::Text("false"),
            doc: "whether G itself stays in the cache (n · T · 4 bytes)",
        },
        Param {
            name: "layers",
            ty: ParamType::Text,
            default: Default::Absent,
            doc: "a glob over names of parameter tensors, such as \"conv*\" or \"*.bias\" (the name of a module means its \
                  tensors): only their rows of G are kept; `clip` and `through` still see the whole gradient",
        },
        Param {
            name: "batch_norm",
            ty: ParamType::Word(&["batch", "running"]),
            default: Default::Text("batch"),
            doc: "statistics that batch normalisation goes by: of each minibatch, as in training, or the running ones",
        },
        Param {
            name: "weight_decay",
            ty: ParamType::Number { min: 0.0, max: 1e6 },
            default: Default::Absent,
            doc: "λ; λθ is added to each gradient",
        },
        Param {
            name: "clip",
            ty: ParamType::Number {
                min: 1e-12,
                max: f64::MAX,
            },
            default: Default::Absent,
            doc: "scales a gradient whose L2 norm is larger down to this norm, after `weight_decay`",
        },
        Param {
            name: "through",
            ty: ParamType::Call(DIRECTIONS),
            default: Default::Absent,
            doc: "records an optimizer's directions, after `clip`; its moments evolve over t, the parameters do not",
        },
    ],
    version: 1,
};

struct RegistryFacts;

/// What an error says, and what to do about it.
fn told(error: &dyn Diagnostic) -> (String, String) {
    let help = error.help().map(|help| help.to_string()).unwrap_or_default();
    (error.to_string(), help)
}

/// The model on the dataset; none where there is a fault in either or they do not fit.
fn network(model: &Call, data: &Call) -> Option<Network> {
    let outline = data::dataset(&data.name)?.outline(&data.args).ok()?;
    models::build(models::find(&model.name)?, &model.args, &outline).ok()
}

impl Facts for RegistryFacts {
    fn examples(&self, data: &Call) -> Option<u64> {
        let outline = data::dataset(&data.name)?.outline(&data.args).ok()?;
        Some(outline.examples)
    }

    fn outline(&self, data: &Call) -> Option<DataOutline> {
        let outline = data::dataset(&data.name)?.outline(&data.args).ok()?;
        Some(DataOutline {
            examples: outline.examples,
            classes: outline.classes as u64,
            shape: outline.shape.map(|size| size as u64),
        })
    }

    fn fault(&self, data: &Call) -> Option<(String, String)> {
        Some(told(&data::dataset(&data.name)?.outline(&data.args).err()?))
    }

    fn array(&self, file: &Call) -> Option<Result<(u64, u64), (String, String)>> {
        Some(match own::summary(&file.args) {
            Ok(summary) => Ok((summary.parameters, summary.iterations)),
            Err(error) => Err(told(&error)),
        })
    }

    fn array_remarks(&self, file: &Call) -> Vec<String> {
        let name = file.args.text("path");
        let remarks = own::summary(&file.args).map_or_else(|_| Vec::new(), |summary| summary.remarks);
        remarks
            .iter()
            .map(|remark| format!("`{name}`: {remark}"))
            .collect()
    }

    fn data_remarks(&self, data: &Call) -> Vec<String> {
        data::dataset(&data.name).map_or_else(Vec::new, |set| set.remarks(&data.args))
    }

    fn curvature_fault(&self, spectrum: &Call, model: &Call, data: &Call) -> Option<(String, String)> {
        let curvature = hessian::signatures::find(&spectrum.name)?;
        let network = network(model, data)?;
        let args = &spectrum.args;
        let (Some(Value::Integer(samples)), Some(Value::Call(_))) =
            (args.get("samples"), args.get("batch_norm"))
        else {
            return None;
        };
        let size = hessian::signatures::minibatch_size(args).filter(|_| network.has_batch_norm());
        let whole = size.map_or(Ok(()), |size| hessian::minibatches(*samples as u64, size));
        Some(told(&hessian::supports(&network, curvature).and(whole).err()?))
    }

    fn weights(
        &self,
        file: &str,
        model: &Call,
        data: &Call,
    ) -> Option<Result<Vec<String>, (String, String)>> {
        let network = network(model, data)?;
        let loaded = models::weights::load(&network, file);
        Some(loaded.map(|it| it.notes).map_err(|error| told(&error)))
    }

    fn layer_fault(&self, model: &Call, data: Option<&Call>) -> Option<LayerFault> {
        if !models::written::is_written(&model.name) {
            return None;
        }
        let fault = match data {
            None => models::written::structural_fault(&model.args)?,
            Some(data) => {
                let outline = data::dataset(&data.name)?.outline(&data.args).ok()?;
                models::written::stages(&model.args, outline.shape).err()?
            }
        };
        Some(LayerFault {
            message: fault.message(),
            place: fault.place,
            label: fault.label,
            help: fault.help,
        })
    }

    fn stages(&self, model: &Call, data: &Call) -> Option<Vec<Stage>> {
        if !models::written::is_written(&model.name) {
            return None;
        }
        let outline = data::dataset(&data.name)?.outline(&data.args).ok()?;
        let stages = models::written::stages(&model.args, outline.shape).ok()?;
        let stage = |stage: models::written::Stage| Stage {
            place: stage.place,
            shape: in_words(stage.shape),
            parameters: stage.parameters as u64,
        };
        Some(stages.into_iter().map(stage).collect())
    }

    fn batch_fault(&self, model: &Call, data: &Call, batch: u64) -> Option<(String, String)> {
        let network = network(model, data)?;
        Some(told(
            &network.check_batch(batch as usize, BatchNormMode::Batch).err()?,
        ))
    }

    fn parameters(&self, model: &Call, data: Option<&Call>) -> Option<Result<u64, String>> {
        let kind = models::find(&model.name)?;
        let data = data?;
        let outline = data::dataset(&data.name)?.outline(&data.args).ok()?;
        Some(match models::build(kind, &model.args, &outline) {
            Ok(network) if network.classes < outline.classes => Err(format!(
                "it has {} logits, the data have {} classes",
                network.classes, outline.classes
            )),
            Ok(network) => Ok(network.parameter_count() as u64),
            Err(error) => Err(error.to_string()),
        })
    }

    fn columns(&self, test: &Call, single: bool, spectrum: Option<&Call>) -> Option<Vec<&'static str>> {
        let given = report::given(test, single, spectrum)?;
        Some(given.iter().map(|column| column.name).collect())
    }

    fn quantity(&self, column: &str) -> Option<&'static str> {
        report::column(column).map(report::quantity)
    }

    fn draws(&self, figure: &str, test: &Call) -> bool {
        let kind = FIGURES.iter().find(|kind| kind.signature().name == figure);
        kind.is_none_or(|kind| kind.draws(test))
    }

    fn selected(&self, model: &Call, data: &Call, pattern: &str) -> Option<Result<u64, (String, String)>> {
        let network = network(model, data)?;
        let rows = models::select::select(&network, pattern);
        Some(match rows {
            Ok(rows) => Ok(rows.iter().map(|range| range.len() as u64).sum()),
            Err(error) => Err(told(&error)),
        })
    }
}

/// Everything that a study can name.
pub static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary {
    datasets: leak(DATASETS.iter().map(|kind| kind.signature())),
    models: leak(MODELS.iter().map(|kind| kind.signature())),
    layers: models::written::entries(),
    optimizers: leak(OPTIMIZERS.iter().map(|kind| kind.signature())),
    records: leak([&GRADIENTS, &FILE].into_iter()),
    spectra: leak({
        let curvatures = CURVATURES.iter().map(|(signature, _)| *signature);
        SPECTRA.iter().map(|kind| kind.signature()).chain(curvatures)
    }),
    figures: leak(FIGURES.iter().map(|kind| kind.signature())),
    tests: leak({
        let measures = MEASURES.iter().map(|measure| measure.signature);
        TESTS.iter().map(|kind| kind.signature()).chain(measures)
    }),
    columns: leak(crate::report::COLUMNS.iter().map(|column| column.name)),
    training_columns: leak({
        let columns = crate::report::COLUMNS
            .iter()
            .filter(|column| column.training.is_some());
        columns.map(|column| column.name)
    }),
    row_keys: leak(crate::report::ROW_KEYS.iter().map(|key| key.name)),
    paper_tables: leak(crate::report::paper::Paper::embedded().numbers()),
    facts: &RegistryFacts,
});

/// Made once, lives as long as the program.
fn leak<T>(items: impl Iterator<Item = T>) -> &'static [T] {
    Box::leak(items.collect::<Vec<_>>().into_boxed_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_what_its_type_promises() {
        let v = &*VOCABULARY;
        for signatures in [
            v.datasets,
            v.models,
            v.layers,
            v.optimizers,
            v.records,
            v.spectra,
            v.tests,
            v.figures,
        ] {
            assert_eq!(crate::study::faulty_defaults(signatures), Vec::<String>::new());
        }
    }
}
