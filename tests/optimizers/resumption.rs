//! Trainings and recordings through optimizers that were stopped, and go on at the same bits.

use std::sync::atomic::AtomicBool;

use gradstudy::execute::Observer;

use super::*;
use crate::support::{StopIn, recorded};

/// Adam's moments, the count of its steps and a rate that moves with each step all come back from a checkpoint.
#[test]
fn a_training_with_adam_resumed_from_a_checkpoint_ends_at_the_same_bits() {
    let settings = [("split", "train"), ("normalize", "global")];
    let settings = settings.map(|(key, word)| (key.to_string(), Value::Text(word.to_string())));
    let data = data::dataset("fashion_mnist_5k")
        .unwrap()
        .load(&Args(settings.into_iter().collect()), &SearchPath::default())
        .unwrap();
    let logits = Args([("logits".to_string(), Value::Integer(10))].into_iter().collect());
    let network = models::find("lenet")
        .unwrap()
        .build(&logits, [1, 28, 28])
        .unwrap();
    for (kind, amsgrad) in [("adam", false), ("adam", true), ("adamw", false)] {
        let text = format!(
            "{TRAINING}{kind}(weight_decay: 0.01, amsgrad: {amsgrad}) \
             {{ of: m on: d epochs: 3 batch: 500 schedule: cosine(warmup: 1) clip: 0.5 }}"
        );
        let train = study(&text).cases[0].trains["p"].clone();
        let new = || {
            let theta = weights::initial(&network, 5);
            let optimizer = optimizers::find(kind)
                .unwrap()
                .build(&train.optimizer.args, theta.len());
            let rates = training::rates(train.schedule.as_ref().unwrap(), 1e-3, 3, 10);
            let engine = &Engine::Host;
            let mut training = Training::new(
                &network,
                &data,
                engine,
                optimizer,
                rates,
                500,
                Order::Shuffled,
                5,
                theta,
            );
            training.clip = Clip::Norm(train.clip.unwrap());
            training
        };
        let mut straight = new();
        let first = straight.run_epoch(&|| true).unwrap().unwrap();
        let kept = checkpoint::save(&straight, &[first]).unwrap();
        let mut resumed = new();
        assert_eq!(checkpoint::restore(&mut resumed, &kept).unwrap(), [first]);
        for training in [&mut straight, &mut resumed] {
            while !training.is_done() {
                training.run_epoch(&|| true).unwrap();
            }
        }
        assert!(
            straight.theta == resumed.theta,
            "{kind}: the resumed weights differ"
        );
        assert!(straight.theta != new().theta);
    }
}

/// θ, Adam's moments and those of a recording through Adam all come back where a run was stopped, whether the
/// gradients lie in memory or in a file.
#[test]
fn a_run_with_adam_stopped_in_training_and_recording_ends_at_the_same_bits() {
    let text = r#"
        data d = fashion_mnist_5k(subset: 1000)
        model m = lenet
        train t = adam(lr: 1e-3) { of: m on: d epochs: 3 batch: 50 schedule: cosine(warmup: 1) clip: 1 }
        record g = gradients(of: t, on: d, batch: 1000, iterations: 96, through: adam, clip: 0.5, weight_decay: 0.1)
    "#;
    let plan = gradstudy::plan::lower(&study(text), &SearchPath::default()).unwrap();
    let record = &plan.records[0].step;
    let (search, engine) = (SearchPath::default(), Engine::Host);
    let history = |store: &Store, memory: u64, observer: &dyn Observer, cancel: &AtomicBool| {
        let executor = Executor::new(store, &search, &engine, memory, observer, cancel);
        executor
            .history(&plan, record)
            .map(|history| history.values().to_vec())
    };
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), "cpu").unwrap();
    let whole = history(&store, u64::MAX, &Silent, &AtomicBool::new(false)).unwrap();
    // First memory or file of the run that is stopped, then that of the run that goes on.
    for (stopped, goes_on) in [(u64::MAX, u64::MAX), (1, 1), (u64::MAX, 1), (1, u64::MAX)] {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), "cpu").unwrap();
        for (verb, after) in [("train", 30), ("record", 40)] {
            let cancel = AtomicBool::new(false);
            let stop = StopIn::new(verb, move |_| after, &cancel);
            let error = history(&store, stopped, &stop, &cancel).expect_err("the run is stopped");
            assert!(error.is_interrupt(), "{error}");
        }
        let partial = store.partial(record);
        let done = recorded(&partial.join("done"), whole.len() / 96);
        assert!([64, 96].contains(&done), "chunks of 32: {done}");
        assert!(partial.join("moments.safetensors").is_file());
        let again = history(&store, goes_on, &Silent, &AtomicBool::new(false)).unwrap();
        assert!(
            whole == again,
            "memory {stopped}, then {goes_on}: the gradients differ"
        );
    }
}

/// BatchNorm's running statistics stand behind the parameters in θ; a column has none of them.
#[test]
fn a_net_with_batchnorm_records_through_an_optimizer_too() {
    let text = |settings: &str| {
        format!(
            "data d = fashion_mnist_5k(subset: 300)\nmodel m = fcn(width: 8)\n\
             record g = gradients(of: m, on: d, batch: 10, iterations: 5, keep: true, {settings})"
        )
    };
    let (search, engine, cancel) = (SearchPath::default(), Engine::Host, AtomicBool::new(false));
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), "cpu").unwrap();
    let history = |settings: &str| {
        let plan = gradstudy::plan::lower(&study(&text(settings)), &search).unwrap();
        let executor = Executor::new(&store, &search, &engine, u64::MAX, &Silent, &cancel);
        let history = executor.history(&plan, &plan.records[0].step).unwrap();
        let step = plan.step(&plan.records[0].step);
        let gradstudy::plan::Work::Record { weights, .. } = &step.work else {
            unreachable!("a record step")
        };
        let (network, theta) = executor.theta(&plan, weights).unwrap();
        assert!(
            theta.len() > network.parameter_count(),
            "θ holds running statistics"
        );
        (history.values().to_vec(), theta, network.parameter_count())
    };
    let (raw, theta, n) = history("order: shuffled");
    let (decayed, _, _) = history("weight_decay: 0.5");
    let (momentum, _, _) = history("through: sgd(momentum: 0.5)");
    assert_eq!(raw.len(), 5 * n);
    for t in 0..5 {
        for i in 0..n {
            let at = t * n + i;
            assert!(
                (decayed[at] - (raw[at] + 0.5 * theta[i])).abs() < 1e-6,
                "t = {t}, i = {i}"
            );
            let before = if t == 0 { 0.0 } else { momentum[at - n] };
            assert!(
                (momentum[at] - (raw[at] + 0.5 * before)).abs() < 1e-6,
                "t = {t}, i = {i}"
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn a_run_with_adam_goes_on_after_kill_9() {
    let text = r#"
        study "Adam" { seeds: 0 }
        data d = fashion_mnist_5k(subset: 2000)
        model m = lenet
        train t = adam(lr: 1e-3) { of: m on: d epochs: 4 batch: 50 schedule: cosine(warmup: 1) clip: 1 }
        record g = gradients(of: t, on: d, batch: 2000, iterations: 64, through: adam, clip: 0.5)
        test tails = power_law(g, tail: top(20))
        table one { of: tails rows: sg_type columns: [d_ks, beta] }
    "#;
    let (whole, broken) = (Gradstudy::new(text), Gradstudy::new(text));
    whole.run(&["run", "test.study"]).success();
    let arguments = ["run", "test.study", "--memory", "1MB"];
    for file in ["checkpoint.safetensors", "moments.safetensors"] {
        let mut child = broken.command(&arguments);
        let child = child
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        let mut child = child.spawn().unwrap();
        loop {
            let cache = walkdir::WalkDir::new(broken.path().join("cache"))
                .into_iter()
                .flatten();
            if cache.into_iter().any(|entry| entry.file_name() == file) {
                // SIGKILL, at once.
                child.kill().unwrap();
                assert!(!child.wait().unwrap().success(), "killed after the first {file}");
                break;
            }
            assert!(child.try_wait().unwrap().is_none(), "it was done without {file}");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }
    broken.run(&arguments).success();
    let results =
        |folder: &Gradstudy| std::fs::read_to_string(folder.runs()[0].join("results.yaml")).unwrap();
    assert_eq!(results(&whole), results(&broken));
}
