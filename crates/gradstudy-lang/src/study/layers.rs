//! Lists of layers: from what is written to a tree of calls, and where each of them was written.

use indexmap::IndexMap;

use super::arguments::{Given, Scope};
use super::values::at;
use crate::syntax::ast::{Argument, Entry, Expr, ExprKind};
use crate::syntax::{Diagnostic, Span, Spanned};
use gradstudy_base::signature::{Args, Call, ParamType, Signature, Value};

/// The label that gives no name of its own: what it stands before belongs to the module around.
const NAMELESS: &str = "_";

impl Scope<'_> {
    /// The layers that `expr` lists, by label or position, or the one layer that it is. `what` names the setting.
    pub(super) fn layers(&mut self, expr: &Expr, known: &[&'static Signature], what: &str) -> Option<Value> {
        let entries = match &expr.kind {
            ExprKind::List(entries) => entries,
            ExprKind::Word(_) | ExprKind::Call { .. } => {
                return self.call(&Given::of(expr), known, "layer").map(Value::Call);
            }
            _ => {
                let message = format!("{what} takes a list of layers");
                let help = "for example: `[conv1: conv2d(6, kernel: 5), relu, fc: linear(10)]`";
                let diagnostic = Diagnostic::error("E0307", message, expr.span, "no layers");
                self.say(at(diagnostic, expr).help(help));
                return None;
            }
        };
        if entries.is_empty() {
            self.error("E0402", format!("{what} is an empty list"), expr, "nothing in it");
            return None;
        }
        let (mut args, mut places) = (Args::default(), IndexMap::new());
        let mut whole = true;
        for (position, entry) in entries.iter().enumerate() {
            whole &= self.label(entry);
            let value = self.layers(&entry.value, known, what);
            whole &= value.is_some();
            if let (Some(label), Some(Value::Call(call))) = (&entry.label, &value)
                && label.value == NAMELESS
                && !holds_layers(call, known)
            {
                let message = "`_` stands before what holds layers";
                let help = "`_` gives no name of its own: give a layer a label, or leave the label out";
                self.say(Diagnostic::error("E0316", message, label.span, "before one layer").help(help));
                whole = false;
            }
            let (key, span) = (key(entry, position), place(entry));
            if let Some(first) = places.insert(key.clone(), span) {
                let message = format!("two layers of a list are called `{key}`");
                let help = "labels are names of modules: give each layer of a list another one";
                let diagnostic = Diagnostic::error("E0316", message, span, "the same again");
                self.say(diagnostic.label(first, "first here").help(help));
                whole = false;
            }
            args.0.extend(value.map(|value| (key, value)));
        }
        let name = String::new();
        whole.then_some(Value::Call(Call { name, args }))
    }

    /// Whether an entry has a label that a module can have, or none; says why not.
    fn label(&mut self, entry: &Entry) -> bool {
        let Some(label) = &entry.label else { return true };
        let word = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let fits = match label.value.as_bytes().first() {
            Some(b'_') => label.value == NAMELESS,
            Some(digit) if digit.is_ascii_digit() => label.value.bytes().all(|byte| byte.is_ascii_digit()),
            Some(_) => word(&label.value),
            None => false,
        };
        if !fits {
            let message = format!("`{}` is no name of a module", label.value);
            let help = "a label is a word of letters, digits and `_` that begins with a letter, or a whole number in quotes; \
                        names of nested lists are joined by dots";
            self.say(Diagnostic::error("E0316", message, label.span, "not as a label").help(help));
        }
        fits
    }
}

/// Whether a call is a list, or of something that has lists of layers among its settings.
fn holds_layers(call: &Call, known: &[&'static Signature]) -> bool {
    let signature = known.iter().find(|signature| signature.name == call.name);
    let within = |signature: &&&'static Signature| signature.params.iter().any(|it| is_layers(&it.ty));
    call.name.is_empty() || signature.is_some_and(|signature| within(&signature))
}

fn is_layers(ty: &ParamType) -> bool {
    matches!(ty, ParamType::Layers(_))
}

/// What an entry is called among those of its list.
fn key(entry: &Entry, position: usize) -> String {
    match entry.label.as_ref().map(|label| label.value.as_str()) {
        None => position.to_string(),
        Some(NAMELESS) => format!("{NAMELESS}{position}"),
        Some(label) => label.to_string(),
    }
}

/// Label and value; of a value that was put in, the name that it stands for.
pub(super) fn place(entry: &Entry) -> Span {
    let value = entry.value.via.unwrap_or(entry.value.span);
    match &entry.label {
        Some(Spanned { span, .. }) if span.end <= value.start => span.to(value),
        _ => value,
    }
}

/// Adds the places of the layers that `expr` lists to `places`, each under `path` and its label or position, joined by `/`.
pub(super) fn places(
    expr: &Expr,
    known: &[&'static Signature],
    path: &str,
    places: &mut IndexMap<String, Span>,
) {
    match &expr.kind {
        ExprKind::List(entries) => {
            for (position, entry) in entries.iter().enumerate() {
                let path = format!("{path}/{}", key(entry, position));
                places.insert(path.clone(), place(entry));
                self::places(&entry.value, known, &path, places);
            }
        }
        ExprKind::Call { name, arguments } => {
            let Some(signature) = known.iter().find(|signature| signature.name == name.value) else {
                return;
            };
            for (position, Argument { key, value }) in arguments.iter().enumerate() {
                let param = match key {
                    Some(key) => signature.params.iter().find(|param| param.name == key.value),
                    None => signature.params.get(position),
                };
                if let Some(param) = param.filter(|param| is_layers(&param.ty)) {
                    let path = format!("{path}/{}", param.name);
                    places.insert(path.clone(), value.span);
                    self::places(value, known, &path, places);
                }
            }
        }
        _ => {}
    }
}
