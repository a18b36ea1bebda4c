//! The reasons given for what cannot be exported are the true ones.

use std::fs;

use crate::support::Gradstudy;

const STUDY: &str = r#"
study "Reasons" { seeds: 0 }
data  fashion = fashion_mnist_5k(subset: 300)
model net     = fcn(depth: 1, width: 4)
record g   = gradients(of: net, on: fashion, batch: 4, iterations: 20)
record alone = gradients(of: net, on: fashion, batch: 4, iterations: 1)
spectrum c = covariance(g, top: 10)
test tails    = power_law(g, tail: top(10))
test single   = power_law(alone, tail: top(10), along: [dimension])
test whole    = alpha_stable(g, along: [dimension])
test of_c     = power_law(c, tail: top(10))
test shape    = spectrum_shape(c)
test together = correlation(g, pairs: 50, along: [dimension])
table one { of: [tails]  rows: [sg_type]  columns: [d_ks] }
"#;

#[test]
fn reasons_are_true() {
    let gradstudy = Gradstudy::new(STUDY);
    gradstudy.run(&["run", "test.study"]).success();
    let folder = gradstudy.runs().remove(0);
    let refused = |arguments: &[&str]| {
        let said = gradstudy.run(&[&["export", "test@latest"], arguments, &["--to", "x.npy"]].concat());
        assert_eq!(said.code, Some(2), "{arguments:?}: {}", said.stdout);
        assert!(!gradstudy.path().join("x.npy").exists());
        // Lines are broken where the terminal ends.
        let text: Vec<&str> = said
            .stderr
            .split_whitespace()
            .filter(|word| *word != "│")
            .collect();
        text.join(" ")
    };
    let samples = |name: &'static str| refused(&["--what", "samples", "--name", name]);
    for (said, wanted) in [
        (
            samples("single"),
            "`single` along dimension has one sample, as G has one column",
        ),
        (
            samples("whole"),
            "`whole` has one sample, as all of G is taken as one",
        ),
        (samples("of_c"), "`of_c` is of spectra"),
        (samples("shape"), "`shape` is of spectra"),
        (samples("together"), "`together` is of all samples together"),
        (samples("nothing"), "--what samples --name tails"),
        (
            refused(&["--what", "spectra", "--name", "d"]),
            "--what spectra --name c",
        ),
        (
            refused(&["--what", "gradients"]),
            "`--what gradients` is for a study",
        ),
    ] {
        assert!(said.contains(wanted), "{wanted} is not in {said}");
        assert!(!said.contains("older"), "{said}");
    }
    fs::remove_file(folder.join("samples.safetensors")).unwrap();
    fs::remove_file(folder.join("spectra.json")).unwrap();
    for said in [
        refused(&["--what", "samples", "--name", "tails", "--along", "dimension"]),
        refused(&["--what", "spectra"]),
    ] {
        assert!(
            said.contains("which is not in") || said.contains("is not in"),
            "{said}"
        );
        assert!(said.contains("gradstudy run test.study"), "{said}");
    }
    // A study without a spectrum, and one without a test.
    for (study, what, wanted) in [
        (
            STUDY.replace("spectrum c = covariance(g, top: 10)", ""),
            "spectra",
            "no `spectrum` statement",
        ),
        (STUDY.to_string(), "outcomes", "no `test` statement"),
    ] {
        let kept = |line: &&str| match what {
            "spectra" => !line.contains("(c"),
            _ => !line.starts_with("test ") && !line.starts_with("table "),
        };
        let study: Vec<&str> = study.lines().filter(kept).collect();
        let gradstudy = Gradstudy::new(&study.join("\n"));
        gradstudy.run(&["run", "test.study"]).success();
        let said = gradstudy.run(&["export", "test@latest", "--what", what, "--to", "x.csv"]);
        assert_eq!(said.code, Some(2));
        assert!(said.stderr.contains(wanted), "{}", said.stderr);
    }
}

#[test]
fn a_slip_in_a_level_is_told() {
    let gradstudy = Gradstudy::new(
        &STUDY
            .replace("batch: 4, iterations: 20", "batch: b, iterations: 20")
            .replace("model net", "vary b in [2, 4]\nmodel net"),
    );
    let said = gradstudy.run(&["export", "test.study", "--at", "batch=2", "--to", "x.npy"]);
    assert_eq!(said.code, Some(2));
    assert!(
        said.stderr
            .contains("no factor of the study has the level `batch=2`"),
        "{}",
        said.stderr
    );
    assert!(said.stderr.contains("b=2, b=4"), "{}", said.stderr);
}
