//! What a pickle of PyTorch says of tensors: which storage, which of its elements.

use super::super::matrix::Element;

/// The memory behind tensors, which several may share.
#[derive(Debug, Clone)]
pub(super) struct Storage {
    pub key: String,
    /// What its elements are; none where it does not say.
    pub kind: Option<ElementKind>,
    /// Elements, or bytes where it does not say what they are.
    pub count: u64,
    /// The first element that may be taken.
    pub first: u64,
}

/// What a storage or tensor holds.
#[derive(Debug, Clone)]
pub enum ElementKind {
    Real(Element),
    /// What is not read as real numbers, by PyTorch's name, and its size in bytes.
    Other(String, usize),
}

/// A tensor whose numbers lie in a storage.
#[derive(Debug, Clone)]
pub struct StoredTensor {
    pub(super) storage: String,
    pub kind: ElementKind,
    pub shape: Vec<usize>,
    /// Elements from one to the next along each axis.
    pub(super) strides: Vec<usize>,
    /// Elements before the first.
    pub(super) offset: usize,
}

impl ElementKind {
    /// Of the storage class `name`, such as `FloatStorage`.
    pub(super) fn of_storage(name: &str) -> Option<ElementKind> {
        let real = match name.strip_suffix("Storage")? {
            "Bool" => Element::Bool,
            "Byte" => Element::U8,
            "Char" => Element::I8,
            "Short" => Element::I16,
            "Int" => Element::I32,
            "Long" => Element::I64,
            "Half" => Element::F16,
            "BFloat16" => Element::Bf16,
            "Float" => Element::F32,
            "Double" => Element::F64,
            "ComplexFloat" => return Some(ElementKind::Other("complex64".to_string(), 8)),
            "ComplexDouble" => return Some(ElementKind::Other("complex128".to_string(), 16)),
            "QInt8" => return Some(ElementKind::Other("qint8".to_string(), 1)),
            "QUInt8" => return Some(ElementKind::Other("quint8".to_string(), 1)),
            "QInt32" => return Some(ElementKind::Other("qint32".to_string(), 4)),
            _ => return None,
        };
        Some(ElementKind::Real(real))
    }

    /// Of the type `name`, such as `torch.uint16`.
    pub(super) fn of_type(name: &str) -> ElementKind {
        let name = name.strip_prefix("torch.").unwrap_or(name);
        let real = match name {
            "bool" => Element::Bool,
            "uint8" => Element::U8,
            "int8" => Element::I8,
            "uint16" => Element::U16,
            "int16" => Element::I16,
            "uint32" => Element::U32,
            "int32" => Element::I32,
            "uint64" => Element::U64,
            "int64" => Element::I64,
            "float16" => Element::F16,
            "bfloat16" => Element::Bf16,
            "float32" => Element::F32,
            "float64" => Element::F64,
            // Those of one byte, such as the kinds of float8; others have storages of their own.
            other => return ElementKind::Other(other.to_string(), 1),
        };
        ElementKind::Real(real)
    }

    /// Bytes of an element.
    pub(super) fn size(&self) -> usize {
        match self {
            ElementKind::Real(element) => element.size(),
            ElementKind::Other(_, size) => *size,
        }
    }

    /// PyTorch's name of it.
    pub fn name(&self) -> &str {
        let element = match self {
            ElementKind::Real(element) => element,
            ElementKind::Other(name, _) => return name,
        };
        match element {
            Element::Bool => "bool",
            Element::U8 => "uint8",
            Element::I8 => "int8",
            Element::U16 => "uint16",
            Element::I16 => "int16",
            Element::U32 => "uint32",
            Element::I32 => "int32",
            Element::U64 => "uint64",
            Element::I64 => "int64",
            Element::F16 => "float16",
            Element::Bf16 => "bfloat16",
            Element::F32 => "float32",
            Element::F64 => "float64",
        }
    }
}

impl StoredTensor {
    /// How many numbers there are; none where the sizes, those of 0 aside, cannot be multiplied.
    pub(super) fn count(&self) -> Option<usize> {
        let mut sizes = self.shape.iter().filter(|axis| **axis != 0);
        let product = sizes.try_fold(1usize, |product, axis| product.checked_mul(*axis))?;
        Some(if self.shape.contains(&0) { 0 } else { product })
    }

    /// Elements of the storage from the tensor's first to its last; none where they cannot be counted.
    pub(super) fn extent(&self) -> Option<usize> {
        if self.count()? == 0 {
            return Some(0);
        }
        let mut extent = 1usize;
        for (axis, stride) in self.shape.iter().zip(&self.strides) {
            extent = extent.checked_add((axis - 1).checked_mul(*stride)?)?;
        }
        Some(extent)
    }

    /// Whether the numbers lie one after the other, the last axis running fastest.
    pub(super) fn is_contiguous(&self) -> bool {
        runs_on(self.shape.iter().zip(&self.strides).rev())
    }

    /// Whether a matrix lies column by column.
    pub(super) fn is_by_columns(&self) -> bool {
        self.shape.len() == 2 && runs_on(self.shape.iter().zip(&self.strides))
    }
}

/// Whether axes, fastest first, leave no gaps.
fn runs_on<'a>(axes: impl Iterator<Item = (&'a usize, &'a usize)>) -> bool {
    let mut expected = 1;
    for (axis, stride) in axes.filter(|(axis, _)| **axis != 1) {
        if *stride != expected {
            return false;
        }
        expected *= axis;
    }
    true
}
