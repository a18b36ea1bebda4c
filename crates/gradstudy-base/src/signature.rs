//! What a name takes: the one description that the checker, the error messages, `gradstudy render` and the
//! language reference all read. Registries hold [`Signature`]s; the grammar knows none of these names.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// `layers: each`: one of what is asked for, for each layer.
pub const EACH: &str = "each";

/// A built-in (a dataset, a model, a test …) or a statement's block: its name and its parameters.
#[derive(Debug)]
pub struct Signature {
    /// The word that a study writes.
    pub name: &'static str,
    /// One line for help and reference.
    pub summary: &'static str,
    /// In order: positional arguments bind to these from the first.
    pub params: &'static [Param],
    /// Raised whenever the mathematics behind the name changes, so that cached steps are made again.
    pub version: u32,
}

/// One named setting.
#[derive(Debug)]
pub struct Param {
    pub name: &'static str,
    pub ty: ParamType,
    pub default: Default,
    /// One line: meaning, unit, source.
    pub doc: &'static str,
}

/// What a setting may be.
#[derive(Debug)]
pub enum ParamType {
    /// A whole number within the bounds (both included); `44_426` is 44426.
    Integer { min: i64, max: i64 },
    /// A whole number within the bounds (both included), or one of these words.
    IntegerOr {
        min: i64,
        max: i64,
        words: &'static [&'static str],
    },
    /// A real number within the bounds (both included); a percent is taken as a hundredth.
    Number { min: f64, max: f64 },
    /// `true` or `false`.
    Boolean,
    /// A quoted string.
    Text,
    /// A quoted string, or one of these words.
    TextOr(&'static [&'static str]),
    /// The path of a file or folder in quotes, relative to the folder of the study that it stands in.
    Path,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A nested call to one of these, such as `top(1000)`; a bare word is a call without arguments.
    Call(&'static [&'static Signature]),
    /// A list of values of the one type; a single value is taken as a list of one.
    List(&'static ParamType),
    /// A list of texts, each with a label of its own; its value is a [`Value::Call`] without a name, of the texts by label.
    Labelled,
    /// Layers, one after the other: a list of calls to these, each with a label or without, and of lists of such. Its value
    /// is a [`Value::Call`] without a name, of the layers by label or position; a single layer outside a list is that call.
    Layers(fn() -> &'static [&'static Signature]),
    /// The name of a statement of one of these kinds (`data`, `model`, `train`, `record`, `test`).
    Reference(&'static [&'static str]),
}

/// What holds when a setting is not written.
#[derive(Debug)]
pub enum Default {
    /// Must be written.
    Required,
    /// May be absent.
    Absent,
    /// This text, in the study language.
    Text(&'static str),
}

/// A checked value: the type its [`ParamType`] promises.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Boolean(bool),
    Integer(i64),
    Number(f64),
    /// A quoted string, a word of a fixed set, or the name of another statement.
    Text(String),
    File(FilePath),
    List(Vec<Value>),
    Call(Call),
}

/// A path as a study writes it, and as it leads there from the working directory. Keys, manifests and resolved studies
/// hold the former, so that the same study is the same wherever it is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct FilePath {
    pub written: String,
    pub path: String,
}

impl From<String> for FilePath {
    fn from(written: String) -> Self {
        let path = written.clone();
        FilePath { written, path }
    }
}

impl From<FilePath> for String {
    fn from(file: FilePath) -> Self {
        file.written
    }
}

/// A checked call: every parameter present except absent optional ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    pub name: String,
    pub args: Args,
}

/// Checked arguments in the order of the signature.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Args(pub IndexMap<String, Value>);

impl Args {
    /// The value of `name`, if it is there.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A whole number. Panics if the signature does not promise one: a mistake in gradstudy, not in a study.
    pub fn integer(&self, name: &str) -> i64 {
        match self.get(name) {
            Some(Value::Integer(value)) => *value,
            other => panic!("`{name}` is {other:?}, its signature promised an integer"),
        }
    }

    /// A real number (whole numbers included). Panics like [`Args::integer`].
    pub fn number(&self, name: &str) -> f64 {
        match self.get(name) {
            Some(Value::Number(value)) => *value,
            Some(Value::Integer(value)) => *value as f64,
            other => panic!("`{name}` is {other:?}, its signature promised a number"),
        }
    }

    /// A truth value. Panics like [`Args::integer`].
    pub fn boolean(&self, name: &str) -> bool {
        match self.get(name) {
            Some(Value::Boolean(value)) => *value,
            other => panic!("`{name}` is {other:?}, its signature promised true or false"),
        }
    }

    /// A string, word or reference; of a path, the one from the working directory. Panics like [`Args::integer`].
    pub fn text(&self, name: &str) -> &str {
        match self.get(name) {
            Some(Value::Text(value)) => value,
            Some(Value::File(file)) => &file.path,
            other => panic!("`{name}` is {other:?}, its signature promised a word or text"),
        }
    }

    /// A nested call. Panics like [`Args::integer`].
    pub fn call(&self, name: &str) -> &Call {
        match self.get(name) {
            Some(Value::Call(value)) => value,
            other => panic!("`{name}` is {other:?}, its signature promised a call"),
        }
    }

    /// A list. Panics like [`Args::integer`].
    pub fn list(&self, name: &str) -> &[Value] {
        match self.get(name) {
            Some(Value::List(values)) => values,
            other => panic!("`{name}` is {other:?}, its signature promised a list"),
        }
    }

    /// A list of strings, words or references. Panics like [`Args::integer`].
    pub fn texts(&self, name: &str) -> Vec<&str> {
        self.list(name)
            .iter()
            .map(|value| match value {
                Value::Text(text) => text.as_str(),
                other => panic!("`{name}` holds {other:?}, its signature promised words"),
            })
            .collect()
    }
}
