//! A written value against the type that a setting asks for.

use super::arguments::{Given, Scope};
use super::suggest::{self, listed};
use crate::syntax::Diagnostic;
use crate::syntax::ast::{Entry, Expr, ExprKind};
use gradstudy_base::signature::{Args, Call, ParamType, Value};

/// Longest list that a range may stand for.
const MAX_RANGE: i64 = 10_000;

/// What a type takes, in words: for errors and the language reference.
pub fn describe_type(ty: &ParamType) -> String {
    match ty {
        ParamType::Integer { min, max } => {
            let bounds = bounds(*min != i64::MIN, *max != i64::MAX, min, max);
            format!("a whole number{bounds}")
        }
        ParamType::IntegerOr { min, max, words } => {
            let number = describe_type(&ParamType::Integer { min: *min, max: *max });
            format!("{number}, or {}", listed(words))
        }
        ParamType::Number { min, max } if *min == f64::MIN_POSITIVE && *max == f64::MAX => {
            "a number above 0".to_string()
        }
        ParamType::Number { min, max } => {
            let bounds = bounds(*min > f64::MIN, *max < f64::MAX, short(*min), short(*max));
            format!("a number{bounds}")
        }
        ParamType::Boolean => "`true` or `false`".to_string(),
        ParamType::Text => "a text in double quotes".to_string(),
        ParamType::Labelled => "a list of texts with labels, such as `[d_ks: \"KS distance\"]`".to_string(),
        ParamType::Path => "a path in double quotes".to_string(),
        ParamType::TextOr(words) => format!("a text in double quotes, or {}", listed(words)),
        ParamType::Word([]) => "a word".to_string(),
        ParamType::Word(words) => format!("one of {}", listed(words)),
        ParamType::Call(signatures) => {
            let usage = signatures
                .iter()
                .map(|signature| match (signature.name, signature.params) {
                    ("at", [factor, milestones]) => format!("`{} at [{}]`", factor.name, milestones.name),
                    (name, []) => format!("`{name}`"),
                    (name, params) => {
                        let params: Vec<&str> = params.iter().map(|param| param.name).collect();
                        format!("`{name}({})`", params.join(", "))
                    }
                });
            usage.collect::<Vec<_>>().join(" or ")
        }
        ParamType::List(inner) => format!("a list, each {}", describe_type(inner)),
        ParamType::Layers(_) => "a list of layers, such as `[conv1: conv2d(6, kernel: 5), relu]`".to_string(),
        ParamType::Reference(kinds) => format!("the name of a {}", kinds.join(" or ")),
    }
}

/// A bound as people write it: `0.5`, `1e-12`.
fn short(bound: f64) -> String {
    match bound.abs() {
        size if size != 0.0 && !(1e-3..1e6).contains(&size) => format!("{bound:e}"),
        _ => bound.to_string(),
    }
}

fn bounds(from: bool, to: bool, min: impl std::fmt::Display, max: impl std::fmt::Display) -> String {
    match (from, to) {
        (true, true) => format!(" from {min} to {max}"),
        (true, false) => format!(" of at least {min}"),
        (false, true) => format!(" of at most {max}"),
        (false, false) => String::new(),
    }
}

/// What was written, in words.
fn describe_value(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Integer(value) => format!("the whole number {value}"),
        ExprKind::Number(value) => format!("the number {value}"),
        ExprKind::Percent(value) => format!("the percentage {value}%"),
        ExprKind::Boolean(value) => format!("`{value}`"),
        ExprKind::Text(_) => "a text".to_string(),
        ExprKind::Word(word) => format!("the word `{word}`"),
        ExprKind::Range(from, to) => format!("the range {from}..{to}"),
        ExprKind::List(_) => "a list".to_string(),
        ExprKind::Call { name, .. } => format!("a call of `{}`", name.value),
        ExprKind::Infix { word, .. } => format!("a value with `{}`", word.value),
    }
}

/// Adds the place where a factor's name stood, if `expr` was put in for one.
pub(super) fn at(diagnostic: Diagnostic, expr: &Expr) -> Diagnostic {
    match expr.via {
        Some(via) => diagnostic.label(via, "put in here"),
        None => diagnostic,
    }
}

impl Scope<'_> {
    /// The value of `expr` as a `ty`, or `None` after saying why not. `what` names the setting in messages.
    pub fn value(&mut self, expr: &Expr, ty: &ParamType, what: &str) -> Option<Value> {
        if let ExprKind::Infix { word, .. } = &expr.kind
            && word.value == "with"
        {
            let message = "only data can stand `with` something: label noise";
            let diagnostic = Diagnostic::error("E0313", message, word.span, "not here");
            self.say(at(diagnostic, expr).help("write `on: data with symmetric(40%)`"));
            return None;
        }
        match (ty, &expr.kind) {
            (ParamType::Integer { min, max }, ExprKind::Integer(value)) => self
                .within(expr, value, min, max, ty, what)
                .then_some(Value::Integer(*value)),
            // 5e3 is 5000; 2^53 is where reals stop telling whole numbers apart.
            (ParamType::Integer { min, max }, ExprKind::Number(value))
                if value.fract() == 0.0 && value.abs() < 9.0e15 =>
            {
                let value = *value as i64;
                self.within(expr, &value, min, max, ty, what)
                    .then_some(Value::Integer(value))
            }
            (ParamType::IntegerOr { words, .. }, ExprKind::Word(word)) if words.contains(&word.as_str()) => {
                Some(Value::Text(word.clone()))
            }
            (ParamType::IntegerOr { min, max, .. }, ExprKind::Integer(_) | ExprKind::Number(_)) => {
                self.value(expr, &ParamType::Integer { min: *min, max: *max }, what)
            }
            // `0` and `0.0` are one setting: a cached step must not be made twice.
            (ParamType::Number { min, max }, ExprKind::Integer(value)) => {
                let value = *value as f64;
                self.within(expr, &value, min, max, ty, what)
                    .then_some(Value::Number(value))
            }
            (ParamType::Number { min, max }, ExprKind::Number(value)) => self
                .within(expr, value, min, max, ty, what)
                .then_some(Value::Number(*value)),
            (ParamType::Number { min, max }, ExprKind::Percent(percent)) => {
                let value = percent / 100.0;
                self.within(expr, &value, min, max, ty, what)
                    .then_some(Value::Number(value))
            }
            (ParamType::Boolean, ExprKind::Boolean(value)) => Some(Value::Boolean(*value)),
            (ParamType::Text | ParamType::TextOr(_), ExprKind::Text(text)) => Some(Value::Text(text.clone())),
            (ParamType::Path, ExprKind::Text(text)) => Some(Value::File(self.path(text, expr.span))),
            (ParamType::TextOr(words), ExprKind::Word(word)) if words.contains(&word.as_str()) => {
                Some(Value::Text(word.clone()))
            }
            (ParamType::Word(words), ExprKind::Word(word)) => {
                if words.is_empty() || words.contains(&word.as_str()) {
                    return Some(Value::Text(word.clone()));
                }
                let message = format!("{what} cannot be `{word}`");
                let diagnostic = Diagnostic::error("E0309", message, expr.span, "unknown word");
                self.say(at(diagnostic, expr).help(suggest::help(word, what, words.iter().copied())));
                None
            }
            (ParamType::Call(signatures), kind) => {
                let given = match kind {
                    ExprKind::Infix { left, word, right } => Given::infix(word, left, right),
                    ExprKind::Word(_) | ExprKind::Call { .. } => Given::of(expr),
                    _ => return self.mistyped(expr, ty, what),
                };
                self.call(&given, signatures, what).map(Value::Call)
            }
            (ParamType::List(_), ExprKind::List(entries)) if entries.is_empty() => {
                let message = format!("{what} is an empty list");
                self.error("E0402", message, expr, "nothing in it");
                None
            }
            (ParamType::List(inner), ExprKind::List(entries)) => {
                let mut values = Vec::with_capacity(entries.len());
                let mut whole = true;
                for entry in entries {
                    if let Some(label) = &entry.label {
                        let message = format!("an entry of {what} has no label");
                        let help = "only the levels of `vary … in [label: level]` and the layers of a `network` have labels";
                        self.say(Diagnostic::error("E0314", message, label.span, "label").help(help));
                        whole = false;
                    }
                    match self.value(&entry.value, inner, what) {
                        Some(value) => values.push(value),
                        None => whole = false,
                    }
                }
                whole.then_some(Value::List(values))
            }
            (ParamType::List(inner), ExprKind::Range(from, to)) => {
                if let ParamType::Integer { min, max } = inner {
                    if to < from || to.saturating_sub(*from) >= MAX_RANGE {
                        let message = format!("{what} cannot be {from}..{to}");
                        let help = format!(
                            "a range runs upwards over at most {MAX_RANGE} numbers, both ends included"
                        );
                        self.say(at(Diagnostic::error("E0308", message, expr.span, ""), expr).help(help));
                        return None;
                    }
                    let fits = self.within(expr, from, min, max, inner, what)
                        && self.within(expr, to, min, max, inner, what);
                    return fits.then(|| Value::List((*from..=*to).map(Value::Integer).collect()));
                }
                self.mistyped(expr, ty, what)
            }
            (ParamType::List(inner), _) => self
                .value(expr, inner, what)
                .map(|value| Value::List(vec![value])),
            (ParamType::Labelled, ExprKind::List(entries)) => self.labelled(entries, expr, what),
            (ParamType::Layers(known), _) => self.layers(expr, known(), what),
            (ParamType::Reference(kinds), _) => self.reference(expr, kinds, what).map(Value::Text),
            _ => self.mistyped(expr, ty, what),
        }
    }

    /// Texts by their labels, each of which stands once.
    fn labelled(&mut self, entries: &[Entry], expr: &Expr, what: &str) -> Option<Value> {
        let mut args = Args::default();
        for entry in entries {
            let (Some(label), ExprKind::Text(text)) = (&entry.label, &entry.value.kind) else {
                return self.mistyped(expr, &ParamType::Labelled, what);
            };
            if args
                .0
                .insert(label.value.clone(), Value::Text(text.clone()))
                .is_some()
            {
                let message = format!("{what} holds `{}` twice", label.value);
                let diagnostic = Diagnostic::error("E0315", message, label.span, "the same again");
                self.say(diagnostic.help("remove one of the two"));
                return None;
            }
        }
        let name = String::new();
        Some(Value::Call(Call { name, args }))
    }

    fn mistyped<T>(&mut self, expr: &Expr, ty: &ParamType, what: &str) -> Option<T> {
        let message = format!("{what} takes {}", describe_type(ty));
        let diagnostic = Diagnostic::error(
            "E0307",
            message,
            expr.span,
            format!("this is {}", describe_value(expr)),
        );
        let help = match (ty, &expr.kind) {
            (ParamType::Text | ParamType::Path | ParamType::TextOr(_), ExprKind::Word(word)) => {
                Some(format!("put it in quotes: \"{word}\""))
            }
            (ParamType::Word(_), ExprKind::Text(text)) => Some(format!("write it without quotes: {text}")),
            (ParamType::Integer { .. }, ExprKind::Percent(_)) => {
                Some("a percentage stands for a fraction, and this is a count".to_string())
            }
            _ => None,
        };
        let diagnostic = at(diagnostic, expr);
        self.say(match help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
        None
    }

    fn within<T: PartialOrd>(
        &mut self,
        expr: &Expr,
        value: &T,
        min: &T,
        max: &T,
        ty: &ParamType,
        what: &str,
    ) -> bool {
        let fits = min <= value && value <= max;
        if !fits {
            let message = format!("{what} is out of range");
            let label = format!("must be {}", describe_type(ty));
            self.say(at(Diagnostic::error("E0308", message, expr.span, label), expr));
        }
        fits
    }
}
