//! Whether what changed means anything: each statistic of each condition, over the seeds of both runs.

use indexmap::{IndexMap, IndexSet};
use serde::Serialize;

use super::Pair;
use super::align::{Aligned, Identity};
use crate::report::cells::mean_and_sd;
use crate::report::columns::{COLUMNS, ColumnKind};
use crate::report::number::Format;
use crate::results::Measurement;
use crate::stats::differences::{Difference, mcnemar, paired_t, two_proportions, welch_t};
use crate::stats::finite_or_null;
use crate::stats::interval::Interval;
use crate::stats::multiple::benjamini_hochberg;

/// Confidence of every interval.
pub const CONFIDENCE: f64 = 0.95;

/// The test that a p-value is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Student's paired t over the seeds that both runs have.
    PairedT,
    /// Welch's t over the seeds of each run.
    WelchT,
    /// The same rows or columns judged twice: McNemar's mid-p over all common seeds.
    Mcnemar,
    /// Counts of both runs, all seeds together, as if the samples were drawn anew.
    TwoProportions,
}

impl Method {
    /// In a table.
    pub fn words(self) -> &'static str {
        match self {
            Method::PairedT => "paired t",
            Method::WelchT => "Welch t",
            Method::Mcnemar => "McNemar",
            Method::TwoProportions => "two proportions",
        }
    }
}

impl Method {
    /// Whether it takes the rows or columns of a run as independent samples.
    pub fn is_of_samples(self) -> bool {
        matches!(self, Method::Mcnemar | Method::TwoProportions)
    }
}

/// One statistic of one condition in both runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Without a seed.
    pub condition: Identity,
    /// The name of its column in tables.
    pub statistic: &'static str,
    pub method: Method,
    /// Seeds of each run that it rests on.
    pub seeds: [u64; 2],
    /// Mean over seeds; for rates, of all samples together.
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
    /// McNemar: samples accepted in the left run only, in the right run only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discordant: Option<[u64; 2]>,
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
        let flip = |it: &super::StatisticChange| {
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

/// Every statistic that is on both sides, differs and can be tested; the least p-value first.
///
/// Counts and verdicts are not tested: the first are settings or follow from rates, the second are listed as flips.
pub(super) fn comparisons(aligned: &[Aligned]) -> Vec<Comparison> {
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
    let mut found = Vec::new();
    for (condition, [left, right]) in &conditions {
        for column in COLUMNS {
            if !matches!(column.format, Format::Count | Format::Verdict) {
                found.extend(of_means(condition, column, left, right));
                found.extend(of_counts(condition, column, left, right));
            }
        }
    }
    let adjusted = benjamini_hochberg(&found.iter().map(|it| it.p_value).collect::<Vec<_>>());
    for (comparison, p) in found.iter_mut().zip(adjusted) {
        comparison.p_adjusted = p;
    }
    found.sort_by(|a, b| a.p_value.total_cmp(&b.p_value));
    found
}

/// t-tests over seeds: paired where both runs have the same ones.
fn of_means(
    condition: &Identity,
    column: &ColumnKind,
    left: &[&Measurement],
    right: &[&Measurement],
) -> Option<Comparison> {
    let by_seed = |side: &[&Measurement]| -> IndexMap<u64, f64> {
        let value = |it: &&Measurement| Some((it.seed, (column.value)(&it.outcome)?));
        side.iter()
            .filter_map(value)
            .filter(|(_, value)| value.is_finite())
            .collect()
    };
    let (a, b) = (by_seed(left), by_seed(right));
    let common: IndexSet<u64> = a.keys().copied().filter(|seed| b.contains_key(seed)).collect();
    let (method, a, b): (_, Vec<f64>, Vec<f64>) = match common.is_empty() {
        true => (
            Method::WelchT,
            a.into_values().collect(),
            b.into_values().collect(),
        ),
        false => {
            let of = |side: &IndexMap<u64, f64>| common.iter().map(|seed| side[seed]).collect();
            (Method::PairedT, of(&a), of(&b))
        }
    };
    let difference = match method {
        Method::WelchT => welch_t(&a, &b, CONFIDENCE),
        _ => paired_t(&a, &b, CONFIDENCE),
    }?;
    // As in tables, to the last digit.
    let mean = |values: &[f64]| mean_and_sd(values).map_or(f64::NAN, |(mean, _)| mean);
    let means = [mean(&a), mean(&b)];
    let seeds = [a.len() as u64, b.len() as u64];
    Some(comparison(condition, column, method, seeds, means, difference))
}

/// Tests of a rate's counts, all seeds together: McNemar's where both runs kept the verdict on each sample.
fn of_counts(
    condition: &Identity,
    column: &ColumnKind,
    left: &[&Measurement],
    right: &[&Measurement],
) -> Option<Comparison> {
    let counts = column.counts?;
    let total = |side: &[&Measurement]| {
        let each = side.iter().filter_map(|it| counts(&it.outcome));
        each.fold((0, 0, 0), |(accepted, tested, seeds), it| {
            (accepted + it.accepted, tested + it.tested, seeds + 1)
        })
    };
    let rate = |(accepted, tested, _): (u64, u64, u64)| accepted as f64 / tested as f64;
    if let Some((lost, won, samples, pairs)) = discordant(counts, left, right) {
        let same: Vec<u64> = pairs.iter().map(|(seed, _, _)| *seed).collect();
        let of = |side: &[&Measurement]| {
            let kept: Vec<&Measurement> = side
                .iter()
                .copied()
                .filter(|it| same.contains(&it.seed))
                .collect();
            rate(total(&kept))
        };
        let seeds = [same.len() as u64; 2];
        let difference = mcnemar(lost, won, samples, CONFIDENCE).filter(|_| lost + won > 0)?;
        let found = comparison(
            condition,
            column,
            Method::Mcnemar,
            seeds,
            [of(left), of(right)],
            difference,
        );
        return Some(Comparison {
            discordant: Some([lost, won]),
            ..found
        });
    }
    let (a, b) = (total(left), total(right));
    let difference = two_proportions((a.0, a.1), (b.0, b.1), CONFIDENCE)?;
    let means = [rate(a), rate(b)];
    (means[0] != means[1]).then(|| {
        comparison(
            condition,
            column,
            Method::TwoProportions,
            [a.2, b.2],
            means,
            difference,
        )
    })
}

type Counts = fn(&crate::stats::outcome::Outcome) -> Option<&crate::stats::outcome::Acceptance>;
type Same<'a> = (u64, &'a Measurement, &'a Measurement);

/// Accepted on one side only, over the seeds of which both sides kept the verdict on each of as many samples.
fn discordant<'a>(
    counts: Counts,
    left: &[&'a Measurement],
    right: &[&'a Measurement],
) -> Option<(u64, u64, u64, Vec<Same<'a>>)> {
    let mut found = (0, 0, 0, Vec::new());
    for a in left {
        // Rows of another network, or columns of other minibatches, are not the same samples.
        let same = |b: &&&Measurement| b.seed == a.seed && b.subject == a.subject;
        let Some(b) = right.iter().find(same) else {
            continue;
        };
        let (x, y) = (counts(&a.outcome)?, counts(&b.outcome)?);
        let (lost, won) = x
            .verdicts
            .discordant(&y.verdicts)
            .filter(|_| !x.verdicts.is_empty())?;
        found.0 += lost;
        found.1 += won;
        found.2 += x.tested;
        found.3.push((a.seed, *a, *b));
    }
    (!found.3.is_empty()).then_some(found)
}

fn comparison(
    condition: &Identity,
    column: &ColumnKind,
    method: Method,
    seeds: [u64; 2],
    [left, right]: [f64; 2],
    difference: Difference,
) -> Comparison {
    Comparison {
        condition: condition.clone(),
        statistic: column.name,
        method,
        seeds,
        left,
        right,
        difference: difference.value,
        interval: difference.interval,
        p_value: difference.p_value,
        p_adjusted: difference.p_value,
        discordant: None,
    }
}
