//! Magnitudes of one column and one row of G, and recordings by running statistics, from a study's text to its results.

use std::fs;
use std::path::Path;

use super::support::Gradstudy;

fn array(path: &Path) -> (Vec<u64>, Vec<f32>) {
    let bytes = fs::read(path).unwrap();
    let array = npyz::NpyFile::new(&bytes[..]).unwrap();
    (array.shape().to_vec(), array.into_vec().unwrap())
}

const MAGNITUDES: &str = "data d = fashion_mnist_5k(subset: 500)\nmodel m = lenet\n\
    record g = gradients(of: m, on: d, batch: 10, iterations: 60)\n\
    spectrum column = magnitudes(g, along: dimension, index: 7, top: 400)\n\
    spectrum row = magnitudes(g, along: iteration, index: 44_425, top: 60)\n\
    test t = power_law(column, tail: top(100))\n\
    table a { of: t  rows: [spectrum]  columns: [d_ks, s] }\n\
    figure f = rank_plot([column, row], curves: [spectrum], tail: 50)\n";

#[test]
fn magnitudes_are_the_sorted_sizes_of_a_column_and_a_row_of_g() {
    let gradstudy = Gradstudy::new(MAGNITUDES);
    let said = gradstudy.run(&["run", "test.study"]).success();
    assert!(
        said.stdout.contains("Dimension-wise magnitudes"),
        "{}",
        said.stdout
    );
    gradstudy
        .run(&["export", "test.study", "--to", "g.npy"])
        .success();
    let (shape, g) = array(&gradstudy.path().join("g.npy"));
    assert_eq!(shape, [60, 44_426]);
    let sorted = |sample: Vec<f32>, top: usize| {
        let mut sizes: Vec<f64> = sample.iter().map(|value| f64::from(value.abs())).collect();
        sizes.sort_by(|a, b| b.total_cmp(a));
        sizes.truncate(top);
        sizes
    };
    let run = gradstudy.runs().pop().unwrap();
    // serde_json rounds the last digit of what it reads; YAML, of which JSON is a part, is read exactly.
    let spectra: serde_json::Value =
        serde_yaml::from_str(&fs::read_to_string(run.join("spectra.json")).unwrap()).unwrap();
    let values = |name: &str| -> Vec<f64> {
        let all = spectra["spectra"].as_array().unwrap();
        let it = all.iter().find(|it| it["name"] == name).unwrap();
        assert_eq!(it["spectrum"]["kind"], "magnitudes");
        let values = it["spectrum"]["values"].as_array().unwrap();
        values.iter().map(|value| value.as_f64().unwrap()).collect()
    };
    assert_eq!(values("column"), sorted(g[7 * 44_426..8 * 44_426].to_vec(), 400));
    let row: Vec<f32> = (0..60).map(|t| g[t * 44_426 + 44_425]).collect();
    assert_eq!(values("row"), sorted(row, 60));
    assert!(
        run.join("f.svg").exists()
            && fs::read_to_string(run.join("f.csv"))
                .unwrap()
                .contains("magnitudes")
    );
    // Everything is in the cache now.
    let again = gradstudy.run(&["plan", "test.study"]).success().stdout;
    assert!(again.contains("everything is in the cache"), "{again}");
}

#[test]
fn an_index_or_a_size_that_is_not_there_is_told_by_the_checker() {
    for (setting, wrong) in [
        ("index: 7", "index: 60"),
        ("index: 44_425", "index: 44_426"),
        ("top: 60", "top: 61"),
        ("top: 400", "top: 44_427"),
    ] {
        let gradstudy = Gradstudy::new(&MAGNITUDES.replace(setting, wrong));
        let said = gradstudy.run(&["check", "test.study"]);
        assert_eq!(said.code, Some(2), "{wrong}");
        assert!(
            said.stderr.contains("E0509") && said.stderr.contains(wrong),
            "{}",
            said.stderr
        );
    }
}

/// By running statistics samples do not depend on each other: the gradient of two is the mean of their gradients.
#[test]
fn by_running_statistics_a_minibatch_is_the_mean_of_its_samples() {
    let study = |batch: u32, iterations: u32, mode: &str| {
        format!(
            "data d = fashion_mnist_5k(subset: 300)\nmodel m = fcn(depth: 1, width: 12)\n\
             train p = sgd(lr: 0.05) {{ of: m  on: d  epochs: 1  batch: 50 }}\n\
             record g = gradients(of: p, on: d, batch: {batch}, iterations: {iterations}, order: sequential) \
             {{ {mode} }}\n\
             spectrum c = covariance(g, top: 5, centre: full_batch)\n\
             test t = hill(c, k: 3)\ntable a {{ of: t  rows: [spectrum]  columns: [xi] }}\n"
        )
    };
    let running = "batch_norm: running";
    let gradstudy = Gradstudy::new(&study(1, 40, running));
    gradstudy.run(&["run", "test.study"]).success();
    let export = |text: &str, file: &str| {
        fs::write(gradstudy.path().join("test.study"), text).unwrap();
        gradstudy.run(&["export", "test.study", "--to", file]).success();
        array(&gradstudy.path().join(file)).1
    };
    let single = export(&study(1, 40, running), "single.npy");
    let pairs = export(&study(2, 20, running), "pairs.npy");
    let by_batch = export(&study(2, 20, ""), "batch.npy");
    let n = single.len() / 40;
    let mut largest = 0f32;
    for (t, pair) in pairs.chunks(n).enumerate() {
        let (a, b) = (&single[2 * t * n..][..n], &single[(2 * t + 1) * n..][..n]);
        for ((pair, a), b) in pair.iter().zip(a).zip(b) {
            largest = largest.max((pair - 0.5 * (a + b)).abs());
        }
    }
    assert!(largest < 1e-6, "{largest}");
    let differs = pairs.iter().zip(&by_batch).any(|(a, b)| (a - b).abs() > 1e-3);
    assert!(differs, "each minibatch's own statistics give other gradients");
    // One sample has no statistics of its own.
    fs::write(gradstudy.path().join("test.study"), study(1, 40, "")).unwrap();
    assert_eq!(gradstudy.run(&["plan", "test.study"]).code, Some(2));
}
