//! A study as an editor sees it: its file, the files that it uses, and where each name is defined.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::study::statements::{self, PROFILE, StatementKind, USE};
use crate::syntax::{Source, Span};

use super::outline::{Outline, Outlined, Role, Word};
use super::position::Lines;

/// Files of one study at most: a circle of `use`s ends by itself, this ends the rest.
const MAX_FILES: usize = 100;

/// A text and what was read of it.
#[derive(Debug)]
pub struct File {
    pub path: PathBuf,
    /// The file that the path leads to, whatever the way.
    pub identity: PathBuf,
    pub text: Arc<str>,
    pub lines: Lines,
    pub outline: Outline,
    /// Indices of the words that are values or callees, by their text.
    values: HashMap<String, Vec<usize>>,
}

impl File {
    /// Reads `text`, which is or will be the file at `path`.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<Arc<str>>) -> File {
        let (path, text) = (path.into(), text.into());
        let outline = Outline::of(&text);
        let mut values: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, word) in outline.words.iter().enumerate() {
            if matches!(word.role, Role::Value | Role::Callee) {
                let written = text[word.span.start..word.span.end].to_string();
                values.entry(written).or_default().push(index);
            }
        }
        File {
            identity: identity(&path),
            path,
            lines: Lines::of(&text),
            outline,
            values,
            text,
        }
    }

    /// The text at `span`.
    pub fn at(&self, span: Span) -> &str {
        &self.text[span.start..span.end]
    }

    /// The words with this text that are values or callees.
    pub fn values(&self, text: &str) -> impl Iterator<Item = &Word> {
        let found = self.values.get(text).into_iter().flatten();
        found.map(|index| &self.outline.words[*index])
    }

    /// The keyword of a statement.
    pub fn keyword(&self, statement: usize) -> &str {
        self.outline
            .statements
            .get(statement)
            .map_or("", |it| self.at(it.keyword))
    }

    /// The kind of a statement, if its keyword is known.
    pub fn kind(&self, statement: usize) -> Option<&'static StatementKind> {
        statements::find(self.keyword(statement))
    }

    /// Names that other statements can speak of, with their statements. Profiles are spoken of on the command line.
    pub fn names(&self) -> impl Iterator<Item = (&str, usize)> {
        let all = self.outline.statements.iter().enumerate();
        all.filter_map(|(index, it)| Some((self.at(it.name?), index)))
            .filter(|(_, index)| self.keyword(*index) != PROFILE)
    }

    /// Paths of the files that it uses, and where they are written.
    pub fn uses(&self) -> impl Iterator<Item = (PathBuf, Span)> {
        let folder = self.path.parent().unwrap_or(Path::new("")).to_path_buf();
        self.outline.statements.iter().filter_map(move |it| {
            let title = it.title.filter(|_| self.at(it.keyword) == USE)?;
            let written = self.at(title).trim_matches('"');
            let path = Path::new(written);
            let usable = path.is_relative() && path.extension().is_some_and(|ending| ending == "study");
            usable.then(|| (folder.join(path), title))
        })
    }
}

/// A study's files, its own first, then those that it uses in the order in which they are met.
#[derive(Debug, Clone)]
pub struct Project {
    pub files: Vec<Arc<File>>,
}

/// Where a name is defined: an index of [`Project::files`] and one of its statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    pub file: usize,
    pub statement: usize,
}

impl Project {
    /// The study of `root`; `open` gives files that an editor holds, others are read from the disk.
    pub fn of(root: Arc<File>, open: &dyn Fn(&Path) -> Option<Arc<File>>) -> Project {
        let mut project = Project { files: Vec::new() };
        project.add(root, open);
        project
    }

    fn add(&mut self, file: Arc<File>, open: &dyn Fn(&Path) -> Option<Arc<File>>) {
        self.files.push(file.clone());
        for (path, _) in file.uses() {
            let identity = identity(&path);
            let known = self.files.iter().any(|it| it.identity == identity);
            if known || self.files.len() >= MAX_FILES {
                continue;
            }
            let read = || Some(Arc::new(File::new(&path, Source::read(&path).ok()?.text)));
            if let Some(used) = open(&path).or_else(read) {
                self.add(used, open);
            }
        }
    }

    /// The definition that `name` stands for: the file's own comes before those of files that it uses.
    pub fn definition(&self, name: &str) -> Option<Definition> {
        self.definitions()
            .find(|(defined, _)| *defined == name)
            .map(|(_, found)| found)
    }

    /// Every name, the nearest definition of one first.
    pub fn definitions(&self) -> impl Iterator<Item = (&str, Definition)> {
        let files = self.files.iter().enumerate();
        files.flat_map(|(file, it)| {
            it.names()
                .map(move |(name, statement)| (name, Definition { file, statement }))
        })
    }

    /// A definition's file and statement.
    pub fn get(&self, definition: Definition) -> (&File, &Outlined) {
        let file = &self.files[definition.file];
        (file, &file.outline.statements[definition.statement])
    }
}

/// The file that a path leads to, whatever the way; the path itself where there is none.
pub fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}
