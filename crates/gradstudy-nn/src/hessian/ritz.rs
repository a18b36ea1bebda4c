//! Eigenpairs of the matrix within a basis (Rayleigh–Ritz), each with what it lacks of being an eigenpair.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::{Mat, MatRef, Par};

use super::Order;

/// What products with the basis V were made of: H V = V T + Q B, with V and Q orthonormal.
#[derive(Debug)]
pub struct Projected {
    /// T = Vᵀ(H V), m × m. Products in float32 leave it symmetric to rounding only.
    pub t: Mat<f64>,
    /// B, vectors outside the basis × m.
    pub b: Mat<f64>,
}

/// The wanted eigenpairs, in order.
#[derive(Debug)]
pub struct Ritz {
    pub values: Vec<f64>,
    /// In the basis, m × wanted.
    pub vectors: Mat<f64>,
    /// ‖B y‖: what further vectors in the basis would mend.
    pub truncation: Vec<f64>,
    /// ‖(T − Tᵀ) y‖/2: what the rounding of products leaves, and nothing mends.
    pub rounding: Vec<f64>,
}

impl Ritz {
    /// ‖H v − λ v‖ of the pair `k`, where H v is the same combination of the products as v is of the basis.
    pub fn residual(&self, k: usize) -> f64 {
        self.truncation[k].hypot(self.rounding[k])
    }

    /// Whether the residual of pair `k` is within `tolerance` · |λ|, or no further step could lower it: what is
    /// left is rounding.
    pub fn settled(&self, k: usize, tolerance: f64) -> bool {
        self.truncation[k] <= (tolerance * self.values[k].abs()).max(self.rounding[k])
    }
}

fn column_norm(matrix: MatRef<'_, f64>, j: usize) -> f64 {
    (0..matrix.nrows())
        .map(|i| matrix[(i, j)].powi(2))
        .sum::<f64>()
        .sqrt()
}

impl Projected {
    /// The first `wanted` eigenpairs of (T + Tᵀ)/2 in `order`; None if their computation fails (a NaN in T).
    pub fn ritz(&self, wanted: usize, order: Order) -> Option<Ritz> {
        let m = self.t.nrows();
        let symmetric = Mat::from_fn(m, m, |i, j| 0.5 * (self.t[(i, j)] + self.t[(j, i)]));
        let skew = Mat::from_fn(m, m, |i, j| 0.5 * (self.t[(i, j)] - self.t[(j, i)]));
        let (values, vectors) = eigen(symmetric.as_ref())?;
        let mut ranks: Vec<usize> = (0..m).rev().collect();
        if order == Order::Magnitude {
            ranks.sort_by(|a, b| values[*b].abs().total_cmp(&values[*a].abs()));
        }
        ranks.truncate(wanted);
        let vectors = Mat::from_fn(m, ranks.len(), |i, k| vectors[(i, ranks[k])]);
        let (outside, rounding) = (&self.b * &vectors, &skew * &vectors);
        let norms = |matrix: &Mat<f64>| {
            (0..ranks.len())
                .map(|k| column_norm(matrix.as_ref(), k))
                .collect()
        };
        Some(Ritz {
            values: ranks.iter().map(|i| values[*i]).collect(),
            truncation: norms(&outside),
            rounding: norms(&rounding),
            vectors,
        })
    }
}

/// Eigenvalues, ascending, and eigenvectors. On one thread, so that the bits do not depend on their number.
fn eigen(matrix: MatRef<'_, f64>) -> Option<(Vec<f64>, Mat<f64>)> {
    let m = matrix.nrows();
    let (mut values, mut vectors) = (faer::diag::Diag::zeros(m), Mat::zeros(m, m));
    let scratch = self_adjoint_evd_scratch::<f64>(m, ComputeEigenvectors::Yes, Par::Seq, Default::default());
    let mut memory = MemBuffer::new(scratch);
    self_adjoint_evd(
        matrix,
        values.as_mut(),
        Some(vectors.as_mut()),
        Par::Seq,
        MemStack::new(&mut memory),
        Default::default(),
    )
    .ok()?;
    let values = values.column_vector().iter().copied().collect();
    Some((values, vectors))
}
