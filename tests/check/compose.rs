//! Studies of several files, and what the command line changes in them.

use std::path::Path;

use gradstudy::study::{Overrides, Study, check_with};
use gradstudy::syntax::{Diagnostics, Source};

use super::vocabulary::VOCABULARY;
use super::{found, good, render};

/// Codes that only several files or the command line can give.
pub const CODES: [&str; 6] = ["E0208", "E0210", "E0601", "E0603", "W0107", "W0108"];

type Checked = Result<(Study, Diagnostics), Diagnostics>;

/// Writes `files` into a folder and checks the first.
fn checked(files: &[(&str, &str)], overrides: &Overrides) -> Checked {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let source = Source::read(folder.path().join(files[0].0)).unwrap();
    check_with(&source, overrides, &VOCABULARY)
}

fn ok(result: Checked) -> Study {
    result.unwrap_or_else(|found| panic!("{}", render(&found))).0
}

fn codes(result: &Checked) -> Vec<&'static str> {
    found(result).iter().map(|diagnostic| diagnostic.code).collect()
}

fn set(values: &[&str]) -> Overrides {
    Overrides {
        profile: None,
        set: values.iter().map(|value| value.to_string()).collect(),
    }
}

const COMMON: &str = "study \"Common\" { seeds: 7..9 }\ndata mnist = mnist\nmodel m = lenet\n\
    record g = gradients(of: m, on: mnist, batch: 10)\n";
const REST: &str = "test t = normality(g)\ntable r { of: t  rows: [batch]  columns: p_value }\n";

#[test]
fn a_composed_study_resolves() {
    let study = good("composed.study");
    assert_eq!((study.cases.len(), study.seeds.as_slice()), (3, &[0, 1][..]));
    let half = &study.cases[2];
    let levels: Vec<_> = half
        .levels
        .iter()
        .map(|it| (it.factor.as_str(), it.label.as_str()))
        .collect();
    assert_eq!(levels, [("labels", "half"), ("epochs", "4")]);
    let train = &half.trains["p"];
    assert_eq!((train.epochs, train.optimizer.args.number("lr")), (4, 0.1));
    let labels = &half.data[&train.on].labels;
    assert_eq!(
        (labels.name.as_str(), labels.args.number("rate")),
        ("symmetric", 0.5)
    );
    assert_eq!(half.data["noisy"].labels.args.number("rate"), 0.4);
    assert_eq!(half.data["mnist"].labels.name, "clean");
    let (g, h) = (&half.records["g"], &half.records["h"]);
    assert_eq!(
        (g.batch, g.iterations, h.batch, h.iterations),
        (1, 5000, 100, 2000)
    );
    assert_eq!((&g.of, &g.on), (&h.of, &h.on));
    assert_eq!(half.spectra["c"].call.args.text("of"), "g");
    assert_eq!(half.tests["eigen"].of, "c");
    let figure = &study.figures[0];
    assert_eq!(
        (figure.mirrors, figure.call.args.texts("curves")),
        (Some(7), vec!["labels"])
    );
}

#[test]
fn statements_of_used_files_come_along_and_the_own_ones_come_first() {
    let root = format!(
        "use \"lib/common.study\"\nuse \"lib/again.study\"\ndata mnist = mnist(normalize: none)\n{REST}"
    );
    let files = [
        ("root.study", root.as_str()),
        ("lib/common.study", COMMON),
        ("lib/again.study", "use \"common.study\"\nmodel other = lenet"),
    ];
    let study = ok(checked(&files, &Overrides::default()));
    assert_eq!(study.title, "root", "a used file's title is its own");
    assert_eq!(study.seeds, [0]);
    assert_eq!(study.cases[0].data["mnist"].call.args.text("normalize"), "none");
    assert_eq!(study.cases[0].records["g"].batch, 10);
    assert!(study.cases[0].models.contains_key("other"));
}

#[test]
fn mistakes_of_all_files_are_told_at_once_each_in_its_file() {
    let files = [
        ("root.study", "use \"a.study\"\ndata d = minst\nmodel n = x"),
        (
            "a.study",
            "use \"root.study\"\nuse \"b.study\"\nmodel d = lenet(\n",
        ),
        ("b.study", "record n = gradients(of: nothing, on: nothing)"),
    ];
    let result = checked(&files, &Overrides::default());
    let mut told = codes(&result);
    told.sort();
    assert_eq!(
        told,
        ["E0105", "E0204", "E0204", "E0208", "E0301", "E0310", "E0310"]
    );
    let rendered = render(found(&result));
    for place in [
        "root.study:2:10",
        "a.study:1:5",
        "b.study:1:26",
        "first defined here",
    ] {
        assert!(rendered.contains(place), "{place} in\n{rendered}");
    }
}

#[test]
fn the_command_line_sets_what_a_study_says() {
    let text = format!(
        "{COMMON}let rate = 0.5\nvary k in [50, 60]\n{REST}test u = power_law(g, quantile(rate))\n\
        test w = power_law(g, top(k))"
    );
    let files = [("a.study", text.as_str())];
    let values = [
        "record.g.batch = 20",
        "g.iterations=2000",
        "u.tail=quantile(rate)",
        "rate=0.25",
        "k=[70, 80, 90]",
        "study.seeds=1..2",
        "g.batch=30",
        "model.m.logits=20",
    ];
    let study = ok(checked(&files, &set(&values)));
    assert_eq!((study.seeds.as_slice(), study.cases.len()), (&[1, 2][..], 4));
    let case = &study.cases[0];
    assert_eq!(
        (case.records["g"].batch, case.records["g"].iterations),
        (30, 2000)
    );
    assert_eq!(case.tests["u"].call.args.call("tail").args.number("q"), 0.25);
    assert_eq!(
        study.cases[1].tests["w"].call.args.call("tail").args.integer("k"),
        70
    );
    assert_eq!(study.cases[1].given, ["g", "t", "u"]);
    assert_eq!(case.models["m"].call.args.integer("logits"), 20);
    assert_eq!(study.overrides, values);
}

const PART: &str = "profile quick { g.iterations: 700 }\n";

/// Two studies with the same names in one; the second has a factor, cases and a spectrum.
fn whole(more: &str) -> Vec<(&'static str, String)> {
    let second = "data d = mnist\nmodel m = lenet\nrecord g = gradients(of: m, on: d)\n\
        vary setting in [plain: case, large: case(g.batch: 100)]\n\
        spectrum c = covariance(g, top: 60)\ntest t = power_law(c, top(60))\n\
        table r2 { of: t  rows: setting  columns: d_ks  caption: \"mine\" }\nfigure f = rank_plot(c)\n";
    vec![
        (
            "whole.study",
            format!(
                "study \"Whole\" {{ seeds: 0..1 }}\ninclude \"one.study\"\ninclude \"two.study\"\n{more}"
            ),
        ),
        ("one.study", format!("{PART}{COMMON}{REST}")),
        ("two.study", second.to_string()),
    ]
}

#[test]
fn an_included_study_keeps_its_names_to_itself() {
    let files = whole("");
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let mut overrides = set(&["two.g.iterations=900"]);
    overrides.profile = Some("quick".into());
    let study = ok(checked(&files, &overrides));
    assert_eq!(
        (study.title.as_str(), study.seeds.as_slice()),
        ("Whole", &[0, 1][..])
    );
    assert_eq!(study.cases.len(), 3);
    let iterations = |case: usize, name: &str| study.cases[case].records[name].iterations;
    assert_eq!((iterations(0, "one.g"), iterations(1, "two.g")), (700, 900));
    let large = &study.cases[2];
    assert_eq!(
        (large.records["two.g"].batch, large.records["two.g"].on.as_str()),
        (100, "two.d")
    );
    assert_eq!(large.spectra["two.c"].call.args.text("of"), "two.g");
    assert_eq!(large.tests["two.t"].of, "two.c");
    let tables: Vec<_> = study
        .tables
        .iter()
        .map(|it| (it.of[0].as_str(), it.caption.as_deref()))
        .collect();
    assert_eq!(tables, [("one.t", Some("Common")), ("two.t", Some("mine"))]);
    assert_eq!(study.figures[0].call.args.texts("of"), ["two.c"]);
}

#[test]
fn mistakes_of_included_studies_are_told_in_their_files() {
    let mut files = whole("include \"one.study\"\nrecord h = gradients(of: nothing, on: d)\n");
    files[2].1 += "table r { of: t  rows: setting  columns: d_ks }\nbatch";
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let overrides = set(&["one.g.batch=many", "three.g.batch=1"]);
    let codes: Vec<_> = codes(&checked(&files, &overrides));
    assert_eq!(
        codes,
        ["E0210", "E0310", "E0310", "E0602", "E0307", "E0201"],
        "{codes:?}"
    );
}

#[test]
fn factors_are_crossed_with_those_of_the_same_statements_only() {
    let study = good("cases.study");
    assert_eq!(study.cases.len(), 3 + 1 + 2);
    let of = |case: &gradstudy::study::Case| {
        let g = case.records.get("g").map(|g| (g.batch, g.iterations));
        (g, case.models["m"].call.args.integer("logits"), case.tests.len())
    };
    assert_eq!(of(&study.cases[0]), (Some((10, 5000)), 10, 1));
    assert_eq!(of(&study.cases[1]), (Some((100, 900)), 10, 1));
    assert_eq!(of(&study.cases[2]), (Some((10, 5000)), 12, 1));
    // What has no factor is measured once.
    let (once, points) = (&study.cases[3], &study.cases[5]);
    assert!(once.levels.is_empty() && once.records.contains_key("h") && once.given.is_empty());
    assert_eq!(
        (points.levels.len(), points.given.as_slice()),
        (1, &["h".to_string()][..])
    );
    assert!(!points.records.contains_key("g"));
}

#[test]
fn a_profile_sets_what_it_lists() {
    let quick = Overrides {
        profile: Some("quick".into()),
        set: vec!["g.batch=5".into()],
    };
    let composed = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/good/composed.study"),
    );
    let study = ok(checked(&[("composed.study", &composed.unwrap())], &quick));
    let case = &study.cases[0];
    assert_eq!((case.records["g"].iterations, case.records["g"].batch), (1500, 5));
    assert_eq!(case.data["mnist"].call.args.text("normalize"), "none");
    assert_eq!(study.overrides, ["profile quick", "g.batch=5"]);
}

#[test]
fn one_value_set_for_a_factor_is_its_only_level() {
    let text = format!("{COMMON}vary k in [50, 60]\n{REST}test w = power_law(g, top(k))");
    let files = [("a.study", text.as_str())];
    let levels = |set_to: &str| {
        let study = ok(checked(&files, &set(&[set_to])));
        let of = |case: &gradstudy::study::Case| {
            let level = case.levels.first()?.label.clone();
            Some((level, case.tests["w"].call.args.call("tail").args.integer("k")))
        };
        study.cases.iter().filter_map(of).collect::<Vec<_>>()
    };
    assert_eq!(levels("k=70"), [("70".to_string(), 70)]);
    assert_eq!(levels("k=70..71").len(), 2);
}

#[test]
fn words_of_the_language_and_numbers_as_labels_are_named_in_errors() {
    let text = "data at = mnist\nmodel with = lenet\nvary b in [1: 10, 2: 20]\nvary c in [5e-4 : 1]\n";
    let said = render(found(&checked(&[("a.study", text)], &Overrides::default())));
    for part in [
        "`at` is a word of the language",
        "`with` is a word of the language",
        "quote the label: \"1\"",
        "quote the label: \"5e-4\"",
    ] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
}

#[test]
fn bad_settings_of_the_command_line_are_told_with_their_place() {
    let text = format!("{COMMON}{REST}");
    let files = [("a.study", text.as_str())];
    let mut overrides = set(&[
        "g.batch",
        "g.batch=",
        "g.batch=1..",
        "h.batch=3",
        "g.batches=3",
        "g.batch=many",
    ]);
    overrides.profile = Some("quick".into());
    let result = checked(&files, &overrides);
    let mut told = codes(&result);
    told.sort();
    assert_eq!(
        told,
        ["E0302", "E0307", "E0601", "E0601", "E0601", "E0602", "E0603"]
    );
    let rendered = render(found(&result));
    assert!(rendered.contains("--set:1:1"), "{rendered}");
}
