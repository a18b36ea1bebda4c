//! A run beside the paper's numbers, for people.

use comfy_table::presets;

use super::super::paper::{PaperCell, PaperDiff};
use super::latex::table;
use super::parts::{grid, verdict};
use super::{Style, p_value};
use crate::report::latex::escape;
use crate::report::markup::escape_markdown;
use crate::report::number::{self, DASH, Format, Target};

const HEADER: [&str; 7] = [
    "row",
    "statistic",
    "ours",
    "paper",
    "ours − paper [95 %]",
    "p (adjusted)",
    "as printed",
];

/// Verdicts that differ first, then every cell, table by table.
pub fn paper_to(style: Style, diff: &PaperDiff, alpha: f64) -> String {
    if diff.cells.is_empty() {
        return "no table of the run has a row that the paper prints numbers for\n".to_string();
    }
    let mut text = summary(diff, alpha);
    if style == Style::Latex {
        text = format!("{}\\par\n", escape(&text));
    }
    let mut tables: Vec<(&str, u32)> = diff
        .cells
        .iter()
        .map(|cell| (cell.table.as_str(), cell.number))
        .collect();
    tables.dedup();
    let flips: Vec<Vec<String>> = diff.cells.iter().filter(|cell| cell.flip).map(flip).collect();
    let mut sections = vec![(
        "verdicts that differ".to_string(),
        "flips".to_string(),
        &FLIPS[..],
        flips,
    )];
    for (name, number) in tables {
        let rows = diff
            .cells
            .iter()
            .filter(|cell| cell.table == name)
            .map(row)
            .collect();
        let title = format!("{name}, beside Table {number} of Xie et al., 2023");
        sections.push((title, name.to_string(), &HEADER[..], rows));
    }
    for (title, label, header, rows) in sections.into_iter().filter(|it| !it.3.is_empty()) {
        text.push_str(&section(style, &title, &label, header, &rows));
    }
    for (table, row) in &diff.without {
        let line = format!("{table}: the paper has no row for {row}");
        text.push_str(&match style {
            Style::Text => format!("{line}\n"),
            Style::Markdown => format!("\n{}\n", escape_markdown(&line)),
            Style::Latex => format!("{}\\par\n", escape(&line)),
        });
    }
    text
}

const FLIPS: [&str; 4] = ["row", "verdict", "ours", "paper"];

fn flip(cell: &PaperCell) -> Vec<String> {
    let word = |value: f64| match value {
        1.0 => verdict(true),
        0.0 => verdict(false),
        mean => number::quantity(mean, None, Format::Percent(3), Target::Terminal) + " of seeds not rejected",
    };
    vec![
        cell.row.clone(),
        cell.statistic.to_string(),
        word(cell.ours),
        word(cell.paper),
    ]
}

fn summary(diff: &PaperDiff, alpha: f64) -> String {
    let count = |wanted: fn(&&PaperCell) -> bool| diff.cells.iter().filter(wanted).count();
    let tested = count(|cell| cell.p_adjusted.is_some());
    let mut text = format!(
        "{} of {} numbers are as printed in the paper; {} verdicts differ\n",
        count(|cell| cell.as_printed),
        diff.cells.len(),
        count(|cell| cell.flip),
    );
    if tested > 0 {
        let significant = diff
            .cells
            .iter()
            .filter(|cell| cell.p_adjusted.is_some_and(|p| p <= alpha))
            .count();
        text.push_str(&format!(
            "{significant} of {tested} differ by more than one more seed would, at {alpha} after Benjamini's and \
             Hochberg's adjustment\n"
        ));
    }
    text
}

fn row(cell: &PaperCell) -> Vec<String> {
    let show = |value: f64| match cell.format {
        Format::Verdict => number::difference(value),
        format => number::quantity(value, None, format, Target::Terminal),
    };
    let difference = match cell.interval {
        _ if cell.format == Format::Verdict => DASH.to_string(),
        None => show(cell.difference),
        Some(interval) => format!(
            "{} [{}, {}]",
            show(cell.difference),
            show(interval.low),
            show(interval.high)
        ),
    };
    vec![
        cell.row.clone(),
        cell.statistic.to_string(),
        number::quantity(cell.ours, cell.sd, cell.format, Target::Terminal),
        number::published(cell.paper, cell.format, Target::Terminal),
        difference,
        match cell.p_value.zip(cell.p_adjusted) {
            Some((p, adjusted)) => format!("{} ({})", p_value(p), p_value(adjusted)),
            None => DASH.to_string(),
        },
        if cell.as_printed { "yes" } else { "no" }.to_string(),
    ]
}

fn section(style: Style, title: &str, label: &str, header: &[&str], rows: &[Vec<String>]) -> String {
    let mut grid = grid(header);
    match style {
        Style::Text => {
            rows.iter().for_each(|row| {
                grid.add_row(row);
            });
            format!("\n{title}\n{}\n", grid.trim_fmt())
        }
        Style::Markdown => {
            rows.iter().for_each(|row| {
                grid.add_row(row.iter().map(|text| escape_markdown(text)));
            });
            format!(
                "\n{}:\n\n{}\n",
                escape_markdown(title),
                grid.load_style(presets::ASCII_MARKDOWN)
            )
        }
        Style::Latex => {
            let escaped: Vec<Vec<String>> = rows
                .iter()
                .map(|row| row.iter().map(|text| escape(text)).collect())
                .collect();
            let header: Vec<String> = header.iter().map(|text| escape(text)).collect();
            let header: Vec<&str> = header.iter().map(String::as_str).collect();
            table(&escape(title), &format!("paper-{label}"), &header, &escaped)
        }
    }
}
