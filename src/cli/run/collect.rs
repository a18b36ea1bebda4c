//! `gradstudy run STUDY --cached`: the report of what is in the cache, without computing anything.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use jiff::Zoned;

use super::{Ran, Run, show_in_browser};
use crate::cli::log;
use crate::cli::progress::{Count, Form, Progress};
use crate::cli::submission::device::Device;
use crate::cli::submission::frozen::{self, Frozen};
use crate::cli::{Failure, counted, study};
use crate::execute::Executor;
use crate::gradients::engine::Engine;
use crate::plan::need::{Need, needs};
use crate::plan::units::{Unit, label, units};
use crate::plan::{Plan, StepId};
use crate::report::Templates;
use crate::run::manifest::DeviceFacts;
use crate::run::registry::{RegisteredRun, Registry};
use crate::run::{self};
use crate::store::{CacheLock, Store};
use crate::submission::status::{Standing, failures, status};
use crate::submission::{self, Manifest};

/// Units that are named where results are missing.
const NAMED: usize = 20;

/// The study, and what was submitted of it.
struct Asked {
    frozen: Frozen,
    cache: PathBuf,
    class: String,
    /// What computed, where that is known.
    device: Option<String>,
    /// The submission's folder and manifest, if there is one.
    submission: Option<(PathBuf, Manifest)>,
}

/// Writes the report from the cache; exit code 1 where results are missing or failed.
pub fn collect(mut run: Run) -> Result<ExitCode, Failure> {
    let (start, started) = (Instant::now(), Zoned::now());
    let asked = asked(&mut run)?;
    let store = Store::open(&asked.cache, &asked.class)?;
    let waiting = || log::remark("waiting for `gradstudy gc`");
    let _lock = CacheLock::shared(&asked.cache, &waiting)?;
    let plan = asked.frozen.plan;
    let needs = needs(&plan, |step| store.has(&step.id));
    let known = asked
        .submission
        .as_ref()
        .map(|(folder, manifest)| failures(manifest, folder));
    let missing: Vec<Unit> = units(&plan)
        .into_iter()
        .filter(|unit| unit.steps.iter().any(|step| needs[*step] == Need::Run))
        .collect();
    if !missing.is_empty() {
        tell_missing(&plan, &missing, asked.submission.as_ref(), run.partial);
        if !run.partial {
            return Err(Failure::Shown(1));
        }
    }
    let templates = match &run.templates {
        Some(directory) => Templates::overridden_by(directory)?,
        None => Templates::embedded(),
    };
    let layout = run::Layout::of(&asked.frozen.study);
    run::check_writable(&run.reports.reports_dir, &layout.slug)?;
    let registration = Registry::of(&asked.cache).begin(RegisteredRun {
        format_version: 0,
        study: plan.title.clone(),
        source: std::path::absolute(&run.study.path).unwrap_or_else(|_| run.study.path.clone()),
        started: started.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        plan: plan.id().0,
        folder: None,
        steps: plan.steps.iter().map(|step| step.id.0.clone()).collect(),
    })?;
    let form = Form::choose(run.quiet, log::is_json());
    let progress = Progress::new(form, Count::of(&plan, &[]));
    let cancel = AtomicBool::new(false);
    let executor = Executor::new(&store, &asked.frozen.search, &Engine::Host, 0, &progress, &cancel);
    let execution = executor.collect(&plan, &needs, &known.unwrap_or_default())?;
    progress.clear();
    let known_costs = || {
        plan.steps
            .iter()
            .find_map(|step| Some(store.cost(&step.id)?.device))
    };
    let device = DeviceFacts {
        name: asked
            .device
            .or_else(known_costs)
            .unwrap_or_else(|| asked.class.clone()),
        class: asked.class,
    };
    let finished = run.finish(Ran {
        start,
        started,
        source: asked.frozen.source,
        study: asked.frozen.study,
        warnings: asked.frozen.warnings,
        templates,
        plan,
        layout,
        registration,
        execution,
        device,
        form,
    })?;
    if run.open {
        show_in_browser(&finished.folder.join("report.html"));
    }
    Ok(ExitCode::from(u8::from(finished.failed > 0)))
}

/// The study of the command line, or that of the submission that is named in its place.
fn asked(run: &mut Run) -> Result<Asked, Failure> {
    let cache = run.places.cache();
    let name = run.study.path.to_string_lossy().into_owned();
    let is_study = run.study.path.is_file() || name.ends_with(".study");
    if is_study {
        return of_study(run, cache);
    }
    let folder = submission::find(&cache, &name)?;
    let manifest = Manifest::open(&folder)?;
    run.study.path = manifest.source.clone();
    run.study.changes.profile = manifest.profile.clone();
    run.study.changes.set = manifest.set.clone();
    run.places.data.data_dir = manifest.data_dir.clone();
    run.computing.device = manifest.asked.parse().unwrap_or(run.computing.device);
    run.computing.precision = manifest.precision.parse().unwrap_or_default();
    run.computing.threads = run.computing.threads.or(Some(manifest.threads));
    if run.reports.reports_dir == Path::new("reports") {
        run.reports.reports_dir = manifest.reports.clone();
    }
    // Before anything computes: threads are counted once.
    let device = match manifest.device.as_str() {
        "cuda" => None,
        _ => Some(run.computing.select()?.description),
    };
    let frozen = frozen::open(&manifest, &folder)?;
    Ok(Asked {
        frozen,
        cache: manifest.cache.clone(),
        class: manifest.class.clone(),
        device,
        submission: Some((folder, manifest)),
    })
}

fn of_study(run: &Run, cache: PathBuf) -> Result<Asked, Failure> {
    let (source, study, warnings) = study::load_with_warnings(&run.study)?;
    let device = Device::of(&run.computing)?;
    let search = run.places.search();
    let plan = study::plan(&study, &search)?;
    let folder = submission::folder_of(&cache, &study.slug, &plan.id().0, device.class);
    let submission = match folder.join(submission::MANIFEST).is_file() {
        true => Some((folder.clone(), Manifest::open(&folder)?)),
        false => None,
    };
    Ok(Asked {
        frozen: Frozen {
            source,
            study,
            warnings,
            search,
            plan,
        },
        cache,
        class: device.class.to_string(),
        device: device.description,
        submission,
    })
}

/// Names the units of which results are missing, each with the reason if a submission knows it.
fn tell_missing(plan: &Plan, missing: &[Unit], submission: Option<&(PathBuf, Manifest)>, partial: bool) {
    log::remark(&format!(
        "the cache lacks results of {}:",
        counted(missing.len(), "unit")
    ));
    let mut known: HashMap<&StepId, (Standing, Option<String>)> = HashMap::new();
    if let Some((folder, manifest)) = submission {
        let status = status(manifest, folder, None);
        for (unit, stand) in manifest.units.iter().zip(status.units) {
            known.extend(
                unit.steps
                    .first()
                    .map(|(id, _)| (id, (stand.standing, stand.why))),
            );
        }
    }
    for unit in missing.iter().take(NAMED) {
        let why = match known.get(&plan.steps[unit.steps[0]].id) {
            Some((Standing::Done, _)) | None => String::new(),
            Some((standing, None)) => format!(": {}", standing.word()),
            Some((standing, Some(why))) => format!(": {}, {why}", standing.word()),
        };
        log::remark(&format!("  {}{why}", label(plan, unit)));
    }
    if missing.len() > NAMED {
        log::remark(&format!("  and of {} more", missing.len() - NAMED));
    }
    if !partial {
        log::remark(
            "`--partial` writes the report without them; `gradstudy run` or `gradstudy submit` makes them",
        );
    }
}
