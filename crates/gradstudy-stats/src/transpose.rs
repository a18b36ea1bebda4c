//! Turning sixteen columns of G into rows.

use pulp::Arch;

/// Columns turned at once: 16 floats fill a cache line and a vector of AVX-512.
pub const TILE: usize = 16;

/// Writes `columns` (of equal length) as rows: number r of column c becomes `rows[r * width + first + c]`.
pub fn turn(arch: Arch, columns: &[&[f32]; TILE], rows: &mut [f32], width: usize, first: usize) {
    #[cfg(target_arch = "x86_64")]
    let done = match arch {
        Arch::V4(simd) => avx512::turn(simd, columns, rows, width, first),
        _ => 0,
    };
    #[cfg(not(target_arch = "x86_64"))]
    let done = {
        let _ = arch;
        0
    };
    for row in done..columns[0].len() {
        let line: [f32; TILE] = std::array::from_fn(|c| columns[c][row]);
        rows[row * width + first..][..TILE].copy_from_slice(&line);
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::{__m512, __m512d};

    use pulp::x86::V4;

    use super::TILE;

    /// As [`super::turn`], squares of sixteen rows; gives the rows done.
    pub fn turn(simd: V4, columns: &[&[f32]; TILE], rows: &mut [f32], width: usize, first: usize) -> usize {
        let squares: [&[[f32; TILE]]; TILE] = std::array::from_fn(|c| columns[c].as_chunks().0);
        let count = squares[0].len();
        assert!(squares.iter().all(|column| column.len() == count));
        simd.vectorize(
            #[inline(always)]
            || {
                let mut square = [pulp::cast([0f32; TILE]); TILE];
                for number in 0..count {
                    for c in 0..TILE {
                        square[c] = pulp::cast(squares[c][number]);
                    }
                    let turned = transposed(simd, square);
                    for r in 0..TILE {
                        let line: [f32; TILE] = pulp::cast(turned[r]);
                        rows[(number * TILE + r) * width + first..][..TILE].copy_from_slice(&line);
                    }
                }
            },
        );
        count * TILE
    }

    /// A 16 × 16 matrix's transpose: pairs, pairs of pairs, then quarters of the vectors. Loops, as the closures
    /// of `array::from_fn` would not be compiled for these instructions.
    #[inline(always)]
    fn transposed(simd: V4, mut m: [__m512; TILE]) -> [__m512; TILE] {
        let isa = simd.avx512f;
        for i in (0..TILE).step_by(2) {
            let (a, b) = (m[i], m[i + 1]);
            m[i] = isa._mm512_unpacklo_ps(a, b);
            m[i + 1] = isa._mm512_unpackhi_ps(a, b);
        }
        // Then quarter q of `fours[4 j + c]` holds rows 4 j … 4 j + 3 of column 4 q + c.
        let mut fours = m;
        for i in (0..TILE).step_by(4) {
            for half in 0..2 {
                let (a, b): (__m512d, __m512d) = (pulp::cast(m[i + half]), pulp::cast(m[i + half + 2]));
                fours[i + 2 * half] = pulp::cast(isa._mm512_unpacklo_pd(a, b));
                fours[i + 2 * half + 1] = pulp::cast(isa._mm512_unpackhi_pd(a, b));
            }
        }
        for c in 0..4 {
            let (a, b) = (fours[c], fours[4 + c]);
            let (d, e) = (fours[8 + c], fours[12 + c]);
            let (even, odd) = (
                isa._mm512_shuffle_f32x4::<0x88>(a, b),
                isa._mm512_shuffle_f32x4::<0xdd>(a, b),
            );
            let (even_too, odd_too) = (
                isa._mm512_shuffle_f32x4::<0x88>(d, e),
                isa._mm512_shuffle_f32x4::<0xdd>(d, e),
            );
            m[c] = isa._mm512_shuffle_f32x4::<0x88>(even, even_too);
            m[4 + c] = isa._mm512_shuffle_f32x4::<0x88>(odd, odd_too);
            m[8 + c] = isa._mm512_shuffle_f32x4::<0xdd>(even, even_too);
            m[12 + c] = isa._mm512_shuffle_f32x4::<0xdd>(odd, odd_too);
        }
        m
    }
}
