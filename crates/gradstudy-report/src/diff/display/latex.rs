//! A difference as LaTeX tables for `\\input`; they go over several pages where they are long.

use indexmap::IndexSet;

use super::super::RunDiff;
use super::super::SettingChange;
use super::parts::{
    difference_with_interval, flip_rows, one_sided, pair_parts, row, sentences, shown, summary, test_words,
    untested,
};
use super::{provenance_rows, setting_rows};
use crate::report::latex::escape;
use crate::report::number::{self, Target};
use crate::report::screen::Screen;

/// A column: its heading, LaTeX already, and its part of the text's width.
pub(super) type Column<'a> = (&'a str, f64);

/// Tables of flips, what was tested, what moved, and settings; those that are empty are left out. They need booktabs,
/// siunitx and longtable, and a part of the document that has one column. Each is labelled `tab:LABEL-…`.
pub fn to_latex(diff: &RunDiff, label: &str) -> String {
    let mut text = "% Written by gradstudy diff. For \\input into one column of a document with\n\
                    % \\usepackage{booktabs,siunitx,longtable}.\n"
        .to_string();
    text.push_str(&format!("{}\\par\n", escape(&sentences(&summary(diff)))));
    let escaped = |row: Vec<String>| row.iter().map(|text| breakable(text)).collect::<Vec<_>>();
    let flips = diff.flips.iter().zip(flip_rows(diff, &Screen::default()));
    let flips = flips.map(|(flip, row)| (flip.identity.parts(), escaped(row[1..].to_vec())));
    let (flips, shared) = without_shared(flips.collect());
    text.push_str(&table(
        &format!("Verdicts that flipped{shared}"),
        &format!("{label}-flips"),
        &[
            ("measurement", 0.4),
            ("verdict", 0.16),
            ("left", 0.16),
            ("right", 0.16),
        ],
        &flips,
    ));
    let compared = diff.comparisons.iter().map(|it| {
        let show = |value: f64| shown(it.statistic, value, Target::Latex);
        let p = |p: f64| number::quantity(p, None, number::Format::PValue(2), Target::Latex);
        let cells = vec![
            breakable(it.statistic),
            show(it.left),
            show(it.right),
            difference_with_interval(it.statistic, it.difference, Some(it.interval), Target::Latex),
            p(it.p_adjusted),
            test_words(it),
        ];
        (it.condition.parts(), cells)
    });
    let (compared, shared) = without_shared(compared.collect());
    text.push_str(&table(
        &format!("Differences that were tested{shared}"),
        &format!("{label}-tested"),
        &[
            ("condition", 0.2),
            ("statistic", 0.12),
            ("left", 0.09),
            ("right", 0.09),
            (r"difference {[}95\,\%{]}", 0.18),
            ("adjusted $p$", 0.09),
            ("test", 0.1),
        ],
        &compared,
    ));
    text.push_str(&untested_table(diff, label));
    let moved = diff.pairs.iter().filter(|pair| !pair.is_same()).flat_map(|pair| {
        let parts = pair_parts(pair);
        let rows: Vec<Vec<String>> = match one_sided(pair) {
            Some(side) => vec![vec!["all".into(), "--".into(), "--".into(), side.into()]],
            None => pair
                .statistics
                .iter()
                .filter_map(|it| row(it, Target::Latex))
                .map(|[name, left, right, change]| vec![breakable(&name), left, right, change])
                .collect(),
        };
        rows.into_iter()
            .map(|row| (parts.clone(), row))
            .collect::<Vec<_>>()
    });
    let (mut moved, shared) = without_shared(moved.collect());
    let mut last = String::new();
    for row in &mut moved {
        let title = std::mem::take(&mut row[0]);
        // A measurement is named at its first statistic.
        if title != last {
            row[0].clone_from(&title);
        }
        last = title;
    }
    text.push_str(&table(
        &format!("Statistics that moved, chance or not{shared}"),
        &format!("{label}-moved"),
        &[
            ("measurement", 0.32),
            ("statistic", 0.16),
            ("left", 0.13),
            ("right", 0.13),
            ("change", 0.15),
        ],
        &moved,
    ));
    let settings: Vec<SettingChange> = setting_rows(diff);
    let provenance: Vec<SettingChange> = provenance_rows(diff);
    for (title, what, changes) in [
        ("Settings that differ", "settings", settings),
        ("Data, versions and devices that differ", "provenance", provenance),
    ] {
        let rows: Vec<Vec<String>> = super::shown_settings(&changes)
            .map(|row| escaped(row.to_vec()))
            .collect();
        text.push_str(&table(
            title,
            &format!("{label}-{what}"),
            &[("setting", 0.3), ("left", 0.3), ("right", 0.3)],
            &rows,
        ));
    }
    text
}

fn untested_table(diff: &RunDiff, label: &str) -> String {
    let rows = untested(diff).iter().map(|it| {
        let show = |value: f64| shown(it.statistic, value, Target::Latex);
        let cells = vec![
            breakable(it.statistic),
            show(it.left),
            show(it.right),
            difference_with_interval(it.statistic, it.difference, None, Target::Latex),
            it.reason.words().to_string(),
        ];
        (it.condition.parts(), cells)
    });
    let (rows, shared) = without_shared(rows.collect());
    table(
        &format!("Differences that could not be tested{shared}"),
        &format!("{label}-untested"),
        &[
            ("condition", 0.25),
            ("statistic", 0.15),
            ("left", 0.1),
            ("right", 0.1),
            ("difference", 0.12),
            ("no test", 0.15),
        ],
        &rows,
    )
}

/// A document of its own around what [`to_latex`] or `paper_to` wrote.
pub fn latex_document(tables: &str) -> String {
    format!(
        "\\documentclass[10pt]{{article}}\n\\usepackage[a4paper,landscape,margin=15mm]{{geometry}}\n\\usepackage{{iftex}}\n\
         \\ifpdftex\\usepackage[T1]{{fontenc}}\\usepackage{{lmodern}}\\fi\n\\usepackage{{booktabs,siunitx,longtable}}\n\
         \\setlength{{\\parindent}}{{0pt}}\n\\begin{{document}}\n{tables}\\end{{document}}\n"
    )
}

/// Text that may be broken behind what joins words in it.
pub(super) fn breakable(text: &str) -> String {
    let escaped = escape(text).replace(r"\_", r"\_\allowbreak{}");
    let spaced: Vec<String> = escaped
        .split(' ')
        .map(|word| match word.parse::<f64>() {
            Ok(_) => word.to_string(),
            Err(_) => word.replace('.', r".\allowbreak{}"),
        })
        .collect();
    spaced.join(" ")
}

/// Rows whose first cell is what of the parts not all rows have, and what all have, to stand in the caption.
pub(super) fn without_shared(rows: Vec<(Vec<String>, Vec<String>)>) -> (Vec<Vec<String>>, String) {
    let distinct: IndexSet<&Vec<String>> = rows.iter().map(|(parts, _)| parts).collect();
    let in_all = |part: &&String| distinct.len() > 1 && distinct.iter().all(|parts| parts.contains(part));
    let shared: IndexSet<String> = rows
        .first()
        .map(|(parts, _)| parts.iter().filter(in_all).cloned().collect())
        .unwrap_or_default();
    let told = |(parts, cells): &(Vec<String>, Vec<String>)| {
        let own: Vec<&str> = parts
            .iter()
            .filter(|part| !shared.contains(*part))
            .map(String::as_str)
            .collect();
        let first = if own.is_empty() {
            parts.join(", ")
        } else {
            own.join(", ")
        };
        std::iter::once(breakable(&first))
            .chain(cells.iter().cloned())
            .collect()
    };
    let rows = rows.iter().map(told).collect();
    let shared: Vec<String> = shared.into_iter().collect();
    let caption = match shared.is_empty() {
        true => String::new(),
        false => format!(" (all: {})", escape(&shared.join(", "))),
    };
    (rows, caption)
}

/// A table over as many pages as it needs, of cells that are LaTeX already; nothing for no rows.
pub(super) fn table(caption: &str, label: &str, columns: &[Column], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let lines: String = rows
        .iter()
        .map(|row| format!("  {} \\\\\n", row.join(" & ")))
        .collect();
    let spec: Vec<String> = columns
        .iter()
        .map(|(_, part)| format!(r">{{\raggedright\arraybackslash}}p{{{part}\linewidth}}"))
        .collect();
    let headings: Vec<&str> = columns.iter().map(|(heading, _)| *heading).collect();
    let head = format!("  \\toprule\n  {} \\\\\n  \\midrule\n", headings.join(" & "));
    format!(
        "\n{{\\footnotesize\\setlength{{\\tabcolsep}}{{3pt}}\\sisetup{{separate-uncertainty=true}}%\n\\begin{{longtable}}{{{}}}\n  \\caption{{{caption}}}\n  \
         \\label{{tab:{label}}} \\\\\n{head}  \\endfirsthead\n{head}  \\endhead\n  \\bottomrule\n  \\endfoot\n{lines}\
         \\end{{longtable}}}}\n",
        spec.join(" "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_rows_share_is_said_once() {
        let words = |words: &[&str]| words.iter().map(|it| it.to_string()).collect::<Vec<_>>();
        let rows = vec![
            (words(&["ks", "MNIST", "setting A"]), words(&["0.1"])),
            (words(&["ks", "MNIST", "setting A, B"]), words(&["0.2"])),
        ];
        let (rows, shared) = without_shared(rows);
        assert_eq!(rows, [["setting A", "0.1"], ["setting A, B", "0.2"]]);
        assert_eq!(shared, " (all: ks, MNIST)");
    }
}
