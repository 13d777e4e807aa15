//! One body, compiled for several instruction sets and chosen at run time.
//!
//! Rust never contracts `a * b + c` into a fused operation on its own, so every version of a body gives the same
//! bits: the choice changes the speed and nothing else.

/// Defines a function whose body is compiled for AVX-512, AVX2 and the baseline, and calls the widest the
/// processor has.
macro_rules! widest {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident : $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                #[allow(clippy::too_many_arguments)]
                fn avx512($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
                #[target_feature(enable = "avx2")]
                #[allow(clippy::too_many_arguments)]
                fn avx2($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }

                if std::arch::is_x86_feature_detected!("avx512f")
                    && std::arch::is_x86_feature_detected!("avx512bw")
                    && std::arch::is_x86_feature_detected!("avx512dq")
                    && std::arch::is_x86_feature_detected!("avx512vl")
                {
                    // SAFETY: the processor has just been asked for every feature this version was compiled with.
                    return unsafe { avx512($($arg),*) };
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: as above.
                    return unsafe { avx2($($arg),*) };
                }
            }
            body($($arg),*)
        }
    };
}
pub(crate) use widest;

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
