//! Block Lanczos with full re-orthogonalisation and thick restarts (Golub and Underwood 1977; Wu and Simon,
//! SIAM J. Matrix Anal. Appl. 22, 2000): every product is made orthogonal to the whole basis in float64, so
//! no eigenvalue appears twice that is not double, and a block finds eigenvalues of multiplicity up to its size.

use std::sync::atomic::AtomicBool;

use faer::Mat;
use rand::RngExt;

use super::basis::{Basis, factor};
use super::ritz::{Projected, Ritz};
use super::{HessianError, Operator, Order};
use gradstudy_base::seed;

/// A block whose new part is below this share of the matrix's scale is spent: float32 products know no less.
const NEGLIGIBLE: f64 = 1e-10;

/// A growing Krylov space of the operator.
pub struct Lanczos<'a> {
    operator: &'a Operator<'a>,
    seed: u64,
    /// V, then the block whose products come next.
    pub basis: Basis,
    /// For each vector of V, the coefficients of its product in the basis (as long as the basis was then).
    pub coefficients: Vec<Vec<f64>>,
    /// Products so far.
    pub products: u64,
    /// The largest norm of a product so far.
    pub scale: f64,
}

impl<'a> Lanczos<'a> {
    /// Starts from `block` random vectors.
    pub fn new(operator: &'a Operator<'a>, block: usize, seed: u64) -> Self {
        let mut lanczos = Lanczos {
            operator,
            seed,
            basis: Basis::new(operator.size()),
            coefficients: Vec::new(),
            products: 0,
            scale: 0.0,
        };
        lanczos.add_random(block);
        lanczos
    }

    /// n.
    pub fn size(&self) -> usize {
        self.operator.size()
    }

    /// Vectors whose products are known.
    pub fn len(&self) -> usize {
        self.coefficients.len()
    }

    /// Appends up to `count` random vectors orthogonal to the basis.
    fn add_random(&mut self, count: usize) {
        let n = self.operator.size();
        let mut rng = seed::rng(
            self.seed,
            &format!("Krylov space from vector {}", self.basis.len()),
        );
        let mut block: Vec<f64> = (0..count * n).map(|_| rng.random_range(-1.0..1.0)).collect();
        self.basis.orthogonalise(&mut block);
        let (q, _) = factor(n, &block, NEGLIGIBLE, n - self.basis.len());
        self.basis.extend(&q);
    }

    /// Multiplies the last block and appends the next one; None if `cancel` was set.
    pub fn step(&mut self, cancel: &AtomicBool) -> Option<Result<(), HessianError>> {
        let (n, m) = (self.operator.size(), self.len());
        let block = self.basis.from(m);
        let b = block.len() / n;
        let mut product = vec![0.0; block.len()];
        if let Err(error) = self.operator.products(&block, &mut product, cancel)? {
            return Some(Err(error));
        }
        if !product.iter().all(|p| p.is_finite()) {
            let matrix = self.operator.kind().words();
            return Some(Err(HessianError::NotFinite { matrix }));
        }
        for product in product.chunks_exact(n) {
            self.scale = self.scale.max(super::basis::dot(product, product).sqrt());
        }
        self.products += b as u64;
        let inside = self.basis.orthogonalise(&mut product);
        let room = n - self.basis.len();
        let (q, r) = factor(n, &product, NEGLIGIBLE * self.scale, room);
        for j in 0..b {
            let column = inside.col(j).iter().chain(r.col(j).iter());
            self.coefficients.push(column.copied().collect());
        }
        self.basis.extend(&q);
        if q.is_empty() && room > 0 {
            // V is invariant: another part of the space is looked at, without coupling.
            self.add_random(b.min(room));
        }
        Some(Ok(()))
    }

    fn projected(&self) -> Projected {
        let (m, all) = (self.len(), self.basis.len());
        let entry = |i: usize, j: usize| self.coefficients[j].get(i).copied().unwrap_or(0.0);
        Projected {
            t: Mat::from_fn(m, m, entry),
            b: Mat::from_fn(all - m, m, |i, j| entry(m + i, j)),
        }
    }

    /// The `wanted` first eigenpairs in V.
    pub fn ritz(&self, wanted: usize, order: Order) -> Result<Ritz, HessianError> {
        let matrix = self.operator.kind().words();
        (self.projected().ritz(wanted, order)).ok_or(HessianError::NotFinite { matrix })
    }

    /// ‖Hv − λv‖ of `pairs` by products with the Ritz vectors themselves; None if `cancel` was set.
    ///
    /// After a restart the basis no longer knows how its products were rounded: they are made again.
    pub fn measure(
        &mut self,
        pairs: &Ritz,
        block: usize,
        cancel: &AtomicBool,
    ) -> Option<Result<Vec<f64>, HessianError>> {
        let n = self.size();
        let vectors = self.basis.combine(pairs.vectors.as_ref());
        let mut residuals = Vec::with_capacity(pairs.values.len());
        for (vectors, values) in vectors.chunks(block * n).zip(pairs.values.chunks(block)) {
            let mut products = vec![0.0; vectors.len()];
            if let Err(error) = self.operator.products(vectors, &mut products, cancel)? {
                return Some(Err(error));
            }
            self.products += values.len() as u64;
            let each = vectors.chunks_exact(n).zip(products.chunks_exact(n)).zip(values);
            residuals.extend(each.map(|((vector, product), value)| {
                let squares = product
                    .iter()
                    .zip(vector)
                    .map(|(p, v)| (p - value * f64::from(*v)).powi(2));
                squares.sum::<f64>().sqrt()
            }));
        }
        Some(Ok(residuals))
    }

    /// Keeps the `keep` first Ritz vectors and the next block, and gives the rest of the basis back.
    pub fn restart(&mut self, keep: usize, order: Order) -> Result<(), HessianError> {
        let y = self.ritz(keep, order)?.vectors;
        let Projected { t, b } = self.projected();
        let (t, b) = (y.transpose() * &t * &y, &b * &y);
        let n = self.operator.size();
        let mut values = self.basis.combine(y.as_ref());
        values.extend(self.basis.from(self.len()));
        self.basis = Basis::of(n, &values);
        self.coefficients = (0..y.ncols())
            .map(|j| t.col(j).iter().chain(b.col(j).iter()).copied().collect())
            .collect();
        Ok(())
    }
}
