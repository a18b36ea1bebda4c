//! No text makes the front end panic, and every span lies in its text.

use std::path::Path;

use gradstudy::study;
use gradstudy::syntax::ast::{Expr, ExprKind};
use gradstudy::syntax::{Source, Span};
use proptest::prelude::*;

use super::vocabulary::VOCABULARY;
use super::{found, render};

/// Every span of a tree, to see that each lies in its text.
fn spans(expr: &Expr, out: &mut Vec<Span>) {
    out.push(expr.span);
    match &expr.kind {
        ExprKind::List(entries) => {
            for entry in entries {
                out.extend(entry.label.as_ref().map(|label| label.span));
                spans(&entry.value, out);
            }
        }
        ExprKind::Call { name, arguments } => {
            out.push(name.span);
            for argument in arguments {
                out.extend(argument.key.as_ref().map(|key| key.span));
                spans(&argument.value, out);
            }
        }
        ExprKind::Infix { left, word, right } => {
            out.push(word.span);
            spans(left, out);
            spans(right, out);
        }
        _ => {}
    }
}

fn holds_for(text: &str) -> Result<(), TestCaseError> {
    let source = Source::new("any.study", text);
    let parsed = gradstudy::syntax::parse(&source);
    let mut all: Vec<Span> = parsed
        .diagnostics
        .iter()
        .flat_map(|found| &found.labels)
        .map(|label| label.0)
        .collect();
    for statement in &parsed.statements {
        all.push(statement.head());
        if let Some(binding) = &statement.binding {
            spans(&binding.value, &mut all);
        }
        if let Some(block) = &statement.block {
            all.push(block.span);
            block
                .fields
                .iter()
                .for_each(|field| spans(&field.value, &mut all));
            block
                .asserts
                .iter()
                .for_each(|assert| spans(&assert.value, &mut all));
        }
    }
    for span in all {
        prop_assert!(
            span.start <= span.end && text.get(span.start..span.end).is_some(),
            "{span:?} in {text:?}"
        );
    }
    render(found(&study::check(&source, &VOCABULARY)));
    Ok(())
}

/// The language's own pieces in any order: far likelier than random letters to reach the checker.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "study",
        "data",
        "model",
        "train",
        "vary",
        "record",
        "test",
        "table",
        "use",
        "figure",
        "d",
        "m",
        "g",
        "=",
        "in",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        ",",
        ";",
        "..",
        "0",
        "2",
        "44_426",
        "5e-4",
        "1e999",
        "40%",
        "-",
        "\"a\"",
        "\"",
        "\\",
        "\n",
        "\nmodel m = lenet",
        "\ndata d = mnist",
        "# é\n",
        "é",
        "at",
        "with",
        "assert",
        "parameters",
        "==",
        "true",
        "lenet",
        "mnist",
        "sgd",
        "gradients",
        "power_law",
        "of: m",
        "on: d",
        "lr: 0.1",
        "tail: top(1000)",
        "seeds: 0..2",
        "99999999999999999999",
    ]);
    let gap = prop::sample::select(vec!["", " ", " ", " "]);
    prop::collection::vec((piece, gap), 0..40)
        .prop_map(|parts| parts.into_iter().flat_map(|(piece, gap)| [piece, gap]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn any_text_is_answered_without_a_panic(text in any::<String>()) {
        holds_for(&text)?;
    }

    #[test]
    fn any_pieces_of_the_language_are_answered_without_a_panic(text in pieces()) {
        holds_for(&text)?;
    }

    #[test]
    fn a_study_with_a_hole_is_answered_without_a_panic(start in 0usize..900, length in 1usize..40, put in "\\PC{0,2}") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/good/table1.study");
        let text = std::fs::read_to_string(path).unwrap();
        let floor = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let (start, end) = (floor(start), floor(start + length));
        holds_for(&format!("{}{put}{}", &text[..start], &text[end..]))?;
    }
}
