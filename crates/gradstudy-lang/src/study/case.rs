//! One statement at one point of the grid, to its place in the case.

use indexmap::IndexMap;

use super::arguments::{Bound, Given, Scope};
use super::label_noise::LABEL_NOISE;
use super::names::Declared;
use super::own_numbers::FILE;
use super::shape::{entries, fields};
use super::statements::{Holds, LIKE, StatementKind};
use super::{
    ArraySpec, Assertion, BatchNorm, Case, DataSpec, ModelSpec, RecordSpec, SpectrumSpec, TestSpec,
    TrainSpec, TransformSpec, Vocabulary, suggest, values,
};
use crate::syntax::ast::{Argument, Expr, ExprKind, Statement};
use crate::syntax::{Diagnostic, Span};
use gradstudy_base::signature::{Args, Call, Signature, Value};
use gradstudy_stats::outcome::Direction;

/// Where the settings of one statement were written.
#[derive(Default)]
pub(super) struct Place {
    pub head: Span,
    pub spans: IndexMap<String, Span>,
}

impl Place {
    /// The setting's value, or the statement's head where its default holds.
    pub fn of(&self, key: &str) -> Span {
        self.spans.get(key).copied().unwrap_or(self.head)
    }
}

/// Places by the statements' names.
pub(super) type Places = IndexMap<String, Place>;

/// Data with label noise that a statement asks for in place: `on: mnist with symmetric(40%)`.
pub(super) struct Noisy {
    /// Under this name it is data of the case.
    pub name: String,
    pub base: String,
    pub labels: Call,
}

impl Scope<'_> {
    /// Replaces `data with noise` behind `on` by the name of data of its own.
    pub fn noisy_data(&mut self, statement: &mut Statement, noisy: &mut Vec<Noisy>) {
        let call = statement.binding.as_mut().map(|binding| &mut binding.value.kind);
        let arguments = match call {
            Some(ExprKind::Call { arguments, .. }) => arguments.as_mut_slice(),
            _ => &mut [],
        };
        let fields = statement.block.iter_mut().flat_map(|block| &mut block.fields);
        let on = |argument: &&mut Argument| argument.key.as_ref().is_some_and(|key| key.value == "on");
        for argument in arguments.iter_mut().chain(fields).filter(on) {
            let expr = &mut argument.value;
            let ExprKind::Infix { left, word, right } = &expr.kind else {
                continue;
            };
            let (ExprKind::Word(base), "with") = (&left.kind, word.value.as_str()) else {
                continue;
            };
            let Some(labels) = self.call(&Given::of(right), LABEL_NOISE, "label noise") else {
                // Its mistake is told: the data alone stand for it.
                *expr = (**left).clone();
                continue;
            };
            let arguments: Vec<String> = labels.args.0.values().map(shown).collect();
            let name = match arguments.as_slice() {
                [] => format!("{base} with {}", labels.name),
                arguments => format!("{base} with {}({})", labels.name, arguments.join(", ")),
            };
            if self.reference(left, &["data"], "`on`").is_some() {
                let declared = Declared {
                    keyword: "data".to_string(),
                    span: expr.span,
                    lost: false,
                };
                self.names.map.entry(name.clone()).or_insert(declared);
                self.names.used.insert(name.clone());
                let base = base.clone();
                *expr = Expr {
                    kind: ExprKind::Word(name.clone()),
                    ..expr.clone()
                };
                noisy.push(Noisy { name, base, labels });
            } else {
                *expr = (**left).clone();
            }
        }
    }

    /// Checks one statement at one point of the grid and puts it into `case`.
    pub fn case_statement(
        &mut self,
        statement: &Statement,
        kind: &'static StatementKind,
        vocabulary: &Vocabulary,
        case: &mut Case,
    ) -> Option<Place> {
        let Holds::Call(what) = kind.holds else {
            return None;
        };
        let signatures = vocabulary.built_ins(kind.block.name);
        let name = statement.name.as_ref()?.value.clone();
        let (signature, bound) = self.statement_call(statement, kind, signatures, what)?;
        let place = Place {
            head: statement.head(),
            spans: bound.spans,
        };
        let args = bound.args;
        let call = |own: &[&str]| Call {
            name: signature.name.to_string(),
            args: without(&args, own),
        };
        let text = |key: &str| args.text(key).to_string();
        let count = |key: &str| args.integer(key) as u64;
        match kind.block.name {
            "data" => {
                let labels = args.call("labels").clone();
                let call = call(&["labels"]);
                let asserts = self.asserts(statement, "data", &["examples", "classes"]);
                let data = DataSpec {
                    call,
                    labels,
                    asserts,
                };
                case.data.insert(name, data);
            }
            "model" => {
                let weights = match args.get("weights") {
                    Some(Value::File(file)) => Some(file.clone()),
                    _ => None,
                };
                let asserts = self.asserts(statement, "a model", &["parameters"]);
                case.models.insert(
                    name,
                    ModelSpec {
                        call: call(&["weights"]),
                        weights,
                        asserts,
                    },
                );
            }
            "train" => {
                let epochs = count("epochs");
                let decay = self.decay(statement, &args, epochs);
                let schedule = self.schedule(statement, &args, epochs);
                self.exclusive(&place, &args);
                let own = [
                    "of",
                    "on",
                    "epochs",
                    "batch",
                    "decay",
                    "schedule",
                    "clip",
                    "clip_value",
                    "augment",
                ];
                let optimizer = call(&own);
                let number = |key: &str| args.get(key).map(|_| args.number(key));
                let (of, on, batch) = (text("of"), text("on"), count("batch"));
                case.trains.insert(
                    name,
                    TrainSpec {
                        optimizer,
                        of,
                        on,
                        epochs,
                        batch,
                        decay,
                        schedule,
                        clip: number("clip"),
                        clip_value: number("clip_value"),
                        augment: self.augmentation(statement, &args),
                    },
                );
            }
            "record" if signature.name == FILE.name => {
                case.arrays.insert(name, ArraySpec { call: call(&[]) });
            }
            "record" => {
                let transform = transform(&args);
                let own = [
                    "of",
                    "on",
                    "batch",
                    "iterations",
                    "order",
                    "keep",
                    "batch_norm",
                    "layers",
                ];
                let call = call(&[&own[..], &["weight_decay", "clip", "through"]].concat());
                let (of, on, order) = (text("of"), text("on"), text("order"));
                let (batch, iterations) = (count("batch"), count("iterations"));
                let keep = args.boolean("keep");
                let layers = args.get("layers").map(|_| text("layers"));
                let batch_norm = match args.get("batch_norm") {
                    Some(Value::Text(word)) if word == "running" => BatchNorm::Running,
                    _ => BatchNorm::Batch,
                };
                case.records.insert(
                    name,
                    RecordSpec {
                        call,
                        of,
                        on,
                        batch,
                        iterations,
                        order,
                        keep,
                        layers,
                        batch_norm,
                        transform,
                    },
                );
            }
            "spectrum" => {
                case.spectra.insert(name, SpectrumSpec { call: call(&[]) });
            }
            _ => {
                self.distinct(&entries(statement, "along"), "along");
                let direction = |word: &str| match word {
                    "dimension" => Direction::Dimension,
                    _ => Direction::Iteration,
                };
                let along = args.texts("along").into_iter().map(direction).collect();
                case.tests.insert(
                    name,
                    TestSpec {
                        call: call(&["of", "along"]),
                        of: text("of"),
                        along,
                    },
                );
            }
        }
        Some(place)
    }

    /// What is done to training images; each form once.
    fn augmentation(&mut self, statement: &Statement, args: &Args) -> Vec<Call> {
        self.distinct(&entries(statement, "augment"), "augment");
        let Some(Value::List(forms)) = args.get("augment") else {
            return Vec::new();
        };
        let forms = forms.iter().filter_map(|form| match form {
            Value::Call(call) => Some(call.clone()),
            _ => None,
        });
        forms.collect()
    }

    /// The built-in that a statement calls, with the settings of its parentheses and its block together.
    fn statement_call(
        &mut self,
        statement: &Statement,
        kind: &'static StatementKind,
        signatures: &[&'static Signature],
        what: &str,
    ) -> Option<(&'static Signature, Bound)> {
        let value = &statement.binding.as_ref()?.value;
        if !matches!(value.kind, ExprKind::Word(_) | ExprKind::Call { .. }) {
            let message = format!("`{}` takes a {what}", kind.block.name);
            let help = format!("for example: {}", kind.example);
            self.say(
                values::at(
                    Diagnostic::error("E0307", message, value.span, "not a call"),
                    value,
                )
                .help(help),
            );
            return None;
        }
        let given = Given::of(value);
        if given.name.value == LIKE {
            // It is like nothing, which has been told.
            return None;
        }
        let signature = self.find(&given, signatures, what)?;
        let name = statement.name.as_ref().map_or("", |name| &name.value);
        let owner = format!("{} `{name}`", kind.block.name);
        let (own, more) = (signature.params, kind.more(signature.name));
        let bound = self.bind(
            &given.arguments,
            fields(statement),
            own,
            more,
            statement.head(),
            &owner,
        )?;
        Some((signature, bound))
    }

    /// The asserts of a statement about `whose` subjects, each compared with a whole number.
    fn asserts(&mut self, statement: &Statement, whose: &str, subjects: &[&str]) -> Vec<Assertion> {
        let mut asserts = Vec::new();
        for assert in statement.block.iter().flat_map(|block| &block.asserts) {
            let subject = &assert.subject;
            if !subjects.contains(&subject.value.as_str()) {
                let message = format!("{whose} has no `{}` to assert", subject.value);
                let help = suggest::help(&subject.value, "subject", subjects.iter().copied());
                self.say(Diagnostic::error("E0206", message, subject.span, "unknown").help(help));
                continue;
            }
            match assert.value.kind {
                ExprKind::Integer(value) => asserts.push(Assertion {
                    subject: subject.value.clone(),
                    op: assert.comparison,
                    value: value as f64,
                    span: assert.span,
                }),
                _ => self.error(
                    "E0307",
                    format!("`{}` is compared with a whole number", subject.value),
                    &assert.value,
                    "",
                ),
            }
        }
        asserts
    }
}

/// The arguments that have no field of their own.
fn without(args: &Args, own: &[&str]) -> Args {
    let kept = args.0.iter().filter(|(key, _)| !own.contains(&key.as_str()));
    Args(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// What is done to recorded gradients. Settings that do nothing are none: they make no other step.
fn transform(args: &Args) -> TransformSpec {
    let number = |key: &str| args.get(key).map(|_| args.number(key));
    let through = args.get("through").map(|_| args.call("through"));
    TransformSpec {
        weight_decay: number("weight_decay").filter(|decay| *decay != 0.0),
        clip: number("clip"),
        through: through.filter(|call| call.name != "none").cloned(),
    }
}

/// An argument of label noise as a study may write it.
fn shown(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Integer(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}
