//! Tensors that PyTorch saved, in every way in which it does (tests/reference/pytorch), against torch.load.

use std::path::{Path, PathBuf};

use gradstudy::arrays::{self, Along, Matrix};
use serde_json::Value;

use crate::support::Gradstudy;

fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/reference/pytorch")
        .join(name)
}

fn all(matrix: &Matrix) -> Vec<f64> {
    // Row by row, whatever the order in the file.
    let mut values = Vec::new();
    for row in 0..matrix.rows {
        let mut of_row = Vec::new();
        matrix.read(Along::Rows, row..row + 1, &mut of_row).unwrap();
        values.extend(of_row);
    }
    values
}

#[test]
fn every_way_of_storing_tensors_is_read_as_pytorch_reads_it() {
    let golden = std::fs::read_to_string(reference("arrays.json")).unwrap();
    let golden: Value = serde_json::from_str(&golden).unwrap();
    for (file, expected) in golden.as_object().unwrap() {
        let arrays = arrays::open(&reference(file), None).unwrap_or_else(|error| panic!("{file}: {error}"));
        let expected = expected.as_object().unwrap();
        assert_eq!(arrays.len(), expected.len(), "{file}");
        for matrix in &arrays {
            // A tensor by itself has the file's name.
            let name = if matrix.name == *file {
                ""
            } else {
                matrix.name.as_str()
            };
            let of_name = expected
                .get(name)
                .unwrap_or_else(|| panic!("{file} has no {name}"));
            let shape: Vec<usize> = serde_json::from_value(of_name["shape"].clone()).unwrap();
            let (rows, columns) = match shape.as_slice() {
                [] => (1, 1),
                [rows, rest @ ..] => (*rows, rest.iter().product()),
            };
            assert_eq!((matrix.rows, matrix.columns), (rows, columns), "{file} {name}");
            let numbers = of_name["numbers"].as_str().unwrap();
            let numbers: Vec<f64> = numbers
                .split(' ')
                .filter(|n| !n.is_empty())
                .map(|n| n.parse().unwrap())
                .collect();
            let found = if rows * columns == 0 {
                Vec::new()
            } else {
                all(matrix)
            };
            assert_eq!(found.len(), numbers.len(), "{file} {name}");
            assert_eq!(found, numbers, "{file} {name}");
            let one = arrays::open(&reference(file), Some(&matrix.name)).unwrap();
            assert_eq!((one.len(), &one[0].name), (1, &matrix.name));
        }
    }
}

#[test]
fn entries_keep_the_order_of_the_file() {
    let names = |file: &str| -> Vec<String> {
        let arrays = arrays::open(&reference(file), None).unwrap();
        arrays.into_iter().map(|array| array.name).collect()
    };
    assert_eq!(names("array_dict.pt"), ["b", "a"]);
    let list: Vec<String> = (0..12).map(|index| index.to_string()).collect();
    assert_eq!(names("array_list.pt"), list);
    assert_eq!(names("array_nested.pt"), ["step.10", "step.9", "more.0.x"]);
    assert_eq!(names("array_bare.pt"), ["array_bare.pt"]);
}

#[test]
fn what_is_no_tensor_of_real_numbers_is_left_out_or_refused() {
    let error = |file: &str, wanted: Option<&str>| {
        let error = arrays::open(&reference(file), wanted).unwrap_err().to_string();
        error.replace(&reference("").display().to_string(), "")
    };
    for file in ["refused_complex.pt", "refused_negated.pt", "refused_sparse.pt"] {
        let arrays = arrays::open(&reference(file), None).unwrap();
        assert_eq!((arrays.len(), arrays[0].name.as_str()), (1, "g"), "{file}");
    }
    insta::assert_snapshot!(error("refused_complex.pt", Some("z")), @"`z` holds complex64, not real numbers");
    insta::assert_snapshot!(error("refused_complex.pt", Some("y")), @"`refused_complex.pt` has no array `y`");
    insta::assert_snapshot!(error("refused_only_complex.pt", None), @"`refused_only_complex.pt` holds no tensor of real numbers: `z` (complex64)");
    insta::assert_snapshot!(error("refused_no_tensor.pt", None), @"`refused_no_tensor.pt` holds no tensor of real numbers: `epoch` (int), `name` (str)");
    insta::assert_snapshot!(error("refused_meta.pt", None), @"`refused_meta.pt` holds no tensor of real numbers: `refused_meta.pt` (torch._utils._rebuild_meta_tensor_no_storage)");
    insta::assert_snapshot!(error("refused_twice.pt", None), @"`refused_twice.pt` is no file of PyTorch that can be read: it has two entries named `a.b`");
    insta::assert_snapshot!(error("refused_pickle.pt", None), @"`refused_pickle.pt` is no file of PyTorch that can be read: it is a pickle without PyTorch's storages");
    insta::assert_snapshot!(error("refused_script.pt", None), @"`refused_script.pt` is no file of PyTorch that can be read: it is a TorchScript archive: save `model.state_dict()` with `torch.save`");
}

#[test]
fn cut_off_files_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("g.pt");
    for file in ["array_bare.pt", "array_legacy_list.pt", "array_deflated.pt"] {
        let whole = std::fs::read(reference(file)).unwrap();
        for cut in (0..whole.len()).step_by(97) {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(arrays::open(&path, None).is_err(), "{file} cut at {cut}");
        }
    }
}

#[test]
fn damaged_files_are_errors_or_numbers_and_nothing_worse() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("g.pt");
    // Without checksums, so that damaged pickles are looked into.
    for file in ["array_legacy_views.pt", "array_legacy_nested.pt"] {
        let whole = std::fs::read(reference(file)).unwrap();
        for place in 0..whole.len().min(3000) {
            let mut bytes = whole.clone();
            bytes[place] = bytes[place].wrapping_add(1 + (place % 250) as u8);
            std::fs::write(&path, &bytes).unwrap();
            if let Ok(arrays) = arrays::open(&path, None) {
                arrays
                    .iter()
                    .filter(|array| array.rows < 100)
                    .for_each(|array| drop(all(array)));
            }
        }
    }
}

#[test]
fn the_command_line_and_studies_take_them() {
    let gradstudy = Gradstudy::new(
        "study \"PT\" { seeds: 0 }\nrecord g = file(\"g.pt\", array: \"b\")\ntest t = normality(g, points: 20, along: [iteration])\n\
         table r { of: t  rows: [dataset]  columns: [p_value] }\n",
    );
    std::fs::copy(reference("array_dict.pt"), gradstudy.path().join("g.pt")).unwrap();
    std::fs::copy(reference("array_bare.pt"), gradstudy.path().join("bare.pt")).unwrap();
    for file in ["g.pt", "bare.pt"] {
        let mut arguments = vec![
            "test",
            file,
            "--test",
            "normality(points: 20)",
            "--along",
            "columns",
        ];
        if file == "g.pt" {
            arguments.extend(["--array", "b"]);
        }
        let said = gradstudy.run(&arguments).success();
        assert!(!said.stdout.is_empty());
    }
    gradstudy.run(&["run", "test.study"]).success();
}
