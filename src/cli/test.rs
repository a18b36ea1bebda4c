//! `gradstudy test FILE`: the tests of studies on numbers from anywhere.

mod error;
mod samples;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Args, ValueEnum};

use crate::arrays::{self, Along, Matrix};
use crate::device;
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

use super::options::{UNKNOWN_MEMORY, parse_size};
use super::{Failure, print};
use error::TestError;
use samples::Tested;

/// Apply the tests of studies to numbers of your own: each column, each row, or all as one sample
///
/// Arrays with more than two axes are taken as rows of the first axis. Files are read in parts: a matrix may be larger than
/// memory. Results do not depend on --memory and --threads.
#[derive(Debug, Args)]
pub struct Test {
    /// The file: .npy, .npz, .safetensors, .csv, .tsv, .arrow (.feather, .ipc) or .parquet
    #[arg(value_name = "FILE", required_unless_present = "power")]
    file: Option<PathBuf>,
    /// Array within the file [default: all]
    #[arg(long, value_name = "NAME")]
    array: Option<String>,
    /// What a sample is [default: columns; all for arrays of one column]
    #[arg(long, value_enum)]
    along: Option<Direction>,
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

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Direction {
    Columns,
    Rows,
    All,
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
        let matrices = arrays::open(file, self.array.as_deref())?;
        let mut tested = Vec::new();
        for matrix in &matrices {
            if matrix.rows * matrix.columns == 0 {
                return Err(TestError::Empty {
                    array: matrix.name.clone(),
                }
                .into());
            }
            tested.push(self.one_matrix(matrix, &calls, &cancel)?);
        }
        if let Some(path) = &self.each {
            show::write_each(path, &tested)?;
        }
        match self.json {
            true => print(&show::json(file, &tested, self.independent)),
            false => print(&show::text(file, &tested, self.independent)),
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

    fn one_matrix<'a>(
        &self,
        matrix: &'a Matrix,
        calls: &[Call],
        cancel: &Arc<AtomicBool>,
    ) -> Result<Tested<'a>, Failure> {
        let along = match self.along {
            Some(Direction::Columns) => Along::Columns,
            Some(Direction::Rows) => Along::Rows,
            Some(Direction::All) => Along::All,
            None if matrix.columns == 1 => Along::All,
            None => Along::Columns,
        };
        let (count, size) = matrix.samples(along);
        let range = match &self.sample {
            None => 0..count,
            Some(name) => {
                let named = (0..count).find(|&i| matrix.sample_name(along, i) == *name);
                match named.or_else(|| name.parse().ok()).filter(|i| *i < count) {
                    Some(i) => i..i + 1,
                    None => {
                        return Err(TestError::Sample {
                            array: matrix.name.clone(),
                            sample: name.clone(),
                            count,
                        }
                        .into());
                    }
                }
            }
        };
        let memory = self
            .memory
            .unwrap_or_else(|| device::memory().map_or(UNKNOWN_MEMORY, |bytes| bytes / 10 * 6));
        let sizes = samples::Sizes::new(matrix, along, range.len(), calls.len(), memory);
        let sizes = sizes.ok_or(TestError::Memory {
            size,
            needed: samples::NEEDED * size as u64,
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
        for call in calls {
            samples::fits(call, size)?;
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
            false => print(&show::power_text(&law, self.size, &found)),
        }
        Ok(ExitCode::SUCCESS)
    }
}
