//! `gradstudy lsp`: the real server driven by a scripted client, and what it knows of texts that are being written.

#[path = "lsp/client.rs"]
mod client;
#[path = "lsp/outline.rs"]
mod outline;
#[path = "lsp/places.rs"]
mod places;
#[path = "lsp/rename.rs"]
mod rename;
#[path = "lsp/session.rs"]
mod session;

use std::path::Path;

/// The studies of the project that are as they should be.
fn good_studies() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["studies", "templates/studies", "tests/cases/good"];
    let files = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap());
    let paths = files.map(|entry| entry.unwrap().path());
    let studies: Vec<(String, String)> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "study"))
        .map(|path| {
            (
                path.display().to_string(),
                std::fs::read_to_string(&path).unwrap(),
            )
        })
        .collect();
    assert!(studies.len() > 8);
    studies
}
