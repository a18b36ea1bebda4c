//! Units put into tasks of about one length, and tasks into arrays of one need.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use serde::{Deserialize, Serialize};

/// What of a unit decides where it goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    /// The unit's number.
    pub unit: usize,
    pub wave: usize,
    /// Whether it needs a GPU.
    pub gpu: bool,
    /// Its memory class, in MB.
    pub memory: u64,
    /// By estimate.
    pub seconds: f64,
}

/// Units that one process makes, one after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Numbers of its units.
    pub units: Vec<usize>,
    /// Counts the times that the study was submitted, from 1.
    pub round: u32,
    pub wave: usize,
    pub gpu: bool,
    /// Its memory class, in MB.
    pub memory: u64,
    /// By estimate.
    pub seconds: f64,
}

/// Tasks of one need, next to each other, that one call of a scheduler can begin.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    pub wave: usize,
    pub gpu: bool,
    /// In MB.
    pub memory: u64,
    /// Number of the first task.
    pub first: usize,
    pub tasks: usize,
    /// Of the longest task.
    pub seconds: f64,
}

/// The smallest memory class, in MB: less than this is not worth telling apart.
const SMALLEST: u64 = 512;

/// The class of `bytes`: 1.25 times as much, up to a power of two, in MB (2²⁰ bytes, as schedulers count).
pub fn memory_class(bytes: u64) -> u64 {
    let megabytes = (bytes as f64 * 1.25 / f64::from(1 << 20)).ceil() as u64;
    megabytes.next_power_of_two().max(SMALLEST)
}

/// `pieces` in tasks of one wave, device and memory class, each of about `seconds`; the longest pieces are placed first, each
/// in the task with the least work. Tasks come in the order of waves, devices and classes.
pub fn pack(pieces: &[Piece], seconds: f64, round: u32) -> Vec<Task> {
    let mut groups: BTreeMap<(usize, bool, u64), Vec<Piece>> = BTreeMap::new();
    for piece in pieces {
        let group = (piece.wave, piece.gpu, piece.memory);
        groups.entry(group).or_default().push(*piece);
    }
    let mut tasks = Vec::new();
    for ((wave, gpu, memory), pieces) in groups {
        for (units, seconds) in bins(pieces, seconds) {
            tasks.push(Task {
                units,
                round,
                wave,
                gpu,
                memory,
                seconds,
            });
        }
    }
    tasks
}

/// Units and seconds of each task.
fn bins(mut pieces: Vec<Piece>, target: f64) -> Vec<(Vec<usize>, f64)> {
    let by_length = |a: &Piece, b: &Piece| b.seconds.total_cmp(&a.seconds).then(a.unit.cmp(&b.unit));
    pieces.sort_by(by_length);
    let all: f64 = pieces.iter().map(|piece| piece.seconds).sum();
    let count = match target > 0.0 {
        true => ((all / target).ceil() as usize).clamp(1, pieces.len()),
        false => pieces.len(),
    };
    let mut bins = vec![(Vec::new(), 0.0); count];
    // The time in microseconds: whole numbers have an order.
    let mut least: BinaryHeap<Reverse<(u64, usize)>> = (0..count).map(|bin| Reverse((0, bin))).collect();
    for piece in pieces {
        let Some(Reverse((time, bin))) = least.pop() else {
            unreachable!("there is at least one task")
        };
        bins[bin].0.push(piece.unit);
        bins[bin].1 += piece.seconds;
        least.push(Reverse((time + (piece.seconds * 1e6) as u64 + 1, bin)));
    }
    // Units are made in the order of the study.
    bins.iter_mut().for_each(|(units, _)| units.sort_unstable());
    bins
}

/// Arrays of `tasks`, of which the first is number `first`, none of more than `most` indices; an index stands for `per_node`
/// tasks.
pub fn arrays(tasks: &[Task], first: usize, most: usize, per_node: usize) -> Vec<Array> {
    let most = most.max(1) * per_node.max(1);
    let mut arrays: Vec<Array> = Vec::new();
    for (place, task) in tasks.iter().enumerate() {
        let of_task = (task.wave, task.gpu, task.memory);
        match arrays.last_mut() {
            Some(array) if (array.wave, array.gpu, array.memory) == of_task && array.tasks < most => {
                array.tasks += 1;
                array.seconds = array.seconds.max(task.seconds);
            }
            _ => arrays.push(Array {
                wave: task.wave,
                gpu: task.gpu,
                memory: task.memory,
                first: first + place,
                tasks: 1,
                seconds: task.seconds,
            }),
        }
    }
    arrays
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn piece(unit: usize, wave: usize, memory: u64, seconds: f64) -> Piece {
        Piece {
            unit,
            wave,
            gpu: false,
            memory,
            seconds,
        }
    }

    #[test]
    fn classes_are_powers_of_two_of_five_quarters() {
        let mb = |megabytes: u64| memory_class(megabytes << 20);
        assert_eq!(
            (mb(1), mb(409), mb(410), mb(819), mb(820)),
            (512, 512, 1024, 1024, 2048)
        );
    }

    #[test]
    fn long_pieces_go_alone_and_short_ones_together() {
        let lengths = [100.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0];
        let pieces: Vec<Piece> = (0..)
            .zip(lengths)
            .map(|(unit, it)| piece(unit, 0, 512, it))
            .collect();
        let tasks = pack(&pieces, 60.0, 1);
        let units: Vec<_> = tasks.iter().map(|task| task.units.clone()).collect();
        assert_eq!(units, [vec![0], vec![1, 3, 5], vec![2, 4, 6]]);
        assert_eq!(pack(&pieces, 0.0, 1).len(), 7);
    }

    #[test]
    fn arrays_are_cut_where_an_index_would_be_too_large() {
        let pieces: Vec<Piece> = (0..8).map(|unit| piece(unit, unit / 7, 512, 1.0)).collect();
        let tasks = pack(&pieces, 0.0, 1);
        let cut = |most, per_node| -> Vec<(usize, usize, usize)> {
            let arrays = arrays(&tasks, 20, most, per_node);
            arrays.iter().map(|it| (it.wave, it.first, it.tasks)).collect()
        };
        assert_eq!(cut(3, 1), [(0, 20, 3), (0, 23, 3), (0, 26, 1), (1, 27, 1)]);
        assert_eq!(cut(3, 2), [(0, 20, 6), (0, 26, 1), (1, 27, 1)]);
    }

    proptest! {
        /// Every unit is in one task, with its like; no task is longer than the target and one more piece.
        #[test]
        fn nothing_is_lost_in_packing(
            drawn in proptest::collection::vec((0usize..3, any::<bool>(), 0u32..3, 0.0f64..500.0), 1..200),
            target in 1.0f64..1000.0,
            most in 1usize..20,
        ) {
            let pieces: Vec<Piece> = drawn.iter().enumerate().map(|(unit, &(wave, gpu, class, seconds))| Piece {
                unit, wave, gpu, memory: 512 << class, seconds,
            }).collect();
            let tasks = pack(&pieces, target, 1);
            let mut seen: Vec<usize> = tasks.iter().flat_map(|task| task.units.clone()).collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..pieces.len()).collect::<Vec<_>>());
            for task in &tasks {
                let own = task.units.iter().map(|unit| pieces[*unit]);
                prop_assert!(own.clone().all(|it| (it.wave, it.gpu, it.memory) == (task.wave, task.gpu, task.memory)));
                let longest = own.map(|it| it.seconds).fold(0.0, f64::max);
                prop_assert!(task.seconds <= target + longest + 1e-3, "{} {}", task.seconds, longest);
            }
            let arrays = arrays(&tasks, 5, most, 1);
            prop_assert_eq!(arrays.iter().map(|it| it.tasks).sum::<usize>(), tasks.len());
            prop_assert!(arrays.iter().all(|it| it.tasks <= most));
            let mut next = 5;
            for array in &arrays {
                prop_assert_eq!(array.first, next);
                next += array.tasks;
            }
        }
    }
}
