//! `gradstudy gc`

use std::collections::{HashMap, HashSet};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use comfy_table::{CellAlignment, ContentArrangement, Table as Grid};

use crate::report::markup::TERMINAL_STYLE;
use crate::report::number::size;
use crate::run::find::all;
use crate::run::registry::{Fate, Registry};
use crate::run::{index, open_manifest};
use crate::store::CacheLock;
use crate::store::inventory::{Item, State, inventory, remove};
use crate::store::leftovers::sweep;

use super::options::{Places, ReportsPlace};
use super::{Failure, counted, print, show};

/// Show what the cache holds and for which runs, and free what no run needs
///
/// Runs are registered with the cache wherever their folders lie. What is freed is shown with the reason, and asked for.
#[derive(Debug, Args)]
pub struct Gc {
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    reports: ReportsPlace,
    /// Free without asking
    #[arg(long, alias = "delete")]
    yes: bool,
    /// Free the steps of stopped runs, too: these can then not be gone on with
    #[arg(long)]
    stopped: bool,
    /// Free the steps of no registered run, too: made by `export`, or before runs were registered
    #[arg(long)]
    unregistered: bool,
    /// Free every step, used or not, that no process works on
    #[arg(long)]
    all: bool,
    /// Only steps that nothing has written to for so many days
    #[arg(long, value_name = "DAYS", default_value_t = 0)]
    older_than: u64,
}

/// What is younger may be in use where no locks tell.
const A_DAY: Duration = Duration::from_secs(86_400);

/// Why a step is in the cache; the first that is true of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Reason {
    AtWork,
    Kept,
    OutOfSight,
    Stopped,
    Removed,
    Unregistered,
    Damaged,
}

const REASONS: [(Reason, &str); 7] = [
    (Reason::AtWork, "of a run at work"),
    (Reason::Kept, "of runs that are there"),
    (
        Reason::OutOfSight,
        "of runs whose folders cannot be seen from here",
    ),
    (
        Reason::Stopped,
        "of stopped runs, which the same command goes on with",
    ),
    (Reason::Removed, "of removed runs alone"),
    (
        Reason::Unregistered,
        "of no registered run: exports, or of an older gradstudy",
    ),
    (Reason::Damaged, "damaged, set aside when they were made again"),
];

impl Gc {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let registry = Registry::of(&self.places.cache());
        let mut registered = registry.steps()?;
        let mut here = HashSet::new();
        let runs = all(&self.reports.reports_dir)?;
        let mut complete = true;
        for run in &runs {
            match open_manifest(&run.folder) {
                Ok(manifest) => here.extend(manifest.steps.into_iter().map(|step| step.id)),
                Err(fault) => {
                    show(&fault);
                    complete = false;
                }
            }
        }
        for folder in ["steps", "costs", "runs"] {
            sweep(&self.places.cache().join(folder));
        }
        let items = inventory(&self.places.cache())?;
        let age = Duration::from_secs(self.older_than.saturating_mul(86_400));
        let reasons: Vec<Reason> = items
            .iter()
            .map(|item| reason(item, &registered, &here))
            .collect();
        print(&self.table(&items, &reasons));
        let bytes = runs.iter().map(|run| index::size(&run.folder)).sum();
        print(&format!(
            "\ncache {}: {}, {}\nruns  {}: {}, {}\n",
            self.places.cache().display(),
            counted(items.len(), "step"),
            size(items.iter().map(|item| item.bytes).sum()),
            self.reports.reports_dir.display(),
            counted(runs.len(), "run"),
            size(bytes),
        ));
        let free = |(item, reason): &(&Item, &Reason)| self.frees(**reason) && item.age >= age;
        let freed: Vec<&Item> = items.iter().zip(&reasons).filter(free).map(|it| it.0).collect();
        let total = size(freed.iter().map(|item| item.bytes).sum());
        let what = format!("{}, {total}", counted(freed.len(), "step"));
        if freed.is_empty() {
            print("there is nothing to free\n");
            return Ok(ExitCode::SUCCESS);
        }
        if !complete && !self.all {
            super::log::remark("nothing is freed: which steps the damaged runs are made of is not known");
            return Err(Failure::Shown(2));
        }
        if !self.yes && !asked(&format!("free {what}? [y/N] ")) {
            print(&format!("nothing is freed; `gradstudy gc --yes` frees {what}\n"));
            return Ok(ExitCode::SUCCESS);
        }
        let waiting = || super::log::remark("waiting for another process that uses the cache");
        let lock = CacheLock::alone(&self.places.cache(), &waiting)?;
        // A run may have begun while the question was read: its steps stay.
        registered = registry.steps()?;
        if !lock.is_held() {
            super::log::remark("the cache's file system has no locks: what was written within a day stays");
        }
        let may_be_used = |item: &Item| !lock.is_held() && item.age < A_DAY;
        let mut busy = 0;
        for item in &freed {
            let stays = may_be_used(item) || !self.frees(reason(item, &registered, &here));
            busy += usize::from(stays || !remove(item)?);
        }
        if busy == 0 && self.older_than == 0 {
            registry.forget_removed()?;
        }
        let kept = match busy {
            0 => String::new(),
            1 => "; 1 step is being worked on and stays".to_string(),
            n => format!("; {n} steps are being worked on and stay"),
        };
        print(&format!("freed {what}{kept}\n"));
        Ok(ExitCode::SUCCESS)
    }

    /// Whether steps that are there for this reason are freed.
    fn frees(&self, reason: Reason) -> bool {
        match reason {
            Reason::AtWork => false,
            Reason::Removed | Reason::Damaged => true,
            Reason::Stopped => self.stopped || self.all,
            Reason::Unregistered => self.unregistered || self.all,
            Reason::Kept | Reason::OutOfSight => self.all,
        }
    }

    /// Steps and bytes for each reason, and what becomes of them.
    fn table(&self, items: &[Item], reasons: &[Reason]) -> String {
        let mut grid = Grid::new();
        grid.set_content_arrangement(ContentArrangement::Disabled)
            .load_style(TERMINAL_STYLE)
            .set_header(["why they are there", "steps", "size", "what becomes of them"]);
        for (this, words) in REASONS {
            let of: Vec<&Item> = items
                .iter()
                .zip(reasons)
                .filter(|it| *it.1 == this)
                .map(|it| it.0)
                .collect();
            if of.is_empty() {
                continue;
            }
            let option = match this {
                _ if self.frees(this) => "freed",
                Reason::Stopped => "stay (--stopped)",
                Reason::Unregistered => "stay (--unregistered)",
                _ => "stay",
            };
            grid.add_row([
                words.to_string(),
                of.len().to_string(),
                size(of.iter().map(|item| item.bytes).sum()),
                option.to_string(),
            ]);
        }
        for index in [1, 2] {
            if let Some(column) = grid.column_mut(index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        format!("{}\n", grid.trim_fmt())
    }
}

fn reason(item: &Item, registered: &HashMap<String, Vec<Fate>>, here: &HashSet<String>) -> Reason {
    let id = &item.id;
    let fates = registered.get(id).map_or(&[][..], Vec::as_slice);
    let has = |fate| fates.contains(&fate);
    match () {
        () if item.state == State::Damaged => Reason::Damaged,
        () if has(Fate::Running) => Reason::AtWork,
        () if has(Fate::Kept) || here.contains(id) => Reason::Kept,
        () if has(Fate::OutOfSight) => Reason::OutOfSight,
        () if has(Fate::Stopped) => Reason::Stopped,
        () if has(Fate::Removed) => Reason::Removed,
        () => Reason::Unregistered,
    }
}

/// Asks at a terminal; elsewhere the answer is no.
fn asked(question: &str) -> bool {
    if !std::io::stdin().is_terminal() {
        return false;
    }
    print(question);
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}
