//! Tables and documents from a tiny run made by hand (`cases/runs`).

mod documents;
mod own_words;

pub use documents::{AWKWARD, compile};

use std::path::Path;
use std::process::Command;

use gradstudy::arrays::write::Column;
use gradstudy::report::table::{CellValue, Missing};
use gradstudy::report::{
    Report, ReportError, Table, Templates, Timing, tabulate, to_markdown, to_terminal, write_all,
};
use gradstudy::results::{EffectiveNumbers, Measurement, Results};
use gradstudy::run::levels::LevelColumns;
use gradstudy::run::tables::outcomes;
use gradstudy::stats::outcome::{CorrelationOutcome, Degenerate, Direction, Outcome};
use gradstudy::study::TableSpec;
use serde_json::json;

use crate::support::tools;

fn run(name: &str) -> Results {
    let path = format!(
        "{}/tests/cases/runs/{name}/results.yaml",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).expect(&path);
    serde_yaml::from_str(&text).expect(&path)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| word.to_string()).collect()
}

/// The paper's Table 1.
fn table1() -> TableSpec {
    TableSpec {
        name: "table1".into(),
        of: words(&["ks", "normal"]),
        rows: words(&["dataset", "training", "sg_type"]),
        columns: words(&["d_ks", "d_c", "power_law_rate", "p_value", "gaussian_rate"]),
        mirrors: Some(1),
        caption: Some("Statistics over dimensions and iterations".into()),
        spread: Default::default(),
        headings: Default::default(),
        definitions: true,
    }
}

fn conventions() -> Vec<String> {
    words(&[
        "Power-law tail: the 1000 largest absolute values.",
        "KS distance: left ECDF; d_c = 1.36/√K.",
    ])
}

fn table(results: &Results, spec: &TableSpec) -> Table {
    tabulate(results, spec, &conventions()).expect("tabulates")
}

fn one_seed(mut results: Results) -> Results {
    results.measurements.retain(|it| it.seed == 0);
    results
}

#[test]
fn markdown_shows_mean_spread_and_the_papers_value() {
    let text = Templates::embedded()
        .table_markdown(&table(&run("a"), &table1()))
        .expect("renders");
    insta::assert_snapshot!(text);
}

#[test]
fn one_seed_looks_like_the_paper() {
    let results = one_seed(run("a"));
    let table = table(
        &results,
        &TableSpec {
            mirrors: None,
            ..table1()
        },
    );
    insta::assert_snapshot!(to_markdown(&table), @r"
    | Dataset | Training | SG type   |   d̄_ks |    d_c | Power-law rate |   p̄-value | Gaussian rate |
    |---------|----------|-----------|--------|--------|----------------|-----------|---------------|
    | MNIST   | Random   | Dimension | 0.0247 | 0.0430 |         98.2 % | 2.31×10⁻⁴ |        0.66 % |
    | MNIST   | Random   | Iteration |  0.196 | 0.0430 |        0.106 % |     0.335 |        68.0 % |
    | MNIST   | Loaded   | Iteration |   1.00 | 0.0430 |            0 % |         – |             – |
    ");
}

#[test]
fn terminal_puts_the_papers_value_below() {
    insta::assert_snapshot!(to_terminal(&table(&one_seed(run("b")), &table1())));
}

#[test]
fn latex_fragment() {
    let text = Templates::embedded()
        .table_latex(&table(&run("b"), &table1()))
        .expect("renders");
    insta::assert_snapshot!(text);
}

#[test]
fn results_survive_yaml() {
    let results = run("a");
    let text = serde_yaml::to_string(&results).expect("plain data");
    assert!(text.contains("mean_exponent: null"));
    let back: Results = serde_yaml::from_str(&text).expect("own text");
    // NaN differs from itself, so the two are compared as text and by what they diff to.
    assert_eq!(serde_yaml::to_string(&back).expect("plain data"), text);
    assert!(gradstudy::diff::diff(&results, &back, gradstudy::diff::Tolerance::EXACT, 0.05).is_same());
}

#[test]
fn cells_keep_value_spread_counts_and_steps() {
    let table = table(&run("a"), &table1());
    let rate = &table.rows[0].cells[2];
    let CellValue::Number {
        mean,
        sd,
        ci95,
        seeds,
        samples,
        effective,
        interval,
    } = &rate.value
    else {
        panic!("{rate:?}")
    };
    assert!((mean - 0.9813).abs() < 1e-12);
    // |0.982 − 0.9806| / √2
    assert!((sd.expect("two seeds") - 0.0014 / 2f64.sqrt()).abs() < 1e-12);
    // Student's t with one degree of freedom: tan(0.475 π) s/√2.
    let half = (0.475 * std::f64::consts::PI).tan() * 0.0007;
    assert!((ci95.expect("two seeds") - half).abs() < 1e-10, "{ci95:?}");
    // Over seeds the spread tells more than an interval of pooled counts.
    assert_eq!(
        (*samples, *effective, interval.is_none()),
        (Some(10_000), None, true)
    );
    assert_eq!((*seeds, rate.paper), (2, Some(0.766)));
    assert_eq!(rate.steps, ["ks-d0", "ks-d1"]);
}

/// Of one seed, a rate has an interval where `correlation` of the same rows or columns says what they are worth: by that
/// number, which stands beside it in every format.
#[test]
fn intervals_take_the_effective_number_of_samples() {
    let mut results = one_seed(run("a"));
    let rate = |results: &Results| {
        let CellValue::Number {
            effective, interval, ..
        } = table(results, &table1()).rows[0].cells[2].value.clone()
        else {
            panic!("a rate")
        };
        (effective, interval)
    };
    assert_eq!(rate(&results), (None, None), "not known");
    let without = to_terminal(&table(&results, &table1()));
    assert!(
        without.contains("Rates of one seed have no interval: rows and columns of one G are not independent"),
        "{without}"
    );
    let correlation = |of: &Measurement, pairs: u64, effective: f64| Measurement {
        test: "alike".into(),
        outcome: Outcome::Correlation(CorrelationOutcome {
            tested: 5000,
            degenerate: Degenerate::default(),
            pairs,
            mean: 0.5,
            mean_square: 0.25,
            effective,
        }),
        ..of.clone()
    };
    let of = results.measurements[0].clone();
    // Of other rows, of another seed, of a case that this is not: none of these speaks of it.
    let others = [
        Measurement {
            direction: Direction::Iteration,
            ..correlation(&of, 10_000, 7.0)
        },
        Measurement {
            seed: 5,
            ..correlation(&of, 10_000, 7.0)
        },
        Measurement {
            record: "other".into(),
            ..correlation(&of, 10_000, 7.0)
        },
        Measurement {
            levels: vec![("start".into(), "elsewhere".into())],
            ..correlation(&of, 10_000, 7.0)
        },
    ];
    results.measurements.extend(others);
    assert_eq!(rate(&results).0, None);
    // A test with a factor of its own is of the same history; more pairs tell more.
    let mut varied = correlation(&of, 20_000, 2.96);
    varied.levels.push(("pairs".into(), "20000".into()));
    results
        .measurements
        .extend([correlation(&of, 10_000, 3.1), varied]);
    let (effective, interval) = rate(&results);
    assert_eq!(effective, Some(2.96));
    // Wilson's formula with n = 2.96 in place of 5000, by hand.
    let (n, p, z2) = (2.96, 0.982, 1.959_963_984_540_054_f64.powi(2));
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = (z2 * (p * (1.0 - p) / n + z2 / (4.0 * n * n))).sqrt() / (1.0 + z2 / n);
    let interval = interval.expect("known");
    assert!(
        (interval.low - (centre - half)).abs() < 1e-12 && (interval.high - (centre + half)).abs() < 1e-12,
        "{interval:?}"
    );
    let effective = EffectiveNumbers::of(&results);
    let exported = outcomes(&[&of], &LevelColumns::default(), &effective);
    let column = |name: &str| {
        let found = exported.iter().find(|(known, _)| known == name);
        found.expect(name).1.clone()
    };
    let (Column::Text(names), Column::Number(low), Column::Number(worth)) =
        (column("statistic"), column("low"), column("effective"))
    else {
        panic!("words and numbers")
    };
    let at = names
        .iter()
        .position(|name| name.as_deref() == Some("power_law_rate"))
        .expect("a rate");
    assert_eq!((low[at], worth[at]), (interval.low, 2.96), "the same number");
    let with = table(&results, &table1());
    let latex = Templates::embedded().table_latex(&with).expect("renders");
    assert!(latex.contains(r"(\num{2.96} effective of \num{5000})"), "{latex}");
    let note = to_terminal(&with);
    assert!(
        note.contains("(2.96 effective of 5000)")
            && note.contains("Other rates of one seed have no interval"),
        "{note}"
    );
}

#[test]
fn a_table_may_show_confidence_intervals_of_means() {
    let spec = TableSpec {
        spread: gradstudy::study::Spread::Ci95,
        mirrors: None,
        ..table1()
    };
    let [sd, ci95] = [table1(), spec].map(|spec| to_terminal(&table(&run("a"), &spec)));
    assert!(
        sd.contains("Mean ± sample standard deviation over the seeds"),
        "{sd}"
    );
    let words = "Mean ± half the 95 % confidence interval (Student's t) over the seeds";
    assert!(ci95.contains(words), "{ci95}");
    // With t = 12.7, 0.10 % becomes 0.89 %.
    assert!(
        sd.contains("98.1 ± 0.1\u{202F}%") && ci95.contains("98.1 ± 0.9\u{202F}%"),
        "{sd}\n{ci95}"
    );
}

#[test]
fn a_cell_without_a_value_says_why() {
    let spec = TableSpec {
        columns: words(&["d_ks", "p_value", "beta", "degenerate", "tested"]),
        ..table1()
    };
    let table = table(&run("a"), &spec);
    let reason = |row: usize, column: usize| match &table.rows[row].cells[column].value {
        CellValue::Missing { reason } => Some(reason.clone()),
        CellValue::Number { .. } => None,
    };
    assert_eq!(reason(2, 1), Some(Missing::NotMeasured));
    assert_eq!(reason(2, 2), Some(Missing::NotFinite));
    assert_eq!(
        reason(1, 3),
        Some(Missing::Ambiguous {
            tests: words(&["ks", "normal"])
        })
    );
    assert_eq!(reason(1, 4), None);
    let text = to_terminal(&table);
    for note in [
        "no test of this table gives it",
        "no sample allowed it",
        "make one table for each",
    ] {
        assert!(text.contains(note), "{note}\n{text}");
    }
}

#[test]
fn rows_that_would_look_alike_are_told_apart() {
    let spec = TableSpec {
        rows: words(&["dataset"]),
        ..table1()
    };
    let table = table(&run("a"), &spec);
    let keys: Vec<_> = table
        .keys
        .iter()
        .map(|key| (key.name.as_str(), key.asked))
        .collect();
    assert_eq!(keys, [("dataset", true), ("start", false), ("sg_type", false)]);
    let titles: std::collections::HashSet<_> = table.rows.iter().map(|row| table.title(row)).collect();
    assert_eq!(titles.len(), table.rows.len());
    assert!(to_terminal(&table).contains("Added because rows would read alike"));
}

#[test]
fn a_paper_row_that_fits_two_of_ours_stands_beside_none() {
    let mut results = one_seed(run("b"));
    let mut twins = results.measurements.clone();
    // Both say that nothing is special.
    twins
        .iter_mut()
        .for_each(|it| it.levels = vec![("start".into(), "plain".into())]);
    results
        .measurements
        .iter_mut()
        .for_each(|it| it.levels = vec![("start".into(), "default".into())]);
    results.measurements.extend(twins);
    let table = table(&results, &table1());
    assert!(
        table
            .rows
            .iter()
            .flat_map(|row| &row.cells)
            .all(|cell| cell.paper.is_none())
    );
}

#[test]
fn mistakes_are_named_with_what_there_is() {
    let results = run("a");
    let error = |spec: TableSpec| tabulate(&results, &spec, &[]).expect_err("a mistake");
    let column = error(TableSpec {
        columns: words(&["d_kss"]),
        ..table1()
    });
    assert!(
        matches!(&column, ReportError::UnknownColumn { known, .. } if known.contains(&"d_ks".to_string()))
    );
    let key = error(TableSpec {
        rows: words(&["stop"]),
        ..table1()
    });
    assert!(matches!(&key, ReportError::UnknownRowKey { known, .. } if known.contains(&"start".to_string())));
    let none = error(TableSpec {
        of: words(&["hill"]),
        ..table1()
    });
    assert_eq!(
        none.to_string(),
        "table `table1` has no rows: no result is of hill"
    );
    let paper = error(TableSpec {
        mirrors: Some(12),
        ..table1()
    });
    assert_eq!(
        paper.to_string(),
        "table `table1` mirrors table 12, which the paper does not have"
    );
}
