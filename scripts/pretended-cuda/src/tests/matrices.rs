//! Products of matrices against plain ones. The matrices are not symmetric, and no two rows or columns are the same.

use super::Case;
use crate::number::{bf16_nearest, bf16_wide, f16_nearest, tf32_nearest_away};

/// Whole numbers, which all types hold and sums keep.
fn element(seed: usize, row: usize, column: usize) -> f32 {
    ((row * 7 + column * 3 + seed * 5 + row * column) % 13) as f32 - 6.0
}

#[derive(Clone, Copy, PartialEq)]
enum Type {
    F16,
    Bf16,
    Tf32,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::Tf32 => "tf32",
        }
    }

    /// Elements of a register.
    fn packed(self) -> usize {
        if self == Self::Tf32 { 1 } else { 2 }
    }
}

/// A matrix as memory has it, row after row or column after column.
fn stored(seed: usize, (rows, columns): (usize, usize), by_columns: bool, of: Type) -> Vec<u32> {
    let (lines, length) = if by_columns {
        (columns, rows)
    } else {
        (rows, columns)
    };
    let elements: Vec<f32> = (0..lines * length)
        .map(|at| (at / length, at % length))
        .map(|(line, at)| {
            if by_columns {
                element(seed, at, line)
            } else {
                element(seed, line, at)
            }
        })
        .collect();
    match of {
        Type::Tf32 => elements
            .iter()
            .map(|&element| tf32_nearest_away(element).to_bits())
            .collect(),
        Type::F16 => pairs(&elements, f16_nearest),
        Type::Bf16 => pairs(&elements, bf16_nearest),
    }
}

fn pairs(elements: &[f32], nearest: fn(f32) -> u16) -> Vec<u32> {
    let pairs = elements.chunks(2);
    let word = |pair: &[f32]| u32::from(nearest(pair[0])) | u32::from(nearest(pair[1])) << 16;
    pairs.map(word).collect()
}

fn expected((m, n, k): (usize, usize, usize)) -> Vec<f32> {
    let at = |row, column| {
        let products = (0..k).map(|inner| element(1, row, inner) * element(2, inner, column));
        products.sum::<f32>() + element(3, row, column)
    };
    (0..m * n).map(|index| at(index / n, index % n)).collect()
}

/// Registers from a number on, as a list.
fn list(first: usize, count: usize) -> String {
    let names: Vec<String> = (first..first + count)
        .map(|index| format!("%r{index}"))
        .collect();
    format!("{{{}}}", names.join(", "))
}

/// Copies all the input to shared memory.
fn to_shared(words: usize) -> String {
    format!(
        "mov.b32 %r90, %r0; mov.b64 %rd9, all_shared;
        $copy: mul.wide.u32 %rd8, %r90, 4; add.s64 %rd7, %rd1, %rd8; ld.global.b32 %r91, [%rd7]; add.s64 %rd7, %rd9, %rd8;
        st.shared.b32 [%rd7], %r91; add.s32 %r90, %r90, 32; setp.lt.u32 %p1, %r90, {words}; @%p1 bra $copy; bar.warp.sync -1;\n"
    )
}

fn computed(body: &str, input: &[u32], outputs: usize) -> Vec<f32> {
    let case = Case {
        outputs,
        shared: 8192,
        ..Case::of(body, input)
    };
    case.words().into_iter().map(f32::from_bits).collect()
}

#[test]
fn wmma_is_a_product_in_each_shape_and_layout() {
    let shapes = [
        ((16, 16, 16), Type::F16),
        ((32, 8, 16), Type::F16),
        ((8, 32, 16), Type::F16),
        ((16, 16, 16), Type::Bf16),
        ((32, 8, 16), Type::Bf16),
        ((8, 32, 16), Type::Bf16),
        ((16, 16, 8), Type::Tf32),
    ];
    for (shape, of) in shapes {
        for by in [(false, false), (false, true), (true, false), (true, true)] {
            assert_eq!(wmma(shape, of, by), expected(shape), "{shape:?} {by:?}");
        }
    }
}

fn wmma((m, n, k): (usize, usize, usize), of: Type, (a_by, b_by): (bool, bool)) -> Vec<f32> {
    let packed = of.packed();
    let mut input = stored(1, (m, k), a_by, of);
    let b_at = input.len() * 4;
    input.extend(stored(2, (k, n), b_by, of));
    let c_at = input.len() * 4;
    input.extend(stored(3, (m, n), false, Type::Tf32));
    let name = |by| if by { "col" } else { "row" };
    let word = of.name();
    // Halves have fragments of one size, and their products no name for them.
    let (a, b, types) = match of {
        Type::F16 => (list(10, 8), list(20, 8), String::new()),
        _ => (
            list(10, m * k / packed / 32),
            list(20, k * n / packed / 32),
            format!(".{word}.{word}"),
        ),
    };
    let (c, d) = (list(30, 8), list(40, 8));
    let (a_step, b_step) = (if a_by { m } else { k }, if b_by { k } else { n });
    let shape = format!("m{m}n{n}k{k}");
    let (a_by, b_by) = (name(a_by), name(b_by));
    let body = to_shared(input.len())
        + &format!(
            "mov.b32 %r5, {a_step}; cvta.shared.u64 %rd4, %rd9;
            wmma.load.a.sync.aligned.{a_by}.{shape}.shared.{word} {a}, [%rd9], %r5;
            wmma.load.b.sync.aligned.{b_by}.{shape}.{word} {b}, [%rd4+{b_at}], {b_step};
            wmma.load.c.sync.aligned.row.{shape}.shared.f32 {c}, [all_shared+{c_at}];
            wmma.mma.sync.aligned.{a_by}.{b_by}.{shape}.f32{types}.f32 {d}, {a}, {b}, {c};
            wmma.store.d.sync.aligned.row.{shape}.global.f32 [%rd0], {d}, {n};"
        );
    computed(&body, &input, m * n)
}

/// Where lanes have what, as PTX documents it for 16-bit elements and for tf32.
fn mma_lines(of: Type, k: usize) -> String {
    let packed = of.packed();
    let mut body = "shr.u32 %r80, %r0, 2; and.b32 %r81, %r0, 3;\n".to_owned();
    // A: rows `group` and `group + 8`, `packed` elements from column `packed * thread` on, and the same half a row further.
    for register in 0..k / (2 * packed) {
        let (down, right) = (register % 2 * 8, register / 2 * 4 * packed);
        body += &format!(
            "add.s32 %r82, %r80, {down}; mul.lo.s32 %r82, %r82, {k}; mad.lo.s32 %r82, %r81, {packed}, %r82;
            add.s32 %r82, %r82, {right}; mul.wide.u32 %rd4, %r82, {bytes}; add.s64 %rd4, %rd4, %rd1; ld.global.b32 %r{to}, [%rd4];\n",
            bytes = 4 / packed,
            to = 10 + register
        );
    }
    body
}

#[test]
fn mma_is_a_product_in_each_shape() {
    for (k, of) in [
        (16, Type::F16),
        (8, Type::F16),
        (16, Type::Bf16),
        (8, Type::Bf16),
        (8, Type::Tf32),
        (4, Type::Tf32),
    ] {
        let (m, n) = (16, 8);
        let packed = of.packed();
        let (a_count, b_count) = (m * k / packed / 32, k * n / packed / 32);
        let mut input = stored(1, (m, k), false, of);
        let b_at = input.len() * 4;
        // Column after column, so that what a lane has of it lies side by side.
        input.extend(stored(2, (k, n), true, of));
        let c_at = input.len() * 4;
        input.extend(stored(3, (m, n), false, Type::Tf32));
        let mut body = mma_lines(of, k);
        for register in 0..b_count {
            body += &format!(
                "mul.lo.s32 %r82, %r80, {k}; mad.lo.s32 %r82, %r81, {packed}, %r82; add.s32 %r82, %r82, {down};
                mul.wide.u32 %rd4, %r82, {bytes}; add.s64 %rd4, %rd4, %rd1; ld.global.b32 %r{to}, [%rd4+{b_at}];\n",
                down = register * 4 * packed,
                bytes = 4 / packed,
                to = 20 + register
            );
        }
        for register in 0..4 {
            let place = format!(
                "add.s32 %r82, %r80, {}; mul.lo.s32 %r82, %r82, 8; mad.lo.s32 %r82, %r81, 2, %r82; add.s32 %r82, %r82, {};
                mul.wide.u32 %rd{}, %r82, 4;",
                register / 2 * 8,
                register % 2,
                10 + register
            );
            body += &format!(
                "{place} add.s64 %rd4, %rd1, %rd{0}; ld.global.b32 %r{1}, [%rd4+{c_at}];\n",
                10 + register,
                30 + register
            );
        }
        let word = of.name();
        body += &format!(
            "mma.sync.aligned.m16n8k{k}.row.col.f32.{word}.{word}.f32 {}, {}, {}, {};\n",
            list(40, 4),
            list(10, a_count),
            list(20, b_count),
            list(30, 4)
        );
        for register in 0..4 {
            body += &format!(
                "add.s64 %rd4, %rd0, %rd{}; st.global.b32 [%rd4], %r{};\n",
                10 + register,
                40 + register
            );
        }
        assert_eq!(computed(&body, &input, m * n), expected((m, n, k)), "k {k}");
    }
}

#[test]
fn ldmatrix_gives_lanes_their_elements() {
    for (count, transposed) in [
        (1, false),
        (2, false),
        (4, false),
        (1, true),
        (2, true),
        (4, true),
    ] {
        let input = stored(1, (8 * count, 8), false, Type::Bf16);
        let trans = if transposed { ".trans" } else { "" };
        // Rows of 16 bytes, that of each lane at its number.
        let mut body = to_shared(input.len())
            + &format!(
                "mul.wide.u32 %rd4, %r0, 16; add.s64 %rd4, %rd9, %rd4;
                ldmatrix.sync.aligned.m8n8.x{count}{trans}.shared.b16 {}, [%rd4];\n",
                list(10, count)
            );
        for matrix in 0..count {
            body += &format!(
                "st.global.b32 [%rd2+{}], %r{};\n",
                matrix * 128,
                10 + matrix
            );
        }
        let case = Case {
            outputs: 32 * count,
            ..Case::of(&body, &input)
        };
        for (index, word) in case.words().into_iter().enumerate() {
            let (matrix, lane) = (index / 32, index % 32);
            for half in 0..2 {
                let (row, column) = (lane / 4, lane % 4 * 2 + half);
                let (row, column) = if transposed {
                    (column, row)
                } else {
                    (row, column)
                };
                let found = bf16_wide((word >> (16 * half)) as u16);
                assert_eq!(
                    found,
                    element(1, matrix * 8 + row, column),
                    "x{count}{trans}, lane {lane}"
                );
            }
        }
    }
}

#[test]
fn tensor_cores_do_not_see_more_of_tf32_than_there_is() {
    // One plus what tf32 cannot hold, by ones.
    let body = "mov.b32 %r10, 0x3F801FFF; mov.b32 %r20, 0f3F800000; mov.b32 %r30, 0f00000000;
        mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%r40, %r41, %r42, %r43}, {%r10, %r10, %r10, %r10}, {%r20, %r20},
            {%r30, %r30, %r30, %r30};
        st.global.b32 [%rd2], %r43;";
    assert!(computed(body, &[0], 32).into_iter().all(|sum| sum == 8.0));
}

#[test]
fn a_warp_multiplies_as_a_whole() {
    let product = "wmma.mma.sync.aligned.row.row.m16n16k8.f32.tf32.tf32.f32";
    let body = format!(
        "setp.lt.u32 %p1, %r0, 31; @!%p1 bra $end;\n{product} {}, {}, {}, {};\n$end:",
        list(40, 8),
        list(10, 4),
        list(20, 4),
        list(30, 8)
    );
    let fault = Case::of(&body, &[0]).run().1.fault.expect("a fault");
    assert!(
        fault.text.contains("only lanes 0x7fffffff"),
        "{}",
        fault.text
    );
    let body = format!(
        "mov.b32 %r40, 5; setp.eq.b32 %p1, %r0, 0; @!%p1 bra $end;
        wmma.store.d.sync.aligned.row.m16n16k8.global.f32 [%rd0], {}, 16;\n$end:",
        list(40, 8)
    );
    let case = Case {
        outputs: 256,
        ..Case::of(&body, &[0])
    };
    let (words, found) = case.run();
    assert!(found.fault.is_none() && found.oddity.is_some());
    assert_eq!(words[..2], [5, 0]);
}
