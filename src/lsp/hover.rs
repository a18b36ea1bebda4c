//! What is known of the word under the cursor.

use crate::signature::ParamType;
use crate::study::{self, Overrides, WrittenStage, statements};
use crate::syntax::{Source, Span};

use super::at::{Scope, Slot};
use super::describe;
use super::names::mention;
use super::outline::{Role, Word};

/// Lines of a definition that are shown.
const MAX_LINES: usize = 12;

/// Markdown about the word at byte `offset` of the project's own file, and the word's place.
pub fn hover(scope: Scope, offset: usize) -> Option<(String, Span)> {
    let file = &scope.project.files[0];
    let word = file.outline.word_at(offset)?;
    let text = file.at(word.span);
    let layer = match word.role {
        Role::Label | Role::Callee | Role::Value => stage(scope, word),
        _ => None,
    };
    let about = match word.role {
        Role::Keyword => statements::find(text).map(describe::statement),
        Role::Name => file.kind(word.statement).map(|kind| {
            let what = kind.block.summary;
            let built_ins = scope.callees(0, word.statement);
            let called: Vec<String> = built_ins.iter().map(|it| describe::signature(it)).collect();
            [vec![format!("**{} `{text}`**: {what}", kind.block.name)], called]
                .concat()
                .join("\n\n")
        }),
        Role::Key => key(scope, word),
        Role::Infix => infix(text),
        Role::Subject => {
            (text == "parameters").then(|| "**`parameters`**: how many parameters the model has".into())
        }
        Role::Assert => Some("**`assert`**: stops a study whose model is not the one it is about".into()),
        Role::Value | Role::Callee => value(scope, word, text),
        Role::In | Role::Label => None,
    };
    let parts: Vec<String> = layer.into_iter().chain(about).collect();
    (!parts.is_empty()).then(|| (parts.join("\n\n"), word.span))
}

/// What there is after the layer that `word` labels or names, in a network of the project's own file.
fn stage(scope: Scope, word: &Word) -> Option<String> {
    let file = &scope.project.files[0];
    if !file.text.contains("network") {
        return None;
    }
    let source = Source::new(file.path.clone(), file.text.clone());
    let stages = study::stages(&source, &Overrides::default(), scope.vocabulary);
    // The entry that begins with the word, or whose label it stands behind.
    let own = |stage: &&WrittenStage| {
        let begins = stage.span.start == word.span.start;
        let text = file.text.get(stage.span.start..word.span.start).unwrap_or("+");
        let behind = word.span.end <= stage.span.end
            && text.trim_end().strip_suffix(':').is_some_and(|label| {
                label
                    .trim()
                    .trim_matches('"')
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_')
            });
        begins || behind
    };
    let stage = stages
        .iter()
        .filter(own)
        .min_by_key(|stage| stage.span.end - stage.span.start)?;
    Some(format!("after it: {}", stage.words.join("; ")))
}

fn key(scope: Scope, word: &Word) -> Option<String> {
    let place = scope.place(0, word.statement, &word.path);
    let mut about: Vec<String> = place.params.iter().map(|param| describe::param(param)).collect();
    if let Some(mention) = mention(scope, 0, word) {
        about.push(definition(scope, scope.project.files[0].at(mention.span))?);
    }
    about.dedup();
    (!about.is_empty()).then(|| about.join("\n\n"))
}

fn infix(text: &str) -> Option<String> {
    Some(match text {
        "at" => "**`at`**: `0.1 at [40%, 80%]`, multiplies the learning rate at each milestone".to_string(),
        _ => "**`with`**: `mnist with symmetric(40%)`, data with noise put on their labels".to_string(),
    })
}

fn value(scope: Scope, word: &Word, text: &str) -> Option<String> {
    if mention(scope, 0, word).is_some() {
        return definition(scope, text);
    }
    let place = scope.place(0, word.statement, &word.path);
    for slot in &place.slots {
        let signature = scope
            .signatures(*slot)
            .iter()
            .find(|signature| signature.name == text);
        let about = match slot {
            Slot::Rows => describe::row_key(text),
            Slot::Columns => describe::column(text),
            Slot::Warnings => describe::code(text),
            Slot::Type(ParamType::Word(words) | ParamType::List(ParamType::Word(words)))
                if words.contains(&text) =>
            {
                place.params.first().map(|param| describe::param(param))
            }
            _ => signature.map(|signature| describe::signature(signature)),
        };
        if about.is_some() {
            return about;
        }
    }
    None
}

/// The definition of a name as it is written.
fn definition(scope: Scope, name: &str) -> Option<String> {
    let found = scope.project.definition(name)?;
    let (file, statement) = scope.project.get(found);
    let written: Vec<&str> = file.at(statement.span).lines().collect();
    let mut shown = written[..written.len().min(MAX_LINES)].join("\n");
    if written.len() > MAX_LINES {
        shown.push_str("\n…");
    }
    let place = match found.file {
        0 => String::new(),
        _ => format!("\n\nin `{}`", file.path.display()),
    };
    Some(format!("```study\n{shown}\n```{place}"))
}
