//! Curvature that can be written down.

use gradstudy::gradients::engine::Engine;
use gradstudy::hessian::{Curvature, Operator, Request};
use gradstudy::layers::BatchNormMode;
use std::sync::atomic::AtomicBool;

use super::nets::{dense, network, norm, numbers, random_data, solve};

/// Softmax regression: H = 1/N Σ (diag(p) − p pᵀ) ⊗ [x; 1][x; 1]ᵀ, and it is the Gauss–Newton matrix.
#[test]
fn softmax_regression() {
    let network = network("softmax");
    let (inputs, classes, examples) = (4, 3, 37);
    let data = random_data(&network, examples);
    let theta = numbers(network.parameter_count(), 3);
    let n = theta.len();
    // Rows of W, then b: parameter of class c and input i.
    let index = |c: usize, i: usize| {
        if i == inputs {
            classes * inputs + c
        } else {
            c * inputs + i
        }
    };
    let mut expected = vec![0.0; n * n];
    for s in 0..examples {
        let x: Vec<f64> = data.image(s).iter().map(|x| f64::from(*x)).chain([1.0]).collect();
        let logit = |c: usize| {
            (0..=inputs)
                .map(|i| f64::from(theta[index(c, i)]) * x[i])
                .sum::<f64>()
        };
        let sum: f64 = (0..classes).map(|c| logit(c).exp()).sum();
        let p: Vec<f64> = (0..classes).map(|c| logit(c).exp() / sum).collect();
        for c in 0..classes {
            for d in 0..classes {
                let curvature = if c == d { p[c] } else { 0.0 } - p[c] * p[d];
                for i in 0..=inputs {
                    for j in 0..=inputs {
                        expected[index(c, i) * n + index(d, j)] += curvature * x[i] * x[j] / examples as f64;
                    }
                }
            }
        }
    }
    let samples: Vec<u32> = (0..examples as u32).collect();
    for kind in [Curvature::Hessian, Curvature::GaussNewton] {
        let operator = Operator::new(&network, &theta, &data, &samples, kind).unwrap();
        let ours = dense(&operator);
        let error: Vec<f64> = ours.iter().zip(&expected).map(|(a, b)| a - b).collect();
        assert!(
            norm(&error) < 1e-6 * norm(&expected),
            "{kind:?}: {:e}",
            norm(&error) / norm(&expected)
        );
    }
}

/// At θ = 0 only the last bias matters: its block is I/c − 11ᵀ/c², with eigenvalue 1/c, c − 1 times.
#[test]
fn all_parameters_zero() {
    let network = network("wide");
    let data = random_data(&network, 50);
    let theta = vec![0.0; network.parameter_count()];
    let samples: Vec<u32> = (0..50).collect();
    for kind in [Curvature::Hessian, Curvature::GaussNewton] {
        let operator = Operator::new(&network, &theta, &data, &samples, kind).unwrap();
        let found = solve(&operator, &Request::new(8)).unwrap();
        for (k, value) in found.values.iter().enumerate() {
            let expected = if k < 4 { 0.2 } else { 0.0 };
            assert!((value - expected).abs() < 1e-7, "{kind:?}, {k}: {value}");
        }
        // The zeros are zero to rounding, which is more than any share of their size.
        assert_eq!(found.converged, 4);
        assert!(found.residuals.iter().all(|r| *r < 1e-6), "{:?}", found.residuals);
    }
}

/// F v = 1/N Σ gᵢ (gᵢ·v) with the gradients that `record` collects.
#[test]
fn fisher_is_the_second_moment_of_recorded_gradients() {
    let network = network("conv");
    let data = random_data(&network, 45);
    let (theta, n) = (numbers(network.parameter_count(), 5), network.parameter_count());
    let samples: Vec<u32> = (0..45).rev().collect();
    let mut columns = vec![0.0; n * samples.len()];
    Engine::Host
        .record(
            &network,
            &theta,
            &data,
            &samples,
            1,
            BatchNormMode::Batch,
            &mut columns,
            &|_| {},
        )
        .unwrap();
    let direction = numbers(n, 6);
    let mut expected = vec![0.0; n];
    for g in columns.chunks(n) {
        let slope: f64 = g
            .iter()
            .zip(&direction)
            .map(|(g, v)| f64::from(*g) * f64::from(*v))
            .sum();
        expected
            .iter_mut()
            .zip(g)
            .for_each(|(e, g)| *e += slope * f64::from(*g) / 45.0);
    }
    let operator = Operator::new(&network, &theta, &data, &samples, Curvature::EmpiricalFisher).unwrap();
    let mut product = vec![0.0; n];
    operator
        .products(&direction, &mut product, &AtomicBool::new(false))
        .expect("nobody cancels")
        .unwrap();
    let error: Vec<f64> = product.iter().zip(&expected).map(|(a, b)| a - b).collect();
    assert!(
        norm(&error) < 1e-6 * norm(&expected),
        "{:e}",
        norm(&error) / norm(&expected)
    );
}

/// A product is linear in the vector, whatever stands beside it in the block.
#[test]
fn vectors_of_a_block_do_not_mix() {
    let network = network("padded");
    let data = random_data(&network, 150);
    let (theta, n) = (numbers(network.parameter_count(), 5), network.parameter_count());
    let samples: Vec<u32> = (0..150).collect();
    let operator = Operator::new(&network, &theta, &data, &samples, Curvature::Hessian).unwrap();
    let never = AtomicBool::new(false);
    let directions = numbers(3 * n, 7);
    let mut together = vec![0.0; 3 * n];
    operator
        .products(&directions, &mut together, &never)
        .expect("nobody cancels")
        .unwrap();
    for (direction, together) in directions.chunks(n).zip(together.chunks(n)) {
        let mut alone = vec![0.0; n];
        operator
            .products(direction, &mut alone, &never)
            .expect("nobody cancels")
            .unwrap();
        assert_eq!(alone, together);
        let doubled: Vec<f32> = direction.iter().map(|v| 2.0 * v).collect();
        operator
            .products(&doubled, &mut alone, &never)
            .expect("nobody cancels")
            .unwrap();
        let expected: Vec<f64> = together.iter().map(|v| 2.0 * v).collect();
        assert_eq!(alone, expected);
    }
}
