//! Clipping of the training gradient.

use crate::gradients::transform::l2_norm;

/// What is done to a gradient that is too large.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Clip {
    /// Nothing.
    #[default]
    None,
    /// Its L2 norm over all parameters is scaled down to this bound (`torch.nn.utils.clip_grad_norm_`).
    Norm(f64),
    /// Each entry is cut off at ± this value (`torch.nn.utils.clip_grad_value_`).
    Value(f64),
}

impl Clip {
    /// What a gradient of this norm is multiplied by, to be no longer than `bound`.
    pub(super) fn scale(bound: f64, norm: f64) -> f32 {
        // PyTorch adds 1e-6 to the norm that it divides by.
        let scale = bound / (norm + 1e-6);
        if scale < 1.0 || scale.is_nan() {
            scale as f32
        } else {
            1.0
        }
    }

    /// Clips `gradient`. A gradient that is not finite stays so.
    pub fn apply(self, gradient: &mut [f32]) {
        match self {
            Clip::None => {}
            Clip::Norm(bound) => {
                let scale = Clip::scale(bound, l2_norm(gradient));
                if scale != 1.0 {
                    gradient.iter_mut().for_each(|g| *g *= scale);
                }
            }
            Clip::Value(bound) => {
                let bound = bound as f32;
                gradient.iter_mut().for_each(|g| *g = g.clamp(-bound, bound));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_gradient_is_scaled_and_a_small_one_stays() {
        let mut gradient = [3.0f32, -4.0];
        Clip::Norm(5.1).apply(&mut gradient);
        assert_eq!(gradient, [3.0, -4.0]);
        Clip::Norm(1.0).apply(&mut gradient);
        assert!((gradient[0] - 0.6 * (1.0 - 2e-7)).abs() < 1e-7, "{gradient:?}");
        assert!((gradient[1] + 0.8 * (1.0 - 2e-7)).abs() < 1e-7, "{gradient:?}");
    }

    #[test]
    fn entries_are_cut_off_and_nan_is_not_hidden() {
        let mut gradient = [3.0f32, -0.5, f32::NAN];
        Clip::Value(1.0).apply(&mut gradient);
        assert_eq!(gradient[..2], [1.0, -0.5]);
        assert!(gradient[2].is_nan());
        Clip::Norm(1.0).apply(&mut gradient);
        assert!(gradient.iter().all(|g| g.is_nan()));
    }
}
