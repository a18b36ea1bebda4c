//! Files of a run's folder.

use std::fs;

use gradstudy::run::{Run, RunError, open_samples};

use super::{FAULTS, Fault, files_in, inflict};
use crate::support::Gradstudy;

const STUDY: &str = r#"
study "Faults" { seeds: 0  allow: [W0103] }
data  d = fashion_mnist_5k(subset: 300)
model m = fcn(depth: 1, width: 3)
record g = gradients(of: m, on: d, batch: 3, iterations: 40)
spectrum c = covariance(g, top: 20)
test tails = power_law(g, tail: top(20))
table one { of: [tails] rows: [sg_type] columns: [d_ks] }
"#;

#[test]
fn a_file_of_a_run_that_was_changed_is_named() {
    let gradstudy = Gradstudy::new(STUDY);
    gradstudy.run(&["run", "test.study"]).success();
    let run = gradstudy.runs().remove(0);
    let open = || -> Result<(), RunError> {
        Run::open(&run)?;
        open_samples(&run).map(|_| ())
    };
    open().unwrap();
    let read_again = [
        "layout.yaml",
        "manifest.yaml",
        "resolved.yaml",
        "results.yaml",
        "samples.safetensors",
        "spectra.json",
        "study.study",
        "verdicts.safetensors",
    ];
    let there = files_in(&run);
    for name in read_again {
        assert!(there.iter().any(|it| it == name), "{name} in {there:?}");
        let path = run.join(name);
        let whole = fs::read(&path).unwrap();
        let flips = std::iter::repeat_n(Fault::Flip, 40);
        for (number, fault) in flips.chain(FAULTS).enumerate() {
            inflict(fault, &path, number as u64);
            let error = open().expect_err(name).to_string();
            assert!(error.contains(name), "{fault:?} {number} of {name}: {error}");
            fs::write(&path, &whole).unwrap();
        }
    }
    inflict(Fault::Flip, &run.join("results.yaml"), 1);
    let said = gradstudy.run(&["show", "test@latest"]);
    assert_eq!(said.code, Some(2), "{}", said.stdout);
    assert!(said.stderr.contains("results.yaml"), "{}", said.stderr);
    // The cache has all of it.
    gradstudy.run(&["run", "test.study"]).success();
    gradstudy.run(&["show", "test@latest"]).success();
}
