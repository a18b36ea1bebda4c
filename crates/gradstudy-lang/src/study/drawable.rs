//! Whether a figure can draw what it is to show: its columns are given by its tests, share a unit, and every result has a
//! place on the axis.

use super::arguments::{Bound, Given, Scope};
use super::shape::{Item, listed_in, written};
use super::suggest::{closest, listed};
use super::{Case, TestSpec, Vocabulary, level_numbers};
use crate::syntax::ast::{Expr, ExprKind};
use crate::syntax::{Diagnostic, Span};
use gradstudy_base::signature::{Signature, Value};

/// A figure whose settings are of the right types.
pub(super) struct Drawn<'a> {
    pub item: &'a Item,
    pub given: &'a Given,
    pub signature: &'static Signature,
    pub bound: &'a Bound,
}

impl Drawn<'_> {
    fn written(&self, key: &str) -> Option<&Expr> {
        written_in(self.item, self.given, self.signature, key)
    }

    /// Where the setting stands, or the figure's head where its default holds.
    fn place(&self, key: &str) -> Span {
        let span = self.written(key).map(|expr| expr.span);
        span.unwrap_or_else(|| self.item.statement.head())
    }
}

/// What is written for `key`, with the key or by its position in the call.
pub(super) fn written_in<'a>(
    item: &'a Item,
    given: &'a Given,
    signature: &Signature,
    key: &str,
) -> Option<&'a Expr> {
    let position = signature.params.iter().position(|param| param.name == key)?;
    let mut plain = given.arguments.iter().filter(|it| it.key.is_none());
    let by_key = written(&item.statement, key);
    by_key.or_else(|| plain.nth(position).map(|argument| &argument.value))
}

/// The points of the grid at which `test` is made, with what it is there.
fn made<'a>(cases: &'a [Case], test: &'a str) -> impl Iterator<Item = (&'a Case, &'a TestSpec)> {
    let own = cases
        .iter()
        .filter(move |case| !case.given.iter().any(|given| given == test));
    own.filter_map(move |case| Some((case, case.tests.get(test)?)))
}

/// The record, or file of numbers, that `of` is made of in the end: spectra are of spectra or records.
fn measured<'a>(case: &'a Case, of: &'a str) -> &'a str {
    let mut name = of;
    // Cycles are told elsewhere.
    for _ in 0..case.spectra.len() {
        match case.spectra.get(name).and_then(|it| it.call.args.get("of")) {
            Some(Value::Text(of)) => name = of,
            _ => break,
        }
    }
    name
}

/// The columns that `test` gives at some point of the grid; `None` where that is not known.
fn gives(cases: &[Case], test: &str, vocabulary: &Vocabulary) -> Option<Vec<&'static str>> {
    let mut given: Vec<&'static str> = Vec::new();
    for (case, spec) in made(cases, test) {
        let spectrum = case.spectra.get(&spec.of).map(|spectrum| &spectrum.call);
        let record = case.records.get(&spec.of);
        let file = case.arrays.get(&spec.of);
        let file = file.and_then(|array| vocabulary.facts.array(&array.call)?.ok());
        let one_iteration = record.is_some_and(|record| record.iterations == 1)
            || file.is_some_and(|(parameters, iterations)| parameters == 1 || iterations == 1);
        let single = spectrum.is_some() || one_iteration;
        let columns = vocabulary.facts.columns(&spec.call, single, spectrum)?;
        given.extend(
            columns
                .into_iter()
                .filter(|column| !given.contains(column))
                .collect::<Vec<_>>(),
        );
    }
    (!given.is_empty()).then_some(given)
}

impl Scope<'_> {
    /// Tells of everything in the figure that could not be drawn.
    pub fn drawable(&mut self, figure: &Drawn, cases: &[Case], vocabulary: &Vocabulary) {
        let takes = |key: &str| figure.signature.params.iter().any(|param| param.name == key);
        let of = figure.bound.args.texts("of");
        for test in &of {
            self.drawn_test(figure, test, cases, vocabulary);
        }
        if takes("show") {
            self.shown(figure, &of, cases, vocabulary);
        }
        if takes("against") {
            self.placed(figure, &of, cases, vocabulary);
        }
    }

    fn drawn_test(&mut self, figure: &Drawn, test: &str, cases: &[Case], vocabulary: &Vocabulary) {
        let kind = figure.signature.name;
        let strange = made(cases, test).find(|(_, spec)| !vocabulary.facts.draws(kind, &spec.call));
        if let Some((_, spec)) = strange {
            let message = format!("`{kind}` cannot draw `{test}`, a test `{}`", spec.call.name);
            let help =
                "`rates` draws any statistic of a test; the language reference says what the others draw";
            self.say(Diagnostic::error("E0551", message, figure.place("of"), "of these").help(help));
        }
    }

    /// Every column is given by a test, every test gives a column, and the columns are of one quantity.
    fn shown(&mut self, figure: &Drawn, of: &[&str], cases: &[Case], vocabulary: &Vocabulary) {
        let each: Option<Vec<Vec<&str>>> = of.iter().map(|test| gives(cases, test, vocabulary)).collect();
        // A test with a mistake of its own.
        let Some(each) = each else { return };
        let mut all: Vec<&str> = Vec::new();
        for column in vocabulary.columns {
            if each.iter().any(|given| given.contains(column)) {
                all.push(column);
            }
        }
        let show = figure.bound.args.texts("show");
        let entries = figure.written("show").map(listed_in);
        // Unknown words have been told.
        if show.iter().any(|column| !vocabulary.columns.contains(column)) {
            return;
        }
        for entry in entries.iter().flatten() {
            if let ExprKind::Word(word) = &entry.kind
                && !all.contains(&word.as_str())
            {
                let message = format!("{} no `{word}`", given_by(of));
                let guess = closest(word, all.iter().copied());
                let guess = guess.map_or(String::new(), |guess| format!("did you mean `{guess}`? "));
                let help = format!("{guess}they give: {}", listed(&all));
                self.say(Diagnostic::error("E0551", message, entry.span, "not measured").help(help));
                return;
            }
        }
        let shows = |given: &Vec<&str>| show.iter().any(|column| given.contains(column));
        if let Some(lacking) = each.iter().position(|given| !shows(given)) {
            let message = format!("the figure shows nothing of `{}`", of[lacking]);
            let help = format!(
                "`show: […]` with what it gives: {}; or leave it out of `of`",
                listed(&each[lacking])
            );
            let label = format!("shown: {}", show.join(", "));
            self.say(Diagnostic::error("E0551", message, figure.place("of"), label).help(help));
            return;
        }
        self.one_quantity(figure, &entries.unwrap_or_default(), vocabulary);
    }

    fn one_quantity(&mut self, figure: &Drawn, entries: &[&Expr], vocabulary: &Vocabulary) {
        let quantities = entries.iter().filter_map(|entry| match &entry.kind {
            ExprKind::Word(word) => Some((*entry, word, vocabulary.facts.quantity(word)?)),
            _ => None,
        });
        let quantities: Vec<_> = quantities.collect();
        let Some((first, rest)) = quantities.split_first() else {
            return;
        };
        if let Some(other) = rest.iter().find(|other| other.2 != first.2) {
            let message = format!("`{}` and `{}` have no axis in common", first.1, other.1);
            let name = figure.item.statement.name.as_ref();
            let name = name.map_or("NAME", |name| name.value.as_str());
            let help = format!("make a figure of each: `figure {name}_{} = …`", other.1);
            self.say(
                Diagnostic::error("E0552", message, other.0.span, other.2)
                    .label(first.0.span, first.2)
                    .help(help),
            );
        }
    }

    /// Every result has a place on the horizontal axis, and the axis names no curve.
    fn placed(&mut self, figure: &Drawn, of: &[&str], cases: &[Case], vocabulary: &Vocabulary) {
        let against = figure.bound.args.text("against");
        for entry in figure.written("curves").map(listed_in).unwrap_or_default() {
            if matches!(&entry.kind, ExprKind::Word(word) if word == against) {
                let message = format!("`{against}` is on the axis, it cannot name the curves as well");
                let help =
                    "name other factors, or leave `curves` out: then all that tells curves apart names them";
                self.say(Diagnostic::error("E0553", message, entry.span, "on the axis").help(help));
            }
        }
        // A number of each training: where it is not known there is no point, which the figure says.
        if vocabulary.training_columns.contains(&against) {
            return;
        }
        let row_key = vocabulary.row_keys.contains(&against);
        let mut labels: Vec<&str> = Vec::new();
        let mut of_file = false;
        for test in of {
            for (case, spec) in made(cases, test) {
                of_file |= against == "batch" && case.arrays.contains_key(measured(case, &spec.of));
                let level = case.levels.iter().find(|level| level.factor == against);
                let lacks = match level {
                    _ if against == "spectrum" => {
                        (!case.spectra.contains_key(&spec.of)).then(|| "it is of no spectrum".to_string())
                    }
                    _ if row_key => None,
                    Some(level) => {
                        labels.push(&level.label);
                        None
                    }
                    None => Some(format!("it does not vary with `{against}`")),
                };
                if let Some(lacks) = lacks {
                    let message = format!("`{test}` has no place on the axis: {lacks}");
                    let help = format!(
                        "leave `{test}` out of `of`, or put something else on the axis: `against: …`"
                    );
                    let place = figure.place("of");
                    self.say(Diagnostic::error("E0553", message, place, "of these").help(help));
                    return;
                }
            }
        }
        let numeric = match row_key {
            true => ["batch", "iterations"].contains(&against) && !of_file,
            false => level_numbers::numbers(&labels).is_some(),
        };
        if let (Some(x), false) = (figure.written("x"), numeric) {
            let strange = labels
                .iter()
                .find(|label| level_numbers::numbers(&[label]).is_none());
            let strange = strange.map_or(String::new(), |label| format!(", such as `{label}`"));
            let message =
                format!("an axis of names has no scale: `{against}` has labels that are no numbers{strange}");
            let help = "leave `x` out, or label the levels by numbers";
            self.say(Diagnostic::error("E0553", message, x.span, "a scale").help(help));
        }
    }
}

/// `tests \`a\`, \`b\` give` or `test \`a\` gives`.
fn given_by(of: &[&str]) -> String {
    match of {
        [one] => format!("test `{one}` gives"),
        all => format!("tests {} give", listed(all)),
    }
}
