//! The ids of all steps of the studies that gradstudy carries: what is in people's caches stays found.
//!
//! `GRADSTUDY_BLESS=1` writes the file anew, after a version was raised knowingly; CHANGELOG says which and why.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use gradstudy::data::SearchPath;
use gradstudy::plan;
use gradstudy::study::{self, Overrides};
use gradstudy::syntax::Source;
use gradstudy::vocabulary::VOCABULARY;

use crate::support::tools;

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The profiles that a study's text declares, and none.
fn profiles(source: &Source) -> Vec<Option<String>> {
    let named = source
        .text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("profile "));
    let named = named.filter_map(|rest| Some(Some(rest.split('{').next()?.trim().to_string())));
    std::iter::once(None).chain(named).collect()
}

/// For each kind of step how many there are, and the hash of their ids in the order of the plan; none where data lack.
fn lines(path: &Path, profile: Option<String>, search: &SearchPath) -> Option<String> {
    let source = Source::read(path).unwrap();
    let name = path.file_stem().unwrap().to_str().unwrap();
    let title = profile
        .as_ref()
        .map_or(name.to_string(), |profile| format!("{name} ({profile})"));
    let overrides = Overrides {
        profile,
        ..Overrides::default()
    };
    let (study, _) = study::check_with(&source, &overrides, &VOCABULARY).unwrap();
    let plan = plan::lower(&study, search).ok()?;
    let mut kinds: BTreeMap<&str, (usize, blake3::Hasher)> = BTreeMap::new();
    for step in &plan.steps {
        let (count, hash) = kinds.entry(step.key.operation.verb()).or_default();
        *count += 1;
        hash.update(step.id.0.as_bytes());
    }
    let mut lines = String::new();
    for (kind, (count, hash)) in kinds {
        let hash = &hash.finalize().to_hex()[..16];
        writeln!(lines, "{title}: {kind} {count} {hash}").unwrap();
    }
    Some(lines)
}

#[test]
fn steps_of_the_studies_keep_their_ids() {
    let search = SearchPath::new(
        std::env::var_os("GRADSTUDY_DATA")
            .map(|folder| ("GRADSTUDY_DATA".to_string(), folder.into()))
            .into_iter()
            .collect(),
    );
    let mut paths: Vec<PathBuf> = std::fs::read_dir(file("studies"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_stem().is_some_and(|name| name != "common"))
        .filter(|path| path.extension().is_some_and(|ending| ending == "study"))
        .collect();
    paths.sort();
    let pinned_file = file("tests/step_ids/studies.txt");
    let pinned = std::fs::read_to_string(&pinned_file).unwrap_or_default();
    let (mut found, mut skipped) = (String::new(), Vec::new());
    for path in &paths {
        for profile in profiles(&Source::read(path).unwrap()) {
            match lines(path, profile.clone(), &search) {
                Some(lines) => found += &lines,
                None => skipped.push((path.clone(), profile)),
            }
        }
    }
    if !skipped.is_empty() {
        let what = format!("data of {} studies are not on this machine", skipped.len());
        tools::lacks("mnist", &what);
    } else if std::env::var_os("GRADSTUDY_BLESS").is_some() {
        std::fs::create_dir_all(pinned_file.parent().unwrap()).unwrap();
        std::fs::write(&pinned_file, &found).unwrap();
        return;
    }
    assert!(found.lines().count() > 10, "{found}");
    let lost: Vec<&str> = found
        .lines()
        .filter(|line| !pinned.lines().any(|it| it == *line))
        .collect();
    assert!(lost.is_empty(), "other ids than before:\n{}", lost.join("\n"));
    if skipped.is_empty() {
        assert_eq!(found, pinned);
    }
}
