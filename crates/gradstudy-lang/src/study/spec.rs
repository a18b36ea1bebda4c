//! The checked study.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::label_noise;
use crate::syntax::Span;
use crate::syntax::ast::Comparison;
use gradstudy_base::signature::{Args, Call, FilePath};
use gradstudy_stats::outcome::Direction;

/// A study whose every name is resolved and whose every default is written out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Study {
    pub title: String,
    /// Names the study's folder of reports: the file's stem in lower case, words joined by `-`.
    pub slug: String,
    /// One repeat of everything for each.
    pub seeds: Vec<u64>,
    /// One for each point of each grid, the last factor fastest; one if there is no factor. Factors are crossed with
    /// those that the same statement, or a table that shows several, depends on.
    pub cases: Vec<Case>,
    pub tables: Vec<TableSpec>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<FigureSpec>,
    /// What the command line changed: the profile and each `--set`, as given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<String>,
    /// The files that it takes by `use`, in the order in which they are read; what they say is in the rest.
    #[serde(skip)]
    pub files: Vec<UsedFile>,
}

/// A file that a study takes by `use`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedFile {
    /// Its path from the folder of the study.
    pub name: String,
    /// BLAKE3 of its text.
    pub digest: String,
}

/// The study at one point of the grid. Maps are keyed by the statements' names, in the order of the text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The point: one level for each factor.
    pub levels: Vec<Level>,
    /// Records, spectra and tests that another case measures: here others speak of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<String>,
    pub data: IndexMap<String, DataSpec>,
    pub models: IndexMap<String, ModelSpec>,
    pub trains: IndexMap<String, TrainSpec>,
    pub records: IndexMap<String, RecordSpec>,
    /// The `record` statements of numbers in files.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub arrays: IndexMap<String, ArraySpec>,
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub spectra: IndexMap<String, SpectrumSpec>,
    pub tests: IndexMap<String, TestSpec>,
}

/// A `data` statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataSpec {
    #[serde(flatten)]
    pub call: Call,
    /// The noise put on the labels.
    #[serde(default = "clean", skip_serializing_if = "is_clean")]
    pub labels: Call,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asserts: Vec<Assertion>,
}

fn clean() -> Call {
    Call {
        name: label_noise::CLEAN.name.to_string(),
        args: Args::default(),
    }
}

/// Whether the labels are as they are.
pub fn is_clean(labels: &Call) -> bool {
    labels.name == label_noise::CLEAN.name
}

/// A `spectrum` statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpectrumSpec {
    /// All its settings; `of` (and `on`) hold names of statements.
    #[serde(flatten)]
    pub call: Call,
}

/// A `figure` statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FigureSpec {
    pub name: String,
    /// The kind of figure and its settings.
    pub call: Call,
    /// The figure of the paper that it is made after.
    pub mirrors: Option<u32>,
    pub caption: Option<String>,
}

/// Which level a factor takes in a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Level {
    pub factor: String,
    /// As labelled in the study, or as written there.
    pub label: String,
    /// What it stands for, if that is a number or a truth value. The settings it goes into are in the resolved study.
    #[serde(skip)]
    pub value: Option<LevelValue>,
}

/// A level that is a number or a truth value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LevelValue {
    Integer(i64),
    /// `20%` is 0.2.
    Number(f64),
    Boolean(bool),
}

/// A `model` statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelSpec {
    pub call: Call,
    /// A file of initial weights in place of random ones.
    pub weights: Option<FilePath>,
    pub asserts: Vec<Assertion>,
}

/// What must hold before the study may run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assertion {
    /// What is compared: `parameters` of a model, `examples` or `classes` of data.
    pub subject: String,
    pub op: Comparison,
    pub value: f64,
    #[serde(skip)]
    pub span: Span,
}

/// A `train` statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainSpec {
    /// The optimizer's own settings.
    pub optimizer: Call,
    /// The model trained, or the training continued.
    pub of: String,
    /// The data.
    pub on: String,
    pub epochs: u64,
    /// Samples per minibatch.
    pub batch: u64,
    pub decay: Option<Decay>,
    /// Another way for the learning rate to move than `decay`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Bound of the gradient's global L2 norm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
    /// Bound of the magnitude of each entry of the gradient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_value: Option<f64>,
    /// What is done to the training images, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub augment: Vec<Call>,
}

/// Step decay: the learning rate is multiplied by `factor` at each milestone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decay {
    pub factor: f64,
    pub at: Vec<Milestone>,
}

/// A point of a training. In text a whole number is an epoch, anything else a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Milestone {
    /// After this many epochs.
    Epoch(u64),
    /// After this fraction of the epochs, in (0, 1).
    Fraction(f64),
}

impl Milestone {
    /// The epochs done when the rate drops, out of `epochs` (a fraction is rounded down).
    pub fn epoch(self, epochs: u64) -> u64 {
        match self {
            Milestone::Epoch(epoch) => epoch,
            Milestone::Fraction(fraction) => (fraction * epochs as f64 + 1e-9).floor() as u64,
        }
    }

    /// The same without rounding.
    pub fn epochs(self, epochs: u64) -> f64 {
        match self {
            Milestone::Epoch(epoch) => epoch as f64,
            Milestone::Fraction(fraction) => fraction * epochs as f64,
        }
    }

    /// Whether this is where the training begins.
    pub fn is_zero(self) -> bool {
        self.epochs(1) == 0.0
    }
}

/// How the learning rate moves from `lr`, after a warm-up if there is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    #[serde(flatten)]
    pub shape: ScheduleShape,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<Warmup>,
    pub each: Each,
}

/// What the learning rate does once it is warm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "shape", rename_all = "snake_case")]
pub enum ScheduleShape {
    /// It stays.
    Constant,
    /// It falls by equal differences, to this part of `lr` where the training ends.
    Linear { to: f64 },
    /// It falls along half a cosine, to this part of `lr` where the training ends.
    Cosine { to: f64 },
    /// It drops at milestones.
    Steps { decay: Decay },
}

/// The learning rate rises by equal differences, from `from` of `lr` to `lr`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Warmup {
    pub lasts: Milestone,
    pub from: f64,
}

/// How often the learning rate moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Each {
    /// With each minibatch.
    Step,
    /// With each pass over the data.
    Epoch,
}

/// A `record` statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordSpec {
    /// What is recorded; `args` holds only settings that have no field below.
    pub call: Call,
    /// The model (at its initial weights) or training (at its final ones) whose gradients are recorded.
    pub of: String,
    pub on: String,
    /// Samples per minibatch (B).
    pub batch: u64,
    /// Minibatches (T).
    pub iterations: u64,
    /// `shuffled`, `replacement` or `sequential`.
    pub order: String,
    /// Whether the history itself stays in the cache.
    pub keep: bool,
    /// The glob over names of parameter tensors whose rows are kept; all rows if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<String>,
    /// The statistics that batch normalisation goes by.
    #[serde(default, skip_serializing_if = "BatchNorm::is_default")]
    pub batch_norm: BatchNorm,
    #[serde(flatten)]
    pub transform: TransformSpec,
}

/// A `record` statement of the user's own numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArraySpec {
    /// `file` with its settings.
    #[serde(flatten)]
    pub call: Call,
}

/// The statistics that batch normalisation goes by while gradients are recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchNorm {
    /// Those of each minibatch, as in training.
    #[default]
    Batch,
    /// The running ones that training has averaged, as when a network is used.
    Running,
}

impl BatchNorm {
    /// Whether it is what holds when a study says nothing.
    pub fn is_default(&self) -> bool {
        *self == BatchNorm::default()
    }
}

/// What is done to each gradient before it is a column, in the order of the fields.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TransformSpec {
    /// λ, if it is not 0: λθ is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// The bound that the L2 norm is scaled down to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
    /// The optimizer whose direction takes the gradient's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<Call>,
}

impl TransformSpec {
    /// Whether gradients stay as they are.
    pub fn is_identity(&self) -> bool {
        *self == TransformSpec::default()
    }
}

/// A `test` statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestSpec {
    /// The test; `args` holds its settings without `of` and `along`.
    pub call: Call,
    /// The record or spectrum tested.
    pub of: String,
    pub along: Vec<Direction>,
}

/// A `table` statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableSpec {
    pub name: String,
    /// Names of tests.
    pub of: Vec<String>,
    /// Row keys of the vocabulary and names of factors.
    pub rows: Vec<String>,
    pub columns: Vec<String>,
    /// The table of the paper whose printed numbers stand beside ours.
    pub mirrors: Option<u32>,
    pub caption: Option<String>,
    /// What stands behind ±.
    #[serde(default, skip_serializing_if = "Spread::is_default")]
    pub spread: Spread,
    /// Headings in place of the usual ones, by the names of columns, row keys and factors.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub headings: IndexMap<String, String>,
    /// Whether the sentence on definitions stands behind the caption.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub definitions: bool,
}

fn yes() -> bool {
    true
}

/// What is told of the values of several seeds beside their mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Spread {
    /// The sample standard deviation.
    #[default]
    Sd,
    /// Half the width of the mean's 95 % confidence interval, by Student's t.
    Ci95,
}

impl Spread {
    /// Whether it is what holds when a study says nothing.
    pub fn is_default(&self) -> bool {
        *self == Spread::default()
    }
}
