//! A study with one name changed everywhere is the same study.

use std::path::Path;
use std::sync::Arc;

use gradstudy::lsp::names::{RenameError, Workspace};
use gradstudy::lsp::project::{File, Project};
use gradstudy::study::{Vocabulary, check, render};
use gradstudy::syntax::Source;

use crate::check::vocabulary::VOCABULARY;

fn workspace(text: &str) -> Workspace {
    let file = Arc::new(File::new("test.study", text));
    Workspace {
        projects: vec![Project::of(file, &|_| None)],
    }
}

fn renamed(text: &str, old: &str, new: &str, vocabulary: &Vocabulary) -> Result<String, RenameError> {
    let found = workspace(text).rename(Path::new("test.study"), old, new, vocabulary)?;
    let mut out = text.to_string();
    for mention in found.iter().flat_map(|(_, mentions)| mentions).rev() {
        out.replace_range(mention.span.start..mention.span.end, new);
    }
    Ok(out)
}

#[test]
fn every_name_of_every_study_can_be_changed_and_nothing_else_changes() {
    let real = &*gradstudy::vocabulary::VOCABULARY;
    let mut count = 0;
    for (path, text) in super::good_studies() {
        let vocabulary: &Vocabulary = if path.contains("cases") { &VOCABULARY } else { real };
        let shown = |text: &str| {
            let checked = check(&Source::new("test.study", text), vocabulary);
            checked.map(|(study, _)| render(&study))
        };
        // Whether they are as they should be is another test's concern.
        let Ok(before) = shown(&text) else { continue };
        let file = File::new("test.study", text.as_str());
        for (name, _) in file.names() {
            let new = "quite_another_name";
            let changed = renamed(&text, name, new, vocabulary).unwrap();
            assert_ne!(changed, text, "{path}: {name}");
            assert_eq!(
                shown(&changed).unwrap().replace(new, name),
                before,
                "{path}: {name}"
            );
            assert_eq!(
                renamed(&changed, new, name, vocabulary).as_deref(),
                Ok(&*text),
                "{path}: {name}, back"
            );
            count += 1;
        }
    }
    assert!(count > 40, "{count} names");
}

#[test]
fn a_name_that_would_mean_something_else_is_refused() {
    let text = "data d = mnist(normalize: none)\nvary b in [1, 10]\nmodel m = lenet\n\
        record g = gradients(of: m, on: d, batch: b, order: shuffled)\ntest t = normality(h)\n\
        table r { of: t  rows: [b, sg_type]  columns: p_value }\n";
    let refused = |old: &str, new: &str| renamed(text, old, new, &VOCABULARY).unwrap_err();
    assert!(matches!(refused("b", "g"), RenameError::Taken { .. }));
    assert!(
        matches!(refused("b", "shuffled"), RenameError::Captures { line: 4, .. }),
        "a factor's name is replaced"
    );
    assert!(
        matches!(refused("b", "mnist"), RenameError::Captures { line: 1, .. }),
        "so are callees"
    );
    assert!(
        matches!(refused("g", "h"), RenameError::Captures { line: 5, .. }),
        "an unknown name would be known"
    );
    assert!(matches!(refused("b", "batch"), RenameError::RowKey(_)));
    assert!(matches!(refused("b", "é"), RenameError::NotAName(_)));
    // A built-in may share its name with a model: they stand at different places.
    assert!(
        renamed(text, "m", "lenet", &VOCABULARY)
            .unwrap()
            .contains("model lenet = lenet\n")
    );
}
