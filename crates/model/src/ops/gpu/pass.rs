//! The operations of a forward pass on a GPU.
//!
//! States stay f32. What a product reads next is written once in the numbers that it reads; what it gives is f32.

use burn::tensor::{DType, Tensor};
use burn_cubecl::kernel::cast;
use burn_cubecl::tensor::CubeTensor;

use super::attention::{self, attention};
use super::bridge::{held, tensor};
use super::embedding::embedding;
use super::finish::{self, finish};
use super::layer_norm::{self, add_normalise};
use super::matmul::product;
use super::narrow::narrow;
use crate::clock::{Phase, Watch};
use crate::ops::plain::{PLAIN, added};
use crate::ops::sentences::Layout;
use crate::ops::{Activation, Attention, AttentionOutputMlp, Dense, Embedding, Norm, Ops};
use crate::precision::{Precision, Stored};

/// Every tensor given to it lies on the device; products read numbers of this format.
pub(crate) struct Gpu(pub(crate) Precision);

impl Ops for Gpu {
    fn embedding(&self, of: Embedding<'_>) -> Tensor<3> {
        let token_type = of.token_type.unwrap_or_else(|| {
            let [_, _, width] = of.word.dims();
            Tensor::zeros([1, 1, width], &of.word.device())
        });
        let tables = [of.word, of.position, token_type].map(held);
        let numbers = [of.word_of, of.position_of];
        let numbers = numbers.map(|all| all.iter().map(|&row| row as u32).collect::<Vec<u32>>());
        let numbers = numbers.each_ref().map(Vec::as_slice);
        tensor(embedding(tables, numbers, of.batches, DType::F32))
    }

    fn layer_norm(&self, x: Tensor<3>, norm: Norm) -> Tensor<3> {
        tensor(normed(held(x), [None, None], norm, None).0)
    }

    fn linear(&self, x: Tensor<3>, dense: Dense, then: Activation, watch: Watch<'_>) -> Tensor<3> {
        let x = held(x);
        let operand = self.operand(&x);
        tensor(self.rows(&x, operand, dense, then, DType::F32, watch))
    }

    fn attention(&self, of: Attention, layout: Layout<'_>, watch: Watch<'_>) -> Tensor<3> {
        if layout.dropout.is_some() {
            return PLAIN.attention(of, layout, watch);
        }
        let [all, asking] = [of.all, of.asking].map(held);
        let operand = self.operand(&all);
        let asked = match layout.every_token {
            true => operand.clone(),
            false => self.operand(&asking),
        };
        let rows = |x: &CubeTensor, operand: &CubeTensor, dense| {
            self.rows(
                x,
                operand.clone(),
                dense,
                Activation::None,
                DType::F32,
                watch,
            )
        };
        let q = rows(&asking, &asked, of.query);
        let k = rows(&all, &operand, of.key);
        let v = rows(&all, &operand, of.value);
        let front = of.front.map(|front| [front.keys, front.values].map(held));
        let spans = layout.sentences.there(all.meta.shape()[1]);
        let wait = waiter(&q);
        let of = attention::Attention { q, k, v, front };
        let mixed = watch.there(Phase::Attention, wait, || {
            let out = self.operand_type();
            attention(of, spans, layout.every_token, layout.heads, out)
        });
        tensor(mixed)
    }

    fn attention_output_mlp(&self, of: AttentionOutputMlp, watch: Watch<'_>) -> Tensor<3> {
        if of.dropout.iter().any(Option::is_some) {
            return PLAIN.attention_output_mlp(of, watch);
        }
        let mixed = held(of.mixed);
        let operand = self.operand(&mixed);
        match of.norms.attention {
            Some(norm) => {
                let (x, bias) = self.unfinished(&mixed, operand, of.output, watch);
                let added = [bias, Some(held(of.residual))];
                let (x, narrow) = normed(x, added, norm, self.narrowed());
                let operand = narrow.unwrap_or_else(|| x.clone());
                let out = self.operand_type();
                let inner = self.rows(&x, operand, of.up, of.activation, out, watch);
                let (y, bias) = self.unfinished(&inner, inner.clone(), of.down, watch);
                tensor(normed(y, [bias, Some(x)], of.norms.mlp, None).0)
            }
            None => {
                let whole = |x: &CubeTensor, operand, dense| {
                    let then = Activation::None;
                    tensor(self.rows(x, operand, dense, then, DType::F32, watch))
                };
                let sum = added(whole(&mixed, operand, of.output), of.residual);
                let norm = of.norms.mlp;
                let (x, narrow) = normed(held(sum.clone()), [None, None], norm, self.narrowed());
                let operand = narrow.unwrap_or_else(|| x.clone());
                let out = self.operand_type();
                let inner = self.rows(&x, operand, of.up, of.activation, out, watch);
                added(whole(&inner, inner.clone(), of.down), sum)
            }
        }
    }
}

impl Gpu {
    /// What products read.
    fn operand_type(&self) -> DType {
        self.0.stored().into()
    }

    /// The same where it is not what states are kept in.
    fn narrowed(&self) -> Option<DType> {
        self.0.narrow().map(DType::from)
    }

    /// States as products read them.
    fn operand(&self, x: &CubeTensor) -> CubeTensor {
        cast(x.clone(), self.operand_type())
    }

    /// `x W`, and what else a layer's rows lack where the next kernel can add it.
    fn unfinished(
        &self,
        x: &CubeTensor,
        operand: CubeTensor,
        dense: Dense,
        watch: Watch<'_>,
    ) -> (CubeTensor, Option<CubeTensor>) {
        if dense.low_rank.is_some() {
            return (
                self.rows(x, operand, dense, Activation::None, DType::F32, watch),
                None,
            );
        }
        let weight = held(dense.weight);
        let made = watch.there(Phase::Linear, waiter(x), || {
            product(operand, weight, self.0, DType::F32)
        });
        (made, Some(held(dense.bias)))
    }

    /// `then(x W + b)` with LoRA's term.
    fn rows(
        &self,
        x: &CubeTensor,
        operand: CubeTensor,
        dense: Dense,
        then: Activation,
        out: DType,
        watch: Watch<'_>,
    ) -> CubeTensor {
        let weight = held(dense.weight);
        watch.there(Phase::Linear, waiter(x), || {
            let low_rank = dense.low_rank.map(|it| finish::LowRank {
                inner: narrow(x.clone(), held(it.a)),
                b: held(it.b),
                scale: it.scale,
            });
            let made = product(operand, weight, self.0, DType::F32);
            finish(made, held(dense.bias), low_rank, then, out)
        })
    }
}

/// `layer_norm(x + bias + residual)` in f32, and the same in the numbers that products read next.
fn normed(
    x: CubeTensor,
    [bias, residual]: [Option<CubeTensor>; 2],
    norm: Norm,
    also: Option<DType>,
) -> (CubeTensor, Option<CubeTensor>) {
    let [gain, shift] = [norm.gain, norm.shift].map(held);
    let of = layer_norm::AddNormalise {
        bias,
        residual,
        gain,
        shift,
        epsilon: norm.epsilon,
    };
    add_normalise(x, of, also)
}

/// Waits for what a tensor's device was given to do.
fn waiter(x: &CubeTensor) -> impl Fn() + use<> {
    let client = x.client.clone();
    // What cannot be waited for fails where its numbers are read.
    move || drop(cubecl::future::block_on(client.sync()))
}

#[cfg(all(test, feature = "vulkan"))]
mod tests;
