//! The grid of `vary` factors: each point is the study with the factors' names replaced by their levels.

use std::collections::HashSet;

use super::Level;
use crate::syntax::ast::{Argument, Block, Expr, ExprKind, Statement};
use crate::syntax::{Diagnostic, Source, Span};

/// Cases beyond which a grid is taken for a slip.
const MAX_CASES: usize = 10_000;

/// A `vary` statement.
pub(super) struct Factor<'a> {
    pub name: &'a str,
    pub span: Span,
    levels: Vec<(String, Expr)>,
}

/// One point of the grid.
pub(super) struct Point<'a> {
    pub levels: Vec<Level>,
    values: Vec<(&'a str, &'a Expr)>,
}

/// The factor of a `vary` statement whose shape is right.
pub(super) fn factor<'a>(
    statement: &'a Statement,
    source: &Source,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Factor<'a>> {
    let (name, binding) = (statement.name.as_ref()?, statement.binding.as_ref()?);
    let mut levels: Vec<(String, Span, Expr)> = Vec::new();
    match &binding.value.kind {
        ExprKind::List(entries) => {
            for entry in entries {
                let written = &source.text[entry.value.span.start..entry.value.span.end];
                let (label, span) = match (&entry.label, &entry.value.kind) {
                    (Some(label), _) => (label.value.clone(), label.span),
                    (None, ExprKind::Text(text)) => (text.clone(), entry.value.span),
                    (None, _) => (
                        written.split_whitespace().collect::<Vec<_>>().join(" "),
                        entry.value.span,
                    ),
                };
                levels.push((label, span, entry.value.clone()));
            }
        }
        // A longer range could not be part of a grid that is small enough.
        ExprKind::Range(from, to) if from <= to && to.saturating_sub(*from) < MAX_CASES as i64 => {
            for value in *from..=*to {
                let expr = Expr {
                    kind: ExprKind::Integer(value),
                    ..binding.value.clone()
                };
                levels.push((value.to_string(), binding.value.span, expr));
            }
        }
        ExprKind::Range(..) => {
            let message = format!("a range runs upwards over at most {MAX_CASES} levels");
            diagnostics.push(Diagnostic::error("E0308", message, binding.value.span, ""));
            return None;
        }
        _ => {
            let message = format!("the levels of `{}` are a list or a range", name.value);
            let help = format!("write `vary {} in [level, level]`", name.value);
            diagnostics
                .push(Diagnostic::error("E0307", message, binding.value.span, "not a list").help(help));
            return None;
        }
    }
    if levels.is_empty() {
        let message = format!("factor `{}` has no level", name.value);
        let help = "an empty factor leaves a grid without a single case; give it one level or more";
        diagnostics.push(Diagnostic::error("E0402", message, binding.value.span, "empty").help(help));
        return None;
    }
    for (index, (label, span, _)) in levels.iter().enumerate() {
        if let Some((_, first, _)) = levels[..index].iter().find(|(other, _, _)| other == label) {
            let message = format!("factor `{}` has two levels called `{label}`", name.value);
            let diagnostic = Diagnostic::error("E0403", message, *span, "the same again");
            diagnostics.push(
                diagnostic
                    .label(*first, "first here")
                    .help("label each level: `[first: …, second: …]`"),
            );
        }
    }
    let levels = levels.into_iter().map(|(label, _, expr)| (label, expr)).collect();
    Some(Factor {
        name: &name.value,
        span: name.span,
        levels,
    })
}

/// All points, the last factor fastest; none if they are too many.
pub(super) fn points<'a>(factors: &'a [Factor], diagnostics: &mut Vec<Diagnostic>) -> Vec<Point<'a>> {
    let cases = factors
        .iter()
        .try_fold(1usize, |cases, factor| cases.checked_mul(factor.levels.len()));
    if cases.is_none_or(|cases| cases > MAX_CASES)
        && let Some(last) = factors.last()
    {
        let sizes: Vec<String> = factors
            .iter()
            .map(|factor| factor.levels.len().to_string())
            .collect();
        let message = format!("the grid has {} cases, more than {MAX_CASES}", sizes.join(" × "));
        let help = "split the study, or give some factors fewer levels";
        diagnostics.push(Diagnostic::error("E0401", message, last.span, "with this factor").help(help));
        return Vec::new();
    }
    let mut points = vec![Point {
        levels: Vec::new(),
        values: Vec::new(),
    }];
    for factor in factors {
        let extend = |point: &Point<'a>| -> Vec<Point<'a>> {
            let with = |(label, expr): &'a (String, Expr)| {
                let mut levels = point.levels.clone();
                levels.push(Level {
                    factor: factor.name.to_string(),
                    label: label.clone(),
                });
                let mut values = point.values.clone();
                values.push((factor.name, expr));
                Point { levels, values }
            };
            factor.levels.iter().map(with).collect()
        };
        points = points.iter().flat_map(extend).collect();
    }
    points
}

impl Point<'_> {
    /// `statement` with this point's levels put in. Adds the factors that it used to `used`.
    pub fn put_into(&self, statement: &Statement, used: &mut HashSet<String>) -> Statement {
        let mut statement = statement.clone();
        if let Some(binding) = &mut statement.binding {
            self.expr(&mut binding.value, used);
        }
        if let Some(Block { fields, asserts, .. }) = &mut statement.block {
            self.arguments(fields, used);
            asserts
                .iter_mut()
                .for_each(|assert| self.expr(&mut assert.value, used));
        }
        statement
    }

    fn arguments(&self, arguments: &mut [Argument], used: &mut HashSet<String>) {
        arguments
            .iter_mut()
            .for_each(|argument| self.expr(&mut argument.value, used));
    }

    fn level(&self, word: &str) -> Option<(&str, &Expr)> {
        self.values.iter().find(|(factor, _)| *factor == word).copied()
    }

    fn expr(&self, expr: &mut Expr, used: &mut HashSet<String>) {
        match &mut expr.kind {
            ExprKind::Word(word) => {
                if let Some((factor, level)) = self.level(word) {
                    used.insert(factor.to_string());
                    *expr = Expr {
                        via: Some(expr.span),
                        ..level.clone()
                    };
                }
            }
            ExprKind::Call { name, arguments } => {
                // `model m = architecture(logits: 10)` with `vary architecture in [lenet, fcn]`.
                if let Some((
                    factor,
                    Expr {
                        kind: ExprKind::Word(word),
                        ..
                    },
                )) = self.level(&name.value)
                {
                    used.insert(factor.to_string());
                    name.value = word.clone();
                }
                self.arguments(arguments, used);
            }
            ExprKind::List(entries) => entries
                .iter_mut()
                .for_each(|entry| self.expr(&mut entry.value, used)),
            ExprKind::Infix { left, right, .. } => {
                self.expr(left, used);
                self.expr(right, used);
            }
            ExprKind::Integer(_) | ExprKind::Number(_) | ExprKind::Percent(_) => {}
            ExprKind::Boolean(_) | ExprKind::Text(_) | ExprKind::Range(..) => {}
        }
    }
}
