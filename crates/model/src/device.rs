//! Where a model runs: a value chosen at run time, never a default.

use burn::tensor::Device;

use crate::error::ModelError;

/// Opens a device by its name: `cpu`, or `cuda:N` in a build that has CUDA.
///
/// # Errors
/// If there is no such device here; the reason says why.
pub fn open(name: &str) -> Result<Device, ModelError> {
    let missing = |reason: &str| ModelError::Device {
        name: name.into(),
        reason: reason.into(),
    };
    if name == "cpu" {
        return Ok(Device::flex());
    }
    let Some(number) = name.strip_prefix("cuda:") else {
        return Err(missing("expected `cpu` or `cuda:<number>`"));
    };
    let number: usize = number
        .parse()
        .map_err(|_| missing("the number after `cuda:` is none"))?;
    let none = match cfg!(feature = "cuda") {
        true => "no such CUDA device was found",
        false => "this program was built without CUDA",
    };
    cuda(number).ok_or_else(|| missing(none))
}

/// How many CUDA devices this process sees; none in a build without CUDA.
pub fn cuda_devices() -> usize {
    #[cfg(feature = "cuda")]
    return Device::enumerate(burn::tensor::DeviceType::Cuda).len();
    #[cfg(not(feature = "cuda"))]
    0
}

#[cfg(feature = "cuda")]
fn cuda(number: usize) -> Option<Device> {
    // Asking the list first: opening a device without a driver would panic.
    (number < cuda_devices()).then(|| Device::cuda(number))
}

#[cfg(not(feature = "cuda"))]
fn cuda(_: usize) -> Option<Device> {
    None
}
