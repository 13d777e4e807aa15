//! Fixed cases of the CPU's version, bit for bit: what a row depends on, and what it does not.

use std::sync::Mutex;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::*;
use crate::ops::simd::{Level, level, same_at_every_level};
use crate::test_support::values;

#[test]
fn a_front_is_a_sentence_s_first_tokens() {
    // The same keys and values as rows of the sentence itself, bit for bit.
    let states = random([1, 12, 64], 2);
    let own = || dense([1, 1, 1, 1], [64, 64, 0], 20);
    let of = |all: Tensor<3>, front| Attention {
        all,
        asking: random([1, 1, 64], 1),
        query: own(),
        key: own(),
        value: own(),
        front,
    };
    let [all, without_front] = [12, 7].map(|end| [0, end]);
    let [all, without_front] = [&all, &without_front].map(|it| sentences(it));
    let layout = |sentences| Layout {
        sentences,
        every_token: false,
        heads: 4,
        dropout: None,
    };
    let first = Cpu.linear(
        states.clone().narrow(1, 0, 5),
        own(),
        Activation::None,
        Watch::default(),
    );
    let front = Front {
        keys: first.clone(),
        values: first,
    };
    let rest = of(states.clone().narrow(1, 5, 7), Some(front));
    let whole = Cpu.attention(of(states, None), layout(&all), Watch::default());
    let split = Cpu.attention(rest, layout(&without_front), Watch::default());
    assert_eq!(values(whole), values(split));
}

/// Puts a number in the place of one element of a row of sixteen or more.
fn with(value: f32, x: Tensor<3>, at: usize) -> Tensor<3> {
    let dims = x.dims();
    let mut elements = values(x);
    elements[at] = value;
    host::Host::tensor(elements, dims)
}

#[test]
fn what_is_not_finite_stays_so_and_stays_in_its_row() {
    for (bad, at) in [
        (f32::NAN, 3),
        (f32::INFINITY, 40),
        (f32::NEG_INFINITY, 48 + 33),
    ] {
        // Two rows of 48; the second is untouched where the bad one is in the first, and the other way round.
        let x = with(bad, random([1, 2, 48], 1), at);
        let rows = |y: Tensor<3>| {
            let y = values(y);
            let width = y.len() / 2;
            [y[..width].to_vec(), y[width..].to_vec()]
        };
        let of = at / 48;
        let finite = |row: &Vec<f32>| row.iter().all(|x| x.is_finite());
        let dense = dense([1, 1, 1, 1], [48, 48, 0], 2);
        for then in [Activation::None, Activation::Gelu] {
            let y = rows(Cpu.linear(x.clone(), dense.clone(), then, Watch::default()));
            assert!(!finite(&y[of]) && finite(&y[1 - of]), "{bad} {then:?}");
        }
        let y = rows(Cpu.layer_norm(x.clone(), norm([1, 1], 48, 3)));
        assert!(
            y[of].iter().all(|x| x.is_nan()) && finite(&y[1 - of]),
            "{bad}"
        );
        // Within a sentence everybody sees it; a sentence beside it does not.
        let attention = Attention {
            all: x.clone(),
            asking: x.clone(),
            query: dense.clone(),
            key: dense.clone(),
            value: dense,
            front: None,
        };
        let layout = Layout {
            sentences: &sentences(&[0, 1, 2]),
            every_token: true,
            heads: 3,
            dropout: None,
        };
        let y = rows(Cpu.attention(attention, layout, Watch::default()));
        assert!(
            y[of].iter().all(|x| !x.is_finite()) && finite(&y[1 - of]),
            "{bad}"
        );
    }
}

/// One of each, on `p` copies and rows of `width`: every number that comes out.
fn all_of([p, width, size]: [usize; 3]) -> Vec<f32> {
    let starts = starts(&[1, 19, 3]);
    let dense = |sizes| dense([p, p, p, p], sizes, 7);
    let x = random([p, 23, width], 1);
    let heads = width / size;
    let attended = |every_token, mask| {
        let attention = Attention {
            all: x.clone(),
            asking: if every_token {
                x.clone()
            } else {
                x.clone().narrow(1, 0, 3)
            },
            query: dense([width, width, 8]),
            key: dense([width, width, 0]),
            value: dense([width, width, 17]),
            front: None,
        };
        let layout = Layout {
            sentences: &Sentences::new(vec![&starts], vec![&[]], mask),
            every_token,
            heads,
            dropout: None,
        };
        Cpu.attention(attention, layout, Watch::default())
    };
    let after = |norms, activation| {
        let of = AttentionOutputMlp {
            mixed: x.clone(),
            residual: x.clone(),
            output: dense([width, width, 0]),
            up: dense([width, width + 5, 0]),
            activation,
            down: dense([width + 5, width, 0]),
            norms,
            dropout: [None, None],
        };
        Cpu.attention_output_mlp(of, Watch::default())
    };
    let mlp = || norm([p, p], width, 5);
    let both = Norms::after(norm([p, p], width, 3), mlp());
    let linear = |then| Cpu.linear(x.clone(), dense([width, width, 1]), then, Watch::default());
    let made = [
        linear(Activation::Gelu),
        linear(Activation::Tanh),
        Cpu.layer_norm(x.clone(), norm([p, p], width, 3)),
        attended(true, Mask::Sentence),
        attended(false, Mask::Sentence),
        attended(true, Mask::Causal),
        after(both, Activation::Gelu),
        after(Norms::before(mlp()), Activation::Relu),
    ];
    made.into_iter().flat_map(values).collect()
}

/// Forgets what the matrix library did: its products are held equal at the levels it has, not at those it has not.
#[test]
fn the_same_bits_at_every_level_of_the_processor() {
    // On the calling thread alone, where the level is forced.
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread();
    let pool = pool.build().expect("a pool of the calling thread");
    for sizes in [
        [1, 16, 16],
        [2, 33, 11],
        [1, 48, 24],
        [2, 64, 64],
        [1, 130, 65],
    ] {
        let seen = Mutex::new(Vec::new());
        let made = same_at_every_level(|| {
            pool.install(|| {
                // In a piece of work, as the operations ask it.
                let levels = [(); 2].into_par_iter().map(|()| level());
                seen.lock()
                    .expect("one thread")
                    .extend(levels.collect::<Vec<_>>());
                all_of(sizes)
            })
        });
        assert!(made.iter().all(|x| x.is_finite()));
        let seen = seen.into_inner().expect("one thread");
        assert!(
            seen.contains(&Level::Baseline) && seen.contains(&level()),
            "{seen:?}"
        );
    }
}

#[test]
fn a_batch_of_nothing() {
    for (p, every_token) in [(1, true), (2, true), (2, false)] {
        let none = || random([p, 0, 16], 1);
        let own = || dense([1, 1, 1, 1], [16, 16, 0], 2);
        let attention = Attention {
            all: none(),
            asking: none(),
            query: own(),
            key: own(),
            value: own(),
            front: None,
        };
        let layout = Layout {
            sentences: &sentences(&[0]),
            every_token,
            heads: 2,
            dropout: None,
        };
        let after = AttentionOutputMlp {
            mixed: none(),
            residual: none(),
            output: own(),
            up: own(),
            activation: Activation::Gelu,
            down: own(),
            norms: Norms::after(norm([1, 1], 16, 3), norm([1, 1], 16, 3)),
            dropout: [None, None],
        };
        let embedding = Embedding {
            word: none(),
            word_of: &[],
            position: none(),
            position_of: &[],
            token_type: Some(random([1, 1, 16], 1)),
            batches: 1,
        };
        for made in [
            Cpu.attention(attention, layout, Watch::default()),
            Cpu.attention_output_mlp(after, Watch::default()),
            Cpu.embedding(embedding),
            Cpu.layer_norm(none(), norm([1, 1], 16, 3)),
            Cpu.linear(none(), own(), Activation::Gelu, Watch::default()),
        ] {
            assert_eq!(made.dims(), [p, 0, 16]);
        }
    }
}

/// What a decoder's token sees ends with itself: what follows in its sentence changes no bit.
#[test]
fn a_causal_row_is_that_of_its_sentence_cut_off_behind_it() {
    let (starts, width) = (starts(&[5, 40, 3]), 48);
    let states = random([2, 48, width], 1);
    let attention = |all: Tensor<3>, asking: Tensor<3>| Attention {
        all,
        asking,
        query: dense([1, 2, 2, 1], [width, width, 3], 10),
        key: dense([2, 1, 1, 1], [width, width, 0], 20),
        value: dense([1, 1, 1, 1], [width, width, 0], 30),
        front: Some(Front {
            keys: random([1, 2, width], 4),
            values: random([2, 2, width], 5),
        }),
    };
    let run = |of: Attention, starts: &[usize], asked: Option<&[usize]>, mask| {
        let sentences = Sentences::new(vec![starts], vec![asked.unwrap_or(&[])], mask);
        let layout = Layout {
            sentences: &sentences,
            every_token: asked.is_none(),
            heads: 3,
            dropout: None,
        };
        Cpu.attention(of, layout, Watch::default())
    };
    let whole = attention(states.clone(), states.clone());
    let whole = run(whole, &starts, None, Mask::Causal);
    for (sentence, token) in [(0, 0), (0, 4), (1, 5), (1, 21), (1, 44), (2, 46)] {
        let row = |x: &Tensor<3>| x.clone().narrow(1, token, 1);
        let start = starts[sentence];
        let seen = states.clone().narrow(1, start, token + 1 - start);
        let alone = attention(seen, row(&states));
        let alone = run(alone, &[0, token + 1 - start], Some(&[0]), Mask::Sentence);
        assert_eq!(values(row(&whole)), values(alone), "token {token}");
        // The same token where it alone asks.
        let asked: Vec<usize> = (0..3)
            .map(|it| if it == sentence { token } else { starts[it] })
            .collect();
        let asking = select(states.clone(), &asked, 1);
        let asking = attention(states.clone(), asking);
        let asking = run(asking, &starts, Some(&asked), Mask::Causal);
        let asking = asking.narrow(1, sentence, 1);
        assert_eq!(values(row(&whole)), values(asking), "token {token}");
    }
}
