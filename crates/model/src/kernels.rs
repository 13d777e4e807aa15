//! The tensor operations of the forward pass.
//!
//! [`Kernels`] names them. The CPU's version works on the tensors' memory with all threads, a few hundred tokens at a time
//! through as much of a layer as needs no other token; CubeCL's work on a GPU's; the plain one is made of burn's own operations,
//! for passes that autodiff records and for dropout. The tests hold them equal. On the CPU every row of a result is summed in
//! a fixed order that depends on nothing beside it: not its position, its neighbours, the number of probes or of threads.

use std::ops::Range;

use burn::tensor::{FloatDType, Tensor};

use crate::batch::Starts;
use crate::clock::Watch;
use crate::dropout::Site;
use crate::precision::Precision;

mod cpu;
#[cfg(feature = "cube")]
pub(crate) mod cube;
pub(crate) mod host;
pub(crate) mod math;
pub(crate) mod norm;
pub(crate) mod perturb;
mod plain;
pub(crate) mod score;
pub(crate) mod simd;
#[cfg(test)]
mod tests;
pub(crate) mod update;

pub use cpu::product_seconds;
pub(crate) use plain::joined;

/// Elements of a weight that a thread perturbs or updates at a time: enough to be worth the handing over.
const TASK: usize = 8192;
/// Elements of it whose normals are made at a time. While those of a few are made, the processor fetches the weights of the
/// next few.
const PIECE: usize = 256;

/// What a forward pass is made of.
///
/// Where an argument is `[P or 1, ...]`, one plane is shared by all probes. Where several runs go together it may have one plane
/// for each of them, `[R, ...]`, which the run's probes share ([`Plane`]). The result has as many planes as the argument that
/// has most.
pub(crate) trait Kernels {
    /// `word[word_of[t]] + kind + position[position_of[t]]` for each token.
    ///
    /// # Shapes
    /// -> `[P or 1, T, H]`
    fn embed(&self, embed: Embed<'_>) -> Tensor<3>;

    /// `layer_norm(x)`
    ///
    /// # Shapes
    /// `[P or 1, T, H]` -> the same
    fn normalise(&self, x: Tensor<3>, norm: Norm) -> Tensor<3>;

    /// `then(x W + b)`, with LoRA's term where there is one.
    ///
    /// # Shapes
    /// `[P or 1, T, in]` -> `[P or 1, T, out]`
    fn linear(&self, x: Tensor<3>, dense: Dense, then: Activation, watch: Watch<'_>) -> Tensor<3>;

    /// `softmax(q k^T / sqrt(d)) v` within each sentence and head, with the front's keys and values before the sentence's
    /// own; q from the rows that ask, k and v from all.
    ///
    /// # Shapes
    /// `[P or 1, T, H]` and `[P or 1, Q, H]` -> `[P or 1, Q, H]`, Q the tokens or the sentences
    fn attend(&self, attend: Attend, layout: Layout<'_>, watch: Watch<'_>) -> Tensor<3>;

    /// `norm(mixed W + b + residual)`, then the feed-forward part, its residual and its norm.
    ///
    /// # Shapes
    /// `[P or 1, Q, H]` -> the same
    fn close(&self, close: Close, watch: Watch<'_>) -> Tensor<3>;
}

/// Some rows of the planes, those of each batch of the planes that see it.
///
/// # Shapes
/// `[P or 1, T, H]`, B row numbers for each batch -> `[P or 1, B, H]`
pub(crate) fn select(x: Tensor<3>, rows: &[usize], batches: usize) -> Tensor<3> {
    let device = x.device();
    let [planes, tokens, width] = x.dims();
    let (count, all) = (rows.len() / batches, planes.max(batches));
    // One selection for all planes: of the rows of all of them.
    let numbers = Plane::all(all).flat_map(|plane| {
        let own = &rows[plane.among(batches) * count..][..count];
        let first = plane.among(planes) * tokens;
        own.iter().map(move |row| first + row)
    });
    let numbers: Vec<usize> = numbers.collect();
    x.reshape([planes * tokens, width])
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
) -> &'static dyn Kernels {
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
    return cube::is_cube(tensor);
    #[cfg(not(feature = "cube"))]
    {
        let _ = tensor;
        false
    }
}

/// A product `x w` with an operation of its own on a device, to be carried out as often as wanted; none on the CPU.
pub(crate) fn device_product(operands: [Tensor<3>; 2], precision: Precision) -> Option<impl Fn()> {
    #[cfg(feature = "cube")]
    return operands
        .iter()
        .all(is_on_device)
        .then(|| cube::repeated_product(operands, precision));
    #[cfg(not(feature = "cube"))]
    {
        let _ = (operands, precision);
        None::<fn()>
    }
}

#[cfg(feature = "cube")]
fn device(precision: Precision) -> &'static dyn Kernels {
    match precision {
        Precision::F32 => &cube::Cube(Precision::F32),
        Precision::Tf32 => &cube::Cube(Precision::Tf32),
        Precision::F16 => &cube::Cube(Precision::F16),
        Precision::Bf16 => &cube::Cube(Precision::Bf16),
    }
}

#[cfg(not(feature = "cube"))]
fn device(_: Precision) -> &'static dyn Kernels {
    &plain::PLAIN
}

/// A plane of a result: a number below `of`, the count of them all.
///
/// The planes of a run's probes follow each other. So the planes of an argument that has fewer, one for each run or one for
/// all, are each seen by as many neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plane {
    pub(crate) number: usize,
    pub(crate) of: usize,
}

impl Plane {
    /// All planes of a result.
    pub(crate) fn all(of: usize) -> impl Iterator<Item = Self> {
        (0..of).map(move |number| Self { number, of })
    }

    /// Which of an argument's `count` planes it sees; `count` divides the number of all.
    pub(crate) fn among(self, count: usize) -> usize {
        self.number * count / self.of
    }
}

/// Three tables and which rows of them each token has.
pub(crate) struct Embed<'a> {
    /// `[P or 1, U, H]`
    pub(crate) word: Tensor<3>,
    /// T numbers for each batch.
    pub(crate) word_of: &'a [usize],
    /// `[P or 1, L, H]`
    pub(crate) position: Tensor<3>,
    /// T numbers for each batch.
    pub(crate) position_of: &'a [usize],
    /// `[P or 1, 1, H]`
    pub(crate) kind: Tensor<3>,
    /// One batch that all probes see, or one for each run.
    pub(crate) batches: usize,
}

impl Embed<'_> {
    pub(crate) fn tensors(&self) -> impl Iterator<Item = &Tensor<3>> {
        [&self.word, &self.position, &self.kind].into_iter()
    }
}

/// Gain and shift of a layer norm as each probe sees them, and its epsilon.
#[derive(Clone)]
pub(crate) struct Norm {
    /// `[P or 1, 1, H]`
    pub(crate) gain: Tensor<3>,
    /// `[P or 1, 1, H]`
    pub(crate) shift: Tensor<3>,
    /// Added to the variance.
    pub(crate) epsilon: f32,
}

impl Norm {
    pub(crate) fn tensors(&self) -> impl Iterator<Item = &Tensor<3>> {
        [&self.gain, &self.shift].into_iter()
    }
}

/// A linear layer as each probe sees it.
#[derive(Clone)]
pub(crate) struct Dense {
    /// `[P or 1, in, out]`
    pub(crate) weight: Tensor<3>,
    /// `[P or 1, 1, out]`
    pub(crate) bias: Tensor<3>,
    pub(crate) low_rank: Option<LowRank>,
}

impl Dense {
    pub(crate) fn tensors(&self) -> impl Iterator<Item = &Tensor<3>> {
        let low_rank = self.low_rank.iter().flat_map(|it| [&it.a, &it.b]);
        [&self.weight, &self.bias].into_iter().chain(low_rank)
    }
}

/// What LoRA adds to a linear layer: `scale (x a) b`.
#[derive(Clone)]
pub(crate) struct LowRank {
    /// `[P or 1, in, r]`
    pub(crate) a: Tensor<3>,
    /// `[P or 1, r, out]`
    pub(crate) b: Tensor<3>,
    pub(crate) scale: f32,
}

/// What follows a linear layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Activation {
    /// Nothing.
    None,
    /// The exact (erf) GELU.
    Gelu,
    /// The hyperbolic tangent.
    Tanh,
}

/// Keys and values that every sentence sees in front of its own.
#[derive(Clone)]
pub(crate) struct Front {
    /// `[P or 1, m, H]`
    pub(crate) keys: Tensor<3>,
    /// `[P or 1, m, H]`
    pub(crate) values: Tensor<3>,
}

/// Hidden states and the layers that make queries, keys and values of them.
#[derive(Clone)]
pub(crate) struct Attend {
    /// Every token, `[P or 1, T, H]`.
    pub(crate) all: Tensor<3>,
    /// Those that ask, `[P or 1, Q, H]`.
    pub(crate) asking: Tensor<3>,
    pub(crate) query: Dense,
    pub(crate) key: Dense,
    pub(crate) value: Dense,
    pub(crate) front: Option<Front>,
}

impl Attend {
    pub(crate) fn tensors(&self) -> impl Iterator<Item = &Tensor<3>> {
        let dense = [&self.query, &self.key, &self.value];
        let front = self.front.iter().flat_map(|it| [&it.keys, &it.values]);
        let dense = dense.into_iter().flat_map(Dense::tensors);
        [&self.all, &self.asking]
            .into_iter()
            .chain(dense)
            .chain(front)
    }
}

/// Where the sentences lie and which of their tokens ask. Rows that belong to no sentence give zeros.
#[derive(Clone, Copy)]
pub(crate) struct Layout<'a> {
    /// In the batch that all probes see, or in that of each run.
    pub(crate) starts: &'a Starts<'a>,
    /// True when every token asks, false when one row a sentence does (the last layer's mask positions).
    pub(crate) every_token: bool,
    /// Attention heads.
    pub(crate) heads: usize,
    /// Where some of the weights are dropped; only the plain version can.
    pub(crate) dropout: Option<Site>,
}

impl Layout<'_> {
    /// The rows of the queries that belong to some sentences with these starts.
    fn queries(&self, starts: &[usize], sentences: Range<usize>) -> Range<usize> {
        match self.every_token {
            true => starts[sentences.start]..starts[sentences.end],
            false => sentences,
        }
    }
}

/// What closes an encoder layer after attention.
#[derive(Clone)]
pub(crate) struct Close {
    /// What attention gave, `[P or 1, Q, H]`.
    pub(crate) mixed: Tensor<3>,
    /// What the layer was given, `[P or 1, Q, H]`.
    pub(crate) residual: Tensor<3>,
    /// After attention.
    pub(crate) output: Dense,
    pub(crate) norm: Norm,
    pub(crate) up: Dense,
    pub(crate) down: Dense,
    pub(crate) last_norm: Norm,
    /// Where hidden states are dropped before either norm; only the plain version can.
    pub(crate) dropout: [Option<Site>; 2],
}

impl Close {
    pub(crate) fn tensors(&self) -> impl Iterator<Item = &Tensor<3>> {
        let dense = [&self.output, &self.up, &self.down];
        let norms = [&self.norm, &self.last_norm];
        let layers = dense.into_iter().flat_map(Dense::tensors);
        let layers = layers.chain(norms.into_iter().flat_map(Norm::tensors));
        [&self.mixed, &self.residual].into_iter().chain(layers)
    }
}
