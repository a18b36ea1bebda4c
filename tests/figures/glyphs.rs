//! Every symbol that tables print is drawn by real glyphs in every format.

use std::io::Read;

use gradstudy::figures::{Axis, Figure, SeriesKind, curve, documents, to_pdf, to_pgfplots, to_png, to_svg};
use gradstudy::report::symbols::SYMBOLS;
use gradstudy::report::{COLUMNS, latex};
use resvg::usvg;

use super::look::tree;

/// Every heading of a table and every symbol in sentences, and what numbers and names are made of.
fn symbols() -> Vec<String> {
    let headings = COLUMNS.iter().map(|column| column.heading.to_string());
    let symbols = SYMBOLS.iter().map(|symbol| symbol.plain.to_string());
    let more = [
        "0123456789 −+±×·%",
        "10⁻¹²³⁴⁵⁶⁷⁸⁹⁰",
        "≤ ≥ ∞ √ – — … ‖ ∇ α β γ δ ε θ κ λ μ ξ ρ σ χ Σ Λ",
        "1\u{202F}234",
    ];
    headings.chain(symbols).chain(more.map(str::to_string)).collect()
}

/// A figure with `text` on its axis, in its legend and as a category.
fn with(text: &str) -> Figure {
    let mut series = curve(text, &[(1.0, 1.0), (2.0, 3.0)], 0);
    series.kind = SeriesKind::LineWithPoints;
    Figure {
        name: "f".into(),
        caption: String::new(),
        x: Axis::categories("x", vec![text.to_string(), "b".into()]),
        y: Axis::linear(text).with_tex(&latex::prose(text)),
        series: vec![series],
        notes: Vec::new(),
    }
}

fn texts<'a>(group: &'a usvg::Group, found: &mut Vec<&'a usvg::Text>) {
    for node in group.children() {
        match node {
            usvg::Node::Group(group) => texts(group, found),
            usvg::Node::Text(text) => found.push(text),
            _ => {}
        }
    }
}

/// Hats and bars.
fn accents(text: &str) -> usize {
    text.chars()
        .filter(|it| matches!(it, '\u{302}' | '\u{304}'))
        .count()
}

#[test]
fn svg_has_a_glyph_for_every_letter_and_a_stroke_for_every_accent() {
    for symbol in symbols() {
        let svg = to_svg(&with(&symbol)).expect("draws");
        let tree = tree(&svg);
        let mut found = Vec::new();
        texts(tree.root(), &mut found);
        for text in found {
            for glyph in text.layouted().iter().flat_map(|span| &span.positioned_glyphs) {
                assert_ne!(glyph.id.0, 0, "{symbol}: no glyph for {:?}", glyph.text);
            }
        }
        let bare: String = symbol
            .chars()
            .filter(|it| accents(&it.to_string()) == 0)
            .collect();
        let lines = |svg: &str| svg.matches("<polyline").count();
        let plain = to_svg(&with(&bare)).expect("draws");
        // On the axis, in the legend and below the frame.
        assert_eq!(lines(&svg) - lines(&plain), 3 * accents(&symbol), "{symbol}");
    }
}

/// Dark pixels of the PNG of one text.
fn ink(text: &str) -> Vec<usize> {
    let svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40"><rect width="60" height="40" fill="white"/><text x="5" y="30" font-family="Ubuntu" font-size="24">{text}</text></svg>"#
    );
    let png = to_png("f", &svg).expect("converts");
    let image = image::load_from_memory(&png).expect("a PNG").to_luma8();
    let dark = image.pixels().enumerate().filter(|(_, pixel)| pixel.0[0] < 128);
    dark.map(|(index, _)| index).collect()
}

#[test]
fn png_shows_letters_and_no_boxes() {
    // No font has a character of the private area.
    let boxed = ink("\u{E000}");
    let mut letters: Vec<char> = symbols()
        .iter()
        .flat_map(|it| it.chars().collect::<Vec<_>>())
        .collect();
    letters.sort_unstable();
    letters.dedup();
    for letter in letters {
        if letter.is_whitespace() || accents(&letter.to_string()) > 0 || "<>&".contains(letter) {
            continue;
        }
        let drawn = ink(&letter.to_string());
        assert!(!drawn.is_empty() && drawn != boxed, "{letter:?} is a box");
    }
    let page = |text: &str| {
        let svg = to_svg(&with(text)).expect("draws");
        let png = to_png("f", &svg).expect("converts");
        let image = image::load_from_memory(&png).expect("a PNG").to_luma8();
        image
            .pixels()
            .map(|pixel| 255 - u64::from(pixel.0[0]))
            .sum::<u64>()
    };
    for (with, without) in [("β̂", "β"), ("d̄_ks", "d_ks"), ("p̄-value", "p-value")] {
        assert!(page(with) > page(without) + 1000, "{with} has its accent");
    }
}

/// Everything in a PDF, its streams inflated.
fn inflated(pdf: &[u8]) -> String {
    let mut all = String::new();
    let find = |from: usize, what: &[u8]| {
        let rest = &pdf[from.min(pdf.len())..];
        rest.windows(what.len())
            .position(|window| window == what)
            .map(|at| from + at)
    };
    let mut from = 0;
    while let Some(start) = find(from, b"stream\n") {
        let start = start + b"stream\n".len();
        let Some(end) = find(start, b"endstream") else {
            break;
        };
        let mut text = Vec::new();
        // What is no deflated stream, such as a font, is passed over.
        let _ = flate2::read::ZlibDecoder::new(&pdf[start..end]).read_to_end(&mut text);
        all += &String::from_utf8_lossy(&text);
        all.push('\n');
        from = end + b"endstream".len();
    }
    all
}

/// How many glyphs of a figure's PDF are boxes, glyph 0 of the font; letters that are outlines are none.
fn boxes_in_pdf(text: &str) -> usize {
    let svg = to_svg(&with(text)).expect("draws");
    let content = inflated(&to_pdf("f", &svg).expect("converts"));
    assert!(
        content.contains(") Tj") || content.contains(" c\n"),
        "{text}: letters or outlines"
    );
    content.matches("(\\000\\000) Tj").count() + content.matches("<0000> Tj").count()
}

#[test]
fn pdf_has_letters_and_no_boxes() {
    // On the axis, in the legend and below the frame.
    assert_eq!(boxes_in_pdf("no \u{E000}"), 3, "boxes are found");
    for symbol in symbols() {
        assert_eq!(boxes_in_pdf(&symbol), 0, "{symbol}");
    }
}

#[test]
fn latex_has_mathematics_for_every_symbol() {
    for column in COLUMNS {
        let prose = latex::prose(column.heading);
        assert!(!prose.contains("U+"), "{}: {prose}", column.heading);
    }
    for symbol in symbols() {
        let tex = to_pgfplots(&with(&symbol)).expect("draws");
        assert!(!tex.contains("U+"), "{symbol}: {tex}");
        let lacking = tex.chars().find(|it| ('\u{300}'..='\u{36F}').contains(it));
        assert_eq!(lacking, None, "{symbol}: {tex}");
    }
}

#[test]
fn a_character_without_a_glyph_is_told_of() {
    let drawing = documents(&with("中 and β̂")).expect("draws");
    let told = drawing.notes.iter().filter(|note| note.contains('中')).count();
    assert_eq!(told, 1, "{:?}", drawing.notes);
    assert!(documents(&with("β̂")).expect("draws").notes.is_empty());
}
