//! The loss at the logits of one group of samples: its gradient δ and its second derivative, both in float64 from
//! float32 logits, so that nothing cancels when a network is sure of its answer.

use crate::layers::lanes::{LANES, Lanes};

/// Softmax and gradient of the cross-entropy for up to sixteen samples; zero in lanes without a sample.
#[derive(Debug, Default)]
pub struct Softmax {
    /// p, \[classes\] × lanes.
    probabilities: Vec<[f64; LANES]>,
    /// δ = p − onehot(label).
    delta: Vec<[f64; LANES]>,
    /// The likeliest class of each lane.
    likeliest: [usize; LANES],
    samples: usize,
}

impl Softmax {
    /// Takes the logits of the samples with these labels (each below the number of logits).
    pub fn load(&mut self, logits: &[Lanes], labels: &[u32]) {
        let zero = [0.0; LANES];
        self.probabilities.clear();
        self.probabilities.resize(logits.len(), zero);
        self.delta.clear();
        self.delta.resize(logits.len(), zero);
        self.samples = labels.len();
        for (lane, label) in labels.iter().enumerate() {
            let logit = |class: usize| f64::from(logits[class].0[lane]);
            let top = (0..logits.len()).fold(0, |best, c| if logit(c) > logit(best) { c } else { best });
            self.likeliest[lane] = top;
            let mut sum = 0.0;
            for class in 0..logits.len() {
                let e = (logit(class) - logit(top)).exp();
                self.probabilities[class][lane] = e;
                sum += e;
            }
            let label = *label as usize;
            let mut others = 0.0;
            for class in 0..logits.len() {
                let p = self.probabilities[class][lane] / sum;
                self.probabilities[class][lane] = p;
                self.delta[class][lane] = p;
                others += if class == label { 0.0 } else { p };
            }
            // p − 1 of the label, without cancelling.
            self.delta[label][lane] = -others;
        }
    }

    /// δ, the gradient of each sample's loss in its logits.
    pub fn delta(&self, out: &mut [Lanes]) {
        for (out, delta) in out.iter_mut().zip(&self.delta) {
            *out = Lanes(delta.map(|d| d as f32));
        }
    }

    /// `out` ← (diag(p) − p pᵀ) `tangent`, each sample's Hessian in its logits.
    pub fn hessian(&self, tangent: &[Lanes], out: &mut [Lanes]) {
        out.fill(Lanes::default());
        for lane in 0..self.samples {
            // The Hessian does not see a shift of all logits: the likeliest becomes zero, so that no
            // difference of nearly equal numbers is taken where p is nearly one.
            let base = f64::from(tangent[self.likeliest[lane]].0[lane]);
            let shifted = |class: usize| f64::from(tangent[class].0[lane]) - base;
            let mean: f64 = (0..tangent.len())
                .map(|c| self.probabilities[c][lane] * shifted(c))
                .sum();
            for (class, out) in out.iter_mut().enumerate() {
                out.0[lane] = (self.probabilities[class][lane] * (shifted(class) - mean)) as f32;
            }
        }
    }

    /// `out` ← δ δᵀ `tangent`.
    pub fn fisher(&self, tangent: &[Lanes], out: &mut [Lanes]) {
        out.fill(Lanes::default());
        for lane in 0..self.samples {
            let slope: f64 = (tangent.iter().zip(&self.delta))
                .map(|(t, d)| f64::from(t.0[lane]) * d[lane])
                .sum();
            for (out, delta) in out.iter_mut().zip(&self.delta) {
                out.0[lane] = (delta[lane] * slope) as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(values: &[[f64; 2]]) -> Vec<Lanes> {
        let lane = |v: &[f64; 2]| {
            let mut lanes = [0.0; LANES];
            lanes[..2].copy_from_slice(&v.map(|v| v as f32));
            Lanes(lanes)
        };
        values.iter().map(lane).collect()
    }

    #[test]
    fn two_classes_have_the_closed_form() {
        // p₀ = 1/(1 + e^(z₁ − z₀)), Hessian p₀p₁ [[1, −1], [−1, 1]].
        let mut softmax = Softmax::default();
        softmax.load(&lanes(&[[0.5, 40.0], [-0.25, 0.0]]), &[1, 0]);
        let tangent = lanes(&[[2.0, 1.0], [1.0, 3.0]]);
        let mut out = vec![Lanes::default(); 2];
        softmax.hessian(&tangent, &mut out);
        for (lane, (gap, t)) in [(0.75f64, 1.0), (40.0, -2.0)].into_iter().enumerate() {
            let p = (-gap).exp() / (1.0 + (-gap).exp());
            let expected = p * (1.0 - p) * t;
            assert!(
                (f64::from(out[0].0[lane]) / expected - 1.0).abs() < 1e-6,
                "lane {lane}"
            );
            assert!(
                (f64::from(out[1].0[lane]) / expected + 1.0).abs() < 1e-6,
                "lane {lane}"
            );
        }
        softmax.delta(&mut out);
        let sure = -(-40f64).exp() / (1.0 + (-40f64).exp());
        assert!((f64::from(out[0].0[1]) / sure - 1.0).abs() < 1e-6);
        assert_eq!(out[0].0[2..], [0.0; LANES - 2]);
    }

    #[test]
    fn fisher_is_the_outer_product_of_delta() {
        let mut softmax = Softmax::default();
        softmax.load(&lanes(&[[0.5, 1.0], [-0.25, 0.0]]), &[1, 0]);
        let (mut delta, mut out) = (vec![Lanes::default(); 2], vec![Lanes::default(); 2]);
        softmax.delta(&mut delta);
        softmax.fisher(&lanes(&[[2.0, 1.0], [1.0, 3.0]]), &mut out);
        for (lane, t) in [[2.0, 1.0], [1.0, 3.0]].into_iter().enumerate() {
            let slope = delta[0].0[lane] * t[0] + delta[1].0[lane] * t[1];
            assert!((out[0].0[lane] - delta[0].0[lane] * slope).abs() < 1e-6);
        }
    }
}
