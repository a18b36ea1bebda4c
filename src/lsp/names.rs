//! Names in a study: where they are defined and used, and giving one another name.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::signature::ParamType;
use crate::study::Vocabulary;
use crate::syntax::Span;

use super::at::{Scope, Slot, stands_for_values};
use super::outline::{Role, Step, Word};
use super::project::{File, Project};
use super::tokens::{begins_word, in_word};

/// A place where a name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mention {
    pub span: Span,
    pub is_definition: bool,
}

/// Why a name cannot be changed as asked.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RenameError {
    #[error("there is no name here; put the cursor on the name of a statement")]
    NoName,
    #[error(
        "`{0}` is not a name: a name begins with a letter or `_` and goes on with letters, digits and `_`"
    )]
    NotAName(String),
    #[error("`{0}` is a word of the language and cannot be a name")]
    Reserved(String),
    #[error("`{name}` is already the name of a {keyword} in `{file}`")]
    Taken {
        name: String,
        keyword: String,
        file: String,
    },
    #[error("`{0}` is a row key: tables would show that instead of this factor")]
    RowKey(String),
    #[error("`{name}` stands as a value in line {line} of `{file}`, which would then mean this {keyword}")]
    Captures {
        name: String,
        keyword: String,
        file: String,
        line: usize,
    },
}

/// The place of a statement's name at or in `word` of the project's file `file`: a definition, a use, or a part of a
/// profile's key.
pub fn mention(scope: Scope, file: usize, word: &Word) -> Option<Mention> {
    let it = &scope.project.files[file];
    let text = it.at(word.span);
    match word.role {
        Role::Name => {
            let profile = it.keyword(word.statement) == crate::study::statements::PROFILE;
            let own = it.outline.statements.get(word.statement)?.name == Some(word.span);
            (own && !profile).then_some(Mention {
                span: word.span,
                is_definition: true,
            })
        }
        Role::Key if scope.holds_paths(file, word.statement, &word.path) => {
            let (at, name, _) = scope.profile_path(text)?;
            scope.project.definition(name)?;
            let start = word.span.start + at;
            let span = Span {
                start,
                end: start + name.len(),
            };
            Some(Mention {
                span,
                is_definition: false,
            })
        }
        Role::Value | Role::Callee => refers(scope, file, word, text).then_some(Mention {
            span: word.span,
            is_definition: false,
        }),
        Role::Label => heads(scope, file, word, text).then_some(Mention {
            span: word.span,
            is_definition: false,
        }),
        _ => None,
    }
}

/// Whether a label gives a heading to the factor of its name: `headings: [lr: "Learning rate"]` of a table.
fn heads(scope: Scope, file: usize, word: &Word, name: &str) -> bool {
    let it = &scope.project.files[file];
    let of_headings = |step: &Step| matches!(step, Step::Field(Some(key)) if it.at(*key) == "headings");
    it.keyword(word.statement) == "table" && word.path.iter().any(of_headings) && is_shown_factor(scope, name)
}

/// Whether `name` in a table is a factor: row keys go before.
fn is_shown_factor(scope: Scope, name: &str) -> bool {
    let definition = scope.project.definition(name);
    let kind = definition.and_then(|found| scope.project.files[found.file].kind(found.statement));
    let factor = kind.is_some_and(|kind| kind.holds == crate::study::statements::Holds::Levels);
    factor && !scope.vocabulary.row_keys.contains(&name)
}

/// Whether a value or callee speaks of the statement with its name.
fn refers(scope: Scope, file: usize, word: &Word, name: &str) -> bool {
    let Some(found) = scope.project.definition(name) else {
        return false;
    };
    let kind = scope.project.files[found.file].kind(found.statement);
    let slots = scope.place(file, word.statement, &word.path).slots;
    let shown = |slot: &Slot| matches!(slot, Slot::Rows | Slot::Columns | Slot::Warnings);
    if slots.iter().any(shown) {
        let row = slots.iter().any(|slot| matches!(slot, Slot::Rows));
        return row && is_shown_factor(scope, name);
    }
    if stands_for_values(kind) {
        return true;
    }
    let reference = |slot: &Slot| {
        matches!(
            slot,
            Slot::Base(_) | Slot::Type(ParamType::Reference(_) | ParamType::List(ParamType::Reference(_)))
        )
    };
    word.role == Role::Value && (slots.iter().any(reference) || slots.is_empty())
}

/// Every place in the project's file `file` where `name` stands as a name.
pub fn mentions(scope: Scope, file: usize, name: &str) -> Vec<Mention> {
    let it = &scope.project.files[file];
    let found = it.outline.words.iter().filter(|word| match word.role {
        Role::Key => it.at(word.span).split('.').any(|part| part == name),
        _ => it.at(word.span) == name,
    });
    found
        .filter_map(|word| mention(scope, file, word))
        .filter(|mention| it.at(mention.span) == name)
        .collect()
}

/// The name at byte `offset` of the project's own file.
pub fn name_at(scope: Scope, offset: usize) -> Option<(String, Mention)> {
    let file = &scope.project.files[0];
    let word = file.outline.word_at(offset)?;
    let mention = mention(scope, 0, word)?;
    let inside = mention.span.start <= offset && offset <= mention.span.end;
    inside.then(|| (file.at(mention.span).to_string(), mention))
}

/// All studies of a workspace, for what concerns more than one of them.
pub struct Workspace {
    /// Each with the files that it uses.
    pub projects: Vec<Project>,
}

/// Places in one file, in the order of the text.
pub type Found = Vec<(Arc<File>, Vec<Mention>)>;

impl Workspace {
    /// Every mention of what `name` means in the file that `path` leads to: in it, in files that it uses, and in
    /// studies that share files with it in which the name stands.
    pub fn references(&self, path: &Path, name: &str, vocabulary: &Vocabulary) -> Found {
        // Of each project, the files that speak of the name: in all of one project's files it means the same.
        let mut groups: Vec<Found> = Vec::new();
        for project in &self.projects {
            let scope = Scope { project, vocabulary };
            let files = project.files.iter().enumerate();
            let all = files.map(|(index, file)| (file.clone(), mentions(scope, index, name)));
            let group: Found = all.filter(|(_, mentions)| !mentions.is_empty()).collect();
            if !group.is_empty() {
                groups.push(group);
            }
        }
        let mut found: Found = Vec::new();
        let mut reached: HashSet<PathBuf> = HashSet::from([path.to_path_buf()]);
        while let Some(index) = groups
            .iter()
            .position(|group| group.iter().any(|(file, _)| reached.contains(&file.identity)))
        {
            for (file, mentions) in groups.swap_remove(index) {
                reached.insert(file.identity.clone());
                match found
                    .iter_mut()
                    .find(|(known, _)| known.identity == file.identity)
                {
                    Some((_, known)) => known.extend(mentions),
                    None => found.push((file, mentions)),
                }
            }
        }
        for (_, mentions) in &mut found {
            mentions.sort_by_key(|mention| mention.span);
            mentions.dedup_by_key(|mention| mention.span);
        }
        found
    }

    /// The places to change so that what `old` means in the file at `path` is called `new`.
    ///
    /// # Errors
    /// `new` cannot be a name, is one already, or stands where it would then be taken for this one.
    pub fn rename(
        &self,
        path: &Path,
        old: &str,
        new: &str,
        vocabulary: &Vocabulary,
    ) -> Result<Found, RenameError> {
        if !new.starts_with(begins_word) || !new.chars().all(in_word) {
            return Err(RenameError::NotAName(new.to_string()));
        }
        if ["in", "at", "with", "assert", "true", "false", "like", "study"].contains(&new) {
            return Err(RenameError::Reserved(new.to_string()));
        }
        let found = self.references(path, old, vocabulary);
        if new == old {
            return Ok(found);
        }
        let changed = |file: &Arc<File>| found.iter().any(|(it, _)| it.identity == file.identity);
        for project in self
            .projects
            .iter()
            .filter(|project| project.files.iter().any(changed))
        {
            let Some(definition) = project.definition(old) else {
                continue;
            };
            let keyword = project.files[definition.file]
                .keyword(definition.statement)
                .to_string();
            if keyword == "vary" && vocabulary.row_keys.contains(&new) {
                return Err(RenameError::RowKey(new.to_string()));
            }
            let files = project.files.iter();
            let mut taken =
                files.filter_map(|file| Some((file, file.names().find(|(name, _)| *name == new)?)));
            if let Some((file, (_, statement))) = taken.next() {
                return Err(RenameError::Taken {
                    name: new.to_string(),
                    keyword: file.keyword(statement).to_string(),
                    file: file.path.display().to_string(),
                });
            }
            let scope = Scope { project, vocabulary };
            for (index, file) in project.files.iter().enumerate() {
                if let Some(word) = captured(scope, index, old, new) {
                    return Err(RenameError::Captures {
                        name: new.to_string(),
                        keyword,
                        file: file.path.display().to_string(),
                        line: file.lines.position(&file.text, word.span.start).line as usize + 1,
                    });
                }
            }
        }
        Ok(found)
    }
}

/// A word `new` that is no name yet and would become one if `old` were called so.
fn captured<'a>(scope: Scope<'a>, file: usize, old: &str, new: &str) -> Option<&'a Word> {
    let definition = scope.project.definition(old)?;
    let values = stands_for_values(scope.project.files[definition.file].kind(definition.statement));
    scope.project.files[file].values(new).find(|word| {
        let slots = scope.place(file, word.statement, &word.path).slots;
        let refers = |slot: &Slot| {
            matches!(
                slot,
                Slot::Base(_)
                    | Slot::Type(ParamType::Reference(_) | ParamType::List(ParamType::Reference(_)))
            )
        };
        let shown = |slot: &Slot| matches!(slot, Slot::Columns | Slot::Warnings);
        (values && !slots.iter().any(shown)) || slots.iter().any(refers)
    })
}
