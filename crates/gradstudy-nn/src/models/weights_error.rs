//! What can be wrong with a file of weights.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use gradstudy_arrays::ArraysError;

/// Why weights cannot be read.
#[derive(Debug, Error, Diagnostic)]
pub enum WeightsError {
    #[error("cannot read the weights `{}`: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::weights::read),
        help("check the path; it is relative to the folder of the study")
    )]
    Read { path: PathBuf, reason: std::io::Error },
    #[error("`{}` is not a complete .safetensors file: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::weights::malformed),
        help("save it again with `safetensors.torch.save_file`")
    )]
    Malformed {
        path: PathBuf,
        reason: safetensors::SafeTensorError,
    },
    #[error("`{}` is not a state dict that can be read: {reason}", path.display())]
    #[diagnostic(
        code(gradstudy::weights::pytorch),
        help("save it again with `torch.save(model.state_dict(), path)` or as .safetensors")
    )]
    Pytorch { path: PathBuf, reason: String },
    /// Tensors are missing, too many, or of other shapes.
    #[error("`{}` {problem}", path.display())]
    #[diagnostic(code(gradstudy::weights::mismatch), help("{help}"))]
    Mismatch {
        path: PathBuf,
        problem: String,
        help: String,
    },
    #[error("`{}` holds weights of {model} {} times: {}", path.display(), places.len(), places.join(", "))]
    #[diagnostic(
        code(gradstudy::weights::several),
        help("say which are meant: {}", choices.join(" or "))
    )]
    Several {
        path: PathBuf,
        model: &'static str,
        /// Where in the file.
        places: Vec<String>,
        /// What to write for each.
        choices: Vec<String>,
    },
    #[error("`{}` holds no weights of {model} under `{key}`", path.display())]
    #[diagnostic(code(gradstudy::weights::key), help("{known}"))]
    Key {
        path: PathBuf,
        model: &'static str,
        key: String,
        known: String,
    },
    #[error("`{name}` in `{}` holds {value}", path.display())]
    #[diagnostic(
        code(gradstudy::weights::not_finite),
        help("the training that made it diverged, or the file is damaged: take other weights")
    )]
    NotFinite { path: PathBuf, name: String, value: f64 },
    #[error("`{name}` in `{}` holds {value}, more than a float32 can", path.display())]
    #[diagnostic(
        code(gradstudy::weights::too_large),
        help("gradstudy computes in float32, as PyTorch does: take weights that fit")
    )]
    TooLarge { path: PathBuf, name: String, value: f64 },
    #[error("`{name}` in `{}` holds {dtype}", path.display())]
    #[diagnostic(
        code(gradstudy::weights::dtype),
        help("save the weights as floats: float32, float64, float16 or bfloat16")
    )]
    Dtype {
        path: PathBuf,
        name: String,
        dtype: String,
    },
}

impl WeightsError {
    /// What went wrong with a file of PyTorch.
    pub(super) fn pytorch(path: &Path, error: ArraysError) -> Self {
        let path = path.into();
        match error {
            ArraysError::File { reason, .. } => WeightsError::Read { path, reason },
            ArraysError::Malformed { problem, .. } => {
                let known = "is no file of PyTorch that can be read: ";
                let reason = problem.strip_prefix(known).unwrap_or(&problem).to_string();
                WeightsError::Pytorch { path, reason }
            }
            other => WeightsError::Pytorch {
                path,
                reason: other.to_string(),
            },
        }
    }
}
