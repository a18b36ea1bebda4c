//! `csv`: a table of numbers and one column of labels.

use std::path::{Path, PathBuf};

use super::{OwnError, Reader, Survey, bytes, file_name, optional, path_setting, text};
use crate::dataset::Split;
use crate::error::DataError;
use crate::select::{CLASSES, SPLIT, SUBSET, normalize};
use crate::table::{self, Classes, Format, Table};
use crate::values::{Examples, Values};
use gradstudy_arrays::text::TextSettings;
use gradstudy_arrays::text::settings::{DECIMAL, HEADER, INDEX, SEPARATOR};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature, Value};

static SIGNATURE: Signature = Signature {
    name: "csv",
    summary: "a table of your own: numbers and one column of labels, which may be words",
    params: &[
        path_setting(
            "file",
            Default::Required,
            "the file of the training examples; may be packed (.gz)",
        ),
        text(
            "label",
            Default::Required,
            "the column of the labels: its name, its number from 1, \"first\" or \"last\"",
        ),
        path_setting(
            "test",
            Default::Absent,
            "the file of the test examples, with the same columns",
        ),
        SPLIT,
        normalize("per_feature"),
        SUBSET,
        CLASSES,
        HEADER,
        INDEX,
        SEPARATOR,
        DECIMAL,
        Param {
            name: "ignore",
            ty: ParamType::List(&ParamType::Text),
            default: Default::Absent,
            doc: "columns to leave out, named like the label's",
        },
        Param {
            name: "shape",
            ty: ParamType::List(&ParamType::Integer { min: 1, max: 1 << 20 }),
            default: Default::Absent,
            doc: "channels, height and width, where rows are images; without it, every column is a channel of one \
                  value",
        },
    ],
    version: 2,
};

/// See the module's documentation.
pub(super) struct Csv;

impl Csv {
    fn path<'a>(&self, args: &'a Args, split: Split) -> Option<&'a Path> {
        match split {
            Split::Train => Some(Path::new(args.text("file"))),
            Split::Test => optional(args, "test").map(Path::new),
        }
    }

    fn table(&self, args: &Args, path: &Path) -> Result<Table, OwnError> {
        let content = bytes(path)?;
        let ignore = args
            .get("ignore")
            .map(|_| args.texts("ignore"))
            .unwrap_or_default();
        let format = Format {
            text: TextSettings::of(args),
            label: args.text("label"),
            ignore: &ignore,
        };
        Ok(table::read(path, &content, &format)?)
    }

    /// The examples of a split, and what was decided while its file was read.
    fn examples(&self, args: &Args, split: Split) -> Result<(Examples, Vec<String>), DataError> {
        // The training examples say which classes there are.
        let train = self.path(args, Split::Train).unwrap_or(Path::new(""));
        let mut table = self.table(args, train)?;
        let classes = Classes::of(&table, train).map_err(OwnError::from)?;
        let path = self.path(args, split).unwrap_or(train);
        if split == Split::Test {
            table = self.table(args, path)?;
        }
        let examples = Examples {
            shape: self.shape(args, path, table.columns)?,
            classes: classes.len(),
            labels: classes.numbers(&table, path).map_err(OwnError::from)?,
            values: Values::Doubles(table.values),
        };
        Ok((examples, table.remarks))
    }

    fn shape(&self, args: &Args, path: &Path, columns: usize) -> Result<[usize; 3], OwnError> {
        if args.get("shape").is_none() {
            return Ok([columns, 1, 1]);
        }
        let number = |value: &Value| match value {
            Value::Integer(number) => *number as usize,
            other => panic!("`shape` holds {other:?}, its signature promised integers"),
        };
        let numbers: Vec<usize> = args.list("shape").iter().map(number).collect();
        let shape: [usize; 3] = numbers[..]
            .try_into()
            .map_err(|_| OwnError::ShapeLength { found: numbers.len() })?;
        match shape.iter().product::<usize>() == columns {
            true => Ok(shape),
            false => Err(OwnError::ColumnShape {
                path: path.to_path_buf(),
                columns,
                shape,
            }),
        }
    }
}

impl Reader for Csv {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn display_name(&self) -> &'static str {
        "CSV file"
    }

    fn title(&self, args: &Args) -> String {
        file_name(args.text("file"))
    }

    fn files(&self, args: &Args, split: Split) -> Result<Option<Vec<PathBuf>>, DataError> {
        Ok(self.path(args, split).map(|path| vec![path.to_path_buf()]))
    }

    fn test_settings(&self) -> &'static str {
        "`test: \"FILE\"`"
    }

    fn read(&self, args: &Args, split: Split) -> Result<Examples, DataError> {
        Ok(self.examples(args, split)?.0)
    }

    fn survey(&self, args: &Args, split: Split) -> Result<Survey, DataError> {
        let (examples, remarks) = self.examples(args, split)?;
        Ok(Survey {
            shape: examples.shape,
            class_counts: examples.class_counts(),
            remarks,
        })
    }
}
