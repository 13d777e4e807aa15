//! Arithmetic, where it is not plain.

use super::{reals, words};

fn of(instruction: &str, a: u32, b: u32, c: u32) -> u32 {
    words(instruction, [a, b, c])
}

#[test]
fn shifts_by_more_than_there_are_bits_leave_none() {
    assert_eq!(of("shl.b32 %r4, %r1, %r2;", 3, 32, 0), 0);
    assert_eq!(of("shl.b32 %r4, %r1, %r2;", 3, 31, 0), 1 << 31);
    assert_eq!(of("shr.u32 %r4, %r1, %r2;", u32::MAX, 99, 0), 0);
    assert_eq!(of("shr.s32 %r4, %r1, %r2;", 1 << 31, 99, 0), u32::MAX);
    assert_eq!(
        of("shf.l.wrap.b32 %r4, %r1, %r2, %r3;", 0xF000_0000, 1, 36),
        0x1F
    );
    assert_eq!(of("shf.r.clamp.b32 %r4, %r1, %r2, %r3;", 5, 7, 99), 7);
}

#[test]
fn products_have_halves() {
    let (a, b) = (0xFFFF_FFF0, 0x8000_0001);
    assert_eq!(of("mul.lo.s32 %r4, %r1, %r2;", a, b, 0), a.wrapping_mul(b));
    assert_eq!(
        of("mul.hi.u32 %r4, %r1, %r2;", a, b, 0),
        ((u64::from(a) * u64::from(b)) >> 32) as u32
    );
    assert_eq!(
        of("mul.hi.s32 %r4, %r1, %r2;", a, b, 0),
        ((-16_i64 * -0x7FFF_FFFF) >> 32) as u32
    );
    assert_eq!(of("mad.lo.s32 %r4, %r1, %r2, %r3;", 7, u32::MAX, 9), 2);
    let wide = "mad.wide.s32 %rd4, %r1, %r2, %rd5; mov.b64 {%r5, %r4}, %rd4;";
    let body = format!("mov.b64 %rd5, 4294967296; {wide}");
    assert_eq!(of(&body, u32::MAX, 1, 0), 0);
}

#[test]
fn division_is_that_of_the_device() {
    assert_eq!(of("div.u32 %r4, %r1, %r2;", 7, 0, 0), u32::MAX);
    assert_eq!(of("div.u32 %r4, %r1, %r2;", u32::MAX, 1, 0), u32::MAX);
    assert_eq!(of("div.u32 %r4, %r1, %r2;", u32::MAX - 1, u32::MAX, 0), 0);
    assert_eq!(
        of("div.s32 %r4, %r1, %r2;", -7_i32 as u32, 2, 0),
        -3_i32 as u32
    );
    assert_eq!(
        of("rem.s32 %r4, %r1, %r2;", -7_i32 as u32, 2, 0),
        -1_i32 as u32
    );
    assert_eq!(of("rem.u32 %r4, %r1, %r2;", 4_000_000_007, 10, 0), 7);
    // The same by a plain division, near each multiple that an f64 could take for the next.
    for b in [3, 641, 65_537, 0x7FFF_FFFF, 0xFFFF_FFFD] {
        for times in [1, u32::MAX / b / 2 + 1, u32::MAX / b] {
            for a in [times * b - 1, times * b, (times * b).saturating_add(1)] {
                assert_eq!(of("div.u32 %r4, %r1, %r2;", a, b, 0), a / b);
            }
        }
    }
}

#[test]
fn fields_are_taken_and_put() {
    assert_eq!(of("bfe.u32 %r4, %r1, 4, 8;", 0x1234_5678, 0, 0), 0x67);
    assert_eq!(of("bfe.u32 %r4, %r1, %r2, %r3;", u32::MAX, 28, 9), 15);
    assert_eq!(of("bfe.s32 %r4, %r1, 4, 4;", 0x80, 0, 0), -8_i32 as u32);
    assert_eq!(
        of("bfe.s32 %r4, %r1, %r2, %r3;", 1 << 31, 28, 9),
        -8_i32 as u32
    );
    assert_eq!(of("bfe.s32 %r4, %r1, %r2, %r3;", 1 << 31, 40, 9), u32::MAX);
    assert_eq!(of("bfe.u32 %r4, %r1, 4, 0;", u32::MAX, 0, 0), 0);
    assert_eq!(
        of("bfi.b32 %r4, %r1, %r2, 8, 4;", 0xAB, 0xFFFF_FFFF, 0),
        0xFFFF_FBFF
    );
    assert_eq!(
        of(
            "prmt.b32 %r4, %r1, %r2, 0x7142;",
            0x3322_1100,
            0x7766_5544,
            0
        ),
        0x7711_4422
    );
    assert_eq!(
        of("prmt.b32 %r4, %r1, %r2, 0x0009;", 0x8000, 0, 0) & 0xFF,
        0xFF
    );
    assert_eq!(
        of("lop3.b32 %r4, %r1, %r2, %r3, 0x96;", 5, 6, 12),
        5 ^ 6 ^ 12
    );
    assert_eq!(of("bfind.u32 %r4, %r1;", 0x0010_0000, 0, 0), 20);
    assert_eq!(of("bfind.s32 %r4, %r1;", -2_i32 as u32, 0, 0), 0);
    assert_eq!(of("clz.b32 %r4, %r1;", 0, 0, 0), 32);
    assert_eq!(of("brev.b32 %r4, %r1;", 1, 0, 0), 1 << 31);
    assert_eq!(of("popc.b32 %r4, %r1;", 0xF0F0, 0, 0), 8);
}

#[test]
fn a_fused_product_is_rounded_once() {
    let (a, b) = (1.0 + f32::EPSILON, 1.0 - f32::EPSILON);
    let fused = reals("fma.rn.f32 %r4, %r1, %r2, %r3;", [a, b, -1.0]);
    assert_eq!(fused, -f32::EPSILON * f32::EPSILON);
    let apart = reals(
        "mul.rn.f32 %r4, %r1, %r2; add.rn.f32 %r4, %r4, %r3;",
        [a, b, -1.0],
    );
    assert_eq!(apart, 0.0);
}

#[test]
fn small_numbers_are_kept_unless_they_are_to_be_flushed() {
    let small = 1e-39_f32;
    assert_eq!(
        reals("mul.f32 %r4, %r1, %r2;", [small, 0.5, 0.0]),
        small * 0.5
    );
    assert_eq!(
        reals("mul.ftz.f32 %r4, %r1, %r2;", [-small, 2.0, 0.0]).to_bits(),
        1 << 31
    );
    assert_eq!(
        reals("add.ftz.f32 %r4, %r1, %r2;", [1.5e-38, -1.2e-38, 0.0]),
        0.0
    );
    assert_eq!(
        reals("fma.rn.sat.f32 %r4, %r1, %r2, %r3;", [2.0, 3.0, 1.0]),
        1.0
    );
    assert_eq!(
        reals("add.sat.f32 %r4, %r1, %r2;", [f32::NAN, 3.0, 1.0]),
        0.0
    );
}

#[test]
fn what_is_no_number_loses_against_one() {
    assert_eq!(reals("min.f32 %r4, %r1, %r2;", [f32::NAN, 3.0, 0.0]), 3.0);
    assert_eq!(reals("max.f32 %r4, %r1, %r2;", [3.0, f32::NAN, 0.0]), 3.0);
    assert!(reals("max.NaN.f32 %r4, %r1, %r2;", [3.0, f32::NAN, 0.0]).is_nan());
    assert_eq!(
        reals("min.f32 %r4, %r1, %r2;", [0.0, -0.0, 0.0]).to_bits(),
        1 << 31
    );
    assert_eq!(
        reals("max.f32 %r4, %r1, %r2;", [-0.0, 0.0, 0.0]).to_bits(),
        0
    );
}

#[test]
fn functions_are_those_of_the_numbers() {
    assert_eq!(reals("rcp.rn.f32 %r4, %r1;", [3.0, 0.0, 0.0]), 1.0 / 3.0);
    assert_eq!(
        reals("sqrt.rn.f32 %r4, %r1;", [2.0, 0.0, 0.0]),
        2.0_f32.sqrt()
    );
    assert_eq!(
        reals("rsqrt.approx.ftz.f32 %r4, %r1;", [4.0, 0.0, 0.0]),
        0.5
    );
    assert_eq!(reals("ex2.approx.f32 %r4, %r1;", [-3.0, 0.0, 0.0]), 0.125);
    assert_eq!(reals("lg2.approx.f32 %r4, %r1;", [0.125, 0.0, 0.0]), -3.0);
    assert_eq!(
        reals("div.rn.f32 %r4, %r1, %r2;", [1.0, 3.0, 0.0]),
        1.0 / 3.0
    );
    assert_eq!(reals("copysign.f32 %r4, %r1, %r2;", [-1.0, 3.0, 0.0]), -3.0);
    assert_eq!(
        reals("mov.b32 %r4, 0fC0490FDB;", [0.0; 3]),
        -std::f32::consts::PI
    );
}

#[test]
fn wide_numbers_have_arithmetic_too() {
    let body = "cvt.f64.f32 %rd4, %r1; cvt.f64.f32 %rd5, %r2; fma.rn.f64 %rd4, %rd4, %rd5, 0d3FF0000000000000;
        cvt.rn.f32.f64 %r4, %rd4;";
    assert_eq!(reals(body, [3.0, 5.0, 0.0]), 16.0);
    let body = "mov.b64 %rd4, {%r1, %r2}; shr.s64 %rd4, %rd4, 32; mul.hi.u64 %rd5, %rd4, %rd4; cvt.u32.u64 %r4, %rd5;";
    assert_eq!(
        of(body, 5, 1 << 31, 0),
        (0xFFFF_FFFF_8000_0000_u128.pow(2) >> 64) as u32
    );
}

#[test]
fn comparisons_know_signs_and_what_is_no_number() {
    let holds = |how: &str, a: f32, b: f32| {
        let body = format!("setp.{how} %p1, %r1, %r2; selp.b32 %r4, 1, 0, %p1;");
        words(&body, [a.to_bits(), b.to_bits(), 0]) == 1
    };
    for (how, less, same, none) in [
        ("lt", true, false, false),
        ("le", true, true, false),
        ("gt", false, false, false),
        ("ge", false, true, false),
        ("eq", false, true, false),
        ("ne", true, false, false),
        ("ltu", true, false, true),
        ("leu", true, true, true),
        ("gtu", false, false, true),
        ("geu", false, true, true),
        ("equ", false, true, true),
        ("neu", true, false, true),
        ("num", true, true, false),
        ("nan", false, false, true),
    ] {
        let how = format!("{how}.f32");
        assert_eq!(holds(&how, -1.0, 2.0), less, "{how}");
        assert_eq!(holds(&how, 0.0, -0.0), same, "{how}");
        assert_eq!(holds(&how, f32::NAN, 2.0), none, "{how}");
    }
    assert!(
        holds("lt.s32", -1.0, 1.0) && !holds("lt.u32", -1.0, 1.0) && holds("hi.u32", -1.0, 1.0)
    );
    let joined =
        "setp.lt.u32 %p1, %r1, %r2; setp.gt.and.u32 %p2|%p3, %r3, 5, !%p1; selp.b32 %r4, 1, 2, %p2;
        @%p3 add.s32 %r4, %r4, 8;";
    assert_eq!(of(joined, 2, 1, 6), 1);
    assert_eq!(of(joined, 2, 1, 5), 10);
    assert_eq!(of(joined, 1, 2, 6), 2);
}
