//! What holds layers in a network written in a study: repetitions and residual connections.

use std::sync::LazyLock;

use gradstudy_base::signature::{Args, Call, Default, Param, ParamType, Signature, Value};

use crate::layers::LAYERS;

use super::walk::Fault;

/// Layers beyond which a network is taken for a slip.
pub(super) const MAX_LAYERS: u64 = 10_000;

/// The setting that holds layers, of `network`, `repeat` and `residual` alike.
pub(super) const BODY: &str = "layers";

const fn body(doc: &'static str) -> Param {
    Param {
        name: BODY,
        ty: ParamType::Layers(entries),
        default: Default::Required,
        doc,
    }
}

pub(super) static REPEAT: Signature = Signature {
    name: "repeat",
    summary: "layers several times over, each time with parameters of their own: modules `0`, `1` …",
    params: &[
        Param {
            name: "times",
            ty: ParamType::Integer { min: 1, max: 10_000 },
            default: Default::Required,
            doc: "how many times",
        },
        body(
            "what is repeated: a list, which is a module each time, or one layer, which is that module itself",
        ),
    ],
    version: 1,
};

pub(super) static RESIDUAL: Signature = Signature {
    name: "residual",
    summary: "layers whose input is added to their output, as it is or after a shortcut of layers of its own",
    params: &[
        body("the layers between; they keep the shape, unless `shortcut` changes it alike"),
        Param {
            name: "shortcut",
            ty: ParamType::Layers(entries),
            default: Default::Absent,
            doc: "layers that the input goes through before it is added: `shortcut.0`, `shortcut.1` … where they have no \
                  labels",
        },
        Param {
            name: "after",
            ty: ParamType::Layers(entries),
            default: Default::Absent,
            doc: "layers behind the sum that belong to the same module, such as `relu`",
        },
    ],
    version: 1,
};

/// Everything that may stand in a list of layers, in alphabetical order.
pub fn entries() -> &'static [&'static Signature] {
    static ENTRIES: LazyLock<Vec<&'static Signature>> = LazyLock::new(|| {
        let layers = LAYERS.iter().map(|kind| kind.signature);
        let mut all: Vec<_> = layers.chain([&REPEAT, &RESIDUAL]).collect();
        all.sort_by_key(|signature| signature.name);
        all
    });
    &ENTRIES
}

/// The layers or the single layer that a setting holds.
pub(super) fn held<'a>(args: &'a Args, setting: &str) -> Option<&'a Call> {
    match args.get(setting) {
        Some(Value::Call(call)) => Some(call),
        _ => None,
    }
}

/// Errors: more layers than any network has. Nothing is repeated to find out.
pub(super) fn check(layers: &Call) -> Result<(), Fault> {
    let count = count(layers);
    match count > MAX_LAYERS {
        false => Ok(()),
        true => {
            let count = match count {
                u64::MAX => "more than 10¹⁹".to_string(),
                count => count.to_string(),
            };
            Err(Fault {
                place: BODY.to_string(),
                module: String::new(),
                problem: format!("the network has {count} layers"),
                label: format!("more than {MAX_LAYERS}"),
                help: "repeat fewer layers, or fewer times".to_string(),
            })
        }
    }
}

/// How many layers a call stands for.
fn count(call: &Call) -> u64 {
    let within = |setting| held(&call.args, setting).map_or(0, count);
    match call.name.as_str() {
        "" => {
            let entries = call.args.0.values().filter_map(|value| match value {
                Value::Call(call) => Some(call),
                _ => None,
            });
            entries.fold(0, |sum: u64, call| sum.saturating_add(count(call)))
        }
        name if name == REPEAT.name => (call.args.integer("times") as u64).saturating_mul(within(BODY)),
        name if name == RESIDUAL.name => [BODY, "shortcut", "after"]
            .into_iter()
            .fold(0, |sum: u64, setting| sum.saturating_add(within(setting))),
        _ => 1,
    }
}
