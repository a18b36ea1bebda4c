//! What is expected at a place of a study: the registries' side of a word, a key or a gap.

use crate::signature::{Param, ParamType, Signature};
use crate::study::CASE;
use crate::study::Vocabulary;
use crate::study::label_noise::LABEL_NOISE;
use crate::study::statements::{Holds, LIKE, PROFILE, StatementKind};
use crate::syntax::Span;

use super::outline::{Role, Step};
use super::project::{Definition, File, Project};

/// How many names may stand for one another in a row (a factor's level, a `let`'s value …).
const MAX_DEPTH: usize = 3;
/// Uses of a name that are looked at to learn what it stands for.
const MAX_USES: usize = 20;

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub enum Slot {
    /// What a statement with this keyword calls.
    BuiltIn(&'static str),
    /// A value of this type.
    Type(&'static ParamType),
    /// The name that `like` takes, of a statement with this keyword.
    Base(&'static str),
    /// Label noise, behind `with`.
    Noise,
    /// Row keys and factors.
    Rows,
    /// Columns of a table.
    Columns,
    /// Codes of warnings.
    Warnings,
}

/// What is known about a place.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// What the value there may be; several where a factor or `let` is used in several ways.
    pub slots: Vec<Slot>,
    /// The setting whose value or key is there.
    pub params: Vec<&'static Param>,
    /// Settings of the block or call that the place is in.
    pub container: Vec<&'static Param>,
}

/// A study and what it can name.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub project: &'a Project,
    pub vocabulary: &'a Vocabulary,
}

impl<'a> Scope<'a> {
    /// What is expected at `path` in a statement of the project's file number `file`.
    pub fn place(&self, file: usize, statement: usize, path: &[Step]) -> Place {
        self.walk(file, statement, path, &mut Vec::new())
    }

    fn file(&self, file: usize) -> &'a File {
        &self.project.files[file]
    }

    fn walk(&self, file: usize, statement: usize, path: &[Step], seen: &mut Vec<String>) -> Place {
        let mut place = Place::default();
        let it = self.file(file);
        let Some(kind) = it.kind(statement) else {
            return place;
        };
        let keyword = kind.block.name;
        let mut levels = false;
        for (index, step) in path.iter().enumerate() {
            match step {
                Step::Binding => {
                    place.slots = match kind.holds {
                        Holds::Call(_) => vec![Slot::BuiltIn(keyword)],
                        Holds::Levels | Holds::Value => self.inferred(file, statement, seen),
                        Holds::Nothing => Vec::new(),
                    };
                    levels = kind.holds == Holds::Levels;
                }
                Step::Field(key) if keyword == PROFILE => {
                    let param = key.and_then(|key| self.profile_param(it.at(key), seen));
                    place.take(param.map(|(keyword, param)| (keyword, vec![param])), Vec::new());
                }
                Step::Field(key) => {
                    let container = self.settings(file, statement, seen);
                    let named = |key: &Span| named(&container, it.at(*key));
                    place.take(key.as_ref().map(|key| (keyword, named(key))), container.clone());
                }
                Step::Argument {
                    callee,
                    key,
                    position,
                } => {
                    let callee = it.at(*callee);
                    if kind.holds == Holds::Levels && callee == CASE {
                        let param = key.and_then(|key| self.profile_param(it.at(key), seen));
                        place.take(param.map(|(keyword, param)| (keyword, vec![param])), Vec::new());
                        continue;
                    }
                    let own = index == 1 && path[0] == Step::Binding && matches!(kind.holds, Holds::Call(_));
                    if own && callee == LIKE {
                        let container = self.settings(file, statement, seen);
                        let params = key.map_or(Vec::new(), |key| named(&container, it.at(key)));
                        place.take(Some((keyword, params)), container);
                        if key.is_none() && *position == 0 {
                            place.slots = vec![Slot::Base(keyword)];
                        }
                        continue;
                    }
                    let called = self.called(&place.slots, callee, seen);
                    let mut container: Vec<&'static Param> =
                        called.iter().flat_map(|signature| signature.params).collect();
                    if own {
                        add(&mut container, kind.more(called.first().map_or("", |it| it.name)));
                    }
                    let params = match key {
                        Some(key) => named(&container, it.at(*key)),
                        None => called.iter().filter_map(|it| it.params.get(*position)).collect(),
                    };
                    place.take(Some((keyword, params)), container);
                }
                Step::Entry if levels => levels = false,
                Step::Entry => {
                    for slot in &mut place.slots {
                        if let Slot::Type(ParamType::List(inner)) = slot {
                            *slot = Slot::Type(inner);
                        }
                    }
                }
                Step::Right(word) => {
                    place.slots = match it.at(*word) {
                        "with" => vec![Slot::Noise],
                        word => {
                            let right = |it: &'static Signature| Some(Slot::Type(&it.params.get(1)?.ty));
                            self.called(&place.slots, word, seen)
                                .into_iter()
                                .filter_map(right)
                                .collect()
                        }
                    };
                }
                Step::Assert => place.slots.clear(),
            }
        }
        place
    }

    /// Signatures called `name` (or that a factor of this name stands for) where `slots` are expected.
    fn called(&self, slots: &[Slot], name: &str, seen: &mut Vec<String>) -> Vec<&'static Signature> {
        let mut found: Vec<&'static Signature> = Vec::new();
        for slot in slots {
            let signatures = self.signatures(*slot);
            found.extend(signatures.iter().find(|signature| signature.name == name));
        }
        if found.is_empty() && seen.len() < MAX_DEPTH && !seen.iter().any(|it| it == name) {
            seen.push(name.to_string());
            for level in self.levels(name) {
                found.extend(self.called(slots, &level, seen));
            }
            seen.pop();
        }
        found.dedup_by(|a, b| std::ptr::eq(*a, *b));
        found
    }

    /// What may be called where `slot` is expected.
    pub fn signatures(&self, slot: Slot) -> &'static [&'static Signature] {
        match slot {
            Slot::BuiltIn(keyword) => self.vocabulary.built_ins(keyword),
            Slot::Noise => LABEL_NOISE,
            Slot::Type(ParamType::Call(signatures) | ParamType::List(ParamType::Call(signatures))) => {
                signatures
            }
            Slot::Type(ParamType::Layers(known)) => known(),
            _ => &[],
        }
    }

    /// The words that the levels of factor `name`, or the value of a `let`, begin with.
    fn levels(&self, name: &str) -> Vec<String> {
        let Some(Definition { file, statement }) = self.project.definition(name) else {
            return Vec::new();
        };
        let it = self.file(file);
        if !stands_for_values(it.kind(statement)) {
            return Vec::new();
        }
        let words = it.outline.words.iter().filter(|word| word.statement == statement);
        words
            .filter(|word| matches!(word.role, Role::Value | Role::Callee))
            .filter(|word| {
                matches!(
                    word.path.as_slice(),
                    [Step::Binding] | [Step::Binding, Step::Entry]
                )
            })
            .map(|word| it.at(word.span).to_string())
            .take(MAX_USES)
            .collect()
    }

    /// The built-ins that a statement calls: one, or those of a factor's levels.
    pub fn callees(&self, file: usize, statement: usize) -> Vec<&'static Signature> {
        self.callees_of(file, statement, &mut Vec::new())
    }

    fn callees_of(&self, file: usize, statement: usize, seen: &mut Vec<String>) -> Vec<&'static Signature> {
        let it = self.file(file);
        let (Some(kind), Some(outlined)) = (it.kind(statement), it.outline.statements.get(statement)) else {
            return Vec::new();
        };
        let (Holds::Call(_), Some(callee)) = (kind.holds, outlined.callee) else {
            return Vec::new();
        };
        if it.at(callee) != LIKE {
            return self.called(&[Slot::BuiltIn(kind.block.name)], it.at(callee), seen);
        }
        let first = Step::Argument {
            callee,
            key: None,
            position: 0,
        };
        let words = &it.outline.words;
        let base = words
            .iter()
            .find(|word| word.statement == statement && word.path.get(1) == Some(&first));
        let name = base.map_or("", |word| it.at(word.span)).to_string();
        match self.project.definition(&name) {
            Some(found) if seen.len() < MAX_DEPTH && !seen.contains(&name) => {
                seen.push(name);
                let callees = self.callees_of(found.file, found.statement, seen);
                seen.pop();
                callees
            }
            _ => Vec::new(),
        }
    }

    /// Settings of a statement, in its call or its block.
    fn settings(&self, file: usize, statement: usize, seen: &mut Vec<String>) -> Vec<&'static Param> {
        let callees = self.callees_of(file, statement, seen);
        let mut params: Vec<&'static Param> = callees.iter().flat_map(|signature| signature.params).collect();
        if let Some(kind) = self.file(file).kind(statement) {
            add(&mut params, kind.more(callees.first().map_or("", |it| it.name)));
        }
        params
    }

    /// Whether keys at `path` are paths of settings, `name.key`: in a profile, or in a case of a factor.
    pub fn holds_paths(&self, file: usize, statement: usize, path: &[Step]) -> bool {
        let it = self.file(file);
        let in_case = match path.last() {
            Some(Step::Argument { callee, .. }) => it.at(*callee) == CASE,
            _ => false,
        };
        let levels = it.kind(statement).is_some_and(|kind| kind.holds == Holds::Levels);
        it.keyword(statement) == PROFILE || (levels && in_case)
    }

    /// The setting that `name.key` in a profile leads to, and the keyword of its statement.
    fn profile_param(&self, path: &str, seen: &mut Vec<String>) -> Option<(&'static str, &'static Param)> {
        let (_, name, key) = self.profile_path(path)?;
        if name.is_empty() {
            let study = crate::study::statements::find("study")?;
            return Some((
                "study",
                study.block.params.iter().find(|param| param.name == key)?,
            ));
        }
        let Definition { file, statement } = self.project.definition(name)?;
        let keyword = self.file(file).kind(statement)?.block.name;
        let settings = self.settings(file, statement, seen);
        Some((keyword, settings.into_iter().find(|param| param.name == key)?))
    }

    /// The parts of a profile's key: where the name begins, the name (empty for the study's own settings) and the
    /// key (empty for a factor or `let` itself).
    pub fn profile_path<'p>(&self, path: &'p str) -> Option<(usize, &'p str, &'p str)> {
        let parts: Vec<&str> = path.split('.').collect();
        match parts.as_slice() {
            ["study", key] => Some((0, "", *key)),
            [name] => Some((0, *name, "")),
            [name, key] if self.project.definition(name).is_some() => Some((0, *name, *key)),
            [keyword, name] => Some((keyword.len() + 1, *name, "")),
            [keyword, name, key] => Some((keyword.len() + 1, *name, *key)),
            _ => None,
        }
    }

    /// What a factor's levels or a `let`'s value may be: what is expected where its name stands.
    fn inferred(&self, file: usize, statement: usize, seen: &mut Vec<String>) -> Vec<Slot> {
        let it = self.file(file);
        let name = it.outline.statements.get(statement).and_then(|it| it.name);
        let Some(name) = name.map(|name| it.at(name).to_string()) else {
            return Vec::new();
        };
        if seen.len() >= MAX_DEPTH || seen.contains(&name) {
            return Vec::new();
        }
        let mut slots: Vec<Slot> = Vec::new();
        seen.push(name.clone());
        for (index, used) in self.project.files.iter().enumerate() {
            for word in used.values(&name).take(MAX_USES) {
                for slot in self.walk(index, word.statement, &word.path, seen).slots {
                    let substituted = !matches!(slot, Slot::Rows | Slot::Columns | Slot::Warnings);
                    if substituted && !slots.iter().any(|known| known.same(slot)) {
                        slots.push(slot);
                    }
                }
            }
        }
        seen.pop();
        slots
    }
}

impl Place {
    /// The setting of a statement with this keyword that was stepped into.
    fn take(&mut self, param: Option<(&'static str, Vec<&'static Param>)>, container: Vec<&'static Param>) {
        let (keyword, params) = param.unwrap_or_default();
        self.slots = params.iter().map(|param| slot(keyword, param)).collect();
        self.params = params;
        self.container = container;
    }
}

impl Slot {
    fn same(self, other: Slot) -> bool {
        match (self, other) {
            (Slot::Type(a), Slot::Type(b)) => std::ptr::eq(a, b),
            (Slot::BuiltIn(a), Slot::BuiltIn(b)) | (Slot::Base(a), Slot::Base(b)) => a == b,
            (a, b) => std::mem::discriminant(&a) == std::mem::discriminant(&b),
        }
    }
}

/// The words of tables and figures come from the registries, not from their type.
fn slot(keyword: &str, param: &'static Param) -> Slot {
    let free = matches!(
        param.ty,
        ParamType::Word([]) | ParamType::List(ParamType::Word([]))
    );
    match (keyword, param.name) {
        _ if !free => Slot::Type(&param.ty),
        ("study", "allow") => Slot::Warnings,
        ("table", "columns") | ("figure", "show") => Slot::Columns,
        ("table" | "figure", _) => Slot::Rows,
        _ => Slot::Type(&param.ty),
    }
}

/// Whether a name of this kind is replaced by values: a factor or a `let`.
pub fn stands_for_values(kind: Option<&'static StatementKind>) -> bool {
    kind.is_some_and(|kind| matches!(kind.holds, Holds::Levels | Holds::Value))
}

fn named(params: &[&'static Param], name: &str) -> Vec<&'static Param> {
    params
        .iter()
        .copied()
        .filter(|param| param.name == name)
        .collect()
}

/// Adds those of `more` whose names `params` lacks.
fn add(params: &mut Vec<&'static Param>, more: &'static [Param]) {
    for param in more {
        if params.iter().all(|known| known.name != param.name) {
            params.push(param);
        }
    }
}
