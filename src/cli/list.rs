//! `gradstudy list`

use std::cmp::Ordering;
use std::process::ExitCode;

use crate::report::ScreenGrid;
use crate::report::number::{duration, size};
use crate::run::index::{Entry, Index};
use clap::{Args, ValueEnum};

use super::options::ReportsPlace;
use super::terminal::screen;
use super::{Failure, counted, print, show};

/// The layout of `--json`; raised when a reader of the old layout would misread the new.
const FORMAT_VERSION: u32 = 1;

/// List runs
#[derive(Debug, Args)]
pub struct List {
    /// Only runs whose study, title or id holds each of these words
    #[arg(value_name = "WORD")]
    words: Vec<String>,
    #[command(flatten)]
    reports: ReportsPlace,
    /// Only runs that began at this time or later, such as 2026-11 or 2026-11-23T14:00
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only runs on a device whose name holds this
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Only runs with this seed
    #[arg(long)]
    seed: Option<u64>,
    /// The order
    #[arg(long, value_enum, default_value = "started")]
    sort: Sort,
    /// The other way round
    #[arg(long)]
    reverse: bool,
    /// At most so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Print them for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Sort {
    /// The last run first
    Started,
    /// By study, the last run first
    Study,
    /// The longest first
    Seconds,
    /// The largest first
    Size,
}

impl List {
    pub fn execute(self) -> Result<ExitCode, Failure> {
        let (index, faults) = Index::open(&self.reports.reports_dir)?;
        faults.iter().for_each(|fault| show(fault));
        let mut entries: Vec<Entry> = index.entries()?.into_iter().filter(|it| self.wants(it)).collect();
        entries.sort_by(|a, b| match self.reverse {
            false => self.sort.compare(a, b),
            true => self.sort.compare(b, a),
        });
        entries.truncate(self.limit.unwrap_or(usize::MAX));
        if self.json {
            let list = serde_json::json!({"format_version": FORMAT_VERSION, "runs": entries});
            print(&(serde_json::to_string_pretty(&list).expect("entries are data") + "\n"));
        } else {
            print(&table(&entries));
        }
        Ok(ExitCode::SUCCESS)
    }

    fn wants(&self, entry: &Entry) -> bool {
        let holds = |text: &str, word: &str| text.to_lowercase().contains(&word.to_lowercase());
        self.words
            .iter()
            .all(|word| holds(&entry.id, word) || holds(&entry.title, word))
            && self.since.as_ref().is_none_or(|since| entry.started >= *since)
            && self
                .device
                .as_ref()
                .is_none_or(|device| holds(&entry.device, device))
            && self.seed.is_none_or(|seed| entry.seeds.contains(&seed))
    }
}

impl Sort {
    fn compare(self, a: &Entry, b: &Entry) -> Ordering {
        let latest = || b.started.cmp(&a.started).then_with(|| a.id.cmp(&b.id));
        match self {
            Sort::Started => latest(),
            Sort::Study => a.study.cmp(&b.study).then_with(latest),
            Sort::Seconds => b.seconds.total_cmp(&a.seconds).then_with(latest),
            Sort::Size => b.bytes.cmp(&a.bytes).then_with(latest),
        }
    }
}

fn table(entries: &[Entry]) -> String {
    let mut grid = ScreenGrid::new(["run", "title", "started", "took", "seeds", "size"])
        .align_right([3, 5])
        .fold_paths([0])
        .fold([1, 2, 4]);
    for entry in entries {
        let seeds: Vec<String> = entry.seeds.iter().map(u64::to_string).collect();
        grid.add_row([
            entry.id.clone(),
            entry.title.clone(),
            entry
                .started
                .chars()
                .take(16)
                .collect::<String>()
                .replace('T', " "),
            duration(entry.seconds),
            seeds.join(", "),
            size(entry.bytes),
        ]);
    }
    let bytes = entries.iter().map(|entry| entry.bytes).sum();
    match entries.len() {
        0 => "no runs\n".to_string(),
        n => format!(
            "{}\n{}, {}\n",
            grid.show(&screen()),
            counted(n, "run"),
            size(bytes)
        ),
    }
}
