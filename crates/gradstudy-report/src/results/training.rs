//! What is known of the training that weights come from.

use serde::{Deserialize, Serialize};

use gradstudy_nn::training::Evaluation;

/// What is known of trained weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingFacts {
    pub epochs: usize,
    /// Mean loss of each epoch, each minibatch at the weights of its step.
    pub losses: Vec<f64>,
    /// Fraction of the training labels predicted right at the final weights, the noise on them included.
    pub train_accuracy: f64,
    /// Fraction of the test split's own labels predicted right there, if the data set has such a split.
    pub test_accuracy: Option<f64>,
    /// Mean cross-entropy on the test split there; `None` in facts of older versions as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_loss: Option<f64>,
    /// How well the weights after the first epoch predict; `None` in facts of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Evaluation>,
    /// Classes of the data, so that an accuracy at chance can be told; `None` in facts of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<usize>,
}

/// A number after the first epoch of a training and after the last; `None` where it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FirstAndLast {
    pub first: Option<f64>,
    pub last: Option<f64>,
}

/// How the training went whose weights were measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingSummary {
    /// Id of the step that trained.
    pub step: String,
    pub epochs: u64,
    /// Mean loss of the epoch.
    pub train_loss: FirstAndLast,
    pub train_accuracy: FirstAndLast,
    pub test_loss: FirstAndLast,
    pub test_accuracy: FirstAndLast,
    /// Accuracy of guessing: one over the classes; `None` where these are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chance: Option<f64>,
}

impl TrainingFacts {
    /// The ends of the training that step `id` is.
    pub fn summary(&self, id: &str) -> TrainingSummary {
        let of_first = |value: fn(&Evaluation) -> Option<f64>| self.first.as_ref().and_then(value);
        TrainingSummary {
            step: id.to_string(),
            epochs: self.epochs as u64,
            train_loss: FirstAndLast {
                first: self.losses.first().copied(),
                last: self.losses.last().copied(),
            },
            train_accuracy: FirstAndLast {
                first: of_first(|it| Some(it.train_accuracy)),
                last: Some(self.train_accuracy),
            },
            test_loss: FirstAndLast {
                first: of_first(|it| it.test_loss),
                last: self.test_loss,
            },
            test_accuracy: FirstAndLast {
                first: of_first(|it| it.test_accuracy),
                last: self.test_accuracy,
            },
            chance: self.classes.map(|classes| 1.0 / classes as f64),
        }
    }
}
