//! SVG to PNG and PDF, with the font that gradstudy carries and none of the machine's.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::Tree;
use svg2pdf::{ConversionOptions, PageOptions};

use super::{FigureError, font};

/// Dots per inch of a PNG: print resolution.
const DPI: f32 = 300.0;
/// CSS's pixels per inch, in which lengths of the parsed SVG are.
const CSS_DPI: f32 = 96.0;

fn failed(figure: &str, format: &'static str, reason: impl ToString) -> FigureError {
    FigureError::Format {
        figure: figure.to_string(),
        format,
        reason: reason.to_string(),
    }
}

fn parse(figure: &str, svg: &str, format: &'static str) -> Result<Tree, FigureError> {
    Tree::from_str(svg, &font::options()).map_err(|error| failed(figure, format, error))
}

/// A PNG with 300 dots per inch of the SVG of figure `name`.
///
/// # Errors
/// The SVG cannot be read or drawn.
pub fn to_png(name: &str, svg: &str) -> Result<Vec<u8>, FigureError> {
    let tree = parse(name, svg, "PNG")?;
    let scale = DPI / CSS_DPI;
    let size = tree.size().to_int_size().scale_by(scale);
    let (width, height) = size.map_or((1, 1), |size| (size.width(), size.height()));
    let mut pixels = Pixmap::new(width, height).ok_or_else(|| failed(name, "PNG", "it has no area"))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    // The paper is white, so there is nothing to see through.
    let rgb: Vec<u8> = pixels
        .pixels()
        .iter()
        .flat_map(|it| [it.red(), it.green(), it.blue()])
        .collect();
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::Adaptive)
        .write_image(&rgb, width, height, ExtendedColorType::Rgb8)
        .map_err(|error| failed(name, "PNG", error))?;
    Ok(png)
}

/// A PDF of the SVG of figure `name`, in its size, with embedded text that can be searched.
///
/// # Errors
/// The SVG cannot be read or drawn.
pub fn to_pdf(name: &str, svg: &str) -> Result<Vec<u8>, FigureError> {
    let tree = parse(name, svg, "PDF")?;
    let convert = |embed_text| {
        let options = ConversionOptions {
            embed_text,
            ..ConversionOptions::default()
        };
        svg2pdf::to_pdf(&tree, options, PageOptions { dpi: CSS_DPI })
            .map_err(|error| failed(name, "PDF", error))
    };
    let pdf = convert(true)?;
    // Two fonts are written in no fixed order: then letters become outlines.
    let fonts = pdf.windows(FONT.len()).filter(|window| window == &FONT).count();
    Ok(in_fixed_order(&if fonts > 1 { convert(false)? } else { pdf }))
}

const FONT: &[u8] = b"/Subtype /Type0";

/// Sorts the entries of each dictionary of resources, which come out of a hash map: lines such as `/gs1 7 0 R`.
/// No byte changes its distance from what follows the dictionary, so the table of offsets stays right.
fn in_fixed_order(pdf: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = pdf.split(|byte| *byte == b'\n').collect();
    for run in lines.chunk_by_mut(|a, b| is_entry(a) && is_entry(b)) {
        run.sort_unstable();
    }
    lines.join(&b'\n')
}

fn is_entry(line: &[u8]) -> bool {
    let Some(words) = std::str::from_utf8(line)
        .ok()
        .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>())
    else {
        return false;
    };
    let number = |word: &str| !word.is_empty() && word.bytes().all(|it| it.is_ascii_digit());
    match words[..] {
        [name, reference, "0", "R"] => {
            let name = name
                .strip_prefix('/')
                .map(|it| it.trim_start_matches(|it: char| it.is_ascii_lowercase()));
            name.is_some_and(number) && number(reference)
        }
        _ => false,
    }
}
