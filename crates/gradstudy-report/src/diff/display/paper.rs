//! A run beside the paper's numbers, for people.

use comfy_table::presets;

use super::super::paper::{PaperCell, PaperDiff};
use super::latex::{breakable, table, without_shared};
use super::parts::{coloured, difference_with_interval, grid, sentences, verdict};
use super::{Style, screen_grid};
use crate::report::latex::{self, escape};
use crate::report::markup::escape_markdown;
use crate::report::number::{self, Format, Target};

const HEADER: [&str; 7] = [
    "row",
    "statistic",
    "ours",
    "paper",
    "ours − paper [95 %]",
    "p (adjusted)",
    "as printed",
];

/// Verdicts that differ first, then every cell, table by table. LaTeX tables are labelled `tab:LABEL-…`.
pub fn paper_to(style: Style, diff: &PaperDiff, alpha: f64, label: &str) -> String {
    if diff.cells.is_empty() {
        return "no table of the run has a row that the paper prints numbers for\n".to_string();
    }
    let mut text = summary(diff, alpha);
    text = match style {
        Style::Text(screen) => screen.wrap_lines(&text),
        Style::Markdown => sentences(&text) + "\n",
        Style::Latex => format!("{}\\par\n", escape(&sentences(&text))),
    };
    let mut tables: Vec<(&str, u32)> = diff
        .cells
        .iter()
        .map(|cell| (cell.table.as_str(), cell.number))
        .collect();
    tables.dedup();
    let flips: Vec<Vec<String>> = {
        let flips = diff.cells.iter().filter(|cell| cell.flip);
        flips.map(|cell| flip(cell, style)).collect()
    };
    let mut sections = vec![(
        "verdicts that differ".to_string(),
        "verdict-flips".to_string(),
        &FLIPS[..],
        flips,
    )];
    for (name, number) in tables {
        let rows = diff
            .cells
            .iter()
            .filter(|cell| cell.table == name)
            .map(|cell| row(cell, style))
            .collect();
        let title = format!("{name}, beside Table {number} of Xie et al., 2023");
        sections.push((title, name.to_string(), &HEADER[..], rows));
    }
    for (title, what, header, rows) in sections.into_iter().filter(|it| !it.3.is_empty()) {
        let label = format!("{label}-{}", latex::label(&what));
        text.push_str(&section(style, &title, &label, header, &rows));
    }
    for (table, row) in &diff.without {
        let line = format!("{table}: the paper has no row for {row}");
        text.push_str(&match style {
            Style::Text(screen) => screen.wrap_lines(&line),
            Style::Markdown => format!("\n{}\n", escape_markdown(&line)),
            Style::Latex => format!("{}\\par\n", escape(&sentences(&line))),
        });
    }
    text
}

const FLIPS: [&str; 4] = ["row", "verdict", "ours", "paper"];

fn flip(cell: &PaperCell, style: Style) -> Vec<String> {
    let target = target(style);
    let word = |value: f64| match value {
        1.0 => judged(true, style),
        0.0 => judged(false, style),
        mean => number::quantity(mean, None, Format::Percent(3), target) + " of seeds not rejected",
    };
    vec![
        cell.row.clone(),
        cell.statistic.to_string(),
        word(cell.ours),
        word(cell.paper),
    ]
}

fn judged(accepted: bool, style: Style) -> String {
    match style {
        Style::Text(screen) => coloured(accepted, &screen),
        _ => verdict(accepted),
    }
}

fn summary(diff: &PaperDiff, alpha: f64) -> String {
    let count = |wanted: fn(&&PaperCell) -> bool| diff.cells.iter().filter(wanted).count();
    let tested = count(|cell| cell.p_adjusted.is_some());
    let mut text = format!(
        "{} of {} numbers are as printed in the paper; {} verdicts differ\n",
        count(|cell| cell.as_printed && !cell.setting),
        count(|cell| !cell.setting),
        count(|cell| cell.flip),
    );
    let settings = count(|cell| cell.setting);
    if settings > 0 {
        let as_printed = count(|cell| cell.setting && cell.as_printed);
        text.push_str(&format!(
            "not counted: {settings} that follow from the settings alone, such as d_c ({as_printed} as printed)\n"
        ));
    }
    if !diff.overrides.is_empty() {
        text.push_str(&format!(
            "the run is not of the study as it is written, but with {}\n",
            diff.overrides.join(", ")
        ));
    }
    if tested > 0 {
        let significant = diff.significant(alpha);
        text.push_str(&format!(
            "{significant} of {tested} differ by more than one more seed would, at {alpha} after Benjamini's and \
             Hochberg's adjustment\n"
        ));
    }
    text
}

fn target(style: Style) -> Target {
    match style {
        Style::Latex => Target::Latex,
        _ => Target::Terminal,
    }
}

fn row(cell: &PaperCell, style: Style) -> Vec<String> {
    let target = target(style);
    let difference = match cell.format == Format::Verdict {
        true => number::dash(target).to_string(),
        false => difference_with_interval(cell.statistic, cell.difference, cell.interval, target),
    };
    let p_value = |p: f64| number::quantity(p, None, Format::PValue(2), target);
    vec![
        cell.row.clone(),
        cell.statistic.to_string(),
        number::quantity(cell.ours, cell.sd, cell.format, target),
        number::published(cell.paper, cell.format, target),
        difference,
        match cell.p_value.zip(cell.p_adjusted) {
            Some((p, adjusted)) => format!("{} ({})", p_value(p), p_value(adjusted)),
            None => number::dash(target).to_string(),
        },
        match (cell.setting, cell.as_printed) {
            (true, true) => "setting",
            (false, true) => "yes",
            (_, false) => "no",
        }
        .to_string(),
    ]
}

fn section(style: Style, title: &str, label: &str, header: &[&str], rows: &[Vec<String>]) -> String {
    match style {
        Style::Text(screen) => {
            let grid = screen_grid(header, rows.iter().cloned());
            format!("\n{title}\n{}\n", grid.show(&screen))
        }
        Style::Markdown => {
            let mut grid = grid(header);
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
            // Numbers are LaTeX already.
            let parts = |row: &Vec<String>| {
                let (title, cells) = row.split_first()?;
                let mut cells = cells.to_vec();
                if let Some(statistic) = cells.first_mut() {
                    *statistic = breakable(statistic);
                }
                Some((vec![title.clone()], cells))
            };
            let (rows, shared) = without_shared(rows.iter().filter_map(parts).collect());
            let header: Vec<String> = header.iter().map(|text| escape(text)).collect();
            let parts: &[f64] = match header.len() {
                7 => &[0.18, 0.12, 0.13, 0.1, 0.2, 0.12, 0.07],
                _ => &[0.4, 0.16, 0.2, 0.16],
            };
            let columns: Vec<(&str, f64)> = header
                .iter()
                .map(String::as_str)
                .zip(parts.iter().copied())
                .collect();
            table(&(escape(title) + &shared), label, &columns, &rows)
        }
    }
}
