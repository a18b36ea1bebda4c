//! The entries of a file of PyTorch by their names: tensors, and what is none.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::build::describe;
use super::node::{Id, Node, Object, Pickle};
use super::stored::StoredTensor;

/// How deep dictionaries and lists may lie within each other.
const DEEPEST: usize = 100;

/// Objects that are looked at, so that a damaged file of many references to the same ones ends.
const MOST: usize = 4_000_000;

/// What lies in a file under a name.
#[derive(Debug, Clone)]
pub struct FileEntry {
    /// Keys of dictionaries and places in lists that lead to it; none if it is all that is in the file.
    pub path: Vec<String>,
    pub value: EntryValue,
}

/// A tensor or what is none.
#[derive(Debug, Clone)]
pub enum EntryValue {
    Tensor(StoredTensor),
    /// What Python calls its type. A dictionary or list in which there is no tensor is one such entry.
    Other(String),
}

impl FileEntry {
    /// The path, joined by dots.
    pub fn name(&self) -> String {
        self.path.join(".")
    }
}

/// Every entry, in the order of the file. A module that was pickled whole is taken as its state dict.
///
/// # Errors
/// Two tensors of one name, or a file nested too deeply.
pub(super) fn entries(pickle: &Pickle) -> Result<Vec<FileEntry>, String> {
    let mut walk = Walk {
        nodes: &pickle.nodes,
        seen: 0,
    };
    let entries = walk.visit(pickle.root, &mut Vec::new())?;
    let mut names = HashSet::new();
    for entry in &entries {
        if !names.insert(entry.name()) {
            return Err(format!("it has two entries named `{}`", entry.name()));
        }
    }
    Ok(entries)
}

struct Walk<'a> {
    nodes: &'a [Node],
    seen: usize,
}

impl Walk<'_> {
    fn visit(&mut self, id: Id, path: &mut Vec<String>) -> Result<Vec<FileEntry>, String> {
        self.seen += 1;
        if path.len() > DEEPEST || self.seen > MOST {
            return Err("its objects lie within each other too deeply".to_string());
        }
        let nodes = self.nodes;
        let node = &nodes[id];
        let mut is_module = false;
        let children: Vec<(String, Id)> = match node {
            Node::Tensor(tensor) => {
                return Ok(vec![FileEntry {
                    path: path.clone(),
                    value: EntryValue::Tensor(tensor.clone()),
                }]);
            }
            Node::Sequence(kind, ids) if *kind != "set" => numbered(ids),
            Node::Dict(pairs) => self.keyed(pairs)?,
            Node::Object(object) => match self.module(object)? {
                Some(children) => {
                    is_module = true;
                    children
                }
                None => self
                    .keyed(&object.pairs)?
                    .into_iter()
                    .chain(numbered(&object.items))
                    .collect(),
            },
            _ => Vec::new(),
        };
        let mut entries = Vec::new();
        for (key, child) in children {
            path.push(key);
            entries.extend(self.visit(child, path)?);
            path.pop();
        }
        let has_tensor = entries
            .iter()
            .any(|entry| matches!(entry.value, EntryValue::Tensor(_)));
        if has_tensor || path.is_empty() && !entries.is_empty() {
            return Ok(entries);
        }
        // An activation function has nothing to tell.
        if is_module && !path.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![FileEntry {
            path: path.clone(),
            value: EntryValue::Other(describe(node)),
        }])
    }

    /// Values of a dictionary by their keys; a later one takes the place of an earlier, as in Python.
    fn keyed(&self, pairs: &[(Id, Id)]) -> Result<Vec<(String, Id)>, String> {
        let mut found: IndexMap<String, (Id, Id)> = IndexMap::new();
        for (key, value) in pairs {
            let name = match &self.nodes[*key] {
                Node::Text(text) => text.clone(),
                Node::Int(number) => number.to_string(),
                Node::Bool(true) => "True".to_string(),
                Node::Bool(false) => "False".to_string(),
                other => describe(other),
            };
            let same_kind = |before: Id| {
                std::mem::discriminant(&self.nodes[before]) == std::mem::discriminant(&self.nodes[*key])
            };
            if let Some((before, _)) = found.get(&name)
                && !same_kind(*before)
            {
                return Err(format!("it has two entries named `{name}`"));
            }
            match found.get_mut(&name) {
                // Keys that are neither text nor numbers cannot be told apart by their names.
                Some(_) if !matches!(self.nodes[*key], Node::Text(_) | Node::Int(_) | Node::Bool(_)) => {
                    let name = format!("{name} {}", found.len());
                    found.insert(name, (*key, *value));
                }
                Some(entry) => *entry = (*key, *value),
                None => drop(found.insert(name, (*key, *value))),
            }
        }
        Ok(found
            .into_iter()
            .map(|(name, (_, value))| (name, value))
            .collect())
    }

    /// Parameters, buffers and modules of a `torch.nn.Module`, under the names of its state dict; none of anything else.
    fn module(&self, object: &Object) -> Result<Option<Vec<(String, Id)>>, String> {
        let Some(state) = object.state else {
            return Ok(None);
        };
        let Node::Dict(attributes) = &self.nodes[state] else {
            return Ok(None);
        };
        let attributes = self.keyed(attributes)?;
        let attribute = |name: &str| {
            let found = attributes.iter().find(|(key, _)| key == name);
            found.map(|(_, id)| &self.nodes[*id])
        };
        let (Some(Node::Dict(parameters)), Some(Node::Dict(modules))) =
            (attribute("_parameters"), attribute("_modules"))
        else {
            return Ok(None);
        };
        let mut children = self.keyed(parameters)?;
        if let Some(Node::Dict(buffers)) = attribute("_buffers") {
            let passing: Vec<&String> = match attribute("_non_persistent_buffers_set") {
                Some(Node::Sequence(_, names)) => names.iter().filter_map(|id| self.text(*id)).collect(),
                Some(Node::Object(object)) => object.items.iter().filter_map(|id| self.text(*id)).collect(),
                _ => Vec::new(),
            };
            let buffers = self.keyed(buffers)?.into_iter();
            children.extend(buffers.filter(|(name, _)| !passing.contains(&name)));
        }
        children.extend(self.keyed(modules)?);
        // A layer without a bias has None in its place.
        children.retain(|(_, id)| !matches!(self.nodes[*id], Node::None));
        Ok(Some(children))
    }

    fn text(&self, id: Id) -> Option<&String> {
        match &self.nodes[id] {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }
}

fn numbered(ids: &[Id]) -> Vec<(String, Id)> {
    let named = ids.iter().enumerate();
    named.map(|(index, id)| (index.to_string(), *id)).collect()
}
