//! Checks a study: names, then each point of the grid, then tables and warnings. Goes on after every mistake.

use super::arguments::Scope;
use super::case::Places;
use super::names::Names;
use super::shape::{Item, entries, fields, item};
use super::statements::Holds;
use super::{Case, Study, Vocabulary, facts, grid, lint, table};
use crate::signature::Value;
use crate::syntax::{Diagnostic, Diagnostics, Source, parse};

/// The checked study and its warnings, or every mistake in it.
pub fn check(source: &Source, vocabulary: &Vocabulary) -> Result<(Study, Diagnostics), Diagnostics> {
    let parsed = parse(source);
    let mut diagnostics = parsed.diagnostics;
    let mut names = Names::collect(&parsed.statements, &parsed.lost, &mut diagnostics);
    let items: Vec<Item> = parsed
        .statements
        .into_iter()
        .filter_map(|statement| item(statement, &mut diagnostics))
        .collect();

    let (title, seeds) = study_statement(&items, &mut names, &mut diagnostics);
    let varied = items.iter().filter(|item| item.kind.holds == Holds::Levels);
    let factors: Vec<_> = varied
        .filter_map(|item| grid::factor(&item.statement, source, &mut diagnostics))
        .collect();
    let mut places = Places::new();
    let mut cases = Vec::new();
    for point in grid::points(&factors, &mut diagnostics) {
        let mut case = Case {
            levels: point.levels.clone(),
            ..Case::default()
        };
        for item in items
            .iter()
            .filter(|item| matches!(item.kind.holds, Holds::Call(_)))
        {
            let statement = point.put_into(&item.statement, &mut names.used);
            let mut scope = Scope {
                names: &mut names,
                diagnostics: &mut diagnostics,
            };
            let place = scope.case_statement(&statement, item.kind, vocabulary, &mut case);
            if let (Some(name), Some(place)) = (&statement.name, place) {
                places.insert(name.value.clone(), place);
            }
        }
        facts::check(&case, &places, vocabulary, &mut diagnostics);
        lint::case(&case, &places, &mut diagnostics);
        cases.push(case);
    }
    let tables = table::check(&items, &mut names, vocabulary, &mut diagnostics);
    lint::study(&names, &items, &cases, &mut diagnostics);

    let (errors, warnings): (Vec<_>, Vec<_>) = diagnostics
        .into_iter()
        .partition(|diagnostic| diagnostic.severity == miette::Severity::Error);
    if !errors.is_empty() {
        return Err(Diagnostics::new(source, errors));
    }
    let slug = slug(source.stem());
    let study = Study {
        title: title.unwrap_or_else(|| slug.clone()),
        slug,
        seeds,
        cases,
        tables,
    };
    Ok((study, Diagnostics::new(source, warnings)))
}

/// Letters and digits in lower case, anything else as one `-`.
fn slug(stem: &str) -> String {
    let words = stem
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let slug = words.map(str::to_lowercase).collect::<Vec<_>>().join("-");
    if slug.is_empty() {
        "study".to_string()
    } else {
        slug
    }
}

/// Title and seeds; a study without the statement has its file's name for a title and the seed 0.
fn study_statement(
    items: &[Item],
    names: &mut Names,
    diagnostics: &mut Vec<Diagnostic>,
) -> (Option<String>, Vec<u64>) {
    let mut found = items.iter().filter(|item| item.kind.titled);
    let Some(Item { statement, kind }) = found.next() else {
        return (None, vec![0]);
    };
    for again in found {
        let span = again.statement.head();
        diagnostics.push(
            Diagnostic::error("E0205", "a file holds one study", span, "a second one")
                .label(statement.head(), "the first one")
                .help("put the second study into a file of its own"),
        );
    }
    let title = statement.title.as_ref().map(|title| title.value.clone());
    let mut scope = Scope { names, diagnostics };
    scope.distinct(&entries(statement, "seeds"), "seeds");
    let params = kind.block.params;
    let bound = scope.bind(&[], fields(statement), &[], params, statement.head(), "`study`");
    let seeds = bound.map_or(Vec::new(), |bound| {
        // The signature promises whole numbers from 0.
        let whole = |value: &Value| {
            if let Value::Integer(seed) = value {
                *seed as u64
            } else {
                0
            }
        };
        bound.args.list("seeds").iter().map(whole).collect()
    });
    (title, seeds)
}
