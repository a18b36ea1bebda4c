//! The settings that each kind of statement takes in its block.

use super::augment::AUGMENTATIONS;
use super::label_noise::LABEL_NOISE;
use super::schedule::{SCHEDULES, STEP_DECAY};
use super::statements::{INCLUDE, PROFILE, USE};
use gradstudy_base::signature::{Default, Param, ParamType, Signature};

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

pub static STUDY: Signature = Signature {
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

pub static USED: Signature = Signature {
    name: USE,
    summary: "takes over the statements of another file; those of this file come before equal names",
    params: &[],
    version: 1,
};

pub static INCLUDED: Signature = Signature {
    name: INCLUDE,
    summary: "takes in another study as it is, with names of its own: its tables and figures join those of this one",
    params: &[],
    version: 1,
};

pub static PROFILE_BLOCK: Signature = Signature {
    name: PROFILE,
    summary: "changes of settings under one name, for `--profile`: `name.key: value`",
    params: &[],
    version: 1,
};

pub static LET: Signature = Signature {
    name: "let",
    summary: "a value under a name",
    params: &[],
    version: 1,
};

pub static SPECTRUM: Signature = Signature {
    name: "spectrum",
    summary: "eigenvalues, or what else can be ranked, of a gradient history or a loss",
    params: &[],
    version: 1,
};

pub static FIGURE: Signature = Signature {
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

pub static DATA: Signature = Signature {
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

pub static MODEL: Signature = Signature {
    name: "model",
    summary: "a network and its initial weights",
    params: &[param(
        "weights",
        ParamType::Path,
        Default::Absent,
        "a file of initial weights in place of random ones: .safetensors or what PyTorch saved, \"FILE\" or \"FILE:KEY\"",
    )],
    version: 1,
};

pub static TRAIN: Signature = Signature {
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
        param(
            "augment",
            ParamType::List(&ParamType::Call(AUGMENTATIONS)),
            Default::Absent,
            "changes of the training images, drawn anew for each image in each epoch",
        ),
    ],
    version: 1,
};

/// A bound of 0 would leave no gradient.
const BOUND: ParamType = ParamType::Number {
    min: 1e-12,
    max: f64::MAX,
};

pub static VARY: Signature = Signature {
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

pub static RECORD: Signature = Signature {
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

pub static TEST: Signature = Signature {
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

pub static TABLE: Signature = Signature {
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
        param(
            "spread",
            ParamType::Word(&["sd", "ci95"]),
            Default::Text("sd"),
            "what stands behind ± over several seeds: the standard deviation, or half the mean's 95 % confidence interval",
        ),
        param(
            "headings",
            ParamType::Labelled,
            Default::Absent,
            "headings in place of the usual ones, each labelled with the column, row key or factor that it is of",
        ),
        param(
            "definitions",
            ParamType::Boolean,
            Default::Text("true"),
            "whether a sentence behind the caption says which KS distance it is and how inputs are normalised",
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
