//! Figures: like tables they speak of the whole grid, so factors keep their names in them.

use super::arguments::{Given, Scope};
use super::drawable::{Drawn, written_in};
use super::names::Names;
use super::shape::{Item, fields, listed_in};
use super::{Case, FigureSpec, Vocabulary};
use crate::syntax::Diagnostic;
use gradstudy_base::signature::{Args, Call, ParamType, Value};

/// All `figure` statements, of tests and spectra of `cases`.
pub(super) fn check(
    items: &[Item],
    cases: &[Case],
    names: &mut Names,
    vocabulary: &Vocabulary,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<FigureSpec> {
    let factors = names
        .map
        .iter()
        .filter(|(_, declared)| declared.keyword == "vary");
    let factors: Vec<String> = factors.map(|(name, _)| name.clone()).collect();
    let mut scope = Scope { names, diagnostics };
    items
        .iter()
        .filter(|item| item.kind.block.name == "figure")
        .filter_map(|item| scope.figure(item, &factors, cases, vocabulary))
        .collect()
}

impl Scope<'_> {
    fn figure(
        &mut self,
        item: &Item,
        factors: &[String],
        cases: &[Case],
        vocabulary: &Vocabulary,
    ) -> Option<FigureSpec> {
        let statement = &item.statement;
        let name = statement.name.as_ref()?.value.clone();
        let given = Given::of(&statement.binding.as_ref()?.value);
        let signature = self.find(&given, vocabulary.figures, "figure")?;
        let owner = format!("figure `{name}`");
        let own = item.kind.block.params;
        let bound = self.bind(
            &given.arguments,
            fields(statement),
            signature.params,
            own,
            statement.head(),
            &owner,
        );
        // Lists of any words are keys of rows, or columns where they are called `show`.
        // Curves are told apart by their tests in any case.
        let row_keys = vocabulary.row_keys.iter().copied();
        let mut keys: Vec<&str> = row_keys.filter(|key| *key != "test").collect();
        keys.extend(factors.iter().map(String::as_str));
        let axes: Vec<&str> = keys.iter().chain(vocabulary.training_columns).copied().collect();
        for param in signature.params {
            let free = matches!(
                param.ty,
                ParamType::List(ParamType::Word([])) | ParamType::Word([])
            );
            let Some(expr) = written_in(item, &given, signature, param.name) else {
                continue;
            };
            if matches!(param.ty, ParamType::List(_)) {
                self.distinct(&listed_in(expr), param.name);
            }
            if !free {
                continue;
            }
            let known = match param.name {
                "show" => vocabulary.columns,
                "against" => &axes,
                _ => &keys,
            };
            self.words(&listed_in(expr), param.name, known);
        }
        let bound = bound?;
        let drawn = Drawn {
            item,
            given: &given,
            signature,
            bound: &bound,
        };
        self.drawable(&drawn, cases, vocabulary);
        let text = |key: &str| bound.args.get(key).map(|_| bound.args.text(key).to_string());
        let mirrors = match bound.args.get("mirrors") {
            Some(Value::Call(paper)) => Some(paper.args.integer("number") as u32),
            _ => None,
        };
        let kept = bound
            .args
            .0
            .iter()
            .filter(|(key, _)| own.iter().all(|param| param.name != key.as_str()));
        Some(FigureSpec {
            name,
            call: Call {
                name: signature.name.to_string(),
                args: Args(kept.map(|(key, value)| (key.clone(), value.clone())).collect()),
            },
            mirrors,
            caption: text("caption"),
        })
    }
}
