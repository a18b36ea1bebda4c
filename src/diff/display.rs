//! A [`RunDiff`] for people: text and Markdown. JSON is its serialisation.

use comfy_table::{ContentArrangement, Table as Grid, presets};
use serde_json::Value;

use super::{Alignment, Change, Pair, RunDiff, StatisticChange};
use crate::report::markup::{TERMINAL_STYLE, escape_markdown};
use crate::report::number::{self, DASH};

/// For a terminal: each measurement that differs, its statistics below, then the settings that differ.
pub fn to_text(diff: &RunDiff) -> String {
    let mut text = summary(diff);
    for pair in diff.pairs.iter().filter(|pair| !pair.is_same()) {
        text.push_str(&format!("\n{}", pair.identity));
        match one_sided(pair) {
            Some(side) => text.push_str(&format!(": {side}\n")),
            None => {
                let mut grid = grid(&["statistic", "left", "right", "change"]);
                for row in pair.statistics.iter().filter_map(row) {
                    grid.add_row(row);
                }
                text.push_str(&format!("\n{}\n", grid.trim_fmt()));
            }
        }
    }
    if !diff.settings.is_empty() {
        text.push_str(&format!(
            "\nsettings that differ\n{}\n",
            settings(diff, str::to_string).trim_fmt()
        ));
    }
    text
}

/// The same in GitHub-flavoured Markdown, all statistics in one table.
pub fn to_markdown(diff: &RunDiff) -> String {
    let mut text = summary(diff);
    let mut statistics = grid(&["measurement", "statistic", "left", "right", "change"]);
    for pair in diff.pairs.iter().filter(|pair| !pair.is_same()) {
        let identity = escape_markdown(&pair.identity.to_string());
        match one_sided(pair) {
            Some(side) => {
                statistics.add_row([identity, "all".into(), DASH.into(), DASH.into(), side.into()]);
            }
            None => {
                for row in pair.statistics.iter().filter_map(row) {
                    statistics.add_row(std::iter::once(identity.clone()).chain(row));
                }
            }
        }
    }
    if statistics.row_count() > 0 {
        text.push_str(&format!("\n{}\n", statistics.load_style(presets::ASCII_MARKDOWN)));
    }
    if !diff.settings.is_empty() {
        let mut settings = settings(diff, escape_markdown);
        text.push_str(&format!(
            "\nSettings that differ:\n\n{}\n",
            settings.load_style(presets::ASCII_MARKDOWN)
        ));
    }
    text
}

fn grid(header: &[&str]) -> Grid {
    let mut grid = Grid::new();
    grid.set_content_arrangement(ContentArrangement::Disabled)
        .load_style(TERMINAL_STYLE);
    grid.set_header(header.iter().copied());
    grid
}

fn summary(diff: &RunDiff) -> String {
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
    text
}

/// A measurement that one run lacks altogether takes one line.
fn one_sided(pair: &Pair) -> Option<&'static str> {
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
fn row(statistic: &StatisticChange) -> Option<[String; 4]> {
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

/// Characters of a setting that a table shows; JSON has it all.
const WIDEST_SETTING: usize = 60;

fn shortened(text: &str) -> String {
    match text.char_indices().nth(WIDEST_SETTING) {
        None => text.to_string(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

fn settings(diff: &RunDiff, escape: fn(&str) -> String) -> Grid {
    let mut grid = grid(&["setting", "left", "right"]);
    let show = |value: &Option<Value>| {
        value
            .as_ref()
            .map_or_else(|| DASH.into(), |value| escape(&shortened(&value.to_string())))
    };
    for change in &diff.settings {
        grid.add_row([escape(&change.path), show(&change.left), show(&change.right)]);
    }
    grid
}
