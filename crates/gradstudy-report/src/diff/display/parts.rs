//! Sentences and rows that text and Markdown share.

use comfy_table::{ContentArrangement, Table as Grid};

use super::super::align::words;
use super::super::{
    Alignment, Change, Comparison, Pair, Reason, RunDiff, StatisticChange, Summary, Untested,
};
use super::p_value;
use crate::report::column;
use crate::report::markup::TERMINAL_STYLE;
use crate::report::number::{self, DASH, Format, Target};
use crate::report::screen::Screen;
use crate::report::table::Verdict;
use gradstudy_stats::interval::Interval;

pub(super) fn grid(header: &[&str]) -> Grid {
    let mut grid = Grid::new();
    grid.set_content_arrangement(ContentArrangement::Disabled)
        .load_style(TERMINAL_STYLE);
    grid.set_header(header.iter().copied());
    grid
}

/// The headline, a line each: what differs, what is significant, and what cannot be told.
pub(super) fn summary(diff: &RunDiff) -> String {
    let Summary {
        measurements,
        differing,
        within_tolerance,
        flips,
        tested,
        significant,
        too_few_seeds,
        no_spread,
    } = diff.summary;
    let alpha = diff.alpha;
    let mut text = match diff.is_same() {
        true => format!("the runs agree in all {measurements} measurements"),
        false => format!("{differing} of {measurements} measurements differ"),
    };
    if within_tolerance > 0 {
        text += &format!(", {within_tolerance} statistics within the tolerance but not equal");
    }
    text.push('\n');
    if let Alignment::Mean { left, right } = &diff.alignment {
        let list = |seeds: &[u64]| seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        text += &format!(
            "the runs share no seed, so means over seeds are compared (left {}; right {})\n",
            list(left),
            list(right)
        );
    }
    if !diff.is_same() {
        text += &format!("{}\n", counted(flips, "verdict flipped", "verdicts flipped"));
    }
    if tested > 0 {
        text += &format!(
            "{significant} of {tested} tested statistics differ significantly at {alpha} after Benjamini's and \
             Hochberg's adjustment for {}\n",
            counted(tested, "test", "tests"),
        );
    }
    let differences = |count| counted(count, "difference", "differences");
    if too_few_seeds > 0 {
        let few = || diff.untested.iter().filter(|it| it.reason == Reason::TooFewSeeds);
        let why = match few().all(|it| it.seeds == [1, 1]) {
            true => "with one seed a side",
            false => "with fewer than two seeds on a side",
        };
        text += &format!(
            "no test is possible {why}: {} may be chance or not\n",
            differences(too_few_seeds)
        );
        text += "run both with several seeds, as in `study \"…\" { seeds: 0..4 }` or by `--set study.seeds=0..4`\n";
    }
    if no_spread > 0 {
        text += &format!(
            "no test is possible of {}: the same in every seed\n",
            differences(no_spread)
        );
    }
    text
}

/// Such as `1 test` or `2 tests`.
fn counted(count: u64, one: &str, several: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {several}"),
    }
}

/// The same, one thing each.
pub(super) fn pair_parts(pair: &Pair) -> Vec<String> {
    let right = pair.right_subject.as_ref();
    let right = right.map(|subject| format!("right: {}", words(subject)));
    pair.identity.parts().into_iter().chain(right).collect()
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

/// Name, left, right and change of a statistic that differs; of a rate in percent and percentage points.
pub(super) fn row(statistic: &StatisticChange, target: Target) -> Option<[String; 4]> {
    let rate = is_rate(statistic.name);
    let scale = if rate { 100.0 } else { 1.0 };
    let unit = |number: String, unit: &str| match (rate && number != DASH, target) {
        (false, Target::Latex) => in_latex(&number),
        (false, _) => number,
        (true, Target::Latex) => format!("{}\\,{}", in_latex(&number), unit.replace('%', "\\%")),
        (true, _) => format!("{number} {unit}"),
    };
    let alone = |value: f64| unit(number::contrast(scale * value, scale * value)[0].clone(), "%");
    let name = statistic.name.to_string();
    let none = number::dash(target).to_string();
    Some(match statistic.change {
        Change::Same { .. } | Change::WithinTolerance { .. } => return None,
        Change::Moved { left, right } => {
            let [a, b] = number::contrast(scale * left, scale * right).map(|it| unit(it, "%"));
            let change = unit(number::difference(scale * (right - left)), "pp");
            [name, a, b, change + &judged_apart(statistic.discordant, target)]
        }
        Change::OnlyLeft { left } => [name, alone(left), none, "only in the left run".into()],
        Change::OnlyRight { right } => [name, none, alone(right), "only in the right run".into()],
    })
}

/// Samples that only one of the runs accepted, such as ` (−93 +12 samples)`; nothing where they are not known.
fn judged_apart(discordant: Option<[u64; 2]>, target: Target) -> String {
    let Some([lost, won]) = discordant else {
        return String::new();
    };
    match target {
        Target::Latex => format!(" ($-${lost} $+${won} samples)"),
        _ => format!(" (−{lost} +{won} samples)"),
    }
}

/// A plain number, such as `+3.1e-5`, as siunitx sets it.
fn in_latex(number: &str) -> String {
    match (number == DASH, number.strip_prefix('+')) {
        (true, _) => number::dash(Target::Latex).to_string(),
        (false, Some(digits)) => format!("$+$\\num{{{digits}}}"),
        (false, None) => format!("\\num{{{number}}}"),
    }
}

/// Whether a statistic is shown in percent, and its differences in percentage points.
fn is_rate(statistic: &str) -> bool {
    matches!(
        column(statistic).map(|column| column.format),
        Some(Format::Percent(_))
    )
}

/// A difference with its interval, such as `4.65 [4.12, 5.18] pp` of rates.
pub(super) fn difference_with_interval(
    statistic: &str,
    difference: f64,
    interval: Option<Interval>,
    target: Target,
) -> String {
    let rate = is_rate(statistic);
    let show = |value: f64| match rate {
        true => number::quantity(100.0 * value, None, Format::Significant(3), target),
        false => shown(statistic, value, target),
    };
    let [open, close] = if target == Target::Latex {
        ["{[}", "{]}"]
    } else {
        ["[", "]"]
    };
    let mut text = show(difference);
    if let Some(interval) = interval {
        text += &format!(" {open}{}, {}{close}", show(interval.low), show(interval.high));
    }
    match (rate, target) {
        (false, _) => text,
        (true, Target::Latex) => text + "\\,pp",
        (true, _) => text + " pp",
    }
}

/// Lines as sentences.
pub(super) fn sentences(lines: &str) -> String {
    let sentence = |line: &str| {
        let mut characters = line.trim().chars();
        let first = characters.next()?;
        Some(
            first
                .to_uppercase()
                .chain(characters)
                .chain(['.'])
                .collect::<String>(),
        )
    };
    let all: Vec<String> = lines.lines().filter_map(sentence).collect();
    all.join(" ")
}

/// A verdict in its colour.
pub(super) fn coloured(accepted: bool, screen: &Screen) -> String {
    let judged = match accepted {
        true => Verdict::NotRejected,
        false => Verdict::Rejected,
    };
    screen.judged(&verdict(accepted), Some(judged))
}

pub(super) fn verdict(accepted: bool) -> String {
    if accepted { "not rejected" } else { "rejected" }.to_string()
}

/// The verdicts that flipped, coloured where `screen` has colours.
pub(super) fn flip_rows(diff: &RunDiff, screen: &Screen) -> Vec<Vec<String>> {
    let row = |flip: &super::super::Flip| {
        let sides = [flip.left, flip.right].map(|accepted| coloured(accepted, screen));
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

/// The test and the seeds that it rests on, such as `paired t, 3 seeds`.
pub(super) fn test_words(comparison: &Comparison) -> String {
    let seeds = match comparison.seeds {
        [left, right] if left == right => format!("{left} seeds"),
        [left, right] => format!("{left} and {right} seeds"),
    };
    format!("{}, {seeds}", comparison.method.words())
}

pub(super) fn comparison_rows(diff: &RunDiff) -> Vec<Vec<String>> {
    let row = |it: &Comparison| {
        let show = |value: f64| shown(it.statistic, value, Target::Terminal);
        vec![
            it.condition.to_string(),
            it.statistic.to_string(),
            show(it.left),
            show(it.right),
            difference_with_interval(it.statistic, it.difference, Some(it.interval), Target::Terminal),
            format!("{} ({})", p_value(it.p_value), p_value(it.p_adjusted)),
            test_words(it),
        ]
    };
    diff.comparisons.iter().map(row).collect()
}

/// Differences without a test, beside those with one; where there is none with one, all that moved is listed anyway.
pub(super) fn untested(diff: &RunDiff) -> &[Untested] {
    match diff.comparisons.is_empty() {
        true => &[],
        false => &diff.untested,
    }
}

pub(super) fn untested_rows(diff: &RunDiff) -> Vec<Vec<String>> {
    let row = |it: &Untested| {
        let show = |value: f64| shown(it.statistic, value, Target::Terminal);
        vec![
            it.condition.to_string(),
            it.statistic.to_string(),
            show(it.left),
            show(it.right),
            difference_with_interval(it.statistic, it.difference, None, Target::Terminal),
            it.reason.words().to_string(),
        ]
    };
    untested(diff).iter().map(row).collect()
}
