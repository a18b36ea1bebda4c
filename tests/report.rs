//! Tables and documents from a tiny run made by hand (`cases/runs`).

use std::path::Path;
use std::process::Command;

use gradstudy::report::table::{CellValue, Missing};
use gradstudy::report::{
    Report, ReportError, Table, Templates, Timing, tabulate, to_markdown, to_terminal, write_all,
};
use gradstudy::results::Results;
use gradstudy::study::TableSpec;
use serde_json::json;

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
    assert!(gradstudy::diff::diff(&results, &back, gradstudy::diff::Tolerance::EXACT).is_same());
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
    assert_eq!((*samples, interval.is_none()), (Some(10_000), true));
    let one = self::table(&one_seed(run("a")), &table1());
    let CellValue::Number {
        interval: Some(interval),
        ..
    } = &one.rows[0].cells[2].value
    else {
        panic!("a rate of one seed has an interval")
    };
    // Wilson 1927, as SciPy's binomtest(4910, 5000).proportion_ci(method="wilson").
    let scipy = [0.9779276949129895, 0.9853322404119754];
    assert!(
        (interval.low - scipy[0]).abs() < 1e-9 && (interval.high - scipy[1]).abs() < 1e-9,
        "{interval:?}"
    );
    assert_eq!((*seeds, rate.paper), (2, Some(0.766)));
    assert_eq!(rate.steps, ["ks-d0", "ks-d1"]);
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

fn report(tables: &[Table]) -> Report<'_> {
    const TIMINGS: &[Timing] = &[];
    Report {
        title: "100 % of *B_1*",
        tables,
        provenance: json!({"gradstudy": "0.1.0", "seeds": [0, 1], "data": {"mnist": "sha256:ab|cd"}}),
        timings: TIMINGS,
        figures: &[],
        warnings: &[],
        study: "",
        resolved: "",
    }
}

#[test]
fn all_documents_are_written_and_nothing_else() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let target = directory.path().join("reports/table1");
    let tables = [table(&run("a"), &table1())];
    let timings = [Timing {
        step: "ab12".into(),
        what: "record g".into(),
        seconds: 61.0,
        reused: true,
        peak_memory: Some(1_500_000_000),
    }];
    let report = Report {
        timings: &timings,
        ..report(&tables)
    };
    let written = write_all(&target, &report, &Templates::embedded()).expect("writes");
    let names = |paths: Vec<std::path::PathBuf>| {
        let mut names: Vec<String> = paths
            .iter()
            .filter_map(|path| Some(path.file_name()?.to_str()?.to_string()))
            .collect();
        names.sort();
        names
    };
    let there = std::fs::read_dir(&target)
        .expect("made")
        .map(|entry| entry.expect("readable").path())
        .collect();
    assert_eq!(names(there), names(written));
    let csv = std::fs::read_to_string(target.join("table1.csv")).expect("written");
    insta::assert_snapshot!(csv);
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(target.join("table1.json")).expect("written")).expect("JSON");
    assert_eq!(json["format_version"], 1);
    assert_eq!(json["rows"][0]["cells"][0]["paper"], 0.0355);
    let text = std::fs::read_to_string(target.join("report.md")).expect("written");
    insta::assert_snapshot!(text);
    // The same input gives the same bytes.
    let again = directory.path().join("again");
    write_all(&again, &report, &Templates::embedded()).expect("writes");
    assert_eq!(
        std::fs::read_to_string(again.join("report.md")).expect("written"),
        text
    );
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("taken");
    std::fs::write(&file, "a file").expect("writable");
    let error =
        write_all(&file.join("run"), &report(&[]), &Templates::embedded()).expect_err("a file is in the way");
    assert!(error.to_string().contains("taken"), "{error}");
    let help = miette::Diagnostic::help(&error)
        .expect("has a remedy")
        .to_string();
    assert!(
        help.contains("taken") && help.contains("running again writes only the report"),
        "{help}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named() {
    // Writing to this device always fails with "no space left".
    let full = std::fs::write("/dev/full", "x").expect_err("full");
    let error = ReportError::Write {
        path: "reports/x/report.md".into(),
        source: full,
    };
    assert!(
        error
            .to_string()
            .starts_with("cannot write reports/x/report.md: No space left"),
        "{error}"
    );
    assert!(
        miette::Diagnostic::help(&error)
            .expect("has a remedy")
            .to_string()
            .starts_with("free space")
    );
}

#[test]
fn a_template_of_the_user_takes_the_place_of_ours() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("table.md.jinja"), "{% include 'part.jinja' %}\n").expect("writable");
    std::fs::write(
        path("part.jinja"),
        "{{ table.name }}: {{ table.data[0].cells[0].value.mean }}",
    )
    .expect("writable");
    let templates = Templates::overridden_by(directory.path()).expect("replaces one");
    let table = table(&one_seed(run("a")), &table1());
    assert_eq!(
        templates.table_markdown(&table).expect("renders"),
        "table1: 0.0247"
    );
    // Not replaced, so ours.
    assert!(
        templates
            .table_latex(&table)
            .expect("renders")
            .contains(r"\toprule")
    );
}

#[test]
fn an_error_in_a_template_names_file_and_line() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let broken = directory.path().join("table.md.jinja");
    let table = table(&run("a"), &table1());
    for (text, line, message) in [
        ("fine\n{{ table.nmae }}\n", 2, "undefined"),
        ("fine\nfine\n{% for %}\n", 3, "syntax error"),
        ("{% include 'gone.jinja' %}", 1, "gone.jinja"),
    ] {
        std::fs::write(&broken, text).expect("writable");
        let error = Templates::overridden_by(directory.path())
            .expect("replaces one")
            .table_markdown(&table);
        let ReportError::Template {
            name,
            line: found,
            message: said,
        } = error.expect_err("broken")
        else {
            panic!("another error");
        };
        assert_eq!((Path::new(&name), found), (broken.as_path(), Some(line)));
        assert!(said.contains(message), "{said}");
    }
    let missing = Templates::overridden_by(Path::new("/nowhere")).expect_err("not there");
    assert_eq!(missing.to_string(), "no directory of templates at /nowhere");
}

/// Compiles a document, quietly; the log if that fails.
pub fn compile(engine: &str, directory: &Path, document: &str) -> Result<(), String> {
    let output = Command::new(engine)
        .args(["-interaction=nonstopmode", "-halt-on-error", document])
        .current_dir(directory)
        .output()
        .map_err(|error| error.to_string())?;
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() && !log.contains("Missing character") {
        Ok(())
    } else {
        Err(log)
    }
}

/// Every character that means something to TeX, and some that fonts lack.
pub const AWKWARD: &str =
    "50 % of a_b & #c ~ ^d \\e {f} $g$ [h] *i* <j> |k| \"l\" `m` -- é Ş Ą β ≥ 中 🙂\n\nend";

#[test]
fn latex_compiles_by_itself_and_by_input() {
    for engine in ["pdflatex", "lualatex"] {
        if Command::new(engine).arg("--version").output().is_err() {
            eprintln!("skipped: {engine} is not on PATH");
            return;
        }
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut awkward = run("a");
    for measurement in &mut awkward.measurements {
        measurement.subject.dataset = format!("[{AWKWARD}");
        measurement.levels = vec![(
            AWKWARD.into(),
            format!("* {} {AWKWARD}", measurement.subject.training),
        )];
    }
    let every_column = TableSpec {
        name: "every_%column".into(),
        columns: gradstudy::report::COLUMNS
            .iter()
            .map(|column| column.name.to_string())
            .collect(),
        rows: words(&["dataset", "model", "batch", AWKWARD, "sg_type"]),
        spread: gradstudy::study::Spread::Ci95,
        caption: Some(AWKWARD.into()),
        ..table1()
    };
    let one = one_seed(run("b"));
    let tables = [
        table(&run("a"), &table1()),
        table(
            &one,
            &TableSpec {
                name: "plain".into(),
                mirrors: None,
                ..table1()
            },
        ),
        tabulate(&awkward, &every_column, &words(&[AWKWARD])).expect("tabulates"),
    ];
    let written = write_all(directory.path(), &report(&tables), &Templates::embedded()).expect("writes");
    let mut compiled = 0;
    for path in written
        .iter()
        .filter(|path| path.extension().is_some_and(|it| it == "tex"))
    {
        let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
        let document = match name.ends_with("-standalone.tex") {
            true => name.to_string(),
            false if name == "report.tex" => name.to_string(),
            // The barest document that a table can be put into: no font packages, no encoding.
            false => {
                let wrapper = format!("input-{name}");
                let text = format!(
                    "\\documentclass{{article}}\n\\usepackage{{booktabs,siunitx}}\n\\begin{{document}}\n\
                     \\input{{{name}}}\n\\end{{document}}\n"
                );
                std::fs::write(directory.path().join(&wrapper), text).expect("writable");
                wrapper
            }
        };
        for engine in ["pdflatex", "lualatex"] {
            if let Err(log) = compile(engine, directory.path(), &document) {
                panic!(
                    "{document} does not compile with {engine}:\n{log}\n{}",
                    std::fs::read_to_string(path).unwrap_or_default()
                );
            }
        }
        compiled += 1;
    }
    assert_eq!(compiled, 7);
    if let Ok(kept) = std::env::var("GRADSTUDY_KEEP_PDF") {
        for entry in std::fs::read_dir(directory.path()).expect("there").flatten() {
            std::fs::copy(entry.path(), Path::new(&kept).join(entry.file_name())).expect("copies");
        }
    }
}
