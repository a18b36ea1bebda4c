//! A table in LaTeX: escaping, column types and cells for booktabs and siunitx.
//!
//! What goes wrong with such tables elsewhere: text in an `S` column, unbalanced braces, a cell that begins with
//! `[` after `\\`, a character that pdfTeX does not know. So `S` columns are used only where every cell is a plain
//! number or braced, `\num` elsewhere, and all text is escaped to characters that LaTeX knows without packages.

use super::cjk;
use super::columns::ColumnKind;
use super::markup::cell_texts;
use super::mathematics::{self, Part};
use super::number::{self, Parts, Target};
use super::symbols::{self, Piece};
use super::table::{Cell, Label, Table, Verdict};

pub(crate) use super::cjk::preamble as cjk_preamble;

/// Makes any text safe in running LaTeX text, in a caption and in a table cell.
///
/// What has no spelling in plain LaTeX becomes its code point, such as `U+2603`, so that nothing is lost without
/// a trace and the document still compiles; Chinese, Japanese and Korean are written so that a document with fonts for
/// them shows them.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut previous = ' ';
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let of_run = |it: char| cjk::is_cjk(it) && !it.is_whitespace();
        let run = rest.find(|it| !of_run(it)).unwrap_or(rest.len());
        if run > 0 {
            escaped.push_str(&cjk::run(&rest[..run]));
            rest = &rest[run..];
            previous = character;
            continue;
        }
        rest = &rest[character.len_utf8()..];
        match character {
            // A blank line would end the paragraph, which a caption does not survive.
            character if character.is_whitespace() && !matches!(character, '\u{A0}' | '\u{202F}') => {
                if !previous.is_whitespace() {
                    escaped.push(' ');
                }
            }
            '-' if previous == '-' => escaped.push_str("{}-"),
            character => escape_character(character, &mut escaped),
        }
        previous = character;
    }
    escaped
}

/// Escaped text with symbols such as `d_ks` as mathematics, and with what the study writes as such between dollars.
pub fn prose(text: &str) -> String {
    let parts = mathematics::parts(text).into_iter().map(|part| match part {
        Part::Text(text) => sentence(text),
        // A blank line or a comment would break the document.
        Part::Formula(tex) => format!("${}$", tex.split_whitespace().collect::<Vec<_>>().join(" ")),
    });
    parts.collect()
}

fn sentence(text: &str) -> String {
    let pieces = symbols::pieces(text).into_iter().map(|piece| match piece {
        Piece::Text(text) => spaced(text, escape),
        Piece::Symbol(symbol) => format!("${}$", symbol.tex),
    });
    pieces.collect()
}

/// `escape` for a part of a text: its blanks at the ends stay.
fn spaced(text: &str, escape: fn(&str) -> String) -> String {
    let begin = if text.starts_with(' ') { " " } else { "" };
    format!("{begin}{}", escape(text).trim_start_matches(' '))
}

/// Text as it was typed, line by line and in a monospaced font; long lines break between words. Straight quotation
/// marks want another font encoding than OT1.
pub fn typed(text: &str) -> String {
    let word = |word: &str| -> String {
        let pieces: Vec<String> = word.split('"').map(escape).collect();
        pieces.join(r"\textquotedbl{}")
    };
    let mut lines = String::new();
    for line in text.lines() {
        let words: Vec<String> = line.split(' ').map(word).collect();
        lines.push_str(&format!("\\texttt{{\\mbox{{}}{}}}\\par\n", words.join("\\ ")));
    }
    lines
}

fn escape_character(character: char, escaped: &mut String) {
    match character {
        '\\' => escaped.push_str(r"\textbackslash{}"),
        '{' | '}' | '$' | '&' | '#' | '_' | '%' => escaped.extend(['\\', character]),
        '~' => escaped.push_str(r"\textasciitilde{}"),
        '^' => escaped.push_str(r"\textasciicircum{}"),
        '<' => escaped.push_str(r"\textless{}"),
        '>' => escaped.push_str(r"\textgreater{}"),
        '|' => escaped.push_str(r"\textbar{}"),
        '`' => escaped.push_str(r"\textasciigrave{}"),
        // These mean something directly after `\\`.
        '[' | ']' | '*' => escaped.extend(['{', character, '}']),
        '"' => escaped.push_str("''"),
        ' '..='~' => escaped.push(character),
        '\u{A0}' => escaped.push('~'),
        '\u{202F}' | '\u{2009}' => escaped.push_str(r"\,"),
        character => match command(character) {
            Some(command) => escaped.push_str(&format!(r"\ensuremath{{{command}}}")),
            None if known_to_latex(character) => escaped.push(character),
            None => escaped.push_str(&format!(r"\texttt{{{}}}", cjk::code(character))),
        },
    }
}

/// Letters and signs that LaTeX has in every font encoding when its input is UTF-8 (its default since 2018).
/// Tried one by one with pdfTeX and the OT1 encoding.
fn known_to_latex(character: char) -> bool {
    const LACKING: &str = "«»ÐÞðþĄąĐđĘęĦħĮįĸĿŀŉŊŋŦŧŲųſ\u{AD}";
    let latin = matches!(character, '\u{A1}'..='\u{17F}') && !LACKING.contains(character);
    latin || "–—‘’“”…•†‡€™‰".contains(character)
}

/// What has a command in mathematics.
const CHARACTERS: &str = "αβγδεηθκλμνξπρστφχψωΓΔΘΛΣΦΩ∇∂∞√±×≤≥≠≈∈→←";

/// The character that `\name` sets in mathematics.
pub(super) fn character(name: &str) -> Option<char> {
    let is_it = |it: &char| command(*it).and_then(|command| command.strip_prefix('\\')) == Some(name);
    CHARACTERS.chars().find(is_it)
}

fn command(character: char) -> Option<&'static str> {
    Some(match character {
        'α' => r"\alpha",
        'β' => r"\beta",
        'γ' => r"\gamma",
        'δ' => r"\delta",
        'ε' | 'ϵ' => r"\epsilon",
        'η' => r"\eta",
        'θ' => r"\theta",
        'κ' => r"\kappa",
        'λ' => r"\lambda",
        'μ' | 'µ' => r"\mu",
        'ν' => r"\nu",
        'ξ' => r"\xi",
        'π' => r"\pi",
        'ρ' => r"\rho",
        'σ' => r"\sigma",
        'τ' => r"\tau",
        'φ' => r"\phi",
        'χ' => r"\chi",
        'ψ' => r"\psi",
        'ω' => r"\omega",
        'Γ' => r"\Gamma",
        'Δ' => r"\Delta",
        'Θ' => r"\Theta",
        'Λ' => r"\Lambda",
        'Σ' | '∑' => r"\sum",
        'Φ' => r"\Phi",
        'Ω' => r"\Omega",
        '∇' => r"\nabla",
        '∂' => r"\partial",
        '∞' => r"\infty",
        '√' => r"\surd",
        '‖' => r"\|",
        '−' => "-",
        '±' => r"\pm",
        '×' => r"\times",
        '≤' => r"\le",
        '≥' => r"\ge",
        '≠' => r"\ne",
        '≈' => r"\approx",
        '∈' => r"\in",
        '→' => r"\to",
        '←' => r"\leftarrow",
        '⁰' => "^0",
        '⁴' => "^4",
        '⁵' => "^5",
        '⁶' => "^6",
        '⁷' => "^7",
        '⁸' => "^8",
        '⁹' => "^9",
        '⁻' => "^-",
        _ => return None,
    })
}

/// The name after `\label{tab:`: a label is not typeset, so what cannot stand in one becomes a hyphen.
pub fn label(name: &str) -> String {
    name.chars()
        .map(|it| {
            if it.is_ascii_alphanumeric() || it == '_' {
                it
            } else {
                '-'
            }
        })
        .collect()
}

/// A row key's label as a cell.
pub(super) fn label_cell(label: &Label) -> String {
    match label {
        Label::Count(value) => number::count(*value, Target::Latex),
        Label::Text(text) => escape(text),
    }
}

/// One statistic's column in LaTeX.
pub(super) struct LatexColumn {
    /// Column type of `tabular`; two types, the second for the paper's values, where the table has them.
    pub spec: String,
    pub heading: String,
    /// One for each row; the paper's value, where there is one, behind an `&`.
    pub cells: Vec<String>,
}

/// Lays out column `index` of the table.
pub(super) fn column(table: &Table, index: usize) -> LatexColumn {
    let kind = table.columns[index];
    let cells: Vec<&Cell> = table.rows.iter().map(|row| &row.cells[index]).collect();
    let why = table.rows.iter().map(|row| row.says_why(index).map(escape));
    let numbers: Vec<Option<Parts>> = cells.iter().map(|cell| parts(table, kind, cell)).collect();
    let plain = |parts: &Parts| parts.spread.is_none() && parts.exponent.is_none() && !parts.percent;
    let aligned = numbers.iter().flatten().all(plain) && numbers.iter().any(Option::is_some);
    let beside = table.beside_paper(index);
    let spec = match aligned {
        true => format!("S[table-format={}]", table_format(numbers.iter().flatten())),
        false => "r".to_string(),
    };
    let ours = |(cell, parts, why): (&Cell, &Option<Parts>, Option<String>)| match (
        cell.value.spread(table.spread),
        parts,
    ) {
        // `S` columns align what follows a change of font or colour.
        (_, Some(parts)) if aligned && cell.verdict.is_some() => {
            let command = match cell.verdict {
                Some(Verdict::Rejected) => r"\rejectednumber",
                _ => r"\notrejectednumber",
            };
            format!("{command} {}", parts.siunitx())
        }
        (Some((mean, spread)), _) if cell.verdict.is_some() => {
            let command = match cell.verdict {
                Some(Verdict::Rejected) => r"\testrejected",
                _ => r"\testnotrejected",
            };
            let number = number::quantity(mean, spread, cell.format(kind), Target::Latex);
            format!("{{{command}{{{number}}}}}")
        }
        (_, Some(parts)) if aligned => parts.siunitx(),
        (Some((mean, spread)), _) => number::quantity(mean, spread, cell.format(kind), Target::Latex),
        _ => {
            let dash = || number::dash(Target::Latex).to_string();
            format!("{{{}}}", why.unwrap_or_else(dash))
        }
    };
    let text = cells
        .iter()
        .copied()
        .zip(&numbers)
        .zip(why)
        .map(|((cell, parts), why)| {
            let ours = ours((cell, parts, why));
            match (beside, cell.paper) {
                (false, _) => ours,
                (true, Some(value)) => {
                    let published = number::published(value, kind.format, Target::Latex);
                    format!("{ours} & ({published})")
                }
                (true, None) => format!("{ours} & ({})", number::dash(Target::Latex)),
            }
        });
    let heading = table.heading(index, Target::Latex);
    LatexColumn {
        spec: if beside {
            format!(r"{spec}@{{\enspace}}l")
        } else {
            spec
        },
        heading: match beside {
            true => format!(r"\multicolumn{{2}}{{c}}{{{heading}}}"),
            false => format!("{{{heading}}}"),
        },
        cells: text.collect(),
    }
}

fn parts(table: &Table, kind: &ColumnKind, cell: &Cell) -> Option<Parts> {
    let (mean, spread) = cell.value.spread(table.spread)?;
    number::parts(mean, spread, cell.format(kind))
}

/// Characters that fit a column of a two-column paper in small letters.
const COLUMN: usize = 55;

/// Whether the table is wider than a column of a two-column paper, by its characters.
pub(super) fn is_wide(table: &Table) -> bool {
    let length = |text: &str| text.chars().count();
    let keys = (0..table.keys.len()).map(|index| {
        let labels = table
            .rows
            .iter()
            .map(|row| length(&row.labels[index].to_string()));
        labels.fold(length(&table.keys[index].heading), usize::max)
    });
    let columns = (0..table.columns.len()).map(|index| {
        let cells = table.rows.iter().map(|row| {
            let (ours, paper) = cell_texts(table, index, row, Target::Terminal);
            length(&ours) + paper.map_or(0, |paper| length(&paper) + 3)
        });
        cells.fold(length(&table.heading(index, Target::Terminal)), usize::max)
    });
    // Two between columns.
    keys.chain(columns).map(|width| width + 2).sum::<usize>() > COLUMN
}

/// Digits before and behind the point that the widest numbers need, such as `1.4`.
fn table_format<'a>(numbers: impl Iterator<Item = &'a Parts>) -> String {
    let (mut whole, mut decimals, mut sign) = (1, 0, "");
    for parts in numbers {
        let digits = parts.mantissa.trim_start_matches('-');
        if digits.len() < parts.mantissa.len() {
            sign = "-";
        }
        let (before, behind) = digits.split_once('.').unwrap_or((digits, ""));
        whole = whole.max(before.len());
        decimals = decimals.max(behind.len());
    }
    format!("{sign}{whole}.{decimals}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_character_is_escaped() {
        assert_eq!(
            escape("40 % & #1_{x}^2 ~ $5"),
            r"40 \% \& \#1\_\{x\}\textasciicircum{}2 \textasciitilde{} \$5"
        );
        assert_eq!(escape(r"\input{/etc}"), r"\textbackslash{}input\{/etc\}");
        assert_eq!(escape("[a] *b*"), "{[}a{]} {*}b{*}");
        assert_eq!(escape("a -- b\n\n c"), "a -{}- b c");
    }

    #[test]
    fn letters_without_a_spelling_are_named() {
        assert_eq!(escape("Şimşekli, Müller"), "Şimşekli, Müller");
        assert_eq!(escape("χ² ≥ 5"), r"\ensuremath{\chi}² \ensuremath{\ge} 5");
        assert_eq!(escape("\u{2603}"), r"\texttt{U+2603}");
        assert_eq!(
            escape("a 中文-か"),
            r"a {\ifdefined\cjktext\cjktext{中文}\else\texttt{U+4E2D U+6587}\fi}-{\ifdefined\cjktext\cjktext{か}\else\texttt{U+304B}\fi}"
        );
        assert_eq!(escape("\u{7}"), r"\texttt{U+0007}");
    }

    #[test]
    fn symbols_of_sentences_are_mathematics() {
        assert_eq!(
            prose("not rejected when d_ks < d_c = 1.36/√K (α = 0.05), mean of β̂"),
            r"not rejected when $d_{\mathrm{ks}}$ \textless{} $d_{\mathrm{c}}$ = 1.36/$\sqrt{K}$ (\ensuremath{\alpha} = 0.05), mean of $\hat{\beta}$"
        );
        assert_eq!(
            prose("of `x_min`, 40 %"),
            r"of \textasciigrave{}x\_min\textasciigrave{}, 40 \%"
        );
    }

    #[test]
    fn typed_lines_keep_their_spaces() {
        assert_eq!(
            typed("a {\n\n  b_1"),
            "\\texttt{\\mbox{}a\\ \\{}\\par\n\\texttt{\\mbox{}}\\par\n\\texttt{\\mbox{}\\ \\ b\\_1}\\par\n"
        );
    }

    #[test]
    fn labels_are_plain() {
        assert_eq!(label("table 1%&é_x"), "table-1---_x");
    }
}
