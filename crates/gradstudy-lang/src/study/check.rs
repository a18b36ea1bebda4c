//! Checks a study: names, then each point of the grid, then tables and warnings. Goes on after every mistake.

use std::collections::HashSet;
use std::path::Path;

use super::arguments::Scope;
use super::case::{Noisy, Places};
use super::compose::{Composed, Overrides, SET, Setting, compose, profile, settings_of};
use super::include::{self, Included};
use super::names::Names;
use super::paths::Folders;
use super::shape::{Item, entries, fields, item};
use super::statements::{self, Holds};
use super::{
    Case, DataSpec, Study, UsedFile, Vocabulary, codes, facts, figure, grid, like, lint, settings, split,
    table,
};
use crate::syntax::ast::Statement;
use crate::syntax::{Diagnostic, Diagnostics, Source, Sources, Span};
use gradstudy_base::signature::Value;

/// The checked study and its warnings, or every mistake in it and in the files that it uses.
pub fn check(source: &Source, vocabulary: &Vocabulary) -> Result<(Study, Diagnostics), Diagnostics> {
    check_with(source, &Overrides::default(), vocabulary)
}

/// Like [`check`], with what the command line sets.
pub fn check_with(
    source: &Source,
    overrides: &Overrides,
    vocabulary: &Vocabulary,
) -> Result<(Study, Diagnostics), Diagnostics> {
    check_alone(source, overrides, vocabulary, true, &mut |_, _| {})
}

/// One study, with those that it includes if it may. `look` sees each case of its own and where that was written.
pub(super) fn check_alone(
    source: &Source,
    overrides: &Overrides,
    vocabulary: &Vocabulary,
    may_include: bool,
    look: &mut dyn FnMut(&Case, &Places),
) -> Result<(Study, Diagnostics), Diagnostics> {
    let mut composed = compose(source);
    let given = overrides;
    let shares = include::share(overrides, &composed.included, &composed.statements);
    let overrides = &shares.own;
    composed.read_settings(&overrides.set);
    let Composed {
        sources,
        mut statements,
        lost,
        set,
        included,
        mut diagnostics,
    } = composed;
    if !may_include {
        diagnostics.extend(included.iter().map(nested));
    }
    let included = if may_include { included } else { Vec::new() };
    let (parts, found, sound) = include::check_all(&included, &shares.parts, vocabulary);
    change(&mut statements, overrides, &set, vocabulary, &mut diagnostics);
    let bases = like::expand(&mut statements, &mut diagnostics);
    let mut names = Names::collect(&statements, &lost, &mut diagnostics);
    names.used.extend(bases);
    names.folders = Folders::of(&sources);
    let items: Vec<Item> = statements
        .into_iter()
        .filter_map(|statement| item(statement, &mut diagnostics))
        .collect();

    let head = study_statement(&items, &mut names, &mut diagnostics);
    let held = |holds: Holds| items.iter().filter(move |item| item.kind.holds == holds);
    let factors: Vec<_> = held(Holds::Levels)
        .filter_map(|item| {
            let place = item.statement.head();
            let (fields, params) = (fields(&item.statement), item.kind.block.params);
            let mut scope = Scope {
                names: &mut names,
                diagnostics: &mut diagnostics,
            };
            scope.bind(&[], fields, &[], params, place, "`vary`")?;
            grid::factor(&item.statement, &items, &sources, &mut diagnostics)
        })
        .collect();
    let lets: Vec<_> = held(Holds::Value)
        .filter_map(|item| {
            let (name, binding) = (item.statement.name.as_ref()?, item.statement.binding.as_ref()?);
            Some((name.value.as_str(), &binding.value))
        })
        .collect();
    let mut places = Places::new();
    let (mut cases, mut read) = (Vec::new(), HashSet::new());
    grid::check_along(&factors, &mut diagnostics);
    for part in split::parts(&items, &factors) {
        for point in grid::points(&part.factors, &lets, &mut names.used, &mut diagnostics) {
            let mut case = Case {
                levels: point.levels.clone(),
                given: part.given.clone(),
                ..Case::default()
            };
            let mut noisy = Vec::new();
            for item in part.items.iter().map(|index| &items[*index]) {
                if !point.check_size(&item.statement, &mut diagnostics) {
                    continue;
                }
                let mut statement = point.put_into(&item.statement, vocabulary, &mut names.used);
                let mut scope = Scope {
                    names: &mut names,
                    diagnostics: &mut diagnostics,
                };
                scope.noisy_data(&mut statement, &mut noisy);
                let place = scope.case_statement(&statement, item.kind, vocabulary, &mut case);
                if let (Some(name), Some(place)) = (&statement.name, place) {
                    places.insert(name.value.clone(), place);
                }
            }
            put_noise(&mut case, noisy);
            look(&case, &places);
            facts::check(&case, &places, vocabulary, &mut diagnostics);
            facts::weights::check(&case, &places, vocabulary, &mut read, &mut diagnostics);
            lint::case(&case, &places, &mut diagnostics);
            cases.push(case);
        }
    }
    let tables = table::check(&items, &mut names, vocabulary, &mut diagnostics);
    let figures = figure::check(&items, &cases, &mut names, vocabulary, &mut diagnostics);
    lint::study(&names, &items, &cases, &mut diagnostics);

    let allowed = |it: &Diagnostic| head.allow.iter().any(|code| code == it.code);
    diagnostics.retain(|it| it.severity == miette::Severity::Error || !allowed(it));
    let slug = slug(source.stem());
    let profile = given.profile.iter().map(|name| format!("profile {name}"));
    let mut study = Study {
        title: head.title.unwrap_or_else(|| slug.clone()),
        slug,
        seeds: head.seeds,
        cases,
        tables,
        figures,
        overrides: profile.chain(given.set.iter().cloned()).collect(),
        files: used_files(source, &sources),
    };
    if !included.is_empty() {
        // A study that only includes others has no case of its own.
        study.cases.retain(|case| *case != Case::default());
    }
    for (part, from) in parts.into_iter().zip(&included) {
        if let Err(diagnostic) = include::join(&mut study, part, from, source) {
            diagnostics.push(*diagnostic);
        }
    }
    let (errors, warnings): (Vec<_>, Vec<_>) = diagnostics
        .into_iter()
        .partition(|diagnostic| diagnostic.severity == miette::Severity::Error);
    let whole = |own| {
        found
            .into_iter()
            .fold(Diagnostics::new(&sources, own), Diagnostics::and)
    };
    match errors.is_empty() && sound {
        true => Ok((study, whole(warnings))),
        false => Err(whole(errors)),
    }
}

/// Includes within includes would make the names of one study depend on how deep it lies.
fn nested(included: &Included) -> Diagnostic {
    let message = "a study that is included includes none itself";
    let help = "include both from the study on top";
    Diagnostic::error("E0210", message, included.span, "within an included study").help(help)
}

/// Makes data of its own of each data set that gets label noise in place.
fn put_noise(case: &mut Case, noisy: Vec<Noisy>) {
    for Noisy { name, base, labels } in noisy {
        if let Some(base) = case.data.get(&base) {
            let call = base.call.clone();
            let asserts = Vec::new();
            let data = DataSpec {
                call,
                labels,
                asserts,
            };
            case.data.insert(name, data);
        }
    }
}

/// The files beside `root`.
fn used_files(root: &Source, sources: &Sources) -> Vec<UsedFile> {
    let others = sources.iter().skip(1);
    let others = others.filter(|it| it.path != Path::new(SET));
    others.map(|source| used_file(root, source)).collect()
}

/// `source` by its path from the folder of `root`, where it lies below that.
pub(super) fn used_file(root: &Source, source: &Source) -> UsedFile {
    let folder = root.path.parent().unwrap_or(Path::new(""));
    let path = source.path.strip_prefix(folder).unwrap_or(&source.path);
    UsedFile {
        name: path.display().to_string(),
        digest: blake3::hash(source.text.as_bytes()).to_hex().to_string(),
    }
}

/// Puts in what the profile and `--set` change. Profiles that are not taken are checked as well: each setting of theirs
/// must lead somewhere.
pub(super) fn change(
    statements: &mut [Statement],
    overrides: &Overrides,
    set: &[Setting],
    vocabulary: &Vocabulary,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let profiles: Vec<Setting> = statements
        .iter()
        .filter(|it| it.keyword.value == statements::PROFILE)
        .flat_map(settings_of)
        .collect();
    let taken = match &overrides.profile {
        Some(name) => profile(name, statements, Span::default(), diagnostics),
        None => Vec::new(),
    };
    // Tried on a copy: only what is taken may change the study, only mistakes of the others are kept.
    settings::apply(&profiles, &mut statements.to_vec(), vocabulary, diagnostics);
    settings::apply(&taken, statements, vocabulary, &mut Vec::new());
    settings::apply(set, statements, vocabulary, diagnostics);
}

/// Letters and digits in lower case, anything else as one `-`.
pub(super) fn slug(stem: &str) -> String {
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

/// What the `study` statement says; a study without it has its file's name for a title and the seed 0.
struct Head {
    title: Option<String>,
    seeds: Vec<u64>,
    /// Codes of warnings that are not shown.
    allow: Vec<String>,
}

fn study_statement(items: &[Item], names: &mut Names, diagnostics: &mut Vec<Diagnostic>) -> Head {
    let mut found = items.iter().filter(|item| item.kind.block.name == "study");
    let Some(Item { statement, kind }) = found.next() else {
        return Head {
            title: None,
            seeds: vec![0],
            allow: Vec::new(),
        };
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
    let warnings: Vec<&str> = codes::CODES
        .iter()
        .map(|code| code.code)
        .filter(|code| code.starts_with('W'))
        .collect();
    scope.words(&entries(statement, "allow"), "allow", &warnings);
    let params = kind.block.params;
    let bound = scope.bind(&[], fields(statement), &[], params, statement.head(), "`study`");
    let (seeds, allow) = bound.map_or((Vec::new(), Vec::new()), |bound| {
        // The signature promises whole numbers from 0.
        let whole = |value: &Value| match value {
            Value::Integer(seed) => *seed as u64,
            _ => 0,
        };
        let seeds = bound.args.list("seeds").iter().map(whole).collect();
        let allow = bound.args.get("allow").map(|_| bound.args.texts("allow"));
        let allow = allow
            .unwrap_or_default()
            .into_iter()
            .map(str::to_string)
            .collect();
        (seeds, allow)
    });
    Head { title, seeds, allow }
}
