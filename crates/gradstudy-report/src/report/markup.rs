//! A table as Markdown and at a terminal. The grid is comfy-table's; here is only what goes into it.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table as Grid, TableStyle, presets};

use super::mathematics::{self, Part};
use super::notes::notes;
use super::number::{self, Target};
use super::screen::{Screen, ScreenGrid};
use super::table::{Label, Row, Table, Verdict};

/// Rules above, below and under the header, as booktabs has them.
pub const TERMINAL_STYLE: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// The grid as a GitHub-flavoured Markdown table, without caption and notes. The paper's values stand in
/// parentheses behind ours.
pub fn to_markdown(table: &Table) -> String {
    markdown_grid(table).to_string()
}

/// Caption, grid and notes as a file holds them: lines of any length, no colour. The paper's values stand in parentheses
/// under ours.
pub fn to_terminal(table: &Table) -> String {
    to_screen(table, &Screen::default())
}

/// Caption, grid and notes for a screen: a table that is too wide for it is folded, turned round or printed row by row, and the rest is broken
/// between words.
pub fn to_screen(table: &Table, screen: &Screen) -> String {
    let paper = table
        .paper
        .as_ref()
        .map(|it| format!(" (in parentheses: Table {} of Xie et al., 2023)", it.table));
    let definitions = table.definitions.as_ref().map(|it| format!(". {it}"));
    let caption = [Some(mathematics::plain(&table.caption)), paper, definitions];
    let caption: String = caption.into_iter().flatten().collect();
    let grid = screen_grid(table, screen).show(screen);
    let mut text = format!("{}{grid}\n", screen.wrap("", &caption));
    for note in notes(table, Target::Terminal, str::to_string)
        .iter()
        .chain(&table.conventions)
    {
        text.push_str(&screen.wrap("  ", note));
    }
    text
}

fn screen_grid(table: &Table, screen: &Screen) -> ScreenGrid {
    let target = Target::Terminal;
    let keys = table.keys.iter().map(|key| mathematics::plain(&key.heading));
    let headings = (0..table.columns.len()).map(|index| mathematics::plain(&table.heading(index, target)));
    let mut grid = ScreenGrid::new(keys.chain(headings))
        .align_right(right_columns(table))
        .fold(0..table.keys.len())
        .turning(table.keys.len());
    for row in &table.rows {
        let labels = row.labels.iter().map(|label| label_text(label, target));
        let cells = (0..row.cells.len()).map(|index| {
            let (ours, paper) = cell_texts(table, index, row, target);
            let ours = screen.judged(&ours, row.cells[index].verdict);
            match paper {
                Some(paper) => format!("{ours}\n({paper})"),
                None => ours,
            }
        });
        grid.add_row(labels.chain(cells));
    }
    grid
}

/// Columns of numbers: all statistics, and keys that count.
fn right_columns(table: &Table) -> Vec<usize> {
    let counts = |index: &usize| {
        *index >= table.keys.len()
            || table
                .rows
                .iter()
                .all(|row| matches!(row.labels[*index], Label::Count(_)))
    };
    (0..table.keys.len() + table.columns.len())
        .filter(counts)
        .collect()
}

/// The notes under the table, in Markdown.
pub(super) fn markdown_notes(table: &Table) -> Vec<String> {
    notes(table, Target::Markdown, escape_markdown)
}

/// A caption or heading in Markdown, whose formulas between dollars stay as they are.
pub fn prose_markdown(text: &str) -> String {
    let parts = mathematics::parts(text).into_iter().map(|part| match part {
        Part::Text(text) => escape_markdown(text),
        Part::Formula(tex) => format!("${tex}$"),
    });
    parts.collect()
}

/// Keeps text from being read as Markdown. Underscores within a word are left: they mean nothing there.
pub fn escape_markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let characters: Vec<char> = text.chars().collect();
    for (index, character) in characters.iter().enumerate() {
        let within_word = |step: isize| {
            let neighbour = index
                .checked_add_signed(step)
                .and_then(|index| characters.get(index));
            // A combining accent belongs to the letter before it.
            neighbour.is_some_and(|it| it.is_alphanumeric() || ('\u{300}'..='\u{36F}').contains(it))
        };
        match character {
            '_' if within_word(-1) && within_word(1) => escaped.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '#' | '$' => {
                escaped.extend(['\\', *character]);
            }
            '\n' | '\r' | '\t' => escaped.push(' '),
            character => escaped.push(*character),
        }
    }
    escaped
}

/// The text of a row's cell in UTF-8, and the paper's value where the table has a paper side.
pub(super) fn cell_texts(table: &Table, index: usize, row: &Row, target: Target) -> (String, Option<String>) {
    let (column, cell) = (table.columns[index], &row.cells[index]);
    let ours = match cell.value.spread(table.spread) {
        Some((mean, spread)) => number::quantity(mean, spread, cell.format(column), target),
        None => row.says_why(index).unwrap_or(number::dash(target)).to_string(),
    };
    let ours = match (cell.verdict, target) {
        (Some(Verdict::Rejected), Target::Markdown) => format!("**{ours}**"),
        _ => ours,
    };
    let paper = table.beside_paper(index).then(|| match cell.paper {
        Some(value) => number::published(value, column.format, target),
        None => number::dash(target).to_string(),
    });
    (ours, paper)
}

pub(super) fn label_text(label: &Label, target: Target) -> String {
    match (label, target) {
        (Label::Count(value), _) => number::count(*value, target),
        (Label::Text(text), Target::Markdown) => escape_markdown(text),
        (Label::Text(text), _) => text.clone(),
    }
}

fn markdown_grid(table: &Table) -> Grid {
    let target = Target::Markdown;
    let mut grid = Grid::new();
    grid.set_content_arrangement(ContentArrangement::Disabled)
        .load_style(presets::ASCII_MARKDOWN);
    let keys = table.keys.iter().map(|key| prose_markdown(&key.heading));
    let headings = (0..table.columns.len()).map(|index| prose_markdown(&table.heading(index, target)));
    grid.set_header(keys.chain(headings));
    for row in &table.rows {
        let labels = row.labels.iter().map(|label| label_text(label, target));
        let cells = (0..row.cells.len()).map(|index| match cell_texts(table, index, row, target) {
            (ours, Some(paper)) => format!("{ours} ({paper})"),
            (ours, None) => ours,
        });
        grid.add_row(labels.chain(cells));
    }
    for index in right_columns(table) {
        if let Some(column) = grid.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::escape_markdown;

    #[test]
    fn text_is_not_read_as_markdown() {
        assert_eq!(
            escape_markdown("a|b *c* [d](e) <f>"),
            r"a\|b \*c\* \[d\](e) \<f\>"
        );
        assert_eq!(
            escape_markdown("weight_decay _x_ 40 %\n5e-4"),
            r"weight_decay \_x\_ 40 % 5e-4"
        );
        assert_eq!(escape_markdown("d̄_ks"), "d̄_ks");
    }
}
