//! A history that stays on a GPU, with its tests and spectra, beside the host's.

use std::path::Path;
use std::sync::atomic::Ordering;

use gradstudy::execute::observer::Silent;
use gradstudy::execute::{ExecuteError, Execution, Executor, Observer};
use gradstudy::gradients::on_gpu::GpuHistory;
use gradstudy::plan::{self, Plan, Step};
use gradstudy::spectra::SpectrumError;
use gradstudy::spectra::gram::on_gpu;
use gradstudy::stats::degenerate::Cause;
use gradstudy::stats::ks::Ecdf;
use gradstudy::stats::many::power_law_samples;
use gradstudy::stats::outcome::{Direction, Outcome};
use gradstudy::stats::power_law::PowerLawSettings;
use gradstudy::stats::remote::RemoteHistory;
use gradstudy::stats::tail::TailRule;
use gradstudy::store::Store;
use gradstudy::study;
use gradstudy::syntax::Source;
use gradstudy::vocabulary::VOCABULARY;

use super::*;
use crate::support::StopIn;

/// Columns with heavy tails, with ties, and degenerate ones of every kind.
fn columns(n: usize) -> Vec<f32> {
    let noise = |i: usize| {
        let u = (i as u32).wrapping_mul(0x9e37_79b9) ^ 0x5bd1_e995;
        f64::from(u.wrapping_mul(0x85eb_ca6b) >> 8) / f64::from(1 << 24)
    };
    let column = |t: usize| -> Vec<f32> {
        (0..n)
            .map(|i| {
                let u = noise(t * n + i) + 1e-9;
                let sign = if i % 3 == 0 { -1.0 } else { 1.0 };
                match t {
                    0 => sign * u.powf(-0.8) as f32,
                    1 => sign * (-u.ln()) as f32 * 1e-30,
                    2 => (i % 7) as f32,
                    3 => -2.5,
                    4 if i == n / 2 => f32::NAN,
                    5 if i == 3 => f32::NEG_INFINITY,
                    6 if i > 20 => 0.0,
                    // More equal values than there is room for, below a few larger ones.
                    7 if i > 10 => 1.0,
                    8 => f32::from_bits((u * 8e6) as u32),
                    _ => u as f32,
                }
            })
            .collect()
    };
    (0..12).flat_map(column).collect()
}

#[test]
fn power_laws_of_kernels_are_the_hosts() {
    let Some(gpu) = gpu() else { return };
    for (n, tails) in [(6000, vec![2, 100, 1000, 4096]), (150, vec![2, 40, 150])] {
        let values = columns(n);
        let view = HistoryView::new(&values, n, values.len() / n);
        let there = GpuHistory::upload(&gpu, view);
        for k in tails {
            for (direction, ecdf) in [
                (Direction::Dimension, Ecdf::Left),
                (Direction::Dimension, Ecdf::TwoSided),
                (Direction::Iteration, Ecdf::Left),
            ] {
                let k = if direction == Direction::Iteration {
                    k.min(8)
                } else {
                    k
                };
                let settings = PowerLawSettings {
                    tail: TailRule::Top(k),
                    ecdf,
                    ..PowerLawSettings::default()
                };
                let host = power_law_samples(view, direction, &settings, &SILENT).unwrap();
                let found = there.power_laws(direction, k, ecdf, &SILENT).unwrap().unwrap();
                assert_eq!(found.len(), host.len());
                for (i, (found, host)) in found.iter().zip(&host).enumerate() {
                    let place = format!("{n} {k} {direction:?} {i}");
                    match (found, host) {
                        (Err(found), Err(host)) => assert_eq!(found, host, "{place}"),
                        (Ok((fit, distance)), Ok(host)) => {
                            assert_eq!((fit.x_min, fit.n_tail), (host.fit.x_min, k), "{place}");
                            let error = fit.exponent / host.fit.exponent - 1.0;
                            assert!(error.abs() < 1e-12, "{place}: {error:e}");
                            let error = distance - host.ks_distance;
                            assert!(error.abs() < 1e-12, "{place}: {error:e}");
                        }
                        (found, host) => panic!("{place}: {found:?} and {host:?}"),
                    }
                }
            }
        }
    }
    let values = columns(500);
    let there = GpuHistory::upload(&gpu, HistoryView::new(&values, 500, 12));
    let found = there.power_laws(Direction::Dimension, 40, Ecdf::Left, &SILENT);
    let causes: Vec<Option<Cause>> = found.unwrap().unwrap().iter().map(|it| it.err()).collect();
    assert_eq!(
        causes[3..7],
        [
            Some(Cause::Constant),
            Some(Cause::NotFinite),
            Some(Cause::NotFinite),
            Some(Cause::TooFew)
        ]
    );
}

#[test]
fn drawn_points_are_those_of_the_history() {
    let Some(gpu) = gpu() else { return };
    let (n, t) = (83, 41);
    let values: Vec<f32> = (0..n * t).map(|i| i as f32).collect();
    let there = GpuHistory::upload(&gpu, HistoryView::new(&values, n, t));
    let indices: Vec<u32> = (0..6).map(|i| i * 7 % 40).collect();
    for (direction, first, place) in [
        (Direction::Dimension, 38, [n, 1]),
        (Direction::Iteration, 80, [1, n]),
    ] {
        let found = there.points(direction, first, 2, &indices).unwrap();
        let expected = indices.iter().enumerate();
        let expected = expected.map(|(i, at)| ((first + i / 2) * place[0] + *at as usize * place[1]) as f32);
        assert_eq!(found, expected.collect::<Vec<f32>>(), "{direction:?}");
    }
}

#[test]
fn inner_products_of_a_history_on_a_gpu_are_the_hosts() {
    let Some(gpu) = gpu() else { return };
    let (n, t) = (900, 300);
    let mut values: Vec<f32> = (0..n * t)
        .map(|i| ((i * 7919 % 1013) as f32 - 500.0) / 77.0 + 3.0)
        .collect();
    let centre: Vec<f32> = (0..n).map(|i| 3.0 + (i % 5) as f32 * 0.01).collect();
    let whole = 0..n;
    for (rows, centre) in [
        (vec![whole.clone()], None),
        (vec![whole.clone()], Some(&centre[..])),
        (vec![10..300, 301..777], Some(&centre[..])),
    ] {
        let view = HistoryView::new(&values, n, t);
        let mut sums = GramAccumulator::new(t, centre.is_some(), Precision::Double);
        for rows in &rows {
            let centre = centre.map(|centre| &centre[rows.clone()]);
            assert!(sums.add(view, rows.clone(), centre, &SILENT).unwrap());
        }
        let host = sums.finish().unwrap();
        let there = GpuHistory::upload(&gpu, view);
        let found = on_gpu::moments(&there, &rows, centre, &SILENT).unwrap().unwrap();
        assert_eq!(found.precision(), Precision::Double);
        for (a, b) in host.mean().iter().zip(found.mean()) {
            assert!((a - b).abs() < 1e-14, "mean {a} and {b}");
        }
        let around = |moments: &gradstudy::spectra::moments::Moments| match centre {
            None => moments.covariance(),
            Some(_) => moments.around_centre().unwrap(),
        };
        for (a, b) in [
            (around(&host), around(&found)),
            (host.second_moment(), found.second_moment()),
        ] {
            let largest = (0..t).map(|i| a[(i, i)]).fold(0.0, f64::max);
            for j in 0..t {
                for i in j..t {
                    let (a, b) = (a[(i, j)], b[(i, j)]);
                    assert!((a - b).abs() < 1e-12 * largest, "({i}, {j}): {a} and {b}");
                }
            }
        }
    }
    values[17 * n + 5] = f32::NAN;
    let there = GpuHistory::upload(&gpu, HistoryView::new(&values, n, t));
    let error = on_gpu::moments(&there, &[whole], None, &SILENT).err();
    assert!(
        matches!(
            error,
            Some(SpectrumError::NotFinite {
                parameter: 5,
                iteration: 17,
                ..
            })
        ),
        "{error:?}"
    );
}

const STUDY: &str = r#"
study "Stays" { allow: [W0103] }
data  fashion = fashion_mnist_5k(subset: 600)
model lenet   = lenet(logits: 10)
record g = gradients(of: lenet, on: fashion, batch: 5, iterations: 60)
spectrum c = covariance(g, top: 30)
spectrum e = eigengaps(c)
test tails = power_law(g, tail: top(50))
test bell  = normality(g, points: 50)
test shape = jarque_bera(g, points: 50, along: [iteration])
"#;

fn planned(study: &str) -> Plan {
    let source = Source::new("test.study", study);
    let (study, _) = study::check(&source, &VOCABULARY).unwrap_or_else(|found| panic!("{found:?}"));
    plan::lower(&study, &SearchPath::default()).unwrap()
}

fn run(
    plan: &Plan,
    folder: &tempfile::TempDir,
    engine: &Engine,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<Execution, ExecuteError> {
    run_within(1 << 30, plan, folder, engine, observer, stop)
}

fn run_within(
    memory: u64,
    plan: &Plan,
    folder: &tempfile::TempDir,
    engine: &Engine,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<Execution, ExecuteError> {
    let store = Store::open(folder.path(), "test").unwrap();
    let search = SearchPath::default();
    Executor::new(&store, &search, engine, memory, observer, stop).run(plan)
}

/// Looks for the file of a history whenever a step begins.
struct LooksForFile<'a> {
    folder: &'a Path,
    seen: AtomicBool,
}

impl Observer for LooksForFile<'_> {
    fn begin(&self, _step: &Step, _total: u64, _done: u64, _unit: &str) {
        let mut files = walkdir::WalkDir::new(self.folder).into_iter().flatten();
        if files.any(|file| file.file_name() == "history.f32") {
            self.seen.store(true, Ordering::Relaxed);
        }
    }

    fn advance(&self, _units: u64) {}
    fn note(&self, _text: &str) {}
    fn end(&self, _step: &Step, _seconds: f64) {}
    fn reused(&self, _step: &Step) {}
}

/// Numbers of an outcome that do not hang on single samples near a threshold.
fn numbers(outcome: &Outcome) -> [f64; 2] {
    match outcome {
        Outcome::PowerLaw(found) => [found.mean_ks_distance, found.mean_exponent],
        Outcome::Normality(found) => [found.mean_p_value, found.mean_statistic.unwrap()],
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_study_on_a_gpu_finds_what_the_host_finds() {
    if gpu().is_none() {
        return;
    }
    let engine = Engine::Burn(device(), Products::Double);
    let never = AtomicBool::new(false);
    // With what the GPU leaves to the host, and without.
    let more = format!("{STUDY}test tail = power_law(g, tail: minimum, along: [dimension])\n");
    for study in [STUDY, &more] {
        let plan = planned(study);
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let host = run(&plan, &folders[0], &Engine::Host, &Silent, &never).unwrap();
        let found = run(&plan, &folders[1], &engine, &Silent, &never).unwrap();
        assert_eq!(found.outcomes.len(), host.outcomes.len());
        for (id, outcome) in &host.outcomes {
            for (a, b) in numbers(outcome).into_iter().zip(numbers(&found.outcomes[id])) {
                assert!((a / b - 1.0).abs() < 1e-3, "{}: {a} and {b}", id.short());
            }
        }
        for (id, spectrum) in &host.spectra {
            let other = &found.spectra[id];
            assert_eq!(spectrum.values.len(), other.values.len());
            for (a, b) in spectrum.values.iter().zip(&other.values).take(5) {
                assert!((a / b - 1.0).abs() < 1e-3, "{}: {a} and {b}", id.short());
            }
        }
    }
}

#[test]
fn a_history_that_stays_there_does_not_come_back() {
    if gpu().is_none() {
        return;
    }
    let there = Engine::Burn(device(), Products::Double);
    let never = AtomicBool::new(false);
    let plan = planned(STUDY);
    // With no memory for a history, one that comes back lies in a file.
    for (engine, comes) in [(&Engine::Host, true), (&there, false)] {
        let folder = tempfile::tempdir().unwrap();
        let observer = LooksForFile {
            folder: folder.path(),
            seen: AtomicBool::new(false),
        };
        run_within(1, &plan, &folder, engine, &observer, &never).unwrap();
        assert_eq!(observer.seen.into_inner(), comes);
    }
}

#[test]
fn an_interrupted_study_on_a_gpu_goes_on() {
    if gpu().is_none() {
        return;
    }
    let engine = Engine::Burn(device(), Products::Double);
    let plan = planned(STUDY);
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let never = AtomicBool::new(false);
    let whole = run(&plan, &folders[0], &engine, &Silent, &never).unwrap();
    let stop = AtomicBool::new(false);
    let stopper = StopIn::new("test", |_| 1, &stop);
    let stopped = run(&plan, &folders[1], &engine, &stopper, &stop);
    assert!(stopped.err().unwrap().is_interrupt());
    // The gradients are on the disk: what is left of the tests is the host's.
    let rest = run(&plan, &folders[1], &engine, &Silent, &never).unwrap();
    for (id, outcome) in &whole.outcomes {
        for (a, b) in numbers(outcome).into_iter().zip(numbers(&rest.outcomes[id])) {
            assert!((a / b - 1.0).abs() < 1e-10, "{}: {a} and {b}", id.short());
        }
    }
}
