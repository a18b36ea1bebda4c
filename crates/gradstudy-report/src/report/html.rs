//! Text in HTML.

use super::mathematics::{self, Part};
use super::symbols::{self, Level, Piece};

/// Makes any text safe in HTML's text and in attributes between quotation marks.
pub fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Not characters of HTML.
            character if character.is_control() && !character.is_whitespace() => escaped.push('\u{FFFD}'),
            character => escaped.push(character),
        }
    }
    escaped
}

/// Escaped text with the sub- and superscripts of symbols such as `d_ks`, and of what the study writes between dollars.
pub fn prose_html(text: &str) -> String {
    let parts = mathematics::parts(text).into_iter().map(|part| match part {
        Part::Text(text) => sentence(text),
        Part::Formula(tex) => {
            let runs = mathematics::runs(tex).into_iter();
            runs.map(|(letters, level)| run((&letters, level))).collect()
        }
    });
    parts.collect()
}

fn run((letters, level): (&str, Level)) -> String {
    match level {
        Level::Subscript => format!("<sub>{}</sub>", escape_html(letters)),
        Level::Superscript => format!("<sup>{}</sup>", escape_html(letters)),
        Level::Line => escape_html(letters),
    }
}

fn sentence(text: &str) -> String {
    let pieces = symbols::pieces(text).into_iter().map(|piece| match piece {
        Piece::Text(text) => escape_html(text),
        Piece::Symbol(symbol) => symbol.runs().into_iter().map(run).collect(),
    });
    pieces.collect()
}

#[cfg(test)]
mod tests {
    use super::{escape_html, prose_html};

    #[test]
    fn text_is_not_read_as_markup() {
        assert_eq!(
            escape_html("<script>alert(\"a\" & 'b')</script>\u{7}\n"),
            "&lt;script&gt;alert(&quot;a&quot; &amp; &#39;b&#39;)&lt;/script&gt;\u{FFFD}\n"
        );
        assert_eq!(prose_html("d_ks < d_c"), "d<sub>ks</sub> &lt; d<sub>c</sub>");
        assert_eq!(
            prose_html(r"$\hat{\beta}_{1} < 5$ & $5"),
            "β\u{302}<sub>1</sub> &lt; 5 &amp; $5"
        );
        assert_eq!(prose_html("x_min (K/k)^ŝ"), "x<sub>min</sub> (K/k)<sup>ŝ</sup>");
    }
}
