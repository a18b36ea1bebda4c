//! Shuffled labels ("Random MNIST"): permuted over the whole set, so that inputs tell nothing about them while
//! the number of examples of each class stays.

use rand::Rng;

use super::{LabelNoise, below};
use gradstudy_base::seed;
use gradstudy_base::signature::{Args, Signature};
use gradstudy_lang::study::label_noise::SHUFFLED;

/// See the module's documentation.
pub struct Shuffled;

impl LabelNoise for Shuffled {
    fn signature(&self) -> &'static Signature {
        &SHUFFLED
    }

    fn corrupt(&self, labels: &[u32], _classes: usize, _args: &Args, seed: u64) -> Vec<u32> {
        let mut rng = seed::rng(seed, "shuffled labels");
        let mut labels = labels.to_vec();
        // Fisher and Yates' shuffle in Durstenfeld's form.
        for last in (1..labels.len()).rev() {
            let other = below(rng.next_u64(), last as u64 + 1) as usize;
            labels.swap(last, other);
        }
        labels
    }

    fn describe(&self, _args: &Args) -> String {
        "shuffled labels".to_string()
    }
}
