//! Studies and documents are inputs of tests.

use std::fs;
use std::path::{Path, PathBuf};

use gradstudy::study::check;
use gradstudy::syntax::Source;
use gradstudy::vocabulary::VOCABULARY;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
fn checks(name: &str, text: &str) {
    let source = Source::new(name, text);
    match check(&source, &VOCABULARY) {
        Ok((_, warnings)) => assert!(
            warnings.is_empty(),
            "{name}: {:?}",
            warnings.iter().collect::<Vec<_>>()
        ),
        Err(errors) => panic!("{name}: {:?}", errors.iter().collect::<Vec<_>>()),
    }
}

/// Blocks of a Markdown file fenced as ```study.
fn studies_in(text: &str) -> Vec<&str> {
    text.split("```study\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

#[test]
fn every_study_of_the_project_checks_without_a_warning() {
    let studies = fs::read_dir(root().join("studies"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut count = 0;
    for path in studies.filter(|path| path.extension().is_some_and(|e| e == "study")) {
        checks(&path.display().to_string(), &fs::read_to_string(&path).unwrap());
        count += 1;
    }
    assert!(count >= 3, "{count} studies");
}

#[test]
fn every_study_in_the_documents_checks() {
    let mut count = 0;
    for name in ["README.md", "docs/language.md", "docs/networks.md"] {
        for (i, study) in studies_in(&fs::read_to_string(root().join(name)).unwrap())
            .into_iter()
            .enumerate()
        {
            checks(&format!("{name}, study {}", i + 1), study);
            count += 1;
        }
    }
    assert!(count >= 2, "{count} studies");
}

#[test]
fn the_language_reference_names_every_built_in_and_every_setting() {
    let text = fs::read_to_string(root().join("docs/language.md")).unwrap();
    let v = &*VOCABULARY;
    for signature in [v.datasets, v.models, v.layers, v.optimizers, v.records, v.tests].concat() {
        assert!(
            text.contains(&format!("`{}`", signature.name)),
            "`{}` is not in docs/language.md",
            signature.name
        );
        for param in signature.params {
            assert!(
                text.contains(&format!("`{}`", param.name)),
                "`{}` is not in docs/language.md",
                param.name
            );
        }
    }
    for name in v.columns.iter().chain(v.row_keys) {
        assert!(
            text.contains(&format!("`{name}`")),
            "`{name}` is not in docs/language.md"
        );
    }
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let mut inside = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == "[workspace.dependencies]";
        } else if let (true, Some((name, _))) = (inside, line.split_once(" =")) {
            assert!(
                text.contains(&format!("`{name}`")),
                "`{name}` has no reason in docs/architecture.md"
            );
        }
    }
}

#[test]
fn paths_in_the_architecture_exist() {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let mut count = 0;
    for word in text.split('`').skip(1).step_by(2) {
        let folders = ["src/", "crates/", "tests/", "grammar/"];
        if folders.iter().any(|folder| word.starts_with(folder)) {
            assert!(Path::new(&root()).join(word).exists(), "{word} is not there");
            count += 1;
        }
    }
    assert!(count > 10, "{count} paths");
}
