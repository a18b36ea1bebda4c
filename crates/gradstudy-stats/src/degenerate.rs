//! Why a test cannot be applied to a sample.

use super::outcome::Degenerate;

/// The cause, in the order in which they are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A NaN or an infinity.
    NotFinite,
    /// All values equal.
    Constant,
    /// A spread within rounding of the values' size, in a test of normality.
    Rounding,
    /// Fewer values above zero than the tail asks for, a tail of equal values, or fewer values than are drawn.
    TooFew,
    /// A value that is no whole number, in a test of whole numbers.
    NotWhole,
}

impl Degenerate {
    /// Counts the causes.
    pub fn of(causes: impl IntoIterator<Item = Cause>) -> Self {
        let mut counts = Degenerate::default();
        for cause in causes {
            match cause {
                Cause::NotFinite => counts.not_finite += 1,
                Cause::Constant => counts.constant += 1,
                Cause::Rounding => counts.rounding += 1,
                Cause::TooFew => counts.too_few += 1,
                Cause::NotWhole => counts.not_whole += 1,
            }
        }
        counts
    }
}
