//! What a test found of each of many samples, by name: the numbers behind its means.

use std::collections::{BTreeMap, HashMap};

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

/// Numbers of each sample, in the order of the samples, such as `ks_distance`; NaN where a degenerate sample has none.
#[derive(Debug, Clone, Default)]
pub struct SampleValues {
    columns: Vec<(String, Vec<f64>)>,
}

/// Numbers of samples by the id of the step that found them.
pub type SampleValuesByStep = BTreeMap<String, SampleValues>;

/// To the bit, so that NaN is itself.
impl PartialEq for SampleValues {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: &[f64], b: &[f64]| a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits()));
        self.columns.len() == other.columns.len()
            && (self.columns.iter().zip(&other.columns)).all(|(a, b)| a.0 == b.0 && same(&a.1, &b.1))
    }
}

impl SampleValues {
    /// Adds a column; a single sample has its numbers in the outcome itself and keeps none here.
    pub fn add(&mut self, name: impl Into<String>, values: impl ExactSizeIterator<Item = f64>) {
        if values.len() > 1 {
            self.columns.push((name.into(), values.collect()));
        }
    }

    /// Names and numbers, in the order in which they were added.
    pub fn columns(&self) -> &[(String, Vec<f64>)] {
        &self.columns
    }

    /// Whether there is no number.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// How many samples there are; 0 where there is no number.
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, |(_, values)| values.len())
    }

    /// One `F64` tensor a column, called `step.column`, and the order of each step's columns in the metadata.
    pub fn to_safetensors(values: &SampleValuesByStep) -> Vec<u8> {
        let columns = values.iter().flat_map(|(step, it)| {
            let of = it.columns.iter();
            of.map(move |(name, values)| (format!("{step}.{name}"), bytes(values)))
        });
        let columns: Vec<(String, Vec<u8>)> = columns.collect();
        let tensors = columns.iter().map(|(name, bytes)| {
            let view = TensorView::new(Dtype::F64, vec![bytes.len() / 8], bytes);
            (name, view.expect("a row of numbers as long as it says"))
        });
        let order: BTreeMap<&String, Vec<&String>> = values
            .iter()
            .map(|(step, it)| (step, it.columns.iter().map(|(name, _)| name).collect()))
            .collect();
        let text = serde_json::to_string(&order).expect("a map of words");
        let metadata = HashMap::from([("columns".to_string(), text)]);
        safetensors::serialize(tensors, Some(metadata)).expect("rows of bytes")
    }

    /// Reads [`SampleValues::to_safetensors`].
    ///
    /// # Errors
    /// What is wrong with the file, in words.
    pub fn from_safetensors(file: &[u8]) -> Result<SampleValuesByStep, String> {
        let (_, header) = SafeTensors::read_metadata(file).map_err(|error| error.to_string())?;
        let tensors = SafeTensors::deserialize(file).map_err(|error| error.to_string())?;
        let order = header.metadata().as_ref().and_then(|map| map.get("columns"));
        let order: BTreeMap<String, Vec<String>> = order
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or("it does not say which columns there are")?;
        let mut values = SampleValuesByStep::new();
        for (step, names) in order {
            let mut of = SampleValues::default();
            for name in names {
                let tensor = tensors
                    .tensor(&format!("{step}.{name}"))
                    .map_err(|error| error.to_string())?;
                if tensor.dtype() != Dtype::F64 {
                    return Err(format!("`{name}` of {step} is not in float64"));
                }
                let column = tensor.data().as_chunks::<8>().0.iter();
                let column: Vec<f64> = column.map(|bytes| f64::from_le_bytes(*bytes)).collect();
                if !of.is_empty() && of.len() != column.len() {
                    return Err(format!("the columns of {step} are not equally long"));
                }
                of.columns.push((name, column));
            }
            values.insert(step, of);
        }
        Ok(values)
    }
}

fn bytes(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_give_back_what_went_in() {
        let mut values = SampleValues::default();
        values.add("ks_distance", [0.5, f64::NAN, 1e-300].into_iter());
        values.add("exponent", [2.0, f64::INFINITY, -0.0].into_iter());
        values.add("one", [2.0].into_iter());
        assert_eq!((values.columns().len(), values.len()), (2, 3));
        let all = SampleValuesByStep::from([("b".into(), values), ("a".into(), SampleValues::default())]);
        let bytes = SampleValues::to_safetensors(&all);
        assert_eq!(bytes, SampleValues::to_safetensors(&all));
        assert_eq!(SampleValues::from_safetensors(&bytes), Ok(all));
        assert!(SampleValues::from_safetensors(&bytes[..bytes.len() - 1]).is_err());
    }
}
