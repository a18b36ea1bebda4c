//! Why tests have no numbers of single samples.

use std::path::Path;

use indexmap::IndexMap;

use super::error::ExportError;
use crate::report::columns;
use crate::results::Measurement;
use crate::run::folder::SAMPLES;
use crate::run::open_manifest;
use crate::stats::outcome::Direction;

/// Why a test has no numbers of single samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Why {
    /// A spectrum is one sample; eigenspaces are none.
    Spectrum,
    /// G has a single row or column.
    OneSample(Direction),
    /// All of G is one sample.
    Flattened,
    /// A measurement of all samples together.
    Together,
    /// The file is not in the run's folder.
    NoFile,
    /// The file has nothing of it: its outcome was in the cache of an older gradstudy.
    OldOutcome,
}

/// What is said of `measurements`, of which the run in `folder` has no numbers of single samples.
pub(super) fn why_no_samples(folder: &Path, measurements: &[Measurement]) -> ExportError {
    let has_file = folder.join(SAMPLES).is_file();
    let mut reasons: IndexMap<Why, Vec<String>> = IndexMap::new();
    for measurement in measurements {
        let tests = reasons.entry(why(measurement, has_file)).or_default();
        let test = format!("`{}`", measurement.test);
        if !tests.contains(&test) {
            tests.push(test);
        }
    }
    let again = || open_manifest(folder).map_or_else(|_| "gradstudy run STUDY".to_string(), |it| it.command);
    let sentences = reasons
        .into_iter()
        .map(|(why, tests)| sentence(why, &tests, folder, again));
    ExportError::None {
        what: "numbers of single samples",
        remedy: sentences.collect::<Vec<_>>().join("\n"),
    }
}

fn why(measurement: &Measurement, has_file: bool) -> Why {
    let tested = columns::find("tested").and_then(|column| column.of(measurement));
    match (measurement.outcome.samples(), measurement.direction) {
        (_, Direction::Spectrum) => Why::Spectrum,
        (None, _) => Why::Together,
        (_, direction) if tested.is_some_and(|tested| tested <= 1.0) => {
            match (direction, &measurement.subject) {
                (Direction::Dimension, subject) if subject.iterations > 1 => Why::Flattened,
                (Direction::Iteration, subject) if subject.parameters > 1 => Why::Flattened,
                _ => Why::OneSample(direction),
            }
        }
        _ if has_file => Why::OldOutcome,
        _ => Why::NoFile,
    }
}

fn sentence(why: Why, tests: &[String], folder: &Path, again: impl Fn() -> String) -> String {
    let (tests, is, has) = (
        tests.join(", "),
        plural(tests, "is", "are"),
        plural(tests, "has", "have"),
    );
    match why {
        Why::Spectrum => format!(
            "{tests} {is} of spectra, not of rows or columns of G: `--what outcomes` has what was found, `--what spectra` \
             the eigenvalues"
        ),
        Why::OneSample(direction) => {
            let of = match direction {
                Direction::Dimension => "G has one column (iterations: 1)",
                _ => "G has one row",
            };
            format!(
                "{tests} along {} {has} one sample, as {of}: `--what outcomes` has what was found",
                direction.word()
            )
        }
        Why::Flattened => {
            format!(
                "{tests} {has} one sample, as all of G is taken as one: `--what outcomes` has what was found"
            )
        }
        Why::Together => {
            format!("{tests} {is} of all samples together: `--what outcomes` has what was found")
        }
        Why::NoFile => format!(
            "of {tests} there would be some in `{SAMPLES}`, which is not in `{}`: copy it there from the run, or make \
             it again: `{}`",
            folder.display(),
            again()
        ),
        Why::OldOutcome => format!(
            "the outcome of {tests} came from the cache of a gradstudy that kept none: `{} --cache-dir NEW`",
            again()
        ),
    }
}

fn plural<'a>(of: &[String], one: &'a str, several: &'a str) -> &'a str {
    if of.len() == 1 { one } else { several }
}
