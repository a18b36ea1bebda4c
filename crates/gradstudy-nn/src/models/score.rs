//! How well logits fit labels.

use std::ops::AddAssign;

/// Sums over labels: one for each sample, or for each position of a sequence.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Score {
    pub labels: u64,
    /// Labels that have the largest logit; of equal logits the last counts.
    pub correct: u64,
    /// Sum of the cross-entropies −ln softmax(logits)\[label\], in natural logarithms.
    pub loss: f64,
}

impl Score {
    /// Counts one label with the logits of its classes.
    pub fn add(&mut self, logits: impl Iterator<Item = f32> + Clone, label: u32) {
        let (mut best, mut max) = (0, f32::NEG_INFINITY);
        let mut of_label = f32::NAN;
        for (class, logit) in logits.clone().enumerate() {
            if logit.total_cmp(&max).is_ge() {
                (best, max) = (class, logit);
            }
            if class == label as usize {
                of_label = logit;
            }
        }
        let sum: f64 = logits.map(|logit| f64::from(logit - max).exp()).sum();
        self.labels += 1;
        self.correct += u64::from(best == label as usize);
        self.loss += sum.ln() - f64::from(of_label - max);
    }

    /// Mean cross-entropy; NaN of no labels.
    pub fn mean_loss(&self) -> f64 {
        self.loss / self.labels as f64
    }

    /// Fraction of the labels that have the largest logit; NaN of no labels.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.labels as f64
    }
}

impl AddAssign for Score {
    fn add_assign(&mut self, other: Score) {
        self.labels += other.labels;
        self.correct += other.correct;
        self.loss += other.loss;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_and_accuracy_of_two_labels() {
        let mut score = Score::default();
        score.add([0.0, 3.0_f32.ln()].into_iter(), 1);
        score.add([5.0, 5.0, -1.0e4].into_iter(), 0);
        assert_eq!((score.labels, score.correct), (2, 1));
        // ln(4/3) and ln 2.
        assert!((score.loss - (8.0_f64 / 3.0).ln()).abs() < 1e-7, "{score:?}");
        assert_eq!(score.accuracy(), 0.5);
    }

    #[test]
    fn a_logit_far_below_costs_its_distance() {
        let mut score = Score::default();
        score.add([-1000.0, 1000.0].into_iter(), 0);
        assert_eq!(score.mean_loss(), 2000.0);
    }
}
