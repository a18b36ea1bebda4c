//! What templates see. `docs/templates.md` lists it for people who write their own; a test holds the two together.

use indexmap::IndexSet;
use minijinja::context;
use minijinja::value::{Serde, Value};

use super::drawing::Drawing;
use super::html::prose_html;
use super::latex;
use super::markup::{cell_texts, label_text, markdown_notes, prose_markdown, to_markdown};
use super::notes::notes;
use super::number::Target;
use super::table::{CellValue, Label, Table, Verdict};
use super::write::Report;

/// For a template of one table.
pub(super) fn one(table: Value) -> Value {
    context! { table, conventions_apart => false }
}

/// For `standalone.tex.jinja`; `content` is the rendered table, `cjk` lines of the preamble.
pub(super) fn standalone(table: &Table, content: String, cjk: String) -> Value {
    let [content, cjk] = [content, cjk].map(Value::from_safe_string);
    context! { content, cjk, ..one(latex(table)) }
}

/// For `report.tex.jinja`; `cjk` is lines of the preamble.
pub(super) fn report_latex(all: &Report, cjk: String) -> Value {
    context! { cjk => Value::from_safe_string(cjk), ..report(all, latex) }
}

/// For a template of a whole report; `table` is the view of a table in its format.
pub(super) fn report(report: &Report, table: fn(&Table) -> Value) -> Value {
    let all = report
        .tables
        .iter()
        .flat_map(|table| table.conventions.iter().cloned());
    let conventions: Vec<String> = all.collect::<IndexSet<_>>().into_iter().collect();
    context! {
        title => report.title,
        tables => report.tables.iter().map(table).collect::<Vec<_>>(),
        figures => report.figures.iter().map(figure).collect::<Vec<_>>(),
        warnings => report.warnings.to_vec(),
        conventions,
        conventions_apart => true,
        provenance => Value::from(Serde(&report.provenance)),
        timings => report.timings.iter().map(|timing| Value::from(Serde(timing))).collect::<Vec<_>>(),
        study => report.study,
        resolved => report.resolved,
    }
}

fn figure(drawing: &Drawing) -> Value {
    context! {
        name => drawing.name.as_str(),
        caption => drawing.caption.as_str(),
        notes => drawing.notes.clone(),
        svg => Value::from_safe_string(drawing.svg.clone()),
        files => drawing.files.iter().map(|(ending, _)| *ending).collect::<Vec<_>>(),
    }
}

fn safe(texts: impl IntoIterator<Item = String>) -> Vec<Value> {
    texts.into_iter().map(Value::from_safe_string).collect()
}

fn view(table: &Table) -> Value {
    let rows = table.rows.iter().map(|row| Value::from(Serde(row)));
    context! {
        name => table.name.as_str(),
        caption => table.caption.as_str(),
        definitions => table.definitions.clone(),
        paper => table.paper.as_ref().map(|paper| paper.table),
        conventions => table.conventions.clone(),
        rejected => table.says(Verdict::Rejected),
        not_rejected => table.says(Verdict::NotRejected),
        data => rows.collect::<Vec<_>>(),
    }
}

/// For `table.md.jinja`.
pub(super) fn markdown(table: &Table) -> Value {
    let columns = table.columns.iter().enumerate().map(
        |(index, column)| context! { name => column.name, heading => Value::from_safe_string(prose_markdown(&table.heading(index, Target::Markdown))) },
    );
    context! {
        row_keys => row_keys(table, prose_markdown),
        columns => columns.collect::<Vec<_>>(),
        notes => safe(markdown_notes(table)),
        grid => Value::from_safe_string(to_markdown(table)),
        ..view(table)
    }
}

/// For `table.tex.jinja`.
pub(super) fn latex(table: &Table) -> Value {
    let columns: Vec<_> = (0..table.columns.len())
        .map(|index| latex::column(table, index))
        .collect();
    let key_specs = (0..table.keys.len()).map(|index| if all_counts(table, index) { "r" } else { "l" });
    let spec: Vec<&str> = key_specs
        .chain(columns.iter().map(|column| column.spec.as_str()))
        .collect();
    let rows = table.rows.iter().enumerate().map(|(index, row)| {
        context! {
            labels => safe(row.labels.iter().map(latex::label_cell)),
            cells => safe(columns.iter().map(|column| column.cells[index].clone())),
        }
    });
    let headings = table.columns.iter().zip(&columns).map(|(kind, column)| {
        context! { name => kind.name, heading => Value::from_safe_string(column.heading.clone()) }
    });
    context! {
        row_keys => row_keys(table, latex::prose),
        columns => headings.collect::<Vec<_>>(),
        rows => rows.collect::<Vec<_>>(),
        spec => Value::from_safe_string(spec.join(" ")),
        notes => safe(notes(table, Target::Latex, latex::escape)),
        wide => latex::is_wide(table),
        ..view(table)
    }
}

/// For `table.html.jinja`: texts are not escaped yet.
pub(super) fn html(table: &Table) -> Value {
    let counts = (0..table.keys.len()).map(|index| all_counts(table, index));
    let columns = table.columns.iter().enumerate().map(|(index, column)| {
        let heading = Value::from_safe_string(prose_html(&table.heading(index, Target::Markdown)));
        context! { name => column.name, heading }
    });
    let rows = table.rows.iter().map(|row| {
        let cells = row.cells.iter().enumerate().map(|(index, cell)| {
            let (text, paper) = cell_texts(table, index, row, Target::Terminal);
            context! {
                text, paper, missing => matches!(cell.value, CellValue::Missing { .. }),
                verdict => Value::from(Serde(cell.verdict)),
            }
        });
        context! {
            labels => row.labels.iter().map(|label| label_text(label, Target::Terminal)).collect::<Vec<_>>(),
            cells => cells.collect::<Vec<_>>(),
        }
    });
    context! {
        row_keys => row_keys(table, prose_html),
        row_key_counts => counts.collect::<Vec<_>>(),
        columns => columns.collect::<Vec<_>>(),
        rows => rows.collect::<Vec<_>>(),
        notes => safe(notes(table, Target::Terminal, str::to_string).iter().map(|note| prose_html(note))),
        ..view(table)
    }
}

/// Headings of the columns that tell rows apart, spelled in a format.
fn row_keys(table: &Table, spell: fn(&str) -> String) -> Vec<Value> {
    safe(table.keys.iter().map(|key| spell(&key.heading)))
}

/// Whether a row key is a number in every row.
fn all_counts(table: &Table, index: usize) -> bool {
    table
        .rows
        .iter()
        .all(|row| matches!(row.labels[index], Label::Count(_)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{Timing, tabulate};
    use super::*;
    use gradstudy_lang::study::TableSpec;

    /// Every field in `value`, as `rows[].labels[]` and such. What lies below `provenance` is the manifest's.
    fn fields(value: &Value, prefix: &str, found: &mut BTreeSet<String>) {
        use minijinja::value::ValueKind;
        match value.kind() {
            ValueKind::Map if prefix != "provenance" => {
                for key in value.try_iter().expect("a map") {
                    let inner = value.get_item(&key).expect("has its keys");
                    let name = if prefix.is_empty() {
                        key.to_string()
                    } else {
                        format!("{prefix}.{key}")
                    };
                    found.insert(name.clone());
                    fields(&inner, &name, found);
                }
            }
            ValueKind::Seq => {
                for inner in value.try_iter().expect("a list") {
                    fields(&inner, &format!("{prefix}[]"), found);
                }
            }
            _ => {}
        }
    }

    fn table() -> Table {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/cases/runs/a/results.yaml"
        );
        let text = std::fs::read_to_string(path).expect(path);
        let mut results: crate::results::Results = serde_yaml::from_str(&text).expect("results");
        for measurement in &mut results.measurements {
            measurement.levels = vec![("factor".into(), "level".into())];
        }
        let words = |words: &[&str]| words.iter().map(|word| word.to_string()).collect();
        let spec = TableSpec {
            name: "table1".into(),
            of: words(&["ks", "normal"]),
            rows: words(&["dataset", "training", "sg_type"]),
            columns: words(&["power_law_rate", "p_value", "degenerate"]),
            mirrors: Some(1),
            caption: None,
            spread: Default::default(),
            headings: Default::default(),
            definitions: true,
        };
        let mut table = tabulate(&results, &spec, &["A convention.".to_string()]).expect("tabulates");
        // A reason of its own, which no column of these results has.
        table.rows[0].cells[0].value = CellValue::Missing {
            reason: super::super::table::Missing::Ambiguous {
                tests: vec!["ks".into()],
            },
        };
        // An interval, which rates of one seed have where `correlation` was measured.
        if let CellValue::Number {
            effective, interval, ..
        } = &mut table.rows[1].cells[0].value
        {
            *effective = Some(2.0);
            *interval = Some(gradstudy_stats::interval::wilson(1, 2, 0.95));
        }
        table.rows[0].rounding = vec![super::super::table::TailInRounding {
            test: "ks".into(),
            kind: "power law",
            points: 1000,
            above: 9,
        }];
        table.rows[0].near_rounding = vec![super::super::table::NearRounding {
            test: "normal".into(),
            kind: "Gaussianity",
            tested: 1000,
            samples: 3,
        }];
        table.rows[0].failed = vec![super::super::table::FailedResults {
            why: "diverged at epoch 3".into(),
            what: "train noisy".into(),
            seeds: vec![0],
        }];
        table.rows[0].doubts = vec!["the network guesses".into()];
        table.rows[0].cells[1].value = CellValue::Missing {
            reason: super::super::table::Missing::Failed {
                why: "diverged at epoch 3".into(),
            },
        };
        table.rows[0].left_out = vec![super::super::table::LeftOutValues {
            test: "normal".into(),
            kind: "Gaussianity",
            left_out: gradstudy_stats::missing::LeftOut {
                values: 12,
                samples: 4,
            },
        }];
        table
    }

    #[test]
    fn the_document_names_every_field_and_no_other() {
        let table = table();
        let drawing = Drawing {
            name: "figure1".into(),
            caption: "Caption".into(),
            notes: vec!["Note.".into()],
            svg: "<svg/>".into(),
            files: vec![(".svg", Vec::new())],
        };
        let (tables, timings) = (
            [table.clone()],
            [Timing {
                step: "ab".into(),
                what: "train".into(),
                seconds: 1.0,
                reused: false,
                peak_memory: Some(1_500_000_000),
            }],
        );
        let whole = Report {
            title: "Title",
            tables: &tables,
            figures: &[drawing],
            warnings: &["W".into()],
            provenance: serde_json::json!({"gradstudy": "0"}),
            timings: &timings,
            study: "study",
            resolved: "resolved",
        };
        let mut found = BTreeSet::new();
        for context in [
            standalone(&table, String::new(), String::new()),
            one(markdown(&table)),
            one(html(&table)),
            report(&whole, markdown),
            report(&whole, html),
            report_latex(&whole, String::new()),
        ] {
            fields(&context, "", &mut found);
        }
        // A report's tables are what `table` is elsewhere.
        let found: BTreeSet<String> = found
            .into_iter()
            .map(|name| name.replace("tables[].", "table."))
            .collect();
        let document = include_str!("../../../../docs/templates.md");
        let (_, fields) = document
            .split_once("## What a template sees")
            .expect("has that heading");
        let rows = fields.lines().filter_map(|line| line.strip_prefix("| `"));
        let documented: BTreeSet<String> = rows
            .filter_map(|row| row.split_once('`'))
            .map(|(name, _)| name.to_string())
            .collect();
        let missing: Vec<_> = found.difference(&documented).collect();
        let gone: Vec<_> = documented.difference(&found).collect();
        assert!(missing.is_empty(), "not in docs/templates.md: {missing:?}");
        assert!(
            gone.is_empty(),
            "in docs/templates.md, but no template sees it: {gone:?}"
        );
    }
}
