//! Statistics of tests against a number or a name, such as rates against the batch size: Figure 2.

mod places;

use indexmap::{IndexMap, IndexSet};
use places::Places;

use super::curves::{Identity, group, words};
use super::scales::{self, Wish};
use super::{FigureKind, PlotError, caption};
use crate::figures::{self, Axis, Figure, Series};
use crate::report::number::Format;
use crate::report::{ColumnKind, column, quantity};
use crate::results::{Measurement, Results, Spectra};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};
use gradstudy_lang::study::FigureSpec;

/// See the module's documentation.
pub struct Rates;

static SIGNATURE: Signature = Signature {
    name: "rates",
    summary: "statistics of tests, such as rates, against a number such as the batch size, or against names",
    params: &[
        Param {
            name: "of",
            ty: ParamType::List(&ParamType::Reference(&["test"])),
            default: Default::Required,
            doc: "the tests shown",
        },
        Param {
            name: "against",
            ty: ParamType::Word(&[]),
            default: Default::Text("batch"),
            doc: "the row key, factor or column of the training of the horizontal axis; labels that are no numbers stand side by \
                  side",
        },
        Param {
            name: "show",
            ty: ParamType::List(&ParamType::Word(&[])),
            default: Default::Text("[power_law_rate, gaussian_rate]"),
            doc: "the statistics shown: columns of tables that the tests give, all of one quantity",
        },
        Param {
            name: "curves",
            ty: ParamType::List(&ParamType::Word(&[])),
            default: Default::Absent,
            doc: "row keys and factors that name the curves; what else tells them apart is added",
        },
        Param {
            name: "x",
            ty: SCALE,
            default: Default::Absent,
            doc: "scale of the horizontal axis; without it, logarithmic where numbers above zero span a decade",
        },
        Param {
            name: "y",
            ty: SCALE,
            default: Default::Absent,
            doc: "scale of the vertical axis; without it, logarithmic for p-values over a decade, others over two",
        },
    ],
    version: 1,
};

const SCALE: ParamType = ParamType::Word(&["log", "linear"]);

impl FigureKind for Rates {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn draw(&self, spec: &FigureSpec, results: &Results, _spectra: &Spectra) -> Result<Figure, PlotError> {
        let args = &spec.call.args;
        let of = args.texts("of");
        let of_tests = results.measurements.iter();
        let shown: Vec<&Measurement> = of_tests.filter(|it| of.contains(&it.test.as_str())).collect();
        let (columns, mut notes) = columns(spec, &shown)?;
        let places = Places::of(spec, &shown)?;
        let shown = distinct(&shown, &places);
        let shown: Vec<&Measurement> = shown.iter().collect();
        let curves = curves(&shown, &columns, args);
        let mut series: Vec<Series> = Vec::new();
        for curve in &curves {
            let points = curve.points(&places);
            notes.extend(curve.without_value(&places, &points));
            series.push(figures::against(&curve.label, &points, series.len()));
        }
        let heights = series.iter().flat_map(|it| it.points.iter().map(|point| point.1));
        let y = vertical(&columns, wish(args, "y"), heights.collect());
        notes.extend(scales::note(&places.axis, "horizontal"));
        notes.extend(scales::note(&y, "vertical"));
        Ok(Figure {
            name: spec.name.clone(),
            caption: caption(spec, results, shown.iter().map(|it| &it.subject)),
            x: places.axis,
            y,
            series,
            notes,
        })
    }
}

fn wish(args: &Args, axis: &str) -> Wish {
    match args.get(axis).map(|_| args.text(axis)) {
        Some("log") => Wish::Log,
        Some(_) => Wish::Linear,
        None => Wish::Any,
    }
}

/// The columns that are shown and a result has, and notes on those that none has.
fn columns(
    spec: &FigureSpec,
    shown: &[&Measurement],
) -> Result<(Vec<&'static ColumnKind>, Vec<String>), PlotError> {
    let args = &spec.call.args;
    let find = |name: &str| {
        column(name).ok_or_else(|| PlotError::Unknown {
            figure: spec.name.clone(),
            what: format!("the column `{name}`"),
        })
    };
    let columns = args
        .texts("show")
        .into_iter()
        .map(find)
        .collect::<Result<Vec<_>, _>>()?;
    if shown.is_empty() {
        return Err(PlotError::Empty {
            figure: spec.name.clone(),
            of: args.texts("of").join(", "),
        });
    }
    let (given, lacking): (Vec<&ColumnKind>, Vec<_>) = columns
        .into_iter()
        .partition(|column| shown.iter().any(|it| column.of(it).is_some()));
    // Where no result has any of them, such as outliers among five eigenvalues, the drawing says so of each curve.
    if given.is_empty() {
        return Ok((lacking, Vec::new()));
    }
    let not_asked = |column: &&ColumnKind| USUAL.contains(&column.name);
    let lacking = lacking.into_iter().filter(|column| !not_asked(column));
    let notes = lacking.map(|column| format!("Not drawn: no result has a value of {}.", column.heading));
    Ok((given, notes.collect()))
}

/// What is shown where the study names nothing: of most tests only one of the two is known.
const USUAL: [&str; 2] = ["power_law_rate", "gaussian_rate"];

/// Each measurement once for its place on the axis. One that does not depend on a factor is listed for each of its
/// levels; of those the levels are left that all of them share, so that the factor names no curve of it.
fn distinct(shown: &[&Measurement], places: &Places) -> Vec<Measurement> {
    let mut found: IndexMap<(&str, &str, u64, String), Measurement> = IndexMap::new();
    for it in shown {
        let key = (it.test.as_str(), it.step.as_str(), it.seed, places.at(it).1);
        let first = found.entry(key).or_insert_with(|| (*it).clone());
        first.levels.retain(|level| it.levels.contains(level));
    }
    found.into_values().collect()
}

/// Measurements of one column under one name.
struct Curve<'a> {
    label: String,
    column: &'static ColumnKind,
    measurements: Vec<&'a Measurement>,
}

/// One curve for each condition, column and test that gives it; the name says what tells it from the others.
fn curves<'a>(shown: &'a [&'a Measurement], columns: &[&'static ColumnKind], args: &Args) -> Vec<Curve<'a>> {
    let has = |column: &ColumnKind, it: &Measurement| column.of(it).is_some();
    let none = !columns
        .iter()
        .any(|column| shown.iter().any(|it| has(column, it)));
    let gives = |column: &ColumnKind, test: &str| {
        let mut of_test = shown.iter().filter(|it| it.test == test);
        none || of_test.any(|it| has(column, it))
    };
    let shows = |it: &&Measurement| columns.iter().any(|column| gives(column, &it.test));
    let shown: Vec<&Measurement> = shown.iter().copied().filter(shows).collect();
    let mut curves = Vec::new();
    let named: Vec<(String, Vec<&Measurement>)> = {
        let groups = group(
            &shown,
            |it| identity(it),
            &words(args, "curves"),
            Some(args.text("against")),
        );
        let own = groups.into_iter();
        own.map(|(label, group)| (label, group.into_iter().copied().collect()))
            .collect()
    };
    for (label, group) in named {
        for column in columns {
            let tests: IndexSet<&str> = group.iter().map(|it| it.test.as_str()).collect();
            let mut tests: Vec<&str> = tests.into_iter().filter(|test| gives(column, test)).collect();
            if column.training.is_some() {
                // One number, whatever was tested.
                tests.truncate(1);
            }
            for test in &tests {
                let mut name = match columns.len() {
                    1 => label.clone(),
                    // Nothing tells its conditions apart: the test's name would say nothing either.
                    _ if label == *test => column.heading.to_string(),
                    _ => format!("{label}: {}", column.heading),
                };
                if tests.len() > 1 {
                    name = format!("{name} ({test})");
                }
                curves.push(Curve {
                    label: name,
                    column,
                    measurements: group.iter().copied().filter(|it| it.test == *test).collect(),
                });
            }
        }
    }
    curves
}

impl Curve<'_> {
    /// For each place the values of all seeds; NaN where a measurement has none.
    fn points(&self, places: &Places) -> Vec<(f64, Vec<f64>)> {
        let mut levels: IndexMap<String, (f64, Vec<f64>)> = IndexMap::new();
        for it in &self.measurements {
            let (x, label) = places.at(it);
            let value = self.column.of(it).unwrap_or(f64::NAN);
            levels.entry(label).or_insert((x, Vec::new())).1.push(value);
        }
        levels.into_values().collect()
    }

    /// Says where only some seeds have a value: the mean is that of the others. Points without any are told of by the
    /// drawing.
    fn without_value(&self, places: &Places, points: &[(f64, Vec<f64>)]) -> Option<String> {
        let some = points.iter().filter_map(|(x, values)| {
            let lacking = values.iter().filter(|value| !value.is_finite()).count();
            let label = places.by_label.iter().find(|(_, at)| *at == x)?.0;
            let some = lacking > 0 && lacking < values.len();
            some.then(|| format!("{} = {label}: {lacking} of {} seeds", places.key, values.len()))
        });
        let some: Vec<String> = some.collect();
        (!some.is_empty()).then(|| format!("Without a value, {}: {}.", self.label, some.join("; ")))
    }
}

/// The vertical axis: the statistic's symbol and unit as tables print them, for several their quantity.
fn vertical(columns: &[&'static ColumnKind], wish: Wish, heights: Vec<f64>) -> Axis {
    let first = columns[0];
    let (label, tex) = match columns {
        [one] => (one.heading.to_string(), one.heading_tex.to_string()),
        _ => {
            let name = quantity(first).to_string();
            let tex = crate::report::latex::prose(&name);
            (name, tex)
        }
    };
    let (unit, percent) = match first.format {
        Format::Percent(_) => (" (%)", true),
        Format::Verdict => (" (% yes)", true),
        _ => ("", false),
    };
    let axis = match (percent, wish) {
        (true, Wish::Any | Wish::Linear) => Axis::rate(""),
        (true, Wish::Log) => Axis {
            scale: wish.scale(&heights, 1.0),
            reach: None,
            ..Axis::rate("")
        },
        (false, _) => {
            let decades = match first.format {
                Format::PValue(_) => 10.0,
                _ => 100.0,
            };
            Axis {
                scale: wish.scale(&heights, decades),
                ..Axis::linear("")
            }
        }
    };
    Axis {
        label: format!("{label}{unit}"),
        label_tex: tex + &unit.replace('%', r"\%"),
        ..axis
    }
}

fn identity<'a>(measurement: &'a &Measurement) -> Identity<'a> {
    Identity {
        name: &measurement.test,
        subject: &measurement.subject,
        levels: &measurement.levels,
        direction: measurement.direction,
    }
}
