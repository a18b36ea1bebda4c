//! A table on a screen: as it is where it fits, else with its texts folded, turned round, or a block for each row.

use comfy_table::{CellAlignment, ContentArrangement, Table as Grid};

use super::{Screen, broken, columns, words};
use crate::report::markup::TERMINAL_STYLE;

/// Rows of text under a header.
#[derive(Debug, Clone, Default)]
pub struct ScreenGrid {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Columns that are flush right.
    right: Vec<usize>,
    /// Columns of words, which may be folded.
    folding: Vec<usize>,
    /// Those of them that may be folded behind a `/`, too.
    paths: Vec<usize>,
    /// Columns at the left that say which row it is.
    keys: usize,
}

/// Lines that a folded cell may have in a table that can also be turned round.
const FOLDED_LINES: usize = 2;

impl ScreenGrid {
    /// A table with these headings and no rows.
    pub fn new<T: Into<String>>(header: impl IntoIterator<Item = T>) -> Self {
        ScreenGrid {
            header: header.into_iter().map(Into::into).collect(),
            ..ScreenGrid::default()
        }
    }

    pub fn add_row<T: Into<String>>(&mut self, row: impl IntoIterator<Item = T>) {
        self.rows.push(row.into_iter().map(Into::into).collect());
    }

    /// Sets columns flush right.
    pub fn align_right(mut self, columns: impl IntoIterator<Item = usize>) -> Self {
        self.right.extend(columns);
        self
    }

    /// Lets the words of these columns go on in a next line.
    pub fn fold(mut self, columns: impl IntoIterator<Item = usize>) -> Self {
        self.folding.extend(columns);
        self
    }

    /// Lets the names of these columns go on in a next line behind a `/`.
    pub fn fold_paths(mut self, columns: impl IntoIterator<Item = usize> + Clone) -> Self {
        self.paths.extend(columns.clone());
        self.folding.extend(columns);
        self
    }

    /// Says that the first `count` columns tell the rows apart: the table may be turned round, with the others as its rows.
    pub fn turning(mut self, count: usize) -> Self {
        self.keys = count;
        self
    }

    /// The table in the first form that `screen` is wide enough for. Ends without a new line.
    pub fn show(&self, screen: &Screen) -> String {
        let lines = match self.keys {
            0 => usize::MAX,
            _ => FOLDED_LINES,
        };
        let plain = self.plain();
        let fitting = match screen.fits(&plain) {
            true => plain,
            false => self
                .folded(screen, lines)
                .or_else(|| self.turned(screen))
                .or_else(|| self.folded(screen, usize::MAX))
                .unwrap_or_else(|| self.blocks(screen)),
        };
        screen.painted(fitting)
    }

    fn plain(&self) -> String {
        let mut grid = Grid::new();
        grid.set_content_arrangement(ContentArrangement::Disabled)
            .load_style(TERMINAL_STYLE);
        if !self.header.is_empty() {
            grid.set_header(&self.header);
        }
        self.rows.iter().for_each(|row| {
            grid.add_row(row);
        });
        for index in &self.right {
            if let Some(column) = grid.column_mut(*index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        grid.trim_fmt()
    }

    /// Every cell of a column, its heading first.
    fn column(&self, index: usize) -> impl Iterator<Item = &String> {
        let cells = self.rows.iter().filter_map(move |row| row.get(index));
        self.header.get(index).into_iter().chain(cells)
    }

    /// With headings and columns of words folded, no cell into more than `most` lines.
    fn folded(&self, screen: &Screen, most: usize) -> Option<String> {
        let width = screen.width?;
        let count = self.header.len();
        let budget = width.checked_sub((3 * count).saturating_sub(1))?;
        let natural: Vec<usize> = (0..count).map(|i| widest(self.column(i), longest_line)).collect();
        let least = |index: usize| match self.folding.contains(&index) {
            true if self.paths.contains(&index) => widest(self.column(index), longest_part),
            true => widest(self.column(index), longest_word),
            false => {
                let heading = self.header.get(index).map_or(0, |text| longest_word(text));
                widest(self.column(index).skip(1), longest_line).max(heading)
            }
        };
        let least: Vec<usize> = (0..count).map(least).collect();
        let mut widths = natural;
        while widths.iter().sum::<usize>() > budget {
            let shrinks = (0..count).filter(|i| widths[*i] > least[*i]);
            let widest = shrinks.max_by_key(|i| widths[*i])?;
            widths[widest] -= 1;
        }
        let fold = |index: usize, text: &String| -> String {
            let lines = text.lines().flat_map(|line| match columns(line) > widths[index] {
                true if self.paths.contains(&index) => parts(line).map(str::to_string).collect(),
                true => broken(line, widths[index], widths[index]),
                false => vec![line.to_string()],
            });
            lines.collect::<Vec<_>>().join("\n")
        };
        let fold_all = |row: &Vec<String>| row.iter().enumerate().map(|(i, text)| fold(i, text)).collect();
        let folded = ScreenGrid {
            header: fold_all(&self.header),
            rows: self.rows.iter().map(fold_all).collect(),
            ..self.clone()
        };
        let higher = |(row, folded): (&Vec<String>, &Vec<String>)| {
            row.iter()
                .zip(folded)
                .any(|(text, folded)| folded.lines().count() > text.lines().count().max(1) * most.min(1000))
        };
        if self.rows.iter().zip(&folded.rows).any(higher) {
            return None;
        }
        Some(folded.plain()).filter(|text| screen.fits(text))
    }

    /// With columns as rows: those that tell the rows apart become the header.
    fn turned(&self, screen: &Screen) -> Option<String> {
        if self.keys == 0 || self.rows.is_empty() {
            return None;
        }
        let keys = self.keys.min(self.header.len());
        let head = |row: &[String]| row.get(..keys).unwrap_or_default().join("\n");
        let header = std::iter::once(&self.header).chain(&self.rows);
        let mut turned = ScreenGrid::new(header.map(|row| head(row)));
        for index in keys..self.header.len() {
            turned.add_row(self.column(index).cloned());
        }
        let turned = turned.align_right(1..=self.rows.len());
        Some(turned.plain()).filter(|text| screen.fits(text))
    }

    /// A block of `heading  value` lines for each row, between rules.
    fn blocks(&self, screen: &Screen) -> String {
        let heading = self.header.iter().map(|text| longest_line(text)).max();
        let heading = heading.unwrap_or(0);
        let rule = "─".repeat(screen.width.unwrap_or(80));
        let mut text = format!("{rule}\n");
        for (number, row) in self.rows.iter().enumerate() {
            if number > 0 {
                text.push('\n');
            }
            for (name, value) in self.header.iter().zip(row) {
                let pad = " ".repeat(heading - longest_line(name));
                let value = value.replace('\n', " ");
                text += &screen.wrap(&format!(" {name}:{pad} "), &value);
            }
        }
        text + &rule
    }
}

fn longest_line(text: &str) -> usize {
    text.lines().map(columns).max().unwrap_or(0)
}

fn longest_word(text: &str) -> usize {
    let words = text.lines().flat_map(words);
    words.map(|word| columns(&word)).max().unwrap_or(0)
}

/// `a/`, `b` of `a/b`.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split_inclusive('/')
}

fn longest_part(text: &str) -> usize {
    text.lines().flat_map(parts).map(columns).max().unwrap_or(0)
}

fn widest<'a>(cells: impl Iterator<Item = &'a String>, measure: fn(&str) -> usize) -> usize {
    cells.map(|text| measure(text)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::table::Verdict;

    #[test]
    fn colour_does_not_move_columns() {
        let colour = Screen {
            width: None,
            colour: true,
        };
        let mut grid = ScreenGrid::new(["a", "b"]).align_right([0, 1]);
        let plain = {
            grid.add_row(["0.5", "yes"]);
            grid.show(&Screen::default())
        };
        let mut painted = ScreenGrid::new(["a", "b"]).align_right([0, 1]);
        painted.add_row([
            colour.judged("0.5", Some(Verdict::Rejected)),
            colour.judged("yes", Some(Verdict::NotRejected)),
        ]);
        let painted = painted.show(&colour);
        assert!(painted.contains("\u{1b}[31m0.5\u{1b}[39m"), "{painted}");
        let bare = ["\u{1b}[31m", "\u{1b}[34m", "\u{1b}[39m"]
            .iter()
            .fold(painted, |text, code| text.replace(code, ""));
        assert_eq!(bare, plain);
    }
}
