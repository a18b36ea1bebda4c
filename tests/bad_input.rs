//! What does not fit is told by `check`, with its place, before anything is computed.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize_to_file};

use crate::support::Gradstudy;

/// Name and shape.
type Tensor = (&'static str, &'static [usize]);

/// Tensors of zeros, or of one value, as a file of weights.
fn weights(path: &Path, tensors: &[Tensor], value: f32) {
    let of = |shape: &[usize]| value.to_le_bytes().repeat(shape.iter().product());
    let bytes: Vec<Vec<u8>> = tensors.iter().map(|(_, shape)| of(shape)).collect();
    let views: HashMap<&str, TensorView> = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, shape), bytes)| (*name, TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap()))
        .collect();
    serialize_to_file(views, None, path).unwrap();
}

/// What `check` says of `data` and `model`, whose recording has these further settings.
#[track_caller]
fn refused(gradstudy: &Gradstudy, data: &str, model: &str, settings: &str, code: &str, words: &str) {
    let study = format!(
        "study \"Bad\" {{ seeds: 0  allow: [W0104] }}\ndata d = {data}\nmodel m = {model}\n\
         record g = gradients(of: m, on: d, iterations: 60{settings})\ntest t = normality(g, points: 20)\n\
         table r {{ of: t  rows: [sg_type]  columns: [p_value] }}\n"
    );
    fs::write(gradstudy.path().join("test.study"), study).unwrap();
    for command in ["check", "run"] {
        let said = gradstudy.run(&[command, "test.study"]);
        let told = said.stderr.replace("\n  │ ", " ");
        assert_eq!(said.code, Some(2), "{command}: {told}");
        for expected in [code, words, "test.study:"] {
            assert!(told.contains(expected), "{command} lacks `{expected}`:\n{told}");
        }
    }
    assert!(gradstudy.runs().is_empty());
}

#[test]
fn models_that_do_not_fit_their_data() {
    let gradstudy = Gradstudy::new("");
    fs::write(
        gradstudy.path().join("a.txt"),
        "the quick brown fox jumps over it\n".repeat(20),
    )
    .unwrap();
    let (images, text) = ("fashion_mnist_5k", "text(\"a.txt\", context: 16)");
    let gpt = |settings: &str| format!("gpt(dim: 8, depth: 1, heads: 2, {settings})");
    for (data, model, words) in [
        (
            images,
            "vit(patch: 5)".to_string(),
            "patches of 5×5, these are 28×28",
        ),
        (
            images,
            "vit(patch: 7, dim: 10, heads: 4)".to_string(),
            "10 channels among 4 heads",
        ),
        (
            images,
            "vit(patch: 7, dim: 8, heads: 2, logits: 3)".to_string(),
            "3 logits, the data have 10 classes",
        ),
        (
            images,
            "lenet(logits: 9)".to_string(),
            "9 logits, the data have 10 classes",
        ),
        (images, gpt("logits: 40"), "one label for each example"),
        (text, gpt("logits: 3"), "3 logits, the data have"),
        (text, gpt("logits: 40, context: 8"), "a context of 8"),
        (text, "lenet".to_string(), "images of at least 16×16"),
        (text, "vit(logits: 40)".to_string(), ""),
    ] {
        refused(&gradstudy, data, &model, "", "E0505", words);
    }
}

#[test]
fn files_and_minibatches_that_do_not_fit() {
    let gradstudy = Gradstudy::new("");
    let images = "fashion_mnist_5k(subset: 500)";
    let fcn = |file: &str| format!("fcn(depth: 0, logits: 10) {{ weights: \"{file}\" }}");
    let at = |file: &str| gradstudy.path().join(file);
    let (weight, bias): (Tensor, Tensor) = (("fc1.weight", &[10, 784]), ("fc1.bias", &[10]));
    weights(&at("missing.safetensors"), &[weight], 0.1);
    weights(
        &at("extra.safetensors"),
        &[weight, bias, ("fc9.bias", &[10])],
        0.1,
    );
    weights(&at("shape.safetensors"), &[("fc1.weight", &[10, 783]), bias], 0.1);
    weights(&at("nan.safetensors"), &[weight, bias], f32::NAN);
    fs::write(at("cut.safetensors"), [7, 0, 0]).unwrap();
    weights(&at("good.safetensors"), &[weight, bias], 0.1);
    for (file, words) in [
        ("missing.safetensors", "no tensor `fc1.bias`"),
        ("extra.safetensors", "tensor `fc9.bias`"),
        ("shape.safetensors", "shape [10, 783]"),
        ("nan.safetensors", "holds NaN"),
        ("cut.safetensors", "not a complete .safetensors file"),
        ("nowhere.safetensors", "cannot read the weights"),
    ] {
        refused(&gradstudy, images, &fcn(file), "", "E0515", words);
    }
    refused(
        &gradstudy,
        images,
        &fcn("good.safetensors"),
        ", batch: 501",
        "E0502",
        "larger than `d`",
    );
    refused(
        &gradstudy,
        images,
        "fcn(logits: 10)",
        ", batch: 1",
        "E0514",
        "batch",
    );
    refused(
        &gradstudy,
        "text(\"gone.txt\")",
        "gpt(logits: 9)",
        "",
        "E0508",
        "cannot read gone.txt",
    );
    fs::write(at("short.txt"), "too short").unwrap();
    refused(
        &gradstudy,
        "text(\"short.txt\")",
        "gpt(logits: 9)",
        "",
        "E0508",
        "too few",
    );
}

#[test]
fn curvatures_that_there_are_none_of() {
    let study = "study \"Bad\" { seeds: 0 }\ndata d = fashion_mnist_5k\nmodel m = vit(patch: 7, dim: 8, depth: 1, heads: 2)\n\
        spectrum h = hessian(of: m, on: d, samples: 100, top: 5)\ntest t = spectrum_shape(h)\n\
        table r { of: t  rows: [spectrum]  columns: [largest] }\n";
    let gradstudy = Gradstudy::new(study);
    let said = gradstudy.run(&["check", "test.study"]);
    assert_eq!(said.code, Some(2));
    for expected in ["E0513", "pos_embed", "test.study:4"] {
        assert!(said.stderr.contains(expected), "{}", said.stderr);
    }
}
