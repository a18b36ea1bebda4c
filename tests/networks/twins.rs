//! Built-in models, which PyTorch's values hold to account (tests/models.rs), written out as networks: they have the same
//! tensors, initial weights and gradients, to the bit.

use gradstudy::data::Dataset;
use gradstudy::gradients::engine::Engine;
use gradstudy::layers::BatchNormMode;
use gradstudy::models::{Network, weights};

use super::{dataset, network};

const LENET: &str = "network([
  conv1: conv2d(6, kernel: 5), max_pool2d(2), relu,
  conv2: conv2d(16, kernel: 5), max_pool2d(2), relu,
  fc1: linear(120), relu, fc2: linear(84), relu, fc3: linear(10),
])";

const FCN: &str = "network([
  fc1: linear(9), bn1: batch_norm, tanh, fc2: linear(9), bn2: batch_norm, tanh, fc3: linear(5),
])";

/// ResNet18 of width 4.
fn resnet18() -> String {
    let conv = |channels: usize, kernel: usize, stride: usize| {
        let padding = kernel / 2;
        format!("conv2d({channels}, kernel: {kernel}, stride: {stride}, padding: {padding}, bias: false)")
    };
    let block = |channels: usize, stride: usize| {
        let shortcut = match stride {
            1 => String::new(),
            _ => format!(", shortcut: [{}, batch_norm]", conv(channels, 1, stride)),
        };
        let (one, two) = (conv(channels, 3, stride), conv(channels, 3, 1));
        format!(
            "residual([conv1: {one}, bn1: batch_norm, relu, conv2: {two}, bn2: batch_norm]{shortcut}, after: relu)"
        )
    };
    let mut text = format!("network([conv1: {}, bn1: batch_norm, relu, ", conv(4, 3, 1));
    text += &format!("layer1: repeat(2, {}), ", block(4, 1));
    for stage in 1..4 {
        text += &format!(
            "layer{}: [{}, {}], ",
            stage + 1,
            block(4 << stage, 2),
            block(4 << stage, 1)
        );
    }
    text + "global_avg_pool, linear: linear(10)])"
}

fn blocks(dim: usize, heads: usize, depth: usize, causal: bool) -> String {
    format!(
        "blocks: repeat({depth}, [
           _: residual([norm1: layer_norm, attn: attention({heads}, causal: {causal})]),
           _: residual([norm2: layer_norm, mlp: [
             fc1: linear({}, positionwise: true), gelu, fc2: linear({dim}, positionwise: true),
           ]]),
         ]), norm: layer_norm",
        4 * dim
    )
}

/// The built-in's name and settings, the network, a sample's shape.
fn twins() -> Vec<(&'static str, &'static str, String, [usize; 3])> {
    let vit = format!(
        "network([patch_embed: conv2d(12, kernel: 3, stride: 3), pos_embed: positions(0.02), {}, global_avg_pool, \
         head: linear(5)])",
        blocks(12, 3, 2, false)
    );
    let gpt = format!(
        "network([token_embed: embedding(7, 8), pos_embed: positions, {}, head: linear(7, positionwise: true)])",
        blocks(8, 2, 2, true)
    );
    vec![
        ("lenet", "lenet", LENET.to_string(), [1, 28, 28]),
        (
            "fcn",
            "fcn(width: 9, activation: tanh, logits: 5)",
            FCN.to_string(),
            [1, 4, 5],
        ),
        ("resnet18", "resnet18(width: 4)", resnet18(), [3, 16, 16]),
        (
            "vit",
            "vit(patch: 3, dim: 12, depth: 2, heads: 3, logits: 5)",
            vit,
            [2, 9, 12],
        ),
        (
            "gpt",
            "gpt(dim: 8, depth: 2, heads: 2, logits: 7)",
            gpt,
            [1, 1, 11],
        ),
    ]
}

fn data(network: &Network, samples: usize) -> Dataset {
    let size: usize = network.input.iter().product();
    let number = |i: usize| (i * 7919 + 13) % 1009;
    let tokens = network.positions > 1;
    let image = |i: usize| match tokens {
        true => (number(i) % network.classes) as f32,
        false => number(i) as f32 / 504.5 - 1.0,
    };
    let label = |i: usize| (number(i + 5) % network.classes) as u32;
    dataset(
        network,
        (0..samples * size).map(image).collect(),
        (0..samples * network.positions).map(label).collect(),
    )
}

fn gradients(network: &Network, values: &[f32], batch: usize) -> Vec<u32> {
    let data = data(network, 3 * batch);
    let indices: Vec<u32> = (0..3 * batch as u32).collect();
    let mut columns = vec![f32::NAN; 3 * network.parameter_count()];
    let mode = BatchNormMode::Batch;
    Engine::Host
        .record(
            network,
            values,
            &data,
            &indices,
            batch,
            mode,
            &mut columns,
            &|_| {},
        )
        .unwrap();
    assert!(columns.iter().all(|g| g.is_finite()));
    columns.iter().map(|g| g.to_bits()).collect()
}

#[test]
fn a_built_in_model_written_out_is_that_model_to_the_bit() {
    for (name, built_in, own, shape) in twins() {
        let (theirs, ours) = (network(built_in, shape), network(&own, shape));
        let named = |network: &Network| {
            let parameters = network.parameters();
            let all = parameters.into_iter().chain(network.buffers());
            all.map(|p| (p.name, p.dims, p.range)).collect::<Vec<_>>()
        };
        assert_eq!(named(&ours), named(&theirs), "{name}");
        assert_eq!(
            (ours.classes, ours.positions),
            (theirs.classes, theirs.positions),
            "{name}"
        );
        let values = weights::initial(&theirs, 5);
        assert_eq!(weights::initial(&ours, 5), values, "{name}");
        for batch in [2, 19] {
            assert_eq!(
                gradients(&ours, &values, batch),
                gradients(&theirs, &values, batch),
                "{name}, B = {batch}"
            );
        }
    }
}

/// Names of modules as `nn.Sequential` gives them, and as nested modules join them.
#[test]
fn names_are_those_of_pytorch_s_modules() {
    let names = |text: &str| -> Vec<String> {
        let network = network(text, [2, 8, 8]);
        gradstudy::models::select::modules(&network)
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    };
    assert_eq!(
        names("network([conv2d(4, kernel: 3), relu, conv2d(4, kernel: 3), flatten, linear(10)])"),
        ["0", "2", "4"]
    );
    assert_eq!(
        names("network([stem: [conv2d(4, kernel: 3), relu], [linear(5), tanh], head: linear(10)])"),
        ["stem.0", "1.0", "head"]
    );
    assert_eq!(
        names(
            "network([a: repeat(2, conv2d(4, kernel: 3)), b: repeat(2, [relu, conv2d(4, kernel: 1)]), linear(3)])"
        ),
        ["a.0", "a.1", "b.0.1", "b.1.1", "2"]
    );
    assert_eq!(
        names(
            "network([a: residual([conv: conv2d(4, kernel: 1), relu], \
                                  shortcut: [downsample: [conv2d(4, kernel: 1), batch_norm]], after: [bn: batch_norm]), \
                      b: residual(conv2d(4, kernel: 1), shortcut: conv2d(4, kernel: 1)), linear(3)])"
        ),
        [
            "a.conv",
            "a.downsample.0",
            "a.downsample.1",
            "a.bn",
            "b.0",
            "b.shortcut",
            "2"
        ]
    );
}

/// The same network written out in a study with nothing changed but the statement's name is the same step, whose weights
/// another label changes.
#[test]
fn labels_are_part_of_what_a_step_is() {
    let weights =
        |label: &str| weights::initial(&network(&format!("network([{label}: linear(3)])"), [1, 2, 2]), 1);
    assert_eq!(weights("fc"), weights("fc"));
    assert_ne!(weights("fc"), weights("head"));
}
