//! What decoders ask of the operations, against burn's operations on the CPU.

use burn::tensor::{Device, TensorData};

use super::super::test_support::{assert_close, device, normals};
use super::*;
use crate::ops::sentences::{Mask, Sentences};
use crate::ops::{Front, LowRank, Norms};

/// The same numbers on a device of choice.
fn on(device: &Device, dims: [usize; 3], seed: u64, scale: f32) -> Tensor<3> {
    let values = normals(dims.iter().product(), seed).into_iter();
    let values: Vec<f32> = values.map(|x| x * scale).collect();
    Tensor::from_data(TensorData::new(values, dims), device)
}

fn dense(device: &Device, copies: usize, [input, output]: [usize; 2], seed: u64) -> Dense {
    let small = 1.0 / (input as f32).sqrt();
    Dense {
        weight: on(device, [copies, input, output], seed, small),
        bias: on(device, [1, 1, output], seed + 1, 1.0),
        low_rank: (seed % 2 == 1).then(|| LowRank {
            a: on(device, [1, input, 3], seed + 2, small),
            b: on(device, [copies, 3, output], seed + 3, 1.0),
            scale: 0.5,
        }),
    }
}

/// Holds what the device makes against what the CPU makes.
#[track_caller]
fn hold(make: impl Fn(&Device, &dyn Ops) -> Tensor<3>) {
    let values = |x: Tensor<3>| x.into_data().iter::<f32>().collect::<Vec<f32>>();
    let exact = values(make(&Device::flex(), &PLAIN)).into_iter();
    let exact: Vec<f64> = exact.map(f64::from).collect();
    let ours = values(make(device(), &Gpu(Precision::F32)));
    assert_close(&ours, &exact, 1e-4, 1e-4);
}

#[test]
fn an_embedding_without_token_types() {
    hold(|device, ops| {
        ops.embedding(Embedding {
            word: on(device, [2, 5, 48], 1, 1.0),
            word_of: &[1, 0, 4, 4],
            position: on(device, [1, 9, 48], 2, 1.0),
            position_of: &[2, 3, 4, 8],
            token_type: None,
            batches: 1,
        })
    });
}

#[test]
fn causal_attention() {
    let starts: [&[usize]; 2] = [&[0, 1, 20], &[0, 9, 12]];
    let asked: [&[usize]; 2] = [&[0, 7], &[8, 10]];
    for every_token in [true, false] {
        hold(|device, ops| {
            let sentences = Sentences::new(starts.into(), asked.into(), Mask::Causal);
            let layout = Layout {
                sentences: &sentences,
                every_token,
                heads: 3,
                dropout: None,
            };
            let queries = if every_token { 20 } else { 2 };
            let of = Attention {
                all: on(device, [2, 20, 48], 1, 1.0),
                asking: on(device, [2, queries, 48], 2, 1.0),
                query: dense(device, 4, [48, 48], 10),
                key: dense(device, 1, [48, 48], 21),
                value: dense(device, 2, [48, 48], 30),
                front: Some(Front {
                    keys: on(device, [1, 3, 48], 4, 1.0),
                    values: on(device, [4, 3, 48], 5, 1.0),
                }),
            };
            ops.attention(of, layout, Watch::default())
        });
    }
}

#[test]
fn a_norm_before_the_mlp_and_relu() {
    for seed in [10, 11] {
        hold(|device, ops| {
            let of = AttentionOutputMlp {
                mixed: on(device, [2, 7, 48], 1, 1.0),
                residual: on(device, [1, 7, 48], 2, 1.0),
                output: dense(device, 1, [48, 48], seed),
                up: dense(device, 4, [48, 64], seed + 10),
                activation: Activation::Relu,
                down: dense(device, 2, [64, 48], seed + 20),
                norms: Norms::before(Norm {
                    gain: on(device, [2, 1, 48], 3, 1.0),
                    shift: on(device, [1, 1, 48], 4, 1.0),
                    epsilon: 1e-5,
                }),
                dropout: [None, None],
            };
            ops.attention_output_mlp(of, Watch::default())
        });
    }
}
