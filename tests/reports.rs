//! The committed reports: each is what this gradstudy makes of its results.

use std::path::Path;

use gradstudy::report::Templates;
use gradstudy::run::find::{Found, all};
use gradstudy::run::{Layout, Run, open_manifest};
use gradstudy::study::{Overrides, check_with};
use gradstudy::syntax::Source;
use gradstudy::vocabulary::VOCABULARY;

fn reports() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reports")
}

fn committed() -> Vec<Found> {
    let runs = all(&reports()).unwrap().into_iter();
    // What a user's own runs leave there is not committed.
    runs.filter(|run| !["quickstart", "table1-random"].contains(&run.slug.as_str()))
        .collect()
}

/// Where this fails because templates changed: `gradstudy report RUN` for each run of `reports`.
#[test]
fn committed_reports_are_what_their_results_give() {
    let runs = committed();
    assert!(runs.len() >= 2, "{runs:?}");
    for run in runs {
        let directory = tempfile::tempdir().unwrap();
        let written = Run::open(&run.folder)
            .unwrap()
            .render(directory.path(), &Templates::embedded())
            .unwrap();
        for path in written.files {
            let committed = run.folder.join(path.file_name().unwrap());
            let [now, then] = [&path, &committed].map(|path| std::fs::read(path).unwrap_or_default());
            assert!(
                now == then,
                "{} is another: `gradstudy report {}`",
                committed.display(),
                run.id()
            );
        }
    }
}

/// `layout.yaml` is what the study in `studies/` asks for, by the command that made the run. `GRADSTUDY_BLESS=1` writes
/// it anew.
#[test]
fn committed_layouts_are_of_their_studies() {
    let bless = std::env::var_os("GRADSTUDY_BLESS").is_some();
    for run in committed() {
        let command = open_manifest(&run.folder).unwrap().command;
        let words: Vec<&str> = command.splitn(5, ' ').collect();
        let ["gradstudy", "run", study, changes @ ..] = words.as_slice() else {
            panic!("{command}");
        };
        let set = match changes {
            [] => Vec::new(),
            ["--set", change] => vec![change.trim_matches('\'').to_string()],
            _ => panic!("{command}"),
        };
        let source = Source::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(study)).unwrap();
        let overrides = Overrides { profile: None, set };
        let (checked, _) =
            check_with(&source, &overrides, &VOCABULARY).unwrap_or_else(|found| panic!("{study}: {found:?}"));
        let layout = serde_yaml::to_string(&Layout::of(&checked)).unwrap();
        let path = run.folder.join("layout.yaml");
        if bless {
            std::fs::write(&path, &layout).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap();
        assert_eq!(layout, committed, "{}", path.display());
    }
}
