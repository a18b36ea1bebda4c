//! One statistic is one number, to the last digit, wherever a run shows it: in tables, exports and `diff`.
//!
//! To hold another place to it, write a function that returns [`Shown`] and add it where the others are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use gradstudy::report::columns::COLUMNS;
use gradstudy::run::open_results;
use serde_json::Value;

use super::files::Table;
use crate::support::Gradstudy;

/// Between them, its tests give every statistic that there is.
const STUDY: &str = r#"
study "Agreement" { seeds: 0 }
data  fashion = fashion_mnist_5k(subset: 300)
model net     = fcn(depth: 1, width: 4)
train short   = sgd(lr: 0.05) { of: net  on: fashion  epochs: 1  batch: 50 }
record g0 = gradients(of: net, on: fashion, batch: 3, iterations: 40)
record g1 = gradients(of: short, on: fashion, batch: 3, iterations: 40)
spectrum c = covariance(g0, top: 36)
spectrum h = hessian(of: short, on: fashion, samples: 60, top: 8, batch_norm: running)
test tails    = power_law(g0, tail: top(15), bootstrap: 9, distances: all)
test one_tail = power_law(c, tail: top(10))
test bell     = normality(g0, points: 20)
test one_bell = normality(c, points: 12)
test finite   = normality(g0, points: 20, missing: drop)
test laws     = alternatives(g0, tail: top(30), along: [dimension])
test heavy    = hill(g0, k: 10)
test pairs    = correlation(g0, pairs: 100)
test of_c     = spectrum_shape(c, deviations: 0.1, factor: 1)
test of_h     = spectrum_shape(h)
test turn     = davis_kahan(g0, top: 3)
test shared   = subspace_overlap(g0, g1, top: 3)
data  points  = csv("train.csv", label: "class", test: "test.csv")
model line    = fcn(depth: 1, width: 3, batchnorm: false)
train fit     = sgd(lr: 0.1) { of: line  on: points  epochs: 2  batch: 10 }
record g2     = gradients(of: fit, on: points, batch: 3, iterations: 40)
test fitted   = power_law(g2, tail: top(10), along: [iteration])
"#;

/// A folder with `STUDY` and the data that it has of its own.
fn folder() -> Gradstudy {
    let gradstudy = Gradstudy::new(STUDY);
    let rows = |rows: std::ops::Range<u32>| {
        let row = |i: u32| {
            format!(
                "{},{},{}\n",
                f64::from(i * 7 % 11) / 3.0,
                f64::from(i * 5 % 13) - 6.0,
                i % 2
            )
        };
        format!("x,y,class\n{}", rows.map(row).collect::<String>())
    };
    for (file, range) in [("train.csv", 0..40), ("test.csv", 40..60)] {
        fs::write(gradstudy.path().join(file), rows(range)).unwrap();
    }
    gradstudy
}

/// Test, direction, statistic.
type Place = (String, String, String);

/// Numbers by where they stand, to the bit; none where there is no number.
type Shown = BTreeMap<Place, Option<u64>>;

fn bits(value: f64) -> Option<u64> {
    value.is_finite().then_some(value.to_bits())
}

/// JSON, whose numbers are read to the last digit: it is a part of YAML.
fn json(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

fn bits_of(value: &Value) -> Option<u64> {
    value.as_f64().and_then(bits)
}

/// `STUDY` with a table for each test, of all statistics that the test gives in `run`.
fn with_tables(run: &Path) -> String {
    let mut given: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for measurement in open_results(run).unwrap().measurements {
        let gives = |index: &usize| COLUMNS[*index].of(&measurement).is_some();
        given
            .entry(measurement.test.clone())
            .or_default()
            .extend((0..COLUMNS.len()).filter(gives));
    }
    given.iter().fold(STUDY.to_string(), |study, (test, columns)| {
        let columns: Vec<&str> = columns.iter().map(|index| COLUMNS[*index].name).collect();
        let columns = columns.join(", ");
        format!("{study}table of_{test} {{ of: [{test}]  rows: [sg_type]  columns: [{columns}] }}\n")
    })
}

fn tests(run: &Path) -> BTreeSet<String> {
    open_results(run)
        .unwrap()
        .measurements
        .into_iter()
        .map(|it| it.test)
        .collect()
}

/// `table of_TEST`, as JSON and as CSV.
fn in_tables(run: &Path) -> [Shown; 2] {
    let (mut of_json, mut of_csv) = (Shown::new(), Shown::new());
    for test in tests(run) {
        let file = |end: &str| run.join(format!("of_{test}.{end}"));
        let table = json(&fs::read_to_string(file("json")).unwrap());
        for row in table["rows"].as_array().unwrap() {
            let columns = table["columns"].as_array().unwrap().iter();
            for (column, cell) in columns.zip(row["cells"].as_array().unwrap()) {
                let place = [&row["direction"], column].map(|it| it.as_str().unwrap().to_string());
                let [direction, statistic] = place;
                of_json.insert(
                    (test.clone(), direction, statistic),
                    bits_of(&cell["value"]["mean"]),
                );
            }
        }
        let table = Table::open(&file("csv"));
        for column in COLUMNS.iter().filter(|column| table.has(column.name)) {
            for (direction, value) in directions(&table).into_iter().zip(table.numbers(column.name)) {
                of_csv.insert((test.clone(), direction, column.name.to_string()), bits(value));
            }
        }
    }
    [of_json, of_csv]
}

/// Of each row of a table's CSV file.
fn directions(table: &Table) -> Vec<String> {
    table
        .column("sg_type")
        .iter()
        .map(|it| it.to_lowercase())
        .collect()
}

/// `export --what outcomes`.
fn in_export(gradstudy: &Gradstudy, run: &Path, file: &str) -> Shown {
    gradstudy
        .run(&[
            "export",
            run.to_str().unwrap(),
            "--what",
            "outcomes",
            "--to",
            file,
        ])
        .success();
    let table = Table::open(&gradstudy.path().join(file));
    let places = table
        .column("test")
        .into_iter()
        .zip(table.column("direction"))
        .zip(table.column("statistic"));
    let places = places.map(|((test, direction), statistic)| {
        (test.to_string(), direction.to_string(), statistic.to_string())
    });
    places.zip(table.numbers("value").into_iter().map(bits)).collect()
}

/// The ends of intervals of rates: in tables' CSV files, and in an export.
fn intervals(gradstudy: &Gradstudy, run: &Path) -> [Shown; 2] {
    let mut in_csv = Shown::new();
    for test in tests(run) {
        let table = Table::open(&run.join(format!("of_{test}.csv")));
        for column in COLUMNS
            .iter()
            .filter(|it| it.counts.is_some() && table.has(it.name))
        {
            for (row, direction) in directions(&table).into_iter().enumerate() {
                for end in ["low", "high"] {
                    let name = format!("{}_{end}", column.name);
                    let value = table.numbers(&name)[row];
                    in_csv.insert((test.clone(), direction.clone(), name), bits(value));
                }
            }
        }
    }
    let exported = Table::open(&gradstudy.path().join("outcomes.parquet"));
    let mut in_export = Shown::new();
    for row in 0..exported.rows.len() {
        let [test, direction, statistic] =
            ["test", "direction", "statistic"].map(|name| exported.column(name)[row].to_string());
        for end in ["low", "high"] {
            let place = (test.clone(), direction.clone(), format!("{statistic}_{end}"));
            let value = exported.numbers(end)[row];
            if in_csv.contains_key(&place) || value.is_finite() {
                in_export.insert(place, bits(value));
            }
        }
    }
    [in_csv, in_export]
}

/// `diff --format json`, the left and the right run.
fn in_diff(gradstudy: &Gradstudy, runs: [&Path; 2]) -> ([Shown; 2], Value) {
    let [left, right] = runs.map(|run| run.to_str().unwrap());
    let said = gradstudy.run(&["diff", left, right, "--format", "json"]);
    assert!(matches!(said.code, Some(0 | 1)), "{}", said.stderr);
    let diff = json(&said.stdout);
    let mut sides = [Shown::new(), Shown::new()];
    for pair in diff["pairs"].as_array().unwrap() {
        let identity = [&pair["identity"]["test"], &pair["identity"]["direction"]];
        let [test, direction] = identity.map(|it| it.as_str().unwrap().to_string());
        for statistic in pair["statistics"].as_array().unwrap() {
            let place = (
                test.clone(),
                direction.clone(),
                statistic["name"].as_str().unwrap().to_string(),
            );
            let change = &statistic["change"];
            for (side, key) in sides.iter_mut().zip(["left", "right"]) {
                let value = if change["kind"] == "same" {
                    &change["value"]
                } else {
                    &change[key]
                };
                side.insert(place.clone(), bits_of(value));
            }
        }
    }
    (sides, diff)
}

/// Runs `test.study` with `changes` and returns its folder.
fn ran(gradstudy: &Gradstudy, changes: &[&str]) -> PathBuf {
    let before = gradstudy.runs();
    // Runs are told apart by the second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    gradstudy
        .run(&[&["run", "test.study"], changes].concat())
        .success();
    gradstudy
        .runs()
        .into_iter()
        .find(|run| !before.contains(run))
        .unwrap()
}

#[track_caller]
fn assert_agree(name: &str, shown: &Shown, other: &str, expected: &Shown) {
    for (place, value) in expected {
        let found = shown
            .get(place)
            .unwrap_or_else(|| panic!("{name} does not show {place:?}"));
        let [found, value] = [found, value].map(|it| it.map(f64::from_bits));
        assert_eq!(found, value, "{place:?} in {name}, and in {other}");
    }
    assert_eq!(shown.len(), expected.len(), "{name} shows more than {other}");
}

#[test]
fn a_statistic_is_one_number_in_tables_exports_and_diff() {
    let gradstudy = folder();
    let first = ran(&gradstudy, &[]);
    fs::write(gradstudy.path().join("test.study"), with_tables(&first)).unwrap();
    let runs = [ran(&gradstudy, &[]), ran(&gradstudy, &["--set", "g0.batch=5"])];
    let (in_diff, _) = in_diff(&gradstudy, [&runs[0], &runs[1]]);
    for (run, in_diff) in runs.iter().zip(&in_diff) {
        let exported = in_export(&gradstudy, run, "outcomes.parquet");
        let [in_json, in_csv] = in_tables(run);
        for (name, shown) in [
            ("a table's JSON", &in_json),
            ("a table's CSV", &in_csv),
            ("an exported CSV", &in_export(&gradstudy, run, "outcomes.csv")),
            ("diff", in_diff),
        ] {
            assert_agree(name, shown, "an exported Parquet file", &exported);
        }
        let [in_csv, in_export] = intervals(&gradstudy, run);
        assert_agree("a table's CSV", &in_csv, "an exported Parquet file", &in_export);
        for column in COLUMNS {
            let mut of_column = exported
                .iter()
                .filter(|((_, _, statistic), _)| statistic == column.name);
            assert!(
                of_column.any(|(_, value)| value.is_some()),
                "no test of this study gives a number for `{}`: add one that does",
                column.name
            );
        }
    }
    // The two sides are no copies of each other: what is not a setting or a count moved.
    let moved = in_diff[0]
        .iter()
        .filter(|(place, value)| in_diff[1][*place] != **value)
        .count();
    assert!(moved > 60, "{moved} of {} moved", in_diff[0].len());
}

#[test]
fn means_over_seeds_are_one_number_in_tables_and_diff() {
    let gradstudy = folder();
    let first = ran(&gradstudy, &[]);
    let few = |study: String| {
        let slow = ["laws", "turn", "shared", "of_h", "heavy"];
        let lines = study
            .lines()
            .filter(|line| !slow.iter().any(|it| line.contains(it)));
        lines.collect::<Vec<_>>().join("\n")
    };
    fs::write(gradstudy.path().join("test.study"), few(with_tables(&first))).unwrap();
    let runs = ["0..2", "3..5"].map(|seeds| ran(&gradstudy, &["--set", &format!("study.seeds={seeds}")]));
    let (in_diff, diff) = in_diff(&gradstudy, [&runs[0], &runs[1]]);
    assert_eq!(diff["alignment"]["by"], "mean");
    let in_tables = [in_tables(&runs[0]), in_tables(&runs[1])];
    for ([in_json, in_csv], in_diff) in in_tables.iter().zip(&in_diff) {
        assert_agree("a table's JSON", in_json, "diff", in_diff);
        assert_agree("a table's CSV", in_csv, "diff", in_diff);
    }
    // What is tested are the same means.
    let mut tested = 0;
    for comparison in diff["comparisons"].as_array().unwrap() {
        let text = |value: &Value| value.as_str().unwrap().to_string();
        let condition = &comparison["condition"];
        let place = (
            text(&condition["test"]),
            text(&condition["direction"]),
            text(&comparison["statistic"]),
        );
        if comparison["method"] == "welch_t" {
            tested += 1;
            for ([in_json, _], side) in in_tables.iter().zip(["left", "right"]) {
                let [found, mean] =
                    [bits_of(&comparison[side]), in_json[&place]].map(|it| it.map(f64::from_bits));
                assert_eq!(found, mean, "{place:?}, {side}");
            }
        }
    }
    assert!(tested > 10, "{tested}");
}
