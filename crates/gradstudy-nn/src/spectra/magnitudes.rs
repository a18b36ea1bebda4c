//! Magnitudes of one gradient or of one parameter's history, by rank (the paper's Figures 1 and 3).

use super::{Input, OF_RECORD, Spectrum, SpectrumError, SpectrumKind, SpectrumMethod, TOP};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};
use gradstudy_stats::history_view::HistoryView;
use gradstudy_stats::monitor::Monitor;
use gradstudy_stats::outcome::Direction;

/// `magnitudes(g, along: dimension, index: 0, top: 1000)`
pub static SIGNATURE: Signature = Signature {
    name: "magnitudes",
    summary: "largest absolute values of one column or one row of G",
    params: &[
        OF_RECORD,
        Param {
            name: "along",
            ty: ParamType::Word(&["dimension", "iteration"]),
            default: Default::Text("dimension"),
            doc: "`dimension`: one iteration's gradient, a column; `iteration`: one parameter's history, a row",
        },
        Param {
            name: "index",
            ty: ParamType::Integer { min: 0, max: 1 << 40 },
            default: Default::Text("0"),
            doc: "which iteration, or which parameter in the order of θ; from 0",
        },
        Param {
            doc: "how many of the largest are kept; the paper's tests take 1000",
            ..TOP
        },
    ],
    version: 1,
};

/// The magnitudes as a study names them.
#[derive(Debug)]
pub struct Magnitudes;

impl SpectrumMethod for Magnitudes {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn needs_values(&self) -> bool {
        true
    }

    fn run(&self, input: Input, args: &Args, _monitor: &Monitor) -> Option<Result<Spectrum, SpectrumError>> {
        let Input::History { view, .. } = input else {
            panic!("magnitudes are made from a history, their signature promised one");
        };
        let direction = match args.text("along") {
            "iteration" => Direction::Iteration,
            _ => Direction::Dimension,
        };
        let (index, top) = (args.integer("index") as u64, args.integer("top") as u64);
        Some(magnitudes(view, direction, index, top))
    }

    fn about(&self, args: &Args) -> String {
        format!("{}-wise magnitudes", args.text("along"))
    }

    fn seconds(&self, _args: &Args, parameters: u64, iterations: u64) -> f64 {
        1e-7 * parameters.max(iterations) as f64
    }

    fn bytes(&self, parameters: u64, iterations: u64) -> u64 {
        8 * parameters.max(iterations)
    }
}

/// The `top` largest absolute values of column or row `index`, descending. Trace and square trace are Σ|x| and Σx²
/// over the whole column or row.
pub fn magnitudes(
    view: HistoryView,
    direction: Direction,
    index: u64,
    top: u64,
) -> Result<Spectrum, SpectrumError> {
    let (n, t) = (view.parameters as u64, view.iterations as u64);
    let (what, count, size) = match direction {
        Direction::Iteration => ("parameter", n, t),
        _ => ("iteration", t, n),
    };
    if index >= count {
        return Err(SpectrumError::Index { what, index, count });
    }
    if top > size {
        return Err(SpectrumError::TopAboveSize { top, size, what });
    }
    let at = index as usize;
    let sample: Vec<f32> = match direction {
        Direction::Iteration => (0..view.iterations).map(|t| view.column(t)[at]).collect(),
        _ => view.column(at).to_vec(),
    };
    if let Some((position, value)) = sample.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        let (parameter, iteration) = match direction {
            Direction::Iteration => (index, position as u64),
            _ => (position as u64, index),
        };
        return Err(SpectrumError::NotFinite {
            parameter,
            iteration,
            value: *value,
        });
    }
    let mut values: Vec<f64> = sample.iter().map(|value| f64::from(value.abs())).collect();
    let (trace, square_trace) = (values.iter().sum(), values.iter().map(|x| x * x).sum());
    values.sort_unstable_by(|a, b| b.total_cmp(a));
    values.truncate(top as usize);
    Ok(Spectrum {
        kind: SpectrumKind::Magnitudes,
        values,
        order: size,
        rank_bound: size,
        parameters: n,
        samples: t,
        trace,
        square_trace,
        accuracy: 0.0,
        residuals: None,
        converged: None,
        sketch: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// G of three parameters and four iterations.
    const G: [f32; 12] = [1.0, -5.0, 0.0, -2.0, 4.0, 0.5, 3.0, -1.0, 0.25, -8.0, 2.0, 0.125];

    #[test]
    fn a_column_and_a_row_by_size() {
        let view = HistoryView::new(&G, 3, 4);
        let column = magnitudes(view, Direction::Dimension, 1, 3).unwrap();
        assert_eq!(column.values, [4.0, 2.0, 0.5]);
        assert_eq!((column.trace, column.square_trace, column.order), (6.5, 20.25, 3));
        let row = magnitudes(view, Direction::Iteration, 1, 2).unwrap();
        assert_eq!(row.values, [5.0, 4.0]);
        assert_eq!((row.trace, row.square_trace, row.order), (12.0, 46.0, 4));
        assert!(row.has_three_digits());
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        let view = HistoryView::new(&G, 3, 4);
        let of = |direction, index, top| magnitudes(view, direction, index, top).unwrap_err().to_string();
        assert!(of(Direction::Dimension, 4, 1).contains("iteration 4"));
        assert!(of(Direction::Iteration, 3, 1).contains("parameter 3"));
        assert!(of(Direction::Iteration, 0, 5).contains("has 4"));
        let mut broken = G;
        broken[4] = f32::NAN;
        let broken = HistoryView::new(&broken, 3, 4);
        let error = magnitudes(broken, Direction::Iteration, 1, 2).unwrap_err();
        assert!(
            matches!(
                error,
                SpectrumError::NotFinite {
                    parameter: 1,
                    iteration: 1,
                    ..
                }
            ),
            "{error}"
        );
        assert!(
            magnitudes(broken, Direction::Dimension, 0, 2).is_ok(),
            "another gradient"
        );
    }
}
