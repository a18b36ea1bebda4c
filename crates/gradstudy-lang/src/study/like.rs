//! `keyword name = like(base, key: value) { … }`: another statement's definition with some settings changed.

use std::collections::HashMap;

use super::compose::likened;
use super::statements::LIKE;
use super::suggest;
use crate::syntax::Diagnostic;
use crate::syntax::ast::{Argument, Block, Expr, ExprKind, Statement};

/// Replaces every `like` by what it stands for. One that stands for nothing stays, after an error.
///
/// Returns the names of the bases: they are used.
pub(super) fn expand(statements: &mut [Statement], diagnostics: &mut Vec<Diagnostic>) -> Vec<String> {
    let mut bases = Vec::new();
    let named = |statements: &[Statement]| -> HashMap<String, Statement> {
        let pairs = statements
            .iter()
            .filter_map(|it| Some((it.name.as_ref()?.value.clone(), it.clone())));
        pairs.collect()
    };
    // Each round resolves those whose base is resolved; a cycle never is.
    for _ in 0..=statements.len() {
        let known = named(statements);
        let mut changed = false;
        for statement in statements.iter_mut().filter(|it| likened(it).is_some()) {
            if let Some(base) = base_name(statement).and_then(|name| known.get(&name))
                && base.keyword.value == statement.keyword.value
                && likened(base).is_none()
            {
                bases.extend(base.name.as_ref().map(|name| name.value.clone()));
                derive(statement, base);
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    for statement in statements.iter().filter(|it| likened(it).is_some()) {
        let (keyword, place) = (&statement.keyword.value, statement.binding.as_ref());
        let span = place.map_or(statement.head(), |binding| binding.value.span);
        let candidates = statements.iter().filter(|it| it.keyword.value == *keyword);
        let candidates: Vec<&str> = candidates
            .filter_map(|it| it.name.as_ref().map(|name| name.value.as_str()))
            .filter(|name| statement.name.as_ref().is_none_or(|own| own.value != *name))
            .collect();
        let (message, help) = match base_name(statement) {
            None => (
                format!("`{LIKE}` needs the name of a {keyword}"),
                format!("write `{keyword} other = {LIKE}(name, key: value)`"),
            ),
            Some(base) if candidates.contains(&base.as_str()) => (
                format!("`{base}` and this {keyword} are each like the other"),
                "write one of them in full".to_string(),
            ),
            Some(base) => (
                format!("there is no {keyword} called `{base}`"),
                suggest::help(&base, keyword, candidates.iter().copied()),
            ),
        };
        diagnostics.push(Diagnostic::error("E0209", message, span, "like what?").help(help));
    }
    bases
}

/// The first argument of `like`, a bare word.
fn base_name(statement: &Statement) -> Option<String> {
    let ExprKind::Call { arguments, .. } = &statement.binding.as_ref()?.value.kind else {
        return None;
    };
    match arguments.first() {
        Some(Argument {
            key: None,
            value: Expr {
                kind: ExprKind::Word(name),
                ..
            },
        }) => Some(name.clone()),
        _ => None,
    }
}

/// Gives `statement` the call and block of `base`, with its own arguments and fields in place of theirs.
fn derive(statement: &mut Statement, base: &Statement) {
    let mut own: Vec<Argument> = Vec::new();
    if let Some(binding) = &mut statement.binding
        && let (ExprKind::Call { arguments, .. }, Some(from)) = (&mut binding.value.kind, &base.binding)
    {
        own.extend(arguments.drain(1..));
        let span = binding.value.span;
        binding.value = from.value.clone();
        binding.value.span = span;
    }
    let (fields, asserts, span) = match statement.block.take() {
        Some(block) => (block.fields, block.asserts, block.span),
        None => (Vec::new(), Vec::new(), statement.head()),
    };
    own.extend(fields);
    let mut block = base.block.clone().unwrap_or(Block {
        fields: Vec::new(),
        asserts: Vec::new(),
        span,
    });
    block.span = span;
    if !asserts.is_empty() {
        block.asserts = asserts;
    }
    let overridden = |argument: &Argument| {
        let key = argument.key.as_ref().map(|key| &key.value);
        key.is_some()
            && own
                .iter()
                .any(|mine| mine.key.as_ref().map(|key| &key.value) == key)
    };
    block.fields.retain(|field| !overridden(field));
    if let Some(binding) = &mut statement.binding
        && let ExprKind::Call { arguments, .. } = &mut binding.value.kind
    {
        arguments.retain(|argument| !overridden(argument));
    }
    block.fields.extend(own);
    statement.block = Some(block);
}
