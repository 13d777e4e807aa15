//! Loads, stores and atomic updates.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64};

use super::address::{Addresses, Base};
use super::kind::Kind;
use super::memory::{Memory, Space};
use super::registers::{ALL, Cell, LANES, Mask, Registers, lanes};
use super::trouble::Trouble;

pub struct Access {
    pub space: Space,
    pub base: Base,
    pub offset: i64,
    /// Of all elements of a lane.
    pub bytes: u64,
    pub action: Action,
}

/// Moves elements between memory and registers, one row for each element of a vector.
pub type Load = fn(&[usize], &Addresses, &mut Registers, Mask);
pub type Store = fn(&[usize], &Addresses, &Registers, Mask);

pub enum Action {
    Load(Vec<usize>, Load),
    Store(Vec<usize>, Store),
    Update(Update),
}

/// An atomic update: what was there goes to a register, if one is named.
pub struct Update {
    pub wide: bool,
    pub to: Option<usize>,
    pub a: usize,
    pub b: usize,
    /// What was there, and two operands.
    pub next: fn(u64, u64, u64) -> u64,
}

impl Access {
    pub fn run(
        &self,
        registers: &mut Registers,
        mask: Mask,
        memory: &mut Memory<'_>,
    ) -> Result<(), Trouble> {
        let kind = match self.action {
            Action::Load(..) => Kind::Read,
            Action::Store(..) => Kind::Write,
            Action::Update(_) => Kind::Atomic,
        };
        let mut addresses = self.base.addresses(registers, self.offset, mask);
        memory.reach(self.space, &mut addresses, mask, self.bytes, kind)?;
        match &self.action {
            Action::Load(rows, load) => load(rows, &addresses, registers, mask),
            Action::Store(rows, store) => store(rows, &addresses, registers, mask),
            Action::Update(update) if update.wide => update.run::<u64>(&addresses, registers, mask),
            Action::Update(update) => update.run::<u32>(&addresses, registers, mask),
        }
        Ok(())
    }
}

/// A number as memory holds it. Accesses are atomic ones, since nothing keeps a kernel's blocks from racing.
pub trait Element: 'static {
    const BYTES: u64;
    /// Extended to 64 bits as its sign asks.
    ///
    /// # Safety
    ///
    /// The address must be one of memory that can be read, and a multiple of the size.
    unsafe fn read(address: u64) -> u64;
    /// # Safety
    ///
    /// The address must be one of memory that can be written, and a multiple of the size.
    unsafe fn write(address: u64, bits: u64);
}

macro_rules! element {
    ($($number:ty, $unsigned:ty, $atomic:ty;)+) => {$(
        impl Element for $number {
            const BYTES: u64 = size_of::<$number>() as u64;
            #[inline(always)]
            unsafe fn read(address: u64) -> u64 {
                // SAFETY: the caller's.
                let bits = unsafe { <$atomic>::from_ptr(address as *mut $unsigned) }.load(Relaxed);
                bits as $number as i64 as u64
            }
            #[inline(always)]
            unsafe fn write(address: u64, bits: u64) {
                // SAFETY: the caller's.
                unsafe { <$atomic>::from_ptr(address as *mut $unsigned) }.store(bits as $unsigned, Relaxed);
            }
        }
    )+};
}

element! {
    u8, u8, AtomicU8;
    i8, u8, AtomicU8;
    u16, u16, AtomicU16;
    i16, u16, AtomicU16;
    u32, u32, AtomicU32;
    i32, u32, AtomicU32;
    u64, u64, AtomicU64;
}

pub fn load<E: Element, C: Cell>(
    rows: &[usize],
    addresses: &Addresses,
    registers: &mut Registers,
    mask: Mask,
) {
    for (&row, at) in rows.iter().zip((0..).step_by(E::BYTES as usize)) {
        let out = C::row_mut(registers, row);
        if mask == ALL {
            for lane in 0..LANES {
                // SAFETY: the access was held against its memory.
                out[lane] = C::of_bits(unsafe { E::read(addresses[lane] + at) });
            }
            continue;
        }
        for lane in lanes(mask) {
            // SAFETY: the access was held against its memory.
            out[lane] = C::of_bits(unsafe { E::read(addresses[lane] + at) });
        }
    }
}

pub fn store<E: Element, C: Cell>(
    rows: &[usize],
    addresses: &Addresses,
    registers: &Registers,
    mask: Mask,
) {
    for (&row, at) in rows.iter().zip((0..).step_by(E::BYTES as usize)) {
        let values = C::row(registers, row);
        if mask == ALL {
            for lane in 0..LANES {
                // SAFETY: the access was held against its memory.
                unsafe { E::write(addresses[lane] + at, values[lane].bits()) };
            }
            continue;
        }
        for lane in lanes(mask) {
            // SAFETY: the access was held against its memory.
            unsafe { E::write(addresses[lane] + at, values[lane].bits()) };
        }
    }
}

impl Update {
    fn run<C: Cell>(&self, addresses: &Addresses, registers: &mut Registers, mask: Mask) {
        let mut before = [C::default(); LANES];
        for lane in lanes(mask) {
            let a = C::row(registers, self.a)[lane].bits();
            let b = C::row(registers, self.b)[lane].bits();
            // SAFETY: the access was held against its memory.
            let old = unsafe { self.update(addresses[lane], a, b) };
            before[lane] = C::of_bits(old);
        }
        if let Some(to) = self.to {
            registers.write(to, mask, &before);
        }
    }

    /// # Safety
    ///
    /// The address must be one of memory that can be written, and a multiple of the size.
    unsafe fn update(&self, address: u64, a: u64, b: u64) -> u64 {
        if self.wide {
            // SAFETY: the caller's.
            let at = unsafe { AtomicU64::from_ptr(address as *mut u64) };
            at.update(Relaxed, Relaxed, |old| (self.next)(old, a, b))
        } else {
            // SAFETY: the caller's.
            let at = unsafe { AtomicU32::from_ptr(address as *mut u32) };
            let next = |old| (self.next)(u64::from(old), a, b) as u32;
            u64::from(at.update(Relaxed, Relaxed, next))
        }
    }
}
