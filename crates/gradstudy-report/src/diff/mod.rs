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
pub use compare::{Comparison, Flip, Reason, Untested};
pub use settings::{SettingChange, compare_settings};

/// The layout of `gradstudy diff --format json`; raised when a reader of the old layout would misread the new.
pub const FORMAT_VERSION: u32 = 2;

/// All differences between two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunDiff {
    pub format_version: u32,
    pub tolerance: Tolerance,
    /// Level at which an adjusted p-value is significant.
    pub alpha: f64,
    /// What headline and exit code are made of.
    pub summary: Summary,
    pub alignment: Alignment,
    /// Verdicts on single samples that are not the same.
    pub flips: Vec<Flip>,
    /// What was tested, the least p-value first.
    pub comparisons: Vec<Comparison>,
    /// Differences that no test is possible of, in the order of the left run.
    pub untested: Vec<Untested>,
    /// Settings of the two resolved studies that differ: the cause beside the effect.
    pub settings: Vec<SettingChange>,
    /// The same of data, versions and devices.
    pub provenance: Vec<SettingChange>,
    /// In the order of the left run, then what only the right run has.
    pub pairs: Vec<Pair>,
}

/// How many differences of each kind there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Measurements of either run, those of both counted once.
    pub measurements: u64,
    /// Measurements of which a statistic moved by more than the tolerance, or is on one side only.
    pub differing: u64,
    /// Statistics that are within the tolerance but not equal.
    pub within_tolerance: u64,
    pub flips: u64,
    /// Tests made: so many p-values are adjusted together.
    pub tested: u64,
    pub significant: u64,
    /// Differences that no test is possible of, by reason.
    pub too_few_seeds: u64,
    pub no_spread: u64,
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
    /// Of a rate: samples accepted in the left run only, and in the right run only, where both judged the same ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discordant: Option<[u64; 2]>,
}

/// What counts as a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailOn {
    /// A verdict on a single sample that flipped.
    Flip,
    /// A flip, or a significant difference. Without two seeds a side no difference is known to be significant.
    Significant,
    /// Any statistic that moved by more than the tolerance, or is on one side only.
    Any,
}

/// Compares every statistic of every measurement of two runs; adjusted p-values of at most `alpha` are significant.
///
/// Where the runs have no seed in common, means over seeds are compared ([`Alignment::Mean`]).
pub fn diff(left: &Results, right: &Results, tolerance: Tolerance, alpha: f64) -> RunDiff {
    let (alignment, aligned) = align::align(left, right);
    let compared = compare::compare(&aligned, &tolerance, alpha);
    let pairs: Vec<Pair> = aligned
        .into_iter()
        .map(|it| Pair {
            statistics: change::compare(&it.left, &it.right, &tolerance),
            identity: it.identity,
            right_subject: it.right_subject,
        })
        .collect();
    let flips = compare::flips(&pairs);
    RunDiff {
        format_version: FORMAT_VERSION,
        tolerance,
        alpha,
        summary: summary(&pairs, &flips, &compared),
        alignment,
        flips,
        comparisons: compared.tested,
        untested: compared.untested,
        settings: Vec::new(),
        provenance: Vec::new(),
        pairs,
    }
}

fn summary(pairs: &[Pair], flips: &[Flip], compared: &compare::Compared) -> Summary {
    let tolerated = |it: &&StatisticChange| matches!(it.change, Change::WithinTolerance { .. });
    let statistics = pairs.iter().flat_map(|pair| &pair.statistics);
    let because = |reason| {
        let of_reason = compared.untested.iter().filter(|it| it.reason == reason);
        of_reason.count() as u64
    };
    Summary {
        measurements: pairs.len() as u64,
        differing: pairs.iter().filter(|pair| !pair.is_same()).count() as u64,
        within_tolerance: statistics.filter(tolerated).count() as u64,
        flips: flips.len() as u64,
        tested: compared.tested.len() as u64,
        significant: compared.tested.iter().filter(|it| it.significant).count() as u64,
        too_few_seeds: because(Reason::TooFewSeeds),
        no_spread: because(Reason::NoSpread),
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
        self.summary.differing == 0
    }

    /// Whether the difference is one of the kind `fail_on`.
    pub fn fails(&self, fail_on: FailOn) -> bool {
        let Summary {
            flips, significant, ..
        } = self.summary;
        match fail_on {
            FailOn::Flip => flips > 0,
            FailOn::Significant => flips > 0 || significant > 0,
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
