//! Labels as they are.

use super::LabelNoise;
use gradstudy_base::signature::{Args, Signature};
use gradstudy_lang::study::label_noise::CLEAN;

/// See the module's documentation.
pub struct Clean;

impl LabelNoise for Clean {
    fn signature(&self) -> &'static Signature {
        &CLEAN
    }

    fn corrupt(&self, labels: &[u32], _classes: usize, _args: &Args, _seed: u64) -> Vec<u32> {
        labels.to_vec()
    }

    fn describe(&self, _args: &Args) -> String {
        "clean".to_string()
    }
}
