//! Spectra of what a gradient history or a model is made of: covariance, second moment, eigengaps; and magnitudes.
//!
//! A study's `spectrum` statement names one of [`SPECTRA`]; each gives a [`Spectrum`].

pub mod cost;
pub mod covariance;
pub mod eigen;
pub mod eigengaps;
pub mod error;
pub mod factors;
pub mod gram;
pub mod magnitudes;
pub mod measures;
pub mod moments;
pub mod multiplier;
pub mod products;
mod products_kernel;
mod rows;
pub mod second_moment;
pub mod sketch;
pub mod spectrum;
pub mod symmetric;
pub mod wide;

pub use error::SpectrumError;
pub use multiplier::Multiplier;
pub use spectrum::{Spectrum, SpectrumKind};

use gradstudy_base::signature::{Args, Default, EACH, Param, ParamType, Signature};
use gradstudy_stats::history_view::HistoryView;
use gradstudy_stats::monitor::Monitor;
use moments::Moments;
use products::Precision;
use symmetric::Symmetric;

/// What a spectrum is made from.
pub enum Input<'a> {
    /// A history in memory, and the full-batch gradient if it was recorded.
    History {
        view: HistoryView<'a>,
        full_batch: Option<&'a [f32]>,
    },
    /// Its sums, when several spectra are made from one history.
    Moments(&'a Moments),
    /// Another spectrum.
    Spectrum(&'a Spectrum),
}

/// A built-in that a study's `spectrum` statement can name.
pub trait SpectrumMethod: Sync {
    /// Name, settings and version. The reference `of` says what it is made from.
    fn signature(&self) -> &'static Signature;

    /// Whether it is made from the history itself, not from its sums.
    fn needs_values(&self) -> bool {
        false
    }

    /// What it is called in tables, such as `second_moment`.
    fn about(&self, _args: &Args) -> String {
        self.signature().name.to_string()
    }

    /// Most eigenvalues other than zero that a matrix of `parameters` and `iterations` can have.
    fn rank_bound(&self, _args: &Args, parameters: u64, iterations: u64) -> u64 {
        parameters.min(iterations)
    }

    /// The spectrum; `None` if cancelled. Progress is told in values of G.
    ///
    /// Panics at an input other than `of` allows: a mistake in gradstudy, not in a study.
    fn run(&self, input: Input, args: &Args, monitor: &Monitor) -> Option<Result<Spectrum, SpectrumError>>;

    /// Rough wall time in seconds on the current thread pool, for `gradstudy plan`.
    fn seconds(&self, args: &Args, parameters: u64, iterations: u64) -> f64;

    /// Rough memory in bytes besides the history, for `gradstudy plan`.
    fn bytes(&self, parameters: u64, iterations: u64) -> u64;
}

/// Every kind of spectrum, in the order of the language reference.
pub static SPECTRA: &[&dyn SpectrumMethod] = &[
    &covariance::Covariance,
    &second_moment::SecondMoment,
    &eigengaps::Eigengaps,
    &magnitudes::Magnitudes,
];

/// The gradient history of a moment's spectrum.
const OF_RECORD: Param = Param {
    name: "of",
    ty: ParamType::Reference(&["record"]),
    default: Default::Required,
    doc: "the gradient history",
};

/// How many eigenvalues.
const TOP: Param = Param {
    name: "top",
    ty: ParamType::Integer {
        min: 1,
        max: 1_000_000,
    },
    default: Default::Text("1000"),
    doc: "how many of the largest eigenvalues are kept; the paper takes 1000",
};

/// Which parameters.
pub const LAYERS: Param = Param {
    name: "layers",
    ty: ParamType::TextOr(&[EACH]),
    default: Default::Absent,
    doc: "only parameters whose PyTorch name, or whose module's name, fits this pattern, such as \"fc*\" or \
          \"conv1.weight\"; `*` stands for any characters, `?` for one. `each`: one spectrum for each module (its \
          weight and bias together), of `top` eigenvalues or as many as it can have",
};

/// The spectrum of `matrix`, one of the moments of a history.
fn solve(
    kind: SpectrumKind,
    matrix: Symmetric,
    rank_bound: u64,
    moments: &Moments,
    top: u64,
) -> Result<Spectrum, SpectrumError> {
    let (parameters, samples) = (moments.parameters() as u64, moments.samples() as u64);
    if top > rank_bound {
        return Err(SpectrumError::TopAboveRank {
            top,
            rank_bound,
            parameters,
            samples,
        });
    }
    let (trace, square_trace) = (matrix.trace(), matrix.square_trace());
    let order = matrix.order() as u64;
    let mut values = eigen::top_eigenvalues_on(moments.device(), matrix, top as usize)?;
    // The matrices are positive semidefinite, and what the solver does not tell from zero is zero.
    let least = order as f64 * f64::EPSILON * values.first().copied().unwrap_or(0.0);
    for value in &mut values {
        *value = if *value > least { *value } else { 0.0 };
    }
    let accuracy = moments.rounding() + least;
    Ok(Spectrum {
        kind,
        values,
        order,
        rank_bound,
        parameters,
        samples,
        trace,
        square_trace,
        accuracy,
        residuals: None,
        converged: None,
        sketch: None,
    })
}

/// Eigenvalues above this many times the accuracy are right to three digits (`tests/spectra`).
const THREE_DIGITS: f64 = 100.0;

/// The spectrum of a moment's input; `None` if cancelled.
///
/// Of a history in memory the sums are made again in f64 when those in f32 leave fewer than three digits to the last
/// eigenvalue; of sums that were made elsewhere the accuracy is only told.
fn with_moments(
    input: Input,
    monitor: &Monitor,
    run: impl Fn(&Moments) -> Result<Spectrum, SpectrumError>,
) -> Option<Result<Spectrum, SpectrumError>> {
    let (view, full_batch) = match input {
        Input::Moments(moments) => return Some(run(moments)),
        Input::History { view, full_batch } => (view, full_batch),
        Input::Spectrum(_) => {
            panic!("a moment's spectrum is made from a history, its signature promised one")
        }
    };
    let at = |precision| match gram::moments(view, full_batch, precision, monitor) {
        Ok(moments) => moments.as_ref().map(&run),
        Err(error) => Some(Err(error)),
    };
    match at(Precision::Single)? {
        Ok(spectrum) if !spectrum.has_three_digits() => at(Precision::Double),
        other => Some(other),
    }
}
