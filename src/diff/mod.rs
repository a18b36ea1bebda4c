//! Two runs → their differences, cell by cell; a run → its differences from the paper.
//!
//! Measurements are aligned by what they measured (test, subject, levels, direction, seed), statistics by name.
//! [`compare`] says whether a difference means anything, [`settings`] what may have caused it, [`display`] shows all of
//! it to people.

pub mod align;
pub mod change;
pub mod compare;
pub mod display;
pub mod paper;
pub mod settings;

use serde::Serialize;

use crate::results::{Results, Subject};
pub use align::{Alignment, Identity};
pub use change::{Change, Tolerance, ToleranceError};
pub use compare::{Comparison, Flip};
pub use settings::{SettingChange, compare_settings};

/// The layout of `gradstudy diff --format json`; raised when a reader of the old layout would misread the new.
pub const FORMAT_VERSION: u32 = 1;

/// All differences between two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunDiff {
    pub format_version: u32,
    pub tolerance: Tolerance,
    pub alignment: Alignment,
    /// Verdicts on single samples that are not the same.
    pub flips: Vec<Flip>,
    /// What was tested, the least p-value first.
    pub comparisons: Vec<Comparison>,
    /// Settings of the two resolved studies that differ: the cause beside the effect.
    pub settings: Vec<SettingChange>,
    /// The same of data, versions and devices.
    pub provenance: Vec<SettingChange>,
    /// In the order of the left run, then what only the right run has.
    pub pairs: Vec<Pair>,
}

/// One measurement, or all seeds of one, in both runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    pub identity: Identity,
    /// What the right run measured, where a changed setting made it another subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right_subject: Option<Subject>,
    pub statistics: Vec<StatisticChange>,
}

/// One statistic of a pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatisticChange {
    /// The name of its column in tables.
    pub name: &'static str,
    pub change: Change,
}

/// What counts as a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailOn {
    /// A verdict on a single sample that flipped.
    Flip,
    /// A flip, or an adjusted p-value of at most α.
    Significant,
    /// Any statistic that moved by more than the tolerance, or is on one side only.
    Any,
}

/// Compares every statistic of every measurement of two runs.
///
/// Where the runs have no seed in common, means over seeds are compared ([`Alignment::Mean`]).
pub fn diff(left: &Results, right: &Results, tolerance: Tolerance) -> RunDiff {
    let (alignment, aligned) = align::align(left, right);
    let comparisons = compare::comparisons(&aligned);
    let pairs: Vec<Pair> = aligned
        .into_iter()
        .map(|it| Pair {
            statistics: change::compare(&it.left, &it.right, &tolerance),
            identity: it.identity,
            right_subject: it.right_subject,
        })
        .collect();
    RunDiff {
        format_version: FORMAT_VERSION,
        tolerance,
        alignment,
        flips: compare::flips(&pairs),
        comparisons,
        settings: Vec::new(),
        provenance: Vec::new(),
        pairs,
    }
}

impl RunDiff {
    /// Adds the settings that differ between the two resolved studies.
    pub fn with_settings(mut self, left: &serde_json::Value, right: &serde_json::Value) -> Self {
        self.settings = compare_settings(left, right);
        self
    }

    /// Adds what differs between the two manifests in data, versions and devices.
    pub fn with_provenance(mut self, left: &serde_json::Value, right: &serde_json::Value) -> Self {
        const TOLD: [&str; 9] = [
            "gradstudy",
            "build",
            "burn",
            "overrides",
            "device",
            "seeds",
            "files",
            "data",
            "label_noise",
        ];
        self.provenance = compare_settings(left, right)
            .into_iter()
            .filter(|change| TOLD.contains(&change.path.split('.').next().unwrap_or_default()))
            .collect();
        self
    }

    /// Whether both runs measured the same, within the tolerance. Settings do not count: what they change shows
    /// in the statistics, and a renamed title changes none.
    pub fn is_same(&self) -> bool {
        self.pairs.iter().all(Pair::is_same)
    }

    /// Whether the difference is one of the kind `fail_on`.
    pub fn fails(&self, fail_on: FailOn, alpha: f64) -> bool {
        let significant = || self.comparisons.iter().any(|it| it.p_adjusted <= alpha);
        match fail_on {
            FailOn::Flip => !self.flips.is_empty(),
            FailOn::Significant => !self.flips.is_empty() || significant(),
            FailOn::Any => !self.is_same(),
        }
    }
}

impl Pair {
    /// Whether no statistic of the pair moved or is on one side only.
    pub fn is_same(&self) -> bool {
        self.statistics.iter().all(|statistic| statistic.change.is_same())
    }
}
