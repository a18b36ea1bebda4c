//! Hats, bars and tildes over letters: the fonts of figures lack β̂, d̄ and p̄, so the accents are drawn as strokes.

use super::font;

/// A mark over a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accent {
    Hat,
    Bar,
    Tilde,
}

impl Accent {
    fn of(character: char) -> Option<Accent> {
        match character {
            '\u{302}' => Some(Accent::Hat),
            '\u{304}' => Some(Accent::Bar),
            '\u{303}' => Some(Accent::Tilde),
            _ => None,
        }
    }

    /// The stroke, for a letter of `width`: (right of the letter's middle, above its top), all in heights of letters.
    fn stroke(self, width: f64) -> Vec<(f64, f64)> {
        let half = (0.42 * width).clamp(0.11, 0.24);
        let line: &[(f64, f64)] = match self {
            Accent::Hat => &[(-0.85, 0.07), (0.0, 0.19), (0.85, 0.07)],
            Accent::Bar => &[(-1.0, 0.1), (1.0, 0.1)],
            Accent::Tilde => &[(-1.0, 0.08), (-0.5, 0.15), (0.5, 0.08), (1.0, 0.15)],
        };
        line.iter().map(|(x, y)| (x * half, *y)).collect()
    }
}

/// Width of the stroke, in heights of letters.
pub(super) const STROKE: f64 = 0.055;

/// `text` without the accents that are drawn, and those: the letter that each stands over is the one before the
/// byte index in the bare text.
pub(super) fn split(text: &str) -> (String, Vec<(usize, Accent)>) {
    let mut bare = String::with_capacity(text.len());
    let mut accents = Vec::new();
    for character in text.chars() {
        match Accent::of(character) {
            Some(accent) if !bare.is_empty() => accents.push((bare.len(), accent)),
            _ => bare.push(character),
        }
    }
    (bare, accents)
}

/// The strokes of `accents` over the letters of `bare`: (along the line from its start, above it), in the unit of `size`.
pub(super) fn strokes(bare: &str, accents: &[(usize, Accent)], size: f64) -> Vec<Vec<(f64, f64)>> {
    let stroke = |(end, accent): &(usize, Accent)| {
        let letter = bare[..*end].chars().next_back().map_or(0, char::len_utf8);
        let (before, letter) = (&bare[..end - letter], &bare[end - letter..*end]);
        let (left, right) = (font::width(before, size), font::width(&bare[..*end], size));
        let (middle, top) = ((left + right) / 2.0, font::top(letter, size));
        let stroke = accent.stroke((right - left) / size).into_iter();
        stroke
            .map(|(along, above)| (middle + along * size, top + above * size))
            .collect()
    };
    accents.iter().map(stroke).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_are_told_from_their_letters() {
        assert_eq!(
            split("SE(β̂) of d̄"),
            (
                "SE(β) of d".to_string(),
                vec![(5, Accent::Hat), (11, Accent::Bar)]
            )
        );
        assert_eq!(split("ŝ, é"), ("ŝ, é".to_string(), Vec::new()));
    }
}
