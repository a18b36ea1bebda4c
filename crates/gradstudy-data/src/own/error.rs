//! Mistakes in the user's own files.

use std::path::PathBuf;

/// What is wrong with the user's own data.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum OwnError {
    #[error("cannot read {}: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::data::own_file),
        help("check the path; it is relative to the folder of the study")
    )]
    File { path: PathBuf, reason: std::io::Error },

    #[error("{} {problem}", path.display())]
    #[diagnostic(
        code(gradstudy::data::own_malformed),
        help("the file may be damaged or of another format: save it again")
    )]
    Malformed { path: PathBuf, problem: String },

    #[error(transparent)]
    #[diagnostic(transparent)]
    Table(#[from] crate::table::TableError),

    #[error("{} has no array `{name}`", path.display())]
    #[diagnostic(code(gradstudy::data::no_array), help("its arrays are {}", known.join(", ")))]
    NoArray {
        path: PathBuf,
        name: String,
        known: Vec<String>,
    },

    #[error("{} holds several arrays, and none is named", path.display())]
    #[diagnostic(
        code(gradstudy::data::no_array_named),
        help("write \"FILE.npz:ARRAY\"; its arrays are {}", known.join(", "))
    )]
    NoArrayNamed { path: PathBuf, known: Vec<String> },

    #[error("{} has {characters} characters, too few for a window of {context} and the one behind it", path.display())]
    #[diagnostic(
        code(gradstudy::data::short_text),
        help("lower `context`, or use a longer text")
    )]
    ShortText {
        path: PathBuf,
        characters: usize,
        context: usize,
    },

    #[error("{} has {character:?} as character {position}, which the training text does not have", path.display())]
    #[diagnostic(
        code(gradstudy::data::character),
        help("the training text has the vocabulary: let every character of the test text occur in it")
    )]
    Character {
        path: PathBuf,
        character: char,
        position: usize,
    },

    #[error("`{setting}` has no `{other}` to it")]
    #[diagnostic(code(gradstudy::data::half_test), help("give both or neither"))]
    HalfTest {
        setting: &'static str,
        other: &'static str,
    },

    #[error("{place} has the shape {found:?}; {expected}")]
    #[diagnostic(
        code(gradstudy::data::array_shape),
        help("save the array in one of these shapes, examples along the first axis")
    )]
    ArrayShape {
        place: String,
        found: Vec<usize>,
        expected: &'static str,
    },

    #[error("{place} has elements of type {found}; {expected}")]
    #[diagnostic(
        code(gradstudy::data::array_type),
        help("convert the array before saving it, such as with `.astype('float32')` or `.astype('int64')`")
    )]
    ArrayType {
        place: String,
        found: String,
        expected: &'static str,
    },

    #[error("{place} has {labels} labels for {images} images")]
    #[diagnostic(code(gradstudy::data::label_count), help("save one label for each image"))]
    LabelCount {
        place: String,
        labels: usize,
        images: usize,
    },

    #[error("{place} has label {label} at position {position}; {limit}")]
    #[diagnostic(
        code(gradstudy::data::label_range),
        help(
            "number the classes from 0 without gaps, and have at least one training example of the last one"
        )
    )]
    LabelRange {
        place: String,
        label: String,
        position: usize,
        limit: String,
    },

    #[error("{place} has {value} in example {example}, value {position} of it")]
    #[diagnostic(
        code(gradstudy::data::not_finite),
        help(
            "every value must be a finite number within the range of 32 bits: correct it or remove the example"
        )
    )]
    NotFinite {
        place: String,
        value: f64,
        example: usize,
        position: usize,
    },

    #[error("{} has {columns} feature columns, `shape` makes {} of them", path.display(), shape.iter().product::<usize>())]
    #[diagnostic(
        code(gradstudy::data::image_size),
        help("`shape` is channels, height, width; leave out columns that are no pixels with `ignore`")
    )]
    ColumnShape {
        path: PathBuf,
        columns: usize,
        shape: [usize; 3],
    },

    #[error("`shape` holds {found} numbers")]
    #[diagnostic(
        code(gradstudy::data::shape),
        help("give channels, height and width, such as `shape: [1, 28, 28]`")
    )]
    ShapeLength { found: usize },

    #[error("training examples are {}, test examples {}", size(train), size(test))]
    #[diagnostic(
        code(gradstudy::data::split_shape),
        help("both splits must have examples of one size")
    )]
    Splits { train: [usize; 3], test: [usize; 3] },

    #[error("{} has {problem}", path.display())]
    #[diagnostic(
        code(gradstudy::data::folder),
        help("a folder of images has one folder for each class, and PNG or JPEG files in these")
    )]
    Folder { path: PathBuf, problem: &'static str },

    #[error("{} is neither PNG nor JPEG", path.display())]
    #[diagnostic(
        code(gradstudy::data::not_an_image),
        help("move the file out of the folder, or convert it; hidden files are passed over")
    )]
    NotAnImage { path: PathBuf },

    #[error("{} is {} (channels × height × width), {} is {}", path.display(), size(found), first.display(), size(expected))]
    #[diagnostic(
        code(gradstudy::data::mixed_images),
        help(
            "bring all images to one size; where some are grey and some are not, `colour: grey` or `colour: rgb` \
             makes them alike"
        )
    )]
    MixedImages {
        path: PathBuf,
        found: [usize; 3],
        first: PathBuf,
        expected: [usize; 3],
    },

    #[error("{} is an image of {width}×{height} pixels, which takes more than {limit}", path.display())]
    #[diagnostic(code(gradstudy::data::large_image), help("{}", gradstudy_base::limits::HELP))]
    LargeImage {
        path: PathBuf,
        width: u32,
        height: u32,
        limit: String,
    },

    #[error("{} has {found}", path.display())]
    #[diagnostic(
        code(gradstudy::data::colour),
        help(
            "`colour: grey` or `colour: rgb` converts every image to 8 bits a channel without transparency"
        )
    )]
    Colour { path: PathBuf, found: String },
}

fn size(shape: &[usize; 3]) -> String {
    let [channels, height, width] = shape;
    format!("{channels}×{height}×{width}")
}
