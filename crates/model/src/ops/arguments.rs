//! What the operations are given: tensors as the probes see them, and what to do with them.

use burn::tensor::Tensor;

use crate::dropout::Site;

/// Tables and which rows of them each token has.
pub(crate) struct Embedding<'a> {
    /// `[P or 1, U, H]`
    pub(crate) word: Tensor<3>,
    /// T numbers for each batch.
    pub(crate) word_of: &'a [usize],
    /// `[P or 1, L, H]`
    pub(crate) position: Tensor<3>,
    /// T numbers for each batch.
    pub(crate) position_of: &'a [usize],
    /// The same for every token, `[P or 1, 1, H]`; decoders have none.
    pub(crate) token_type: Option<Tensor<3>>,
    /// One batch that all probes see, or one for each run.
    pub(crate) batches: usize,
}

impl Embedding<'_> {
    pub(crate) fn tensors(&self) -> impl Iterator<Item = &Tensor<3>> {
        [&self.word, &self.position]
            .into_iter()
            .chain(&self.token_type)
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
    /// `max(x, 0)`
    #[cfg_attr(not(test), expect(dead_code, reason = "no family has it yet"))]
    Relu,
}

/// A prefix: keys and values that every sentence sees in front of its own.
#[derive(Clone)]
pub(crate) struct Front {
    /// `[P or 1, m, H]`
    pub(crate) keys: Tensor<3>,
    /// `[P or 1, m, H]`
    pub(crate) values: Tensor<3>,
}

/// States and the layers that make queries, keys and values of them.
///
/// The states are what the layers read: where a family has a norm before attention, the caller has normalised them.
#[derive(Clone)]
pub(crate) struct Attention {
    /// Every token, `[P or 1, T, H]`.
    pub(crate) all: Tensor<3>,
    /// Those that ask, `[P or 1, Q, H]`.
    pub(crate) asking: Tensor<3>,
    pub(crate) query: Dense,
    pub(crate) key: Dense,
    pub(crate) value: Dense,
    pub(crate) front: Option<Front>,
}

impl Attention {
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

/// The norms of what follows attention, and where they stand.
#[derive(Clone)]
pub(crate) struct Norms {
    /// After attention's residual, where norms stand after the residuals; the other one then follows the MLP's. Without it the
    /// other one stands before the MLP.
    pub(crate) attention: Option<Norm>,
    pub(crate) mlp: Norm,
}

impl Norms {
    /// One after each residual, as in BERT and RoBERTa.
    pub(crate) fn after(attention: Norm, mlp: Norm) -> Self {
        let attention = Some(attention);
        Self { attention, mlp }
    }

    /// One before the MLP, whose residual is what was not normalised, as in GPT-2 and OPT.
    #[cfg_attr(not(test), expect(dead_code, reason = "no family has it yet"))]
    pub(crate) fn before(mlp: Norm) -> Self {
        let attention = None;
        Self { attention, mlp }
    }

    pub(crate) fn tensors(&self) -> impl Iterator<Item = &Tensor<3>> {
        let all = self.attention.iter().chain([&self.mlp]);
        all.flat_map(Norm::tensors)
    }
}

/// All that follows attention in a layer: its output's linear layer, the MLP, both residuals and the norms.
#[derive(Clone)]
pub(crate) struct AttentionOutputMlp {
    /// What attention gave, `[P or 1, Q, H]`.
    pub(crate) mixed: Tensor<3>,
    /// What the layer was given, `[P or 1, Q, H]`.
    pub(crate) residual: Tensor<3>,
    /// After attention.
    pub(crate) output: Dense,
    pub(crate) up: Dense,
    /// Between `up` and `down`.
    pub(crate) activation: Activation,
    pub(crate) down: Dense,
    pub(crate) norms: Norms,
    /// Where hidden states are dropped before either residual is added; only the plain version can.
    pub(crate) dropout: [Option<Site>; 2],
}

impl AttentionOutputMlp {
    pub(crate) fn tensors(&self) -> impl Iterator<Item = &Tensor<3>> {
        let dense = [&self.output, &self.up, &self.down];
        let layers = dense.into_iter().flat_map(Dense::tensors);
        let layers = layers.chain(self.norms.tensors());
        [&self.mixed, &self.residual].into_iter().chain(layers)
    }
}
