//! Training on augmented images: drawn by seed, epoch and example, whatever the threads and however it was resumed.

use gradstudy::data::augment::{Augment, rng};
use gradstudy::data::{self, Dataset, SearchPath};
use gradstudy::gradients::batches::{Batches, Order};
use gradstudy::gradients::engine::Engine;
use gradstudy::models::{self, Network, weights};
use gradstudy::optimizers;
use gradstudy::signature::{Args, Value};
use gradstudy::training::{Training, checkpoint};

use super::support::Gradstudy;

fn args(settings: &[(&str, Value)]) -> Args {
    Args(
        settings
            .iter()
            .map(|(key, value)| (key.to_string(), value.clone()))
            .collect(),
    )
}

fn word(word: &str) -> Value {
    Value::Text(word.to_string())
}

fn fashion(normalize: &str) -> Dataset {
    let settings = args(&[
        ("split", word("train")),
        ("normalize", word(normalize)),
        ("subset", Value::Integer(600)),
    ]);
    let kind = data::dataset("fashion_mnist_5k").unwrap();
    kind.load(&settings, &SearchPath::default()).unwrap()
}

fn lenet() -> Network {
    let kind = models::find("lenet").unwrap();
    kind.build(
        &args(&[("logits", Value::Integer(10)), ("padding", Value::Integer(0))]),
        [1, 28, 28],
    )
    .unwrap()
}

fn training<'a>(network: &'a Network, data: &'a Dataset, order: Order) -> Training<'a> {
    let settings = args(&[
        ("lr", Value::Number(0.05)),
        ("momentum", Value::Number(0.9)),
        ("nesterov", Value::Boolean(false)),
        ("weight_decay", Value::Number(0.0)),
    ]);
    let n = network.parameter_count();
    let optimizer = optimizers::find("sgd").unwrap().build(&settings, n);
    let theta = weights::initial(network, 1);
    Training::new(
        network,
        data,
        &Engine::Host,
        optimizer,
        vec![0.05; 3],
        100,
        order,
        5,
        theta,
    )
}

const BOTH: Augment = Augment {
    flip: true,
    padding: 4,
};

#[test]
fn a_resumed_training_ends_at_the_same_bits_with_any_number_of_threads() {
    let (network, data) = (lenet(), fashion("global"));
    let new = |augment: Augment| {
        let mut training = training(&network, &data, Order::Shuffled);
        assert!(training.augment(augment, 9));
        training
    };
    let finish = |mut training: Training| {
        while !training.is_done() {
            training.run_epoch(&|| true).unwrap();
        }
        training.theta
    };
    let straight = finish(new(BOTH));
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert!(straight == one.install(|| finish(new(BOTH))), "one thread");
    let mut first = new(BOTH);
    let report = first.run_epoch(&|| true).unwrap().unwrap();
    let kept = checkpoint::save(&first, &[report]).unwrap();
    let mut resumed = new(BOTH);
    checkpoint::restore(&mut resumed, &kept).unwrap();
    assert!(straight == finish(resumed), "resumed");
    assert!(
        straight != finish(new(Augment::default())),
        "the images as they are"
    );
}

#[test]
fn a_step_is_a_step_on_the_augmented_images() {
    let (network, data) = (lenet(), fashion("global"));
    let (epoch, step) = (1, 2);
    let mut augmented = training(&network, &data, Order::Sequential);
    assert!(augmented.augment(BOTH, 9));
    let t = epoch * augmented.steps_per_epoch() + step;
    let loss = augmented.step(t, 0.05).unwrap();
    // The same minibatch, each image changed by hand.
    let mut changed = data.clone();
    let zero = data.note.zero(1).unwrap();
    let size = data.example_size();
    for index in Batches::new(Order::Sequential, data.len(), 100, 5).indices(t..t + 1) {
        let index = index as usize;
        let drawn = BOTH.draw(&mut rng(9, epoch, index));
        drawn.apply(
            data.image(index),
            data.shape,
            &zero,
            &mut changed.images[index * size..][..size],
        );
    }
    assert!(changed.images != data.images);
    let mut plain = training(&network, &changed, Order::Sequential);
    let expected = plain.step(t, 0.05).unwrap();
    assert_eq!(loss, expected);
    assert!(augmented.theta == plain.theta);
}

#[test]
fn data_normalised_by_position_have_no_black() {
    let (network, data) = (lenet(), fashion("per_pixel"));
    let mut training = training(&network, &data, Order::Shuffled);
    assert!(!training.augment(BOTH, 0));
    assert!(training.augment(Augment::default(), 0));
}

#[test]
fn a_study_augments_trainings_and_never_recordings() {
    let study = |augment: &str, normalize: &str| {
        format!(
            "data d = fashion_mnist_5k(normalize: {normalize}, subset: 300)\nmodel m = lenet\n\
             train p = sgd(lr: 0.05) {{ of: m  on: d  epochs: 2  batch: 50  {augment} }}\n\
             record g = gradients(of: p, on: d, batch: 10, iterations: 20)\n\
             record r = gradients(of: m, on: d, batch: 10, iterations: 20)\n\
             test t = hill(g, k: 5)\ntable a {{ of: t  rows: [sg_type]  columns: [xi] }}\n\
             test u = hill(r, k: 5)\ntable b {{ of: u  rows: [sg_type]  columns: [xi] }}\n"
        )
    };
    let gradstudy = Gradstudy::new(&study("", "global"));
    let ids = |gradstudy: &Gradstudy| {
        let text = gradstudy.run(&["plan", "test.study", "--steps"]).success().stdout;
        let of = |verb: &str, name: &str| {
            let line = text
                .lines()
                .find(|line| line.contains(&format!("  {verb}")) && line.contains(name));
            line.unwrap_or_else(|| panic!("{verb} {name} in {text}"))[..12].to_string()
        };
        (of("train", " p:"), of("record", " g:"), of("record", " r:"))
    };
    let plain = ids(&gradstudy);
    std::fs::write(
        gradstudy.path().join("test.study"),
        study("augment: [flip, crop(padding: 2)]", "global"),
    )
    .unwrap();
    let augmented = ids(&gradstudy);
    assert!(
        plain.0 != augmented.0 && plain.1 != augmented.1,
        "another training, another recording of it"
    );
    assert_eq!(
        plain.2, augmented.2,
        "the recording of the untrained network is the same step"
    );
    gradstudy.run(&["run", "test.study"]).success();
    std::fs::write(
        gradstudy.path().join("test.study"),
        study("augment: flip", "per_pixel"),
    )
    .unwrap();
    let said = gradstudy.run(&["check", "test.study"]);
    assert_eq!(said.code, Some(2));
    assert!(
        said.stderr.contains("E0533") && said.stderr.contains("per_channel"),
        "{}",
        said.stderr
    );
}
