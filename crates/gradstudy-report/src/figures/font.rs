//! The font that gradstudy carries, and how wide text is in it.

use std::sync::{Arc, OnceLock};

use resvg::usvg;

use super::accent;

/// For text in SVG. A machine that has the first shows just what the PNG shows; the others are nearly as wide.
pub(super) const FAMILIES: &str = "Ubuntu Light, Ubuntu, Helvetica, Arial, sans-serif";

/// Ubuntu Light, and Hack for characters that it lacks. No font of the machine is used.
pub(super) fn options() -> usvg::Options<'static> {
    static FONTS: OnceLock<Arc<usvg::fontdb::Database>> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| {
        let mut fonts = usvg::fontdb::Database::new();
        fonts.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
        fonts.load_font_data(epaint_default_fonts::HACK_REGULAR.to_vec());
        fonts.set_sans_serif_family("Ubuntu");
        Arc::new(fonts)
    });
    usvg::Options {
        font_family: "Ubuntu".to_string(),
        fontdb: fonts.clone(),
        ..usvg::Options::default()
    }
}

/// Width of one line of text, in the unit of `size`; accents over letters take none.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let text = &accent::split(text).0;
    // Measured at one size, so that text of any size is scaled alike. A full stop at each end keeps blanks.
    let measure = |text: &str| {
        let svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text y="5" font-family="{FAMILIES}" font-size="100">.{}.</text></svg>"#,
            escape(text)
        );
        let tree = usvg::Tree::from_str(&svg, &options()).ok();
        tree.map_or(0.0, |tree| f64::from(tree.root().bounding_box().width()))
    };
    if text.is_empty() {
        return 0.0;
    }
    (measure(text) - measure("")).max(0.0) * size / 100.0
}

/// Characters of `text` that the fonts have no glyph for: each is drawn as a box.
pub(super) fn lacking(text: &str) -> Vec<char> {
    let (text, _) = accent::split(&one_line(text));
    let svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text y="5" font-family="{FAMILIES}">{}</text></svg>"#,
        escape(&text)
    );
    let Ok(tree) = usvg::Tree::from_str(&svg, &options()) else {
        return Vec::new();
    };
    let texts = tree.root().children().iter().filter_map(|node| match node {
        usvg::Node::Text(text) => Some(text),
        _ => None,
    });
    let glyphs = texts.flat_map(|text| text.layouted().iter().flat_map(|span| &span.positioned_glyphs));
    let lacking = glyphs.filter(|glyph| glyph.id.0 == 0);
    lacking
        .flat_map(|glyph| glyph.text.chars().collect::<Vec<_>>())
        .collect()
}

/// How high the ink of a letter stands above the line, in the unit of `size`.
pub(super) fn top(letter: &str, size: f64) -> f64 {
    let svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="200" height="300"><text y="200" font-family="{FAMILIES}" font-size="100">{}</text></svg>"#,
        escape(letter)
    );
    let tree = usvg::Tree::from_str(&svg, &options()).ok();
    let ink = tree.and_then(|tree| {
        let text = tree.root().children().iter().find_map(|node| match node {
            usvg::Node::Text(text) => Some(text.flattened().abs_bounding_box().top()),
            _ => None,
        })?;
        Some(200.0 - f64::from(text))
    });
    // Capitals of Ubuntu Light, where a letter has no ink.
    ink.unwrap_or(69.0) * size / 100.0
}

/// Makes text safe in XML.
pub(super) fn escape(text: &str) -> String {
    let text = one_line(text);
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The text on one line, without characters that XML does not have.
pub(super) fn one_line(text: &str) -> String {
    let known = |it: &char| !(it.is_control() || matches!(it, '\u{FFFE}' | '\u{FFFF}'));
    let blank = |it: char| if it.is_whitespace() { ' ' } else { it };
    text.trim().chars().map(blank).filter(known).collect()
}

/// The text as it can be printed in `room`, shortened in its middle if it is too long.
pub(super) fn fit(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_string();
    }
    // A letter keeps its accent.
    let mut letters: Vec<String> = Vec::new();
    for character in text.chars() {
        match letters.last_mut() {
            Some(letter) if matches!(character, '\u{300}'..='\u{36F}') => letter.push(character),
            _ => letters.push(character.to_string()),
        }
    }
    for kept in (2..letters.len()).rev() {
        let (head, tail) = (kept.div_ceil(2), kept / 2);
        let shorter = letters[..head].concat() + "…" + &letters[letters.len() - tail..].concat();
        if width(&shorter, size) <= room {
            return shorter;
        }
    }
    "…".to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        // Advances of Ubuntu Light's digits are 564 of 1000 units.
        assert!(
            (width("0000000000", 1.0) - 5.64).abs() < 0.02,
            "{}",
            width("0000000000", 1.0)
        );
        assert!(width("iiii", 1.0) < width("MMMM", 1.0));
        assert_eq!(width("", 1.0), 0.0);
        assert!(width("a b", 1.0) > width("ab", 1.0) + 0.1);
        assert!(width("∇", 1.0) > 0.3, "the second font has what the first lacks");
    }

    #[test]
    fn long_text_keeps_both_ends() {
        let short = fit("LeNet on CIFAR-10 with forty percent noise", 1.0, 10.0);
        assert!(
            short.starts_with("LeNet") && short.contains('…') && short.ends_with("noise"),
            "{short}"
        );
        assert!(width(&short, 1.0) <= 10.0);
        assert_eq!(fit("short", 1.0, 10.0), "short");
        let kept = fit("d̄d̄d̄d̄d̄d̄d̄d̄", 1.0, 2.5);
        assert!(kept.starts_with("d̄") && kept.ends_with("d̄"), "{kept}");
    }

    #[test]
    fn accents_stand_over_letters_and_take_no_room() {
        assert_eq!(width("β̂ of d̄", 1.0), width("β of d", 1.0));
        assert!(
            top("β", 1.0) > 0.6 && top("x", 1.0) < 0.6,
            "{} {}",
            top("β", 1.0),
            top("x", 1.0)
        );
    }
}
