//! The statements of the language: what each has beside its keyword. The settings of their blocks are in `blocks.rs`.

use super::blocks::{
    DATA, FIGURE, INCLUDED, LET, MODEL, PROFILE_BLOCK, RECORD, SPECTRUM, STUDY, TABLE, TEST, TRAIN, USED,
    VARY,
};
use super::own_numbers::FILE;
use gradstudy_base::signature::{Param, Signature};

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
/// The statement that takes in another study as it is.
pub const INCLUDE: &str = "include";
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
pub static STATEMENTS: [StatementKind; 14] = [
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
        block: &INCLUDED,
        asserts: false,
        example: "include \"table1.study\"",
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
        asserts: true,
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

impl StatementKind {
    /// Settings that the statement has beside those of what it calls. Numbers of a file are made by nothing that a
    /// recording's settings could say.
    pub fn more(&self, called: &str) -> &'static [Param] {
        match self.block.name == "record" && called == FILE.name {
            true => &[],
            false => self.block.params,
        }
    }
}

/// The kind whose keyword this is.
pub fn find(keyword: &str) -> Option<&'static StatementKind> {
    STATEMENTS.iter().find(|kind| kind.block.name == keyword)
}
