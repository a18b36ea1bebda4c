//! Tests of normality of samples whose spread is far below their size (`tests/reference/stats/make_near_rounding.py`).

use gradstudy::stats::gaussianity::anderson_darling::anderson_darling;
use gradstudy::stats::gaussianity::chi_square::{Statistic, chi_square};
use gradstudy::stats::gaussianity::jarque_bera::jarque_bera;
use gradstudy::stats::gaussianity::lilliefors::lilliefors;
use gradstudy::stats::gaussianity::shapiro_wilk::shapiro_wilk;

use super::*;

type Test = fn(&[f64]) -> Result<Significance, Cause>;

const TESTS_OF_NORMALITY: [(&str, Test); 8] = [
    ("skewtest", skewtest),
    ("kurtosistest", kurtosistest),
    ("normaltest", normaltest),
    ("jarque_bera", jarque_bera),
    ("shapiro", shapiro_wilk),
    ("anderson", anderson_darling),
    ("lilliefors", lilliefors),
    ("chi_square", |sample| chi_square(sample, 10, Statistic::Pearson)),
];

fn samples() -> Vec<(serde_json::Value, Vec<f64>)> {
    let golden: serde_json::Value =
        serde_json::from_str(include_str!("../reference/stats/near_rounding.json")).expect("JSON");
    let samples = golden["samples"]
        .as_array()
        .expect("samples")
        .iter()
        .map(|sample| {
            let values = sample["values"].as_array().expect("values");
            let values = values
                .iter()
                .map(|x| x.as_str().and_then(|text| text.parse().ok()).expect("a number"))
                .collect();
            (sample.clone(), values)
        });
    samples.collect()
}

/// SciPy's numbers of the same values with their mean taken off in rational arithmetic.
#[test]
fn statistics_are_those_of_exactly_centred_samples() {
    let samples = samples();
    assert_eq!(samples.len(), 12);
    for (golden, values) in samples {
        for (name, test) in TESTS_OF_NORMALITY {
            let what = format!("{name} of {}", golden["name"]);
            let found = test(&values).unwrap_or_else(|cause| panic!("{what}: {cause:?}"));
            let (statistic, p) = match &golden[name] {
                serde_json::Value::Array(pair) => (pair[0].as_f64(), pair[1].as_f64()),
                single => (single.as_f64(), None),
            };
            let statistic = statistic.expect("a statistic");
            // SciPy's normal quantiles, of which W is made, have nine digits.
            let tolerance = if name == "shapiro" { 1e-8 } else { 1e-9 };
            let error = (found.statistic - statistic).abs() / statistic.abs().max(1.0);
            assert!(error < tolerance, "{what}: {found:?} {statistic}");
            if let Some(p) = p {
                assert!(
                    (found.p_value - p).abs() <= 1e3 * tolerance * p,
                    "{what}: {found:?} {p}"
                );
            }
            assert_eq!(
                Some(found.near_rounding),
                golden["few_digits"].as_bool(),
                "{what}"
            );
        }
    }
}

/// Two neighbouring numbers, whatever their size, are rounding and nothing else.
#[test]
fn neighbouring_numbers_have_no_verdict() {
    for at in [1.0f64, 7.9, -1e-300, 1e8, 3e17] {
        let next = f64::from_bits(at.to_bits() + 1);
        let wide: Vec<f64> = (0..100).map(|i| if i % 3 == 0 { at } else { next }).collect();
        let narrow = at as f32;
        let next = f32::from_bits(narrow.to_bits() + 1);
        let single: Vec<f64> = (0..100)
            .map(|i| f64::from(if i % 3 == 0 { narrow } else { next }))
            .collect();
        for (name, test) in TESTS_OF_NORMALITY {
            assert_eq!(test(&wide), Err(Cause::Rounding), "{name} {at}");
            // Whole float32 numbers are counts, which are exact; 1e-300 is zero there.
            if single.iter().any(|x| x.fract() != 0.0) && narrow.abs() > f32::MIN_POSITIVE {
                assert_eq!(test(&single), Err(Cause::Rounding), "{name} {at} in float32");
            }
        }
    }
}

/// Rows of G near their rounding are counted, with and without a verdict, along rows and columns and for one sample.
#[test]
fn samples_near_rounding_are_counted() {
    let (parameters, iterations) = (6, 64);
    let step = f64::from(f32::EPSILON);
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let rows: Vec<Vec<f64>> = (0..parameters)
        .map(|row| {
            let value = |t: usize, rng: &mut ChaCha8Rng| match row {
                0 => 1.0 + step * f64::from(t as u32 % 2),
                1 | 2 => 1.0 + step * (2.0 * gaussian(rng)).round(),
                3 => 4.0,
                _ => 1.0 + gaussian(rng),
            };
            (0..iterations)
                .map(|t| f64::from(value(t, &mut rng) as f32))
                .collect()
        })
        .collect();
    let values: Vec<f32> = (0..iterations)
        .flat_map(|t| rows.iter().map(move |row| row[t] as f32))
        .collect();
    let by_rows = HistoryView::new(&values, parameters, iterations);
    let turned: Vec<f32> = rows.iter().flatten().map(|&x| x as f32).collect();
    let by_columns = HistoryView::new(&turned, iterations, parameters);
    for test in TESTS {
        let mut args = default_args(test.signature());
        if args.get("points").is_none() {
            continue;
        }
        args.0.insert("points".into(), Value::Integer(60));
        let run = |view, direction| match watched(|monitor| test.run(view, direction, &args, 1, monitor)).0 {
            Some(Outcome::Normality(found)) => found,
            other => panic!("{other:?}"),
        };
        for found in [
            run(by_rows, Direction::Iteration),
            run(by_columns, Direction::Dimension),
        ] {
            let degenerate = found.acceptance.degenerate;
            assert_eq!((degenerate.rounding, degenerate.constant), (1, 1));
            assert_eq!(found.near_rounding, 2);
            assert_eq!(found.acceptance.tested, 6);
        }
        let one = watched(|monitor| test.run_sample(&rows[1], &args, 1, monitor)).0;
        assert!(matches!(one, Some(Outcome::Normality(found)) if found.near_rounding == 1));
    }
}
