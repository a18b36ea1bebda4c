//! Which factors go together: statements that share no factor, through what they speak of or through a table that
//! shows both, are parts of the study with grids of their own.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::grid::Factor;
use super::shape::Item;
use super::statements::Holds;
use crate::syntax::ast::{Argument, Expr, ExprKind, Statement};

/// A part of the study: what is done at each point of the grid of its factors.
pub(super) struct Part<'a> {
    pub factors: Vec<&'a Factor<'a>>,
    /// Statements by their index, in the order of the text.
    pub items: Vec<usize>,
    /// Names of records, spectra and tests that are here to be spoken of: another part measures them.
    pub given: Vec<String>,
}

/// The parts, by the first statement of each; one of no factors at least. A factor that nothing speaks of has none.
pub(super) fn parts<'a>(items: &[Item], factors: &'a [Factor<'a>]) -> Vec<Part<'a>> {
    let groups = Groups::new(items, factors);
    let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut common = Vec::new();
    for (index, item) in items.iter().enumerate().filter(|(_, item)| in_case(item)) {
        match groups.of(&item.statement) {
            Some(group) => found.entry(group).or_default().push(index),
            None => common.push(index),
        }
    }
    let name = |index: &usize| {
        items[*index]
            .statement
            .name
            .as_ref()
            .map(|name| name.value.clone())
    };
    let measured = |index: &usize| {
        let keyword = items[*index].kind.block.name;
        ["record", "spectrum", "test"].contains(&keyword)
    };
    let shown = groups.shown(items);
    let result = |index: &usize| {
        items[*index].kind.block.name == "test" || name(index).is_some_and(|name| shown.contains(&name))
    };
    // What only a single grid speaks of is done within it.
    let apart = match found.len() {
        0 => true,
        1 => common.iter().any(result),
        _ => common.iter().any(measured),
    };
    let given: Vec<String> = match apart {
        true => common
            .iter()
            .filter(|index| measured(index))
            .filter_map(name)
            .collect(),
        false => Vec::new(),
    };
    let mut parts: Vec<(usize, Part)> = Vec::new();
    for (group, own) in found {
        let first = own[0];
        let mut items: Vec<usize> = own.iter().chain(&common).copied().collect();
        items.sort_unstable();
        let of_group = |factor: &&Factor| groups.of_name(factor.name) == Some(group);
        let factors = factors.iter().filter(of_group).collect();
        let given = given.clone();
        parts.push((
            first,
            Part {
                factors,
                items,
                given,
            },
        ));
    }
    if apart {
        let first = common.iter().find(|index| measured(index)).or(common.first());
        let part = Part {
            factors: Vec::new(),
            items: common.clone(),
            given: Vec::new(),
        };
        parts.push((first.copied().unwrap_or(0), part));
    }
    parts.sort_by_key(|(first, _)| *first);
    parts.into_iter().map(|(_, part)| part).collect()
}

/// Whether the statement is repeated at each point of a grid.
fn in_case(item: &Item) -> bool {
    matches!(item.kind.holds, Holds::Call(_)) && !shows(item)
}

fn shows(item: &Item) -> bool {
    ["table", "figure"].contains(&item.kind.block.name)
}

/// Names by the group of factors that they depend on.
struct Groups<'a> {
    of: HashMap<&'a str, usize>,
    /// Each group's parent, itself for a root.
    parents: Vec<usize>,
}

impl<'a> Groups<'a> {
    fn new(items: &'a [Item], factors: &'a [Factor<'a>]) -> Groups<'a> {
        let mut speakers: HashMap<&str, Vec<&str>> = HashMap::new();
        let named = || {
            items
                .iter()
                .filter_map(|item| Some((item, name_of(&item.statement)?)))
        };
        for (item, name) in named() {
            for word in words(item) {
                speakers.entry(word).or_default().push(name);
            }
        }
        for factor in factors {
            for name in factor.changes() {
                speakers.entry(factor.name).or_default().push(name);
            }
        }
        let mut groups = Groups {
            of: HashMap::new(),
            parents: (0..factors.len()).collect(),
        };
        for (group, factor) in factors.iter().enumerate() {
            groups.spread(factor.name, group, &speakers);
        }
        for (group, factor) in factors.iter().enumerate() {
            let leader = factor
                .along
                .as_ref()
                .and_then(|along| groups.of_name(&along.value));
            if let Some(leader) = leader {
                groups.join(group, leader);
            }
        }
        // A table of tests with factors and tests without belongs to one grid.
        let statements: HashMap<&str, &Item> = named().map(|(item, name)| (name, item)).collect();
        for (item, name) in named().filter(|(item, _)| shows(item)) {
            let Some(group) = groups.of_name(name) else {
                continue;
            };
            for word in words(item) {
                let result = statements.get(word).is_some_and(|item| in_case(item));
                match groups.of_name(word) {
                    Some(other) => groups.join(group, other),
                    None if result => {
                        groups.of.insert(word, group);
                    }
                    None => {}
                }
            }
        }
        groups
    }

    /// Puts `name` and all that speak of it, at once or through others, into `group`.
    fn spread(&mut self, name: &'a str, group: usize, speakers: &HashMap<&'a str, Vec<&'a str>>) {
        let mut waiting = vec![name];
        while let Some(name) = waiting.pop() {
            match self.of.get(name) {
                Some(other) => self.join(group, *other),
                None => {
                    self.of.insert(name, group);
                    waiting.extend(speakers.get(name).into_iter().flatten());
                }
            }
        }
    }

    fn root(&self, mut group: usize) -> usize {
        while self.parents[group] != group {
            group = self.parents[group];
        }
        group
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.parents[one.max(other)] = one.min(other);
    }

    fn of_name(&self, name: &str) -> Option<usize> {
        self.of.get(name).map(|group| self.root(*group))
    }

    fn of(&self, statement: &Statement) -> Option<usize> {
        self.of_name(name_of(statement)?)
    }

    /// What tables and figures show.
    fn shown(&self, items: &[Item]) -> HashSet<String> {
        let shown = items.iter().filter(|item| shows(item)).flat_map(words);
        shown.map(str::to_string).collect()
    }
}

fn name_of(statement: &Statement) -> Option<&str> {
    statement.name.as_ref().map(|name| name.value.as_str())
}

/// The words of a statement that may be names; of a table or figure only what it is of, since it speaks of factors
/// without depending on them.
fn words(item: &Item) -> Vec<&str> {
    let mut found = Vec::new();
    let Statement { binding, block, .. } = &item.statement;
    let of = |argument: &&Argument| argument.key.as_ref().is_none_or(|key| key.value == "of");
    let all = |_: &&Argument| true;
    let kept: &dyn Fn(&&Argument) -> bool = if shows(item) { &of } else { &all };
    match binding.as_ref().map(|binding| &binding.value) {
        Some(Expr {
            kind: ExprKind::Call { name, arguments },
            ..
        }) => {
            found.push(name.value.as_str());
            arguments
                .iter()
                .filter(kept)
                .for_each(|argument| collect(&argument.value, &mut found));
        }
        Some(value) => collect(value, &mut found),
        None => {}
    }
    let block = block.iter();
    for block in block {
        block
            .fields
            .iter()
            .filter(kept)
            .for_each(|field| collect(&field.value, &mut found));
        block
            .asserts
            .iter()
            .for_each(|assert| collect(&assert.value, &mut found));
    }
    found
}

fn collect<'a>(expr: &'a Expr, found: &mut Vec<&'a str>) {
    match &expr.kind {
        ExprKind::Word(word) => found.push(word),
        ExprKind::Call { name, arguments } => {
            found.push(&name.value);
            arguments
                .iter()
                .for_each(|argument| collect(&argument.value, found));
        }
        ExprKind::List(entries) => entries.iter().for_each(|entry| collect(&entry.value, found)),
        ExprKind::Infix { left, right, .. } => {
            collect(left, found);
            collect(right, found);
        }
        ExprKind::Integer(_) | ExprKind::Number(_) | ExprKind::Percent(_) => {}
        ExprKind::Boolean(_) | ExprKind::Text(_) | ExprKind::Range(..) => {}
    }
}
