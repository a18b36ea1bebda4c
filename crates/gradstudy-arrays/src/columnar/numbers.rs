//! Columns of numbers in any of Arrow's types, as float64.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_schema::DataType;

/// Whether a column of this type holds real numbers or truth values, in any width.
pub(super) fn is_number(ty: &DataType) -> bool {
    use DataType::*;
    match ty {
        Boolean | Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..) => true,
        Dictionary(_, values) => is_number(values),
        ty => ty.is_integer() || ty.is_floating(),
    }
}

/// What a column of another type holds, for people.
pub(super) fn kind(ty: &DataType) -> String {
    use DataType::*;
    match ty {
        Utf8 | LargeUtf8 | Utf8View => "words".to_string(),
        Dictionary(_, values) => kind(values),
        Date32 | Date64 | Timestamp(..) => "dates".to_string(),
        Time32(_) | Time64(_) | Duration(_) | Interval(_) => "times".to_string(),
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => "bytes".to_string(),
        Null => "nothing but missing values".to_string(),
        other => format!("no numbers ({other})"),
    }
}

/// The numbers of a column for which [`is_number`] holds; what is missing is NaN, truth 1 or 0. Whole numbers above 2⁵³ and
/// decimals are rounded to the nearest.
pub(super) fn numbers(column: &dyn Array) -> Vec<f64> {
    use DataType::*;
    match column.data_type() {
        Boolean => {
            let values = column.as_boolean().iter();
            values
                .map(|value| value.map_or(f64::NAN, |value| f64::from(u8::from(value))))
                .collect()
        }
        Int8 => primitive::<Int8Type>(column, f64::from),
        Int16 => primitive::<Int16Type>(column, f64::from),
        Int32 => primitive::<Int32Type>(column, f64::from),
        Int64 => primitive::<Int64Type>(column, |value| value as f64),
        UInt8 => primitive::<UInt8Type>(column, f64::from),
        UInt16 => primitive::<UInt16Type>(column, f64::from),
        UInt32 => primitive::<UInt32Type>(column, f64::from),
        UInt64 => primitive::<UInt64Type>(column, |value| value as f64),
        Float16 => primitive::<Float16Type>(column, f64::from),
        Float32 => primitive::<Float32Type>(column, f64::from),
        Decimal32(_, scale) => primitive::<Decimal32Type>(column, |value| decimal(value, *scale)),
        Decimal64(_, scale) => primitive::<Decimal64Type>(column, |value| decimal(value, *scale)),
        Decimal128(_, scale) => primitive::<Decimal128Type>(column, |value| decimal(value, *scale)),
        Decimal256(_, scale) => primitive::<Decimal256Type>(column, |value| decimal(value, *scale)),
        Dictionary(..) => {
            let dictionary = column.as_any_dictionary();
            let values = numbers(dictionary.values());
            let keys = dictionary.normalized_keys().into_iter().enumerate();
            keys.map(|(row, key)| {
                if column.is_null(row) {
                    f64::NAN
                } else {
                    values[key]
                }
            })
            .collect()
        }
        _ => primitive::<Float64Type>(column, |value| value),
    }
}

fn primitive<T: ArrowPrimitiveType>(column: &dyn Array, read: impl Fn(T::Native) -> f64) -> Vec<f64> {
    let values = column.as_primitive::<T>().iter();
    values.map(|value| value.map_or(f64::NAN, &read)).collect()
}

/// `digits` · 10^(−scale), rounded once.
fn decimal(digits: impl std::fmt::Display, scale: i8) -> f64 {
    format!("{digits}e{}", -i32::from(scale))
        .parse()
        .unwrap_or(f64::NAN)
}
