//! Eigengaps δ_k = λ_k − λ_{k+1} (the paper's Eq. 4, Table 3 and Figure 16).

use super::sketch::Sketched;
use super::{Input, Spectrum, SpectrumError, SpectrumKind, SpectrumMethod};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};
use gradstudy_stats::monitor::Monitor;

/// `eigengaps(c, order: sorted)`
pub static SIGNATURE: Signature = Signature {
    name: "eigengaps",
    summary: "differences of neighbouring eigenvalues of a spectrum",
    params: &[
        Param {
            name: "of",
            ty: ParamType::Reference(&["spectrum"]),
            default: Default::Required,
            doc: "the spectrum; K eigenvalues have K − 1 gaps",
        },
        Param {
            name: "order",
            ty: ParamType::Word(&["sorted", "rank"]),
            default: Default::Text("sorted"),
            doc: "`sorted` puts the gaps in descending order (Table 3), `rank` leaves them in that of the eigenvalues",
        },
    ],
    version: 1,
};

/// The eigengaps as a study names them.
#[derive(Debug)]
pub struct Eigengaps;

impl SpectrumMethod for Eigengaps {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn run(&self, input: Input, args: &Args, _monitor: &Monitor) -> Option<Result<Spectrum, SpectrumError>> {
        let Input::Spectrum(spectrum) = input else {
            panic!("eigengaps are made from a spectrum, their signature promised one");
        };
        let order = match args.text("order") {
            "rank" => GapOrder::Rank,
            _ => GapOrder::Sorted,
        };
        Some(eigengaps(spectrum, order))
    }

    fn seconds(&self, _args: &Args, _parameters: u64, _iterations: u64) -> f64 {
        1e-3
    }

    fn bytes(&self, _parameters: u64, _iterations: u64) -> u64 {
        0
    }
}

/// In which order gaps are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapOrder {
    /// Descending.
    Sorted,
    /// δ_1, δ_2, …
    Rank,
}

/// The K − 1 gaps of a spectrum of K values. Their trace is λ_1 − λ_K, their accuracy twice that of the values.
pub fn eigengaps(spectrum: &Spectrum, order: GapOrder) -> Result<Spectrum, SpectrumError> {
    let count = spectrum.values.len();
    if count < 2 {
        return Err(SpectrumError::NoGaps { values: count as u64 });
    }
    let mut values = gaps(&spectrum.values);
    if order == GapOrder::Sorted {
        values.sort_unstable_by(|a, b| b.total_cmp(a));
    }
    Ok(Spectrum {
        kind: SpectrumKind::Eigengaps,
        trace: spectrum.values[0] - spectrum.values[count - 1],
        square_trace: values.iter().map(|gap| gap * gap).sum(),
        accuracy: 2.0 * spectrum.accuracy,
        rank_bound: count as u64 - 1,
        values,
        residuals: None,
        converged: None,
        sketch: spectrum.sketch.map(|sketch| Sketched {
            bound: 2.0 * sketch.bound,
            ..sketch
        }),
        ..*spectrum
    })
}

/// δ_k = λ_k − λ_{k+1} of descending values.
pub fn gaps(values: &[f64]) -> Vec<f64> {
    values.windows(2).map(|pair| pair[0] - pair[1]).collect()
}
