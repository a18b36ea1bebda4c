//! Every layer's host kernels against two references: PyTorch's float64 values
//! (tests/reference/gradients/make_golden.py) and burn's autodiff.

mod every_layer;
mod special;

use burn::{Device, Tensor, TensorData};
use safetensors::SafeTensors;

use super::lanes::{LANES, Lanes, Segment};
use super::*;
use every_layer::layers;

/// What a layer does to one batch of samples, each vector row-major over samples.
struct Passes {
    output: Vec<f32>,
    grad_input: Vec<f32>,
    /// Summed over all samples.
    gradient: Vec<f32>,
    /// One per sample.
    per_sample: Vec<Vec<f32>>,
}

/// The device of `GRADSTUDY_DEVICE`, burn's CPU backend unless it is a GPU. (The command line's own choice comes after this
/// module.)
fn device() -> Device {
    let name = std::env::var("GRADSTUDY_DEVICE").unwrap_or_default();
    let Some(index) = name.strip_prefix("cuda") else {
        return Device::flex();
    };
    let index: usize = match index.strip_prefix(':') {
        None => 0,
        Some(index) => index.parse().expect("the number of a GPU"),
    };
    #[cfg(feature = "cuda")]
    return Device::cuda(index);
    #[cfg(not(feature = "cuda"))]
    panic!("cuda:{index} needs --features cuda");
}

/// Products as they are by default on that device.
fn products() -> Products {
    match device() == Device::flex() {
        true => Products::Native,
        false => Products::Double,
    }
}

fn parameters(layer: &dyn Layer) -> usize {
    layer.parameters().iter().map(|p| p.len()).sum()
}

/// Random parameters, and running statistics with variances that are positive.
fn values(layer: &dyn Layer, salt: u64) -> Vec<f32> {
    let buffers: usize = layer.buffers().iter().map(|p| p.len()).sum();
    let mut values = numbers(parameters(layer) + buffers, salt);
    let count = values.len();
    values[count - buffers / 2..]
        .iter_mut()
        .for_each(|v| *v = v.abs() + 0.5);
    values
}

fn load(samples: &[f32], size: usize) -> Vec<Lanes> {
    let mut lanes = vec![Lanes::default(); size];
    for (lane, sample) in samples.chunks_exact(size).enumerate() {
        lanes.iter_mut().zip(sample).for_each(|(l, x)| l.0[lane] = *x);
    }
    lanes
}

fn unload(lanes: &[Lanes], samples: usize) -> Vec<f32> {
    (0..samples)
        .flat_map(|lane| lanes.iter().map(move |l| l.0[lane]))
        .collect()
}

/// Runs at most sixteen samples through the host kernels.
fn host(layer: &dyn Layer, input: Shape, theta: &[f32], x: &[f32], grad_output: &[f32]) -> Passes {
    let samples = x.len() / size(input);
    let (inputs, outputs) = (load(x, size(input)), size(layer.output()));
    let deltas = load(grad_output, outputs);
    let mut output = vec![Lanes::default(); outputs];
    let mut grad_input = vec![Lanes([7.0; LANES]); size(input)];
    let mut scratch = vec![Lanes::default(); layer.scratch()];
    layer.forward(theta, &inputs, &mut output, &mut scratch);
    layer.backward(theta, &inputs, &output, &deltas, &mut grad_input, &mut scratch);
    let n = parameters(layer);
    let place = Place { stride: n, offset: 0 };
    let mut gradient = vec![9.0; n];
    let all = [Segment {
        lanes: 0..samples,
        column: 0,
        first: true,
    }];
    layer.gradient(theta, &inputs, &deltas, &mut scratch, &all, &mut gradient, place);
    let mut columns = vec![9.0; n * samples];
    let single: Vec<_> = (0..samples)
        .map(|s| Segment {
            lanes: s..s + 1,
            column: s,
            first: true,
        })
        .collect();
    layer.gradient(
        theta,
        &inputs,
        &deltas,
        &mut scratch,
        &single,
        &mut columns,
        place,
    );
    let per_sample = columns.chunks(n.max(1)).map(<[f32]>::to_vec).collect();
    Passes {
        output: unload(&output, samples),
        grad_input: unload(&grad_input, samples),
        gradient,
        per_sample,
    }
}

/// The same by burn: autodiff with respect to input and parameters.
fn burn(
    layer: &dyn Layer,
    input: Shape,
    theta: &[f32],
    x: &[f32],
    grad_output: &[f32],
    products: Products,
) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let device = device().autodiff();
    let samples = x.len() / size(input);
    let [c, h, w] = input;
    let [oc, oh, ow] = layer.output();
    let x = Tensor::<4>::from_data(TensorData::new(x.to_vec(), [samples, c, h, w]), &device).require_grad();
    let theta = if theta.is_empty() {
        vec![0.0]
    } else {
        theta.to_vec()
    };
    let theta = Tensor::<1>::from_data(TensorData::new(theta.clone(), [theta.len()]), &device).require_grad();
    let delta = Tensor::<4>::from_data(
        TensorData::new(grad_output.to_vec(), [samples, oc, oh, ow]),
        &device,
    );
    let output = layer.tensor_forward(theta.clone(), x.clone(), products);
    let grads = (output.clone() * delta).sum().backward();
    let values = |data: TensorData| data.as_slice::<f32>().unwrap().to_vec();
    let mut gradient = theta.grad(&grads).map_or(vec![], |g| values(g.into_data()));
    gradient.truncate(parameters(layer));
    (
        values(output.into_data()),
        values(x.grad(&grads).unwrap().into_data()),
        gradient,
    )
}

fn relative_error(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let (error, norm) = a.iter().zip(b).fold((0.0, 0.0), |(e, n), (a, b)| {
        (e + f64::from(a - b).powi(2), n + f64::from(*b).powi(2))
    });
    (error / f64::max(norm, 1e-30)).sqrt()
}

/// Numbers in (−1, 1) that look random and never change.
fn numbers(count: usize, salt: u64) -> Vec<f32> {
    use rand::RngExt;
    let mut rng = gradstudy_base::seed::rng(salt, "layer tests");
    (0..count).map(|_| rng.random_range(-1.0f32..1.0)).collect()
}

#[test]
fn host_kernels_equal_burn_s_autodiff() {
    for (i, (input, layer)) in layers().into_iter().enumerate() {
        for samples in [16, 5] {
            let theta = values(layer.as_ref(), 1);
            let x = numbers(samples * size(input), 2 + i as u64);
            let delta = numbers(samples * size(layer.output()), 3);
            let ours = host(layer.as_ref(), input, &theta, &x, &delta);
            let (output, grad_input, gradient) = burn(layer.as_ref(), input, &theta, &x, &delta, products());
            assert!(relative_error(&ours.output, &output) < 1e-6, "{layer:?} forward");
            assert!(
                relative_error(&ours.grad_input, &grad_input) < 1e-6,
                "{layer:?} backward"
            );
            if !theta.is_empty() {
                assert!(
                    relative_error(&ours.gradient, &gradient) < 1e-6,
                    "{layer:?} gradient"
                );
            }
        }
    }
}

#[test]
fn per_sample_gradients_equal_those_of_single_samples() {
    for (input, layer) in layers() {
        let theta = values(layer.as_ref(), 1);
        let (x, delta) = (numbers(6 * size(input), 2), numbers(6 * size(layer.output()), 3));
        let ours = host(layer.as_ref(), input, &theta, &x, &delta);
        if theta.is_empty() {
            continue;
        }
        for (s, column) in ours.per_sample.iter().enumerate() {
            let x = &x[s * size(input)..][..size(input)];
            let delta = &delta[s * size(layer.output())..][..size(layer.output())];
            let (_, _, gradient) = burn(layer.as_ref(), input, &theta, x, delta, products());
            assert!(relative_error(column, &gradient) < 1e-6, "{layer:?}, sample {s}");
        }
    }
}

/// What keeps a GPU's rounding of factors out changes nothing else.
#[test]
fn products_in_float64_are_those_of_float32_to_rounding() {
    for (input, layer) in layers() {
        let theta = values(layer.as_ref(), 1);
        let (x, delta) = (numbers(6 * size(input), 2), numbers(6 * size(layer.output()), 3));
        let of = |products| burn(layer.as_ref(), input, &theta, &x, &delta, products);
        let (single, double) = (of(products()), of(Products::Double));
        for (single, double) in [(single.0, double.0), (single.1, double.1), (single.2, double.2)] {
            assert!(relative_error(&single, &double) < 1e-6, "{layer:?}");
        }
        let [c, h, w] = input;
        let [oc, oh, ow] = layer.output();
        let tensor = |values: &[f32], dims: [usize; 4]| {
            Tensor::<4>::from_data(TensorData::new(values.to_vec(), dims), &device())
        };
        let per_minibatch = |products| {
            let (x, delta) = (tensor(&x, [6, c, h, w]), tensor(&delta, [6, oc, oh, ow]));
            let gradients = layer.tensor_gradient(x, delta, 2, products)?;
            Some(gradients.into_data().as_slice::<f32>().unwrap().to_vec())
        };
        if let Some((single, double)) = per_minibatch(products()).zip(per_minibatch(Products::Double)) {
            assert!(relative_error(&single, &double) < 1e-6, "{layer:?}");
        }
    }
}

#[test]
fn burn_gradients_per_minibatch_sum_samples() {
    let device = device();
    for (input, layer) in layers() {
        let theta = values(layer.as_ref(), 1);
        // A normalisation has another burn form for many minibatches; tests/models.rs compares it.
        if theta.is_empty() || layer.batch_norm().is_some() {
            continue;
        }
        let (x, delta) = (numbers(6 * size(input), 2), numbers(6 * size(layer.output()), 3));
        let [c, h, w] = input;
        let [oc, oh, ow] = layer.output();
        let x_tensor = Tensor::<4>::from_data(TensorData::new(x.clone(), [6, c, h, w]), &device);
        let d_tensor = Tensor::<4>::from_data(TensorData::new(delta.clone(), [6, oc, oh, ow]), &device);
        let batches = layer
            .tensor_gradient(x_tensor, d_tensor, 2, products())
            .unwrap()
            .into_data();
        let batches = batches.as_slice::<f32>().unwrap();
        for (m, gradient) in batches.chunks(theta.len()).enumerate() {
            let x = &x[m * 3 * size(input)..][..3 * size(input)];
            let delta = &delta[m * 3 * size(layer.output())..][..3 * size(layer.output())];
            let ours = host(layer.as_ref(), input, &theta, x, delta);
            assert!(
                relative_error(&ours.gradient, gradient) < 1e-6,
                "{layer:?}, minibatch {m}"
            );
        }
    }
}

#[test]
fn host_kernels_equal_pytorch_in_float64() {
    let bytes = include_bytes!("../../../../tests/reference/gradients/golden_layers.safetensors");
    let golden = SafeTensors::deserialize(bytes).unwrap();
    let get = |case: &str, name: &str| {
        let tensor = golden.tensor(&format!("{case}.{name}")).ok()?;
        let values = tensor
            .data()
            .chunks_exact(8)
            .map(|b| f64::from_le_bytes(b.try_into().unwrap()) as f32);
        Some((tensor.shape().to_vec(), values.collect::<Vec<f32>>()))
    };
    let cases = [
        "conv_1to2",
        "conv_3to4",
        "conv_5to1_1x1",
        "linear",
        "max_pool",
        "max_pool_odd",
        "max_pool_ties",
        "relu_at_zero",
    ];
    for case in cases {
        let (dims, x) = get(case, "input").unwrap();
        let input: Shape = std::array::from_fn(|i| dims.get(i + 1).copied().unwrap_or(1));
        let weight = get(case, "weight");
        let layer: Box<dyn Layer> = match (case.split('_').next().unwrap(), &weight) {
            ("conv", Some((dims, _))) => Box::new(Conv2d {
                input,
                out_channels: dims[0],
                kernel: dims[2],
                ..Conv2d::default()
            }),
            ("linear", Some((dims, _))) => Box::new(Linear {
                input,
                outputs: dims[0],
            }),
            ("max", _) => Box::new(MaxPool2d { input, window: 2 }),
            _ => Box::new(Relu { shape: input }),
        };
        let join = |a: &str, b: &str| {
            let (a, b) = (get(case, a), get(case, b));
            a.into_iter()
                .chain(b)
                .flat_map(|(_, values)| values)
                .collect::<Vec<f32>>()
        };
        let theta = join("weight", "bias");
        let ours = host(
            layer.as_ref(),
            input,
            &theta,
            &x,
            &get(case, "grad_output").unwrap().1,
        );
        assert!(
            relative_error(&ours.output, &get(case, "output").unwrap().1) < 1e-6,
            "{case} forward"
        );
        assert!(
            relative_error(&ours.grad_input, &get(case, "grad_input").unwrap().1) < 1e-6,
            "{case} backward"
        );
        assert!(
            relative_error(&ours.gradient, &join("grad_weight", "grad_bias")) < 1e-6,
            "{case} gradient"
        );
    }
}
