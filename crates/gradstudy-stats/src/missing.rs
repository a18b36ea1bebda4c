//! What a test does with values that are no finite numbers: NaN, which stands for a missing value, and ±∞.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use gradstudy_base::signature::{Args, Default, Param, ParamType, Value};

/// `missing: drop`
pub(super) const MISSING: Param = Param {
    name: "missing",
    ty: ParamType::Word(&["degenerate", "drop"]),
    default: Default::Absent,
    doc: "a NaN or an infinity: `drop` leaves it out of its sample and counts it; else (`degenerate`) its sample has no \
          verdict",
};

/// What is done with a value that is no finite number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MissingValues {
    /// Its sample is degenerate.
    #[default]
    Degenerate,
    /// It is left out, and the test made of the others in their order.
    Drop,
}

impl MissingValues {
    /// Reads checked arguments; where the setting is not written, or the test has none, such samples are degenerate.
    pub fn of(args: &Args) -> Self {
        match args.get("missing") {
            Some(Value::Text(word)) if word == "drop" => MissingValues::Drop,
            _ => MissingValues::Degenerate,
        }
    }

    /// The values that are tested.
    pub(super) fn kept(self, values: &[f64]) -> Cow<'_, [f64]> {
        match self {
            MissingValues::Drop if values.iter().any(|x| !x.is_finite()) => {
                Cow::Owned(values.iter().copied().filter(|x| x.is_finite()).collect())
            }
            _ => Cow::Borrowed(values),
        }
    }

    /// As [`MissingValues::kept`], in a buffer that is used again.
    pub(super) fn kept_in<'a>(self, values: &'a [f32], buffer: &'a mut Vec<f32>) -> &'a [f32] {
        match self {
            MissingValues::Drop if values.iter().any(|x| !x.is_finite()) => {
                buffer.clear();
                buffer.extend(values.iter().filter(|x| x.is_finite()));
                buffer
            }
            _ => values,
        }
    }
}

/// Values that `missing: drop` left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// How many values, in all samples together.
    pub values: u64,
    /// Samples that had such a value.
    pub samples: u64,
}

impl LeftOut {
    /// Of how many values each sample lost.
    pub fn of(counts: &[u64]) -> Self {
        LeftOut {
            values: counts.iter().sum(),
            samples: counts.iter().filter(|count| **count > 0).count() as u64,
        }
    }
}
