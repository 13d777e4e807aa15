//! Conversions, and moves of parts.

use super::words;

fn of(body: &str, a: u32) -> u32 {
    words(body, [a, 0, 0])
}

fn real(body: &str, a: f32) -> u32 {
    of(body, a.to_bits())
}

#[test]
fn what_does_not_fit_is_held_at_the_end() {
    assert_eq!(real("cvt.rzi.u32.f32 %r4, %r1;", -3.5), 0);
    assert_eq!(real("cvt.rzi.u32.f32 %r4, %r1;", 1e20), u32::MAX);
    assert_eq!(real("cvt.rzi.s32.f32 %r4, %r1;", -1e20), 1 << 31);
    assert_eq!(real("cvt.rzi.s32.f32 %r4, %r1;", f32::NAN), 0);
    assert_eq!(real("cvt.rni.s32.f32 %r4, %r1;", 2.5), 2);
    assert_eq!(real("cvt.rpi.s32.f32 %r4, %r1;", 2.1), 3);
    assert_eq!(real("cvt.rmi.s32.f32 %r4, %r1;", -2.1), -3_i32 as u32);
    assert_eq!(
        real("cvt.rmi.f32.f32 %r4, %r1;", -2.1),
        (-3.0_f32).to_bits()
    );
    assert_eq!(real("cvt.rni.f32.f32 %r4, %r1;", 3.5), 4.0_f32.to_bits());
    assert_eq!(
        real("cvt.rzi.u16.f32 %rs1, %r1; cvt.u32.u16 %r4, %rs1;", 7e9),
        0xFFFF
    );
    assert_eq!(real("cvt.sat.f32.f32 %r4, %r1;", 7.0), 1.0_f32.to_bits());
}

#[test]
fn whole_numbers_keep_their_signs() {
    assert_eq!(of("cvt.s32.s8 %r4, %r1;", 0x1FF), u32::MAX);
    assert_eq!(of("cvt.u32.u8 %r4, %r1;", 0x1FF), 0xFF);
    assert_eq!(of("cvt.sat.s8.s32 %r4, %r1;", 300), 127);
    assert_eq!(of("cvt.sat.u8.s32 %r4, %r1;", -3_i32 as u32), 0);
    assert_eq!(
        of(
            "cvt.s64.s32 %rd4, %r1; shr.u64 %rd4, %rd4, 32; cvt.u32.u64 %r4, %rd4;",
            1 << 31
        ),
        u32::MAX
    );
    assert_eq!(
        of(
            "cvt.u64.u32 %rd4, %r1; shr.u64 %rd4, %rd4, 32; cvt.u32.u64 %r4, %rd4;",
            1 << 31
        ),
        0
    );
    assert_eq!(
        of("cvt.rn.f32.s32 %r4, %r1;", -5_i32 as u32),
        (-5.0_f32).to_bits()
    );
    assert_eq!(
        of("cvt.rn.f32.u32 %r4, %r1;", u32::MAX),
        4_294_967_296.0_f32.to_bits()
    );
    assert_eq!(
        of("cvt.rn.f32.u32 %r4, %r1;", 16_777_217),
        16_777_216.0_f32.to_bits()
    );
}

#[test]
fn small_types_round_as_they_should() {
    let near = f32::from_bits(0x3F80_8000);
    assert_eq!(
        real("cvt.rn.bf16.f32 %rs1, %r1; cvt.u32.u16 %r4, %rs1;", near),
        0x3F80
    );
    assert_eq!(
        real("cvt.rz.bf16.f32 %rs1, %r1; cvt.u32.u16 %r4, %rs1;", near),
        0x3F80
    );
    assert_eq!(
        real("cvt.rn.bf16x2.f32 %r4, %r1, 0f40000000;", -near),
        0xBF80_4000
    );
    assert_eq!(
        real("cvt.rn.f16x2.f32 %r4, %r1, 0f40000000;", 1.0),
        0x3C00_4000
    );
    assert_eq!(
        real("cvt.rna.tf32.f32 %r4, %r1;", f32::from_bits(0x3F80_1000)),
        0x3F80_2000
    );
    assert_eq!(
        real("cvt.rna.tf32.f32 %r4, %r1;", f32::from_bits(0x3F80_0FFF)),
        0x3F80_0000
    );
    let back = "mov.b32 {%rs1, %rs2}, %r1; cvt.f32.bf16 %r4, %rs2;";
    assert_eq!(of(back, 0xC000_3F80), (-2.0_f32).to_bits());
    let back = "mov.b32 {%rs1, %rs2}, %r1; cvt.f32.f16 %r4, %rs1;";
    assert_eq!(of(back, 0xC000_3C00), 1.0_f32.to_bits());
}

#[test]
fn parts_are_taken_and_joined() {
    assert_eq!(
        of(
            "mov.b32 {%rs1, %rs2}, %r1; mov.b32 %r4, {%rs2, %rs1};",
            0x1234_5678
        ),
        0x5678_1234
    );
    let body = "mov.b64 %rd4, {%r1, 7}; mov.b64 {%rs1, %rs2, %rs3, %rs4}, %rd4; mov.b64 %rd5, {%rs3, %rs4, %rs2, %rs1};
        mov.b64 {_, %r4}, %rd5;";
    assert_eq!(of(body, 0x1234_5678), 0x5678_1234);
    let chosen = "mov.b32 {%rs1, %rs2}, %r1; setp.eq.b16 %p1, %rs1, 5; selp.b16 %rs3, %rs2, 0x3F80, %p1; cvt.u32.u16 %r4, %rs3;";
    assert_eq!(of(chosen, 0x1234_0005), 0x1234);
    assert_eq!(of(chosen, 0x1234_0006), 0x3F80);
}

#[test]
fn parameters_are_read_where_they_are() {
    assert_eq!(of("ld.param.b32 %r4, [rest+4];", 0), 0x0706_0504);
    assert_eq!(of("ld.param.v2.b32 {_, %r4}, [rest+8];", 0), 0x0F0E_0D0C);
    assert_eq!(of("ld.param.u8 %r4, [rest+15];", 0), 15);
}
