//! Levels that change settings: `vary setting in [plain: case, large: case(g.batch: 100)]`.

use super::shape::Item;
use super::statements::Holds;
use super::suggest;
use crate::syntax::ast::{Expr, ExprKind, Span};
use crate::syntax::{Diagnostic, Spanned};

/// What such a level is called by.
pub const CASE: &str = "case";

/// One setting that a case changes.
pub(super) struct Change<'a> {
    /// Of the statement.
    pub name: &'a str,
    pub key: &'a str,
    pub value: &'a Expr,
    pub span: Span,
}

/// What `level` changes; nothing if it is no case.
pub(super) fn changes(level: &Expr) -> impl Iterator<Item = Change<'_>> {
    let arguments = match &level.kind {
        ExprKind::Call { name, arguments } if name.value == CASE => arguments.as_slice(),
        _ => &[],
    };
    arguments.iter().filter_map(|argument| {
        let path = argument.key.as_ref()?;
        let (name, key) = path.value.split_once('.')?;
        let (value, span) = (&argument.value, path.span);
        (!key.contains('.')).then_some(Change {
            name,
            key,
            value,
            span,
        })
    })
}

/// Whether the cases among `levels`, if there are any, can be read; tells what is wrong with them.
pub(super) fn check(
    levels: &[(String, Expr)],
    statements: &[Item],
    diagnostics: &mut Vec<Diagnostic>,
) -> bool {
    let is_case = |level: &Expr| match &level.kind {
        ExprKind::Call { name, .. } => name.value == CASE,
        ExprKind::Word(word) => word == CASE,
        _ => false,
    };
    let before = diagnostics.len();
    let Some((_, first)) = levels.iter().find(|(_, level)| is_case(level)) else {
        return true;
    };
    for (_, level) in levels {
        if !is_case(level) {
            let message = "some levels are cases, this one is a value";
            let help = "write all levels as `case(name.key: value)`, or none";
            let diagnostic = Diagnostic::error("E0406", message, level.span, "a value");
            diagnostics.push(diagnostic.label(first.span, "a case").help(help));
        } else if let ExprKind::Call { arguments, .. } = &level.kind {
            let mut known: Vec<&Spanned<String>> = Vec::new();
            for argument in arguments {
                let Some(path) = &argument.key else {
                    let message = "a case says which setting it changes";
                    let help = "write `case(name.key: value)`, such as `case(g.batch: 100)`";
                    let span = argument.value.span;
                    diagnostics.push(Diagnostic::error("E0406", message, span, "of what?").help(help));
                    continue;
                };
                if let Some(first) = known.iter().find(|other| other.value == path.value) {
                    let message = format!("`{}` is changed twice", path.value);
                    let diagnostic = Diagnostic::error("E0406", message, path.span, "again");
                    diagnostics.push(
                        diagnostic
                            .label(first.span, "first here")
                            .help("keep one of the two"),
                    );
                }
                known.push(path);
                if let Err(diagnostic) = target(path, statements) {
                    diagnostics.push(*diagnostic);
                }
            }
        }
    }
    diagnostics.len() == before
}

/// The statement that `path` speaks of has to be one that is repeated at each point of the grid.
fn target(path: &Spanned<String>, statements: &[Item]) -> Result<(), Box<Diagnostic>> {
    let repeated =
        |item: &&Item| matches!(item.kind.holds, Holds::Call(_)) && item.kind.block.name != "figure";
    let names = || {
        let repeated = statements.iter().filter(repeated);
        repeated.filter_map(|item| item.statement.name.as_ref().map(|name| name.value.as_str()))
    };
    let (name, key) = match path.value.split_once('.') {
        Some((name, key)) if !key.contains('.') => (name, key),
        _ => {
            let message = format!("`{}` is no setting of a statement", path.value);
            let help = "write `name.key`, such as `case(g.batch: 100)`";
            return Err(Diagnostic::error("E0406", message, path.span, "not name.key")
                .help(help)
                .into());
        }
    };
    if names().any(|known| known == name) {
        return Ok(());
    }
    let message = format!("there is nothing called `{name}` whose `{key}` a case could change");
    let help = suggest::help(name, "statement", names());
    Err(Diagnostic::error("E0406", message, path.span, "leads nowhere")
        .help(help)
        .into())
}
