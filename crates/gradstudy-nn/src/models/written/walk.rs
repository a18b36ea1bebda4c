//! From the tree of calls to layers in their places.

use std::collections::HashMap;

use gradstudy_base::signature::{Args, Call, Value};
use indexmap::IndexMap;
use thiserror::Error;

use crate::layers::{Here, Identity, LAYERS, Shape, embedding, in_words, size};

use super::NAME;
use super::structure::{self, BODY, REPEAT, RESIDUAL, held};
use crate::models::{Builder, Network};

/// Numbers of an activation beyond which a network is taken for a slip: a gigabyte for each sample.
const MAX_ACTIVATION: usize = 1 << 28;

/// Why a network that a study writes cannot be made, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{} ({label})", self.message())]
pub struct Fault {
    /// The entry: `layers`, and for each list or setting on the way the label, the position or the setting's name, joined
    /// by `/`, such as `layers/layer1/layers/conv1`.
    pub place: String,
    /// The module's name as PyTorch has it; empty for the network.
    pub module: String,
    pub problem: String,
    /// A few words for the place, such as the shape there.
    pub label: String,
    /// What to do about it.
    pub help: String,
}

impl Fault {
    /// What is wrong, with the module's name.
    pub fn message(&self) -> String {
        match self.module.as_str() {
            "" => self.problem.clone(),
            module => format!("layer `{module}`: {}", self.problem),
        }
    }
}

/// What there is after an entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// As [`Fault::place`].
    pub place: String,
    /// Shape of the activation; after the last repetition where the entry is repeated.
    pub shape: Shape,
    /// Parameters of the entry, of all its repetitions together.
    pub parameters: usize,
}

/// A network, and what its entries make of the data.
pub(super) struct Walked {
    pub network: Network,
    pub stages: Vec<Stage>,
}

/// The network of `layers` for samples of shape `input`.
///
/// # Errors
/// A layer that does not fit where it stands, sides of a residual connection that differ, two modules of one name, too
/// many layers, no parameters, an end that is no vector.
pub(super) fn walk(layers: &Call, input: Shape) -> Result<Walked, Fault> {
    structure::check(layers)?;
    let mut walk = Walk {
        net: Builder::new(input),
        at: 0,
        stages: IndexMap::new(),
        modules: HashMap::new(),
        of_tokens: false,
    };
    walk.body(layers, "", "0", BODY)?;
    let whole = |problem: &str, label: String, help: &str| Fault {
        place: BODY.to_string(),
        module: String::new(),
        problem: problem.to_string(),
        label,
        help: help.to_string(),
    };
    let shape = walk.net.shape_of(walk.at);
    let sequence = walk.of_tokens && shape[1] * shape[2] > 1;
    if !sequence && shape[1] * shape[2] != 1 {
        let problem = "the network does not end with a vector of logits";
        let label = format!("it ends with {}", in_words(shape));
        return Err(whole(
            problem,
            label,
            "end with `linear`, or with `global_avg_pool`",
        ));
    }
    let network = match sequence {
        true => walk.net.build_sequence(NAME),
        false => walk.net.build(NAME),
    };
    if network.parameter_count() == 0 {
        let help = "a gradient has one number for each parameter: add `linear` or `conv2d`";
        let label = "nothing to be trained here".to_string();
        return Err(whole("the network has no parameters", label, help));
    }
    let stages = walk.stages.into_values().collect();
    Ok(Walked { network, stages })
}

struct Walk {
    net: Builder,
    /// The activation that the next layer takes.
    at: usize,
    stages: IndexMap<String, Stage>,
    /// Modules with parameters, and the places that they come from.
    modules: HashMap<String, String>,
    /// Whether the network begins with tokens.
    of_tokens: bool,
}

impl Walk {
    /// A list of layers within module `name`, or a single layer, which is called `alone` there.
    fn body(&mut self, layers: &Call, name: &str, alone: &str, place: &str) -> Result<(), Fault> {
        match layers.name.as_str() {
            "" => self.list(&layers.args, name, name, place),
            _ => self.entry(layers, &join(name, alone), place),
        }
    }

    /// The entries of a list: those with a label are modules of `name`, the others of `unlabelled`.
    fn list(&mut self, entries: &Args, name: &str, unlabelled: &str, place: &str) -> Result<(), Fault> {
        for (label, value) in &entries.0 {
            let Value::Call(call) = value else { continue };
            let place = format!("{place}/{label}");
            let module = match label.as_bytes().first() {
                // `_` gives no name of its own.
                Some(b'_') => name.to_string(),
                Some(digit) if digit.is_ascii_digit() => join(unlabelled, label),
                _ => join(name, label),
            };
            match call.name.as_str() {
                "" => {
                    let before = self.parameters();
                    self.list(&call.args, &module, &module, &place)?;
                    self.stage(&place, before);
                }
                _ => self.entry(call, &module, &place)?,
            }
        }
        Ok(())
    }

    /// One layer, or what holds layers, as module `name`.
    fn entry(&mut self, call: &Call, name: &str, place: &str) -> Result<(), Fault> {
        let before = self.parameters();
        match call.name.as_str() {
            kind if kind == REPEAT.name => {
                let layers = call.args.call(BODY);
                for i in 0..call.args.integer("times") {
                    let module = join(name, &i.to_string());
                    self.body(layers, &module, "", &format!("{place}/{BODY}"))?;
                }
            }
            kind if kind == RESIDUAL.name => self.residual(&call.args, name, place)?,
            _ => self.layer(call, name, place)?,
        }
        self.stage(place, before);
        Ok(())
    }

    fn layer(&mut self, call: &Call, name: &str, place: &str) -> Result<(), Fault> {
        let kind = LAYERS.iter().find(|kind| kind.signature.name == call.name);
        let kind = kind.expect("the checker knows the layers");
        let shape = self.net.shape_of(self.at);
        let here = Here {
            shape,
            first: self.at == 0,
        };
        let fault = |problem: String, label: String, help: String| Fault {
            place: place.to_string(),
            module: name.to_string(),
            problem,
            label,
            help,
        };
        let row = (kind.place)(&call.args, here).map_err(|misfit| {
            let label = format!("takes {} here", in_words(shape));
            fault(misfit.problem, label, misfit.help)
        })?;
        self.of_tokens |= call.name == embedding::KIND.signature.name;
        for (within, layer) in row {
            let output = layer.output();
            if size(output) > MAX_ACTIVATION {
                let problem = format!("`{}` makes {} numbers of one sample", call.name, size(output));
                let help = "take fewer channels or outputs, or less padding".to_string();
                return Err(fault(problem, format!("{} here", in_words(output)), help));
            }
            let module = join(name, within);
            if !layer.parameters().is_empty()
                && let Some(first) = self.modules.insert(module.clone(), place.to_string())
            {
                let problem = format!("two layers are called `{module}`");
                let label = format!("so is `{}`", first.replace('/', "."));
                return Err(fault(
                    problem,
                    label,
                    "give one of them another label".to_string(),
                ));
            }
            self.net.push_boxed(self.at, module, layer);
            self.at = self.net.last();
        }
        Ok(())
    }

    fn residual(&mut self, args: &Args, name: &str, place: &str) -> Result<(), Fault> {
        let input = self.at;
        self.body(args.call(BODY), name, "0", &format!("{place}/{BODY}"))?;
        let mut other = input;
        if let Some(shortcut) = held(args, "shortcut") {
            other = self.at;
            self.at = input;
            let (within, place) = (join(name, "shortcut"), format!("{place}/shortcut"));
            match shortcut.name.as_str() {
                "" => self.list(&shortcut.args, name, &within, &place)?,
                _ => self.entry(shortcut, &within, &place)?,
            }
        }
        let (one, two) = (self.net.shape_of(self.at), self.net.shape_of(other));
        if one != two {
            let (layers, added, help) = match held(args, "shortcut") {
                None => (
                    one,
                    two,
                    "give it a `shortcut` that makes the same shape of its input, such as `conv2d(channels, kernel: 1, stride: 2)`",
                ),
                Some(_) => (two, one, "let `shortcut` make the shape that the layers make"),
            };
            return Err(Fault {
                place: place.to_string(),
                module: name.to_string(),
                problem: format!(
                    "the two sides of `residual` differ: {} and {}",
                    in_words(layers),
                    in_words(added)
                ),
                label: format!(
                    "its layers make {}, {} is added",
                    in_words(layers),
                    in_words(added)
                ),
                help: help.to_string(),
            });
        }
        self.add(other);
        if let Some(after) = held(args, "after") {
            let (within, place) = (join(name, "after"), format!("{place}/after"));
            match after.name.as_str() {
                "" => self.list(&after.args, name, &within, &place)?,
                _ => self.entry(after, &within, &place)?,
            }
        }
        Ok(())
    }

    /// Adds `activation` to the current one: to the output of the layer that made it, or of an identity behind that
    /// layer where nothing may be added to its own.
    fn add(&mut self, activation: usize) {
        if !self.net.takes_sum(activation) {
            let shape = self.net.shape_of(self.at);
            self.net
                .push_boxed(self.at, String::new(), Box::new(Identity::new(shape)));
            self.at = self.net.last();
        }
        self.net.plus(activation);
    }

    fn parameters(&self) -> usize {
        self.net.parameter_count()
    }

    /// Notes what there is after the entry at `place`, before which there were so many parameters.
    fn stage(&mut self, place: &str, before: usize) {
        let (shape, parameters) = (self.net.shape_of(self.at), self.parameters() - before);
        let stage = self.stages.entry(place.to_string()).or_insert_with(|| Stage {
            place: place.to_string(),
            shape,
            parameters: 0,
        });
        stage.shape = shape;
        stage.parameters += parameters;
    }
}

/// `module.within`; either may be empty.
fn join(module: &str, within: &str) -> String {
    match (module, within) {
        ("", name) | (name, "") => name.to_string(),
        (module, within) => format!("{module}.{within}"),
    }
}
