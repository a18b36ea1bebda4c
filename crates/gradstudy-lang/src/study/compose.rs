//! All the statements of a study: those of its file, of the files it `use`s, and what the command line sets.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use super::include::{self, Included};
use super::statements;
use crate::syntax::ast::{ExprKind, Statement};
use crate::syntax::{
    Diagnostic, Lost, Source, SourceError, Sources, Span, Spanned, parse, parse_value, shift, shift_value,
};

/// The name of the text behind `--set`.
pub(super) const SET: &str = "--set";

/// What the command line adds to a study.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// The profile to take, such as `quick`.
    pub profile: Option<String>,
    /// `name.key=value`, later ones over earlier ones.
    pub set: Vec<String>,
}

/// `name.key = value`, from `--set` or a profile.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// `[keyword.]name.key`, or the name of a factor or `let`.
    pub path: Spanned<String>,
    pub value: crate::syntax::ast::Expr,
}

/// Everything read, statements of used files before those of the files that use them.
pub(super) struct Composed {
    pub sources: Sources,
    pub statements: Vec<Statement>,
    pub lost: Vec<Lost>,
    pub set: Vec<Setting>,
    /// Studies to be checked by themselves.
    pub included: Vec<Included>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads `root` and all that it uses; settings of the command line are read by [`set`].
pub(super) fn compose(root: &Source) -> Composed {
    let mut reader = Reader {
        root: root.clone(),
        sources: Sources::default(),
        done: HashSet::new(),
        open: Vec::new(),
        lost: Vec::new(),
        included: Vec::new(),
        diagnostics: Vec::new(),
    };
    let statements = reader.file(root.clone());
    Composed {
        sources: reader.sources,
        statements,
        lost: reader.lost,
        set: Vec::new(),
        included: reader.included,
        diagnostics: reader.diagnostics,
    }
}

impl Composed {
    /// Reads `name.key=value` of the command line.
    pub fn read_settings(&mut self, texts: &[String]) {
        for text in texts {
            let read = setting(text, &mut self.sources, &mut self.diagnostics);
            self.set.extend(read);
        }
    }
}

struct Reader {
    root: Source,
    sources: Sources,
    /// Files read to their end: a file used twice is read once.
    done: HashSet<PathBuf>,
    /// Files being read, from the root inwards.
    open: Vec<PathBuf>,
    lost: Vec<Lost>,
    included: Vec<Included>,
    diagnostics: Vec<Diagnostic>,
}

impl Reader {
    fn file(&mut self, source: Source) -> Vec<Statement> {
        let folder = source.path.parent().map(Path::to_path_buf).unwrap_or_default();
        let is_root = self.open.is_empty();
        self.open.push(identity(&source.path));
        let mut parsed = parse(&source);
        let base = self.sources.add(source);
        shift(&mut parsed, base);
        self.diagnostics.append(&mut parsed.diagnostics);
        self.lost.append(&mut parsed.lost);
        let (mut used, mut own): (Vec<Statement>, Vec<Statement>) = (Vec::new(), Vec::new());
        for statement in parsed.statements {
            let is_use = statement.keyword.value == statements::USE;
            // A used file's title and seeds are those of its own runs.
            let foreign_title = statement.keyword.value == "study" && !is_root;
            match (is_use, &statement.title) {
                (true, Some(title)) if statement.binding.is_none() && statement.block.is_none() => {
                    let title = title.clone();
                    let statements = self.used(&folder, &title);
                    merge(&mut used, statements, false, &mut self.diagnostics);
                }
                (false, Some(title)) if statement.keyword.value == statements::INCLUDE => {
                    self.include(&folder, title);
                    own.push(statement);
                }
                _ if foreign_title => {}
                _ => own.push(statement),
            }
        }
        merge(&mut used, own, true, &mut self.diagnostics);
        self.done.extend(self.open.pop());
        used
    }

    /// The path that `title` gives, unless it is none of a study or that of a file being read.
    fn path(&mut self, folder: &Path, title: &Spanned<String>, verb: &str) -> Option<PathBuf> {
        let written = Path::new(&title.value);
        let relative = !title.value.is_empty()
            && written.components().all(|part| {
                matches!(
                    part,
                    Component::Normal(_) | Component::ParentDir | Component::CurDir
                )
            });
        if !relative || written.extension().is_none_or(|ending| ending != "study") {
            let message = format!("`{}` is not a file that a study can {verb}", title.value);
            let help = "write the path of a `.study` file, relative to the folder of this one";
            self.diagnostics
                .push(Diagnostic::error("E0207", message, title.span, "").help(help));
            return None;
        }
        let path = folder.join(written);
        let identity = identity(&path);
        if self.open.contains(&identity) {
            let message = format!("`{}` {verb}s itself", title.value);
            let label = if self.open.last() == Some(&identity) {
                "this very file"
            } else {
                "leads back to a file that is being read"
            };
            self.diagnostics.push(
                Diagnostic::error("E0208", message, title.span, label)
                    .help("move what both files need into a third one that uses neither"),
            );
            return None;
        }
        Some(path)
    }

    fn read(&mut self, path: &Path, span: Span) -> Option<Source> {
        match self.root.beside(path) {
            Ok(source) => Some(source),
            Err(error) => {
                let reason = match &error {
                    SourceError::Unreadable { source, .. } => format!("{error}: {source}"),
                    _ => error.to_string(),
                };
                self.diagnostics.push(
                    Diagnostic::error("E0207", reason, span, "asked for here")
                        .help("the path is relative to the folder of the file that asks for it"),
                );
                None
            }
        }
    }

    fn used(&mut self, folder: &Path, title: &Spanned<String>) -> Vec<Statement> {
        let Some(path) = self.path(folder, title, "use") else {
            return Vec::new();
        };
        if self.done.contains(&identity(&path)) {
            return Vec::new();
        }
        match self.read(&path, title.span) {
            Some(source) => self.file(source),
            None => Vec::new(),
        }
    }

    fn include(&mut self, folder: &Path, title: &Spanned<String>) {
        let Some(path) = self.path(folder, title, "include") else {
            return;
        };
        let name = include::name_of(&path);
        if let Some(first) = self.included.iter().find(|part| part.name == name) {
            let message = format!("two included studies are called `{name}`");
            let help = "include a study once; names of files tell included studies apart";
            let diagnostic = Diagnostic::error("E0210", message, title.span, "the second one");
            self.diagnostics
                .push(diagnostic.label(first.span, "the first one").help(help));
            return;
        }
        let span = title.span;
        let read = self.read(&path, span);
        self.included
            .extend(read.map(|source| Included { name, source, span }));
    }
}

/// `name.key=value` of the command line.
fn setting(text: &str, sources: &mut Sources, diagnostics: &mut Vec<Diagnostic>) -> Option<Setting> {
    let base = sources.add(Source::new(SET, text));
    let whole = Span {
        start: base,
        end: base + text.len(),
    };
    let help = "write `--set name.key=value`, such as `--set g.batch=10` or `--set study.seeds=0..2`";
    let Some(at) = text.find('=') else {
        let message = format!("`{text}` sets nothing");
        diagnostics.push(Diagnostic::error("E0601", message, whole, "no `=`").help(help));
        return None;
    };
    let (path, value) = (text[..at].trim(), &text[at + 1..]);
    let Some(mut value) = parse_value(value) else {
        let message = format!("`{}` is not a value of the language", value.trim());
        let span = Span {
            start: whole.start + at + 1,
            end: whole.end,
        };
        diagnostics.push(Diagnostic::error("E0601", message, span, "").help(help));
        return None;
    };
    shift_value(&mut value, base + at + 1);
    let path = Spanned {
        value: path.to_string(),
        span: Span {
            start: base,
            end: base + at,
        },
    };
    Some(Setting { path, value })
}

/// The file that a path leads to, whatever the way.
fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// Adds `new` to `known`. A definition of a file that is used gives way to one of the same kind and name in the file
/// that uses it (`overriding`); the rest is left to the check of names.
fn merge(
    known: &mut Vec<Statement>,
    new: Vec<Statement>,
    overriding: bool,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let inherited = known.len();
    for statement in new {
        let name = statement.name.as_ref().map(|name| name.value.clone());
        let before = known[..inherited]
            .iter_mut()
            .find(|old| name.is_some() && old.name.as_ref().map(|name| &name.value) == name.as_ref());
        match before {
            Some(old) if overriding && old.keyword.value == statement.keyword.value => *old = statement,
            Some(old) if overriding => {
                let message = format!(
                    "`{}` is a {} in a file that this one uses",
                    name.unwrap_or_default(),
                    old.keyword.value
                );
                diagnostics.push(
                    Diagnostic::error(
                        "E0204",
                        message,
                        statement.head(),
                        "defined again, as something else",
                    )
                    .label(old.head(), "first defined here")
                    .help("give it another name, or define it as the same kind of thing"),
                );
            }
            _ => known.push(statement),
        }
    }
}

/// Names of the profiles among `statements`.
pub(super) fn profile_names(statements: &[Statement]) -> Vec<String> {
    let profiles = statements
        .iter()
        .filter(|it| it.keyword.value == statements::PROFILE);
    profiles
        .filter_map(|it| it.name.as_ref().map(|name| name.value.clone()))
        .collect()
}

/// Names of the profiles of a study, those of files that it uses included.
pub(super) fn profiles_of(source: &Source) -> Vec<String> {
    profile_names(&compose(source).statements)
}

/// What profile `name` sets; an error if there is no such profile.
pub(super) fn profile(
    name: &str,
    statements: &[Statement],
    root: Span,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Setting> {
    let profiles = || {
        statements
            .iter()
            .filter(|it| it.keyword.value == statements::PROFILE)
    };
    let named = |it: &&Statement| it.name.as_ref().is_some_and(|found| found.value == name);
    match profiles().find(named) {
        Some(statement) => settings_of(statement),
        None => {
            let known: Vec<&str> = profiles()
                .filter_map(|it| it.name.as_ref().map(|name| name.value.as_str()))
                .collect();
            let message = format!("the study has no profile `{name}`");
            let help = match known.as_slice() {
                [] => "it declares none: add `profile quick { name.key: value }`".to_string(),
                known => super::suggest::help(name, "profile", known.iter().copied()),
            };
            diagnostics.push(Diagnostic::error("E0603", message, root, "").help(help));
            Vec::new()
        }
    }
}

/// What a `profile` statement sets.
pub(super) fn settings_of(statement: &Statement) -> Vec<Setting> {
    let fields = statement.block.iter().flat_map(|block| &block.fields);
    fields
        .filter_map(|field| {
            Some(Setting {
                path: field.key.clone()?,
                value: field.value.clone(),
            })
        })
        .collect()
}

/// Whether `statement` is `keyword name = like(base, …)`, and the base's name.
pub(super) fn likened(statement: &Statement) -> Option<&Spanned<String>> {
    match &statement.binding.as_ref()?.value.kind {
        ExprKind::Call { name, .. } if name.value == statements::LIKE => Some(name),
        _ => None,
    }
}
