//! Gaussian noise as a function of where it is used: `z(seed, parameter, element)`.
//!
//! Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) makes four 32-bit words from
//! a counter and a key; two Box-Muller pairs make four normals of them. Any element can be made alone, in any order, by
//! any number of threads, and there is no generator state to save.

use crate::kernels::math::{ln_positive, sin_cos_turns};
use crate::kernels::simd::widest;

/// A source of the perturbation `z`.
///
/// [`Philox`] is the one that trains; tests put recorded numbers in its place.
pub trait Noise: Sync {
    /// Fills `out` with `z(seed, parameter, first), z(seed, parameter, first + 1), ...`.
    ///
    /// `parameter` is the position of the tensor among the trainable ones, `first` an element of it in the order in
    /// which this crate stores it (`[in, out]` for the weights of linear layers).
    fn fill(&self, seed: u64, parameter: usize, first: usize, out: &mut [f32]);
}

/// One perturbed copy of the trainable parameters: `theta + scale * z(seed)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Probe {
    /// The seed of `z`.
    pub seed: u64,
    /// `c`: plus or minus epsilon, or zero for the parameters as they are.
    pub scale: f32,
}

/// Standard normal numbers from Philox4x32-10, keyed by the seed.
///
/// The uniform that goes through the logarithm has 23 bits, so `|z|` stays below 5.77.
#[derive(Debug, Clone, Copy, Default)]
pub struct Philox;

impl Noise for Philox {
    fn fill(&self, seed: u64, parameter: usize, first: usize, out: &mut [f32]) {
        by_group(first, out, |group, buffer| {
            normals(seed, parameter as u32, Draw::Noise, group, buffer);
        });
    }
}

/// Uniform numbers in (0, 1) of a site of dropout, from element `first` on.
pub(crate) fn dropout_uniforms(seed: u64, site: u32, first: usize, out: &mut [f32]) {
    by_group(first, out, |group, buffer| {
        uniforms(seed, site, Draw::Dropout, group, buffer);
    });
}

/// Fills `out` with the elements from `first` on. A group of them is made at a time; the ends may use a part of theirs.
fn by_group(first: usize, out: &mut [f32], make: impl Fn(u64, &mut [f32; GROUP])) {
    let mut group = first / GROUP;
    let mut skip = first % GROUP;
    let mut rest = out;
    let mut buffer = [0.0f32; GROUP];
    while !rest.is_empty() {
        make(group as u64, &mut buffer);
        let take = (GROUP - skip).min(rest.len());
        let (now, later) = rest.split_at_mut(take);
        now.copy_from_slice(&buffer[skip..skip + take]);
        rest = later;
        skip = 0;
        group += 1;
    }
}

/// What a draw is for: the last counter word, so that no two uses of one seed share their numbers. 2 is taken by the
/// seeds of steps, which the room above draws.
#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(crate) enum Draw {
    /// The perturbations of the steps.
    Noise = 0,
    /// LoRA's first values.
    Lora = 1,
    /// A classifier's first values.
    Classifier = 3,
    /// The tokens whose keys and values a prefix starts from.
    PrefixTokens = 4,
    /// The first values of a prefix that starts from none.
    Prefix = 5,
    /// What dropout drops.
    Dropout = 6,
    /// A random model's weights.
    Weights = 7,
}

/// First values `N(0, deviation^2)`; `number` sets the draws of one tensor apart from another's.
pub(crate) fn initial_normals(
    seed: u64,
    draw: Draw,
    number: u32,
    deviation: f32,
    count: usize,
) -> Vec<f32> {
    let mut values = vec![0.0f32; count];
    fill_initial_normals(seed, draw, number, deviation, &mut values);
    values
}

/// [`initial_normals`] in the place where they are wanted.
pub(crate) fn fill_initial_normals(
    seed: u64,
    draw: Draw,
    number: u32,
    deviation: f32,
    values: &mut [f32],
) {
    by_group(0, values, |group, buffer| {
        normals(seed, number, draw, group, buffer);
        for z in buffer {
            *z *= deviation;
        }
    });
}

/// Philox calls made side by side, one in each lane.
const LANES: usize = 16;
/// Normals of one group: four a call.
const GROUP: usize = 4 * LANES;

/// One of Philox's rounds on sixteen counters.
#[inline(always)]
#[allow(
    clippy::needless_range_loop,
    reason = "a lane runs through several arrays at once"
)]
fn round(counter: &mut [[u32; LANES]; 4], key: [u32; 2]) {
    for lane in 0..LANES {
        let first = u64::from(counter[0][lane]) * 0xD251_1F53;
        let second = u64::from(counter[2][lane]) * 0xCD9E_8D57;
        let next0 = (second >> 32) as u32 ^ counter[1][lane] ^ key[0];
        let next2 = (first >> 32) as u32 ^ counter[3][lane] ^ key[1];
        counter[0][lane] = next0;
        counter[1][lane] = second as u32;
        counter[2][lane] = next2;
        counter[3][lane] = first as u32;
    }
}

/// Ten rounds, the key raised by the Weyl constants between them.
#[inline(always)]
fn philox(counter: &mut [[u32; LANES]; 4], mut key: [u32; 2]) {
    for _ in 0..10 {
        round(counter, key);
        key[0] = key[0].wrapping_add(0x9E37_79B9);
        key[1] = key[1].wrapping_add(0xBB67_AE85);
    }
}

/// A uniform in (0, 1) from the upper 23 bits, never 0 and never 1.
#[inline(always)]
fn uniform(word: u32) -> f32 {
    ((word >> 9) as f32 + 0.5) * (1.0 / 8_388_608.0)
}

/// The words of sixteen calls: the one with counter `(16 * group + lane, high half, number, draw)` in each lane.
#[inline(always)]
fn words(seed: u64, number: u32, draw: Draw, group: u64) -> [[u32; LANES]; 4] {
    let calls: [u64; LANES] = std::array::from_fn(|lane| group * LANES as u64 + lane as u64);
    let low = calls.map(|call| call as u32);
    let high = calls.map(|call| (call >> 32) as u32);
    let mut counter = [low, high, [number; LANES], [draw as u32; LANES]];
    philox(&mut counter, [seed as u32, (seed >> 32) as u32]);
    counter
}

widest! {
    /// The normals `64 * group .. 64 * (group + 1)` of a parameter: a lane's call gives the elements `4 * lane ..` of the
    /// group.
    fn normals(seed: u64, parameter: u32, draw: Draw, group: u64, out: &mut [f32; GROUP]) {
        let counter = words(seed, parameter, draw, group);
        let mut z = [[0.0f32; LANES]; 4];
        for pair in 0..2 {
            for lane in 0..LANES {
                let radius = (-2.0 * ln_positive(uniform(counter[2 * pair][lane]))).sqrt();
                let (sin, cos) = sin_cos_turns(uniform(counter[2 * pair + 1][lane]));
                z[2 * pair][lane] = radius * cos;
                z[2 * pair + 1][lane] = radius * sin;
            }
        }
        for lane in 0..LANES {
            for word in 0..4 {
                out[4 * lane + word] = z[word][lane];
            }
        }
    }
}

widest! {
    /// The uniforms `64 * group .. 64 * (group + 1)` of a site, four of a lane's call after another.
    fn uniforms(seed: u64, site: u32, draw: Draw, group: u64, out: &mut [f32; GROUP]) {
        let words = words(seed, site, draw, group);
        for lane in 0..LANES {
            for word in 0..4 {
                out[4 * lane + word] = uniform(words[word][lane]);
            }
        }
    }
}

/// Four words of Philox4x32-10 for one counter: for uses that need bits, not normals.
pub fn philox_words(counter: [u32; 4], key: u64) -> [u32; 4] {
    let mut lanes = counter.map(|word| [word; LANES]);
    philox(&mut lanes, [key as u32, (key >> 32) as u32]);
    lanes.map(|word| word[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers published with Random123 for `philox4x32 10`.
    #[test]
    fn known_answers() {
        assert_eq!(
            philox_words([0; 4], 0),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox_words([u32::MAX; 4], u64::MAX),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox_words(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                0x299f_31d0_a409_3822
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn any_part_can_be_made_alone() {
        let mut whole = vec![0.0; 1000];
        Philox.fill(7, 3, 0, &mut whole);
        for (first, length) in [(0, 1), (1, 63), (63, 2), (64, 64), (130, 500), (999, 1)] {
            let mut part = vec![0.0; length];
            Philox.fill(7, 3, first, &mut part);
            assert_eq!(part, whole[first..first + length]);
        }
    }

    #[test]
    fn seeds_and_parameters_give_different_numbers() {
        let draw = |seed, parameter| {
            let mut z = [0.0; 8];
            Philox.fill(seed, parameter, 0, &mut z);
            z
        };
        assert_ne!(draw(1, 0), draw(2, 0));
        assert_ne!(draw(1, 0), draw(1, 1));
        assert_ne!(draw(1, 0), draw(1 << 32, 0));
    }

    #[test]
    fn box_muller_against_f64() {
        let mut z = vec![0.0; 4096];
        Philox.fill(42, 5, 0, &mut z);
        for (call, four) in z.chunks_exact(4).enumerate() {
            let words = philox_words([call as u32, 0, 5, 0], 42);
            for pair in 0..2 {
                let u = f64::from(uniform(words[2 * pair]));
                let v = f64::from(uniform(words[2 * pair + 1]));
                let radius = (-2.0 * u.ln()).sqrt();
                let angle = v * std::f64::consts::TAU;
                assert!((f64::from(four[2 * pair]) - radius * angle.cos()).abs() < 2e-6);
                assert!((f64::from(four[2 * pair + 1]) - radius * angle.sin()).abs() < 2e-6);
            }
        }
    }

    #[test]
    fn moments_of_a_standard_normal() {
        let n = 1 << 20;
        let mut z = vec![0.0; n];
        Philox.fill(9, 0, 0, &mut z);
        let moment =
            |power: i32| z.iter().map(|&x| f64::from(x).powi(power)).sum::<f64>() / n as f64;
        // Five standard errors of each sample moment.
        let five = 5.0 / (n as f64).sqrt();
        assert!(moment(1).abs() < five);
        assert!((moment(2) - 1.0).abs() < five * 2f64.sqrt());
        assert!(moment(3).abs() < five * 15f64.sqrt());
        assert!((moment(4) - 3.0).abs() < five * 96f64.sqrt());
    }
}
