//! The candidates for a completion, from the registries and the study.

use lsp_types::CompletionItemKind;

use crate::signature::{Default, Param, ParamType, Signature};
use crate::study::CASE;
use crate::study::codes::CODES;
use crate::study::statements::{Holds, LIKE, STATEMENTS};
use crate::syntax::Span;

use super::at::{Place, Scope, Slot, stands_for_values};
use super::describe;
use super::outline::{Cursor, Next, Role, Step};
use super::project::File;

/// What editors show a candidate as.
pub(super) type Kind = CompletionItemKind;

/// One candidate, before it is put into its place.
pub(super) struct Candidate {
    pub label: String,
    pub kind: Kind,
    /// Beside the label.
    pub detail: String,
    /// Markdown.
    pub about: Option<String>,
    /// What is written, if not the label; `$0`, `${1:…}` are where the cursor goes.
    pub snippet: Option<String>,
    /// Smaller ones come first.
    pub rank: u8,
}

impl Candidate {
    fn new(label: impl Into<String>, kind: Kind, detail: impl Into<String>) -> Candidate {
        Candidate {
            label: label.into(),
            kind,
            detail: detail.into(),
            about: None,
            snippet: None,
            rank: 1,
        }
    }

    fn about(self, about: String) -> Candidate {
        Candidate {
            about: Some(about),
            ..self
        }
    }

    fn snippet(self, snippet: String) -> Candidate {
        Candidate {
            snippet: Some(snippet),
            ..self
        }
    }

    fn rank(self, rank: u8) -> Candidate {
        Candidate { rank, ..self }
    }
}

/// What is asked for.
pub(super) struct Query<'a> {
    pub scope: Scope<'a>,
    pub file: &'a File,
    pub cursor: Cursor,
    /// The word that is being written.
    pub span: Span,
}

impl Query<'_> {
    /// Everything that may stand there.
    pub fn candidates(&self) -> Vec<Candidate> {
        let Some(statement) = self.cursor.statement else {
            return keywords();
        };
        let before = &self.file.text[..self.span.start];
        let new_line = before
            .rsplit('\n')
            .next()
            .is_some_and(|line| line.trim().is_empty());
        let kind = self.file.kind(statement);
        let top = !matches!(self.cursor.path.first(), Some(Step::Field(_) | Step::Assert))
            && self.cursor.path.len() <= 2
            && !self
                .cursor
                .path
                .iter()
                .any(|step| matches!(step, Step::Argument { .. } | Step::Entry));
        let place = self.scope.place(0, statement, &self.cursor.path);
        let mut out = Vec::new();
        match self.cursor.next {
            Next::Keyword => out = keywords(),
            Next::Head | Next::Sign if new_line => out = keywords(),
            Next::Sign if kind.is_some_and(|kind| kind.holds == Holds::Levels) => {
                out.push(
                    Candidate::new("in", Kind::KEYWORD, "the factor's levels").snippet("in [$0]".into()),
                );
            }
            Next::Value => self.values(&place, &mut out),
            Next::AfterValue => {
                if top && new_line {
                    out = keywords();
                }
                if matches!(self.cursor.path.as_slice(), [Step::Field(_), ..] | [Step::Assert])
                    && self.in_block()
                {
                    self.keys(&self.block(statement), &mut out);
                }
                infixes(&place, &mut out);
            }
            Next::Key => {
                let keys = self.scope.place(0, statement, &[Step::Field(None)]).container;
                self.keys(&keys, &mut out);
                if kind.is_some_and(|kind| kind.asserts) {
                    let detail = "stops a study that is about another model";
                    let snippet = "assert parameters == $0".to_string();
                    out.push(
                        Candidate::new("assert", Kind::KEYWORD, detail)
                            .snippet(snippet)
                            .rank(2),
                    );
                }
            }
            Next::Argument => {
                self.values(&place, &mut out);
                self.keys(&place.container, &mut out);
            }
            Next::Subject => out.push(Candidate::new("parameters", Kind::PROPERTY, "of the model")),
            Next::Head | Next::Sign | Next::Colon | Next::Comparison => {}
        }
        out
    }

    /// Whether the innermost bracket is a block's.
    fn in_block(&self) -> bool {
        !self
            .cursor
            .path
            .iter()
            .any(|step| matches!(step, Step::Argument { .. } | Step::Entry))
    }

    fn block(&self, statement: usize) -> Vec<&'static Param> {
        self.scope.place(0, statement, &[Step::Field(None)]).container
    }

    /// Settings that are not yet written in the same call or statement.
    fn keys(&self, params: &[&'static Param], out: &mut Vec<Candidate>) {
        if self
            .cursor
            .statement
            .is_some_and(|it| self.scope.holds_paths(0, it, &self.cursor.path))
        {
            return self.profile_keys(out);
        }
        let callee = match self.cursor.path.last() {
            Some(Step::Argument { callee, .. }) if self.cursor.path.len() > 2 => Some(*callee),
            _ => None,
        };
        let given = self.given(callee, params);
        for param in params.iter().filter(|param| !given.contains(&param.name)) {
            let detail = describe::default(param);
            let rank = if matches!(param.default, Default::Required) {
                0
            } else {
                1
            };
            out.push(
                Candidate::new(param.name, Kind::FIELD, detail)
                    .about(describe::param(param))
                    .rank(rank),
            );
        }
    }

    /// Keys already written in the call at `callee`, or in the statement's own call and block; values without a key
    /// stand for theirs.
    fn given(&self, callee: Option<Span>, params: &[&'static Param]) -> Vec<&str> {
        let words = self.file.outline.words.iter();
        let same =
            words.filter(|word| Some(word.statement) == self.cursor.statement && word.span != self.span);
        let mut given = Vec::new();
        let mut keyed = Vec::new();
        for word in same.filter(|word| word.role == Role::Key) {
            match (callee, word.path.as_slice()) {
                (None, [Step::Field(_)]) => {}
                (None, [Step::Binding, Step::Argument { position, .. }]) => keyed.push(*position),
                (Some(at), [.., Step::Argument { callee, position, .. }]) if *callee == at => {
                    keyed.push(*position)
                }
                _ => continue,
            }
            given.push(self.file.at(word.span));
        }
        if let Some(Step::Argument { position, .. }) = self.cursor.path.last() {
            let positional = (0..*position).filter(|index| !keyed.contains(index));
            given.extend(positional.filter_map(|index| Some(params.get(index)?.name)));
        }
        given
    }

    fn profile_keys(&self, out: &mut Vec<Candidate>) {
        let study = crate::study::statements::find("study").map_or(&[][..], |kind| kind.block.params);
        for param in study {
            let label = format!("study.{}", param.name);
            out.push(
                Candidate::new(label, Kind::FIELD, describe::default(param)).about(describe::param(param)),
            );
        }
        for (name, found) in self.scope.project.definitions() {
            let kind = self.scope.project.files[found.file].kind(found.statement);
            if stands_for_values(kind) {
                out.push(Candidate::new(name, Kind::FIELD, kind.map_or("", |kind| kind.block.name)).rank(0));
                continue;
            }
            for param in self
                .scope
                .place(found.file, found.statement, &[Step::Field(None)])
                .container
            {
                let label = format!("{name}.{}", param.name);
                out.push(
                    Candidate::new(label, Kind::FIELD, describe::default(param))
                        .about(describe::param(param)),
                );
            }
        }
    }

    fn values(&self, place: &Place, out: &mut Vec<Candidate>) {
        let kind = self.cursor.statement.and_then(|it| self.file.kind(it));
        let level = matches!(self.cursor.path.as_slice(), [Step::Binding, Step::Entry]);
        if level && kind.is_some_and(|kind| kind.holds == Holds::Levels) {
            let about = "a level that changes settings of statements";
            let case = Candidate::new(CASE, Kind::FUNCTION, about).snippet(format!("{CASE}($0)"));
            out.push(case.rank(3));
        }
        for slot in &place.slots {
            match slot {
                Slot::BuiltIn(keyword) => {
                    self.built_ins(self.scope.signatures(*slot), out);
                    let about = format!("another {keyword}'s definition with some settings changed");
                    let like = Candidate::new(LIKE, Kind::FUNCTION, about).snippet(format!("{LIKE}($0)"));
                    out.push(like.rank(3));
                }
                Slot::Noise => self.built_ins(self.scope.signatures(*slot), out),
                Slot::Base(keyword) => self.names(&[keyword], out),
                Slot::Type(ty) => self.typed(ty, place, out),
                Slot::Rows => {
                    for key in self.scope.vocabulary.row_keys {
                        let candidate = Candidate::new(*key, Kind::PROPERTY, "row key");
                        out.push(candidate.about(describe::row_key(key).unwrap_or_default()));
                    }
                    self.names(&["vary"], out);
                }
                Slot::Columns => {
                    for column in self.scope.vocabulary.columns {
                        let candidate = Candidate::new(*column, Kind::PROPERTY, "column");
                        out.push(candidate.about(describe::column(column).unwrap_or_default()));
                    }
                }
                Slot::Warnings => {
                    let warnings = CODES.iter().filter(|code| code.code.starts_with('W'));
                    out.extend(warnings.map(|code| {
                        let about = describe::code(code.code).unwrap_or_default();
                        Candidate::new(code.code, Kind::CONSTANT, code.title).about(about)
                    }));
                }
            }
        }
        let replaced = |slot: &Slot| matches!(slot, Slot::BuiltIn(_) | Slot::Type(_) | Slot::Noise);
        if place.slots.iter().any(replaced) {
            self.names_where(|kind| matches!(kind, Holds::Levels | Holds::Value), 4, out);
        }
    }

    fn typed(&self, ty: &'static ParamType, place: &Place, out: &mut Vec<Candidate>) {
        match ty {
            ParamType::List(inner) => self.typed(inner, place, out),
            ParamType::Reference(kinds) => self.names(kinds, out),
            ParamType::Call(signatures) => self.built_ins(signatures, out),
            ParamType::Layers(known) => self.built_ins(known(), out),
            ParamType::Word(words) | ParamType::TextOr(words) => {
                out.extend(
                    words
                        .iter()
                        .map(|word| Candidate::new(*word, Kind::ENUM_MEMBER, "")),
                );
            }
            ParamType::Boolean => {
                out.extend(["true", "false"].map(|word| Candidate::new(word, Kind::CONSTANT, "")));
            }
            ParamType::Integer { .. }
            | ParamType::IntegerOr { .. }
            | ParamType::Number { .. }
            | ParamType::Text
            | ParamType::Path
            | ParamType::Labelled => {
                let defaults = place.params.iter().filter_map(|param| match param.default {
                    Default::Text(text) => Some(Candidate::new(text, Kind::VALUE, "the default")),
                    _ => None,
                });
                out.extend(defaults);
            }
        }
    }

    fn built_ins(&self, signatures: &[&'static Signature], out: &mut Vec<Candidate>) {
        for signature in signatures {
            let about = describe::signature(signature);
            let (label, snippet) = match (signature.name, signature.params) {
                ("at", [_, _]) => (
                    describe::usage(signature),
                    Some("${1:0.1} at [${2:40%, 80%}]".to_string()),
                ),
                (name, []) => (name.to_string(), None),
                (name, _) => (name.to_string(), Some(format!("{name}($0)"))),
            };
            let candidate = Candidate::new(label, Kind::FUNCTION, signature.summary).about(about);
            out.push(match snippet {
                Some(snippet) => candidate.snippet(snippet),
                None => candidate,
            });
        }
    }

    /// Names of statements with one of these keywords.
    fn names(&self, keywords: &[&str], out: &mut Vec<Candidate>) {
        self.names_if(
            |file, statement| keywords.contains(&file.keyword(statement)),
            0,
            out,
        );
    }

    fn names_where(&self, fits: impl Fn(Holds) -> bool, rank: u8, out: &mut Vec<Candidate>) {
        self.names_if(
            |file, statement| file.kind(statement).is_some_and(|kind| fits(kind.holds)),
            rank,
            out,
        );
    }

    fn names_if(&self, fits: impl Fn(&File, usize) -> bool, rank: u8, out: &mut Vec<Candidate>) {
        for (name, found) in self.scope.project.definitions() {
            let (file, statement) = self.scope.project.get(found);
            let own = found.file == 0 && Some(found.statement) == self.cursor.statement;
            if own || !fits(file, found.statement) {
                continue;
            }
            let written = file.at(statement.span).lines().next().unwrap_or_default();
            let about = format!("```study\n{written}\n```");
            // Those above the cursor first.
            let later = found.file == 0 && Some(found.statement) > self.cursor.statement;
            let keyword = file.keyword(found.statement);
            let candidate = Candidate::new(name, Kind::VARIABLE, keyword).about(about);
            out.push(candidate.rank(rank + u8::from(later)));
        }
    }
}

fn keywords() -> Vec<Candidate> {
    let statements = STATEMENTS.iter().map(|kind| {
        let candidate = Candidate::new(kind.block.name, Kind::KEYWORD, kind.block.summary);
        candidate.about(describe::statement(kind))
    });
    statements.collect()
}

/// `with` behind data, `at` behind a factor.
fn infixes(place: &Place, out: &mut Vec<Candidate>) {
    let data =
        |slot: &Slot| matches!(slot, Slot::Type(ParamType::Reference(kinds)) if kinds.contains(&"data"));
    let decay = |slot: &Slot| matches!(slot, Slot::Type(ParamType::Call(signatures)) if signatures.iter().any(|it| it.name == "at"));
    if place.slots.iter().any(data) {
        out.push(Candidate::new("with", Kind::KEYWORD, "noise on the labels").rank(3));
    }
    if place.slots.iter().any(decay) {
        let at = Candidate::new("at", Kind::KEYWORD, "the milestones of a decay").snippet("at [$0]".into());
        out.push(at.rank(3));
    }
}
