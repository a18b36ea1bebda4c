//! Why a spectrum cannot be had.

/// A history or matrix whose spectrum is not defined, or holds less than was asked for.
#[derive(Debug, Clone, PartialEq, thiserror::Error, miette::Diagnostic)]
pub enum SpectrumError {
    #[error("`top: {top}` asks for more eigenvalues than the matrix has above zero (at most {rank_bound})")]
    #[diagnostic(
        code(gradstudy::spectrum::rank),
        help(
            "{parameters} parameters and {samples} iterations allow {rank_bound} eigenvalues above zero: take \
             `top: {rank_bound}` or fewer, or record more iterations"
        )
    )]
    TopAboveRank {
        top: u64,
        /// Most eigenvalues above zero that n and T allow.
        rank_bound: u64,
        parameters: u64,
        samples: u64,
    },

    #[error("there is no {what} {index}: the history has {count}, counted from 0")]
    #[diagnostic(code(gradstudy::spectrum::index), help("set `index` to at most {}", count.saturating_sub(1)))]
    Index {
        /// `iteration` or `parameter`.
        what: &'static str,
        index: u64,
        count: u64,
    },

    #[error("`top: {top}` asks for more values than one {what} has, which has {size}")]
    #[diagnostic(code(gradstudy::spectrum::size), help("take `top: {size}` or fewer"))]
    TopAboveSize {
        top: u64,
        size: u64,
        /// `iteration` or `parameter`.
        what: &'static str,
    },

    #[error("the device failed: {reason}")]
    #[diagnostic(
        code(gradstudy::spectrum::device),
        help(
            "T iterations take 8 T² bytes of the GPU's memory; free it of other work, or use `--device cpu`"
        )
    )]
    Device { reason: String },

    #[error("one iteration has no covariance around its own mean")]
    #[diagnostic(
        code(gradstudy::spectrum::one_iteration),
        help("record more iterations (`iterations: 5000`), or take `second_moment`")
    )]
    OneIteration,

    #[error("the gradient history has no values ({parameters} parameters, {samples} iterations)")]
    #[diagnostic(
        code(gradstudy::spectrum::empty),
        help("record at least one iteration of at least one parameter")
    )]
    Empty { parameters: u64, samples: u64 },

    #[error("the gradient of iteration {iteration} is {value} at parameter {parameter}")]
    #[diagnostic(
        code(gradstudy::spectrum::not_finite),
        help(
            "a spectrum needs finite gradients: lower the learning rate of the training before it, or clip the \
             gradients (`clip: 0.1`); of numbers of your own, mend the file"
        )
    )]
    NotFinite {
        /// From 0.
        parameter: u64,
        /// From 0.
        iteration: u64,
        value: f32,
    },

    #[error("the matrix holds a value that is not finite")]
    #[diagnostic(
        code(gradstudy::spectrum::matrix_not_finite),
        help("its entries overflowed or were not numbers to begin with; look at the gradients' sizes")
    )]
    MatrixNotFinite,

    #[error("the centre has {found} values, the gradients have {parameters}")]
    #[diagnostic(
        code(gradstudy::spectrum::centre),
        help("the full-batch gradient must belong to the same model as the history")
    )]
    Centre { found: u64, parameters: u64 },

    #[error("`centre: full_batch` needs the full-batch gradient, which this history was recorded without")]
    #[diagnostic(
        code(gradstudy::spectrum::no_full_batch),
        help("take `centre: history`, the mean over the recorded iterations")
    )]
    NoFullBatch,

    #[error("a spectrum of {values} values has no eigengaps")]
    #[diagnostic(
        code(gradstudy::spectrum::no_gaps),
        help("ask for at least two eigenvalues (`top: 1001`)")
    )]
    NoGaps { values: u64 },

    #[error("the eigenvalue iteration did not converge")]
    #[diagnostic(
        code(gradstudy::spectrum::no_convergence),
        help("this is a defect of gradstudy: please report the study that led here")
    )]
    NoConvergence,
}

impl SpectrumError {
    /// The error with the parameter that is not finite as `name` says.
    pub(super) fn renamed(self, name: impl Fn(u64) -> u64) -> Self {
        match self {
            SpectrumError::NotFinite {
                parameter,
                iteration,
                value,
            } => SpectrumError::NotFinite {
                parameter: name(parameter),
                iteration,
                value,
            },
            other => other,
        }
    }
}
