//! Files like those of a corpus and yet other ones: a function of the seed.

/// Numbers at the ends of what a type can hold, and some that look like numbers.
const NUMBERS: [&str; 22] = [
    "0",
    "-0",
    "-1",
    "00",
    "0.1",
    "1e-5",
    "1e-400",
    "1e999",
    "-1e999",
    "NaN",
    "inf",
    "0x7f",
    "1_000",
    "255",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
];

/// What means something to one of the formats.
const SIGNS: [&str; 22] = [
    "\n", "\r", "\r\n", "\t", "\0", " ", "\"", "\"\"\"", "'", "[", "]", "[[", "{", "}", ",", ":",
    "=", ".", "#", "\u{feff}", "\\u0000", "é",
];

/// The longest file that is made.
const LONGEST: usize = 64 * 1024;

/// Makes files of files (SplitMix64).
pub struct Mutants {
    state: u64,
}

impl Mutants {
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 where there is none.
    fn below(&mut self, end: usize) -> usize {
        (self.draw() % end.max(1) as u64) as usize
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    /// One of the files after one to four changes, or, so that some stay what they are, with a bit turned.
    pub fn next(&mut self, files: &[&[u8]]) -> Vec<u8> {
        let mut file = self.one(files).to_vec();
        if self.below(3) == 0 {
            self.flip(&mut file);
            return file;
        }
        for _ in 0..=self.below(4) {
            self.change(&mut file, files);
            file.truncate(LONGEST);
        }
        file
    }

    fn change(&mut self, file: &mut Vec<u8>, files: &[&[u8]]) {
        let (a, b) = (self.below(file.len() + 1), self.below(file.len() + 1));
        let (from, to) = (a.min(b), a.max(b));
        match self.below(8) {
            0 => self.flip(file),
            1 => file.truncate(from),
            2 => drop(file.drain(from..to)),
            // A piece once more.
            3 => {
                let piece = file[from..to].to_vec();
                insert(file, to, &piece);
            }
            // On with another file.
            4 => {
                let other = self.one(files);
                let on = self.below(other.len() + 1);
                file.truncate(from);
                file.extend_from_slice(&other[on..]);
            }
            5 => insert(file, from, self.one(&NUMBERS).as_bytes()),
            6 => insert(file, from, self.one(&SIGNS).as_bytes()),
            _ => self.length(file, from),
        }
    }

    fn flip(&mut self, file: &mut [u8]) {
        let at = self.below(file.len());
        let bit = self.below(8);
        if let Some(byte) = file.get_mut(at) {
            *byte ^= 1 << bit;
        }
    }

    /// A length of eight bytes where there may have been one.
    fn length(&mut self, file: &mut [u8], at: usize) {
        let lengths = [
            0,
            1,
            file.len() as u64,
            u64::from(u32::MAX),
            u64::MAX >> 1,
            u64::MAX,
        ];
        let length = lengths[self.below(lengths.len())].to_le_bytes();
        for (byte, new) in file[at..].iter_mut().zip(length) {
            *byte = new;
        }
    }
}

fn insert(file: &mut Vec<u8>, at: usize, piece: &[u8]) {
    file.splice(at..at, piece.iter().copied());
}
