//! The CPU's version of every operation against the plain one.

use std::sync::Mutex;

use burn::tensor::Tensor;
use proptest::prelude::*;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::cpu::Cpu;
use super::plain::PLAIN;
use super::*;
use crate::kernels::simd::{Level, level, same_at_every_level};
use crate::test_support::{assert_close, random, values};

/// Lengths at and around the vectors' sixteen lanes, and where four and eight of them end.
const WIDTHS: [usize; 14] = [1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129];

/// One plane for all probes, one for each run, or one for each probe.
fn planes([runs, probes]: [usize; 2]) -> impl Strategy<Value = usize> {
    prop_oneof![Just(1), Just(runs), Just(runs * probes)]
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
fn dense(planes: [usize; 4], [input, output, rank]: [usize; 3], seed: u64) -> Dense {
    let small = |count: usize| 1.0 / (count.max(1) as f32).sqrt();
    let low_rank = (rank > 0).then(|| LowRank {
        a: random([planes[2], input, rank], seed + 2) * small(input),
        b: random([planes[3], rank, output], seed + 3),
        scale: 0.5,
    });
    Dense {
        weight: random([planes[0], input, output], seed) * small(input),
        bias: random([planes[1], 1, output], seed + 1),
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

prop_compose! {
    /// How many planes each of several arguments has, and how many batches there are.
    fn planes_of_all()(runs in 1usize..4, probes in 1usize..4)(
        planes in prop::collection::vec(planes([runs, probes]), 16),
        batches in prop_oneof![Just(1), Just(runs)],
    ) -> (Vec<usize>, usize) {
        (planes, batches)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn linear(
        (p, _) in planes_of_all(),
        rows in prop_oneof![Just(0), Just(1), Just(2), Just(3), 4usize..40],
        input in width(),
        output in width(),
        rank in prop::sample::select(vec![0, 1, 8, 16, 17]),
        then in prop::sample::select(vec![Activation::None, Activation::Gelu, Activation::Tanh]),
    ) {
        let x = random([p[0], rows, input], 1);
        let dense = dense([p[1], p[2], p[3], p[4]], [input, output, rank], 2);
        prop_assume!(rows > 0 || p.iter().all(|&planes| planes == 1));
        let ours = Cpu.linear(x.clone(), dense.clone(), then, Watch::default());
        if rows == 0 {
            prop_assert_eq!(ours.dims(), [1, 0, output]);
        } else {
            assert_close(ours, PLAIN.linear(x, dense, then, Watch::default()), 2e-5);
        }
    }

    #[test]
    fn normalise((p, _) in planes_of_all(), rows in 1usize..20, width in width()) {
        // Of one number nothing is left but rounding, which the norm then magnifies.
        prop_assume!(width > 2);
        let (x, norm) = (random([p[0], rows, width], 1), norm([p[1], p[2]], width, 2));
        assert_close(Cpu.normalise(x.clone(), norm.clone()), PLAIN.normalise(x, norm), 5e-5);
    }

    #[test]
    fn embed(
        (p, batches) in planes_of_all(),
        tokens in prop::collection::vec((0usize..5, 0usize..9), 3..40),
        width in width(),
    ) {
        let whole = tokens.len() / batches * batches;
        let (word_of, position_of): (Vec<_>, Vec<_>) = tokens.into_iter().take(whole).unzip();
        let embed = || Embed {
            word: random([p[0], 5, width], 1),
            word_of: &word_of,
            position: random([p[1], 9, width], 2),
            position_of: &position_of,
            kind: random([p[2], 1, width], 3),
            batches,
        };
        assert_close(Cpu.embed(embed()), PLAIN.embed(embed()), 1e-6);
    }

    #[test]
    fn attend(
        (p, batches) in planes_of_all(),
        lengths in prop::collection::vec(prop::collection::vec(1usize..50, 1..6), 3),
        heads in 1usize..4,
        size in prop::sample::select(vec![1usize, 8, 15, 16, 17, 33, 64, 80, 81]),
        front in prop::sample::select(vec![0usize, 1, 5, 20]),
        rank in prop::sample::select(vec![0usize, 3]),
        every_token: bool,
    ) {
        let starts: Vec<Vec<usize>> = lengths.iter().take(batches).map(|it| starts(it)).collect();
        let starts: Vec<&[usize]> = starts.iter().map(Vec::as_slice).collect();
        let most = |of: fn(&[usize]) -> usize| starts.iter().map(|it| of(it)).max().unwrap_or(0);
        let (tokens, width) = (most(|starts| starts[starts.len() - 1]), heads * size);
        let layout = Layout { starts: &Starts::new(starts.clone()), every_token, heads, dropout: None };
        let queries = if every_token { tokens } else { most(|starts| starts.len() - 1) };
        let sizes = [width, width, rank];
        let attend = Attend {
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
        let ours = Cpu.attend(attend.clone(), layout, Watch::default());
        assert_close(ours, PLAIN.attend(attend, layout, Watch::default()), 5e-5);
    }

    #[test]
    fn close(
        (p, _) in planes_of_all(),
        rows in 1usize..40,
        width in width(),
        inner in width(),
        // LoRA beside one of them is the plain version's, and must not be lost.
        rank in prop_oneof![9 => Just(0usize), 1 => Just(3)],
    ) {
        prop_assume!(width > 2);
        let close = Close {
            mixed: random([p[0], rows, width], 1),
            residual: random([p[1], rows, width], 2),
            output: dense([p[2], p[3], 1, 1], [width, width, 0], 10),
            norm: norm([p[4], p[5]], width, 3),
            up: dense([p[6], p[7], p[12], p[13]], [width, inner, rank], 20),
            down: dense([p[8], p[9], 1, 1], [inner, width, 0], 30),
            last_norm: norm([p[10], p[11]], width, 5),
            dropout: [None, None],
        };
        let ours = Cpu.close(close.clone(), Watch::default());
        assert_close(ours, PLAIN.close(close, Watch::default()), 2e-4);
    }
}

#[test]
fn a_front_is_a_sentence_s_first_tokens() {
    // The same keys and values as rows of the sentence itself, bit for bit.
    let states = random([1, 12, 64], 2);
    let own = || dense([1, 1, 1, 1], [64, 64, 0], 20);
    let attend = |all: Tensor<3>, front| Attend {
        all,
        asking: random([1, 1, 64], 1),
        query: own(),
        key: own(),
        value: own(),
        front,
    };
    let [all, without_front] = [12, 7].map(|end| [0, end]);
    let [all, without_front] = [&all, &without_front].map(|it| Starts::new(vec![it]));
    let layout = |starts| Layout {
        starts,
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
    let rest = attend(states.clone().narrow(1, 5, 7), Some(front));
    let whole = Cpu.attend(attend(states, None), layout(&all), Watch::default());
    let split = Cpu.attend(rest, layout(&without_front), Watch::default());
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
        let y = rows(Cpu.normalise(x.clone(), norm([1, 1], 48, 3)));
        assert!(
            y[of].iter().all(|x| x.is_nan()) && finite(&y[1 - of]),
            "{bad}"
        );
        // Within a sentence everybody sees it; a sentence beside it does not.
        let attend = Attend {
            all: x.clone(),
            asking: x.clone(),
            query: dense.clone(),
            key: dense.clone(),
            value: dense,
            front: None,
        };
        let layout = Layout {
            starts: &Starts::new(vec![&[0, 1, 2]]),
            every_token: true,
            heads: 3,
            dropout: None,
        };
        let y = rows(Cpu.attend(attend, layout, Watch::default()));
        assert!(
            y[of].iter().all(|x| !x.is_finite()) && finite(&y[1 - of]),
            "{bad}"
        );
    }
}

/// One of each, on `p` planes and rows of `width`: every number that comes out.
fn all_of([p, width, size]: [usize; 3]) -> Vec<f32> {
    let starts = starts(&[1, 19, 3]);
    let dense = |sizes| dense([p, p, p, p], sizes, 7);
    let x = random([p, 23, width], 1);
    let heads = width / size;
    let attend = |every_token| {
        let attend = Attend {
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
            starts: &Starts::new(vec![&starts]),
            every_token,
            heads,
            dropout: None,
        };
        Cpu.attend(attend, layout, Watch::default())
    };
    let close = Close {
        mixed: x.clone(),
        residual: x.clone(),
        output: dense([width, width, 0]),
        norm: norm([p, p], width, 3),
        up: dense([width, width + 5, 0]),
        down: dense([width + 5, width, 0]),
        last_norm: norm([p, p], width, 5),
        dropout: [None, None],
    };
    let linear = |then| Cpu.linear(x.clone(), dense([width, width, 1]), then, Watch::default());
    let made = [
        linear(Activation::Gelu),
        linear(Activation::Tanh),
        Cpu.normalise(x.clone(), norm([p, p], width, 3)),
        attend(true),
        attend(false),
        Cpu.close(close, Watch::default()),
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
                // In a piece of work, as the kernels ask it.
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
        let attend = Attend {
            all: none(),
            asking: none(),
            query: own(),
            key: own(),
            value: own(),
            front: None,
        };
        let layout = Layout {
            starts: &Starts::new(vec![&[0]]),
            every_token,
            heads: 2,
            dropout: None,
        };
        let close = Close {
            mixed: none(),
            residual: none(),
            output: own(),
            norm: norm([1, 1], 16, 3),
            up: own(),
            down: own(),
            last_norm: norm([1, 1], 16, 3),
            dropout: [None, None],
        };
        let embed = Embed {
            word: none(),
            word_of: &[],
            position: none(),
            position_of: &[],
            kind: random([1, 1, 16], 1),
            batches: 1,
        };
        for made in [
            Cpu.attend(attend, layout, Watch::default()),
            Cpu.close(close, Watch::default()),
            Cpu.embed(embed),
            Cpu.normalise(none(), norm([1, 1], 16, 3)),
            Cpu.linear(none(), own(), Activation::Gelu, Watch::default()),
        ] {
            assert_eq!(made.dims(), [p, 0, 16]);
        }
    }
}
