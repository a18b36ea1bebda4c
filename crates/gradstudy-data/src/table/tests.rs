use super::*;

use gradstudy_arrays::text::TextSettings;

const FORMAT: Format = Format {
    text: TextSettings {
        header: None,
        index: None,
        separator: None,
        decimal: None,
    },
    label: "kind",
    ignore: &[],
};

fn table(content: &str, format: &Format) -> Result<Table, TableError> {
    read(Path::new("wine.csv"), content.as_bytes(), format)
}

fn classes(content: &str) -> Result<Vec<u32>, TableError> {
    let table = table(content, &FORMAT)?;
    Classes::of(&table, Path::new("wine.csv"))?.numbers(&table, Path::new("wine.csv"))
}

#[test]
fn reads_columns_by_name_number_and_position() {
    let content = "\u{feff}id,\"a\", b,kind\r\n7, 1.5,-2e1,x\r\n\r\n8,\"3\",4,y\r\n";
    let format = Format {
        ignore: &["id"],
        ..FORMAT
    };
    let found = table(content, &format).unwrap();
    assert_eq!(
        (&found.values[..], found.columns),
        (&[1.5, -20.0, 3.0, 4.0][..], 2)
    );
    assert_eq!(
        (&found.labels[..], &found.lines[..]),
        (&["x".to_string(), "y".into()][..], &[2, 4][..])
    );
    let plain = Format {
        label: "first",
        ignore: &["3"],
        ..FORMAT
    };
    let found = table("A;1;no\nB;2;no", &plain).unwrap();
    assert_eq!(
        (&found.values[..], &found.labels[..]),
        (&[1.0, 2.0][..], &["A".to_string(), "B".into()][..])
    );
}

#[test]
fn every_mistake_has_its_place() {
    let complaint = |content: &str| table(content, &FORMAT).unwrap_err().to_string();
    insta::assert_snapshot!(complaint("a,b,kind\n1,2,x\n3,,y"), @"wine.csv:3:2: column `b` is empty");
    insta::assert_snapshot!(complaint("a,b,kind\n1,NA,x"), @"wine.csv:2:2: column `b` is `NA`, which is no number");
    insta::assert_snapshot!(complaint("a,b,kind\n1,nan,x"), @"wine.csv:2:2: column `b` is nan, which is not a finite number within the range of 32 bits");
    insta::assert_snapshot!(complaint("a,b,kind\n1,1e39,x"), @"wine.csv:2:2: column `b` is 1e39, which is not a finite number within the range of 32 bits");
    insta::assert_snapshot!(complaint("a,b,kind\n\n1,2"), @"wine.csv:3:3: the row has 2 columns, the first one has 3");
    insta::assert_snapshot!(complaint("a,b,kind\n1,2,\n"), @"wine.csv:2:3: column `kind` is empty");
    insta::assert_snapshot!(complaint("a,b,sort\n1,2,x"), @"wine.csv:1:1: there is no column `kind`");
    insta::assert_snapshot!(complaint("kind\nx"), @"wine.csv:1:1: no column is left for the features");
    insta::assert_snapshot!(complaint("a,b,kind\n"), @"wine.csv:1:1: there are no rows");
    let latin = read(Path::new("wine.csv"), b"a,kind\n1,caf\xe9", &FORMAT).unwrap();
    assert_eq!(
        (&latin.labels[..], latin.remarks.len()),
        (&["café".to_string()][..], 1)
    );
}

#[test]
fn classes_are_sorted_as_numbers_or_as_words() {
    assert_eq!(classes("a,kind\n0,10\n0,9\n0,-1\n0,9.0").unwrap(), [2, 1, 0, 1]);
    assert_eq!(classes("a,kind\n0,b\n0,10\n0,9\n").unwrap(), [2, 0, 1]);
    insta::assert_snapshot!(classes("a,kind\n0,1\n0,2.5").unwrap_err(), @"wine.csv:3:2: label 2.5 is not a whole number");
    let (train, test) = (
        table("a,kind\n0,b\n0,c", &FORMAT),
        table("a,kind\n0,c\n0,d", &FORMAT),
    );
    let known = Classes::of(&train.unwrap(), Path::new("wine.csv")).unwrap();
    insta::assert_snapshot!(known.numbers(&test.unwrap(), Path::new("test.csv")).unwrap_err(),
        @"test.csv:3:2: label `d` does not occur in the training data");
}
