//! The first 5000 training images of Fashion-MNIST, compiled into gradstudy, so that a first study needs neither
//! files nor a network. `embedded/README.md` says how the two files were made; their licence is beside them.

use super::fashion_mnist::CITATION;
use super::idx_set::{IdxSet, IdxSplit};
use super::select::{CLASSES, NORMALIZE, subset};
use super::source::{EmbeddedFile, Origin, Source};
use gradstudy_base::signature::{Default, Param, ParamType, Signature};

/// Name and settings in the study language.
pub static SIGNATURE: Signature = Signature {
    name: "fashion_mnist_5k",
    summary: "the first 5000 training images of Fashion-MNIST, embedded: always at hand",
    params: &[
        Param {
            name: "split",
            ty: ParamType::Word(&["train"]),
            default: Default::Text("train"),
            doc: "only `train`: the embedded subset has no test images; `fashion_mnist(split: test)` has",
        },
        NORMALIZE,
        subset(5000),
        CLASSES,
    ],
    version: 1,
};

/// Images and labels as idx, packed by `gzip -9n`.
pub static FASHION_MNIST_5K: IdxSet = IdxSet {
    signature: &SIGNATURE,
    display_name: "Fashion-MNIST (5000)",
    source: Source {
        licence: "MIT; copyright 2017 Zalando SE",
        citation: CITATION,
        origin: Origin::Embedded(&[
            EmbeddedFile {
                name: "train-images-idx3-ubyte",
                bytes: include_bytes!("embedded/train-images-idx3-ubyte.gz"),
            },
            EmbeddedFile {
                name: "train-labels-idx1-ubyte",
                bytes: include_bytes!("embedded/train-labels-idx1-ubyte.gz"),
            },
        ]),
    },
    size: [28, 28],
    train: IdxSplit {
        images: "train-images-idx3-ubyte",
        labels: "train-labels-idx1-ubyte",
        class_counts: &[457, 556, 504, 501, 488, 493, 493, 512, 490, 506],
    },
    test: None,
    no_test_remedy: "the embedded subset has training images only: take the test images from \
                     `fashion_mnist(split: test)`, which `gradstudy data fetch fashion_mnist` or Debian's \
                     package dataset-fashion-mnist provides",
};
