//! CIFAR-10 and Avila against facts that NumPy computed (tests/reference/data/make_golden.py), where the data are
//! on this machine.

use gradstudy::data::verify::Status;
use gradstudy::data::{Dataset, dataset};
use gradstudy::signature::Value;

use super::{args, assert_close, real_data};

/// The stored facts of that part.
pub fn golden(part: &str) -> serde_json::Value {
    let text = include_str!("../reference/data/golden.json");
    serde_json::from_str::<serde_json::Value>(text).unwrap()[part].clone()
}

/// A stored list of numbers.
pub fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

fn labels(value: &serde_json::Value) -> Vec<u32> {
    numbers(value).into_iter().map(|number| number as u32).collect()
}

fn assert_values(data: &Dataset, places: &serde_json::Value, expected: &serde_json::Value) {
    let [_, height, width] = data.shape;
    for (place, expected) in places.as_array().unwrap().iter().zip(numbers(expected)) {
        let [n, c, h, w] = labels(place)[..] else {
            panic!("four indices")
        };
        let at = (c as usize * height + h as usize) * width + w as usize;
        assert_close(f64::from(data.image(n as usize)[at]), expected);
    }
}

#[test]
fn cifar10_facts() {
    let Some(search) = real_data("cifar10") else {
        return;
    };
    let (kind, facts) = (dataset("cifar10").unwrap(), golden("cifar10"));
    for scheme in ["none", "global", "per_channel", "per_pixel"] {
        let data = kind.load(&args("train", scheme, None), &search).unwrap();
        assert_eq!((data.len(), data.shape, data.classes), (50_000, [3, 32, 32], 10));
        assert_eq!(data.labels[..10], labels(&facts["labels"]));
        assert_close(data.note.mean, facts["mean"].as_f64().unwrap());
        assert_close(data.note.sd, facts["sd"].as_f64().unwrap());
        assert_eq!((data.note.constant_pixels, data.note.fitted_on), (0, 50_000));
        assert_values(&data, &facts["places"], &facts[scheme]);
        assert_eq!(
            data.note.channels.len(),
            if scheme == "per_channel" { 3 } else { 0 }
        );
        for (channel, note) in data.note.channels.iter().enumerate() {
            assert_close(note.mean, numbers(&facts["channel_mean"])[channel]);
            assert_close(note.sd, numbers(&facts["channel_sd"])[channel]);
        }
    }
    let test = kind.load(&args("test", "per_channel", None), &search).unwrap();
    assert_eq!(
        (test.len(), &test.labels[..10]),
        (10_000, &labels(&facts["test_labels"])[..])
    );
    assert_values(&test, &facts["test_places"], &facts["test_per_channel"]);

    let some = kind
        .load(&args("train", "per_channel", Some(1000)), &search)
        .unwrap();
    assert_close(some.note.mean, facts["subset_mean"].as_f64().unwrap());
    for (note, expected) in some
        .note
        .channels
        .iter()
        .zip(numbers(&facts["subset_channel_sd"]))
    {
        assert_close(note.sd, expected);
    }
    let mut chosen = args("train", "global", Some(100));
    chosen.0.insert(
        "classes".into(),
        Value::List(vec![Value::Integer(5), Value::Integer(3)]),
    );
    let chosen = kind.load(&chosen, &search).unwrap();
    assert_eq!(chosen.labels, labels(&facts["chosen_labels"]));
    assert_close(chosen.note.mean, facts["chosen_mean"].as_f64().unwrap());
    let at = (32 + 4) * 32 + 4;
    assert_close(
        f64::from(chosen.image(99)[at]),
        facts["chosen_last"].as_f64().unwrap(),
    );
}

#[test]
fn real_files_are_verified() {
    for set in ["avila", "cifar10", "cifar100"] {
        let Some(search) = real_data(set) else { continue };
        let reports = dataset(set).unwrap().published().unwrap().verify(&search);
        // The order of the records may be another one; then the content is compared.
        assert!(
            reports
                .iter()
                .all(|report| matches!(report.status, Status::Ok | Status::Repacked)),
            "{reports:?}"
        );
    }
}

#[test]
fn avila_facts() {
    let Some(search) = real_data("avila") else { return };
    let (kind, facts) = (dataset("avila").unwrap(), golden("avila"));
    let data = kind.load(&args("train", "per_feature", None), &search).unwrap();
    assert_eq!((data.len(), data.shape, data.classes), (10_430, [10, 1, 1], 12));
    assert_eq!(data.labels[..40], labels(&facts["labels"]));
    assert_eq!(data.labels[10_420..], labels(&facts["last_labels"]));
    assert_close(data.note.mean, facts["mean"].as_f64().unwrap());
    assert_close(data.note.sd, facts["sd"].as_f64().unwrap());
    let same = |found: &[f32], expected: &serde_json::Value| {
        let expected = numbers(expected);
        assert_eq!(found.len(), expected.len());
        found
            .iter()
            .zip(expected)
            .for_each(|(&found, expected)| assert_close(f64::from(found), expected));
    };
    same(data.image(0), &facts["first"]);
    same(data.image(10_429), &facts["last"]);
    let test = kind.load(&args("test", "per_feature", None), &search).unwrap();
    assert_eq!(
        (test.len(), &test.labels[..40]),
        (10_437, &labels(&facts["test_labels"])[..])
    );
    same(test.image(0), &facts["test_first"]);
    assert_eq!(test.note, data.note);
    let raw = kind.load(&args("train", "none", None), &search).unwrap();
    same(raw.image(0), &facts["raw_first"]);
    // Every feature is a channel.
    let channels = kind.load(&args("train", "per_channel", None), &search).unwrap();
    assert_eq!(channels.images, data.images);
    for (feature, note) in channels.note.channels.iter().enumerate() {
        assert_close(note.mean, numbers(&facts["feature_mean"])[feature]);
        assert_close(note.sd, numbers(&facts["feature_sd"])[feature]);
    }
    assert_eq!(
        (raw.digest == data.digest, test.digest == data.digest),
        (true, false)
    );
}
