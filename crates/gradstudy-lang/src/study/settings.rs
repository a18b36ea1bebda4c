//! Puts `name.key = value` (from a profile or `--set`) into the statement that it names.

use super::compose::Setting;
use super::{Vocabulary, statements, suggest};
use crate::syntax::ast::{Argument, Binding, Block, Entry, Expr, ExprKind, Statement};
use crate::syntax::{Diagnostic, Span, Spanned};

/// Puts each of `settings` in its place; a path that leads nowhere is an error.
pub(super) fn apply(
    settings: &[Setting],
    statements: &mut [Statement],
    vocabulary: &Vocabulary,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for setting in settings {
        if let Err(diagnostic) = put(setting, statements, vocabulary) {
            diagnostics.push(*diagnostic);
        }
    }
}

fn put(setting: &Setting, all: &mut [Statement], vocabulary: &Vocabulary) -> Result<(), Box<Diagnostic>> {
    let span = setting.path.span;
    let parts: Vec<&str> = setting.path.value.split('.').collect();
    let names = || {
        let named = all.iter().filter_map(|it| it.name.as_ref());
        named.map(|name| name.value.clone()).collect::<Vec<_>>()
    };
    let nowhere = |what: &str, name: &str| -> Box<Diagnostic> {
        let known = names();
        let help = suggest::help(name, "statement", known.iter().map(String::as_str));
        Diagnostic::error(
            "E0602",
            format!("there is no {what} called `{name}`"),
            span,
            "leads nowhere",
        )
        .help(help)
        .into()
    };
    // A keyword in front is for reading: `record.g.batch` is `g.batch`.
    let (keyword, name, key) = match parts.as_slice() {
        ["study", key] => (Some("study"), None, Some(*key)),
        [name] => (None, Some(*name), None),
        [name, key] => match all.iter().any(|it| is(it, name)) {
            true => (None, Some(*name), Some(*key)),
            false if statements::find(name).is_some() => (Some(*name), Some(*key), None),
            false => return Err(nowhere("statement", name)),
        },
        [keyword, name, key] => (Some(*keyword), Some(*name), Some(*key)),
        _ => {
            let message = format!("`{}` has too many parts", setting.path.value);
            let help = "write `name.key`, or `keyword.name.key`";
            return Err(Diagnostic::error("E0602", message, span, "leads nowhere")
                .help(help)
                .into());
        }
    };
    let fits = |it: &&mut Statement| {
        keyword.is_none_or(|keyword| it.keyword.value == keyword) && name.is_none_or(|name| is(it, name))
    };
    let missing = nowhere(keyword.unwrap_or("statement"), name.unwrap_or("study"));
    let statement = all.iter_mut().find(fits).ok_or(missing)?;
    let holds = statements::find(&statement.keyword.value).map(|kind| kind.holds);
    match (key, holds) {
        (None, Some(statements::Holds::Levels | statements::Holds::Value)) => {
            let value = match holds {
                Some(statements::Holds::Levels) => levels(&setting.value),
                _ => setting.value.clone(),
            };
            let sign = statement.binding.as_ref().map(|binding| binding.sign);
            statement.binding = sign.map(|sign| Binding {
                sign,
                value,
                span: setting.value.span,
            });
            Ok(())
        }
        (None, _) => {
            let name = name.unwrap_or_default();
            let message = format!("`{name}` is a {}, which has settings", statement.keyword.value);
            let help = format!("say which: `{name}.key`");
            Err(Diagnostic::error("E0602", message, span, "key missing")
                .help(help)
                .into())
        }
        (Some(key), _) => {
            set_key(statement, key, &setting.value, span, vocabulary);
            Ok(())
        }
    }
}

/// What is set as the levels of a factor: a list or a range, or one value that is the only level.
fn levels(value: &Expr) -> Expr {
    match &value.kind {
        ExprKind::List(_) | ExprKind::Range(..) => value.clone(),
        _ => {
            let entry = Entry {
                label: None,
                value: value.clone(),
            };
            Expr {
                kind: ExprKind::List(vec![entry]),
                ..value.clone()
            }
        }
    }
}

fn is(statement: &Statement, name: &str) -> bool {
    statement.name.as_ref().is_some_and(|found| found.value == name)
}

/// Replaces the value that is given for `key`, by name or by position, or adds one to the block.
pub(super) fn set_key(
    statement: &mut Statement,
    key: &str,
    given: &Expr,
    span: Span,
    vocabulary: &Vocabulary,
) {
    let keyword = statement.keyword.value.clone();
    if let Some(Binding { value, .. }) = &mut statement.binding
        && let ExprKind::Call { name, arguments } = &mut value.kind
    {
        let params = vocabulary
            .built_ins(&keyword)
            .iter()
            .find(|signature| signature.name == name.value)
            .map_or(&[][..], |signature| signature.params);
        let position = params.iter().position(|param| param.name == key);
        let known = arguments
            .iter_mut()
            .enumerate()
            .find(|(index, argument)| match &argument.key {
                Some(found) => found.value == key,
                None => Some(*index) == position,
            });
        if let Some((_, argument)) = known {
            argument.value = given.clone();
            return;
        }
    }
    let block = statement.block.get_or_insert_with(|| Block {
        fields: Vec::new(),
        asserts: Vec::new(),
        span,
    });
    let known = |field: &&mut Argument| field.key.as_ref().is_some_and(|found| found.value == key);
    match block.fields.iter_mut().find(known) {
        Some(field) => field.value = given.clone(),
        None => block.fields.push(Argument {
            key: Some(Spanned {
                value: key.to_string(),
                span,
            }),
            value: given.clone(),
        }),
    }
}
