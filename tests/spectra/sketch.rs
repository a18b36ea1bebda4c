//! Sketches of gradients: unbiased, within their bound, the same on any number of threads and by any way.

use gradstudy::spectra::SpectrumError;
use gradstudy::spectra::sketch::Sketch;

use super::support::Draws;
use crate::support::Gradstudy;

const N: usize = 300;

fn sketched(sketch: &Sketch, columns: &[f32], parts: &[std::ops::Range<usize>]) -> Vec<f32> {
    let mut out = vec![0.0; columns.len() / N * sketch.dim];
    sketch.add(columns, N, parts, 0, &mut out).unwrap();
    out
}

fn vectors(count: usize) -> Vec<f32> {
    let mut draws = Draws(5);
    (0..count * N).map(|_| draws.gaussian() as f32).collect()
}

fn dot(x: &[f32], y: &[f32]) -> f64 {
    let pairs = x.iter().zip(y);
    pairs.map(|(&x, &y)| f64::from(x) * f64::from(y)).sum()
}

/// The matrix, from the sketches of the unit vectors.
#[test]
fn a_sketch_is_a_product_with_a_sparse_matrix_of_signs() {
    let (dim, nonzeros) = (67, 4);
    let sketch = Sketch::new(dim, nonzeros, 9);
    let mut unit = vec![0f32; N * N];
    (0..N).for_each(|i| unit[i * N + i] = 1.0);
    let matrix = sketched(&sketch, &unit, &[0..N]);
    let mut used = vec![0; dim];
    for column in matrix.chunks(dim) {
        for block in 0..nonzeros {
            let rows = block * dim / nonzeros..(block + 1) * dim / nonzeros;
            let entries: Vec<f32> = column[rows].iter().copied().filter(|v| *v != 0.0).collect();
            assert!(entries == [0.5] || entries == [-0.5], "{entries:?}");
        }
        used.iter_mut()
            .zip(column)
            .for_each(|(used, value)| *used += usize::from(*value != 0.0));
    }
    // 300 · 4 / 67 ≈ 18 entries in a row.
    assert!(used.iter().all(|count| (4..45).contains(count)), "{used:?}");
    let columns = vectors(3);
    let found = sketched(&sketch, &columns, &[0..N]);
    for (sums, column) in found.chunks(dim).zip(columns.chunks(N)) {
        for (row, sum) in sums.iter().enumerate() {
            let terms = column.iter().enumerate();
            let expected: f64 = terms
                .map(|(i, &g)| f64::from(matrix[i * dim + row]) * f64::from(g))
                .sum();
            assert!((f64::from(*sum) - expected).abs() < 1e-4, "{sum} {expected}");
        }
    }
    // Parts of the rows, some rows only, threads.
    let parts = [0..100, 100..101, 101..N];
    assert_eq!(sketched(&sketch, &columns, &parts), found);
    let pool = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
    };
    for threads in [1, 3] {
        assert_eq!(
            pool(threads).install(|| sketched(&sketch, &columns, &[0..N])),
            found
        );
    }
    let some = sketched(&sketch, &columns, &[50..60]);
    let mut zeroed = columns.clone();
    zeroed
        .iter_mut()
        .enumerate()
        .filter(|(i, _)| !(50..60).contains(&(i % N)))
        .for_each(|(_, value)| *value = 0.0);
    assert_eq!(some, sketched(&sketch, &zeroed, &[0..N]));
}

#[test]
fn inner_products_are_unbiased_and_vary_as_the_bound_says() {
    let columns = vectors(2);
    let (x, y) = columns.split_at(N);
    let (exact, squares) = (dot(x, y), dot(x, x) * dot(y, y));
    for nonzeros in [1, 8] {
        let (dim, seeds) = (64, 4000);
        let products: Vec<f64> = (0..seeds)
            .map(|seed| {
                let found = sketched(&Sketch::new(dim, nonzeros, seed), &columns, &[0..N]);
                dot(&found[..dim], &found[dim..])
            })
            .collect();
        let mean = products.iter().sum::<f64>() / seeds as f64;
        let variance = products.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / seeds as f64;
        let bound = (squares + exact * exact) / dim as f64;
        assert!(
            (mean - exact).abs() < 4.0 * (bound / seeds as f64).sqrt(),
            "{mean} {exact}"
        );
        // Generic vectors come close to it; 4000 draws know a variance to a few percent.
        assert!(
            variance < 1.1 * bound && variance > 0.7 * bound,
            "{variance} {bound}"
        );
    }
}

#[test]
fn a_value_that_is_not_finite_is_an_error() {
    let mut columns = vectors(2);
    columns[N + 17] = f32::NAN;
    let mut out = vec![0.0; 2 * 64];
    let error = Sketch::new(64, 8, 0).add(&columns, N, &[0..N], 40, &mut out);
    assert!(
        matches!(
            error,
            Err(SpectrumError::NotFinite {
                parameter: 17,
                iteration: 41,
                ..
            })
        ),
        "{error:?}"
    );
}

/// The spectra that `run` leaves, by statement and layers, and what `plan` and `run` say.
fn made(study: &str) -> (String, String, Vec<serde_json::Value>) {
    let gradstudy = Gradstudy::new(study);
    let plan = gradstudy.run(&["plan", "test.study"]).success().stdout;
    let shown = gradstudy.run(&["run", "test.study"]).success().stdout;
    let files = walkdir::WalkDir::new(gradstudy.path().join("reports"));
    let mut files = files.into_iter().map(|entry| entry.unwrap().into_path());
    let path = files.find(|path| path.ends_with("spectra.json")).unwrap();
    let all: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let spectra = all["spectra"].as_array().unwrap().iter();
    (plan, shown, spectra.map(|it| it["spectrum"].clone()).collect())
}

fn values(spectrum: &serde_json::Value) -> Vec<f64> {
    let values = spectrum["values"].as_array().unwrap().iter();
    values.map(|value| value.as_f64().unwrap()).collect()
}

#[test]
fn eigenvalues_lie_within_the_bound() {
    let study = |keep: &str, sketch: &str| {
        format!(
            "study \"Sketch\" {{ seeds: 0 }}\ndata d = fashion_mnist_5k\nmodel m = lenet\n\
             record g = gradients(of: m, on: d, iterations: 200{keep})\n\
             spectrum c = covariance(g, top: 150{sketch})\nspectrum s = second_moment(g, top: 150{sketch})\n\
             spectrum f = covariance(g, top: 150, centre: full_batch{sketch})\n\
             spectrum e = second_moment(g, top: 150, layers: each{sketch})\n\
             test t = power_law(c, tail: top(100))\ntable r {{ of: t  rows: [model]  columns: [d_ks] }}\n"
        )
    };
    let (_, _, exact) = made(&study("", ""));
    let sketch = ", sketch: sparse_signs(dim: 4096)";
    let (plan, shown, found) = made(&study("", sketch));
    assert!(plan.contains("rows of G") || plan.contains("sketched"), "{plan}");
    assert!(
        shown.contains("sketched to 4096 dimensions") && shown.contains("within 9.9 % of the trace"),
        "{shown}"
    );
    assert_eq!(found.len(), exact.len());
    let mut sketches = 0;
    for (found, exact) in found.iter().zip(&exact) {
        let pairs = values(found).into_iter().zip(values(exact));
        let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        let trace = exact["trace"].as_f64().unwrap();
        assert!((found["trace"].as_f64().unwrap() / trace - 1.0).abs() < 1e-5);
        assert_eq!(found["parameters"], exact["parameters"]);
        match found["sketch"]["bound"].as_f64() {
            Some(bound) => {
                sketches += 1;
                assert!(worst < bound && bound < 0.1 * trace, "{worst} {bound} {trace}");
                // It is a sketch, and the bound is no more than some fifty times what happens.
                assert!(worst > bound / 50.0, "{worst} {bound}");
            }
            // A layer of fewer parameters than dimensions is exact.
            None => assert!(worst < 1e-9 * trace, "{worst}"),
        }
    }
    // Of LeNet's layers only fc1 and fc2 are larger than 4096.
    assert_eq!(sketches, 3 + 2);
    // From G in memory: the same bits.
    let (_, _, kept) = made(&study(", keep: true", sketch));
    for (found, kept) in found.iter().zip(&kept).filter(|it| !it.0["sketch"].is_null()) {
        assert_eq!(values(found), values(kept));
    }
}
