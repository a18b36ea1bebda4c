//! Which samples make up minibatch t.

use rand::RngExt;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use gradstudy_base::seed;

/// How minibatches are drawn from the data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Without replacement, reshuffled each epoch, the last partial batch dropped.
    Shuffled,
    /// With replacement.
    Replacement,
    /// The first B samples, the next B, …; from the start again after the last full batch.
    Sequential,
    /// All samples in the order of the data set: what drawing B = N of them without replacement comes to, as a sum has
    /// no order. Not a word of the language.
    Full,
}

impl Order {
    /// The order called `name` in a study.
    pub fn parse(name: &str) -> Option<Order> {
        match name {
            "shuffled" => Some(Order::Shuffled),
            "replacement" => Some(Order::Replacement),
            "sequential" => Some(Order::Sequential),
            _ => None,
        }
    }

    /// The order in which minibatches of `batch` of `examples` samples come.
    pub fn of(self, batch: u64, examples: u64) -> Order {
        match self {
            Order::Shuffled | Order::Sequential if batch == examples => Order::Full,
            order => order,
        }
    }
}

/// A source of minibatches that can start anywhere, so that an interrupted recording resumes with the same batches.
#[derive(Debug, Clone)]
pub struct Batches {
    pub order: Order,
    /// Samples in the data set, N.
    pub examples: usize,
    /// Samples in a minibatch, B ≤ N.
    pub batch: usize,
    pub seed: u64,
    epoch: Option<(usize, Vec<u32>)>,
}

impl Batches {
    /// Minibatches of `batch` of `examples` samples. Panics unless 1 ≤ batch ≤ examples: checked before.
    pub fn new(order: Order, examples: usize, batch: usize, seed: u64) -> Self {
        assert!(
            1 <= batch && batch <= examples,
            "batch {batch} of {examples} examples"
        );
        Batches {
            order,
            examples,
            batch,
            seed,
            epoch: None,
        }
    }

    /// Minibatches in one pass over the data.
    pub fn per_epoch(&self) -> usize {
        self.examples / self.batch
    }

    /// Appends the sample indices of minibatch `t`.
    pub fn extend(&mut self, t: usize, indices: &mut Vec<u32>) {
        let first = (t % self.per_epoch()) * self.batch;
        match self.order {
            Order::Full => indices.extend(0..self.examples as u32),
            Order::Sequential => indices.extend(first as u32..(first + self.batch) as u32),
            Order::Replacement => {
                let mut rng = seed::rng(self.seed, &format!("minibatch {t}"));
                indices.extend((0..self.batch).map(|_| rng.random_range(0..self.examples as u32)));
            }
            Order::Shuffled => {
                let batch = first..first + self.batch;
                indices.extend_from_slice(&self.permutation(t / self.per_epoch())[batch]);
            }
        }
    }

    /// The sample indices of minibatches `range`, one after the other.
    pub fn indices(&mut self, range: std::ops::Range<usize>) -> Vec<u32> {
        let mut indices = Vec::with_capacity(range.len() * self.batch);
        range.for_each(|t| self.extend(t, &mut indices));
        indices
    }

    fn permutation(&mut self, epoch: usize) -> &[u32] {
        if self.epoch.as_ref().is_none_or(|(cached, _)| *cached != epoch) {
            let mut permutation: Vec<u32> = (0..self.examples as u32).collect();
            permutation.shuffle(&mut seed::rng(self.seed, &format!("order of epoch {epoch}")));
            self.epoch = Some((epoch, permutation));
        }
        self.epoch.as_ref().map_or(&[], |(_, permutation)| permutation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffled_epoch_visits_every_sample_once() {
        let mut batches = Batches::new(Order::Shuffled, 12, 4, 7);
        for epoch in 0..2 {
            let mut seen = batches.indices(3 * epoch..3 * (epoch + 1));
            seen.sort_unstable();
            assert_eq!(seen, (0..12).collect::<Vec<_>>());
        }
        assert_ne!(batches.indices(0..3), batches.indices(3..6));
    }

    #[test]
    fn the_last_partial_batch_is_dropped() {
        let mut batches = Batches::new(Order::Sequential, 10, 4, 0);
        assert_eq!(batches.indices(1..3), [4, 5, 6, 7, 0, 1, 2, 3]);
    }

    #[test]
    fn any_minibatch_can_be_drawn_first() {
        for order in [Order::Shuffled, Order::Replacement, Order::Sequential] {
            let all = Batches::new(order, 50, 7, 3).indices(0..20);
            let late = Batches::new(order, 50, 7, 3).indices(13..20);
            assert_eq!(all[13 * 7..], late[..]);
        }
    }

    #[test]
    fn the_full_batch_is_one_minibatch() {
        assert_eq!(Order::Shuffled.of(12, 12), Order::Full);
        assert_eq!(Order::Shuffled.of(11, 12), Order::Shuffled);
        // Drawn with replacement, twelve of twelve are not all of them.
        assert_eq!(Order::Replacement.of(12, 12), Order::Replacement);
        let indices = Batches::new(Order::Full, 3, 3, 7).indices(4..6);
        assert_eq!(indices, [0, 1, 2, 0, 1, 2]);
    }
}
