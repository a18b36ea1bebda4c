//! Two runs → their differences, cell by cell.
//!
//! Measurements are aligned by what they measured (test, subject, levels, direction, seed), statistics by name. A
//! test of whether a difference means anything (paired tests, intervals of a difference, verdict flips) belongs
//! into [`Pair`], computed from both outcomes in [`diff`] and shown by [`display`].

pub mod align;
pub mod change;
pub mod display;
pub mod settings;

use serde::Serialize;

use crate::results::Results;
pub use align::{Alignment, Identity};
pub use change::{Change, Tolerance, ToleranceError};
pub use settings::{SettingChange, compare_settings};

/// The layout of `gradstudy diff --json`; raised when a reader of the old layout would misread the new.
pub const FORMAT_VERSION: u32 = 1;

/// All differences between two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunDiff {
    pub format_version: u32,
    pub tolerance: Tolerance,
    pub alignment: Alignment,
    /// Settings of the two resolved studies that differ: the cause beside the effect.
    pub settings: Vec<SettingChange>,
    /// In the order of the left run, then what only the right run has.
    pub pairs: Vec<Pair>,
}

/// One measurement, or all seeds of one, in both runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    pub identity: Identity,
    pub statistics: Vec<StatisticChange>,
}

/// One statistic of a pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatisticChange {
    /// The name of its column in tables.
    pub name: &'static str,
    pub change: Change,
}

/// Compares every statistic of every measurement of two runs.
///
/// Where the runs have no seed in common, means over seeds are compared ([`Alignment::ByMean`]).
pub fn diff(left: &Results, right: &Results, tolerance: Tolerance) -> RunDiff {
    let (alignment, aligned) = align::align(left, right);
    let pairs = aligned
        .into_iter()
        .map(|(identity, left, right)| Pair {
            identity,
            statistics: change::compare(&left, &right, &tolerance),
        })
        .collect();
    RunDiff {
        format_version: FORMAT_VERSION,
        tolerance,
        alignment,
        settings: Vec::new(),
        pairs,
    }
}

impl RunDiff {
    /// Adds the settings that differ between the two resolved studies.
    pub fn with_settings(mut self, left: &serde_json::Value, right: &serde_json::Value) -> Self {
        self.settings = compare_settings(left, right);
        self
    }

    /// Whether both runs measured the same, within the tolerance. Settings do not count: what they change shows
    /// in the statistics, and a renamed title changes none.
    pub fn is_same(&self) -> bool {
        self.pairs.iter().all(Pair::is_same)
    }
}

impl Pair {
    /// Whether no statistic of the pair moved or is on one side only.
    pub fn is_same(&self) -> bool {
        self.statistics.iter().all(|statistic| statistic.change.is_same())
    }
}
