//! What is given to a call or a block, bound to the parameters of its signature.

use indexmap::IndexMap;

use super::layers;
use super::names::Names;
use super::suggest;
use super::values::at;
use crate::syntax::ast::{Argument, Expr, ExprKind};
use crate::syntax::{Diagnostic, Span, Spanned, parse_value};
use gradstudy_base::signature::{Args, Call, Default, Param, ParamType, Signature, Value};

/// What the checker of one statement needs: the names it may refer to, and where to put what it finds.
pub(super) struct Scope<'a> {
    pub names: &'a mut Names,
    pub diagnostics: &'a mut Vec<Diagnostic>,
}

/// A call as written: `name`, `name(…)` or `left name right`.
pub(super) struct Given {
    pub name: Spanned<String>,
    pub arguments: Vec<Argument>,
    pub span: Span,
    pub via: Option<Span>,
}

impl Given {
    /// `expr` as a call: a bare word is one without arguments. Anything else keeps its place under an empty name.
    pub fn of(expr: &Expr) -> Given {
        let (name, arguments) = match &expr.kind {
            ExprKind::Word(word) => (
                Spanned {
                    value: word.clone(),
                    span: expr.span,
                },
                Vec::new(),
            ),
            ExprKind::Call { name, arguments } => (name.clone(), arguments.clone()),
            _ => (
                Spanned {
                    value: String::new(),
                    span: expr.span,
                },
                Vec::new(),
            ),
        };
        Given {
            name,
            arguments,
            span: expr.span,
            via: expr.via,
        }
    }

    /// `left word right` as `word(left, right)`.
    pub fn infix(word: &Spanned<String>, left: &Expr, right: &Expr) -> Given {
        let side = |expr: &Expr| Argument {
            key: None,
            value: expr.clone(),
        };
        let span = left.span.to(right.span);
        Given {
            name: word.clone(),
            arguments: vec![side(left), side(right)],
            span,
            via: None,
        }
    }
}

/// Values by parameter, and where each was written (absent for defaults).
#[derive(Debug, std::default::Default)]
pub(super) struct Bound {
    pub args: Args,
    pub spans: IndexMap<String, Span>,
}

impl Scope<'_> {
    pub fn say(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// The signature called `name`, or an error with the closest of `signatures`.
    pub fn find(
        &mut self,
        given: &Given,
        signatures: &[&'static Signature],
        what: &str,
    ) -> Option<&'static Signature> {
        let name = given.name.value.as_str();
        let found = signatures.iter().find(|signature| signature.name == name);
        if found.is_none() {
            let is_let = self
                .names
                .map
                .get(name)
                .is_some_and(|declared| declared.keyword == "let");
            let message = match is_let {
                true => format!("`{name}` is a `let` that cannot be used so"),
                false => format!("there is no {what} called `{name}`"),
            };
            let diagnostic = Diagnostic::error("E0301", message, given.name.span, "unknown");
            let diagnostic = match given.via {
                Some(via) => diagnostic.label(via, "put in here"),
                None => diagnostic,
            };
            let names = signatures.iter().map(|signature| signature.name);
            let help = match (what, name) {
                ("dataset", "file") => {
                    "gradients of your own are a record: `record g = file(\"grads.npy\")`".to_string()
                }
                _ if is_let => {
                    "a `let` stands for its value behind its statement; in parentheses stand names that it leaves open, each \
                     with what it is to be: `name(key: value)`"
                        .to_string()
                }
                _ => suggest::help(name, what, names),
            };
            self.say(diagnostic.help(help));
        }
        found.copied()
    }

    /// A nested call, such as `top(1000)`.
    pub fn call(&mut self, given: &Given, signatures: &[&'static Signature], what: &str) -> Option<Call> {
        let signature = self.find(given, signatures, what)?;
        let owner = format!("`{}`", signature.name);
        let bound = self.bind(&given.arguments, &[], signature.params, &[], given.span, &owner)?;
        Some(Call {
            name: signature.name.to_string(),
            args: bound.args,
        })
    }

    /// Binds a call's `arguments` and a block's `fields` to `params` and then to those of `more` that `params`
    /// lacks. Positional arguments bind to `params` in order. `None` after at least one error.
    pub fn bind(
        &mut self,
        arguments: &[Argument],
        fields: &[Argument],
        params: &'static [Param],
        more: &'static [Param],
        place: Span,
        owner: &str,
    ) -> Option<Bound> {
        let known: Vec<&'static Param> = params
            .iter()
            .chain(
                more.iter()
                    .filter(|param| params.iter().all(|other| other.name != param.name)),
            )
            .collect();
        let params: Vec<&'static Param> = params.iter().collect();
        self.bind_known(arguments.iter().chain(fields), &params, &known, place, owner)
    }

    /// Binds a call's `arguments` to `params`, in order or by key. `None` after at least one error.
    pub fn bind_to(
        &mut self,
        arguments: &[Argument],
        params: &[&'static Param],
        place: Span,
        owner: &str,
    ) -> Option<Bound> {
        self.bind_known(arguments.iter(), params, params, place, owner)
    }

    /// Binds to `known`; positional arguments bind to `params`.
    fn bind_known<'a>(
        &mut self,
        arguments: impl Iterator<Item = &'a Argument>,
        params: &[&'static Param],
        known: &[&'static Param],
        place: Span,
        owner: &str,
    ) -> Option<Bound> {
        let mut good = true;
        let mut given: IndexMap<&'static str, (Span, &Expr)> = IndexMap::new();
        let mut named = false;
        // What a misspelt key most likely meant is not also missing.
        let mut meant = Vec::new();
        for (position, argument) in arguments.enumerate() {
            let (param, span) = match &argument.key {
                Some(key) => {
                    named = true;
                    let Some(param) = known.iter().find(|param| param.name == key.value) else {
                        good = false;
                        let message = format!("{owner} has no setting `{}`", key.value);
                        let names = known.iter().map(|param| param.name);
                        meant.extend(suggest::closest(&key.value, names.clone()));
                        let help = suggest::help(&key.value, "setting", names);
                        self.say(Diagnostic::error("E0302", message, key.span, "unknown").help(help));
                        continue;
                    };
                    (*param, key.span)
                }
                None if named => {
                    good = false;
                    let message = "a value without its key follows one with a key";
                    let help = "write `key: value`, or put the value first";
                    let span = argument.value.span;
                    self.say(Diagnostic::error("E0306", message, span, "key missing").help(help));
                    continue;
                }
                None => match params.get(position) {
                    Some(param) => (*param, argument.value.span),
                    None => {
                        good = false;
                        let message =
                            format!("{owner} takes no {} value without a key", ordinal(position + 1));
                        let names: Vec<&str> = params.iter().map(|param| param.name).collect();
                        let help = match names.as_slice() {
                            [] => "it takes no settings in parentheses".to_string(),
                            names => format!("its settings in order: {}", suggest::listed(names)),
                        };
                        self.say(Diagnostic::error("E0305", message, argument.value.span, "").help(help));
                        continue;
                    }
                },
            };
            if let Some((first, _)) = given.get(param.name) {
                good = false;
                let message = format!("`{}` is given twice", param.name);
                let diagnostic = Diagnostic::error("E0303", message, span, "given again");
                self.say(
                    diagnostic
                        .label(*first, "first given here")
                        .help("remove one of the two"),
                );
                continue;
            }
            given.insert(param.name, (span, &argument.value));
        }

        let mut bound = Bound::default();
        let mut missing = Vec::new();
        for &param in known {
            let what = format!("`{}`", param.name);
            let value = match (given.get(param.name), &param.default) {
                (Some((_, expr)), _) => {
                    bound.spans.insert(param.name.to_string(), expr.span);
                    if let ParamType::Layers(known) = param.ty {
                        layers::places(expr, known(), param.name, &mut bound.spans);
                    }
                    let value = self.value(expr, &param.ty, &what);
                    good &= value.is_some();
                    value
                }
                (None, Default::Required) => {
                    if !meant.contains(&param.name) {
                        missing.push(param);
                    }
                    None
                }
                (None, Default::Absent) => None,
                (None, Default::Text(text)) => Some(self.default(param, text)),
            };
            if let Some(value) = value {
                bound.args.0.insert(param.name.to_string(), value);
            }
        }
        if !missing.is_empty() {
            let names: Vec<&str> = missing.iter().map(|param| param.name).collect();
            let message = format!("{owner} needs {}", suggest::listed(&names));
            let help = missing
                .iter()
                .map(|param| format!("{}: {}", param.name, param.doc));
            let help = help.collect::<Vec<_>>().join("\n");
            self.say(Diagnostic::error("E0304", message, place, "not given").help(help));
            return None;
        }
        good.then_some(bound)
    }

    /// A default's value. A default that is no value of its type is a mistake in gradstudy, not in a study.
    fn default(&mut self, param: &Param, text: &str) -> Value {
        let mut diagnostics = Vec::new();
        let mut scope = Scope {
            names: self.names,
            diagnostics: &mut diagnostics,
        };
        parse_value(text)
            .and_then(|expr| scope.value(&expr, &param.ty, param.name))
            .unwrap_or_else(|| panic!("the default `{text}` of `{}` is not of its type", param.name))
    }

    /// Says where an entry of a list stands for the second time.
    pub fn distinct(&mut self, entries: &[&Expr], what: &str) {
        for (index, entry) in entries.iter().enumerate() {
            if let Some(first) = entries[..index].iter().find(|first| first.kind == entry.kind) {
                let message = format!("`{what}` holds the same entry twice");
                let diagnostic = Diagnostic::error("E0315", message, entry.span, "the same again");
                self.say(
                    diagnostic
                        .label(first.span, "first here")
                        .help("remove one of the two"),
                );
            }
        }
    }

    /// The place of a value put in for a factor is its level; the factor's own place goes along.
    pub fn error(&mut self, code: &'static str, message: impl Into<String>, expr: &Expr, label: &str) {
        self.say(at(Diagnostic::error(code, message, expr.span, label), expr));
    }
}

fn ordinal(position: usize) -> String {
    match position {
        1 => "first".to_string(),
        2 => "second".to_string(),
        3 => "third".to_string(),
        n => format!("{n}th"),
    }
}

/// Defaults of `signatures`, and of the calls nested in them, that are no values of their type: mistakes in
/// gradstudy, for tests of the registries to look for.
pub fn faulty_defaults(signatures: &[&'static Signature]) -> Vec<String> {
    fn nested(ty: &'static ParamType) -> &'static [&'static Signature] {
        match ty {
            ParamType::Call(signatures) => signatures,
            ParamType::List(inner) => nested(inner),
            _ => &[],
        }
    }
    let mut faults = Vec::new();
    for signature in signatures {
        for param in signature.params {
            if let Default::Text(text) = param.default {
                let (mut names, mut diagnostics) = (Names::default(), Vec::new());
                let mut scope = Scope {
                    names: &mut names,
                    diagnostics: &mut diagnostics,
                };
                let value = parse_value(text).and_then(|expr| scope.value(&expr, &param.ty, param.name));
                if value.is_none() {
                    faults.push(format!("{}.{}: `{text}`", signature.name, param.name));
                }
            }
            faults.extend(faulty_defaults(nested(&param.ty)));
        }
    }
    faults
}
