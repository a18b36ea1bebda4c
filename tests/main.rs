//! All integration tests in one binary: each further one would link burn again.

mod augment;
mod bad_input;
mod check;
mod cli;
mod data;
mod devices;
mod diff;
mod docs;
mod editors;
mod exports;
mod figure_numbers;
mod figures;
mod first_hour;
mod fmt;
mod gradients;
mod hessian;
mod html;
#[cfg(feature = "kernels")]
mod kernels;
mod language;
mod lsp;
mod magnitudes;
mod measures;
mod models;
mod networks;
mod new;
mod optimizers;
mod own_history;
mod own_numbers;
mod paths;
mod readme;
mod reliability;
mod report;
mod reports;
mod runs;
mod scan;
mod sensitivity;
mod spectra;
mod statistics;
mod step_ids;
mod structure;
mod submission;
mod support;
mod sweeps;
mod table1;
mod terminal;
mod worked_examples;

#[test]
fn no_test_file_is_forgotten() {
    let main = include_str!("main.rs");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "rs") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_string();
            assert!(
                name == "main" || main.contains(&format!("mod {name};")),
                "tests/{name}.rs is not in main.rs"
            );
        }
    }
}
