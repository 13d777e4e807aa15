//! The kinds of failures.

use std::fmt;
use std::io::{self, ErrorKind};

use serde::{Deserialize, Serialize};

/// Why an attempt failed, as far as it decides what is done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The host's or the device's memory was not enough.
    OutOfMemory,
    /// The device failed or was lost.
    DeviceFault,
    /// A signal from outside ended the process.
    Killed,
    /// It wrote nothing for too long.
    Hang,
    /// A file could not be written for want of room.
    DiskFull,
    /// The model or the data cannot be used.
    BadData,
    /// Anything else.
    Error,
}

/// What a device's driver and its libraries say when it has too little memory.
const MEMORY: [&str; 5] = [
    "out of memory",
    "out_of_memory",
    "outofmemory",
    "memory allocation of",
    "cannot allocate memory",
];
/// What the system says where a file finds no room.
const ROOM: [&str; 2] = ["no space left on device", "disk quota exceeded"];
/// What drivers say when something else is wrong with a device.
const DEVICE: [&str; 6] = [
    "cuda_error",
    "cudaerror",
    "device lost",
    "device is lost",
    "uncorrectable ecc",
    "fallen off the bus",
];

impl Class {
    /// Every class.
    pub const ALL: [Self; 7] = [
        Self::OutOfMemory,
        Self::DeviceFault,
        Self::Killed,
        Self::Hang,
        Self::DiskFull,
        Self::BadData,
        Self::Error,
    ];

    /// Its name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::OutOfMemory => "out-of-memory",
            Self::DeviceFault => "device-fault",
            Self::Killed => "killed",
            Self::Hang => "hang",
            Self::DiskFull => "disk-full",
            Self::BadData => "bad-data",
            Self::Error => "error",
        }
    }

    /// The class of a failed file operation.
    pub fn of_io(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::DiskFull,
            ErrorKind::OutOfMemory => Self::OutOfMemory,
            _ => Self::Error,
        }
    }

    /// The class that the words of a process that broke down tell of. Libraries below panic with nothing but words.
    pub fn of_words(words: &str) -> Self {
        let words = words.to_lowercase();
        let one_of = |list: &[&str]| list.iter().any(|word| words.contains(word));
        if one_of(&MEMORY) {
            Self::OutOfMemory
        } else if one_of(&ROOM) {
            Self::DiskFull
        } else if one_of(&DEVICE) {
            Self::DeviceFault
        } else {
            Self::Error
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_those_in_files() {
        for class in Class::ALL {
            let text = serde_json::to_string(&class).unwrap();
            assert_eq!(text, format!("\"{class}\""));
        }
    }

    #[test]
    fn words_of_libraries_are_understood() {
        let of = Class::of_words;
        assert_eq!(
            of("DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")"),
            Class::OutOfMemory
        );
        assert_eq!(
            of("memory allocation of 70368744177664 bytes failed"),
            Class::OutOfMemory
        );
        assert_eq!(
            of("error: lock: cannot make: No space left on device (os error 28)"),
            Class::DiskFull
        );
        assert_eq!(of("CUDA_ERROR_ILLEGAL_ADDRESS"), Class::DeviceFault);
        assert_eq!(of("index out of bounds"), Class::Error);
    }

    #[test]
    fn a_full_disk_is_one() {
        let full = io::Error::from(ErrorKind::StorageFull);
        assert_eq!(Class::of_io(&full), Class::DiskFull);
        assert_eq!(
            Class::of_io(&io::Error::from(ErrorKind::NotFound)),
            Class::Error
        );
    }
}
