//! Labels as they are.

use super::LabelNoise;
use crate::signature::{Args, Signature};

static SIGNATURE: Signature = Signature {
    name: "clean",
    summary: "the data set's own labels",
    params: &[],
    version: 1,
};

/// See the module's documentation.
pub struct Clean;

impl LabelNoise for Clean {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn corrupt(&self, labels: &[u32], _classes: usize, _args: &Args, _seed: u64) -> Vec<u32> {
        labels.to_vec()
    }

    fn describe(&self, _args: &Args) -> String {
        "clean".to_string()
    }
}
