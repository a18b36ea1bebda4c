//! What a study says of its tables in words of its own: headings, captions with mathematics, tests as rows.

use gradstudy::diff::display::{Style, paper_to};
use gradstudy::diff::paper::paper_diff;
use gradstudy::report::{Screen, Templates, tabulate, to_markdown, to_terminal};
use gradstudy::study::TableSpec;
use indexmap::IndexMap;

use super::{run, table, table1, words};

fn worded() -> TableSpec {
    let own = [
        ("d_ks", r"KS distance $\bar{d}_{\mathrm{ks}}$ & more"),
        ("training", "Weights $\\theta$"),
    ];
    TableSpec {
        caption: Some(r"Tails of $\hat{\beta}_1$, 5 $ a piece & 40 %".into()),
        headings: own
            .map(|(name, text)| (name.to_string(), text.to_string()))
            .into_iter()
            .collect::<IndexMap<_, _>>(),
        ..table1()
    }
}

#[test]
fn mathematics_goes_to_latex_as_it_is_and_is_spelled_elsewhere() {
    let table = table(&run("a"), &worded());
    let templates = Templates::embedded();
    let latex = templates.table_latex(&table).unwrap();
    for part in [
        r"\caption{Tails of $\hat{\beta}_1$, 5 \$ a piece \& 40 \%",
        r"{KS distance $\bar{d}_{\mathrm{ks}}$ \& more}",
        r"Weights $\theta$ &",
    ] {
        assert!(latex.contains(part), "{part}\n{latex}");
    }
    let markdown = templates.table_markdown(&table).unwrap();
    for part in [
        r"**Tails of $\hat{\beta}_1$, 5 \$ a piece & 40 %**",
        r"KS distance $\bar{d}_{\mathrm{ks}}$ & more",
    ] {
        assert!(markdown.contains(part), "{part}\n{markdown}");
    }
    let terminal = to_terminal(&table);
    for part in [
        "Tails of β\u{302}_1, 5 $ a piece & 40 %",
        "KS distance d\u{304}_ks & more",
        "Weights θ",
    ] {
        assert!(terminal.contains(part), "{part}\n{terminal}");
    }
    // Columns without a heading of their own keep the usual one.
    assert!(to_markdown(&table).contains("d_c"));
}

#[test]
fn rows_can_be_of_each_test() {
    let spec = TableSpec {
        rows: words(&["test", "training", "sg_type"]),
        columns: words(&["tested", "degenerate"]),
        mirrors: None,
        ..table1()
    };
    let merged = TableSpec {
        rows: words(&["training", "sg_type"]),
        ..spec.clone()
    };
    let [table, merged] = [spec, merged].map(|spec| tabulate(&run("a"), &spec, &[]).unwrap());
    assert!(table.rows.len() > merged.rows.len());
    let of = |row: &gradstudy::report::table::Row| row.labels[0].to_string();
    assert!(table.rows.iter().any(|row| of(row) == "ks") && table.rows.iter().any(|row| of(row) == "normal"));
    // Each has a value where the merged rows name two tests.
    assert!(!to_terminal(&table).contains("make one table for each"));
    assert!(to_terminal(&merged).contains("make one table for each"));
}

#[test]
fn settings_are_no_agreement_with_the_paper_and_a_profile_is_named() {
    let table = table(&run("a"), &table1());
    let diff = paper_diff(&[table], &["profile quick".to_string()]);
    let settings = diff.cells.iter().filter(|cell| cell.setting).count();
    assert!(
        diff.cells
            .iter()
            .all(|cell| cell.setting == (cell.statistic == "d_c"))
            && settings > 0
    );
    let counted = diff.cells.len() - settings;
    let text = paper_to(Style::Text(Screen::default()), &diff, 0.05, "x");
    let printed = diff
        .cells
        .iter()
        .filter(|cell| cell.as_printed && !cell.setting)
        .count();
    for part in [
        format!("{printed} of {counted} numbers are as printed"),
        format!("not counted: {settings} that follow from the settings alone"),
        "but with profile quick".to_string(),
    ] {
        assert!(text.contains(&part), "{part}\n{text}");
    }
}
