//! The canonical text of a study: what `gradstudy fmt` writes.
//!
//! Blocks that stood on one line and fit stay there, other blocks have their fields on lines of their own, fields
//! that shared a line still do. A list or call takes one line if it fits and its first value stood on the line of
//! its bracket. Names and `=` of statements on neighbouring lines are aligned, and so are the columns of fields and
//! the comments at their ends. A comment in the middle of an item goes before it.

use super::layout::{Group, Item, Piece, Shape, layout};
use super::{Diagnostics, Source, Sources, parse};

/// Columns of a line, comments at its end not counted.
const WIDTH: usize = 100;
const INDENT: usize = 2;

/// The study in its canonical layout; formatting that again changes nothing. The tree stays the same but for its
/// places, numbers keep their spelling, line ends are those of the first line.
///
/// # Errors
/// The mistakes of a text that does not parse.
pub fn format(source: &Source) -> Result<String, Diagnostics> {
    let parsed = parse(source);
    if !parsed.diagnostics.is_empty() {
        return Err(Diagnostics::new(&Sources::of(source), parsed.diagnostics));
    }
    let mut printer = Printer { lines: Vec::new() };
    printer.body(&layout(&source.text, &parsed.statements), 0);
    let text = printer.finish();
    let dos = source
        .text
        .find('\n')
        .is_some_and(|end| source.text[..end].ends_with('\r'));
    Ok(if dos { text.replace('\n', "\r\n") } else { text })
}

#[derive(Default)]
struct Line {
    indent: usize,
    text: String,
    comment: Option<String>,
}

impl Line {
    fn width(&self) -> usize {
        self.indent + width(&self.text)
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Items that share a line.
struct Row<'a> {
    items: Vec<&'a Item>,
    /// What is printed, in columns; `None` if its only item takes several lines.
    cells: Option<Vec<String>>,
}

struct Printer {
    lines: Vec<Line>,
}

impl Printer {
    fn start(&mut self, indent: usize, text: impl Into<String>) {
        let (text, comment) = (text.into(), None);
        self.lines.push(Line {
            indent,
            text,
            comment,
        });
    }

    /// The line being written.
    fn line(&mut self) -> &mut Line {
        if self.lines.is_empty() {
            self.start(0, "");
        }
        let last = self.lines.len() - 1;
        &mut self.lines[last]
    }

    /// What is inside a group, each row on lines of its own.
    fn body(&mut self, group: &Group, indent: usize) {
        let mut rows = rows(group, indent);
        align(&mut rows, group.shape, indent);
        let begin = self.lines.len();
        for row in &rows {
            let first = row.items[0];
            for comment in &first.before {
                self.blank_line(comment.blank, begin);
                self.start(indent, &comment.text);
            }
            self.blank_line(first.blank, begin);
            self.start(indent, "");
            match &row.cells {
                Some(cells) => self.line().text = cells.concat(),
                None => self.item(first, group.shape),
            }
            let last = row.items[row.items.len() - 1];
            self.line().comment = last.after.clone();
        }
        for comment in &group.end {
            self.blank_line(comment.blank, begin);
            self.start(indent, &comment.text);
        }
    }

    /// An empty line if `wanted`, but not as the first of a group.
    fn blank_line(&mut self, wanted: bool, begin: usize) {
        if wanted && self.lines.len() > begin {
            self.lines.push(Line::default());
        }
    }

    /// An item too long for a line: its last groups are broken first.
    fn item(&mut self, item: &Item, shape: Shape) {
        let head = head(item);
        self.line().text.push_str(&head);
        for (i, piece) in item.pieces.iter().enumerate() {
            match piece {
                Piece::Text(text) => self.line().text.push_str(text),
                Piece::Group(group) => {
                    let rest = must_follow(&item.pieces[i + 1..], shape);
                    let room = WIDTH.saturating_sub(self.line().width() + rest);
                    match flat_group(group) {
                        Some(flat) if width(&flat) <= room || group.is_empty() => {
                            self.line().text.push_str(&flat);
                        }
                        _ => self.group(group),
                    }
                }
            }
        }
        self.line().text.push_str(separator(shape));
    }

    fn group(&mut self, group: &Group) {
        if let Some(item) = sole_list(group) {
            self.line().text.push('(');
            for piece in &item.pieces {
                match piece {
                    Piece::Text(text) => self.line().text.push_str(text),
                    Piece::Group(list) => self.group(list),
                }
            }
            self.line().text.push(')');
            return;
        }
        let (open, close) = brackets(group.shape);
        let line = self.line();
        let indent = line.indent;
        line.text.push_str(open);
        line.comment = group.open.clone();
        self.body(group, indent + INDENT);
        self.start(indent, close);
    }

    /// The text, comments at the ends of neighbouring lines aligned.
    fn finish(self) -> String {
        let mut out = String::new();
        let with_comment =
            |a: &Line, b: &Line| a.comment.is_some() && b.comment.is_some() && a.indent == b.indent;
        for lines in self.lines.chunk_by(with_comment) {
            let column = lines.iter().map(Line::width).max().unwrap_or(0) + 2;
            for line in lines {
                let indent = if line.text.is_empty() { 0 } else { line.indent };
                out.push_str(&" ".repeat(indent));
                out.push_str(&line.text);
                if let Some(comment) = &line.comment {
                    out.push_str(&" ".repeat(column - line.width()));
                    out.push_str(comment);
                }
                out.push('\n');
            }
        }
        out
    }
}

/// The only argument of a call, if it is a list without comments around it: `network([`, each layer on its line, `])`.
fn sole_list(group: &Group) -> Option<&Item> {
    let [item] = group.items.as_slice() else {
        return None;
    };
    let bare = group.open.is_none() && group.end.is_empty() && item.before.is_empty() && item.after.is_none();
    let is_list = |piece: &Piece| matches!(piece, Piece::Group(list) if list.shape == Shape::List && !list.items.is_empty());
    let lists = item.pieces.iter().filter(|piece| is_list(piece)).count();
    let groups = item
        .pieces
        .iter()
        .filter(|piece| matches!(piece, Piece::Group(_)))
        .count();
    let last = item.pieces.last().is_some_and(is_list);
    (group.shape == Shape::Call && bare && last && lists == 1 && groups == 1).then_some(item)
}

/// What stands behind each item.
fn separator(shape: Shape) -> &'static str {
    match shape {
        Shape::File | Shape::Block => "",
        Shape::List | Shape::Call => ",",
    }
}

/// Columns between items on one line, behind the separator.
fn gap(shape: Shape) -> usize {
    match shape {
        Shape::Block => 2,
        Shape::File | Shape::List | Shape::Call => 1,
    }
}

fn brackets(shape: Shape) -> (&'static str, &'static str) {
    match shape {
        Shape::File => ("", ""),
        Shape::Block => ("{", "}"),
        Shape::List => ("[", "]"),
        Shape::Call => ("(", ")"),
    }
}

/// Columns that the rest of an item needs on the line that a group of it ends on: up to the next bracket.
fn must_follow(pieces: &[Piece], shape: Shape) -> usize {
    let mut columns = 0;
    for piece in pieces {
        match piece {
            Piece::Text(text) => columns += width(text),
            Piece::Group(group) if group.is_empty() => columns += 2,
            Piece::Group(_) => return columns + 1,
        }
    }
    columns + separator(shape).len()
}

fn head(item: &Item) -> String {
    match &item.head {
        Some(head) => format!("{} {} {}", head.keyword, head.name, head.sign),
        None => String::new(),
    }
}

/// The pieces on one line, unless one of them takes several.
fn flat(pieces: &[Piece]) -> Option<String> {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Group(group) => out.push_str(&flat_group(group)?),
        }
    }
    Some(out)
}

fn flat_group(group: &Group) -> Option<String> {
    if group.broken {
        return None;
    }
    let items: Option<Vec<String>> = group.items.iter().map(|item| flat(&item.pieces)).collect();
    let between = format!("{}{}", separator(group.shape), " ".repeat(gap(group.shape)));
    let inside = items?.join(&between);
    let (open, close) = brackets(group.shape);
    Some(match group.shape {
        Shape::Block if !inside.is_empty() => format!("{open} {inside} {close}"),
        _ => format!("{open}{inside}{close}"),
    })
}

/// Which items share lines: those that did, as far as they fit.
fn rows(group: &Group, indent: usize) -> Vec<Row<'_>> {
    let mut rows: Vec<Row> = Vec::new();
    let mut used = 0;
    for item in &group.items {
        let text = flat(&item.pieces).map(|text| format!("{text}{}", separator(group.shape)));
        let columns = text.as_ref().map(|text| width(&head(item)) + width(text));
        let columns = columns.filter(|columns| indent + columns <= WIDTH);
        let cells = columns.and(text).map(|text| match &item.head {
            Some(head) => vec![
                head.keyword.clone(),
                head.name.clone(),
                format!("{}{text}", head.sign),
            ],
            None => vec![text],
        });
        let alone = group.shape == Shape::File || item.new_row || item.blank || !item.before.is_empty();
        if let (false, Some(row), Some(columns)) = (alone, rows.last_mut(), columns)
            && let (Some(shared), Some(cells)) = (&mut row.cells, &cells)
            && row.items[row.items.len() - 1].after.is_none()
            && used + gap(group.shape) + columns <= WIDTH
        {
            shared.extend(cells.iter().cloned());
            row.items.push(item);
            used += gap(group.shape) + columns;
            continue;
        }
        used = indent + columns.unwrap_or(0);
        let items = vec![item];
        rows.push(Row { items, cells });
    }
    rows
}

/// Pads cells with what separates them: the columns of neighbouring rows to one width, if they then fit.
fn align(rows: &mut [Row], shape: Shape, indent: usize) {
    let sign = |row: &Row| row.items[0].head.as_ref().map(|head| head.sign);
    let neighbours = |a: &Row, b: &Row| {
        let columns = |row: &Row| row.cells.as_ref().is_some_and(|cells| cells.len() > 1);
        let apart = b.items[0].blank || !b.items[0].before.is_empty();
        matches!(shape, Shape::File | Shape::Block)
            && columns(a)
            && columns(b)
            && sign(a) == sign(b)
            && !apart
    };
    for run in rows.chunk_by_mut(neighbours) {
        let mut widths: Vec<usize> = Vec::new();
        for cells in run.iter().filter_map(|row| row.cells.as_ref()) {
            for (i, cell) in cells.iter().enumerate().take(cells.len() - 1) {
                widths.resize(widths.len().max(i + 1), 0);
                widths[i] = widths[i].max(width(cell));
            }
        }
        let columns = |cells: &Vec<String>| {
            let padded: usize = widths
                .iter()
                .take(cells.len() - 1)
                .map(|width| width + gap(shape))
                .sum();
            indent + padded + cells.last().map_or(0, |cell| width(cell))
        };
        let fits = run
            .iter()
            .filter_map(|row| row.cells.as_ref())
            .all(|cells| columns(cells) <= WIDTH);
        for cells in run.iter_mut().filter_map(|row| row.cells.as_mut()) {
            let last = cells.len() - 1;
            for (cell, column) in cells[..last].iter_mut().zip(&widths) {
                let pad = if fits { column - width(cell) } else { 0 };
                cell.push_str(&" ".repeat(pad + gap(shape)));
            }
        }
    }
}
