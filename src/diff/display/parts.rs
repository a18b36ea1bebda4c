//! Sentences and rows that text and Markdown share.

use comfy_table::{ContentArrangement, Table as Grid};

use super::super::align::words;
use super::super::{Alignment, Change, Pair, RunDiff, StatisticChange};
use super::p_value;
use crate::report::column;
use crate::report::markup::TERMINAL_STYLE;
use crate::report::number::{self, DASH, Format, Target};

pub(super) fn grid(header: &[&str]) -> Grid {
    let mut grid = Grid::new();
    grid.set_content_arrangement(ContentArrangement::Disabled)
        .load_style(TERMINAL_STYLE);
    grid.set_header(header.iter().copied());
    grid
}

pub(super) fn summary(diff: &RunDiff, alpha: f64) -> String {
    let count = |wanted: fn(&&Pair) -> bool| diff.pairs.iter().filter(wanted).count();
    let pairs = diff.pairs.len();
    let mut text = match diff.is_same() {
        true => format!("the runs agree in all {pairs} measurements"),
        false => format!("{} of {pairs} measurements differ", count(|pair| !pair.is_same())),
    };
    let statistics = diff.pairs.iter().flat_map(|pair| &pair.statistics);
    let tolerated = statistics
        .filter(|it| matches!(it.change, Change::WithinTolerance { .. }))
        .count();
    if tolerated > 0 {
        text.push_str(&format!(
            ", {tolerated} statistics within the tolerance but not equal"
        ));
    }
    text.push('\n');
    if let Alignment::Mean { left, right } = &diff.alignment {
        let list = |seeds: &[u64]| seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        text.push_str(&format!(
            "the runs share no seed, so means over seeds are compared (left {}; right {})\n",
            list(left),
            list(right)
        ));
    }
    if !diff.comparisons.is_empty() {
        let significant = diff
            .comparisons
            .iter()
            .filter(|it| it.p_adjusted <= alpha)
            .count();
        text.push_str(&format!(
            "{} verdicts flipped; {significant} of {} tested differences are significant at {alpha} after \
             Benjamini's and Hochberg's adjustment\n",
            diff.flips.len(),
            diff.comparisons.len(),
        ));
        if diff.comparisons.iter().any(|it| it.method.is_of_samples()) {
            text.push_str(
                "tests of rates take the samples of a run as independent; rows and columns of one G are not quite, so \
                 their p-values are too small\n",
            );
        }
    }
    text
}

/// What was measured, and what the right run measured in its place.
pub(super) fn pair_title(pair: &Pair) -> String {
    match &pair.right_subject {
        None => pair.identity.to_string(),
        Some(subject) => format!("{} (right: {})", pair.identity, words(subject)),
    }
}

/// A measurement that one run lacks altogether takes one line.
pub(super) fn one_sided(pair: &Pair) -> Option<&'static str> {
    let all = |wanted: fn(&Change) -> bool| pair.statistics.iter().all(|it| wanted(&it.change));
    if all(|change| matches!(change, Change::OnlyLeft { .. })) {
        Some("only in the left run")
    } else if all(|change| matches!(change, Change::OnlyRight { .. })) {
        Some("only in the right run")
    } else {
        None
    }
}

/// Name, left, right and change of a statistic that differs.
pub(super) fn row(statistic: &StatisticChange) -> Option<[String; 4]> {
    let alone = |value: f64| number::contrast(value, value)[0].clone();
    let name = statistic.name.to_string();
    Some(match statistic.change {
        Change::Same { .. } | Change::WithinTolerance { .. } => return None,
        Change::Moved { left, right } => {
            let [a, b] = number::contrast(left, right);
            [name, a, b, number::difference(right - left)]
        }
        Change::OnlyLeft { left } => [name, alone(left), DASH.into(), "only in the left run".into()],
        Change::OnlyRight { right } => [name, DASH.into(), alone(right), "only in the right run".into()],
    })
}

pub(super) fn verdict(accepted: bool) -> String {
    if accepted { "not rejected" } else { "rejected" }.to_string()
}

pub(super) fn flip_rows(diff: &RunDiff) -> Vec<Vec<String>> {
    let row = |flip: &super::super::Flip| {
        let sides = [flip.left, flip.right].map(verdict);
        [
            vec![flip.identity.to_string(), flip.statistic.to_string()],
            sides.to_vec(),
        ]
        .concat()
    };
    diff.flips.iter().map(row).collect()
}

/// A value of a statistic as its column shows it.
pub(super) fn shown(statistic: &str, value: f64, target: Target) -> String {
    let format = column(statistic).map_or(Format::Significant(3), |column| column.format);
    number::quantity(value, None, format, target)
}

pub(super) fn comparison_rows(diff: &RunDiff) -> Vec<Vec<String>> {
    let row = |it: &super::super::Comparison| {
        let show = |value: f64| shown(it.statistic, value, Target::Terminal);
        vec![
            it.condition.to_string(),
            it.statistic.to_string(),
            show(it.left),
            show(it.right),
            format!(
                "{} [{}, {}]",
                show(it.difference),
                show(it.interval.low),
                show(it.interval.high)
            ),
            format!("{} ({})", p_value(it.p_value), p_value(it.p_adjusted)),
            match it.discordant {
                None => it.method.words().to_string(),
                Some([lost, won]) => format!("{}: −{lost} +{won}", it.method.words()),
            },
        ]
    };
    diff.comparisons.iter().map(row).collect()
}
