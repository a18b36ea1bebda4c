//! What a network written in a study can name: a layer's settings, and the layer that they make at a place.

use gradstudy_base::signature::{Args, Signature};

use super::{Layer, Shape};

/// A layer that studies can name.
#[derive(Debug)]
pub struct LayerKind {
    pub signature: &'static Signature,
    /// What the settings make of an activation. Errors: they do not suit its shape.
    pub place: fn(&Args, Here) -> Result<Row, Misfit>,
}

/// Where a layer is put.
#[derive(Debug, Clone, Copy)]
pub struct Here {
    /// Shape of the activation that it takes.
    pub shape: Shape,
    /// Whether that is the network's input.
    pub first: bool,
}

/// Layers one after the other, each by what stands behind the module's name: nothing for the layer itself, `qkv` for one
/// of the modules that it holds.
pub type Row = Vec<(&'static str, Box<dyn Layer>)>;

/// A row of one layer.
pub fn alone(layer: impl Layer + 'static) -> Result<Row, Misfit> {
    Ok(vec![("", Box::new(layer))])
}

/// Why a layer cannot stand where it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    pub problem: String,
    /// What to do about it.
    pub help: String,
}

impl Misfit {
    pub fn new(problem: impl Into<String>, help: impl Into<String>) -> Misfit {
        Misfit {
            problem: problem.into(),
            help: help.into(),
        }
    }
}

/// A shape as people write it: `16 × 5 × 5`; of a flat vector, `120`.
pub fn in_words(shape: Shape) -> String {
    match shape {
        [features, 1, 1] => features.to_string(),
        [channels, height, width] => format!("{channels} × {height} × {width}"),
    }
}
