//! What a run was made of, enough to make it again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::contents::Contents;
use crate::execute::{DataFacts, Execution, Failure, NoiseFacts};
use crate::plan::{Plan, StepId, Work};
use crate::report::Timing;
use crate::results::TrainingFacts;
use crate::study::UsedFile;

/// The layout of `manifest.yaml`; raised when a reader of the old layout would misread the new.
pub const FORMAT_VERSION: u32 = 1;

/// burn's version, as pinned in Cargo.toml.
const BURN: &str = "0.22.1";

/// The manifest of a run. Everything under `times` may differ between two runs of the same study; nothing else
/// does on the same device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub format_version: u32,
    pub gradstudy: String,
    /// Profile, target and, for a release, the commit; empty in manifests of older versions.
    #[serde(default)]
    pub build: String,
    pub burn: String,
    pub study: String,
    /// Hash of the study's text.
    pub study_digest: String,
    /// The files that the study takes by `use`, and those of the user's own numbers; none in manifests of older versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<UsedFile>,
    /// Hash of all steps.
    pub plan: String,
    /// What makes the run again, options that change results included.
    pub command: String,
    /// The profile and each `--set`, as given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<String>,
    /// What `check` doubts in the study, each in one line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    pub device: DeviceFacts,
    pub seeds: Vec<u64>,
    pub data: Vec<DataFacts>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub label_noise: Vec<NoiseFacts>,
    /// By what trained them, with the levels of factors.
    pub trainings: BTreeMap<String, TrainingFacts>,
    /// Steps that could not be made, each with its first cause; those that only lacked an input are not listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    pub steps: Vec<StepFacts>,
    pub times: Times,
    /// Why figures that the study asks for could not be drawn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undrawn: Vec<String>,
    /// Hashes of the files beside the manifest that are read again; none in manifests of older versions.
    #[serde(default, skip_serializing_if = "Contents::is_empty")]
    pub contents: Contents,
}

/// What computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceFacts {
    /// `cpu`, `flex`, `cuda` or `cuda-tf32`.
    pub class: String,
    pub name: String,
}

/// A step that the run was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepFacts {
    pub id: String,
    pub operation: String,
    pub label: String,
}

/// When and how long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Times {
    pub started: String,
    pub seconds: f64,
    pub steps: Vec<StepTime>,
}

/// What a step cost, in this run or, if its result was reused, when that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepTime {
    pub id: String,
    /// Wall time; 0 of a reused step for which it is not known.
    pub seconds: f64,
    pub reused: bool,
    /// Largest resident memory of the process while it worked on the step, in bytes, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory: Option<u64>,
    /// What a reused step was made on, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// How a run was asked for.
#[derive(Debug)]
pub struct Invocation<'a> {
    pub study_text: &'a str,
    /// What the study takes by `use`.
    pub files: &'a [UsedFile],
    pub command: String,
    pub warnings: Vec<String>,
    pub device: DeviceFacts,
    pub seeds: &'a [u64],
    /// The profile and each `--set`, as given.
    pub overrides: &'a [String],
    /// When it began, in ISO 8601.
    pub started: String,
    /// How long it took.
    pub seconds: f64,
}

/// The files of the user's own numbers, each once.
fn own_files(plan: &Plan) -> Vec<UsedFile> {
    let mut files: Vec<UsedFile> = Vec::new();
    for step in &plan.steps {
        if let Work::Read { file, digest } = &step.work {
            let file = UsedFile {
                name: file.args.text("path").to_string(),
                digest: digest.clone(),
            };
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    files
}

/// Trainings by their labels; those that differ in a setting which these do not show have their step's id behind.
fn trainings(plan: &Plan, execution: &Execution) -> BTreeMap<String, TrainingFacts> {
    let label = |id: &StepId| plan.step(id).label.as_str();
    let named = execution.trainings.iter().map(|(id, facts)| {
        let alike = execution
            .trainings
            .iter()
            .filter(|(other, _)| label(other) == label(id));
        let name = match alike.count() {
            1 => label(id).to_string(),
            _ => format!("{} (step {})", label(id), id.short()),
        };
        (name, facts.clone())
    });
    named.collect()
}

/// Each failure once.
fn failures(execution: &Execution) -> Vec<Failure> {
    let first = execution
        .failures
        .iter()
        .filter(|(id, failure)| **id == failure.step);
    first.map(|(_, failure)| failure.clone()).collect()
}

impl Manifest {
    /// The manifest of `plan` as executed.
    pub fn new(plan: &Plan, execution: &Execution, invocation: Invocation) -> Self {
        let Invocation {
            study_text,
            files,
            command,
            warnings,
            device,
            seeds,
            overrides,
            started,
            seconds,
        } = invocation;
        let steps = plan.steps.iter().map(|step| StepFacts {
            id: step.id.0.clone(),
            operation: step.key.operation.verb().to_string(),
            label: step.label.clone(),
        });
        let times = execution.steps.iter().map(|step| StepTime {
            id: step.id.0.clone(),
            seconds: step.seconds,
            reused: step.reused,
            peak_memory: step.peak_memory,
            device: step.device.clone(),
        });
        Manifest {
            format_version: FORMAT_VERSION,
            gradstudy: env!("CARGO_PKG_VERSION").to_string(),
            build: env!("GRADSTUDY_BUILD").to_string(),
            burn: BURN.to_string(),
            study: plan.title.clone(),
            study_digest: blake3::hash(study_text.as_bytes()).to_hex().to_string(),
            files: files.iter().cloned().chain(own_files(plan)).collect(),
            plan: plan.id().0,
            command,
            overrides: overrides.to_vec(),
            warnings,
            device,
            seeds: seeds.to_vec(),
            data: execution.data.clone(),
            label_noise: execution.noises.clone(),
            trainings: trainings(plan, execution),
            failures: failures(execution),
            steps: steps.collect(),
            times: Times {
                started,
                seconds,
                steps: times.collect(),
            },
            undrawn: Vec::new(),
            contents: Contents::new(),
        }
    }

    /// Steps with their times, in the order in which they were worked on.
    pub fn timings(&self) -> Vec<Timing> {
        let of = |time: &StepTime| {
            let step = self.steps.iter().find(|step| step.id == time.id);
            Timing {
                step: time.id.chars().take(10).collect(),
                what: step.map_or_else(String::new, |step| format!("{} {}", step.operation, step.label)),
                seconds: time.seconds,
                reused: time.reused,
                peak_memory: time.peak_memory,
            }
        };
        self.times.steps.iter().map(of).collect()
    }
}
