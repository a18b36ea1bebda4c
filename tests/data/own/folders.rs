//! Folders of images, and text.

use super::tables::csv;
use super::*;

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
