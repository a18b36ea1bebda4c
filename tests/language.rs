//! The tables of docs/language.md are written from the registries: this test fails when they are stale, and rewrites
//! them when it is run with `GRADSTUDY_BLESS=1`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use gradstudy::lsp::describe::{nested, usage};
use gradstudy::report::{COLUMNS, ROW_KEYS};
use gradstudy::signature::{Default, Param, ParamType, Signature};
use gradstudy::study::describe_type;
use gradstudy::study::statements::{STATEMENTS, StatementKind, find};
use gradstudy::vocabulary::VOCABULARY;

const END: &str = "<!-- end -->";
const BLESS: &str = "GRADSTUDY_BLESS=1 cargo test --test main language";

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/language.md")
}

/// A row of a Markdown table; `|` would end a cell.
fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
        .replace("|  |", "| |")
        .replace("|  |", "| |")
}

fn head(cells: &[&str]) -> String {
    row(cells) + &row(&vec!["---"; cells.len()])
}

fn default(param: &Param) -> String {
    match param.default {
        Default::Required => "required".to_string(),
        Default::Absent => "none".to_string(),
        Default::Text(text) => format!("`{text}`"),
    }
}

/// A setting, and below it the calls that it takes.
fn setting(param: &Param) -> String {
    let ty = match param.ty {
        ParamType::List(ParamType::Word([])) => "a list of words".to_string(),
        _ => describe_type(&param.ty),
    };
    let mut out = row(&[&format!("`{}`", param.name), &ty, &default(param), param.doc]);
    for call in nested(&param.ty) {
        let settings = call.params.iter().map(|inner| {
            let default = match inner.default {
                Default::Text(text) => format!(", default `{text}`"),
                _ => String::new(),
            };
            format!(
                "; `{}`: {} ({}{default})",
                inner.name,
                inner.doc,
                describe_type(&inner.ty)
            )
        });
        let meaning = format!("{}{}", call.summary, settings.collect::<String>());
        out += &row(&[&format!("{}: `{}`", param.name, usage(call)), "", "", &meaning]);
    }
    out
}

fn settings(params: &[Param]) -> String {
    head(&["setting", "type", "default", "meaning"]) + &params.iter().map(setting).collect::<String>()
}

/// Built-ins with their settings; those that one shares with another above it stand once.
fn built_ins(signatures: &[&Signature]) -> String {
    let mut out = head(&["name", "type", "default", "meaning"]);
    let mut known = HashSet::new();
    for signature in signatures {
        out += &row(&[&format!("**`{}`**", signature.name), "", "", signature.summary]);
        let (new, old): (Vec<&Param>, Vec<&Param>) = signature
            .params
            .iter()
            .partition(|param| known.insert(setting(param)));
        out += &new.into_iter().map(setting).collect::<String>();
        if !old.is_empty() {
            let names: Vec<String> = old.iter().map(|param| format!("`{}`", param.name)).collect();
            out += &row(&[&names.join(", "), "", "", "as above"]);
        }
    }
    out
}

/// The section called `name`, as it should be.
fn section(name: &str) -> String {
    let v = &*VOCABULARY;
    match name {
        "statements" => {
            let rows = STATEMENTS.iter().map(|kind| {
                row(&[
                    &format!("`{}`", kind.block.name),
                    kind.block.summary,
                    &format!("`{}`", kind.example),
                ])
            });
            head(&["statement", "meaning", "example"]) + &rows.collect::<String>()
        }
        "datasets" => built_ins(v.datasets),
        "models" => built_ins(v.models),
        "layers" => built_ins(v.layers),
        "optimizers" => built_ins(v.optimizers),
        "recordings" => built_ins(v.records),
        "spectra" => built_ins(v.spectra),
        "tests" => built_ins(v.tests),
        "figures" => built_ins(v.figures),
        "columns" => {
            let rows = COLUMNS
                .iter()
                .map(|it| row(&[&format!("`{}`", it.name), it.heading, it.summary]));
            head(&["column", "heading", "meaning"]) + &rows.collect::<String>()
        }
        "row keys" => {
            let rows = ROW_KEYS
                .iter()
                .map(|it| row(&[&format!("`{}`", it.name), it.heading, it.summary]));
            head(&["row key", "heading", "meaning"]) + &rows.collect::<String>()
        }
        _ => {
            let keyword = name.strip_prefix("settings of ");
            let kind = keyword
                .and_then(find)
                .unwrap_or_else(|| panic!("docs/language.md: what is `{name}`?"));
            settings(kind.block.params)
        }
    }
}

/// Sections that the reference must have.
fn sections() -> Vec<String> {
    let v = &*VOCABULARY;
    let lists = [
        ("datasets", v.datasets),
        ("models", v.models),
        ("layers", v.layers),
        ("optimizers", v.optimizers),
        ("recordings", v.records),
        ("spectra", v.spectra),
        ("tests", v.tests),
        ("figures", v.figures),
    ];
    let mut names: Vec<String> = ["statements", "columns", "row keys"].map(String::from).to_vec();
    names.extend(
        lists
            .iter()
            .filter(|(_, list)| !list.is_empty())
            .map(|(name, _)| name.to_string()),
    );
    // A setting that each built-in of the statement has for itself is in the table of those.
    let own = |kind: &&StatementKind| {
        let built_ins = v.built_ins(kind.block.name).iter();
        let built_ins: Vec<_> = built_ins.filter(|it| !kind.more(it.name).is_empty()).collect();
        let has =
            |signature: &&Signature, name: &str| signature.params.iter().any(|param| param.name == name);
        let known = |param: &Param| !built_ins.is_empty() && built_ins.iter().all(|it| has(it, param.name));
        !kind.block.params.iter().all(known)
    };
    names.extend(
        STATEMENTS
            .iter()
            .filter(own)
            .map(|kind| format!("settings of {}", kind.block.name)),
    );
    names
}

/// `text` with every generated section written anew.
fn regenerated(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!-- generated: ") {
        let (name, after) = after.split_once(" -->\n").expect("a marker ends its line");
        let (_, after) = after
            .split_once(END)
            .unwrap_or_else(|| panic!("`{name}` has no {END}"));
        out += &format!("{before}<!-- generated: {name} -->\n{}{END}", section(name));
        rest = after;
    }
    out + rest
}

#[test]
fn the_reference_s_tables_are_the_registries() {
    let text = std::fs::read_to_string(path()).unwrap();
    for name in sections() {
        let marker = format!("<!-- generated: {name} -->\n");
        assert_eq!(
            text.matches(&marker).count(),
            1,
            "docs/language.md needs one `{}` … `{END}`",
            marker.trim_end()
        );
    }
    let new = regenerated(&text);
    if std::env::var_os("GRADSTUDY_BLESS").is_some() {
        std::fs::write(path(), new).unwrap();
        return;
    }
    let differs = text.lines().zip(new.lines()).find(|(old, new)| old != new);
    assert!(
        text == new,
        "docs/language.md is not what the registries say: run `{BLESS}`\nthere:  {}\nshould: {}",
        differs.map_or("(an end)", |(old, _)| old),
        differs.map_or("(another end)", |(_, new)| new)
    );
}

#[test]
fn a_stale_table_is_written_anew_and_prose_stays() {
    let stale = "before\n<!-- generated: row keys -->\nold\n<!-- end -->\nafter\n";
    let new = regenerated(stale);
    assert!(
        new.starts_with("before\n<!-- generated: row keys -->\n| row key |")
            && new.ends_with("<!-- end -->\nafter\n")
    );
    assert_eq!(regenerated(&new), new);
    assert_eq!(regenerated("nothing generated\n"), "nothing generated\n");
}
