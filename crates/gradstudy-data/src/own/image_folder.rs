//! `image_folder`: PNG or JPEG images in one folder for each class. Classes are numbered in the order of their
//! folders' names; examples take turns, one of each class in the order of their names, so that any first part
//! (`subset`) is a mixture.

use std::path::{Path, PathBuf};

use image::{ColorType, ImageDecoder, ImageError, ImageReader};
use rayon::prelude::*;

use super::{OwnError, Reader, Survey, file_name, optional, path_setting};
use crate::dataset::Split;
use crate::error::DataError;
use crate::select::{CLASSES, NORMALIZE, SPLIT, SUBSET};
use crate::values::{Examples, Values};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

static SIGNATURE: Signature = Signature {
    name: "image_folder",
    summary: "images of your own: PNG or JPEG of one size, in one folder for each class",
    params: &[
        path_setting(
            "path",
            Default::Required,
            "the folder that holds the folders of the classes",
        ),
        path_setting(
            "test",
            Default::Absent,
            "the same for the test images, with the same classes",
        ),
        SPLIT,
        NORMALIZE,
        SUBSET,
        CLASSES,
        Param {
            name: "colour",
            ty: ParamType::Word(&["as_is", "grey", "rgb"]),
            default: Default::Text("as_is"),
            doc: "`as_is`: 8-bit grey or 8-bit RGB, all alike; `grey`, `rgb`: converted to it, transparency dropped",
        },
    ],
    version: 1,
};

/// See the module's documentation.
pub(super) struct ImageFolder;

/// A folder's classes, and its images with their class in the order of the examples.
struct Listing {
    classes: Vec<String>,
    images: Vec<(PathBuf, u32)>,
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, OwnError> {
    let failed = |reason| OwnError::File {
        path: folder.to_path_buf(),
        reason,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if !file_name(&path.to_string_lossy()).starts_with('.') {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn list(folder: &Path) -> Result<Listing, OwnError> {
    let fault = |path: &Path, problem| OwnError::Folder {
        path: path.to_path_buf(),
        problem,
    };
    let (mut classes, mut images) = (Vec::new(), Vec::new());
    for class in entries(folder)? {
        if !class.is_dir() {
            return Err(fault(
                &class,
                "no class: it lies beside the folders of the classes",
            ));
        }
        let files = entries(&class)?;
        if files.is_empty() {
            return Err(fault(&class, "no images"));
        }
        for file in &files {
            let extension = file
                .extension()
                .unwrap_or_default()
                .to_string_lossy()
                .to_lowercase();
            if !file.is_file() || !matches!(extension.as_str(), "png" | "jpg" | "jpeg") {
                return Err(OwnError::NotAnImage { path: file.clone() });
            }
        }
        let number = classes.len() as u32;
        images.extend(
            files
                .into_iter()
                .enumerate()
                .map(|(turn, file)| (turn, number, file)),
        );
        classes.push(file_name(&class.to_string_lossy()));
    }
    if classes.is_empty() {
        return Err(fault(folder, "no folders of classes"));
    }
    images.sort_by_key(|(turn, class, _)| (*turn, *class));
    Ok(Listing {
        classes,
        images: images.into_iter().map(|(_, class, file)| (file, class)).collect(),
    })
}

impl ImageFolder {
    fn folder<'a>(&self, args: &'a Args, split: Split) -> Option<&'a Path> {
        match split {
            Split::Train => Some(Path::new(args.text("path"))),
            Split::Test => optional(args, "test").map(Path::new),
        }
    }

    /// The images of a split. Errors: test classes that differ from those of the training images.
    fn list(&self, args: &Args, split: Split) -> Result<Listing, OwnError> {
        let train = list(self.folder(args, Split::Train).unwrap_or(Path::new("")))?;
        let (Split::Test, Some(folder)) = (split, self.folder(args, Split::Test)) else {
            return Ok(train);
        };
        let test = list(folder)?;
        match test.classes == train.classes {
            true => Ok(test),
            false => Err(OwnError::Folder {
                path: folder.to_path_buf(),
                problem: "other classes than the training images: its folders are named otherwise",
            }),
        }
    }
}

fn image_fault(path: &Path, error: ImageError) -> OwnError {
    match error {
        ImageError::IoError(reason) if reason.kind() != std::io::ErrorKind::UnexpectedEof => OwnError::File {
            path: path.to_path_buf(),
            reason,
        },
        error => OwnError::Malformed {
            path: path.to_path_buf(),
            problem: format!("is no image that can be read: {error}"),
        },
    }
}

fn open(path: &Path) -> Result<ImageReader<std::io::BufReader<std::fs::File>>, OwnError> {
    let file = |reason| OwnError::File {
        path: path.to_path_buf(),
        reason,
    };
    let opened = gradstudy_base::files::open(path).map_err(file)?;
    let mut reader = ImageReader::new(std::io::BufReader::new(opened));
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(gradstudy_base::limits::bytes());
    reader.limits(limits);
    reader.with_guessed_format().map_err(file)
}

/// C, H, W from the file's header.
fn shape(path: &Path, colour: &str) -> Result<[usize; 3], OwnError> {
    let decoder = open(path)?
        .into_decoder()
        .map_err(|error| image_fault(path, error))?;
    let (width, height) = decoder.dimensions();
    let channels = match (colour, decoder.color_type()) {
        ("grey", _) | ("as_is", ColorType::L8) => 1,
        ("rgb", _) | ("as_is", ColorType::Rgb8) => 3,
        (_, other) => {
            return Err(OwnError::Colour {
                path: path.to_path_buf(),
                found: match other {
                    _ if other.has_alpha() => "an alpha channel (transparency)".to_string(),
                    other => format!(
                        "{} bits a channel",
                        8 * other.bytes_per_pixel() / other.channel_count()
                    ),
                },
            });
        }
    };
    let bytes = u64::from(width) * u64::from(height) * u64::from(decoder.color_type().bytes_per_pixel());
    if bytes > gradstudy_base::limits::bytes() {
        return Err(OwnError::LargeImage {
            path: path.to_path_buf(),
            width,
            height,
            limit: gradstudy_base::limits::words(gradstudy_base::limits::bytes()),
        });
    }
    Ok([channels, height as usize, width as usize])
}

/// The pixels, C×H×W.
fn pixels(path: &Path, [channels, height, width]: [usize; 3]) -> Result<Vec<u8>, OwnError> {
    let image = open(path)?.decode().map_err(|error| image_fault(path, error))?;
    if channels == 1 {
        return Ok(image.into_luma8().into_raw());
    }
    let (area, interleaved) = (height * width, image.into_rgb8().into_raw());
    Ok((0..3)
        .flat_map(|channel| (0..area).map(move |at| 3 * at + channel))
        .map(|at| interleaved[at])
        .collect())
}

/// The one shape of all images. Errors: the first image, in the order of examples, that differs from the first.
fn common_shape(images: &[(PathBuf, u32)], colour: &str) -> Result<[usize; 3], OwnError> {
    let shapes: Vec<Result<[usize; 3], OwnError>> =
        images.par_iter().map(|(path, _)| shape(path, colour)).collect();
    let mut common: Option<[usize; 3]> = None;
    for (found, (path, _)) in shapes.into_iter().zip(images) {
        let found = found?;
        let expected = *common.get_or_insert(found);
        if found != expected {
            return Err(OwnError::MixedImages {
                path: path.clone(),
                found,
                first: images[0].0.clone(),
                expected,
            });
        }
    }
    Ok(common.unwrap_or_default())
}

impl Reader for ImageFolder {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn display_name(&self) -> &'static str {
        "folder of images"
    }

    fn title(&self, args: &Args) -> String {
        file_name(args.text("path"))
    }

    fn files(&self, args: &Args, split: Split) -> Result<Option<Vec<PathBuf>>, DataError> {
        if self.folder(args, split).is_none() {
            return Ok(None);
        }
        let images = self.list(args, split)?.images;
        Ok(Some(images.into_iter().map(|(path, _)| path).collect()))
    }

    fn test_settings(&self) -> &'static str {
        "`test: \"FOLDER\"`"
    }

    fn read(&self, args: &Args, split: Split) -> Result<Examples, DataError> {
        let listing = self.list(args, split)?;
        let shape = common_shape(&listing.images, args.text("colour"))?;
        let size = shape.iter().product::<usize>();
        let mut values = vec![0; listing.images.len() * size];
        values
            .par_chunks_mut(size)
            .zip(&listing.images)
            .try_for_each(|(to, (path, _))| {
                to.copy_from_slice(&pixels(path, shape)?);
                Ok::<(), OwnError>(())
            })?;
        Ok(Examples {
            shape,
            classes: listing.classes.len(),
            values: Values::Bytes(values),
            labels: listing.images.into_iter().map(|(_, class)| class).collect(),
        })
    }

    /// Sizes from the images' headers: decoding all of them would take too long for a check.
    fn survey(&self, args: &Args, split: Split) -> Result<Survey, DataError> {
        let listing = self.list(args, split)?;
        let mut class_counts = vec![0; listing.classes.len()];
        listing
            .images
            .iter()
            .for_each(|(_, class)| class_counts[*class as usize] += 1);
        Ok(Survey {
            shape: common_shape(&listing.images, args.text("colour"))?,
            class_counts,
            remarks: Vec::new(),
        })
    }
}
