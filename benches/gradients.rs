//! Criterion benchmarks of gradient collection: LeNet, B = 1 and B = 100, and one training step.

use criterion::{Criterion, criterion_group, criterion_main};
use gradstudy::data::{self, Dataset, SearchPath};
use gradstudy::gradients::engine::Engine;
use gradstudy::gradients::history::GradientHistory;
use gradstudy::layers::BatchNormMode;
use gradstudy::models::{self, Network, weights};
use gradstudy::signature::{Args, Value};

fn subject() -> (Network, Vec<f32>, Dataset) {
    let kind = data::dataset("fashion_mnist_5k").expect("embedded");
    let args = Args(
        [("normalize".to_string(), Value::Text("global".into()))]
            .into_iter()
            .collect(),
    );
    let mut all = args.clone();
    all.0.insert("split".into(), Value::Text("train".into()));
    let data = kind.load(&all, &SearchPath::default()).expect("embedded");
    let logits = Args([("logits".to_string(), Value::Integer(10))].into_iter().collect());
    let network = models::find("lenet")
        .expect("registered")
        .build(&logits, data.shape)
        .expect("fits");
    let theta = weights::initial(&network, 0);
    (network, theta, data)
}

fn gradients(c: &mut Criterion) {
    let (network, theta, data) = subject();
    let mut group = c.benchmark_group("gradients");
    group.sample_size(10);
    for (batch, iterations) in [(1usize, 5000usize), (100, 200)] {
        let indices: Vec<u32> = (0..(batch * iterations) as u32).map(|i| i % 5000).collect();
        let mut history = GradientHistory::in_memory(network.parameter_count(), iterations).expect("memory");
        group.bench_function(format!("LeNet, B = {batch}, T = {iterations}"), |b| {
            b.iter(|| {
                Engine::Host.record(
                    &network,
                    &theta,
                    &data,
                    &indices,
                    batch,
                    BatchNormMode::Batch,
                    history.values_mut(),
                    &|_| {},
                )
            });
        });
    }
    let indices: Vec<u32> = (0..128).collect();
    let mut gradient = vec![0.0; network.parameter_count()];
    group.bench_function("LeNet, one minibatch of 128", |b| {
        b.iter(|| Engine::Host.gradient(&network, &theta, &data, &indices, &mut gradient, &mut []));
    });
    group.finish();
}

criterion_group!(benches, gradients);
criterion_main!(benches);
