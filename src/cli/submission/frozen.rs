//! The study of a submission, as it was submitted.

use std::path::Path;

use crate::cli::Failure;
use crate::data::SearchPath;
use crate::plan::{self, Plan};
use crate::store::StoreError;
use crate::study::{self, Overrides, Study};
use crate::submission::{Manifest, SubmissionError};
use crate::syntax::Source;
use crate::vocabulary::VOCABULARY;

/// A frozen study and its plan.
pub struct Frozen {
    pub source: Source,
    pub study: Study,
    /// In a line each.
    pub warnings: Vec<String>,
    pub search: SearchPath,
    pub plan: Plan,
}

/// Checks and plans the study of a submission again, in its working directory, which becomes this process's.
///
/// # Errors
/// The directory or a text is gone, or what comes out is not the plan that was submitted, as when data have changed.
pub fn open(manifest: &Manifest, folder: &Path) -> Result<Frozen, Failure> {
    if let Some(limit) = manifest.limit {
        crate::limits::set(limit);
    }
    let directory = &manifest.directory;
    std::env::set_current_dir(directory).map_err(|reason| StoreError::Read {
        path: directory.clone(),
        reason,
    })?;
    let source = manifest.source(folder)?;
    let overrides = Overrides {
        profile: manifest.profile.clone(),
        set: manifest.set.clone(),
    };
    let (study, warnings) = study::check_with(&source, &overrides, &VOCABULARY)?;
    let search = SearchPath::new(manifest.search.clone());
    let plan = plan::lower(&study, &search).map_err(|errors| {
        errors.iter().for_each(|error| crate::cli::show(error));
        Failure::Shown(2)
    })?;
    if plan.id().0 != manifest.plan {
        let what = "its data, or files of weights or numbers, are others now".to_string();
        return Err(SubmissionError::Changed { what }.into());
    }
    Ok(Frozen {
        source,
        study,
        warnings: crate::cli::study::lines(&warnings),
        search,
        plan,
    })
}
