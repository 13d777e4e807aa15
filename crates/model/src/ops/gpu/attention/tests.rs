use super::super::test_support::{Argument, assert_close, download};
use super::*;

/// First tokens of sentences of these lengths.
fn starts(lengths: &[usize]) -> Vec<usize> {
    let ends = lengths.iter().scan(0, |end, length| {
        *end += length;
        Some(*end)
    });
    std::iter::once(0).chain(ends).collect()
}

/// A token in the middle of each sentence.
fn asked(starts: &[usize]) -> Vec<usize> {
    let sentences = starts.windows(2);
    sentences.map(|pair| (pair[0] + pair[1]) / 2).collect()
}

/// Everything an attention is given.
struct Case {
    q: Argument,
    k: Argument,
    v: Argument,
    front: Option<[Argument; 2]>,
    starts: Vec<Vec<usize>>,
    tokens: usize,
    sentences: usize,
    every_token: bool,
    causal: bool,
    heads: usize,
}

impl Case {
    fn copies(&self) -> usize {
        let front = self.front.iter().flatten();
        let counts = [&self.q, &self.k, &self.v].into_iter().chain(front);
        counts
            .map(|it| it.dims[0])
            .chain([self.starts.len()])
            .max()
            .unwrap_or(1)
    }

    fn on_device(&self) -> CubeTensor {
        let starts: Vec<&[usize]> = self.starts.iter().map(Vec::as_slice).collect();
        let asked: Vec<Vec<usize>> = starts.iter().map(|starts| asked(starts)).collect();
        let asked: Vec<&[usize]> = asked.iter().map(Vec::as_slice).collect();
        let asked = self.causal.then_some(asked.as_slice());
        let layout = Layout::new(&starts, asked, [self.tokens, self.sentences]);
        let of = || Attention {
            q: self.q.on_device(),
            k: self.k.on_device(),
            v: self.v.on_device(),
            front: self
                .front
                .as_ref()
                .map(|[k, v]| [k.on_device(), v.on_device()]),
        };
        let first = attention(of(), &layout, self.every_token, self.heads, DType::F32);
        // A second time with what went up the first time.
        let second = attention(of(), &layout, self.every_token, self.heads, DType::F32);
        let bits = |x: CubeTensor| {
            download(x)
                .into_iter()
                .map(f32::to_bits)
                .collect::<Vec<_>>()
        };
        assert_eq!(bits(first), bits(second.clone()));
        second
    }

    /// What a row of q sees of its sentence.
    fn sentence(&self, starts: &[usize], row: usize) -> Option<[usize; 2]> {
        let mut sentences = starts.windows(2).map(|pair| [pair[0], pair[1]]);
        match self.every_token {
            true => {
                let [start, end] = sentences.find(|[start, end]| (*start..*end).contains(&row))?;
                Some([start, if self.causal { row + 1 } else { end }])
            }
            false => {
                let [start, end] = sentences.nth(row)?;
                Some([
                    start,
                    if self.causal {
                        asked(starts)[row] + 1
                    } else {
                        end
                    },
                ])
            }
        }
    }

    fn exact(&self) -> Vec<f64> {
        let [_, rows, width] = self.q.dims;
        let (most, size) = (self.copies(), width / self.heads);
        let mut out = vec![0.0; most * rows * width];
        for (at, out) in out.chunks_mut(size).enumerate() {
            let (head, row) = (at % self.heads, at / self.heads % rows);
            let copy = at / self.heads / rows;
            let starts = &self.starts[copy * self.starts.len() / most];
            let Some([start, end]) = self.sentence(starts, row) else {
                continue;
            };
            let head = head * size..(head + 1) * size;
            let of = |it: &Argument, row| -> Vec<f64> {
                let row = &it.row(copy, most, row)[head.clone()];
                row.iter().map(|&x| f64::from(x)).collect()
            };
            let mut seen: Vec<[Vec<f64>; 2]> = Vec::new();
            if let Some([keys, values]) = &self.front {
                seen.extend((0..keys.dims[1]).map(|i| [of(keys, i), of(values, i)]));
            }
            seen.extend((start..end).map(|i| [of(&self.k, i), of(&self.v, i)]));
            let q = of(&self.q, row);
            let score = |key: &[f64]| {
                let product: f64 = q.iter().zip(key).map(|(q, k)| q * k).sum();
                product / (size as f64).sqrt()
            };
            let scores: Vec<f64> = seen.iter().map(|[key, _]| score(key)).collect();
            let largest = scores.iter().copied().fold(f64::MIN, f64::max);
            let total: f64 = scores.iter().map(|s| (s - largest).exp()).sum();
            for (score, [_, value]) in scores.iter().zip(&seen) {
                for (out, value) in out.iter_mut().zip(value) {
                    *out += (score - largest).exp() / total * value;
                }
            }
        }
        out
    }
}

/// Lengths of the sentences of two batches and of six, the padded sizes larger than some.
fn case(copies: [usize; 5], size: usize, front: usize, every_token: bool, batches: usize) -> Case {
    let heads = 3;
    let width = heads * size;
    let lengths: [&[usize]; 6] = [&[1, 19, 3], &[5], &[2, 2], &[23], &[1], &[4, 4, 4]];
    let starts: Vec<Vec<usize>> = lengths[..batches].iter().map(|it| starts(it)).collect();
    let (tokens, sentences) = (25, 4);
    let rows = if every_token { tokens } else { sentences };
    let front = (front > 0).then(|| {
        [
            Argument::random([copies[3], front, width], 4),
            Argument::random([copies[4], front, width], 5),
        ]
    });
    Case {
        q: Argument::random([copies[0], rows, width], 1).scaled(2.0),
        k: Argument::random([copies[1], tokens, width], 2),
        v: Argument::random([copies[2], tokens, width], 3),
        front,
        starts,
        tokens,
        sentences,
        every_token,
        causal: false,
        heads,
    }
}

#[test]
fn against_f64() {
    for (copies, batches) in [
        ([1, 1, 1, 1, 1], 1),
        ([2, 1, 4, 1, 2], 1),
        ([2, 1, 4, 4, 2], 2),
        ([1, 1, 1, 1, 1], 6),
        ([6, 3, 2, 6, 1], 3),
    ] {
        for every_token in [true, false] {
            for (size, front) in [(64, 0), (32, 5), (3, 1), (1, 0)] {
                for causal in [false, true] {
                    let case = Case {
                        causal,
                        ..case(copies, size, front, every_token, batches)
                    };
                    let ours = case.on_device();
                    assert_eq!(
                        ours.meta.shape()[..],
                        [case.copies(), case.q.dims[1], 3 * size]
                    );
                    assert_close(&download(ours), &case.exact(), 2e-6, 2e-6);
                }
            }
        }
    }
}

#[test]
fn what_is_not_finite_stays_in_its_sentence() {
    for bad in [f32::NAN, f32::INFINITY] {
        let mut case = case([1; 5], 8, 0, true, 1);
        // The last token of the second sentence, which is tokens 1 to 19.
        case.k.values[19 * 24..20 * 24].fill(bad);
        let ours = download(case.on_device());
        let mut rows = ours.chunks(24);
        let finite = |row: &[f32]| row.iter().all(|x| x.is_finite());
        assert!(rows.by_ref().take(1).all(finite));
        assert!(rows.by_ref().take(19).all(|row| !finite(row)));
        assert!(rows.all(finite));
    }
}

#[test]
fn scores_far_apart() {
    let mut case = case([1; 5], 32, 5, true, 2);
    case.q = case.q.scaled(60.0);
    let (ours, exact) = (download(case.on_device()), case.exact());
    // Scores of hundreds have an ulp of 3e-5, which the exponential magnifies.
    assert_close(&ours, &exact, 1e-3, 1e-3);
}
