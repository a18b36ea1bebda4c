//! What holds of one layer alone.

use super::*;

/// Tokens have no gradient, so the embedding stands apart from the other layers.
#[test]
fn an_embedding_equals_burn_s_autodiff() {
    let layer = Embedding {
        tokens: 7,
        vocabulary: 5,
        dim: 6,
    };
    let (input, samples) = ([1, 1, 7], 6);
    // Token 3 never occurs: its gradient is 0. The others occur several times in a sample.
    let x: Vec<f32> = (0..samples * 7)
        .map(|i| [0.0, 1.0, 2.0, 4.0][i * i % 11 % 4])
        .collect();
    let (theta, delta) = (values(&layer, 1), numbers(samples * size(layer.output()), 3));
    let ours = host(&layer, input, &theta, &x, &delta);
    let device = device().autodiff();
    let gradient = |samples: std::ops::Range<usize>| {
        let (x, delta) = (
            &x[samples.start * 7..samples.end * 7],
            &delta[samples.start * 42..samples.end * 42],
        );
        let tensor = |values: &[f32], dims: [usize; 4]| {
            Tensor::<4>::from_data(TensorData::new(values.to_vec(), dims), &device)
        };
        let (x, delta) = (
            tensor(x, [samples.len(), 1, 1, 7]),
            tensor(delta, [samples.len(), 6, 1, 7]),
        );
        let theta = Tensor::<1>::from_data(TensorData::new(theta.clone(), [30]), &device).require_grad();
        let output = layer.tensor_forward(theta.clone(), x.clone(), products());
        let grads = (output.clone() * delta.clone()).sum().backward();
        let batches = layer
            .tensor_gradient(x.inner(), delta.inner(), 1, products())
            .unwrap()
            .into_data();
        let gradient = theta.grad(&grads).unwrap().into_data();
        let floats = |data: TensorData| data.as_slice::<f32>().unwrap().to_vec();
        assert!(relative_error(&floats(batches), &floats(gradient.clone())) < 1e-6);
        (floats(output.into_data()), floats(gradient))
    };
    let (output, all) = gradient(0..samples);
    assert_eq!(ours.output, output);
    assert!(relative_error(&ours.gradient, &all) < 1e-6);
    assert!(ours.gradient[18..24].iter().all(|g| *g == 0.0));
    for (s, column) in ours.per_sample.iter().enumerate() {
        assert!(relative_error(column, &gradient(s..s + 1).1) < 1e-6, "sample {s}");
    }
}

#[test]
fn attention_without_a_past_repeats_the_value() {
    let layer = Attention {
        tokens: 6,
        dim: 4,
        heads: 2,
        causal: true,
    };
    let x = numbers(12 * 6, 8);
    let ours = host(&layer, [12, 1, 6], &[], &x, &numbers(24, 9));
    // The first token sees itself alone: its output is its own value, channels 8 to 11.
    for channel in 0..4 {
        assert_eq!(ours.output[channel * 6], x[(8 + channel) * 6]);
    }
}

#[test]
fn a_linear_layer_is_a_dense_product() {
    use nalgebra::{DMatrix, DVector};
    let layer = Linear {
        input: [31, 1, 1],
        outputs: 18,
    };
    let theta = numbers(parameters(&layer), 4);
    let (x, delta) = (numbers(31, 5), numbers(18, 6));
    let ours = host(&layer, layer.input, &theta, &x, &delta);
    let wide = |values: &[f32]| DVector::from_iterator(values.len(), values.iter().map(|v| f64::from(*v)));
    let weight = DMatrix::from_row_iterator(18, 31, theta[..18 * 31].iter().map(|v| f64::from(*v)));
    let (x, delta, bias) = (wide(&x), wide(&delta), wide(&theta[18 * 31..]));
    let close = |ours: &[f32], dense: DVector<f64>| (wide(ours) - &dense).norm() < 1e-6 * dense.norm();
    assert!(close(&ours.output, &weight * &x + bias));
    assert!(close(&ours.grad_input, weight.transpose() * &delta));
    let outer = (&x * delta.transpose()).as_slice().to_vec();
    assert!(close(&ours.gradient[..18 * 31], DVector::from_vec(outer)));
}

/// A sum may be added to the output of a layer only if its backward pass and its second-order rule do not look there.
#[test]
fn only_layers_that_say_so_look_at_their_output() {
    for (input, layer) in layers() {
        let theta = values(layer.as_ref(), 1);
        let (x, delta) = (numbers(5 * size(input), 2), numbers(5 * size(layer.output()), 3));
        let (inputs, deltas) = (load(&x, size(input)), load(&delta, size(layer.output())));
        let mut output = vec![Lanes::default(); size(layer.output())];
        let mut scratch = vec![Lanes::default(); layer.scratch()];
        layer.forward(&theta, &inputs, &mut output, &mut scratch);
        let mut back = |shift: f32| {
            let output: Vec<Lanes> = output.iter().map(|y| Lanes(y.0.map(|y| y + shift))).collect();
            let mut found =
                [size(input), size(layer.output()), size(input)].map(|size| vec![Lanes::default(); size]);
            let [grad_input, tangent, more] = &mut found;
            layer.backward(&theta, &inputs, &output, &deltas, grad_input, &mut scratch);
            match layer.second_order() {
                SecondOrder::Piecewise(rule) => rule.tangent(&inputs, &output, &inputs, tangent),
                SecondOrder::Smooth(rule) => {
                    rule.tangent(&inputs, &output, &inputs, tangent);
                    rule.add_curvature(&inputs, &output, &inputs, &deltas, more);
                }
                _ => {}
            }
            found
        };
        assert_eq!(back(0.0) != back(-3.0), layer.reads_output(), "{layer:?}");
    }
}
