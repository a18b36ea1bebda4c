//! A matrix that lies in a file.

use super::bytes::Bytes;

/// What the numbers are, with the sizes in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    Bool,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F16,
    Bf16,
    F32,
    F64,
}

/// How a matrix lies in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// One row after the other, as C and NumPy have it.
    Rows,
    /// One column after the other, as Fortran has it.
    Columns,
}

/// What a sample is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Along {
    Columns,
    Rows,
    /// All numbers, in the order of the file.
    All,
}

/// A matrix of numbers in a file, of which only what is read is in memory.
#[derive(Debug)]
pub struct Matrix {
    /// The array's name within the file; of a file of one array the file's.
    pub name: String,
    pub rows: usize,
    pub columns: usize,
    /// Names of the columns, where the file has them.
    pub column_names: Vec<String>,
    /// What was decided while the file was read, in sentences without a full stop: an index that was left out, names in a row
    /// of numbers.
    pub notes: Vec<String>,
    /// What else the file holds and is no part of the matrix.
    pub left_out: Vec<LeftOut>,
    pub(super) element: Element,
    pub(super) big_endian: bool,
    pub(super) order: Order,
    pub(super) bytes: Bytes,
}

/// A column or an array that holds no numbers, or not only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    pub name: String,
    /// What follows its name: `holds words, such as …`.
    pub reason: String,
    /// The line, from 1, and the text of a field that keeps a column of numbers from being one.
    pub mistake: Option<(u64, String)>,
}

impl LeftOut {
    /// What holds `kind`, such as words.
    pub(super) fn of_kind(name: &str, kind: impl std::fmt::Display) -> Self {
        LeftOut {
            name: name.to_string(),
            reason: format!("holds {kind}"),
            mistake: None,
        }
    }
}

impl Element {
    /// Bytes of a number.
    pub fn size(self) -> usize {
        match self {
            Element::Bool | Element::U8 | Element::I8 => 1,
            Element::U16 | Element::I16 | Element::F16 | Element::Bf16 => 2,
            Element::U32 | Element::I32 | Element::F32 => 4,
            Element::U64 | Element::I64 | Element::F64 => 8,
        }
    }

    /// Reads numbers of `bytes`, each in f64: whole numbers above 2⁵³ are rounded.
    pub(super) fn read(self, bytes: &[u8], big_endian: bool, mut put: impl FnMut(f64)) {
        macro_rules! numbers {
            ($type:ty) => {
                for chunk in bytes.as_chunks::<{ size_of::<$type>() }>().0 {
                    put(match big_endian {
                        true => <$type>::from_be_bytes(*chunk),
                        false => <$type>::from_le_bytes(*chunk),
                    } as f64);
                }
            };
        }
        let halves = |put: &mut dyn FnMut(u16)| {
            for chunk in bytes.as_chunks::<2>().0 {
                put(match big_endian {
                    true => u16::from_be_bytes(*chunk),
                    false => u16::from_le_bytes(*chunk),
                });
            }
        };
        match self {
            Element::Bool | Element::U8 => bytes.iter().for_each(|&byte| put(f64::from(byte))),
            Element::I8 => numbers!(i8),
            Element::U16 => numbers!(u16),
            Element::I16 => numbers!(i16),
            Element::U32 => numbers!(u32),
            Element::I32 => numbers!(i32),
            Element::U64 => numbers!(u64),
            Element::I64 => numbers!(i64),
            Element::F16 => halves(&mut |bits| put(half(bits))),
            Element::Bf16 => halves(&mut |bits| put(f64::from(f32::from_bits(u32::from(bits) << 16)))),
            Element::F32 => numbers!(f32),
            Element::F64 => numbers!(f64),
        }
    }
}

/// IEEE 754 half precision.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}

impl Matrix {
    /// How many samples there are, and how many numbers each has.
    pub fn samples(&self, along: Along) -> (usize, usize) {
        match along {
            Along::Columns => (self.columns, self.rows),
            Along::Rows => (self.rows, self.columns),
            Along::All => (1, self.rows * self.columns),
        }
    }

    /// The name of a sample: the column's, where there is one, else its number from 0.
    pub fn sample_name(&self, along: Along, index: usize) -> String {
        match (along, self.column_names.get(index)) {
            (Along::Columns, Some(name)) => name.clone(),
            _ => index.to_string(),
        }
    }

    /// What a user should know of how the file was read: the notes, and what was left out, by name.
    pub fn remarks(&self) -> Vec<String> {
        /// Names that are printed of columns left out for one reason.
        const NAMED: usize = 20;
        let mut remarks = self.notes.clone();
        let plain = |left: &&LeftOut| left.mistake.is_none();
        remarks.extend(
            (self.left_out.iter().filter(plain).take(NAMED))
                .chain(self.left_out.iter().filter(|left| left.mistake.is_some()))
                .map(|left| format!("`{}` {}: left out", left.name, left.reason)),
        );
        let more = self.left_out.iter().filter(plain).count().saturating_sub(NAMED);
        if more > 0 {
            remarks.push(format!("{more} more columns without numbers are left out"));
        }
        remarks
    }
}

/// Rows and columns of an array: one axis is a column, further axes but the first are taken as one.
pub(super) fn shape_of(axes: &[usize]) -> (usize, usize) {
    match axes {
        [] => (1, 1),
        [rows] => (*rows, 1),
        [rows, rest @ ..] => (*rows, rest.iter().product()),
    }
}

#[cfg(test)]
mod tests {
    use super::half;

    #[test]
    fn half_precision() {
        let cases = [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 2f64.powi(-24)),
            (0x0400, 2f64.powi(-14)),
            (0x3555, 0.333_251_953_125),
            (0xfc00, f64::NEG_INFINITY),
            (0x8000, -0.0),
        ];
        for (bits, value) in cases {
            assert_eq!(half(bits).to_bits(), f64::to_bits(value), "{bits:x}");
        }
        assert!(half(0x7e00).is_nan());
    }
}
