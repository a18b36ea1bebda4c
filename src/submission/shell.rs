//! Tasks for other schedulers: a line of shell each, or data.

use std::path::Path;

use serde_json::{Value, json};

use super::Manifest;
use super::script::word;

/// The layout of [`json`]; raised when a reader of the old layout would misread the new.
const FORMAT_VERSION: u32 = 1;

/// A line for each task of the last round, waves in their order: where tasks are begun in this order, those of later waves
/// wait for their inputs.
pub fn lines(manifest: &Manifest, folder: &Path) -> String {
    let (mut text, mut wave) = (String::new(), None);
    let several = last_round(manifest).any(|(_, task)| task.wave > 0);
    for (number, task) in last_round(manifest) {
        if several && wave != Some(task.wave) {
            wave = Some(task.wave);
            text += &format!("# wave {}\n", task.wave + 1);
        }
        text += &line(manifest, folder, number);
        text.push('\n');
    }
    text
}

fn line(manifest: &Manifest, folder: &Path, number: usize) -> String {
    let wait = match manifest.tasks[number].wave {
        0 => "",
        _ => " --wait",
    };
    format!(
        "{} task {} {number}{wait}",
        word(&manifest.binary.path),
        word(folder)
    )
}

/// The command that writes the report from the cache.
pub fn collector(manifest: &Manifest, folder: &Path) -> String {
    format!(
        "{} run {} --cached --partial",
        word(&manifest.binary.path),
        word(folder)
    )
}

/// The tasks of the last round with their numbers.
pub fn last_round(manifest: &Manifest) -> impl Iterator<Item = (usize, &super::pack::Task)> {
    let tasks = manifest.tasks.iter().enumerate();
    tasks.filter(|(_, task)| task.round == manifest.round)
}

/// The tasks of the last round with what they need, for programs.
pub fn json(manifest: &Manifest, folder: &Path) -> Value {
    let tasks = last_round(manifest).map(|(number, task)| {
        let units = task.units.iter().map(|unit| {
            let unit = &manifest.units[*unit];
            json!({
                "id": unit.id,
                "what": unit.label,
                "seconds": unit.seconds,
                "memory_bytes": unit.bytes,
            })
        });
        json!({
            "task": number,
            "wave": task.wave,
            "command": line(manifest, folder, number),
            "seconds": task.seconds,
            "memory_mb": task.memory,
            "cpus": manifest.threads,
            "gpu": task.gpu,
            "units": units.collect::<Vec<_>>(),
        })
    });
    json!({
        "format_version": FORMAT_VERSION,
        "submission": folder,
        "study": manifest.study,
        "tasks": tasks.collect::<Vec<_>>(),
        "report": collector(manifest, folder),
    })
}
