//! D'Agostino's test of skewness (Biometrika 57 (1970)), one half of the test `normality`.

use super::{Gaussianity, MISSING, OF, POINTS};
use crate::normality;
use crate::power_law::{ALONG, ALPHA};
use gradstudy_base::signature::Signature;

/// `skewtest(g, points: 100, alpha: 0.05, along: [dimension, iteration])`
pub static SIGNATURE: Signature = Signature {
    name: "skewtest",
    summary: "D'Agostino's test that the skewness is that of a normal sample (SciPy's skewtest)",
    params: &[OF, POINTS, ALPHA, ALONG, MISSING],
    version: 2,
};

/// The test as a study names it.
pub static TEST: Gaussianity = Gaussianity {
    signature: &SIGNATURE,
    title: |_| "D'Agostino's test of skewness (SciPy's skewtest)".to_string(),
    test: |sample, _| normality::skewtest(sample),
    seconds: |points| 1.2e-6 + points * 1e-8,
};
