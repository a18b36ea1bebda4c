//! Fashion-MNIST: articles of clothing, a drop-in replacement for MNIST. Xiao, Rasul and Vollgraf (2017).

use super::idx_set::{IdxSet, IdxSplit};
use super::select::{CLASSES, NORMALIZE, SPLIT, subset};
use super::source::{Form, Origin, Source, SourceFile};
use gradstudy_base::signature::Signature;

/// Name and settings in the study language.
pub static SIGNATURE: Signature = Signature {
    name: "fashion_mnist",
    summary: "Fashion-MNIST: 60 000 + 10 000 articles of clothing, 28×28 grey, 10 classes",
    params: &[SPLIT, NORMALIZE, subset(60_000), CLASSES],
    version: 1,
};

/// The four published files. Debian packs the same content anew, without a name in the gzip header: its files
/// differ in size and SHA-256 and have the same content digest.
pub static FASHION_MNIST: IdxSet = IdxSet {
    signature: &SIGNATURE,
    display_name: "Fashion-MNIST",
    source: Source {
        licence: "MIT; copyright 2017 Zalando SE",
        citation: CITATION,
        origin: Origin::Files {
            files: &[
                SourceFile {
                    name: "train-images-idx3-ubyte",
                    form: Form::Gzip,
                    bytes: 26_421_880,
                    sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                    content: Some("feaca08b36e07f8d504641a929bff1554884ef73964323e44e59e39a986b4c9e"),
                },
                SourceFile {
                    name: "train-labels-idx1-ubyte",
                    form: Form::Gzip,
                    bytes: 29_515,
                    sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                    content: Some("b4d9ea8013b029ef778c95ea7de31195ef443589877589523ad330db2829ebd6"),
                },
                SourceFile {
                    name: "t10k-images-idx3-ubyte",
                    form: Form::Gzip,
                    bytes: 4_422_102,
                    sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                    content: Some("a19b8c1e5f798e5a6fa7229093b630c04a620179497a1fa3a71e7334fb59a30b"),
                },
                SourceFile {
                    name: "t10k-labels-idx1-ubyte",
                    form: Form::Gzip,
                    bytes: 5_148,
                    sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                    content: Some("0a067399ed18bcc9d7dc26832b3b8e4481abf2d33fee04c611e90b9061296b90"),
                },
            ],
            // torchvision's, from a common root or one of its own, and those of Fashion-MNIST's repository.
            folders: &[
                "FashionMNIST/raw",
                "FashionMNIST",
                "fashion-mnist",
                "fashion_mnist/FashionMNIST/raw",
                "fashion-mnist/data/fashion",
                "raw",
            ],
            mirrors: &[
                "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            ],
            page: "https://github.com/zalandoresearch/fashion-mnist",
            // Debian and Ubuntu: apt install dataset-fashion-mnist
            system_dirs: &["/usr/share/datasets/fashion-mnist"],
        },
    },
    size: [28, 28],
    train: IdxSplit {
        images: "train-images-idx3-ubyte",
        labels: "train-labels-idx1-ubyte",
        class_counts: &[6000; 10],
    },
    test: Some(IdxSplit {
        images: "t10k-images-idx3-ubyte",
        labels: "t10k-labels-idx1-ubyte",
        class_counts: &[1000; 10],
    }),
    no_test_remedy: "",
};

pub(super) const CITATION: &str = "H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a novel image dataset for \
                                   benchmarking machine learning algorithms. arXiv:1708.07747, 2017";
