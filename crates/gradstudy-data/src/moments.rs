//! Mean and population standard deviation (`numpy.std`) of each position of a set of examples. Bytes are summed as
//! integers, exactly; other numbers in f64 in blocks of a fixed size that are added in order. Neither depends on
//! the number of threads.

use rayon::prelude::*;

use super::values::Values;

/// Examples summed at a time: of so many bytes u32 holds the sum of squares.
const BLOCK: usize = 4096;

/// Mean and standard deviation of some values. The deviation is exactly 0 where the values are all the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moments {
    pub mean: f64,
    pub sd: f64,
}

/// Moments of each position, in the units of `values`; of each channel; and of all.
#[derive(Debug)]
pub(super) struct Statistics {
    pub positions: Vec<Moments>,
    pub channels: Vec<Moments>,
    pub all: Moments,
}

/// Statistics of `values`: examples of `channels` × `area` positions one after the other, at least one.
pub(super) fn statistics(values: &Values, channels: usize, area: usize) -> Statistics {
    let size = channels * area;
    match values {
        Values::Bytes(bytes) => of_bytes(bytes, size, area),
        Values::Singles(values) => of_numbers(values, size, area),
        Values::Doubles(values) => of_numbers(values, size, area),
    }
}

fn of_bytes(bytes: &[u8], size: usize, area: usize) -> Statistics {
    let examples = bytes.len() / size;
    let sums = bytes
        .par_chunks(size * BLOCK)
        .map(|block| position_sums(block, size))
        .reduce(
            || vec![(0, 0); size],
            |a, b| a.iter().zip(&b).map(|(x, y)| (x.0 + y.0, x.1 + y.1)).collect(),
        );
    let of = |sums: &[(u64, u64)]| {
        let (sum, squares) = sums
            .iter()
            .fold((0, 0), |total, at| (total.0 + at.0, total.1 + at.1));
        exact(examples * sums.len(), sum, squares)
    };
    Statistics {
        positions: sums.chunks(1).map(of).collect(),
        channels: sums.chunks(area).map(of).collect(),
        all: of(&sums),
    }
}

/// Sum and sum of squares of each position over at most [`BLOCK`] examples.
fn position_sums(block: &[u8], size: usize) -> Vec<(u64, u64)> {
    let (mut sums, mut squares) = (vec![0u32; size], vec![0u32; size]);
    for example in block.chunks_exact(size) {
        for ((sum, square), &byte) in sums.iter_mut().zip(&mut squares).zip(example) {
            *sum += u32::from(byte);
            *square += u32::from(byte) * u32::from(byte);
        }
    }
    sums.into_iter()
        .zip(squares)
        .map(|(sum, square)| (sum.into(), square.into()))
        .collect()
}

/// n Σx² − (Σx)² is exact, hence exactly 0 for constant values.
fn exact(count: usize, sum: u64, squares: u64) -> Moments {
    let (n, sum) = (count as u128, u128::from(sum));
    let spread = n * u128::from(squares) - sum * sum;
    Moments {
        mean: sum as f64 / n as f64,
        sd: (spread as f64).sqrt() / n as f64,
    }
}

fn of_numbers<T: Copy + Into<f64> + Sync>(values: &[T], size: usize, area: usize) -> Statistics {
    let n = (values.len() / size) as f64;
    let first: Vec<f64> = values[..size].iter().map(|&value| value.into()).collect();
    // Distances from the first example: where they are all 0, so is everything that follows from them.
    let shifts: Vec<f64> = block_sums(values, size, |at, value| value - first[at])
        .into_iter()
        .map(|sum| sum / n)
        .collect();
    let centre: Vec<f64> = first
        .iter()
        .zip(&shifts)
        .map(|(first, shift)| first + shift)
        .collect();
    let rests = block_sums(values, size, |at, value| value - centre[at]);
    let squares = block_sums(values, size, |at, value| (value - centre[at]).powi(2));
    let positions: Vec<Moments> = (0..size)
        .map(|at| {
            // The rest corrects the rounding of the mean (Chan, Golub, LeVeque 1983).
            let variance = (squares[at] - rests[at] * rests[at] / n).max(0.0) / n;
            Moments {
                mean: centre[at] + rests[at] / n,
                sd: variance.sqrt(),
            }
        })
        .collect();
    Statistics {
        channels: positions.chunks(area).map(pooled).collect(),
        all: pooled(&positions),
        positions,
    }
}

/// The sum of `term(position, value)` over the examples, for each position.
fn block_sums<T: Copy + Into<f64> + Sync>(
    values: &[T],
    size: usize,
    term: impl Fn(usize, f64) -> f64 + Sync,
) -> Vec<f64> {
    let blocks: Vec<Vec<f64>> = values
        .par_chunks(size * BLOCK)
        .map(|block| {
            let mut sums = vec![0.0; size];
            for example in block.chunks_exact(size) {
                for (at, (sum, &value)) in sums.iter_mut().zip(example).enumerate() {
                    *sum += term(at, value.into());
                }
            }
            sums
        })
        .collect();
    let mut total = vec![0.0; size];
    for block in blocks {
        total.iter_mut().zip(block).for_each(|(total, sum)| *total += sum);
    }
    total
}

/// Moments of equally many values at each of `positions`, taken together.
fn pooled(positions: &[Moments]) -> Moments {
    let n = positions.len() as f64;
    let first = positions[0].mean;
    let mean = first + positions.iter().map(|at| at.mean - first).sum::<f64>() / n;
    let variance = positions
        .iter()
        .map(|at| at.sd * at.sd + (at.mean - mean).powi(2))
        .sum::<f64>()
        / n;
    Moments {
        mean,
        sd: variance.sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_bytes_agree() {
        let bytes: Vec<u8> = (0..6 * 9000u32).map(|i| (i * i % 251) as u8).collect();
        let numbers = bytes.iter().map(|&byte| f32::from(byte)).collect();
        let exact = statistics(&Values::Bytes(bytes), 3, 2);
        let close = statistics(&Values::Singles(numbers), 3, 2);
        let pairs = exact.positions.iter().zip(&close.positions);
        let pairs = pairs.chain(exact.channels.iter().zip(&close.channels));
        for (a, b) in pairs.chain([(&exact.all, &close.all)]) {
            assert!(
                (a.mean - b.mean).abs() < 1e-12 * a.mean && (a.sd - b.sd).abs() < 1e-12 * a.sd,
                "{a:?} {b:?}"
            );
        }
        assert_eq!((exact.channels.len(), close.positions.len()), (3, 6));
    }

    #[test]
    fn a_large_offset_costs_no_digits() {
        // Σx² − (Σx)²/n in f64 has no digit left here.
        let values = (0..10_000).map(|i| 1e9 + f64::from(i % 2)).collect();
        let found = statistics(&Values::Doubles(values), 1, 1).all;
        assert_eq!((found.mean, found.sd), (1e9 + 0.5, 0.5));
    }

    #[test]
    fn what_never_varies_has_no_deviation() {
        // A third is no binary fraction: sums of it round.
        let values = [1.0 / 3.0; 3 * 1000].to_vec();
        let found = statistics(&Values::Doubles(values), 3, 1);
        assert_eq!(
            found.all,
            Moments {
                mean: 1.0 / 3.0,
                sd: 0.0
            }
        );
        assert!(
            found
                .positions
                .iter()
                .chain(&found.channels)
                .all(|at| at.sd == 0.0)
        );
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let values = Values::Doubles((0..50_000).map(|i| f64::from(i).sin()).collect());
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| statistics(&values, 1, 2).positions)
        };
        assert_eq!(with(1), with(4));
    }
}
