//! Whole matrices of small networks against PyTorch's in float64.

use gradstudy::data::Dataset;
use gradstudy::hessian::{Curvature, Operator, Order, Request};
use safetensors::SafeTensors;

use super::nets::{dataset, dense, network, norm, reference, solve};

const NETS: [&str; 3] = ["conv", "padded", "mlp"];
const KINDS: [(Curvature, &str); 3] = [
    (Curvature::Hessian, "hessian"),
    (Curvature::GaussNewton, "gauss_newton"),
    (Curvature::EmpiricalFisher, "fisher"),
];

struct Golden(Vec<u8>);

impl Golden {
    fn read() -> Self {
        Golden(std::fs::read(reference("golden_small.safetensors")).unwrap())
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        file.tensor(name).unwrap().data().to_vec()
    }

    fn f32(&self, name: &str) -> Vec<f32> {
        let bytes = self.bytes(name);
        bytes
            .as_chunks()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect()
    }

    fn f64(&self, name: &str) -> Vec<f64> {
        let bytes = self.bytes(name);
        bytes
            .as_chunks()
            .0
            .iter()
            .map(|b| f64::from_le_bytes(*b))
            .collect()
    }

    fn data(&self, net: &str) -> Dataset {
        let bytes = self.bytes(&format!("{net}.labels"));
        let labels: Vec<u32> = bytes
            .as_chunks()
            .0
            .iter()
            .map(|b| u32::from_le_bytes(*b))
            .collect();
        let network = network(net);
        let images = self.f32(&format!("{net}.images"));
        dataset(network.input, network.classes, images, labels)
    }
}

/// Calls `check(name, operator, golden matrix's lower triangle, golden eigenvalues)` for every net and kind.
fn each(check: impl Fn(&str, &Operator, &[f32], &[f64])) {
    let golden = Golden::read();
    for net in NETS {
        let (network, data) = (network(net), golden.data(net));
        let theta = golden.f32(&format!("{net}.theta"));
        let samples: Vec<u32> = (0..data.len() as u32).collect();
        for (kind, name) in KINDS {
            let operator = Operator::new(&network, &theta, &data, &samples, kind).unwrap();
            let key = format!("{net}.{name}");
            let eigenvalues = golden.f64(&format!("{key}.eigenvalues"));
            check(&key, &operator, &golden.f32(&key), &eigenvalues);
        }
    }
}

#[test]
fn matrices_equal_pytorch_s() {
    each(|key, operator, triangle, eigenvalues| {
        let (n, matrix) = (operator.size(), dense(operator));
        let scale = norm(eigenvalues);
        let mut expected = triangle.iter();
        let mut squares = 0.0;
        for i in 0..n {
            for j in 0..=i {
                let entry = f64::from(*expected.next().unwrap());
                let weight = if i == j { 1.0 } else { 2.0 };
                squares += weight * (matrix[j * n + i] - entry).powi(2);
            }
        }
        assert!(expected.next().is_none(), "{key}: {n} parameters");
        let error = squares.sqrt() / scale;
        assert!(error < 1e-6, "{key}: relative error {error:e}");
    });
}

#[test]
fn blocks_are_those_of_the_whole_matrix() {
    let golden = Golden::read();
    for net in NETS {
        let (network, data) = (network(net), golden.data(net));
        let theta = golden.f32(&format!("{net}.theta"));
        let samples: Vec<u32> = (0..data.len() as u32).collect();
        for (kind, name) in KINDS {
            let operator = || Operator::new(&network, &theta, &data, &samples, kind).unwrap();
            let (n, whole) = (operator().size(), dense(&operator()));
            let block = operator().of_rows(vec![2..7, n / 2..n - 3]);
            let rows: Vec<usize> = (2..7).chain(n / 2..n - 3).collect();
            assert_eq!(block.size(), rows.len());
            let expected: Vec<f64> = rows
                .iter()
                .flat_map(|j| rows.iter().map(|i| whole[j * n + i]).collect::<Vec<_>>())
                .collect();
            assert_eq!(dense(&block), expected, "{net}, {name}");
            assert!(solve(&block, &Request::new(rows.len() + 1)).is_err());
        }
    }
}

#[test]
fn matrices_are_symmetric() {
    each(|key, operator, _, eigenvalues| {
        let (n, matrix) = (operator.size(), dense(operator));
        let skew: Vec<f64> = (0..n * n)
            .map(|k| matrix[k] - matrix[k % n * n + k / n])
            .collect();
        let error = norm(&skew) / norm(eigenvalues);
        assert!(error < 1e-6, "{key}: relative asymmetry {error:e}");
    });
}

#[test]
fn whole_spectra_equal_pytorch_s() {
    each(|key, operator, _, eigenvalues| {
        let n = operator.size();
        let ours = solve(operator, &Request::new(n)).unwrap();
        let largest = eigenvalues[0].max(-eigenvalues[n - 1]);
        assert_eq!((ours.values.len(), ours.products), (n, n as u64), "{key}");
        for (k, (value, expected)) in ours.values.iter().zip(eigenvalues).enumerate() {
            assert!(
                (value - expected).abs() < 1e-6 * largest,
                "{key}, {k}: {value} {expected}"
            );
            assert!(
                ours.residuals[k] < 1e-6 * largest,
                "{key}, {k}: {:e}",
                ours.residuals[k]
            );
        }
    });
}

#[test]
fn gauss_newton_and_fisher_have_no_negative_eigenvalues_and_the_hessian_has() {
    each(|key, operator, _, eigenvalues| {
        let ours = solve(operator, &Request::new(operator.size())).unwrap();
        let least = ours.values.last().unwrap() / eigenvalues[0];
        if operator.kind() == Curvature::Hessian {
            assert!(least < -1e-3, "{key}: {least:e}");
        } else {
            assert!(least > -1e-7, "{key}: {least:e}");
        }
    });
}

#[test]
fn order_by_magnitude_takes_both_ends() {
    each(|key, operator, _, eigenvalues| {
        let request = Request {
            order: Order::Magnitude,
            ..Request::new(12)
        };
        let mut expected = eigenvalues.to_vec();
        expected.sort_by(|a, b| b.abs().total_cmp(&a.abs()));
        let ours = solve(operator, &request).unwrap();
        for (value, expected) in ours.values.iter().zip(&expected[..12]) {
            assert!(
                (value - expected).abs() < 1e-6 * expected.abs().max(expected.abs()),
                "{key}: {value} {expected}"
            );
        }
    });
}
