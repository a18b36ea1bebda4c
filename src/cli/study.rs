//! From a path to a checked study and its plan, with every mistake shown.

use std::path::Path;

use crate::data::SearchPath;
use crate::plan::{self, Plan};
use crate::study::{self, Study};
use crate::syntax::Source;
use crate::vocabulary::VOCABULARY;

use super::{Failure, show};

/// The study at `path`; warnings go to standard error.
pub fn load(path: &Path) -> Result<(Source, Study), Failure> {
    let source = Source::read(path)?;
    let (study, warnings) = study::check(&source, &VOCABULARY)?;
    if !warnings.is_empty() {
        show(&warnings);
    }
    Ok((source, study))
}

/// The plan of `study`; all reasons against it are shown.
pub fn plan(study: &Study, search: &SearchPath) -> Result<Plan, Failure> {
    plan::lower(study, search).map_err(|errors| {
        errors.iter().for_each(|error| show(error));
        Failure::Shown(2)
    })
}
