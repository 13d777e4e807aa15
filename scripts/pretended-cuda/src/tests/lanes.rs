//! What lanes do together.

use super::Case;

fn lanes(body: &str) -> Vec<u32> {
    let body = format!("add.s32 %r1, %r0, 100;\n{body}\nst.global.b32 [%rd2], %r4;");
    Case::of(&body, &[0]).words()
}

#[test]
fn shuffles_read_other_lanes() {
    type Source = fn(u32) -> u32;
    let cases: [(&str, Source); 7] = [
        ("bfly.b32 %r4, %r1, 5, 31, -1", |lane| lane ^ 5),
        ("up.b32 %r4, %r1, 3, 0, -1", |lane| {
            if lane < 3 { lane } else { lane - 3 }
        }),
        ("down.b32 %r4, %r1, 3, 31, -1", |lane| {
            if lane > 28 { lane } else { lane + 3 }
        }),
        ("idx.b32 %r4, %r1, 7, 31, -1", |_| 7),
        // Segments of eight lanes.
        ("idx.b32 %r4, %r1, 3, 0x181F, -1", |lane| lane / 8 * 8 + 3),
        ("down.b32 %r4, %r1, 3, 0x181F, -1", |lane| {
            if lane % 8 > 4 { lane } else { lane + 3 }
        }),
        ("up.b32 %r4, %r1, 3, 0x1800, -1", |lane| {
            if lane % 8 < 3 { lane } else { lane - 3 }
        }),
    ];
    for (which, source) in cases {
        for (lane, word) in lanes(&format!("shfl.sync.{which};"))
            .into_iter()
            .enumerate()
        {
            assert_eq!(word, source(lane as u32) + 100, "{which}, lane {lane}");
        }
    }
    let within = "shfl.sync.up.b32 %r4|%p1, %r1, 3, 0, -1; selp.b32 %r4, %r4, 0, %p1;";
    assert_eq!(lanes(within)[..4], [0, 0, 0, 100]);
}

#[test]
fn a_sum_goes_through_all_lanes() {
    let mut body = "mov.b32 %r4, %r1;\n".to_owned();
    for by in [1, 2, 4, 8, 16] {
        body += &format!(
            "activemask.b32 %r5; shfl.sync.bfly.b32 %r6, %r4, {by}, 31, %r5; add.s32 %r4, %r4, %r6;\n"
        );
    }
    assert!(lanes(&body).into_iter().all(|word| word == 3200 + 31 * 16));
    let reduced = "redux.sync.add.s32 %r4, %r1, -1;";
    assert!(
        lanes(reduced)
            .into_iter()
            .all(|word| word == 3200 + 31 * 16)
    );
    let least = "redux.sync.min.s32 %r4, %r2, -1;";
    let body = format!("sub.s32 %r2, 5, %r0; {least}");
    assert!(lanes(&body).into_iter().all(|word| word as i32 == -26));
}

#[test]
fn lanes_that_are_not_there_are_not_read() {
    let body = "setp.lt.u32 %p1, %r0, 4; mov.b32 %r4, 1; @!%p1 bra $end;
        activemask.b32 %r5; shfl.sync.bfly.b32 %r4, %r1, 2, 31, %r5; shfl.sync.bfly.b32 %r6, %r1, 4, 31, %r5;
        setp.eq.b32 %p2, %r6, -1; selp.b32 %r4, %r4, 77, %p2;
        $end:";
    let found = lanes(body);
    assert_eq!(found[..6], [102, 103, 100, 101, 1, 1]);
}

#[test]
fn votes_are_of_all() {
    let vote = |which: &str, than: u32| {
        let body = format!(
            "setp.lt.u32 %p1, %r0, {than}; vote.sync.{which}.pred %p2, %p1, -1; selp.b32 %r4, 1, 0, %p2;"
        );
        lanes(&body)[0] == 1
    };
    assert!(vote("any", 1) && !vote("any", 0));
    assert!(vote("all", 32) && !vote("all", 31));
    assert!(vote("uni", 0) && vote("uni", 32) && !vote("uni", 5));
    let ballot = "setp.lt.u32 %p1, %r0, 5; vote.sync.ballot.b32 %r4, !%p1, -1;";
    assert_eq!(lanes(ballot)[9], !31);
}

#[test]
fn special_registers_tell_a_lane_its_place() {
    let body = "mov.u32 %r2, %laneid; mov.u32 %r3, %lanemask_lt; add.s32 %r4, %r2, %r3; mov.u32 %r5, %warpid;
        mad.lo.s32 %r4, %r5, 1000, %r4;";
    for (lane, word) in lanes(body).into_iter().enumerate() {
        assert_eq!(word as usize, lane + (1 << lane) - 1);
    }
}
