//! `gradstudy status [SUBMISSION]`

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use indexmap::IndexMap;
use serde_json::{Value, json};

use super::words::{name, queue, study};
use crate::cli::options::CachePlace;
use crate::cli::terminal::screen;
use crate::cli::{Failure, counted, print, show};
use crate::plan::display::{duration, size};
use crate::report::{Screen, ScreenGrid};
use crate::submission::slurm::Queued;
use crate::submission::status::{STANDINGS, Stand, Standing, Status, status};
use crate::submission::{self, Manifest};

/// The layout of `--json`; raised when a reader of the old layout would misread the new.
const FORMAT_VERSION: u32 = 1;
/// Lines of one kind of trouble that are shown.
const SHOWN: usize = 10;

/// Show how submissions go; exit code 1 where something has failed or is lost
///
/// Files of the submission and of the cache are looked at; what Slurm says of jobs only explains them.
#[derive(Debug, Args)]
pub struct StatusCommand {
    /// Folder or name of the submission [default: all of the cache, in a line each]
    #[arg(value_name = "SUBMISSION")]
    submission: Option<String>,
    #[command(flatten)]
    cache: CachePlace,
    /// Show every unit
    #[arg(long)]
    units: bool,
    /// Print it for programs
    #[arg(long)]
    json: bool,
}

impl StatusCommand {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let cache = self.cache.cache();
        let Some(asked) = &self.submission else {
            return self.all(&cache);
        };
        let folder = submission::find(&cache, asked)?;
        let manifest = Manifest::open(&folder)?;
        let queue = queue(&folder);
        let status = status(&manifest, &folder, queue.as_deref());
        print(&match self.json {
            true => pretty(&as_json(&manifest, &folder, &status)),
            false => self.text(&manifest, &folder, &status, queue.as_deref()),
        });
        Ok(code(&status))
    }

    /// A line for each submission.
    fn all(&self, cache: &Path) -> Result<ExitCode, Failure> {
        let folders = submission::all(cache);
        let mut grid = ScreenGrid::new([
            "submission",
            "study",
            "units",
            "done",
            "running",
            "waiting",
            "trouble",
        ])
        .align_right(2..7)
        .fold([0, 1]);
        let (mut values, mut trouble) = (Vec::new(), false);
        for folder in &folders {
            let manifest = match Manifest::open(folder) {
                Ok(manifest) => manifest,
                Err(error) => {
                    show(&error);
                    trouble = true;
                    continue;
                }
            };
            let status = status(&manifest, folder, queue(folder).as_deref());
            let in_trouble = status
                .units
                .iter()
                .filter(|unit| unit.standing.is_trouble())
                .count();
            trouble |= in_trouble > 0;
            let of = |standing| status.count(standing).to_string();
            grid.add_row([
                name(folder),
                manifest.study.clone(),
                status.units.len().to_string(),
                of(Standing::Done),
                of(Standing::Running),
                of(Standing::Waiting),
                in_trouble.to_string(),
            ]);
            values.push(as_json(&manifest, folder, &status));
        }
        match (self.json, folders.is_empty()) {
            (true, _) => print(&pretty(
                &json!({"format_version": FORMAT_VERSION, "submissions": values}),
            )),
            (_, true) => print("the cache has no submissions\n"),
            _ => print(&(grid.show(&screen()) + "\n")),
        }
        Ok(ExitCode::from(u8::from(trouble)))
    }

    fn text(&self, manifest: &Manifest, folder: &Path, status: &Status, queue: Option<&[Queued]>) -> String {
        let screen = screen();
        let mut text = screen.wrap("", &format!("{}: {}", name(folder), manifest.study));
        let of = |(standing, word): &(Standing, &str)| match status.count(*standing) {
            0 => None,
            count => Some(format!("{count} {word}")),
        };
        let counts: Vec<String> = STANDINGS.iter().filter_map(of).collect();
        let cancelled = if status.cancelled { "; cancelled" } else { "" };
        text += &screen.wrap(
            "",
            &format!(
                "{}: {}{cancelled}",
                counted(status.units.len(), "unit"),
                counts.join(", ")
            ),
        );
        text += &work(manifest, status, &screen);
        text += &jobs(queue, &screen);
        if self.units {
            text += &units(manifest, status, &screen);
        }
        text += &troubles(manifest, status, &screen);
        text += &screen.wrap("", &remedy(manifest, status, folder));
        text
    }
}

/// Time that was worked, and that is left by estimate.
fn work(manifest: &Manifest, status: &Status, screen: &Screen) -> String {
    let worked: f64 = status
        .units
        .iter()
        .filter_map(|it| Some(it.state.as_ref()?.seconds))
        .sum();
    let of_unit = manifest.units.iter().zip(&status.units);
    let open = of_unit.filter(|(_, it)| it.standing != Standing::Done);
    let left: f64 = open.map(|(unit, _)| unit.seconds).sum();
    let mut text = format!("{} of work so far", duration(worked));
    if left > 0.0 {
        text += &format!(", about {} to come", duration(left));
    }
    let peak = status
        .units
        .iter()
        .filter_map(|it| it.state.as_ref()?.peak_memory)
        .max();
    if let Some(peak) = peak {
        text += &format!("; at most {} of memory seen", size(peak));
    }
    screen.wrap("", &text)
}

/// What Slurm says of the jobs.
fn jobs(queue: Option<&[Queued]>, screen: &Screen) -> String {
    let mut lines: IndexMap<String, usize> = IndexMap::new();
    for it in queue.unwrap_or_default() {
        let reason = match it.reason.as_str() {
            "None" => String::new(),
            reason => format!(" ({reason})"),
        };
        *lines
            .entry(format!("{}{reason}", it.state.to_lowercase()))
            .or_default() += it.jobs();
    }
    if lines.is_empty() {
        return String::new();
    }
    let parts: Vec<String> = lines
        .into_iter()
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    screen.wrap("", &format!("jobs in Slurm's queue: {}", parts.join(", ")))
}

fn units(manifest: &Manifest, status: &Status, screen: &Screen) -> String {
    let mut grid = ScreenGrid::new(["unit", "what", "is", "time", "memory", "host"])
        .align_right(3..5)
        .fold([1]);
    for (unit, stand) in manifest.units.iter().zip(&status.units) {
        let state = stand.state.as_ref();
        let worked =
            |of: &dyn Fn(&crate::submission::state::UnitState) -> String| state.map_or(String::new(), of);
        grid.add_row([
            unit.id.clone(),
            unit.label.clone(),
            stand.standing.word().to_string(),
            worked(&|state| duration(state.seconds)),
            worked(&|state| size(state.peak_memory.unwrap_or(0))),
            worked(&|state| state.host.clone()),
        ]);
    }
    grid.show(screen) + "\n"
}

/// Each unit that needs somebody, with the reason; of many the first ones.
fn troubles(manifest: &Manifest, status: &Status, screen: &Screen) -> String {
    let mut text = String::new();
    for (standing, word) in STANDINGS.iter().filter(|(standing, _)| standing.is_trouble()) {
        let of_unit = manifest.units.iter().zip(&status.units);
        let alike: Vec<_> = of_unit.filter(|(_, it)| it.standing == *standing).collect();
        for (unit, stand) in alike.iter().take(SHOWN) {
            text += &screen.wrap("  ", &format!("{word}: {}{}", unit.label, because(stand)));
        }
        if alike.len() > SHOWN {
            text += &screen.wrap("  ", &format!("{word}: {} more (--units)", alike.len() - SHOWN));
        }
    }
    text
}

fn because(stand: &Stand) -> String {
    let job = stand.state.as_ref().and_then(|state| state.job.as_ref());
    let job = job.map_or(String::new(), |job| format!(" (job {job})"));
    match &stand.why {
        Some(why) => format!(": {why}{job}"),
        None => job,
    }
}

/// What to do now.
fn remedy(manifest: &Manifest, status: &Status, folder: &Path) -> String {
    let has = |standing| status.count(standing) > 0;
    let open = has(Standing::Running) || has(Standing::Waiting);
    let trouble = status.units.iter().any(|unit| unit.standing.is_trouble());
    let again = format!("gradstudy submit {}", study(manifest));
    match (open, trouble) {
        (false, false) => format!(
            "all is done: `gradstudy run {} --cached` writes the report",
            name(folder)
        ),
        (true, _) if status.jobs.is_empty() => {
            "its tasks are another scheduler's, or nobody's yet".to_string()
        }
        (true, _) => format!("logs are in {}", folder.join("logs").display()),
        _ if has(Standing::OutOfMemory) => {
            format!(
                "`{again} --more-memory` submits what is missing, with twice the memory where that ran out"
            )
        }
        _ if status.jobs.is_empty() => format!("`{again}` submits what is missing"),
        _ => format!(
            "`{again}` submits what is missing; logs are in {}",
            folder.join("logs").display()
        ),
    }
}

fn code(status: &Status) -> ExitCode {
    ExitCode::from(u8::from(
        status.units.iter().any(|unit| unit.standing.is_trouble()),
    ))
}

fn as_json(manifest: &Manifest, folder: &Path, status: &Status) -> Value {
    let counts: IndexMap<&str, usize> = STANDINGS
        .iter()
        .map(|(standing, word)| (*word, status.count(*standing)))
        .collect();
    let units = manifest.units.iter().zip(&status.units).map(|(unit, stand)| {
        json!({
            "id": unit.id,
            "what": unit.label,
            "is": stand.standing.word(),
            "why": stand.why,
            "estimated_seconds": unit.seconds,
            "memory_mb": unit.memory,
            "state": stand.state,
        })
    });
    json!({
        "format_version": FORMAT_VERSION,
        "submission": folder,
        "study": manifest.study,
        "round": manifest.round,
        "cancelled": status.cancelled,
        "counts": counts,
        "jobs": status.jobs,
        "units": units.collect::<Vec<_>>(),
    })
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("a status is data") + "\n"
}
