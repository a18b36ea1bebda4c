//! Python's pickles as data: a stack machine that builds objects in a table and runs no code. Classes and functions that
//! it does not know become [`Node::Object`]s that only say what they are.

use std::collections::HashMap;
use std::io::{BufRead, Read};

use super::build;
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
    Bytes,
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

/// Reads one pickle from `input`, up to the end of that pickle.
///
/// # Errors
/// What is no pickle, or one that refers to what it does not hold.
pub(super) fn read(input: &mut dyn BufRead) -> Result<Pickle, String> {
    let mut machine = Machine {
        input,
        nodes: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    let root = machine.run()?;
    let nodes = machine.nodes;
    Ok(Pickle { nodes, root })
}

struct Machine<'a> {
    input: &'a mut dyn BufRead,
    nodes: Vec<Node>,
    stack: Vec<Id>,
    /// Heights of the stack at the open marks.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
}

impl Machine<'_> {
    fn run(&mut self) -> Result<Id, String> {
        loop {
            let [code] = self.array()?;
            match code {
                b'.' => return self.pop(),
                0x80 => drop(self.array::<1>()?),
                // The length of a frame: of no use where nothing is read ahead.
                0x95 => drop(self.array::<8>()?),
                b'(' => self.marks.push(self.stack.len()),
                b'0' => drop(self.pop()?),
                b'1' => drop(self.pop_mark()?),
                b'2' => {
                    let top = self.top()?;
                    self.stack.push(top);
                }
                b'q' | b'r' | b'p' | 0x94 | b'h' | b'j' | b'g' => self.remember(code)?,
                b'a' | b'e' | b's' | b'u' | 0x90 | b'l' | b'd' | b't' | 0x91 | 0x85..=0x87 => {
                    self.collect(code)?;
                }
                b'c' | 0x93 | b'Q' | b'R' | b'b' | 0x81 | 0x92 | b'i' | b'o' => self.call(code)?,
                _ => {
                    let node = self.scalar(code)?;
                    self.push(node);
                }
            }
        }
    }

    /// What needs nothing of the stack.
    fn scalar(&mut self, code: u8) -> Result<Node, String> {
        Ok(match code {
            b'N' => Node::None,
            0x88 => Node::Bool(true),
            0x89 => Node::Bool(false),
            b'K' => Node::Int(i64::from(u8::from_le_bytes(self.array()?))),
            b'M' => Node::Int(i64::from(u16::from_le_bytes(self.array()?))),
            b'J' => Node::Int(i64::from(i32::from_le_bytes(self.array()?))),
            b'I' | b'L' => match self.line()?.trim_end_matches('L') {
                "00" if code == b'I' => Node::Bool(false),
                "01" if code == b'I' => Node::Bool(true),
                digits => digits.parse().map_or_else(|_| big(), Node::Int),
            },
            0x8a => {
                let [length] = self.array()?;
                long(&self.bytes(u64::from(length))?)
            }
            0x8b => {
                let length = u32::from_le_bytes(self.array()?);
                long(&self.bytes(u64::from(length))?)
            }
            b'F' => {
                self.line()?;
                Node::Float
            }
            b'G' => {
                self.array::<8>()?;
                Node::Float
            }
            b'S' => Node::Text(self.line()?.trim_matches(['\'', '"']).to_string()),
            b'V' => Node::Text(self.line()?),
            b'U' | 0x8c => {
                let [length] = self.array()?;
                self.text(u64::from(length))?
            }
            b'T' | b'X' => {
                let length = u32::from_le_bytes(self.array()?);
                self.text(u64::from(length))?
            }
            0x8d => {
                let length = u64::from_le_bytes(self.array()?);
                self.text(length)?
            }
            b'C' => {
                let [length] = self.array()?;
                self.skip(u64::from(length))?
            }
            b'B' => {
                let length = u32::from_le_bytes(self.array()?);
                self.skip(u64::from(length))?
            }
            0x8e | 0x96 => {
                let length = u64::from_le_bytes(self.array()?);
                self.skip(length)?
            }
            b')' => Node::Sequence("tuple", Vec::new()),
            b']' => Node::Sequence("list", Vec::new()),
            0x8f => Node::Sequence("set", Vec::new()),
            b'}' => Node::Dict(Vec::new()),
            other => return Err(format!("its pickle has the unknown code 0x{other:02x}")),
        })
    }

    /// Writes to the memo, or reads from it.
    fn remember(&mut self, code: u8) -> Result<(), String> {
        let place = match code {
            b'q' | b'h' => u64::from(u8::from_le_bytes(self.array()?)),
            b'r' | b'j' => u64::from(u32::from_le_bytes(self.array()?)),
            0x94 => self.memo.len() as u64,
            _ => self.line()?.parse().map_err(|_| damaged("the memo"))?,
        };
        match code {
            b'h' | b'j' | b'g' => {
                let known = self.memo.get(&place).copied();
                self.stack.push(known.ok_or_else(|| damaged("the memo"))?);
            }
            _ => {
                let top = self.top()?;
                self.memo.insert(place, top);
            }
        }
        Ok(())
    }

    /// Puts objects of the stack into a sequence or dictionary.
    fn collect(&mut self, code: u8) -> Result<(), String> {
        match code {
            b'a' => {
                let item = self.pop()?;
                self.extend(vec![item])
            }
            b'e' | 0x90 => {
                let items = self.pop_mark()?;
                self.extend(items)
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.insert(vec![(key, value)])
            }
            b'u' => {
                let items = pairs(&self.pop_mark()?)?;
                self.insert(items)
            }
            _ => {
                let node = match code {
                    b'd' => Node::Dict(pairs(&self.pop_mark()?)?),
                    b'l' => Node::Sequence("list", self.pop_mark()?),
                    b't' => Node::Sequence("tuple", self.pop_mark()?),
                    0x91 => Node::Sequence("set", self.pop_mark()?),
                    _ => {
                        let count = usize::from(code - 0x84);
                        let from = self.stack.len().checked_sub(count);
                        let from = from.ok_or_else(|| damaged("the stack"))?;
                        Node::Sequence("tuple", self.stack.split_off(from))
                    }
                };
                self.push(node);
                Ok(())
            }
        }
    }

    /// Names a class or function, or makes an object by one.
    fn call(&mut self, code: u8) -> Result<(), String> {
        match code {
            b'c' => {
                let name = format!("{}.{}", self.line()?, self.line()?);
                self.push(Node::Global(name));
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Node::Text(name), Node::Text(module)) = (&self.nodes[name], &self.nodes[module]) else {
                    return Err(damaged("a class's name"));
                };
                let name = format!("{module}.{name}");
                self.push(Node::Global(name));
            }
            b'Q' => {
                let id = self.pop()?;
                let node = build::persistent(&self.nodes, id)?;
                self.push(node);
            }
            b'R' | 0x81 => {
                let (args, callable) = (self.pop()?, self.pop()?);
                let node = build::call(&self.nodes, callable, args)?;
                self.push(node);
            }
            0x92 => {
                let (_keywords, args, class) = (self.pop()?, self.pop()?, self.pop()?);
                let node = build::call(&self.nodes, class, args)?;
                self.push(node);
            }
            b'i' => {
                let class = format!("{}.{}", self.line()?, self.line()?);
                self.pop_mark()?;
                self.push(Node::Object(Object {
                    class,
                    ..Object::default()
                }));
            }
            b'o' => {
                let items = self.pop_mark()?;
                let class = items.first().ok_or_else(|| damaged("the stack"))?;
                let class = build::describe(&self.nodes[*class]);
                self.push(Node::Object(Object {
                    class,
                    ..Object::default()
                }));
            }
            _ => {
                let (state, object) = (self.pop()?, self.top()?);
                // Attributes of tensors and of dictionaries, such as the versions in a state dict, are of no use here.
                if let Node::Object(object) = &mut self.nodes[object] {
                    object.state = Some(state);
                }
            }
        }
        Ok(())
    }

    fn extend(&mut self, new: Vec<Id>) -> Result<(), String> {
        let top = self.top()?;
        match &mut self.nodes[top] {
            Node::Sequence(_, items) | Node::Object(Object { items, .. }) => items.extend(new),
            _ => return Err(damaged("a list")),
        }
        Ok(())
    }

    fn insert(&mut self, new: Vec<(Id, Id)>) -> Result<(), String> {
        let top = self.top()?;
        match &mut self.nodes[top] {
            Node::Dict(pairs) | Node::Object(Object { pairs, .. }) => pairs.extend(new),
            _ => return Err(damaged("a dictionary")),
        }
        Ok(())
    }

    fn push(&mut self, node: Node) {
        self.stack.push(self.nodes.len());
        self.nodes.push(node);
    }

    fn top(&self) -> Result<Id, String> {
        let bottom = self.marks.last().copied().unwrap_or(0);
        let above = self.stack.get(bottom..).unwrap_or_default();
        above.last().copied().ok_or_else(|| damaged("the stack"))
    }

    fn pop(&mut self) -> Result<Id, String> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().filter(|mark| *mark <= self.stack.len());
        Ok(self.stack.split_off(mark.ok_or_else(|| damaged("a mark"))?))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes).map_err(cut)?;
        Ok(bytes)
    }

    fn bytes(&mut self, length: u64) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        // Grows with what is there: a damaged length takes no memory.
        (&mut *self.input)
            .take(length)
            .read_to_end(&mut bytes)
            .map_err(cut)?;
        match bytes.len() as u64 == length {
            true => Ok(bytes),
            false => Err("its pickle is cut off".to_string()),
        }
    }

    /// Text, that of Python 2 with what is no UTF-8 replaced.
    fn text(&mut self, length: u64) -> Result<Node, String> {
        let bytes = self.bytes(length)?;
        Ok(Node::Text(String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn skip(&mut self, length: u64) -> Result<Node, String> {
        let skipped =
            std::io::copy(&mut (&mut *self.input).take(length), &mut std::io::sink()).map_err(cut)?;
        match skipped == length {
            true => Ok(Node::Bytes),
            false => Err("its pickle is cut off".to_string()),
        }
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = Vec::new();
        self.input.read_until(b'\n', &mut line).map_err(cut)?;
        match line.pop() {
            Some(b'\n') => Ok(String::from_utf8_lossy(&line).into_owned()),
            _ => Err("its pickle is cut off".to_string()),
        }
    }
}

/// Keys and values in turn.
fn pairs(items: &[Id]) -> Result<Vec<(Id, Id)>, String> {
    let (pairs, rest) = items.as_chunks::<2>();
    match rest {
        [] => Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect()),
        _ => Err(damaged("a dictionary")),
    }
}

/// A whole number of two's complement, its lowest byte first.
fn long(bytes: &[u8]) -> Node {
    if bytes.len() > 8 {
        return big();
    }
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut all = [if negative { 0xff } else { 0 }; 8];
    all[..bytes.len()].copy_from_slice(bytes);
    Node::Int(i64::from_le_bytes(all))
}

/// A whole number that no size or offset can be.
fn big() -> Node {
    Node::Object(Object {
        class: "int".to_string(),
        ..Object::default()
    })
}

fn damaged(what: &str) -> String {
    format!("its pickle is damaged at {what}")
}

fn cut(error: std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "its pickle is cut off".to_string(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Result<Pickle, String> {
        read(&mut &bytes[..])
    }

    #[test]
    fn whole_numbers_of_every_width() {
        for (bytes, value) in [
            (&b"K\xff."[..], 255),
            (b"M\x01\x02.", 513),
            (b"J\xfe\xff\xff\xff.", -2),
            (b"\x8a\x02\x00\xff.", -256),
            (b"\x8a\x00.", 0),
            (b"I17\n.", 17),
            (b"L-3L\n.", -3),
        ] {
            assert!(
                matches!(of(bytes).unwrap().root(), Node::Int(v) if *v == value),
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn what_is_damaged_is_an_error() {
        let pickles: [&[u8]; 12] = [
            b"",
            b".",
            b"(.",
            b"K",
            b"e.",
            b"h\x07.",
            b"Na.",
            b"X\xff\xff\xff\xffabc.",
            b"(Nd.",
            b"\x85.",
            b"\xff.",
            b"(K\x01.",
        ];
        for bytes in pickles {
            // A mark hides what is below it.
            let result = of(bytes);
            match bytes {
                b"(K\x01." => assert!(result.is_ok()),
                _ => assert!(result.is_err(), "{bytes:?}"),
            }
        }
    }

    #[test]
    fn deep_nesting_and_doubled_objects_take_no_more_than_their_bytes() {
        let mut deep = vec![b']'; 1];
        deep.extend([0x85; 100_000]);
        deep.push(b'.');
        assert_eq!(of(&deep).unwrap().nodes.len(), 100_001);
        let mut doubled = b"N".to_vec();
        for _ in 0..1000 {
            doubled.extend(b"2\x86");
        }
        doubled.push(b'.');
        assert_eq!(of(&doubled).unwrap().nodes.len(), 1001);
    }
}
