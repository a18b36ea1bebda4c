//! CIFAR's four forms with a small set of two batches of two images each: whole, damaged, in another order.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;

use gradstudy::data::cifar_batch::{PIXELS, sorted_digest};
use gradstudy::data::cifar_set::{BatchFile, CifarSet, CifarSplit, LabelByte};
use gradstudy::data::select::{CLASSES, NORMALIZE, SPLIT, subset};
use gradstudy::data::verify::Status;
use gradstudy::data::{
    DataError, Dataset, DatasetKind, Form, Origin, Published, SearchPath, Source, SourceFile,
};
use gradstudy::signature::{Default, Param, ParamType, Signature, Value};
use sha2::Digest;

use super::{args, help};

static SIGNATURE: Signature = Signature {
    name: "tiny_cifar",
    summary: "for tests",
    params: &[
        SPLIT,
        NORMALIZE,
        subset(2),
        CLASSES,
        Param {
            name: "label",
            ty: ParamType::Word(&["fine", "coarse"]),
            default: Default::Text("fine"),
            doc: "none",
        },
    ],
    version: 1,
};

const RECORD: usize = PIXELS + 2;

/// The two batches as binary records, one after the other; the first is the training split.
fn records() -> Vec<u8> {
    let packed = include_bytes!("../reference/data/own/cifar_records.bin.z");
    let mut records = Vec::new();
    flate2::read::ZlibDecoder::new(&packed[..])
        .read_to_end(&mut records)
        .unwrap();
    assert_eq!(records.len(), 4 * RECORD);
    records
}

fn hex(bytes: &[u8]) -> &'static str {
    let text: String = sha2::Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    text.leak()
}

struct Tiny {
    kind: &'static CifarSet,
    root: tempfile::TempDir,
    one: Vec<u8>,
    two: Vec<u8>,
}

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut builder = tar::Builder::new(packer);
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, format!("tiny-batches/{name}"), *content)
            .unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

impl Tiny {
    fn new() -> Self {
        let all = records();
        let (one, two) = all.split_at(2 * RECORD);
        let packed = archive(&[("readme.html", b"x"), ("one.bin", one), ("two.bin", two)]);
        let batch = |name, content: &[u8]| -> &'static [BatchFile] {
            vec![BatchFile {
                name,
                sha256: hex(content),
            }]
            .leak()
        };
        let split = |name, python: &'static str, content: &[u8]| CifarSplit {
            binary: batch(name, content),
            python: vec![python].leak(),
            records: 2,
            sorted: sorted_digest(content, 2).leak(),
        };
        let kind = Box::leak(Box::new(CifarSet {
            signature: &SIGNATURE,
            display_name: "Tiny CIFAR",
            source: Source {
                licence: "none",
                citation: "none",
                origin: Origin::Files {
                    files: vec![SourceFile {
                        name: "tiny-binary.tar",
                        form: Form::Gzip,
                        bytes: packed.len() as u64,
                        sha256: hex(&packed),
                        content: None,
                    }]
                    .leak(),
                    folders: &["tiny-batches"],
                    mirrors: &["http://127.0.0.1:1/"],
                    page: "https://127.0.0.1/",
                    system_dirs: &[],
                },
            },
            binary_archive: "tiny-binary.tar",
            python_archive: "tiny-python.tar",
            labels: &[
                LabelByte {
                    word: "coarse",
                    key: "coarse_labels",
                    classes: 2,
                },
                LabelByte {
                    word: "fine",
                    key: "fine_labels",
                    classes: 2,
                },
            ],
            train: split("one.bin", "one", one),
            test: split("two.bin", "two", two),
        }));
        Tiny {
            kind,
            root: tempfile::tempdir().unwrap(),
            one: one.to_vec(),
            two: two.to_vec(),
        }
    }

    fn search(&self) -> SearchPath {
        SearchPath::new(vec![("--data-dir".into(), self.root.path().to_path_buf())])
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("tiny-batches").join(name)
    }

    /// Puts these files, and no others, into `tiny-batches/`.
    fn put(&self, files: &[(&str, &[u8])]) {
        let _ = fs::remove_dir_all(self.path(""));
        fs::create_dir(self.path("")).unwrap();
        for (name, content) in files {
            fs::File::create(self.path(name))
                .unwrap()
                .write_all(content)
                .unwrap();
        }
    }

    fn load(&self, split: &str, label: &str) -> Result<Dataset, DataError> {
        let mut args = args(split, "none", None);
        args.0.insert("label".into(), Value::Text(label.into()));
        self.kind.load(&args, &self.search())
    }

    fn complaint(&self, files: &[(&str, &[u8])]) -> String {
        self.put(files);
        let error = self.load("test", "fine").unwrap_err();
        format!("{error}\n{}", help(&error)).replace(&self.root.path().display().to_string(), "ROOT")
    }

    fn statuses(&self) -> Vec<Status> {
        self.kind
            .verify(&self.search())
            .into_iter()
            .map(|report| report.status)
            .collect()
    }
}

const PICKLE_ONE: &[u8] = include_bytes!("../reference/data/own/cifar_one.pickle");
const PICKLE_TWO: &[u8] = include_bytes!("../reference/data/own/cifar_two.pickle");

#[test]
fn all_forms_give_the_same_examples() {
    let tiny = Tiny::new();
    tiny.put(&[("one.bin", &tiny.one), ("two.bin", &tiny.two)]);
    let (train, test) = (
        tiny.load("train", "fine").unwrap(),
        tiny.load("test", "coarse").unwrap(),
    );
    assert_eq!((train.shape, train.classes, test.classes), ([3, 32, 32], 2, 2));
    assert_eq!((&train.labels[..], &test.labels[..]), (&[0, 1][..], &[1, 0][..]));
    assert_eq!(test.name, "Tiny CIFAR (2 superclasses)");
    for (image, record) in tiny.one.chunks(RECORD).enumerate() {
        let pixels: Vec<f32> = record[2..]
            .iter()
            .map(|&byte| (f64::from(byte) / 255.0) as f32)
            .collect();
        assert_eq!(train.image(image), pixels);
    }
    assert_eq!(tiny.statuses(), [Status::Ok, Status::Ok]);

    let binary = archive(&[
        ("readme.html", b"x"),
        ("one.bin", &tiny.one),
        ("two.bin", &tiny.two),
    ]);
    let repacked = archive(&[("two.bin", &tiny.two), ("one.bin", &tiny.one)]);
    let python = archive(&[("one", PICKLE_ONE), ("two", PICKLE_TWO)]);
    let gz = |content: &[u8]| super::pack(content);
    let (one, two) = (gz(&tiny.one), gz(&tiny.two));
    for (files, status) in [
        (vec![("one", PICKLE_ONE), ("two", PICKLE_TWO)], Status::Repacked),
        (vec![("tiny-binary.tar.gz", &binary[..])], Status::Ok),
        (vec![("tiny-binary.tar.gz", &repacked[..])], Status::Repacked),
        (vec![("tiny-python.tar.gz", &python[..])], Status::Repacked),
        (
            vec![("one.bin.gz", &one[..]), ("two.bin.gz", &two[..])],
            Status::Repacked,
        ),
    ] {
        tiny.put(&files);
        assert_eq!(tiny.load("train", "fine").unwrap(), train, "{:?}", files[0].0);
        assert_eq!(tiny.load("test", "coarse").unwrap(), test);
        assert!(
            tiny.statuses().iter().all(|found| *found == status),
            "{:?}",
            tiny.statuses()
        );
    }
}

#[test]
fn another_order_of_records_is_the_same_set_with_other_digests() {
    let tiny = Tiny::new();
    tiny.put(&[("one.bin", &tiny.one), ("two.bin", &tiny.two)]);
    let before = tiny.load("train", "fine").unwrap();
    let turned = [&tiny.one[RECORD..], &tiny.one[..RECORD]].concat();
    tiny.put(&[("one.bin", &turned), ("two.bin", &tiny.two)]);
    let after = tiny.load("train", "fine").unwrap();
    assert_eq!(tiny.statuses(), [Status::Repacked, Status::Ok]);
    assert_eq!(
        (after.image(0), after.labels[1]),
        (before.image(1), before.labels[0])
    );
    assert_ne!(after.digest, before.digest);
}

#[test]
fn damaged_batches_name_the_file_and_the_remedy() {
    let tiny = Tiny::new();
    let (one, two) = (&tiny.one[..], &tiny.two[..]);
    insta::assert_snapshot!(tiny.complaint(&[("one.bin", one), ("two.bin", &two[..5000])]), @"
    ROOT/tiny-batches/two.bin is truncated: it has 5000 bytes instead of 6148, 2 records of 3074
    `gradstudy data verify tiny_cifar` checks every file of the set; replace the damaged ones (`gradstudy data fetch tiny_cifar` downloads the whole archive)
    ");
    assert_eq!(
        tiny.statuses(),
        [
            Status::Ok,
            Status::WrongSize {
                expected: Some(6148),
                found: 5000
            }
        ]
    );
    let mut label = two.to_vec();
    label[RECORD + 1] = 4;
    insta::assert_snapshot!(tiny.complaint(&[("one.bin", one), ("two.bin", &label)]).lines().next().unwrap(),
        @"ROOT/tiny-batches/two.bin has label 4 in record 1; labels of this set are 0 to 1");
    let mut pixel = two.to_vec();
    pixel[99] ^= 1;
    insta::assert_snapshot!(tiny.complaint(&[("one.bin", one), ("two.bin", &pixel)]).lines().next().unwrap(),
        @"ROOT/tiny-batches/two.bin is a well-formed file, but its content is not that of `tiny_cifar`");
    assert_eq!(tiny.statuses(), [Status::Ok, Status::WrongContent]);
    let packed = archive(&[("one.bin", one), ("two.bin", two)]);
    insta::assert_snapshot!(tiny.complaint(&[("tiny-binary.tar.gz", &packed[..packed.len() / 2])]).lines().next().unwrap(),
        @"ROOT/tiny-batches/tiny-binary.tar.gz is no tar archive that can be read: it is truncated");
    insta::assert_snapshot!(tiny.complaint(&[("tiny-binary.tar.gz", &archive(&[("one.bin", one)]))]).lines().next().unwrap(),
        @"ROOT/tiny-batches/tiny-binary.tar.gz has no member `two.bin`");
    assert!(matches!(tiny.statuses()[..], [Status::WrongSize { .. }]));
    insta::assert_snapshot!(tiny.complaint(&[("one", PICKLE_ONE), ("two", &PICKLE_TWO[..300])]).lines().next().unwrap(),
        @"ROOT/tiny-batches/two is no CIFAR batch of the python version: its pickle is cut off");
    insta::assert_snapshot!(tiny.complaint(&[("one.bin", one)]), @"
    data set `tiny_cifar` is not on this machine; looked for two.bin, one.bin or two, one or tiny-binary.tar or tiny-python.tar (each also as .gz) in
      - ROOT/tiny_cifar (--data-dir): no such folder
      - ROOT/tiny-batches (--data-dir): lacks two.bin
      - ROOT (--data-dir): none of its files
    `gradstudy data fetch tiny_cifar` downloads it (1 MB); files that you already have are found with `--data-dir DIR` or GRADSTUDY_DATA=DIR, as DIR/tiny_cifar/FILE, DIR/tiny-batches/FILE or DIR/FILE, packed (.gz) or not
    ");
    assert_eq!(tiny.statuses(), [Status::Missing]);
}

#[test]
fn the_file_digest_follows_the_files_of_the_split() {
    let tiny = Tiny::new();
    tiny.put(&[("one.bin", &tiny.one), ("two.bin", &tiny.two)]);
    let digest = |split| {
        tiny.kind
            .digest(&args(split, "none", None), &tiny.search())
            .unwrap()
    };
    let before = (digest("train"), digest("test"));
    fs::write(tiny.path("two.bin"), b"other").unwrap();
    assert_eq!(digest("train"), before.0);
    assert_ne!(digest("test"), before.1);
}
