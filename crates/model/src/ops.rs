//! The tensor operations of the forward pass.
//!
//! [`Ops`] names them. The CPU's version works on the tensors' memory with all threads, a few hundred tokens at a time
//! through as much of a layer as needs no other token; CubeCL's work on a GPU's; the plain one is made of burn's own operations,
//! for passes that autodiff records and for dropout. The tests hold them equal. On the CPU every row of a result is summed in
//! a fixed order that depends on nothing beside it: not its position, its neighbours, the number of probes or of threads.

use burn::tensor::{FloatDType, Tensor};

use crate::clock::Watch;
use crate::precision::{Precision, Stored};

mod arguments;
pub(crate) mod copies;
mod cpu;
#[cfg(feature = "cube")]
pub(crate) mod gpu;
pub(crate) mod host;
pub(crate) mod math;
pub(crate) mod norm;
pub(crate) mod perturb;
mod plain;
pub(crate) mod score;
pub(crate) mod sentences;
pub(crate) mod simd;
#[cfg(test)]
mod tests;
pub(crate) mod trained;
pub(crate) mod update;

pub(crate) use arguments::{
    Activation, Attention, AttentionOutputMlp, Dense, Embedding, Front, LowRank, Norm, Norms,
};
use copies::CopyIndex;
pub use cpu::product_seconds;
pub(crate) use plain::joined;
use sentences::Layout;

/// Elements of a weight that a thread perturbs or updates at a time: enough to be worth the handing over.
const TASK: usize = 8192;
/// Elements of it whose normals are made at a time. While those of a few are made, the processor fetches the weights of the
/// next few.
const PIECE: usize = 256;

/// What a forward pass is made of, for encoders and decoders.
///
/// An argument is `[P or 1, ...]`: a copy for each probe, or one that all of them share. In batched runs it may have a copy for
/// each run, `[R, ...]`, which the run's probes share ([`CopyIndex`]). The result has as many copies as the argument that has
/// most.
pub(crate) trait Ops {
    /// `word[word_of[t]] + token_type + position[position_of[t]]` for each token.
    ///
    /// # Shapes
    /// -> `[P or 1, T, H]`
    fn embedding(&self, of: Embedding<'_>) -> Tensor<3>;

    /// `layer_norm(x)`
    ///
    /// # Shapes
    /// `[P or 1, T, H]` -> the same
    fn layer_norm(&self, x: Tensor<3>, norm: Norm) -> Tensor<3>;

    /// `then(x W + b)`, with LoRA's term where there is one.
    ///
    /// # Shapes
    /// `[P or 1, T, in]` -> `[P or 1, T, out]`
    fn linear(&self, x: Tensor<3>, dense: Dense, then: Activation, watch: Watch<'_>) -> Tensor<3>;

    /// `softmax(q k^T / sqrt(d)) v` in each head, over the tokens of its sentence that a query sees and the front's keys and
    /// values before them; q from the rows that ask, k and v from all.
    ///
    /// # Shapes
    /// `[P or 1, T, H]` and `[P or 1, Q, H]` -> `[P or 1, Q, H]`, Q the tokens or the sentences
    fn attention(&self, of: Attention, layout: Layout<'_>, watch: Watch<'_>) -> Tensor<3>;

    /// All of a layer that follows attention. With `x = mixed W + b + residual` it is, by where the [norms](Norms) stand,
    /// `norm(mlp(norm(x)) + norm(x))` or `mlp(norm(x)) + x`.
    ///
    /// # Shapes
    /// `[P or 1, Q, H]` -> the same
    fn attention_output_mlp(&self, of: AttentionOutputMlp, watch: Watch<'_>) -> Tensor<3>;
}

/// Some rows of the copies, those of each batch of the copies that see it.
///
/// # Shapes
/// `[P or 1, T, H]`, B row numbers for each batch -> `[P or 1, B, H]`
pub(crate) fn select(x: Tensor<3>, rows: &[usize], batches: usize) -> Tensor<3> {
    let device = x.device();
    let [copies, tokens, width] = x.dims();
    let (count, all) = (rows.len() / batches, copies.max(batches));
    // One selection for all copies: of the rows of all of them.
    let numbers = CopyIndex::all(all).flat_map(|copy| {
        let own = &rows[copy.among(batches) * count..][..count];
        let first = copy.among(copies) * tokens;
        own.iter().map(move |row| first + row)
    });
    let numbers: Vec<usize> = numbers.collect();
    x.reshape([copies * tokens, width])
        .select(0, host::row_numbers(&numbers, &device))
        .reshape([all, count, width])
}

/// What products with weights read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Products {
    /// Numbers of this format, where the device has such products.
    pub(crate) precision: Precision,
    /// On any device, by rounding.
    pub(crate) rounded: bool,
}

impl Products {
    /// All that f32 holds.
    pub(crate) const F32: Self = Self {
        precision: Precision::F32,
        rounded: false,
    };

    /// The numbers of two bytes that the device is given, where it is given such.
    pub(crate) fn narrow_on<const D: usize>(self, tensor: &Tensor<D>) -> Option<FloatDType> {
        let narrow = self.precision.narrow().filter(|_| !self.rounded);
        narrow.filter(|_| is_on_device(tensor))
    }
}

/// The version that can work on these tensors: the CPU's where all of them lie in its memory, a GPU's where they lie in a
/// GPU's.
pub(crate) fn of<'a>(
    tensors: impl Iterator<Item = &'a Tensor<3>>,
    products: Products,
) -> &'static dyn Ops {
    let (mut on_host, mut on_device) = (true, true);
    for tensor in tensors {
        on_host &= host::is_host(tensor);
        on_device &= is_on_device(tensor);
    }
    match products.precision {
        Precision::Tf32 if products.rounded => &plain::Plain(Precision::Tf32),
        Precision::F16 if products.rounded => &plain::Plain(Precision::F16),
        Precision::Bf16 if products.rounded => &plain::Plain(Precision::Bf16),
        _ if on_host => &cpu::Cpu,
        precision if on_device => device(precision),
        _ => &plain::PLAIN,
    }
}

/// Whether CubeCL's kernels work on the tensor.
pub(crate) fn is_on_device<const D: usize>(tensor: &Tensor<D>) -> bool {
    #[cfg(feature = "cube")]
    return gpu::is_gpu(tensor);
    #[cfg(not(feature = "cube"))]
    {
        let _ = tensor;
        false
    }
}

/// A product `x w` with an operation of its own on a device, that can be called any number of times; none on the CPU.
pub(crate) fn device_product(operands: [Tensor<3>; 2], precision: Precision) -> Option<impl Fn()> {
    #[cfg(feature = "cube")]
    return operands
        .iter()
        .all(is_on_device)
        .then(|| gpu::repeated_product(operands, precision));
    #[cfg(not(feature = "cube"))]
    {
        let _ = (operands, precision);
        None::<fn()>
    }
}

#[cfg(feature = "cube")]
fn device(precision: Precision) -> &'static dyn Ops {
    match precision {
        Precision::F32 => &gpu::Gpu(Precision::F32),
        Precision::Tf32 => &gpu::Gpu(Precision::Tf32),
        Precision::F16 => &gpu::Gpu(Precision::F16),
        Precision::Bf16 => &gpu::Gpu(Precision::Bf16),
    }
}

#[cfg(not(feature = "cube"))]
fn device(_: Precision) -> &'static dyn Ops {
    &plain::PLAIN
}
