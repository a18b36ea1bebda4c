//! Tables: their words are the vocabulary's and the names of factors.

use indexmap::IndexMap;

use super::arguments::Scope;
use super::names::Names;
use super::shape::{Item, entries, written};
use super::{Spread, TableSpec, Vocabulary, suggest};
use crate::syntax::Diagnostic;
use crate::syntax::ast::{Expr, ExprKind, Statement};
use gradstudy_base::signature::{Args, Value};

/// All `table` statements. They speak of the whole grid, so factors keep their names here.
pub(super) fn check(
    items: &[Item],
    names: &mut Names,
    vocabulary: &Vocabulary,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<TableSpec> {
    let factors = names
        .map
        .iter()
        .filter(|(_, declared)| declared.keyword == "vary");
    let factors: Vec<String> = factors.map(|(name, _)| name.clone()).collect();
    let mut scope = Scope { names, diagnostics };
    items
        .iter()
        .filter(|item| item.kind.block.name == "table")
        .filter_map(|item| scope.table(item, &factors, vocabulary))
        .collect()
}

impl Scope<'_> {
    fn table(&mut self, item: &Item, factors: &[String], vocabulary: &Vocabulary) -> Option<TableSpec> {
        let statement = &item.statement;
        let name = statement.name.as_ref()?.value.clone();
        let fields = statement.block.as_ref().map_or(&[][..], |block| &block.fields);
        let owner = format!("table `{name}`");
        let bound = self.bind(&[], fields, &[], item.kind.block.params, statement.head(), &owner);
        let mut row_words: Vec<&str> = vocabulary.row_keys.to_vec();
        row_words.extend(factors.iter().map(String::as_str));
        self.words(&entries(statement, "rows"), "rows", &row_words);
        self.words(&entries(statement, "columns"), "columns", vocabulary.columns);
        for key in ["of", "rows", "columns"] {
            self.distinct(&entries(statement, key), key);
        }
        let bound = bound?;
        let texts = |key: &str| bound.args.texts(key).into_iter().map(str::to_string).collect();
        let mirrors = match bound.args.get("mirrors") {
            Some(Value::Call(paper)) => Some(paper.args.integer("number") as u32),
            _ => None,
        };
        if let Some(number) = mirrors.filter(|number| !vocabulary.paper_tables.contains(number)) {
            let message = format!("the printed numbers of the paper's table {number} are not known");
            let known: Vec<String> = vocabulary.paper_tables.iter().map(u32::to_string).collect();
            let help = format!("tables whose numbers are known: {}", known.join(", "));
            let span = bound.spans.get("mirrors").copied().unwrap_or_default();
            self.say(Diagnostic::error("E0506", message, span, "").help(help));
        }
        let caption = bound
            .args
            .get("caption")
            .map(|_| bound.args.text("caption").to_string());
        let spread = match bound.args.text("spread") {
            "ci95" => Spread::Ci95,
            _ => Spread::Sd,
        };
        let (of, rows, columns): (_, _, Vec<String>) = (texts("of"), texts("rows"), texts("columns"));
        row_words.extend(columns.iter().map(String::as_str));
        let headings = self.headings(statement, &row_words, &bound.args);
        Some(TableSpec {
            name,
            of,
            rows,
            columns,
            mirrors,
            caption,
            spread,
            headings,
            definitions: bound.args.boolean("definitions"),
        })
    }

    /// Headings by what they are of: a column that is shown, or what may tell rows apart (`known`).
    fn headings(&mut self, statement: &Statement, known: &[&str], args: &Args) -> IndexMap<String, String> {
        let Some(Value::Call(given)) = args.get("headings") else {
            return IndexMap::new();
        };
        if let Some(ExprKind::List(entries)) = written(statement, "headings").map(|expr| &expr.kind) {
            for label in entries.iter().filter_map(|entry| entry.label.as_ref()) {
                if !known.contains(&label.value.as_str()) {
                    let message = format!(
                        "`headings` cannot be of `{}`: the table does not show it",
                        label.value
                    );
                    let help = suggest::help(&label.value, "column or row key", known.iter().copied());
                    self.say(Diagnostic::error("E0309", message, label.span, "unknown word").help(help));
                }
            }
        }
        let names = given.args.0.keys();
        names
            .map(|name| (name.clone(), given.args.text(name).to_string()))
            .collect()
    }

    /// Every word of the list `key` is one of `known`.
    pub(super) fn words(&mut self, entries: &[&Expr], key: &str, known: &[&str]) {
        for entry in entries {
            if let ExprKind::Word(word) = &entry.kind
                && !known.contains(&word.as_str())
            {
                let message = format!("`{key}` cannot hold `{word}`");
                let help = suggest::help(word, key, known.iter().copied());
                self.say(Diagnostic::error("E0309", message, entry.span, "unknown word").help(help));
            }
        }
    }
}
