//! QR factorisation of a panel of W columns, row by row.

use pulp::{Arch, Simd, WithSimd};

use super::WIDTH as W;
use super::panel_products::{RUN, Row, Square, transposed_times};

/// Columns that are factored before the others follow: of each row one vector of AVX-512.
const SUB: usize = 8;
/// Rows whose sums are apart, so that one need not wait for the other.
const BLOCK: usize = 4;

/// Q = I − V S Vᵀ with QᵀA = R.
pub struct Factored {
    /// Upper triangular.
    pub s: Square,
    /// Upper triangular; of a panel of fewer than W rows, its first rows.
    pub r: Square,
}

/// Householder's QR: `panel` becomes V, unit lower trapezoidal. Of fewer than W rows the last columns of V and S are zero.
pub fn factor(panel: &mut [Row]) -> Factored {
    let taus = Arch::new().dispatch(Factor { panel });
    let mut r = [[0.0; W]; W];
    for (i, row) in panel.iter_mut().enumerate().take(W) {
        r[i][i..].copy_from_slice(&row[i..]);
        row[i..].fill(0.0);
        row[i] = 1.0;
    }
    let products = transposed_times(panel, panel);
    let mut s = [[0.0; W]; W];
    for j in 0..W {
        for i in 0..j {
            let sum: f64 = (i..j).map(|k| s[i][k] * products[k][j]).sum();
            s[i][j] = -taus[j] * sum;
        }
        s[j][j] = taus[j];
    }
    Factored { s, r }
}

struct Factor<'a> {
    panel: &'a mut [Row],
}

impl WithSimd for Factor<'_> {
    /// τ of each column.
    type Output = Row;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Row {
        simd.vectorize(
            #[inline(always)]
            || {
                let panel = self.panel;
                let height = panel.len();
                let mut taus = [0.0; W];
                let parts = taus.as_chunks_mut::<SUB>().0;
                parts[0] = factor_columns::<0>(panel);
                parts[1] = factor_columns::<1>(&mut panel[height.min(SUB)..]);
                parts[2] = factor_columns::<2>(&mut panel[height.min(2 * SUB)..]);
                parts[3] = factor_columns::<3>(&mut panel[height.min(3 * SUB)..]);
                taus
            },
        )
    }
}

/// Eight columns of a row.
#[inline(always)]
fn eight<const Q: usize>(row: &mut Row) -> &mut [f64; SUB] {
    &mut row.as_chunks_mut().0[Q]
}

/// Factors columns 8Q to 8Q + 8 of the rows from 8Q on, and applies that to the columns behind them; the τ of each.
#[inline(always)]
fn factor_columns<const Q: usize>(rows: &mut [Row]) -> [f64; SUB] {
    let mut t = [[0.0; SUB]; SUB];
    // An update that changes nothing.
    let mut dots = reflect::<Q>(rows, 0, 0, &[1.0; SUB], &[0.0; SUB], 1.0);
    for l in 0..SUB.min(rows.len()) {
        // Of the column below its diagonal entry: its products with all eight, its own square among them.
        let top = eight::<Q>(&mut rows[l]);
        let (alpha, square) = (top[l], dots[l]);
        let (mut tau, mut beta, mut scale) = (0.0, alpha, 0.0);
        if square != 0.0 {
            beta = -alpha.mul_add(alpha, square).sqrt().copysign(alpha);
            scale = 1.0 / (alpha - beta);
            tau = (beta - alpha) / beta;
        }
        let products: [f64; SUB] = std::array::from_fn(|c| scale.mul_add(dots[c], top[c]));
        let mut less = [0.0; SUB];
        let mut keep = [1.0; SUB];
        for c in l + 1..SUB {
            less[c] = -tau * products[c];
            top[c] += less[c];
        }
        top[l] = beta;
        keep[l] = scale;
        // To the left there is what V's earlier columns have in this row.
        for i in 0..l {
            let sum: f64 = (i..l).map(|k| t[i][k] * products[k]).sum();
            t[i][l] = -tau * sum;
        }
        t[l][l] = tau;
        dots = reflect::<Q>(&mut rows[l + 1..], l, (l + 1).min(SUB - 1), &keep, &less, scale);
    }
    apply_to_rest::<Q>(rows, &t);
    std::array::from_fn(|l| t[l][l])
}

/// row ← keep ∘ row + scale row_l less, for each row; then Σ row_next row over all rows but the first.
#[inline(always)]
fn reflect<const Q: usize>(
    rows: &mut [Row],
    l: usize,
    next: usize,
    keep: &[f64; SUB],
    less: &[f64; SUB],
    scale: f64,
) -> [f64; SUB] {
    let Some((first, rows)) = rows.split_first_mut() else {
        return [0.0; SUB];
    };
    let change = (l, keep, less, scale);
    reflect_row(eight::<Q>(first), change, next, &mut [0.0; SUB]);
    let mut total = [0.0; SUB];
    for rows in rows.chunks_mut(RUN) {
        let mut sums = [[0.0; SUB]; BLOCK];
        let (blocks, rest) = rows.as_chunks_mut::<BLOCK>();
        for block in blocks {
            for r in 0..BLOCK {
                reflect_row(eight::<Q>(&mut block[r]), change, next, &mut sums[r]);
            }
        }
        for row in rest {
            reflect_row(eight::<Q>(row), change, next, &mut sums[0]);
        }
        for c in 0..SUB {
            total[c] += (sums[0][c] + sums[1][c]) + (sums[2][c] + sums[3][c]);
        }
    }
    total
}

#[inline(always)]
fn reflect_row(
    row: &mut [f64; SUB],
    (l, keep, less, scale): (usize, &[f64; SUB], &[f64; SUB], f64),
    next: usize,
    sums: &mut [f64; SUB],
) {
    let v = row[l] * scale;
    for c in 0..SUB {
        row[c] = v.mul_add(less[c], row[c] * keep[c]);
    }
    let x = row[next];
    for c in 0..SUB {
        sums[c] = x.mul_add(row[c], sums[c]);
    }
}

/// C ← C − V Tᵀ Vᵀ C for the columns behind 8Q + 8.
#[inline(always)]
fn apply_to_rest<const Q: usize>(rows: &mut [Row], t: &[[f64; SUB]; SUB]) {
    if Q + 1 == W / SUB {
        return;
    }
    // V's first rows, without R.
    let count = SUB.min(rows.len());
    let tops: [[f64; SUB]; SUB] = std::array::from_fn(|i| {
        std::array::from_fn(|a| match a.cmp(&i) {
            _ if i >= count => 0.0,
            std::cmp::Ordering::Less => eight::<Q>(&mut rows[i])[a],
            std::cmp::Ordering::Equal => 1.0,
            std::cmp::Ordering::Greater => 0.0,
        })
    });
    let (first, rest) = rows.split_at_mut(count);
    let mut y = [[[0.0; SUB]; W / SUB]; SUB];
    for (row, v) in first.iter().zip(&tops) {
        add_products::<Q>(row, v, &mut y);
    }
    for rows in rest.chunks(RUN) {
        let mut sums = [[[0.0; SUB]; W / SUB]; SUB];
        for row in rows {
            add_products::<Q>(row, &row.as_chunks::<SUB>().0[Q], &mut sums);
        }
        for (y, sum) in y.as_flattened_mut().iter_mut().zip(sums.as_flattened()) {
            y.iter_mut().zip(sum).for_each(|(y, sum)| *y += sum);
        }
    }
    let mut z = [[[0.0; SUB]; W / SUB]; SUB];
    for a in 0..SUB {
        for k in 0..=a {
            for p in Q + 1..W / SUB {
                for c in 0..SUB {
                    z[a][p][c] = t[k][a].mul_add(y[k][p][c], z[a][p][c]);
                }
            }
        }
    }
    for (row, v) in first.iter_mut().zip(&tops) {
        subtract_products::<Q>(row, v, &z);
    }
    for row in rest {
        let v = *eight::<Q>(row);
        subtract_products::<Q>(row, &v, &z);
    }
}

#[inline(always)]
fn add_products<const Q: usize>(row: &Row, v: &[f64; SUB], y: &mut [[[f64; SUB]; W / SUB]; SUB]) {
    let parts = row.as_chunks::<SUB>().0;
    for a in 0..SUB {
        for p in Q + 1..W / SUB {
            for c in 0..SUB {
                y[a][p][c] = v[a].mul_add(parts[p][c], y[a][p][c]);
            }
        }
    }
}

#[inline(always)]
fn subtract_products<const Q: usize>(row: &mut Row, v: &[f64; SUB], z: &[[[f64; SUB]; W / SUB]; SUB]) {
    let parts = row.as_chunks_mut::<SUB>().0;
    for p in Q + 1..W / SUB {
        for a in 0..SUB {
            for c in 0..SUB {
                parts[p][c] = (-v[a]).mul_add(z[a][p][c], parts[p][c]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::panel_products::transposed;
    use super::*;

    fn panel(height: usize) -> Vec<Row> {
        let value = |i: usize, j: usize| ((i * 37 + j * j * 11 + i * j) % 101) as f64 - 50.0;
        (0..height)
            .map(|i| std::array::from_fn(|j| value(i, j)))
            .collect()
    }

    /// V S Vᵀ a and the like, one number at a time.
    fn product(a: &[Row], b: &[Row]) -> Vec<Row> {
        let entry = |row: &Row, j: usize| row.iter().zip(b).map(|(x, b)| x * b[j]).sum();
        a.iter()
            .map(|row| std::array::from_fn(|j| entry(row, j)))
            .collect()
    }

    #[test]
    fn reflectors_take_the_panel_to_r() {
        for height in [2, 7, 8, 9, 31, 32, 33, 100, 1003] {
            let a = panel(height);
            let mut v = a.clone();
            let Factored { s, r } = factor(&mut v);
            // QᵀA = A − V Sᵀ Vᵀ A
            let va = transposed_times(&v, &a);
            let change = product(&v, &product(&transposed(&s, 1.0), &va));
            let norm = a.as_flattened().iter().map(|x| x * x).sum::<f64>().sqrt();
            for i in 0..height {
                for j in 0..W {
                    let expected = if i <= j { r[i][j] } else { 0.0 };
                    let found = a[i][j] - change[i][j];
                    assert!(
                        (found - expected).abs() < 1e-14 * norm,
                        "({i}, {j}) of {height} rows: {found} is not {expected}"
                    );
                    let unit = if i == j { 1.0 } else { 0.0 };
                    assert!(i > j || v[i][j] == unit);
                }
            }
            // Qᵀ is orthogonal: S + Sᵀ = S VᵀV Sᵀ.
            let vv = transposed_times(&v, &v);
            let both = product(&product(&s, &vv), &transposed(&s, 1.0));
            for i in 0..W {
                for j in 0..W {
                    assert!((both[i][j] - s[i][j] - s[j][i]).abs() < 1e-13);
                }
            }
        }
    }

    #[test]
    fn a_panel_of_zeros_and_a_triangle_are_left_alone() {
        let mut v = vec![[0.0; W]; 50];
        let Factored { s, r } = factor(&mut v);
        assert_eq!((s, r), ([[0.0; W]; W], [[0.0; W]; W]));
        let triangle: Vec<Row> = (0..50)
            .map(|i| std::array::from_fn(|j| if i <= j { 1.0 + (i + j) as f64 } else { 0.0 }))
            .collect();
        let mut v = triangle.clone();
        let Factored { s, r } = factor(&mut v);
        assert_eq!(s, [[0.0; W]; W]);
        assert_eq!(r, triangle[..W]);
    }
}
