//! Loss and accuracy of the training whose weights were measured.

use super::ColumnKind;
use crate::report::number::Format;
use crate::results::TrainingSummary;

/// A column of the training's numbers; no outcome has one.
const fn column(
    name: &'static str,
    summary: &'static str,
    heading: &'static str,
    format: Format,
    training: fn(&TrainingSummary) -> Option<f64>,
) -> ColumnKind {
    ColumnKind {
        name,
        summary,
        heading,
        heading_tex: heading,
        format,
        value: |_| None,
        training: Some(training),
        counts: None,
        paper: None,
    }
}

pub(super) const TRAIN_LOSS: ColumnKind = column(
    "train_loss",
    "mean training loss over the last epoch, each minibatch at the weights of its step",
    "Train loss",
    Format::Significant(3),
    |training| training.train_loss.last,
);

pub(super) const TRAIN_ACCURACY: ColumnKind = column(
    "train_accuracy",
    "percent of the training labels, their noise included, that the trained weights predict",
    "Train accuracy",
    Format::Percent(4),
    |training| training.train_accuracy.last,
);

pub(super) const TEST_LOSS: ColumnKind = column(
    "test_loss",
    "mean cross-entropy of the trained weights on the test split",
    "Test loss",
    Format::Significant(3),
    |training| training.test_loss.last,
);

pub(super) const TEST_ACCURACY: ColumnKind = column(
    "test_accuracy",
    "percent of the test split's labels, without noise, that the trained weights predict",
    "Test accuracy",
    Format::Percent(4),
    |training| training.test_accuracy.last,
);

pub(super) const FIRST_TRAIN_LOSS: ColumnKind = column(
    "first_train_loss",
    "mean training loss over the first epoch",
    "Train loss (first)",
    Format::Significant(3),
    |training| training.train_loss.first,
);

pub(super) const FIRST_TRAIN_ACCURACY: ColumnKind = column(
    "first_train_accuracy",
    "percent of the training labels, their noise included, predicted after the first epoch",
    "Train accuracy (first)",
    Format::Percent(4),
    |training| training.train_accuracy.first,
);

pub(super) const FIRST_TEST_LOSS: ColumnKind = column(
    "first_test_loss",
    "mean cross-entropy on the test split after the first epoch",
    "Test loss (first)",
    Format::Significant(3),
    |training| training.test_loss.first,
);

pub(super) const FIRST_TEST_ACCURACY: ColumnKind = column(
    "first_test_accuracy",
    "percent of the test split's labels, without noise, predicted after the first epoch",
    "Test accuracy (first)",
    Format::Percent(4),
    |training| training.test_accuracy.first,
);
