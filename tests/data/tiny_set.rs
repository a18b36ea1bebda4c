//! A data set of two small files in the form of MNIST, for tests that damage and download them.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use gradstudy::data::fetch::{FetchError, Outcome, Silent, fetch};
use gradstudy::data::idx_set::{IdxSet, IdxSplit};
use gradstudy::data::select::{CLASSES, NORMALIZE, SPLIT, subset};
use gradstudy::data::verify::Status;
use gradstudy::data::{
    DataError, Dataset, DatasetKind, Form, Origin, Published, SearchPath, Source, SourceFile,
};
use gradstudy::signature::Signature;

use super::fetch::options;
use super::http_server::HttpServer;
use super::{args, help};

/// A set of two files in the form of MNIST: 2 images of 2×3 and their labels, published packed.
pub struct Tiny {
    pub kind: &'static IdxSet,
    pub root: tempfile::TempDir,
    pub images: Vec<u8>,
    pub labels: Vec<u8>,
}

/// The two files.
pub const IMAGES: &str = "images-idx3-ubyte";
pub const LABELS: &str = "labels-idx1-ubyte";
pub static SIGNATURE: Signature = Signature {
    name: "tiny",
    summary: "for tests",
    params: &[SPLIT, NORMALIZE, subset(2), CLASSES],
    version: 1,
};

/// Gzip without compression, so that sizes are near those of the content.
pub fn pack(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    std::io::Write::write_all(&mut encoder, content).unwrap();
    encoder.finish().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Tiny {
    pub fn new() -> Self {
        let mut images = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3];
        images.extend([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110]);
        let labels = vec![0, 0, 8, 1, 0, 0, 0, 2, 1, 0];
        Tiny::with(images, labels, 2)
    }

    /// With images of about `bytes` bytes, so that there is something to interrupt.
    pub fn large(bytes: u32) -> Self {
        let count = bytes / 6;
        let mut images = vec![0, 0, 8, 3];
        [count, 2, 3]
            .iter()
            .for_each(|size| images.extend(size.to_be_bytes()));
        images.extend((0..count * 6).map(|i| (i * 7 + i / 251) as u8));
        let mut labels = vec![0, 0, 8, 1];
        labels.extend(count.to_be_bytes());
        labels.extend((0..count).map(|i| (i % 2) as u8));
        Tiny::with(images, labels, count)
    }

    pub fn with(images: Vec<u8>, labels: Vec<u8>, examples: u32) -> Self {
        use sha2::Digest;
        let file = |name: &'static str, content: &[u8]| SourceFile {
            name,
            form: Form::Gzip,
            bytes: pack(content).len() as u64,
            sha256: hex(&sha2::Sha256::digest(pack(content))).leak(),
            content: Some(blake3::hash(content).to_hex().to_string().leak()),
        };
        // Registered sets are statics; these few live as long as the test process.
        let files = vec![file(IMAGES, &images), file(LABELS, &labels)].leak();
        let source = Source {
            licence: "none",
            citation: "none",
            origin: Origin::Files {
                files,
                folders: &[],
                mirrors: &["http://127.0.0.1:1/"],
                page: "https://127.0.0.1/",
                system_dirs: &[],
            },
        };
        let kind = Box::leak(Box::new(IdxSet {
            signature: &SIGNATURE,
            display_name: "Tiny",
            source,
            size: [2, 3],
            train: IdxSplit {
                images: IMAGES,
                labels: LABELS,
                class_counts: vec![u64::from(examples).div_ceil(2), u64::from(examples) / 2].leak(),
            },
            test: None,
            no_test_remedy: "none",
        }));
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("tiny")).unwrap();
        Tiny {
            kind,
            root,
            images,
            labels,
        }
    }

    pub fn search(&self) -> SearchPath {
        SearchPath::new(vec![("--data-dir".into(), self.root.path().to_path_buf())])
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("tiny").join(name)
    }

    /// Writes the files as published, then `content` under `name` instead.
    pub fn load_with(&self, name: &str, content: &[u8]) -> Result<Dataset, DataError> {
        fs::write(self.path(IMAGES).with_extension("gz"), pack(&self.images)).unwrap();
        fs::write(self.path(LABELS).with_extension("gz"), pack(&self.labels)).unwrap();
        if !name.is_empty() {
            fs::write(self.path(name), content).unwrap();
        }
        self.kind.load(&args("train", "none", None), &self.search())
    }

    /// Error and help of a damaged file, with the folder's name replaced.
    pub fn complaint(&self, name: &str, content: &[u8]) -> String {
        let error = self.load_with(name, content).unwrap_err();
        format!("{error}\n{}", help(&error)).replace(&self.root.path().display().to_string(), "ROOT")
    }

    pub fn serve(&self) -> HttpServer {
        HttpServer::start(HashMap::from([
            (url_path(IMAGES), pack(&self.images)),
            (url_path(LABELS), pack(&self.labels)),
        ]))
    }

    pub fn fetch(&self, mirrors: &[&HttpServer]) -> Result<Vec<(PathBuf, Outcome)>, FetchError> {
        fetch(self.kind, self.root.path(), &Silent, &options(mirrors))
    }

    /// After a good fetch: both files, right to the byte, and nothing half-done.
    pub fn assert_complete(&self) {
        assert!(
            self.kind
                .verify(&self.search())
                .iter()
                .all(|report| report.status == Status::Ok)
        );
        let mut names: Vec<String> = fs::read_dir(self.path(""))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [".fetch.lock", &format!("{IMAGES}.gz"), &format!("{LABELS}.gz")]
        );
        assert!(
            self.kind
                .load(&args("train", "none", None), &self.search())
                .is_ok()
        );
    }

    /// Neither the final nor any half-named images file can be taken for the real one.
    pub fn assert_no_images(&self) {
        assert!(!self.path(&format!("{IMAGES}.gz")).exists());
    }
}

pub fn url_path(name: &str) -> String {
    format!("/tiny/{name}.gz")
}
