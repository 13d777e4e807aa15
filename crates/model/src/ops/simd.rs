//! One body, compiled for several instruction sets and chosen at run time.
//!
//! Rust never contracts `a * b + c` into a fused operation on its own; where a body asks for one with `mul_add`, it is
//! fused everywhere, in hardware on AVX-512, AVX2 with FMA and aarch64, by the C library's slow `fmaf` on what is older.
//! So every version of a body gives the same bits: the choice changes the speed and nothing else.

/// What a body is compiled for, from the oldest to the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// What the program as a whole is compiled for.
    Baseline,
    /// AVX2 with FMA.
    Avx2,
    /// AVX-512 as of Skylake's servers.
    Avx512,
}

/// The newest level that this processor has.
#[inline]
pub(crate) fn level() -> Level {
    #[cfg(test)]
    if let Some(level) = force::forced() {
        return level.min(detected());
    }
    detected()
}

/// What the processor says of itself; the standard library asks it once.
#[cfg(target_arch = "x86_64")]
#[inline]
fn detected() -> Level {
    use std::arch::is_x86_feature_detected as has;
    if !(has!("avx2") && has!("fma")) {
        Level::Baseline
    } else if has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
        Level::Avx512
    } else {
        Level::Avx2
    }
}

/// Other architectures have one version.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn detected() -> Level {
    Level::Baseline
}

/// Defines a function whose body is compiled for every [`Level`], and calls the newest version that the processor can
/// run.
macro_rules! widest {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident : $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                fn avx512($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                fn avx2($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }

                match $crate::ops::simd::level() {
                    // SAFETY: `level` gives this only of a processor that has every feature this version is compiled
                    // with.
                    $crate::ops::simd::Level::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: as above.
                    $crate::ops::simd::Level::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::ops::simd::Level::Baseline => {}
                }
            }
            body($($arg),*)
        }
    };
}
pub(crate) use widest;

/// Room for `N` numbers that no register's width straddles two cache lines of.
#[repr(C, align(64))]
pub(crate) struct Buffer<const N: usize>(pub(crate) [f32; N]);

impl<const N: usize> Buffer<N> {
    /// Zeros.
    pub(crate) fn new() -> Self {
        Self([0.0; N])
    }
}

/// Lanes of the fixed-order sums: one AVX-512 register of f32.
pub(crate) const LANES: usize = 16;

/// Sum of `f(x[i])` in a fixed order, whatever the instruction set: lane by lane, then over the lanes.
#[inline(always)]
pub(crate) fn sum_by(x: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (head, tail) = x.as_chunks::<LANES>();
    for chunk in head {
        for lane in 0..LANES {
            lanes[lane] += f(chunk[lane]);
        }
    }
    let mut total = sum_lanes(&lanes);
    for &value in tail {
        total += f(value);
    }
    total
}

/// Pairwise sum of the lanes.
#[inline(always)]
fn sum_lanes(lanes: &[f32; LANES]) -> f32 {
    let mut lanes = *lanes;
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0]
}

#[cfg(test)]
pub(crate) use force::same_at_every_level;

/// Older versions of the bodies for the tests, which hold them equal.
#[cfg(test)]
mod force {
    use std::cell::Cell;

    use super::Level;

    thread_local! {
        static FORCED: Cell<Option<Level>> = const { Cell::new(None) };
    }

    /// What this thread is held to.
    pub(super) fn forced() -> Option<Level> {
        FORCED.get()
    }

    /// Carries out `work`, which must call the bodies on this thread, with each of their versions that the processor can
    /// run, and gives what all of them gave: the same bits, except that one NaN is as good as another.
    #[track_caller]
    pub(crate) fn same_at_every_level(work: impl Fn() -> Vec<f32>) -> Vec<f32> {
        let at = |level| {
            FORCED.set(Some(level));
            let values = work();
            FORCED.set(None);
            values
        };
        let oldest = at(Level::Baseline);
        for level in [Level::Avx2, Level::Avx512] {
            let values = at(level);
            assert_eq!(values.len(), oldest.len());
            for (i, (a, b)) in values.iter().zip(&oldest).enumerate() {
                let same = a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
                assert!(
                    same,
                    "element {i}: {a:e} at {level:?}, {b:e} at the baseline"
                );
            }
        }
        oldest
    }
}

#[cfg(test)]
mod tests;
