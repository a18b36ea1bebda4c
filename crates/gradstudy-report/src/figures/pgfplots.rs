//! A figure for LaTeX: a `tikzpicture` of pgfplots with its data inside, on the same axes as the SVG.
//!
//! Points are written as `coordinates`, which survive being an argument of another macro; the log-log plots keep
//! their values, so that they can be edited. The CSV beside it has the points that thinning left out.

use std::fmt::Write;

use super::axis::{Range, TickLabel, Ticks};
use super::layout::{Layout, layout};
use super::legend::{Legend, Place};
use super::marker::marker;
use super::palette::{color, darker, hex};
use super::prepare::{Drawn, Prepared, prepare};
use super::shapes::Rect;
use super::{Axis, Figure, FigureError, Scale, SeriesKind};
use crate::report::latex;

/// The figure for `\input`; the document needs `\usepackage{pgfplots}` and `\pgfplotsset{compat=1.16}` or newer.
///
/// # Errors
/// A series without points, or nothing that the axes have a place for.
pub fn to_pgfplots(figure: &Figure) -> Result<String, FigureError> {
    let prepared = prepare(figure)?;
    Ok(draw(&prepared, &layout(&prepared)))
}

/// The figure as a document of its own, of class `standalone`.
///
/// # Errors
/// See [`to_pgfplots`].
pub fn standalone(figure: &Figure) -> Result<String, FigureError> {
    Ok(document(&to_pgfplots(figure)?))
}

pub(super) fn document(tikz: &str) -> String {
    format!(
        "\\documentclass[border=1mm]{{standalone}}\n\\usepackage{{iftex}}\n\
         \\ifpdftex\\usepackage[T1]{{fontenc}}\\usepackage{{lmodern}}\\fi\n\
         \\usepackage{{pgfplots}}\n\\pgfplotsset{{compat=1.16}}\n{}\\begin{{document}}\n{tikz}\\end{{document}}\n",
        latex::cjk_preamble(tikz)
    )
}

pub(super) fn draw(prepared: &Prepared, layout: &Layout) -> String {
    let mut tex = String::new();
    // Writing to a String does not fail.
    let _ = write(&mut tex, prepared, layout);
    tex
}

fn write(tex: &mut String, prepared: &Prepared, layout: &Layout) -> std::fmt::Result {
    let figure = prepared.figure;
    let name = latex::label(&figure.name);
    writeln!(tex, "% Figure {name}, written by gradstudy.")?;
    writeln!(tex, "% \\usepackage{{pgfplots}} \\pgfplotsset{{compat=1.16}}")?;
    writeln!(tex, "% \\begin{{figure}}\\centering\\input{{{name}}}%")?;
    writeln!(
        tex,
        "%   \\caption{{{}}}\\label{{fig:{name}}}",
        latex::escape(&figure.caption)
    )?;
    writeln!(tex, "% \\end{{figure}}")?;
    for note in &prepared.notes {
        writeln!(tex, "% {}", latex::escape(note))?;
    }
    writeln!(tex, "\\begin{{tikzpicture}}")?;
    let mut colors: Vec<usize> = prepared
        .series
        .iter()
        .map(|it| it.series.color % super::COLORS.len())
        .collect();
    colors.sort_unstable();
    colors.dedup();
    for index in colors {
        writeln!(tex, "\\definecolor{{gs{index}}}{{HTML}}{{{}}}", hex(color(index)))?;
        writeln!(
            tex,
            "\\definecolor{{gs{index}fit}}{{HTML}}{{{}}}",
            hex(darker(color(index)))
        )?;
    }
    writeln!(tex, "\\begin{{axis}}[")?;
    writeln!(
        tex,
        "  scale only axis, width={:.1}mm, height={:.1}mm,",
        layout.frame.width(),
        layout.frame.height()
    )?;
    axis(tex, "x", &figure.x, &layout.x, &prepared.x)?;
    axis(tex, "y", &figure.y, &layout.y, &prepared.y)?;
    if layout.turned.is_some() {
        writeln!(tex, "  xticklabel style={{rotate=90, anchor=east}},")?;
    }
    tex.push_str(concat!(
        "  grid=both, major grid style={black!14}, minor grid style={black!6}, tick align=inside,\n",
        "  label style={font=\\footnotesize}, tick label style={font=\\scriptsize}, axis on top=false,\n",
        "  tick pos=left, scaled ticks=false, legend cell align=left,\n",
        // Else all markers would be drawn over all fitted lines.
        "  clip mode=individual,\n",
    ));
    if let Some(legend) = &layout.tex_legend {
        writeln!(tex, "  {},", legend_style(legend, layout.frame))?;
    }
    writeln!(tex, "]")?;
    for drawn in &prepared.series {
        series(tex, prepared, drawn)?;
    }
    for drawn in prepared.series.iter().filter(|drawn| !drawn.fit.is_empty()) {
        let style = format!(
            "gs{}fit, dashed, line width=0.8pt",
            drawn.series.color % super::COLORS.len()
        );
        plot(tex, &style, prepared, &drawn.fit, "")?;
    }
    for entry in layout.tex_legend.iter().flat_map(Legend::lines) {
        let Some(entry) = entry else {
            writeln!(tex, "\\addlegendimage{{empty legend}}\n\\addlegendentry{{}}")?;
            continue;
        };
        let sample = sample(&prepared.series[entry.series]);
        writeln!(tex, "\\addlegendimage{{legend image code/.code={{{sample}}}}}")?;
        writeln!(tex, "\\addlegendentry{{{}}}", entry.tex)?;
    }
    writeln!(tex, "\\end{{axis}}\n\\end{{tikzpicture}}")
}

fn axis(tex: &mut String, which: &str, axis: &Axis, ticks: &Ticks, range: &Range) -> std::fmt::Result {
    let mode = if axis.scale == Scale::Log { "log" } else { "normal" };
    let list = |values: &mut dyn Iterator<Item = f64>| {
        values
            .map(|value| format!("{:e}", written(range, value)))
            .collect::<Vec<_>>()
            .join(",")
    };
    let labels = ticks
        .major
        .iter()
        .map(|(_, label)| match axis.categories.is_empty() {
            true => tick_label(label),
            false => format!("{{{}}}", latex::prose(&label.text)),
        });
    let labels: Vec<String> = labels.collect();
    if let Scale::SymLog { decade } = axis.scale {
        writeln!(
            tex,
            "  % {which} is written as sign({which}) (1 + log10(|{which}|/1e{decade})) from 1e{decade} on, {which}/1e{decade} below.",
        )?;
    }
    writeln!(
        tex,
        "  {which}mode={mode}, {which}min={:e}, {which}max={:e},",
        written(range, range.value(0.0)),
        written(range, range.value(1.0))
    )?;
    writeln!(tex, "  {which}label={{{}}},", axis.label_tex)?;
    writeln!(
        tex,
        "  {which}tick={{{}}}, {which}ticklabels={{{}}},",
        list(&mut ticks.major.iter().map(|it| it.0)),
        labels.join(",")
    )?;
    writeln!(
        tex,
        "  minor {which}tick={{{}}},",
        list(&mut ticks.minor.iter().copied())
    )
}

/// The number that stands for `value`: pgfplots has no symmetric logarithm, so places on the axis are written.
fn written(range: &Range, value: f64) -> f64 {
    match range.scale {
        Scale::SymLog { .. } => range.scale.to_axis(value),
        Scale::Linear | Scale::Log => value,
    }
}

fn tick_label(label: &TickLabel) -> String {
    let text = label.text.replace('−', "-").replace('×', r"\times ");
    match &label.exponent {
        Some(exponent) => format!("{{${text}^{{{}}}$}}", exponent.replace('−', "-")),
        None => format!("{{${text}$}}"),
    }
}

fn legend_style(legend: &Legend, frame: Rect) -> String {
    let columns = legend.columns;
    let (at, anchor) = match legend.place {
        // Within the page, which the frame does not stand in the middle of.
        Place::Above => {
            let middle = (legend.rect.left + legend.rect.right) / 2.0;
            (((middle - frame.left) / frame.width(), 1.02), "south".to_string())
        }
        Place::Inside(u, v) => {
            let side = |at: f64, low: &str, high: &str| match at {
                at if at < 0.5 => low.to_string(),
                at if at > 0.5 => high.to_string(),
                _ => String::new(),
            };
            let anchor = format!("{} {}", side(v, "north", "south"), side(u, "west", "east"));
            let anchor = match anchor.trim() {
                "" => "center".to_string(),
                anchor => anchor.to_string(),
            };
            ((0.02 + 0.96 * u, 0.98 - 0.96 * v), anchor)
        }
    };
    format!(
        "legend columns={columns}, legend style={{font=\\scriptsize, draw=none, fill=white, \
         /tikz/every even column/.append style={{column sep=2mm}}, at={{({:.3},{:.3})}}, anchor={anchor}}}",
        at.0, at.1
    )
}

fn series(tex: &mut String, prepared: &Prepared, drawn: &Drawn) -> std::fmt::Result {
    let index = drawn.series.color;
    let color = format!("gs{}", index % super::COLORS.len());
    writeln!(tex, "% {}", latex::prose(&drawn.series.label))?;
    let low = drawn.band.iter().map(|(x, low, _)| (*x, *low));
    let high = drawn.band.iter().rev().map(|(x, _, high)| (*x, *high));
    let outline: Vec<_> = low.chain(high).collect();
    if !outline.is_empty() {
        plot(
            tex,
            &format!("draw=none, fill={color}, fill opacity=0.18"),
            prepared,
            &outline,
            " -- cycle",
        )?;
    }
    if drawn.line.len() > 1 {
        plot(
            tex,
            &format!("{color}, line width=0.8pt, line join=round"),
            prepared,
            &drawn.line,
            "",
        )?;
    }
    if !drawn.markers.is_empty() {
        let mark = marker(index).tex;
        let size = if mark.len() == 1 && mark != "*" { 1.8 } else { 1.4 };
        let style = format!("{color}, only marks, mark size={size}pt, mark={mark}");
        plot(tex, &style, prepared, &drawn.markers, "")?;
    }
    for level in &drawn.levels {
        let ends = [(prepared.x.value(0.0), *level), (prepared.x.value(1.0), *level)];
        let style = format!("{color}, dotted, line width=0.8pt");
        plot(tex, &style, prepared, &ends, "")?;
    }
    Ok(())
}

fn plot(
    tex: &mut String,
    style: &str,
    prepared: &Prepared,
    points: &[(f64, f64)],
    end: &str,
) -> std::fmt::Result {
    writeln!(tex, "\\addplot[{style}, forget plot] coordinates {{")?;
    for line in points.chunks(6) {
        let point = |(x, y): &(f64, f64)| {
            let (x, y) = (written(&prepared.x, *x), written(&prepared.y, *y));
            format!("({x:e},{y:e})")
        };
        let line: Vec<String> = line.iter().map(point).collect();
        writeln!(tex, "  {}", line.join(" "))?;
    }
    writeln!(tex, "}}{end};")
}

/// Drawing commands for the sample in the legend, 5 mm long.
fn sample(drawn: &Drawn) -> String {
    let (kind, index) = (drawn.series.kind, drawn.series.color);
    let color = format!("gs{}", index % super::COLORS.len());
    let mut code = String::new();
    let mut line = |style: &str| {
        code.push_str(&format!(
            "\\draw[{style}, line width=0.8pt] (0mm,0mm) -- (5mm,0mm);"
        ));
    };
    match kind {
        SeriesKind::Line | SeriesKind::LineWithPoints => line(&color),
        SeriesKind::HorizontalLine => line(&format!("{color}, dotted")),
        SeriesKind::Points => {}
    }
    if !drawn.fit.is_empty() {
        line(&format!("{color}fit, dashed"));
    }
    if matches!(kind, SeriesKind::Points | SeriesKind::LineWithPoints) {
        let mark = marker(index).tex;
        code.push_str(&format!(
            "\\draw[{color}, mark size=1.4pt, mark={mark}] plot coordinates {{(2.5mm,0mm)}};"
        ));
    }
    code
}
