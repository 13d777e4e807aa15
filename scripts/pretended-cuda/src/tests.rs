//! Kernels whose numbers are known.

mod arithmetic;
mod checks;
mod control;
mod conversions;
mod lanes;
mod matrices;
mod memory;

use crate::allocations::Ranges;
use crate::decode::program;
use crate::machine::{Found, Launch, Program, launch};
use crate::ptx::{Refused, parse};

/// A kernel of this body. `%rd0` is where it writes, `%rd1` where it reads; `%rd2` and `%rd3` are the same for each thread: as
/// many words on as its number says, which is `%r0`.
fn module(body: &str) -> String {
    format!(
        ".version 9.0\n.target sm_90a\n.address_size 64\n.extern .shared .align 16 .b8 all_shared[];
.visible .entry kernel(.param .u64 .ptr .global .align 1 out, .param .u64 in, .param .align 8 .b8 rest[16])
{{
.reg .pred %p<9>; .reg .b16 %rs<9>; .reg .b32 %r<99>; .reg .b64 %rd<19>;
ld.param.b64 %rd0, [out]; ld.param.b64 %rd1, [in];
mov.u32 %r0, %tid.x;
mul.wide.u32 %rd2, %r0, 4; add.s64 %rd3, %rd1, %rd2; add.s64 %rd2, %rd0, %rd2;
{body}
ret;
}}"
    )
}

fn decoded(body: &str) -> Result<Program, Refused> {
    let module = parse(&module(body))?;
    program(&module.entries[0], &module.shared)
}

/// How a kernel is launched.
struct Case<'a> {
    body: &'a str,
    input: &'a [u32],
    outputs: usize,
    blocks: u32,
    threads: u32,
    shared: usize,
}

impl<'a> Case<'a> {
    /// One warp, each lane of which writes a word.
    fn of(body: &'a str, input: &'a [u32]) -> Self {
        Self {
            body,
            input,
            outputs: 32,
            blocks: 1,
            threads: 32,
            shared: 1024,
        }
    }

    /// What was written, and what was found.
    fn run(&self) -> (Vec<u32>, Found) {
        let program = decoded(self.body).expect("a kernel that is known");
        let mut out = aligned(&vec![0; self.outputs]);
        let input = aligned(self.input);
        let (to, from) = (out.as_mut_ptr() as u64, input.as_ptr() as u64);
        let mut parameters = [to.to_le_bytes(), from.to_le_bytes()].concat();
        parameters.extend(0..16);
        let found = launch(&Launch {
            program: &program,
            grid: [self.blocks, 1, 1],
            block: [self.threads, 1, 1],
            shared: self.shared,
            parameters: parameters.into(),
            ranges: Ranges::of([
                (to, to + 4 * self.outputs as u64),
                (from, from + 4 * self.input.len() as u64),
            ])
            .into(),
        });
        let words = out.iter().flat_map(|words| words.0);
        (words.take(self.outputs).collect(), found)
    }

    /// What was written, where all went well.
    fn words(&self) -> Vec<u32> {
        let (out, found) = self.run();
        assert!(found.fault.is_none(), "{:?}", found.fault);
        assert_eq!((found.races, &found.oddity), (0, &None));
        out
    }
}

/// What a lane of one warp writes that reads these words, and has one of them each in `%r1`, `%r2` and `%r3`; it writes `%r4`.
fn words(body: &str, [a, b, c]: [u32; 3]) -> u32 {
    let body = format!(
        "ld.global.v2.b32 {{%r1, %r2}}, [%rd1]; ld.global.b32 %r3, [%rd1+8];\n{body}\nst.global.b32 [%rd2], %r4;"
    );
    let out = Case::of(&body, &[a, b, c]).words();
    assert!(out.iter().all(|word| *word == out[0]));
    out[0]
}

/// Words that begin where memory of a device may begin.
#[repr(align(16))]
struct Aligned([u32; 4]);

fn aligned(words: &[u32]) -> Vec<Aligned> {
    let word = |at: usize| words.get(at).copied().unwrap_or(0);
    (0..words.len().div_ceil(4))
        .map(|four| Aligned(std::array::from_fn(|at| word(4 * four + at))))
        .collect()
}

/// The same with numbers.
fn reals(body: &str, numbers: [f32; 3]) -> f32 {
    f32::from_bits(words(body, numbers.map(f32::to_bits)))
}
