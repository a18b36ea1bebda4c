//! Series of what studies measure: ranks, statistics, curves.

use super::{Axis, FitLine, Series, SeriesKind};
use crate::report::cells::mean_and_sd;
use gradstudy_stats::power_law::PowerLawFit;

impl Axis {
    /// Ranks, logarithmic.
    pub fn rank() -> Self {
        Axis::log("rank k").with_tex("rank $k$")
    }

    /// Fractions from 0 to 1, shown in percent.
    pub fn rate(label: &str) -> Self {
        Axis {
            percent: true,
            ..Axis::linear(label).reaching(0.0, 1.0)
        }
    }
}

/// Values against their rank, the largest having rank 1, with the power law fitted to their tail.
///
/// A density ∝ x^(−β) makes the k-th largest of K values about x_min (K/k)^s with s = 1/(β − 1): on log-log axes a
/// straight line of slope −s from rank 1 to K (Eq. 4 and 8 of Xie et al., 2023). NaNs come last.
pub fn rank_plot(label: &str, values: &[f64], fit: Option<&PowerLawFit>, color: usize) -> Series {
    let mut sorted: Vec<f64> = values.to_vec();
    sorted.sort_by(|a, b| a.is_nan().cmp(&b.is_nan()).then(b.total_cmp(a)));
    in_order(label, &sorted, fit, color)
}

/// Values against their position, 1 for the first, as eigengaps in the order of the eigenvalues.
pub fn in_order(label: &str, values: &[f64], fit: Option<&PowerLawFit>, color: usize) -> Series {
    Series {
        label: label.to_string(),
        kind: SeriesKind::Points,
        points: values
            .iter()
            .enumerate()
            .map(|(index, value)| ((index + 1) as f64, *value))
            .collect(),
        band: None,
        fit: fit.map(FitLine::of_ranks),
        color,
    }
}

impl FitLine {
    /// The line of a power law over ranks 1 to K.
    pub fn of_ranks(fit: &PowerLawFit) -> Self {
        let k = fit.n_tail as f64;
        let exponent = format!("{:.2}", fit.zipf_exponent);
        FitLine {
            exponent: fit.zipf_exponent,
            coefficient: fit.x_min * k.powf(fit.zipf_exponent),
            from: 1.0,
            to: k,
            label: format!("ŝ = {exponent}"),
            label_tex: format!(r"$\hat{{s}} = {exponent}$"),
        }
    }
}

/// A statistic against places on the horizontal axis: for each place its values, one for each seed. Their mean, and
/// with several seeds a band of one sample standard deviation (n − 1) on each side, as tables have them; a value that
/// is not finite is left out of both, and a place of which no value is left has the mean NaN.
pub fn against(label: &str, places: &[(f64, Vec<f64>)], color: usize) -> Series {
    let mut places: Vec<(f64, Vec<f64>)> = places
        .iter()
        .map(|(x, values)| (*x, values.iter().copied().filter(|it| it.is_finite()).collect()))
        .collect();
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    let seeds = places.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    let of = |values: &[f64]| match mean_and_sd(values) {
        Some((mean, sd)) => (mean, sd.unwrap_or(0.0)),
        None => (f64::NAN, f64::NAN),
    };
    let (means, ends): (Vec<_>, Vec<_>) = places
        .iter()
        .map(|(x, values)| {
            let (mean, sd) = of(values);
            ((*x, mean), (mean - sd, mean + sd))
        })
        .unzip();
    Series {
        label: label.to_string(),
        kind: SeriesKind::LineWithPoints,
        points: means,
        band: (seeds > 1).then_some(ends),
        fit: None,
        color,
    }
}

/// Points joined by a line.
pub fn curve(label: &str, points: &[(f64, f64)], color: usize) -> Series {
    Series {
        label: label.to_string(),
        kind: SeriesKind::Line,
        points: points.to_vec(),
        band: None,
        fit: None,
        color,
    }
}

/// A dotted line over the whole width, such as a critical distance.
pub fn horizontal_line(label: &str, y: f64, color: usize) -> Series {
    Series {
        kind: SeriesKind::HorizontalLine,
        ..curve(label, &[(0.0, y)], color)
    }
}
