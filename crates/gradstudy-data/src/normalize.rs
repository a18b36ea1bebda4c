//! From raw values to network input. Pixels (bytes) are taken as numbers from 0 to 1, other numbers as they are.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::moments::{self, Moments, Statistics};
use super::values::Values;

/// How raw values x become inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalization {
    /// (x − mean) / sd with one mean and sd over all training values.
    Global,
    /// (x − mean) / sd with one mean and sd for each channel.
    PerChannel,
    /// (x − meanⱼ) / sdⱼ for each position j over the training examples; 0 where the value never varies.
    PerPixel,
    /// The same under the name that fits tables.
    PerFeature,
    /// x itself.
    None,
}

impl Normalization {
    /// The words of the study language.
    pub const WORDS: &[&str] = &["global", "per_channel", "per_pixel", "per_feature", "none"];

    /// The scheme of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "global" => Some(Self::Global),
            "per_channel" => Some(Self::PerChannel),
            "per_pixel" => Some(Self::PerPixel),
            "per_feature" => Some(Self::PerFeature),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// What was done to the values, for the manifest. Pixels are in units of 0..1, other numbers in their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NormalizationNote {
    pub scheme: Normalization,
    /// Mean of all fitted values, whatever the scheme.
    pub mean: f64,
    /// Their population standard deviation.
    pub sd: f64,
    /// Mean and standard deviation of each channel, under `per_channel` only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<ChannelNote>,
    /// Positions that never vary over the fitted examples; `per_pixel` and `per_feature` make these inputs 0.
    pub constant_pixels: usize,
    /// Training examples that the statistics come from.
    pub fitted_on: usize,
}

/// Mean and population standard deviation of one channel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChannelNote {
    pub mean: f64,
    pub sd: f64,
}

impl NormalizationNote {
    /// The input that the raw value 0 becomes, for each of `channels` channels: what stands beside an image.
    /// `None` where that depends on the position.
    pub fn zero(&self, channels: usize) -> Option<Vec<f32>> {
        let of = |mean: f64, sd: f64| (-mean * reciprocal(sd)) as f32;
        match self.scheme {
            Normalization::Global => Some(vec![of(self.mean, self.sd); channels]),
            Normalization::PerChannel => Some(self.channels.iter().map(|c| of(c.mean, c.sd)).collect()),
            Normalization::None => Some(vec![0.0; channels]),
            Normalization::PerPixel | Normalization::PerFeature => None,
        }
    }
}

/// Statistics of training examples, ready to apply to any split.
#[derive(Debug)]
pub struct Normalizer {
    note: NormalizationNote,
    /// Positions of one channel.
    area: usize,
    /// In the units of the raw values (bytes: 0..255).
    statistics: Statistics,
}

impl Normalizer {
    /// Fits on `values`: examples of `shape` one after the other, at least one.
    pub fn fit(scheme: Normalization, values: &Values, shape: [usize; 3]) -> Self {
        let [channels, height, width] = shape;
        let statistics = moments::statistics(values, channels, height * width);
        let unit = match values {
            Values::Bytes(_) => 255.0,
            Values::Singles(_) | Values::Doubles(_) => 1.0,
        };
        let channel_note = |at: &Moments| ChannelNote {
            mean: at.mean / unit,
            sd: at.sd / unit,
        };
        let note = NormalizationNote {
            scheme,
            mean: statistics.all.mean / unit,
            sd: statistics.all.sd / unit,
            channels: match scheme {
                Normalization::PerChannel => statistics.channels.iter().map(channel_note).collect(),
                _ => Vec::new(),
            },
            constant_pixels: statistics.positions.iter().filter(|at| at.sd == 0.0).count(),
            fitted_on: values.len() / shape.iter().product::<usize>(),
        };
        Normalizer {
            note,
            area: height * width,
            statistics,
        }
    }

    /// The facts for the manifest.
    pub fn note(&self) -> &NormalizationNote {
        &self.note
    }

    /// Inputs of `values` (whole examples), each computed in f64 and rounded once to f32.
    pub fn apply(&self, values: &Values) -> Vec<f32> {
        match values {
            Values::Bytes(bytes) => self.apply_bytes(bytes),
            Values::Singles(values) => self.apply_numbers(values),
            Values::Doubles(values) => self.apply_numbers(values),
        }
    }

    fn apply_bytes(&self, bytes: &[u8]) -> Vec<f32> {
        match self.note.scheme {
            Normalization::None => map_bytes(bytes, |byte| byte / 255.0),
            Normalization::Global => {
                let (mean, scale) = (self.note.mean * 255.0, reciprocal(self.note.sd * 255.0));
                map_bytes(bytes, |byte| (byte - mean) * scale)
            }
            Normalization::PerChannel | Normalization::PerPixel | Normalization::PerFeature => {
                self.apply_numbers(bytes)
            }
        }
    }

    fn apply_numbers<T: Copy + Into<f64> + Sync>(&self, values: &[T]) -> Vec<f32> {
        let size = self.statistics.positions.len();
        let of = |at: usize| match self.note.scheme {
            Normalization::None => Moments { mean: 0.0, sd: 1.0 },
            Normalization::Global => self.statistics.all,
            Normalization::PerChannel => self.statistics.channels[at / self.area],
            Normalization::PerPixel | Normalization::PerFeature => self.statistics.positions[at],
        };
        let (means, scales): (Vec<f64>, Vec<f64>) =
            (0..size).map(|at| (of(at).mean, reciprocal(of(at).sd))).unzip();
        let mut inputs = vec![0.0; values.len()];
        inputs
            .par_chunks_mut(size * 256)
            .zip(values.par_chunks(size * 256))
            .for_each(|(to, from)| {
                for (to, from) in to.chunks_exact_mut(size).zip(from.chunks_exact(size)) {
                    for (((to, &value), mean), scale) in to.iter_mut().zip(from).zip(&means).zip(&scales) {
                        *to = ((value.into() - mean) * scale) as f32;
                    }
                }
            });
        inputs
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

#[cfg(test)]
mod tests {
    use super::*;

    // Three images of two pixels; the second pixel never varies.
    const PIXELS: [u8; 6] = [0, 51, 102, 51, 204, 51];

    fn bytes(bytes: &[u8]) -> Values {
        Values::Bytes(bytes.to_vec())
    }

    fn fit(scheme: Normalization, pixels: &[u8]) -> Normalizer {
        Normalizer::fit(scheme, &bytes(pixels), [1, 1, 2])
    }

    #[test]
    fn per_pixel_is_standardised_and_constant_pixels_are_zero() {
        let normalizer = fit(Normalization::PerPixel, &PIXELS);
        assert_eq!(normalizer.note().constant_pixels, 1);
        let sd = (2.0f64 / 3.0).sqrt() * 102.0;
        let high = (102.0 / sd) as f32;
        assert_eq!(
            normalizer.apply(&bytes(&PIXELS)),
            [-high, 0.0, 0.0, 0.0, high, 0.0]
        );
        // A constant pixel that differs in another split is still 0: there is no scale for it.
        assert_eq!(normalizer.apply(&bytes(&[102, 255])), [0.0, 0.0]);
        assert_eq!(normalizer.note().zero(1), None);
    }

    #[test]
    fn global_and_none() {
        let normalizer = fit(Normalization::Global, &PIXELS);
        let note = normalizer.note();
        assert!((note.mean - 0.3).abs() < 1e-15, "{note:?}");
        // Population variance of (0, 0.2, 0.4, 0.2, 0.8, 0.2) is 0.92/6 − 0.09.
        assert!(
            (note.sd - (0.92f64 / 6.0 - 0.09).sqrt()).abs() < 1e-15,
            "{note:?}"
        );
        assert!((f64::from(normalizer.apply(&bytes(&[255, 255]))[0]) - 0.7 / note.sd).abs() < 1e-6);
        assert_eq!(note.zero(2), Some(vec![normalizer.apply(&bytes(&[0, 0]))[0]; 2]));
        let none = fit(Normalization::None, &PIXELS);
        assert_eq!(none.apply(&bytes(&[0, 51, 255, 0])), [0.0, 0.2, 1.0, 0.0]);
    }

    #[test]
    fn per_channel_keeps_channels_apart() {
        // Two images of two channels of two pixels; the second channel is ten times the first plus five.
        let raw = [0, 1, 5, 15, 2, 3, 25, 35];
        for values in [
            bytes(&raw),
            Values::Singles(raw.map(f32::from).to_vec()),
            Values::Doubles(raw.map(f64::from).to_vec()),
        ] {
            let unit = if matches!(values, Values::Bytes(_)) {
                255.0
            } else {
                1.0
            };
            let normalizer = Normalizer::fit(Normalization::PerChannel, &values, [2, 1, 2]);
            let sd = 1.25f64.sqrt();
            let expected = [-1.5, -0.5, -1.5, -0.5, 0.5, 1.5, 0.5, 1.5].map(|x| (x / sd) as f32);
            let found = normalizer.apply(&values);
            assert!(
                found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6),
                "{found:?}"
            );
            let channels = &normalizer.note().channels;
            assert!(
                (channels[1].mean - 20.0 / unit).abs() < 1e-12
                    && (channels[1].sd - 10.0 * sd / unit).abs() < 1e-12
            );
            let zero = normalizer.note().zero(2).unwrap();
            assert!(
                (zero[0] - (-1.5 / sd) as f32).abs() < 1e-6 && (zero[1] - (-2.0 / sd) as f32).abs() < 1e-6
            );
        }
    }

    #[test]
    fn a_constant_data_set_gives_zeros() {
        for scheme in [
            Normalization::Global,
            Normalization::PerChannel,
            Normalization::PerPixel,
            Normalization::PerFeature,
        ] {
            for values in [
                bytes(&[7; 8]),
                Values::Singles(vec![0.1; 8]),
                Values::Doubles(vec![0.1; 8]),
            ] {
                let normalizer = Normalizer::fit(scheme, &values, [1, 1, 2]);
                assert_eq!(normalizer.apply(&values), [0.0; 8], "{scheme:?} {values:?}");
            }
        }
    }

    #[test]
    fn numbers_are_left_alone_by_none() {
        let values = Values::Singles(vec![-3.5, 1e6]);
        let normalizer = Normalizer::fit(Normalization::None, &values, [2, 1, 1]);
        assert_eq!(normalizer.apply(&values), [-3.5, 1e6]);
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
