//! Mathematics that a study writes between dollars in a caption or heading: as it stands in LaTeX and Markdown, spelled in
//! letters, sub- and superscripts elsewhere.

use super::latex;
use super::symbols::Level;

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    Text(&'a str),
    /// What stands between two dollars.
    Formula(&'a str),
}

/// Cuts `text` at its formulas. As in Markdown elsewhere, there is no blank behind the first dollar or before the second,
/// and no digit behind that: `$5 and $6` are prices.
pub fn parts(text: &str) -> Vec<Part<'_>> {
    let (mut parts, mut from, mut at) = (Vec::new(), 0, 0);
    while let Some(open) = text[at..].find('$').map(|found| at + found) {
        let Some(close) = closing(text, open) else {
            at = open + 1;
            continue;
        };
        if from < open {
            parts.push(Part::Text(&text[from..open]));
        }
        parts.push(Part::Formula(&text[open + 1..close]));
        (from, at) = (close + 1, close + 1);
    }
    if from < text.len() {
        parts.push(Part::Text(&text[from..]));
    }
    parts
}

/// Where the dollar stands that closes the one at `open`.
fn closing(text: &str, open: usize) -> Option<usize> {
    let rest = &text[open + 1..];
    if rest.starts_with(|it: char| it.is_whitespace() || it == '$') {
        return None;
    }
    let fits = |(at, _): &(usize, &str)| {
        let before = rest[..*at].chars().next_back();
        let behind = rest[at + 1..].chars().next();
        before.is_some_and(|it| !it.is_whitespace() && it != '\\')
            && behind.is_none_or(|it| !it.is_ascii_digit())
    };
    rest.match_indices('$').find(fits).map(|(at, _)| open + 1 + at)
}

/// The text without dollars, its formulas in plain letters.
pub fn plain(text: &str) -> String {
    let spell = |part: Part| match part {
        Part::Text(text) => text.to_string(),
        Part::Formula(tex) => runs(tex).into_iter().map(written).collect(),
    };
    parts(text).into_iter().map(spell).collect()
}

fn written((letters, level): (String, Level)) -> String {
    match level {
        Level::Line => letters,
        Level::Subscript => format!("_{letters}"),
        Level::Superscript => format!("^{letters}"),
    }
}

/// Runs of letters of a formula, and where they are set. What is not known is written as it is called.
pub fn runs(tex: &str) -> Vec<(String, Level)> {
    let mut reader = Reader { rest: tex };
    let mut runs: Vec<(String, Level)> = Vec::new();
    while let Some(first) = reader.rest.chars().next() {
        let level = match first {
            '_' => Level::Subscript,
            '^' => Level::Superscript,
            _ => Level::Line,
        };
        if level != Level::Line {
            reader.skip(1);
        }
        let letters = reader.item();
        match runs.last_mut() {
            Some((last, Level::Line)) if level == Level::Line => last.push_str(&letters),
            _ => runs.push((letters, level)),
        }
    }
    runs.retain(|(letters, _)| !letters.is_empty());
    runs
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }

    /// The next character, command or group, spelled.
    fn item(&mut self) -> String {
        let Some(first) = self.rest.chars().next() else {
            return String::new();
        };
        match first {
            '{' => {
                let inner = self.group();
                runs(inner).into_iter().map(written).collect()
            }
            '\\' => self.command(),
            '}' | '~' => {
                self.skip(1);
                if first == '~' {
                    " ".to_string()
                } else {
                    String::new()
                }
            }
            '-' => {
                self.skip(1);
                "−".to_string()
            }
            _ => self.skip(first.len_utf8()).to_string(),
        }
    }

    /// What is between the braces that come next; all of the rest where they are not closed.
    fn group(&mut self) -> &'a str {
        let mut depth = 0;
        let end = self.rest.char_indices().find(|(_, it)| {
            match it {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let end = end.map_or(self.rest.len(), |(at, _)| at + 1);
        let group = self.skip(end);
        let inner = group.strip_prefix('{').unwrap_or(group);
        inner.strip_suffix('}').unwrap_or(inner)
    }

    fn command(&mut self) -> String {
        self.skip(1);
        let letters = self.rest.find(|it: char| !it.is_ascii_alphabetic());
        let length = match letters.unwrap_or(self.rest.len()) {
            0 => self.rest.chars().next().map_or(0, char::len_utf8),
            length => length,
        };
        let name = self.skip(length);
        if name.starts_with(|it: char| it.is_ascii_alphabetic()) {
            self.rest = self.rest.trim_start();
        }
        let accent = |accent: char, letters: String| {
            let mut letters = letters.chars();
            let first = letters
                .next()
                .map(|first| format!("{first}{accent}"))
                .unwrap_or_default();
            first + letters.as_str()
        };
        match name {
            "hat" | "widehat" => accent('\u{302}', self.item()),
            "bar" | "overline" => accent('\u{304}', self.item()),
            "tilde" | "widetilde" => accent('\u{303}', self.item()),
            "vec" => accent('\u{20D7}', self.item()),
            "dot" => accent('\u{307}', self.item()),
            "mathrm" | "text" | "mathbf" | "mathit" | "mathcal" | "mathbb" | "operatorname" | "textrm" => {
                self.item()
            }
            "left" | "right" | "displaystyle" | "!" => String::new(),
            "," | ";" | ":" | " " | "quad" | "qquad" => " ".to_string(),
            "sqrt" => format!("√{}", self.item()),
            "frac" | "tfrac" | "dfrac" => {
                let above = self.item();
                format!("{above}/{}", self.item())
            }
            "cdot" => "·".to_string(),
            "ldots" | "dots" | "cdots" => "…".to_string(),
            "leq" => "≤".to_string(),
            "geq" => "≥".to_string(),
            "neq" => "≠".to_string(),
            "varepsilon" => "ε".to_string(),
            "varphi" => "φ".to_string(),
            "ell" => "ℓ".to_string(),
            "sim" => "~".to_string(),
            "|" => "‖".to_string(),
            name => latex::character(name).map_or_else(|| name.to_string(), String::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_stand_between_dollars_and_prices_do_not() {
        use Part::{Formula, Text};
        assert_eq!(
            parts(r"rate $\hat{\beta}_1$ of 5 %"),
            [Text("rate "), Formula(r"\hat{\beta}_1"), Text(" of 5 %")]
        );
        for text in ["$5 and $6", "5 $", "$", "a $$ b", "", r"\$x\$"] {
            let cut = parts(text);
            assert!(cut.iter().all(|part| matches!(part, Text(_))), "{text}: {cut:?}");
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn simple_formulas_are_spelled() {
        for (tex, spelled) in [
            (r"d_{\mathrm{ks}} \le d_c", "d_ks ≤d_c"),
            (r"\hat{\beta} = 1 + 1/\hat s", "β\u{302} = 1 + 1/s\u{302}"),
            (r"10^{-4}", "10^−4"),
            (r"\frac{a}{b}\unknown{c", "a/bunknownc"),
            (r"x_", "x"),
            ("é}", "é"),
        ] {
            assert_eq!(
                plain(&format!("${tex}$")).replace("$", ""),
                spelled.to_string(),
                "{tex}"
            );
        }
        assert_eq!(
            runs("x_{min}"),
            [("x".into(), Level::Line), ("min".into(), Level::Subscript)]
        );
    }
}
