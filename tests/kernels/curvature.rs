//! Products with curvature matrices.

use gradstudy::data::Dataset;
use gradstudy::gradients::engine::Engine;
use gradstudy::hessian::{Curvature, Operator};
use gradstudy::layers::{Conv2d, GlobalAvgPool, Linear, Products, Relu};
use gradstudy::models::network::Builder;
use gradstudy::models::{Network, weights};
use gradstudy::signature::Value;

use super::{NEVER, args, device, gpu, images, model, relative_error, residual};

#[test]
fn curvature_products_of_kernels_are_the_hosts() {
    if gpu().is_none() {
        return;
    }
    let data = images();
    let mut plain = Builder::new([1, 28, 28]);
    // A way around a layer, and an average: what LeNet lacks.
    let side = Conv2d {
        input: plain.shape(),
        out_channels: 3,
        kernel: 3,
        stride: 2,
        padding: 1,
        ..Conv2d::default()
    };
    plain.push("first", side);
    let x = plain.last();
    let same = Conv2d {
        input: plain.shape(),
        stride: 1,
        ..side
    };
    plain.push("second", same);
    plain.push("relu", Relu { shape: plain.shape() });
    let branch = plain.last();
    plain.push_from(x, "third", same);
    plain.plus(branch);
    plain.push("mean", GlobalAvgPool { input: plain.shape() });
    let input = plain.shape();
    plain.push("linear", Linear { input, outputs: 10 });
    for (network, samples) in [
        (model("lenet", args([("logits", Value::Integer(10))])), 13),
        (mlp(false), 207),
        (plain.build("Around"), 13),
    ] {
        compare(&network, &data, samples, None, 1e-5);
    }
}

/// Two hidden layers.
fn mlp(batchnorm: bool) -> Network {
    let settings = [
        ("depth", Value::Integer(2)),
        ("width", Value::Integer(13)),
        ("batchnorm", Value::Boolean(batchnorm)),
        ("activation", Value::Text("relu".into())),
        ("logits", Value::Integer(10)),
    ];
    model("fcn", args(settings))
}

/// Products of all three matrices by kernels and by the host, layer by layer.
fn compare(network: &Network, data: &Dataset, samples: u32, minibatches: Option<usize>, tolerance: f64) {
    let mut theta = weights::initial(network, 0);
    // Running statistics, γ and β that matter.
    for (i, value) in theta.iter_mut().enumerate() {
        *value += match network.has_batch_norm() {
            true => (i % 7) as f32 * 0.01,
            false => 0.0,
        };
    }
    let n = network.parameter_count();
    let samples: Vec<u32> = (0..samples).map(|i| i * 37 % 5000).collect();
    let directions: Vec<f32> = (0..2 * n)
        .map(|i| ((i * 7919 % 1013) as f32 - 506.0) / 506.0)
        .collect();
    for kind in [
        Curvature::Hessian,
        Curvature::GaussNewton,
        Curvature::EmpiricalFisher,
    ] {
        let product = |operator: Operator| {
            let mut products = vec![f64::NAN; directions.len()];
            let done = operator.products(&directions, &mut products, &NEVER);
            done.expect("nobody cancels").unwrap();
            products
        };
        let operator = || {
            let operator = Operator::new(network, &theta, data, &samples, kind).unwrap();
            match minibatches {
                None => operator,
                Some(size) => operator.in_minibatches(size).unwrap(),
            }
        };
        let host = product(operator());
        let on = operator().on(&Engine::Burn(device(), Products::Double));
        assert!(on.has_kernels(), "{}", network.name);
        let other = product(on);
        for placed in network.layers.iter().filter(|placed| !placed.range.is_empty()) {
            let of = |products: &[f64]| -> Vec<f32> {
                let rows = products.chunks(n);
                rows.flat_map(|row| {
                    row[placed.range.clone()]
                        .iter()
                        .map(|v| *v as f32)
                        .collect::<Vec<_>>()
                })
                .collect()
            };
            let error = relative_error(&of(&other), &of(&host));
            assert!(
                error < tolerance,
                "{}, {kind:?}, {minibatches:?}, {}: {error:e}",
                network.name,
                placed.name
            );
        }
    }
}

#[test]
fn curvature_products_through_batch_normalisation_are_the_hosts() {
    if gpu().is_none() {
        return;
    }
    let data = images();
    let mlp = mlp(true);
    compare(&mlp, &data, 207, None, 1e-5);
    compare(&mlp, &data, 60, Some(20), 1e-5);
    compare(&residual(), &data, 9, None, 1e-5);
    // float32 on both sides: what comes back through a minibatch's statistics is a small difference.
    compare(&residual(), &data, 12, Some(6), 1e-4);
    // Asked for after the GPU was.
    let theta = weights::initial(&mlp, 0);
    let samples: Vec<u32> = (0..40).collect();
    let operator = || Operator::new(&mlp, &theta, &data, &samples, Curvature::Hessian).unwrap();
    let engine = Engine::Burn(device(), Products::Double);
    let direction: Vec<f32> = (0..theta.len().min(mlp.parameter_count()))
        .map(|i| (i as f32).sin())
        .collect();
    let product = |operator: Operator| {
        let mut product = vec![f64::NAN; direction.len()];
        operator
            .products(&direction, &mut product, &NEVER)
            .unwrap()
            .unwrap();
        product
    };
    let first = product(operator().on(&engine).in_minibatches(10).unwrap());
    let second = product(operator().in_minibatches(10).unwrap().on(&engine));
    assert_eq!(first, second);
}
