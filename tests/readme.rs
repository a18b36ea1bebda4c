//! The tables of README.md are those that its commands give.

use std::fs;
use std::path::Path;

use crate::support::Gradstudy;

/// The cells of the rows of the first table in Markdown; bold as if it were not, and every space the same.
fn rows(markdown: &str) -> Vec<Vec<String>> {
    let lines = markdown.lines().skip_while(|line| !line.starts_with('|'));
    let table = lines.take_while(|line| line.starts_with('|'));
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim_matches('|').split('|');
        inner
            .map(|cell| cell.trim().replace("**", "").replace(char::is_whitespace, " "))
            .collect()
    };
    // The second line is a rule.
    table
        .enumerate()
        .filter(|(i, _)| *i != 1)
        .map(|(_, line)| cells(line))
        .collect()
}

/// Whether `part` is left of `whole` when some of its cells are taken away.
fn is_part(part: &[String], whole: &[String]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|cell| rest.any(|other| other == cell))
}

/// The first table of README.md after `mark` holds rows and columns of `table` of a project's study.
fn assert_shown(mark: &str, study: &str, table: &str) {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(project.join("README.md")).unwrap();
    let (_, after) = readme
        .split_once(mark)
        .unwrap_or_else(|| panic!("README.md says no longer: {mark}"));
    let gradstudy = Gradstudy::new("");
    let path = project.join("studies").join(study);
    gradstudy.run(&["run", path.to_str().unwrap()]).success();
    let files = walkdir::WalkDir::new(gradstudy.path().join("reports"));
    let mut files = files.into_iter().map(|entry| entry.unwrap().into_path());
    let file = files
        .find(|path| path.ends_with(table))
        .unwrap_or_else(|| panic!("{study}: no {table}"));
    let made = rows(&fs::read_to_string(file).unwrap());
    let shown = rows(after);
    assert!(shown.len() > 1, "{mark}: no table");
    for row in shown {
        assert!(
            made.iter().any(|made| is_part(&row, made)),
            "{study}: {row:?} is not in {made:#?}"
        );
    }
}

#[test]
fn the_first_table_is_that_of_the_quickstart() {
    assert_shown(
        "The first command needs only Rust",
        "quickstart.study",
        "table1.md",
    );
}

#[test]
#[ignore = "a minute; .ci/run runs it"]
fn the_other_tables_are_those_of_their_studies() {
    assert_shown(
        "## Learning with noisy labels",
        "noisy_labels.study",
        "noise_table.md",
    );
    assert_shown("## A network of your own", "own_networks.study", "by_layer.md");
}
