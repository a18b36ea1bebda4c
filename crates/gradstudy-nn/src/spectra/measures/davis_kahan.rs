//! How far eigenvectors of the covariance turn between two halves of a history, beside the bound that its eigengaps
//! give (the paper's Theorem 1 and Eq. 6; Yu, Wang and Samworth 2015).

use super::eigenspace::{Halves, moments};
use super::{Measure, Method, record, top};
use crate::spectra::eigen::{top_eigenpairs, top_eigenvalues};
use crate::spectra::{SpectrumError, eigengaps};
use gradstudy_base::signature::{Args, Signature};
use gradstudy_stats::degenerate::Cause;
use gradstudy_stats::history_view::HistoryView;
use gradstudy_stats::monitor::Monitor;
use gradstudy_stats::outcome::{DavisKahanOutcome, Degenerate, Outcome, TurnedEigenvector};
use gradstudy_stats::power_law::PowerLawFit;

/// `davis_kahan(g, top: 20)`
static SIGNATURE: Signature = Signature {
    name: "davis_kahan",
    summary: "angles between the covariance's eigenvectors in two halves of a history, beside the bound by eigengaps",
    params: &[
        record("of", "the gradient history, whose halves perturb each other"),
        top("20", "eigenvectors that are followed"),
    ],
    version: 1,
};

/// The measurement as a study names it.
pub static DAVIS_KAHAN: Measure = Measure {
    signature: &SIGNATURE,
    convention: |args| {
        format!(
            "Davis–Kahan: C is the covariance of the first half of the iterations, C + εM that of the second; for \
             each of the first {} eigenvectors the sine of the angle and the bound 2‖εM‖/min(λ_(k−1) − λ_k, \
             λ_k − λ_(k+1)).",
            args.integer("top")
        )
    },
    rank_bound: |parameters, iterations| parameters.min((iterations / 2).saturating_sub(1)),
    method: Method::OfHistory(|view, args, monitor| {
        Some(davis_kahan(view, args, monitor)?.map(Outcome::DavisKahan))
    }),
};

/// Eigenvalues of C that its power law is fitted to, for Eq. 6.
const FITTED: usize = 1000;

fn davis_kahan(
    view: HistoryView,
    args: &Args,
    monitor: &Monitor,
) -> Option<Result<DavisKahanOutcome, SpectrumError>> {
    let top = args.integer("top") as usize;
    let bound = (DAVIS_KAHAN.rank_bound)(view.parameters as u64, view.iterations as u64);
    if top as u64 > bound {
        return Some(Err(SpectrumError::TopAboveRank {
            top: top as u64,
            rank_bound: bound,
            parameters: view.parameters as u64,
            samples: view.iterations as u64,
        }));
    }
    let moments = match moments(view, monitor)? {
        Ok(moments) => moments,
        Err(error) => return Some(Err(error)),
    };
    Some(turned(
        &Halves::new(&moments),
        top,
        bound as usize,
        moments.rounding(),
    ))
}

fn turned(
    halves: &Halves,
    top: usize,
    rank_bound: usize,
    rounding: f64,
) -> Result<DavisKahanOutcome, SpectrumError> {
    let first = halves.covariance(0);
    let of_first = top_eigenpairs(&first, top + 1)?;
    let of_second = top_eigenpairs(&halves.covariance(1), top)?;
    let perturbation = halves.difference_norm()?;
    // The rounding of half as many terms, in each half, weighs as that of all.
    let accuracy = 2.0 * rounding + halves.half as f64 * f64::EPSILON * of_first.values[0].max(0.0);
    let mut all = top_eigenvalues(first, FITTED.min(rank_bound))?;
    all.retain(|value| *value > accuracy);
    let fit = all.last().and_then(|least| PowerLawFit::new(&all, *least));
    let exponent = fit.map_or(f64::NAN, |fit| fit.zipf_exponent);
    // Beyond rank h − 1 there are zeros.
    let value = |k: usize| of_first.values.get(k).copied().unwrap_or(0.0).max(0.0);
    let defined = |k: &usize| {
        of_first.values[*k] > accuracy && of_second.values.get(*k).is_some_and(|mu| *mu > accuracy)
    };
    let eigenvectors: Vec<TurnedEigenvector> = (0..top)
        .take_while(defined)
        .map(|k| {
            let gaps = eigengaps::gaps(&[value(k), value(k + 1)]);
            let before = k
                .checked_sub(1)
                .map_or(f64::INFINITY, |before| value(before) - value(k));
            let column = |vectors: &faer::Mat<f64>| vectors.col(k).iter().copied().collect::<Vec<f64>>();
            let (u, w) = (column(&of_first.vectors), column(&of_second.vectors));
            let cosine = halves.cosine((&u, value(k)), (&w, of_second.values[k])).min(1.0);
            TurnedEigenvector {
                eigenvalue: value(k),
                gap: before.min(gaps[0]),
                bound: 2.0 * perturbation / before.min(gaps[0]),
                power_law_bound: 2.0 * perturbation * (k as f64 + 2.0).powf(exponent + 1.0) / value(0),
                sine: ((1.0 - cosine) * (1.0 + cosine)).sqrt(),
            }
        })
        .collect();
    let none = eigenvectors.is_empty().then_some(Cause::TooFew);
    Ok(DavisKahanOutcome {
        degenerate: Degenerate::of(none),
        top: top as u64,
        half: halves.half as u64,
        perturbation,
        zipf_exponent: exponent,
        eigenvectors,
    })
}
