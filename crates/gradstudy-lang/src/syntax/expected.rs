//! The grammar's rules in the words of the language.

use super::parser::Rule;

/// What a reader calls the rule. Exhaustive, so that a new rule does not compile until someone decides.
/// `None`: a rule that is never worth naming by itself.
fn words(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::file | Rule::lone_value | Rule::WHITESPACE | Rule::COMMENT => return None,
        Rule::blank | Rule::separator | Rule::operand | Rule::decimal | Rule::sign | Rule::digits => {
            return None;
        }
        Rule::word | Rule::word_char => return None,
        Rule::EOI => "the end of the file",
        Rule::statement | Rule::head | Rule::keyword => "a statement",
        Rule::name => "a name",
        Rule::binding => "`=`",
        Rule::assign => "`=`",
        Rule::within => "`in`",
        Rule::block | Rule::open_brace => "`{`",
        Rule::close_brace => "`}`",
        Rule::open_bracket => "`[`",
        Rule::close_bracket => "`]`",
        Rule::open_paren => "`(`",
        Rule::close_paren => "`)`",
        Rule::colon => "`:`",
        Rule::comma => "`,`",
        Rule::dots => "`..`",
        Rule::field | Rule::key | Rule::argument => "a `key: value`",
        Rule::assertion | Rule::assert_word => "`assert`",
        Rule::subject => "what to assert",
        Rule::comparison => "a comparison (`==`, `<=` …)",
        Rule::infix => "`at` or `with`",
        Rule::bound => "a whole number",
        Rule::value | Rule::range | Rule::percent | Rule::number | Rule::text => "a value",
        Rule::bare | Rule::list | Rule::call | Rule::callee | Rule::entry | Rule::label => "a value",
    })
}

/// "`,` or `)`" for the rules that could have gone on at the place of a syntax error.
pub(super) fn describe(rules: &[Rule]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in rules.iter().filter_map(|rule| words(*rule)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    // Continuations that are nearly always possible say little beside the others.
    if names.len() > 1 {
        names.retain(|name| !["`at` or `with`", "`(`"].contains(name));
    }
    match names.split_last() {
        None => "something else".to_string(),
        Some((last, [])) => last.to_string(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}
