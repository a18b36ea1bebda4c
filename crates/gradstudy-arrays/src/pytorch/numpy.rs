//! Pickled dictionaries of lists of whole numbers and of NumPy's arrays of bytes, as the Python version of CIFAR has them.

use super::node::{Node, Object, Pickle};
use super::pickle;

/// A pickled dictionary.
#[derive(Debug)]
pub struct Dictionary {
    pickle: Pickle,
}

/// A matrix of bytes, row by row.
#[derive(Debug, PartialEq)]
pub struct ByteMatrix<'a> {
    pub rows: usize,
    pub columns: usize,
    pub bytes: &'a [u8],
}

impl Dictionary {
    /// Reads a pickle without running what is in it.
    ///
    /// # Errors
    /// What is no pickle of a dictionary, or has too many objects; the words complete a sentence.
    pub fn read(mut bytes: &[u8]) -> Result<Self, String> {
        let pickle = pickle::read_with_bytes(&mut bytes)?;
        match pickle.root() {
            Node::Dict(_) => Ok(Dictionary { pickle }),
            _ => Err("it holds no dictionary".to_string()),
        }
    }

    /// The entry of that key, which Python 2 wrote as bytes and Python 3 writes as text.
    fn entry(&self, key: &str) -> Option<&Node> {
        let Node::Dict(pairs) = self.pickle.root() else {
            return None;
        };
        let is = |node: &Node| match node {
            Node::Text(text) => text == key,
            Node::Bytes(bytes) => bytes == key.as_bytes(),
            _ => false,
        };
        // Of a key that is there twice the last entry counts, as in Python.
        let pair = pairs
            .iter()
            .rev()
            .find(|(name, _)| is(&self.pickle.nodes[*name]))?;
        Some(&self.pickle.nodes[pair.1])
    }

    /// Whether there is an entry of that key.
    pub fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// The things in the list of that key, those that are no whole numbers as `None`; `None` where there is no such list.
    pub fn whole_numbers(&self, key: &str) -> Option<Vec<Option<i64>>> {
        let Node::Sequence("list", items) = self.entry(key)? else {
            return None;
        };
        let number = |id: &usize| match self.pickle.nodes[*id] {
            Node::Int(number) => Some(number),
            _ => None,
        };
        Some(items.iter().map(number).collect())
    }

    /// The two-dimensional array of bytes of that key, in C's order; `None` where it is anything else.
    pub fn byte_matrix(&self, key: &str) -> Option<ByteMatrix<'_>> {
        let nodes = &self.pickle.nodes;
        // NumPy's classes are not known; the state of an array says all: version, shape, type, whether in Fortran's order,
        // and bytes.
        let Node::Object(Object {
            state: Some(state), ..
        }) = self.entry(key)?
        else {
            return None;
        };
        let Node::Sequence("tuple", state) = &nodes[*state] else {
            return None;
        };
        let [_, shape, _, fortran, bytes] = state[..] else {
            return None;
        };
        let (Node::Sequence("tuple", shape), Node::Bool(false), Node::Bytes(bytes)) =
            (&nodes[shape], &nodes[fortran], &nodes[bytes])
        else {
            return None;
        };
        let [rows, columns] = shape[..] else { return None };
        let (Node::Int(rows), Node::Int(columns)) = (&nodes[rows], &nodes[columns]) else {
            return None;
        };
        let (rows, columns) = (usize::try_from(*rows).ok()?, usize::try_from(*columns).ok()?);
        (rows.checked_mul(columns)? == bytes.len()).then_some(ByteMatrix { rows, columns, bytes })
    }
}
