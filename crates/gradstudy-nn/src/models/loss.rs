//! Cross-entropy of softmax(logits), PyTorch's `CrossEntropyLoss`, over lanes of samples.

use pulp::{Arch, Simd, WithSimd};

use crate::layers::lanes::{LANES, Lanes};
use crate::layers::vector_math::exp;

/// Each sample's loss −ln softmax(logits)\[label\]; `grad` ← `scale` · (softmax − onehot), zero beyond `labels`.
pub fn cross_entropy(logits: &[Lanes], labels: &[u32], scale: f32, grad: &mut [Lanes]) -> [f32; LANES] {
    let mut losses = [0.0; LANES];
    grad.fill(Lanes::default());
    for (lane, label) in labels.iter().enumerate() {
        let logit = |class: usize| logits[class].0[lane];
        let max = (0..logits.len()).map(logit).fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = (0..logits.len()).map(|class| (logit(class) - max).exp()).sum();
        for (class, grad) in grad.iter_mut().enumerate() {
            let target = if class == *label as usize { 1.0 } else { 0.0 };
            grad.0[lane] = scale * ((logit(class) - max).exp() / sum - target);
        }
        losses[lane] = sum.ln() + max - logit(*label as usize);
    }
    losses
}

/// Each sample's mean over its positions of −ln softmax(logits)\[label\], from logits \[classes, positions\]: the mean
/// that PyTorch's `CrossEntropyLoss` takes over all positions of all samples, as these are equally long. `labels`
/// holds those of one sample after the other; `grad` as in [`cross_entropy`].
pub fn sequence_cross_entropy(
    logits: &[Lanes],
    labels: &[u32],
    positions: usize,
    scale: f32,
    grad: &mut [Lanes],
) -> [f32; LANES] {
    let (mut max, mut sum) = (
        vec![Lanes::default(); positions],
        vec![Lanes::default(); positions],
    );
    Arch::new().dispatch(Exponentials {
        logits,
        grad: &mut *grad,
        max: &mut max,
        sum: &mut sum,
    });
    let scale = scale / positions as f32;
    let mut losses = [0.0; LANES];
    for (lane, labels) in labels.chunks_exact(positions).enumerate() {
        for (position, label) in labels.iter().enumerate() {
            let at = *label as usize * positions + position;
            let (max, sum) = (max[position].0[lane], sum[position].0[lane]);
            losses[lane] += (sum.ln() + max - logits[at].0[lane]) / positions as f32;
        }
    }
    let filled = labels.len() / positions;
    sum.iter_mut().for_each(|sum| {
        let of = |lane: usize| if lane < filled { scale / sum.0[lane] } else { 0.0 };
        *sum = Lanes(std::array::from_fn(of));
    });
    for row in grad.chunks_exact_mut(positions) {
        for (grad, factor) in row.iter_mut().zip(&sum) {
            grad.0.iter_mut().zip(factor.0).for_each(|(g, f)| *g *= f);
        }
    }
    for (lane, labels) in labels.chunks_exact(positions).enumerate() {
        for (position, label) in labels.iter().enumerate() {
            grad[*label as usize * positions + position].0[lane] -= scale;
        }
    }
    losses
}

/// For each position: the largest logit, exp(logit − largest) of each into `grad`, and the sum of these.
struct Exponentials<'a> {
    logits: &'a [Lanes],
    grad: &'a mut [Lanes],
    max: &'a mut [Lanes],
    sum: &'a mut [Lanes],
}

impl WithSimd for Exponentials<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let positions = self.max.len();
        self.max.fill(Lanes([f32::NEG_INFINITY; LANES]));
        for row in self.logits.chunks_exact(positions) {
            for (max, logit) in self.max.iter_mut().zip(row) {
                for lane in 0..LANES {
                    let larger = logit.0[lane] > max.0[lane];
                    max.0[lane] = if larger { logit.0[lane] } else { max.0[lane] };
                }
            }
        }
        let rows = self.logits.chunks_exact(positions);
        for (row, grad) in rows.zip(self.grad.chunks_exact_mut(positions)) {
            for p in 0..positions {
                for lane in 0..LANES {
                    let power = exp(row[p].0[lane] - self.max[p].0[lane]);
                    grad[p].0[lane] = power;
                    self.sum[p].0[lane] += power;
                }
            }
        }
    }
}
