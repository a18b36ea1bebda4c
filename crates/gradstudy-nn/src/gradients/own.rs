//! A history of the user's own numbers, from an array in a file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use miette::Diagnostic;
use thiserror::Error;

use super::history::{GradientHistory, HistoryError};
use super::rounding::Rounding;
use gradstudy_arrays::text::TextSettings;
use gradstudy_arrays::{self as arrays, Along, ArraysError, Matrix, Reading};
use gradstudy_base::signature::Args;

/// Bytes of numbers that are read at a time.
const READ: usize = 64 << 20;

/// An array and which of its sides are iterations.
#[derive(Debug)]
pub struct OwnNumbers {
    matrix: Matrix,
    /// What an iteration is.
    iterations: Along,
    file: String,
    named: bool,
}

/// Why a file is no history.
#[derive(Debug, Error, Diagnostic)]
pub enum OwnError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Arrays(#[from] ArraysError),
    #[error("`{}` has {count} arrays", path.display())]
    #[diagnostic(code(gradstudy::own::which), help("name one with `array`: {known}"))]
    Which {
        path: PathBuf,
        count: usize,
        known: String,
    },
    #[error("`{file}` has {value:e} in iteration {iteration}, counted from 0, which float32 does not reach")]
    #[diagnostic(
        code(gradstudy::own::range),
        help(
            "histories are float32, up to 3.4e38: scale the numbers, or test the file by `gradstudy test`, in float64"
        )
    )]
    Range {
        file: String,
        iteration: usize,
        value: f64,
    },
    #[error("`{}` has no numbers: its array is {rows} × {columns}", path.display())]
    #[diagnostic(
        code(gradstudy::own::empty),
        help("write a file with a row for each iteration")
    )]
    Empty {
        path: PathBuf,
        rows: usize,
        columns: usize,
    },
}

/// The array that the settings of `file` name, without reading its numbers where they lie as they are.
///
/// # Errors
/// A file that cannot be read, has several arrays of which none is named, or no numbers.
pub fn open(args: &Args) -> Result<OwnNumbers, OwnError> {
    let path = Path::new(args.text("path"));
    let wanted = args.get("array").map(|_| args.text("array"));
    let reading = Reading {
        array: wanted,
        text: TextSettings::of(args),
    };
    let mut matrices = arrays::open_with(path, &reading)?;
    if matrices.len() != 1 {
        let names: Vec<String> = matrices
            .iter()
            .map(|matrix| format!("\"{}\"", matrix.name))
            .collect();
        return Err(OwnError::Which {
            path: path.into(),
            count: matrices.len(),
            known: names.join(", "),
        });
    }
    let matrix = matrices.remove(0);
    // A slip in a column of numbers would make the gradients shorter by one parameter.
    let slip = matrix
        .left_out
        .iter()
        .find_map(|left| Some((&left.name, left.mistake.as_ref()?)));
    if let Some((name, (line, text))) = slip {
        return Err(OwnError::Arrays(ArraysError::Field {
            path: path.into(),
            line: *line,
            column: format!("`{name}`"),
            text: text.clone(),
        }));
    }
    let (rows, columns) = (matrix.rows, matrix.columns);
    if rows * columns == 0 {
        return Err(OwnError::Empty {
            path: path.into(),
            rows,
            columns,
        });
    }
    let file = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    Ok(OwnNumbers {
        matrix,
        iterations: match args.text("iterations") {
            "columns" => Along::Columns,
            _ => Along::Rows,
        },
        file,
        named: wanted.is_some(),
    })
}

/// BLAKE3 of the file, in hex.
///
/// # Errors
/// It cannot be read.
pub fn digest(path: &Path) -> Result<String, OwnError> {
    let unread = |reason| OwnError::Arrays(ArraysError::file(path, reason));
    let mut hasher = blake3::Hasher::new();
    hasher
        .update_reader(File::open(path).map_err(unread)?)
        .map_err(unread)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// What is known of such numbers without keeping them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// n.
    pub parameters: u64,
    /// T.
    pub iterations: u64,
    /// What was decided while the file was read, and what of it is left out.
    pub remarks: Vec<String>,
}

/// Size and time of a file, which tell that it has not changed.
type Stamp = (u64, Option<SystemTime>);

/// Files that were summed up; a study hardly names more.
const KEPT: usize = 32;
static SUMMARIES: Mutex<Vec<(String, Stamp, Summary)>> = Mutex::new(Vec::new());

/// What the settings of `file` give. A checker asks often: a table in text is read once as long as the file does not change.
///
/// # Errors
/// As of [`open`]; they are not remembered.
pub fn summary(args: &Args) -> Result<Summary, OwnError> {
    // Where a file lies is part of it, other than of what is written.
    let key = format!("{args:?}");
    let facts = std::fs::metadata(args.text("path")).ok();
    let stamp: Stamp = (
        facts.as_ref().map_or(0, |facts| facts.len()),
        facts.and_then(|facts| facts.modified().ok()),
    );
    let lock = || SUMMARIES.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some((_, _, known)) = lock().iter().find(|(k, s, _)| *k == key && *s == stamp) {
        return Ok(known.clone());
    }
    let own = open(args)?;
    let summary = Summary {
        parameters: own.parameters() as u64,
        iterations: own.iterations() as u64,
        remarks: own.matrix.remarks(),
    };
    let mut known = lock();
    known.retain(|(other, _, _)| *other != key);
    known.truncate(KEPT - 1);
    known.insert(0, (key, stamp, summary.clone()));
    Ok(summary)
}

impl OwnNumbers {
    /// n.
    pub fn parameters(&self) -> usize {
        self.matrix.samples(self.iterations).1
    }

    /// T.
    pub fn iterations(&self) -> usize {
        self.matrix.samples(self.iterations).0
    }

    /// The file's name, and the array's where one was named: what tables show in a data set's place.
    pub fn title(&self) -> String {
        match self.named {
            true => format!("{}: {}", self.file, self.matrix.name),
            false => self.file.clone(),
        }
    }

    /// Fills `history`, which has room for these numbers, in float32. `progress` is told of iterations; stops where it
    /// says false. What float32 does not hold of them, or `None` where not all were read.
    ///
    /// # Errors
    /// What cannot be read, and numbers that float32 does not reach.
    pub fn fill(
        &self,
        history: &mut GradientHistory,
        mut progress: impl FnMut(u64) -> bool,
    ) -> Result<Option<Rounding>, OwnError> {
        let (count, length) = self.matrix.samples(self.iterations);
        // Of iterations that do not lie together, as many as there may be: each block is a pass over the file.
        let budget = match self.matrix.lie_together(self.iterations) {
            true => READ,
            false => 16 * READ,
        };
        let together = (budget / (8 * length)).clamp(1, count);
        let (mut values, mut rounding) = (Vec::new(), Rounding::default());
        for first in (0..count).step_by(together) {
            let last = count.min(first + together);
            self.matrix.read(self.iterations, first..last, &mut values)?;
            for (iteration, values) in values.chunks(length).enumerate() {
                if let Some(value) = rounding.add(values) {
                    let (file, iteration) = (self.file.clone(), first + iteration);
                    return Err(OwnError::Range {
                        file,
                        iteration,
                        value,
                    });
                }
            }
            let to = &mut history.values_mut()[first * length..last * length];
            for (to, value) in to.iter_mut().zip(&values) {
                *to = *value as f32;
            }
            if !progress((last - first) as u64) {
                return Ok(None);
            }
        }
        Ok(Some(rounding))
    }
}

/// Room for a history of these numbers, in `file` if one is named.
///
/// # Errors
/// There is no such room.
pub fn room(own: &OwnNumbers, file: Option<&Path>) -> Result<GradientHistory, HistoryError> {
    let (n, t) = (own.parameters(), own.iterations());
    match file {
        Some(path) => GradientHistory::in_file(n, t, path),
        None => GradientHistory::in_memory(n, t),
    }
}
