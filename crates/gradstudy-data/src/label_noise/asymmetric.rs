//! Asymmetric noise in its pair-flip form: a flipped label i becomes i + 1, the last class becoming the first.

use super::{LabelNoise, flip, percent};
use gradstudy_base::seed;
use gradstudy_base::signature::{Args, Signature};
use gradstudy_lang::study::label_noise::ASYMMETRIC;

/// See the module's documentation.
pub struct Asymmetric;

impl LabelNoise for Asymmetric {
    fn signature(&self) -> &'static Signature {
        &ASYMMETRIC
    }

    fn corrupt(&self, labels: &[u32], classes: usize, args: &Args, seed: u64) -> Vec<u32> {
        let next = |label, _| (label + 1) % classes as u32;
        let rng = seed::rng(seed, "asymmetric label noise");
        flip(labels, args.number("rate"), rng, next)
    }

    fn describe(&self, args: &Args) -> String {
        format!("{} asymmetric", percent(args.number("rate")))
    }
}
