//! Where people keep data sets: torchvision's folders, dots in the names of idx files, MNIST beside Fashion-MNIST.

use std::path::Path;

use gradstudy::data::Located;

use super::*;

/// The files of MNIST and Fashion-MNIST.
const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

fn located(set: &str, root: &Path) -> Result<Located, String> {
    let search = SearchPath::new(vec![("--data-dir".into(), root.to_path_buf())]);
    let kind = dataset(set).unwrap().published().unwrap();
    kind.locate(&search).map_err(|error| error.to_string())
}

fn put(folder: &Path, names: &[&str]) {
    fs::create_dir_all(folder).unwrap();
    for name in names {
        fs::write(folder.join(name), "some bytes").unwrap();
    }
}

#[test]
fn torchvisions_folders_are_found_from_their_root_and_themselves() {
    let batches = [
        "data_batch_1",
        "data_batch_2",
        "data_batch_3",
        "data_batch_4",
        "data_batch_5",
        "test_batch",
    ];
    let all: [(&str, &[&str], &[&str]); 4] = [
        (
            "mnist",
            &NAMES,
            &["MNIST/raw", "mnist/MNIST/raw", "mnist/raw", "raw"],
        ),
        (
            "fashion_mnist",
            &NAMES,
            &["FashionMNIST/raw", "fashion-mnist/data/fashion", "raw"],
        ),
        (
            "cifar10",
            &batches,
            &["cifar-10-batches-py", "CIFAR10/cifar-10-batches-py"],
        ),
        (
            "cifar100",
            &["train", "test"],
            &["cifar-100-python", "cifar100/cifar-100-python"],
        ),
    ];
    for (set, names, folders) in all {
        for folder in folders {
            let root = tempfile::tempdir().unwrap();
            let within = root.path().join(folder);
            put(&within, names);
            // From the common root, and from the folder itself.
            for from in [root.path(), within.as_path()] {
                let found = located(set, from).unwrap_or_else(|error| panic!("{set} in {folder}: {error}"));
                assert_eq!(
                    found.directory.as_deref(),
                    Some(within.as_path()),
                    "{set} in {folder}"
                );
                assert_eq!(found.files.len(), names.len());
            }
            // Not the other set's folder.
            let other = if set == "cifar10" { "cifar100" } else { "cifar10" };
            assert!(located(other, root.path()).is_err());
        }
    }
}

#[test]
fn idx_files_may_have_dots_and_capitals_in_their_names() {
    let tiny = Tiny::new();
    let published = tiny.load_with("", &[]).unwrap();
    for name in [IMAGES, LABELS] {
        fs::remove_file(tiny.path(&format!("{name}.gz"))).unwrap();
    }
    for (images, labels) in [
        ("images.idx3-ubyte", "labels.idx1-ubyte"),
        ("Images-idx3-ubyte", "LABELS.IDX1-ubyte"),
        ("images.idx3-ubyte.gz", "labels-idx1-ubyte"),
    ] {
        let content = |name: &str, content: &[u8]| match name.ends_with(".gz") {
            true => pack(content),
            false => content.to_vec(),
        };
        fs::write(tiny.path(images), content(images, &tiny.images)).unwrap();
        fs::write(tiny.path(labels), content(labels, &tiny.labels)).unwrap();
        let data = tiny
            .kind
            .load(&args("train", "none", None), &tiny.search())
            .unwrap();
        assert_eq!(
            (&data.images, &data.labels),
            (&published.images, &published.labels)
        );
        assert!(
            tiny.kind
                .verify(&tiny.search())
                .iter()
                .all(|report| report.status.is_ok())
        );
        for name in [images, labels] {
            fs::remove_file(tiny.path(name)).unwrap();
        }
    }
    // Other files with similar names are none.
    fs::write(tiny.path(LABELS), &tiny.labels).unwrap();
    fs::write(tiny.path("images.idx3-ubyte.txt"), &tiny.images).unwrap();
    fs::write(tiny.path("my-images-idx3-ubyte"), &tiny.images).unwrap();
    assert!(
        tiny.kind
            .load(&args("train", "none", None), &tiny.search())
            .is_err()
    );
}

/// Why a set is not found in `root`.
fn absent(set: &str, root: &Path) -> String {
    match located(set, root) {
        // Debian's package, which may be installed; not what lies in `root`.
        Ok(found) if !found.directory.as_ref().is_some_and(|dir| dir.starts_with(root)) => {
            "(--data-dir): holds the files of `mnist`; raw (--data-dir): holds the files of `mnist`"
                .to_string()
        }
        other => other.unwrap_err(),
    }
}

/// MNIST's files, by their names in the cache or wherever `GRADSTUDY_DATA` says.
fn copy_mnist(search: &SearchPath, to: &Path) {
    let files = dataset("mnist")
        .unwrap()
        .published()
        .unwrap()
        .locate(search)
        .unwrap()
        .files;
    fs::create_dir_all(to).unwrap();
    for (path, name) in files.iter().zip(NAMES) {
        let end = if path.extension().is_some_and(|end| end == "gz") {
            ".gz"
        } else {
            ""
        };
        fs::copy(path, to.join(format!("{name}{end}"))).unwrap();
    }
}

#[test]
fn a_folder_of_mnist_is_never_taken_for_fashion_mnist() {
    let Some(search) = real_data("mnist") else { return };
    let root = tempfile::tempdir().unwrap();
    copy_mnist(&search, root.path());
    assert_eq!(
        located("mnist", root.path()).unwrap().directory.as_deref(),
        Some(root.path())
    );
    let said = absent("fashion_mnist", root.path());
    assert!(
        said.contains("(--data-dir): holds the files of `mnist`"),
        "{said}"
    );
    // Where Fashion-MNIST's own folder holds MNIST, too.
    let root = tempfile::tempdir().unwrap();
    copy_mnist(&search, &root.path().join("FashionMNIST/raw"));
    let said = absent("fashion_mnist", root.path());
    assert!(
        said.contains("raw (--data-dir): holds the files of `mnist`"),
        "{said}"
    );
}
