//! What is done to recorded gradients before they are columns of G: weight decay, clipping, an optimizer's direction.
//!
//! The parameters θ stand still: only an optimizer's moments evolve over t, in the order of the iterations. So a
//! recording that stops keeps them ([`Transform::save`]) and goes on with them ([`Transform::restore`]).

use std::collections::HashMap;

use rayon::prelude::*;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::optimizers::{self, Optimizer};
use gradstudy_lang::study::TransformSpec;

/// The transform of one recording, as far as it has come.
pub struct Transform<'a> {
    theta: &'a [f32],
    identity: bool,
    weight_decay: f32,
    clip: Option<f64>,
    through: Option<Box<dyn Optimizer>>,
    /// Gradients transformed so far.
    done: usize,
}

impl<'a> Transform<'a> {
    /// What `spec` does to gradients at `theta`, before the first of them.
    pub fn new(spec: &TransformSpec, theta: &'a [f32]) -> Self {
        let through = spec.through.as_ref().map(|call| {
            let kind = optimizers::find(&call.name).expect("the checker knows the optimizers");
            kind.build(&call.args, theta.len())
        });
        Transform {
            theta,
            identity: spec.is_identity(),
            weight_decay: spec.weight_decay.unwrap_or(0.0) as f32,
            clip: spec.clip,
            through,
            done: 0,
        }
    }

    /// Whether gradients stay as they are.
    pub fn is_identity(&self) -> bool {
        self.identity
    }

    /// Whether a gradient's transform depends on the gradients before it.
    pub fn has_state(&self) -> bool {
        self.through.is_some()
    }

    /// Transforms the next gradients, one after the other in `columns` (n numbers each), in place: adds λθ, scales the
    /// L2 norm down to the bound, and puts the optimizer's direction in the gradient's place.
    pub fn apply(&mut self, columns: &mut [f32]) {
        let n = self.theta.len();
        let (theta, decay, clip) = (self.theta, self.weight_decay, self.clip);
        if decay != 0.0 || clip.is_some() {
            let columns = columns.par_chunks_mut(n);
            columns.for_each(|column| decay_and_clip(column, theta, decay, clip));
        }
        if let Some(optimizer) = &mut self.through {
            // Each direction needs the one before: one column at a time, all cores on its parameters.
            columns
                .chunks_mut(n)
                .for_each(|column| optimizer.direction(column));
        }
        self.done += columns.len() / n;
    }

    /// The moments and how many gradients they have seen, as a `.safetensors` file.
    pub fn save(&self) -> Result<Vec<u8>, safetensors::SafeTensorError> {
        let state = self.through.iter().flat_map(|optimizer| optimizer.state());
        let tensors: Result<Vec<_>, _> = state
            .map(|(name, values)| {
                let bytes = bytemuck::cast_slice(values);
                TensorView::new(Dtype::F32, vec![values.len()], bytes).map(|view| (name, view))
            })
            .collect();
        let facts = HashMap::from([(DONE.to_string(), self.done.to_string())]);
        safetensors::serialize(tensors?, Some(facts))
    }

    /// Puts the transform where [`Transform::save`] left it, and says after how many gradients; `None`, and nothing
    /// changes, if these bytes do not fit.
    pub fn restore(&mut self, bytes: &[u8]) -> Option<usize> {
        self.restore_if(bytes, |_| true)
    }

    /// [`Transform::restore`] for a number of gradients that `fits` accepts.
    pub fn restore_if(&mut self, bytes: &[u8], fits: impl FnOnce(usize) -> bool) -> Option<usize> {
        let (_, header) = SafeTensors::read_metadata(bytes).ok()?;
        let done = header.metadata().as_ref()?.get(DONE)?.parse().ok()?;
        if !fits(done) {
            return None;
        }
        let file = SafeTensors::deserialize(bytes).ok()?;
        let vector = |name: &str| {
            let tensor = file.tensor(name).ok();
            let tensor = tensor.filter(|tensor| tensor.dtype() == Dtype::F32)?;
            let values = tensor.data().chunks_exact(4);
            Some(
                values
                    .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                    .collect(),
            )
        };
        if !self.through.as_mut()?.restore(&vector) {
            return None;
        }
        self.done = done;
        Some(done)
    }
}

fn decay_and_clip(column: &mut [f32], theta: &[f32], decay: f32, clip: Option<f64>) {
    if decay != 0.0 {
        let pairs = column.iter_mut().zip(theta);
        pairs.for_each(|(g, x)| *g += decay * x);
    }
    let Some(bound) = clip else { return };
    let norm = l2_norm(column);
    if norm > bound {
        let scale = bound / norm;
        column
            .iter_mut()
            .for_each(|g| *g = (f64::from(*g) * scale) as f32);
    }
}

const DONE: &str = "gradients";

/// Entries whose squares are summed as one part: fixed, so that the sum does not depend on the number of threads.
const PART: usize = 1 << 14;

/// ‖g‖₂, summed in float64; NaN or infinite if an entry is.
pub fn l2_norm(gradient: &[f32]) -> f64 {
    let squares: Vec<f64> = gradient
        .par_chunks(PART)
        .map(|part| part.iter().map(|g| f64::from(*g).powi(2)).sum())
        .collect();
    squares.iter().sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradstudy_base::signature::{Args, Call, Value};

    fn momentum() -> TransformSpec {
        let args = [
            ("momentum", Value::Number(0.5)),
            ("nesterov", Value::Boolean(false)),
        ];
        TransformSpec {
            weight_decay: Some(0.5),
            clip: Some(5.0),
            through: Some(Call {
                name: "sgd".to_string(),
                args: Args(args.into_iter().map(|(k, v)| (k.to_string(), v)).collect()),
            }),
        }
    }

    /// θ = (2, 4): g = (2, 2) + (1, 2) has norm 5 and stays; (5, 6) + (1, 2) = (6, 8) is halved; then v ← v/2 + g.
    #[test]
    fn decay_then_clip_then_momentum() {
        let theta = [2.0, 4.0];
        let mut transform = Transform::new(&momentum(), &theta);
        let mut columns = [2.0, 2.0, 5.0, 6.0];
        transform.apply(&mut columns);
        assert_eq!(columns, [3.0, 4.0, 4.5, 6.0]);
    }

    #[test]
    fn a_transform_goes_on_where_it_was_saved() {
        let theta = [1.0, -1.0, 0.5];
        let raw: Vec<f32> = (0..15).map(|i| (i as f32).sin()).collect();
        let mut whole = raw.clone();
        Transform::new(&momentum(), &theta).apply(&mut whole);
        let mut parts = raw.clone();
        let (first, rest) = parts.split_at_mut(6);
        let mut transform = Transform::new(&momentum(), &theta);
        transform.apply(first);
        let state = transform.save().unwrap();
        let mut transform = Transform::new(&momentum(), &theta);
        assert_eq!(transform.restore(&state), Some(2));
        transform.apply(rest);
        assert_eq!(whole, parts);
        assert_eq!(transform.restore(b"no file of this kind"), None);
        let mut wider = Transform::new(&momentum(), &[0.0; 4]);
        assert_eq!(wider.restore(&state), None);
    }
}
