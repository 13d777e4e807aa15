//! Gaussian noise as a function of where it is used: `z(seed, parameter, element)`.
//!
//! Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) makes four 32-bit words from
//! a counter and a key; two Box-Muller pairs make four normals of them. Any element can be made alone, in any order, by
//! any number of threads, and there is no generator state to save.

use crate::ops::math::{radius_squared, sin_cos_turns};
use crate::ops::simd::widest;

/// A source of the perturbation `z`.
///
/// [`Philox`] is the one that trains; tests put recorded numbers in its place.
pub trait Noise: Sync {
    /// Fills `out` with `z(seed, parameter, first), z(seed, parameter, first + 1), ...`.
    ///
    /// `parameter` is the position of the tensor among the trainable ones, `first` an element of it in the order in
    /// which this crate stores it (`[in, out]` for the weights of linear layers).
    fn fill(&self, seed: u64, parameter: usize, first: usize, out: &mut [f32]);

    /// Whether it is [`Philox`], which a GPU makes itself.
    fn is_philox(&self) -> bool {
        false
    }
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
        by_group(first, out, |group, groups| {
            normals(seed, parameter as u32, Draw::Noise, group, groups);
        });
    }

    fn is_philox(&self) -> bool {
        true
    }
}

/// Uniform numbers in (0, 1) of a site of dropout, from element `first` on.
pub(crate) fn dropout_uniforms(seed: u64, site: u32, first: usize, out: &mut [f32]) {
    by_group(first, out, |group, groups| {
        uniforms(seed, site, Draw::Dropout, group, groups);
    });
}

/// Fills `out` with the elements from `first` on. `make` makes whole groups from the one with this number on; the ends
/// of `out` may be a part of one.
fn by_group(first: usize, out: &mut [f32], make: impl Fn(u64, &mut [[f32; GROUP]])) {
    let part = |group: usize, skip: usize, out: &mut [f32]| {
        let mut whole = [[0.0; GROUP]];
        make(group as u64, &mut whole);
        out.copy_from_slice(&whole[0][skip..skip + out.len()]);
    };
    let (mut group, skip) = (first / GROUP, first % GROUP);
    let mut rest = out;
    if skip > 0 {
        let (head, later) = rest.split_at_mut((GROUP - skip).min(rest.len()));
        part(group, skip, head);
        rest = later;
        group += 1;
    }
    let (groups, tail) = rest.as_chunks_mut::<GROUP>();
    make(group as u64, groups);
    if !tail.is_empty() {
        part(group + groups.len(), 0, tail);
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
    by_group(0, values, |group, groups| {
        normals(seed, number, draw, group, groups);
    });
    for z in values {
        *z *= deviation;
    }
}

/// Philox calls of a group, made side by side.
const CALLS: usize = 64;
/// Elements of a group: four a call.
const GROUP: usize = 4 * CALLS;

/// Philox's ten rounds on a counter, the key raised by the Weyl constants between them.
///
/// A word is the lower half of its lane. The upper half holds what a product left there and is never read, so that a
/// product's lower word needs no moving.
#[inline(always)]
fn philox(mut counter: [u64; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let first = u64::from(counter[0] as u32) * 0xD251_1F53;
        let second = u64::from(counter[2] as u32) * 0xCD9E_8D57;
        counter = [
            (second >> 32) ^ counter[1] ^ u64::from(key[0]),
            second,
            (first >> 32) ^ counter[3] ^ u64::from(key[1]),
            first,
        ];
        key[0] = key[0].wrapping_add(0x9E37_79B9);
        key[1] = key[1].wrapping_add(0xBB67_AE85);
    }
    counter.map(|word| word as u32)
}

/// The words of the call with this number.
#[inline(always)]
fn words(seed: u64, number: u32, draw: Draw, call: u64) -> [u32; 4] {
    let counter = [call, call >> 32, u64::from(number), draw as u64];
    philox(counter, [seed as u32, (seed >> 32) as u32])
}

/// A uniform in (0, 1) from the upper 23 bits, never 0 and never 1.
#[inline(always)]
fn uniform(word: u32) -> f32 {
    ((word >> 9) as f32 + 0.5) * (1.0 / 8_388_608.0)
}

widest! {
    /// Normals of a parameter, from `GROUP * group` on: the call with number `n` gives the elements `4 n .. 4 n + 4`.
    fn normals(seed: u64, parameter: u32, draw: Draw, group: u64, out: &mut [[f32; GROUP]]) {
        for (group, out) in (group..).zip(out) {
            // Two loops, so that more calls are under way at once than would fit between a call's rounds and its normals.
            let mut radii = [0; 2 * CALLS];
            let mut angles = [0; 2 * CALLS];
            for call in 0..CALLS {
                let words = words(seed, parameter, draw, group * CALLS as u64 + call as u64);
                radii[2 * call] = words[0];
                radii[2 * call + 1] = words[2];
                angles[2 * call] = words[1];
                angles[2 * call + 1] = words[3];
            }
            for pair in 0..2 * CALLS {
                let radius = radius_squared(radii[pair]).sqrt();
                let (sin, cos) = sin_cos_turns(angles[pair]);
                out[2 * pair] = radius * cos;
                out[2 * pair + 1] = radius * sin;
            }
        }
    }
}

widest! {
    /// Uniforms of a site, from `GROUP * group` on, four of a call after another.
    fn uniforms(seed: u64, site: u32, draw: Draw, group: u64, out: &mut [[f32; GROUP]]) {
        for (group, out) in (group..).zip(out) {
            for call in 0..CALLS {
                let words = words(seed, site, draw, group * CALLS as u64 + call as u64);
                for word in 0..4 {
                    out[4 * call + word] = uniform(words[word]);
                }
            }
        }
    }
}

/// Four words of Philox4x32-10 for one counter: for uses that need bits, not normals.
pub fn philox_words(counter: [u32; 4], key: u64) -> [u32; 4] {
    philox(counter.map(u64::from), [key as u32, (key >> 32) as u32])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::simd::same_at_every_level;

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
        for (first, length) in [
            (0, 0),
            (0, 1),
            (1, 255),
            (255, 2),
            (256, 256),
            (130, 700),
            (999, 1),
        ] {
            let mut part = vec![0.0; length];
            Philox.fill(7, 3, first, &mut part);
            assert_eq!(part, whole[first..first + length]);
        }
    }

    #[test]
    fn the_same_at_every_level() {
        for (first, length) in [(0, 0), (0, 1), (255, 2), (1, 1023), (0, 1024), (300, 1025)] {
            same_at_every_level(|| {
                let mut z = vec![0.0; length];
                Philox.fill(7, 3, first, &mut z);
                z
            });
            same_at_every_level(|| {
                let mut uniforms = vec![0.0; length];
                dropout_uniforms(7, 3, first, &mut uniforms);
                uniforms
            });
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
