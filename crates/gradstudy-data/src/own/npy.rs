//! `npy`: NumPy's arrays, in files of their own (`.npy`) or several in one (`.npz`, named `FILE.npz:ARRAY`).

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use npyz::{DType, NpyFile, Order};

use super::arrays::{self, Array, LAYOUT, c_order};
use super::{OwnError, Reader, file_name, optional, path_setting};
use crate::dataset::Split;
use crate::error::DataError;
use crate::select::{CLASSES, NORMALIZE, SPLIT, SUBSET};
use crate::values::Examples;
use gradstudy_arrays::npz::Npz;
use gradstudy_base::signature::{Args, Default, Signature};

static SIGNATURE: Signature = Signature {
    name: "npy",
    summary: "NumPy arrays of your own: images (or features) and labels, as .npy or in an .npz",
    params: &[
        path_setting(
            "images",
            Default::Required,
            "the training images, \"FILE.npy\" or \"FILE.npz:ARRAY\": N×C×H×W, N×H×W or N×features",
        ),
        path_setting(
            "label",
            Default::Required,
            "their labels, whole numbers from 0, named likewise",
        ),
        path_setting("test_images", Default::Absent, "the test images"),
        path_setting("test_label", Default::Absent, "their labels"),
        SPLIT,
        NORMALIZE,
        SUBSET,
        CLASSES,
        LAYOUT,
    ],
    version: 1,
};

/// See the module's documentation.
pub(super) struct Npy;

/// The images and labels that `args` name for a split.
pub(super) fn pair(args: &Args, split: Split) -> Result<Option<(&str, &str)>, OwnError> {
    if split == Split::Train {
        return Ok(Some((args.text("images"), args.text("label"))));
    }
    match (optional(args, "test_images"), optional(args, "test_label")) {
        (None, None) => Ok(None),
        (Some(images), Some(label)) => Ok(Some((images, label))),
        (Some(_), None) => Err(OwnError::HalfTest {
            setting: "test_images",
            other: "test_label",
        }),
        (None, Some(_)) => Err(OwnError::HalfTest {
            setting: "test_label",
            other: "test_images",
        }),
    }
}

/// Largest class number plus one of the training split, for the test split's labels.
pub(super) fn known_classes(
    split: Split,
    train: impl FnOnce() -> Result<Examples, OwnError>,
) -> Result<Option<usize>, OwnError> {
    match split {
        Split::Train => Ok(None),
        Split::Test => Ok(Some(train()?.classes)),
    }
}

/// The file, and the array in it for an archive.
fn parts(name: &str) -> (&Path, Option<&str>) {
    match name.rsplit_once(".npz:") {
        Some((_, array)) => (Path::new(&name[..name.len() - array.len() - 1]), Some(array)),
        None => (Path::new(name), None),
    }
}

fn read_examples(args: &Args, split: Split) -> Result<Examples, OwnError> {
    let Some((images, label)) = pair(args, split)? else {
        unreachable!("asked only for splits that have files");
    };
    let classes = known_classes(split, || read_examples(args, Split::Train))?;
    arrays::examples(array(images)?, &array(label)?, args.text("layout"), classes)
}

fn array(name: &str) -> Result<Array, OwnError> {
    let (path, member) = parts(name);
    let malformed = |error: std::io::Error| OwnError::Malformed {
        path: path.to_path_buf(),
        problem: format!("cannot be read as an array: {error}"),
    };
    let file = gradstudy_base::files::open(path).map_err(|reason| OwnError::File {
        path: path.to_path_buf(),
        reason,
    })?;
    let is_archive = path.extension().is_some_and(|extension| extension == "npz");
    if !is_archive {
        let array = NpyFile::new(BufReader::with_capacity(1 << 18, file)).map_err(malformed)?;
        return read(array, name, path);
    }
    let mut archive = Npz::new(file).map_err(malformed)?;
    let known: Vec<String> = archive.names().iter().map(|name| format!("`{name}`")).collect();
    let path_buf = path.to_path_buf();
    let Some(member) = member else {
        return Err(OwnError::NoArrayNamed {
            path: path_buf,
            known,
        });
    };
    match archive.array(member).map_err(malformed)? {
        Some(array) => read(array, name, path),
        None => Err(OwnError::NoArray {
            path: path_buf,
            name: member.to_string(),
            known,
        }),
    }
}

fn read(file: NpyFile<impl Read>, name: &str, path: &Path) -> Result<Array, OwnError> {
    let malformed = |problem: String| OwnError::Malformed {
        path: path.to_path_buf(),
        problem,
    };
    let header = file.header();
    let place = name.to_string();
    let other_type = |found: String| OwnError::ArrayType {
        place: place.clone(),
        found,
        expected: "arrays hold plain numbers",
    };
    let plain = match header.dtype() {
        DType::Plain(plain) => plain,
        other => return Err(other_type(other.descr())),
    };
    // Such as `<f4`: order of bytes, kind, bytes.
    let descr = plain.to_string().trim_matches('\'').to_string();
    let (big_endian, element) = (descr.starts_with('>'), descr[1..].to_string());
    let Some(size) = plain.num_bytes().filter(|size| (1..=16).contains(size)) else {
        return Err(other_type(descr));
    };
    let shape: Option<Vec<usize>> = header
        .shape()
        .iter()
        .map(|&length| length.try_into().ok())
        .collect();
    let bytes = |shape: &[usize]| {
        shape
            .iter()
            .try_fold(size, |product, &length| product.checked_mul(length))
    };
    let Some((shape, promised)) = shape.and_then(|shape| bytes(&shape).map(|bytes| (shape, bytes))) else {
        return Err(malformed(
            "has a header that promises more than memory can hold".to_string(),
        ));
    };
    let order = header.order();
    let mut content = Vec::new();
    let mut rest = file.into_inner();
    let read = rest.by_ref().take(promised as u64).read_to_end(&mut content);
    read.map_err(|error| malformed(format!("cannot be read: {error}")))?;
    if content.len() < promised {
        return Err(malformed(format!(
            "is truncated: `{name}` should have {promised} bytes of data and has {}",
            content.len()
        )));
    }
    if order == Order::Fortran {
        content = c_order(&content, &shape, size);
    }
    Ok(Array {
        place,
        shape,
        element,
        big_endian,
        bytes: content,
    })
}

impl Reader for Npy {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn display_name(&self) -> &'static str {
        "NumPy arrays"
    }

    fn title(&self, args: &Args) -> String {
        file_name(args.text("images"))
    }

    fn files(&self, args: &Args, split: Split) -> Result<Option<Vec<PathBuf>>, DataError> {
        let files = |(images, label): (&str, &str)| {
            let mut files = vec![parts(images).0.to_path_buf(), parts(label).0.to_path_buf()];
            files.dedup();
            files
        };
        Ok(pair(args, split)?.map(files))
    }

    fn test_settings(&self) -> &'static str {
        "`test_images` and `test_label`"
    }

    fn read(&self, args: &Args, split: Split) -> Result<Examples, DataError> {
        Ok(read_examples(args, split)?)
    }
}
