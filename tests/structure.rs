//! The folders show the flow: a module imports only those that `lib.rs` lists above it.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn modules() -> Vec<String> {
    let lib = fs::read_to_string(root().join("lib.rs")).unwrap();
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

fn module_of(path: &Path) -> String {
    let relative = path.strip_prefix(root()).unwrap();
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

#[test]
fn modules_import_only_those_above_them() {
    let order = modules();
    let rank = |module: &str| order.iter().position(|m| m == module);
    for path in sources(&root()) {
        let Some(own) = rank(&module_of(&path)) else {
            continue;
        };
        for part in code(&path).split("crate::").skip(1) {
            let used: String = part
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            let used =
                rank(&used).unwrap_or_else(|| panic!("{}: crate::{used} is no module", path.display()));
            assert!(
                used <= own,
                "{} imports {}, which comes later",
                path.display(),
                order[used]
            );
        }
    }
}

#[test]
fn only_the_command_line_prints_or_reads_the_environment() {
    for path in sources(&root())
        .into_iter()
        .filter(|path| module_of(path) != "cli" && !path.ends_with("tests.rs"))
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
    for module in ["syntax", "study", "stats"] {
        for path in sources(&root().join(module)) {
            assert!(!code(&path).contains("burn"), "{} mentions burn", path.display());
        }
    }
}

#[test]
fn every_model_data_set_and_optimizer_file_is_in_its_list() {
    for (folder, trait_name) in [
        ("models", "ModelKind"),
        ("optimizers", "OptimizerKind"),
        ("data", "DatasetKind"),
    ] {
        let list = fs::read_to_string(root().join(folder).join("mod.rs")).unwrap();
        for path in sources(&root().join(folder)) {
            let text = fs::read_to_string(&path).unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap().to_string();
            if name != "mod"
                && text.contains(&format!("impl {trait_name} for"))
                && text.contains("SIGNATURE: Signature")
            {
                assert!(
                    list.contains(&format!("&{name}::")),
                    "{} is not in {folder}/mod.rs",
                    path.display()
                );
            }
        }
    }
}
