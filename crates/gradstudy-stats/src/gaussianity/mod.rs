//! Tests of normality: what all of them share. Each is applied to points drawn at random from each sample, so that
//! tests of samples of different sizes can be compared, and gives a statistic and a p-value.

pub mod anderson_darling;
pub mod chi_square;
pub mod jarque_bera;
pub mod kurtosistest;
pub mod lilliefors;
pub mod shapiro_wilk;
pub mod skewtest;

use super::TestKind;
use super::centre::{Centre, sum};
use super::degenerate::Cause;
use super::history_view::HistoryView;
use super::many;
pub(super) use super::missing::MISSING;
use super::monitor::Monitor;
use super::normality::{NormalitySettings, Significance};
use super::outcome::{Direction, Outcome};
pub(super) use super::power_law::OF;
use super::remote::{RemoteError, RemoteHistory, RemoteTest};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature, Value};

/// A test of normality as a study names it.
#[derive(Debug)]
pub struct Gaussianity {
    pub signature: &'static Signature,
    /// The test's name in the note under a table.
    pub title: fn(&Args) -> String,
    /// The test of one drawn sample.
    pub test: fn(&[f64], &Args) -> Result<Significance, Cause>,
    /// Seconds for one sample of this many points on one core.
    pub seconds: fn(f64) -> f64,
}

impl TestKind for Gaussianity {
    fn signature(&self) -> &'static Signature {
        self.signature
    }

    fn test_all(
        &self,
        view: HistoryView,
        direction: Direction,
        args: &Args,
        seed: u64,
        monitor: &Monitor,
    ) -> Option<Outcome> {
        let settings = NormalitySettings::from_args(args, seed);
        let test = |sample: &[f64]| (self.test)(sample, args);
        many::gaussianity_test(view, direction, &settings, monitor, test).map(Outcome::Normality)
    }

    fn test_elsewhere(&self, args: &Args, _size: usize) -> Option<&dyn RemoteTest> {
        // Where all points are looked at, G comes as a whole.
        drawn(args).is_some().then_some(self as _)
    }

    fn test_one(&self, values: &[f64], args: &Args, seed: u64, monitor: &Monitor) -> Option<Outcome> {
        let settings = NormalitySettings::from_args(args, seed);
        let outcome = many::gaussianity_of_sample(values, &settings, |sample| (self.test)(sample, args));
        (!monitor.cancelled()).then(|| {
            (monitor.progress)(1);
            Outcome::Normality(outcome)
        })
    }

    fn convention(&self, args: &Args) -> String {
        let points = match drawn(args) {
            Some(points) => format!("{points} points drawn at random from each row or column"),
            None => "all points of each row or column".to_string(),
        };
        let (title, alpha) = ((self.title)(args), args.number("alpha"));
        format!("Gaussianity: {title} on {points}; not rejected when p > {alpha}.")
    }

    fn seconds(&self, args: &Args, parameters: u64, iterations: u64, direction: Direction) -> f64 {
        let (samples, size) = match direction {
            Direction::Dimension | Direction::Spectrum => (iterations, parameters),
            Direction::Iteration => (parameters, iterations),
        };
        let points = drawn(args).unwrap_or(size as usize);
        samples as f64 * (self.seconds)(points as f64) / rayon::current_num_threads() as f64
    }
}

impl RemoteTest for Gaussianity {
    fn run_remote(
        &self,
        history: &dyn RemoteHistory,
        direction: Direction,
        args: &Args,
        seed: u64,
        monitor: &Monitor,
    ) -> Result<Option<Outcome>, RemoteError> {
        let settings = NormalitySettings::from_args(args, seed);
        let test = |sample: &[f64]| (self.test)(sample, args);
        let outcome = many::gaussianity_test_remote(history, direction, &settings, monitor, test)?;
        Ok(outcome.map(Outcome::Normality))
    }
}

/// `points: 100`, `points: all`
pub(super) const POINTS: Param = Param {
    name: "points",
    ty: ParamType::IntegerOr {
        min: 8,
        max: 1_000_000_000,
        words: &["all"],
    },
    default: Default::Text("100"),
    doc: "points drawn from each sample, without replacement; `all`: every point of each, none drawn",
};

/// How many points are drawn; none where all are looked at.
pub(super) fn drawn(args: &Args) -> Option<usize> {
    match args.get("points") {
        Some(Value::Text(_)) => None,
        _ => Some(args.integer("points") as usize),
    }
}

/// How many points are drawn.
pub(super) const fn points(min: i64, max: i64) -> Param {
    Param {
        name: "points",
        ty: ParamType::Integer { min, max },
        default: Default::Text("100"),
        doc: "points drawn from each sample, without replacement",
    }
}

/// The causes for which no test of normality applies to `sample`.
pub(super) fn checked(sample: &[f64], least: usize) -> Result<(), Cause> {
    // All of them, without a branch at each: most samples are finite.
    let finite = sample.iter().fold(true, |finite, x| finite & x.is_finite());
    if !finite {
        Err(Cause::NotFinite)
    } else if sample.iter().all(|x| *x == sample[0]) {
        Err(Cause::Constant)
    } else if sample.len() < least {
        Err(Cause::TooFew)
    } else {
        Ok(())
    }
}

/// A sample less its mean, over its standard deviation.
#[derive(Debug)]
struct Scores {
    /// Ascending.
    values: Vec<f64>,
    near_rounding: bool,
}

/// (x − x̄)/sd with sd over n − `ddof`, of a checked sample.
fn standardised(sample: &[f64], ddof: f64) -> Result<Scores, Cause> {
    let centre = Centre::of(sample);
    let squares = sum(sample, |x| centre.deviation(x).powi(2));
    let near_rounding = centre.near_rounding(sample, squares)?;
    let sd = (squares / (sample.len() as f64 - ddof)).sqrt();
    let mut values: Vec<f64> = sample.iter().map(|x| centre.deviation(*x) / sd).collect();
    values.sort_unstable_by(f64::total_cmp);
    Ok(Scores {
        values,
        near_rounding,
    })
}
