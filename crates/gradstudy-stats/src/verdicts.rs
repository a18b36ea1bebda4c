//! The verdict on each of many samples, one bit a sample: by which two runs are compared sample by sample.

use std::collections::{BTreeMap, HashMap};

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

/// Whether each sample's hypothesis was not rejected, in the order of the samples.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdicts {
    len: u64,
    /// Eight samples a byte, the first in the lowest bit: `numpy.unpackbits(…, bitorder="little")`.
    bytes: Vec<u8>,
}

/// Verdicts by the id of the step that made them.
pub type VerdictsByStep = BTreeMap<String, Verdicts>;

impl FromIterator<bool> for Verdicts {
    fn from_iter<I: IntoIterator<Item = bool>>(accepted: I) -> Self {
        let mut verdicts = Verdicts::default();
        for accepted in accepted {
            if verdicts.len.is_multiple_of(8) {
                verdicts.bytes.push(0);
            }
            if let (true, Some(byte)) = (accepted, verdicts.bytes.last_mut()) {
                *byte |= 1 << (verdicts.len % 8);
            }
            verdicts.len += 1;
        }
        verdicts
    }
}

impl Verdicts {
    /// How many samples there are.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The verdict on each sample.
    pub fn iter(&self) -> impl Iterator<Item = bool> + '_ {
        (0..self.len).map(|i| self.bytes[(i / 8) as usize] >> (i % 8) & 1 == 1)
    }

    /// Samples accepted here and not there, and there and not here. `None` where the samples
    /// are not as many.
    pub fn discordant(&self, other: &Verdicts) -> Option<(u64, u64)> {
        let count = |here: &[u8], there: &[u8]| {
            let only = here.iter().zip(there).map(|(a, b)| (a & !b).count_ones());
            only.map(u64::from).sum()
        };
        (self.len == other.len).then(|| (count(&self.bytes, &other.bytes), count(&other.bytes, &self.bytes)))
    }

    /// As a file of its own: how many samples (8 bytes, little-endian), then their bits.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.len.to_le_bytes(), &self.bytes[..]].concat()
    }

    /// Reads [`Verdicts::to_bytes`]; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (len, bytes) = bytes.split_first_chunk::<8>()?;
        Self::new(u64::from_le_bytes(*len), bytes)
    }

    fn new(len: u64, bytes: &[u8]) -> Option<Self> {
        let spare = bytes.last().map_or(0, |last| match len % 8 {
            0 => 0,
            used => last >> used,
        });
        (bytes.len() as u64 == len.div_ceil(8) && spare == 0).then(|| Verdicts {
            len,
            bytes: bytes.to_vec(),
        })
    }

    /// One `U8` tensor a step, its number of samples in the file's metadata.
    pub fn to_safetensors(verdicts: &VerdictsByStep) -> Vec<u8> {
        let tensors = verdicts.iter().map(|(step, verdicts)| {
            let view = TensorView::new(Dtype::U8, vec![verdicts.bytes.len()], &verdicts.bytes);
            (step, view.expect("a row of bytes as long as it says"))
        });
        // A map of several keys would have no order in the file: all lengths go under one key.
        let lengths: BTreeMap<&String, u64> = verdicts.iter().map(|(step, it)| (step, it.len)).collect();
        let text = serde_json::to_string(&lengths).expect("a map of numbers");
        let metadata = HashMap::from([("samples".to_string(), text)]);
        safetensors::serialize(tensors, Some(metadata)).expect("rows of bytes")
    }

    /// Reads [`Verdicts::to_safetensors`].
    ///
    /// # Errors
    /// What is wrong with the file, in words.
    pub fn from_safetensors(bytes: &[u8]) -> Result<VerdictsByStep, String> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
        let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
        let samples = header.metadata().as_ref().and_then(|map| map.get("samples"));
        let lengths: BTreeMap<String, u64> = samples
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or("it does not say how many samples there are")?;
        let read = |(step, length): (String, u64)| {
            let tensor = file.tensor(&step).map_err(|error| error.to_string())?;
            match Self::new(length, tensor.data()) {
                Some(verdicts) => Ok((step, verdicts)),
                None => Err(format!("{length} samples do not fit what there is of {step}")),
            }
        };
        lengths.into_iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(len: usize, every: usize) -> Verdicts {
        (0..len).map(|i| i % every == 0).collect()
    }

    #[test]
    fn disagreements_are_counted() {
        for len in [0, 1, 7, 8, 9, 1000] {
            let (a, b) = (some(len, 2), some(len, 3));
            let only = |x: usize, y: usize| (0..len).filter(|i| i % x == 0 && i % y != 0).count() as u64;
            assert_eq!(a.discordant(&b), Some((only(2, 3), only(3, 2))), "{len}");
            assert_eq!(a.discordant(&a), Some((0, 0)));
            assert!(a.iter().eq((0..len).map(|i| i % 2 == 0)), "{len}");
        }
        assert_eq!(some(8, 2).discordant(&some(9, 2)), None);
    }

    #[test]
    fn files_give_back_what_went_in() {
        let verdicts = VerdictsByStep::from([("b".into(), some(13, 3)), ("a".into(), some(16, 1))]);
        let bytes = Verdicts::to_safetensors(&verdicts);
        assert_eq!(bytes, Verdicts::to_safetensors(&verdicts));
        assert_eq!(Verdicts::from_safetensors(&bytes), Ok(verdicts.clone()));
        assert!(Verdicts::from_safetensors(&bytes[..bytes.len() - 1]).is_err());
        for it in verdicts.values() {
            assert_eq!(Verdicts::from_bytes(&it.to_bytes()).as_ref(), Some(it));
        }
        assert_eq!(Verdicts::from_bytes(&[1, 0, 0]), None);
        // A bit behind the last sample.
        assert_eq!(Verdicts::from_bytes(&[1, 0, 0, 0, 0, 0, 0, 0, 2]), None);
    }
}
