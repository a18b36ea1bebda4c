//! Symbols that sentences and headings write as `d_ks`: subscripts in HTML and figures, mathematics in LaTeX.

/// One symbol in its plain spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol {
    pub plain: &'static str,
    pub tex: &'static str,
}

/// Longer ones before those that they begin with.
const SYMBOLS: [Symbol; 18] = [
    symbol("x_min (K/k)^ŝ", r"x_{\min} (K/k)^{\hat{s}}"),
    symbol("d̄_ks", r"\bar{d}_{\mathrm{ks}}"),
    symbol("d_ks", r"d_{\mathrm{ks}}"),
    symbol("d_c", r"d_{\mathrm{c}}"),
    symbol("x_min", r"x_{\min}"),
    symbol("n_tail", r"n_{\mathrm{tail}}"),
    symbol("λ_1", r"\lambda_1"),
    symbol("λ_k", r"\lambda_k"),
    symbol("λ_K", r"\lambda_K"),
    symbol("δ_k", r"\delta_k"),
    symbol("√K", r"\sqrt{K}"),
    symbol("ŝ", r"\hat{s}"),
    symbol("β̂", r"\hat{\beta}"),
    symbol("α̂", r"\hat{\alpha}"),
    symbol("ξ̂", r"\hat{\xi}"),
    symbol("p̄", r"\bar{p}"),
    symbol("K−1", "K-1"),
    symbol("x^−β/ζ(β, x_min)", r"x^{-\beta}/\zeta(\beta, x_{\min})"),
];

const fn symbol(plain: &'static str, tex: &'static str) -> Symbol {
    Symbol { plain, tex }
}

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    Text(&'a str),
    Symbol(Symbol),
}

/// Cuts `text` at its symbols. A part of a longer word, or of what is quoted as the study writes it, is no symbol.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let in_word = |it: char| it.is_alphanumeric() || matches!(it, '_' | '`' | '\u{300}'..='\u{36F}');
    let mut pieces = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(character) = text[at..].chars().next() {
        let after_word = text[..at].chars().next_back().is_some_and(in_word);
        let found = SYMBOLS.iter().find(|symbol| {
            let rest = text[at..].strip_prefix(symbol.plain);
            !after_word && rest.is_some_and(|rest| !rest.starts_with(in_word))
        });
        match found {
            Some(symbol) => {
                if from < at {
                    pieces.push(Piece::Text(&text[from..at]));
                }
                pieces.push(Piece::Symbol(*symbol));
                at += symbol.plain.len();
                from = at;
            }
            None => at += character.len_utf8(),
        }
    }
    if from < text.len() {
        pieces.push(Piece::Text(&text[from..]));
    }
    pieces
}

impl Symbol {
    /// Runs of letters, and whether they are set lower: `x_min` is `x` and a lower `min`.
    pub fn runs(self) -> Vec<(&'static str, bool)> {
        let mut runs = Vec::new();
        let mut rest = self.plain;
        while let Some((before, behind)) = rest.split_once('_') {
            let end = behind
                .find(|it: char| !it.is_alphanumeric())
                .unwrap_or(behind.len());
            runs.push((before, false));
            runs.push((&behind[..end], true));
            rest = &behind[end..];
        }
        runs.push((rest, false));
        runs.retain(|(letters, _)| !letters.is_empty());
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tex(text: &str) -> String {
        let pieces = pieces(text).into_iter().map(|piece| match piece {
            Piece::Text(text) => text.to_string(),
            Piece::Symbol(symbol) => format!("${}$", symbol.tex),
        });
        pieces.collect()
    }

    #[test]
    fn symbols_stand_alone() {
        assert_eq!(
            tex("d_ks < d_c = 1.36/√K; drawn as λ_k = x_min (K/k)^ŝ."),
            r"$d_{\mathrm{ks}}$ < $d_{\mathrm{c}}$ = 1.36/$\sqrt{K}$; drawn as $\lambda_k$ = $x_{\min} (K/k)^{\hat{s}}$."
        );
        for text in ["d_c_large", "weight_decay", "`x_min`", "bad_c", "a_b"] {
            assert_eq!(tex(text), text);
        }
    }

    #[test]
    fn what_is_lower_is_told() {
        let runs = |plain: &str| match pieces(plain)[0] {
            Piece::Symbol(symbol) => symbol.runs(),
            Piece::Text(_) => Vec::new(),
        };
        assert_eq!(runs("x_min"), [("x", false), ("min", true)]);
        assert_eq!(
            runs("x_min (K/k)^ŝ"),
            [("x", false), ("min", true), (" (K/k)^ŝ", false)]
        );
        assert_eq!(runs("ŝ"), [("ŝ", false)]);
    }
}
