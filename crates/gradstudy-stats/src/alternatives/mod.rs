//! Whether another law fits the tail better than the power law: likelihood-ratio tests (Q. H. Vuong, Econometrica 57
//! (1989); Clauset, Shalizi and Newman, SIAM Review 51 (2009), section 5 and appendix C).

mod exponential;
mod kind;
mod lognormal;
mod stretched_exponential;
mod truncated_power_law;

use statrs::function::erf::erfc;

use super::degenerate::Cause;
use super::ks::Ecdf;
use super::power_law::{PowerLawFit, PowerLawSettings, fit_tail};
use super::tail::TailRule;

pub use kind::{Alternatives, AlternativesSettings, SIGNATURE};

/// A law that is compared with the power law from the same x_min on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alternative {
    Lognormal,
    Exponential,
    StretchedExponential,
    TruncatedPowerLaw,
}

/// Every alternative, in the order of the language reference.
pub const ALTERNATIVES: [Alternative; 4] = [
    Alternative::Lognormal,
    Alternative::Exponential,
    Alternative::StretchedExponential,
    Alternative::TruncatedPowerLaw,
];

impl Alternative {
    /// The word that a study writes.
    pub fn word(self) -> &'static str {
        match self {
            Alternative::Lognormal => "lognormal",
            Alternative::Exponential => "exponential",
            Alternative::StretchedExponential => "stretched_exponential",
            Alternative::TruncatedPowerLaw => "truncated_power_law",
        }
    }

    /// Reads a word of [`Alternative::word`]. Panics at another: a mistake in gradstudy.
    pub fn from_word(word: &str) -> Self {
        let found = ALTERNATIVES
            .into_iter()
            .find(|alternative| alternative.word() == word);
        found.unwrap_or_else(|| panic!("`{word}` is no alternative, the signature promised one"))
    }

    fn fit(self, logs: &[f64]) -> Option<Fit> {
        match self {
            Alternative::Lognormal => lognormal::fit(logs),
            Alternative::Exponential => exponential::fit(logs),
            Alternative::StretchedExponential => stretched_exponential::fit(logs),
            Alternative::TruncatedPowerLaw => truncated_power_law::fit(logs),
        }
    }
}

/// A fitted alternative.
#[derive(Debug, Clone)]
struct Fit {
    /// In units of x_min: the law of x/x_min.
    parameters: Vec<(&'static str, f64)>,
    /// ln f at each point of the tail, f the density of x/x_min.
    log_densities: Vec<f64>,
}

/// The comparison of one sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub alternative: Alternative,
    /// The alternative's parameters, of the law of x/x_min: mu and sigma of ln(x/x_min); lambda; beta and lambda; alpha
    /// and lambda. Empty where no such law is better than its limit, the power law.
    pub parameters: Vec<(&'static str, f64)>,
    /// R = Σ ln f_power/f_alternative: positive speaks for the power law.
    pub log_ratio: f64,
    /// R/(σ√n), σ² the variance of the terms of R (over n).
    pub normalised: f64,
    /// Significance of R's sign: Vuong's two-sided p-value erfc(|R|/(σ√(2n))), and for the truncated power law, in which
    /// the power law is nested, the χ² p-value of 2|R| with one degree of freedom. 1 where the two laws are one.
    pub p_value: f64,
}

impl Comparison {
    /// Whether the alternative is better at level `alpha`.
    pub fn prefers_alternative(&self, alpha: f64) -> bool {
        self.log_ratio < 0.0 && self.p_value <= alpha
    }

    /// Whether the power law is better at level `alpha`.
    pub fn prefers_power_law(&self, alpha: f64) -> bool {
        self.log_ratio > 0.0 && self.p_value <= alpha
    }
}

/// Compares the power law fitted to the tail of |x| with each of `against`.
pub fn compare(
    sample: &[f64],
    tail: TailRule,
    against: &[Alternative],
) -> Result<(PowerLawFit, Vec<Comparison>), Cause> {
    let settings = PowerLawSettings {
        tail,
        ecdf: Ecdf::Left,
        ..PowerLawSettings::default()
    };
    let (fit, tail) = fit_tail(sample, &settings)?;
    let logs: Vec<f64> = tail.iter().map(|x| (x / fit.x_min).ln()).collect();
    let power: Vec<f64> = logs
        .iter()
        .map(|t| (fit.exponent - 1.0).ln() - fit.exponent * t)
        .collect();
    let comparisons = against
        .iter()
        .map(|&alternative| comparison(alternative, alternative.fit(&logs), &power))
        .collect();
    Ok((fit, comparisons))
}

fn comparison(alternative: Alternative, fit: Option<Fit>, power: &[f64]) -> Comparison {
    let same = Comparison {
        alternative,
        parameters: Vec::new(),
        log_ratio: 0.0,
        normalised: 0.0,
        p_value: 1.0,
    };
    let Some(fit) = fit else { return same };
    let n = power.len() as f64;
    let terms: Vec<f64> = power.iter().zip(&fit.log_densities).map(|(p, q)| p - q).collect();
    let log_ratio: f64 = terms.iter().sum();
    let mean = log_ratio / n;
    let sd = (terms.iter().map(|term| (term - mean).powi(2)).sum::<f64>() / n).sqrt();
    let normalised = log_ratio / (sd * n.sqrt());
    if !normalised.is_finite() {
        return same;
    }
    let p_value = match alternative {
        Alternative::TruncatedPowerLaw => erfc(log_ratio.abs().sqrt()),
        _ => erfc(normalised.abs() / std::f64::consts::SQRT_2),
    };
    Comparison {
        parameters: fit.parameters,
        log_ratio,
        normalised,
        p_value,
        ..same
    }
}
