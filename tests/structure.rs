//! The folders show the flow: a module imports only those that `lib.rs` lists above it.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The folders of sources: gradstudy's own and those of its crates.
fn folders() -> Vec<PathBuf> {
    let crates = fs::read_dir(root().join("crates")).unwrap();
    let mut folders: Vec<PathBuf> = crates.map(|entry| entry.unwrap().path().join("src")).collect();
    folders.push(root().join("src"));
    folders
}

/// The modules that a crate declares, in their order.
fn modules(folder: &Path) -> Vec<String> {
    let lib = fs::read_to_string(folder.join("lib.rs")).unwrap();
    lib.lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(String::from)
        .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let files = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap().into_path());
    files
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect()
}

/// The part of a file before its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.split("#[cfg(test)]\nmod tests").next().unwrap().to_string()
}

fn module_of(folder: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(folder).unwrap();
    relative
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_str()
        .unwrap()
        .trim_end_matches(".rs")
        .to_string()
}

/// Crates whose modules stand in the order in which they may use each other; the compiler orders the crates.
const ORDERED: [&str; 5] = [
    "crates/gradstudy-base",
    "crates/gradstudy-lang",
    "crates/gradstudy-nn",
    "crates/gradstudy-report",
    "",
];

#[test]
fn modules_import_only_those_above_them() {
    let mut checked = 0;
    for folder in ORDERED.map(|name| root().join(name).join("src")) {
        let order = modules(&folder);
        let rank = |module: &str| order.iter().position(|m| m == module);
        for path in sources(&folder) {
            let Some(own) = rank(&module_of(&folder, &path)) else {
                continue;
            };
            for part in code(&path).split("crate::").skip(1) {
                let used: String = part
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                // What is none of this crate's modules is another crate, under the name that lib.rs gives it.
                if let Some(used) = rank(&used) {
                    assert!(
                        used <= own,
                        "{} imports {}, which comes later",
                        path.display(),
                        order[used]
                    );
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 300, "{checked}");
}

#[test]
fn only_the_command_line_prints_or_reads_the_environment() {
    let command_line = root().join("src/cli");
    for path in folders()
        .iter()
        .flat_map(|folder| sources(folder))
        .filter(|path| !path.starts_with(&command_line) && !path.ends_with("tests.rs"))
    {
        let code = code(&path);
        for word in [
            "println!",
            "eprintln!",
            "print!(",
            "env::var",
            "process::exit",
            "dbg!",
        ] {
            assert!(!code.contains(word), "{} has {word}", path.display());
        }
    }
}

#[test]
fn the_front_end_and_the_statistics_know_no_tensors() {
    for name in ["lang", "stats"] {
        for path in sources(&root().join(format!("crates/gradstudy-{name}"))) {
            assert!(!code(&path).contains("burn"), "{} mentions burn", path.display());
        }
    }
}

#[test]
fn every_model_data_set_and_optimizer_file_is_in_its_list() {
    for (folder, trait_name) in [
        ("crates/gradstudy-nn/src/models", "ModelKind"),
        ("crates/gradstudy-nn/src/optimizers", "OptimizerKind"),
        ("crates/gradstudy-data/src", "DatasetKind"),
    ] {
        let list = fs::read_to_string(root().join(folder).join("mod.rs"))
            .or_else(|_| fs::read_to_string(root().join(folder).join("lib.rs")))
            .unwrap();
        for path in sources(&root().join(folder)) {
            let text = fs::read_to_string(&path).unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap().to_string();
            if !["mod", "lib"].contains(&name.as_str())
                && text.contains(&format!("impl {trait_name} for"))
                && text.contains("SIGNATURE: Signature")
            {
                assert!(
                    list.contains(&format!("&{name}::")),
                    "{} is not in the list of {folder}",
                    path.display()
                );
            }
        }
    }
}
