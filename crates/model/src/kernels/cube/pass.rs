//! The operations of a forward pass on a GPU.
//!
//! States stay f32. What a product reads next is written once in the numbers that it reads; what it gives is f32.

use burn::tensor::{DType, Tensor};
use burn_cubecl::kernel::cast;
use burn_cubecl::tensor::CubeTensor;

use super::Sentences;
use super::attend::{self, attend};
use super::bridge::{held, tensor};
use super::embed::embed;
use super::finish::{self, finish};
use super::matmul::product;
use super::narrow::narrow;
use super::norm::{self, close_rows};
use crate::clock::{Phase, Watch};
use crate::kernels::plain::PLAIN;
use crate::kernels::{Activation, Attend, Close, Dense, Embed, Kernels, Layout, Norm};
use crate::precision::Precision;

/// Every tensor given to it lies on the device; products read numbers of this format.
pub(crate) struct Cube(pub(crate) Precision);

impl Kernels for Cube {
    fn embed(&self, of: Embed<'_>) -> Tensor<3> {
        let tables = [of.word, of.position, of.kind].map(held);
        let numbers = [of.word_of, of.position_of];
        let numbers = numbers.map(|all| all.iter().map(|&row| row as u32).collect::<Vec<u32>>());
        let numbers = numbers.each_ref().map(Vec::as_slice);
        tensor(embed(tables, numbers, of.batches, DType::F32))
    }

    fn normalise(&self, x: Tensor<3>, norm: Norm) -> Tensor<3> {
        tensor(normed(held(x), [None, None], norm, None).0)
    }

    fn linear(&self, x: Tensor<3>, dense: Dense, then: Activation, watch: Watch<'_>) -> Tensor<3> {
        let x = held(x);
        let operand = self.operand(&x);
        tensor(self.rows(&x, operand, dense, then, DType::F32, watch))
    }

    fn attend(&self, of: Attend, layout: Layout<'_>, watch: Watch<'_>) -> Tensor<3> {
        if layout.dropout.is_some() {
            return PLAIN.attend(of, layout, watch);
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
        let sentences = layout.starts.there.get_or_init(|| {
            let starts = layout.starts.batches();
            let most = starts.iter().map(|starts| starts.len() - 1).max();
            Sentences::new(starts, all.meta.shape()[1], most.unwrap_or(0))
        });
        let wait = waiter(&q);
        let of = attend::Attend { q, k, v, front };
        let mixed = watch.there(Phase::Attention, wait, || {
            let out = self.operand_type();
            attend(of, sentences, layout.every_token, layout.heads, out)
        });
        tensor(mixed)
    }

    fn close(&self, of: Close, watch: Watch<'_>) -> Tensor<3> {
        if of.dropout.iter().any(Option::is_some) {
            return PLAIN.close(of, watch);
        }
        let [mixed, residual] = [of.mixed, of.residual].map(held);
        let operand = self.operand(&mixed);
        let (x, bias) = self.unfinished(&mixed, operand, of.output, watch);
        let (x, narrow) = normed(x, [bias, Some(residual)], of.norm, self.narrowed());
        let operand = narrow.unwrap_or_else(|| x.clone());
        let out = self.operand_type();
        let inner = self.rows(&x, operand, of.up, Activation::Gelu, out, watch);
        let (y, bias) = self.unfinished(&inner, inner.clone(), of.down, watch);
        tensor(normed(y, [bias, Some(x)], of.last_norm, None).0)
    }
}

impl Cube {
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
    let close = norm::Close {
        bias,
        residual,
        gain,
        shift,
        epsilon: norm.epsilon,
    };
    close_rows(x, close, also)
}

/// Waits for what a tensor's device was given to do.
fn waiter(x: &CubeTensor) -> impl Fn() + use<> {
    let client = x.client.clone();
    // What cannot be waited for fails where its numbers are read.
    move || drop(cubecl::future::block_on(client.sync()))
}
