//! The kernels of the GPU, in CubeCL.
//!
//! An activation is `[n, rows, width]`, one copy a probe or one for several: of a result's N copies, copy `p` sees copy
//! `p * n / N` of an argument that has n. Each argument has an n of its own, and n divides N.
//!
//! Numbers are f32, f16 or bf16 where they are stored and f32 where they are worked on.

use burn::tensor::{DType, Shape};
use burn_cubecl::CubeDevice;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::client::Client;
use cubecl::ir::ElemType;
use cubecl::prelude::*;
use cubecl::server::Handle;

mod ahead;
mod attention;
mod bridge;
mod embedding;
mod finish;
mod layer_norm;
mod layout;
mod many;
mod math;
mod matmul;
mod narrow;
mod noise;
mod pass;
#[cfg(all(test, feature = "vulkan"))]
mod test_support;
mod update;

pub(crate) use bridge::{all_perturbed, descended, is_gpu, perturbed, repeated_product};
pub(crate) use layout::Layout as Spans;
pub(crate) use pass::Gpu;

/// Units of a cube where each makes elements of its own.
const UNITS: u32 = 256;

/// The element type as CubeCL names it.
///
/// # Panics
/// For what no activation is stored in.
fn element(dtype: DType) -> ElemType {
    match dtype {
        DType::F32 => f32::elem_type_native(),
        DType::BF16 => half::bf16::elem_type_native(),
        DType::F16 => half::f16::elem_type_native(),
        other => panic!("expected f32, f16 or bf16, got {other:?}"),
    }
}

/// An argument of a kernel: `[copies, rows, width]` in order.
struct Copies {
    tensor: CubeTensor,
    copies: usize,
    rows: usize,
    width: usize,
}

impl Copies {
    /// Lays the elements in order where they are not.
    ///
    /// # Panics
    /// If the tensor has not three axes.
    fn of(tensor: CubeTensor) -> Self {
        let tensor = into_contiguous(tensor);
        let &[copies, rows, width] = &tensor.meta.shape()[..] else {
            panic!("expected [copies, rows, width], got {:?}", tensor.meta);
        };
        numbered(&[copies, rows, width]);
        Self {
            tensor,
            copies,
            rows,
            width,
        }
    }

    fn element(&self) -> ElemType {
        element(self.tensor.dtype)
    }

    fn into_arg(self) -> BufferArg {
        self.tensor.into_buffer_arg()
    }
}

/// The copies of a result: as many as the argument that has most.
///
/// # Panics
/// If the number of an argument does not divide it.
fn most(copies: impl IntoIterator<Item = usize> + Clone) -> usize {
    let most = copies.clone().into_iter().max().unwrap_or(1);
    for copies in copies {
        assert!(
            copies > 0 && most.is_multiple_of(copies),
            "{copies} copies beside {most}"
        );
    }
    most
}

/// Ops number elements with 32 bits.
fn numbered(dims: &[usize]) {
    let count: usize = dims.iter().product();
    assert!(u32::try_from(count).is_ok(), "{dims:?} is too large");
}

/// A tensor in order with nothing in it yet.
fn empty(client: &Client, device: &CubeDevice, dims: &[usize], dtype: DType) -> CubeTensor {
    numbered(dims);
    let shape = Shape::from(dims.to_vec());
    empty_device_contiguous_dtype(client.clone(), device.clone(), shape, dtype)
}

/// Elements a unit takes at a time: four where no row's end falls between them.
fn lanes(width: usize) -> usize {
    if width.is_multiple_of(4) { 4 } else { 1 }
}

/// Rows of a cube where a plane of units works on each.
const ROWS: u32 = 8;

/// As many cubes as give each of `rows` the units that the hardware runs in step (CubeCL's plane, CUDA's warp), and how many
/// those are.
fn cubes_of_rows(client: &Client, rows: usize) -> (CubeCount, CubeDim, usize) {
    let hardware = &client.properties().hardware;
    let together = hardware.plane_size_max;
    assert_eq!(
        hardware.plane_size_min, together,
        "planes of units of one size"
    );
    let dim = CubeDim::new_2d(together, ROWS);
    let together = together as usize;
    let count = cubecl::calculate_cube_count_elemwise(client, rows * together, dim);
    (count, dim, together)
}

/// As many cubes as give each of `units` something to do.
fn cubes(client: &Client, units: usize) -> (CubeCount, CubeDim) {
    cubes_of(client, units, UNITS)
}

/// The same, each cube of so many units.
fn cubes_of(client: &Client, units: usize, size: u32) -> (CubeCount, CubeDim) {
    let dim = CubeDim::new_1d(size);
    (
        cubecl::calculate_cube_count_elemwise(client, units, dim),
        dim,
    )
}

/// Words on the device.
struct Words {
    handle: Handle,
    count: usize,
}

impl Words {
    fn arg(&self) -> BufferArg {
        // SAFETY: as many words went up.
        unsafe { BufferArg::from_raw_parts(self.handle.clone(), self.count) }
    }
}

fn upload(client: &Client, words: &[u32]) -> Words {
    // An empty buffer cannot be bound.
    let words = if words.is_empty() { &[0] } else { words };
    Words {
        handle: client.create_from_slice(u32::as_bytes(words)),
        count: words.len(),
    }
}

/// The copy of an argument with `of` copies that copy `copy` of `most` sees.
#[cube]
fn seen(copy: usize, of: usize, most: usize) -> usize {
    copy * of / most
}

#[cfg(all(test, feature = "vulkan"))]
mod tests;
