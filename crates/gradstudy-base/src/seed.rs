//! Every random draw follows from the study's seed and a label that says what is drawn, so that draws never depend
//! on each other, on the device or on the number of threads.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The generator for what `label` names under the study seed `seed`.
pub fn rng(seed: u64, label: &str) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(digest(seed, label))
}

/// A 64-bit seed for what `label` names under the study seed `seed`.
pub fn derive(seed: u64, label: &str) -> u64 {
    let digest = digest(seed, label);
    u64::from_le_bytes([
        digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7],
    ])
}

fn digest(seed: u64, label: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(label.as_bytes());
    *hasher.finalize().as_bytes()
}
