//! From tokens to an outline: a state for each open bracket, and a word's role by the state it is met in.

use crate::syntax::{Source, Span, parse, pieces};

use super::outline::{Cursor, Next, Outline, Outlined, Role, Step, Word};
use super::tokens::{Kind, Token, tokens};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Open {
    Statement,
    Block,
    Call(Span),
    List,
}

/// One bracket, or the statement itself.
#[derive(Debug, Clone)]
struct Level {
    open: Open,
    next: Next,
    key: Option<Span>,
    position: usize,
    infix: Option<Span>,
    assert: bool,
}

impl Level {
    fn of(open: Open, next: Next) -> Level {
        Level {
            open,
            next,
            key: None,
            position: 0,
            infix: None,
            assert: false,
        }
    }

    /// The steps that lead to its current place.
    fn steps(&self) -> impl Iterator<Item = Step> + use<> {
        let step = match self.open {
            Open::Statement => Step::Binding,
            Open::Block if self.assert => Step::Assert,
            Open::Block => Step::Field(self.key),
            Open::Call(callee) => Step::Argument {
                callee,
                key: self.key,
                position: self.position,
            },
            Open::List => Step::Entry,
        };
        [Some(step), self.infix.map(Step::Right)].into_iter().flatten()
    }
}

/// Reads a text token by token.
pub(super) struct Reader<'a> {
    text: &'a str,
    pub outline: Outline,
    levels: Vec<Level>,
    /// Of the last token.
    end: usize,
}

impl Reader<'_> {
    /// Reads the tokens of `text` that begin before byte `until`.
    pub fn read(text: &str, until: usize) -> Reader<'_> {
        let (tokens, comments) = tokens(text);
        // A text that parses needs no cuts, and a line within one of its statements may look like a first line.
        let parses = parse(&Source::new("", text)).diagnostics.is_empty();
        let cuts = if parses { Vec::new() } else { pieces(text) };
        let mut cuts = cuts
            .into_iter()
            .map(|piece| piece.start)
            .filter(|cut| *cut < until)
            .peekable();
        let mut reader = Reader {
            text,
            outline: Outline {
                comments,
                ..Outline::default()
            },
            levels: vec![Level::of(Open::Statement, Next::Keyword)],
            end: 0,
        };
        for (index, token) in tokens
            .iter()
            .enumerate()
            .take_while(|(_, token)| token.span.start < until)
        {
            let mut cut = false;
            while cuts.next_if(|at| *at <= token.span.start).is_some() {
                cut = true;
            }
            if cut {
                reader.levels = vec![Level::of(Open::Statement, Next::Keyword)];
            }
            let next = tokens.get(index + 1).filter(|next| next.span.start < until);
            reader.push(*token, next.map(|next| next.kind));
            reader.end = token.span.end;
            if let Some(statement) = reader.outline.statements.last_mut() {
                statement.span.end = token.span.end;
            }
        }
        reader
    }

    /// What may come next.
    pub fn cursor(&self) -> Cursor {
        Cursor {
            next: self.level().next,
            statement: self.outline.statements.len().checked_sub(1),
            path: self.path(),
        }
    }

    fn level(&self) -> &Level {
        &self.levels[self.levels.len() - 1]
    }

    fn top(&mut self) -> &mut Level {
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    fn path(&self) -> Vec<Step> {
        match self.levels.as_slice() {
            [statement, block, rest @ ..] if block.open == Open::Block => {
                debug_assert!(statement.open == Open::Statement);
                block.steps().chain(rest.iter().flat_map(Level::steps)).collect()
            }
            levels => levels.iter().flat_map(Level::steps).collect(),
        }
    }

    fn text(&self, span: Span) -> &str {
        &self.text[span.start..span.end]
    }

    fn word(&mut self, span: Span, role: Role) {
        let word = Word {
            span,
            role,
            statement: self.outline.statements.len().saturating_sub(1),
            path: self.path(),
        };
        self.outline.words.push(word);
    }

    fn push(&mut self, token: Token, next: Option<Kind>) {
        if token.kind == Kind::Text {
            self.outline.texts.push(token.span);
        }
        match (self.level().open, token.kind) {
            (_, Kind::Close(bracket)) => self.close(bracket),
            (Open::Statement, _) => self.in_statement(token, next),
            (Open::Block, _) => self.in_block(token, next),
            (Open::Call(_), _) => self.in_call(token, next),
            (Open::List, _) => self.in_list(token, next),
        }
    }

    /// Closes the innermost bracket of this form; one that was never opened is passed over.
    fn close(&mut self, bracket: char) {
        let fits = |level: &Level| match level.open {
            Open::Block => bracket == '}',
            Open::Call(_) => bracket == ')',
            Open::List => bracket == ']',
            Open::Statement => false,
        };
        if let Some(index) = self.levels.iter().rposition(fits) {
            self.levels.truncate(index);
            if bracket == '}' {
                self.levels = vec![Level::of(Open::Statement, Next::Keyword)];
            }
        }
    }

    fn in_statement(&mut self, token: Token, next: Option<Kind>) {
        let text = self.text(token.span);
        match (self.level().next, token.kind) {
            (Next::Keyword, Kind::Word) => self.keyword(token.span),
            (Next::Head, Kind::Word | Kind::Text) if self.heads(token) => {
                let is_word = token.kind == Kind::Word;
                if let Some(statement) = self.outline.statements.last_mut() {
                    match is_word {
                        true => statement.name = Some(token.span),
                        false => statement.title = Some(token.span),
                    }
                }
                self.top().next = Next::Sign;
                if is_word {
                    self.word(token.span, Role::Name);
                }
            }
            (Next::Head | Next::Sign, Kind::Equals) => self.top().next = Next::Value,
            (Next::Head | Next::Sign, Kind::Word) if text == "in" => {
                self.word(token.span, Role::In);
                self.top().next = Next::Value;
            }
            // Without its `=`.
            (Next::Head | Next::Sign, Kind::Word) if next == Some(Kind::Open('(')) => self.bound(token, next),
            (Next::Head | Next::Sign, Kind::Word) => self.keyword(token.span),
            (Next::Keyword, _) => {}
            (_, Kind::Open('{')) => self.levels.push(Level::of(Open::Block, Next::Key)),
            (Next::Value, _) => self.bound(token, next),
            (Next::AfterValue, Kind::Word) if !matches!(text, "at" | "with") => self.keyword(token.span),
            (Next::AfterValue, _) => self.after_value(token, next),
            _ => {}
        }
    }

    /// What a statement holds; a word that it begins with is its callee.
    fn bound(&mut self, token: Token, next: Option<Kind>) {
        let first = self.level().infix.is_none() && token.kind == Kind::Word;
        if let (Some(statement), true) = (self.outline.statements.last_mut(), first) {
            statement.callee.get_or_insert(token.span);
        }
        self.value(token, next);
    }

    /// Whether a word or text is the keyword's name or title: it stands on its line.
    fn heads(&self, token: Token) -> bool {
        let between = &self.text[self.end..token.span.start];
        let name = token.kind == Kind::Text || !matches!(self.text(token.span), "in" | "at" | "with");
        name && between.chars().all(|c| matches!(c, ' ' | '\t'))
    }

    fn keyword(&mut self, span: Span) {
        self.levels = vec![Level::of(Open::Statement, Next::Head)];
        self.outline.statements.push(Outlined {
            keyword: span,
            name: None,
            title: None,
            callee: None,
            span,
        });
        self.word(span, Role::Keyword);
    }

    fn in_block(&mut self, token: Token, next: Option<Kind>) {
        let begins = next == Some(Kind::Colon);
        match (self.level().next, token.kind) {
            (_, Kind::Comma | Kind::Semicolon) => self.field(None),
            (Next::Subject, Kind::Word) => {
                self.word(token.span, Role::Subject);
                self.top().next = Next::Comparison;
            }
            (Next::Comparison, Kind::Compare | Kind::Equals) => self.top().next = Next::Value,
            (Next::Colon, Kind::Colon) => self.top().next = Next::Value,
            (Next::AfterValue, Kind::Word) if begins || !matches!(self.text(token.span), "at" | "with") => {
                self.key(token.span);
            }
            (Next::Key | Next::Colon | Next::Comparison, Kind::Word) => self.key(token.span),
            (Next::Value, Kind::Word) if begins => self.key(token.span),
            (Next::Value, _) => self.value(token, next),
            (Next::AfterValue, _) => self.after_value(token, next),
            (_, Kind::Open(bracket)) => self.open(bracket, token.span),
            _ => {}
        }
    }

    fn field(&mut self, key: Option<Span>) {
        *self.top() = Level {
            key,
            ..Level::of(Open::Block, if key.is_some() { Next::Colon } else { Next::Key })
        };
    }

    fn key(&mut self, span: Span) {
        if self.text(span) == "assert" {
            self.field(None);
            self.top().assert = true;
            self.word(span, Role::Assert);
            self.top().next = Next::Subject;
        } else {
            self.field(Some(span));
            self.word(span, Role::Key);
        }
    }

    fn in_call(&mut self, token: Token, next: Option<Kind>) {
        match (self.level().next, token.kind) {
            (_, Kind::Comma) => {
                let level = self.top();
                let position = level.position + 1;
                *level = Level {
                    position,
                    ..Level::of(level.open, Next::Argument)
                };
            }
            (_, Kind::Word) if next == Some(Kind::Colon) => {
                let level = self.top();
                level.key = Some(token.span);
                level.infix = None;
                level.next = Next::Colon;
                self.word(token.span, Role::Key);
            }
            (Next::Colon, Kind::Colon) => self.top().next = Next::Value,
            (Next::Argument | Next::Value, _) => self.value(token, next),
            (Next::AfterValue, _) => self.after_value(token, next),
            (_, Kind::Open(bracket)) => self.open(bracket, token.span),
            _ => {}
        }
    }

    fn in_list(&mut self, token: Token, next: Option<Kind>) {
        match (self.level().next, token.kind) {
            (_, Kind::Comma) => {
                let level = self.top();
                level.infix = None;
                level.next = Next::Value;
            }
            (_, Kind::Word | Kind::Text) if next == Some(Kind::Colon) => {
                if token.kind == Kind::Word {
                    self.word(token.span, Role::Label);
                }
                self.top().next = Next::Colon;
            }
            (Next::Colon, Kind::Colon) => self.top().next = Next::Value,
            (Next::Value, _) => self.value(token, next),
            (Next::AfterValue, _) => self.after_value(token, next),
            (_, Kind::Open(bracket)) => self.open(bracket, token.span),
            _ => {}
        }
    }

    fn value(&mut self, token: Token, next: Option<Kind>) {
        match token.kind {
            Kind::Word => {
                let called = next == Some(Kind::Open('('));
                self.word(token.span, if called { Role::Callee } else { Role::Value });
                self.top().next = Next::AfterValue;
            }
            Kind::Number | Kind::Text => self.top().next = Next::AfterValue,
            Kind::Open(bracket) => {
                self.top().next = Next::AfterValue;
                self.open(bracket, token.span);
            }
            _ => {}
        }
    }

    fn after_value(&mut self, token: Token, next: Option<Kind>) {
        match token.kind {
            Kind::Dots => self.top().next = Next::Value,
            Kind::Word if matches!(self.text(token.span), "at" | "with") => {
                self.word(token.span, Role::Infix);
                let level = self.top();
                level.infix = Some(token.span);
                level.next = Next::Value;
            }
            Kind::Open(bracket) => self.open(bracket, token.span),
            // A missing comma.
            Kind::Word | Kind::Number | Kind::Text => self.value(token, next),
            _ => {}
        }
    }

    fn open(&mut self, bracket: char, span: Span) {
        let callee = self
            .outline
            .words
            .last()
            .filter(|word| word.role == Role::Callee && word.span.end == self.end);
        let level = match bracket {
            '[' => Level::of(Open::List, Next::Value),
            '{' => Level::of(Open::Block, Next::Key),
            _ => Level::of(Open::Call(callee.map_or(span, |word| word.span)), Next::Argument),
        };
        self.levels.push(level);
    }
}
