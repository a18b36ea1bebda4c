//! What keeps `gradstudy test` from testing.

use std::io;
use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

use crate::arrays::ArraysError;
use crate::stats::degenerate::Cause;

#[derive(Debug, Error, Diagnostic)]
pub enum TestError {
    #[error("the array `{array}` holds no number")]
    #[diagnostic(code(gradstudy::test::empty), help("choose another array with --array"))]
    Empty { array: String },
    #[error("`{array}` has no sample `{sample}`")]
    #[diagnostic(
        code(gradstudy::test::sample),
        help("it has {count}, numbered from 0; --along says whether rows or columns are samples")
    )]
    Sample {
        array: String,
        sample: String,
        count: usize,
    },
    #[error("`{array}` has several columns called `{sample}`")]
    #[diagnostic(
        code(gradstudy::test::several_samples),
        help("give the column's number from 0")
    )]
    SeveralSamples { array: String, sample: String },
    #[error("`{sample}` {reason}")]
    #[diagnostic(code(gradstudy::test::not_numbers), help("choose a column of numbers"))]
    NotNumbers { sample: String, reason: String },
    #[error("a sample of {size} numbers takes {needed} bytes, --memory allows {memory}")]
    #[diagnostic(
        code(gradstudy::test::memory),
        help(
            "give --memory more; a sample is read whole, only a matrix of many samples goes block by block"
        )
    )]
    Memory { size: usize, needed: u64, memory: u64 },
    #[error("there are {count} samples, --sensitivity and --stability look at one")]
    #[diagnostic(
        code(gradstudy::test::one_sample),
        help("choose one with --sample, or take all numbers as one with --along all")
    )]
    OneSample { count: usize },
    #[error(
        "{}`{test}` asks for {wanted} values with `{setting}`, a sample has {size}",
        of(array)
    )]
    #[diagnostic(code(gradstudy::test::too_few), help("{remedy}"))]
    TooFew {
        /// The array, where there are several.
        array: Option<String>,
        test: String,
        setting: &'static str,
        wanted: usize,
        size: usize,
        remedy: String,
    },
    #[error("`{test}` compares samples with each other and cannot be applied to them one by one")]
    #[diagnostic(
        code(gradstudy::test::together),
        help("it is for gradient histories, in a study")
    )]
    Together { test: String },
    #[error("`{test}` is an estimator: it rejects nothing")]
    #[diagnostic(code(gradstudy::test::verdict), help("simulate a test, such as `normality`"))]
    NoVerdict { test: String },
    #[error("the sample {problem}")]
    #[diagnostic(code(gradstudy::test::degenerate), help("choose another sample"))]
    Degenerate { problem: &'static str },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Arrays(#[from] ArraysError),
    #[error("stopped")]
    #[diagnostic(code(gradstudy::test::stopped))]
    Interrupted,
    #[error("cannot write `{}`: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::test::write),
        help("check the folder, its permissions and the room on its disk")
    )]
    Write { path: PathBuf, reason: io::Error },
}

fn of(array: &Option<String>) -> String {
    array
        .as_ref()
        .map_or(String::new(), |array| format!("`{array}`: "))
}

impl TestError {
    /// What is said where others are tested all the same.
    pub fn as_remark(&self) -> String {
        match self {
            TestError::TooFew { remedy, .. } => format!("{self}: left out; {remedy}"),
            error => format!("{error}: left out"),
        }
    }

    /// That error of an array among several.
    pub fn of_array(mut self, name: &str) -> Self {
        if let TestError::TooFew { array, .. } = &mut self {
            *array = Some(name.to_string());
        }
        self
    }

    /// A sample that nothing can be said about.
    pub fn degenerate(cause: Cause) -> Self {
        TestError::Degenerate {
            problem: match cause {
                Cause::NotFinite => "holds a NaN or an infinity",
                Cause::Constant => "has equal absolute values only",
                Cause::Rounding => "has a spread within rounding of its values",
                Cause::TooFew => "has too few values above zero",
                Cause::NotWhole => "holds values that are no whole numbers",
            },
        }
    }
}
