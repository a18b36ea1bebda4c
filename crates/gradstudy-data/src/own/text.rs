//! `text`: a text file cut into windows of characters, each with the characters that follow it for labels.

use std::path::{Path, PathBuf};

use super::survey;
use super::{OwnError, Survey, bytes, file_name, optional, path_setting};
use crate::dataset::{Dataset, Split, digest};
use crate::error::DataError;
use crate::file_digest::file_digest;
use crate::normalize::{Normalization, NormalizationNote};
use crate::search::SearchPath;
use crate::select::split_of;
use crate::values::{Outline, Values};
use crate::{DatasetKind, Published};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

static SIGNATURE: Signature = Signature {
    name: "text",
    summary: "a text file of your own, in windows of characters: each character is to be predicted from those before it",
    params: &[
        path_setting("file", Default::Required, "the training text, in UTF-8"),
        Param {
            name: "context",
            ty: ParamType::Integer { min: 2, max: 1 << 20 },
            default: Default::Text("64"),
            doc: "characters in a window; its labels are the characters one further on",
        },
        Param {
            name: "stride",
            ty: ParamType::Integer { min: 1, max: 1 << 20 },
            default: Default::Absent,
            doc: "characters from the start of one window to that of the next; `context` if absent, so that every \
                  character is a label once",
        },
        path_setting(
            "test",
            Default::Absent,
            "the test text; all its characters occur in the training text",
        ),
        Param {
            name: "split",
            ty: ParamType::Word(&["train", "test"]),
            default: Default::Text("train"),
            doc: "which text",
        },
        Param {
            name: "subset",
            ty: ParamType::Integer {
                min: 1,
                max: u32::MAX as i64,
            },
            default: Default::Absent,
            doc: "take only the first so many windows",
        },
    ],
    version: 1,
};

/// See the module's documentation.
pub struct Text;

/// The text of a file.
fn read(path: &Path) -> Result<String, OwnError> {
    String::from_utf8(bytes(path)?).map_err(|error| OwnError::Malformed {
        path: path.to_path_buf(),
        problem: format!(
            "is not UTF-8: its byte {} begins no character",
            error.utf8_error().valid_up_to()
        ),
    })
}

/// The different characters of a text, in the order of their code points: their places are the tokens.
fn vocabulary(text: &str) -> Vec<char> {
    let mut characters: Vec<char> = text.chars().collect();
    characters.sort_unstable();
    characters.dedup();
    characters
}

/// The text of `path` as tokens.
fn tokens(path: &Path, text: &str, vocabulary: &[char]) -> Result<Vec<u32>, OwnError> {
    let token = |(position, character): (usize, char)| match vocabulary.binary_search(&character) {
        Ok(token) => Ok(token as u32),
        Err(_) => Err(OwnError::Character {
            path: path.to_path_buf(),
            character,
            position,
        }),
    };
    text.chars().enumerate().map(token).collect()
}

/// Windows of `context` characters and one more behind them, `stride` apart.
fn windows(args: &Args, characters: usize) -> usize {
    let context = args.integer("context") as usize;
    match characters.checked_sub(context + 1) {
        None => 0,
        Some(rest) => rest / stride(args) + 1,
    }
}

fn stride(args: &Args) -> usize {
    let name = if args.get("stride").is_some() {
        "stride"
    } else {
        "context"
    };
    args.integer(name) as usize
}

fn path(args: &Args, split: Split) -> Result<&Path, DataError> {
    match split {
        Split::Train => Ok(Path::new(args.text("file"))),
        Split::Test => optional(args, "test")
            .map(Path::new)
            .ok_or_else(|| DataError::NoSplit {
                set: SIGNATURE.name.to_string(),
                split: split.word().to_string(),
                remedy: "name its file with `test`".to_string(),
            }),
    }
}

/// How often each character of the vocabulary occurs.
fn survey_of(path: &Path, text: &str, vocabulary: &[char], shape: [usize; 3]) -> Result<Survey, OwnError> {
    let mut class_counts = vec![0; vocabulary.len()];
    let tokens = tokens(path, text, vocabulary)?;
    tokens
        .into_iter()
        .for_each(|token| class_counts[token as usize] += 1);
    Ok(Survey {
        shape,
        class_counts,
        remarks: Vec::new(),
    })
}

impl Text {
    /// Both texts, the test text where there is one.
    fn survey(&self, args: &Args) -> Result<(Survey, Option<Survey>), DataError> {
        let train = Path::new(args.text("file"));
        let test = optional(args, "test").map(Path::new);
        let files: Vec<PathBuf> = [Some(train), test]
            .into_iter()
            .flatten()
            .map(Into::into)
            .collect();
        survey::once(SIGNATURE.name, args, &files, || {
            let shape = [1, 1, args.integer("context") as usize];
            let text = read(train)?;
            let vocabulary = vocabulary(&text);
            let of = |path: &Path, text: &str| survey_of(path, text, &vocabulary, shape);
            let test = test.map(|path| of(path, &read(path)?)).transpose()?;
            Ok((of(train, &text)?, test))
        })
    }
}

impl DatasetKind for Text {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn display_name(&self) -> &'static str {
        "Text file"
    }

    fn title(&self, args: &Args) -> String {
        file_name(args.text("file"))
    }

    fn outline(&self, args: &Args) -> Result<Outline, DataError> {
        let split = split_of(args);
        let path = path(args, split)?;
        let (train, test) = self.survey(args)?;
        let survey = match split {
            Split::Train => train,
            Split::Test => test.expect("a test split has a file"),
        };
        let characters = survey.class_counts.iter().sum::<u64>() as usize;
        let [_, _, context] = survey.shape;
        let available = windows(args, characters) as u64;
        if available == 0 {
            return Err(OwnError::ShortText {
                path: path.to_path_buf(),
                characters,
                context,
            }
            .into());
        }
        let asked = args.get("subset").map(|_| args.integer("subset") as u64);
        if let Some(asked) = asked.filter(|asked| *asked > available) {
            return Err(DataError::Subset {
                set: SIGNATURE.name.to_string(),
                split: split.word().to_string(),
                asked,
                available,
            });
        }
        Ok(Outline {
            shape: survey.shape,
            classes: survey.class_counts.len(),
            examples: asked.unwrap_or(available),
            positions: context,
        })
    }

    fn digest(&self, args: &Args, _search: &SearchPath) -> Result<String, DataError> {
        // The training text has the vocabulary.
        let files = [
            path(args, split_of(args))?.to_path_buf(),
            args.text("file").into(),
        ];
        Ok(file_digest(&files).map_err(|(path, reason)| OwnError::File { path, reason })?)
    }

    fn load(&self, args: &Args, _search: &SearchPath) -> Result<Dataset, DataError> {
        let outline = self.outline(args)?;
        let path = path(args, split_of(args))?;
        let vocabulary = vocabulary(&read(Path::new(args.text("file")))?);
        let tokens = tokens(path, &read(path)?, &vocabulary)?;
        let starts = (0..outline.examples as usize).map(|window| window * stride(args));
        let of = |shift: usize| {
            let tokens = &tokens;
            starts
                .clone()
                .flat_map(move |start| &tokens[start + shift..][..outline.positions])
        };
        let values = Values::Singles(of(0).map(|token| *token as f32).collect());
        let labels: Vec<u32> = of(1).copied().collect();
        let digest = digest(outline.shape, outline.classes, &values, &labels);
        let Values::Singles(images) = values else {
            unreachable!("made above")
        };
        Ok(Dataset {
            name: self.title(args),
            images,
            shape: outline.shape,
            labels,
            classes: outline.classes,
            digest,
            note: NormalizationNote {
                scheme: Normalization::None,
                mean: 0.0,
                sd: 1.0,
                channels: Vec::new(),
                constant_pixels: 0,
                fitted_on: outline.examples as usize,
            },
        })
    }

    fn published(&self) -> Option<&dyn Published> {
        None
    }
}
