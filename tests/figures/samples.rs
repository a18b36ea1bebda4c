//! Figures as a study of spectra would draw them.

use gradstudy::figures::{Axis, Figure, Series, against, curve, horizontal_line, rank_plot};
use gradstudy::stats::power_law::PowerLawFit;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CONDITIONS: [(&str, f64, f64); 5] = [
    ("LeNet, MNIST", 1.38, 1e-1),
    ("LeNet, CIFAR-10", 1.21, 2.0),
    ("FCN, MNIST", 1.12, 1e-3),
    ("FCN, CIFAR-10", 1.55, 1e-2),
    ("ResNet18, CIFAR-10", 1.30, 4e-4),
];

/// Pareto-distributed values with nine outliers, the largest first.
fn spectrum(s: f64, scale: f64, n: usize, seed: u64) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let smallest = scale * (n as f64).powf(-s);
    let mut values: Vec<f64> = (9..n)
        .map(|_| smallest * (1.0 - rng.random::<f64>()).powf(-s))
        .collect();
    values.extend((0..9).map(|i| scale * (30.0 - 2.5 * f64::from(i))));
    values.sort_by(|a, b| b.total_cmp(a));
    values
}

/// Five spectra of `n` values on log-log axes, each with the power law fitted to its `tail` largest.
pub fn rank_figure(name: &str, n: usize, tail: usize) -> Figure {
    let series = CONDITIONS.iter().enumerate().map(|(index, (label, s, scale))| {
        let values = spectrum(*s, *scale, n, index as u64);
        let fit = PowerLawFit::new(&values[..tail], values[tail - 1]);
        rank_plot(label, &values, fit.as_ref(), index)
    });
    Figure {
        name: name.into(),
        caption: "Spectra of the gradient covariance at random weights".into(),
        x: Axis::rank(),
        y: Axis::log("eigenvalue λ").with_tex(r"eigenvalue $\lambda_k$"),
        series: series.collect(),
        notes: vec!["The fit is to all ranks shown.".into()],
    }
}

/// Power-law and Gaussian rates against batch size, three seeds.
pub fn rate_figure() -> Figure {
    let rates = |falling: bool, slope: f64| -> Vec<(f64, Vec<f64>)> {
        let at = |batch: f64, seed: f64| {
            let rate = if falling {
                0.98 - slope * batch.log10()
            } else {
                0.02 + slope * batch.log10()
            };
            (rate + 0.01 * seed * (1.0 + batch.log10())).clamp(0.0, 1.0)
        };
        let batches = [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0];
        batches
            .iter()
            .map(|batch| (*batch, [-1.0, 0.0, 1.0].map(|seed| at(*batch, seed)).to_vec()))
            .collect()
    };
    Figure {
        name: "rates".into(),
        caption: "Rates against batch size; the band is one standard deviation over seeds".into(),
        x: Axis::log("batch size B").with_tex("batch size $B$"),
        y: Axis::rate("rate (%)").with_tex(r"rate (\%)"),
        series: vec![
            against("Power-law rate, MNIST", &rates(true, 0.02), 0),
            against("Gaussian rate, MNIST", &rates(false, 0.15), 1),
            against("Power-law rate, CIFAR-10", &rates(true, 0.07), 2),
            against("Gaussian rate, CIFAR-10", &rates(false, 0.19), 3),
        ],
        notes: Vec::new(),
    }
}

/// Overlaid curves with a critical value, on linear axes.
pub fn curve_figure() -> Figure {
    let curves = (0..3).map(|seed| {
        let at = |t: u32| {
            (
                f64::from(t),
                0.02 + 0.004 * f64::from(seed) + 0.01 * f64::from(t / 3 + seed).sin(),
            )
        };
        curve(
            &format!("seed {seed}"),
            &(0..400).map(at).collect::<Vec<_>>(),
            seed as usize,
        )
    });
    Figure {
        name: "curves".into(),
        caption: "KS distance of the gradient at each iteration".into(),
        x: Axis::linear("iteration"),
        y: Axis::linear("KS distance").with_tex(r"$d_{\mathrm{ks}}$"),
        series: curves
            .chain([horizontal_line("critical distance", 0.043, 6)])
            .collect(),
        notes: Vec::new(),
    }
}

/// Text that means something to SVG, HTML and TeX, and characters that fonts lack.
pub const AWKWARD: &str =
    "50 % of a_b & #c ~ ^d \\e {f} $g$ [h] *i* <j> |k| \"l\" 'm' -- é Ş β ∇ 中 \u{7}end";

/// A figure all of whose texts are [`AWKWARD`]; its name too.
pub fn awkward_figure() -> Figure {
    let series = (0..9).map(|index| Series {
        label: format!("{index} {AWKWARD}"),
        ..curve(
            "",
            &[(1.0, 1.0 + index as f64), (2.0, 3.0), (5.0, 9.0 - index as f64)],
            index,
        )
    });
    Figure {
        name: "awkward_50%".into(),
        caption: AWKWARD.into(),
        x: Axis::linear(AWKWARD),
        y: Axis::log(AWKWARD),
        series: series.collect(),
        notes: vec![AWKWARD.into()],
    }
}

pub fn figures() -> Vec<Figure> {
    let mut one = rank_figure("one", 200, 200);
    one.series.truncate(1);
    vec![
        rank_figure("spectra", 1000, 1000),
        rank_figure("tails", 5000, 1000),
        one,
        rate_figure(),
        curve_figure(),
        awkward_figure(),
    ]
}
