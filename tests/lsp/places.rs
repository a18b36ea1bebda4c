//! However a text is broken, asking about any place in it gives an answer.

use std::sync::Arc;

use gradstudy::lsp::at::Scope;
use gradstudy::lsp::completion::complete;
use gradstudy::lsp::hover::hover;
use gradstudy::lsp::names::{mention, mentions, name_at};
use gradstudy::lsp::project::{File, Project};
use proptest::prelude::*;

use crate::check::vocabulary::VOCABULARY;

fn ask_everywhere(text: &str, step: usize) -> Result<(), TestCaseError> {
    let project = Project::of(Arc::new(File::new("test.study", text)), &|_| None);
    let scope = Scope {
        project: &project,
        vocabulary: &VOCABULARY,
    };
    let file = &project.files[0];
    for word in &file.outline.words {
        prop_assert!(text.get(word.span.start..word.span.end).is_some());
        if let Some(found) = mention(scope, 0, word) {
            prop_assert!(word.span.start <= found.span.start && found.span.end <= word.span.end);
            prop_assert!(mentions(scope, 0, file.at(found.span)).contains(&found));
        }
    }
    for offset in (0..=text.len())
        .filter(|offset| text.is_char_boundary(*offset))
        .step_by(step)
    {
        complete(scope, offset, true);
        hover(scope, offset);
        name_at(scope, offset);
    }
    Ok(())
}

const COMPOSED: &str = include_str!("../cases/good/composed.study");

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn of_a_study_with_a_hole(at in 0..COMPOSED.len(), length in 0..60usize, noise in "[ a-z={}()\\[\\]:,\"#é\n]{0,8}") {
        let floor = |at: usize| (0..=at.min(COMPOSED.len())).rev().find(|at| COMPOSED.is_char_boundary(*at)).unwrap();
        let text = format!("{}{noise}{}", &COMPOSED[..floor(at)], &COMPOSED[floor(at + length)..]);
        ask_everywhere(&text, 7)?;
    }

    #[test]
    fn of_any_text(text in "[ a-c0-9={}()\\[\\]:,.;\"#é𝛽\n-]{0,60}") {
        ask_everywhere(&text, 1)?;
    }
}

#[test]
fn names_that_stand_for_one_another_come_to_an_end() {
    ask_everywhere(
        "let a = b\nlet b = a\nvary c in [a, b, c]\nmodel m = c(d: like(m))\nrecord m = like(m)\n",
        1,
    )
    .unwrap();
    let lets: String = (0..60)
        .map(|i| format!("let v{i} = [v{}, v{}]\n", (i + 1) % 60, (i + 7) % 60))
        .collect();
    let begin = std::time::Instant::now();
    ask_everywhere(&lets, 13).unwrap();
    assert!(begin.elapsed().as_secs() < 60, "{:?}", begin.elapsed());
}
