//! `gradstudy test FILE`, by the real binary, on files of every kind.
//! Whole: what its folders share, and what holds for files of every kind.

mod independent;
mod pytorch;
mod reading;
mod tables;
mod values;

use std::fs::{self, File};
use std::io::Write;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int32Array, RecordBatch, StringArray};
use gradstudy::arrays::{self, Along};
use npyz::WriterBuilder;
use serde_json::Value;

use crate::support::{Gradstudy, Said};

const ROWS: usize = 400;
const COLUMNS: usize = 7;

/// Heavy-tailed numbers that every format holds exactly.
fn value(row: usize, column: usize) -> f64 {
    let u = ((row * COLUMNS + column) as f64 * 0.618_033_988_749_895 + 0.1).fract();
    let sign = if (row + column).is_multiple_of(3) {
        -1.0
    } else {
        1.0
    };
    f64::from((sign * (1.0 - u).powf(-0.7) * (1 + column) as f64) as f32)
}

fn rows() -> Vec<f64> {
    (0..ROWS * COLUMNS)
        .map(|i| value(i / COLUMNS, i % COLUMNS))
        .collect()
}

fn write_npy<T: npyz::AutoSerialize + Copy>(
    file: impl Write,
    order: npyz::Order,
    shape: &[u64],
    values: &[T],
) {
    let options = npyz::WriteOptions::new()
        .default_dtype()
        .order(order)
        .shape(shape);
    let mut writer = options.writer(file).begin_nd().unwrap();
    writer.extend(values.iter().copied()).unwrap();
    writer.finish().unwrap();
}

fn batch() -> RecordBatch {
    let column = |column: usize| -> ArrayRef {
        Arc::new(Float64Array::from(
            (0..ROWS).map(|row| value(row, column)).collect::<Vec<_>>(),
        ))
    };
    let names: Arc<StringArray> = Arc::new((0..ROWS).map(|row| Some(format!("row {row}"))).collect());
    let mut columns: Vec<(String, ArrayRef)> = vec![("label".into(), names)];
    columns.extend((0..COLUMNS).map(|i| (format!("c{i}"), column(i))));
    RecordBatch::try_from_iter(columns).unwrap()
}

/// The same matrix in every format.
fn folder() -> Gradstudy {
    let gradstudy = Gradstudy::new("");
    let at = |name: &str| File::create(gradstudy.path().join(name)).unwrap();
    let (rows, shape) = (rows(), [ROWS as u64, COLUMNS as u64]);
    let narrow: Vec<f32> = rows.iter().map(|&x| x as f32).collect();
    write_npy(at("rows.npy"), npyz::Order::C, &shape, &rows);
    write_npy(at("narrow.npy"), npyz::Order::C, &shape, &narrow);
    let turned: Vec<f64> = (0..ROWS * COLUMNS).map(|i| value(i % ROWS, i / ROWS)).collect();
    write_npy(at("columns.npy"), npyz::Order::Fortran, &shape, &turned);
    let mut archive = zip::ZipWriter::new(at("both.npz"));
    for (name, method) in [
        ("first", zip::CompressionMethod::Stored),
        ("second", zip::CompressionMethod::Deflated),
    ] {
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        archive.start_file(format!("{name}.npy"), options).unwrap();
        write_npy(&mut archive, npyz::Order::C, &shape, &rows);
    }
    archive.finish().unwrap();
    let bytes: Vec<u8> = narrow.iter().flat_map(|x| x.to_le_bytes()).collect();
    let tensor =
        safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![ROWS, COLUMNS], &bytes).unwrap();
    safetensors::serialize_to_file([("g", tensor)], None, &gradstudy.path().join("g.safetensors")).unwrap();
    let mut table = String::from("c0,c1,c2,c3,c4,c5,c6\n");
    for row in rows.chunks(COLUMNS) {
        table += &row.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
        table.push('\n');
    }
    at("table.csv").write_all(table.as_bytes()).unwrap();
    let batch = batch();
    let mut writer = arrow_ipc::writer::FileWriter::try_new(at("table.arrow"), &batch.schema()).unwrap();
    // Several batches, of uneven lengths.
    writer.write(&batch.slice(0, 150)).unwrap();
    writer.write(&batch.slice(150, ROWS - 150)).unwrap();
    writer.finish().unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(at("table.parquet"), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    gradstudy
}

const TESTS: [&str; 4] = [
    "--test",
    "power_law(tail: top(100), bootstrap: 99)",
    "--test",
    "shapiro_wilk(points: 50)",
];

fn json(said: &Said) -> Value {
    serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {}", said.stdout))
}

fn run(gradstudy: &Gradstudy, arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = [&["test"], arguments, &["--json"], &TESTS].concat();
    json(&gradstudy.run(&arguments).success())
}

#[test]
fn every_format_gives_the_same_statistics() {
    let gradstudy = folder();
    let expected = run(&gradstudy, &["rows.npy"])["arrays"][0]["tests"].clone();
    assert_eq!(expected[0]["statistics"]["tested"], 7.0);
    assert_eq!(expected[0]["statistics"]["n_tail"], 100.0);
    for file in [
        "narrow.npy",
        "columns.npy",
        "g.safetensors",
        "table.csv",
        "table.arrow",
        "table.parquet",
    ] {
        let found = run(&gradstudy, &[file]);
        assert_eq!(found["arrays"][0]["tests"], expected, "{file}");
        assert_eq!(
            (&found["arrays"][0]["rows"], &found["arrays"][0]["columns"]),
            (&400.into(), &7.into())
        );
    }
    let found = run(&gradstudy, &["both.npz"]);
    assert_eq!(found["arrays"].as_array().unwrap().len(), 2);
    let found = run(&gradstudy, &["both.npz", "--array", "second"]);
    assert_eq!(found["arrays"][0]["tests"], expected);
    assert_eq!(found["arrays"][0]["array"], "second");
}

/// Samples in blocks of one are samples in one block, on any number of threads.
#[test]
fn a_value_that_is_not_finite_is_seen_whether_drawn_or_not() {
    let gradstudy = Gradstudy::new("");
    let mut rows = rows();
    rows[3 * COLUMNS + 2] = f64::NAN;
    rows[5 * COLUMNS + 4] = f64::INFINITY;
    let file = File::create(gradstudy.path().join("holes.npy")).unwrap();
    write_npy(file, npyz::Order::C, &[ROWS as u64, COLUMNS as u64], &rows);
    for test in [
        "normality(points: 20)",
        "shapiro_wilk(points: 20)",
        "power_law(tail: top(50))",
        "hill(k: 50)",
    ] {
        let said = json(
            &gradstudy
                .run(&["test", "holes.npy", "--json", "--test", test])
                .success(),
        );
        let found = &said["arrays"][0]["tests"][0]["statistics"]["not_finite"];
        assert_eq!(found.as_f64(), Some(2.0), "{test}: {said}");
    }
}

#[test]
fn results_do_not_depend_on_memory_and_threads() {
    let gradstudy = folder();
    for along in ["columns", "rows", "all"] {
        // Rows have seven values.
        let tests: &[&str] = match along {
            "rows" => &["--test", "power_law(tail: minimum)", "--test", "hill(k: 3)"],
            _ => &TESTS,
        };
        let run = |more: &[&str]| {
            let start = ["test", "rows.npy", "--json", "--along", along];
            json(&gradstudy.run(&[&start[..], tests, more].concat()).success())
        };
        let expected = run(&[]);
        let least = match along {
            "columns" => "13kB",
            "rows" => "300B",
            _ => "90kB",
        };
        assert_eq!(run(&["--memory", least, "--threads", "1"]), expected, "{along}");
        assert_eq!(run(&["--threads", "3"]), expected, "{along}");
        let samples = [("columns", 7), ("rows", 400), ("all", 1)];
        let count = samples.iter().find(|(word, _)| *word == along).unwrap().1;
        assert_eq!(expected["arrays"][0]["samples"], count);
        assert_eq!(
            expected["arrays"][0]["tests"][0]["statistics"]["tested"],
            f64::from(count)
        );
    }
}

#[test]
fn the_numbers_are_the_library_s() {
    use gradstudy::stats::power_law::{PowerLawSettings, PowerLawTest};
    use gradstudy::stats::tail::TailRule;
    let gradstudy = folder();
    let each = gradstudy.path().join("each.csv");
    run(&gradstudy, &["table.csv", "--each", "each.csv"]);
    let settings = PowerLawSettings {
        tail: TailRule::Top(100),
        ..PowerLawSettings::default()
    };
    let mut seen = 0;
    for record in csv::Reader::from_path(&each).unwrap().records() {
        let record = record.unwrap();
        let [array, sample, test, statistic, value_text] = [0, 1, 2, 3, 4].map(|i| record[i].to_string());
        assert_eq!(array, "table.csv");
        if test == "power_law" && ["d_ks", "beta"].contains(&&statistic[..]) {
            let column: usize = sample[1..].parse().unwrap();
            let values: Vec<f64> = (0..ROWS).map(|row| value(row, column)).collect();
            let found = PowerLawTest::of(&values, &settings).unwrap();
            let expected = if statistic == "d_ks" {
                found.ks_distance
            } else {
                found.fit.exponent
            };
            assert_eq!(
                value_text.parse::<f64>().unwrap(),
                expected,
                "{sample} {statistic}"
            );
            seen += 1;
        }
    }
    assert_eq!(seen, 14);
    let one = run(&gradstudy, &["table.csv", "--sample", "c3"]);
    assert_eq!(one["arrays"][0]["samples"], 1);
    assert_eq!(one, run(&gradstudy, &["table.csv", "--sample", "3"]));
}

#[test]
fn samples_are_named_in_the_words_of_studies_too() {
    let gradstudy = folder();
    let samples = |words: &[&str]| {
        let start = ["test", "rows.npy", "--json", "--test", "hill(k: 3)"];
        json(&gradstudy.run(&[&start[..], words].concat()).success())
    };
    let (rows, columns) = (samples(&["--along", "rows"]), samples(&["--along", "columns"]));
    assert_eq!(samples(&["--along", "dimension"]), rows);
    assert_eq!(samples(&["--along", "iteration"]), columns);
    assert_eq!(
        samples(&["--along", "dimension", "--iterations", "columns"]),
        columns
    );
    assert_eq!(
        samples(&["--along", "iteration", "--iterations", "columns"]),
        rows
    );
    let alone = gradstudy.run(&["test", "rows.npy", "--iterations", "columns"]);
    assert!(
        alone.code == Some(2) && alone.stderr.contains("--along"),
        "{}",
        alone.stderr
    );
}

#[test]
fn text_sensitivity_and_stability() {
    let gradstudy = folder();
    let said = gradstudy
        .run(&[
            "test",
            "rows.npy",
            "--along",
            "all",
            "--sensitivity",
            "--stability",
            "hill.csv",
            "--test",
            "power_law",
        ])
        .success();
    for part in [
        "rows.npy: 400 × 7, 1 sample of 2800 values",
        "power_law(tail: top(k: 1000), ecdf: left",
        "d_ks",
        "power_law_rate",
        "95 %",
        "Power law: maximum-likelihood fit to the 1000 largest absolute values",
        "scan(at_least: 10)",
        "quantile(90%)",
    ] {
        assert!(said.stdout.contains(part), "{part}: {}", said.stdout);
    }
    let hill = fs::read_to_string(gradstudy.path().join("hill.csv")).unwrap();
    assert!(
        hill.starts_with("k,x_min,beta,beta_se,d_ks,d_c_fixed,d_c_fitted,hill,moments,pickands\n10,"),
        "{hill}"
    );
    assert!(hill.lines().last().unwrap().starts_with("2800,"), "{hill}");
    assert!(hill.lines().count() > 100);
}

#[test]
fn simulated_power() {
    let gradstudy = Gradstudy::new("");
    let arguments = [
        "test",
        "--power",
        "normal",
        "--size",
        "200",
        "--samples",
        "400",
        "--json",
        "--test",
        "normality",
    ];
    let found = json(&gradstudy.run(&arguments).success());
    let power = &found["tests"][0]["power"];
    let interval =
        [&power["rate_interval"]["low"], &power["rate_interval"]["high"]].map(|x| x.as_f64().unwrap());
    assert!(interval[0] < 0.06 && interval[1] > 0.045, "{found}");
    let said = gradstudy.run(&[
        "test",
        "--power",
        "student(2)",
        "--size",
        "200",
        "--samples",
        "50",
        "--test",
        "jarque_bera",
    ]);
    assert!(said.success().stdout.contains("student(dof: 2)"));
}

#[test]
fn mistakes_are_told_with_a_remedy() {
    let gradstudy = folder();
    fs::write(gradstudy.path().join("bad.csv"), "a,b\n1,2\n3,x\n").unwrap();
    fs::write(gradstudy.path().join("uneven.csv"), "1,2\n3\n").unwrap();
    fs::write(gradstudy.path().join("empty.csv"), "").unwrap();
    fs::write(gradstudy.path().join("words.doc"), "1 2 3").unwrap();
    fs::write(gradstudy.path().join("not.npy"), "no array at all").unwrap();
    fs::write(gradstudy.path().join("not.parquet"), "no table at all").unwrap();
    fs::write(gradstudy.path().join("not.arrow"), "no table at all").unwrap();
    fs::write(gradstudy.path().join("not.safetensors"), "no tensors at all").unwrap();
    let whole = fs::read(gradstudy.path().join("rows.npy")).unwrap();
    fs::write(gradstudy.path().join("cut.npy"), &whole[..whole.len() - 9]).unwrap();
    let words: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
    let batch = RecordBatch::try_from_iter([("w", words)]).unwrap();
    let file = File::create(gradstudy.path().join("words.arrow")).unwrap();
    let mut writer = arrow_ipc::writer::FileWriter::try_new(file, &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["no.npy"], "arrays::file"),
        (&["words.doc"], "arrays::kind"),
        (&["not.npy"], "arrays::malformed"),
        (&["cut.npy"], "truncated"),
        (&["not.parquet"], "arrays::malformed"),
        (&["not.arrow"], "arrays::malformed"),
        (&["not.safetensors"], "arrays::malformed"),
        (&["words.arrow"], "arrays::element"),
        (
            &["bad.csv", "--sample", "b"],
            "`b` holds `x` in line 3, which is no number",
        ),
        (
            &["rows.npy", "--header", "true"],
            "`header` says how tables in text are read",
        ),
        (&["uneven.csv"], "line 2: 1 fields"),
        (&["empty.csv"], "holds no row"),
        (&["both.npz", "--array", "third"], "it has first, second"),
        (&["rows.npy", "--array", "third"], "it has rows.npy"),
        (&["rows.npy", "--sample", "7"], "test::sample"),
        (&["rows.npy", "--memory", "1kB"], "test::memory"),
        (&["rows.npy", "--sensitivity"], "test::one_sample"),
        (
            &["rows.npy", "--test", "power_law"],
            "--test \"power_law(tail: top(200))\"",
        ),
        (
            &["rows.npy", "--test", "shapiro_wilk(points: 500)"],
            "--test \"shapiro_wilk(points: 200)\"",
        ),
        (&["rows.npy", "--test", "correlation"], "test::together"),
        (&["rows.npy", "--test", "power_lav"], "did you mean `power_law`?"),
        (
            &["rows.npy", "--test", "power_law(tale: top(5))"],
            "did you mean `tail`?",
        ),
        (&["rows.npy", "--test", "power_law(of: g)"], "no setting `of`"),
        (&["rows.npy", "--test", "power_law("], "is no test"),
        (&["rows.npy", "--test", "power_law(alpha: 7)"], "E0308"),
        (&["--power", "norm"], "did you mean `normal`?"),
        (&["--power", "student"], "needs `dof`"),
        (
            &["--power", "normal", "--test", "hill(k: 10)", "--size", "20"],
            "test::verdict",
        ),
    ];
    for (arguments, part) in cases {
        let said = gradstudy.run(&[&["test"], *arguments].concat());
        assert_eq!(
            said.code,
            Some(2),
            "{arguments:?}: {} {}",
            said.stdout,
            said.stderr
        );
        assert_eq!(said.stdout, "", "{arguments:?}");
        let flat = said
            .stderr
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .replace("│ ", "");
        assert!(flat.contains(part), "{arguments:?}: {}", said.stderr);
        // A value out of range says its range where it stands.
        let remedy = ["help", "must be"].iter().any(|word| said.stderr.contains(word));
        assert!(remedy, "{arguments:?}: {}", said.stderr);
    }
}
