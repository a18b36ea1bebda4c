//! A file of any bytes is a matrix or an error, whatever its name says it is; a matrix is read to its end. The first byte
//! chooses the ending.
#![no_main]

use gradstudy_arrays::{Along, open};
use libfuzzer_sys::fuzz_target;

const ENDINGS: [&str; 8] = ["npy", "npz", "csv", "txt", "safetensors", "pt", "parquet", "arrow"];

/// Numbers that are read at most: a header may promise any number of them.
const MOST: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, content)) = bytes.split_first() else {
        return;
    };
    let ending = ENDINGS[usize::from(*first) % ENDINGS.len()];
    let path = std::env::temp_dir().join(format!("gradstudy-fuzz-{}.{ending}", std::process::id()));
    std::fs::write(&path, content).expect("the temporary folder can be written to");
    for matrix in open(&path, None).unwrap_or_default() {
        let (samples, size) = matrix.samples(Along::Rows);
        if samples.checked_mul(size).is_some_and(|numbers| 0 < numbers && numbers <= MOST) {
            let mut values = Vec::new();
            // An error is an answer, too.
            let _ = matrix.read(Along::Rows, 0..samples, &mut values);
        }
    }
    let _ = std::fs::remove_file(&path);
});
