//! What is said of samples that keep few digits, and of values that were left out: under tables and by `gradstudy test`.

use super::number::{self, Target};
use gradstudy_stats::missing::LeftOut;

/// What a degenerate sample of this kind has.
pub const ROUNDING: &str = "with a spread within rounding of the values";

/// Before the number of such samples.
pub const NEAR_ROUNDING: &str = "Few digits (every value lies within ten units of rounding of the mean: there are few \
                                 different ones, though the verdict is exact for them)";

/// Before the number of such values.
pub const LEFT_OUT: &str = "Left out (missing: drop), as they are no finite numbers";

/// How many values of how many samples.
pub fn left_out(found: &LeftOut, target: Target) -> String {
    let count = |count: u64, what: &str| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{} {what}{plural}", number::count(count, target))
    };
    format!(
        "{} of {}",
        count(found.values, "value"),
        count(found.samples, "sample")
    )
}
