//! What a test over many samples found: counts first, rates and means derived from them.

mod spectra;

pub use spectra::{DavisKahanOutcome, OverlapOutcome, ShapeOutcome, TurnedEigenvector};

use serde::{Deserialize, Serialize};

use crate::interval::{Interval, wilson_of_effective};
use crate::missing::LeftOut;
use crate::multiple::Rejections;
use crate::sample_values::SampleValues;
use crate::verdicts::Verdicts;

/// Which vectors were tested (the paper's "SG Type"), or that it was one sample such as a spectrum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Columns of G: one iteration's gradient over all parameters.
    Dimension,
    /// Rows of G: one parameter's gradient over all iterations.
    Iteration,
    /// One sample of its own, such as the eigenvalues of a covariance; as a history, its only column.
    Spectrum,
}

impl Direction {
    /// The word that a study and a result write for it.
    pub fn word(self) -> &'static str {
        match self {
            Direction::Dimension => "dimension",
            Direction::Iteration => "iteration",
            Direction::Spectrum => "spectrum",
        }
    }
}

/// Samples that a test cannot be applied to. They count as rejected (d_ks = 1, p = 0).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Degenerate {
    /// All values equal.
    pub constant: u64,
    /// A spread within rounding of the values' size, in a test of normality.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rounding: u64,
    /// Fewer values above zero than the tail asks for, or a tail of equal values.
    pub too_few: u64,
    /// At least one NaN or infinity.
    pub not_finite: u64,
    /// At least one value that is no whole number, in a test of whole numbers.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_whole: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Degenerate {
    /// How many in all.
    pub fn total(&self) -> u64 {
        self.constant + self.rounding + self.too_few + self.not_finite + self.not_whole
    }
}

/// Counts and rate common to every test over many samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Acceptance {
    /// Samples, degenerate ones included.
    pub tested: u64,
    /// Samples whose hypothesis (power law, Gaussian) was not rejected.
    pub accepted: u64,
    /// The degenerate ones among `tested`, by cause.
    pub degenerate: Degenerate,
    /// accepted / tested, in \[0, 1\].
    pub rate: f64,
    /// The verdict on each sample; stored beside outcomes, and empty where that was not done.
    #[serde(skip)]
    pub verdicts: Verdicts,
}

impl Acceptance {
    /// Wilson's 95 % interval of the rate, where the samples are worth `effective` independent ones.
    pub fn interval(&self, effective: f64) -> Interval {
        wilson_of_effective(self.accepted, self.tested, effective, 0.95)
    }
}

/// The power-law KS test over many samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PowerLawOutcome {
    pub acceptance: Acceptance,
    /// Significance level α.
    pub alpha: f64,
    /// Mean KS distance; a degenerate sample counts as 1.
    pub mean_ks_distance: f64,
    /// Critical distance d_c at α for `tail_points`; NaN where every sample is degenerate.
    #[serde(with = "crate::finite_or_null")]
    pub critical_distance: f64,
    /// Points in the tail (K): the lower median over the samples that are not degenerate; 0 if there is none.
    pub tail_points: u64,
    /// Mean β̂ over the samples that are not degenerate; NaN if there is none.
    #[serde(with = "crate::finite_or_null")]
    pub mean_exponent: f64,
    /// Mean standard error of β̂ over the same samples.
    #[serde(with = "crate::finite_or_null", default = "not_measured")]
    pub mean_standard_error: f64,
    /// Mean of 1 + (β̂ − 1)(K − 1)/K over the same samples.
    #[serde(with = "crate::finite_or_null", default = "not_measured")]
    pub mean_corrected_exponent: f64,
    /// Mean ŝ = 1/(β̂ − 1) over the same samples.
    #[serde(with = "crate::finite_or_null")]
    pub mean_zipf_exponent: f64,
    /// Median x_min over the same samples.
    #[serde(with = "crate::finite_or_null")]
    pub median_x_min: f64,
    /// Of a spectrum whose tail reaches below its accuracy: how many values stand above that. The others are rounding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above_rounding: Option<u64>,
    /// Of such a spectrum that is degenerate, so that it has no tail: how many values were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_points: Option<u64>,
    /// Where `bootstrap` asks for replicates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<BootstrapOutcome>,
    /// Where `distances: all` asks for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distances: Option<DistancesOutcome>,
    /// Where `missing: drop` asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
    /// What was found of each sample; stored beside outcomes, and empty where that was not done.
    #[serde(skip)]
    pub samples: SampleValues,
}

/// What an outcome written before there was such a statistic says of it.
fn not_measured() -> f64 {
    f64::NAN
}

/// Bootstrap p-values of the power law over many samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BootstrapOutcome {
    /// Most replicates of one sample.
    pub replicates: u64,
    /// Mean number of replicates over the samples that are not degenerate: a large p-value stops early.
    #[serde(with = "crate::finite_or_null")]
    pub mean_replicates: f64,
    /// Mean p-value; small speaks against the power law. A degenerate sample counts as 0.
    pub mean_p_value: f64,
    /// Monte-Carlo standard error of the mean p-value.
    pub standard_error: f64,
    /// Samples whose p-value exceeds α.
    pub acceptance: Acceptance,
    pub rejections: Rejections,
}

/// Other distances from the fitted power law, over the samples that are not degenerate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DistancesOutcome {
    #[serde(with = "crate::finite_or_null")]
    pub mean_kuiper: f64,
    #[serde(with = "crate::finite_or_null")]
    pub mean_anderson_darling: f64,
}

/// A test of normality over many samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NormalityOutcome {
    pub acceptance: Acceptance,
    /// Significance level α.
    pub alpha: f64,
    /// Points drawn from each sample (K).
    pub points: u64,
    /// Mean p-value; a degenerate sample counts as 0.
    pub mean_p_value: f64,
    /// Mean statistic over the samples that are not degenerate; `None` in outcomes of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_statistic: Option<f64>,
    /// `None` in outcomes of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejections: Option<Rejections>,
    /// Samples with a verdict whose values all lie within ten units of rounding of their mean.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub near_rounding: u64,
    /// Where `missing: drop` asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
    /// What was found of each sample; stored beside outcomes, and empty where that was not done.
    #[serde(skip)]
    pub samples: SampleValues,
}

/// Comparisons of the power law with other laws over many samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlternativesOutcome {
    /// Samples for which no alternative is better.
    pub acceptance: Acceptance,
    /// Level α at which an alternative counts as better.
    pub alpha: f64,
    pub against: Vec<AlternativeOutcome>,
    /// Where `missing: drop` asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
    /// What was found of each sample; stored beside outcomes, and empty where that was not done.
    #[serde(skip)]
    pub samples: SampleValues,
}

/// The comparison with one law over the samples that are not degenerate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlternativeOutcome {
    /// Such as `lognormal`.
    pub alternative: String,
    /// Mean of R = Σ ln f_power/f_alternative.
    #[serde(with = "crate::finite_or_null")]
    pub mean_log_ratio: f64,
    /// Mean of R/(σ√n); positive favours the power law.
    #[serde(with = "crate::finite_or_null")]
    pub mean_normalised: f64,
    #[serde(with = "crate::finite_or_null")]
    pub mean_p_value: f64,
    /// Samples for which the alternative is better at α.
    pub preferred: Acceptance,
    /// Samples for which the power law is better at α.
    pub power_law_preferred: Acceptance,
    /// Medians of the parameters of the law of x/x_min, over the samples for which it is not its limit, the power law.
    pub median_parameters: Vec<(String, f64)>,
}

/// Estimates of the tail index of many samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TailIndexOutcome {
    /// Samples, degenerate ones included.
    pub tested: u64,
    pub degenerate: Degenerate,
    /// Values that each estimate looks at.
    pub points: u64,
    /// Mean ξ̂ = 1/α̂ over the samples that are not degenerate; NaN if there is none.
    #[serde(with = "crate::finite_or_null")]
    pub mean_xi: f64,
    /// Standard deviation of ξ̂ over the same samples (n − 1); NaN for fewer than two.
    #[serde(with = "crate::finite_or_null")]
    pub sd_xi: f64,
    /// Mean asymptotic standard error of ξ̂; NaN where the estimator has none.
    #[serde(with = "crate::finite_or_null")]
    pub mean_standard_error: f64,
    /// Median α̂ over the same samples, NaN where it is infinite: half of them have ξ̂ ≤ 0.
    #[serde(with = "crate::finite_or_null")]
    pub median_tail_index: f64,
    /// Where `missing: drop` asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
    /// What was found of each sample; stored beside outcomes, and empty where that was not done.
    #[serde(skip)]
    pub samples: SampleValues,
}

/// Correlation between samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CorrelationOutcome {
    /// Samples, degenerate ones included.
    pub tested: u64,
    pub degenerate: Degenerate,
    /// Pairs drawn.
    pub pairs: u64,
    /// Mean correlation of a pair; NaN where there is none.
    #[serde(with = "crate::finite_or_null")]
    pub mean: f64,
    /// Mean squared correlation less that of independent samples; may be below zero by chance.
    #[serde(with = "crate::finite_or_null")]
    pub mean_square: f64,
    /// Independent samples that the samples which are not degenerate are worth.
    pub effective: f64,
}

/// What one test statement found along one direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "test", rename_all = "snake_case")]
pub enum Outcome {
    PowerLaw(PowerLawOutcome),
    Normality(NormalityOutcome),
    Alternatives(AlternativesOutcome),
    TailIndex(TailIndexOutcome),
    Correlation(CorrelationOutcome),
    Shape(ShapeOutcome),
    DavisKahan(DavisKahanOutcome),
    Overlap(OverlapOutcome),
    Failed(FailedOutcome),
}

/// What stands in place of an outcome that could not be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedOutcome {
    /// In a few words, such as `diverged at epoch 3`.
    pub reason: String,
    /// What failed, this test or what it needs, and why.
    pub what: String,
}

impl Outcome {
    /// The counts of a test; `None` for what has no verdict.
    pub fn acceptance(&self) -> Option<&Acceptance> {
        match self {
            Outcome::PowerLaw(outcome) => Some(&outcome.acceptance),
            Outcome::Normality(outcome) => Some(&outcome.acceptance),
            Outcome::Alternatives(outcome) => Some(&outcome.acceptance),
            _ => None,
        }
    }

    /// Sets the verdict on each sample, which an outcome's text does not hold.
    pub fn set_verdicts(&mut self, verdicts: Verdicts) {
        match self {
            Outcome::PowerLaw(outcome) => outcome.acceptance.verdicts = verdicts,
            Outcome::Normality(outcome) => outcome.acceptance.verdicts = verdicts,
            Outcome::Alternatives(outcome) => outcome.acceptance.verdicts = verdicts,
            _ => {}
        }
    }

    /// What was found of each sample; `None` for a measurement that has no samples.
    pub fn samples(&self) -> Option<&SampleValues> {
        match self {
            Outcome::PowerLaw(outcome) => Some(&outcome.samples),
            Outcome::Normality(outcome) => Some(&outcome.samples),
            Outcome::Alternatives(outcome) => Some(&outcome.samples),
            Outcome::TailIndex(outcome) => Some(&outcome.samples),
            _ => None,
        }
    }

    /// Says how many values of the tested spectrum stand above its accuracy, of whose tail `asked` points were asked for
    /// (`None`: by no number).
    pub fn set_above_rounding(&mut self, above: u64, asked: Option<u64>) {
        if let Outcome::PowerLaw(outcome) = self {
            outcome.asked_points = asked.filter(|asked| outcome.tail_points == 0 && above < *asked);
            let points = outcome.asked_points.unwrap_or(outcome.tail_points);
            outcome.above_rounding = (above < points).then_some(above);
        }
    }

    /// What `missing: drop` left out, where it was asked for.
    pub fn left_out(&self) -> Option<LeftOut> {
        match self {
            Outcome::PowerLaw(outcome) => outcome.left_out,
            Outcome::Normality(outcome) => outcome.left_out,
            Outcome::Alternatives(outcome) => outcome.left_out,
            Outcome::TailIndex(outcome) => outcome.left_out,
            _ => None,
        }
    }

    /// Says how many values each sample lost by `missing: drop`.
    pub fn set_left_out(&mut self, counts: &[u64]) {
        let (tested, left_out, samples) = match self {
            Outcome::PowerLaw(outcome) => (
                outcome.acceptance.tested,
                &mut outcome.left_out,
                &mut outcome.samples,
            ),
            Outcome::Normality(outcome) => (
                outcome.acceptance.tested,
                &mut outcome.left_out,
                &mut outcome.samples,
            ),
            Outcome::Alternatives(outcome) => (
                outcome.acceptance.tested,
                &mut outcome.left_out,
                &mut outcome.samples,
            ),
            Outcome::TailIndex(outcome) => (outcome.tested, &mut outcome.left_out, &mut outcome.samples),
            _ => return,
        };
        let mut found = LeftOut::of(counts);
        // Rows or columns that were tested as one sample.
        found.samples = found.samples.min(tested);
        *left_out = Some(found);
        if counts.len() as u64 == tested {
            samples.add("left_out", counts.iter().map(|count| *count as f64));
        }
    }

    /// Sets what was found of each sample, which an outcome's text does not hold.
    pub fn set_samples(&mut self, samples: SampleValues) {
        match self {
            Outcome::PowerLaw(outcome) => outcome.samples = samples,
            Outcome::Normality(outcome) => outcome.samples = samples,
            Outcome::Alternatives(outcome) => outcome.samples = samples,
            Outcome::TailIndex(outcome) => outcome.samples = samples,
            _ => {}
        }
    }
}
