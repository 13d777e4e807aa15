//! The forward pass in the CPU's own memory, with all threads.

mod attend;
mod close;
mod dense;
mod embed;
mod jobs;
mod linear;
mod planes;
mod product;
mod rows;
mod sentence;

use burn::tensor::Tensor;

use self::attend::AttendView;
use self::close::{CloseView, NormView};
use self::dense::{DenseView, LowRankView};
use self::planes::Planes;
use super::host::Host;
use super::plain::PLAIN;
use super::{Activation, Attend, Close, Dense, Embed, Front, Kernels, Layout, LowRank, Norm};
use crate::clock::Watch;

pub use product::product_seconds;

/// Every tensor given to it lies in the CPU's memory ([`super::of`] has asked).
pub(crate) struct Cpu;

impl Kernels for Cpu {
    fn embed(&self, embed: Embed<'_>) -> Tensor<3> {
        let tables = [&embed.word, &embed.position, &embed.kind].map(held);
        embed::embed(tables.each_ref().map(Planes::of), &embed)
    }

    fn normalise(&self, x: Tensor<3>, norm: Norm) -> Tensor<3> {
        let norm = HeldNorm::new(&norm);
        embed::normalise(Planes::of(&held(&x)), norm.view())
    }

    fn linear(&self, x: Tensor<3>, dense: Dense, then: Activation, watch: Watch<'_>) -> Tensor<3> {
        let dense = HeldDense::new(&dense);
        linear::linear(Planes::of(&held(&x)), dense.view(), then, watch)
    }

    fn attend(&self, attend: Attend, layout: Layout<'_>, watch: Watch<'_>) -> Tensor<3> {
        if layout.dropout.is_some() {
            return PLAIN.attend(attend, layout, watch);
        }
        let [all, asking] = [&attend.all, &attend.asking].map(held);
        let [query, key, value] = [&attend.query, &attend.key, &attend.value].map(HeldDense::new);
        let front = attend.front.as_ref();
        let front = front.map(|Front { keys, values }| [held(keys), held(values)]);
        AttendView {
            all: Planes::of(&all),
            asking: Planes::of(&asking),
            query: query.view(),
            key: key.view(),
            value: value.view(),
            front: front.as_ref().map(|hosts| hosts.each_ref().map(Planes::of)),
            layout,
            watch,
        }
        .run()
    }

    fn close(&self, close: Close, watch: Watch<'_>) -> Tensor<3> {
        let dense = [&close.output, &close.up, &close.down];
        if close.dropout.iter().any(Option::is_some) || dense.iter().any(|it| it.low_rank.is_some())
        {
            return PLAIN.close(close, watch);
        }
        let [mixed, residual] = [&close.mixed, &close.residual].map(held);
        let [output, up, down] = dense.map(HeldDense::new);
        let [norm, last_norm] = [&close.norm, &close.last_norm].map(HeldNorm::new);
        CloseView {
            mixed: Planes::of(&mixed),
            residual: Planes::of(&residual),
            output: output.view(),
            norm: norm.view(),
            up: up.view(),
            down: down.view(),
            last_norm: last_norm.view(),
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
            a: Planes::of(a),
            b: Planes::of(b),
            scale: *scale,
        });
        DenseView {
            weight: Planes::of(&self.weight),
            bias: Planes::of(&self.bias),
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
            gain: Planes::of(&self.gain),
            shift: Planes::of(&self.shift),
            epsilon: self.epsilon,
        }
    }
}
