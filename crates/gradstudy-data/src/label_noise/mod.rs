//! Label noise: labels replaced at random before training and recording, to study how gradients depend on what
//! there is to learn. The definitions are those of docs/language.md.
//!
//! A kind of noise is one file of this folder and one line in [`LABEL_NOISE`]; its words are in
//! `study::label_noise`. Labels are drawn on the host, one
//! after the other, from the study's seed: they are the same on every device and number of threads.

mod asymmetric;
mod clean;
mod shuffled;
mod symmetric;

use rand::Rng;

use gradstudy_base::signature::{Args, Call, Signature};

/// A way to corrupt labels that a study can name.
pub trait LabelNoise: Sync {
    /// Name, settings and version.
    fn signature(&self) -> &'static Signature;

    /// The corrupted copy of `labels`, which are below `classes`; the same for the same `seed`.
    fn corrupt(&self, labels: &[u32], classes: usize, args: &Args, seed: u64) -> Vec<u32>;

    /// For tables, such as `40 % symmetric`.
    fn describe(&self, args: &Args) -> String;
}

/// Every kind of label noise, in alphabetical order.
pub static LABEL_NOISE: &[&dyn LabelNoise] = &[
    &asymmetric::Asymmetric,
    &clean::Clean,
    &shuffled::Shuffled,
    &symmetric::Symmetric,
];

/// The label noise of that name in the study language.
pub fn find(name: &str) -> Option<&'static dyn LabelNoise> {
    LABEL_NOISE
        .iter()
        .copied()
        .find(|kind| kind.signature().name == name)
}

/// The labels that `call` makes of `labels` (each below `classes`) under the study seed `seed`. Except under
/// `shuffled`, a label's fate follows from its position alone: the first examples get the same noise in a `subset`
/// as in the whole set, and what flips at one rate flips at every higher rate, too. With a single class nothing
/// can flip.
///
/// Panics if `call` names no label noise: the checker knows the names.
pub fn corrupt(labels: &[u32], classes: usize, call: &Call, seed: u64) -> Vec<u32> {
    known(call).corrupt(labels, classes, &call.args, seed)
}

/// For tables and labels of figures: `clean`, `40 % symmetric`, `shuffled labels`. Panics like [`corrupt`].
pub fn describe(call: &Call) -> String {
    known(call).describe(&call.args)
}

/// The share of labels that differ, from 0 to 1; 0 for no labels. Panics if the two are not equally long.
pub fn realised_rate(before: &[u32], after: &[u32]) -> f64 {
    assert_eq!(before.len(), after.len(), "labels of the same examples");
    let changed = before.iter().zip(after).filter(|(a, b)| a != b).count();
    changed as f64 / before.len().max(1) as f64
}

fn known(call: &Call) -> &'static dyn LabelNoise {
    find(&call.name).expect("the checker knows the label noises")
}

/// Flips each label with probability `rate` to `other(label, draw)`, `draw` being uniform over 64 bits. Both
/// numbers are drawn for every label, flipped or not, so that no label's fate shifts another's.
fn flip(labels: &[u32], rate: f64, mut rng: impl Rng, other: impl Fn(u32, u64) -> u32) -> Vec<u32> {
    labels
        .iter()
        .map(|&label| {
            // 53 random bits: uniform on [0, 1), so that rate 0 never flips and rate 1 always does.
            let uniform = (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
            let draw = rng.next_u64();
            if uniform < rate { other(label, draw) } else { label }
        })
        .collect()
}

/// Uniform on 0..bound from a draw of 64 uniform bits (bias below bound/2⁶⁴).
fn below(draw: u64, bound: u64) -> u64 {
    ((u128::from(draw) * u128::from(bound)) >> 64) as u64
}

/// `rate` in percent, without the digits that only binary fractions have.
fn percent(rate: f64) -> String {
    format!("{} %", (rate * 1e8).round() / 1e6)
}

#[cfg(test)]
mod tests;
