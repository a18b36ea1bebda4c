//! Which part of a sample a power law is fitted to: the rule decides the verdict, so it is always explicit.

use super::ks::Ecdf;
use super::scan::Scanner;
use gradstudy_base::signature::{Call, Default, Param, ParamType, Signature};

/// How x_min (the paper's λ_min) is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TailRule {
    /// The K largest values; x_min is the K-th largest (the paper's rule).
    Top(usize),
    /// All values above zero; x_min is the smallest of them.
    Minimum,
    /// All values from this one on.
    At(f64),
    /// All values from this quantile of the values above zero on (linear interpolation, NumPy's default).
    Quantile(f64),
    /// All values from the distinct one on whose tail has the least KS distance (Clauset, Shalizi and Newman 2009).
    Scan {
        /// Points of the smallest tail that is looked at.
        at_least: usize,
    },
}

/// `top(1000)`
pub static TOP: Signature = Signature {
    name: "top",
    summary: "the K largest absolute values",
    params: &[Param {
        name: "k",
        ty: ParamType::Integer {
            min: 2,
            max: 1_000_000_000,
        },
        default: Default::Text("1000"),
        doc: "points in the tail (K)",
    }],
    version: 1,
};

/// `minimum`
pub static MINIMUM: Signature = Signature {
    name: "minimum",
    summary: "all values above zero",
    params: &[],
    version: 1,
};

/// `at(1e-3)`
pub static AT: Signature = Signature {
    name: "at",
    summary: "all absolute values from a given one on",
    params: &[Param {
        name: "value",
        ty: ParamType::Number {
            min: f64::MIN_POSITIVE,
            max: f64::MAX,
        },
        default: Default::Required,
        doc: "x_min, in the unit of the sample",
    }],
    version: 1,
};

/// `quantile(90%)`
pub static QUANTILE: Signature = Signature {
    name: "quantile",
    summary: "all absolute values from a quantile of those above zero on",
    params: &[Param {
        name: "q",
        ty: ParamType::Number { min: 0.0, max: 1.0 },
        default: Default::Required,
        doc: "the quantile, such as 90%",
    }],
    version: 1,
};

/// `scan(at_least: 10)`
pub static SCAN: Signature = Signature {
    name: "scan",
    summary: "all absolute values from the one of least KS distance on (Clauset, Shalizi and Newman 2009)",
    params: &[Param {
        name: "at_least",
        ty: ParamType::Integer {
            min: 2,
            max: 1_000_000_000,
        },
        default: Default::Text("10"),
        doc: "points of the smallest tail looked at; powerlaw and plfit take 2",
    }],
    version: 1,
};

/// The rules that a study can name.
pub static RULES: &[&Signature] = &[&TOP, &MINIMUM, &AT, &QUANTILE, &SCAN];

impl TailRule {
    /// Reads a checked call of one of [`RULES`]. Panics at another name: a mistake in gradstudy.
    pub fn from_call(call: &Call) -> Self {
        match call.name.as_str() {
            "top" => TailRule::Top(call.args.integer("k") as usize),
            "minimum" => TailRule::Minimum,
            "at" => TailRule::At(call.args.number("value")),
            "quantile" => TailRule::Quantile(call.args.number("q")),
            "scan" => TailRule::Scan {
                at_least: call.args.integer("at_least") as usize,
            },
            other => panic!("`{other}` is no tail rule, the signature promised one"),
        }
    }

    /// The tail of `ascending`, which must be sorted, finite and not negative, and its x_min.
    ///
    /// `ecdf` is the side of the KS distance that [`TailRule::Scan`] makes least; no other rule looks at it. `None`
    /// if fewer than two values (for [`TailRule::Top`]: fewer than K, for [`TailRule::Scan`]: no tail long enough
    /// of values not all equal) above zero are left.
    pub fn cut(self, ascending: &[f64], ecdf: Ecdf) -> Option<(f64, &[f64])> {
        let positive = &ascending[ascending.partition_point(|&x| x <= 0.0)..];
        let from = |x_min: f64| (x_min, &positive[positive.partition_point(|&x| x < x_min)..]);
        let (x_min, tail) = match self {
            TailRule::Top(k) => {
                let tail = &positive[positive.len().checked_sub(k)?..];
                (*tail.first()?, tail)
            }
            TailRule::Minimum => (*positive.first()?, positive),
            TailRule::At(value) => from(value),
            TailRule::Quantile(q) => from(quantile(positive, q)?),
            TailRule::Scan { at_least } => {
                let tail = &positive[Scanner::default().start(positive, at_least, ecdf)?..];
                (*tail.first()?, tail)
            }
        };
        (tail.len() >= 2).then_some((x_min, tail))
    }
}

/// The q-quantile of a sorted sample by linear interpolation (NumPy's and R's type 7); `None` if empty.
pub(super) fn quantile(ascending: &[f64], q: f64) -> Option<f64> {
    let position = q * ascending.len().checked_sub(1)? as f64;
    let low = position.floor() as usize;
    let high = (low + 1).min(ascending.len() - 1);
    Some(ascending[low] + (position - low as f64) * (ascending[high] - ascending[low]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: [f64; 6] = [0.0, 1.0, 2.0, 2.0, 3.0, 7.0];

    fn cut(rule: TailRule) -> Option<(f64, &'static [f64])> {
        rule.cut(&SAMPLE, Ecdf::Left)
    }

    #[test]
    fn each_rule_cuts_where_it_says() {
        assert_eq!(cut(TailRule::Top(3)), Some((2.0, &SAMPLE[3..])));
        assert_eq!(cut(TailRule::Minimum), Some((1.0, &SAMPLE[1..])));
        assert_eq!(cut(TailRule::At(2.0)), Some((2.0, &SAMPLE[2..])));
        assert_eq!(cut(TailRule::At(1.5)), Some((1.5, &SAMPLE[2..])));
        assert_eq!(cut(TailRule::Quantile(0.5)), Some((2.0, &SAMPLE[2..])));
        assert_eq!(cut(TailRule::Quantile(0.7)).map(|t| t.1.len()), Some(2));
        assert_eq!(cut(TailRule::Scan { at_least: 5 }), Some((1.0, &SAMPLE[1..])));
    }

    #[test]
    fn too_few_values_are_no_tail() {
        assert_eq!(cut(TailRule::Top(6)), None);
        assert_eq!(cut(TailRule::At(7.5)), None);
        assert_eq!(cut(TailRule::Quantile(1.0)), None);
        assert_eq!(cut(TailRule::Scan { at_least: 6 }), None);
        assert_eq!(TailRule::Minimum.cut(&[0.0, 0.0], Ecdf::Left), None);
        assert_eq!(TailRule::Quantile(0.5).cut(&[], Ecdf::Left), None);
    }
}
