//! CIFAR-100: the sister of CIFAR-10 with 100 classes in 20 superclasses. Krizhevsky (2009).

use super::cifar_set::{BatchFile, CifarSet, CifarSplit, LabelByte};
use super::cifar10::CITATION;
use super::select::{CLASSES, NORMALIZE, SPLIT, subset};
use super::source::{Form, Origin, Source, SourceFile};
use gradstudy_base::signature::{Default, Param, ParamType, Signature};

/// Name and settings in the study language.
pub static SIGNATURE: Signature = Signature {
    name: "cifar100",
    summary: "CIFAR-100: 50 000 + 10 000 colour images of 32×32, 100 classes in 20 superclasses",
    params: &[
        SPLIT,
        NORMALIZE,
        subset(50_000),
        CLASSES,
        Param {
            name: "label",
            ty: ParamType::Word(&["fine", "coarse"]),
            default: Default::Text("fine"),
            doc: "`fine`: the 100 classes; `coarse`: the 20 superclasses",
        },
    ],
    version: 1,
};

/// The binary version (MD5 03b5dce01913d631647c71ecec9e9cb8 on the publisher's page).
pub static CIFAR100: CifarSet = CifarSet {
    signature: &SIGNATURE,
    display_name: "CIFAR-100",
    source: Source {
        licence: "not stated by its publisher, who asks for a citation; Alex Krizhevsky, University of Toronto",
        citation: CITATION,
        origin: Origin::Files {
            files: &[SourceFile {
                name: "cifar-100-binary.tar",
                form: Form::Gzip,
                bytes: 168_513_733,
                sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
                content: None,
            }],
            folders: &[
                "cifar-100",
                "cifar-100-binary",
                "cifar-100-python",
                "CIFAR100",
                "CIFAR100/cifar-100-python",
                "cifar100/cifar-100-python",
                "cifar100/cifar-100-binary",
            ],
            mirrors: &["https://www.cs.toronto.edu/~kriz/"],
            page: "https://www.cs.toronto.edu/~kriz/cifar.html",
            system_dirs: &[],
        },
    },
    binary_archive: "cifar-100-binary.tar",
    python_archive: "cifar-100-python.tar",
    labels: &[
        LabelByte {
            word: "coarse",
            key: "coarse_labels",
            classes: 20,
        },
        LabelByte {
            word: "fine",
            key: "fine_labels",
            classes: 100,
        },
    ],
    train: CifarSplit {
        binary: &[BatchFile {
            name: "train.bin",
            sha256: "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29",
        }],
        python: &["train"],
        records: 50_000,
        sorted: "c8cf56896eaedb1ee082259df66eb9e914ebdf92fdc47ec3019edeb7b9f9e26c",
    },
    test: CifarSplit {
        binary: &[BatchFile {
            name: "test.bin",
            sha256: "d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a",
        }],
        python: &["test"],
        records: 10_000,
        sorted: "dd7f81a885c935d4bb0715db749ddbfaf7ba80412f2a7070e53daff5ec413f99",
    },
};
