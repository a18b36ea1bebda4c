//! Anscombe's and Glynn's test of kurtosis (Biometrika 70 (1983)), one half of the test `normality`.

use super::{Gaussianity, MISSING, OF, POINTS};
use crate::normality;
use crate::power_law::{ALONG, ALPHA};
use gradstudy_base::signature::Signature;

/// `kurtosistest(g, points: 100, alpha: 0.05, along: [dimension, iteration])`
pub static SIGNATURE: Signature = Signature {
    name: "kurtosistest",
    summary: "Anscombe's and Glynn's test that the kurtosis is that of a normal sample (SciPy's kurtosistest)",
    params: &[OF, POINTS, ALPHA, ALONG, MISSING],
    version: 2,
};

/// The test as a study names it.
pub static TEST: Gaussianity = Gaussianity {
    signature: &SIGNATURE,
    title: |_| "Anscombe–Glynn test of kurtosis (SciPy's kurtosistest)".to_string(),
    test: |sample, _| normality::kurtosistest(sample),
    seconds: |points| 1.2e-6 + points * 1e-8,
};
