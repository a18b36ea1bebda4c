//! Chinese, Japanese and Korean in LaTeX.
//!
//! pdfLaTeX has no fonts for them, so a run of such characters is written twice: as an argument of `\cjktext` and as
//! code points, and the document shows the first where it defines that command. gradstudy's own documents do, for
//! LuaLaTeX and XeLaTeX ([`preamble`]); in a paper it is one line (`docs/templates.md`).

use std::fmt::Write;

/// Ranges of Unicode whose characters are wide: radicals, punctuation, kana, Bopomofo, Hangul, ideographs, full-width forms.
const RANGES: [std::ops::RangeInclusive<char>; 6] = [
    '\u{1100}'..='\u{11FF}',
    '\u{2E80}'..='\u{A4CF}',
    '\u{AC00}'..='\u{D7AF}',
    '\u{F900}'..='\u{FAFF}',
    '\u{FF00}'..='\u{FFEF}',
    '\u{20000}'..='\u{3FFFF}',
];

/// Whether a character is Chinese, Japanese or Korean.
pub(super) fn is_cjk(character: char) -> bool {
    RANGES.iter().any(|range| range.contains(&character))
}

/// A run of such characters, as LaTeX that compiles whether or not the document has fonts for them.
pub(super) fn run(text: &str) -> String {
    let codes: Vec<String> = text.chars().map(code).collect();
    format!(
        r"{{\ifdefined\cjktext\cjktext{{{text}}}\else\texttt{{{}}}\fi}}",
        codes.join(" ")
    )
}

/// The code point, such as `U+4E2D`.
pub(super) fn code(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

/// Whether rendered LaTeX holds such characters.
pub(super) fn occurs(latex: &str) -> bool {
    latex.contains(r"\cjktext{")
}

/// Fonts of TeX Live and of systems: by file name, which is quick, then by name, which searches the machine.
const FILES: [&str; 4] = [
    "FandolSong-Regular.otf",
    "HaranoAjiMincho-Regular.otf",
    "UnBatang.ttf",
    "NotoSerifCJK-Regular.ttc",
];
const NAMES: [&str; 3] = ["Noto Serif CJK SC", "Source Han Serif SC", "Noto Sans CJK SC"];

/// Lines for the preamble of a document that holds `latex`: nothing where no such characters occur. Each is set by the
/// first font at hand that has it, and as its code point where none does. Kana ask for a Japanese font first: many
/// ideographs look otherwise there.
pub(crate) fn preamble(latex: &str) -> String {
    if !occurs(latex) {
        return String::new();
    }
    let mut files = FILES;
    if latex
        .chars()
        .any(|it| matches!(it, '\u{3041}'..='\u{30FA}' | '\u{30FC}'..='\u{30FF}'))
    {
        files.swap(0, 1);
    }
    let mut lines = String::from(PREAMBLE_BEGIN);
    let tries = |names: &[&str]| -> String {
        let mut tries = String::new();
        for name in names {
            // Writing to a String does not fail.
            let _ = write!(tries, r"\cjktry{{{name}}}");
        }
        tries
    };
    let _ = writeln!(lines, "{}", tries(&files));
    let _ = writeln!(lines, "\\ifnum\\cjkfonts=0 {}\\fi", tries(&NAMES));
    lines + PREAMBLE_END
}

const PREAMBLE_BEGIN: &str = r"% Chinese, Japanese and Korean, with LuaLaTeX or XeLaTeX: each character by the first of these fonts that has it.
\ifpdftex\else
\usepackage{fontspec}
\newcount\cjkfonts\newcount\cjkfont
\def\cjktry#1{\IfFontExistsTF{#1}{\expandafter\newfontfamily\csname cjk\romannumeral\cjkfonts\endcsname{#1}\advance\cjkfonts1 }{}}
";

const PREAMBLE_END: &str = r"\ExplSyntaxOn\def\cjkcode#1{U+\int_to_Hex:n{`#1}}\ExplSyntaxOff
\DeclareRobustCommand\cjktext[1]{\cjkeach#1\cjkend}
\def\cjkeach#1{\ifx#1\cjkend\else{\cjkfont0 \cjkset{#1}}\hskip0pt plus.1em \expandafter\cjkeach\fi}
\def\cjkset#1{\ifnum\cjkfont<\cjkfonts
  \csname cjk\romannumeral\cjkfont\endcsname\iffontchar\font`#1 #1\else\advance\cjkfont1 \cjkset{#1}\fi
  \else\texttt{\cjkcode{#1}}\fi}
\fi
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_without_such_characters_has_no_such_lines() {
        assert_eq!(preamble(r"\alpha, Müller"), "");
        assert!(is_cjk('中') && is_cjk('か') && is_cjk('한') && is_cjk('，') && !is_cjk('é') && !is_cjk('√'));
    }

    #[test]
    fn japanese_asks_for_a_japanese_font_first() {
        let japanese = |text: &str| {
            let lines = preamble(&run(text));
            lines.find("HaranoAji").unwrap() < lines.find("Fandol").unwrap()
        };
        assert!(japanese("ラベル") && !japanese("标签"));
    }
}
