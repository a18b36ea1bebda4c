//! Tables that pandas, pyarrow, polars, R and spreadsheets write: the files of `tests/cases/files`, and random ones made by
//! `tests/reference/tables/write_tables.py`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::*;
use crate::support;

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases/files")
        .join(name)
}

/// Row by row, whatever the order in the file.
fn values(matrix: &arrays::Matrix) -> Vec<f64> {
    let mut values = Vec::new();
    matrix.read(Along::Rows, 0..matrix.rows, &mut values).unwrap();
    values
}

/// The numbers of a file equal those of an `.npy` file, which NumPy wrote, and `remarks` are what is said of it.
#[track_caller]
fn equals(file: &str, reference: &str, remarks: &[&str]) {
    let found = arrays::open(&case(file), None).unwrap_or_else(|error| panic!("{file}: {error}"));
    let expected = arrays::open(&case(reference), None).unwrap();
    assert_eq!(found.len(), 1, "{file}");
    assert_eq!(
        (found[0].rows, found[0].columns),
        (expected[0].rows, expected[0].columns),
        "{file}"
    );
    // Some were written with ten digits.
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * b.abs() || a.is_nan() && b.is_nan();
    assert!(
        values(&found[0]).iter().zip(&values(&expected[0])).all(near),
        "{file}"
    );
    assert_eq!(found[0].remarks(), remarks, "{file}");
}

#[test]
fn files_as_people_have_them() {
    let header = "the first row (0 … 11) holds the names of the columns";
    equals("c15_noindex.csv", "c15_grads.npy", &[header]);
    equals(
        "c15_withindex.csv",
        "c15_grads.npy",
        &[header, "the first column is an index (0…199): left out"],
    );
    equals(
        "c20_filtered.parquet",
        "c20_filtered.npy",
        &["the column `__index_level_0__` is an index: left out"],
    );
    for file in [
        "c20_default.feather",
        "c20_comp_zstd.parquet",
        "c20_comp_none.parquet",
    ] {
        equals(file, "c17_c.npy", &[]);
    }
    equals("c13_utf16.csv", "c13_clean.npy", &[]);
    equals("c14_semicolon.csv", "c13_clean.npy", &[]);
    let both = arrays::open(&case("c20_f2.parquet"), None).unwrap();
    assert_eq!(both[0].columns, 2);
    assert!(both[0].left_out.is_empty());
}

/// Bytes of an Arrow file were flipped: its library panics.
#[test]
fn damaged_arrow_files_are_errors() {
    let gradstudy = Gradstudy::new("");
    for file in ["arrow-8.arrow", "arrow-36.arrow", "arrow-102.arrow"] {
        let said = gradstudy.run(&["test", case(file).to_str().unwrap()]);
        assert_eq!(said.code, Some(2), "{file}: {}", said.stderr);
        assert!(
            said.stderr.contains("is damaged") && !said.stderr.contains("panicked"),
            "{file}: {}",
            said.stderr
        );
    }
}

#[test]
fn words_beside_numbers_do_not_keep_them_from_being_tested() {
    let gradstudy = Gradstudy::new("");
    let file = case("c10_iris.csv");
    let file = file.to_str().unwrap();
    let arguments = [
        "test",
        file,
        "--json",
        "--sample",
        "sw",
        "--test",
        "anderson_darling(points: 150)",
    ];
    let found = json(&gradstudy.run(&arguments).success());
    let statistics = &found["arrays"][0]["tests"][0]["statistics"];
    let near = |name: &str, expected: f64| {
        let found = statistics[name].as_f64().unwrap();
        assert!((found - expected).abs() < 5e-5, "{name}: {found}");
    };
    // scipy.stats.anderson and Stephens's approximation of its p-value.
    near("statistic", 0.9080);
    near("p_value", 0.0202);
    assert_eq!(
        found["arrays"][0]["notes"][0],
        "`kind` holds words, such as `setosa`: left out"
    );
    let said = gradstudy.run(&["test", file, "--sample", "kind"]);
    assert!(
        said.stderr.contains("`kind` holds words, such as `setosa`"),
        "{}",
        said.stderr
    );
}

#[test]
fn arrays_that_are_too_small_are_named_and_left_out() {
    let gradstudy = Gradstudy::new("");
    let file = case("c18_layers.npz");
    let file = file.to_str().unwrap();
    let said = gradstudy
        .run(&["test", file, "--test", "normality(points: 100)", "--along", "all"])
        .success();
    assert!(said.stdout.contains("note: `"), "{}", said.stdout);
    assert!(said.stdout.contains("gaussian_rate"), "{}", said.stdout);
    // What is suggested can be done.
    fs::write(gradstudy.path().join("few.csv"), "a,b\n0.5,1.5\n2.5,3.5\n").unwrap();
    let said = gradstudy.run(&["test", "few.csv", "--test", "normality"]);
    assert!(!said.stderr.contains("points: 1)"), "{}", said.stderr);
    assert!(
        said.stderr.contains("choose a larger array or sample"),
        "{}",
        said.stderr
    );
}

#[test]
fn data_without_a_header_keep_their_first_example() {
    let gradstudy = Gradstudy::new("");
    fs::copy(case("c31_iris.data"), gradstudy.path().join("iris.data")).unwrap();
    fs::copy(case("c10_iris.csv"), gradstudy.path().join("iris.csv")).unwrap();
    let frame: String = fs::read_to_string(case("c31_iris.data"))
        .unwrap()
        .lines()
        .enumerate()
        .map(|(i, line)| format!("{i},{line}\n"))
        .collect();
    fs::write(gradstudy.path().join("frame.csv"), format!(",0,1,2,3,4\n{frame}")).unwrap();
    for (call, warning) in [
        ("csv(file: \"iris.data\", label: \"last\")", None),
        ("csv(file: \"iris.csv\", label: \"kind\")", None),
        (
            "csv(file: \"frame.csv\", label: \"4\")",
            Some("the first column is an index (0…149): left out"),
        ),
    ] {
        let study = format!(
            "data iris = {call} {{ assert examples == 150 assert classes == 3 }}\n\
             model m = fcn(depth: 1, width: 6, logits: 3) {{ assert parameters == 63 }}\n\
             record g = gradients(of: m, on: iris, batch: 10, iterations: 60)\n\
             test t = normality(g, points: 50)\n\
             table a {{ of: t rows: [sg_type] columns: [gaussian_rate] }}\n"
        );
        fs::write(gradstudy.path().join("iris.study"), study).unwrap();
        let said = gradstudy.run(&["check", "iris.study"]).success();
        let text = format!("{}{}", said.stdout, said.stderr).replace('│', "");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match warning {
            Some(warning) => assert!(text.contains("W0107") && text.contains(warning), "{call}: {text}"),
            None => assert!(!text.contains("W0107"), "{call}: {text}"),
        }
    }
}

#[test]
fn a_slip_in_a_column_of_gradients_is_an_error_with_its_place() {
    let gradstudy = Gradstudy::new("record g = file(\"g.csv\")\ntest t = normality(g, points: 8)\n");
    let mut lines: Vec<String> = (0..20).map(|i| format!("{}.5,{}.25", i, i * i)).collect();
    lines.insert(0, "a,b".to_string());
    lines[7] = "oops,1.25".to_string();
    fs::write(gradstudy.path().join("g.csv"), lines.join("\n")).unwrap();
    let said = gradstudy.run(&["check", "test.study"]);
    assert!(said.stderr.contains("line 8"), "{}", said.stderr);
    assert!(said.stderr.contains("`oops`"), "{}", said.stderr);
    // Of the array alone the other column is tested, and the slip is named.
    let said = gradstudy
        .run(&["test", "g.csv", "--test", "normality(points: 20)"])
        .success();
    assert!(
        said.stdout
            .contains("`a` holds `oops` in line 8, which is no number: left out"),
        "{}",
        said.stdout
    );
}

/// 1 + k·2⁻⁵² is 1 in float32, in which histories are held: that is said, in a log as at a terminal.
#[test]
fn what_float32_does_not_hold_is_said_by_a_run() {
    let gradstudy = Gradstudy::new("record g = file(\"near.npy\")\ntest t = normality(g, points: 8)\n");
    let near: Vec<f64> = (0..200).map(|k| 1.0 + f64::from(k) * f64::EPSILON).collect();
    let file = File::create(gradstudy.path().join("near.npy")).unwrap();
    write_npy(file, npyz::Order::C, &[20, 10], &near);
    let said = gradstudy.run(&["run", "test.study"]).success();
    assert!(
        said.stderr
            .contains("warning: near.npy: in float32 20 iterations have equal values"),
        "{}",
        said.stderr
    );
}

#[derive(Deserialize)]
struct Written {
    file: String,
    rows: usize,
    columns: Vec<Numbers>,
    lists: Vec<Lists>,
    left_out: Vec<String>,
}

#[derive(Deserialize)]
struct Numbers {
    name: String,
    values: Vec<Option<String>>,
}

#[derive(Deserialize)]
struct Lists {
    name: String,
    length: usize,
    values: Vec<Option<String>>,
}

/// `float.hex` of Python, such as `-0x1.8p+1`; `None` is NaN.
fn number(text: &Option<String>) -> f64 {
    let Some(text) = text else { return f64::NAN };
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.as_str()),
    };
    let (mantissa, exponent) = rest.strip_prefix("0x").unwrap().split_once('p').unwrap();
    let digits = mantissa.replace('.', "");
    let places = mantissa
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.len() as i32);
    let whole = u64::from_str_radix(&digits, 16).unwrap() as f64;
    sign * whole * 2f64.powi(exponent.parse::<i32>().unwrap() - 4 * places)
}

fn same(found: &[f64], expected: impl Iterator<Item = f64>, what: &str) {
    let expected: Vec<f64> = expected.collect();
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!(
            found == expected || found.is_nan() && expected.is_nan(),
            "{what}, {i}: {found} for {expected}"
        );
    }
}

/// Random tables in every format and compression are read back equal, or named as left out.
#[test]
fn random_tables_of_pandas_pyarrow_and_polars() {
    let Some(python) = support::python(&["pandas", "pyarrow", "polars"]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/tables/write_tables.py");
    let made = Command::new(python)
        .arg(script)
        .arg(folder.path())
        .args(["7", "40"])
        .status();
    assert!(made.unwrap().success());
    let expected = fs::read_to_string(folder.path().join("expected.json")).unwrap();
    let written: Vec<Written> = serde_json::from_str(&expected).unwrap();
    assert!(written.len() > 300);
    for table in &written {
        let file = &table.file;
        let arrays =
            arrays::open(&folder.path().join(file), None).unwrap_or_else(|error| panic!("{file}: {error:?}"));
        let mut found = arrays.iter();
        if !table.columns.is_empty() {
            let matrix = found.next().unwrap();
            let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
            assert_eq!(matrix.column_names, names, "{file}");
            assert_eq!(matrix.rows, table.rows, "{file}");
            for (i, column) in table.columns.iter().enumerate() {
                let mut values = Vec::new();
                matrix.read(Along::Columns, i..i + 1, &mut values).unwrap();
                same(
                    &values,
                    column.values.iter().map(number),
                    &format!("{file}: {}", column.name),
                );
            }
        }
        for list in &table.lists {
            let matrix = found.next().unwrap();
            assert_eq!(
                (matrix.name.as_str(), matrix.columns),
                (list.name.as_str(), list.length),
                "{file}"
            );
            same(
                &values(matrix),
                list.values.iter().map(number),
                &format!("{file}: {}", list.name),
            );
        }
        assert!(found.next().is_none(), "{file}");
        for name in &table.left_out {
            let left = arrays[0].left_out.iter().any(|left| left.name == *name);
            assert!(left, "{file}: `{name}` is not named: {:?}", arrays[0].left_out);
        }
        assert_eq!(
            arrays[0].left_out.len(),
            table.left_out.len(),
            "{file}: {:?}",
            arrays[0].left_out
        );
    }
}

/// Statistics of one sample of a case, by the real binary.
fn statistics(file: &str, test: &str) -> (Value, Value) {
    let gradstudy = Gradstudy::new("");
    let path = case(file);
    let said = gradstudy.run(&[
        "test",
        path.to_str().unwrap(),
        "--along",
        "all",
        "--json",
        "--test",
        test,
    ]);
    let found = json(&said.success())["arrays"][0]["tests"][0].clone();
    (found["statistics"].clone(), found["remarks"].clone())
}

/// 1 + k·2⁻⁵² (SciPy 1.17 gives these p-values), and counts with many ties.
#[test]
fn moments_of_near_values_and_tails_of_equal_ones() {
    let near = |value: &Value, expected: f64| (value.as_f64().unwrap() - expected).abs() < 5e-5;
    for (test, p) in [
        ("normality(points: 20)", 0.5204),
        ("shapiro_wilk(points: 20)", 0.5946),
    ] {
        let (found, remarks) = statistics("c07_near.npy", test);
        assert!(near(&found["p_value"], p), "{test}: {found}");
        assert!(remarks[0].as_str().unwrap().contains("Few digits"), "{remarks}");
    }
    let (found, _) = statistics("counts_ties.npy", "discrete_power_law(tail: top(500))");
    assert_eq!(found["n_tail"], 782.0);
    assert!(
        near(&found["d_c"], 0.0486) && near(&found["d_ks"], 0.0560),
        "{found}"
    );
    assert_eq!(found["power_law_rate"], 0.0);
}
