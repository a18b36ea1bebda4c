use std::io::Write;
use std::path::Path;

use super::*;

/// Names, rows and notes.
type Read = (Vec<String>, Vec<Vec<f64>>, Vec<String>);

/// Names, rows and notes of a table, or why it cannot be read.
fn read_with(path: &str, content: &[u8], settings: TextSettings) -> Result<Read, TextError> {
    let mut table = open(Path::new(path), content, &settings, None)?;
    let layout = table.layout.clone();
    let (mut rows, mut ends) = (Vec::new(), Vec::new());
    while let Some(row) = table.next_row()? {
        if !row.fits() {
            return Err(row.misfit());
        }
        if layout.index > 0 {
            ends.push(row.word(0).0);
        }
        let values = (layout.index..layout.fields).map(|i| row.field(i).value().unwrap_or(f64::NEG_INFINITY));
        rows.push(values.collect());
    }
    let names = layout.names.get(layout.index..).unwrap_or_default().to_vec();
    let mut notes = layout.notes.clone();
    notes.extend(layout.index_note(&ends));
    notes.extend(table.comments_note());
    Ok((names, rows, notes))
}

fn read(path: &str, content: &str) -> Read {
    read_with(path, content.as_bytes(), TextSettings::default())
        .unwrap_or_else(|error| panic!("{content:?}: {error:?}"))
}

fn rows(content: &str) -> Vec<Vec<f64>> {
    read("t.csv", content).1
}

fn complaint(content: &str) -> String {
    match read_with("t.csv", content.as_bytes(), TextSettings::default()) {
        Err(TextError { line, problem, help }) => format!("{line:?} {problem} | {help}"),
        Ok(found) => panic!("{content:?} was read as {found:?}"),
    }
}

const PLAIN: [[f64; 2]; 3] = [[1.5, -2.0], [0.25, 3e-4], [7.0, 8.5]];

#[test]
fn every_way_of_writing_one_table_gives_its_numbers() {
    for content in [
        "1.5,-2\n0.25,3e-4\n7,8.5\n",
        "1.5;-2\r\n0.25;3e-4\r\n7;8.5\r\n",
        "1,5;-2\n0,25;3e-4\n7;8,5",
        "1.5\t-2\n0.25\t3e-4\n7\t8.5",
        "1.5|-2\n0.25|3e-4\n7|8.5",
        "  1.5   -2\n 0.25 3e-4  \n\n\t7\t8.5\n",
        "1,5 -2\n0,25 3e-4\n7 8,5\n",
        "\"1,5\",\"-2\"\n\"0,25\",3e-4\n7,\"8,5\"\n",
        "1.5, -2\n0.25 ,3e-4\n7, 8.5\n",
        "1.5,-2,\n0.25,3e-4,\n7,8.5,\n",
        "a,b\n1.5,-2\n0.25,3e-4\n7,8.5\n",
        "a;b;\n1.5;-2;\n0.25;3e-4;\n7;8.5;\n",
        "a,b\n1.5,-2,\n0.25,3e-4,\n7,8.5,\n",
        "# made by a script\n1.5,-2\n# a pause\n0.25,3e-4\n7,8.5\n",
        "# a b\n1.5 -2\n0.25 3e-4\n7 8.5\n",
        ",a,b\n0,1.5,-2\n1,0.25,3e-4\n2,7,8.5\n",
        ",a,b\n5,1.5,-2\n9,0.25,3e-4\n12,7,8.5\n",
        ",a,b\n2020-01-01,1.5,-2\n2020-01-02,0.25,3e-4\n2020-01-03,7,8.5\n",
        "Unnamed: 0,a,b\n0,1.5,-2\n1,0.25,3e-4\n2,7,8.5\n",
        ",Unnamed: 0,a,b\n0,0,1.5,-2\n1,1,0.25,3e-4\n2,2,7,8.5\n",
        "index,a,b\n0,1.5,-2\n1,0.25,3e-4\n2,7,8.5\n",
        "\"a\" \"b\"\n\"1\" 1.5 -2\n\"2\" 0.25 3e-4\n\"3\" 7 8.5\n",
        "\"\",\"a\",\"b\"\n\"one\",1.5,-2\n\"two\",0.25,3e-4\n\"three\",7,8.5\n",
        "a,b\r1.5,-2\r0.25,3e-4\r7,8.5\r",
        "sep=;\r\na;b\r\n1,5;-2\r\n0,25;3e-4\r\n7;8,5\r\n",
        "sep=\t\n1.5\t-2\n0.25\t3e-4\n7\t8.5\n",
        "\u{feff}a,b\n1.5,-2\n0.25,3e-4\n7,8.5",
        "\"a \"\"b\"\"\nc\",d\n1.5,-2\n0.25,3e-4\n7,8.5",
    ] {
        assert_eq!(rows(content), PLAIN, "{content:?}");
    }
}

#[test]
fn encodings_and_gzip() {
    let text = "größe,b\n1.5,-2\n0.25,3e-4\n7,8.5\n";
    let units: Vec<u16> = text.encode_utf16().collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    for (name, content) in [
        ("UTF-16 LE", [&[0xff, 0xfe], &little[..]].concat()),
        ("UTF-16 BE", [&[0xfe, 0xff], &big[..]].concat()),
        ("without a mark", little.clone()),
        ("Latin-1", latin),
        ("gzip", packed.finish().unwrap()),
    ] {
        let (names, rows, notes) = read_with("t.csv.gz", &content, TextSettings::default()).unwrap();
        assert_eq!(rows, PLAIN, "{name}");
        assert_eq!(names, ["größe", "b"], "{name}");
        assert_eq!(!notes.is_empty(), name == "Latin-1", "{notes:?}");
    }
    for (content, expected) in [
        (&b"\xff\xfe\0\0a\0\0\0"[..], "is text in UTF-32"),
        (b"1,2\n3,\0\n", "is no text: it holds bytes of value 0"),
        (b"PK\x03\x04", "is packed by zip"),
        (b"\xff\xfea\0b", "cannot be read: it is damaged UTF-16"),
    ] {
        let error = read_with("t.csv", content, TextSettings::default()).unwrap_err();
        assert_eq!(error.problem, expected);
    }
}

#[test]
fn names_that_are_numbers() {
    let (names, rows, notes) = read("t.csv", "0,1,2\n0.5,-1.25,0.125\n1.5,2.25,3.5\n");
    assert_eq!(names, ["0", "1", "2"]);
    assert_eq!(rows, [[0.5, -1.25, 0.125], [1.5, 2.25, 3.5]]);
    insta::assert_snapshot!(notes.join("; "), @"the first row (0 … 2) holds the names of the columns");
    let (names, rows, notes) = read("t.csv", ",0,1,2\n0,5,1,3\n4,1,2,3\n9,7,8,9\n");
    assert_eq!((names.len(), rows[2].clone()), (3, vec![7.0, 8.0, 9.0]));
    insta::assert_snapshot!(notes.join("; "), @"the first row (0 … 2) holds the names of the columns; the first column is an index (0…9): left out");
    // One column: a frame's name `0`, or counts that begin with 0.
    let one = |values: &str| read("t.csv", &format!("0\n{}", values.repeat(8))).1.len();
    assert_eq!(one("0.123456789\n"), 8);
    assert_eq!(read("t.csv", "0\n0.5\n1.5\n2.5\n").1.len(), 4);
    assert!(complaint(&format!("0\n{}", "0.5\n".repeat(8))).contains("--header"));
    assert_eq!(read("t.csv", "0\n5\n0\n2\n").1.len(), 4);
    // Rows of words and numbers.
    assert_eq!(read("t.csv", "step,0,1\n3,0.5,0.25\n7,1.5,2.5\n").1.len(), 2);
    assert!(complaint("species,2019,2020\nx,0.5,0.25\ny,1.5,2.5\n").contains("--header"));
    assert!(complaint("x\n1,5\n2,25\n7,125\n").contains("--separator"));
    assert_eq!(read("t.csv", "5.1,3.5,a\n4.9,3.0,a\n6.1,2.2,b\n").1.len(), 3);
    insta::assert_snapshot!(complaint("0,1,2\n3,4,5\n6,7,8\n"), @"Some(1) could be read in two ways: its first row counts (0, 1, 2 …), as names do and values may | say which: `--header true` or `--header false`, in a study `header: true` or `header: false` (whether the first row holds the columns' names)");
    insta::assert_snapshot!(complaint("10,100\n0.5,0.25\n1.5,2.5\n3.5,4.5\n"), @"Some(1) could be read in two ways: its first row has whole numbers and the rows below have none, as if they were names | say which: `--header true` or `--header false`, in a study `header: true` or `header: false` (whether the first row holds the columns' names)");
    let long = "0.1,0.01\n".to_string() + &"0.123456789,0.987654321\n".repeat(6);
    assert!(complaint(&long).contains("few digits"), "{}", complaint(&long));
    // The settings decide.
    for (header, count) in [(true, 2), (false, 3)] {
        let settings = TextSettings {
            header: Some(header),
            ..Default::default()
        };
        let (_, rows, notes) = read_with("t.csv", b"0,1,2\n3,4,5\n6,7,8\n", settings).unwrap();
        assert_eq!((rows.len(), notes.len()), (count, 0));
    }
}

#[test]
fn columns_that_count_rows() {
    let fractions = |rows: usize, header: &str| {
        let lines: String = (0..rows)
            .map(|i| format!("{i},{}\n", i as f64 / 7.0 + 0.01))
            .collect();
        format!("{header}{lines}")
    };
    let (_, rows, notes) = read("t.csv", &fractions(20, ""));
    assert_eq!((rows.len(), rows[0].len()), (20, 1));
    insta::assert_snapshot!(notes.join("; "), @"the first column is an index (0…19): left out");
    // A column with a name is data, unless the name says that it is none.
    assert_eq!(read("t.csv", &fractions(20, "step,loss\n")).1[0].len(), 2);
    assert_eq!(read("t.csv", &fractions(20, "index,loss\n")).1[0].len(), 1);
    let whole: String = (0..20).map(|i| format!("{i},{}\n", i * i)).collect();
    assert!(
        complaint(&whole).contains("--index true"),
        "{}",
        complaint(&whole)
    );
    let settings = TextSettings {
        index: Some(false),
        ..Default::default()
    };
    assert_eq!(
        read_with("t.csv", whole.as_bytes(), settings).unwrap().1[0].len(),
        2
    );
}

#[test]
fn commas_that_could_be_anything() {
    insta::assert_snapshot!(complaint("a;b\n1,234;2,345\n"), @"Some(2) could be read in two ways: the comma of `1,234` may stand before a fraction or between thousands | say which: `--decimal point` or `--decimal comma`, in a study `decimal: point` or `decimal: comma` (what stands before fractions)");
    insta::assert_snapshot!(complaint("a;b\n1,5;2.5\n"), @"Some(2) has both `1,5` and `2.5`: decimal commas and decimal points | say which: `--decimal point` or `--decimal comma`, in a study `decimal: point` or `decimal: comma` (what stands before fractions)");
    insta::assert_snapshot!(complaint("a;b\n1.234,5;2\n"), @"Some(2) has marks between thousands (`1.234,5`) | write the numbers without them");
    assert!(complaint("0,05\n0,5\n1,25\n").starts_with("Some(1) could be read in two ways"));
    let comma = TextSettings {
        decimal: Some(Decimal::Comma),
        separator: Some(Separator::Semicolon),
        ..Default::default()
    };
    assert_eq!(
        read_with("t.csv", b"1,234;2,345\n", comma).unwrap().1,
        [[1.234, 2.345]]
    );
}

#[test]
fn what_is_no_table() {
    insta::assert_snapshot!(complaint(""), @"None holds no row | write a row for each line of numbers");
    insta::assert_snapshot!(complaint("# 1,2\n#3,4\n"), @"None holds no row: all 2 lines begin with `#` | write a row for each line of numbers");
    insta::assert_snapshot!(complaint("a,b\n1,2\n\n3,4,5\n"), @"Some(4) 3 fields, the lines above have 2 | the file was read with `comma` between columns: another is said with `--separator`, in a study `separator: semicolon` (comma, semicolon, tab, pipe, space)");
    insta::assert_snapshot!(complaint("a,b\n1,\"2\n3,4\n"), @"Some(2) a quote is opened and never closed | close it, or remove it; quotes within a field are doubled");
    // A blank separates nothing where names have blanks.
    let (names, found, _) = read("t.csv", "my column\n0.5\n1.5\n");
    assert_eq!(
        (names, found),
        (vec!["my column".to_string()], vec![vec![0.5], vec![1.5]])
    );
    let missing = read("t.csv", "a,b\nNA,1.5\n,nan\n2.5,<NA>\n").1;
    assert!(missing.iter().flatten().filter(|value| value.is_nan()).count() == 4);
    assert_eq!(rows("a\n\"\"\n1.5\n").len(), 2);
}

mod any_bytes {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of tables, sound and not.
    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let pieces: Vec<&[u8]> = vec![
            b",",
            b";",
            b"\t",
            b" ",
            b"|",
            b"\n",
            b"\r\n",
            b"\"",
            b"#",
            b"0",
            b"1",
            b"2",
            b"1.5",
            b"1,5",
            b"-3e-4",
            b"NA",
            b"nan",
            b"true",
            b"word",
            b"Unnamed: 0",
            b"\xe9",
            b"\xff\xfe",
            b"\0",
            b"1.234,5",
            b"05",
        ];
        prop_oneof![
            8 => proptest::sample::select(pieces).prop_map(<[u8]>::to_vec),
            1 => proptest::collection::vec(any::<u8>(), 0..4),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Whatever a file holds, it is read or refused; rows that fit are as long as the layout says.
        #[test]
        fn are_read_or_refused(
            pieces in proptest::collection::vec(piece(), 0..40),
            header in proptest::option::of(any::<bool>()),
            index in proptest::option::of(any::<bool>()),
        ) {
            let content = pieces.concat();
            let settings = TextSettings { header, index, ..Default::default() };
            let _ = read_with("t.csv", &content, settings);
        }
    }
}
