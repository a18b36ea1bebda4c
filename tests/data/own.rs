//! The user's own data: every format against the numbers that NumPy wrote, and every mistake before anything runs.

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
    check the path; it is relative to where gradstudy is started
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

fn csv(folder: &Path, content: &str, more: &[(&str, &str)]) -> Args {
    let file = folder.join("wine.csv").display().to_string();
    fs::write(&file, content).unwrap();
    let mut args = own(
        "train",
        "none",
        &[("file", &file), ("label", "kind"), ("separator", "comma")],
    );
    args.0.insert("header".into(), Value::Boolean(true));
    for (name, text) in more {
        args.0.insert(name.to_string(), Value::Text(text.to_string()));
    }
    args
}

#[test]
fn csv_with_words_and_a_test_file() {
    let folder = tempfile::tempdir().unwrap();
    let test = folder.path().join("test.csv").display().to_string();
    fs::write(&test, "a,b,kind\n3,5,white\n").unwrap();
    let mut args = csv(
        folder.path(),
        "a,b,kind\n1,5,white\n2,5,red\n",
        &[("test", &test)],
    );
    let raw = load("csv", &args);
    assert_eq!(
        (raw.shape, raw.classes, raw.name.as_str()),
        ([2, 1, 1], 2, "wine.csv")
    );
    assert_eq!(
        (&raw.images[..], &raw.labels[..]),
        (&[1.0, 5.0, 2.0, 5.0][..], &[1, 0][..])
    );
    args.0
        .insert("normalize".into(), Value::Text("per_feature".into()));
    assert_eq!(load("csv", &args).images, [-1.0, 0.0, 1.0, 0.0]);
    args.0.insert("split".into(), Value::Text("test".into()));
    let data = load("csv", &args);
    assert_eq!((&data.images[..], &data.labels[..]), (&[3.0, 0.0][..], &[1][..]));
    // The key of the step follows both files.
    let digest = || kind("csv").digest(&args, &SearchPath::default()).unwrap();
    let before = digest();
    fs::write(folder.path().join("wine.csv"), "a,b,kind\n1,5,white\n2,6,red\n").unwrap();
    assert_ne!(digest(), before);
    // A test file with a mistake is found although only the training split is asked for.
    fs::write(&test, "a,b,kind\n3,5,rose\n").unwrap();
    args.0.insert("split".into(), Value::Text("train".into()));
    insta::assert_snapshot!(kind("csv").outline(&args).unwrap_err().to_string().replace(&folder.path().display().to_string(), "ROOT"), @"ROOT/test.csv:2:3: label `rose` does not occur in the training data");
}

#[test]
fn csv_mistakes_have_a_place() {
    let folder = tempfile::tempdir().unwrap();
    let of = |content: &str| complaint("csv", &csv(folder.path(), content, &[]), folder.path());
    insta::assert_snapshot!(of("a,b,kind\n1,2,x\n3,,y\n"), @"
    ROOT/wine.csv:3:2: column `b` is empty
    fill in the value or remove the row
    ");
    insta::assert_snapshot!(of("a,b,kind\n1,2,x\n3,four,y\n"), @"
    ROOT/wine.csv:3:2: column `b` is `four`, which is no number
    correct the value, remove the row, or leave the column out with `ignore`; `header` and `separator` say how to read the file
    ");
    insta::assert_snapshot!(of("a,b,kind\n1,2,x\n3,4\n"), @"
    ROOT/wine.csv:3:3: the row has 2 columns, the first one has 3
    give every row as many columns; `separator` says what stands between them
    ");
    insta::assert_snapshot!(of("a,b,sort\n1,2,x\n"), @"
    ROOT/wine.csv:1:1: there is no column `kind`
    the columns are `a`, `b`, `sort`; `first`, `last` or a number counted from 1 also names one
    ");
    let shape = |numbers: &[i64]| {
        let mut args = csv(folder.path(), "a,b,kind\n1,2,x\n", &[]);
        let numbers = numbers.iter().copied().map(Value::Integer).collect();
        args.0.insert("shape".into(), Value::List(numbers));
        args
    };
    assert_eq!(load("csv", &shape(&[1, 2, 1])).shape, [1, 2, 1]);
    insta::assert_snapshot!(complaint("csv", &shape(&[1, 28, 28]), folder.path()), @"
    ROOT/wine.csv has 2 feature columns, `shape` makes 784 of them
    `shape` is channels, height, width; leave out columns that are no pixels with `ignore`
    ");
    insta::assert_snapshot!(complaint("csv", &shape(&[2, 1]), folder.path()), @"
    `shape` holds 2 numbers
    give channels, height and width, such as `shape: [1, 28, 28]`
    ");
    fs::remove_file(folder.path().join("wine.csv")).unwrap();
    let gone = own(
        "train",
        "none",
        &[("file", &folder.path().join("wine.csv").display().to_string())],
    );
    insta::assert_snapshot!(kind("csv").digest(&gone, &SearchPath::default()).unwrap_err().to_string().replace(&folder.path().display().to_string(), "ROOT"), @"cannot read ROOT/wine.csv: No such file or directory (os error 2)");
}

fn folder_args(path: &Path, colour: &str) -> Args {
    own(
        "train",
        "none",
        &[("path", &path.display().to_string()), ("colour", colour)],
    )
}

#[test]
fn a_folder_of_images_takes_turns_between_classes() {
    let data = load(
        "image_folder",
        &folder_args(Path::new(&reference("folder")), "as_is"),
    );
    assert_eq!(
        (data.shape, data.classes, data.name.as_str()),
        ([3, 2, 4], 3, "folder")
    );
    assert_eq!(data.labels, [0, 1, 2, 0, 1, 2]);
    // a: 0, 4; b: 2, 3; c: 1, 5.
    for (example, file) in [0, 2, 1, 4, 3, 5].into_iter().enumerate() {
        assert_same(data.image(example), &images()[file * 24..(file + 1) * 24]);
    }
    let grey = load(
        "image_folder",
        &folder_args(Path::new(&reference("folder")), "grey"),
    );
    assert_eq!(grey.shape, [1, 2, 4]);
    // Rec. 709's luma, rounded or cut to whole bytes.
    let pixel = |channel: usize| images()[channel * 8];
    let luma = 0.2126 * pixel(0) + 0.7152 * pixel(1) + 0.0722 * pixel(2);
    assert!(
        (f64::from(grey.image(0)[0]) - luma).abs() < 1.01 / 255.0,
        "{luma}"
    );
}

#[test]
fn folders_with_odd_images_are_errors() {
    let root = tempfile::tempdir().unwrap();
    let put = |from: &str, to: &str| {
        let to = root.path().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(reference(from), &to).unwrap();
        to
    };
    let of = |colour| complaint("image_folder", &folder_args(root.path(), colour), root.path());
    insta::assert_snapshot!(of("as_is"), @"
    ROOT has no folders of classes
    a folder of images has one folder for each class, and PNG or JPEG files in these
    ");
    put("folder/a/0.png", "a/0.png");
    fs::create_dir(root.path().join("b")).unwrap();
    insta::assert_snapshot!(of("as_is"), @"
    ROOT/b has no images
    a folder of images has one folder for each class, and PNG or JPEG files in these
    ");
    let grey = put("odd/grey.png", "b/0.png");
    insta::assert_snapshot!(of("as_is"), @"
    ROOT/b/0.png is 1×2×4 (channels × height × width), ROOT/a/0.png is 3×2×4
    bring all images to one size; where some are grey and some are not, `colour: grey` or `colour: rgb` makes them alike
    ");
    assert_eq!(
        load("image_folder", &folder_args(root.path(), "rgb")).shape,
        [3, 2, 4]
    );
    fs::remove_file(grey).unwrap();
    let alpha = put("odd/alpha.png", "b/0.png");
    insta::assert_snapshot!(of("as_is"), @"
    ROOT/b/0.png has an alpha channel (transparency)
    `colour: grey` or `colour: rgb` converts every image to 8 bits a channel without transparency
    ");
    // Without its transparency it is image 0.
    let data = load("image_folder", &folder_args(root.path(), "rgb"));
    assert_eq!(data.image(0), data.image(1));
    fs::write(&alpha, &fs::read(&alpha).unwrap()[..60]).unwrap();
    let short = kind("image_folder").load(&folder_args(root.path(), "rgb"), &SearchPath::default());
    let short = short
        .unwrap_err()
        .to_string()
        .replace(&root.path().display().to_string(), "ROOT");
    assert!(
        short.starts_with("ROOT/b/0.png is no image that can be read: "),
        "{short}"
    );
    fs::rename(&alpha, root.path().join("b/notes.txt")).unwrap();
    insta::assert_snapshot!(of("as_is"), @"
    ROOT/b/notes.txt is neither PNG nor JPEG
    move the file out of the folder, or convert it; hidden files are passed over
    ");
}

#[test]
fn changed_files_are_surveyed_again() {
    let folder = tempfile::tempdir().unwrap();
    let args = csv(folder.path(), "a,kind\n1,x\n2,y\n", &[]);
    assert_eq!(kind("csv").outline(&args).unwrap().examples, 2);
    csv(folder.path(), "a,kind\n1,x\n2,y\n3,y\n", &[]);
    assert_eq!(kind("csv").outline(&args).unwrap().examples, 3);
}

/// Windows, labels one character further on, vocabulary of the training text.
#[test]
fn text_is_cut_into_windows() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (train, test) = (
        write("train.txt", "däcab\nab".as_bytes()),
        write("test.txt", b"abba"),
    );
    let args = |split: &str, file: &str, test: Option<&str>, numbers: &[(&str, i64)]| {
        let mut args = Args::default();
        let mut text =
            |name: &str, text: &str| args.0.insert(name.to_string(), Value::Text(text.to_string()));
        text("split", split);
        text("file", file);
        test.map(|test| text("test", test));
        for (name, number) in numbers {
            args.0.insert(name.to_string(), Value::Integer(*number));
        }
        args
    };
    // \n a b c d ä are tokens 0 to 5.
    let data = load("text", &args("train", &train, Some(&test), &[("context", 3)]));
    assert_eq!((data.shape, data.classes, data.positions()), ([1, 1, 3], 6, 3));
    assert_eq!(data.images, [4.0, 5.0, 3.0, 1.0, 2.0, 0.0]);
    assert_eq!(data.labels, [5, 3, 1, 2, 0, 1]);
    assert_eq!(data.labels_of(&[1, 0]), [2, 0, 1, 5, 3, 1]);
    let data = load(
        "text",
        &args(
            "train",
            &train,
            None,
            &[("context", 3), ("stride", 1), ("subset", 4)],
        ),
    );
    assert_eq!(data.images[9..], [1.0, 2.0, 0.0]);
    let data = load("text", &args("test", &train, Some(&test), &[("context", 3)]));
    assert_eq!(
        (data.classes, &data.images[..], &data.labels[..]),
        (6, &[1.0, 2.0, 2.0][..], &[2, 2, 1][..])
    );

    let fails = |args: &Args| kind("text").outline(args).unwrap_err().to_string();
    let short = fails(&args("train", &train, None, &[("context", 8)]));
    assert!(
        short.contains("8 characters, too few for a window of 8"),
        "{short}"
    );
    let few = fails(&args("train", &train, None, &[("context", 3), ("subset", 3)]));
    assert!(few.contains('3') && few.contains('2'), "{few}");
    let strange = write("strange.txt", b"abc?");
    let strange = fails(&args("train", &train, Some(&strange), &[("context", 3)]));
    assert!(strange.contains("'?' as character 3"), "{strange}");
    let latin = write("latin.txt", b"ab\xe4c");
    let latin = fails(&args("train", &latin, None, &[("context", 2)]));
    assert!(latin.contains("is not UTF-8: its byte 2"), "{latin}");
    let none = fails(&args("test", &train, None, &[("context", 3)]));
    assert!(none.contains("test"), "{none}");
}
