//! What editors/ holds agrees with the language.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use gradstudy::study::statements::STATEMENTS;
use serde_json::Value;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(path: &str) -> Value {
    serde_json::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn keywords() -> Vec<&'static str> {
    STATEMENTS.iter().map(|kind| kind.block.name).collect()
}

/// Every pattern that a part of the grammar includes is there.
fn includes<'a>(value: &'a Value, out: &mut HashSet<&'a str>) {
    match value {
        Value::Object(map) => {
            out.extend(map.get("include").and_then(Value::as_str));
            map.values().for_each(|value| includes(value, out));
        }
        Value::Array(list) => list.iter().for_each(|value| includes(value, out)),
        _ => {}
    }
}

#[test]
fn the_grammar_s_keywords_are_the_statements() {
    let grammar = json("vscode/syntaxes/study.tmLanguage.json");
    let pattern = grammar["repository"]["statement"]["match"].as_str().unwrap();
    let listed = pattern.split_once("\\b(").unwrap().1.split_once(')').unwrap().0;
    assert_eq!(
        listed.split('|').collect::<Vec<_>>(),
        keywords(),
        "editors/vscode/syntaxes/study.tmLanguage.json"
    );

    let emacs = read("README.md");
    let listed = emacs
        .split_once("(group (or ")
        .unwrap()
        .1
        .split_once("))")
        .unwrap()
        .0;
    let listed: Vec<&str> = listed.split('"').skip(1).step_by(2).collect();
    assert_eq!(listed, keywords(), "editors/README.md, Emacs");
}

#[test]
fn the_grammar_includes_only_what_it_has() {
    for (path, others) in [
        ("vscode/syntaxes/study.tmLanguage.json", vec![]),
        (
            "vscode/syntaxes/markdown-study.tmLanguage.json",
            vec!["source.study"],
        ),
    ] {
        let grammar = json(path);
        let mut used = HashSet::new();
        includes(&grammar, &mut used);
        assert!(!used.is_empty());
        for name in used.into_iter().filter(|name| !others.contains(name)) {
            let part = name.strip_prefix('#').unwrap_or_else(|| panic!("{path}: {name}"));
            assert!(grammar["repository"].get(part).is_some(), "{path}: {name}");
        }
    }
}

#[test]
fn the_extension_names_files_that_are_there() {
    let package = json("vscode/package.json");
    let contributes = &package["contributes"];
    let mut files = vec![package["main"].as_str().unwrap()];
    files.push(contributes["languages"][0]["configuration"].as_str().unwrap());
    files.extend(
        contributes["grammars"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["path"].as_str().unwrap()),
    );
    for file in files {
        assert!(!read(&format!("vscode/{file}")).is_empty());
    }
    assert_eq!(package["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        contributes["grammars"][0]["scopeName"],
        json("vscode/syntaxes/study.tmLanguage.json")["scopeName"]
    );
    json("vscode/language-configuration.json");
}
