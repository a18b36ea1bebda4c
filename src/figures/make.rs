//! Series of what studies measure: ranks, rates, curves.

use super::{Axis, FitLine, Series, SeriesKind};
use crate::stats::power_law::PowerLawFit;

impl Axis {
    /// Ranks, logarithmic.
    pub fn rank() -> Self {
        Axis::log("rank k").with_tex("rank $k$")
    }

    /// Rates in percent, 0–100.
    pub fn rate(label: &str) -> Self {
        Axis::linear(label).reaching(0.0, 100.0)
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

/// Rates against a numeric level such as the batch size: for each level the fractions of all seeds. Shown in
/// percent; with several seeds the mean, and a band of one sample standard deviation (n − 1) on each side.
pub fn rates_against(label: &str, levels: &[(f64, Vec<f64>)], color: usize) -> Series {
    let mut levels: Vec<&(f64, Vec<f64>)> = levels.iter().filter(|(_, rates)| !rates.is_empty()).collect();
    levels.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mean = |rates: &[f64]| 100.0 * rates.iter().sum::<f64>() / rates.len() as f64;
    let sd = |rates: &[f64]| {
        let mean = mean(rates);
        let squares: f64 = rates.iter().map(|rate| (100.0 * rate - mean).powi(2)).sum();
        if rates.len() < 2 {
            0.0
        } else {
            (squares / (rates.len() - 1) as f64).sqrt()
        }
    };
    let seeds = levels.iter().map(|(_, rates)| rates.len()).max().unwrap_or(0);
    let ends = levels
        .iter()
        .map(|(_, rates)| (mean(rates) - sd(rates), mean(rates) + sd(rates)));
    Series {
        label: label.to_string(),
        kind: SeriesKind::LineWithPoints,
        points: levels
            .iter()
            .map(|(level, rates)| (*level, mean(rates)))
            .collect(),
        band: (seeds > 1).then(|| ends.collect()),
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
