//! Raw examples, as the files have them, before any normalisation.

use super::error::DataError;

/// Raw values of a number of examples, one example after the other.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Pixels, 0 to 255.
    Bytes(Vec<u8>),
    /// 32-bit numbers in units of their own.
    Singles(Vec<f32>),
    /// 64-bit numbers in units of their own.
    Doubles(Vec<f64>),
}

/// The raw examples of one split.
#[derive(Debug, Clone, PartialEq)]
pub struct Examples {
    /// C, H, W of an example.
    pub shape: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// N×C×H×W values, row-major, all finite and within the range of f32.
    pub values: Values,
    /// N class numbers, each below `classes`.
    pub labels: Vec<u32>,
}

impl Values {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Values::Bytes(values) => values.len(),
            Values::Singles(values) => values.len(),
            Values::Doubles(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps the first `count` values.
    pub fn truncate(&mut self, count: usize) {
        match self {
            Values::Bytes(values) => values.truncate(count),
            Values::Singles(values) => values.truncate(count),
            Values::Doubles(values) => values.truncate(count),
        }
    }

    /// The examples at `indices`, each of `size` values. Panics when there is no such example.
    pub fn select(&self, indices: &[usize], size: usize) -> Values {
        fn pick<T: Copy>(values: &[T], indices: &[usize], size: usize) -> Vec<T> {
            let mut picked = Vec::with_capacity(indices.len() * size);
            for index in indices {
                picked.extend_from_slice(&values[index * size..(index + 1) * size]);
            }
            picked
        }
        match self {
            Values::Bytes(values) => Values::Bytes(pick(values, indices, size)),
            Values::Singles(values) => Values::Singles(pick(values, indices, size)),
            Values::Doubles(values) => Values::Doubles(pick(values, indices, size)),
        }
    }

    /// The first value that is not finite or does not fit into f32, and where.
    pub fn first_unusable(&self) -> Option<(usize, f64)> {
        let unusable = |value: f64| value.is_nan() || value.abs() > f64::from(f32::MAX);
        match self {
            Values::Bytes(_) => None,
            Values::Singles(values) => {
                let at = values.iter().position(|&value| unusable(value.into()))?;
                Some((at, values[at].into()))
            }
            Values::Doubles(values) => {
                let at = values.iter().position(|&value| unusable(value))?;
                Some((at, values[at]))
            }
        }
    }
}

impl Examples {
    /// Number of examples, N.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Values of one example, C·H·W.
    pub fn example_size(&self) -> usize {
        self.shape.iter().product()
    }

    /// Number of examples of each class.
    pub fn class_counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.classes];
        self.labels.iter().for_each(|&label| counts[label as usize] += 1);
        counts
    }
}

/// What loading gives, known before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// C, H, W of an example.
    pub shape: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// Number of examples.
    pub examples: u64,
    /// Labels of an example: 1, or as many as a sequence has positions.
    pub positions: usize,
}

/// Reads one split.
pub(super) type ReadSplit<'a> = &'a dyn Fn(super::Split) -> Result<Examples, DataError>;
