//! `layers: each`: a spectrum for each module, from one pass.

use super::support::assert_each;
use crate::support::Gradstudy;

const HEAD: &str = "study \"Each\" { seeds: 0 }\ndata d = fashion_mnist_5k\n\
    model m = fcn(depth: 1, width: 5, batchnorm: false)\nrecord g = gradients(of: m, on: d, iterations: 80)\n";

/// Spectra of the only run by statement and layers.
fn spectra(gradstudy: &Gradstudy) -> Vec<(String, String, serde_json::Value)> {
    let files = walkdir::WalkDir::new(gradstudy.path().join("reports"));
    let mut files = files.into_iter().map(|entry| entry.unwrap().into_path());
    let path = files.find(|path| path.ends_with("spectra.json")).unwrap();
    let all: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let text = |it: &serde_json::Value| it.as_str().unwrap_or_default().to_string();
    let of = all["spectra"].as_array().unwrap().iter();
    of.map(|it| {
        (
            text(&it["name"]),
            text(&it["subject"]["layers"]),
            it["spectrum"].clone(),
        )
    })
    .collect()
}

fn values(spectrum: &serde_json::Value) -> Vec<f64> {
    let values = spectrum["values"].as_array().unwrap().iter();
    values.map(|value| value.as_f64().unwrap()).collect()
}

#[test]
fn one_statement_gives_one_spectrum_for_each_module() {
    let study = format!(
        "{HEAD}spectrum c = covariance(g, top: 79, layers: each)\nspectrum whole = covariance(g, top: 79)\n\
         spectrum e = eigengaps(c)\ntest t = power_law(c, tail: minimum)\ntest s = spectrum_shape(c)\n\
         test u = power_law(e, tail: minimum)\n\
         table r {{ of: t  rows: [layers]  columns: [n_tail, d_ks] }}\n\
         table q {{ of: s  rows: [model]  columns: [trace] }}\n\
         figure f = rank_plot(c)\n"
    );
    let gradstudy = Gradstudy::new(&study);
    let plan = gradstudy.run(&["plan", "test.study", "--steps"]).success().stdout;
    assert_eq!(plan.matches("covariance of fc").count(), 2, "{plan}");
    assert_eq!(plan.matches("inner products").count(), 1, "one pass:\n{plan}");
    let shown = gradstudy.run(&["run", "test.study"]).success().stdout;
    for layer in ["fc1", "fc2"] {
        assert!(shown.contains(layer), "{shown}");
    }
    let found = spectra(&gradstudy);
    let names: Vec<(&str, &str)> = found.iter().map(|it| (&it.0[..], &it.1[..])).collect();
    assert_eq!(
        names,
        [
            ("c", "fc1"),
            ("c", "fc2"),
            ("whole", ""),
            ("e", "fc1"),
            ("e", "fc2")
        ]
    );
    // fc1 has 784 · 5 + 5 parameters, fc2 5 · 10 + 10: no more than 60 eigenvalues.
    let sizes = |i: usize| {
        (
            found[i].2["parameters"].as_u64().unwrap(),
            values(&found[i].2).len(),
        )
    };
    assert_eq!(
        [sizes(0), sizes(1), sizes(3), sizes(4)],
        [(3925, 79), (60, 60), (3925, 78), (60, 59)]
    );
    // The diagonal of C is that of its blocks.
    let trace = |i: usize| found[i].2["trace"].as_f64().unwrap();
    assert!(((trace(0) + trace(1)) / trace(2) - 1.0).abs() < 1e-6);

    // Each is the spectrum that a study gets by the module's name, and is taken from its cache.
    let text = format!("{HEAD}spectrum b = covariance(g, top: 60, layers: \"fc2\")\n");
    std::fs::write(gradstudy.path().join("named.study"), text).unwrap();
    let plan = gradstudy.run(&["plan", "named.study"]).success().stdout;
    assert!(
        plan.contains("cached") && plan.contains("everything is in the cache"),
        "{plan}"
    );

    // As from the whole history, whatever the way.
    let kept = Gradstudy::new(&study.replace("iterations: 80", "iterations: 80, keep: true"));
    kept.run(&["run", "test.study"]).success();
    for (way, other) in found.iter().zip(spectra(&kept)) {
        if way.0 != "e" {
            assert_each(&values(&way.2)[..50], &values(&other.2)[..50], 1e-5);
        }
    }
}

#[test]
fn so_does_one_of_a_curvature() {
    let study = "study \"Each\" { seeds: 0 }\ndata d = fashion_mnist_5k(subset: 64)\n\
        model m = fcn(depth: 1, width: 3, batchnorm: false, logits: 10)\n\
        spectrum h = hessian(of: m, on: d, samples: 64, top: 50, layers: each)\n\
        spectrum w = hessian(of: m, on: d, samples: 64, top: 5, layers: \"fc2.weight\")\n\
        test s = spectrum_shape(h, head: 11)\ntest v = spectrum_shape(w, head: 11)\n\
        table r { of: [s, v]  rows: [layers]  columns: [largest, converged] }\n";
    let gradstudy = Gradstudy::new(study);
    let shown = gradstudy.run(&["run", "test.study"]).success().stdout;
    assert!(
        ["fc1", "fc2", "fc2.weight"]
            .iter()
            .all(|layer| shown.contains(layer)),
        "{shown}"
    );
    let found = spectra(&gradstudy);
    let sizes: Vec<(&str, u64, usize)> = found
        .iter()
        .map(|it| {
            (
                &it.1[..],
                it.2["parameters"].as_u64().unwrap(),
                values(&it.2).len(),
            )
        })
        .collect();
    // fc2 has 3 · 10 weights and 10 biases.
    assert_eq!(sizes, [("fc1", 2355, 50), ("fc2", 40, 40), ("fc2.weight", 30, 5)]);
    // Eigenvalues of a block interlace those of the matrix it is taken from (Cauchy).
    let (outer, inner) = (values(&found[1].2), values(&found[2].2));
    assert!(
        outer.iter().zip(&inner).all(|(o, i)| *o >= i * (1.0 - 1e-3)),
        "{outer:?} {inner:?}"
    );

    let wrong = study.replace("fc2.weight", "conv1");
    let wrong = Gradstudy::new(&wrong).run(&["check", "test.study"]);
    assert!(wrong.stderr.contains("E0511"), "{}", wrong.stderr);
}
