//! Results as data: what a run measured, each value with the identity of what it was measured on.

mod effective;
mod training;

pub use effective::EffectiveNumbers;
pub use training::{FirstAndLast, TrainingFacts, TrainingSummary};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use gradstudy_lang::study::LevelValue;
use gradstudy_nn::spectra::Spectrum;
use gradstudy_stats::outcome::{Direction, Outcome};

/// The layout of `results.yaml`; raised when a reader of the old layout would misread the new.
pub const FORMAT_VERSION: u32 = 1;

/// Everything that one run measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    pub format_version: u32,
    /// Title of the study.
    pub study: String,
    /// What the levels of `vary` factors stand for; empty in results of older versions.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub factors: Factors,
    /// In the order of the study: test, case, seed, direction.
    pub measurements: Vec<Measurement>,
}

impl Results {
    /// Without the measurements that could not be made.
    pub fn made(&self) -> Results {
        let failed = |it: &Measurement| matches!(it.outcome, Outcome::Failed(_));
        Results {
            measurements: self
                .measurements
                .iter()
                .filter(|it| !failed(it))
                .cloned()
                .collect(),
            ..self.clone()
        }
    }
}

/// The levels that are numbers or truth values, by factor and label. Levels of other kinds (words, texts, cases) are
/// not in it: their label is all there is.
pub type Factors = IndexMap<String, IndexMap<String, LevelValue>>;

/// Every spectrum of a run, stored beside its results.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Spectra {
    pub format_version: u32,
    /// In the order of the study.
    pub spectra: Vec<MeasuredSpectrum>,
}

/// One spectrum and what it is of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasuredSpectrum {
    /// Name of the `spectrum` statement.
    pub name: String,
    /// Name of the `record` statement; empty for the spectrum of a loss.
    pub record: String,
    pub subject: Subject,
    /// Study seed.
    pub seed: u64,
    /// Levels of the `vary` factors in this case, as (factor, label).
    pub levels: Vec<(String, String)>,
    /// Id of the step that computed it.
    pub step: String,
    pub spectrum: Spectrum,
}

/// One test along one direction of one gradient history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Name of the `test` statement.
    pub test: String,
    /// Name of the `record` statement.
    pub record: String,
    /// Name of the `spectrum` statement, where a spectrum was tested; none in results of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spectrum: Option<String>,
    pub subject: Subject,
    /// Study seed.
    pub seed: u64,
    /// Levels of the `vary` factors in this case, as (factor, label).
    pub levels: Vec<(String, String)>,
    pub direction: Direction,
    /// Id of the step that measured it.
    pub step: String,
    /// The training whose weights were measured; none of other weights, or in results of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<TrainingSummary>,
    pub outcome: Outcome,
}

/// What was tested, in words that hold across studies: what a row of the paper's tables is matched by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// As printed, such as `MNIST`.
    pub dataset: String,
    /// As printed, such as `LeNet`.
    pub model: String,
    /// `random` at the initial weights, `pretrain` after a `train` statement, `loaded` from a file.
    pub training: String,
    /// Minibatch size B.
    pub batch: u64,
    /// Iterations T.
    pub iterations: u64,
    /// Parameters n.
    pub parameters: u64,
    /// The spectrum that was tested, such as `covariance`; none for rows and columns of the history itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spectrum: Option<String>,
    /// Which parameters alone: the module, or the pattern of `layers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<String>,
}
