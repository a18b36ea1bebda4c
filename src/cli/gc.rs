//! `gradstudy gc`

use std::collections::HashSet;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use comfy_table::{CellAlignment, ContentArrangement, Table as Grid};

use crate::report::markup::TERMINAL_STYLE;
use crate::report::number::size;
use crate::run::find::all;
use crate::run::{index, open_manifest};
use crate::store::inventory::{Item, State, inventory, remove};

use super::options::{Places, ReportsPlace};
use super::{Failure, counted, print, show};

/// Show what the cache and the runs hold, and free what no run needs
#[derive(Debug, Args)]
pub struct Gc {
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    reports: ReportsPlace,
    /// Remove the steps that no run in the folder of reports is made of, and unfinished ones
    #[arg(long)]
    delete: bool,
    /// Remove every step, used or not
    #[arg(long)]
    all: bool,
    /// Only steps that nothing has written to for so many days
    #[arg(long, value_name = "DAYS", default_value_t = 0)]
    older_than: u64,
}

impl Gc {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let mut used = HashSet::new();
        let runs = all(&self.reports.reports_dir)?;
        let mut complete = true;
        for run in &runs {
            match open_manifest(&run.folder) {
                Ok(manifest) => used.extend(manifest.steps.into_iter().map(|step| step.id)),
                Err(fault) => {
                    show(&fault);
                    complete = false;
                }
            }
        }
        let items = inventory(&self.places.cache())?;
        let age = Duration::from_secs(self.older_than * 86_400);
        let in_use = |item: &Item| item.state == State::Finished && used.contains(&item.id);
        let free = |item: &&Item| (self.all || !in_use(item)) && item.age >= age;
        print(&table(&items, in_use));
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
        let freed: Vec<&Item> = items.iter().filter(free).collect();
        let total = size(freed.iter().map(|item| item.bytes).sum());
        if !self.delete && !self.all {
            print(&format!(
                "`gradstudy gc --delete` would free {total}: {} that no run here is made of\n",
                counted(freed.len(), "step")
            ));
            return Ok(ExitCode::SUCCESS);
        }
        if !complete && !self.all {
            eprintln!("nothing is removed: which steps the damaged runs are made of is not known");
            return Err(Failure::Shown(2));
        }
        let mut busy = 0;
        for item in freed {
            busy += usize::from(!remove(item)?);
        }
        let kept = match busy {
            0 => String::new(),
            1 => "; 1 step is being worked on and stays".to_string(),
            n => format!("; {n} steps are being worked on and stay"),
        };
        print(&format!("freed {total}{kept}\n"));
        Ok(ExitCode::SUCCESS)
    }
}

/// Steps and bytes by operation.
fn table(items: &[Item], in_use: impl Fn(&Item) -> bool) -> String {
    let mut grid = Grid::new();
    grid.set_content_arrangement(ContentArrangement::Disabled)
        .load_style(TERMINAL_STYLE)
        .set_header(["operation", "steps", "size", "not of a run", "size"]);
    let mut operations: Vec<&str> = items.iter().map(|item| item.operation.as_str()).collect();
    operations.sort_unstable();
    operations.dedup();
    for operation in operations {
        let of: Vec<&Item> = items.iter().filter(|item| item.operation == operation).collect();
        let unused: Vec<&&Item> = of.iter().filter(|item| !in_use(item)).collect();
        grid.add_row([
            operation.to_string(),
            of.len().to_string(),
            size(of.iter().map(|item| item.bytes).sum()),
            unused.len().to_string(),
            size(unused.iter().map(|item| item.bytes).sum()),
        ]);
    }
    for column in grid.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{}\n", grid.trim_fmt())
}
