//! One point of the grid: levels of factors and values of `let`s, put into statements where their names stand.

use std::collections::HashSet;

use super::{Level, LevelValue, Vocabulary, cases, settings};
use crate::syntax::ast::{Argument, Block, Expr, ExprKind, Statement};
use crate::syntax::{Diagnostic, Span};

/// Parts, and levels of nesting, beyond which a value that `let`s are put into is taken for a slip.
const MAX_PARTS: usize = 50_000;
const MAX_DEPTH: usize = 100;

/// One point of the grid.
#[derive(Clone, Default)]
pub(super) struct Point<'a> {
    pub levels: Vec<Level>,
    /// The levels by the names of their factors.
    pub values: Vec<(&'a str, &'a Expr)>,
    lets: Vec<Let<'a>>,
}

/// A `let` at a point of the grid.
#[derive(Clone)]
struct Let<'a> {
    name: &'a str,
    /// As it stands in the study.
    written: &'a Expr,
    /// With levels and earlier `let`s put in.
    value: Expr,
    /// Of the value.
    size: Size,
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

    /// With parts of that size in place of its own.
    fn filled_with(self, other: Size) -> Size {
        Size {
            parts: self.parts.saturating_mul(other.parts),
            depth: self.depth.saturating_add(other.depth),
        }
    }

    /// Of what holds parts of these sizes.
    fn around(parts: impl Iterator<Item = Size>) -> Size {
        parts.fold(Size::ONE, |sum, part| Size {
            parts: sum.parts.saturating_add(part.parts),
            depth: sum.depth.max(part.depth + 1),
        })
    }
}

/// What a `let` stands for, with `arguments` in place of the names that it leaves open; none if one of them has no key, or one
/// that is no such name.
fn filled(mut value: Expr, arguments: &[Argument]) -> Option<Expr> {
    let keyed = |argument: &'_ Argument| Some((argument.key.as_ref()?.value.clone(), argument.value.clone()));
    let given: Vec<(String, Expr)> = arguments.iter().map(keyed).collect::<Option<_>>()?;
    let mut found = HashSet::new();
    fill(&mut value, &given, &mut found);
    (found.len() == given.len()).then_some(value)
}

fn fill(expr: &mut Expr, given: &[(String, Expr)], found: &mut HashSet<String>) {
    match &mut expr.kind {
        ExprKind::Word(word) => {
            if let Some((name, value)) = given.iter().find(|(name, _)| name == word) {
                found.insert(name.clone());
                let via = Some(expr.span);
                *expr = Expr { via, ..value.clone() };
            }
        }
        ExprKind::Call { arguments, .. } => {
            arguments
                .iter_mut()
                .for_each(|argument| fill(&mut argument.value, given, found));
        }
        ExprKind::List(entries) => entries
            .iter_mut()
            .for_each(|entry| fill(&mut entry.value, given, found)),
        ExprKind::Infix { left, right, .. } => {
            fill(left, given, found);
            fill(right, given, found);
        }
        _ => {}
    }
}

fn too_large(span: Span) -> Diagnostic {
    let message =
        format!("this value has more than {MAX_PARTS} parts, or is nested more than {MAX_DEPTH} deep");
    let help = "what `let`s stand for is put in where their names are: repeat fewer of them";
    Diagnostic::error("E0317", message, span, "with what its names stand for").help(help)
}

impl<'a> Point<'a> {
    /// Adds a `let` with the levels and the `let`s before it put in. Errors: that is too large to look at.
    pub fn add_let(
        &mut self,
        name: &'a str,
        written: &'a Expr,
        used: &mut HashSet<String>,
    ) -> Result<(), Box<Diagnostic>> {
        let size = self.size(written);
        if size.is_too_large() {
            return Err(Box::new(too_large(written.span)));
        }
        let mut value = written.clone();
        self.expr(&mut value, used);
        self.lets.push(Let {
            name,
            written,
            value,
            size,
        });
        Ok(())
    }
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
                let known = self.lets.iter().find(|it| it.name == word);
                known.map_or(Size::ONE, |it| it.size)
            }
            ExprKind::Call { name, arguments } => {
                let given = Size::around(arguments.iter().map(|it| of(&it.value)));
                let known = self.lets.iter().map(|it| it.name);
                let mut known = known.chain(values.iter().map(|(factor, _)| *factor));
                match known.any(|known| known == name.value) {
                    false => given,
                    // Each part of what the name stands for may be one of the arguments.
                    true => of(&Expr {
                        kind: ExprKind::Word(name.value.clone()),
                        span: name.span,
                        via: None,
                    })
                    .filled_with(given),
                }
            }
            ExprKind::List(entries) => Size::around(entries.iter().map(|it| of(&it.value))),
            ExprKind::Infix { left, right, .. } => Size::around([left, right].into_iter().map(|it| of(it))),
            _ => Size::ONE,
        }
    }

    /// The number or truth value that `level` is, or that the `let` it names is.
    pub fn value(&self, level: &Expr) -> Option<LevelValue> {
        match &level.kind {
            ExprKind::Integer(value) => Some(LevelValue::Integer(*value)),
            ExprKind::Number(value) => Some(LevelValue::Number(*value)),
            ExprKind::Percent(value) => Some(LevelValue::Number(value / 100.0)),
            ExprKind::Boolean(value) => Some(LevelValue::Boolean(*value)),
            ExprKind::Word(word) => {
                let value = &self.lets.iter().find(|it| it.name == word)?.value;
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

    /// Puts levels and `let`s into `expr`.
    fn expr(&self, expr: &mut Expr, used: &mut HashSet<String>) {
        self.expr_before(self.lets.len(), expr, used);
    }

    /// What `word` stands for: a level (which may speak of `let`s) or one of the first `before` `let`s.
    fn meaning(&self, before: usize, word: &str, used: &mut HashSet<String>) -> Option<Expr> {
        if let Some((factor, level)) = self.values.iter().find(|(factor, _)| *factor == word) {
            used.insert(factor.to_string());
            return Some(self.level(level, used));
        }
        let found = self.lets[..before].iter().find(|it| it.name == word)?;
        used.insert(found.name.to_string());
        Some(found.value.clone())
    }

    /// A level with `let`s put in.
    fn level(&self, level: &Expr, used: &mut HashSet<String>) -> Expr {
        let mut level = level.clone();
        let only_lets = Point {
            values: Vec::new(),
            ..self.clone()
        };
        only_lets.expr(&mut level, used);
        level
    }

    /// As [`Point::expr`] with the first `before` `let`s: those that the text of the next one may speak of.
    fn expr_before(&self, before: usize, expr: &mut Expr, used: &mut HashSet<String>) {
        match &mut expr.kind {
            ExprKind::Word(word) => {
                if let Some(meaning) = self.meaning(before, word, used) {
                    *expr = Expr {
                        via: Some(expr.span),
                        ..meaning
                    };
                }
            }
            ExprKind::Call { name, arguments } => {
                for argument in arguments.iter_mut() {
                    self.expr_before(before, &mut argument.value, used);
                }
                if let Some(called) = self.called(before, &mut name.value, arguments, used) {
                    *expr = Expr {
                        via: Some(expr.span),
                        ..called
                    };
                }
            }
            ExprKind::List(entries) => entries
                .iter_mut()
                .for_each(|entry| self.expr_before(before, &mut entry.value, used)),
            ExprKind::Infix { left, right, .. } => {
                self.expr_before(before, left, used);
                self.expr_before(before, right, used);
            }
            ExprKind::Integer(_) | ExprKind::Number(_) | ExprKind::Percent(_) => {}
            ExprKind::Boolean(_) | ExprKind::Text(_) | ExprKind::Range(..) => {}
        }
    }

    /// What a call of `name` stands for if that is a `let` or a level which holds a call or a list: with `arguments` in place
    /// of the names that it leaves open. A word that `name` stands for takes its place, as in `architecture(logits: 10)`
    /// with `vary architecture in [lenet, fcn]`.
    fn called(
        &self,
        before: usize,
        name: &mut String,
        arguments: &[Argument],
        used: &mut HashSet<String>,
    ) -> Option<Expr> {
        if let Some((factor, level)) = self.values.iter().find(|(factor, _)| factor == name) {
            used.insert(factor.to_string());
            match &level.kind {
                ExprKind::Word(word) => *name = word.clone(),
                ExprKind::Call { .. } | ExprKind::List(_) => {
                    return Some(self.level(&filled((*level).clone(), arguments)?, used));
                }
                _ => return None,
            }
        }
        let index = self.lets[..before].iter().position(|it| it.name == name)?;
        let found = &self.lets[index];
        used.insert(found.name.to_string());
        match &found.value.kind {
            ExprKind::Word(word) => {
                *name = word.clone();
                None
            }
            ExprKind::Call { .. } | ExprKind::List(_) => {
                // As written, so that a name may be given which is a factor's as well.
                let mut value = filled(found.written.clone(), arguments)?;
                self.expr_before(index, &mut value, used);
                Some(value)
            }
            _ => None,
        }
    }
}
