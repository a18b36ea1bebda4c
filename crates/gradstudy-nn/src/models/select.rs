//! Parts of θ by name: `fc*`, `conv1.weight`, `layer?.*.bn1.*`.
//!
//! A pattern is a glob over PyTorch's names of the parameter tensors: `*` stands for any characters, `?` for one. A
//! pattern without a dot also means the tensors of modules that it matches: `fc1` is `fc1.weight` and `fc1.bias`.

use std::ops::Range;

use miette::Diagnostic;
use thiserror::Error;

use super::Network;
use gradstudy_lang::study::closest;

/// The ranges of θ whose tensors `pattern` matches, in the order of θ, neighbouring ones joined. Errors: none does.
pub fn select(network: &Network, pattern: &str) -> Result<Vec<Range<usize>>, NoSuchLayer> {
    let parameters = network.parameters();
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for tensor in parameters.iter().filter(|tensor| matches(pattern, &tensor.name)) {
        match ranges.last_mut() {
            Some(last) if last.end == tensor.range.start => last.end = tensor.range.end,
            _ => ranges.push(tensor.range.clone()),
        }
    }
    if ranges.is_empty() {
        let names: Vec<&str> = parameters.iter().map(|tensor| tensor.name.as_str()).collect();
        return Err(NoSuchLayer::new(network.name, pattern, &names));
    }
    Ok(ranges)
}

/// The modules that have parameters, by name, in the order of θ, and how many each has. As a pattern, each name selects
/// its module.
pub fn modules(network: &Network) -> Vec<(String, usize)> {
    let mut modules: indexmap::IndexMap<String, usize> = indexmap::IndexMap::new();
    for tensor in network.parameters() {
        *modules.entry(module_of(&tensor.name).to_string()).or_default() += tensor.range.len();
    }
    modules.into_iter().collect()
}

fn module_of(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(module, _)| module)
}

/// Whether `pattern` matches the parameter tensor `name`, or the module that it belongs to.
pub fn matches(pattern: &str, name: &str) -> bool {
    glob(pattern.as_bytes(), name.as_bytes()) || glob(pattern.as_bytes(), module_of(name).as_bytes())
}

fn glob(pattern: &[u8], name: &[u8]) -> bool {
    // Where to go on after a mismatch: past the last star, which then takes one character more.
    let (mut p, mut n, mut retry) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p, n));
                p += 1;
            }
            Some(&c) if c == b'?' || c == name[n] => (p, n) = (p + 1, n + 1),
            _ => {
                let Some((star, taken)) = retry else { return false };
                retry = Some((star, taken + 1));
                (p, n) = (star + 1, taken + 1);
            }
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

/// A pattern that matches no parameter of a network.
#[derive(Debug, Clone, PartialEq, Error, Diagnostic)]
#[error("`{pattern}` matches no parameter tensor of `{model}`")]
#[diagnostic(code(gradstudy::model::no_such_layer), help("{help}"))]
pub struct NoSuchLayer {
    pub model: String,
    pub pattern: String,
    help: String,
}

/// Names listed in full.
const LISTED: usize = 24;

impl NoSuchLayer {
    fn new(model: &str, pattern: &str, names: &[&str]) -> Self {
        let plain: String = pattern.chars().filter(|c| !"*?".contains(*c)).collect();
        let guess = closest(plain.trim_matches('.'), names.iter().copied());
        let guess = guess.map_or(String::new(), |name| format!("did you mean `{name}`? "));
        let list: Vec<String> = names
            .iter()
            .take(LISTED)
            .map(|name| format!("`{name}`"))
            .collect();
        let more = match names.len().saturating_sub(LISTED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        NoSuchLayer {
            model: model.to_string(),
            pattern: pattern.to_string(),
            help: format!(
                "{guess}`*` stands for any characters and `?` for one; there are {}{more}",
                list.join(", ")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::MODELS;
    use gradstudy_base::signature::{Args, Value};

    fn lenet() -> Network {
        let kind = MODELS
            .iter()
            .find(|kind| kind.signature().name == "lenet")
            .unwrap();
        let args = [("logits".to_string(), Value::Integer(10))];
        kind.build(&Args(args.into_iter().collect()), [1, 28, 28])
            .unwrap()
    }

    #[test]
    fn globs() {
        for (pattern, name, expected) in [
            ("*", "conv1.weight", true),
            ("conv*", "conv1.weight", true),
            ("conv1", "conv1.bias", true),
            ("conv", "conv1.bias", false),
            ("*.bias", "conv1.bias", true),
            ("layer?.0.*", "layer2.0.bn1.weight", true),
            ("layer?.0.*", "layer2.1.bn1.weight", false),
            ("*a*b", "xaxxbxb", true),
            ("*a*b", "xaxxbxc", false),
            ("", "fc", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn neighbours_are_joined() {
        let network = lenet();
        let n = network.parameter_count();
        assert_eq!(select(&network, "*").unwrap(), [0..n]);
        let weights = select(&network, "conv*.weight").unwrap();
        assert_eq!(weights, [0..150, 156..2556]);
        let fc = select(&network, "fc*").unwrap();
        assert_eq!(fc, [2572..n]);
    }

    #[test]
    fn every_parameter_is_of_one_module() {
        let network = lenet();
        let mut start = 0;
        for (module, parameters) in modules(&network) {
            assert_eq!(
                select(&network, &module).unwrap(),
                std::iter::once(start..start + parameters).collect::<Vec<_>>()
            );
            start += parameters;
        }
        assert_eq!(start, network.parameter_count());
        let names: Vec<String> = modules(&network).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["conv1", "conv2", "fc1", "fc2", "fc3"]);
    }

    #[test]
    fn what_matches_nothing_is_told_what_there_is() {
        let error = select(&lenet(), "convv1.weight").unwrap_err();
        assert!(
            error.help.starts_with("did you mean `conv1.weight`?"),
            "{}",
            error.help
        );
        assert!(error.help.contains("`fc3.bias`"));
    }
}
