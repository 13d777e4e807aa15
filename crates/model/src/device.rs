//! Where a model runs: a value chosen at run time, never a default.

mod measure;

use burn::tensor::Device;

pub use measure::{perturbed_on, product_seconds_on, reserved_bytes};

/// A device name this program has no device for.
#[derive(Debug, thiserror::Error)]
#[error("there is no device `{name}`: {reason}")]
pub struct DeviceError {
    /// What was asked for.
    name: String,
    /// Why it is not there.
    reason: String,
}

impl DeviceError {
    /// The way out.
    pub fn hint(&self) -> String {
        "`cpu` is always there; `cuda:0` needs a build with `--features cuda` and a driver".into()
    }
}

/// Opens a device by its name: `cpu`; `cuda:N` in a build with CUDA; `vulkan:0` in a build with Vulkan, which is there to
/// test the kernels for GPUs on machines without CUDA and is whichever device Vulkan puts first.
///
/// # Errors
/// If there is no such device here; the reason says why, and what there is.
pub fn open(name: &str) -> Result<Device, DeviceError> {
    let missing = |reason: String| DeviceError {
        name: name.into(),
        reason,
    };
    match name.split_once(':') {
        None if name == "cpu" => Ok(Device::flex()),
        Some(("cuda", number)) => {
            let index: usize = number
                .parse()
                .map_err(|_| missing("the number after `cuda:` is none".into()))?;
            cuda::open(index).ok_or_else(|| missing(why_no_cuda_of(index)))
        }
        Some(("vulkan", "0")) => vulkan().ok_or_else(|| missing(why_no_vulkan().into())),
        _ => Err(missing("expected `cpu` or `cuda:<number>`".into())),
    }
}

/// Whether it is the CPU, whose kernels work on its own memory.
pub fn is_cpu(device: &Device) -> bool {
    *device == Device::flex()
}

/// How many CUDA devices this process sees; none in a build without CUDA.
pub fn cuda_devices() -> usize {
    cuda::count()
}

/// What the driver calls a CUDA device, such as `NVIDIA H100 80GB HBM3`, where there is one of this index.
pub fn cuda_name(index: usize) -> Option<String> {
    cuda::name(index)
}

/// All the memory of a CUDA device in bytes, free or not, where there is one of this index.
pub fn cuda_memory(index: usize) -> Option<u64> {
    cuda::memory(index)
}

/// Why there is no CUDA device, and the way to one where it is known; nothing where there is one.
pub fn why_no_cuda() -> Option<String> {
    (cuda_devices() == 0).then(cuda::why_none)
}

/// Why there is no CUDA device of this index.
fn why_no_cuda_of(index: usize) -> String {
    why_no_cuda().unwrap_or_else(|| match cuda_devices() {
        1 => "there is cuda:0 alone".into(),
        count if index >= count => format!("there are cuda:0 to cuda:{}", count - 1),
        _ => "it was not there a moment ago".into(),
    })
}

#[cfg(feature = "vulkan")]
fn vulkan() -> Option<Device> {
    use burn::tensor::{DeviceKind, DeviceType};
    // Asking the list first: opening a device without a driver would panic.
    let there = !Device::enumerate(DeviceType::Vulkan).is_empty();
    there.then(|| Device::vulkan(DeviceKind::DefaultDevice))
}

#[cfg(not(feature = "vulkan"))]
fn vulkan() -> Option<Device> {
    None
}

fn why_no_vulkan() -> &'static str {
    match cfg!(feature = "vulkan") {
        true => "Vulkan has no driver here that finds one",
        false => {
            "this program was built without Vulkan, which is there for tests alone; `cargo build --release --features vulkan` \
             has it"
        }
    }
}

/// A build with CUDA, on a machine that may have no driver.
#[cfg(feature = "cuda")]
mod cuda {
    use burn::tensor::{Device, DeviceType};
    use cudarc::driver::result::{self, DriverError};
    use cudarc::driver::sys::{self, CUdevice, CUresult};

    const VISIBLE: &str = "CUDA_VISIBLE_DEVICES";

    pub fn count() -> usize {
        Device::enumerate(DeviceType::Cuda).len()
    }

    pub fn open(index: usize) -> Option<Device> {
        // Asking the list first: opening a device without a driver would panic.
        (index < count()).then(|| Device::cuda(index))
    }

    pub fn name(index: usize) -> Option<String> {
        result::device::get_name(device(index)?).ok()
    }

    pub fn memory(index: usize) -> Option<u64> {
        let device = device(index)?;
        // SAFETY: the driver has just given this device.
        let bytes = unsafe { result::device::total_mem(device) }.ok()?;
        u64::try_from(bytes).ok()
    }

    pub fn why_none() -> String {
        if !has_driver() {
            return "no NVIDIA driver was found, libcuda cannot be loaded".into();
        }
        match (result::init(), std::env::var_os(VISIBLE)) {
            (Err(error), _) if error.0 != CUresult::CUDA_ERROR_NO_DEVICE => {
                format!("the NVIDIA driver does not start: {}", words(error))
            }
            (_, Some(list)) => format!(
                "the NVIDIA driver shows none, with {VISIBLE} set to {:?}",
                list.to_string_lossy()
            ),
            (_, None) => "the NVIDIA driver finds none".into(),
        }
    }

    /// The device of an index, as the driver knows it.
    fn device(index: usize) -> Option<CUdevice> {
        if !has_driver() {
            return None;
        }
        result::init().ok()?;
        result::device::get(i32::try_from(index).ok()?).ok()
    }

    /// Whether CUDA's library, which comes with the driver, can be loaded. All else that is asked of it panics where it
    /// cannot.
    fn has_driver() -> bool {
        // SAFETY: it does no more than to load the library, as every program with CUDA does.
        unsafe { sys::is_culib_present() }
    }

    fn words(error: DriverError) -> String {
        match error.error_string() {
            Ok(text) => text.to_string_lossy().into_owned(),
            Err(_) => format!("error {}", error.0 as u32),
        }
    }
}

/// A build without CUDA.
#[cfg(not(feature = "cuda"))]
mod cuda {
    use burn::tensor::Device;

    pub fn count() -> usize {
        0
    }

    pub fn open(_: usize) -> Option<Device> {
        None
    }

    pub fn name(_: usize) -> Option<String> {
        None
    }

    pub fn memory(_: usize) -> Option<u64> {
        None
    }

    pub fn why_none() -> String {
        "this program was built without CUDA; `cargo build --release --features cuda` has it".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Why there is no such device.
    fn refused(name: &str) -> String {
        match open(name) {
            Ok(_) => panic!("there is a device {name}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_processor_is_always_there() {
        assert!(open("cpu").is_ok());
    }

    #[test]
    fn other_words_are_refused() {
        for name in ["", "gpu", "cpu:0", "cuda", "vulkan", "vulkan:1"] {
            assert_eq!(
                refused(name),
                format!("there is no device `{name}`: expected `cpu` or `cuda:<number>`")
            );
        }
        for name in ["cuda:", "cuda:x", "cuda:-1"] {
            assert_eq!(
                refused(name),
                format!("there is no device `{name}`: the number after `cuda:` is none")
            );
        }
    }

    #[test]
    fn what_is_said_of_cuda_devices_agrees() {
        let count = cuda_devices();
        assert_eq!(why_no_cuda().is_none(), count > 0);
        for index in 0..count {
            assert!(cuda_name(index).is_some() && cuda_memory(index).is_some());
        }
        for index in [count, 99] {
            assert_eq!((cuda_name(index), cuda_memory(index)), (None, None));
            let said = refused(&format!("cuda:{index}"));
            if let Some(why) = why_no_cuda() {
                assert_eq!(said, format!("there is no device `cuda:{index}`: {why}"));
            }
        }
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_build_without_cuda_says_so() {
        assert_eq!(
            refused("cuda:1"),
            "there is no device `cuda:1`: this program was built without CUDA; `cargo build --release --features cuda` has it"
        );
    }

    #[cfg(not(feature = "vulkan"))]
    #[test]
    fn a_build_without_vulkan_says_so() {
        assert!(refused("vulkan:0").contains("this program was built without Vulkan"));
    }
}
