//! The grid of `vary` factors: each point is the study with the factors' names, and those of `let`s, replaced by
//! what they stand for. A factor `along` another goes with it level by level.

use std::collections::HashSet;

use super::shape::{Item, written};
use super::{Level, LevelValue};
use super::{Vocabulary, cases, settings};
use crate::syntax::ast::{Argument, Block, Expr, ExprKind, Statement};
use crate::syntax::{Diagnostic, Sources, Span, Spanned};

/// Cases beyond which a grid is taken for a slip.
const MAX_CASES: usize = 10_000;

/// Parts, and levels of nesting, beyond which a value that `let`s are put into is taken for a slip.
const MAX_PARTS: usize = 50_000;
const MAX_DEPTH: usize = 100;

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

/// One point of the grid.
#[derive(Clone)]
pub(super) struct Point<'a> {
    pub levels: Vec<Level>,
    values: Vec<(&'a str, &'a Expr)>,
    /// Values of `let`s, with levels and earlier `let`s put in, and how large they are.
    lets: Vec<(&'a str, Expr, Size)>,
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
    lets: &[(&'a str, &Expr)],
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
    let mut points = vec![Point {
        levels: Vec::new(),
        values: Vec::new(),
        lets: Vec::new(),
    }];
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
        for (name, value) in lets {
            let size = point.size(value);
            let mut value = (*value).clone();
            if size.is_too_large() {
                diagnostics.push(too_large(value.span));
                return Vec::new();
            }
            point.expr(&mut value, used);
            point.lets.push((name, value, size));
        }
        let values: Vec<Option<LevelValue>> =
            point.values.iter().map(|(_, expr)| point.value(expr)).collect();
        (point.levels.iter_mut().zip(values)).for_each(|(level, value)| level.value = value);
    }
    points
}

/// How many parts a value has, and how deep they are nested.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Size {
    parts: usize,
    depth: usize,
}

impl Size {
    const ONE: Size = Size { parts: 1, depth: 1 };

    fn is_too_large(self) -> bool {
        self.parts > MAX_PARTS || self.depth > MAX_DEPTH
    }

    /// Of what holds parts of these sizes.
    fn around(parts: impl Iterator<Item = Size>) -> Size {
        parts.fold(Size::ONE, |sum, part| Size {
            parts: sum.parts.saturating_add(part.parts),
            depth: sum.depth.max(part.depth + 1),
        })
    }
}

fn too_large(span: Span) -> Diagnostic {
    let message =
        format!("this value has more than {MAX_PARTS} parts, or is nested more than {MAX_DEPTH} deep");
    let help = "what `let`s stand for is put in where their names are: repeat fewer of them";
    Diagnostic::error("E0317", message, span, "with what its names stand for").help(help)
}

impl Point<'_> {
    /// An error if `statement` with this point's levels put in would be too large to look at.
    pub fn check_size(&self, statement: &Statement, diagnostics: &mut Vec<Diagnostic>) -> bool {
        let binding = statement.binding.iter().map(|binding| &binding.value);
        let block = statement.block.iter().flat_map(|block| &block.fields);
        let mut values = binding.chain(block.map(|field| &field.value));
        match values.find(|value| self.size(value).is_too_large()) {
            None => true,
            Some(value) => {
                diagnostics.push(too_large(value.span));
                false
            }
        }
    }

    /// How large `expr` is with this point's levels and `let`s put in.
    fn size(&self, expr: &Expr) -> Size {
        self.size_with(expr, &self.values)
    }

    fn size_with(&self, expr: &Expr, values: &[(&str, &Expr)]) -> Size {
        let of = |expr: &Expr| self.size_with(expr, values);
        match &expr.kind {
            ExprKind::Word(word) => {
                // A level speaks of `let`s alone.
                if let Some((_, level)) = values.iter().find(|(factor, _)| factor == word) {
                    return self.size_with(level, &[]);
                }
                let known = self.lets.iter().find(|(name, _, _)| name == word);
                known.map_or(Size::ONE, |(_, _, size)| *size)
            }
            ExprKind::Call { arguments, .. } => Size::around(arguments.iter().map(|it| of(&it.value))),
            ExprKind::List(entries) => Size::around(entries.iter().map(|it| of(&it.value))),
            ExprKind::Infix { left, right, .. } => Size::around([left, right].into_iter().map(|it| of(it))),
            _ => Size::ONE,
        }
    }

    /// The number or truth value that `level` is, or that the `let` it names is.
    fn value(&self, level: &Expr) -> Option<LevelValue> {
        match &level.kind {
            ExprKind::Integer(value) => Some(LevelValue::Integer(*value)),
            ExprKind::Number(value) => Some(LevelValue::Number(*value)),
            ExprKind::Percent(value) => Some(LevelValue::Number(value / 100.0)),
            ExprKind::Boolean(value) => Some(LevelValue::Boolean(*value)),
            ExprKind::Word(word) => {
                let (_, value, _) = self.lets.iter().find(|(name, _, _)| name == word)?;
                // A `let` has the others put in, so this ends.
                match value.kind {
                    ExprKind::Word(_) => None,
                    _ => self.value(value),
                }
            }
            _ => None,
        }
    }

    /// `statement` with this point's levels put in. Adds the factors that it used to `used`.
    pub fn put_into(
        &self,
        statement: &Statement,
        vocabulary: &Vocabulary,
        used: &mut HashSet<String>,
    ) -> Statement {
        let mut statement = statement.clone();
        let own = statement.name.as_ref().map(|name| name.value.clone());
        for (factor, level) in &self.values {
            for change in cases::changes(level).filter(|change| Some(change.name) == own.as_deref()) {
                settings::set_key(&mut statement, change.key, change.value, change.span, vocabulary);
                used.insert(factor.to_string());
            }
        }
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

    /// What `word` stands for: a level (which may speak of `let`s) or a `let`.
    fn meaning(&self, word: &str, used: &mut HashSet<String>) -> Option<Expr> {
        if let Some((factor, level)) = self.values.iter().find(|(factor, _)| *factor == word) {
            used.insert(factor.to_string());
            let mut level = (*level).clone();
            let only_lets = Point {
                values: Vec::new(),
                ..self.clone()
            };
            only_lets.expr(&mut level, used);
            return Some(level);
        }
        let (name, value, _) = self.lets.iter().find(|(name, _, _)| *name == word)?;
        used.insert(name.to_string());
        Some(value.clone())
    }

    fn expr(&self, expr: &mut Expr, used: &mut HashSet<String>) {
        match &mut expr.kind {
            ExprKind::Word(word) => {
                if let Some(meaning) = self.meaning(word, used) {
                    *expr = Expr {
                        via: Some(expr.span),
                        ..meaning
                    };
                }
            }
            ExprKind::Call { name, arguments } => {
                // `model m = architecture(logits: 10)` with `vary architecture in [lenet, fcn]`.
                if let Some(Expr {
                    kind: ExprKind::Word(word),
                    ..
                }) = self.meaning(&name.value, used)
                {
                    name.value = word;
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
