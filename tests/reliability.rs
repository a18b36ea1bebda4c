//! Faults on purpose: whatever happens to a file of the cache or of a run, no other number comes out in silence, and what
//! can be made again is.

mod cache;
mod hostile;
mod identity;
mod interrupted;
mod outputs;
mod runs;

use std::path::Path;

use gradstudy::seed;
use rand::RngExt;

/// What is done to a file.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// One bit is another.
    Flip,
    /// The end is missing.
    Cut,
    /// There is a zero more.
    Longer,
}

const FAULTS: [Fault; 3] = [Fault::Flip, Fault::Cut, Fault::Longer];

/// Does it to the file at `path`; where, `number` says.
fn inflict(fault: Fault, path: &Path, number: u64) {
    let mut bytes = std::fs::read(path).unwrap();
    assert!(!bytes.is_empty(), "{}", path.display());
    let mut random = seed::rng(number, "faults");
    match fault {
        Fault::Flip => {
            let bit = random.random_range(0..bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        Fault::Cut => bytes.truncate(random.random_range(0..bytes.len())),
        Fault::Longer => bytes.push(0),
    }
    std::fs::write(path, bytes).unwrap();
}

/// Names of the files in a folder, sorted.
fn files_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
