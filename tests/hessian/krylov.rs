//! The eigensolver: against the whole space, across restarts, interruptions and numbers of threads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use gradstudy::hessian::{Curvature, CurvatureSpectrum, Operator, Order, Request, spectrum};
use gradstudy::models::Network;
use gradstudy::stats::monitor::Monitor;

use super::nets::{network, numbers, random_data, solve};

/// A network of 1115 parameters at scaled random weights, 90 samples.
fn with_operator<R>(kind: Curvature, test: impl FnOnce(&Operator, &Network) -> R) -> R {
    let network = network("wide");
    let data = random_data(&network, 90);
    let theta: Vec<f32> = numbers(network.parameter_count(), 2)
        .iter()
        .map(|t| 0.7 * t)
        .collect();
    let samples: Vec<u32> = (0..90).collect();
    let operator = Operator::new(&network, &theta, &data, &samples, kind).unwrap();
    test(&operator, &network)
}

fn assert_same(a: &CurvatureSpectrum, b: &[f64], tolerance: f64) {
    for (k, (a, b)) in a.values.iter().zip(b).enumerate() {
        assert!((a - b).abs() < tolerance * b.abs(), "{k}: {a} and {b}");
    }
}

#[test]
fn a_krylov_space_finds_what_the_whole_space_has() {
    for kind in [
        Curvature::Hessian,
        Curvature::GaussNewton,
        Curvature::EmpiricalFisher,
    ] {
        with_operator(kind, |operator, _| {
            let whole = solve(operator, &Request::new(operator.size())).unwrap();
            assert_eq!(whole.products, operator.size() as u64);
            let mut by_magnitude = whole.values.clone();
            by_magnitude.sort_by(|a, b| b.abs().total_cmp(&a.abs()));
            for (order, expected) in [(Order::Largest, &whole.values), (Order::Magnitude, &by_magnitude)] {
                let request = Request {
                    order,
                    ..Request::new(25)
                };
                let few = solve(operator, &request).unwrap();
                assert!(few.products < 400, "{}", few.products);
                assert_eq!((few.converged, few.restarts), (25, 0));
                assert_same(&few, expected, 1e-5);
            }
        });
    }
}

#[test]
fn a_fifth_of_all_eigenvalues() {
    with_operator(Curvature::Hessian, |operator, _| {
        let whole = solve(operator, &Request::new(operator.size())).unwrap();
        let many = solve(operator, &Request::new(240)).unwrap();
        assert_same(&many, &whole.values, 1e-5);
    });
}

#[test]
fn residuals_are_those_of_the_vectors() {
    with_operator(Curvature::Hessian, |operator, _| {
        let request = Request {
            vectors: true,
            ..Request::new(25)
        };
        let found = solve(operator, &request).unwrap();
        let (n, vectors) = (operator.size(), found.vectors.unwrap());
        let mut products = vec![0.0; vectors.len()];
        operator
            .products(&vectors, &mut products, &AtomicBool::new(false))
            .expect("nobody cancels")
            .unwrap();
        for k in 0..25 {
            let (v, hv) = (&vectors[k * n..][..n], &products[k * n..][..n]);
            let length: f64 = v.iter().map(|v| f64::from(*v).powi(2)).sum();
            let squares = hv
                .iter()
                .zip(v)
                .map(|(p, v)| (p - found.values[k] * f64::from(*v)).powi(2));
            let residual = squares.sum::<f64>().sqrt();
            assert!((length - 1.0).abs() < 1e-6, "{k}: {length}");
            assert!(residual <= 1e-4 * found.values[k], "{k}: {residual:e}");
            // Rounding apart, it is the residual that was reported.
            assert!(
                (residual - found.residuals[k]).abs() < 3e-7 * found.values[0],
                "{k}: {residual:e}"
            );
        }
    });
}

#[test]
fn restarts_change_the_way_and_not_the_eigenvalues() {
    with_operator(Curvature::Hessian, |operator, _| {
        let free = solve(operator, &Request::new(25)).unwrap();
        let request = Request {
            memory: 60 * 4 * operator.size(),
            ..Request::new(25)
        };
        let tight = solve(operator, &request).unwrap();
        assert!(tight.restarts > 1 && tight.products > free.products, "{tight:?}");
        assert_eq!(tight.converged, 25);
        assert_same(&tight, &free.values, 1e-6);
    });
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    with_operator(Curvature::Hessian, |operator, _| {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| solve(operator, &Request::new(20)).unwrap())
        };
        assert_eq!(run(1), run(3));
    });
}

#[test]
fn a_cancelled_computation_goes_on_from_its_state_to_the_same_bits() {
    for memory in [1 << 30, 60 * 4 * 1115] {
        with_operator(Curvature::Hessian, |operator, _| {
            let folder = tempfile::tempdir().unwrap();
            let request = Request {
                memory,
                state: Some(folder.path().join("state")),
                ..Request::new(25)
            };
            let at_once = solve(
                operator,
                &Request {
                    state: None,
                    ..request.clone()
                },
            )
            .unwrap();
            let mut interruptions = 0;
            let found = loop {
                // Stops after some thirty more products each time.
                let (cancel, seen) = (AtomicBool::new(false), AtomicU64::new(0));
                let progress = |products| {
                    let before = seen.fetch_add(products, Ordering::Relaxed);
                    cancel.store(
                        before > 0 && before + products > 28 * (interruptions + 1),
                        Ordering::Relaxed,
                    );
                };
                let monitor = Monitor {
                    progress: &progress,
                    cancel: &cancel,
                };
                match spectrum(operator, &request, &monitor) {
                    None => interruptions += 1,
                    Some(found) => break found.unwrap(),
                }
                assert!(interruptions < 1000);
            };
            assert!(interruptions > 2, "{interruptions}");
            assert_eq!(found, at_once);
        });
    }
}

#[test]
fn the_state_of_another_computation_is_not_taken() {
    with_operator(Curvature::Hessian, |operator, _| {
        let folder = tempfile::tempdir().unwrap();
        let with_state = |seed| Request {
            seed,
            state: Some(folder.path().to_path_buf()),
            ..Request::new(25)
        };
        let cancel = AtomicBool::new(false);
        let stop = |_| cancel.store(true, Ordering::Relaxed);
        let monitor = Monitor {
            progress: &stop,
            cancel: &cancel,
        };
        assert!(spectrum(operator, &with_state(0), &monitor).is_none());
        let other = solve(operator, &with_state(1)).unwrap();
        assert_eq!(
            other,
            solve(
                operator,
                &Request {
                    seed: 1,
                    ..Request::new(25)
                }
            )
            .unwrap()
        );
    });
}
