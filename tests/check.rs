//! The front end: every mistake in `cases/bad` is answered with the codes its first comment names, every study
//! in `cases/good` checks, and nothing makes the parser panic.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gradstudy::signature::{Signature, Value};
use gradstudy::stats::outcome::Direction;
use gradstudy::study::statements::STATEMENTS;
use gradstudy::study::{self, Milestone, Study, codes::CODES};
use gradstudy::syntax::{Diagnostics, Source};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

#[path = "check/bounds.rs"]
mod bounds;
#[path = "check/command.rs"]
mod command;
#[path = "check/compose.rs"]
mod compose;
#[path = "check/properties.rs"]
mod properties;
#[path = "check/vocabulary.rs"]
pub mod vocabulary;

use vocabulary::VOCABULARY;

fn cases(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(folder);
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|ext| ext == "study"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// The case under the short name that snapshots show.
fn source(path: &Path) -> Source {
    let name = path.file_name().unwrap().to_str().unwrap().to_string();
    Source {
        path: name.into(),
        ..Source::read(path).unwrap()
    }
}

fn check(text: &str) -> Result<(Study, Diagnostics), Diagnostics> {
    study::check(&Source::new("test.study", text), &VOCABULARY)
}

fn good(name: &str) -> Study {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases/good")
        .join(name);
    study::check(&source(&path), &VOCABULARY)
        .unwrap_or_else(|found| panic!("{}", render(&found)))
        .0
}

fn found(result: &Result<(Study, Diagnostics), Diagnostics>) -> &Diagnostics {
    match result {
        Ok((_, warnings)) => warnings,
        Err(errors) => errors,
    }
}

fn render(diagnostics: &dyn Diagnostic) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(80);
    let mut out = String::new();
    handler.render_report(&mut out, diagnostics).unwrap();
    out.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn bad_cases_give_the_codes_they_name() {
    let mut wrong = Vec::new();
    for path in cases("bad") {
        let source = source(&path);
        let first = source.text.lines().next().unwrap_or_default();
        let expected = first
            .strip_prefix("# expect: ")
            .expect("a bad case begins with `# expect: CODE …`");
        let mut expected: Vec<&str> = expected.split_whitespace().collect();
        expected.sort();
        let result = study::check(&source, &VOCABULARY);
        let mut codes: Vec<&str> = found(&result).iter().map(|diagnostic| diagnostic.code).collect();
        codes.sort();
        if codes != expected {
            let rendered = render(found(&result));
            wrong.push(format!(
                "{}: expected {expected:?}, found {codes:?}\n{rendered}",
                source.path.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What `gradstudy render` prints is the same study, with its defaults written out.
#[test]
fn a_study_written_out_is_the_same_study() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = cases("good");
    for folder in ["studies", "templates/studies"] {
        let entries = std::fs::read_dir(root.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path());
        files.extend(entries.filter(|path| path.extension().is_some_and(|ending| ending == "study")));
    }
    for path in files {
        // Cases are of a small vocabulary of their own.
        let (original, vocabulary) = match path.starts_with(root.join("tests")) {
            true => (source(&path), &VOCABULARY),
            false => (Source::read(&path).unwrap(), &*gradstudy::vocabulary::VOCABULARY),
        };
        let (study, _) =
            study::check(&original, vocabulary).unwrap_or_else(|found| panic!("{}", render(&found)));
        let text = study::written_out(&original, &study::Overrides::default(), vocabulary).unwrap();
        let written = Source::new("written.study", text.clone());
        let (again, _) = study::check(&written, vocabulary)
            .unwrap_or_else(|found| panic!("{}\n{}\n{text}", path.display(), render(&found)));
        let plain = |study: &Study| Study {
            files: Vec::new(),
            slug: String::new(),
            ..study.clone()
        };
        assert_eq!(
            study::render(&plain(&again)),
            study::render(&plain(&study)),
            "{}\n{text}",
            path.display()
        );
        let twice = study::written_out(&written, &study::Overrides::default(), vocabulary).unwrap();
        assert_eq!(twice, text, "{}", path.display());
    }
}

#[test]
fn every_code_is_listed_once_and_has_a_case() {
    let listed: Vec<&str> = CODES.iter().map(|code| code.code).collect();
    assert!(
        listed.is_sorted_by(|a, b| a < b),
        "codes are in order and each stands once"
    );
    let mut cased = BTreeSet::new();
    for path in cases("bad") {
        let source = source(&path);
        let result = study::check(&source, &VOCABULARY);
        cased.extend(found(&result).iter().map(|diagnostic| diagnostic.code));
    }
    // Several files or the command line are needed for these: see `compose.rs`.
    cased.extend(compose::CODES);
    assert_eq!(cased, listed.into_iter().collect());
}

#[test]
fn every_example_is_answered_with_its_code() {
    for code in CODES.iter().filter(|code| !compose::CODES.contains(&code.code)) {
        let result = check(code.example);
        let codes: Vec<&str> = found(&result).iter().map(|diagnostic| diagnostic.code).collect();
        assert!(codes.contains(&code.code), "{}: {codes:?}", code.code);
    }
}

#[test]
fn mistakes_look_like_this() {
    let shown = [
        "five_mistakes",
        "five_syntax_errors",
        "open_bracket",
        "wrong_shape",
        "given_twice",
        "large_tail",
        "cycle",
        "grid_mistake_once",
        "unused_definition",
    ];
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("cases/rendered");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for name in shown {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/cases/bad")
            .join(format!("{name}.study"));
        let result = study::check(&source(&path), &VOCABULARY);
        settings.bind(|| insta::assert_snapshot!(name, render(found(&result))));
    }
}

#[test]
fn good_cases_check_without_a_warning() {
    for path in cases("good") {
        let source = source(&path);
        let (study, warnings) =
            study::check(&source, &VOCABULARY).unwrap_or_else(|found| panic!("{}", render(&found)));
        assert!(warnings.is_empty(), "{}", render(&warnings));
        let yaml = study::render(&study);
        let back: Study = serde_yaml::from_str(&yaml).unwrap();
        assert_eq!(study::render(&back), yaml, "{}", source.path.display());
    }
}

#[test]
fn table1_is_resolved_with_every_default() {
    let study = good("table1.study");
    assert_eq!(
        (study.title.as_str(), study.slug.as_str()),
        ("Table 1 on MNIST", "table1")
    );
    assert_eq!(study.seeds, [0, 1, 2]);
    let labels: Vec<&str> = study
        .cases
        .iter()
        .map(|case| case.levels[0].label.as_str())
        .collect();
    assert_eq!(labels, ["random", "pretrain"]);
    let of: Vec<&str> = study
        .cases
        .iter()
        .map(|case| case.records["g"].of.as_str())
        .collect();
    assert_eq!(of, ["lenet", "pretrained"]);

    let case = &study.cases[1];
    let train = &case.trains["pretrained"];
    assert_eq!(
        (train.of.as_str(), train.on.as_str(), train.epochs, train.batch),
        ("lenet", "mnist", 50, 128)
    );
    let optimizer = &train.optimizer.args;
    assert_eq!(
        (optimizer.number("lr"), optimizer.number("weight_decay")),
        (0.1, 5e-4)
    );
    assert!(!optimizer.boolean("nesterov"));
    assert_eq!(
        optimizer.0.len(),
        4,
        "the block's settings are not the optimizer's"
    );
    let decay = train.decay.as_ref().unwrap();
    assert_eq!(
        (decay.factor, decay.at.as_slice()),
        (0.1, &[Milestone::Fraction(0.4), Milestone::Fraction(0.8)][..])
    );
    assert_eq!(
        decay
            .at
            .iter()
            .map(|at| at.epoch(train.epochs))
            .collect::<Vec<_>>(),
        [20, 40]
    );

    let record = &case.records["g"];
    assert_eq!(
        (
            record.batch,
            record.iterations,
            record.order.as_str(),
            record.keep
        ),
        (100, 5000, "shuffled", false)
    );
    assert!(record.call.args.0.is_empty());
    let tails = &case.tests["tails"];
    assert_eq!(tails.along, [Direction::Dimension, Direction::Iteration]);
    assert_eq!(tails.call.args.call("tail").args.integer("k"), 1000);
    assert_eq!(
        (tails.call.args.number("alpha"), tails.call.args.text("ecdf")),
        (0.05, "left")
    );
    let table = &study.tables[0];
    assert_eq!(
        (table.mirrors, table.of.len(), table.columns.len()),
        (Some(1), 2, 5)
    );
    assert_eq!(
        table.caption.as_deref(),
        Some("Like the paper's; $\\hat{\\beta}$ in a \"caption\"")
    );
}

#[test]
fn milestones_are_epochs_or_fractions_and_numbers_are_canonical() {
    let study = good("milestones.study");
    let trains = &study.cases[0].trains;
    let at = |name: &str| trains[name].decay.as_ref().unwrap().at.clone();
    assert_eq!(at("first"), [Milestone::Epoch(20), Milestone::Fraction(0.8)]);
    assert_eq!(at("second"), [Milestone::Epoch(5)]);
    assert_eq!(trains["second"].decay.as_ref().unwrap().factor, 0.5);
    let momentum = trains["first"].optimizer.args.get("momentum");
    assert_eq!(
        momentum,
        Some(&Value::Number(0.0)),
        "`0` and `0.0` give one cached step"
    );
}

#[test]
fn a_grid_puts_in_names_numbers_and_calls() {
    let study = good("grid.study");
    assert_eq!(study.cases.len(), 16);
    let last = study.cases.last().unwrap();
    let labels: Vec<&str> = last.levels.iter().map(|level| level.label.as_str()).collect();
    assert_eq!(labels, ["wide", "10", "half", "2001"]);
    assert_eq!(last.models["m"].call.args.integer("logits"), 100);
    assert_eq!(
        (last.records["g"].batch, last.records["g"].iterations),
        (10, 2001)
    );
    assert_eq!(last.tests["t1"].call.args.call("tail").args.number("q"), 0.5);
    assert_eq!(study.cases[0].levels[0].label, "lenet");
    assert_eq!(study.cases[0].levels[2].label, "top(50)");
}

#[test]
fn every_default_is_a_value_of_its_type() {
    let blocks: Vec<&Signature> = STATEMENTS.iter().map(|kind| kind.block).collect();
    for signatures in [
        &blocks,
        VOCABULARY.datasets,
        VOCABULARY.optimizers,
        VOCABULARY.records,
        VOCABULARY.tests,
    ] {
        assert_eq!(study::faulty_defaults(signatures), [""; 0]);
    }
}

#[test]
fn brackets_may_nest_64_deep_and_no_deeper() {
    let nested = |depth: usize| format!("data d = {}0{}", "[".repeat(depth), "]".repeat(depth));
    let code = |depth: usize| found(&check(&nested(depth))).iter().next().unwrap().code;
    assert_eq!((code(64), code(65)), ("E0307", "E0106"));
}

#[test]
fn names_of_statements_that_cannot_be_read_are_not_called_unknown() {
    let text = "data d = mnist(\nmodels m = lenet\nrecord g = gradients(of: m, on: d)\ntest t = normality(g)";
    let codes: Vec<&str> = found(&check(text))
        .iter()
        .map(|diagnostic| diagnostic.code)
        .collect();
    assert_eq!(codes, ["E0105", "E0201"]);
}

#[test]
fn a_full_grid_is_checked() {
    let text = "data d = mnist\nmodel m = lenet\nvary b in 1..100\nvary i in 2001..2100\n\
        record g = gradients(of: m, on: d, batch: b, iterations: i)\ntest t = power_law(g)\n\
        table r { of: t  rows: [b, i]  columns: d_ks }";
    let (study, warnings) = check(text).unwrap_or_else(|found| panic!("{}", render(&found)));
    assert_eq!((study.cases.len(), warnings.len()), (10_000, 0));
}
