//! The tests against SciPy, powerlaw, closed forms, plainer code and simulation; reference values come from
//! `tests/reference/stats/make_golden.py`.

mod alternatives;
mod centring;
mod consistency;
mod critical;
mod differences;
mod discrete;
mod discrete_bootstrap;
mod gaussianity;
mod interval;
mod kernels;
mod many;
mod merge;
mod missing;
mod multiple;
mod normality;
mod power;
mod power_law;
mod remote;
mod tail_index;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use gradstudy::signature::{Args, Call, Default, Param, ParamType, Signature, Value};
use gradstudy::stats::TESTS;
use gradstudy::stats::degenerate::Cause;
use gradstudy::stats::history_view::HistoryView;
use gradstudy::stats::interval::wilson;
use gradstudy::stats::ks::{Ecdf, critical_distance, ks_distance};
use gradstudy::stats::ks_search::KsSearch;
use gradstudy::stats::many::{normality_samples, normality_test, power_law_samples, power_law_test};
use gradstudy::stats::monitor::Monitor;
use gradstudy::stats::normality::{NormalitySettings, Significance, kurtosistest, normaltest, skewtest};
use gradstudy::stats::outcome::{Direction, Outcome};
use gradstudy::stats::power_law::{PowerLawFit, PowerLawSettings, PowerLawTest};
use gradstudy::stats::sampling::Sampler;
use gradstudy::stats::select::Selector;
use gradstudy::stats::tail::TailRule;
use gradstudy::stats::tail_kernel::TailKernel;
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const GOLDEN: &str = include_str!("reference/stats/golden.json");
const BOTH: [Direction; 2] = [Direction::Dimension, Direction::Iteration];

fn golden() -> serde_json::Value {
    serde_json::from_str(GOLDEN).expect("golden.json is JSON")
}

fn top(k: usize) -> PowerLawSettings {
    PowerLawSettings {
        tail: TailRule::Top(k),
        ecdf: Ecdf::Left,
        alpha: 0.05,
        ..PowerLawSettings::default()
    }
}

/// A monitor that counts and never cancels, for the length of `body`.
fn watched<R>(body: impl FnOnce(&Monitor) -> R) -> (R, u64) {
    let (done, cancel) = (AtomicU64::new(0), AtomicBool::new(false));
    let progress = |count| {
        done.fetch_add(count, Ordering::Relaxed);
    };
    let result = body(&Monitor {
        progress: &progress,
        cancel: &cancel,
    });
    (result, done.into_inner())
}

fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    ((rng.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
}

/// The `index`-th number in (0, 1) of a stream, as the reference scripts have it: SplitMix64's output function.
fn split_mix(index: usize, stream: u64) -> f64 {
    let mut z = (index as u64 + (stream << 32) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / 2f64.powi(53) + 0.5 / 2f64.powi(53)
}

/// Standard normal by Box and Muller.
fn gaussian(rng: &mut ChaCha8Rng) -> f64 {
    (-2.0 * uniform(rng).ln()).sqrt() * (std::f64::consts::TAU * uniform(rng)).cos()
}

/// Quantiles of a power law from 1 on.
fn pareto(n: usize, beta: f64) -> Vec<f64> {
    (0..n)
        .map(|i| (1.0 - (i as f64 + 0.5) / n as f64).powf(-1.0 / (beta - 1.0)))
        .collect()
}

/// Gaussian rows of heavy-tailed scales, with degenerate ones among them, and its shape.
fn history(parameters: usize, iterations: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let scales: Vec<f64> = (0..parameters)
        .map(|i| {
            if i % 9 == 0 {
                0.0
            } else {
                uniform(&mut rng).powf(-0.7) * 1e-3
            }
        })
        .collect();
    let mut values = Vec::with_capacity(parameters * iterations);
    for _ in 0..iterations {
        values.extend(scales.iter().map(|scale| (scale * gaussian(&mut rng)) as f32));
    }
    for t in 0..iterations {
        let column = &mut values[t * parameters..][..parameters];
        column[1] = -2.5;
        column[2] = if t % 2 == 0 { 3.0 } else { -3.0 };
        column[3] = if t == 7 { f32::NAN } else { column[3] };
        column[4] = if t % 50 == 0 { 1.0 + t as f32 } else { 0.0 };
        column[5] = if t == iterations - 1 {
            f32::NEG_INFINITY
        } else {
            column[5]
        };
        column[6] = f32::from_bits(1 + (t as u32 * 7919) % 1000);
    }
    values
}

fn call(name: &str, args: &[(&str, Value)]) -> Call {
    let args = args
        .iter()
        .map(|(name, value)| (name.to_string(), value.clone()))
        .collect();
    Call {
        name: name.into(),
        args: Args(args),
    }
}

/// The arguments of a call that says nothing; lists and references are left out, as the tests never see them.
fn default_args(signature: &Signature) -> Args {
    default_args_of(signature.params, &[])
}

fn default_args_of(params: &[Param], given: &[&str]) -> Args {
    let mut args = Args::default();
    for (i, param) in params.iter().enumerate() {
        let text = match (given.get(i), &param.default) {
            (Some(text), _) => text,
            (None, Default::Text(text)) => *text,
            (None, _) => continue,
        };
        let value = match &param.ty {
            ParamType::Integer { .. } | ParamType::IntegerOr { .. } => {
                Value::Integer(text.parse().expect("a whole number"))
            }
            ParamType::Number { .. } => Value::Number(text.parse().expect("a number")),
            ParamType::Boolean => Value::Boolean(text == "true"),
            ParamType::Text | ParamType::TextOr(_) | ParamType::Word(_) => Value::Text(text.to_string()),
            ParamType::Path => Value::File(text.to_string().into()),
            ParamType::Labelled | ParamType::Layers(_) => panic!("no test takes labelled texts or layers"),
            ParamType::Call(signatures) => {
                let (name, inner) = text.split_once('(').unwrap_or((text, ")"));
                let given: Vec<&str> = inner
                    .trim_end_matches(')')
                    .split(", ")
                    .filter(|text| !text.is_empty())
                    .collect();
                let signature = signatures
                    .iter()
                    .find(|signature| signature.name == name)
                    .expect("a name");
                Value::Call(Call {
                    name: name.to_string(),
                    args: default_args_of(signature.params, &given),
                })
            }
            ParamType::List(ParamType::Word(_)) if param.name != "along" => {
                let words = text.trim_matches(['[', ']']).split(", ");
                Value::List(words.map(|word| Value::Text(word.to_string())).collect())
            }
            ParamType::List(_) | ParamType::Reference(_) => continue,
        };
        args.0.insert(param.name.to_string(), value);
    }
    args
}

/// Equal but for rounding of numbers.
#[track_caller]
fn near(what: &str, left: &serde_json::Value, right: &serde_json::Value) {
    use serde_json::Value::{Array, Number, Object};
    match (left, right) {
        (Object(left), Object(right)) => {
            assert!(left.keys().eq(right.keys()), "{what}");
            left.iter()
                .for_each(|(key, value)| near(&format!("{what}.{key}"), value, &right[key]));
        }
        (Array(left), Array(right)) => {
            assert_eq!(left.len(), right.len(), "{what}");
            left.iter()
                .zip(right)
                .for_each(|(left, right)| near(what, left, right));
        }
        (Number(left), Number(right)) => {
            let [left, right] = [left, right].map(|number| number.as_f64().expect("a float"));
            assert!(
                (left - right).abs() <= 1e-12 * left.abs(),
                "{what}: {left} {right}"
            );
        }
        _ => assert_eq!(left, right, "{what}"),
    }
}
