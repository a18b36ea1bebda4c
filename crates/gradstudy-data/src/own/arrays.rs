//! Arrays of images and labels, from whatever file: element types, shapes and ranges.

use super::OwnError;
use crate::values::{Examples, Values};
use gradstudy_base::signature::{Default, Param, ParamType};

/// An array as it lies in a file.
#[derive(Debug)]
pub(super) struct Array {
    /// For messages: ``x.npy`` or ``data.safetensors: `images` ``.
    pub place: String,
    pub shape: Vec<usize>,
    /// NumPy's name of the element type, such as `f4`, with the sizes in bytes.
    pub element: String,
    pub big_endian: bool,
    /// Elements in C's order.
    pub bytes: Vec<u8>,
}

/// `layout` of image arrays.
pub(super) const LAYOUT: Param = Param {
    name: "layout",
    ty: ParamType::Word(&["channels_first", "channels_last"]),
    default: Default::Text("channels_first"),
    doc: "of arrays with four axes: N×C×H×W (PyTorch) or N×H×W×C (TensorFlow)",
};

impl Array {
    /// Elements of `SIZE` bytes, least significant byte first.
    fn elements<const SIZE: usize>(&self) -> impl Iterator<Item = [u8; SIZE]> + '_ {
        self.bytes.as_chunks::<SIZE>().0.iter().map(|element| {
            let mut element = *element;
            if self.big_endian {
                element.reverse();
            }
            element
        })
    }

    /// The elements as inputs. Errors: types other than whole numbers of up to 32 bits and 32- or 64-bit reals.
    fn values(self) -> Result<Values, OwnError> {
        Ok(match self.element.as_str() {
            "u1" => Values::Bytes(self.bytes),
            "f4" => Values::Singles(self.elements().map(f32::from_le_bytes).collect()),
            "f8" => Values::Doubles(self.elements().map(f64::from_le_bytes).collect()),
            "i1" => Values::Doubles(self.elements().map(|e| i8::from_le_bytes(e).into()).collect()),
            "i2" => Values::Doubles(self.elements().map(|e| i16::from_le_bytes(e).into()).collect()),
            "u2" => Values::Doubles(self.elements().map(|e| u16::from_le_bytes(e).into()).collect()),
            "i4" => Values::Doubles(self.elements().map(|e| i32::from_le_bytes(e).into()).collect()),
            "u4" => Values::Doubles(self.elements().map(|e| u32::from_le_bytes(e).into()).collect()),
            _ => {
                return Err(OwnError::ArrayType {
                    place: self.place,
                    found: self.element,
                    expected: "images are u1 (0 to 255), f4, f8, or whole numbers of 1, 2 or 4 bytes",
                });
            }
        })
    }

    /// The elements as whole numbers.
    fn integers(&self) -> Result<Vec<i128>, OwnError> {
        Ok(match self.element.as_str() {
            "u1" => self.elements().map(|e| u8::from_le_bytes(e).into()).collect(),
            "i1" => self.elements().map(|e| i8::from_le_bytes(e).into()).collect(),
            "i2" => self.elements().map(|e| i16::from_le_bytes(e).into()).collect(),
            "u2" => self.elements().map(|e| u16::from_le_bytes(e).into()).collect(),
            "i4" => self.elements().map(|e| i32::from_le_bytes(e).into()).collect(),
            "u4" => self.elements().map(|e| u32::from_le_bytes(e).into()).collect(),
            "i8" => self.elements().map(|e| i64::from_le_bytes(e).into()).collect(),
            "u8" => self.elements().map(|e| u64::from_le_bytes(e).into()).collect(),
            _ => {
                return Err(OwnError::ArrayType {
                    place: self.place.clone(),
                    found: self.element.clone(),
                    expected: "labels are whole numbers",
                });
            }
        })
    }

    fn shape_fault(&self, expected: &'static str) -> OwnError {
        OwnError::ArrayShape {
            place: self.place.clone(),
            found: self.shape.clone(),
            expected,
        }
    }

    /// Number of examples and their shape.
    fn image_shape(&self, layout: &str) -> Result<(usize, [usize; 3]), OwnError> {
        let (count, shape) = match (&self.shape[..], layout) {
            (&[n, c, h, w], "channels_first") => (n, [c, h, w]),
            (&[n, h, w, c], _) => (n, [c, h, w]),
            (&[n, h, w], _) => (n, [1, h, w]),
            (&[n, features], _) => (n, [features, 1, 1]),
            _ => {
                return Err(self.shape_fault(
                    "images are N×C×H×W (or N×H×W×C with `layout: channels_last`), N×H×W or N×features",
                ));
            }
        };
        match count * shape.iter().product::<usize>() {
            0 => Err(self.shape_fault("there is nothing in it")),
            _ => Ok((count, shape)),
        }
    }

    /// The labels: whole numbers from 0 to below `limit`; `why` says what sets it.
    fn labels(&self, limit: usize, why: String) -> Result<Vec<u32>, OwnError> {
        if !matches!(self.shape[..], [_] | [_, 1]) {
            return Err(self.shape_fault("labels are one number for each image, N or N×1"));
        }
        let number = |(position, label): (usize, i128)| match u32::try_from(label) {
            Ok(number) if (number as usize) < limit => Ok(number),
            _ => Err(OwnError::LabelRange {
                place: self.place.clone(),
                label: label.to_string(),
                position,
                limit: why.clone(),
            }),
        };
        self.integers()?.into_iter().enumerate().map(number).collect()
    }
}

/// Examples of an array of images and one of labels. `classes`: of the training split, where this is the test
/// split; a training split has classes up to its greatest label.
pub(super) fn examples(
    images: Array,
    labels: &Array,
    layout: &str,
    classes: Option<usize>,
) -> Result<Examples, OwnError> {
    let (count, shape) = images.image_shape(layout)?;
    let (limit, why) = match classes {
        Some(classes) => (
            classes,
            format!("classes of the training examples are 0 to {}", classes - 1),
        ),
        // No class can be without an example and all others have one: a label of this size is a mistake.
        None => (
            count,
            format!("of {count} examples it can be at most {}", count - 1),
        ),
    };
    if labels.shape.first() != Some(&count) {
        return Err(OwnError::LabelCount {
            place: labels.place.clone(),
            labels: labels.shape.first().copied().unwrap_or(0),
            images: count,
        });
    }
    let labels = labels.labels(limit, why)?;
    let swap = images.shape.len() == 4 && layout == "channels_last";
    let place = images.place.clone();
    let mut values = images.values()?;
    let size = shape.iter().product::<usize>();
    if let Some((at, value)) = values.first_unusable() {
        return Err(OwnError::NotFinite {
            place,
            value,
            example: at / size,
            position: at % size,
        });
    }
    if swap {
        values = match values {
            Values::Bytes(values) => Values::Bytes(channels_first(&values, shape)),
            Values::Singles(values) => Values::Singles(channels_first(&values, shape)),
            Values::Doubles(values) => Values::Doubles(channels_first(&values, shape)),
        };
    }
    let greatest = labels.iter().max().map_or(0, |&label| label as usize);
    Ok(Examples {
        shape,
        classes: classes.unwrap_or(greatest + 1),
        values,
        labels,
    })
}

/// N×H×W×C to N×C×H×W; `shape` is C, H, W.
fn channels_first<T: Copy>(values: &[T], [channels, height, width]: [usize; 3]) -> Vec<T> {
    let area = height * width;
    let mut turned = Vec::with_capacity(values.len());
    for image in values.chunks_exact(channels * area) {
        for channel in 0..channels {
            turned.extend((0..area).map(|at| image[at * channels + channel]));
        }
    }
    turned
}

/// An array in Fortran's order, brought to C's: the first index runs fastest in `bytes`.
pub(super) fn c_order(bytes: &[u8], shape: &[usize], size: usize) -> Vec<u8> {
    let mut strides = vec![size; shape.len()];
    for axis in 1..shape.len() {
        strides[axis] = strides[axis - 1] * shape[axis - 1];
    }
    let mut index = vec![0; shape.len()];
    let mut turned = Vec::with_capacity(bytes.len());
    for _ in 0..shape.iter().product() {
        let at: usize = index
            .iter()
            .zip(&strides)
            .map(|(index, stride)| index * stride)
            .sum();
        turned.extend_from_slice(&bytes[at..at + size]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    turned
}
