//! Any text parses or is answered with diagnostics whose places lie in it.
#![no_main]

use gradstudy::syntax::{Source, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let parsed = parse(&Source::new("fuzz.study", text));
    for (span, _) in parsed.diagnostics.iter().flat_map(|found| &found.labels) {
        assert!(text.get(span.start..span.end).is_some(), "{span:?}");
    }
    for statement in &parsed.statements {
        let span = statement.keyword.span;
        assert_eq!(&text[span.start..span.end], statement.keyword.value);
    }
});
