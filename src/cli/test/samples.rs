//! Samples of a matrix, block by block, through one test.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::error::TestError;
use crate::arrays::{Along, Matrix};
use crate::plan::test_kind;
use crate::seed;
use crate::signature::{Call, Value};
use crate::stats::merge::merge;
use crate::stats::monitor::Monitor;
use crate::stats::outcome::Outcome;
use crate::stats::sensitivity::Row;

/// Bytes for each number of a sample while it is tested: in its block, and in a test's own copies.
pub const NEEDED: u64 = 4 * size_of::<f64>() as u64;

/// Samples of `size` numbers that are in memory at a time; `None` if not even one may be.
pub fn block(size: usize, memory: u64) -> Option<usize> {
    let samples = memory / (NEEDED * size.max(1) as u64);
    (samples > 0).then_some(usize::try_from(samples).unwrap_or(usize::MAX))
}

/// What one matrix gave.
#[derive(Debug)]
pub struct Tested<'a> {
    pub matrix: &'a Matrix,
    pub along: Along,
    pub range: Range<usize>,
    pub tests: Vec<TestOf>,
    pub sensitivity: Option<Vec<Row>>,
}

/// One test of one matrix.
#[derive(Debug)]
pub struct TestOf {
    pub call: Call,
    pub outcome: Outcome,
    /// One for each sample, in order.
    pub each: Vec<Outcome>,
}

impl<'a> Tested<'a> {
    pub fn new(matrix: &'a Matrix, along: Along, range: Range<usize>) -> Self {
        Tested {
            matrix,
            along,
            range,
            tests: Vec::new(),
            sensitivity: None,
        }
    }

    /// Adds a test's outcomes, one for each sample.
    pub fn add(&mut self, call: &Call, each: Vec<Outcome>) -> Result<(), TestError> {
        let outcome = merge(&each, call).ok_or_else(|| TestError::Together {
            test: call.name.clone(),
        })?;
        self.tests.push(TestOf {
            call: call.clone(),
            outcome,
            each,
        });
        Ok(())
    }
}

/// An error if samples of `size` numbers are too short for the call, so that all would be degenerate.
pub fn fits(call: &Call, size: usize) -> Result<(), TestError> {
    if call.name == "correlation" {
        return Err(TestError::Together {
            test: call.name.clone(),
        });
    }
    let mut wanted = vec![("points", call.args.get("points")), ("k", call.args.get("k"))];
    if let Some(Value::Call(tail)) = call.args.get("tail") {
        wanted.push(match tail.name.as_str() {
            "scan" => ("tail", tail.args.get("at_least")),
            _ => ("tail", tail.args.get("k")),
        });
    }
    for (setting, value) in wanted {
        if let Some(Value::Integer(wanted)) = value
            && *wanted as usize > size
        {
            let smaller = (size / 2).max(1);
            let example = match setting {
                "tail" => format!("{}(tail: top({smaller}))", call.name),
                setting => format!("{}({setting}: {smaller})", call.name),
            };
            return Err(TestError::TooFew {
                test: call.name.clone(),
                setting,
                wanted: *wanted as usize,
                size,
                remedy: format!("ask for fewer, such as --test \"{example}\""),
            });
        }
    }
    Ok(())
}

/// The outcome of each sample of `range`, `block` of them in memory at a time.
pub fn run(
    matrix: &Matrix,
    along: Along,
    range: Range<usize>,
    block: usize,
    call: &Call,
    seed: u64,
    cancel: &AtomicBool,
) -> Result<Vec<Outcome>, TestError> {
    let kind = test_kind(&call.name);
    let (_, size) = matrix.samples(along);
    let monitor = Monitor {
        progress: &|_| (),
        cancel,
    };
    let (mut outcomes, mut values) = (Vec::with_capacity(range.len()), Vec::new());
    let mut first = range.start;
    while first < range.end {
        let next = range.end.min(first.saturating_add(block));
        matrix.read(along, first..next, &mut values);
        let found: Option<Vec<Outcome>> = values
            .par_chunks(size)
            .enumerate()
            .map(|(i, sample)| {
                if cancel.load(Ordering::Relaxed) {
                    return None;
                }
                let seed = seed::derive(seed, &format!("test {} of sample {}", call.name, first + i));
                kind.run_sample(sample, &call.args, seed, &monitor)
            })
            .collect();
        outcomes.extend(found.ok_or(TestError::Interrupted)?);
        first = next;
    }
    Ok(outcomes)
}
