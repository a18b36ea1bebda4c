//! Data sets of the user's own in CSV.

use super::*;

pub fn csv(folder: &Path, content: &str, more: &[(&str, &str)]) -> Args {
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
