//! MNIST: handwritten digits. LeCun, Bottou, Bengio and Haffner (1998).

use super::idx_set::{IdxSet, IdxSplit};
use super::select::{CLASSES, NORMALIZE, SPLIT, subset};
use super::source::{Form, Origin, Source, SourceFile};
use gradstudy_base::signature::Signature;

/// Name and settings in the study language.
pub static SIGNATURE: Signature = Signature {
    name: "mnist",
    summary: "MNIST: 60 000 + 10 000 handwritten digits, 28×28 grey, 10 classes",
    params: &[SPLIT, NORMALIZE, subset(60_000), CLASSES],
    version: 1,
};

/// The four canonical files (MD5 f68b3c2d…, d53e105e…, 9fb629c4…, ec29112d… as first published).
pub static MNIST: IdxSet = IdxSet {
    signature: &SIGNATURE,
    display_name: "MNIST",
    source: Source {
        licence: "CC BY-SA 3.0 according to its mirrors; copyright Yann LeCun and Corinna Cortes",
        citation: "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document \
                   recognition. Proceedings of the IEEE 86(11), 1998",
        origin: Origin::Files {
            files: &[
                SourceFile {
                    name: "train-images-idx3-ubyte",
                    form: Form::Gzip,
                    bytes: 9_912_422,
                    sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                    content: Some("c6e6fd8c67d07c8a9b7bffa7dd0413ff4b8af241607b049b7721107f379df9fd"),
                },
                SourceFile {
                    name: "train-labels-idx1-ubyte",
                    form: Form::Gzip,
                    bytes: 28_881,
                    sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                    content: Some("8ebcfdf2fe191516f9cb37fceb75d2d19289d91ee92026534ed45e44144b5642"),
                },
                SourceFile {
                    name: "t10k-images-idx3-ubyte",
                    form: Form::Gzip,
                    bytes: 1_648_877,
                    sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                    content: Some("f8d502322cd9f186e155a74a3dff598ed56c1a7b5a5c8d312749ac47c4a2bec7"),
                },
                SourceFile {
                    name: "t10k-labels-idx1-ubyte",
                    form: Form::Gzip,
                    bytes: 4_542,
                    sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                    content: Some("6d43ea317fa8f5851bb85404bb7358defd48b0294cf31f60cdcde8106fe2c3ad"),
                },
            ],
            // torchvision's, from a common root or one of its own; `raw` is that of before 2018.
            folders: &["MNIST/raw", "MNIST", "mnist/MNIST/raw", "mnist/raw", "raw"],
            mirrors: &[
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
            ],
            page: "https://yann.lecun.com/exdb/mnist/",
            system_dirs: &[],
        },
    },
    size: [28, 28],
    train: IdxSplit {
        images: "train-images-idx3-ubyte",
        labels: "train-labels-idx1-ubyte",
        class_counts: &[5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    },
    test: Some(IdxSplit {
        images: "t10k-images-idx3-ubyte",
        labels: "t10k-labels-idx1-ubyte",
        class_counts: &[980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    }),
    no_test_remedy: "",
};
