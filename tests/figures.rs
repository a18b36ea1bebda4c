//! Figures in every format: what they show, what they leave out, and that nothing covers anything else.

#[path = "figures/glyphs.rs"]
mod glyphs;
#[path = "figures/latex.rs"]
mod latex;
#[path = "figures/look.rs"]
mod look;
#[path = "figures/samples.rs"]
pub mod samples;
#[path = "figures/thinning.rs"]
mod thinning;

use gradstudy::figures::{
    Axis, Figure, FigureError, FitLine, Series, SeriesKind, against, curve, documents, horizontal_line,
    in_order, rank_plot, to_csv, to_pdf, to_pgfplots, to_svg,
};
use gradstudy::stats::power_law::PowerLawFit;

use samples::{figures, rank_figure};

fn figure(series: Vec<Series>) -> Figure {
    Figure {
        name: "f".into(),
        caption: "Caption".into(),
        x: Axis::log("x"),
        y: Axis::log("y"),
        series,
        notes: Vec::new(),
    }
}

#[test]
fn ranks_fall_and_the_fit_is_the_fitted_quantile_function() {
    let values = [3.0, f64::NAN, 8.0, 1.0, 2.0];
    let tail = [8.0, 3.0, 2.0, 1.0];
    let fit = PowerLawFit::new(&tail, 1.0).expect("a tail above 1");
    let series = rank_plot("a", &values, Some(&fit), 0);
    assert_eq!(
        series.points[..4],
        [(1.0, 8.0), (2.0, 3.0), (3.0, 2.0), (4.0, 1.0)]
    );
    assert!(series.points[4].1.is_nan());
    let line = series.fit.expect("given");
    assert_eq!((line.from, line.to), (1.0, 4.0));
    // 1 − F*(x) is the share of the K values above x, so the line crosses rank k where K (1 − F*(x)) = k.
    for k in [1.0, 2.0, 4.0] {
        assert!((4.0 * (1.0 - fit.cdf(line.at(k))) - k).abs() < 1e-12, "rank {k}");
    }
    // Closed form: s = Σ ln(x/x_min) / K = ln 48 / 4.
    assert!((line.exponent - 48f64.ln() / 4.0).abs() < 1e-15);
    assert_eq!(line.label, "ŝ = 0.97");
    assert_eq!(
        in_order("b", &[1.0, 5.0], None, 0).points,
        [(1.0, 1.0), (2.0, 5.0)]
    );
}

#[test]
fn statistics_have_the_mean_and_a_band_of_one_standard_deviation() {
    let series = against(
        "r",
        &[
            (10.0, vec![0.5, 0.7, f64::NAN, 0.9]),
            (1.0, vec![0.25]),
            (3.0, vec![f64::NAN]),
        ],
        0,
    );
    assert_eq!(series.points[0], (1.0, 0.25));
    assert!(
        series.points[1].1.is_nan(),
        "a level without a value keeps its place"
    );
    assert!((series.points[2].1 - 0.7).abs() < 1e-15);
    let band = series.band.expect("three seeds");
    assert_eq!(band[0], (0.25, 0.25));
    // Sample standard deviation of 0.5, 0.7, 0.9: 0.2.
    assert!(
        (band[2].0 - 0.5).abs() < 1e-12 && (band[2].1 - 0.9).abs() < 1e-12,
        "{band:?}"
    );
    let one_seed = against("one seed", &[(1.0, vec![0.5]), (2.0, vec![0.6])], 0);
    assert!(one_seed.band.is_none());
}

#[test]
fn what_a_logarithmic_axis_has_no_place_for_is_counted() {
    let values = [1e-3, 5.0, 0.0, -2.0, f64::NAN, f64::INFINITY];
    let drawing = documents(&figure(vec![in_order("gaps", &values, None, 0)])).expect("two points are left");
    assert_eq!(
        drawing.notes,
        [
            "Not drawn, gaps: 2 of 6 points are zero or negative, for which a logarithmic axis has no place; 2 of 6 \
          points are not finite."
        ]
    );
    // The marker in the legend is a third circle.
    assert_eq!(drawing.svg.matches("<circle").count(), 3);
    let csv = String::from_utf8(to_csv(&figure(vec![in_order("gaps", &values, None, 0)])).expect("CSV"))
        .expect("UTF-8");
    assert_eq!(csv.lines().count(), 7, "the data has all points");
    assert!(
        csv.contains("gaps,4,-2,,,") && csv.contains("gaps,5,,,,"),
        "{csv}"
    );
}

#[test]
fn a_series_of_which_nothing_is_left_does_not_take_the_others_down() {
    let drawing = documents(&figure(vec![
        in_order("zeros", &[0.0, 0.0], None, 0),
        in_order("fine", &[2.0], None, 1),
    ]))
    .expect("one series is left");
    assert!(
        drawing.notes[0].starts_with("Not drawn, zeros: 2 of 2 points"),
        "{:?}",
        drawing.notes
    );
    assert!(drawing.svg.contains("fine") && !drawing.svg.contains("zeros"));
    let nothing = to_svg(&figure(vec![in_order("zeros", &[0.0], None, 0)])).expect_err("nothing is left");
    assert!(matches!(nothing, FigureError::NothingToDraw { .. }), "{nothing}");
    assert!(nothing.to_string().contains("zero or negative"), "{nothing}");
}

#[test]
fn figures_without_data_are_errors_with_a_remedy() {
    let empty = to_svg(&figure(Vec::new())).expect_err("no series");
    assert_eq!(empty, FigureError::NoSeries { figure: "f".into() });
    let error = to_pgfplots(&figure(vec![curve("none", &[], 0)])).expect_err("no points");
    assert_eq!(error.to_string(), "series `none` of figure `f` has no points");
    assert!(miette::Diagnostic::help(&error).is_some());
    let mut banded = curve("b", &[(1.0, 1.0)], 0);
    banded.band = Some(Vec::new());
    assert!(matches!(
        to_svg(&figure(vec![banded])),
        Err(FigureError::Band {
            points: 1,
            band: 0,
            ..
        })
    ));
}

#[test]
fn any_numbers_are_drawn_or_refused() {
    let awkward = [
        vec![(1.0, 1.0)],
        vec![(1.0, f64::MAX), (2.0, f64::MIN_POSITIVE)],
        vec![(0.0, 0.0), (0.0, 0.0)],
        vec![(-1e300, 1e300), (1e299, -1e299)],
        vec![(1e-320, 1e-320), (1.0, 1.0)],
        vec![(1e9, 1e9 + 1e-6), (1e9 + 1.0, 1e9)],
    ];
    for points in awkward {
        for (x, y) in [
            (Axis::linear("x"), Axis::linear("y")),
            (Axis::log("x"), Axis::log("y")),
        ] {
            let mut series = curve("a", &points, 3);
            series.kind = SeriesKind::LineWithPoints;
            series.fit = Some(FitLine {
                exponent: 1e3,
                coefficient: 1e-3,
                from: 0.0,
                to: f64::INFINITY,
                label: "s".into(),
                label_tex: "s".into(),
            });
            let all = Figure {
                x,
                y,
                ..figure(vec![series])
            };
            match documents(&all) {
                Ok(drawing) => assert!(
                    !drawing.svg.contains("NaN") && !drawing.svg.contains("inf"),
                    "{points:?}"
                ),
                Err(error) => assert!(
                    matches!(error, FigureError::NothingToDraw { .. }),
                    "{points:?}: {error}"
                ),
            }
        }
    }
}

#[test]
fn the_same_figure_gives_the_same_bytes() {
    for figure in figures() {
        let (first, again) = (
            documents(&figure).expect("draws"),
            documents(&figure).expect("draws"),
        );
        for ((ending, one), (_, other)) in first.files.iter().zip(&again.files) {
            assert!(one == other, "{}{ending} differs", figure.name);
        }
        // What svg2pdf keeps in hash maps comes out in another order each time.
        let pdf = to_pdf(&figure.name, &first.svg).expect("converts");
        for _ in 0..10 {
            assert!(
                to_pdf(&figure.name, &first.svg).expect("converts") == pdf,
                "{}.pdf differs",
                figure.name
            );
        }
    }
}

#[test]
fn csv_has_every_point_with_band_and_fit() {
    let figure = rank_figure("ranks", 5000, 1000);
    let csv = String::from_utf8(to_csv(&figure).expect("CSV")).expect("UTF-8");
    assert_eq!(csv.lines().count(), 1 + 5 * 5000);
    let mut lines = csv.lines().skip(1);
    let first: Vec<&str> = lines.next().expect("a line").split(',').collect();
    let (series, fit) = (&figure.series[0], figure.series[0].fit.as_ref().expect("fitted"));
    // The label has a comma, so it stands in quotation marks.
    assert_eq!(first[..2], ["\"LeNet", " MNIST\""]);
    assert_eq!(first[3].parse::<f64>().expect("y"), series.points[0].1);
    assert_eq!(first[6].parse::<f64>().expect("fit"), fit.at(1.0));
    assert!(
        lines.nth(1500).expect("rank 1502").ends_with(','),
        "beyond the fitted ranks there is no fit"
    );
}

#[test]
fn a_horizontal_line_stands_for_a_value_not_for_a_point() {
    let points = curve("d_ks", &[(1.0, 0.02), (100.0, 0.03)], 0);
    let with = figure(vec![points, horizontal_line("d_c", 0.043, 6)]);
    let csv = String::from_utf8(to_csv(&with).expect("CSV")).expect("UTF-8");
    assert!(csv.ends_with("d_c,,0.043,,,\n"), "{csv}");
    // The axis reaches it, and x = 0 does not pull the logarithmic x axis anywhere.
    assert!(documents(&with).expect("draws").notes.is_empty());
}
