//! Whether what changed may be chance: each statistic of each condition, over the seeds of both runs.
//!
//! A seed is the unit that repeats a study. Rows and columns of one gradient history share its weights, data and
//! minibatches, so their counts say nothing of another seed, and are not tested: each statistic has one p-value or none.

use indexmap::{IndexMap, IndexSet};
use serde::Serialize;

use super::align::{Aligned, Identity};
use super::change::Tolerance;
use super::{Pair, StatisticChange};
use crate::report::cells::mean_and_sd;
use crate::report::columns::{COLUMNS, ColumnKind};
use crate::report::number::Format;
use crate::results::Measurement;
use gradstudy_stats::differences::{paired_t, welch_t};
use gradstudy_stats::finite_or_null;
use gradstudy_stats::interval::Interval;
use gradstudy_stats::multiple::benjamini_hochberg;

/// Confidence of every interval.
pub const CONFIDENCE: f64 = 0.95;

/// The test that a p-value is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Student's paired t over the seeds that both runs have.
    PairedT,
    /// Welch's t over the seeds that only one of the runs has.
    WelchT,
}

impl Method {
    /// In a table.
    pub fn words(self) -> &'static str {
        match self {
            Method::PairedT => "paired t",
            Method::WelchT => "Welch t",
        }
    }
}

/// One statistic of one condition in both runs, tested.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Without a seed.
    pub condition: Identity,
    /// The name of its column in tables.
    pub statistic: &'static str,
    pub method: Method,
    /// Seeds of each run that it rests on.
    pub seeds: [u64; 2],
    /// Means over these seeds.
    #[serde(with = "finite_or_null")]
    pub left: f64,
    #[serde(with = "finite_or_null")]
    pub right: f64,
    /// right − left.
    #[serde(with = "finite_or_null")]
    pub difference: f64,
    /// 95 %.
    pub interval: Interval,
    pub p_value: f64,
    /// Benjamini's and Hochberg's, over all comparisons of the two runs.
    pub p_adjusted: f64,
    /// Whether all its differences are within the tolerance: they count as none.
    pub within_tolerance: bool,
    /// Whether the adjusted p-value is at most α, and the difference beyond the tolerance.
    pub significant: bool,
}

/// Why a difference cannot be told from chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The runs share fewer than two seeds, and one of them has fewer than two others.
    TooFewSeeds,
    /// Every seed gives the same difference, as of a setting.
    NoSpread,
}

impl Reason {
    /// In a table.
    pub fn words(self) -> &'static str {
        match self {
            Reason::TooFewSeeds => "too few seeds",
            Reason::NoSpread => "no spread over seeds",
        }
    }
}

/// One statistic of one condition that differs by more than the tolerance, and that no test is possible of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Untested {
    /// Without a seed.
    pub condition: Identity,
    /// The name of its column in tables.
    pub statistic: &'static str,
    pub reason: Reason,
    /// Seeds of each run that have it.
    pub seeds: [u64; 2],
    /// Means over these seeds, of the same ones where the runs share any.
    #[serde(with = "finite_or_null")]
    pub left: f64,
    #[serde(with = "finite_or_null")]
    pub right: f64,
    /// right − left.
    #[serde(with = "finite_or_null")]
    pub difference: f64,
}

/// A verdict on a single sample that differs between the runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flip {
    pub identity: Identity,
    /// The name of its column in tables.
    pub statistic: &'static str,
    /// Whether the hypothesis is not rejected.
    pub left: bool,
    pub right: bool,
}

/// The verdicts that flipped, seed by seed.
pub(super) fn flips(pairs: &[Pair]) -> Vec<Flip> {
    let of_pair = |pair: &Pair| {
        let verdict = |name: &str| {
            let column = COLUMNS.iter().find(|column| column.name == name)?;
            (column.format == Format::Verdict).then_some(column.name)
        };
        let flip = |it: &StatisticChange| {
            let (statistic, [left, right]) = (verdict(it.name)?, it.change.both()?);
            // Over several seeds a mean between the two is no verdict.
            let [left, right] = [left, right].map(|value| match value {
                1.0 => Some(true),
                0.0 => Some(false),
                _ => None,
            });
            let (left, right) = left.zip(right)?;
            (left != right).then(|| Flip {
                identity: pair.identity.clone(),
                statistic,
                left,
                right,
            })
        };
        pair.statistics.iter().filter_map(flip).collect::<Vec<_>>()
    };
    pairs.iter().flat_map(of_pair).collect()
}

/// What could be tested, the least p-value first, and the differences that could not.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub tested: Vec<Comparison>,
    pub untested: Vec<Untested>,
}

/// One statistic over the seeds of both runs.
enum Found {
    Tested(Comparison),
    Untested(Untested),
}

/// Tests every statistic that both sides have and that is not the same in each seed.
///
/// Counts, verdicts and rates of single samples are not tested: the first are settings or follow from rates, the others
/// are listed as flips. Differences within the tolerance count as none but are among those that p-values are adjusted
/// for: leaving the small ones out would make the others look rarer than they are.
pub(super) fn compare(aligned: &[Aligned], tolerance: &Tolerance, alpha: f64) -> Compared {
    let mut conditions: IndexMap<Identity, [Vec<&Measurement>; 2]> = IndexMap::new();
    for it in aligned {
        let condition = Identity {
            seed: None,
            ..it.identity.clone()
        };
        let sides = conditions.entry(condition).or_default();
        sides[0].extend(&it.left);
        sides[1].extend(&it.right);
    }
    let mut compared = Compared::default();
    let mut trainings: IndexSet<[Vec<&str>; 2]> = IndexSet::new();
    for (condition, sides) in &conditions {
        // A training has one loss and one p-value, however many tests are made of its weights.
        let first = trainings.insert(sides.each_ref().map(|side| training_steps(side)));
        for column in COLUMNS.iter().filter(|column| first || column.training.is_none()) {
            if !matches!(column.format, Format::Count | Format::Verdict) {
                let values = Values::of(column, sides);
                match values.compare(condition, column, tolerance) {
                    Some(Found::Tested(found)) => compared.tested.push(found),
                    Some(Found::Untested(found)) => compared.untested.push(found),
                    None => {}
                }
            }
        }
    }
    let p_values: Vec<f64> = compared.tested.iter().map(|it| it.p_value).collect();
    for (comparison, p) in compared.tested.iter_mut().zip(benjamini_hochberg(&p_values)) {
        comparison.p_adjusted = p;
        comparison.significant = p <= alpha && !comparison.within_tolerance;
    }
    compared.tested.sort_by(|a, b| a.p_value.total_cmp(&b.p_value));
    compared
}

/// The trainings behind measurements, each once.
fn training_steps<'a>(side: &[&'a Measurement]) -> Vec<&'a str> {
    let trainings = side.iter().filter_map(|it| it.training.as_ref());
    let steps: IndexSet<&str> = trainings.map(|training| training.step.as_str()).collect();
    steps.into_iter().collect()
}

/// One statistic of one condition, by seed, where it is finite.
struct Values {
    left: IndexMap<u64, f64>,
    right: IndexMap<u64, f64>,
}

impl Values {
    fn of(column: &ColumnKind, sides: &[Vec<&Measurement>; 2]) -> Self {
        let of_side = |side: &Vec<&Measurement>| -> IndexMap<u64, f64> {
            let value = |it: &&Measurement| {
                let single = column.counts.and_then(|counts| counts(&it.outcome));
                let single = single.is_some_and(|counts| counts.tested < 2);
                let value = column.of(it).filter(|value| value.is_finite() && !single)?;
                Some((it.seed, value))
            };
            side.iter().filter_map(value).collect()
        };
        Values {
            left: of_side(&sides[0]),
            right: of_side(&sides[1]),
        }
    }

    /// Both sides' values of the seeds that both have, in one order.
    fn shared(&self) -> [Vec<f64>; 2] {
        let pairs = self
            .left
            .iter()
            .filter_map(|(seed, left)| Some((*left, *self.right.get(seed)?)));
        let (left, right) = pairs.unzip();
        [left, right]
    }

    /// The values of the seeds that only one side has.
    fn apart(&self) -> [Vec<f64>; 2] {
        let only = |here: &IndexMap<u64, f64>, there: &IndexMap<u64, f64>| {
            let own = here.iter().filter(|(seed, _)| !there.contains_key(*seed));
            own.map(|(_, value)| *value).collect()
        };
        [only(&self.left, &self.right), only(&self.right, &self.left)]
    }

    /// `None` where a side lacks the statistic, or all is the same.
    fn compare(&self, condition: &Identity, column: &ColumnKind, tolerance: &Tolerance) -> Option<Found> {
        if self.left.is_empty() || self.right.is_empty() {
            return None;
        }
        let (shared, apart) = (self.shared(), self.apart());
        let enough = |sides: &[Vec<f64>; 2]| sides.iter().all(|side| side.len() > 1);
        let paired = enough(&shared) || (!shared[0].is_empty() && !enough(&apart));
        let (method, [left, right]) = match paired {
            true => (Method::PairedT, shared),
            false => (Method::WelchT, apart),
        };
        let means = [mean(&left), mean(&right)];
        let (same, within_tolerance) = match paired {
            true => {
                let all =
                    |test: &dyn Fn(f64, f64) -> bool| left.iter().zip(&right).all(|(a, b)| test(*a, *b));
                (all(&|a, b| a == b), all(&|a, b| tolerance.allows(a, b)))
            }
            false => (
                left.iter().chain(&right).all(|value| *value == left[0]),
                tolerance.allows(means[0], means[1]),
            ),
        };
        if same {
            return None;
        }
        let difference = match method {
            Method::PairedT => paired_t(&left, &right, CONFIDENCE),
            Method::WelchT => welch_t(&left, &right, CONFIDENCE),
        };
        let seeds = [left.len() as u64, right.len() as u64];
        match difference {
            Some(difference) => Some(Found::Tested(Comparison {
                condition: condition.clone(),
                statistic: column.name,
                method,
                seeds,
                left: means[0],
                right: means[1],
                difference: difference.value,
                interval: difference.interval,
                p_value: difference.p_value,
                p_adjusted: difference.p_value,
                within_tolerance,
                significant: false,
            })),
            None if within_tolerance => None,
            None => Some(Found::Untested(Untested {
                condition: condition.clone(),
                statistic: column.name,
                reason: match seeds.iter().all(|seeds| *seeds > 1) {
                    true => Reason::NoSpread,
                    false => Reason::TooFewSeeds,
                },
                seeds,
                left: means[0],
                right: means[1],
                difference: means[1] - means[0],
            })),
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    mean_and_sd(values).map_or(f64::NAN, |(mean, _)| mean)
}
