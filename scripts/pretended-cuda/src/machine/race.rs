//! Races in shared memory: of each 32-bit word it is known which warps read it and which wrote it last since the last barrier.
//!
//! Whoever writes what another warp read or wrote since then, and whoever reads what another wrote, races, even where the same
//! value is written. Lanes of one warp are not held against each other, nor is what is atomic. Two warps that write different
//! halves of a word are taken for a race.

use std::fmt;
use std::ops::Range;

use super::address::Addresses;
use super::kind::Kind;
use super::registers::{Mask, lanes};

/// Who accesses, and with which instruction.
#[derive(Debug, Clone, Copy)]
pub struct Accessor {
    pub warp: u32,
    pub line: u32,
}

/// Two accesses that met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Race {
    pub address: u64,
    pub kind: Kind,
    pub warp: u32,
    pub line: u32,
    pub other_kind: Kind,
    pub other_warp: u32,
    pub other_line: u32,
}

impl fmt::Display for Race {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = |kind| {
            if kind == Kind::Read {
                "reads"
            } else {
                "writes"
            }
        };
        write!(
            to,
            "warp {} {} shared memory at {:#x} in line {}, which warp {} {} in line {} with no barrier between",
            self.warp,
            verb(self.kind),
            self.address,
            self.line,
            self.other_warp,
            verb(self.other_kind),
            self.other_line,
        )
    }
}

/// A word: the epoch (24 bits), the warp that wrote it last or `NOBODY` (8), a bit of each warp that read it (32).
type Word = u64;

const NOBODY: u64 = 0xFF;
const EPOCHS: u64 = 1 << 24;

/// Who accesses a word now.
#[derive(Clone, Copy)]
struct Now {
    epoch: u64,
    warp: u64,
}

impl Now {
    fn of(epoch: u64, by: Accessor) -> Self {
        let warp = u64::from(by.warp);
        Self { epoch, warp }
    }

    /// Whether a word was not accessed since the barrier, and whether another warp wrote it since then.
    #[inline(always)]
    fn known(self, word: Word) -> (bool, bool) {
        let (fresh, writer) = (word >> 40 != self.epoch, word >> 32 & 0xFF);
        (fresh, !fresh & (writer != NOBODY) & (writer != self.warp))
    }

    /// Whether a write would race.
    #[inline(always)]
    fn meets(self, word: Word) -> bool {
        let (fresh, written) = self.known(word);
        let others = word as u32 & !(1 << self.warp);
        written | !fresh & (others != 0)
    }

    /// Notes a read; whether it races.
    #[inline(always)]
    fn read(self, word: &mut Word) -> bool {
        let (fresh, written) = self.known(*word);
        let before = if fresh {
            self.epoch << 40 | NOBODY << 32
        } else {
            *word
        };
        *word = before | 1 << self.warp;
        written
    }

    #[inline(always)]
    fn write(self, word: &mut Word) {
        let (fresh, _) = self.known(*word);
        let readers = if fresh { 0 } else { *word & 0xFFFF_FFFF };
        *word = self.epoch << 40 | self.warp << 32 | readers;
    }
}

#[derive(Default)]
pub struct Races {
    words: Vec<Word>,
    /// The line that wrote a word last, and the one that read it last.
    wrote: Vec<u32>,
    read: Vec<u32>,
    epoch: u64,
    /// Accesses that raced, and the first of them.
    pub found: u64,
    pub first: Option<Race>,
}

impl Races {
    pub fn resize(&mut self, words: usize) {
        if self.words.len() < words {
            self.words.resize(words, 0);
            self.wrote.resize(words, 0);
            self.read.resize(words, 0);
        }
        self.found = 0;
        self.first = None;
    }

    pub fn barrier(&mut self) {
        self.epoch += 1;
        if self.epoch == EPOCHS {
            self.epoch = 1;
            self.words.fill(0);
        }
    }

    /// Notes what lanes access. Neighbours that access the same or what lies side by side are taken together.
    pub fn lanes(
        &mut self,
        addresses: &Addresses,
        mask: Mask,
        bytes: u64,
        kind: Kind,
        by: Accessor,
    ) {
        if kind == Kind::Atomic {
            return;
        }
        let (mut start, mut end) = (0, 0);
        for lane in lanes(mask) {
            let address = addresses[lane];
            if address == end {
                end += bytes;
            } else if address < start || address + bytes > end {
                self.stretch(start, end - start, kind, by);
                (start, end) = (address, address + bytes);
            }
        }
        self.stretch(start, end - start, kind, by);
    }

    /// Notes an access to what lies side by side.
    pub fn stretch(&mut self, address: u64, bytes: u64, kind: Kind, by: Accessor) {
        if bytes == 0 {
            return;
        }
        let words = (address / 4) as usize..(address + bytes).div_ceil(4) as usize;
        match kind {
            Kind::Read => self.note_read(words, by),
            Kind::Write => self.note_write(words, by),
            Kind::Atomic => {}
        }
    }

    fn note_read(&mut self, range: Range<usize>, by: Accessor) {
        let now = Now::of(self.epoch, by);
        let met = match &mut self.words[range.clone()] {
            // Lanes whose words lie apart, one by one.
            [word] => now.read(word),
            words => words
                .iter_mut()
                .fold(false, |met, word| met | now.read(word)),
        };
        if met {
            self.tell(range.clone(), Kind::Read, by);
        }
        self.read[range].fill(by.line);
    }

    fn note_write(&mut self, range: Range<usize>, by: Accessor) {
        let now = Now::of(self.epoch, by);
        let met = match &self.words[range.clone()] {
            [word] => now.meets(*word),
            words => words.iter().fold(false, |met, word| met | now.meets(*word)),
        };
        if met {
            self.tell(range.clone(), Kind::Write, by);
        }
        match &mut self.words[range.clone()] {
            [word] => now.write(word),
            words => words.iter_mut().for_each(|word| now.write(word)),
        }
        self.wrote[range].fill(by.line);
    }

    /// Keeps the first race of all, with what it met.
    fn tell(&mut self, range: Range<usize>, kind: Kind, by: Accessor) {
        self.found += 1;
        if self.first.is_some() {
            return;
        }
        for at in range {
            let word = self.words[at];
            if word >> 40 != self.epoch {
                continue;
            }
            let writer = (word >> 32 & 0xFF) as u32;
            let written = u64::from(writer) != NOBODY && writer != by.warp;
            let readers = word as u32 & !(1 << by.warp);
            let (other_kind, other_warp, other_line) = if written {
                (Kind::Write, writer, self.wrote[at])
            } else if kind == Kind::Write && readers != 0 {
                (Kind::Read, readers.trailing_zeros(), self.read[at])
            } else {
                continue;
            };
            self.first = Some(Race {
                address: at as u64 * 4,
                kind,
                warp: by.warp,
                line: by.line,
                other_kind,
                other_warp,
                other_line,
            });
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(warp: u32) -> Accessor {
        Accessor {
            warp,
            line: warp + 10,
        }
    }

    #[test]
    fn a_barrier_parts_what_would_race() {
        let mut races = Races::default();
        races.resize(8);
        races.barrier();
        races.stretch(0, 16, Kind::Write, by(0));
        races.stretch(16, 16, Kind::Write, by(1));
        races.barrier();
        races.stretch(0, 32, Kind::Read, by(0));
        races.stretch(0, 32, Kind::Read, by(1));
        assert_eq!(races.found, 0);
        races.stretch(8, 4, Kind::Write, by(1));
        let race = races.first.expect("a write of what another read");
        assert_eq!((race.address, race.other_kind), (8, Kind::Read));
        assert_eq!((race.line, race.other_line, race.other_warp), (11, 11, 0));
    }

    #[test]
    fn one_may_write_what_it_alone_read() {
        let mut races = Races::default();
        races.resize(2);
        races.barrier();
        races.stretch(0, 4, Kind::Read, by(3));
        races.stretch(0, 4, Kind::Write, by(3));
        races.stretch(0, 4, Kind::Read, by(3));
        assert_eq!(races.found, 0);
        races.stretch(0, 4, Kind::Read, by(31));
        let race = races.first.expect("a read of what another wrote");
        assert_eq!((race.other_kind, race.other_line), (Kind::Write, 13));
    }

    #[test]
    fn epochs_begin_again() {
        let mut races = Races::default();
        races.resize(1);
        races.barrier();
        races.stretch(0, 4, Kind::Write, by(0));
        for _ in 0..EPOCHS - 1 {
            races.barrier();
        }
        assert_eq!(races.epoch, 1);
        races.stretch(0, 4, Kind::Write, by(1));
        assert_eq!(races.found, 0);
    }
}
