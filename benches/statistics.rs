//! The row and column tests of a LeNet-sized gradient history: n = 44 426 parameters, T = 5000 iterations.
//!
//! `benches/peers/row_tests.py` times NumPy, SciPy and `powerlaw` on the same matrix.

use std::hint::black_box;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use gradstudy::stats::history_view::HistoryView;
use gradstudy::stats::ks::Ecdf;
use gradstudy::stats::many::{normality_test, power_law_test};
use gradstudy::stats::monitor::Monitor;
use gradstudy::stats::normality::NormalitySettings;
use gradstudy::stats::outcome::Direction;
use gradstudy::stats::power_law::{PowerLawSettings, PowerLawTest};
use gradstudy::stats::tail::TailRule;
use memmap2::{Advice, MmapMut};
use rayon::prelude::*;

const PARAMETERS: usize = 44_426;
const ITERATIONS: usize = 5000;

/// The output function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
fn hash(counter: u64) -> u64 {
    let mut z = counter.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Parameter i has scale u^(−0.7), u uniform; each ninth has none, as weights of border pixels.
fn scale(parameter: usize) -> f64 {
    let u = ((hash(parameter as u64 + (1 << 40)) >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
    if parameter.is_multiple_of(9) {
        0.0
    } else {
        u.powf(-0.7)
    }
}

/// Nearly Gaussian: the sum of the four 16-bit parts of the hash of the entry's number, centred.
fn value(entry: usize) -> f64 {
    let bits = hash(entry as u64);
    let parts = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
    (parts as f64 - 131_070.0) / 65_536.0
}

/// G[i, t] = scale(i) · value(t n + i), in huge pages where the system gives them.
fn history() -> std::io::Result<MmapMut> {
    let mut memory = MmapMut::map_anon(PARAMETERS * ITERATIONS * 4)?;
    // Without huge pages it is slower, not wrong.
    let _ = memory.advise(Advice::HugePage);
    let scales: Vec<f64> = (0..PARAMETERS).map(scale).collect();
    memory
        .par_chunks_exact_mut(PARAMETERS * 4)
        .enumerate()
        .for_each(|(t, column)| {
            for (i, bytes) in column.chunks_exact_mut(4).enumerate() {
                let number = (scales[i] * value(t * PARAMETERS + i)) as f32;
                bytes.copy_from_slice(&number.to_ne_bytes());
            }
        });
    Ok(memory)
}

fn tests(criterion: &mut Criterion) {
    let memory = history().expect("888 MB of memory");
    let values = pulp::bytemuck::cast_slice(&memory);
    let view = HistoryView::new(values, PARAMETERS, ITERATIONS);
    let power_law = PowerLawSettings {
        tail: TailRule::Top(1000),
        ecdf: Ecdf::Left,
        alpha: 0.05,
        ..PowerLawSettings::default()
    };
    let normality = NormalitySettings {
        points: 100,
        alpha: 0.05,
        seed: 0,
    };
    let cancel = AtomicBool::new(false);
    let monitor = Monitor {
        progress: &|_| {},
        cancel: &cancel,
    };

    let mut group = criterion.benchmark_group("tests of LeNet's history");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500));
    for (direction, name) in [(Direction::Dimension, "columns"), (Direction::Iteration, "rows")] {
        group.bench_function(format!("power law, {name}"), |bencher| {
            bencher.iter(|| power_law_test(black_box(view), direction, &power_law, &monitor));
        });
        group.bench_function(format!("normality, {name}"), |bencher| {
            bencher.iter(|| normality_test(black_box(view), direction, &normality, &monitor));
        });
    }
    group.bench_function("all four", |bencher| {
        bencher.iter(|| {
            for direction in [Direction::Dimension, Direction::Iteration] {
                black_box(power_law_test(black_box(view), direction, &power_law, &monitor));
                black_box(normality_test(black_box(view), direction, &normality, &monitor));
            }
        });
    });
    group.finish();
}

/// |Student t| of 1.5 degrees of freedom by Bailey's polar method (Mathematics of Computation 62 (1994)).
fn student(n: usize) -> Vec<f64> {
    let uniform = |counter: u64| ((hash(counter) >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
    (0..n as u64)
        .map(|i| {
            let (u, v) = (uniform(i), uniform(i + (1 << 32)));
            ((1.5 * (u.powf(-2.0 / 1.5) - 1.0)).sqrt() * (std::f64::consts::TAU * v).cos()).abs()
        })
        .collect()
}

fn scans(criterion: &mut Criterion) {
    let settings = PowerLawSettings {
        tail: TailRule::Scan { at_least: 2 },
        ecdf: Ecdf::Left,
        alpha: 0.05,
        ..PowerLawSettings::default()
    };
    let mut group = criterion.benchmark_group("x_min scan");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500));
    for n in [5000, 62_006, 1_000_000] {
        let sample = student(n);
        group.bench_function(format!("n = {n}"), |bencher| {
            bencher.iter(|| PowerLawTest::of(black_box(&sample), &settings));
        });
    }
    group.finish();
}

criterion_group!(benches, tests, scans);
criterion_main!(benches);
