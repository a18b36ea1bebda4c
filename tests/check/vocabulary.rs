//! A small vocabulary with the shape of the real one, so that the front end's tests depend on no registry.

use gradstudy::signature::{Call, Default, Param, ParamType, Signature, Value};
use gradstudy::study::own_numbers::FILE;
use gradstudy::study::{DataOutline, Facts, LayerFault, Vocabulary};

const fn param(name: &'static str, ty: ParamType, default: Default) -> Param {
    Param {
        name,
        ty,
        default,
        doc: "in a test",
    }
}

const fn signature(name: &'static str, params: &'static [Param]) -> Signature {
    Signature {
        name,
        summary: "in a test",
        params,
        version: 1,
    }
}

const COUNT: ParamType = ParamType::Integer {
    min: 1,
    max: i64::MAX,
};
const FRACTION: ParamType = ParamType::Number { min: 0.0, max: 1.0 };
const DIRECTIONS: ParamType = ParamType::List(&ParamType::Word(&["dimension", "iteration"]));

static MNIST: Signature = signature(
    "mnist",
    &[param(
        "normalize",
        ParamType::Word(&["global", "per_pixel", "none"]),
        Default::Text("global"),
    )],
);
static CSV: Signature = signature(
    "csv",
    &[
        param("file", ParamType::Text, Default::Required),
        param("label", ParamType::Text, Default::Required),
    ],
);
static LETTERS: Signature = signature("letters", &[]);
static LENET: Signature = signature("lenet", &[param("logits", COUNT, Default::Text("10"))]);
static CONV: Signature = signature(
    "conv2d",
    &[
        param("channels", COUNT, Default::Required),
        param("kernel", COUNT, Default::Required),
    ],
);
static POOL: Signature = signature("max_pool2d", &[param("kernel", COUNT, Default::Required)]);
static RELU: Signature = signature("relu", &[]);
static LINEAR: Signature = signature("linear", &[param("outputs", COUNT, Default::Required)]);
static RESIDUAL: Signature = signature(
    "residual",
    &[
        param("layers", ParamType::Layers(layers), Default::Required),
        param("shortcut", ParamType::Layers(layers), Default::Absent),
    ],
);
static NETWORK: Signature = signature(
    "network",
    &[param("layers", ParamType::Layers(layers), Default::Required)],
);
static LAYERS: [&Signature; 5] = [&CONV, &LINEAR, &POOL, &RELU, &RESIDUAL];

fn layers() -> &'static [&'static Signature] {
    &LAYERS
}

static SGD: Signature = signature(
    "sgd",
    &[
        param(
            "lr",
            ParamType::Number {
                min: 0.0,
                max: f64::MAX,
            },
            Default::Required,
        ),
        param("momentum", FRACTION, Default::Text("0")),
        param("weight_decay", FRACTION, Default::Text("0")),
        param("nesterov", ParamType::Boolean, Default::Text("false")),
    ],
);
static GRADIENTS: Signature = signature(
    "gradients",
    &[
        param("of", ParamType::Reference(&["model", "train"]), Default::Required),
        param("on", ParamType::Reference(&["data"]), Default::Required),
        param("batch", COUNT, Default::Text("1")),
        param("iterations", COUNT, Default::Text("5000")),
        param(
            "order",
            ParamType::Word(&["shuffled", "replacement", "sequential"]),
            Default::Text("shuffled"),
        ),
        param("keep", ParamType::Boolean, Default::Text("false")),
        param("layers", ParamType::Text, Default::Absent),
    ],
);
static COVARIANCE: Signature = signature(
    "covariance",
    &[
        param("of", ParamType::Reference(&["record"]), Default::Required),
        param("top", COUNT, Default::Text("1000")),
        param(
            "centre",
            ParamType::Word(&["history", "full_batch"]),
            Default::Text("history"),
        ),
        param("layers", ParamType::TextOr(&["each"]), Default::Absent),
    ],
);
static HESSIAN: Signature = signature(
    "hessian",
    &[
        param("of", ParamType::Reference(&["model", "train"]), Default::Required),
        param("on", ParamType::Reference(&["data"]), Default::Required),
        param("samples", COUNT, Default::Text("10_000")),
        param("top", COUNT, Default::Text("1000")),
    ],
);
static RANK_PLOT: Signature = signature(
    "rank_plot",
    &[
        param(
            "of",
            ParamType::List(&ParamType::Reference(&["spectrum"])),
            Default::Required,
        ),
        param("curves", ParamType::List(&ParamType::Word(&[])), Default::Absent),
    ],
);
static RATES: Signature = signature(
    "rates",
    &[
        param(
            "of",
            ParamType::List(&ParamType::Reference(&["test"])),
            Default::Required,
        ),
        param("against", ParamType::Word(&[]), Default::Text("batch")),
        param(
            "show",
            ParamType::List(&ParamType::Word(&[])),
            Default::Text("[power_law_rate, gaussian_rate]"),
        ),
        param("curves", ParamType::List(&ParamType::Word(&[])), Default::Absent),
        param("x", ParamType::Word(&["log", "linear"]), Default::Absent),
        param("y", ParamType::Word(&["log", "linear"]), Default::Absent),
    ],
);
static TOP: Signature = signature("top", &[param("k", COUNT, Default::Required)]);
static MIN: Signature = signature("min", &[]);
static QUANTILE: Signature = signature("quantile", &[param("q", FRACTION, Default::Required)]);
static SCAN: Signature = signature("scan", &[param("at_least", COUNT, Default::Text("10"))]);
static POWER_LAW: Signature = signature(
    "power_law",
    &[
        param(
            "of",
            ParamType::Reference(&["record", "spectrum"]),
            Default::Required,
        ),
        param(
            "tail",
            ParamType::Call(&[&TOP, &MIN, &QUANTILE, &SCAN]),
            Default::Text("top(1000)"),
        ),
        param(
            "ecdf",
            ParamType::Word(&["left", "two_sided"]),
            Default::Text("left"),
        ),
        param("alpha", FRACTION, Default::Text("5%")),
        param("along", DIRECTIONS, Default::Text("[dimension, iteration]")),
    ],
);
static NORMALITY: Signature = signature(
    "normality",
    &[
        param(
            "of",
            ParamType::Reference(&["record", "spectrum"]),
            Default::Required,
        ),
        param(
            "points",
            ParamType::Integer {
                min: 8,
                max: i64::MAX,
            },
            Default::Text("100"),
        ),
        param("alpha", FRACTION, Default::Text("0.05")),
        param("along", DIRECTIONS, Default::Text("[dimension, iteration]")),
    ],
);

/// What a model's `logits` are; 10 where it has none.
fn logits(model: &Call) -> i64 {
    match model.args.get("logits") {
        Some(Value::Integer(logits)) => *logits,
        _ => 10,
    }
}

/// The second layer of a network cannot be max-pooling. LeNet with 13 logits has no Hessian, with 14 it needs two samples; MNIST fits LeNet (n = 43 576 + 85 for each class, 2572 in its convolutions), letters do not; no CSV file is there.
struct Known;

impl Facts for Known {
    fn examples(&self, data: &Call) -> Option<u64> {
        (data.name == "mnist").then_some(60_000)
    }

    fn outline(&self, data: &Call) -> Option<DataOutline> {
        let (examples, classes, shape) = match data.name.as_str() {
            "mnist" => (60_000, 10, [1, 28, 28]),
            "letters" => (20_000, 26, [16, 1, 1]),
            _ => return None,
        };
        Some(DataOutline {
            examples,
            classes,
            shape,
        })
    }

    fn fault(&self, data: &Call) -> Option<(String, String)> {
        (data.name == "csv").then(|| ("cannot read it".to_string(), "check the path".to_string()))
    }

    fn curvature_fault(&self, _spectrum: &Call, model: &Call, _data: &Call) -> Option<(String, String)> {
        let unlucky = logits(model) == 13;
        unlucky.then(|| ("no Hessian of it".to_string(), "use another model".to_string()))
    }

    fn layer_fault(&self, model: &Call, data: Option<&Call>) -> Option<LayerFault> {
        data?;
        let Some(Value::Call(layers)) = model.args.get("layers") else {
            return None;
        };
        let second = layers.args.get("1");
        let pooled = matches!(second, Some(Value::Call(call)) if call.name == "max_pool2d");
        pooled.then(|| LayerFault {
            place: "layers/1".to_string(),
            message: "it is too large".to_string(),
            label: "here".to_string(),
            help: "take a smaller one".to_string(),
        })
    }

    fn batch_fault(&self, model: &Call, _data: &Call, batch: u64) -> Option<(String, String)> {
        let normalised = batch < 2 && logits(model) == 14;
        normalised.then(|| ("no variance in it".to_string(), "take two samples".to_string()))
    }

    fn weights(
        &self,
        file: &str,
        _model: &Call,
        _data: &Call,
    ) -> Option<Result<Vec<String>, (String, String)>> {
        Some(match file {
            "not-there.safetensors" => Err(("cannot read it".to_string(), "check the path".to_string())),
            "half.pt" => Ok(vec!["float16 converted to float32".to_string()]),
            _ => Ok(Vec::new()),
        })
    }

    fn array(&self, _file: &Call) -> Option<Result<(u64, u64), (String, String)>> {
        Some(Err(("cannot read it".to_string(), "check the path".to_string())))
    }

    fn columns(&self, test: &Call, _single: bool, _spectrum: Option<&Call>) -> Option<Vec<&'static str>> {
        Some(match test.name.as_str() {
            "power_law" => vec!["d_ks", "d_c", "power_law_rate"],
            _ => vec!["p_value", "gaussian_rate"],
        })
    }

    fn quantity(&self, column: &str) -> Option<&'static str> {
        Some(match column {
            "d_ks" | "d_c" => "distance",
            "p_value" => "p-value",
            _ => "rate",
        })
    }

    fn parameters(&self, model: &Call, data: Option<&Call>) -> Option<Result<u64, String>> {
        if data.is_some_and(|data| data.name == "letters") {
            return Some(Err("it takes images".to_string()));
        }
        Some(Ok(43_576 + 85 * logits(model) as u64))
    }

    fn selected(&self, _model: &Call, _data: &Call, pattern: &str) -> Option<Result<u64, (String, String)>> {
        Some(match pattern {
            "conv*" => Ok(2_572),
            _ => Err(("no such layers".to_string(), "look them up".to_string())),
        })
    }
}

pub static VOCABULARY: Vocabulary = Vocabulary {
    datasets: &[&CSV, &LETTERS, &MNIST],
    models: &[&LENET, &NETWORK],
    layers: &LAYERS,
    optimizers: &[&SGD],
    records: &[&GRADIENTS, &FILE],
    spectra: &[&COVARIANCE, &HESSIAN],
    tests: &[&NORMALITY, &POWER_LAW],
    figures: &[&RANK_PLOT, &RATES],
    columns: &["d_ks", "d_c", "power_law_rate", "p_value", "gaussian_rate"],
    training_columns: &[],
    row_keys: &["dataset", "model", "training", "sg_type", "batch", "iterations"],
    paper_tables: &[1, 4],
    facts: &Known,
};
