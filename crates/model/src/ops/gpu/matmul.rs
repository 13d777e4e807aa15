//! Wide products, by cubek's kernels.

use burn::tensor::{DType, Shape};
use burn_cubecl::kernel::cast;
use burn_cubecl::kernel::matmul::{MatmulStrategy, matmul};
use burn_cubecl::ops::reshape;
use burn_cubecl::tensor::CubeTensor;
use cubek::matmul::definition::{MatmulElems, MatmulGlobalElems};
use cubek::matmul::launch::launch_ref;
use cubek::matmul::multi_level;
use cubek::matmul::strategy::Strategy;
use cubek::std::InputBinding;

use super::{Copies, element, empty, most};
use crate::precision::{Precision, Stored};

/// `x weight`
///
/// # Shapes
/// x `[n, T, in]`, weight `[m, in, out]` -> `[N, T, out]`
///
/// # Panics
/// If the sizes do not go together, or the device has no kernel for them.
pub(crate) fn product(
    x: CubeTensor,
    weight: CubeTensor,
    precision: Precision,
    dtype: DType,
) -> CubeTensor {
    let stored = DType::from(precision.stored());
    let [x, weight] = [x, weight].map(|it| Copies::of(cast(it, stored)));
    assert_eq!(x.width, weight.rows);
    let copies = most([x.copies, weight.copies]);
    let (rows, input, output) = (x.rows, x.width, weight.width);
    let (client, device) = (x.tensor.client.clone(), x.tensor.device.clone());
    let out = empty(&client, &device, &[copies, rows, output], dtype);
    if copies * rows * input * output == 0 {
        assert!(copies * rows * output == 0, "a product of no columns");
        return out;
    }
    let folded = Folded::of(x.copies, weight.copies);
    let x = folded.left(x.tensor, [rows, input]);
    let into = folded.left(out.clone(), [rows, output]);
    let weight = folded.right(weight.tensor, [input, output]);
    multiply(x, weight, into, precision);
    out
}

/// How copies become a batch of matrices.
///
/// Neighbouring copies that share a weight are rows of one matrix: with one weight for all, all rows are. Where there are
/// more weights than copies of x, x is repeated by broadcasting.
struct Folded {
    /// Matrices.
    batch: usize,
    /// Copies of x in a matrix.
    together: usize,
    /// Weights that a matrix of x meets.
    weights: usize,
}

impl Folded {
    fn of(x: usize, weights: usize) -> Self {
        match x >= weights {
            true => Self {
                batch: weights,
                together: x / weights,
                weights: 1,
            },
            false => Self {
                batch: x,
                together: 1,
                weights: weights / x,
            },
        }
    }

    /// For x and for the result, which has the weights' copies where x has but one.
    fn left(&self, tensor: CubeTensor, [rows, width]: [usize; 2]) -> CubeTensor {
        let matrices = tensor.meta.num_elements() / (self.batch * self.together * rows * width);
        let dims = [self.batch, matrices, self.together * rows, width];
        reshape(tensor, Shape::from(dims))
    }

    fn right(&self, tensor: CubeTensor, [input, output]: [usize; 2]) -> CubeTensor {
        reshape(
            tensor,
            Shape::from([self.batch, self.weights, input, output]),
        )
    }
}

/// Which kernel multiplies.
///
/// burn-cubecl's own choice (`kernel/matmul`: autotune where it is built with it, else `Strategy::Auto`) tries the kernels
/// of tensor cores, and those take f32 operands as TF32 wherever the device has it: `adjust_dtypes` in cubek-matmul's
/// `multi_level/definition/blueprint.rs`, called with `requires_accelerator` by the selectors of the copy-wise routines.
/// With operands of two bytes they sum in f32 (`MatmulElems::from_globals` in `definition/elems.rs`). `SimpleUnit`
/// (`multi_level/routines/batch/simple_unit.rs`) multiplies in plain units and never calls `adjust_dtypes`: f32 from the
/// memory to the registers; its selector takes all sizes.
///
/// On Vulkan, which here is for tests, `Naive` is taken: no shared memory, which the lavapipe of Debian 12 dies of.
fn multiply(x: CubeTensor, weight: CubeTensor, out: CubeTensor, precision: Precision) {
    let dtype = out.dtype;
    let strategy = match (out.client.name().starts_with("wgpu"), precision) {
        (true, _) => multi_level::Strategy::Naive,
        (false, Precision::F32) => multi_level::Strategy::SimpleUnit(Default::default()),
        (false, Precision::Tf32 | Precision::F16 | Precision::Bf16) => {
            let made = matmul(x, weight, Some(out), MatmulStrategy::default(), dtype);
            made.unwrap_or_else(|error| panic!("a product in {precision}: {error:?}"));
            return;
        }
    };
    let stored = element(x.dtype);
    let mut elements = MatmulElems::from_globals(&MatmulGlobalElems {
        lhs: stored,
        rhs: stored,
        out: element(dtype),
    });
    let client = out.client.clone();
    let made = launch_ref(
        &Strategy::MultiLevel(strategy),
        &client,
        InputBinding::new(x.binding(), stored),
        InputBinding::new(weight.binding(), stored),
        out.binding(),
        &mut elements,
    );
    made.unwrap_or_else(|error| panic!("a product in {precision}: {error:?}"));
}

#[cfg(all(test, feature = "vulkan"))]
mod tests {
    use super::super::test_support::{Argument, assert_close, download};
    use super::*;

    #[test]
    fn against_f64() {
        for copies in [[1, 1], [4, 1], [1, 3], [6, 2], [2, 6], [4, 4]] {
            for [rows, input, output] in [
                [1, 1, 1],
                [1, 64, 2],
                [5, 30, 7],
                [33, 130, 64],
                [2, 768, 3],
            ] {
                for precision in [Precision::F32, Precision::Tf32, Precision::F16] {
                    let x = Argument::random([copies[0], rows, input], 1);
                    let weight = Argument::random([copies[1], input, output], 2);
                    let [x, weight] = [x, weight].map(|it| match precision {
                        Precision::F16 => it.halved(),
                        _ => it,
                    });
                    let most = most(copies);
                    let mut exact = Vec::new();
                    for copy in 0..most {
                        for row in 0..rows {
                            for column in 0..output {
                                let term = |i: usize| {
                                    f64::from(x.row(copy, most, row)[i])
                                        * f64::from(weight.row(copy, most, i)[column])
                                };
                                exact.push((0..input).map(term).sum());
                            }
                        }
                    }
                    let [x, weight] = [&x, &weight].map(Argument::on_device);
                    let ours = product(x, weight, precision, DType::F32);
                    assert_eq!(ours.meta.shape()[..], [most, rows, output]);
                    assert_close(&download(ours), &exact, 1e-6, 5e-5);
                }
            }
        }
    }

    #[test]
    fn of_no_rows() {
        let x = Argument::random([2, 0, 8], 1);
        let weight = Argument::random([1, 8, 4], 2);
        let none = product(
            x.on_device(),
            weight.on_device(),
            Precision::F32,
            DType::F32,
        );
        assert_eq!(none.meta.shape()[..], [2, 0, 4]);
    }
}
