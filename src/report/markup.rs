//! A table as Markdown and at a terminal. The grid is comfy-table's; here is only what goes into it.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table as Grid, TableStyle, presets};

use super::mathematics::{self, Part};
use super::notes::notes;
use super::number::{self, Target};
use super::table::{Label, Row, Table, Verdict};

/// Rules above, below and under the header, as booktabs has them.
pub(crate) const TERMINAL_STYLE: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// The grid as a GitHub-flavoured Markdown table, without caption and notes. The paper's values stand in
/// parentheses behind ours.
pub fn to_markdown(table: &Table) -> String {
    grid(table, Target::Markdown)
        .load_style(presets::ASCII_MARKDOWN)
        .to_string()
}

/// Caption, grid and notes for a terminal. The paper's values stand in parentheses under ours.
pub fn to_terminal(table: &Table) -> String {
    let paper = table
        .paper
        .as_ref()
        .map(|it| format!(" (in parentheses: Table {} of Xie et al., 2023)", it.table));
    let definitions = table.definitions.as_ref().map(|it| format!(". {it}"));
    let caption = [Some(mathematics::plain(&table.caption)), paper, definitions];
    let caption: String = caption.into_iter().flatten().collect();
    let mut text = format!("{caption}\n{}\n", grid(table, Target::Terminal).trim_fmt());
    for note in notes(table, Target::Terminal, str::to_string)
        .iter()
        .chain(&table.conventions)
    {
        text.push_str(&format!("  {note}\n"));
    }
    text
}

/// The notes under the table, in Markdown.
pub(super) fn markdown_notes(table: &Table) -> Vec<String> {
    notes(table, Target::Markdown, escape_markdown)
}

/// The same for a caption or heading, whose formulas between dollars stay as they are.
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

fn grid(table: &Table, target: Target) -> Grid {
    let escape = |text: &str| {
        if target == Target::Markdown {
            prose_markdown(text)
        } else {
            mathematics::plain(text)
        }
    };
    let between = if target == Target::Markdown { " " } else { "\n" };
    let mut grid = Grid::new();
    grid.set_content_arrangement(ContentArrangement::Disabled)
        .load_style(TERMINAL_STYLE);
    let keys = table.keys.iter().map(|key| escape(&key.heading));
    let headings = (0..table.columns.len()).map(|index| escape(&table.heading(index, target)));
    grid.set_header(keys.chain(headings));
    for row in &table.rows {
        let labels = row.labels.iter().map(|label| label_text(label, target));
        let cells = (0..row.cells.len()).map(|index| match cell_texts(table, index, row, target) {
            (ours, Some(paper)) => format!("{ours}{between}({paper})"),
            (ours, None) => ours,
        });
        grid.add_row(labels.chain(cells));
    }
    for (index, column) in grid.column_iter_mut().enumerate() {
        let number = match table.keys.get(index) {
            Some(_) => table
                .rows
                .iter()
                .all(|row| matches!(row.labels[index], Label::Count(_))),
            None => true,
        };
        column.set_cell_alignment(if number {
            CellAlignment::Right
        } else {
            CellAlignment::Left
        });
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
