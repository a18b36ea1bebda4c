//! `gradstudy test FILE`: the tests of studies on numbers from anywhere.

mod error;
mod samples;
mod show;

use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Args, ValueEnum};

use crate::arrays::text::{DECIMAL_WORDS, Decimal, SEPARATOR_WORDS, Separator, TextSettings};
use crate::arrays::{self, Along, Matrix, Reading};
use crate::plan::test_kind;
use crate::seed;
use crate::signature::Call;
use crate::stats::laws::{LAWS, Law};
use crate::stats::monitor::Monitor;
use crate::stats::power::power;
use crate::stats::power_law::PowerLawSettings;
use crate::stats::sensitivity::{sensitivity, stability};
use crate::stats::{TESTS, TestKind};
use crate::study;
use crate::syntax::Source;

use super::options::{default_memory, parse_size};
use super::terminal::screen;
use super::{Failure, print};
use error::TestError;
use samples::Tested;

/// Apply the tests of studies to numbers of your own: each column, each row, or all as one sample
///
/// Arrays with more than two axes are taken as rows of the first axis. Files are read in parts: a matrix may be larger than
/// memory. Results do not depend on --memory and --threads.
#[derive(Debug, Args)]
pub struct Test {
    /// The file: .npy, .npz, .safetensors, .pt (.pth, .bin, .ckpt), .arrow (.feather, .ipc), .parquet, or a table in text
    /// (.csv, .tsv, .txt, .dat, .data; packed by gzip or not)
    #[arg(value_name = "FILE", required_unless_present = "power")]
    file: Option<PathBuf>,
    /// Array within the file [default: all]
    #[arg(long, value_name = "NAME")]
    array: Option<String>,
    #[command(flatten)]
    text: TextOptions,
    /// What a sample is: columns, rows or all of the array, or, as studies say it of a history, dimension (each iteration's
    /// gradient) or iteration (each parameter's history) [default: columns; all for arrays of one column]
    #[arg(long, value_enum)]
    along: Option<Direction>,
    /// With --along dimension or iteration: what an iteration is in the file, as in `file(…)`
    #[arg(long, value_enum, requires = "along", default_value_t = Lines::Rows)]
    iterations: Lines,
    /// Only this sample: a column's name, or its number from 0
    #[arg(long, value_name = "SAMPLE")]
    sample: Option<String>,
    /// A test as a study writes it, without `of` and `along`, such as "power_law(tail: top(500))"; any number of times
    /// [default: power_law and normality]
    #[arg(long, value_name = "TEST")]
    test: Vec<String>,
    /// Take the samples for independent, so that their rates have Wilson's 95 % intervals; rows and columns of one gradient
    /// history are not
    #[arg(long)]
    independent: bool,
    /// Seed of whatever is drawn at random
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Memory for numbers, such as 4GB [default: 60 % of the memory]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    memory: Option<u64>,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
    /// Also write every sample's statistics, as CSV (array, sample, test, statistic, value)
    #[arg(long, value_name = "FILE.csv")]
    each: Option<PathBuf>,
    /// Show a power law's verdict under each tail rule, side and critical distance; of one sample
    #[arg(long)]
    sensitivity: bool,
    /// Write power-law fits to tails from short to long, as CSV for a Hill plot; of one sample
    #[arg(long, value_name = "FILE.csv")]
    stability: Option<PathBuf>,
    /// Instead of a file: how often the tests reject simulated samples of this law, such as "student(3)"
    #[arg(long, value_name = "LAW", conflicts_with_all = ["file", "each", "independent", "sensitivity", "stability", "along", "sample", "array"])]
    power: Option<String>,
    /// Numbers in a simulated sample
    #[arg(long, value_name = "N", requires = "power", default_value_t = 5000)]
    size: usize,
    /// Simulated samples
    #[arg(long, value_name = "N", requires = "power", default_value_t = 1000)]
    samples: u64,
}

/// How a table in text is written, where that cannot be told from the file.
#[derive(Debug, Args)]
struct TextOptions {
    /// Of tables in text: whether the first row holds the columns' names [default: told from the rows]
    #[arg(long, value_name = "true|false")]
    header: Option<bool>,
    /// Of tables: whether the first column numbers or names the rows, and is left out [default: told from the file]
    #[arg(long, value_name = "true|false")]
    index: Option<bool>,
    /// Of tables in text: what stands between columns [default: told from the rows]
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(SEPARATOR_WORDS))]
    separator: Option<String>,
    /// Of tables in text: what stands before fractions [default: told from the rows]
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(DECIMAL_WORDS))]
    decimal: Option<String>,
}

impl TextOptions {
    fn settings(&self) -> TextSettings {
        TextSettings {
            header: self.header,
            index: self.index,
            separator: self.separator.as_deref().and_then(Separator::of_word),
            decimal: self.decimal.as_deref().and_then(Decimal::of_word),
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Direction {
    Columns,
    Rows,
    All,
    Dimension,
    Iteration,
}

/// What an iteration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Lines {
    Rows,
    Columns,
}

impl Test {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        if let Some(threads) = self.threads {
            // Fails only where a pool exists already, which nothing before this has made.
            let _ = rayon::ThreadPoolBuilder::new()
                .num_threads(threads.into())
                .build_global();
        }
        let calls = self.calls()?;
        let cancel = super::run::stop_on_request();
        if let Some(law) = &self.power {
            return self.simulate(law, &calls, &cancel);
        }
        let file = self.file.as_ref().expect("clap asks for it");
        let reading = Reading {
            array: self.array.as_deref(),
            text: self.text.settings(),
        };
        let matrices = arrays::open_with(file, &reading)?;
        let (tested, left_out) = self.every_matrix(&matrices, &calls, &cancel)?;
        if let Some(path) = &self.each {
            show::write_each(path, &tested)?;
        }
        match self.json {
            true => print(&show::json(file, &tested, &left_out, self.independent)),
            false => print(&show::text(file, &tested, &left_out, self.independent, &screen())),
        }
        Ok(ExitCode::SUCCESS)
    }

    fn calls(&self) -> Result<Vec<Call>, Failure> {
        let signatures: Vec<_> = TESTS.iter().map(|test| test.signature()).collect();
        let written = match self.test.as_slice() {
            [] => vec!["power_law".to_string(), "normality".to_string()],
            written => written.to_vec(),
        };
        let call = |text: &String| {
            let source = Source::new("--test", text.as_str());
            study::call(&source, &signatures, "test", &["of", "along"]).map_err(Failure::from)
        };
        written.iter().map(call).collect()
    }

    /// Every array that is large enough for a test and has the sample that is asked for, and why the others are left out.
    fn every_matrix<'a>(
        &self,
        matrices: &'a [Matrix],
        calls: &[Call],
        cancel: &Arc<AtomicBool>,
    ) -> Result<(Vec<Tested<'a>>, Vec<String>), Failure> {
        let (mut tested, mut unfit) = (Vec::new(), Vec::new());
        let mut applied = vec![false; calls.len()];
        for matrix in matrices {
            let (along, range) = match self.choose(matrix) {
                Ok(chosen) => chosen,
                Err(error) => {
                    unfit.push(error);
                    continue;
                }
            };
            let (_, size) = matrix.samples(along);
            let (mut fitting, mut remarks) = (Vec::new(), Vec::new());
            for (call, applied) in calls.iter().zip(&mut applied) {
                match samples::fits(call, size) {
                    Ok(()) => {
                        *applied = true;
                        fitting.push(call.clone());
                    }
                    Err(error @ TestError::TooFew { .. }) => remarks.push(error),
                    Err(error) => return Err(error.into()),
                }
            }
            if fitting.is_empty() {
                let array = matrix.name.clone();
                unfit.extend(remarks.into_iter().take(1).map(|error| error.of_array(&array)));
                continue;
            }
            let mut of = self.one_matrix(matrix, along, range, &fitting, cancel)?;
            of.remarks = matrix.remarks();
            of.remarks.extend(remarks.iter().map(TestError::as_remark));
            tested.push(of);
        }
        // A test that was asked for and fits no array is a mistake; the usual tests are those that fit.
        let missed = applied
            .iter()
            .position(|applied| !applied)
            .filter(|_| !self.test.is_empty());
        if let (Some(missed), false) = (missed, tested.is_empty()) {
            let largest = matrices
                .iter()
                .filter_map(|matrix| Some(matrix.samples(self.choose(matrix).ok()?.0).1))
                .max();
            samples::fits(&calls[missed], largest.unwrap_or(0))?;
        }
        match unfit.is_empty() || !tested.is_empty() {
            true => Ok((tested, unfit.iter().map(TestError::as_remark).collect())),
            false => Err(unfit.remove(0).into()),
        }
    }

    /// What the samples of `matrix` are, and which are asked for.
    fn choose(&self, matrix: &Matrix) -> Result<(Along, Range<usize>), TestError> {
        if matrix.rows * matrix.columns == 0 {
            let array = matrix.name.clone();
            return Err(TestError::Empty { array });
        }
        let along = match self.along {
            Some(Direction::Columns) => Along::Columns,
            Some(Direction::Rows) => Along::Rows,
            Some(Direction::All) => Along::All,
            Some(Direction::Dimension) => match self.iterations {
                Lines::Rows => Along::Rows,
                Lines::Columns => Along::Columns,
            },
            Some(Direction::Iteration) => match self.iterations {
                Lines::Rows => Along::Columns,
                Lines::Columns => Along::Rows,
            },
            None if matrix.columns == 1 && self.sample.is_none() => Along::All,
            None => Along::Columns,
        };
        let (count, _) = matrix.samples(along);
        let Some(name) = &self.sample else {
            return Ok((along, 0..count));
        };
        let mut named = (0..count).filter(|&i| matrix.sample_name(along, i) == *name);
        let (first, second) = (named.next(), named.next());
        if second.is_some() {
            return Err(TestError::SeveralSamples {
                array: matrix.name.clone(),
                sample: name.clone(),
            });
        }
        let number = || name.parse().ok().filter(|i| *i < count);
        let left = matrix.left_out.iter().find(|left| left.name == *name);
        match (first.or_else(number), left) {
            (Some(i), _) => Ok((along, i..i + 1)),
            (None, Some(left)) => Err(TestError::NotNumbers {
                sample: name.clone(),
                reason: left.reason.clone(),
            }),
            (None, None) => Err(TestError::Sample {
                array: matrix.name.clone(),
                sample: name.clone(),
                count,
            }),
        }
    }

    fn one_matrix<'a>(
        &self,
        matrix: &'a Matrix,
        along: Along,
        range: Range<usize>,
        calls: &[Call],
        cancel: &Arc<AtomicBool>,
    ) -> Result<Tested<'a>, Failure> {
        let (_, size) = matrix.samples(along);
        let memory = self.memory.unwrap_or_else(default_memory);
        let sizes = samples::Sizes::new(matrix, along, range.len(), calls, memory);
        let sizes = sizes.ok_or(TestError::Memory {
            size,
            needed: samples::needed(calls) * size as u64,
            memory,
        })?;
        let mut tested = Tested::new(matrix, along, range.clone());
        if self.sensitivity || self.stability.is_some() {
            if range.len() != 1 {
                return Err(TestError::OneSample { count: range.len() }.into());
            }
            let mut values = Vec::new();
            matrix.read(along, range.clone(), &mut values)?;
            if self.sensitivity {
                let rows = sensitivity(&values, PowerLawSettings::default().alpha);
                tested.sensitivity = Some(rows.map_err(TestError::degenerate)?);
            }
            if let Some(path) = &self.stability {
                let points = stability(&values, 200, 10, &PowerLawSettings::default());
                show::write_stability(path, &points.map_err(TestError::degenerate)?)?;
            }
        }
        let outcomes = samples::run(matrix, along, range, sizes, calls, self.seed, cancel)?;
        for (call, outcomes) in calls.iter().zip(outcomes) {
            tested.add(call, outcomes)?;
        }
        Ok(tested)
    }

    fn simulate(&self, law: &str, calls: &[Call], cancel: &AtomicBool) -> Result<ExitCode, Failure> {
        let law = study::call(&Source::new("--power", law), LAWS, "law", &[])?;
        let mut found = Vec::new();
        for call in calls {
            samples::fits(call, self.size)?;
            let kind: &dyn TestKind = test_kind(&call.name);
            let monitor = Monitor {
                progress: &|_| (),
                cancel,
            };
            let seed = seed::derive(self.seed, &format!("power {}", call.name));
            let power = power(
                kind,
                &call.args,
                Law::from_call(&law),
                self.size,
                self.samples,
                seed,
                &monitor,
            );
            match power {
                Some(power) => found.push((call.clone(), power)),
                None if cancel.load(std::sync::atomic::Ordering::Relaxed) => {
                    return Err(TestError::Interrupted.into());
                }
                None => {
                    return Err(TestError::NoVerdict {
                        test: call.name.clone(),
                    }
                    .into());
                }
            }
        }
        match self.json {
            true => print(&show::power_json(&law, self.size, &found)),
            false => print(&screen().wrap_lines(&show::power_text(&law, self.size, &found))),
        }
        Ok(ExitCode::SUCCESS)
    }
}
