//! The language server's outline of any text: words lie in it and stand in order, and every place has a cursor. On
//! text that parses, keywords are those of the tree.
#![no_main]

use gradstudy::lsp::outline::{Outline, Role};
use gradstudy::syntax::{Source, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let outline = Outline::of(text);
    let mut end = 0;
    for word in &outline.words {
        assert!(end <= word.span.start && text.get(word.span.start..word.span.end).is_some());
        end = word.span.end;
    }
    let offsets = (0..=text.len()).filter(|at| text.is_char_boundary(*at));
    for offset in offsets.step_by(1 + text.len() / 64) {
        Outline::cursor(text, offset);
    }
    let parsed = parse(&Source::new("fuzz.study", text));
    if parsed.diagnostics.is_empty() {
        // To an editor, `vary name in` is a statement that is being written; to the parser, `in` is a statement alone.
        let keywords = parsed.statements.iter().map(|statement| &statement.keyword);
        let tree: Vec<_> = keywords.filter(|it| it.value != "in").map(|it| it.span).collect();
        let words = outline.words.iter().filter(|word| word.role == Role::Keyword);
        let words = words.filter(|word| &text[word.span.start..word.span.end] != "in");
        assert_eq!(words.map(|word| word.span).collect::<Vec<_>>(), tree);
    }
});
