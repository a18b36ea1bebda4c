//! From pixel bytes to network input. Means and standard deviations (population form, as `numpy.std`) come from
//! exact integer sums, so they do not depend on the order of summation or the number of threads.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// How pixels p in 0..1 become inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalization {
    /// (p − mean) / sd with one mean and sd over all training pixels.
    Global,
    /// (p − meanⱼ) / sdⱼ for each pixel position j over the training images; 0 where the pixel never varies.
    PerPixel,
    /// p itself.
    None,
}

impl Normalization {
    /// The words of the study language.
    pub const WORDS: &[&str] = &["global", "per_pixel", "none"];

    /// The scheme of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "global" => Some(Self::Global),
            "per_pixel" => Some(Self::PerPixel),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// What was done to the pixels, for the manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NormalizationNote {
    pub scheme: Normalization,
    /// Mean of all fitted pixels in units of 0..1, whatever the scheme.
    pub mean: f64,
    /// Their population standard deviation.
    pub sd: f64,
    /// Pixel positions that never vary over the fitted images; `per_pixel` makes these inputs 0.
    pub constant_pixels: usize,
    /// Training images that the statistics come from.
    pub fitted_on: usize,
}

/// Statistics of training images, ready to apply to any split.
#[derive(Debug)]
pub struct Normalizer {
    note: NormalizationNote,
    /// Mean and sd of each pixel position, in bytes (0..255).
    pixels: Vec<(f64, f64)>,
}

impl Normalizer {
    /// Fits on `pixels`: images one after the other, `size` bytes each (at least one image).
    pub fn fit(scheme: Normalization, pixels: &[u8], size: usize) -> Self {
        let images = pixels.len() / size;
        let sums = pixels
            .par_chunks(size * 4096)
            .map(|block| position_sums(block, size))
            .reduce(
                || vec![(0, 0); size],
                |a, b| a.iter().zip(&b).map(|(x, y)| (x.0 + y.0, x.1 + y.1)).collect(),
            );
        let positions: Vec<(f64, f64)> = sums
            .iter()
            .map(|&(sum, squares)| moments(images, sum, squares))
            .collect();
        let (sum, squares) = sums
            .iter()
            .fold((0, 0), |total, at| (total.0 + at.0, total.1 + at.1));
        let (mean, sd) = moments(images * size, sum, squares);
        let note = NormalizationNote {
            scheme,
            mean: mean / 255.0,
            sd: sd / 255.0,
            constant_pixels: positions.iter().filter(|(_, sd)| *sd == 0.0).count(),
            fitted_on: images,
        };
        Normalizer {
            note,
            pixels: positions,
        }
    }

    /// The facts for the manifest.
    pub fn note(&self) -> &NormalizationNote {
        &self.note
    }

    /// Inputs of `pixels` (N×size bytes), each computed in f64 and rounded once to f32.
    pub fn apply(&self, pixels: &[u8]) -> Vec<f32> {
        match self.note.scheme {
            Normalization::None => map_bytes(pixels, |byte| byte / 255.0),
            Normalization::Global => {
                let (mean, scale) = (self.note.mean * 255.0, reciprocal(self.note.sd * 255.0));
                map_bytes(pixels, |byte| (byte - mean) * scale)
            }
            Normalization::PerPixel => {
                let (means, scales): (Vec<f64>, Vec<f64>) = self
                    .pixels
                    .iter()
                    .map(|&(mean, sd)| (mean, reciprocal(sd)))
                    .unzip();
                let size = means.len();
                let mut inputs = vec![0.0; pixels.len()];
                inputs
                    .par_chunks_mut(size * 256)
                    .zip(pixels.par_chunks(size * 256))
                    .for_each(|(to, from)| {
                        for (to, from) in to.chunks_exact_mut(size).zip(from.chunks_exact(size)) {
                            for (((to, &byte), mean), scale) in
                                to.iter_mut().zip(from).zip(&means).zip(&scales)
                            {
                                *to = ((f64::from(byte) - mean) * scale) as f32;
                            }
                        }
                    });
                inputs
            }
        }
    }
}

/// 1/sd, or 0 where nothing varies: the input is then 0, never NaN.
fn reciprocal(sd: f64) -> f64 {
    if sd == 0.0 { 0.0 } else { 1.0 / sd }
}

/// There are only 256 different bytes, so the formula is evaluated 256 times.
fn map_bytes(pixels: &[u8], formula: impl Fn(f64) -> f64) -> Vec<f32> {
    let table: [f32; 256] = std::array::from_fn(|byte| formula(byte as f64) as f32);
    let mut inputs = vec![0.0; pixels.len()];
    inputs
        .par_chunks_mut(1 << 18)
        .zip(pixels.par_chunks(1 << 18))
        .for_each(|(to, from)| {
            to.iter_mut()
                .zip(from)
                .for_each(|(to, &byte)| *to = table[usize::from(byte)]);
        });
    inputs
}

/// Sum and sum of squares of each pixel position over at most 4096 images (so that u32 holds them).
fn position_sums(block: &[u8], size: usize) -> Vec<(u64, u64)> {
    let (mut sums, mut squares) = (vec![0u32; size], vec![0u32; size]);
    for image in block.chunks_exact(size) {
        for ((sum, square), &byte) in sums.iter_mut().zip(&mut squares).zip(image) {
            *sum += u32::from(byte);
            *square += u32::from(byte) * u32::from(byte);
        }
    }
    sums.into_iter()
        .zip(squares)
        .map(|(sum, square)| (sum.into(), square.into()))
        .collect()
}

/// Mean and population standard deviation; n Σx² − (Σx)² is exact, hence exactly 0 for constant values.
fn moments(count: usize, sum: u64, squares: u64) -> (f64, f64) {
    let (n, sum) = (count as u128, u128::from(sum));
    let spread = n * u128::from(squares) - sum * sum;
    (sum as f64 / n as f64, (spread as f64).sqrt() / n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Three images of two pixels; the second pixel never varies.
    const PIXELS: [u8; 6] = [0, 51, 102, 51, 204, 51];

    #[test]
    fn per_pixel_is_standardised_and_constant_pixels_are_zero() {
        let normalizer = Normalizer::fit(Normalization::PerPixel, &PIXELS, 2);
        assert_eq!(normalizer.note().constant_pixels, 1);
        let sd = (2.0f64 / 3.0).sqrt() * 102.0;
        let high = (102.0 / sd) as f32;
        assert_eq!(normalizer.apply(&PIXELS), [-high, 0.0, 0.0, 0.0, high, 0.0]);
        // A constant pixel that differs in another split is still 0: there is no scale for it.
        assert_eq!(normalizer.apply(&[102, 255]), [0.0, 0.0]);
    }

    #[test]
    fn global_and_none() {
        let normalizer = Normalizer::fit(Normalization::Global, &PIXELS, 2);
        let note = normalizer.note();
        assert!((note.mean - 0.3).abs() < 1e-15, "{note:?}");
        // Population variance of (0, 0.2, 0.4, 0.2, 0.8, 0.2) is 0.92/6 − 0.09.
        assert!(
            (note.sd - (0.92f64 / 6.0 - 0.09).sqrt()).abs() < 1e-15,
            "{note:?}"
        );
        assert!((f64::from(normalizer.apply(&[255])[0]) - 0.7 / note.sd).abs() < 1e-6);
        assert_eq!(
            Normalizer::fit(Normalization::None, &PIXELS, 2).apply(&[0, 51, 255]),
            [0.0, 0.2, 1.0]
        );
    }

    #[test]
    fn a_constant_data_set_gives_zeros() {
        for scheme in [Normalization::Global, Normalization::PerPixel] {
            assert_eq!(Normalizer::fit(scheme, &[7; 8], 2).apply(&[7; 4]), [0.0; 4]);
        }
    }

    #[test]
    fn every_word_is_a_scheme() {
        assert!(
            Normalization::WORDS
                .iter()
                .all(|word| Normalization::from_word(word).is_some())
        );
    }
}
