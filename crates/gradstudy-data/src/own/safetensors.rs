//! `safetensors`: tensors of images and labels in one file.

use std::path::{Path, PathBuf};

use ::safetensors::{Dtype, SafeTensorError, SafeTensors};

use super::arrays::{self, Array, LAYOUT};
use super::npy::{known_classes, pair};
use super::{OwnError, Reader, bytes, file_name, path_setting, text};
use crate::dataset::Split;
use crate::error::DataError;
use crate::select::{CLASSES, NORMALIZE, SPLIT, SUBSET};
use crate::values::Examples;
use gradstudy_base::signature::{Args, Default, Signature};

static SIGNATURE: Signature = Signature {
    name: "safetensors",
    summary: "tensors of your own: images (or features) and labels in one .safetensors file",
    params: &[
        path_setting("file", Default::Required, "the file"),
        text(
            "images",
            Default::Text("\"images\""),
            "the tensor of the training images: N×C×H×W, N×H×W or N×features",
        ),
        text(
            "label",
            Default::Text("\"labels\""),
            "the tensor of their labels, whole numbers from 0",
        ),
        text("test_images", Default::Absent, "the tensor of the test images"),
        text("test_label", Default::Absent, "the tensor of their labels"),
        SPLIT,
        NORMALIZE,
        SUBSET,
        CLASSES,
        LAYOUT,
    ],
    version: 1,
};

/// See the module's documentation.
pub(super) struct Tensors;

fn read_examples(args: &Args, content: &[u8], split: Split) -> Result<Examples, OwnError> {
    let Some((images, label)) = pair(args, split)? else {
        unreachable!("asked only for splits that have tensors");
    };
    let path = Path::new(args.text("file"));
    let classes = known_classes(split, || read_examples(args, content, Split::Train))?;
    let (images, label) = (tensor(path, content, images)?, tensor(path, content, label)?);
    arrays::examples(images, &label, args.text("layout"), classes)
}

fn tensor(path: &Path, content: &[u8], name: &str) -> Result<Array, OwnError> {
    let tensors = SafeTensors::deserialize(content).map_err(|error| OwnError::Malformed {
        path: path.to_path_buf(),
        problem: match error {
            SafeTensorError::MetadataIncompleteBuffer => {
                "is truncated: its header does not fit the bytes of data that are there".to_string()
            }
            error => format!("is no .safetensors file: {error}"),
        },
    })?;
    let Ok(view) = tensors.tensor(name) else {
        let mut known: Vec<String> = tensors
            .names()
            .into_iter()
            .map(|name| format!("`{name}`"))
            .collect();
        known.sort();
        return Err(OwnError::NoArray {
            path: path.to_path_buf(),
            name: name.to_string(),
            known,
        });
    };
    let element = match view.dtype() {
        Dtype::U8 => "u1".to_string(),
        Dtype::I8 => "i1".to_string(),
        Dtype::I16 => "i2".to_string(),
        Dtype::U16 => "u2".to_string(),
        Dtype::I32 => "i4".to_string(),
        Dtype::U32 => "u4".to_string(),
        Dtype::I64 => "i8".to_string(),
        Dtype::U64 => "u8".to_string(),
        Dtype::F32 => "f4".to_string(),
        Dtype::F64 => "f8".to_string(),
        other => format!("{other:?}"),
    };
    Ok(Array {
        place: format!("{}: `{name}`", path.display()),
        shape: view.shape().to_vec(),
        element,
        big_endian: false,
        bytes: view.data().to_vec(),
    })
}

impl Reader for Tensors {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn display_name(&self) -> &'static str {
        "safetensors file"
    }

    fn title(&self, args: &Args) -> String {
        file_name(args.text("file"))
    }

    fn files(&self, args: &Args, split: Split) -> Result<Option<Vec<PathBuf>>, DataError> {
        Ok(pair(args, split)?.map(|_| vec![PathBuf::from(args.text("file"))]))
    }

    fn test_settings(&self) -> &'static str {
        "`test_images` and `test_label`"
    }

    fn read(&self, args: &Args, split: Split) -> Result<Examples, DataError> {
        let content = bytes(Path::new(args.text("file")))?;
        Ok(read_examples(args, &content, split)?)
    }
}
