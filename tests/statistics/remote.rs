//! Tests of a history that is elsewhere find what they find of one at hand.

use gradstudy::stats::remote::{RemoteError, RemoteFit, RemoteHistory, samples_of};

use super::*;

/// A history at hand that can only be asked.
struct Elsewhere<'a>(HistoryView<'a>);

impl RemoteHistory for Elsewhere<'_> {
    fn parameters(&self) -> usize {
        self.0.parameters
    }

    fn iterations(&self) -> usize {
        self.0.iterations
    }

    fn power_laws(
        &self,
        direction: Direction,
        k: usize,
        ecdf: Ecdf,
        monitor: &Monitor,
    ) -> Result<Option<Vec<RemoteFit>>, RemoteError> {
        let settings = PowerLawSettings { ecdf, ..top(k) };
        let tests = power_law_samples(self.0, direction, &settings, monitor);
        let fit = |test: Result<PowerLawTest, Cause>| test.map(|test| (test.fit, test.ks_distance));
        Ok(tests.map(|tests| tests.into_iter().map(fit).collect()))
    }

    fn points(
        &self,
        direction: Direction,
        first: usize,
        points: usize,
        indices: &[u32],
    ) -> Result<Vec<f32>, RemoteError> {
        let value = |(i, &at): (usize, &u32)| {
            let (sample, at) = (first + i / points, at as usize);
            match direction {
                Direction::Iteration => self.0.column(at)[sample],
                _ => self.0.column(sample)[at],
            }
        };
        Ok(indices.iter().enumerate().map(value).collect())
    }
}

#[test]
fn tests_elsewhere_find_what_they_find_here() {
    let (n, t) = (150, 120);
    let values: Vec<f32> = (0..n * t)
        .map(|i| match i / n {
            5 => 1.5,
            6 if i % 7 == 0 => f32::NAN,
            _ => split_mix(i, 0).ln() as f32,
        })
        .collect();
    let view = HistoryView::new(&values, n, t);
    let mut made = 0;
    for kind in TESTS {
        let mut args = default_args(kind.signature());
        if args.get("tail").is_some() {
            let tail = Call {
                args: Args([("k".to_string(), Value::Integer(40))].into_iter().collect()),
                ..args.call("tail").clone()
            };
            args.0.insert("tail".to_string(), Value::Call(tail));
        }
        for direction in BOTH {
            let (samples, size) = samples_of(direction, n, t);
            let Some(test) = kind.remote(&args, size) else {
                continue;
            };
            let (here, _) = watched(|monitor| kind.run(view, direction, &args, 3, monitor));
            let (there, told) =
                watched(|monitor| test.run_remote(&Elsewhere(view), direction, &args, 3, monitor));
            let place = format!("{} {direction:?}", kind.signature().name);
            let text = |outcome: Option<Outcome>| serde_yaml::to_string(&outcome.unwrap()).unwrap();
            assert_eq!(text(there.unwrap()), text(here), "{place}");
            assert_eq!(told, samples as u64, "{place}");
            made += 1;
        }
    }
    assert_eq!(
        made, 18,
        "the power law and eight tests of normality, in both directions"
    );
}

#[test]
fn what_elsewhere_cannot_do_is_left_to_the_host() {
    let kind = TESTS
        .iter()
        .find(|kind| kind.signature().name == "power_law")
        .unwrap();
    let args = default_args(kind.signature());
    assert!(kind.remote(&args, 5000).is_some());
    // Fewer values than the tail asks for, a second look at the samples.
    assert!(kind.remote(&args, 999).is_none());
    let mut bootstrap = args.clone();
    bootstrap.0.insert("bootstrap".to_string(), Value::Integer(10));
    assert!(kind.remote(&bootstrap, 5000).is_none());
    let mut distances = args;
    distances
        .0
        .insert("distances".to_string(), Value::Text("all".to_string()));
    assert!(kind.remote(&distances, 5000).is_none());
}
