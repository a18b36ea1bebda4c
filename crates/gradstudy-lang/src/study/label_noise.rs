//! The words for label noise: what each takes. What each does is the `data` module's concern.

use gradstudy_base::signature::{Default, Param, ParamType, Signature};

/// Every form of label noise, the absence of it first.
pub static LABEL_NOISE: &[&Signature] = &[&CLEAN, &SYMMETRIC, &ASYMMETRIC, &SHUFFLED];

const RATE: Param = Param {
    name: "rate",
    ty: ParamType::Number { min: 0.0, max: 1.0 },
    default: Default::Required,
    doc: "the probability that a label is changed, such as 40%",
};

/// No noise.
pub static CLEAN: Signature = Signature {
    name: "clean",
    summary: "the labels as they are",
    params: &[],
    version: 1,
};

/// Uniform noise.
pub static SYMMETRIC: Signature = Signature {
    name: "symmetric",
    summary: "each label changes, independently, to one of the other classes, all equally likely",
    params: &[RATE],
    version: 1,
};

/// Pair flips.
pub static ASYMMETRIC: Signature = Signature {
    name: "asymmetric",
    summary: "each label i changes, independently, to the next class, i + 1 mod c",
    params: &[RATE],
    version: 1,
};

/// Random labels.
pub static SHUFFLED: Signature = Signature {
    name: "shuffled",
    summary: "the labels are permuted over the data set: as many of each class, nothing to learn",
    params: &[],
    version: 1,
};
