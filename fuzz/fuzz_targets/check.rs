//! Any text is a study or is answered with diagnostics whose places lie in it.
#![no_main]

use gradstudy::study::{check, render};
use gradstudy::syntax::Source;
use libfuzzer_sys::{Corpus, fuzz_target};

#[path = "../../tests/check/vocabulary.rs"]
mod vocabulary;

fuzz_target!(|text: &str| -> Corpus {
    // Other files are not this target's concern: what the fuzzer would read is whatever lies about.
    if text.contains("use") {
        return Corpus::Reject;
    }
    let found = match check(&Source::new("fuzz.study", text), &vocabulary::VOCABULARY) {
        Ok((study, warnings)) => {
            render(&study);
            warnings
        }
        Err(mistakes) => mistakes,
    };
    for (span, _) in found.iter().flat_map(|found| &found.labels) {
        assert!(text.get(span.start..span.end).is_some(), "{span:?}");
    }
    Corpus::Keep
});
