//! `gradstudy export STUDY`: weights, labels and minibatches are those that a training or a recording goes by.

use std::fs;
use std::path::Path;

use arrow_schema::DataType;
use gradstudy::data::{self, Dataset, SearchPath};
use gradstudy::gradients::engine::Engine;
use gradstudy::layers::BatchNormMode;
use gradstudy::models::{self, Network, weights};
use gradstudy::plan::{Plan, Work, lower_with_inputs};
use gradstudy::study::check;
use gradstudy::syntax::Source;
use gradstudy::vocabulary::VOCABULARY;
use safetensors::SafeTensors;

use super::files::Table;
use crate::support::Gradstudy;

/// Only trains.
const TRAINS: &str = r#"
study "Trains" { seeds: [3, 4] }
data  fashion = fashion_mnist_5k(subset: 330, labels: noise)
vary noise in [clean, "30 %": symmetric(30%)]
vary rate in [0.05, 0.1]
model net   = fcn(depth: 1, width: 4)
train short = sgd(lr: rate) { of: net  on: fashion  epochs: 2  batch: 50 }
"#;

struct Npy {
    shape: Vec<u64>,
    dtype: String,
    file: Vec<u8>,
}

impl Npy {
    fn open(path: &Path) -> Npy {
        let file = fs::read(path).unwrap();
        let array = npyz::NpyFile::new(&file[..]).unwrap();
        let (shape, dtype) = (array.shape().to_vec(), array.dtype().descr());
        Npy { shape, dtype, file }
    }

    fn values<T: npyz::Deserialize>(&self) -> Vec<T> {
        npyz::NpyFile::new(&self.file[..]).unwrap().into_vec().unwrap()
    }
}

fn plan(text: &str) -> Plan {
    let (study, _) = check(&Source::new("test.study", text.to_string()), &VOCABULARY).unwrap();
    lower_with_inputs(&study, &SearchPath::default()).unwrap()
}

/// The clean data and the network of a study that has one of each.
fn made_of(plan: &Plan) -> (Dataset, Network) {
    let (mut dataset, mut network) = (None, None);
    for step in &plan.steps {
        match &step.work {
            Work::Load { data: call } => {
                let kind = data::dataset(&call.name).unwrap();
                dataset = Some(kind.load(&call.args, &SearchPath::default()).unwrap());
            }
            Work::Initialise { model, input, .. } => {
                let kind = models::find(&model.name).unwrap();
                network = Some(kind.build(&model.args, *input).unwrap());
            }
            _ => {}
        }
    }
    (dataset.unwrap(), network.unwrap())
}

#[test]
fn a_study_that_only_trains_gives_weights_labels_and_minibatches() {
    let gradstudy = Gradstudy::new(TRAINS);
    let export = |arguments: &[&str]| gradstudy.run(&[&["export", "test.study"], arguments].concat());
    let path = |name: &str| gradstudy.path().join(name);
    let at = ["--seed", "4", "--at", "noise=30 %", "--at", "rate=0.1"];
    let of = |what: &[&str], to: &str| export(&[what, &at[..], &["--to", to]].concat()).success().stdout;

    // Parameters are counted apart from running statistics.
    let said = of(&["--weights", "--name", "short"], "end.safetensors");
    let (clean, network) = made_of(&plan(TRAINS));
    let n = network.parameter_count();
    assert_eq!((n, network.buffer_count()), (784 * 4 + 4 + 8 + 4 * 10 + 10, 8));
    assert!(said.contains(&format!("{n} parameters of")), "{said}");
    assert!(
        said.contains("8 running statistics that are no parameters (2 buffers"),
        "{said}"
    );
    let said = of(&["--what", "weights", "--name", "short"], "end.npy");
    assert!(
        said.contains(&format!("{n} parameters of")) && said.contains("left out"),
        "{said}"
    );
    of(&["--what", "weights", "--name", "net"], "start.safetensors");
    let [start, end] =
        ["start.safetensors", "end.safetensors"].map(|file| weights::read(&network, &path(file)).unwrap());
    let flat = Npy::open(&path("end.npy"));
    assert_eq!((&flat.shape[..], flat.dtype.as_str()), (&[n as u64][..], "'<f4'"));
    assert_eq!(flat.values::<f32>(), end[..n]);

    // Labels after noise and before.
    let said = of(&["--what", "labels", "--name", "fashion"], "labels.npy");
    let labels = Npy::open(&path("labels.npy"));
    assert_eq!((&labels.shape[..], labels.dtype.as_str()), (&[330][..], "'<i8'"));
    let labels: Vec<u32> = labels.values::<i64>().into_iter().map(|it| it as u32).collect();
    let flipped = labels.iter().zip(&clean.labels).filter(|(a, b)| a != b).count();
    assert!((60..140).contains(&flipped), "{flipped} of 330 flipped");
    assert!(
        said.contains(&format!("30 % symmetric, {flipped} of 330 labels changed")),
        "{said}"
    );
    of(&["--what", "labels"], "labels.safetensors");
    let bytes = fs::read(path("labels.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let integers = |name: &str| -> Vec<u32> {
        let (words, _) = tensors.tensor(name).unwrap().data().as_chunks::<8>();
        words
            .iter()
            .map(|word| i64::from_le_bytes(*word) as u32)
            .collect()
    };
    assert_eq!(
        (integers("labels"), integers("clean")),
        (labels.clone(), clean.labels.clone())
    );
    assert_eq!(
        tensors
            .tensor("flipped")
            .unwrap()
            .data()
            .iter()
            .filter(|it| **it == 1)
            .count(),
        flipped
    );
    export(&["--what", "labels", "--to", "all.parquet"]).success();
    let table = Table::open(&path("all.parquet"));
    // Clean once, and noise of each seed.
    assert_eq!(table.rows.len(), 3 * 330);
    assert_eq!(table.type_of("label"), &DataType::UInt64);
    let of_seed = table.only(&[
        ("seed", "4"),
        ("level.noise", "30 %"),
        ("noise", "30 % symmetric"),
    ]);
    assert_eq!(
        of_seed.numbers("label"),
        labels.iter().map(|it| f64::from(*it)).collect::<Vec<_>>()
    );
    assert_eq!(
        table
            .only(&[("seed", ""), ("level.noise", "clean"), ("flipped", "false")])
            .rows
            .len(),
        330
    );

    // The training, step by step, from these: each epoch visits no example twice.
    of(&["--what", "minibatches"], "batches.npy");
    let batches = Npy::open(&path("batches.npy"));
    assert_eq!(
        (&batches.shape[..], batches.dtype.as_str()),
        (&[2, 6, 50][..], "'<u4'")
    );
    let indices: Vec<u32> = batches.values();
    for epoch in indices.chunks(300) {
        let mut epoch = epoch.to_vec();
        epoch.sort_unstable();
        epoch.dedup();
        assert_eq!(epoch.len(), 300);
    }
    let noisy = Dataset { labels, ..clean };
    let mut theta = start.clone();
    let (mut gradient, mut statistics) = (vec![0.0; n], vec![0.0; network.buffer_count()]);
    for minibatch in indices.chunks(50) {
        Engine::Host
            .gradient(
                &network,
                &theta,
                &noisy,
                minibatch,
                &mut gradient,
                &mut statistics,
            )
            .unwrap();
        theta[..n]
            .iter_mut()
            .zip(&gradient)
            .for_each(|(theta, g)| *theta -= 0.1 * g);
    }
    let far = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(
        far(&theta[..n], &end[..n]) < 1e-6,
        "{}",
        far(&theta[..n], &end[..n])
    );
    assert!(far(&start[..n], &end[..n]) > 1e-2);

    // What there is, and what is missing in a choice.
    let list = export(&[]).success().stdout;
    for line in [
        "--what weights --name short --seed 3 --at noise=clean --at rate=0.1\n",
        "--what weights --name net --seed 4\n",
        "--what labels --name fashion --at noise=clean\n",
        "--what labels --name fashion --seed 4 --at 'noise=30 %'\n",
        "--what minibatches --name short --seed 4 --at noise=clean --at rate=0.05\n",
    ] {
        assert!(list.contains(line), "{line} is not in {list}");
    }
    for (arguments, says) in [
        (&["--weights", "--to", "x.npy"][..], "4 of the study's weights"),
        (&["--weights", "--to", "x.csv"], "`.safetensors`"),
        (&["--what", "minibatches", "--to", "x.csv"], "one array"),
        (&["--to", "x.npy"], "no `record` of gradients"),
        (&["--what", "samples", "--to", "x.npy"], "is for a run"),
    ] {
        let said = export(arguments);
        assert_eq!(said.code, Some(2), "{arguments:?}: {}", said.stdout);
        assert!(said.stderr.contains(says), "{says} is not in {}", said.stderr);
    }
}

/// A recording at trained weights, with noisy labels.
const RECORDS: &str = r#"
study "Records" { seeds: 5 }
data  fashion = fashion_mnist_5k(subset: 200)
model net   = fcn(depth: 1, width: 4)
train short = sgd(lr: 0.05) { of: net  on: fashion with symmetric(30%)  epochs: 1  batch: 50 }
vary order in [shuffled, replacement, sequential]
record g = gradients(of: short, on: fashion with symmetric(30%), batch: 7, iterations: 33, order: order)
test bell = normality(g, points: 20, along: [dimension])
table one { of: [bell]  rows: [order]  columns: [p_value] }
"#;

#[test]
fn gradients_are_made_anew_from_weights_labels_and_minibatches() {
    let gradstudy = Gradstudy::new(RECORDS);
    let export = |arguments: &[&str]| {
        gradstudy
            .run(&[&["export", "test.study"], arguments].concat())
            .success()
    };
    let path = |name: &str| gradstudy.path().join(name);
    let (clean, network) = made_of(&plan(RECORDS));
    let n = network.parameter_count();
    // The record's are the only weights and labels, whatever the order.
    export(&["--weights", "--to", "theta.safetensors"]);
    export(&["--what", "labels", "--record", "g", "--to", "labels.npy"]);
    export(&[
        "--what",
        "labels",
        "--name",
        "fashion with symmetric(0.3)",
        "--to",
        "named.npy",
    ]);
    let labels: Vec<i64> = Npy::open(&path("labels.npy")).values();
    assert_eq!(labels, Npy::open(&path("named.npy")).values::<i64>());
    let theta = weights::read(&network, &path("theta.safetensors")).unwrap();
    let noisy = Dataset {
        labels: labels.into_iter().map(|it| it as u32).collect(),
        ..clean
    };
    for order in ["shuffled", "replacement", "sequential"] {
        let at = format!("order={order}");
        export(&["--at", &at, "--to", "g.npy"]);
        export(&[
            "--what",
            "minibatches",
            "--record",
            "g",
            "--at",
            &at,
            "--to",
            "batches.npy",
        ]);
        let batches = Npy::open(&path("batches.npy"));
        assert_eq!(
            (&batches.shape[..], batches.dtype.as_str()),
            (&[33, 7][..], "'<u4'")
        );
        let indices: Vec<u32> = batches.values();
        if order == "sequential" {
            assert_eq!(indices[..8], [0, 1, 2, 3, 4, 5, 6, 7]);
        }
        let mut made = vec![0.0; 33 * n];
        let batch_norm = BatchNormMode::Batch;
        Engine::Host
            .record(
                &network,
                &theta,
                &noisy,
                &indices,
                7,
                batch_norm,
                &mut made,
                &|_| (),
            )
            .unwrap();
        assert!(made == Npy::open(&path("g.npy")).values::<f32>(), "{order}");
    }
    export(&[
        "--what",
        "minibatches",
        "--record",
        "g",
        "--at",
        "order=shuffled",
        "--to",
        "b.safetensors",
    ]);
    let bytes = fs::read(path("b.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(tensors.tensor("indices").unwrap().shape(), [33, 7]);
}
