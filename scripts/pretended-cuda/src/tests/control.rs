//! Lanes that go ways of their own.

use super::Case;

fn lanes(body: &str) -> Vec<u32> {
    let body = format!("{body}\nst.global.b32 [%rd2], %r4;");
    Case::of(&body, &[0]).words()
}

#[test]
fn both_sides_of_a_branch_are_gone() {
    let body = "and.b32 %r1, %r0, 1; setp.eq.b32 %p1, %r1, 0; @%p1 bra $even;
        mul.lo.s32 %r4, %r0, 100; bra.uni $end;
        $even: add.s32 %r4, %r0, 7;
        $end: activemask.b32 %r5; add.s32 %r4, %r4, %r5;";
    for (lane, word) in lanes(body).into_iter().enumerate() {
        let lane = lane as u32;
        let own = if lane.is_multiple_of(2) {
            lane + 7
        } else {
            lane * 100
        };
        // All are together again at the end.
        assert_eq!(word, own.wrapping_add(u32::MAX));
    }
}

#[test]
fn the_side_that_comes_later_may_lie_before() {
    let body = "setp.lt.u32 %p1, %r0, 9; bra $start;
        $low: add.s32 %r4, %r4, 1; bra $end;
        $start: mov.b32 %r4, 50; @%p1 bra $low;
        add.s32 %r4, %r4, 2;
        $end: activemask.b32 %r5; popc.b32 %r5, %r5; mad.lo.s32 %r4, %r5, 100, %r4;";
    for (lane, word) in lanes(body).into_iter().enumerate() {
        assert_eq!(word, if lane < 9 { 3251 } else { 3252 });
    }
}

#[test]
fn each_lane_turns_as_often_as_it_must() {
    let body = "mov.b32 %r4, 0; mov.b32 %r1, %r0;
        $again: setp.eq.b32 %p1, %r1, 0; @%p1 bra $done;
        add.s32 %r4, %r4, %r1; sub.s32 %r1, %r1, 1; bra $again;
        $done:";
    for (lane, word) in lanes(body).into_iter().enumerate() {
        assert_eq!(word as usize, lane * (lane + 1) / 2);
    }
}

#[test]
fn loops_within_loops_end() {
    let body = "mov.b32 %r4, 0; mov.b32 %r1, 0;
        $outer: mov.b32 %r2, 0;
        $inner: add.s32 %r4, %r4, 1; add.s32 %r2, %r2, 1; setp.lt.u32 %p1, %r2, %r0; @%p1 bra $inner;
        add.s32 %r1, %r1, 1; setp.le.u32 %p2, %r1, %r0; @%p2 bra $outer;";
    for (lane, word) in lanes(body).into_iter().enumerate() {
        assert_eq!(word as usize, (lane + 1) * lane.max(1));
    }
}

#[test]
fn each_lane_goes_to_its_place_in_a_table() {
    let body = "and.b32 %r1, %r0, 3; mov.b32 %r4, 1; mov.b32 %r5, 2;
        $table: .branchtargets $b, $a, $b, $c;
        brx.idx %r1, $table;
        $a: add.s32 %r4, %r4, 10; bra $end;
        $b: add.s32 %r4, %r5, 20; bra $end;
        $c: mov.b32 %r4, 3;
        $end: activemask.b32 %r6; add.s32 %r4, %r4, %r6;";
    for (lane, word) in lanes(body).into_iter().enumerate() {
        assert_eq!(word, [21, 10, 21, 2][lane % 4]);
    }
}

#[test]
fn there_is_no_place_behind_a_table() {
    let body = "$table: .branchtargets $end, $end;\nbrx.idx %r0, $table;\n$end:";
    let fault = Case::of(body, &[0]).run().1.fault.expect("a fault");
    assert!(fault.text.contains("place 2 of 2"), "{}", fault.text);
}

#[test]
fn guards_hold_for_each_lane() {
    let body =
        "setp.gt.u32 %p1, %r0, 20; mov.b32 %r4, 1; @%p1 mov.b32 %r4, 2; @!%p1 add.s32 %r4, %r4, 9;";
    for (lane, word) in lanes(body).into_iter().enumerate() {
        assert_eq!(word, if lane > 20 { 2 } else { 10 });
    }
}

#[test]
fn lanes_may_leave_before_a_barrier() {
    let body = "st.global.b32 [%rd2], 1; and.b32 %r1, %r0, 3; setp.eq.b32 %p1, %r1, 0; @%p1 ret;
        mul.wide.u32 %rd4, %r0, 4; mov.b64 %rd5, all_shared; add.s64 %rd4, %rd5, %rd4;
        st.shared.b32 [%rd4], %r0; bar.sync 0; xor.b32 %r2, %r0, 34; mul.wide.u32 %rd4, %r2, 4; add.s64 %rd4, %rd5, %rd4;
        ld.shared.b32 %r4, [%rd4]; st.global.b32 [%rd2], %r4;";
    let case = Case {
        threads: 64,
        outputs: 64,
        ..Case::of(body, &[0])
    };
    for (thread, word) in case.words().into_iter().enumerate() {
        let expected = match (thread % 4, thread ^ 34) {
            (0, _) => 1,
            // What nobody wrote.
            (_, other) if other % 4 == 0 => u32::MAX,
            (_, other) => other as u32,
        };
        assert_eq!(word, expected, "{thread}");
    }
}

#[test]
fn lanes_that_part_meet_at_a_barrier() {
    let body = "setp.lt.u32 %p1, %r0, 40; @%p1 bra $far; add.s32 %r4, %r0, 1; bra $meet;
        $far: add.s32 %r4, %r0, 2;
        $meet: mul.wide.u32 %rd4, %r0, 4; mov.b64 %rd5, all_shared; add.s64 %rd4, %rd5, %rd4; st.shared.b32 [%rd4], %r4;
        bar.sync 0; xor.b32 %r2, %r0, 63; mul.wide.u32 %rd4, %r2, 4; add.s64 %rd4, %rd5, %rd4;
        ld.shared.b32 %r4, [%rd4]; st.global.b32 [%rd2], %r4;";
    let case = Case {
        threads: 64,
        outputs: 64,
        ..Case::of(body, &[0])
    };
    for (thread, word) in case.words().into_iter().enumerate() {
        let other = thread as u32 ^ 63;
        assert_eq!(word, other + if other < 40 { 2 } else { 1 });
    }
}

#[test]
fn lanes_that_wait_for_what_never_comes_are_told_of() {
    let body = "setp.lt.u32 %p1, %r0, 9; @%p1 bra $one; bar.warp.sync -1; bra $end; $one: bar.sync 0; $end:";
    let (_, found) = Case::of(body, &[0]).run();
    let fault = found.fault.expect("lanes that wait for each other");
    assert!(fault.text.contains("wait for each other"), "{}", fault.text);
}

#[test]
fn blocks_of_a_grid_know_where_they_are() {
    let body = "mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mov.u32 %r3, %nctaid.x; mad.lo.s32 %r4, %r1, %r2, %r0;
        mul.wide.u32 %rd4, %r4, 4; add.s64 %rd4, %rd0, %rd4; mad.lo.s32 %r4, %r3, 1000, %r4; st.global.b32 [%rd4], %r4;";
    let case = Case {
        blocks: 50,
        threads: 40,
        outputs: 2000,
        ..Case::of(body, &[0])
    };
    let expected: Vec<u32> = (0..2000).map(|at| 50_000 + at).collect();
    assert_eq!(case.words(), expected);
}

#[test]
fn launches_of_several_threads_do_not_disturb_each_other() {
    let body = "ld.global.b32 %r1, [%rd1]; mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x; mad.lo.s32 %r2, %r2, %r3, %r0;
        mul.lo.s32 %r4, %r1, %r2; mul.wide.u32 %rd4, %r2, 4; add.s64 %rd4, %rd0, %rd4; st.global.b32 [%rd4], %r4;";
    std::thread::scope(|scope| {
        for factor in 1..9 {
            scope.spawn(move || {
                let input = [factor];
                for _ in 0..20 {
                    let case = Case {
                        blocks: 30,
                        outputs: 960,
                        ..Case::of(body, &input)
                    };
                    let expected: Vec<u32> = (0..960).map(|at| at * factor).collect();
                    assert_eq!(case.words(), expected);
                }
            });
        }
    });
}
