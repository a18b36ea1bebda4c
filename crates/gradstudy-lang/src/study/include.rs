//! `include "table1.study"`: a whole study as a part of another one. It is checked by itself; its names become
//! `table1.name`, its tables and figures join those of the study that includes it, whose seeds hold for all.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::check::{check_alone, used_file};
use super::compose::{Overrides, profiles_of};
use super::{Case, FigureSpec, Study, TableSpec, UsedFile, Vocabulary};
use crate::syntax::ast::Statement;
use crate::syntax::{Diagnostic, Diagnostics, Source, Span};
use gradstudy_base::signature::{Args, ParamType, Signature, Value};

/// A file to include, which was found and read.
pub(super) struct Included {
    /// Stands before its names: the file's stem.
    pub name: String,
    pub source: Source,
    pub span: Span,
}

/// What is left of the command line's changes for the study itself, and those of each included study.
pub(super) struct Shares {
    pub own: Overrides,
    pub parts: Vec<Overrides>,
}

/// Deals out `overrides`: a path that begins with an included study's name goes there, a profile to each that has it.
pub(super) fn share(overrides: &Overrides, included: &[Included], statements: &[Statement]) -> Shares {
    let wanted = |profiles: &[String]| {
        let profile = overrides.profile.as_ref();
        profile.filter(|name| profiles.contains(name)).cloned()
    };
    let mut own = overrides.clone();
    let mut parts: Vec<Overrides> = included
        .iter()
        .map(|part| Overrides {
            profile: wanted(&profiles_of(&part.source)),
            set: Vec::new(),
        })
        .collect();
    let named = super::compose::profile_names(statements);
    if parts.iter().any(|part| part.profile.is_some()) {
        own.profile = wanted(&named);
    }
    own.set.retain(|setting| {
        let of = included.iter().position(|part| {
            let rest = setting.trim_start().strip_prefix(part.name.as_str());
            rest.is_some_and(|rest| rest.starts_with('.'))
        });
        if let Some(index) = of {
            let rest = &setting.trim_start()[included[index].name.len() + 1..];
            parts[index].set.push(rest.to_string());
        }
        of.is_none()
    });
    Shares { own, parts }
}

/// Checks each included study; all their mistakes, or the studies with their warnings.
pub(super) fn check_all(
    included: &[Included],
    shares: &[Overrides],
    vocabulary: &Vocabulary,
) -> (Vec<Study>, Vec<Diagnostics>, bool) {
    let (mut studies, mut found, mut sound) = (Vec::new(), Vec::new(), true);
    for (part, overrides) in included.iter().zip(shares) {
        match check_alone(&part.source, overrides, vocabulary, false, &mut |_, _| {}) {
            Ok((study, warnings)) => {
                studies.push(named(study, &part.name, vocabulary));
                found.push(warnings);
            }
            Err(mistakes) => {
                found.push(mistakes);
                sound = false;
            }
        }
    }
    (studies, found, sound)
}

/// Puts the cases, tables and figures of `part` behind those of `study`; a table or figure of a name that is taken is
/// an error.
pub(super) fn join(
    study: &mut Study,
    part: Study,
    from: &Included,
    root: &Source,
) -> Result<(), Box<Diagnostic>> {
    let tables = study.tables.iter().map(|table| &table.name);
    let taken: Vec<&String> = tables
        .chain(study.figures.iter().map(|figure| &figure.name))
        .collect();
    let new = part.tables.iter().map(|table| &table.name);
    let new = new.chain(part.figures.iter().map(|figure| &figure.name));
    if let Some(name) = new.into_iter().find(|name| taken.contains(name)) {
        let message = format!("there is another table or figure called `{name}`");
        let help = "documents are named after tables and figures: rename one of the two";
        return Err(Diagnostic::error("E0210", message, from.span, "from here")
            .help(help)
            .into());
    }
    let file = used_file(root, &from.source);
    let folder = Path::new(&file.name)
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default();
    let used = part.files.into_iter().map(|file| UsedFile {
        name: folder.join(&file.name).display().to_string(),
        ..file
    });
    for file in std::iter::once(file).chain(used) {
        if !study.files.contains(&file) {
            study.files.push(file);
        }
    }
    study.cases.extend(part.cases);
    study.tables.extend(part.tables);
    study.figures.extend(part.figures);
    Ok(())
}

/// The study with `prefix.` before its names, and its title over the tables that have no caption.
fn named(mut study: Study, prefix: &str, vocabulary: &Vocabulary) -> Study {
    let name = |name: &mut String| *name = format!("{prefix}.{name}");
    study.cases = study
        .cases
        .into_iter()
        .map(|case| named_case(case, prefix, vocabulary))
        .collect();
    for TableSpec { of, caption, .. } in &mut study.tables {
        of.iter_mut().for_each(name);
        caption.get_or_insert_with(|| study.title.clone());
    }
    for FigureSpec { call, caption, .. } in &mut study.figures {
        let signature = vocabulary.figures.iter().find(|kind| kind.name == call.name);
        references(&mut call.args, signature.copied(), prefix);
        caption.get_or_insert_with(|| study.title.clone());
    }
    study
}

fn named_case(case: Case, prefix: &str, vocabulary: &Vocabulary) -> Case {
    fn keys<T>(map: IndexMap<String, T>, prefix: &str) -> IndexMap<String, T> {
        let named = map
            .into_iter()
            .map(|(name, spec)| (format!("{prefix}.{name}"), spec));
        named.collect()
    }
    let name = |name: &mut String| *name = format!("{prefix}.{name}");
    let signature = |keyword: &str, call: &str| {
        let known = vocabulary.built_ins(keyword).iter();
        known.copied().find(|kind| kind.name == call)
    };
    let mut case = Case {
        levels: case.levels,
        given: case.given,
        data: keys(case.data, prefix),
        models: keys(case.models, prefix),
        trains: keys(case.trains, prefix),
        records: keys(case.records, prefix),
        arrays: keys(case.arrays, prefix),
        spectra: keys(case.spectra, prefix),
        tests: keys(case.tests, prefix),
    };
    case.given.iter_mut().for_each(name);
    for train in case.trains.values_mut() {
        name(&mut train.of);
        name(&mut train.on);
    }
    for record in case.records.values_mut() {
        name(&mut record.of);
        name(&mut record.on);
    }
    for spectrum in case.spectra.values_mut() {
        let kind = signature("spectrum", &spectrum.call.name);
        references(&mut spectrum.call.args, kind, prefix);
    }
    for test in case.tests.values_mut() {
        name(&mut test.of);
        let kind = signature("test", &test.call.name);
        references(&mut test.call.args, kind, prefix);
    }
    case
}

/// Names the arguments of `args` that speak of statements.
fn references(args: &mut Args, signature: Option<&'static Signature>, prefix: &str) {
    let params = signature.map_or(&[][..], |signature| signature.params);
    for param in params {
        let reference = matches!(
            param.ty,
            ParamType::Reference(_) | ParamType::List(ParamType::Reference(_))
        );
        let Some(value) = args.0.get_mut(param.name).filter(|_| reference) else {
            continue;
        };
        match value {
            Value::Text(name) => *name = format!("{prefix}.{name}"),
            Value::List(names) => {
                for name in names {
                    if let Value::Text(name) = name {
                        *name = format!("{prefix}.{name}");
                    }
                }
            }
            _ => {}
        }
    }
}

/// What an included file's names begin with.
pub(super) fn name_of(path: &std::path::Path) -> String {
    let stem = path.file_stem().map(PathBuf::from).unwrap_or_default();
    stem.display().to_string().replace('.', "_")
}
