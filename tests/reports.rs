//! The committed reports: each is what this gradstudy makes of its results.

use std::path::Path;

use gradstudy::report::Templates;
use gradstudy::run::Run;
use gradstudy::run::find::all;

fn reports() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reports")
}

/// Where this fails because templates changed: `gradstudy report RUN` for each run of `reports`.
#[test]
fn committed_reports_are_what_their_results_give() {
    let runs: Vec<_> = all(&reports())
        .unwrap()
        .into_iter()
        // What a user's own runs leave there is not committed.
        .filter(|run| !["quickstart", "table1-random"].contains(&run.slug.as_str()))
        .collect();
    assert!(runs.len() >= 2, "{runs:?}");
    for run in runs {
        let directory = tempfile::tempdir().unwrap();
        let written = Run::open(&run.folder)
            .unwrap()
            .render(directory.path(), &Templates::embedded())
            .unwrap();
        for path in written {
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
