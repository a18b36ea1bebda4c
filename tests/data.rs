//! Data sets against facts computed with NumPy, and damaged files.

use std::fs;

use gradstudy::data::verify::{Status, list};
use gradstudy::data::{Dataset, DatasetKind, Published, SearchPath, dataset, published};
use gradstudy::signature::{Args, Value};
use tiny_set::{IMAGES, LABELS, Tiny, pack};

#[path = "data/cifar.rs"]
mod cifar;
#[path = "data/fetch.rs"]
mod fetch;
#[path = "data/folders.rs"]
mod folders;
#[path = "support/http_server.rs"]
mod http_server;
#[path = "data/own.rs"]
mod own;
#[path = "data/real.rs"]
mod real;
#[path = "data/study.rs"]
mod study;
#[path = "data/tiny_set.rs"]
mod tiny_set;

/// Arguments as the checker would make them.
fn args(split: &str, normalize: &str, subset: Option<i64>) -> Args {
    let mut args = Args::default();
    args.0.insert("split".into(), Value::Text(split.into()));
    args.0.insert("normalize".into(), Value::Text(normalize.into()));
    if let Some(subset) = subset {
        args.0.insert("subset".into(), Value::Integer(subset));
    }
    args
}

/// The folder of real data, where there is one.
fn real_data(set: &str) -> Option<SearchPath> {
    let search = SearchPath::new(
        std::env::var_os("GRADSTUDY_DATA")
            .map(|dir| ("GRADSTUDY_DATA".to_string(), dir.into()))
            .into_iter()
            .collect(),
    );
    match dataset(set).unwrap().published().unwrap().locate(&search) {
        Ok(_) => Some(search),
        Err(_) => {
            let what = format!("{set} is not on this machine (set GRADSTUDY_DATA)");
            crate::support::tools::lacks(set, &what);
            None
        }
    }
}

/// Value of example `image` at row `row`, column `column`.
fn pixel(data: &Dataset, image: usize, row: usize, column: usize) -> f64 {
    f64::from(data.image(image)[row * data.shape[2] + column])
}

fn assert_close(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() <= 1e-6 * expected.abs().max(1e-3),
        "{found} instead of {expected}"
    );
}

fn help(error: &dyn miette::Diagnostic) -> String {
    error.help().map(|help| help.to_string()).unwrap_or_default()
}

// Facts: numpy.mean, numpy.std (ddof 0), numpy.bincount and numpy indexing on the unpacked idx files, NumPy 2.4.6.

#[test]
fn mnist_facts() {
    let Some(search) = real_data("mnist") else { return };
    let mnist = dataset("mnist").unwrap();
    let data = mnist.load(&args("train", "global", None), &search).unwrap();
    assert_eq!((data.len(), data.shape, data.classes), (60_000, [1, 28, 28], 10));
    assert_eq!(data.labels[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    assert_close(data.note.mean, 0.1306604762738429);
    assert_close(data.note.sd, 0.30810780385646264);
    assert_eq!((data.note.constant_pixels, data.note.fitted_on), (67, 60_000));
    assert_close(pixel(&data, 0, 14, 14), 2.630624684508106);
    assert_close(pixel(&data, 2, 20, 10), -0.42407389439156606);

    let standard = mnist.load(&args("train", "per_pixel", None), &search).unwrap();
    assert!(standard.images.iter().all(|value| value.is_finite()));
    assert_close(pixel(&standard, 0, 14, 14), 0.9648769144619479);
    assert_close(pixel(&standard, 2, 20, 10), -0.828757495143479);
    assert_eq!(pixel(&standard, 0, 0, 0), 0.0);
    assert_eq!(standard.digest, data.digest);

    let test = mnist.load(&args("test", "global", Some(100)), &search).unwrap();
    assert_eq!(test.len(), 100);
    assert_eq!(test.labels[..10], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    assert_eq!(test.note, data.note);
    assert_close(pixel(&test, 2, 14, 14), 2.8215433456893355);
}

#[test]
fn fashion_mnist_facts() {
    let Some(search) = real_data("fashion_mnist") else {
        return;
    };
    let data = dataset("fashion_mnist")
        .unwrap()
        .load(&args("train", "global", None), &search)
        .unwrap();
    assert_eq!(data.labels[..10], [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]);
    assert_close(data.note.mean, 0.2860405969887955);
    assert_close(data.note.sd, 0.35302424451492254);
    let first = dataset("fashion_mnist")
        .unwrap()
        .load(&args("train", "global", Some(5000)), &search)
        .unwrap();
    let embedded = embedded("global", None);
    assert_eq!(
        (first.digest, first.images, first.labels),
        (embedded.digest, embedded.images, embedded.labels)
    );
}

fn embedded(normalize: &str, subset: Option<i64>) -> Dataset {
    dataset("fashion_mnist_5k")
        .unwrap()
        .load(&args("train", normalize, subset), &SearchPath::default())
        .unwrap()
}

#[test]
fn embedded_facts() {
    let data = embedded("global", None);
    assert_eq!((data.len(), data.shape, data.classes), (5000, [1, 28, 28], 10));
    assert_eq!(data.labels[..10], [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]);
    let mut counts = [0; 10];
    data.labels.iter().for_each(|&label| counts[label as usize] += 1);
    assert_eq!(counts, [457, 556, 504, 501, 488, 493, 493, 512, 490, 506]);
    assert_close(data.note.mean, 0.2861464425770308);
    assert_close(data.note.sd, 0.3543785004088226);
    assert_close(pixel(&data, 0, 14, 14), 1.5938719446248037);
    assert_close(pixel(&data, 4999, 10, 10), 0.4651352985287598);

    let standard = embedded("per_pixel", None);
    assert_eq!(standard.note.constant_pixels, 0);
    assert_close(pixel(&standard, 0, 14, 14), 0.9747569614413178);
    assert_close(pixel(&standard, 1, 7, 20), 1.2373396522996063);
    assert_close(pixel(&standard, 2, 20, 10), -0.7202077837370146);
    assert_close(pixel(&standard, 4999, 10, 10), 0.04270495153629607);

    assert_eq!(
        pixel(&embedded("none", None), 0, 14, 14),
        f64::from(217.0f32 / 255.0)
    );
}

#[test]
fn a_subset_is_the_first_examples_with_its_own_statistics() {
    let (all, some) = (embedded("none", None), embedded("none", Some(100)));
    assert_eq!((some.len(), some.note.fitted_on), (100, 100));
    assert_eq!(
        (&some.images[..], &some.labels[..]),
        (&all.images[..78_400], &all.labels[..100])
    );
    assert_ne!(some.digest, all.digest);
    let standard = embedded("per_pixel", Some(100));
    assert!(standard.note.constant_pixels > 0 && standard.images.iter().all(|value| value.is_finite()));
    assert_eq!(
        dataset("fashion_mnist_5k")
            .unwrap()
            .outline(&args("train", "none", Some(100)))
            .unwrap()
            .examples,
        100
    );
}

#[test]
fn the_embedded_set_has_no_test_split() {
    let kind = dataset("fashion_mnist_5k").unwrap();
    let error = kind
        .load(&args("test", "global", None), &SearchPath::default())
        .unwrap_err();
    insta::assert_snapshot!(error, @"data set `fashion_mnist_5k` has no test split");
    insta::assert_snapshot!(help(&error), @"the embedded subset has training images only: take the test images from `fashion_mnist(split: test)`, which `gradstudy data fetch fashion_mnist` or Debian's package dataset-fashion-mnist provides");
    assert!(kind.outline(&args("test", "global", None)).is_err());
}

#[test]
fn a_missing_set_says_where_it_was_looked_for() {
    let root = tempfile::tempdir().unwrap();
    let search = SearchPath::new(vec![
        ("--data-dir".into(), root.path().join("given")),
        ("user cache".into(), root.path().to_path_buf()),
    ]);
    let error = dataset("mnist")
        .unwrap()
        .load(&args("train", "global", None), &search)
        .unwrap_err();
    insta::assert_snapshot!(error.to_string().replace(&root.path().display().to_string(), "ROOT"), @"
    data set `mnist` is not on this machine; looked for train-images-idx3-ubyte, train-labels-idx1-ubyte (each also as .gz, or with .idx for -idx) in
      - ROOT/given/mnist (--data-dir): no such folder
      - ROOT/given (--data-dir): no such folder
      - ROOT/mnist (user cache): no such folder
      - ROOT (user cache): none of its files
    ");
    insta::assert_snapshot!(help(&error), @"`gradstudy data fetch mnist` downloads it (12 MB); files that you already have are found with `--data-dir DIR` or GRADSTUDY_DATA=DIR, as DIR/mnist/FILE, DIR/MNIST/raw/FILE, DIR/MNIST/FILE, DIR/mnist/MNIST/raw/FILE, DIR/mnist/raw/FILE, DIR/raw/FILE or DIR/FILE, packed (.gz) or not");
}

#[test]
fn loads_packed_and_plain_files_from_both_layouts() {
    let tiny = Tiny::new();
    let packed = tiny.load_with("", &[]).unwrap();
    assert_eq!(packed.image(1)[0], 60.0 / 255.0);
    assert_eq!(packed.labels, [1, 0]);
    for name in [IMAGES, LABELS] {
        fs::remove_file(tiny.path(&format!("{name}.gz"))).unwrap();
    }
    fs::write(tiny.root.path().join(IMAGES), &tiny.images).unwrap();
    fs::write(tiny.root.path().join(LABELS), &tiny.labels).unwrap();
    assert_eq!(
        tiny.kind
            .load(&args("train", "none", None), &tiny.search())
            .unwrap(),
        packed
    );
    assert!(
        tiny.kind
            .verify(&tiny.search())
            .iter()
            .all(|report| report.status == Status::Repacked)
    );
}

#[test]
fn damaged_files_name_the_file_and_the_remedy() {
    let tiny = Tiny::new();
    let (images_gz, labels_gz) = (format!("{IMAGES}.gz"), format!("{LABELS}.gz"));
    let packed = pack(&tiny.images);
    insta::assert_snapshot!(tiny.complaint(&images_gz, &packed[..packed.len() / 2]), @"
    ROOT/tiny/images-idx3-ubyte.gz is a truncated gzip file: it ends after 10 bytes of content
    `gradstudy data verify tiny` checks every file of the set, `gradstudy data fetch tiny` replaces the damaged ones
    ");
    insta::assert_snapshot!(tiny.complaint(&images_gz, &tiny.images[..20]), @"
    ROOT/tiny/images-idx3-ubyte.gz is truncated: its header promises 12 bytes of data and 4 are there
    `gradstudy data verify tiny` checks every file of the set, `gradstudy data fetch tiny` replaces the damaged ones
    ");
    insta::assert_snapshot!(tiny.complaint(&labels_gz, &[0, 0, 8, 1, 0, 0, 0, 3, 1, 0, 1]), @"
    ROOT/tiny/labels-idx1-ubyte.gz has 3 labels for 2 images
    `gradstudy data verify tiny` checks every file of the set, `gradstudy data fetch tiny` replaces the damaged ones
    ");
    insta::assert_snapshot!(tiny.complaint(&labels_gz, &[0, 0, 8, 1, 0, 0, 0, 2, 1, 2]), @"
    ROOT/tiny/labels-idx1-ubyte.gz has label 2 at position 1; labels of this set are 0 to 1
    `gradstudy data verify tiny` checks every file of the set, `gradstudy data fetch tiny` replaces the damaged ones
    ");
    insta::assert_snapshot!(tiny.complaint(&labels_gz, &[0, 0, 8, 1, 0, 0, 0, 2, 0, 1]), @"
    ROOT/tiny/labels-idx1-ubyte.gz is a well-formed file, but its content is not that of `tiny`
    another data set's file of the same name may lie there (MNIST and Fashion-MNIST share their file names), or it is damaged: keep each set in a folder of its name, DIR/tiny/, and replace damaged files with `gradstudy data fetch tiny`
    ");
}

#[test]
fn too_large_a_subset_is_an_error() {
    let tiny = Tiny::new();
    tiny.load_with("", &[]).unwrap();
    let error = tiny
        .kind
        .load(&args("train", "none", Some(3)), &tiny.search())
        .unwrap_err();
    insta::assert_snapshot!(error, @"`subset: 3` asks for more than the 2 train examples of `tiny`");
}

#[test]
fn the_file_digest_follows_the_files() {
    let tiny = Tiny::new();
    tiny.load_with("", &[]).unwrap();
    let digest = || {
        tiny.kind
            .digest(&args("train", "none", None), &tiny.search())
            .unwrap()
    };
    let before = digest();
    assert_eq!(before, digest());
    fs::write(tiny.path(&format!("{LABELS}.gz")), b"other").unwrap();
    assert_ne!(before, digest());
}

#[test]
fn verify_tells_missing_short_and_changed_files_apart() {
    let tiny = Tiny::new();
    let statuses = || -> Vec<Status> {
        tiny.kind
            .verify(&tiny.search())
            .into_iter()
            .map(|r| r.status)
            .collect()
    };
    assert_eq!(statuses(), [Status::Missing, Status::Missing]);
    tiny.load_with("", &[]).unwrap();
    assert_eq!(statuses(), [Status::Ok, Status::Ok]);
    let mut images = pack(&tiny.images);
    let expected = images.len() as u64;
    fs::write(tiny.path(&format!("{IMAGES}.gz")), &images[1..]).unwrap();
    images[20] ^= 1;
    fs::write(
        tiny.path(&format!("{LABELS}.gz")),
        pack(&[&tiny.labels[..9], &[1]].concat()),
    )
    .unwrap();
    let [images_status, labels_status] = &statuses()[..] else {
        panic!("two files")
    };
    assert_eq!(
        images_status,
        &Status::WrongSize {
            expected: Some(expected),
            found: expected - 1
        }
    );
    assert!(
        matches!(labels_status, Status::WrongDigest { .. }),
        "{labels_status}"
    );
}

#[test]
fn list_names_every_set_and_the_embedded_one_is_good() {
    let listings = list(&SearchPath::default());
    assert_eq!(listings.len(), published().count());
    let embedded = listings
        .iter()
        .find(|listing| listing.name == "fashion_mnist_5k")
        .unwrap();
    assert!(embedded.found.is_some() && embedded.bytes > 2_000_000);
    assert!(embedded.files.len() == 2 && embedded.files.iter().all(|file| file.status.is_ok()));
}

#[test]
fn outlines_are_what_loading_gives() {
    for kind in published() {
        let name = kind.signature().name;
        let Some(search) = real_data(name) else { continue };
        for split in ["train", "test"] {
            let all = args(split, "none", None);
            let Ok(outline) = kind.outline(&all) else {
                assert_eq!((name, split), ("fashion_mnist_5k", "test"));
                continue;
            };
            let mut chosen = all.clone();
            chosen.0.insert(
                "classes".into(),
                Value::List(vec![Value::Integer(7), Value::Integer(1)]),
            );
            for (args, outline) in [(&all, outline), (&chosen, kind.outline(&chosen).unwrap())] {
                let data = kind.load(args, &search).unwrap();
                assert_eq!(
                    (data.shape, data.classes, data.len() as u64),
                    (outline.shape, outline.classes, outline.examples),
                    "{name} {split}"
                );
                assert_eq!(data.images.len(), data.len() * data.example_size());
            }
        }
    }
}

#[test]
fn classes_are_kept_in_order_and_numbered_anew() {
    let all = embedded("none", None);
    let mut chosen = args("train", "global", Some(150));
    chosen.0.insert(
        "classes".into(),
        Value::List([7, 0, 2].map(Value::Integer).to_vec()),
    );
    let kind = dataset("fashion_mnist_5k").unwrap();
    let some = kind.load(&chosen, &SearchPath::default()).unwrap();
    assert_eq!((some.len(), some.classes, some.note.fitted_on), (150, 3, 150));
    assert_eq!(some.name, "Fashion-MNIST (5000) (classes 7, 0, 2)");
    let kept: Vec<usize> = (0..5000)
        .filter(|&i| [7, 0, 2].contains(&all.labels[i]))
        .take(150)
        .collect();
    for (new, &old) in kept.iter().enumerate() {
        assert_eq!([7, 0, 2][some.labels[new] as usize], all.labels[old]);
    }
    let note = &some.note;
    let byte = f64::from((all.image(kept[149])[14 * 28 + 14] * 255.0).round());
    let pixel = (byte / 255.0 - note.mean) / note.sd;
    assert_close(f64::from(some.image(149)[14 * 28 + 14]), pixel);

    let complaint = |classes: &[i64], subset: Option<i64>| {
        let mut wrong = args("train", "none", subset);
        let classes = classes.iter().copied().map(Value::Integer).collect();
        wrong.0.insert("classes".into(), Value::List(classes));
        kind.outline(&wrong).unwrap_err().to_string()
    };
    insta::assert_snapshot!(complaint(&[0, 10], None), @"`fashion_mnist_5k` has no class 10: its classes are 0 to 9");
    insta::assert_snapshot!(complaint(&[0, 1, 0], None), @"`classes` lists class 0 twice");
    insta::assert_snapshot!(complaint(&[1], Some(600)), @"`subset: 600` asks for more than the 556 train examples of `fashion_mnist_5k`");
}
