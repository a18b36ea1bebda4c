//! A study as text with every default written out, in one file: what `gradstudy render` prints. Profile and `--set` are put
//! in, used files are taken over, and `like` is written in full.

use std::collections::HashMap;
use std::path::Path;

use super::arguments::Scope;
use super::check::change;
use super::compose::{Overrides, compose};
use super::names::Names;
use super::paths::{Folders, from_folder};
use super::statements::{self, StatementKind};
use super::{Vocabulary, like};
use crate::syntax::ast::{Argument, Assert, Comparison, Entry, Expr, ExprKind, Sign, Statement};
use crate::syntax::{Diagnostics, Source, Sources, Span, format, parse, parse_value};
use gradstudy_base::signature::{Default, Param, ParamType, Signature};

/// The study that `source` is with `overrides`. Its paths are from the working directory. Factors and `let`s keep their
/// names; what stands for a call in them, such as `vary architecture in [lenet, fcn]`, gets no defaults.
///
/// # Errors
/// The mistakes of a text that does not parse: [`check_with`](super::check_with) tells of all others.
pub fn written_out(
    source: &Source,
    overrides: &Overrides,
    vocabulary: &Vocabulary,
) -> Result<String, Diagnostics> {
    let mut composed = compose(source);
    composed.read_settings(&overrides.set);
    let (mut statements, mut diagnostics) = (composed.statements, composed.diagnostics);
    change(
        &mut statements,
        overrides,
        &composed.set,
        vocabulary,
        &mut diagnostics,
    );
    like::expand(&mut statements, &mut diagnostics);
    let mut names = Names::collect(&statements, &composed.lost, &mut diagnostics);
    names.folders = Folders::of(&composed.sources);
    // What the profile sets is in its place now; the others may still be taken.
    let is_taken = |it: &Statement| {
        it.keyword.value == statements::PROFILE
            && it.name.as_ref().map(|name| &name.value) == overrides.profile.as_ref()
    };
    let stages = super::stages(source, overrides, vocabulary);
    let of_one = |stage: super::WrittenStage| match stage.words.as_slice() {
        [words] => Some((stage.span, words.clone())),
        _ => None,
    };
    let mut writer = Writer {
        stages: stages.into_iter().filter_map(of_one).collect(),
        scope: Scope {
            names: &mut names,
            diagnostics: &mut diagnostics,
        },
        sources: &composed.sources,
        vocabulary,
    };
    let mut text = String::new();
    // A study without a title is called after its file, which may be another one now.
    let titled = statements.iter().any(|it| it.keyword.value == "study");
    let title = parse(&Source::new(
        "title",
        format!("study {}", quoted(&super::check::slug(source.stem()))),
    ));
    let title = title.statements.iter().filter(|_| !titled);
    for statement in title.chain(statements.iter().filter(|it| !is_taken(it))) {
        text.push_str(&writer.statement(statement));
        text.push_str("\n\n");
    }
    format(&Source::new(
        source.path.clone(),
        text.trim_end().to_string() + "\n",
    ))
}

struct Writer<'a> {
    scope: Scope<'a>,
    sources: &'a Sources,
    vocabulary: &'a Vocabulary,
    /// What there is after the entries of networks, where that is the same in all cases.
    stages: HashMap<Span, String>,
}

impl Writer<'_> {
    fn statement(&mut self, statement: &Statement) -> String {
        let keyword = statement.keyword.value.as_str();
        let mut text = keyword.to_string();
        if let Some(title) = &statement.title {
            let title = match keyword == statements::INCLUDE {
                true => self.path(&title.value, title.span),
                false => title.value.clone(),
            };
            text += &format!(" {}", quoted(&title));
        }
        if let Some(name) = &statement.name {
            text += &format!(" {}", name.value);
        }
        let kind = statements::find(keyword);
        let signature = self.signature(statement);
        // Settings of the call, then those of the block.
        let own = signature.map_or(&[][..], |signature| signature.params);
        let more: Vec<&Param> = match (kind, signature) {
            (Some(kind), Some(signature)) => kind.more(signature.name).iter().collect(),
            (Some(kind), None) if keyword != statements::PROFILE => kind.block.params.iter().collect(),
            _ => Vec::new(),
        };
        let fields = statement.block.as_ref().map_or(&[][..], |block| &block.fields);
        if let Some(binding) = &statement.binding {
            text += match binding.sign {
                Sign::Equals => " = ",
                Sign::In => " in ",
            };
            text += &match signature {
                Some(signature) => self.call(signature, arguments(&binding.value), fields),
                None => match &binding.value.kind {
                    ExprKind::List(levels) if binding.sign == Sign::In => self.levels(levels),
                    _ => self.expr(&binding.value, None),
                },
            };
        }
        let known: Vec<&Param> = own.iter().chain(more.iter().copied()).collect();
        let mut lines: Vec<String> = fields
            .iter()
            .map(|field| self.argument(field, None, &known))
            .collect();
        let given = |param: &Param| {
            let call = statement
                .binding
                .as_ref()
                .map_or(&[][..], |binding| arguments(&binding.value));
            own.iter().any(|it| it.name == param.name) || is_given(param, fields) || is_given(param, call)
        };
        let left: Vec<&Param> = more
            .iter()
            .copied()
            .filter(|param| !given(param) && self.holds(statement, kind, signature, param))
            .collect();
        lines.extend(left.into_iter().filter_map(|param| self.default(param)));
        let asserts = statement.block.iter().flat_map(|block| &block.asserts);
        lines.extend(asserts.map(|assert| self.assert(assert)));
        if !lines.is_empty() {
            text += &format!(" {{\n{}\n}}", lines.join("\n"));
        }
        text
    }

    /// The path from the working directory; an absolute one stays as it is written.
    fn path(&mut self, written: &str, span: Span) -> String {
        let path = self.scope.path(written, span).path;
        match Path::new(&path).is_absolute() && !Path::new(written).is_absolute() {
            true => from_folder(Path::new(""), &path),
            false => path,
        }
    }

    /// The levels of a factor. One without a label is called as it was written, which rows of tables show.
    fn levels(&mut self, levels: &[Entry]) -> String {
        let level = |entry: &Entry| {
            let text = self.entry(entry, None);
            let written = self.sources.text(entry.value.span);
            let name = written.split_whitespace().collect::<Vec<_>>().join(" ");
            let is_text = matches!(entry.value.kind, ExprKind::Text(_));
            match entry.label.is_some() || is_text || name == text {
                true => text,
                false => format!("{}: {text}", quoted(&name)),
            }
        };
        format!("[{}]", levels.iter().map(level).collect::<Vec<_>>().join(", "))
    }

    /// The built-in that a statement calls.
    fn signature(&self, statement: &Statement) -> Option<&'static Signature> {
        let name = match &statement.binding.as_ref()?.value.kind {
            ExprKind::Call { name, .. } => &name.value,
            ExprKind::Word(name) => name,
            _ => return None,
        };
        let known = self.vocabulary.built_ins(&statement.keyword.value);
        known.iter().copied().find(|signature| signature.name == *name)
    }

    /// Whether the default of `param` means anything there: only tests of histories go `along` something.
    fn holds(
        &self,
        statement: &Statement,
        kind: Option<&StatementKind>,
        signature: Option<&Signature>,
        param: &Param,
    ) -> bool {
        if kind.is_none_or(|kind| kind.block.name != "test") || param.name != "along" {
            return true;
        }
        let directed = signature.is_some_and(|it| it.params.iter().any(|param| param.name == "along"));
        let call = statement
            .binding
            .as_ref()
            .map_or(&[][..], |binding| arguments(&binding.value));
        let fields = statement.block.as_ref().map_or(&[][..], |block| &block.fields);
        let of = call
            .iter()
            .chain(fields)
            .enumerate()
            .find(|(index, it)| match &it.key {
                Some(key) => key.value == "of",
                None => *index == 0,
            });
        let record = of.is_some_and(|(_, of)| match &of.value.kind {
            ExprKind::Word(name) => self
                .scope
                .names
                .map
                .get(name)
                .is_some_and(|it| it.keyword == "record"),
            _ => false,
        });
        directed && record
    }

    /// `name(key: value, …)` with the defaults of what neither `given` nor `fields` say.
    fn call(&mut self, signature: &'static Signature, given: &[Argument], fields: &[Argument]) -> String {
        let params: Vec<&Param> = signature.params.iter().collect();
        let mut parts: Vec<String> = Vec::new();
        for (index, argument) in given.iter().enumerate() {
            let position = params.get(index).copied();
            parts.push(self.argument(argument, position, &params));
        }
        for (index, param) in params.iter().enumerate() {
            let by_position = given.get(index).is_some_and(|it| it.key.is_none());
            if !by_position && !is_given(param, given) && !is_given(param, fields) && param.name != "along" {
                parts.extend(self.default(param));
            }
        }
        match parts.is_empty() {
            true => signature.name.to_string(),
            false => format!("{}({})", signature.name, parts.join(", ")),
        }
    }

    /// `key: value`; a value without a key gets that of its `position`.
    fn argument(&mut self, argument: &Argument, position: Option<&Param>, known: &[&Param]) -> String {
        let key = argument.key.as_ref().map(|key| key.value.as_str());
        let param = match key {
            Some(key) => known.iter().copied().find(|param| param.name == key),
            None => position,
        };
        let value = self.expr(&argument.value, param.map(|param| &param.ty));
        match key.or(position.map(|param| param.name)) {
            Some(key) => format!("{key}: {value}"),
            None => value,
        }
    }

    fn default(&mut self, param: &Param) -> Option<String> {
        let Default::Text(text) = param.default else {
            return None;
        };
        let value = parse_value(text)?;
        // Beside a factor or `let` called `batch`, the word `batch` of `batch_norm` would mean that one.
        if matches!(&value.kind, ExprKind::Word(word) if self.scope.names.map.contains_key(word.as_str())) {
            return None;
        }
        Some(format!("{}: {}", param.name, self.expr(&value, Some(&param.ty))))
    }

    fn expr(&mut self, expr: &Expr, ty: Option<&ParamType>) -> String {
        match &expr.kind {
            ExprKind::Integer(value) => value.to_string(),
            ExprKind::Number(value) => number(*value),
            ExprKind::Percent(value) => format!("{}%", number(*value)),
            ExprKind::Boolean(value) => value.to_string(),
            ExprKind::Range(from, to) => format!("{from}..{to}"),
            ExprKind::Text(text) => match ty {
                Some(ParamType::Path) => quoted(&self.path(text, expr.span)),
                _ => quoted(text),
            },
            ExprKind::Word(name) => match nested(ty, name) {
                Some(signature) => self.call(signature, &[], &[]),
                None => name.clone(),
            },
            ExprKind::Call { name, arguments } => match nested(ty, &name.value) {
                Some(signature) => self.call(signature, arguments, &[]),
                None => {
                    let parts: Vec<String> = arguments
                        .iter()
                        .map(|argument| self.argument(argument, None, &[]))
                        .collect();
                    format!("{}({})", name.value, parts.join(", "))
                }
            },
            ExprKind::List(entries) => {
                let inner = match ty {
                    Some(ParamType::List(inner)) => Some(*inner),
                    _ => None,
                };
                if matches!(ty, Some(ParamType::Layers(_))) {
                    return self.layers(entries, ty);
                }
                let parts: Vec<String> = entries.iter().map(|entry| self.entry(entry, inner)).collect();
                format!("[{}]", parts.join(", "))
            }
            ExprKind::Infix { left, word, right } => {
                format!(
                    "{} {} {}",
                    self.expr(left, None),
                    word.value,
                    self.expr(right, None)
                )
            }
        }
    }

    /// A list of layers, each on a line with what there is after it.
    fn layers(&mut self, entries: &[Entry], ty: Option<&ParamType>) -> String {
        let mut text = "[\n".to_string();
        for entry in entries {
            let value = self.expr(&entry.value, ty);
            let label = entry.label.as_ref().map(|label| label.value.as_str());
            text += &match label {
                Some(label) if label.starts_with(|c: char| c.is_ascii_digit()) => {
                    format!("{}: {value},", quoted(label))
                }
                Some(label) => format!("{label}: {value},"),
                None => format!("{value},"),
            };
            if let Some(words) = self.stages.get(&super::layers::place(entry)) {
                text += &format!("  # {words}");
            }
            text += "\n";
        }
        text + "]"
    }

    fn entry(&mut self, entry: &Entry, ty: Option<&ParamType>) -> String {
        let value = self.expr(&entry.value, ty);
        match &entry.label {
            Some(label) => format!("{}: {value}", quoted(&label.value)),
            None => value,
        }
    }

    fn assert(&mut self, assert: &Assert) -> String {
        let comparison = match assert.comparison {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::AtMost => "<=",
            Comparison::AtLeast => ">=",
            Comparison::Below => "<",
            Comparison::Above => ">",
        };
        format!(
            "assert {} {comparison} {}",
            assert.subject.value,
            self.expr(&assert.value, None)
        )
    }
}

/// The arguments of a call; a word has none.
fn arguments(expr: &Expr) -> &[Argument] {
    match &expr.kind {
        ExprKind::Call { arguments, .. } => arguments,
        _ => &[],
    }
}

fn is_given(param: &Param, arguments: &[Argument]) -> bool {
    arguments
        .iter()
        .any(|it| it.key.as_ref().is_some_and(|key| key.value == param.name))
}

/// The built-in called `name` that a setting of type `ty` takes.
fn nested(ty: Option<&ParamType>, name: &str) -> Option<&'static Signature> {
    match ty? {
        ParamType::Call(signatures) => {
            let plain = |it: &&&'static Signature| it.name == name && it.name != "at";
            signatures.iter().find(plain).copied()
        }
        ParamType::List(inner) => nested(Some(inner), name),
        ParamType::Layers(known) => known().iter().find(|it| it.name == name).copied(),
        _ => None,
    }
}

/// A number as the language writes it.
fn number(value: f64) -> String {
    match value.abs() {
        size if size != 0.0 && !(1e-4..1e15).contains(&size) => format!("{value:e}"),
        _ => value.to_string(),
    }
}

/// Text in quotes, as the parser reads it back.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out + "\""
}
