//! A difference as LaTeX tables for `\\input`.

use super::super::RunDiff;
use super::super::SettingChange;
use super::parts::{flip_rows, pair_title, row, shown, summary};
use super::setting_rows;
use crate::report::latex::escape;
use crate::report::number::{self, Target};

/// Four tables: flips, what was tested, what moved, and settings; those that are empty are left out. They need booktabs
/// and siunitx.
pub fn to_latex(diff: &RunDiff, alpha: f64) -> String {
    let mut text =
        "% Written by gradstudy diff. For \\input into a document with \\usepackage{booktabs,siunitx}.\n"
            .to_string();
    text.push_str(&format!("{}\\par\n", escape(&summary(diff, alpha))));
    let escaped = |rows: Vec<Vec<String>>| -> Vec<Vec<String>> {
        rows.into_iter()
            .map(|row| row.iter().map(|text| escape(text)).collect())
            .collect()
    };
    text.push_str(&table(
        "Verdicts that flipped",
        "diff-flips",
        &["measurement", "verdict", "left", "right"],
        &escaped(flip_rows(diff)),
    ));
    let compared = diff.comparisons.iter().map(|it| {
        let show = |value: f64| shown(it.statistic, value, Target::Latex);
        let p = |p: f64| number::quantity(p, None, number::Format::PValue(2), Target::Latex);
        vec![
            escape(&it.condition.to_string()),
            escape(it.statistic),
            show(it.left),
            show(it.right),
            format!(
                "{} {{[}}{}, {}{{]}}",
                show(it.difference),
                show(it.interval.low),
                show(it.interval.high)
            ),
            p(it.p_adjusted),
            it.method.words().to_string(),
        ]
    });
    text.push_str(&table(
        "Differences that were tested",
        "diff-tested",
        &[
            "condition",
            "statistic",
            "left",
            "right",
            r"difference {[}95\,\%{]}",
            "adjusted $p$",
            "test",
        ],
        &compared.collect::<Vec<_>>(),
    ));
    let moved = diff.pairs.iter().filter(|pair| !pair.is_same()).flat_map(|pair| {
        let title = pair_title(pair);
        let rows = pair.statistics.iter().filter_map(row);
        rows.map(|row| std::iter::once(title.clone()).chain(row).collect())
            .collect::<Vec<Vec<String>>>()
    });
    text.push_str(&table(
        "Statistics that moved",
        "diff-moved",
        &["measurement", "statistic", "left", "right", "change"],
        &escaped(moved.collect()),
    ));
    for (title, label, changes) in [
        ("Settings that differ", "diff-settings", &diff.settings),
        (
            "Data, versions and devices that differ",
            "diff-provenance",
            &diff.provenance,
        ),
    ] {
        text.push_str(&table(
            title,
            label,
            &["setting", "left", "right"],
            &settings(changes),
        ));
    }
    text
}

/// A document of its own around what [`to_latex`] or `paper_to` wrote.
pub fn latex_document(tables: &str) -> String {
    format!(
        "\\documentclass[10pt]{{article}}\n\\usepackage[a4paper,landscape,margin=15mm]{{geometry}}\n\\usepackage{{iftex}}\n\
         \\ifpdftex\\usepackage[T1]{{fontenc}}\\usepackage{{lmodern}}\\fi\n\\usepackage{{booktabs,siunitx,graphicx}}\n\
         \\begin{{document}}\n{tables}\\end{{document}}\n"
    )
}

fn settings(changes: &[SettingChange]) -> Vec<Vec<String>> {
    setting_rows(changes)
        .map(|row| row.iter().map(|text| escape(text)).collect())
        .collect()
}

/// A `table` environment of cells that are LaTeX already; nothing for no rows.
pub(super) fn table(caption: &str, label: &str, header: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let lines: String = rows
        .iter()
        .map(|row| format!("    {} \\\\\n", row.join(" & ")))
        .collect();
    format!(
        "\n\\providecommand{{\\fittoline}}[1]{{\\ifdefined\\resizebox\\resizebox{{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}}\
         {{!}}{{#1}}\\else#1\\fi}}\n\\begin{{table}}\n  \\centering\n  \\caption{{{caption}}}\n  \\label{{tab:{label}}}\n  \\medskip\n  \
         \\fittoline{{%\n  \\begin{{tabular}}{{{}}}\n    \\toprule\n    {} \\\\\n    \\midrule\n{lines}    \\bottomrule\n  \
         \\end{{tabular}}}}\n\\end{{table}}\n",
        "l".repeat(header.len()),
        header.join(" & "),
    )
}
