//! Moves everything parsed from one file to the file's place among the [`super::Sources`].

use super::ast::{Argument, Block, Expr, ExprKind, Statement};
use super::{Parsed, Span};

/// Moves all spans of `parsed` by `base` bytes.
pub fn shift(parsed: &mut Parsed, base: usize) {
    parsed.statements.iter_mut().for_each(|it| statement(it, base));
    parsed
        .lost
        .iter_mut()
        .for_each(|lost| span(&mut lost.name.span, base));
    let labels = parsed.diagnostics.iter_mut().flat_map(|it| &mut it.labels);
    labels.for_each(|(at, _)| span(at, base));
}

/// Moves all spans of a value by `base` bytes.
pub fn shift_value(value: &mut Expr, base: usize) {
    expr(value, base);
}

fn span(span: &mut Span, base: usize) {
    span.start += base;
    span.end += base;
}

fn statement(statement: &mut Statement, base: usize) {
    span(&mut statement.keyword.span, base);
    let words = statement.title.iter_mut().chain(&mut statement.name);
    words.for_each(|word| span(&mut word.span, base));
    if let Some(binding) = &mut statement.binding {
        span(&mut binding.span, base);
        expr(&mut binding.value, base);
    }
    if let Some(Block {
        fields,
        asserts,
        span: whole,
    }) = &mut statement.block
    {
        span(whole, base);
        arguments(fields, base);
        for assert in asserts {
            span(&mut assert.span, base);
            span(&mut assert.subject.span, base);
            expr(&mut assert.value, base);
        }
    }
}

fn arguments(arguments: &mut [Argument], base: usize) {
    for argument in arguments {
        argument.key.iter_mut().for_each(|key| span(&mut key.span, base));
        expr(&mut argument.value, base);
    }
}

fn expr(value: &mut Expr, base: usize) {
    span(&mut value.span, base);
    value.via.iter_mut().for_each(|via| span(via, base));
    match &mut value.kind {
        ExprKind::List(entries) => {
            for entry in entries {
                entry
                    .label
                    .iter_mut()
                    .for_each(|label| span(&mut label.span, base));
                expr(&mut entry.value, base);
            }
        }
        ExprKind::Call {
            name,
            arguments: given,
        } => {
            span(&mut name.span, base);
            arguments(given, base);
        }
        ExprKind::Infix { left, word, right } => {
            span(&mut word.span, base);
            expr(left, base);
            expr(right, base);
        }
        ExprKind::Integer(_) | ExprKind::Number(_) | ExprKind::Percent(_) => {}
        ExprKind::Boolean(_) | ExprKind::Text(_) | ExprKind::Word(_) | ExprKind::Range(..) => {}
    }
}
