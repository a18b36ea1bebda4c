//! The innermost loops of [`chase`](super::chase): one step of one sweep.

use pulp::Simd;

/// Distance of (i, j + 1) from (i, j): not a multiple of 4096 bytes, so that columns do not evict each other.
pub const fn pitch(half_width: usize) -> usize {
    2 * half_width + 8
}

/// A reflector I − τ v vᵀ, v₁ = 1.
#[derive(Clone, Copy)]
pub struct Reflector<const B: usize> {
    pub v: [f64; B],
    pub tau: f64,
}

/// Reflects x onto (β, 0, …).
#[inline(always)]
pub fn reflector<const B: usize>(x: &[f64; B]) -> (Reflector<B>, f64) {
    let mut rest = *x;
    rest[0] = 0.0;
    let square = dot(&rest, &rest);
    let mut v = rest;
    if square == 0.0 {
        v[0] = 1.0;
        return (Reflector { v, tau: 0.0 }, x[0]);
    }
    let beta = -x[0].mul_add(x[0], square).sqrt().copysign(x[0]);
    let scale = 1.0 / (x[0] - beta);
    for value in &mut v {
        *value *= scale;
    }
    v[0] = 1.0;
    (
        Reflector {
            v,
            tau: (beta - x[0]) / beta,
        },
        beta,
    )
}

#[inline(always)]
fn dot<const B: usize>(a: &[f64; B], b: &[f64; B]) -> f64 {
    let mut lanes = [0.0f64; 8];
    for start in (0..B).step_by(8) {
        for lane in 0..8 {
            lanes[lane] = a[start + lane].mul_add(b[start + lane], lanes[lane]);
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// Most vectors that B numbers take.
const VECTORS: usize = 32;

/// Row j: which of eight rows lie below the diagonal in column j.
const BELOW: [[u64; 8]; 8] = {
    let mut masks = [[0; 8]; 8];
    let mut j = 0;
    while j < 8 {
        let mut i = j + 1;
        while i < 8 {
            masks[j][i] = u64::MAX;
            i += 1;
        }
        j += 1;
    }
    masks
};

/// D ← H D H on the lower triangle of the block at the front of `band`.
#[inline(always)]
pub fn diagonal_block<S: Simd, const B: usize>(simd: S, band: &mut [f64], h: &Reflector<B>) {
    // Without the mirror images, which `across` has.
    let mut y = [simd.splat_f64s(0.0); VECTORS];
    let mut across = [0.0; B];
    eight_products::<S, B, 0>(simd, band, h, &mut y, &mut across);
    eight_products::<S, B, 8>(simd, band, h, &mut y, &mut across);
    eight_products::<S, B, 16>(simd, band, h, &mut y, &mut across);
    eight_products::<S, B, 24>(simd, band, h, &mut y, &mut across);
    // w = τ y − τ²(y·v)/2 v, D ← D − v wᵀ − w vᵀ
    let count = B / S::F64_LANES;
    let v = S::as_simd_f64s(&h.v).0;
    let mut product = simd.splat_f64s(0.0);
    for q in 0..count {
        y[q] = simd.add_f64s(y[q], S::as_simd_f64s(&across).0[q]);
        product = simd.mul_add_e_f64s(y[q], v[q], product);
    }
    let half = simd.splat_f64s(-0.5 * h.tau * h.tau * simd.reduce_sum_f64s(product));
    let tau = simd.splat_f64s(h.tau);
    let mut w = [0.0; B];
    for q in 0..count {
        y[q] = simd.mul_add_e_f64s(half, v[q], simd.mul_f64s(tau, y[q]));
        S::as_mut_simd_f64s(&mut w).0[q] = y[q];
    }
    eight_updates::<S, B, 0>(simd, band, h, &y, &w);
    eight_updates::<S, B, 8>(simd, band, h, &y, &w);
    eight_updates::<S, B, 16>(simd, band, h, &y, &w);
    eight_updates::<S, B, 24>(simd, band, h, &y, &w);
}

/// Columns J to J + 8 of D times their part of v, and, across, their rows times v.
#[inline(always)]
fn eight_products<S: Simd, const B: usize, const J: usize>(
    simd: S,
    band: &[f64],
    h: &Reflector<B>,
    y: &mut [S::f64s; VECTORS],
    across: &mut [f64; B],
) {
    let lanes = S::F64_LANES;
    let v = S::as_simd_f64s(&h.v).0;
    for j in 0..8 {
        let column: &[f64; B] = band[8 + (J + j) * pitch(B)..][..B].try_into().expect("B values");
        let vectors = S::as_simd_f64s(column).0;
        let masks = S::as_simd_u64s(&BELOW[j]).0;
        let vj = simd.splat_f64s(h.v[J + j]);
        let mut sum = simd.splat_f64s(0.0);
        for q in J / lanes..B / lanes {
            let mut a = vectors[q];
            if q < (J + 8) / lanes {
                let bits = simd.and_u64s(pulp::bytemuck::cast(a), masks[q - J / lanes]);
                a = pulp::bytemuck::cast(bits);
            }
            y[q] = simd.mul_add_e_f64s(a, vj, y[q]);
            sum = simd.mul_add_e_f64s(a, v[q], sum);
        }
        across[J + j] = column[J + j].mul_add(h.v[J + j], simd.reduce_sum_f64s(sum));
    }
}

/// Columns J to J + 8 of D less v wᵀ + w vᵀ; what lies above the diagonal there is padding.
#[inline(always)]
fn eight_updates<S: Simd, const B: usize, const J: usize>(
    simd: S,
    band: &mut [f64],
    h: &Reflector<B>,
    w: &[S::f64s; VECTORS],
    each: &[f64; B],
) {
    let v = S::as_simd_f64s(&h.v).0;
    for j in J..J + 8 {
        let column: &mut [f64; B] = (&mut band[8 + j * pitch(B)..][..B]).try_into().expect("B values");
        let vectors = S::as_mut_simd_f64s(column).0;
        let (vj, wj) = (simd.splat_f64s(-h.v[j]), simd.splat_f64s(-each[j]));
        for q in J / S::F64_LANES..B / S::F64_LANES {
            let less = simd.mul_add_e_f64s(w[q], vj, vectors[q]);
            vectors[q] = simd.mul_add_e_f64s(v[q], wj, less);
        }
    }
}

/// E ← G E H for the block below, with the G that annihilates E H's first column below its first entry.
#[inline(always)]
pub fn block_below<S: Simd, const B: usize>(simd: S, band: &mut [f64], h: &Reflector<B>) -> Reflector<B> {
    let count = B / S::F64_LANES;
    let zero = simd.splat_f64s(0.0);
    // Of even and odd columns.
    let mut sums = [[zero; VECTORS]; 2];
    for pair in 0..B / 2 {
        for odd in 0..2 {
            let j = 2 * pair + odd;
            let column: &[f64; B] = band[8 + j * pitch(B) + B..][..B].try_into().expect("B values");
            let vj = simd.splat_f64s(h.v[j]);
            for q in 0..count {
                sums[odd][q] = simd.mul_add_e_f64s(S::as_simd_f64s(column).0[q], vj, sums[odd][q]);
            }
        }
    }
    let tau = simd.splat_f64s(-h.tau);
    let mut w = [zero; VECTORS];
    for q in 0..count {
        w[q] = simd.mul_f64s(tau, simd.add_f64s(sums[0][q], sums[1][q]));
    }
    let first: &mut [f64; B] = (&mut band[8 + B..8 + 2 * B]).try_into().expect("B values");
    for q in 0..count {
        let values = S::as_mut_simd_f64s(first).0;
        values[q] = simd.add_f64s(values[q], w[q]);
    }
    let (g, beta) = reflector(first);
    *first = [0.0; B];
    first[0] = beta;
    let v = S::as_simd_f64s(&g.v).0;
    for j in 1..B {
        let column: &mut [f64; B] = (&mut band[8 + j * pitch(B) + B..][..B])
            .try_into()
            .expect("B values");
        let vectors = S::as_mut_simd_f64s(column).0;
        let vj = simd.splat_f64s(h.v[j]);
        let mut new = [zero; VECTORS];
        let mut product = zero;
        for q in 0..count {
            new[q] = simd.mul_add_e_f64s(w[q], vj, vectors[q]);
            product = simd.mul_add_e_f64s(new[q], v[q], product);
        }
        let factor = simd.splat_f64s(-g.tau * simd.reduce_sum_f64s(product));
        for q in 0..count {
            vectors[q] = simd.mul_add_e_f64s(v[q], factor, new[q]);
        }
    }
    g
}
