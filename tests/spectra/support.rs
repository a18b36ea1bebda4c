//! Histories that the reference scripts draw, too.

use std::sync::atomic::AtomicBool;

use gradstudy::signature::{Args, Value};
use gradstudy::stats::history_view::HistoryView;
use gradstudy::stats::monitor::Monitor;

static NEVER: AtomicBool = AtomicBool::new(false);

/// Tells nothing, never cancels.
pub const SILENT: Monitor<'static> = Monitor {
    progress: &|_| {},
    cancel: &NEVER,
};

/// A linear congruential generator, uniform on [−0.5, 0.5) with 24 bits: exact in f32, easily written in Python.
pub struct Draws(pub u64);

impl Draws {
    pub fn uniform(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 40) as f32 / 16_777_216.0 - 0.5
    }

    /// Roughly Gaussian with variance 1: twelve uniforms.
    pub fn gaussian(&mut self) -> f64 {
        (0..12).map(|_| f64::from(self.uniform())).sum()
    }
}

/// `history` of tests/reference/spectra/make_moments.py.
pub fn history(parameters: usize, iterations: usize, mean: f32, seed: u64) -> Vec<f32> {
    let mut draws = Draws(seed);
    (0..parameters * iterations)
        .map(|at| (draws.uniform() + mean) * (1.0 / (1.0 + (at % parameters) as f32)))
        .collect()
}

/// A view of `history`'s values.
pub fn view(values: &[f32], parameters: usize) -> HistoryView<'_> {
    HistoryView::new(values, parameters, values.len() / parameters)
}

/// Checked arguments.
pub fn args(entries: &[(&str, Value)]) -> Args {
    Args(
        entries
            .iter()
            .map(|(name, value)| (name.to_string(), value.clone()))
            .collect(),
    )
}

/// Every expected value within `tolerance` of the largest one.
#[track_caller]
pub fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    let scale = expected
        .iter()
        .fold(0.0f64, |scale, value| scale.max(value.abs()));
    for (k, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance * scale,
            "value {k}: {found} is not {expected} (largest {scale})"
        );
    }
}

/// Relative, value by value.
#[track_caller]
pub fn assert_each(found: &[f64], expected: &[f64], tolerance: f64) {
    for (k, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found / expected - 1.0).abs() < tolerance,
            "{k}: {found} is not {expected}"
        );
    }
}
