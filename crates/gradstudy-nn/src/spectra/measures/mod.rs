//! What a `test` statement can ask of spectra and eigenspaces: measurements without a verdict.

pub mod davis_kahan;
mod eigenspace;
pub mod shape;
pub mod subspace;

use super::{Spectrum, SpectrumError};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};
use gradstudy_stats::history_view::HistoryView;
use gradstudy_stats::monitor::Monitor;
use gradstudy_stats::outcome::Outcome;
use subspace::Subspace;

/// A measurement that a study's `test` statement can name.
pub struct Measure {
    /// Name, settings and version; `of` says what it is made from.
    pub signature: &'static Signature,
    /// The sentence in the note under a table that says how it was measured.
    pub convention: fn(&Args) -> String,
    /// Most eigenvalues that it can look at, of n parameters and T iterations.
    pub rank_bound: fn(u64, u64) -> u64,
    pub method: Method,
}

/// What a measurement is made from. A `None` is a cancelled computation.
pub enum Method {
    /// One spectrum.
    OfSpectrum(fn(&Spectrum, &Args) -> Outcome),
    /// One history in memory.
    OfHistory(fn(HistoryView, &Args, &Monitor) -> Option<Result<Outcome, SpectrumError>>),
    /// The leading eigenvectors of two histories, which need not be there together.
    OfSubspaces {
        find: fn(HistoryView, &Args, &Monitor) -> Option<Result<Subspace, SpectrumError>>,
        compare: fn(&Subspace, &Subspace) -> Outcome,
    },
}

/// Every measurement, in the order of the language reference.
pub static MEASURES: &[&Measure] = &[&shape::SHAPE, &davis_kahan::DAVIS_KAHAN, &subspace::OVERLAP];

/// The measurement called `name`.
pub fn find(name: &str) -> Option<&'static Measure> {
    MEASURES
        .iter()
        .copied()
        .find(|measure| measure.signature.name == name)
}

impl Measure {
    /// Rough wall time in seconds on the current thread pool, for `gradstudy plan`.
    pub fn seconds(&self, parameters: u64, iterations: u64) -> f64 {
        match self.method {
            Method::OfSpectrum(_) => 1e-3,
            // The Gram matrix, and eigenvectors of its halves.
            Method::OfHistory(_) => 2.0 * super::cost::seconds(parameters.max(iterations), iterations, 0),
            Method::OfSubspaces { .. } => 1e-2,
        }
    }
}

const fn record(name: &'static str, doc: &'static str) -> Param {
    Param {
        name,
        ty: ParamType::Reference(&["record"]),
        default: Default::Required,
        doc,
    }
}

const fn top(default: &'static str, doc: &'static str) -> Param {
    Param {
        name: "top",
        ty: ParamType::Integer { min: 1, max: 100_000 },
        default: Default::Text(default),
        doc,
    }
}
