//! What is seen: places, colours, and text that nothing covers.

use std::sync::Arc;

use gradstudy::figures::{Axis, COLORS, Figure, curve, documents, rank_plot, to_svg};
use proptest::prelude::*;
use resvg::usvg;

use super::samples::figures;

/// Values of one attribute of all tags of a kind, in the order of the drawing.
fn attribute(svg: &str, tag: &str, name: &str) -> Vec<f64> {
    let open = format!("<{tag} ");
    let tags = svg.split(&open).skip(1);
    let value = |rest: &str| {
        let inside = rest.split('>').next()?;
        inside
            .split(&format!("{name}=\""))
            .nth(1)?
            .split('"')
            .next()?
            .parse()
            .ok()
    };
    tags.filter_map(value).collect()
}

#[test]
fn a_logarithmic_axis_puts_powers_of_ten_at_equal_distances() {
    let figure = Figure {
        name: "f".into(),
        caption: String::new(),
        x: Axis::log("x"),
        y: Axis::linear("y"),
        // No label, so no legend.
        series: vec![gradstudy::figures::Series {
            points: vec![(1.0, 0.0), (10.0, 1.0), (100.0, 4.0)],
            ..rank_plot("", &[], None, 0)
        }],
        notes: Vec::new(),
    };
    let svg = to_svg(&figure).expect("draws");
    let (x, y) = (attribute(&svg, "circle", "cx"), attribute(&svg, "circle", "cy"));
    assert!(((x[1] - x[0]) - (x[2] - x[1])).abs() <= 1.0, "{x:?}");
    assert!(
        ((y[0] - y[2]) / (y[0] - y[1]) - 4.0).abs() < 0.01,
        "{y:?}: upwards, and in proportion"
    );
    let corner = svg.split("viewBox=\"0 0 ").nth(1).expect("has one");
    assert!(corner.starts_with("8500 "), "85 mm in hundredths");
}

pub fn tree(svg: &str) -> usvg::Tree {
    let mut fonts = usvg::fontdb::Database::new();
    fonts.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
    fonts.load_font_data(epaint_default_fonts::HACK_REGULAR.to_vec());
    let options = usvg::Options {
        fontdb: Arc::new(fonts),
        font_family: "Ubuntu".into(),
        ..Default::default()
    };
    usvg::Tree::from_str(svg, &options).expect("an SVG")
}

/// Boxes around all texts.
fn texts(group: &usvg::Group, boxes: &mut Vec<(String, usvg::Rect)>) {
    for node in group.children() {
        match node {
            usvg::Node::Group(group) => texts(group, boxes),
            usvg::Node::Text(text) => {
                let words = text.chunks().iter().map(|chunk| chunk.text()).collect();
                boxes.push((words, text.abs_bounding_box()));
            }
            _ => {}
        }
    }
}

#[test]
fn no_text_overlaps_another_or_leaves_the_page() {
    for figure in figures() {
        let tree = tree(&to_svg(&figure).expect("draws"));
        let mut boxes = Vec::new();
        texts(tree.root(), &mut boxes);
        assert!(boxes.len() > 8, "{}: {} texts", figure.name, boxes.len());
        let (width, height) = (tree.size().width(), tree.size().height());
        for (index, (text, one)) in boxes.iter().enumerate() {
            assert!(
                one.left() >= 0.0 && one.top() >= 0.0 && one.right() <= width && one.bottom() <= height,
                "{}: {text:?} at {one:?} leaves {width}×{height}",
                figure.name
            );
            for (other_text, other) in &boxes[..index] {
                // Half a pixel: an exponent begins where its ten ends.
                let apart = one.left() > other.right() - 0.5
                    || other.left() > one.right() - 0.5
                    || one.top() > other.bottom() - 0.5
                    || other.top() > one.bottom() - 0.5;
                assert!(
                    apart,
                    "{}: {text:?} {one:?} covers {other_text:?} {other:?}",
                    figure.name
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]
    /// The legend is the last white rectangle; circles are drawn before it.
    #[test]
    fn the_legend_covers_no_data(
        points in prop::collection::vec((0.0..1.0f64, 0.0..1.0f64), 2..40),
        corner in 0..4usize,
        label in "[a-z]{1,30}",
    ) {
        // Crowded towards one corner, so that there is room sometimes here, sometimes there, sometimes nowhere.
        let squeeze = |v: f64, far: bool| if far { 1.0 - v * v } else { v * v };
        let points: Vec<_> = points.iter().map(|(x, y)| (squeeze(*x, corner & 1 == 1), squeeze(*y, corner & 2 == 2))).collect();
        let mut series = curve(&label, &points, 0);
        series.kind = gradstudy::figures::SeriesKind::Points;
        let figure = Figure {
            name: "f".into(), caption: String::new(), x: Axis::linear("x"), y: Axis::linear("y"),
            series: vec![series], notes: Vec::new(),
        };
        let svg = to_svg(&figure).expect("draws");
        let rect = |name: &str| *attribute(&svg, "rect", name).last().expect("a rectangle");
        let (left, top, width, height) = (rect("x"), rect("y"), rect("width"), rect("height"));
        let (x, y) = (attribute(&svg, "circle", "cx"), attribute(&svg, "circle", "cy"));
        // The last circle is the legend's own.
        for (x, y) in x.iter().zip(&y).take(x.len() - 1) {
            let inside = (left - 50.0..=left + width + 50.0).contains(x) && (top - 50.0..=top + height + 50.0).contains(y);
            prop_assert!(!inside, "({x}, {y}) is under the legend at {left}, {top}, {width}×{height}");
        }
    }
}

#[test]
fn a_png_has_print_resolution_and_the_colours_of_the_series() {
    let figure = &figures()[0];
    let drawing = documents(figure).expect("draws");
    let file = |wanted: &str| {
        &drawing
            .files
            .iter()
            .find(|(ending, _)| *ending == wanted)
            .expect("made")
            .1
    };
    let image = image::load_from_memory(file(".png")).expect("a PNG").to_rgb8();
    // 85 mm at 300 dots per inch.
    assert!((1003..=1004).contains(&image.width()), "{}", image.width());
    for (r, g, b) in &COLORS[..figure.series.len()] {
        let count = image.pixels().filter(|pixel| pixel.0 == [*r, *g, *b]).count();
        assert!(count > 100, "{count} pixels of {r:02X}{g:02X}{b:02X}");
    }
    let pdf = String::from_utf8_lossy(file(".pdf")).into_owned();
    assert!(pdf.starts_with("%PDF-1."));
    // 85 mm in points.
    let page = pdf
        .split("/MediaBox [")
        .nth(1)
        .and_then(|rest| rest.split(']').next())
        .expect("a page");
    let width: f64 = page
        .split(' ')
        .nth(2)
        .and_then(|width| width.parse().ok())
        .expect(page);
    assert!((width - 85.0 / 25.4 * 72.0).abs() < 0.01, "{page}");
    assert!(pdf.contains("Ubuntu-Light"), "the font is inside");
}

/// CIE L*a*b* of linear sRGB under D65.
fn lab(linear: [f64; 3]) -> [f64; 3] {
    let to_xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ];
    let white = [0.95047, 1.0, 1.08883];
    let f = |row: usize| {
        let value: f64 = (0..3).map(|k| to_xyz[row][k] * linear[k]).sum::<f64>() / white[row];
        if value > 0.008856 {
            value.cbrt()
        } else {
            7.787 * value + 16.0 / 116.0
        }
    };
    [116.0 * f(1) - 16.0, 500.0 * (f(0) - f(1)), 200.0 * (f(1) - f(2))]
}

#[test]
fn colour_blind_eyes_tell_the_colours_apart() {
    // Machado, Oliveira and Fernandes, IEEE TVCG 15 (2009) 1291–1298, Table 1, severity 1.0.
    let sights = [
        ("normal", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        (
            "protanopia",
            [
                [0.152286, 1.052583, -0.204868],
                [0.114503, 0.786281, 0.099216],
                [-0.003882, -0.048116, 1.051998],
            ],
        ),
        (
            "deuteranopia",
            [
                [0.367322, 0.860646, -0.227968],
                [0.280085, 0.672501, 0.047413],
                [-0.011820, 0.042940, 0.968881],
            ],
        ),
        (
            "tritanopia",
            [
                [1.255528, -0.076749, -0.178779],
                [-0.078411, 0.930809, 0.147602],
                [0.004733, 0.691367, 0.303900],
            ],
        ),
    ];
    let linear = |(r, g, b): (u8, u8, u8)| {
        [r, g, b].map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        })
    };
    for (sight, matrix) in sights {
        let seen = COLORS.map(|color| {
            let color = linear(color);
            lab([0, 1, 2].map(|row| {
                (0..3)
                    .map(|k| matrix[row][k] * color[k])
                    .sum::<f64>()
                    .clamp(0.0, 1.0)
            }))
        });
        for (i, one) in seen.iter().enumerate() {
            for (j, other) in seen.iter().enumerate().take(i) {
                let distance = one
                    .iter()
                    .zip(other)
                    .map(|(a, b)| (a - b).powi(2))
                    .sum::<f64>()
                    .sqrt();
                // A difference of 2.3 is just noticeable.
                assert!(
                    distance > 15.0,
                    "{sight}: colours {j} and {i} are {distance:.1} apart"
                );
            }
            assert!(one[0] < 80.0, "{sight}: colour {i} is too light for white paper");
        }
    }
}
