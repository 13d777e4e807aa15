//! The forward pass in the CPU's own memory, with all threads.

mod attention;
mod attention_output_mlp;
mod copies;
mod dense;
mod embedding;
mod jobs;
mod layer_norm;
mod linear;
mod product;
mod rows;
mod sentence;

use burn::tensor::Tensor;

use self::attention::AttentionView;
use self::attention_output_mlp::AttentionOutputMlpView;
use self::copies::Copies;
use self::dense::{DenseView, LowRankView};
use self::layer_norm::NormView;
use super::host::Host;
use super::plain::PLAIN;
use super::sentences::Layout;
use super::{
    Activation, Attention, AttentionOutputMlp, Dense, Embedding, Front, LowRank, Norm, Ops,
};
use crate::clock::Watch;

pub use product::product_seconds;

/// Every tensor given to it lies in the CPU's memory ([`super::of`] has asked).
pub(crate) struct Cpu;

impl Ops for Cpu {
    fn embedding(&self, of: Embedding<'_>) -> Tensor<3> {
        let [word, position] = [&of.word, &of.position].map(held);
        let token_type = of.token_type.as_ref().map(held);
        let tables = [&word, &position].map(Copies::of);
        embedding::embedding(tables, token_type.as_ref().map(Copies::of), &of)
    }

    fn layer_norm(&self, x: Tensor<3>, norm: Norm) -> Tensor<3> {
        let norm = HeldNorm::new(&norm);
        layer_norm::layer_norm(Copies::of(&held(&x)), norm.view())
    }

    fn linear(&self, x: Tensor<3>, dense: Dense, then: Activation, watch: Watch<'_>) -> Tensor<3> {
        let dense = HeldDense::new(&dense);
        linear::linear(Copies::of(&held(&x)), dense.view(), then, watch)
    }

    fn attention(&self, of: Attention, layout: Layout<'_>, watch: Watch<'_>) -> Tensor<3> {
        if layout.dropout.is_some() {
            return PLAIN.attention(of, layout, watch);
        }
        let [all, asking] = [&of.all, &of.asking].map(held);
        let [query, key, value] = [&of.query, &of.key, &of.value].map(HeldDense::new);
        let front = of.front.as_ref();
        let front = front.map(|Front { keys, values }| [held(keys), held(values)]);
        AttentionView {
            all: Copies::of(&all),
            asking: Copies::of(&asking),
            query: query.view(),
            key: key.view(),
            value: value.view(),
            front: front.as_ref().map(|hosts| hosts.each_ref().map(Copies::of)),
            layout,
            watch,
        }
        .run()
    }

    fn attention_output_mlp(&self, of: AttentionOutputMlp, watch: Watch<'_>) -> Tensor<3> {
        let dense = [&of.output, &of.up, &of.down];
        if of.dropout.iter().any(Option::is_some) || dense.iter().any(|it| it.low_rank.is_some()) {
            return PLAIN.attention_output_mlp(of, watch);
        }
        let [mixed, residual] = [&of.mixed, &of.residual].map(held);
        let [output, up, down] = dense.map(HeldDense::new);
        let attention_norm = of.norms.attention.as_ref().map(HeldNorm::new);
        let mlp_norm = HeldNorm::new(&of.norms.mlp);
        AttentionOutputMlpView {
            mixed: Copies::of(&mixed),
            residual: Copies::of(&residual),
            output: output.view(),
            up: up.view(),
            activation: of.activation,
            down: down.view(),
            attention_norm: attention_norm.as_ref().map(HeldNorm::view),
            mlp_norm: mlp_norm.view(),
            watch,
        }
        .run()
    }
}

/// A tensor's memory.
fn held(tensor: &Tensor<3>) -> Host<3> {
    match Host::of([tensor.clone()]) {
        Ok([host]) => host,
        Err(_) => unreachable!("asked before this version was chosen"),
    }
}

/// A linear layer's memory.
struct HeldDense {
    weight: Host<3>,
    bias: Host<3>,
    low_rank: Option<(Host<3>, Host<3>, f32)>,
}

impl HeldDense {
    fn new(dense: &Dense) -> Self {
        let low_rank = |LowRank { a, b, scale }: &LowRank| (held(a), held(b), *scale);
        Self {
            weight: held(&dense.weight),
            bias: held(&dense.bias),
            low_rank: dense.low_rank.as_ref().map(low_rank),
        }
    }

    fn view(&self) -> DenseView<'_> {
        let low_rank = self.low_rank.as_ref().map(|(a, b, scale)| LowRankView {
            a: Copies::of(a),
            b: Copies::of(b),
            scale: *scale,
        });
        DenseView {
            weight: Copies::of(&self.weight),
            bias: Copies::of(&self.bias),
            low_rank,
        }
    }
}

/// A norm's memory.
struct HeldNorm {
    gain: Host<3>,
    shift: Host<3>,
    epsilon: f32,
}

impl HeldNorm {
    fn new(norm: &Norm) -> Self {
        Self {
            gain: held(&norm.gain),
            shift: held(&norm.shift),
            epsilon: norm.epsilon,
        }
    }

    fn view(&self) -> NormView<'_> {
        NormView {
            gain: Copies::of(&self.gain),
            shift: Copies::of(&self.shift),
            epsilon: self.epsilon,
        }
    }
}
