//! Settings of a step as its key has them. What is not used is not there, so that steps of versions before a setting
//! keep their keys.

use serde_json::{Value, json};

use crate::gradients::batches::Order;
use crate::signature::Call;
use crate::stats::missing::MissingValues;
use crate::study::{BatchNorm, RecordSpec, TrainSpec};
use crate::training::Clip;

/// Settings of a record step, and what is done to its gradients in words for its label: nothing, or words that end
/// in a comma.
pub(super) fn record(spec: &RecordSpec, order: Order) -> (Value, String) {
    let mut settings = json!({"batch": spec.batch, "iterations": spec.iterations, "order": order});
    let mut words = match order {
        Order::Full => "the full batch, ".to_string(),
        _ => String::new(),
    };
    if let Some(layers) = &spec.layers {
        settings["layers"] = json!(layers);
        words += &format!("layers `{layers}`, ");
    }
    if spec.batch_norm == BatchNorm::Running {
        settings["batch_norm"] = json!(spec.batch_norm);
        words += "running statistics, ";
    }
    if let Some(decay) = spec.transform.weight_decay {
        settings["weight_decay"] = json!(decay);
        words += &format!("weight decay {decay}, ");
    }
    if let Some(clip) = spec.transform.clip {
        settings["clip"] = json!(clip);
        words += &format!("clipped at {clip}, ");
    }
    if let Some(through) = &spec.transform.through {
        settings["through"] = json!(through);
        words += &format!("through {}, ", through.name);
    }
    (settings, words)
}

/// Settings of a train step whose rate is multiplied by `decay` after the epochs `milestones`, and its clipping.
pub(super) fn train(spec: &TrainSpec, decay: f64, milestones: &[usize]) -> (Value, Clip) {
    let mut settings = json!({
        "optimizer": spec.optimizer, "epochs": spec.epochs, "batch": spec.batch,
        "decay": decay, "milestones": milestones,
    });
    if let Some(schedule) = &spec.schedule {
        settings["schedule"] = json!(schedule);
    }
    if !spec.augment.is_empty() {
        settings["augment"] = json!(spec.augment);
    }
    let clip = match (spec.clip, spec.clip_value) {
        (Some(norm), _) => Clip::Norm(norm),
        (_, Some(value)) => Clip::Value(value),
        _ => Clip::None,
    };
    match clip {
        Clip::None => {}
        Clip::Norm(norm) => settings["clip"] = json!(norm),
        Clip::Value(value) => settings["clip_value"] = json!(value),
    }
    (settings, clip)
}

/// A test as its step's key has it: `missing: degenerate` is what holds where nothing is written.
pub(super) fn test(call: &Call) -> Call {
    let mut call = call.clone();
    if MissingValues::of(&call.args) == MissingValues::Degenerate {
        call.args.0.shift_remove("missing");
    }
    call
}
