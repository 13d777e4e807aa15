//! Loads, stores and atomic updates.

use super::Case;

#[test]
fn vectors_are_moved_in_order() {
    let input: Vec<u32> = (0..128).collect();
    let body = "mul.wide.u32 %rd4, %r0, 16; add.s64 %rd5, %rd1, %rd4; add.s64 %rd6, %rd0, %rd4; mov.b64 %rd7, all_shared;
        add.s64 %rd7, %rd7, %rd4; ld.global.nc.L1::no_allocate.v4.b32 {%r1, %r2, %r3, %r4}, [%rd5];
        st.shared.v4.b32 [%rd7], {%r4, %r3, %r2, %r1}; ld.shared.v2.b32 {%r5, %r6}, [%rd7+8];
        st.global.v4.b32 [%rd6], {%r5, %r6, 7, %r3};";
    let out = Case {
        outputs: 128,
        ..Case::of(body, &input)
    };
    let expected: Vec<u32> = (0..32)
        .flat_map(|lane| [4 * lane + 1, 4 * lane, 7, 4 * lane + 2])
        .collect();
    assert_eq!(out.words(), expected);
}

#[test]
fn small_elements_are_extended() {
    let body = "add.s64 %rd4, %rd1, 2; ld.global.s8 %r1, [%rd4+-1]; ld.global.u16 %r2, [%rd4]; ld.global.b16 %rs1, [%rd1];
        cvt.u32.u16 %r3, %rs1; add.s32 %r4, %r1, %r2; shl.b32 %r3, %r3, 16; add.s32 %r4, %r4, %r3; st.global.b32 [%rd2], %r4;";
    let words = Case::of(body, &[0xABCD_FE34]).words();
    assert_eq!(words[0], 0xABCD - 2 + 0xFE34_0000);
    let body = "ld.global.s32 %rd4, [%rd1]; shr.u64 %rd4, %rd4, 4; st.global.u32 [%rd2], %rd4; st.global.b8 [%rd2+1], 0;";
    assert_eq!(Case::of(body, &[0x8000_0000]).words()[5], 0xF800_0000);
    let body = "ld.global.s32 %rd4, [%rd1]; shr.u64 %rd4, %rd4, 36; st.global.u32 [%rd2], %rd4;";
    assert_eq!(Case::of(body, &[0x8000_0000]).words()[5], 0x0FFF_FFFF);
}

#[test]
fn addresses_of_either_memory_are_told_apart() {
    let body = "mov.b64 %rd4, all_shared; cvta.shared.u64 %rd4, %rd4; mul.wide.u32 %rd5, %r0, 4; add.s64 %rd4, %rd4, %rd5;
        st.b32 [%rd4], %r0; setp.lt.u32 %p1, %r0, 9; selp.b64 %rd6, %rd4, %rd3, %p1; ld.b32 %r4, [%rd6];
        cvta.to.shared.u64 %rd4, %rd4; ld.shared.b32 %r5, [%rd4]; mad.lo.s32 %r4, %r5, 1000, %r4; st.global.b32 [%rd2], %r4;";
    let input: Vec<u32> = (0..32).map(|lane| lane + 500).collect();
    for (lane, word) in Case::of(body, &input).words().into_iter().enumerate() {
        assert_eq!(
            word as usize,
            lane * 1000 + if lane < 9 { lane } else { lane + 500 }
        );
    }
}

#[test]
fn updates_of_all_lanes_and_blocks_count() {
    let body = "atom.global.add.u32 %r4, [%rd0], 2; red.relaxed.gpu.global.max.s32 [%rd0+4], %r0;
        atom.global.cas.b32 %r5, [%rd0+8], 0, 41; atom.add.f32 %r6, [%rd0+12], 0f3F000000;
        atom.global.inc.u32 %r7, [%rd0+16], 6;";
    let case = Case {
        blocks: 100,
        outputs: 5,
        ..Case::of(body, &[0])
    };
    assert_eq!(case.words(), [6400, 31, 41, 1600.0_f32.to_bits(), 3200 % 7]);
    let body = "mov.b64 %rd4, all_shared; setp.eq.b32 %p1, %r0, 0; @%p1 st.shared.b32 [%rd4], 5; bar.sync 0;
        atom.shared.add.u32 %r4, [%rd4], 1; bar.sync 0; ld.shared.b32 %r4, [%rd4]; st.global.b32 [%rd2], %r4;";
    let case = Case {
        threads: 96,
        outputs: 96,
        ..Case::of(body, &[0])
    };
    assert!(case.words().into_iter().all(|word| word == 101));
}

#[test]
fn what_nobody_wrote_shows() {
    let body = "mov.b64 %rd4, all_shared; ld.shared.b32 %r4, [%rd4+64]; st.global.b32 [%rd2], %r4;";
    assert!(f32::from_bits(Case::of(body, &[0]).words()[3]).is_nan());
}
