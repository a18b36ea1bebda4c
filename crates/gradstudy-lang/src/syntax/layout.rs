//! A study as nested groups of items with their comments: what the printer needs to know of tree and text.
//! Words and numbers keep their spelling.

use super::ast::{Argument, Block, Comparison, Expr, ExprKind, Sign, Span, Statement};

/// A statement, field, assert, list entry or argument.
pub(super) struct Item {
    /// Of a statement with a name and a binding: what neighbours are aligned by.
    pub head: Option<Head>,
    pub pieces: Vec<Piece>,
    /// On lines of their own before it.
    pub before: Vec<Comment>,
    /// Whether an empty line precedes it (between `before` and the item).
    pub blank: bool,
    /// At the end of its line.
    pub after: Option<String>,
    /// Whether it began on a later line than the item before it ended.
    pub new_row: bool,
}

/// `keyword name =`.
pub(super) struct Head {
    pub keyword: String,
    pub name: String,
    pub sign: &'static str,
}

pub(super) enum Piece {
    Text(String),
    Group(Group),
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Shape {
    File,
    Block,
    List,
    Call,
}

/// Items between brackets, or a whole file.
pub(super) struct Group {
    pub shape: Shape,
    pub items: Vec<Item>,
    /// Behind the opening bracket, on its line.
    pub open: Option<String>,
    /// After the last item, on lines of their own.
    pub end: Vec<Comment>,
    /// Whether it takes several lines however short it is.
    pub broken: bool,
    inside: Span,
}

pub(super) struct Comment {
    pub text: String,
    /// Whether an empty line precedes it.
    pub blank: bool,
}

impl Group {
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.open.is_none() && self.end.is_empty()
    }
}

/// The layout of a text and the statements parsed from it.
pub(super) fn layout(text: &str, statements: &[Statement]) -> Group {
    let layout = Layout {
        text,
        comments: comments(text),
    };
    let parts = statements
        .iter()
        .map(|statement| layout.statement(statement))
        .collect();
    let inside = Span {
        start: 0,
        end: text.len(),
    };
    layout.group(Shape::File, inside, parts)
}

/// Every comment, without its line's end.
fn comments(text: &str) -> Vec<Span> {
    let bytes = text.as_bytes();
    let (mut found, mut at, mut quoted) = (Vec::new(), 0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b'#' if !quoted => {
                let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
                found.push(Span { start: at, end });
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// An item before its comments are known.
struct Part {
    span: Span,
    head: Option<Head>,
    pieces: Vec<Piece>,
}

struct Layout<'a> {
    text: &'a str,
    comments: Vec<Span>,
}

impl Layout<'_> {
    fn slice(&self, span: Span) -> &str {
        &self.text[span.start..span.end]
    }

    fn comments_in(&self, span: Span) -> &[Span] {
        let at = |offset| self.comments.partition_point(|comment| comment.start < offset);
        &self.comments[at(span.start)..at(span.end)]
    }

    fn comment(&self, span: Span, blank: bool) -> Comment {
        let text = self.slice(span).trim_end().to_string();
        Comment { text, blank }
    }

    /// Whether a line between the two offsets holds nothing.
    fn blank(&self, start: usize, end: usize) -> bool {
        let mut lines = self.text[start..end].split('\n').skip(1).peekable();
        std::iter::from_fn(|| lines.next().filter(|_| lines.peek().is_some()))
            .any(|line| line.trim().is_empty())
    }

    fn line_ends(&self, start: usize, end: usize) -> bool {
        self.text[start..end].contains('\n')
    }

    fn statement(&self, statement: &Statement) -> Part {
        let mut span = statement.head();
        let mut pieces = Vec::new();
        let keyword = self.slice(statement.keyword.span).to_string();
        let title = [&statement.name, &statement.title].into_iter().flatten().next();
        let name = title.map(|title| self.slice(title.span).to_string());
        let sign = statement.binding.as_ref().map(|binding| match binding.sign {
            Sign::Equals => "=",
            Sign::In => "in",
        });
        let mut head = None;
        match (name, sign) {
            (Some(name), Some(sign)) => head = Some(Head { keyword, name, sign }),
            (name, sign) => {
                let words = [Some(keyword.as_str()), name.as_deref(), sign];
                let words: Vec<&str> = words.into_iter().flatten().collect();
                pieces.push(Piece::Text(words.join(" ")));
            }
        }
        if let Some(binding) = &statement.binding {
            pieces.push(Piece::Text(" ".to_string()));
            self.expr(&binding.value, &mut pieces);
            span = span.to(binding.value.span);
        }
        if let Some(block) = &statement.block {
            pieces.push(Piece::Text(" ".to_string()));
            pieces.push(Piece::Group(self.block(block)));
            span = span.to(block.span);
        }
        Part { span, head, pieces }
    }

    fn block(&self, block: &Block) -> Group {
        let mut parts: Vec<Part> = block.fields.iter().map(|field| self.argument(field)).collect();
        for assert in &block.asserts {
            let comparison = match assert.comparison {
                Comparison::Equal => "==",
                Comparison::NotEqual => "!=",
                Comparison::AtMost => "<=",
                Comparison::AtLeast => ">=",
                Comparison::Below => "<",
                Comparison::Above => ">",
            };
            let mut pieces = vec![Piece::Text(format!(
                "assert {} {comparison} ",
                assert.subject.value
            ))];
            self.expr(&assert.value, &mut pieces);
            // The span of the grammar's rule may hold white space after the value.
            let span = Span {
                end: assert.value.span.end,
                ..assert.span
            };
            parts.push(Part {
                span,
                head: None,
                pieces,
            });
        }
        parts.sort_by_key(|part| part.span);
        self.group(Shape::Block, between_brackets(block.span), parts)
    }

    fn argument(&self, argument: &Argument) -> Part {
        self.labelled(argument.key.as_ref().map(|key| key.span), &argument.value)
    }

    fn labelled(&self, label: Option<Span>, value: &Expr) -> Part {
        let mut pieces = Vec::new();
        if let Some(label) = label {
            pieces.push(Piece::Text(format!("{}: ", self.slice(label))));
        }
        self.expr(value, &mut pieces);
        Part {
            span: label.unwrap_or(value.span).to(value.span),
            head: None,
            pieces,
        }
    }

    fn expr(&self, expr: &Expr, pieces: &mut Vec<Piece>) {
        match &expr.kind {
            ExprKind::Integer(_)
            | ExprKind::Number(_)
            | ExprKind::Percent(_)
            | ExprKind::Boolean(_)
            | ExprKind::Text(_)
            | ExprKind::Word(_) => pieces.push(Piece::Text(self.slice(expr.span).to_string())),
            ExprKind::Range(..) => pieces.push(Piece::Text(self.tight(expr.span))),
            ExprKind::List(entries) => {
                let parts = entries
                    .iter()
                    .map(|entry| self.labelled(entry.label.as_ref().map(|label| label.span), &entry.value));
                let group = self.group(Shape::List, between_brackets(expr.span), parts.collect());
                pieces.push(Piece::Group(group));
            }
            ExprKind::Call { name, arguments } => {
                pieces.push(Piece::Text(self.slice(name.span).to_string()));
                let open = self.skip_blanks(name.span.end);
                let brackets = Span {
                    start: open,
                    end: expr.span.end,
                };
                let parts = arguments.iter().map(|argument| self.argument(argument)).collect();
                pieces.push(Piece::Group(self.group(
                    Shape::Call,
                    between_brackets(brackets),
                    parts,
                )));
            }
            ExprKind::Infix { left, word, right } => {
                self.expr(left, pieces);
                pieces.push(Piece::Text(format!(" {} ", word.value)));
                self.expr(right, pieces);
            }
        }
    }

    /// The text of `span` without white space and comments.
    fn tight(&self, span: Span) -> String {
        let mut out = String::new();
        let mut at = span.start;
        for comment in self.comments_in(span) {
            out.push_str(&self.text[at..comment.start]);
            at = comment.end;
        }
        out.push_str(&self.text[at..span.end]);
        out.retain(|c| !c.is_whitespace());
        out
    }

    /// The first place from `at` on that is neither white space nor in a comment.
    fn skip_blanks(&self, at: usize) -> usize {
        let rest = &self.text[at..];
        let first = at + rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
        match self
            .comments
            .binary_search_by_key(&first, |comment| comment.start)
        {
            Ok(found) => self.skip_blanks(self.comments[found].end),
            Err(_) => first,
        }
    }

    /// Gives every comment inside to an item, or to the group itself.
    fn group(&self, shape: Shape, inside: Span, parts: Vec<Part>) -> Group {
        let mut group = Group {
            shape,
            items: Vec::new(),
            open: None,
            end: Vec::new(),
            broken: false,
            inside,
        };
        let mut at = inside.start;
        let mut last_end = inside.start;
        for part in parts {
            let (before, gap_end) = self.gap(&mut group, at, part.span.start);
            let mut item = Item {
                head: part.head,
                pieces: part.pieces,
                before,
                blank: self.blank(gap_end, part.span.start),
                after: None,
                new_row: self.line_ends(last_end, part.span.start),
            };
            self.hoist(part.span, &mut item);
            group.items.push(item);
            (at, last_end) = (part.span.end, part.span.end);
        }
        group.end = self.gap(&mut group, at, inside.end).0;
        let commented = |item: &Item| !item.before.is_empty() || item.after.is_some();
        group.broken = group.open.is_some()
            || !group.end.is_empty()
            || group.items.iter().any(commented)
            || match shape {
                Shape::File => true,
                Shape::Block => !group.items.is_empty() && self.line_ends(inside.start, inside.end),
                Shape::List | Shape::Call => group.items.first().is_some_and(|first| first.new_row),
            };
        group
    }

    /// The comments between two items; one on the line of what precedes it is put there. Also where the last ends.
    fn gap(&self, group: &mut Group, start: usize, end: usize) -> (Vec<Comment>, usize) {
        let mut before = Vec::new();
        let mut at = start;
        for span in self.comments_in(Span { start, end }) {
            let comment = self.comment(*span, self.blank(at, span.start));
            let same_line = !self.line_ends(start, span.start);
            match group.items.last_mut() {
                Some(item) if same_line => item.after = Some(comment.text),
                None if same_line && group.shape != Shape::File => group.open = Some(comment.text),
                _ => before.push(comment),
            }
            at = span.end;
        }
        (before, at)
    }

    /// Comments in the middle of an item, outside its brackets, go before it.
    fn hoist(&self, span: Span, item: &mut Item) {
        let insides: Vec<Span> = item
            .pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Group(group) => Some(group.inside),
                Piece::Text(_) => None,
            })
            .collect();
        for comment in self.comments_in(span) {
            let in_group = |inside: &Span| inside.start <= comment.start && comment.start < inside.end;
            if !insides.iter().any(in_group) {
                let blank = std::mem::take(&mut item.blank);
                item.before.push(self.comment(*comment, blank));
            }
        }
    }
}

fn between_brackets(span: Span) -> Span {
    Span {
        start: span.start + 1,
        end: span.end - 1,
    }
}
