//! What must not be done is told of.

use super::{Case, decoded};
use crate::code::{ILLEGAL_ADDRESS, MISALIGNED_ADDRESS};
use crate::machine::kind::Kind;

fn fault(body: &str) -> (i32, String) {
    let (_, found) = Case::of(body, &[1, 2, 3, 4]).run();
    let fault = found.fault.expect("a fault");
    (fault.code, fault.text)
}

#[test]
fn an_access_beyond_what_is_allocated_ends_a_launch() {
    let (code, text) = fault("add.s32 %r1, %r0, 1; ld.global.b32 %r4, [%rd3];");
    assert_eq!(code, ILLEGAL_ADDRESS);
    assert!(
        text.contains("kernel, line 11, block [0, 0, 0], thread [4, 0, 0]"),
        "{text}"
    );
    let (code, text) = fault("st.global.v2.b32 [%rd0+124], {%r0, %r0};");
    assert!(
        code == ILLEGAL_ADDRESS || code == MISALIGNED_ADDRESS,
        "{text}"
    );
    let (code, text) = fault("mov.b64 %rd4, 64; ld.global.b32 %r4, [%rd4];");
    assert!(code == ILLEGAL_ADDRESS && text.contains("0x40"), "{text}");
}

#[test]
fn lanes_without_an_access_may_have_any_address() {
    let body = "setp.gt.u32 %p1, %r0, 3; mov.b32 %r4, 0; @!%p1 ld.global.b32 %r4, [%rd3]; st.global.b32 [%rd2], %r4;";
    assert_eq!(
        Case::of(body, &[1, 2, 3, 4]).words()[..6],
        [1, 2, 3, 4, 0, 0]
    );
}

#[test]
fn shared_memory_has_an_end() {
    let (code, text) = fault("mov.b64 %rd4, all_shared; shl.b32 %r1, %r0, 5; cvt.u64.u32 %rd5, %r1; add.s64 %rd4, %rd4, %rd5;
        st.shared.b32 [%rd4+48], %r0;");
    assert_eq!(code, ILLEGAL_ADDRESS);
    assert!(
        text.contains("thread [31, 0, 0]") && text.contains("1024 bytes"),
        "{text}"
    );
}

#[test]
fn accesses_must_be_aligned() {
    let (code, text) =
        fault("mov.b64 %rd4, all_shared; ld.shared.v4.b32 {%r1, %r2, %r3, %r4}, [%rd4+8];");
    assert_eq!(code, MISALIGNED_ADDRESS);
    assert!(text.contains("16 bytes of shared memory at 0x8"), "{text}");
    assert_eq!(fault("ld.global.b32 %r1, [%rd1+2];").0, MISALIGNED_ADDRESS);
}

/// A neighbour's word is read that another warp wrote.
const NEIGHBOUR: &str = "mul.wide.u32 %rd4, %r0, 4; mov.b64 %rd5, all_shared; add.s64 %rd6, %rd5, %rd4; st.shared.b32 [%rd6], %r0;
BARRIER
add.s32 %r1, %r0, 1; and.b32 %r1, %r1, 63; mul.wide.u32 %rd4, %r1, 4; add.s64 %rd6, %rd5, %rd4;
ld.shared.b32 %r4, [%rd6]; st.global.b32 [%rd2], %r4;";

#[test]
fn warps_that_do_not_wait_for_each_other_race() {
    let run = |body: &str| {
        let case = Case {
            threads: 64,
            outputs: 64,
            ..Case::of(body, &[0])
        };
        case.run().1
    };
    let found = run(&NEIGHBOUR.replace("BARRIER", "bar.sync 0;"));
    assert!(found.fault.is_none() && found.races == 0);
    let found = run(&NEIGHBOUR.replace("BARRIER", ""));
    assert!(found.fault.is_none() && found.races > 0);
    let race = found.race.expect("the race");
    // The first warp reads beyond its own before the second writes.
    assert_eq!(
        (race.kind, race.other_kind, race.address),
        (Kind::Write, Kind::Read, 128)
    );
    assert_eq!(
        (race.warp, race.line, race.other_warp, race.other_line),
        (1, 11, 0, 14)
    );
    // One warp alone does not race with itself.
    let (_, found) = Case::of(&NEIGHBOUR.replace("BARRIER", "").replace("63", "31"), &[0]).run();
    assert_eq!(found.races, 0);
}

#[test]
fn what_is_not_known_is_refused() {
    let refused = |body: &str| decoded(body).err().expect("a refusal");
    let found = refused("mov.b32 %r1, 1;\nfrobnicate.b32 %r1, %r2;");
    assert_eq!(
        (found.line, found.why.as_str()),
        (12, "frobnicate.b32: not a known instruction")
    );
    for (body, why) in [
        ("add.rz.f32 %r1, %r2, %r3;", "`.rz` is not known here"),
        ("add.f16 %rs1, %rs2, %rs3;", "not known of this type"),
        ("add.s32 %r1, %r2, %rd3;", "of another size"),
        (
            "add.s32 %r1, %r2, %undeclared;",
            "`%undeclared` is not known",
        ),
        ("mov.u32 %r1, %clock;", "`%clock` is not known"),
        ("bar.sync 0, 64;", "operands"),
        ("bra $nowhere;", "no label"),
        ("ld.local.b32 %r1, [%rd1];", "`.local` is not known here"),
        (
            "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%r1}, {%r1}, {%r1}, {%r1};",
            "not known of these types",
        ),
        (
            "wmma.load.a.sync.aligned.row.m16n16k16.shared.bf16 {%r1, %r2}, [%rd1];",
            "a fragment of 2 registers where 4",
        ),
        ("ld.param.b32 %r1, [rest+16];", "beyond the parameters"),
        ("cvt.f16.f32 %rs1, %r1;", "not known of these types"),
    ] {
        let found = refused(body);
        assert!(found.why.contains(why), "{body}: {}", found.why);
    }
}

#[test]
fn a_trap_is_one() {
    let (_, text) = fault("setp.eq.b32 %p1, %r0, 5; @%p1 trap;");
    assert!(text.contains("thread [5, 0, 0]: a trap"), "{text}");
}
