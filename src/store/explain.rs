//! Why a step is not in the cache: what differs from the most similar step that is.

use std::path::Path;

use serde_json::Value;
use walkdir::WalkDir;

use crate::plan::{Step, StepKey};

/// The difference to the finished step of the same operation that differs least, as text.
pub fn nearest(steps: &Path, step: &Step) -> Option<String> {
    WalkDir::new(steps)
        .min_depth(2)
        .max_depth(2)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name() == super::KEY)
        .filter_map(|entry| serde_json::from_slice::<StepKey>(&std::fs::read(entry.path()).ok()?).ok())
        .filter(|key| key.operation == step.key.operation)
        .map(|key| differences(&key, &step.key))
        .filter(|differences| !differences.is_empty())
        .min_by_key(Vec::len)
        .map(|differences| format!("cached with another {}", differences.join(", ")))
}

fn differences(cached: &StepKey, asked: &StepKey) -> Vec<String> {
    let mut found = Vec::new();
    compare("", &cached.settings, &asked.settings, &mut found);
    if cached.seed != asked.seed {
        let show = |seed: Option<u64>| seed.map_or("none".to_string(), |seed| seed.to_string());
        found.push(format!("seed ({}, now {})", show(cached.seed), show(asked.seed)));
    }
    if cached.version != asked.version {
        found.push(format!(
            "version of the method ({}, now {})",
            cached.version, asked.version
        ));
    }
    if cached.inputs != asked.inputs {
        found.push("input".to_string());
    }
    found
}

fn compare(path: &str, cached: &Value, asked: &Value, found: &mut Vec<String>) {
    match (cached, asked) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            for name in names {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                let missing = Value::Null;
                compare(
                    &path,
                    a.get(name).unwrap_or(&missing),
                    b.get(name).unwrap_or(&missing),
                    found,
                );
            }
        }
        _ if cached == asked => {}
        _ => found.push(format!("{path} ({cached}, now {asked})")),
    }
}
