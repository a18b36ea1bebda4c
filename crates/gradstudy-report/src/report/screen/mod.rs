//! Text for a screen: how wide it is, whether it has colours, and lines that end between words.

mod grid;

pub use grid::ScreenGrid;

use unicode_width::UnicodeWidthStr;

use super::table::Verdict;

/// What text is printed on. The default, as wide as it takes and without colour, is a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Screen {
    /// Columns; `None` where lines may have any length.
    pub width: Option<usize>,
    pub colour: bool,
}

/// Stand for the beginning and the end of colour until a line is laid out: they take no place and occur in no text.
const RED: char = '\u{2062}';
const BLUE: char = '\u{2063}';
const PLAIN: char = '\u{2064}';

impl Screen {
    /// `prefix` and `text`, broken between words; further lines begin below the text. A word that is longer than the line is
    /// not broken: a path or a hash can be copied as one.
    pub fn wrap(&self, prefix: &str, text: &str) -> String {
        let whole = format!("{prefix}{text}");
        let Some(width) = self.width.filter(|width| columns(&whole) > *width) else {
            return whole + "\n";
        };
        let indent = columns(prefix).min(width / 2);
        // Behind a long prefix the first line has less room than the others.
        let lines = broken(text, width.saturating_sub(columns(prefix)), width - indent);
        let mut wrapped = String::new();
        for (number, line) in lines.iter().enumerate() {
            match number {
                0 => wrapped.push_str(prefix),
                _ => wrapped.extend(std::iter::repeat_n(' ', indent)),
            }
            wrapped.push_str(line);
            wrapped.push('\n');
        }
        wrapped
    }

    /// Each line of `text` broken between words, whose further lines begin two columns behind its own indent.
    pub fn wrap_lines(&self, text: &str) -> String {
        let line = |line: &str| {
            let words = line.trim_start_matches(' ');
            let indent = " ".repeat(line.len() - words.len());
            match self.width {
                Some(width) if columns(line) > width => {
                    let width = width.saturating_sub(indent.len() + 2).max(1);
                    let lines = broken(words, width, width);
                    let lines: Vec<String> = lines
                        .iter()
                        .enumerate()
                        .map(|(number, line)| match number {
                            0 => format!("{indent}{line}\n"),
                            _ => format!("{indent}  {line}\n"),
                        })
                        .collect();
                    lines.concat()
                }
                _ => format!("{line}\n"),
            }
        };
        self.painted(text.lines().map(line).collect())
    }

    /// `text` in the colour of a verdict, once [`Screen::painted`] has gone over it.
    pub fn judged(&self, text: &str, verdict: Option<Verdict>) -> String {
        let colour = match verdict {
            Some(Verdict::Rejected) => RED,
            Some(Verdict::NotRejected) => BLUE,
            None => return text.to_string(),
        };
        match self.colour {
            true => format!("{colour}{text}{PLAIN}"),
            false => text.to_string(),
        }
    }

    /// Puts the terminal's colours in place of the marks of [`Screen::judged`].
    fn painted(&self, text: String) -> String {
        match self.colour {
            true => text
                .replace(RED, "\u{1b}[31m")
                .replace(BLUE, "\u{1b}[34m")
                .replace(PLAIN, "\u{1b}[39m"),
            false => text,
        }
    }

    /// Whether every line of `text` fits.
    fn fits(&self, text: &str) -> bool {
        self.width
            .is_none_or(|width| text.lines().all(|line| columns(line) <= width))
    }
}

/// Columns that one line of text takes.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// Words of `text`: what stands between ordinary spaces (the narrow ones within numbers break nothing). A unit and what
/// stands around ± belong to their number.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let joins = word.starts_with(['±', '%']) || words.last().is_some_and(|last| last.ends_with('±'));
        match words.last_mut().filter(|_| joins) {
            Some(last) => {
                last.push(' ');
                last.push_str(word);
            }
            None => words.push(word.to_string()),
        }
    }
    words
}

/// Lines of at most `width` columns, the first of at most `first`, or of a single word.
fn broken(text: &str, first: usize, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words(text) {
        let width = if lines.len() < 2 { first } else { width };
        match lines.last_mut() {
            Some(line) if columns(line) + 1 + columns(&word) <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(width: usize) -> Screen {
        Screen {
            width: Some(width),
            colour: false,
        }
    }

    #[test]
    fn lines_end_between_words_and_keep_their_indent() {
        let text = "Degenerate samples: 4919 of 44\u{202f}426 in all.";
        assert_eq!(Screen::default().wrap("  ", text), format!("  {text}\n"));
        assert_eq!(
            screen(24).wrap("  ", text),
            "  Degenerate samples:\n  4919 of 44\u{202f}426 in all.\n"
        );
        assert_eq!(
            screen(12).wrap("a   ", "one two three"),
            "a   one two\n    three\n"
        );
        assert_eq!(
            screen(10).wrap_lines("  one two three\nshort"),
            "  one\n    two\n    three\nshort\n"
        );
        let hash = "0123456789abcdef";
        assert_eq!(
            screen(8).wrap("", hash),
            format!("{hash}\n"),
            "a hash is not broken"
        );
        assert_eq!(screen(7).wrap("", "a 1.0 ± 0.1 b"), "a\n1.0 ± 0.1\nb\n");
        assert_eq!(screen(8).wrap("", "rate 98.2 %"), "rate\n98.2 %\n");
    }

    #[test]
    fn colour_takes_no_place() {
        let colour = Screen {
            colour: true,
            ..Screen::default()
        };
        let marked = colour.judged("yes", Some(Verdict::Rejected));
        assert_eq!(columns(&marked), 3);
        assert_eq!(colour.painted(marked), "\u{1b}[31myes\u{1b}[39m");
        assert_eq!(Screen::default().judged("yes", Some(Verdict::Rejected)), "yes");
    }
}
