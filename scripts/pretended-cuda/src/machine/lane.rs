//! Work of each lane on its own: functions of numbers made into work on rows.

use super::registers::{Cell, LANES, Mask, Registers};

/// What an instruction does to the registers of the lanes that are active.
pub type Work = Box<dyn Fn(&mut Registers, Mask) + Send + Sync>;

/// A number as a register's lane holds it.
pub trait Lane: Copy + Default + Send + Sync + 'static {
    type Cell: Cell;
    fn of(cell: Self::Cell) -> Self;
    fn cell(self) -> Self::Cell;
}

macro_rules! lane {
    ($($number:ty, $cell:ty, |$from:ident| $of:expr, |$to:ident| $into:expr;)+) => {$(
        impl Lane for $number {
            type Cell = $cell;
            #[inline(always)]
            fn of($from: $cell) -> Self {
                $of
            }
            #[inline(always)]
            fn cell(self) -> $cell {
                let $to = self;
                $into
            }
        }
    )+};
}

lane! {
    u8, u32, |cell| cell as u8, |value| u32::from(value);
    i8, u32, |cell| cell as i8, |value| u32::from(value as u8);
    u16, u32, |cell| cell as u16, |value| u32::from(value);
    i16, u32, |cell| cell as i16, |value| u32::from(value as u16);
    u32, u32, |cell| cell, |value| value;
    i32, u32, |cell| cell as i32, |value| value as u32;
    f32, u32, |cell| f32::from_bits(cell), |value| value.to_bits();
    u64, u64, |cell| cell, |value| value;
    i64, u64, |cell| cell as i64, |value| value as u64;
    f64, u64, |cell| f64::from_bits(cell), |value| value.to_bits();
}

fn row<L: Lane>(registers: &Registers, at: usize) -> &[L::Cell; LANES] {
    L::Cell::row(registers, at)
}

/// A value for each lane. It is a function so that a compiler knows that nothing else is where they go to, and makes a few wide
/// instructions of the loop.
#[inline]
fn fill<C: Cell>(out: &mut [C; LANES], of: impl Fn(usize) -> C) {
    for (lane, out) in out.iter_mut().enumerate() {
        *out = of(lane);
    }
}

pub fn one<A: Lane, R: Lane>(
    to: usize,
    a: usize,
    f: impl Fn(A) -> R + Send + Sync + 'static,
) -> Work {
    Box::new(move |registers, mask| {
        let mut out = [R::Cell::default(); LANES];
        let a = row::<A>(registers, a);
        fill(&mut out, |lane| f(A::of(a[lane])).cell());
        registers.write(to, mask, &out);
    })
}

pub fn two<A: Lane, B: Lane, R: Lane>(
    to: usize,
    (a, b): (usize, usize),
    f: impl Fn(A, B) -> R + Send + Sync + 'static,
) -> Work {
    Box::new(move |registers, mask| {
        let mut out = [R::Cell::default(); LANES];
        let (a, b) = (row::<A>(registers, a), row::<B>(registers, b));
        fill(&mut out, |lane| f(A::of(a[lane]), B::of(b[lane])).cell());
        registers.write(to, mask, &out);
    })
}

pub fn three<A: Lane, B: Lane, C: Lane, R: Lane>(
    to: usize,
    (a, b, c): (usize, usize, usize),
    f: impl Fn(A, B, C) -> R + Send + Sync + 'static,
) -> Work {
    Box::new(move |registers, mask| {
        let mut out = [R::Cell::default(); LANES];
        let (a, b) = (row::<A>(registers, a), row::<B>(registers, b));
        let c = row::<C>(registers, c);
        fill(&mut out, |lane| {
            f(A::of(a[lane]), B::of(b[lane]), C::of(c[lane])).cell()
        });
        registers.write(to, mask, &out);
    })
}

pub fn four<A: Lane, B: Lane, C: Lane, D: Lane, R: Lane>(
    to: usize,
    [a, b, c, d]: [usize; 4],
    f: impl Fn(A, B, C, D) -> R + Send + Sync + 'static,
) -> Work {
    Box::new(move |registers, mask| {
        let mut out = [R::Cell::default(); LANES];
        let (a, b) = (row::<A>(registers, a), row::<B>(registers, b));
        let (c, d) = (row::<C>(registers, c), row::<D>(registers, d));
        fill(&mut out, |lane| {
            let (a, b) = (A::of(a[lane]), B::of(b[lane]));
            f(a, b, C::of(c[lane]), D::of(d[lane])).cell()
        });
        registers.write(to, mask, &out);
    })
}

/// The bits of the lanes for which something holds.
#[inline(always)]
pub fn bits(holds: impl Fn(usize) -> bool) -> Mask {
    let mut bits = 0;
    for lane in 0..LANES {
        bits |= Mask::from(holds(lane)) << lane;
    }
    bits
}

/// How what a comparison finds is joined with another predicate.
#[derive(Debug, Clone, Copy)]
pub enum With {
    And,
    Or,
    Xor,
}

/// Where what a comparison finds goes to: a predicate, one for what it does not find, both joined with a third that may be turned.
#[derive(Debug, Clone, Copy)]
pub struct Join {
    pub to: usize,
    pub other: Option<usize>,
    pub with: Option<(With, (usize, bool))>,
}

impl Join {
    fn joined(&self, registers: &Registers, found: Mask) -> Mask {
        let Some((with, (predicate, negated))) = self.with else {
            return found;
        };
        let bits = registers.predicate(predicate) ^ if negated { Mask::MAX } else { 0 };
        match with {
            With::And => found & bits,
            With::Or => found | bits,
            With::Xor => found ^ bits,
        }
    }

    fn write(&self, registers: &mut Registers, mask: Mask, found: Mask) {
        // Both are known before either is written, as one may be what they are joined with.
        let (yes, no) = (
            self.joined(registers, found),
            self.joined(registers, !found),
        );
        registers.write_predicate(self.to, mask, yes);
        if let Some(other) = self.other {
            registers.write_predicate(other, mask, no);
        }
    }
}

/// A predicate of two numbers.
pub fn compare<A: Lane>(
    join: Join,
    (a, b): (usize, usize),
    f: impl Fn(A, A) -> bool + Send + Sync + 'static,
) -> Work {
    Box::new(move |registers, mask| {
        let (a, b) = (row::<A>(registers, a), row::<A>(registers, b));
        let found = bits(|lane| f(A::of(a[lane]), A::of(b[lane])));
        join.write(registers, mask, found);
    })
}

/// One of two rows by a predicate.
pub fn select<C: Cell>(to: usize, (a, b): (usize, usize), predicate: usize) -> Work {
    Box::new(move |registers, mask| {
        let chosen = registers.predicate(predicate);
        let mut out = [C::default(); LANES];
        let (a, b) = (C::row(registers, a), C::row(registers, b));
        fill(&mut out, |lane| C::choose(chosen, lane, a[lane], b[lane]));
        registers.write(to, mask, &out);
    })
}
