//! The manifest of a study that is to be submitted.

use std::path::{Path, PathBuf};

use jiff::Zoned;

use super::{Submit, absolute, earlier};
use crate::cli::submission::device::Device;
use crate::cli::{Failure, log, study};
use crate::data::SearchPath;
use crate::store::Store;
use crate::submission::folder_of;
use crate::submission::learn;
use crate::submission::manifest::{Binary, FORMAT_VERSION, Manifest, Text, Unit};
use crate::submission::prepare::Cut;
use crate::submission::status::{Standing, Status};
use crate::syntax::Source;

/// Cores of a task, where nobody says.
const THREADS: u16 = 4;

/// A submission that is not written yet.
pub struct Made {
    pub folder: PathBuf,
    pub manifest: Manifest,
    /// The study's text and those of the files that it takes.
    pub texts: Vec<Source>,
    /// Of what is missing, by estimate.
    pub seconds: f64,
    /// Peak memory of the report, by estimate.
    pub report_bytes: u64,
    /// Units that the estimates were corrected by.
    pub learnt: usize,
    /// Ids of all steps.
    pub steps: Vec<String>,
    pub started: String,
}

/// Plans the study and cuts it into tasks.
pub fn make(submit: &Submit) -> Result<Made, Failure> {
    let arguments = &submit.study;
    let (source, checked, _) = study::load_with_warnings(arguments)?;
    let threads = submit.computing.threads.unwrap_or(THREADS);
    count_threads(threads);
    let device = Device::of(&submit.computing)?;
    let search = submit.places.search();
    let mut plan = study::plan(&checked, &search)?;
    if plan.steps.is_empty() {
        log::remark("the study asks for nothing: it has no `train`, `record` or `test` that would run");
    }
    let cache = absolute(&submit.places.cache());
    let store = Store::open(&cache, device.class)?;
    let plan_id = plan.id().0;
    let folder = folder_of(&cache, &checked.slug, &plan_id, device.class);
    let before = earlier(&folder)?;
    let raised = |id: &str| {
        before
            .as_ref()
            .map_or(0, |before| raised(before, id, submit.more_memory))
    };
    let round = before.as_ref().map_or(0, |(manifest, _)| manifest.round) + 1;
    let memory = submit.computing.memory();
    let steps = plan.steps.iter().map(|step| step.id.0.clone()).collect();
    let learnt = learn::factors(&learn::samples(&cache, device.class, threads));
    let cut = Cut {
        memory,
        host: device.host,
        gpu: device.gpu,
        task_seconds: submit.task_seconds(),
        round,
        raised: &raised,
        learnt: learnt.clone(),
    };
    let mut prepared = cut.prepare(&mut plan, &store);
    let mut tasks = before.map_or(Vec::new(), |(manifest, _)| {
        keep_estimates(&mut prepared.units, &manifest.units);
        manifest.tasks
    });
    tasks.extend(prepared.tasks);
    let texts = texts(&source, &checked.files)?;
    let directory = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    let manifest = Manifest {
        format_version: FORMAT_VERSION,
        gradstudy: env!("CARGO_PKG_VERSION").to_string(),
        build: env!("GRADSTUDY_BUILD").to_string(),
        binary: Binary::this()?,
        study: plan.title.clone(),
        slug: checked.slug.clone(),
        plan: plan_id,
        directory,
        source: arguments.path.clone(),
        profile: arguments.changes.profile.clone(),
        set: arguments.changes.set.clone(),
        texts: kept(&texts),
        data_dir: submit.places.data.data_dir.clone(),
        search: places(&search),
        cache,
        reports: absolute(&submit.reports.reports_dir),
        class: device.class.to_string(),
        device: device.name.to_string(),
        asked: submit.computing.device.to_string(),
        precision: submit.computing.precision.to_string(),
        memory,
        limit: Some(crate::limits::bytes()),
        threads,
        round,
        units: prepared.units,
        tasks,
    };
    Ok(Made {
        folder,
        manifest,
        texts,
        seconds: prepared.seconds,
        report_bytes: prepared.report_bytes,
        learnt: learnt.values().map(|it| it.units).sum(),
        steps,
        started: Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
    })
}

/// Has estimates made for the cores of a task, not for those of this machine.
fn count_threads(threads: u16) {
    // Fails only where a pool exists already, which nothing before this has made.
    let _ = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.into())
        .build_global();
}

/// Where the texts of the study are kept in the submission's folder.
fn kept(texts: &[Source]) -> Vec<Text> {
    let kept = texts.iter().enumerate().map(|(number, text)| Text {
        path: text.path.clone(),
        file: format!("study/{number}-{}.study", text.stem()),
    });
    kept.collect()
}

/// How often the memory of the unit called `id` was raised, once more with `more` where it was too little.
fn raised((manifest, status): &(Manifest, Status), id: &str, more: bool) -> u32 {
    let mut known = manifest.units.iter().zip(&status.units);
    let known = known.find(|(unit, _)| unit.id == id);
    known.map_or(0, |(unit, stand)| {
        let more = more && stand.standing == Standing::OutOfMemory;
        unit.raised + u32::from(more)
    })
}

/// Gives units that are done the estimates that they had when they were not.
fn keep_estimates(units: &mut [Unit], before: &[Unit]) {
    for (unit, before) in units.iter_mut().zip(before) {
        if unit.seconds == 0.0 {
            (unit.estimate, unit.seconds) = (before.estimate, before.seconds);
        }
    }
}

/// Where data sets are looked for, from any directory.
fn places(search: &SearchPath) -> Vec<(String, PathBuf)> {
    let places = search.dirs().iter();
    places.map(|(why, path)| (why.clone(), absolute(path))).collect()
}

/// The study's text, and those of the files that it takes by `use` or `include`.
fn texts(source: &Source, files: &[crate::study::UsedFile]) -> Result<Vec<Source>, Failure> {
    let beside = source.path.parent().unwrap_or(Path::new(""));
    let mut texts = vec![source.clone()];
    for file in files {
        texts.push(source.beside(&beside.join(&file.name))?);
    }
    Ok(texts)
}
