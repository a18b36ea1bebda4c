//! Cross-entropy of softmax(logits), PyTorch's `CrossEntropyLoss`, over lanes of samples.

use crate::layers::lanes::{LANES, Lanes};

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
