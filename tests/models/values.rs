//! Initial values, and weights that come from files.

use super::*;

#[test]
fn initial_values_are_drawn_as_pytorch_draws_them() {
    for case in CASES {
        let network = Golden::read(case).network;
        let (values, other) = (weights::initial(&network, 3), weights::initial(&network, 4));
        for p in network.parameters().into_iter().chain(network.buffers()) {
            let (numbers, n) = (&values[p.range.clone()], p.range.len() as f64);
            match p.initial {
                Initial::Constant(value) => {
                    let expected = if ["weight", "running_var"].iter().any(|w| p.name.ends_with(w)) {
                        1.0
                    } else {
                        0.0
                    };
                    assert_eq!(value, expected, "{}", p.name);
                    assert!(numbers.iter().all(|v| f64::from(*v) == value), "{}", p.name);
                }
                Initial::Normal(sd) => {
                    // nn.Embedding's default, but for the positions of an image.
                    assert_eq!(sd, if case == "vit" { 0.02 } else { 1.0 }, "{}", p.name);
                    let sum = |power| {
                        numbers
                            .iter()
                            .map(|v| (f64::from(*v) / sd).powi(power))
                            .sum::<f64>()
                    };
                    let (mean, square, fourth) = (sum(1) / n, sum(2) / n, sum(4) / n);
                    assert!(mean.abs() < 4.5 / n.sqrt(), "{}: mean {mean}", p.name);
                    assert!(
                        (square - 1.0).abs() < 4.5 * (2.0 / n).sqrt(),
                        "{}: {square}",
                        p.name
                    );
                    assert!(
                        (fourth - 3.0).abs() < 4.5 * (96.0 / n).sqrt(),
                        "{}: {fourth}",
                        p.name
                    );
                    assert_ne!(numbers, &other[p.range.clone()], "{}", p.name);
                }
                Initial::Uniform(bound) => {
                    // PyTorch: fan_in is what one output sees; a bias has the bound of its layer's weight.
                    let weight = p.name.replace("bias", "weight");
                    let dims = network
                        .parameters()
                        .into_iter()
                        .find(|q| q.name == weight)
                        .unwrap()
                        .dims;
                    let fan_in: usize = dims[1..].iter().product();
                    assert!((bound * (fan_in as f64).sqrt() - 1.0).abs() < 1e-12, "{}", p.name);
                    assert!(numbers.iter().all(|v| f64::from(v.abs()) <= bound * (1.0 + 1e-6)));
                    let sd = (numbers.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / n).sqrt();
                    let expected = bound / 3.0f64.sqrt();
                    assert!(
                        (sd / expected - 1.0).abs() < 4.5 / (5.0 * n).sqrt(),
                        "{}: {sd}",
                        p.name
                    );
                    assert_ne!(numbers, &other[p.range.clone()], "{}", p.name);
                }
            }
        }
    }
}

#[test]
fn values_go_through_safetensors_and_come_from_pt_files() {
    let golden = Golden::read("fcn_bn");
    let values = golden.values("state");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    std::fs::write(&path, weights::to_safetensors(&golden.network, &values).unwrap()).unwrap();
    assert_eq!(weights::read(&golden.network, &path).unwrap(), values);
    // PyTorch's own files, with num_batches_tracked, alone and within a checkpoint.
    for name in ["fcn_bn.pt", "fcn_bn_checkpoint.pt"] {
        assert_eq!(
            weights::read(&golden.network, &reference(name)).unwrap(),
            values,
            "{name}"
        );
    }
}

#[test]
fn weights_that_do_not_fit_say_why() {
    let settings = |width, batchnorm| {
        format!(
            r#"{{"depth": 2, "width": {width}, "batchnorm": {batchnorm}, "activation": "relu", "logits": 5}}"#
        )
    };
    let error = |network: &Network, path: &Path| weights::read(network, path).unwrap_err().to_string();
    let pt = reference("fcn_bn.pt");
    let plain = build("fcn", &settings(9, false), [1, 4, 5]);
    insta::assert_snapshot!(error(&plain, &pt).replace(&reference("").display().to_string(), ""), @"`fcn_bn.pt` has a tensor `bn1.weight`, `bn1.bias`, `bn1.running_mean`, `bn1.running_var`, `bn1.num_batches_tracked`, `bn2.weight`, `bn2.bias`, `bn2.running_mean` and 2 more that FCN does not know");
    let wide = build("fcn", &settings(10, true), [1, 4, 5]);
    assert!(
        error(&wide, &pt).contains("shape [9, 20], the model has [10, 20]"),
        "{}",
        error(&wide, &pt)
    );
    // Parameters alone: the running statistics are missing.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    let bytes = weights::to_safetensors(&plain, &weights::initial(&plain, 0)).unwrap();
    std::fs::write(&path, bytes).unwrap();
    let normalised = build("fcn", &settings(9, true), [1, 4, 5]);
    assert!(
        error(&normalised, &path).contains("no tensor `bn1.weight`"),
        "{}",
        error(&normalised, &path)
    );
    let damaged = dir.path().join("w.pt");
    let whole = std::fs::read(&pt).unwrap();
    std::fs::write(&damaged, &whole[..whole.len() / 2]).unwrap();
    assert!(
        error(&normalised, &damaged).contains("not a state dict"),
        "{}",
        error(&normalised, &damaged)
    );
}
