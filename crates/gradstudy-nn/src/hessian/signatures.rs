//! The curvature spectra that a study can name.

use super::{Curvature, Request};
use crate::models::Network;
use crate::spectra::LAYERS;
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

const OF: Param = Param {
    name: "of",
    ty: ParamType::Reference(&["model", "train"]),
    default: Default::Required,
    doc: "a model (at its initial weights) or a training (at its final weights)",
};

const ON: Param = Param {
    name: "on",
    ty: ParamType::Reference(&["data"]),
    default: Default::Required,
    doc: "the data set whose mean loss is differentiated",
};

const SAMPLES: Param = Param {
    name: "samples",
    ty: ParamType::Integer { min: 1, max: 1 << 31 },
    default: Default::Text("10_000"),
    doc: "N: the first N examples of the data set",
};

const TOP: Param = Param {
    name: "top",
    ty: ParamType::Integer { min: 1, max: 1 << 31 },
    default: Default::Text("1000"),
    doc: "K: eigenvalues, the algebraically largest first; at most the number of parameters",
};

const TOLERANCE: Param = Param {
    name: "tolerance",
    ty: ParamType::Number { min: 1e-12, max: 0.5 },
    default: Default::Text("1e-4"),
    doc: "an eigenpair is found when ‖Hv − λv‖ ≤ tolerance · |λ|",
};

static RUNNING: Signature = Signature {
    name: "running",
    summary: "the running statistics that training has averaged, as constants (PyTorch's `eval()`); 0 and 1 at initial weights",
    params: &[],
    version: 1,
};

static BATCH: Signature = Signature {
    name: "batch",
    summary: "those of each minibatch of consecutive samples, as in training; they depend on θ",
    params: &[Param {
        name: "size",
        ty: ParamType::Integer { min: 2, max: 1 << 31 },
        default: Default::Text("100"),
        doc: "samples in a minibatch; `samples` must be a multiple",
    }],
    version: 1,
};

const BATCH_NORM: Param = Param {
    name: "batch_norm",
    ty: ParamType::Call(&[&BATCH, &RUNNING]),
    default: Default::Text("batch(100)"),
    doc: "mean and variance that batch normalisation goes by; of no account to a network without it",
};

/// `hessian(of: pretrained, on: mnist, samples: 10_000, top: 1000, tolerance: 1e-4)`
pub static HESSIAN: Signature = Signature {
    name: "hessian",
    summary: "the largest eigenvalues of the Hessian of the mean loss",
    params: &[OF, ON, SAMPLES, TOP, TOLERANCE, BATCH_NORM, LAYERS],
    version: 1,
};

/// `gauss_newton(…)` as [`HESSIAN`].
pub static GAUSS_NEWTON: Signature = Signature {
    name: "gauss_newton",
    summary: "the largest eigenvalues of the Gauss–Newton matrix of the mean loss (the Hessian without ∂²z/∂θ²)",
    params: &[OF, ON, SAMPLES, TOP, TOLERANCE, BATCH_NORM, LAYERS],
    version: 1,
};

/// `fisher(…)` as [`HESSIAN`].
pub static FISHER: Signature = Signature {
    name: "fisher",
    summary: "the largest eigenvalues of the empirical Fisher matrix, 1/N Σ gᵢgᵢᵀ over single samples",
    params: &[OF, ON, SAMPLES, TOP, TOLERANCE, BATCH_NORM, LAYERS],
    version: 1,
};

/// Every curvature matrix that a study can name.
pub static CURVATURES: &[(&Signature, Curvature)] = &[
    (&HESSIAN, Curvature::Hessian),
    (&GAUSS_NEWTON, Curvature::GaussNewton),
    (&FISHER, Curvature::EmpiricalFisher),
];

/// The matrix called `name` in a study.
pub fn find(name: &str) -> Option<Curvature> {
    let found = CURVATURES.iter().find(|(signature, _)| signature.name == name)?;
    Some(found.1)
}

/// Samples of a minibatch by whose statistics batch normalisation goes; none for running statistics.
pub fn minibatch_size(args: &Args) -> Option<u64> {
    let call = args.call("batch_norm");
    (call.name == "batch").then(|| call.args.integer("size") as u64)
}

impl Request {
    /// Reads arguments checked against one of [`CURVATURES`].
    pub fn from_args(args: &Args, seed: u64) -> Self {
        Request {
            tolerance: args.number("tolerance"),
            seed,
            ..Request::new(args.integer("top") as usize)
        }
    }

    /// Rough wall time in seconds on the current thread pool for `samples` samples and `parameters` of the network's
    /// parameters, for `gradstudy plan`.
    pub fn seconds(&self, network: &Network, parameters: usize, samples: u64) -> f64 {
        // Measured for LeNet on an Intel Xeon with AVX-512: a product is 1.6 gradients, 40 billion operations a
        // second on each core.
        let products = self.expected_products(parameters) as f64;
        let flops = products * samples as f64 * 1.6 * network.gradient_flops() as f64;
        flops / (40e9 * rayon::current_num_threads() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found() {
        assert_eq!(find("gauss_newton"), Some(Curvature::GaussNewton));
        assert_eq!(
            CURVATURES
                .iter()
                .filter(|(s, kind)| find(s.name) == Some(*kind))
                .count(),
            3
        );
        assert_eq!(find("covariance"), None);
    }
}
