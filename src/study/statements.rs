//! The statements of the language: what each has beside its keyword, and the settings of its block.

use super::label_noise::LABEL_NOISE;
use super::schedule::{SCHEDULES, STEP_DECAY};
use crate::signature::{Default, Param, ParamType, Signature};

/// What stands between a statement's name and its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Nothing.
    Nothing,
    /// `= call`, of this kind of built-in.
    Call(&'static str),
    /// `= value`, of any type.
    Value,
    /// `in [level, level]`.
    Levels,
}

/// The statement that takes over the statements of another file.
pub const USE: &str = "use";
/// The statement that names changes of settings.
pub const PROFILE: &str = "profile";
/// `name = like(other, key: value)`: another statement's definition with some settings changed.
pub const LIKE: &str = "like";

/// One kind of statement.
#[derive(Debug)]
pub struct StatementKind {
    /// Whether a quoted title follows the keyword, rather than a name.
    pub titled: bool,
    pub holds: Holds,
    /// The settings of the block; `name` is the keyword.
    pub block: &'static Signature,
    /// Whether the block may hold `assert`s.
    pub asserts: bool,
    /// An example, for errors about a statement's shape.
    pub example: &'static str,
}

/// In the order in which a study is usually written.
pub static STATEMENTS: [StatementKind; 13] = [
    StatementKind {
        titled: true,
        holds: Holds::Nothing,
        block: &USED,
        asserts: false,
        example: "use \"common.study\"",
    },
    StatementKind {
        titled: true,
        holds: Holds::Nothing,
        block: &STUDY,
        asserts: false,
        example: "study \"Table 1\" { seeds: 0..2 }",
    },
    StatementKind {
        titled: false,
        holds: Holds::Nothing,
        block: &PROFILE_BLOCK,
        asserts: false,
        example: "profile quick { g.iterations: 500 }",
    },
    StatementKind {
        titled: false,
        holds: Holds::Value,
        block: &LET,
        asserts: false,
        example: "let rate = 0.1",
    },
    StatementKind {
        titled: false,
        holds: Holds::Call("dataset"),
        block: &DATA,
        asserts: false,
        example: "data mnist = mnist(normalize: global)",
    },
    StatementKind {
        titled: false,
        holds: Holds::Call("model"),
        block: &MODEL,
        asserts: true,
        example: "model lenet = lenet(logits: 10) { assert parameters == 44_426 }",
    },
    StatementKind {
        titled: false,
        holds: Holds::Call("optimizer"),
        block: &TRAIN,
        asserts: false,
        example: "train pretrained = sgd(lr: 0.1) { of: lenet  on: mnist  epochs: 50  batch: 128 }",
    },
    StatementKind {
        titled: false,
        holds: Holds::Levels,
        block: &VARY,
        asserts: false,
        example: "vary weights in [random: lenet, pretrain: pretrained]",
    },
    StatementKind {
        titled: false,
        holds: Holds::Call("recording"),
        block: &RECORD,
        asserts: false,
        example: "record g = gradients(of: lenet, on: mnist, batch: 100, iterations: 5000)",
    },
    StatementKind {
        titled: false,
        holds: Holds::Call("spectrum"),
        block: &SPECTRUM,
        asserts: false,
        example: "spectrum c = covariance(g, top: 1000)",
    },
    StatementKind {
        titled: false,
        holds: Holds::Call("test"),
        block: &TEST,
        asserts: false,
        example: "test tails = power_law(g, tail: top(1000))",
    },
    StatementKind {
        titled: false,
        holds: Holds::Nothing,
        block: &TABLE,
        asserts: false,
        example: "table table1 { of: [tails]  rows: [dataset, sg_type]  columns: [d_ks, d_c] }",
    },
    StatementKind {
        titled: false,
        holds: Holds::Call("figure"),
        block: &FIGURE,
        asserts: false,
        example: "figure spectra = rank_plot(c, curves: [batch])",
    },
];

/// The kind whose keyword this is.
pub fn find(keyword: &str) -> Option<&'static StatementKind> {
    STATEMENTS.iter().find(|kind| kind.block.name == keyword)
}

pub(super) const fn param(name: &'static str, ty: ParamType, default: Default, doc: &'static str) -> Param {
    Param {
        name,
        ty,
        default,
        doc,
    }
}

const COUNT: ParamType = ParamType::Integer {
    min: 1,
    max: i64::MAX,
};
const OF_NET: ParamType = ParamType::Reference(&["model", "train"]);
const ON_DATA: ParamType = ParamType::Reference(&["data"]);
const DIRECTIONS: ParamType = ParamType::List(&ParamType::Word(&["dimension", "iteration"]));
/// The table's words come from the vocabulary and the factors; the checker knows them, the type does not.
const ANY_WORDS: ParamType = ParamType::List(&ParamType::Word(&[]));

static STUDY: Signature = Signature {
    name: "study",
    summary: "the study's title and its repeats",
    params: &[
        param(
            "seeds",
            ParamType::List(&ParamType::Integer {
                min: 0,
                max: i64::MAX,
            }),
            Default::Text("[0]"),
            "one repeat of the whole study for each seed",
        ),
        param(
            "allow",
            ANY_WORDS,
            Default::Absent,
            "codes of warnings that are not shown, such as W0103",
        ),
    ],
    version: 1,
};

static USED: Signature = Signature {
    name: USE,
    summary: "takes over the statements of another file; those of this file come before equal names",
    params: &[],
    version: 1,
};

static PROFILE_BLOCK: Signature = Signature {
    name: PROFILE,
    summary: "changes of settings under one name, for `--profile`: `name.key: value`",
    params: &[],
    version: 1,
};

static LET: Signature = Signature {
    name: "let",
    summary: "a value under a name",
    params: &[],
    version: 1,
};

static SPECTRUM: Signature = Signature {
    name: "spectrum",
    summary: "eigenvalues, or what else can be ranked, of a gradient history or a loss",
    params: &[],
    version: 1,
};

static FIGURE: Signature = Signature {
    name: "figure",
    summary: "results as a figure",
    params: &[
        param(
            "caption",
            ParamType::Text,
            Default::Absent,
            "the text under the figure",
        ),
        param(
            "mirrors",
            ParamType::Call(&[&PAPER_FIGURE]),
            Default::Absent,
            "the figure of the paper that it is made after",
        ),
    ],
    version: 1,
};

static PAPER_FIGURE: Signature = Signature {
    name: "figure",
    summary: "a figure of the paper, by number",
    params: &[param(
        "number",
        ParamType::Integer { min: 1, max: 16 },
        Default::Required,
        "1 to 16",
    )],
    version: 1,
};

static DATA: Signature = Signature {
    name: "data",
    summary: "a dataset, loaded and normalised",
    params: &[param(
        "labels",
        ParamType::Call(LABEL_NOISE),
        Default::Text("clean"),
        "noise put on the labels; drawn anew for each seed",
    )],
    version: 1,
};

static MODEL: Signature = Signature {
    name: "model",
    summary: "a network and its initial weights",
    params: &[param(
        "weights",
        ParamType::Text,
        Default::Absent,
        "a file of initial weights (.safetensors) in place of random ones",
    )],
    version: 1,
};

static TRAIN: Signature = Signature {
    name: "train",
    summary: "a model trained by an optimizer",
    params: &[
        param(
            "of",
            OF_NET,
            Default::Required,
            "the model to train, or the training to continue",
        ),
        param("on", ON_DATA, Default::Required, "the data to train on"),
        param("epochs", COUNT, Default::Required, "passes over the data"),
        param("batch", COUNT, Default::Required, "samples per minibatch"),
        param(
            "decay",
            ParamType::Call(&[&STEP_DECAY]),
            Default::Absent,
            "multiplies the learning rate: `0.1 at [40%, 80%]` of the epochs, or at epochs `[20, 40]`",
        ),
        param(
            "schedule",
            ParamType::Call(SCHEDULES),
            Default::Absent,
            "how the learning rate moves, with a warm-up if wanted, in place of `decay`",
        ),
        param(
            "clip",
            BOUND,
            Default::Absent,
            "scales a gradient whose L2 norm over all parameters is larger down to this norm",
        ),
        param(
            "clip_value",
            BOUND,
            Default::Absent,
            "cuts each entry of the gradient off at ± this value",
        ),
    ],
    version: 1,
};

/// A bound of 0 would leave no gradient.
const BOUND: ParamType = ParamType::Number {
    min: 1e-12,
    max: f64::MAX,
};

static VARY: Signature = Signature {
    name: "vary",
    summary: "a factor of the grid and its levels",
    params: &[param(
        "along",
        ParamType::Reference(&["vary"]),
        Default::Absent,
        "goes level by level with this factor instead of being crossed with it",
    )],
    version: 1,
};

static RECORD: Signature = Signature {
    name: "record",
    summary: "a gradient history at fixed weights",
    params: &[
        param(
            "of",
            OF_NET,
            Default::Required,
            "the model or training whose gradients are recorded",
        ),
        param(
            "on",
            ON_DATA,
            Default::Required,
            "the data that minibatches are drawn from",
        ),
        param("batch", COUNT, Default::Text("1"), "samples per minibatch (B)"),
        param("iterations", COUNT, Default::Text("5000"), "minibatches (T)"),
        param(
            "order",
            ParamType::Word(&["shuffled", "replacement", "sequential"]),
            Default::Text("shuffled"),
            "how minibatches are drawn",
        ),
        param(
            "keep",
            ParamType::Boolean,
            Default::Text("false"),
            "keep the history in the cache",
        ),
    ],
    version: 1,
};

static TEST: Signature = Signature {
    name: "test",
    summary: "a statistical test over the columns and rows of a gradient history",
    params: &[
        param(
            "of",
            ParamType::Reference(&["record", "spectrum"]),
            Default::Required,
            "the record whose columns and rows are tested, or the spectrum",
        ),
        param(
            "along",
            DIRECTIONS,
            Default::Text("[dimension, iteration]"),
            "of a record: `dimension` tests each iteration's gradient, `iteration` each parameter's history",
        ),
    ],
    version: 1,
};

static TABLE: Signature = Signature {
    name: "table",
    summary: "test results as a table",
    params: &[
        param(
            "of",
            ParamType::List(&ParamType::Reference(&["test"])),
            Default::Required,
            "the tests shown",
        ),
        param(
            "rows",
            ANY_WORDS,
            Default::Required,
            "what tells the rows apart: row keys and factors",
        ),
        param(
            "columns",
            ANY_WORDS,
            Default::Required,
            "what is shown of each test",
        ),
        param(
            "mirrors",
            ParamType::Call(&[&PAPER_TABLE]),
            Default::Absent,
            "the paper's table beside ours",
        ),
        param(
            "caption",
            ParamType::Text,
            Default::Absent,
            "the text over the table",
        ),
    ],
    version: 1,
};

static PAPER_TABLE: Signature = Signature {
    name: "table",
    summary: "a table of the paper, by number",
    params: &[param(
        "number",
        ParamType::Integer { min: 1, max: 11 },
        Default::Required,
        "1 to 11",
    )],
    version: 1,
};
