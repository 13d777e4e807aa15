//! Products of fragments: `d = a b + c`.

use super::fragment::{
    Elements, Number, Part, Scratch, Shape, read_placed, read_plain, read_sums, write_plain,
    write_sums,
};
use crate::machine::registers::Registers;

/// How fragments are spread over lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// As `mma` documents it.
    Placed,
    /// As `wmma` keeps it to itself.
    Plain,
}

pub struct Multiply {
    pub shape: Shape,
    pub number: Number,
    pub layout: Layout,
    pub d: Vec<usize>,
    pub a: Vec<usize>,
    pub b: Vec<usize>,
    pub c: Vec<usize>,
}

impl Multiply {
    pub fn run(&self, registers: &mut Registers, scratch: &mut Scratch) {
        let Scratch { a, b, sums } = scratch;
        let (number, shape) = (self.number, self.shape);
        match self.layout {
            Layout::Placed => {
                read_placed(registers, &self.a, (Part::A, number), shape, a);
                read_placed(registers, &self.b, (Part::B, number), shape, b);
                read_sums(registers, &self.c, sums);
            }
            Layout::Plain => {
                read_plain(registers, &self.a, number, a);
                read_plain(registers, &self.b, number, b);
                read_plain(registers, &self.c, Number::F32, sums);
            }
        }
        match (shape.n, shape.k) {
            (8, 4) => add_product::<8, 4>(shape.m, a, b, sums),
            (8, 8) => add_product::<8, 8>(shape.m, a, b, sums),
            (8, _) => add_product::<8, 16>(shape.m, a, b, sums),
            (16, 8) => add_product::<16, 8>(shape.m, a, b, sums),
            (16, _) => add_product::<16, 16>(shape.m, a, b, sums),
            _ => add_product::<32, 16>(shape.m, a, b, sums),
        }
        match self.layout {
            Layout::Placed => write_sums(registers, &self.d, sums),
            Layout::Plain => write_plain(registers, &self.d, sums),
        }
    }
}

/// Rows that are summed side by side, as each sum waits for the one before.
const ROWS: usize = 4;

/// Products are exact, as an f32 holds the product of two such numbers; sums are rounded one by one.
fn add_product<const N: usize, const K: usize>(
    m: usize,
    a: &Elements,
    b: &Elements,
    sums: &mut Elements,
) {
    let (a, b) = (a.as_chunks::<K>().0, b.as_chunks::<N>().0);
    let (a, sums) = (a.as_chunks::<ROWS>().0, sums.as_chunks_mut::<N>().0);
    let sums = sums[..m].as_chunks_mut::<ROWS>().0;
    for (a, sums) in a.iter().zip(sums) {
        let mut sum = *sums;
        for inner in 0..K {
            for row in 0..ROWS {
                for column in 0..N {
                    sum[row][column] = a[row][inner].mul_add(b[inner][column], sum[row][column]);
                }
            }
        }
        *sums = sum;
    }
}
