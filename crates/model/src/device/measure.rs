//! What a device does and holds, to hold steps against.

use std::borrow::Cow;
use std::time::Instant;

use burn::tensor::{Device, FloatDType, Tensor};

use crate::noise::{Philox, Probe};
use crate::ops::perturb::whole;
use crate::ops::trained::Moved;
use crate::ops::{device_product, product_seconds};
use crate::precision::{Precision, Stored};

/// Products whose times are compared.
const TIMES: usize = 5;
/// Products of a time: the device has work while it is waited for.
const AT_ONCE: u32 = 8;

/// Bytes that the device's memory pools hold, in use or kept for reuse; none where it does not tell, as the CPU does not.
pub fn reserved_bytes(device: &Device) -> Option<u64> {
    let usage = device.memory_pool_usage()?;
    Some(usage.bytes_reserved)
}

/// Seconds of a product `[rows, input] x [input, output]` of numbers of this format, the fastest of several times; on the CPU of
/// f32.
pub fn product_seconds_on(
    device: &Device,
    precision: Precision,
    [rows, input, output]: [usize; 3],
) -> f64 {
    // Products of one number again and again take a GPU less power, and so less time.
    let x = normals(device, 1, 0, rows * input).reshape([1, rows, input]);
    let weight = normals(device, 2, 0, input * output).reshape([1, input, output]);
    let operands = || [&x, &weight].map(|it| it.clone().cast(precision.stored()));
    let Some(product) = device_product(operands(), precision) else {
        return product_seconds(rows, input, output, TIMES);
    };
    // What cannot be waited for fails where its numbers are read.
    let wait = || drop(device.sync());
    product();
    wait();
    let times = (0..TIMES).map(|_| {
        let start = Instant::now();
        for _ in 0..AT_ONCE {
            product();
        }
        wait();
        start.elapsed().as_secs_f64() / f64::from(AT_ONCE)
    });
    times.fold(f64::INFINITY, f64::min)
}

/// The first normals of a seed and a parameter, as the device makes them.
pub fn perturbed_on(device: &Device, seed: u64, parameter: usize, count: usize) -> Vec<f32> {
    let made = normals(device, seed, parameter, count);
    made.into_data().iter::<f32>().collect()
}

fn normals(device: &Device, seed: u64, parameter: usize, count: usize) -> Tensor<3> {
    let moved = Moved {
        theta: Tensor::zeros([1, count], device),
        probes: Cow::Owned(vec![Probe { seed, scale: 1.0 }]),
    };
    whole(vec![moved], parameter, &Philox, FloatDType::F32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;

    #[test]
    fn the_cpu_makes_what_it_makes() {
        let device = Device::flex();
        let mut expected = vec![0.0; 1000];
        Philox.fill(7, 3, 0, &mut expected);
        assert_eq!(perturbed_on(&device, 7, 3, 1000), expected);
        assert!(product_seconds_on(&device, Precision::Bf16, [3, 16, 16]) > 0.0);
    }
}
