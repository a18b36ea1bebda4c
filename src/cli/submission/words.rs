//! Words that the commands about submissions share.

use std::path::Path;

use crate::submission::slurm::{self, Queued};
use crate::submission::{Manifest, SubmissionError, jobs};

/// The name of a submission: that of its folder.
pub fn name(folder: &Path) -> String {
    folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The jobs of a submission that are in Slurm's queue; `None` where there are none to ask for, or nobody to ask.
pub fn queue(folder: &Path) -> Option<Vec<Queued>> {
    let ids: Vec<String> = jobs::read(folder).into_iter().map(|job| job.id).collect();
    match ids.is_empty() {
        true => None,
        false => slurm::queued(&ids).ok(),
    }
}

/// Refuses where jobs or processes of the submission are there.
pub fn refuse_alive(folder: &Path, running: usize, queue: Option<&[Queued]>) -> Result<(), SubmissionError> {
    let queued: Vec<String> = queue
        .unwrap_or_default()
        .iter()
        .map(|it| format!("{} ({})", it.id, it.state.to_lowercase()))
        .collect();
    let (what, one) = match (queued.len(), running) {
        (0, 0) => return Ok(()),
        (0, running) => (super::super::counted(running, "unit"), running == 1),
        (1, _) => (format!("job {}", queued[0]), true),
        (_, _) => (format!("jobs {}", queued.join(", ")), false),
    };
    let name = name(folder);
    Err(SubmissionError::Alive { name, what, one })
}

/// The study's command line after the name of a command: its file, and what was changed in it.
pub fn study(manifest: &Manifest) -> String {
    use super::super::study::shell_word;
    let mut text = shell_word(&manifest.source.display().to_string());
    if let Some(profile) = &manifest.profile {
        text += &format!(" --profile {}", shell_word(profile));
    }
    for set in &manifest.set {
        text += &format!(" --set {}", shell_word(set));
    }
    text
}
