//! Which of the state dicts in a file is a network's, and what is said about the others.

use std::path::Path;

use super::Network;
use super::network::NamedParameter;
use super::own_tensors::{self, Match, unwrapped};
use super::state_dict::{FileTensor, StateFile};
use super::weights_error::WeightsError;

/// How many names a message lists.
const LISTED: usize = 8;

/// Parameters, then running statistics.
pub(super) fn tensors_of(network: &Network) -> Vec<NamedParameter> {
    network
        .parameters()
        .into_iter()
        .chain(network.buffers())
        .collect()
}

/// The tensors of `network` in `file`: those under the one prefix that leaves its names (and, where that is not enough,
/// its shapes), or under `key`.
///
/// # Errors
/// There are none such, several, or some that do not fit.
pub(super) fn choose(
    network: &Network,
    file: &StateFile,
    path: &Path,
    key: Option<&str>,
) -> Result<Match, WeightsError> {
    let wanted = tensors_of(network);
    let names: Vec<String> = wanted.iter().map(|tensor| tensor.name.clone()).collect();
    let mut matches = own_tensors::matches(&names, &file.tensors);
    if let Some(key) = key {
        matches = under(matches, key).map_err(|complete| WeightsError::Key {
            path: path.into(),
            model: network.name,
            key: key.to_string(),
            known: match complete.is_empty() {
                true => "it holds none anywhere".to_string(),
                false => format!("it holds them under {}", complete.join(", ")),
            },
        })?;
    }
    let fits = |it: &Match| it.is_complete() && shapes(&wanted, it, file).is_none();
    let mut complete: Vec<Match> = Vec::new();
    let mut partial: Option<Match> = None;
    let some_fit = matches.iter().any(fits);
    for it in matches {
        if it.is_complete() && (!some_fit || fits(&it)) {
            complete.push(it);
        } else if partial.as_ref().is_none_or(|best| it.found() > best.found()) {
            partial = Some(it);
        }
    }
    if complete.len() > 1 {
        let places = complete.iter().map(|it| quoted_place(it.key())).collect();
        let choices = complete
            .iter()
            .map(|it| format!("`weights: \"{}:{}\"`", path.display(), it.key()));
        return Err(WeightsError::Several {
            path: path.into(),
            model: network.name,
            places,
            choices: choices.collect(),
        });
    }
    let Some(chosen) = complete.pop().or(partial) else {
        return Err(nothing(network, file, path, &names));
    };
    let problem = mismatch(network, file, &wanted, &chosen);
    match problem.is_empty() {
        true => Ok(chosen),
        false => Err(WeightsError::Mismatch {
            path: path.into(),
            problem,
            help: format!(
                "save `model.state_dict()` of the same architecture; its tensors are {}",
                names.join(", ")
            ),
        }),
    }
}

/// Those of `matches` whose prefix is `key` or, if there is none, lies within it; else where complete ones are.
fn under(matches: Vec<Match>, key: &str) -> Result<Vec<Match>, Vec<String>> {
    let exact = matches.iter().any(|it| it.key() == key && it.is_complete());
    let within = format!("{key}.");
    let complete: Vec<String> = matches
        .iter()
        .filter(|it| it.is_complete())
        .map(|it| quoted_place(it.key()))
        .collect();
    let of_key: Vec<Match> = matches
        .into_iter()
        .filter(|it| match exact {
            true => it.key() == key,
            false => it.key() == key || it.prefix.starts_with(&within),
        })
        .collect();
    match of_key.is_empty() {
        true => Err(complete),
        false => Ok(of_key),
    }
}

fn quoted_place(key: &str) -> String {
    match key {
        "" => "\"\" (not within anything)".to_string(),
        key => format!("\"{key}\""),
    }
}

/// The file has no tensor of the network under any prefix.
fn nothing(network: &Network, file: &StateFile, path: &Path, names: &[String]) -> WeightsError {
    let held: Vec<&str> = file.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    WeightsError::Mismatch {
        path: path.into(),
        problem: match held.is_empty() {
            true => format!("holds no tensor, {} needs {}", network.name, listed(names)),
            false => format!("has no tensor of {}: it has {}", network.name, listed(&held)),
        },
        help: format!("the tensors of {} are {}", network.name, names.join(", ")),
    }
}

/// What of `chosen` is missing, too much, or of another shape; empty if nothing is.
fn mismatch(network: &Network, file: &StateFile, wanted: &[NamedParameter], chosen: &Match) -> String {
    let mut problems = Vec::new();
    let missing = wanted
        .iter()
        .zip(&chosen.places)
        .filter(|(_, place)| place.is_none());
    let missing: Vec<String> = missing
        .map(|(tensor, _)| format!("{}{}", chosen.prefix, tensor.name))
        .collect();
    if !missing.is_empty() {
        problems.push(format!(
            "has no tensor {}, which {} needs",
            listed(&missing),
            network.name
        ));
    }
    let extra: Vec<&str> = file
        .tensors
        .iter()
        .enumerate()
        .filter(|(place, tensor)| is_extra(file, wanted, chosen, *place, tensor))
        .map(|(_, tensor)| tensor.name.as_str())
        .collect();
    if !extra.is_empty() {
        problems.push(format!(
            "has a tensor {} that {} does not know",
            listed(&extra),
            network.name
        ));
    }
    problems.extend(shapes(wanted, chosen, file));
    problems.join("; it ")
}

/// Tensors of other shapes than the network's, in words.
fn shapes(wanted: &[NamedParameter], chosen: &Match, file: &StateFile) -> Option<String> {
    let placed = wanted.iter().zip(&chosen.places);
    let others: Vec<String> = placed
        .filter_map(|(tensor, place)| Some((tensor, &file.tensors[(*place)?])))
        .filter(|(tensor, found)| tensor.dims != found.dims)
        .map(|(tensor, found)| {
            format!(
                "`{}` of shape {:?}, the model has {:?}",
                found.name, found.dims, tensor.dims
            )
        })
        .collect();
    (!others.is_empty()).then(|| format!("has {}", others.join(", and ")))
}

/// Whether a tensor lies among those of `chosen`, under the same prefix, and is none of the network.
fn is_extra(
    file: &StateFile,
    wanted: &[NamedParameter],
    chosen: &Match,
    place: usize,
    tensor: &FileTensor,
) -> bool {
    let Some(rest) = tensor.name.strip_prefix(&chosen.prefix) else {
        return false;
    };
    let mut used = chosen.places.iter().flatten().map(|used| &file.tensors[*used]);
    !chosen.has(place) && !is_counter(wanted, rest) && used.any(|used| used.container == tensor.container)
}

/// Whether `rest` is PyTorch's counter of the minibatches that a normalisation of the network has seen.
fn is_counter(wanted: &[NamedParameter], rest: &str) -> bool {
    let name = unwrapped(rest);
    name.strip_suffix("num_batches_tracked").is_some_and(|norm| {
        let mut buffers = wanted
            .iter()
            .filter_map(|tensor| tensor.name.strip_suffix("running_var"));
        buffers.any(|own| own == norm)
    })
}

/// What was stripped from names, converted and left out.
pub(super) fn notes(network: &Network, file: &StateFile, chosen: &Match) -> Vec<String> {
    let wanted = tensors_of(network);
    let used: Vec<&FileTensor> = chosen
        .places
        .iter()
        .flatten()
        .map(|place| &file.tensors[*place])
        .collect();
    let count = used.len();
    let mut notes = Vec::new();
    let container = match used.first() {
        Some(first) if used.iter().all(|tensor| tensor.container == first.container) => {
            first.container.as_str()
        }
        _ => "",
    };
    let prefix = match container {
        "" => chosen.prefix.as_str(),
        container => {
            notes.push(format!("taken from \"{container}\""));
            let rest = chosen.prefix.strip_prefix(container).unwrap_or_default();
            rest.strip_prefix('.').unwrap_or(rest)
        }
    };
    if !prefix.is_empty() {
        notes.push(format!("prefix \"{prefix}\" stripped from {}", names(count)));
    }
    for (wrapper, count) in &chosen.within {
        notes.push(format!("\"{wrapper}.\" taken out of {}", names(*count)));
    }
    for (kind, verb) in [
        ("float16", "converted"),
        ("bfloat16", "converted"),
        ("float64", "rounded"),
    ] {
        let of_kind = used.iter().filter(|tensor| tensor.kind == kind).count();
        let tensors = match of_kind {
            0 => continue,
            all if all == count => String::new(),
            1 => " of 1 tensor".to_string(),
            some => format!(" of {some} tensors"),
        };
        notes.push(format!("{kind}{tensors} {verb} to float32"));
    }
    let mut left_out: Vec<String> = Vec::new();
    for (name, place) in &file.names {
        let rest = name.strip_prefix(&chosen.prefix);
        if place.is_some_and(|place| chosen.has(place)) || rest.is_some_and(|rest| is_counter(&wanted, rest))
        {
            continue;
        }
        let label = departure(name, &chosen.prefix);
        if !left_out.contains(&label) {
            left_out.push(label);
        }
    }
    if !left_out.is_empty() {
        notes.push(format!("{} left out", plainly(&left_out)));
    }
    notes
}

fn names(count: usize) -> String {
    match count {
        1 => "1 name".to_string(),
        count => format!("{count} names"),
    }
}

/// A name up to the part in which it differs from `prefix`.
fn departure(name: &str, prefix: &str) -> String {
    let shared = name
        .split('.')
        .zip(prefix.split('.'))
        .take_while(|(a, b)| a == b)
        .count();
    name.split('.').take(shared + 1).collect::<Vec<_>>().join(".")
}

/// Names in backquotes, the first of them if there are many.
fn listed<T: AsRef<str>>(names: &[T]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    plainly(&quoted)
}

/// Words, the first of them if there are many.
fn plainly(words: &[String]) -> String {
    match words.len() {
        count if count > LISTED => format!("{} and {} more", words[..LISTED].join(", "), count - LISTED),
        _ => words.join(", "),
    }
}
