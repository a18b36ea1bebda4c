//! What a pickle holds, as a table of objects that refer to each other.

use super::stored::{Storage, StoredTensor};

/// The place of an object in the table.
pub(super) type Id = usize;

/// A pickled object.
#[derive(Debug, Clone)]
pub(super) enum Node {
    None,
    Bool(bool),
    Int(i64),
    Float,
    Text(String),
    /// Bytes, which are held only where the reader is told to.
    Bytes(Vec<u8>),
    /// `list`, `tuple` or `set`, and what is in it.
    Sequence(&'static str, Vec<Id>),
    /// Keys and values, in the order of insertion.
    Dict(Vec<(Id, Id)>),
    /// A class or function, as `module.name`.
    Global(String),
    Storage(Storage),
    Tensor(StoredTensor),
    /// An object of a class that is not read.
    Object(Object),
}

/// An object of a class that is not read.
#[derive(Debug, Clone, Default)]
pub(super) struct Object {
    /// As `module.name`.
    pub class: String,
    /// Its attributes.
    pub state: Option<Id>,
    /// What a subclass of `dict` holds.
    pub pairs: Vec<(Id, Id)>,
    /// What a subclass of `list` holds.
    pub items: Vec<Id>,
}

/// A whole pickle.
#[derive(Debug)]
pub(super) struct Pickle {
    pub nodes: Vec<Node>,
    pub root: Id,
}

impl Pickle {
    /// The object that was pickled.
    pub fn root(&self) -> &Node {
        &self.nodes[self.root]
    }
}
