//! Any bytes are the examples of a data set or an error: pickled and binary batches of CIFAR, packed and plain idx files.
#![no_main]

use gradstudy_data::{cifar_batch, idx};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(records) = cifar_batch::from_pickle(bytes, &["labels"]) {
        let _ = cifar_batch::check(&records, records.len() / (cifar_batch::PIXELS + 1), &[10]);
    }
    let _ = cifar_batch::check(bytes, 1, &[10]);
    if let Ok(content) = idx::unpack(bytes.to_vec()) {
        let _ = idx::elements(&content, &[10, 28, 28]);
    }
});
