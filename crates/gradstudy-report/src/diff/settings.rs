//! Settings of two resolved studies that differ.

use indexmap::IndexSet;
use serde::Serialize;
use serde_json::Value;

/// One setting; a side that lacks it is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SettingChange {
    /// Keys from the outside in, joined by dots, such as `cases.0.records.g.batch`.
    pub path: String,
    pub left: Option<Value>,
    pub right: Option<Value>,
}

/// The settings that differ, in the order of the left study, then those that only the right one has.
///
/// Maps are compared key by key, lists by position, or by `name` where every element has one of its own. A
/// setting that one side lacks is reported once, with all that is in it.
pub fn compare_settings(left: &Value, right: &Value) -> Vec<SettingChange> {
    let mut changes = Vec::new();
    compare(String::new(), Some(left), Some(right), &mut changes);
    changes
}

fn compare(path: String, left: Option<&Value>, right: Option<&Value>, changes: &mut Vec<SettingChange>) {
    if left == right {
        return;
    }
    let (Some(a), Some(b)) = (left, right) else {
        changes.push(SettingChange {
            path,
            left: left.cloned(),
            right: right.cloned(),
        });
        return;
    };
    match (children(a), children(b)) {
        (Some(a), Some(b)) if same_container(left, right) => {
            let keys: IndexSet<&String> = a.iter().chain(&b).map(|(key, _)| key).collect();
            let find =
                |side: &[(String, &'_ Value)], key: &str| side.iter().position(|(name, _)| name == key);
            for key in keys {
                let inner = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                let (left, right) = (find(&a, key).map(|at| a[at].1), find(&b, key).map(|at| b[at].1));
                compare(inner, left, right, changes);
            }
        }
        _ => changes.push(SettingChange {
            path,
            left: left.cloned(),
            right: right.cloned(),
        }),
    }
}

fn same_container(left: Option<&Value>, right: Option<&Value>) -> bool {
    let is_map = |value: Option<&Value>| value.is_some_and(Value::is_object);
    is_map(left) == is_map(right)
}

/// What is inside, each with its key; none for a plain value.
fn children(value: &Value) -> Option<Vec<(String, &Value)>> {
    match value {
        Value::Object(map) => Some(map.iter().map(|(key, value)| (key.clone(), value)).collect()),
        Value::Array(list) => {
            let names: Option<IndexSet<&str>> = list.iter().map(|it| it.get("name")?.as_str()).collect();
            match names {
                Some(names) if names.len() == list.len() => {
                    Some(names.iter().map(|name| name.to_string()).zip(list).collect())
                }
                _ => Some(
                    list.iter()
                        .enumerate()
                        .map(|(index, value)| (index.to_string(), value))
                        .collect(),
                ),
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paths(left: &Value, right: &Value) -> Vec<String> {
        compare_settings(left, right)
            .into_iter()
            .map(|change| change.path)
            .collect()
    }

    #[test]
    fn only_what_differs_is_listed() {
        let left = json!({"record": {"batch": 100, "order": "shuffled"}, "seeds": [0, 1]});
        let right = json!({"record": {"batch": 10, "order": "shuffled", "clip": 0.1}, "seeds": [0, 2, 3]});
        assert_eq!(
            paths(&left, &right),
            ["record.batch", "record.clip", "seeds.1", "seeds.2"]
        );
        assert!(paths(&left, &left).is_empty());
    }

    #[test]
    fn lists_of_named_things_are_aligned_by_name() {
        let left = json!([{"name": "ks", "alpha": 0.05}, {"name": "normal", "alpha": 0.05}]);
        let right = json!([{"name": "normal", "alpha": 0.01}, {"name": "ks", "alpha": 0.05}]);
        assert_eq!(paths(&left, &right), ["normal.alpha"]);
    }

    #[test]
    fn a_changed_kind_is_one_change() {
        let left = json!({"tail": {"name": "top", "k": 1000}});
        let right = json!({"tail": "scan"});
        assert_eq!(paths(&left, &right), ["tail"]);
        assert_eq!(paths(&json!({"a": [1]}), &json!({"a": {"0": 1}})), ["a"]);
    }
}
