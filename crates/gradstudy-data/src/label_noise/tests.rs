use super::*;
use gradstudy_base::signature::Value;

const N: usize = 60_000;
const CLASSES: usize = 10;

fn noise(name: &str, rate: Option<f64>) -> Call {
    let mut args = Args::default();
    if let Some(rate) = rate {
        args.0.insert("rate".into(), Value::Number(rate));
    }
    Call {
        name: name.into(),
        args,
    }
}

/// Labels of unequal class sizes, in no simple order.
fn labels() -> Vec<u32> {
    (0..N as u64)
        .map(|i| ((i * i + i / 7) % 97 % 10) as u32)
        .collect()
}

fn counts(labels: &[u32]) -> [u64; CLASSES] {
    let mut counts = [0; CLASSES];
    labels.iter().for_each(|&label| counts[label as usize] += 1);
    counts
}

/// `count` of `n` is a binomial outcome of probability `p`, within five standard deviations (a false alarm in two
/// million; the seeds are fixed, so it comes now or never).
fn assert_binomial(count: u64, n: u64, p: f64) {
    let (count, n) = (count as f64, n as f64);
    let sd = (n * p * (1.0 - p)).sqrt();
    assert!((count - n * p).abs() <= 5.0 * sd, "{count} of {n} for p = {p}");
}

#[test]
fn names_are_sorted_and_findable() {
    assert!(LABEL_NOISE.is_sorted_by(|a, b| a.signature().name < b.signature().name));
    assert!(
        LABEL_NOISE
            .iter()
            .all(|kind| find(kind.signature().name).is_some())
    );
    assert!(find("asymetric").is_none());
}

#[test]
fn clean_changes_nothing() {
    assert_eq!(corrupt(&labels(), CLASSES, &noise("clean", None), 0), labels());
}

#[test]
fn symmetric_flips_at_its_rate_to_every_other_class_alike() {
    let before = labels();
    for (seed, rate) in [(0, 0.2), (1, 0.4), (2, 0.8), (3, 0.01)] {
        let after = corrupt(&before, CLASSES, &noise("symmetric", Some(rate)), seed);
        let realised = realised_rate(&before, &after);
        assert_binomial((realised * N as f64).round() as u64, N as u64, rate);
        let mut to = [[0u64; CLASSES]; CLASSES];
        before
            .iter()
            .zip(&after)
            .for_each(|(&a, &b)| to[a as usize][b as usize] += 1);
        for (class, row) in to.iter().enumerate() {
            let size = row.iter().sum();
            for (other, &count) in row.iter().enumerate() {
                let p = if other == class { 1.0 - rate } else { rate / 9.0 };
                assert_binomial(count, size, p);
            }
        }
    }
}

#[test]
fn flips_are_independent_of_their_neighbours() {
    let before = labels();
    let after = corrupt(&before, CLASSES, &noise("symmetric", Some(0.4)), 5);
    let flipped: Vec<bool> = before.iter().zip(&after).map(|(a, b)| a != b).collect();
    let pairs = flipped.chunks(2).filter(|pair| pair[0] && pair[1]).count();
    assert_binomial(pairs as u64, N as u64 / 2, 0.16);
}

#[test]
fn rate_one_leaves_no_label_and_rate_zero_all() {
    let before = labels();
    for name in ["symmetric", "asymmetric"] {
        let all = corrupt(&before, CLASSES, &noise(name, Some(1.0)), 3);
        assert!(before.iter().zip(&all).all(|(a, b)| a != b && *b < 10), "{name}");
        assert_eq!(realised_rate(&before, &all), 1.0);
        assert_eq!(corrupt(&before, CLASSES, &noise(name, Some(0.0)), 3), before);
    }
    // Two classes: the other one. One class: there is no other one.
    assert_eq!(
        corrupt(&[0, 1, 1], 2, &noise("symmetric", Some(1.0)), 0),
        [1, 0, 0]
    );
    assert_eq!(corrupt(&[0, 0], 1, &noise("symmetric", Some(1.0)), 0), [0, 0]);
}

#[test]
fn asymmetric_flips_to_the_next_class_only() {
    let before = labels();
    let after = corrupt(&before, CLASSES, &noise("asymmetric", Some(0.3)), 1);
    assert!(
        before
            .iter()
            .zip(&after)
            .all(|(a, b)| a == b || (a + 1) % 10 == *b)
    );
    for class in 0..CLASSES as u32 {
        let of: Vec<_> = before.iter().zip(&after).filter(|(a, _)| **a == class).collect();
        let flipped = of.iter().filter(|(a, b)| a != b).count();
        assert_binomial(flipped as u64, of.len() as u64, 0.3);
    }
}

#[test]
fn shuffled_is_a_permutation_that_forgets_where_labels_were() {
    let before = labels();
    let after = corrupt(&before, CLASSES, &noise("shuffled", None), 0);
    assert_eq!(counts(&after), counts(&before));
    // A label stays with probability about Σ pᵢ².
    let stay: f64 = counts(&before)
        .iter()
        .map(|&count| (count as f64 / N as f64).powi(2))
        .sum();
    let changed = realised_rate(&before, &after);
    assert_binomial((changed * N as f64).round() as u64, N as u64, 1.0 - stay);
    assert_ne!(after, corrupt(&before, CLASSES, &noise("shuffled", None), 1));
    // All six orders of three labels come up alike.
    let mut orders = std::collections::HashMap::new();
    for seed in 0..6000 {
        *orders
            .entry(corrupt(&[0, 1, 2], 3, &noise("shuffled", None), seed))
            .or_insert(0) += 1;
    }
    assert_eq!(orders.len(), 6);
    orders
        .values()
        .for_each(|&count| assert_binomial(count, 6000, 1.0 / 6.0));
    assert!(corrupt(&[], 3, &noise("shuffled", None), 0).is_empty());
}

#[test]
fn every_noise_is_the_same_on_any_number_of_threads_and_differs_by_seed() {
    let before = labels();
    for call in [
        noise("symmetric", Some(0.4)),
        noise("asymmetric", Some(0.4)),
        noise("shuffled", None),
    ] {
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| corrupt(&before, CLASSES, &call, 9))
        };
        assert_eq!(with(1), with(3));
        assert_ne!(with(1), corrupt(&before, CLASSES, &call, 10));
    }
}

#[test]
fn higher_rates_flip_more_of_the_same_labels_and_subsets_keep_theirs() {
    let before = labels();
    let (low, high) = (
        corrupt(&before, CLASSES, &noise("symmetric", Some(0.2)), 4),
        corrupt(&before, CLASSES, &noise("symmetric", Some(0.8)), 4),
    );
    assert!(
        before
            .iter()
            .zip(&low)
            .zip(&high)
            .all(|((clean, low), high)| low == clean || low == high)
    );
    let first = corrupt(&before[..100], CLASSES, &noise("symmetric", Some(0.2)), 4);
    assert_eq!(first, low[..100]);
}

/// Cached labels and results must stay what they are: a change here needs a new version in the signature. The
/// expected values come from `tests/reference/data/label_noise.py`, which draws with its own ChaCha8 and BLAKE3.
#[test]
fn draws_are_as_they_always_were() {
    let before: Vec<u32> = (0..24).map(|i| i % 10).collect();
    let of = |call: Call| corrupt(&before, CLASSES, &call, 42);
    assert_eq!(
        of(noise("symmetric", Some(0.4))),
        [
            8, 1, 2, 1, 4, 3, 6, 9, 8, 9, 5, 1, 9, 3, 6, 2, 2, 9, 8, 9, 0, 9, 2, 0
        ]
    );
    assert_eq!(
        of(noise("asymmetric", Some(0.4))),
        [
            1, 1, 3, 3, 4, 6, 7, 7, 8, 0, 0, 2, 3, 3, 5, 6, 7, 8, 8, 9, 1, 1, 2, 4
        ]
    );
    assert_eq!(
        of(noise("shuffled", None)),
        [
            6, 3, 3, 7, 0, 0, 1, 9, 2, 6, 2, 2, 9, 4, 4, 5, 8, 0, 1, 1, 3, 5, 7, 8
        ]
    );
}

#[test]
fn tables_name_the_noise() {
    assert_eq!(describe(&noise("clean", None)), "clean");
    assert_eq!(describe(&noise("symmetric", Some(0.4))), "40 % symmetric");
    assert_eq!(describe(&noise("asymmetric", Some(0.29))), "29 % asymmetric");
    assert_eq!(describe(&noise("symmetric", Some(0.125))), "12.5 % symmetric");
    assert_eq!(describe(&noise("shuffled", None)), "shuffled labels");
}
