//! The part of numpy's legacy generator that the published k-shot script uses (MT19937 of Matsumoto and
//! Nishimura, 1998), so that a seed picks the same rows here as there.

const SIZE: usize = 624;
const SHIFT: usize = 397;

/// `numpy.random.RandomState` as far as `shuffle`, `permutation` and `randint` need it.
pub(crate) struct Mt19937 {
    state: [u32; SIZE],
    next: usize,
}

impl Mt19937 {
    /// An integer seed goes through `init_genrand`, not through `init_by_array`.
    pub(crate) fn new(seed: u32) -> Self {
        let mut state = [0u32; SIZE];
        state[0] = seed;
        for at in 1..SIZE {
            let before = state[at - 1];
            state[at] = 1_812_433_253u32
                .wrapping_mul(before ^ (before >> 30))
                .wrapping_add(at as u32);
        }
        Self { state, next: SIZE }
    }

    fn twist(&mut self) {
        for at in 0..SIZE {
            let joined =
                (self.state[at] & 0x8000_0000) | (self.state[(at + 1) % SIZE] & 0x7FFF_FFFF);
            let odd = if joined & 1 == 1 { 0x9908_B0DF } else { 0 };
            self.state[at] = self.state[(at + SHIFT) % SIZE] ^ (joined >> 1) ^ odd;
        }
        self.next = 0;
    }

    pub(crate) fn next_u32(&mut self) -> u32 {
        if self.next == SIZE {
            self.twist();
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9D2C_5680;
        word ^= (word << 15) & 0xEFC6_0000;
        word ^ (word >> 18)
    }

    /// A number from 0 to `max`, both included: words are masked to the bits of `max` and redrawn while too
    /// large. `max = 0` draws nothing.
    pub(crate) fn bounded(&mut self, max: u32) -> u32 {
        if max == 0 {
            return 0;
        }
        let mask = u32::MAX >> max.leading_zeros();
        loop {
            let word = self.next_u32() & mask;
            if word <= max {
                return word;
            }
        }
    }

    /// The order in which `numpy.random.shuffle` leaves `0..n`. Shuffling a list, `permutation(n)` and
    /// pandas' `sample` all follow it.
    pub(crate) fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for at in (1..n).rev() {
            order.swap(at, self.bounded(at as u32) as usize);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::Mt19937;
    use proptest::prelude::*;

    #[test]
    fn first_words_are_numpys() {
        let expected = [
            (13, [3_340_206_418, 2_608_511_152, 1_020_231_754]),
            (21, [209_271_753, 3_432_846_543, 1_241_716_536]),
            (42, [1_608_637_542, 3_421_126_067, 4_083_286_876]),
            (87, [2_818_633_190, 3_907_297_613, 4_101_270_203]),
            (100, [2_333_906_440, 2_882_591_512, 1_195_587_395]),
        ];
        for (seed, words) in expected {
            let mut rng = Mt19937::new(seed);
            assert_eq!([(); 3].map(|()| rng.next_u32()), words, "seed {seed}");
        }
    }

    #[test]
    fn shuffles_are_numpys() {
        // Ten in full, then the heads for GLUE's 67,349 phrases and TREC's 5,452 questions.
        for (seed, ten, phrases, questions) in [
            (
                13,
                [3, 5, 6, 1, 4, 7, 8, 9, 0, 2],
                [54308, 18835, 33777, 53537, 57870],
                [4222, 418, 1832, 2764, 2141],
            ),
            (
                21,
                [1, 2, 7, 3, 5, 6, 0, 4, 8, 9],
                [55270, 3174, 56422, 5195, 30499],
                [86, 192, 5418, 3739, 2143],
            ),
            (
                42,
                [8, 1, 5, 0, 7, 2, 9, 4, 3, 6],
                [66730, 29890, 45801, 29352, 19858],
                [3408, 371, 453, 290, 4457],
            ),
            (
                87,
                [2, 4, 7, 5, 1, 0, 3, 8, 9, 6],
                [59803, 39321, 31881, 717, 20115],
                [5039, 259, 3699, 3135, 3178],
            ),
            (
                100,
                [7, 6, 1, 5, 4, 2, 0, 3, 9, 8],
                [60062, 43424, 52419, 66487, 64737],
                [2386, 4740, 1517, 4933, 1551],
            ),
        ] {
            let head = |n| Mt19937::new(seed).permutation(n)[..5].to_vec();
            assert_eq!(Mt19937::new(seed).permutation(10), ten, "seed {seed}");
            assert_eq!(head(67_349), phrases, "seed {seed}");
            assert_eq!(head(5_452), questions, "seed {seed}");
        }
    }

    #[test]
    fn randint_is_numpys() {
        let mut rng = Mt19937::new(42);
        assert_eq!(
            [(); 5].map(|()| rng.bounded(999_999_999)),
            [
                534_895_718,
                199_900_595,
                862_061_404,
                787_846_414,
                996_406_378
            ]
        );
    }

    proptest! {
        #[test]
        fn a_permutation_holds_every_index_once(seed: u32, n in 0usize..300) {
            let mut order = Mt19937::new(seed).permutation(n);
            order.sort_unstable();
            prop_assert_eq!(order, (0..n).collect::<Vec<_>>());
        }
    }
}
