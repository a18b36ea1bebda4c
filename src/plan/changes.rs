//! How two steps of one kind differ.

use serde_json::Value;

use super::StepKey;

/// What `asked` asks for otherwise than `earlier`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Settings, such as `epochs (2, now 3)`.
    pub settings: Vec<String>,
    pub seed: bool,
    pub inputs: bool,
}

impl Changes {
    /// From one step to another of the same operation.
    pub fn between(earlier: &StepKey, asked: &StepKey) -> Self {
        let mut settings = Vec::new();
        compare("", &earlier.settings, &asked.settings, &mut settings);
        if earlier.version != asked.version {
            settings.push(format!(
                "version of the method ({}, now {})",
                earlier.version, asked.version
            ));
        }
        Changes {
            settings,
            seed: earlier.seed != asked.seed,
            inputs: earlier.inputs != asked.inputs,
        }
    }

    /// How many there are; another seed outweighs them: settings are compared at one seed where there is one.
    pub fn weight(&self) -> usize {
        self.settings.len() + usize::from(self.inputs) + 1000 * usize::from(self.seed)
    }
}

fn compare(path: &str, earlier: &Value, asked: &Value, found: &mut Vec<String>) {
    match (earlier, asked) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            for name in names {
                let path = match path.is_empty() {
                    true => name.clone(),
                    false => format!("{path}.{name}"),
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
        _ if earlier == asked => {}
        _ => found.push(format!("{path} ({}, now {})", plain(earlier), plain(asked))),
    }
}

/// A setting without quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".to_string(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}
