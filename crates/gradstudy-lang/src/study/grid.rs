//! The grid of `vary` factors: each point is the study with the factors' names, and those of `let`s, replaced by
//! what they stand for. A factor `along` another goes with it level by level.

use std::collections::HashSet;

use super::point::Point;
use super::shape::{Item, written};
use super::{Level, LevelValue, cases};
use crate::syntax::ast::{Expr, ExprKind, Statement};
use crate::syntax::{Diagnostic, Sources, Span, Spanned};

/// Cases beyond which a grid is taken for a slip.
const MAX_CASES: usize = 10_000;

/// A `vary` statement.
pub(super) struct Factor<'a> {
    pub name: &'a str,
    pub span: Span,
    /// The factor that it goes along with.
    pub along: Option<Spanned<String>>,
    levels: Vec<(String, Expr)>,
}

impl Factor<'_> {
    /// The statements that its cases change.
    pub fn changes(&self) -> impl Iterator<Item = &str> {
        let levels = self.levels.iter().flat_map(|(_, level)| cases::changes(level));
        levels.map(|change| change.name)
    }
}

/// The factor of a `vary` statement whose shape is right.
pub(super) fn factor<'a>(
    statement: &'a Statement,
    statements: &[Item],
    sources: &Sources,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Factor<'a>> {
    let (name, binding) = (statement.name.as_ref()?, statement.binding.as_ref()?);
    let mut levels: Vec<(String, Span, Expr)> = Vec::new();
    match &binding.value.kind {
        ExprKind::List(entries) => {
            for entry in entries {
                let written = sources.text(entry.value.span);
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
    let levels: Vec<(String, Expr)> = levels.into_iter().map(|(label, _, expr)| (label, expr)).collect();
    if !cases::check(&levels, statements, diagnostics) {
        return None;
    }
    let along = match written(statement, "along").map(|expr| (&expr.kind, expr.span)) {
        Some((ExprKind::Word(value), span)) => Some(Spanned {
            value: value.clone(),
            span,
        }),
        _ => None,
    };
    Some(Factor {
        name: &name.value,
        span: name.span,
        along,
        levels,
    })
}

/// Tells of factors that cannot go along with the one that they name.
pub(super) fn check_along(factors: &[Factor], diagnostics: &mut Vec<Diagnostic>) {
    bundles(&factors.iter().collect::<Vec<_>>(), diagnostics);
}

/// Factors that go together: the first one spans, the others go along with it.
fn bundles<'a>(factors: &[&'a Factor<'a>], diagnostics: &mut Vec<Diagnostic>) -> Vec<Vec<&'a Factor<'a>>> {
    let mut bundles: Vec<Vec<&Factor>> = Vec::new();
    for factor in factors.iter().filter(|factor| factor.along.is_none()) {
        bundles.push(vec![*factor]);
    }
    for factor in factors {
        let Some(along) = &factor.along else { continue };
        let Some(bundle) = bundles.iter_mut().find(|bundle| bundle[0].name == along.value) else {
            if factors.iter().any(|other| other.name == along.value) {
                let message = format!("`{}` goes along with another factor itself", along.value);
                let help = "name the factor that is crossed with the others";
                diagnostics.push(Diagnostic::error("E0405", message, along.span, "").help(help));
            }
            continue;
        };
        if bundle[0].levels.len() != factor.levels.len() {
            let (leader, own) = (bundle[0].levels.len(), factor.levels.len());
            let message = format!(
                "`{}` has {own} levels and `{}` has {leader}: they cannot go along",
                factor.name, along.value
            );
            diagnostics.push(
                Diagnostic::error("E0404", message, factor.span, format!("{own} levels"))
                    .label(bundle[0].span, format!("{leader} levels"))
                    .help("give both as many levels, or cross them by leaving out `along`"),
            );
            continue;
        }
        bundle.push(factor);
    }
    bundles
}

/// All points, the last factor fastest; none if they are too many, or a `let` stands for too much.
pub(super) fn points<'a>(
    factors: &[&'a Factor<'a>],
    lets: &[(&'a str, &'a Expr)],
    used: &mut HashSet<String>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Point<'a>> {
    // Told by `check_along`.
    let bundles = bundles(factors, &mut Vec::new());
    let cases = bundles
        .iter()
        .try_fold(1usize, |cases, bundle| cases.checked_mul(bundle[0].levels.len()));
    if cases.is_none_or(|cases| cases > MAX_CASES)
        && let Some(last) = bundles.last()
    {
        let sizes: Vec<String> = bundles
            .iter()
            .map(|bundle| bundle[0].levels.len().to_string())
            .collect();
        let message = format!("the grid has {} cases, more than {MAX_CASES}", sizes.join(" × "));
        let help = "split the study, or give some factors fewer levels";
        diagnostics.push(Diagnostic::error("E0401", message, last[0].span, "with this factor").help(help));
        return Vec::new();
    }
    let mut points = vec![Point::default()];
    for bundle in &bundles {
        let extend = |point: &Point<'a>| -> Vec<Point<'a>> {
            let with = |index: usize| {
                let mut point = point.clone();
                for factor in bundle {
                    let (label, expr) = &factor.levels[index];
                    point.levels.push(Level {
                        factor: factor.name.to_string(),
                        label: label.clone(),
                        value: None,
                    });
                    point.values.push((factor.name, expr));
                }
                point
            };
            (0..bundle[0].levels.len()).map(with).collect()
        };
        points = points.iter().flat_map(extend).collect();
    }
    for point in &mut points {
        for (name, written) in lets {
            if let Err(diagnostic) = point.add_let(name, written, used) {
                diagnostics.push(*diagnostic);
                return Vec::new();
            }
        }
        let values: Vec<Option<LevelValue>> =
            point.values.iter().map(|(_, expr)| point.value(expr)).collect();
        (point.levels.iter_mut().zip(values)).for_each(|(level, value)| level.value = value);
    }
    points
}
