//! Symmetric (uniform) noise: a flipped label becomes one of the other classes, each with the same probability.

use super::{LabelNoise, below, flip, percent};
use gradstudy_base::seed;
use gradstudy_base::signature::{Args, Signature};
use gradstudy_lang::study::label_noise::SYMMETRIC;

/// See the module's documentation.
pub struct Symmetric;

impl LabelNoise for Symmetric {
    fn signature(&self) -> &'static Signature {
        &SYMMETRIC
    }

    fn corrupt(&self, labels: &[u32], classes: usize, args: &Args, seed: u64) -> Vec<u32> {
        let classes = classes as u64;
        // Some 1 ≤ step < classes further on, around the circle: never the label itself.
        let other = |label, draw| {
            let step = 1 + below(draw, classes.saturating_sub(1));
            ((u64::from(label) + step) % classes) as u32
        };
        let rng = seed::rng(seed, "symmetric label noise");
        flip(labels, args.number("rate"), rng, other)
    }

    fn describe(&self, args: &Args) -> String {
        format!("{} symmetric", percent(args.number("rate")))
    }
}
