//! Networks in studies.

use super::*;

/// A recording of some layers has the same rows as the whole one, whatever is done to the gradients.
#[test]
fn layers_are_rows_of_the_whole_history() {
    let gradstudy = crate::support::Gradstudy::new("");
    let columns = |layers: &str, transform: &str| -> Vec<f32> {
        let study = format!(
            "data d = fashion_mnist_5k(subset: 200)\nmodel m = lenet\n\
             record g = gradients(of: m, on: d, batch: 3, iterations: 90{layers}{transform})\n"
        );
        std::fs::write(gradstudy.path().join("test.study"), study).unwrap();
        gradstudy
            .run(&["export", "test.study", "--to", "g.npy"])
            .success();
        let bytes = std::fs::read(gradstudy.path().join("g.npy")).unwrap();
        npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap()
    };
    let network = build("lenet", r#"{"logits": 10}"#, [1, 28, 28]);
    for transform in ["", ", clip: 0.5, weight_decay: 0.1", ", through: adam"] {
        let whole = columns("", transform);
        for (pattern, wanted) in [
            (
                "conv*",
                &["conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias"][..],
            ),
            (
                "*.bias",
                &["conv1.bias", "conv2.bias", "fc1.bias", "fc2.bias", "fc3.bias"],
            ),
            ("fc3", &["fc3.weight", "fc3.bias"]),
        ] {
            let parameters = network.parameters();
            let parameters = parameters.iter().filter(|p| wanted.contains(&p.name.as_str()));
            let rows: Vec<usize> = parameters.flat_map(|p| p.range.clone()).collect();
            let expected: Vec<f32> = whole
                .chunks(network.parameter_count())
                .flat_map(|column| rows.iter().map(|row| column[*row]))
                .collect();
            let ours = columns(&format!(", layers: \"{pattern}\""), transform);
            assert!(ours == expected, "{pattern}{transform}");
        }
    }
}

/// gpt from a text file to spectra and tests: trained, then recorded one sequence at a time; twice, to the bit.
#[test]
fn a_transformer_is_trained_recorded_and_tested_on_text() {
    let study = r#"
        data d = text(file: "all.txt", context: 12, test: "some.txt")
        model m = gpt(dim: 16, depth: 1, heads: 2, logits: 30) { assert parameters == 4494 }
        train t = adam(lr: 0.01) { of: m  on: d  epochs: 8  batch: 8 }
        record g = gradients(of: t, on: d, iterations: 40)
        test bell = normality(g, points: 40)
        spectrum c = covariance(g, top: 20)
        test tail = power_law(c, tail: top(20))
        table r { of: [bell, tail]  rows: [dataset, sg_type]  columns: [gaussian_rate, d_ks] }
    "#;
    let gradstudy = crate::support::Gradstudy::new(study);
    let text = "the quick brown fox jumps over the lazy dog. ".repeat(40);
    std::fs::write(gradstudy.path().join("all.txt"), &text).unwrap();
    std::fs::write(gradstudy.path().join("some.txt"), &text[..400]).unwrap();
    let results = |threads: &str| {
        let run = gradstudy
            .command(&["run", "test.study"])
            .env("RAYON_NUM_THREADS", threads)
            .env("GRADSTUDY_CACHE", gradstudy.path().join(threads))
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let folder = gradstudy.runs().pop().unwrap();
        let manifest = std::fs::read_to_string(folder.join("manifest.yaml")).unwrap();
        (
            std::fs::read_to_string(folder.join("results.yaml")).unwrap(),
            manifest,
        )
    };
    let (first, manifest) = results("1");
    assert!(first == results("2").0);
    let accuracy = manifest
        .lines()
        .find_map(|line| line.trim().strip_prefix("test_accuracy: "))
        .unwrap();
    // Text that repeats is learned, but for the start of a window.
    assert!(accuracy.parse::<f64>().unwrap() > 0.6, "{accuracy}");
}
