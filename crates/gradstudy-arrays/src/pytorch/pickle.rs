//! Python's pickles as data: a stack machine that builds objects in a table and runs no code. Classes and functions that
//! it does not know become [`Node::Object`]s that only say what they are.
//!
//! Whole, since every code works on the one stack.

use std::collections::HashMap;
use std::io::BufRead;

use super::build;
use super::input::PickleBytes;
use super::node::{Id, Node, Object, Pickle};
use gradstudy_base::limits;

/// Reads one pickle from `input`, up to the end of that pickle.
///
/// # Errors
/// What is no pickle, or one that refers to what it does not hold.
pub(super) fn read(input: &mut dyn BufRead) -> Result<Pickle, String> {
    read_with(input, false)
}

/// As [`read`], with the bytes that are pickled; text of Python 2, which does not say how it is encoded, is bytes, too.
pub(super) fn read_with_bytes(input: &mut dyn BufRead) -> Result<Pickle, String> {
    read_with(input, true)
}

fn read_with(input: &mut dyn BufRead, with_bytes: bool) -> Result<Pickle, String> {
    let mut machine = Machine {
        input: PickleBytes(input),
        nodes: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        with_bytes,
    };
    let root = machine.run()?;
    let nodes = machine.nodes;
    Ok(Pickle { nodes, root })
}

struct Machine<'a> {
    input: PickleBytes<'a>,
    nodes: Vec<Node>,
    stack: Vec<Id>,
    /// Heights of the stack at the open marks.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
    /// Whether bytes are held.
    with_bytes: bool,
}

impl Machine<'_> {
    fn run(&mut self) -> Result<Id, String> {
        loop {
            let [code] = self.input.array()?;
            match code {
                b'.' => return self.pop(),
                0x80 => drop(self.input.array::<1>()?),
                // The length of a frame: of no use where nothing is read ahead.
                0x95 => drop(self.input.array::<8>()?),
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
            let most = limits::objects();
            if self.nodes.len().max(self.stack.len()) as u64 > most {
                return Err(format!(
                    "its pickle has more than {most} objects: {}",
                    limits::HELP
                ));
            }
        }
    }

    /// What needs nothing of the stack.
    fn scalar(&mut self, code: u8) -> Result<Node, String> {
        Ok(match code {
            b'N' => Node::None,
            0x88 => Node::Bool(true),
            0x89 => Node::Bool(false),
            b'K' => Node::Int(i64::from(u8::from_le_bytes(self.input.array()?))),
            b'M' => Node::Int(i64::from(u16::from_le_bytes(self.input.array()?))),
            b'J' => Node::Int(i64::from(i32::from_le_bytes(self.input.array()?))),
            b'I' | b'L' => match self.input.line()?.trim_end_matches('L') {
                "00" if code == b'I' => Node::Bool(false),
                "01" if code == b'I' => Node::Bool(true),
                digits => digits.parse().map_or_else(|_| big(), Node::Int),
            },
            0x8a => {
                let [length] = self.input.array()?;
                long(&self.input.bytes(u64::from(length))?)
            }
            0x8b => {
                let length = u32::from_le_bytes(self.input.array()?);
                long(&self.input.bytes(u64::from(length))?)
            }
            b'F' => {
                self.input.line()?;
                Node::Float
            }
            b'G' => {
                self.input.array::<8>()?;
                Node::Float
            }
            b'S' => Node::Text(self.input.line()?.trim_matches(['\'', '"']).to_string()),
            b'U' if self.with_bytes => {
                let [length] = self.input.array()?;
                self.bytes(u64::from(length))?
            }
            b'T' if self.with_bytes => {
                let length = u32::from_le_bytes(self.input.array()?);
                self.bytes(u64::from(length))?
            }
            b'V' => Node::Text(self.input.line()?),
            b'U' | 0x8c => {
                let [length] = self.input.array()?;
                Node::Text(self.input.text(u64::from(length))?)
            }
            b'T' | b'X' => {
                let length = u32::from_le_bytes(self.input.array()?);
                Node::Text(self.input.text(u64::from(length))?)
            }
            0x8d => {
                let length = u64::from_le_bytes(self.input.array()?);
                Node::Text(self.input.text(length)?)
            }
            b'C' => {
                let [length] = self.input.array()?;
                self.bytes(u64::from(length))?
            }
            b'B' => {
                let length = u32::from_le_bytes(self.input.array()?);
                self.bytes(u64::from(length))?
            }
            0x8e | 0x96 => {
                let length = u64::from_le_bytes(self.input.array()?);
                self.bytes(length)?
            }
            b')' => Node::Sequence("tuple", Vec::new()),
            b']' => Node::Sequence("list", Vec::new()),
            0x8f => Node::Sequence("set", Vec::new()),
            b'}' => Node::Dict(Vec::new()),
            other => return Err(format!("its pickle has the unknown code 0x{other:02x}")),
        })
    }

    /// The next `length` bytes.
    fn bytes(&mut self, length: u64) -> Result<Node, String> {
        if self.with_bytes {
            return Ok(Node::Bytes(self.input.bytes(length)?));
        }
        self.input.skip(length)?;
        Ok(Node::Bytes(Vec::new()))
    }

    /// Writes to the memo, or reads from it.
    fn remember(&mut self, code: u8) -> Result<(), String> {
        let place = match code {
            b'q' | b'h' => u64::from(u8::from_le_bytes(self.input.array()?)),
            b'r' | b'j' => u64::from(u32::from_le_bytes(self.input.array()?)),
            0x94 => self.memo.len() as u64,
            _ => self.input.line()?.parse().map_err(|_| damaged("the memo"))?,
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
                let name = format!("{}.{}", self.input.line()?, self.input.line()?);
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
                let class = format!("{}.{}", self.input.line()?, self.input.line()?);
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
