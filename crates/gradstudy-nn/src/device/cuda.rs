//! The i-th NVIDIA GPU by burn's CUDA backend.

use burn::{Device, DeviceType, Tensor};

use super::nvidia::Installation;
use super::{DeviceError, Precision, Selected};
use crate::gradients::engine::Engine;
use crate::gradients::failure::{EngineError, attempt};
use crate::layers::Products;

/// The GPU, after it has computed something.
pub(super) fn cuda(
    index: usize,
    precision: Precision,
    installation: &Installation,
) -> Result<Selected, DeviceError> {
    // Using a device that is not there panics; listing does not.
    let found = Device::enumerate(DeviceType::Cuda).into_iter().count();
    if found == 0 {
        let (why, help) = installation.why_no_device();
        return Err(DeviceError::None { why, help });
    }
    if index >= found {
        return Err(DeviceError::NotFound { index, found });
    }
    if installation.libdevice.is_none() {
        return Err(DeviceError::Unusable {
            index,
            reason: format!(
                "libdevice.10.bc, which has exp and log for GPUs, is not in {}",
                installation.libdevice_places
            ),
            help: "install the CUDA toolkit (of pip's, nvidia-cuda-nvcc has it) and let CUDA_PATH name the folder that \
                   holds nvvm/",
        });
    }
    let device = Device::cuda(index);
    let tried = attempt(|| try_out(&device)).map_err(|error| DeviceError::Unusable {
        index,
        reason: match (&installation.driver, error.to_string()) {
            (Some(driver), error) => format!("{error} (driver {driver})"),
            (None, error) => error,
        },
        help: "a missing symbol or an unsupported PTX version means a driver that is too old: CUDA 12 or newer is needed",
    });
    let name = tried?;
    let (products, class, words) = match precision {
        Precision::F32 => (Products::Double, "cuda", ""),
        Precision::Tf32 => (Products::Native, "cuda-tf32", ", matrix products in TF32"),
    };
    Ok(Selected {
        engine: Engine::Burn(device, products),
        beside: Vec::new(),
        class,
        description: format!("CUDA device {index}: {name}{words}"),
        remark: None,
    })
}

/// Exponentials and products of both kinds on `device`; its name.
fn try_out(device: &Device) -> Result<String, EngineError> {
    let ones = Tensor::<2>::ones([2, 2], device);
    for products in [Products::Native, Products::Double] {
        let result = products.of(ones.clone(), ones.clone().exp());
        let data = result
            .try_into_data()
            .map_err(|error| EngineError::of(error.reason()))?;
        let values = data
            .as_slice::<f32>()
            .map_err(|error| EngineError::of(&format!("{error:?}")))?;
        let expected = 2.0 * std::f32::consts::E;
        if values.iter().any(|value| (value / expected - 1.0).abs() > 1e-2) {
            return Err(EngineError::of(&format!(
                "it computes {values:?} for four times 2e"
            )));
        }
    }
    let name = device.identity().map(|identity| identity.name);
    Ok(name.unwrap_or_else(|| "a GPU without a name".to_string()))
}
