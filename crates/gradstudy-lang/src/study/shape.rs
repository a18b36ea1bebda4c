//! The outer shape of statements: known keywords, and for each the parts that it has.

use super::statements::{self, Holds, STATEMENTS, StatementKind};
use super::suggest;
use crate::syntax::ast::{Argument, Expr, ExprKind, Sign, Statement};
use crate::syntax::{Diagnostic, Span};

/// A statement whose keyword is known and whose parts are those of its kind.
pub(super) struct Item {
    pub statement: Statement,
    pub kind: &'static StatementKind,
}

/// The statement's kind, if its keyword is known and its parts are right.
pub(super) fn item(statement: Statement, diagnostics: &mut Vec<Diagnostic>) -> Option<Item> {
    let keyword = &statement.keyword;
    let Some(kind) = statements::find(&keyword.value) else {
        let message = format!("there is no statement `{}`", keyword.value);
        let known = STATEMENTS.iter().map(|kind| kind.block.name);
        let help = suggest::help(&keyword.value, "statement", known);
        diagnostics.push(Diagnostic::error("E0201", message, keyword.span, "unknown").help(help));
        return None;
    };
    let wrong = |span: Span, message: String, label: &str| {
        Diagnostic::error("E0203", message, span, label).help(format!("for example: {}", kind.example))
    };
    let word = kind.block.name;
    let before = diagnostics.len();
    match (kind.titled, &statement.title, &statement.name) {
        (true, None, Some(name)) => {
            let message = format!("`{word}` takes a title in quotes");
            diagnostics.push(wrong(name.span, message, "not in quotes"));
        }
        (true, None, None) => diagnostics.push(wrong(
            keyword.span,
            format!("`{word}` needs a title"),
            "title missing",
        )),
        (false, Some(title), _) => {
            let message = format!("`{word}` takes a name, a word without quotes");
            diagnostics.push(wrong(title.span, message, "in quotes"));
        }
        (false, None, None) => diagnostics.push(wrong(
            keyword.span,
            format!("`{word}` needs a name"),
            "name missing",
        )),
        _ => {}
    }
    match (kind.holds, &statement.binding) {
        (Holds::Nothing, Some(binding)) => {
            let message = format!("`{word}` takes no value");
            diagnostics.push(wrong(binding.span, message, "not wanted"));
        }
        (Holds::Call(what), None) => {
            let message = format!("`{word}` needs `=` and a {what}");
            diagnostics.push(wrong(statement.head(), message, "value missing"));
        }
        (Holds::Value, None) => {
            let message = format!("`{word}` needs `=` and a value");
            diagnostics.push(wrong(statement.head(), message, "value missing"));
        }
        (Holds::Levels, None) => {
            let message = format!("`{word}` needs `in` and a list of levels");
            diagnostics.push(wrong(statement.head(), message, "levels missing"));
        }
        (Holds::Call(_) | Holds::Value, Some(binding)) if binding.sign == Sign::In => {
            let message = format!("`{word}` takes `=`, not `in`");
            diagnostics.push(wrong(binding.span, message, ""));
        }
        (Holds::Levels, Some(binding)) if binding.sign == Sign::Equals => {
            let message = format!("`{word}` takes `in`, not `=`");
            diagnostics.push(wrong(binding.span, message, ""));
        }
        _ => {}
    }
    if let Some(block) = &statement.block {
        if kind.holds == Holds::Value || [statements::USE, statements::INCLUDE].contains(&kind.block.name) {
            diagnostics.push(wrong(
                block.span,
                format!("`{word}` takes no block"),
                "not wanted",
            ));
        }
        for assert in block.asserts.iter().filter(|_| !kind.asserts) {
            let message = format!("`{word}` has nothing to assert");
            let help = "put the assert into the block of the model or data that it is about";
            diagnostics.push(Diagnostic::error("E0206", message, assert.span, "not here").help(help));
        }
    }
    (diagnostics.len() == before).then_some(Item { statement, kind })
}

/// The settings written in the block.
pub(super) fn fields(statement: &Statement) -> &[Argument] {
    statement.block.as_ref().map_or(&[], |block| &block.fields)
}

/// What is written for `key`, in the call or in the block.
pub(super) fn written<'a>(statement: &'a Statement, key: &str) -> Option<&'a Expr> {
    let call = match statement.binding.as_ref().map(|binding| &binding.value.kind) {
        Some(ExprKind::Call { arguments, .. }) => arguments.as_slice(),
        _ => &[],
    };
    let mut given = call.iter().chain(fields(statement));
    let found = given.find(|argument| argument.key.as_ref().is_some_and(|name| name.value == key));
    found.map(|argument| &argument.value)
}

/// The entries of a list; a single value is a list of one.
pub(super) fn listed_in(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::List(entries) => entries.iter().map(|entry| &entry.value).collect(),
        _ => vec![expr],
    }
}

/// The entries of the list written for `key`.
pub(super) fn entries<'a>(statement: &'a Statement, key: &str) -> Vec<&'a Expr> {
    written(statement, key).map_or(Vec::new(), listed_in)
}
