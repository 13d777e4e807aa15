//! The tensor operations of the forward pass.
//!
//! [`Kernels`] names them. The CPU's version works on the tensors' memory with all threads, a few hundred tokens at a time
//! through as much of a layer as needs no other token; the plain one is made of burn's own operations, for every other
//! device and for passes that autodiff records. The tests hold the two equal. On the CPU every row of a result is summed in
//! a fixed order that depends on nothing beside it: not its position, its neighbours, the number of probes or of threads.

use std::ops::Range;

use burn::tensor::Tensor;

use crate::clock::Watch;
use crate::dropout::Site;

mod cpu;
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

/// Elements of a weight that a thread perturbs or updates at a time: enough to be worth the handing over.
const TASK: usize = 8192;
/// Elements of it whose normals are made at a time. While those of a few are made, the processor fetches the weights of the
/// next few.
const PIECE: usize = 256;

/// What a forward pass is made of.
///
/// Where an argument is `[P or 1, ...]`, one plane is shared by all probes; the result has as many planes as the argument
/// that has most.
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

/// The version that can work on these tensors: the CPU's where all of them lie in its memory.
pub(crate) fn of<'a>(mut tensors: impl Iterator<Item = &'a Tensor<3>>) -> &'static dyn Kernels {
    match tensors.all(host::is_host) {
        true => &cpu::Cpu,
        false => &plain::Plain,
    }
}

/// Three tables and which rows of them each token has.
pub(crate) struct Embed<'a> {
    /// The rows the batch uses, `[P or 1, U, H]`.
    pub(crate) word: Tensor<3>,
    pub(crate) word_of: &'a [usize],
    /// `[P or 1, L, H]`
    pub(crate) position: Tensor<3>,
    pub(crate) position_of: &'a [usize],
    /// `[P or 1, 1, H]`
    pub(crate) kind: Tensor<3>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Where the sentences lie and which of their tokens ask.
#[derive(Clone, Copy)]
pub(crate) struct Layout<'a> {
    /// First token of each sentence, and the number of tokens at the end.
    pub(crate) starts: &'a [usize],
    /// True when every token asks, false when one row a sentence does (the last layer's mask positions).
    pub(crate) every_token: bool,
    /// Attention heads.
    pub(crate) heads: usize,
    /// Where some of the weights are dropped; only the plain version can.
    pub(crate) dropout: Option<Site>,
}

impl Layout<'_> {
    /// The rows of the queries that belong to some sentences.
    fn queries(&self, sentences: Range<usize>) -> Range<usize> {
        match self.every_token {
            true => self.starts[sentences.start]..self.starts[sentences.end],
            false => sentences,
        }
    }

    fn sentences(&self) -> usize {
        self.starts.len() - 1
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
