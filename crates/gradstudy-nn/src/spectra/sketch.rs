//! Gradients in fewer dimensions: Sg with S a seeded sparse matrix of random signs, for networks whose n × T history (or
//! whose products) would be too much.
//!
//! S has D rows in s blocks and, for each parameter, one entry ±1/√s at a random row of each block (the block form of
//! the sparse Johnson–Lindenstrauss transform of Kane and Nelson, J. ACM 61, 2014; s = 1 is the count sketch). Inner
//! products keep their expectation, E⟨Sx, Sy⟩ = ⟨x, y⟩, and have a variance of at most (‖x‖²‖y‖² + ⟨x, y⟩²)/D.

use std::ops::Range;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::SpectrumError;
use gradstudy_base::seed;
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

/// `sketch: sparse_signs(dim: 8192, nonzeros: 8)`
pub static SPARSE_SIGNS: Signature = Signature {
    name: "sparse_signs",
    summary: "a random sparse matrix of signs, one for each seed",
    params: &[
        Param {
            name: "dim",
            ty: ParamType::Integer {
                min: 64,
                max: 1 << 24,
            },
            default: Default::Required,
            doc: "D: dimensions that are left of n; T · D · 4 bytes are held",
        },
        Param {
            name: "nonzeros",
            ty: ParamType::Integer { min: 1, max: 64 },
            default: Default::Text("8"),
            doc: "s: entries for each parameter",
        },
    ],
    version: 1,
};

/// The setting of a moment's spectrum.
pub(super) const SKETCH: Param = Param {
    name: "sketch",
    ty: ParamType::Call(&[&SPARSE_SIGNS]),
    default: Default::Absent,
    doc: "eigenvalues of gradients that are projected to fewer dimensions as they are recorded, with a bound of the error; \
          without it they are exact",
};

/// The probability that a bound fails.
pub const FAILURE: f64 = 0.05;

/// What a sketched spectrum says of its error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sketched {
    /// D.
    pub dim: u64,
    /// s.
    pub nonzeros: u64,
    /// With `probability`, every eigenvalue is at most so far from that of the gradients themselves.
    pub bound: f64,
    pub probability: f64,
}

/// The matrix S: drawn anew wherever it is needed.
#[derive(Debug, Clone)]
pub struct Sketch {
    pub dim: usize,
    pub nonzeros: usize,
    rng: ChaCha8Rng,
}

/// Parameters whose entries of S lie in memory at once.
const ROWS: usize = 4096;

impl Sketch {
    /// For the study seed `seed`.
    pub fn new(dim: usize, nonzeros: usize, seed: u64) -> Self {
        let rng = seed::rng(seed, "sketch of gradients");
        Sketch { dim, nonzeros, rng }
    }

    /// What a checked spectrum asks for, if it asks for a sketch.
    pub fn from_args(args: &Args, seed: u64) -> Option<Self> {
        args.get("sketch")?;
        let args = &args.call("sketch").args;
        let count = |key: &str| args.integer(key) as usize;
        Some(Self::new(count("dim"), count("nonzeros"), seed))
    }

    /// Adds S g of the rows `rows` of each column g (of `height` numbers) to its column of `sketched` (D numbers each).
    ///
    /// Each sum runs over the parameters in their order, whatever the threads. Errors: a value that is not finite;
    /// the first column is iteration `first`.
    pub fn add(
        &self,
        columns: &[f32],
        height: usize,
        rows: &[Range<usize>],
        first: usize,
        sketched: &mut [f32],
    ) -> Result<(), SpectrumError> {
        let scale = (self.nonzeros as f32).sqrt().recip();
        for range in rows {
            for start in range.clone().step_by(ROWS) {
                let block = start..range.end.min(start + ROWS);
                let entries = self.entries(block.clone());
                let pairs = sketched.par_chunks_mut(self.dim).zip(columns.par_chunks(height));
                pairs.for_each(|(sums, column)| {
                    let values = &column[block.clone()];
                    for (value, entries) in values.iter().zip(entries.chunks_exact(self.nonzeros)) {
                        let value = (value * scale).to_bits();
                        for entry in entries {
                            sums[(entry >> 1) as usize] += f32::from_bits(value ^ (entry << 31));
                        }
                    }
                });
            }
        }
        for (offset, sums) in sketched.chunks(self.dim).enumerate() {
            if sums.iter().all(|sum| sum.is_finite()) {
                continue;
            }
            let column = &columns[offset * height..][..height];
            let bad = rows
                .iter()
                .flat_map(Range::clone)
                .find(|&row| !column[row].is_finite());
            return Err(match bad {
                Some(row) => SpectrumError::NotFinite {
                    parameter: row as u64,
                    iteration: (first + offset) as u64,
                    value: column[row],
                },
                None => SpectrumError::MatrixNotFinite,
            });
        }
        Ok(())
    }

    /// For each of the parameters, s times twice the row of S and whether the sign is minus.
    fn entries(&self, parameters: Range<usize>) -> Vec<u32> {
        let mut rng = self.rng.clone();
        rng.set_word_pos((parameters.start * self.nonzeros) as u128);
        let place = |block: usize| block * self.dim / self.nonzeros;
        let mut entries = Vec::with_capacity(parameters.len() * self.nonzeros);
        for _ in parameters {
            for block in 0..self.nonzeros {
                let draw = rng.next_u32();
                let width = (place(block + 1) - place(block)) as u64;
                let row = place(block) as u64 + ((u64::from(draw >> 1) * width) >> 31);
                entries.push((row as u32) << 1 | draw & 1);
            }
        }
        entries
    }

    /// The bound for a matrix M of trace `trace` whose sketch has Σ λ² = `square_trace`.
    ///
    /// M̂ − M = E has E‖E‖_F² ≤ (tr² M + ‖M‖_F²)/D over the draws of S, so by Markov's inequality ‖E‖_F² stays below
    /// (tr² M + ‖M‖_F²)/(D δ) but for a probability δ, and by Weyl's inequality no eigenvalue moves by more than ‖E‖_F.
    /// With ‖M‖_F ≤ ‖M̂‖_F + ‖E‖_F that is a quadratic inequality for ‖E‖_F. (D counts the rows of blocks of ⌊D/s⌋.)
    pub fn bound(&self, trace: f64, square_trace: f64) -> Sketched {
        let rows = (self.dim / self.nonzeros * self.nonzeros) as f64;
        let c = 1.0 / (rows * FAILURE);
        let (squares, frobenius) = (trace * trace, square_trace.sqrt());
        let known = c * frobenius;
        let root = (known * known + (1.0 - c) * c * (squares + square_trace)).sqrt();
        Sketched {
            dim: self.dim as u64,
            nonzeros: self.nonzeros as u64,
            // Never above what holds whatever M is: ‖M‖_F ≤ tr M.
            bound: ((known + root) / (1.0 - c)).min(trace * (2.0 * c).sqrt()),
            probability: 1.0 - FAILURE,
        }
    }

    /// The bound in words, before anything is known of the matrix.
    pub fn words(&self, of: &str) -> String {
        let rows = (self.dim / self.nonzeros * self.nonzeros) as f64;
        format!(
            "`{of}` is of gradients sketched to {} dimensions ({} random signs for each parameter): with probability {} every \
             eigenvalue lies within {:.1} % of the trace of the exact one (Weyl's and Markov's inequalities; the typical error \
             is {:.1} % of the trace).",
            self.dim,
            self.nonzeros,
            1.0 - FAILURE,
            100.0 * (2.0 / (rows * FAILURE)).sqrt(),
            100.0 * (1.0 / rows).sqrt()
        )
    }
}

/// Sums from which the trace of a moment follows without a sketch.
#[derive(Debug, Clone)]
pub struct Trace {
    sum: Vec<f64>,
    /// Σ g² over the iterations of each block of rows: the same however many iterations are added at a time.
    squares: Vec<f64>,
    samples: usize,
}

impl Trace {
    /// Nothing added yet, for `parameters` rows.
    pub fn new(parameters: usize) -> Self {
        Trace {
            sum: vec![0.0; parameters],
            squares: Vec::new(),
            samples: 0,
        }
    }

    /// Adds the rows `rows` of each column.
    pub fn add(&mut self, columns: &[f32], height: usize, rows: &[Range<usize>]) {
        let blocks = rows.iter().map(|range| range.len().div_ceil(ROWS)).sum();
        self.squares.resize(blocks, 0.0);
        let (mut place, mut block) = (0, 0);
        for range in rows {
            let sums = &mut self.sum[place..place + range.len()];
            let squares = &mut self.squares[block..block + range.len().div_ceil(ROWS)];
            place += range.len();
            block += squares.len();
            let blocks = sums.par_chunks_mut(ROWS).zip(squares).enumerate();
            blocks.for_each(|(block, (sums, squares))| {
                let first = range.start + block * ROWS;
                for column in columns.chunks_exact(height) {
                    for (sum, &value) in sums.iter_mut().zip(&column[first..]) {
                        let value = f64::from(value);
                        *sum += value;
                        *squares += value * value;
                    }
                }
            });
        }
        self.samples += columns.len() / height;
    }

    /// (1/T) Σ ‖g_t − c‖² around a given centre, around the mean, or around zero.
    pub fn around(&self, centre: Around) -> f64 {
        let t = self.samples as f64;
        let mean = self.sum.iter().map(|sum| sum / t);
        let taken: f64 = match centre {
            Around::Zero => 0.0,
            Around::Mean => mean.map(|m| m * m).sum(),
            Around::Given(centre) => {
                let pairs = mean.zip(centre.iter().map(|&c| f64::from(c)));
                pairs.map(|(m, c)| 2.0 * m * c - c * c).sum()
            }
        };
        (self.squares.iter().sum::<f64>() / t - taken).max(0.0)
    }
}

/// A centre.
#[derive(Debug, Clone, Copy)]
pub enum Around<'a> {
    Zero,
    Mean,
    /// At the rows that were added.
    Given(&'a [f32]),
}
