//! Histories of the user's own numbers, as steps.

use serde_json::json;

use super::cost;
use super::error::PlanError;
use super::lower::Lowering;
use super::step::{Operation, StepId, StepKey, Work};
use crate::gradients::own;
use crate::results::Subject;
use crate::signature::Call;
use crate::study::own_numbers::FILE;

/// What is said of a model where there is none.
const ABSENT: &str = "–";

impl Lowering<'_> {
    /// The step that reads a history from the user's own file, and what it is of.
    pub fn own_numbers(&mut self, name: &str, file: &Call) -> Result<(StepId, Subject), PlanError> {
        let own = own::open(&file.args)?;
        let path = file.args.text("path");
        let known = self.files.get(path).cloned();
        let digest = match known {
            Some(digest) => digest,
            None => own::digest(path.as_ref())?,
        };
        self.files.insert(path.to_string(), digest.clone());
        // Where the file lies is no part of what is in it.
        let mut settings = file.clone();
        settings.args.0.shift_remove("path");
        let key = StepKey {
            operation: Operation::Read,
            version: FILE.version,
            settings: json!({"numbers": settings, "file": digest}),
            seed: None,
            inputs: vec![],
        };
        let (n, t) = (own.parameters() as u64, own.iterations() as u64);
        let subject = Subject {
            layers: None,
            dataset: own.title(),
            model: ABSENT.to_string(),
            training: ABSENT.to_string(),
            batch: 0,
            iterations: t,
            parameters: n,
            spectrum: None,
        };
        let label = format!("{name}: {n} numbers of {t} iterations from {path}");
        let work = Work::Read {
            file: file.clone(),
            digest,
        };
        Ok((self.add(key, work, label, cost::load(t, n)), subject))
    }
}
