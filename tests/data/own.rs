//! The user's own data: every format against the numbers that NumPy wrote, and every mistake before anything runs.

#[path = "own/folders.rs"]
mod folders;
#[path = "own/tables.rs"]
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

use gradstudy::data::{Dataset, DatasetKind, SearchPath, dataset};
use gradstudy::signature::{Args, Value};

use super::help;
use super::real::{golden, numbers};

fn reference(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/reference/data/own")
        .join(name);
    path.display().to_string()
}

/// Arguments as the checker would make them: texts, and `normalize`.
fn own(split: &str, normalize: &str, texts: &[(&str, &str)]) -> Args {
    let mut args = super::args(split, normalize, None);
    for (name, text) in texts {
        args.0.insert(name.to_string(), Value::Text(text.to_string()));
    }
    args
}

fn npy(split: &str, normalize: &str, images: &str, label: &str) -> Args {
    let (images, label) = (reference(images), reference(label));
    own(
        split,
        normalize,
        &[
            ("images", &images),
            ("label", &label),
            ("layout", "channels_first"),
        ],
    )
}

fn kind(name: &str) -> &'static dyn DatasetKind {
    dataset(name).unwrap()
}

fn load(name: &str, args: &Args) -> Dataset {
    let data = kind(name).load(args, &SearchPath::default()).unwrap();
    let outline = kind(name).outline(args).unwrap();
    assert_eq!(
        (data.shape, data.classes, data.len() as u64),
        (outline.shape, outline.classes, outline.examples)
    );
    data
}

/// Error and help, with the folder's name replaced; found by the outline already.
fn complaint(name: &str, args: &Args, root: &Path) -> String {
    let error = kind(name).outline(args).unwrap_err();
    assert_eq!(
        error.to_string(),
        kind(name)
            .load(args, &SearchPath::default())
            .unwrap_err()
            .to_string()
    );
    format!("{error}\n{}", help(&error)).replace(&root.display().to_string(), "ROOT")
}

fn assert_same(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (&found, &expected) in found.iter().zip(expected) {
        assert!(
            (f64::from(found) - expected).abs() <= 1e-6,
            "{found} instead of {expected}"
        );
    }
}

/// The images that every file of tests/reference/data/own holds, from 0 to 1.
fn images() -> Vec<f64> {
    numbers(&golden("own")["x"])
        .into_iter()
        .map(|byte| byte / 255.0)
        .collect()
}

#[test]
fn npy_in_every_layout() {
    let labels: Vec<u32> = vec![0, 2, 1, 1, 0, 2];
    let plain = load("npy", &npy("train", "none", "x.npy", "y.npy"));
    assert_eq!(
        (plain.shape, plain.classes, &plain.labels),
        ([3, 2, 4], 3, &labels)
    );
    assert_eq!(plain.name, "x.npy");
    assert_same(&plain.images, &images());
    assert_eq!(
        load("npy", &npy("train", "none", "x_fortran.npy", "y.npy")).images,
        plain.images
    );
    assert_eq!(
        load("npy", &npy("train", "none", "arrays.npz:x", "arrays.npz:y")).images,
        plain.images
    );
    let mut last = npy("train", "none", "x_last.npy", "y.npy");
    last.0
        .insert("layout".into(), Value::Text("channels_last".into()));
    let last = load("npy", &last);
    assert_eq!((&last.images, &last.digest), (&plain.images, &plain.digest));
    // Numbers that are no bytes are left as they are.
    let floats = load("npy", &npy("train", "none", "x_big_endian.npy", "y.npy"));
    assert_same(&floats.images, &numbers(&golden("own")["x"]));
    assert_ne!(floats.digest, plain.digest);
    let scaled = |data: Dataset| data.images;
    let (bytes, floats) = (
        scaled(load("npy", &npy("train", "per_channel", "x.npy", "y.npy"))),
        scaled(load(
            "npy",
            &npy("train", "per_channel", "x_big_endian.npy", "y.npy"),
        )),
    );
    assert_same(
        &floats,
        &bytes.iter().map(|&value| f64::from(value)).collect::<Vec<_>>(),
    );
    let (mean, sd) = (
        numbers(&golden("own")["channel_mean"]),
        numbers(&golden("own")["channel_sd"]),
    );
    let expected: Vec<f64> = images()
        .iter()
        .enumerate()
        .map(|(at, pixel)| (pixel - mean[at / 8 % 3]) / sd[at / 8 % 3])
        .collect();
    assert_same(&bytes, &expected);
}

#[test]
fn features_are_normalised_each_and_a_constant_one_is_zero() {
    let data = load("npy", &npy("train", "per_feature", "features.npy", "y.npy"));
    assert_eq!((data.shape, data.note.constant_pixels), ([5, 1, 1], 1));
    assert_same(&data.images, &numbers(&golden("own")["per_feature"]));
    assert!(data.images.iter().skip(2).step_by(5).all(|&value| value == 0.0));
}

#[test]
fn test_splits_use_the_training_statistics() {
    let mut args = npy("test", "global", "arrays.npz:x", "arrays.npz:y");
    let without = complaint("npy", &args, Path::new("/nowhere"));
    insta::assert_snapshot!(without, @"
    data set `npy` has no test split
    name its files with `test_images` and `test_label`
    ");
    for (name, array) in [("test_images", "tx"), ("test_label", "ty")] {
        args.0.insert(
            name.into(),
            Value::Text(reference(&format!("arrays.npz:{array}"))),
        );
    }
    let test = load("npy", &args);
    let train = load("npy", &npy("train", "global", "x.npy", "y.npy"));
    assert_eq!(
        (&test.labels[..], test.classes, &test.note),
        (&[2, 0][..], 3, &train.note)
    );
    let expected: Vec<f64> = numbers(&golden("own")["tx"])
        .iter()
        .map(|byte| (byte / 255.0 - train.note.mean) / train.note.sd)
        .collect();
    assert_same(&test.images, &expected);
}

#[test]
fn safetensors_are_read_by_name() {
    let file = reference("arrays.safetensors");
    let of = |images, label| {
        let texts = [
            ("file", &file[..]),
            ("images", images),
            ("label", label),
            ("layout", "channels_first"),
        ];
        own("train", "none", &texts)
    };
    let data = load("safetensors", &of("x", "y"));
    assert_same(&data.images, &images());
    assert_eq!(
        (data.name.as_str(), data.labels[..3].to_vec()),
        ("arrays.safetensors", vec![0, 2, 1])
    );
    let features = load("safetensors", &of("f", "y"));
    assert_same(&features.images, &numbers(&golden("own")["features"]));
    let root = PathBuf::from(reference("").trim_end_matches('/'));
    insta::assert_snapshot!(complaint("safetensors", &of("images", "y"), &root), @"
    ROOT/arrays.safetensors has no array `images`
    its arrays are `f`, `tx`, `ty`, `x`, `y`
    ");
    let folder = tempfile::tempdir().unwrap();
    let short = folder.path().join("short.safetensors");
    fs::write(&short, &fs::read(&file).unwrap()[..600]).unwrap();
    let mut args = of("x", "y");
    args.0
        .insert("file".into(), Value::Text(short.display().to_string()));
    insta::assert_snapshot!(complaint("safetensors", &args, folder.path()), @"
    ROOT/short.safetensors is truncated: its header does not fit the bytes of data that are there
    the file may be damaged or of another format: save it again
    ");
}

#[test]
fn arrays_that_do_not_fit_are_errors() {
    let root = PathBuf::from(reference("").trim_end_matches('/'));
    let folder = tempfile::tempdir().unwrap();
    let of = |images: &str, label: &str| complaint("npy", &npy("train", "none", images, label), &root);
    insta::assert_snapshot!(of("none.npy", "y.npy"), @"
    cannot read ROOT/none.npy: No such file or directory (os error 2)
    check the path; it is relative to the folder of the study
    ");
    insta::assert_snapshot!(of("arrays.npz", "y.npy"), @r#"
    ROOT/arrays.npz holds several arrays, and none is named
    write "FILE.npz:ARRAY"; its arrays are `tx`, `ty`, `x`, `y`
    "#);
    insta::assert_snapshot!(of("arrays.npz:z", "y.npy"), @"
    ROOT/arrays.npz has no array `z`
    its arrays are `tx`, `ty`, `x`, `y`
    ");
    insta::assert_snapshot!(of("x.npy", "arrays.npz:ty"), @"
    ROOT/arrays.npz:ty has 2 labels for 6 images
    save one label for each image
    ");
    insta::assert_snapshot!(of("x.npy", "features.npy"), @"
    ROOT/features.npy has the shape [6, 5]; labels are one number for each image, N or N×1
    save the array in one of these shapes, examples along the first axis
    ");
    insta::assert_snapshot!(of("y.npy", "y.npy"), @"
    ROOT/y.npy has the shape [6]; images are N×C×H×W (or N×H×W×C with `layout: channels_last`), N×H×W or N×features
    save the array in one of these shapes, examples along the first axis
    ");
    let header = |descr: &str, shape: &str| {
        let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
        let length = (text.len() + 11) / 64 * 64 + 53;
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend(((length + 1) as u16).to_le_bytes());
        file.extend(format!("{text:<length$}\n").bytes());
        file
    };
    let write = |name: &str, descr: &str, shape: &str, data: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, [&header(descr, shape)[..], data].concat()).unwrap();
        path.display().to_string()
    };
    let against = |images: &str, label: &str| {
        let texts = [("images", images), ("label", label), ("layout", "channels_first")];
        let text = complaint("npy", &own("train", "none", &texts), folder.path());
        text.lines().next().unwrap().to_string()
    };
    let (x, y) = (reference("x.npy"), reference("y.npy"));
    insta::assert_snapshot!(against(&x, &write("a.npy", "<i4", "(6,)", bytes(&[0, 1, -1, 2, 2, 2]))), @"ROOT/a.npy has label -1 at position 2; of 6 examples it can be at most 5");
    insta::assert_snapshot!(against(&x, &write("b.npy", "<i4", "(6,)", bytes(&[0, 1, 6, 2, 2, 2]))), @"ROOT/b.npy has label 6 at position 2; of 6 examples it can be at most 5");
    insta::assert_snapshot!(against(&x, &write("c.npy", "<f4", "(6,)", bytes(&[0; 6]))), @"ROOT/c.npy has elements of type f4; labels are whole numbers");
    insta::assert_snapshot!(against(&x, &write("d.npy", "<i4", "(6,)", bytes(&[0; 5]))), @"ROOT/d.npy is truncated: `ROOT/d.npy` should have 24 bytes of data and has 20");
    let nan = [0.5f32, 1.0, 2.0, f32::NAN, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0].map(f32::to_bits);
    let nan: Vec<u8> = nan.iter().flat_map(|bits| bits.to_le_bytes()).collect();
    insta::assert_snapshot!(against(&write("e.npy", "<f4", "(6, 2)", &nan), &y), @"ROOT/e.npy has NaN in example 1, value 1 of it");
    insta::assert_snapshot!(against(&write("f.npy", "<c8", "(6, 2)", &[0; 96]), &y), @"ROOT/f.npy has elements of type c8; images are u1 (0 to 255), f4, f8, or whole numbers of 1, 2 or 4 bytes");
    fs::write(folder.path().join("g.npy"), "no array").unwrap();
    insta::assert_snapshot!(against(&folder.path().join("g.npy").display().to_string(), &y), @"ROOT/g.npy cannot be read as an array: magic not found for NPY file");
}

fn bytes(numbers: &[i32]) -> &'static [u8] {
    numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect::<Vec<u8>>()
        .leak()
}
