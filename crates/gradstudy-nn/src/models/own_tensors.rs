//! Which tensors of a file are a network's: their names without what wrappers put before and into them.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::state_dict::FileTensor;

/// Parts of names that come from wrappers: `DataParallel` and `DistributedDataParallel`, `torch.compile`, FSDP and
/// activation checkpoints.
const WRAPPERS: [&str; 4] = [
    "module",
    "_orig_mod",
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
];

/// A prefix of names in a file, and which tensors are the network's without it.
#[derive(Debug)]
pub(super) struct Match {
    /// With a dot at its end; empty if there is none.
    pub prefix: String,
    /// For each tensor of the network its place in the file.
    pub places: Vec<Option<usize>>,
    /// Wrappers that stand within names, after the prefix, and in how many.
    pub within: IndexMap<String, usize>,
}

impl Match {
    /// How many of the network's tensors there are.
    pub fn found(&self) -> usize {
        self.places.iter().flatten().count()
    }

    /// Whether all are there.
    pub fn is_complete(&self) -> bool {
        self.places.iter().all(Option::is_some)
    }

    /// Whether the tensor of that place in the file is one of them.
    pub fn has(&self, place: usize) -> bool {
        self.places.contains(&Some(place))
    }

    /// The prefix as a key in the file.
    pub fn key(&self) -> &str {
        self.prefix.trim_end_matches('.')
    }
}

/// A name without the wrappers in it.
pub(super) fn unwrapped(name: &str) -> String {
    let parts = name.split('.').filter(|part| !WRAPPERS.contains(part));
    parts.collect::<Vec<_>>().join(".")
}

/// Every prefix under which tensors of a network, named `wanted`, are found, in the order of the file.
pub(super) fn matches(wanted: &[String], tensors: &[FileTensor]) -> Vec<Match> {
    let places: HashMap<&str, usize> = wanted
        .iter()
        .enumerate()
        .map(|(place, name)| (name.as_str(), place))
        .collect();
    let mut found: IndexMap<String, Match> = IndexMap::new();
    for (place, tensor) in tensors.iter().enumerate() {
        // Where a part of the name begins.
        let dots = tensor.name.match_indices('.').map(|(dot, _)| dot + 1);
        for start in std::iter::once(0).chain(dots) {
            let (prefix, rest) = tensor.name.split_at(start);
            // Wrappers before the name belong to the prefix.
            let first = rest.split('.').next().unwrap_or_default();
            if WRAPPERS.contains(&first) {
                continue;
            }
            let name = unwrapped(rest);
            let Some(wanted_place) = places.get(name.as_str()) else {
                continue;
            };
            let of_prefix = found.entry(prefix.to_string()).or_insert_with(|| Match {
                prefix: prefix.to_string(),
                places: vec![None; wanted.len()],
                within: IndexMap::new(),
            });
            let taken = &mut of_prefix.places[*wanted_place];
            if taken.is_some() && name != rest {
                continue;
            }
            *taken = Some(place);
            for part in rest.split('.').filter(|part| WRAPPERS.contains(part)) {
                *of_prefix.within.entry(part.to_string()).or_default() += 1;
            }
        }
    }
    found.into_values().collect()
}
