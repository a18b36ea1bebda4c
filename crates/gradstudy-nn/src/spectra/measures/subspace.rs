//! The space of the covariance's leading eigenvectors, and how much of it two histories of one network share
//! (Gur-Ari, Roberts and Dyer 2018, for the Hessian).

use std::collections::HashMap;

use rayon::prelude::*;
use safetensors::tensor::{TensorView, serialize};
use safetensors::{Dtype, SafeTensors};

use super::eigenspace::moments;
use super::{Measure, Method, record, top};
use crate::spectra::SpectrumError;
use crate::spectra::eigen::{Eigenpairs, top_eigenpairs};
use gradstudy_base::signature::{Args, Signature};
use gradstudy_stats::history_view::HistoryView;
use gradstudy_stats::monitor::Monitor;
use gradstudy_stats::outcome::{Outcome, OverlapOutcome};

/// `subspace_overlap(g0, g1, top: 10)`
static SIGNATURE: Signature = Signature {
    name: "subspace_overlap",
    summary: "how much the spaces of the leading covariance eigenvectors of two histories have in common",
    params: &[
        record("of", "a gradient history"),
        record(
            "other",
            "another one of the same network, such as at other weights",
        ),
        top("10", "eigenvectors that span each space, k"),
    ],
    version: 1,
};

/// The measurement as a study names it.
pub static OVERLAP: Measure = Measure {
    signature: &SIGNATURE,
    convention: |args| {
        format!(
            "Overlap: ‖VᵀW‖²_F/k of the first k = {} eigenvectors of two covariances; 1 for one space, k/n by chance.",
            args.integer("top")
        )
    },
    rank_bound: |parameters, iterations| parameters.min(iterations.saturating_sub(1)),
    method: Method::OfSubspaces {
        find,
        compare: |a, b| Outcome::Overlap(overlap(a, b)),
    },
};

/// Orthonormal eigenvectors of a covariance.
#[derive(Debug, Clone, PartialEq)]
pub struct Subspace {
    /// Eigenvalues, descending.
    pub values: Vec<f64>,
    /// One vector of n numbers after the other.
    pub vectors: Vec<f32>,
}

/// Rows that one thread sums up at once.
const ROWS: usize = 1024;

fn find(view: HistoryView, args: &Args, monitor: &Monitor) -> Option<Result<Subspace, SpectrumError>> {
    let top = args.integer("top") as usize;
    let (n, t) = (view.parameters as u64, view.iterations as u64);
    let rank_bound = (OVERLAP.rank_bound)(n, t);
    let too_many = |rank_bound: u64| SpectrumError::TopAboveRank {
        top: top as u64,
        rank_bound,
        parameters: n,
        samples: t,
    };
    if top as u64 > rank_bound {
        return Some(Err(too_many(rank_bound)));
    }
    let found = moments(view, monitor)?.and_then(|moments| {
        let pairs = top_eigenpairs(&moments.covariance(), top)?;
        let accuracy = moments.rounding() + t as f64 * f64::EPSILON * pairs.values[0].max(0.0);
        // The direction of what is zero to rounding means nothing.
        match pairs.values.iter().filter(|value| **value > accuracy).count() {
            rank if rank < top => Err(too_many(rank as u64)),
            _ => Ok(subspace(view, pairs)),
        }
    });
    Some(found)
}

/// v_k = (G − ḡ1ᵀ) u_k / √(Tλ_k), made orthonormal once more: Σ_t u_k(t) = 0, so ḡ drops out.
fn subspace(view: HistoryView, pairs: Eigenpairs) -> Subspace {
    let (n, top) = (view.parameters, pairs.values.len());
    let parts: Vec<Vec<f64>> = (0..n.div_ceil(ROWS))
        .into_par_iter()
        .map(|part| {
            let rows = part * ROWS..n.min((part + 1) * ROWS);
            let mut sums = vec![0.0f64; rows.len() * top];
            for t in 0..view.iterations {
                let column = &view.column(t)[rows.clone()];
                for (k, sum) in sums.chunks_exact_mut(rows.len()).enumerate() {
                    let u = pairs.vectors[(t, k)];
                    sum.iter_mut()
                        .zip(column)
                        .for_each(|(s, g)| *s += u * f64::from(*g));
                }
            }
            sums
        })
        .collect();
    let mut vectors: Vec<Vec<f64>> = (0..top)
        .map(|k| {
            let part = |part: &Vec<f64>| {
                let rows = part.len() / top;
                part[k * rows..(k + 1) * rows].to_vec()
            };
            parts.iter().flat_map(part).collect()
        })
        .collect();
    for k in 0..top {
        let (before, rest) = vectors.split_at_mut(k);
        for _ in 0..2 {
            for earlier in before.iter() {
                let share = dot(earlier, &rest[0]);
                rest[0].iter_mut().zip(earlier).for_each(|(v, e)| *v -= share * e);
            }
            let norm = dot(&rest[0], &rest[0]).sqrt();
            rest[0].iter_mut().for_each(|v| *v /= norm);
        }
    }
    Subspace {
        values: pairs.values,
        vectors: vectors.concat().into_iter().map(|v| v as f32).collect(),
    }
}

/// ‖V_kᵀW_k‖²_F/k for every k up to the smaller number of vectors. Panics for spaces of other dimensions: the plan
/// compares those of one network only.
pub fn overlap(a: &Subspace, b: &Subspace) -> OverlapOutcome {
    let top = a.values.len().min(b.values.len());
    let n = a.vectors.len() / a.values.len();
    assert_eq!(n, b.vectors.len() / b.values.len(), "spaces of other dimensions");
    let vector = |of: &Subspace, k: usize| -> Vec<f64> {
        of.vectors[k * n..(k + 1) * n]
            .iter()
            .map(|v| f64::from(*v))
            .collect()
    };
    let of_b: Vec<Vec<f64>> = (0..top).map(|k| vector(b, k)).collect();
    let squares: Vec<Vec<f64>> = (0..top)
        .into_par_iter()
        .map(|i| {
            let v = vector(a, i);
            of_b.iter().map(|w| dot(&v, w).powi(2)).collect()
        })
        .collect();
    let upto = |k: usize| -> f64 { squares[..k].iter().flat_map(|row| &row[..k]).sum() };
    let by_rank: Vec<f64> = (1..=top).map(|k| upto(k) / k as f64).collect();
    OverlapOutcome {
        parameters: n as u64,
        by_rank,
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl Subspace {
    /// As a file of tensors `eigenvalues` [k] and `eigenvectors` [k, n].
    pub fn to_bytes(&self) -> Vec<u8> {
        let (k, n) = (self.values.len(), self.vectors.len() / self.values.len().max(1));
        let view = |dtype, shape: Vec<usize>, bytes| {
            TensorView::new(dtype, shape, bytes).expect("the shape is that of the numbers")
        };
        let tensors = HashMap::from([
            (
                "eigenvalues",
                view(Dtype::F64, vec![k], bytemuck::cast_slice(&self.values)),
            ),
            (
                "eigenvectors",
                view(Dtype::F32, vec![k, n], bytemuck::cast_slice(&self.vectors)),
            ),
        ]);
        serialize(tensors, None).expect("numbers can be written")
    }

    /// What [`Subspace::to_bytes`] gave; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Subspace> {
        let file = SafeTensors::deserialize(bytes).ok()?;
        let values = file.tensor("eigenvalues").ok()?;
        let vectors = file.tensor("eigenvectors").ok()?;
        let (values, vectors) = (
            values.data().as_chunks::<8>().0,
            vectors.data().as_chunks::<4>().0,
        );
        let subspace = Subspace {
            values: values.iter().map(|b| f64::from_le_bytes(*b)).collect(),
            vectors: vectors.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        };
        (!subspace.values.is_empty() && subspace.vectors.len().is_multiple_of(subspace.values.len()))
            .then_some(subspace)
    }
}
