//! Differences for people: text, Markdown and LaTeX. JSON is their serialisation.

mod latex;
mod paper;
mod parts;

pub use latex::{latex_document, to_latex};
pub use paper::paper_to;

use comfy_table::presets;
use serde_json::Value;

use super::{RunDiff, SettingChange};
use crate::report::markup::escape_markdown;
use crate::report::number::{self, DASH, Target};
use crate::report::screen::{Screen, ScreenGrid};
use parts::{
    comparison_rows, flip_rows, grid, one_sided, pair_title, row, sentences, summary, untested_rows,
};

/// How differences are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// For such a screen.
    Text(Screen),
    Markdown,
    Latex,
}

/// Headings of the tested comparisons.
const COMPARED: [&str; 7] = [
    "condition",
    "statistic",
    "left",
    "right",
    "difference [95 %]",
    "p (adjusted)",
    "test",
];

/// Headings of the differences that could not be tested.
const UNTESTED: [&str; 6] = ["condition", "statistic", "left", "right", "difference", "no test"];

/// As a file holds it: flips of verdicts, what was tested, what else moved, then what may have caused it.
pub fn to_text(diff: &RunDiff) -> String {
    to_screen(diff, &Screen::default())
}

/// A comparison of two runs as text that fits a screen: headline, flips, tests, what moved.
pub fn to_screen(diff: &RunDiff, screen: &Screen) -> String {
    let mut text = screen.wrap_lines(&summary(diff));
    let mut section = |title: &str, header: &[&str], rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            let grid = screen_grid(header, rows);
            text.push_str(&format!("\n{title}\n{}\n", grid.show(screen)));
        }
    };
    section(
        "verdicts that flipped",
        &["measurement", "verdict", "left", "right"],
        flip_rows(diff, screen),
    );
    section("tested", &COMPARED, comparison_rows(diff));
    section("not tested", &UNTESTED, untested_rows(diff));
    if !diff.is_same() {
        text.push_str("\nwhat moved, chance or not\n");
    }
    for pair in diff.pairs.iter().filter(|pair| !pair.is_same()) {
        let title = pair_title(pair);
        text.push('\n');
        match one_sided(pair) {
            Some(side) => text.push_str(&screen.wrap_lines(&format!("{title}: {side}"))),
            None => {
                let rows = pair.statistics.iter().filter_map(|it| row(it, Target::Terminal));
                let grid = screen_grid(&["statistic", "left", "right", "change"], rows);
                text.push_str(&format!("{}{}\n", screen.wrap_lines(&title), grid.show(screen)));
            }
        }
    }
    for (title, changes) in [
        ("settings that differ", setting_rows(diff)),
        ("data, versions and devices that differ", provenance_rows(diff)),
    ] {
        if !changes.is_empty() {
            let grid = screen_grid(&["setting", "left", "right"], shown_settings(&changes));
            text.push_str(&format!("\n{title}\n{}\n", grid.show(screen)));
        }
    }
    text
}

/// A comparison of two runs in GitHub-flavoured Markdown, all statistics in one table.
pub fn to_markdown(diff: &RunDiff) -> String {
    let mut text = sentences(&summary(diff)) + "\n";
    let mut section = |title: &str, header: &[&str], rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            let mut grid = grid(header);
            rows.into_iter().for_each(|row| {
                grid.add_row(row.iter().map(|text| escape_markdown(text)));
            });
            text.push_str(&format!(
                "\n{title}:\n\n{}\n",
                grid.load_style(presets::ASCII_MARKDOWN)
            ));
        }
    };
    section(
        "Verdicts that flipped",
        &["measurement", "verdict", "left", "right"],
        flip_rows(diff, &Screen::default()),
    );
    section("Tested", &COMPARED, comparison_rows(diff));
    section("Not tested", &UNTESTED, untested_rows(diff));
    let mut statistics = Vec::new();
    for pair in diff.pairs.iter().filter(|pair| !pair.is_same()) {
        let title = pair_title(pair);
        match one_sided(pair) {
            Some(side) => {
                statistics.push(vec![title, "all".into(), DASH.into(), DASH.into(), side.into()]);
            }
            None => statistics.extend(
                pair.statistics
                    .iter()
                    .filter_map(|it| row(it, Target::Terminal))
                    .map(|row| std::iter::once(title.clone()).chain(row).collect()),
            ),
        }
    }
    section(
        "What moved, chance or not",
        &["measurement", "statistic", "left", "right", "change"],
        statistics,
    );
    for (title, changes) in [
        ("Settings that differ", setting_rows(diff)),
        ("Data, versions and devices that differ", provenance_rows(diff)),
    ] {
        if !changes.is_empty() {
            let mut grid = grid(&["setting", "left", "right"]);
            for row in shown_settings(&changes) {
                grid.add_row(row.map(|text| escape_markdown(&text)));
            }
            text.push_str(&format!(
                "\n{title}:\n\n{}\n",
                grid.load_style(presets::ASCII_MARKDOWN)
            ));
        }
    }
    text
}

/// Characters of a setting that a table shows; JSON has it all.
const WIDEST_SETTING: usize = 60;

fn shortened(text: &str) -> String {
    match text.char_indices().nth(WIDEST_SETTING) {
        None => text.to_string(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Columns of words, which a narrow screen folds; the others hold numbers.
const WORDS: [&str; 9] = [
    "condition",
    "measurement",
    "row",
    "statistic",
    "test",
    "no test",
    "verdict",
    "setting",
    "as printed",
];

/// A table for a screen.
fn screen_grid<R: IntoIterator<Item = String>>(
    header: &[&str],
    rows: impl IntoIterator<Item = R>,
) -> ScreenGrid {
    // What a setting is set to may be words, too.
    let settings = header.first() == Some(&"setting");
    let folds = |index: &usize| settings || WORDS.contains(&header[*index]);
    let mut grid = ScreenGrid::new(header.iter().copied()).fold((0..header.len()).filter(folds));
    rows.into_iter().for_each(|row| grid.add_row(row));
    grid
}

/// The settings that differ; those that differ alike in several cases once.
fn setting_rows(diff: &RunDiff) -> Vec<SettingChange> {
    // `cases.2.records.g.batch` without its case.
    let inner = |path: &str| {
        let (case, rest) = path.strip_prefix("cases.")?.split_once('.')?;
        case.parse::<usize>().ok().map(|_| rest.to_string())
    };
    let mut rows: Vec<(SettingChange, usize)> = Vec::new();
    for change in &diff.settings {
        let once = SettingChange {
            path: inner(&change.path).unwrap_or_else(|| change.path.clone()),
            ..change.clone()
        };
        match rows.iter_mut().find(|(known, _)| *known == once) {
            Some((_, cases)) => *cases += 1,
            None => rows.push((once, 1)),
        }
    }
    let named = |(change, cases): (SettingChange, usize)| match cases {
        1 => change,
        cases => SettingChange {
            path: format!("{} ({cases} cases)", change.path),
            ..change
        },
    };
    rows.into_iter().map(named).collect()
}

/// What differs in the manifests and is no setting of the study.
fn provenance_rows(diff: &RunDiff) -> Vec<SettingChange> {
    let told = |change: &&SettingChange| !diff.settings.contains(change);
    diff.provenance.iter().filter(told).cloned().collect()
}

fn shown_settings(changes: &[SettingChange]) -> impl Iterator<Item = [String; 3]> + '_ {
    let show = |value: &Option<Value>| match value {
        None => DASH.into(),
        Some(value) => shortened(&value.to_string()),
    };
    changes
        .iter()
        .map(move |change| [change.path.clone(), show(&change.left), show(&change.right)])
}

/// A p-value or a rate as text.
fn p_value(p: f64) -> String {
    number::quantity(p, None, number::Format::PValue(2), number::Target::Terminal)
}
