//! CIFAR-10: small colour images. Krizhevsky (2009).

use super::cifar_set::{BatchFile, CifarSet, CifarSplit, LabelByte};
use super::select::{CLASSES, NORMALIZE, SPLIT, subset};
use super::source::{Form, Origin, Source, SourceFile};
use gradstudy_base::signature::Signature;

/// Name and settings in the study language.
pub static SIGNATURE: Signature = Signature {
    name: "cifar10",
    summary: "CIFAR-10: 50 000 + 10 000 colour images of 32×32, 10 classes of animals and vehicles",
    params: &[SPLIT, NORMALIZE, subset(50_000), CLASSES],
    version: 1,
};

/// The binary version (MD5 c32a1d4ab5d03f1284b67883e8d87530 on the publisher's page).
pub static CIFAR10: CifarSet = CifarSet {
    signature: &SIGNATURE,
    display_name: "CIFAR-10",
    source: Source {
        licence: "not stated by its publisher, who asks for a citation; Alex Krizhevsky, University of Toronto",
        citation: CITATION,
        origin: Origin::Files {
            files: &[SourceFile {
                name: "cifar-10-binary.tar",
                form: Form::Gzip,
                bytes: 170_052_171,
                sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                content: None,
            }],
            folders: &[
                "cifar-10",
                "cifar-10-batches-bin",
                "cifar-10-batches-py",
                "CIFAR10",
                "CIFAR10/cifar-10-batches-py",
                "cifar10/cifar-10-batches-py",
                "cifar10/cifar-10-batches-bin",
            ],
            mirrors: &["https://www.cs.toronto.edu/~kriz/"],
            page: "https://www.cs.toronto.edu/~kriz/cifar.html",
            system_dirs: &[],
        },
    },
    binary_archive: "cifar-10-binary.tar",
    python_archive: "cifar-10-python.tar",
    labels: &[LabelByte {
        word: "fine",
        key: "labels",
        classes: 10,
    }],
    train: CifarSplit {
        binary: &[
            BatchFile {
                name: "data_batch_1.bin",
                sha256: "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
            },
            BatchFile {
                name: "data_batch_2.bin",
                sha256: "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
            },
            BatchFile {
                name: "data_batch_3.bin",
                sha256: "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
            },
            BatchFile {
                name: "data_batch_4.bin",
                sha256: "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
            },
            BatchFile {
                name: "data_batch_5.bin",
                sha256: "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
            },
        ],
        python: &[
            "data_batch_1",
            "data_batch_2",
            "data_batch_3",
            "data_batch_4",
            "data_batch_5",
        ],
        records: 10_000,
        sorted: "ae883a95fedf31aa5f387fc823efbe8561c4639a9a18e26e4f7d2b0d7846b5ba",
    },
    test: CifarSplit {
        binary: &[BatchFile {
            name: "test_batch.bin",
            sha256: "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
        }],
        python: &["test_batch"],
        records: 10_000,
        sorted: "fbdc181eb36ce944cdef2bec662c5a9406c7a62a7efc665534b17ed47de7a468",
    },
};

pub(super) const CITATION: &str = "A. Krizhevsky: Learning multiple layers of features from tiny images. Technical report, University of \
     Toronto, 2009";
