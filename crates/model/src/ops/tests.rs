//! The CPU's version of every operation against the plain one, for encoders and decoders.

use burn::tensor::Tensor;
use proptest::prelude::*;

use super::cpu::Cpu;
use super::plain::PLAIN;
use super::sentences::{Mask, Sentences};
use super::*;
use crate::test_support::{assert_close, random};

mod rows;

/// Lengths at and around the vectors' sixteen lanes, and where four and eight of them end.
const WIDTHS: [usize; 14] = [1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129];

/// One copy for all probes, one for each run, or one for each probe.
fn copies([runs, probes]: [usize; 2]) -> impl Strategy<Value = usize> {
    prop_oneof![Just(1), Just(runs), Just(runs * probes)]
}

fn activation() -> impl Strategy<Value = Activation> {
    use Activation::{Gelu, None, Relu, Tanh};
    prop::sample::select(vec![None, Gelu, Tanh, Relu])
}

fn width() -> impl Strategy<Value = usize> {
    prop::sample::select(&WIDTHS[..])
}

fn norm([gains, shifts]: [usize; 2], width: usize, seed: u64) -> Norm {
    Norm {
        gain: random([gains, 1, width], seed),
        shift: random([shifts, 1, width], seed + 1),
        epsilon: 1e-5,
    }
}

/// A linear layer whose results are about as large as what it is given; with `rank` above zero LoRA's term.
fn dense(copies: [usize; 4], [input, output, rank]: [usize; 3], seed: u64) -> Dense {
    let small = |count: usize| 1.0 / (count.max(1) as f32).sqrt();
    let low_rank = (rank > 0).then(|| LowRank {
        a: random([copies[2], input, rank], seed + 2) * small(input),
        b: random([copies[3], rank, output], seed + 3),
        scale: 0.5,
    });
    Dense {
        weight: random([copies[0], input, output], seed) * small(input),
        bias: random([copies[1], 1, output], seed + 1),
        low_rank,
    }
}

/// First tokens of sentences of these lengths.
fn starts(lengths: &[usize]) -> Vec<usize> {
    let ends = lengths.iter().scan(0, |end, length| {
        *end += length;
        Some(*end)
    });
    std::iter::once(0).chain(ends).collect()
}

/// A token of each sentence, neither always the first nor always the last.
fn asked(starts: &[usize]) -> Vec<usize> {
    let sentences = starts.windows(2);
    sentences.map(|pair| (pair[0] + pair[1]) / 2).collect()
}

/// The sentences of one batch, all of whose tokens see each other.
fn sentences(starts: &[usize]) -> Sentences<'_> {
    Sentences::new(vec![starts], vec![&[]], Mask::Sentence)
}

prop_compose! {
    /// How many copies each of several arguments has, and how many batches there are.
    fn copies_of_all()(runs in 1usize..4, probes in 1usize..4)(
        copies in prop::collection::vec(copies([runs, probes]), 16),
        batches in prop_oneof![Just(1), Just(runs)],
    ) -> (Vec<usize>, usize) {
        (copies, batches)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn linear(
        (p, _) in copies_of_all(),
        rows in prop_oneof![Just(0), Just(1), Just(2), Just(3), 4usize..40],
        input in width(),
        output in width(),
        rank in prop::sample::select(vec![0, 1, 8, 16, 17]),
        then in activation(),
    ) {
        let x = random([p[0], rows, input], 1);
        let dense = dense([p[1], p[2], p[3], p[4]], [input, output, rank], 2);
        prop_assume!(rows > 0 || p.iter().all(|&copies| copies == 1));
        let ours = Cpu.linear(x.clone(), dense.clone(), then, Watch::default());
        if rows == 0 {
            prop_assert_eq!(ours.dims(), [1, 0, output]);
        } else {
            assert_close(ours, PLAIN.linear(x, dense, then, Watch::default()), 2e-5);
        }
    }

    #[test]
    fn layer_norm((p, _) in copies_of_all(), rows in 1usize..20, width in width()) {
        // Of one number nothing is left but rounding, which the norm then magnifies.
        prop_assume!(width > 2);
        let (x, norm) = (random([p[0], rows, width], 1), norm([p[1], p[2]], width, 2));
        assert_close(Cpu.layer_norm(x.clone(), norm.clone()), PLAIN.layer_norm(x, norm), 5e-5);
    }

    #[test]
    fn embedding(
        (p, batches) in copies_of_all(),
        tokens in prop::collection::vec((0usize..5, 0usize..9), 3..40),
        width in width(),
        with_types: bool,
    ) {
        let whole = tokens.len() / batches * batches;
        let (word_of, position_of): (Vec<_>, Vec<_>) = tokens.into_iter().take(whole).unzip();
        let of = || Embedding {
            word: random([p[0], 5, width], 1),
            word_of: &word_of,
            position: random([p[1], 9, width], 2),
            position_of: &position_of,
            token_type: with_types.then(|| random([p[2], 1, width], 3)),
            batches,
        };
        assert_close(Cpu.embedding(of()), PLAIN.embedding(of()), 1e-6);
    }

    #[test]
    fn attention(
        (p, batches) in copies_of_all(),
        lengths in prop::collection::vec(prop::collection::vec(1usize..50, 1..6), 3),
        heads in 1usize..4,
        size in prop::sample::select(vec![1usize, 8, 15, 16, 17, 33, 64, 80, 81]),
        front in prop::sample::select(vec![0usize, 1, 5, 20]),
        rank in prop::sample::select(vec![0usize, 3]),
        every_token: bool,
        causal: bool,
    ) {
        let starts: Vec<Vec<usize>> = lengths.iter().take(batches).map(|it| starts(it)).collect();
        let starts: Vec<&[usize]> = starts.iter().map(Vec::as_slice).collect();
        let most = |of: fn(&[usize]) -> usize| starts.iter().map(|it| of(it)).max().unwrap_or(0);
        let (tokens, width) = (most(|starts| starts[starts.len() - 1]), heads * size);
        let asked: Vec<Vec<usize>> = starts.iter().map(|it| asked(it)).collect();
        let mask = if causal { Mask::Causal } else { Mask::Sentence };
        let asked = asked.iter().map(Vec::as_slice).collect();
        let sentences = Sentences::new(starts.clone(), asked, mask);
        let layout = Layout { sentences: &sentences, every_token, heads, dropout: None };
        let queries = if every_token { tokens } else { most(|starts| starts.len() - 1) };
        let sizes = [width, width, rank];
        let of = Attention {
            all: random([p[0], tokens, width], 1),
            asking: random([p[1], queries, width], 2),
            query: dense([p[2], p[3], p[4], p[5]], sizes, 10),
            key: dense([p[6], p[7], 1, 1], [width, width, 0], 20),
            value: dense([p[8], p[9], p[10], p[11]], sizes, 30),
            front: (front > 0).then(|| Front {
                keys: random([p[12], front, width], 4),
                values: random([p[13], front, width], 5),
            }),
        };
        let ours = Cpu.attention(of.clone(), layout, Watch::default());
        assert_close(ours, PLAIN.attention(of, layout, Watch::default()), 5e-5);
    }

    #[test]
    fn attention_output_mlp(
        (p, _) in copies_of_all(),
        rows in 1usize..40,
        width in width(),
        inner in width(),
        // LoRA beside one of them is the plain version's, and must not be lost.
        rank in prop_oneof![9 => Just(0usize), 1 => Just(3)],
        activation in activation(),
        before: bool,
    ) {
        prop_assume!(width > 2);
        let mlp = norm([p[10], p[11]], width, 5);
        let of = AttentionOutputMlp {
            mixed: random([p[0], rows, width], 1),
            residual: random([p[1], rows, width], 2),
            output: dense([p[2], p[3], 1, 1], [width, width, 0], 10),
            up: dense([p[6], p[7], p[12], p[13]], [width, inner, rank], 20),
            activation,
            down: dense([p[8], p[9], 1, 1], [inner, width, 0], 30),
            norms: match before {
                true => Norms::before(mlp),
                false => Norms::after(norm([p[4], p[5]], width, 3), mlp),
            },
            dropout: [None, None],
        };
        let ours = Cpu.attention_output_mlp(of.clone(), Watch::default());
        assert_close(ours, PLAIN.attention_output_mlp(of, Watch::default()), 2e-4);
    }
}
