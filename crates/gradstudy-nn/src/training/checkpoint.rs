//! A training as a `.safetensors` file: θ, the optimizer's state, the epochs done and what is known of them.

use std::collections::HashMap;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::{EpochReport, Evaluation, Training};

/// The bytes of a checkpoint.
pub fn save(training: &Training, epochs: &[EpochReport]) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    let vectors = std::iter::once(("theta", training.theta.as_slice())).chain(training.optimizer.state());
    let tensors: Result<Vec<_>, _> = vectors
        .map(|(name, values)| {
            let bytes = bytemuck::cast_slice(values);
            TensorView::new(Dtype::F32, vec![values.len()], bytes).map(|view| (name, view))
        })
        .collect();
    let losses: Vec<String> = epochs.iter().map(|epoch| epoch.loss.to_string()).collect();
    let evaluations: Vec<_> = epochs.iter().map(|epoch| epoch.evaluation).collect();
    let evaluations = serde_json::to_string(&evaluations).unwrap_or_default();
    let facts = HashMap::from([
        ("epoch".to_string(), training.epoch.to_string()),
        ("losses".to_string(), losses.join(" ")),
        ("evaluations".to_string(), evaluations),
    ]);
    safetensors::serialize(tensors?, Some(facts))
}

/// Puts the training where a checkpoint of these bytes left it; None, and nothing changes, if they do not fit.
pub fn restore(training: &mut Training, bytes: &[u8]) -> Option<Vec<EpochReport>> {
    let (_, header) = SafeTensors::read_metadata(bytes).ok()?;
    let facts = header.metadata().as_ref()?;
    let epoch: usize = facts.get("epoch")?.parse().ok()?;
    let losses: Vec<f64> = facts
        .get("losses")?
        .split_whitespace()
        .map(|loss| loss.parse().ok())
        .collect::<Option<_>>()?;
    let file = SafeTensors::deserialize(bytes).ok()?;
    let vector = |name: &str| {
        let tensor = file
            .tensor(name)
            .ok()
            .filter(|tensor| tensor.dtype() == Dtype::F32)?;
        let values = tensor
            .data()
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        Some(values.collect::<Vec<f32>>())
    };
    let theta = vector("theta").filter(|theta| theta.len() == training.theta.len())?;
    if epoch > training.rates.epochs() || losses.len() != epoch || !training.optimizer.restore(&vector) {
        return None;
    }
    training.theta = theta;
    training.epoch = epoch;
    // Checkpoints of older versions have none.
    let evaluations = facts.get("evaluations");
    let evaluations: Option<Vec<Option<Evaluation>>> =
        evaluations.and_then(|it| serde_json::from_str(it).ok());
    let mut evaluations = evaluations.unwrap_or_default().into_iter();
    let report = |loss| EpochReport {
        loss,
        evaluation: evaluations.next().flatten(),
    };
    Some(losses.into_iter().map(report).collect())
}
