//! `record g = file(…)`: numbers of a file are tested as a recording is.

use std::fs;
use std::path::Path;

use gradstudy::run::{Run, open_results, open_spectra};
use gradstudy::stats::outcome::{Direction, Outcome};
use serde_json::Value;

use crate::support::Gradstudy;

const DATA: &str = r#"
data  fashion = fashion_mnist_5k(subset: 600)
model fcn     = fcn(logits: 10, width: 8)
record g = gradients(of: fcn, on: fashion, batch: 4, iterations: 50)
"#;

fn study(record: &str) -> String {
    format!(
        r#"study "Own" {{ seeds: 3 }}
{record}
spectrum c = covariance(g, top: 20)
spectrum m = second_moment(g, top: 20)
spectrum row = magnitudes(g, along: iteration, index: 5, top: 30)
test tails = power_law(g, tail: top(20))
test bell  = normality(g, points: 20)
test ks    = power_law(c, tail: top(20))
test turn  = davis_kahan(g, top: 5)
table t {{ of: [tails, bell, ks] rows: [dataset, model, batch, sg_type] columns: [d_ks, p_value] }}
figure f = rank_plot([c, m, row])
"#
    )
}

fn run(gradstudy: &Gradstudy, record: &str) -> std::path::PathBuf {
    let before = gradstudy.runs();
    fs::write(gradstudy.path().join("test.study"), study(record)).unwrap();
    // Runs are told apart by the second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    gradstudy.run(&["run", "test.study"]).success();
    gradstudy
        .runs()
        .into_iter()
        .find(|run| !before.contains(run))
        .unwrap()
}

fn outcomes(run: &Path) -> Vec<(String, Direction, Outcome)> {
    let results = open_results(run).unwrap();
    let of = results.measurements.into_iter();
    of.map(|it| (it.test, it.direction, it.outcome)).collect()
}

fn npy(path: &Path, order: npyz::Order, shape: [usize; 2], values: &[f32]) {
    use npyz::WriterBuilder;
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .order(order)
        .shape(&shape.map(|axis| axis as u64))
        .writer(fs::File::create(path).unwrap())
        .begin_nd()
        .unwrap();
    writer.extend(values.iter().copied()).unwrap();
    writer.finish().unwrap();
}

#[test]
fn numbers_of_a_file_are_tested_as_a_recording_is() {
    let gradstudy = Gradstudy::new("");
    let path = |name: &str| gradstudy.path().join(name);
    let recorded = run(&gradstudy, DATA);
    gradstudy
        .run(&["export", "test.study", "--to", "g.npy"])
        .success();
    gradstudy
        .run(&["export", "test.study", "--to", "g.safetensors"])
        .success();
    let g: Vec<f32> = npyz::NpyFile::new(&fs::read(path("g.npy")).unwrap()[..])
        .unwrap()
        .into_vec()
        .unwrap();
    let n = g.len() / 50;
    // [n, T] in both orders: turned, and as it lies.
    let turned: Vec<f32> = (0..g.len()).map(|i| g[i % 50 * n + i / 50]).collect();
    npy(&path("turned.npy"), npyz::Order::C, [n, 50], &turned);
    npy(&path("fortran.npy"), npyz::Order::Fortran, [n, 50], &g);

    let expected = outcomes(&recorded);
    assert_eq!(expected.len(), 6);
    for record in [
        "record g = file(\"g.npy\")",
        "record g = file(\"g.safetensors\", array: \"gradients\")",
        "record g = file(\"turned.npy\", iterations: columns)",
        "record g = file(\"fortran.npy\") { iterations: columns }",
    ] {
        let own = run(&gradstudy, record);
        let found = outcomes(&own);
        assert!(found == expected, "{record}: {found:?} is not {expected:?}");
        let spectra = [&recorded, &own].map(|run| open_spectra(run).unwrap().spectra);
        for (a, b) in spectra[0].iter().zip(&spectra[1]) {
            assert_eq!(a.spectrum, b.spectrum, "{record}: {}", a.name);
        }
    }
    // More than --memory holds goes through a file of the cache, which does not stay.
    let before = gradstudy.runs().len();
    fs::write(path("test.study"), study("record g = file(\"g.npy\")")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    gradstudy
        .run(&["run", "test.study", "--memory", "100kB", "--cache-dir", "other"])
        .success();
    assert!(outcomes(&gradstudy.runs()[before]) == expected);
    let left = walkdir::WalkDir::new(path("other")).into_iter().flatten();
    assert_eq!(left.filter(|it| it.file_name() == "history.f32").count(), 0);

    // What is told of it: the file's name in the table, its digest in the manifest.
    let run_of_npy = &gradstudy.runs()[before];
    let table = &Run::open(run_of_npy).unwrap().tables().unwrap()[0];
    let text = gradstudy::report::to_terminal(table);
    for wanted in ["g.npy", "–", "Numbers of `g.npy`"] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
    let manifest = fs::read_to_string(run_of_npy.join("manifest.yaml")).unwrap();
    let manifest: Value = serde_yaml::from_str(&manifest).unwrap();
    let digest = |name: &str| blake3::hash(&fs::read(path(name)).unwrap()).to_hex().to_string();
    assert_eq!(
        manifest["files"],
        serde_json::json!([{"name": "g.npy", "digest": digest("g.npy")}])
    );
    // The same numbers under another name are in the cache; other numbers under the same name are not.
    fs::copy(path("g.npy"), path("copy.npy")).unwrap();
    fs::write(path("test.study"), study("record g = file(\"copy.npy\")")).unwrap();
    let plan = gradstudy.run(&["plan", "test.study"]).success().stdout;
    // Reading is all that could be done, and nothing needs it.
    assert!(plan.contains("everything is in the cache"), "{plan}");
    let mut other = g.clone();
    // A row that is NaN, and one that is constant.
    (0..50).for_each(|t| other[t * n + 7] = f32::NAN);
    (0..50).for_each(|t| other[t * n + 9] = 0.5);
    npy(&path("copy.npy"), npyz::Order::C, [50, n], &other);
    let plan = gradstudy.run(&["plan", "test.study", "--steps"]).success().stdout;
    assert!(plan.matches("  to run  ").count() > 5, "{plan}");
    fs::write(
        path("test.study"),
        "record g = file(\"copy.npy\")\ntest tails = power_law(g, tail: top(20), along: [iteration])\n\
         table t { of: tails rows: [sg_type] columns: [d_ks] }\n",
    )
    .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    gradstudy.run(&["run", "test.study"]).success();
    let degenerate = |run: &Path| {
        let found = outcomes(run);
        let of = found
            .iter()
            .find(|it| it.0 == "tails" && it.1 == Direction::Iteration);
        of.unwrap().2.acceptance().unwrap().degenerate
    };
    let (was, now) = (
        degenerate(&recorded),
        degenerate(&gradstudy.runs().pop().unwrap()),
    );
    assert_eq!((now.not_finite, was.not_finite), (1, 0));
    assert!(now.constant + now.too_few <= was.constant + was.too_few + 1 && now.constant > 0);
}

#[test]
fn mistakes_in_the_file_are_found_before_anything_runs() {
    let gradstudy = Gradstudy::new("");
    let path = |name: &str| gradstudy.path().join(name);
    npy(&path("g.npy"), npyz::Order::C, [5, 30], &vec![1.0; 150]);
    npy(&path("none.npy"), npyz::Order::C, [0, 30], &[]);
    fs::write(path("words.csv"), "a,b\n1,2\n3,x\n").unwrap();
    let tensors = [("a", 1), ("b", 2)].map(|(name, value)| (name, [value as u8; 4]));
    let views = tensors.iter().map(|(name, bytes)| {
        (
            *name,
            safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![1, 1], bytes).unwrap(),
        )
    });
    fs::write(
        path("two.safetensors"),
        safetensors::serialize(views, None).unwrap(),
    )
    .unwrap();
    for (record, test, says) in [
        ("file(\"no.npy\")", "hill(g, k: 2)", "E0508"),
        (
            "file(\"none.npy\")",
            "hill(g, k: 2)",
            "has no numbers: its array is 0 × 30",
        ),
        (
            "file(\"words.csv\")",
            "hill(g, k: 2)",
            "line 3: column `b` is `x`",
        ),
        (
            "file(\"two.safetensors\")",
            "hill(g, k: 2)",
            "name one with `array`: \"a\", \"b\"",
        ),
        (
            "file(\"two.safetensors\", array: \"c\")",
            "hill(g, k: 2)",
            "it has a, b",
        ),
        ("file(\"g.npy\")", "power_law(g, tail: top(20))", "E0503"),
        ("file(\"g.npy\")", "normality(g, points: 40)", "which has 30"),
        (
            "file(\"g.npy\", iterations: columns)",
            "normality(g, points: 8, along: [dimension])",
            "which has 5",
        ),
        ("file(\"g.npy\", keep: true)", "hill(g, k: 2)", "E0302"),
    ] {
        fs::write(
            path("test.study"),
            format!(
                "record g = {record}\ntest t = {test}\ntable a {{ of: t rows: [sg_type] columns: [p_value] }}\n"
            ),
        )
        .unwrap();
        let said = gradstudy.run(&["check", "test.study"]);
        assert_eq!(said.code, Some(2), "{record}");
        let flat = said
            .stderr
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .replace("│ ", "");
        assert!(flat.contains(says), "{record}: {says} is not in {}", said.stderr);
    }
    fs::write(
        path("test.study"),
        "record g = file(\"g.npy\")\nspectrum c = covariance(g, top: 5)\ntest t = power_law(c, tail: top(5))\n\
         table a { of: t rows: [spectrum] columns: [d_ks] }\n",
    )
    .unwrap();
    let said = gradstudy.run(&["check", "test.study"]);
    assert!(
        said.code == Some(2) && said.stderr.contains("E0509"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_tail_that_reaches_into_the_rounding_of_a_spectrum_is_told() {
    let gradstudy = Gradstudy::new(
        "study \"Few directions\" { seeds: 0 }\nrecord g = file(\"g.npy\")\n\
         spectrum c = covariance(g, top: 20)\nspectrum few = covariance(g, top: 4)\n\
         test ks = power_law(c, tail: top(20))\ntest ok = power_law(few, tail: top(4))\n\
         table t { of: [ks]  rows: [spectrum]  columns: [d_ks, degenerate] }\n\
         table u { of: [ok]  rows: [spectrum]  columns: [d_ks] }\n",
    );
    // Iterations in a space of five dimensions: four more than the mean.
    let (t, n) = (30, 200);
    let part = |t: usize, n: usize| {
        (0..5)
            .map(move |d| ((t * (d + 3) * 7 + 11 * d) % 29) as f32 * ((n * (d + 2) * 5 + 3 * d) % 31) as f32)
    };
    let values: Vec<f32> = (0..t * n).map(|i| part(i / n, i % n).sum()).collect();
    npy(&gradstudy.path().join("g.npy"), npyz::Order::C, [t, n], &values);
    for _ in 0..2 {
        // The second time from the cache.
        let said = gradstudy.run(&["run", "test.study"]).success().stdout;
        let note = "Rounding, power law: so many values of the tail stand above the spectrum's accuracy";
        assert_eq!(said.matches(note).count(), 1, "{said}");
        assert!(said.contains("and so is the fit): 5 of 20."), "{said}");
    }
}

#[test]
fn a_spectrum_of_a_value_that_is_not_finite_says_which() {
    let gradstudy = Gradstudy::new(
        "study \"NaN\" { seeds: 0 }\nrecord g = file(\"g.npy\")\nspectrum c = covariance(g, top: 10)\n\
         test s = spectrum_shape(c, head: 3)\ntable t { of: [s]  rows: [spectrum]  columns: [largest] }\n",
    );
    let mut values: Vec<f32> = (0..40 * 100).map(|i| (i * 7 % 31) as f32).collect();
    values[3 * 100 + 7] = f32::NAN;
    npy(
        &gradstudy.path().join("g.npy"),
        npyz::Order::C,
        [40, 100],
        &values,
    );
    let said = gradstudy.run(&["run", "test.study"]);
    assert_eq!(said.code, Some(1), "{}", said.stdout);
    let told = said.stderr.replace("\n  │ ", " ");
    let reason = "the gradient of iteration 3 is NaN at parameter 7";
    assert!(
        said.stdout.contains("failed") && said.stdout.contains(reason),
        "{}",
        said.stdout
    );
    for expected in ["the gradient of iteration 3 is NaN at parameter 7", "spectrum c"] {
        assert!(told.contains(expected), "{told}");
    }
}

/// Holes in a file make samples degenerate, or are left out and counted: in results, exports, table and notes; neither
/// way takes the other's outcome out of the cache.
#[test]
fn holes_are_left_out_where_a_test_says_so() {
    let gradstudy = Gradstudy::new("");
    let mut g: Vec<f32> = (0..40 * 30)
        .map(|i| (i as f32 * 12.9898).sin() / (1 + i % 7) as f32)
        .collect();
    g[3 * 30 + 4] = f32::NAN;
    g[17 * 30 + 4] = f32::INFINITY;
    g[17 * 30 + 9] = f32::NAN;
    npy(&gradstudy.path().join("g.npy"), npyz::Order::C, [40, 30], &g);
    for missing in ["", ", missing: drop", ", missing: degenerate"] {
        let study = format!(
            "record g = file(\"g.npy\")\n\
             test bell = normality(g, points: 25, along: [iteration]{missing})\n\
             test tails = power_law(g, tail: top(20), along: [iteration]{missing})\n\
             table t {{ of: [bell] rows: [sg_type] columns: [gaussian_rate, not_finite] }}\n"
        );
        let before = gradstudy.runs();
        fs::write(gradstudy.path().join("test.study"), study).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(1100));
        gradstudy.run(&["run", "test.study"]).success();
        let run = gradstudy
            .runs()
            .into_iter()
            .find(|run| !before.contains(run))
            .unwrap();
        let drops = missing.contains("drop");
        for (test, _, outcome) in outcomes(&run) {
            let left_out = outcome.left_out().map(|it| (it.values, it.samples));
            assert_eq!(left_out, drops.then_some((3, 2)), "{test}");
            let acceptance = outcome.acceptance().unwrap();
            let not_finite = acceptance.degenerate.not_finite;
            match (drops, test.as_str()) {
                (true, _) => assert_eq!(not_finite, 0, "{test}"),
                (false, "tails") => assert_eq!(not_finite, 2, "{test}"),
                // Of 40 values 25 are drawn.
                (false, _) => assert!(not_finite <= 2, "{test}"),
            }
        }
        let table = &Run::open(&run).unwrap().tables().unwrap()[0];
        let text = gradstudy::report::to_terminal(table);
        let note =
            "Left out (missing: drop), as they are no finite numbers, Gaussianity: 3 values of 2 samples";
        assert_eq!(
            text.split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .contains(note),
            drops,
            "{text}"
        );
    }
}
