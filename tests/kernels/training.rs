//! Epochs of training.

use gradstudy::data::augment::Augment;
use gradstudy::gradients::batches::Order;
use gradstudy::gradients::engine::Engine;
use gradstudy::gradients::kernels::{DeviceData, KernelNetwork};
use gradstudy::layers::lanes::LANES;
use gradstudy::layers::{BatchNormMode, Products};
use gradstudy::models::weights;
use gradstudy::optimizers;
use gradstudy::signature::{Args, Value};
use gradstudy::training::{Clip, Training, TrainingError, score};

use super::{args, device, gpu, images, model, relative_error, residual};

fn number(name: &'static str, value: f64) -> (&'static str, Value) {
    (name, Value::Number(value))
}

#[test]
fn epochs_of_kernels_are_the_hosts() {
    if gpu().is_none() {
        return;
    }
    let mut data = images();
    data.images.truncate(150 * 784);
    data.labels.truncate(150);
    let moments = [
        number("beta1", 0.8),
        number("beta2", 0.99),
        number("eps", 1e-4),
        number("weight_decay", 0.01),
    ];
    let adam = |amsgrad| {
        let amsgrad = ("amsgrad", Value::Boolean(amsgrad));
        Args(
            args(moments.clone())
                .0
                .into_iter()
                .chain(args([amsgrad]).0)
                .collect(),
        )
    };
    let sgd = |nesterov| {
        args([
            number("momentum", 0.9),
            number("weight_decay", 5e-3),
            ("nesterov", Value::Boolean(nesterov)),
        ])
    };
    let crop = Augment {
        flip: true,
        padding: 2,
    };
    let fcn = [
        ("depth", Value::Integer(2)),
        ("width", Value::Integer(13)),
        ("batchnorm", Value::Boolean(true)),
        ("activation", Value::Text("relu".into())),
        ("logits", Value::Integer(10)),
    ];
    let network = model("fcn", args(fcn));
    for (optimizer, settings, lr, clip, augment) in [
        ("sgd", sgd(false), 0.1, Clip::None, Augment::default()),
        ("sgd", sgd(true), 0.05, Clip::Norm(0.5), crop),
        ("adam", adam(false), 1e-3, Clip::None, Augment::default()),
        ("adam", adam(true), 1e-3, Clip::Value(0.01), Augment::default()),
        ("adamw", adam(false), 1e-3, Clip::None, Augment::default()),
    ] {
        let train = |engine: &Engine| {
            let theta = weights::initial(&network, 3);
            let kind = optimizers::find(optimizer).unwrap();
            let optimizer = kind.build(&settings, network.parameter_count());
            let rates = vec![lr, lr / 2.0];
            let order = Order::Shuffled;
            let mut training = Training::new(&network, &data, engine, optimizer, rates, 40, order, 7, theta);
            training.clip = clip;
            assert!(training.augment(augment, 11));
            let losses: Vec<f64> = (0..2)
                .map(|_| training.run_epoch(&|| true).unwrap().unwrap().loss)
                .collect();
            let state = training.optimizer.state();
            let state = state.into_iter().map(|(name, values)| (name, values.to_vec()));
            (losses, training.theta.clone(), state.collect::<Vec<_>>())
        };
        let host = train(&Engine::Host);
        let other = train(&Engine::Burn(device(), Products::Double));
        for (a, b) in host.0.iter().zip(&other.0) {
            assert!((a / b - 1.0).abs() < 1e-4, "{optimizer}: losses {a} and {b}");
        }
        let error = relative_error(&other.1, &host.1);
        assert!(error < 1e-4, "{optimizer}, {clip:?}: weights {error:e}");
        assert!(host.1 != weights::initial(&network, 3));
        for ((name, a), (_, b)) in host.2.iter().zip(&other.2) {
            let error = relative_error(b, a);
            assert!(error < 1e-3, "{optimizer}, {clip:?}: {name} {error:e}");
        }
    }
}

#[test]
fn a_divergence_is_found_at_its_step() {
    if gpu().is_none() {
        return;
    }
    let mut data = images();
    data.images.truncate(120 * 784);
    data.labels.truncate(120);
    let network = model("lenet", args([("logits", Value::Integer(10))]));
    let found = |engine: &Engine| {
        let settings = args([
            number("momentum", 0.0),
            number("weight_decay", 0.0),
            ("nesterov", Value::Boolean(false)),
        ]);
        let optimizer = optimizers::find("sgd")
            .unwrap()
            .build(&settings, network.parameter_count());
        let (rates, order) = (vec![1e25], Order::Shuffled);
        let theta = weights::initial(&network, 3);
        let mut training = Training::new(&network, &data, engine, optimizer, rates, 40, order, 7, theta);
        match training.run_epoch(&|| true) {
            Err(TrainingError::Diverged { epoch, step, .. }) => (epoch, step),
            other => panic!("{other:?}"),
        }
    };
    let host = found(&Engine::Host);
    assert_eq!(found(&Engine::Burn(device(), Products::Double)), host);
}

#[test]
fn accuracies_of_kernels_are_the_hosts() {
    let Some(gpu) = gpu() else { return };
    let mut data = images();
    data.images.truncate(300 * 784);
    data.labels.truncate(300);
    let there = Engine::Burn(device(), Products::Double);
    for network in [model("lenet", args([("logits", Value::Integer(10))])), residual()] {
        let mut theta = weights::initial(&network, 5);
        // Running statistics that matter.
        let n = network.parameter_count();
        let buffers = theta[n..].iter_mut().enumerate();
        buffers.for_each(|(i, value)| *value += 0.1 + (i % 3) as f32 * 0.2);
        let kernels = KernelNetwork::new(&network, &theta, BatchNormMode::Batch, &gpu).unwrap();
        let indices: Vec<u32> = (0..LANES as u32).collect();
        let found = kernels
            .logits(&DeviceData::new(&gpu, &data, 0), &indices)
            .unwrap();
        let mut workspace = network.workspace();
        workspace.load(indices.iter().map(|i| data.image(*i as usize)));
        network.forward(&theta, &mut workspace);
        let lanes = 0..LANES;
        let expected = lanes.flat_map(|lane| workspace.logits().iter().map(move |logit| logit.0[lane]));
        let expected: Vec<f32> = expected.collect();
        assert!(
            relative_error(&found, &expected) < 1e-5,
            "{}: logits",
            network.name
        );

        let expected = score(&Engine::Host, &network, &theta, &data);
        let found = score(&there, &network, &theta, &data);
        // A sample between two classes may fall to either.
        let close = (found.accuracy() - expected.accuracy()).abs() < 0.004
            && (found.mean_loss() / expected.mean_loss() - 1.0).abs() < 1e-4;
        assert!(close, "{}: {found:?} and {expected:?}", network.name);
        assert!(there.score(&network, &theta, &data).unwrap().is_some());
    }
}
