//! What can be formatted says the same afterwards, and is not changed by formatting it again.
#![no_main]

use gradstudy::syntax::{Source, format, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(once) = format(&Source::new("fuzz.study", text)) else { return };
    let source = Source::new("fuzz.study", once.as_str());
    match format(&source) {
        Ok(twice) => assert_eq!(once, twice),
        Err(found) => panic!("the layout does not parse: {found}\n{once}"),
    }
    let keywords = |text: &str| -> Vec<String> {
        let parsed = parse(&Source::new("fuzz.study", text));
        parsed.statements.into_iter().map(|statement| statement.keyword.value).collect()
    };
    assert_eq!(keywords(text), keywords(&once));
});
