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
use crate::stats::missing::MissingValues;
use crate::stats::monitor::Monitor;
use crate::stats::outcome::Outcome;
use crate::stats::sensitivity::Row;
use crate::study;
use crate::syntax::Source;

/// Bytes for each number of a sample while it is tested: the number, a test's own copies, and one of what is kept where
/// values are left out.
pub fn needed(calls: &[Call]) -> u64 {
    let drops = |call: &Call| MissingValues::of(&call.args) == MissingValues::Drop;
    let copies = if calls.iter().any(drops) { 5 } else { 4 };
    copies * size_of::<f64>() as u64
}
/// Bytes that the outcome of a sample takes until all are put together.
const OUTCOME: u64 = size_of::<Outcome>() as u64 + 64;
/// Neighbours that are picked together out of a block in which samples are not together.
const GROUP: usize = 16;
/// Bytes of a block beyond which more at a time is no faster.
const ENOUGH: u64 = 256 << 20;

/// How much is in memory at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizes {
    /// Samples that are read together.
    pub block: usize,
    /// Groups of samples that are tested at the same time.
    pub lanes: usize,
    /// Samples that are picked out of a block together.
    pub group: usize,
}

impl Sizes {
    /// For testing `count` samples of `matrix` by `calls` within `memory` bytes; `None` if not even one sample fits.
    pub fn new(matrix: &Matrix, along: Along, count: usize, calls: &[Call], memory: u64) -> Option<Self> {
        let (_, length) = matrix.samples(along);
        let sample = needed(calls) * length.max(1) as u64;
        if sample > memory {
            return None;
        }
        let together = matrix.lie_together(along);
        let lanes = (memory / 4 / sample).clamp(1, rayon::current_num_threads() as u64);
        // Each further sample of a group takes its numbers alone.
        let spare = (memory / 4 / lanes).saturating_sub(sample) / (8 * length.max(1) as u64);
        let group = if together {
            1
        } else {
            (1 + spare).min(GROUP as u64)
        };
        let working = lanes * (sample + (group - 1) * 8 * length as u64);
        let outcomes = OUTCOME * count as u64 * calls.len() as u64;
        let mut room = memory.saturating_sub(working + outcomes);
        if together {
            room = room.min(ENOUGH);
        }
        let block = room / matrix.block_bytes(along, 1).max(1);
        Some(Sizes {
            block: block.clamp(1, count.max(1) as u64) as usize,
            lanes: lanes as usize,
            group: group as usize,
        })
    }
}

/// What one matrix gave.
#[derive(Debug)]
pub struct Tested<'a> {
    pub matrix: &'a Matrix,
    pub along: Along,
    pub range: Range<usize>,
    pub tests: Vec<TestOf>,
    /// How the file was read, and what was not tested.
    pub remarks: Vec<String>,
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
            remarks: Vec::new(),
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
            return Err(TestError::TooFew {
                array: None,
                test: call.name.clone(),
                setting,
                wanted: *wanted as usize,
                size,
                remedy: remedy(call, setting, size),
            });
        }
    }
    Ok(())
}

/// A smaller setting that the test takes and `size` numbers suffice for, if there is one.
fn remedy(call: &Call, setting: &str, size: usize) -> String {
    let signature = test_kind(&call.name).signature();
    let smaller = (size / 2).max(1);
    let example = |number: usize| match setting {
        "tail" => format!("{}(tail: top({number}))", call.name),
        setting => format!("{}({setting}: {number})", call.name),
    };
    let possible = [smaller, size].into_iter().map(example).find(|example| {
        let source = Source::new("--test", example.as_str());
        study::call(&source, &[signature], "test", &["of", "along"]).is_ok()
    });
    match possible {
        Some(example) => format!("ask for fewer, such as --test \"{example}\""),
        None => format!("`{}` needs more: choose a larger array or sample", call.name),
    }
}

/// The outcomes of each of `calls` on each sample of `range`; the file is read once for each block of samples.
pub fn run(
    matrix: &Matrix,
    along: Along,
    range: Range<usize>,
    sizes: Sizes,
    calls: &[Call],
    seed: u64,
    cancel: &AtomicBool,
) -> Result<Vec<Vec<Outcome>>, TestError> {
    let monitor = Monitor {
        progress: &|_| (),
        cancel,
    };
    let test = |call: &Call, sample: &[f64], index: usize| {
        let seed = seed::derive(seed, &format!("test {} of sample {index}", call.name));
        test_kind(&call.name).run_sample(sample, &call.args, seed, &monitor)
    };
    let mut outcomes: Vec<Vec<Outcome>> = calls.iter().map(|_| Vec::with_capacity(range.len())).collect();
    let mut first = range.start;
    while first < range.end {
        let next = range.end.min(first.saturating_add(sizes.block));
        let block = matrix.block(along, first..next)?;
        let groups: Vec<Range<usize>> = (0..block.samples())
            .step_by(sizes.group)
            .map(|start| start..block.samples().min(start + sizes.group))
            .collect();
        let one = |values: &mut Vec<f64>, group: &Range<usize>| -> Option<Vec<Vec<Outcome>>> {
            if cancel.load(Ordering::Relaxed) {
                return None;
            }
            block.values(group.clone(), values);
            let samples = || values.chunks(block.length()).zip(group.clone());
            let of = |call| {
                samples()
                    .map(|(sample, i)| test(call, sample, first + i))
                    .collect()
            };
            calls.iter().map(of).collect()
        };
        // No more of them at a time than there is memory for.
        for groups in groups.chunks(lanes_at_a_time(sizes.lanes, groups.len())) {
            let found: Option<Vec<_>> = groups.par_iter().map_init(Vec::new, one).collect();
            for group in found.ok_or(TestError::Interrupted)? {
                for (all, found) in outcomes.iter_mut().zip(group) {
                    all.extend(found);
                }
            }
        }
        first = next;
    }
    Ok(outcomes)
}

/// Groups that may be handed to the threads at once: all where every thread may have one.
fn lanes_at_a_time(lanes: usize, groups: usize) -> usize {
    match lanes < rayon::current_num_threads() {
        true => lanes,
        false => groups.max(1),
    }
}
