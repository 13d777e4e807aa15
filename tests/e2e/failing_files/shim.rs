//! A library that, loaded into a program by `LD_PRELOAD`, makes its n-th file operation fail.
//!
//! It is no module of the test, which compiles it by `rustc` alone. It stands in front of the functions of the C library by
//! which Rust changes files, and reaches the kernel by `syscall`, so that it never calls itself. It allocates nothing.
//!
//! | variable | meaning |
//! |---|---|
//! | `MEZO_FAULT_FOLDER` | only operations on what lies in this folder count |
//! | `MEZO_FAULT_COMMAND` | only in processes whose first argument is this |
//! | `MEZO_FAULT_LOG` | a line for each that counts is added to this file: number, name, path, what was done to it |
//! | `MEZO_FAULT_AT` | the number of the one that fails, from 1 |
//! | `MEZO_FAULT_ERRNO` | the number of the error that it fails with |
//! | `MEZO_FAULT_STICKY` | a file that is made then; while it is there, all that needs room fails in every process, as on a full disk |
//! | `MEZO_FAULT_SHORT` | set: a write that is to fail writes half of its bytes first, and the next to the same file fails |

use std::ffi::{CStr, c_char, c_int, c_long, c_uint, c_void};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering::SeqCst};

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn __errno_location() -> *mut c_int;
    fn getenv(name: *const c_char) -> *const c_char;
}

/// The kernel's numbers of its calls.
#[cfg(target_arch = "x86_64")]
mod sys {
    use std::ffi::c_long;
    pub const READ: c_long = 0;
    pub const WRITE: c_long = 1;
    pub const CLOSE: c_long = 3;
    pub const PWRITE64: c_long = 18;
    pub const WRITEV: c_long = 20;
    pub const FLOCK: c_long = 73;
    pub const FSYNC: c_long = 74;
    pub const FDATASYNC: c_long = 75;
    pub const FTRUNCATE: c_long = 77;
    pub const OPENAT: c_long = 257;
    pub const MKDIRAT: c_long = 258;
    pub const UNLINKAT: c_long = 263;
    pub const READLINKAT: c_long = 267;
    pub const RENAMEAT2: c_long = 316;
}

#[cfg(target_arch = "aarch64")]
mod sys {
    use std::ffi::c_long;
    pub const FLOCK: c_long = 32;
    pub const MKDIRAT: c_long = 34;
    pub const UNLINKAT: c_long = 35;
    pub const FTRUNCATE: c_long = 46;
    pub const OPENAT: c_long = 56;
    pub const CLOSE: c_long = 57;
    pub const READ: c_long = 63;
    pub const WRITE: c_long = 64;
    pub const WRITEV: c_long = 66;
    pub const PWRITE64: c_long = 68;
    pub const READLINKAT: c_long = 78;
    pub const FSYNC: c_long = 82;
    pub const FDATASYNC: c_long = 83;
    pub const RENAMEAT2: c_long = 276;
}

const AT_FDCWD: c_int = -100;
const O_WRONLY: c_int = 0o1;
const O_CREAT: c_int = 0o100;
const O_APPEND: c_int = 0o2000;
const O_CLOEXEC: c_int = 0o2_000_000;

/// Operations so far.
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// The file of which half a write was written: the next to it fails.
static TORN: AtomicI32 = AtomicI32::new(-1);

/// Bytes in a place of their own: paths, numbers and lines.
struct Text {
    bytes: [u8; 8192],
    length: usize,
}

impl Text {
    fn new() -> Self {
        Self {
            bytes: [0; 8192],
            length: 0,
        }
    }

    fn get(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Adds as much as there is room for; a zero byte always follows.
    fn add(&mut self, more: &[u8]) -> &mut Self {
        let more = &more[..more.len().min(self.bytes.len() - 1 - self.length)];
        self.bytes[self.length..][..more.len()].copy_from_slice(more);
        self.length += more.len();
        self.bytes[self.length] = 0;
        self
    }

    fn add_number(&mut self, number: usize) -> &mut Self {
        if number > 9 {
            self.add_number(number / 10);
        }
        self.add(&[b'0' + (number % 10) as u8])
    }

    /// Where a link leads; nothing if it is none.
    fn link(name: &CStr) -> Self {
        let mut text = Self::new();
        let room = text.bytes.len() - 1;
        let to = text.bytes.as_mut_ptr();
        let length = unsafe { syscall(sys::READLINKAT, AT_FDCWD, name.as_ptr(), to, room) };
        text.length = usize::try_from(length).unwrap_or(0);
        text
    }

    /// The beginning of a file.
    fn file(name: &CStr) -> Self {
        let mut text = Self::new();
        let room = text.bytes.len() - 1;
        let to = text.bytes.as_mut_ptr();
        unsafe {
            let file = syscall(sys::OPENAT, AT_FDCWD, name.as_ptr(), O_CLOEXEC);
            let length = syscall(sys::READ, file as c_int, to, room);
            text.length = usize::try_from(length).unwrap_or(0);
            syscall(sys::CLOSE, file as c_int);
        }
        text
    }

    /// The path of an open file.
    fn path_of(file: c_int) -> Self {
        let mut name = Self::new();
        name.add(b"/proc/self/fd/")
            .add_number(usize::try_from(file).unwrap_or(0));
        CStr::from_bytes_until_nul(&name.bytes).map_or_else(|_| Self::new(), Self::link)
    }

    /// A path as a caller gave it, from the root.
    unsafe fn absolute(path: *const c_char) -> Self {
        let path = unsafe { CStr::from_ptr(path) }.to_bytes();
        let mut text = Self::new();
        if !path.starts_with(b"/") {
            text = Self::link(c"/proc/self/cwd");
            text.add(b"/");
        }
        text.add(path);
        text
    }
}

fn variable(name: &CStr) -> Option<&'static [u8]> {
    let value = unsafe { getenv(name.as_ptr()) };
    (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) }.to_bytes())
}

fn number(name: &CStr) -> usize {
    let digits = variable(name).unwrap_or_default();
    digits
        .iter()
        .fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}

/// Whether a path is that of the folder or of something in it.
fn is_inside(path: &[u8]) -> bool {
    let folder = variable(c"MEZO_FAULT_FOLDER");
    let rest = folder.and_then(|folder| path.strip_prefix(folder));
    rest.is_some_and(|rest| rest.first().is_none_or(|&byte| byte == b'/'))
}

/// Whether operations of this process count.
fn is_command() -> bool {
    let line = Text::file(c"/proc/self/cmdline");
    line.get().split(|&byte| byte == 0).nth(1) == variable(c"MEZO_FAULT_COMMAND")
}

/// Whether the disk has been full since the operation that was to fail, here or in another process.
fn is_full() -> bool {
    let mark = variable(c"MEZO_FAULT_STICKY");
    mark.is_some_and(|mark| touch(mark.as_ptr().cast(), 0))
}

/// Opens a file and closes it; whether that went.
fn touch(path: *const c_char, flags: c_int) -> bool {
    unsafe {
        let file = syscall(sys::OPENAT, AT_FDCWD, path, flags | O_CLOEXEC, 0o644) as c_int;
        if file >= 0 {
            syscall(sys::CLOSE, file);
        }
        file >= 0
    }
}

/// What becomes of an operation.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Happens,
    /// Half of a write does.
    Half,
    Fails,
}

/// What sort of operation it is.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// It puts so many bytes into a file.
    Write(usize),
    /// It makes an entry in a folder.
    Entry,
    /// It needs no room.
    Other,
}

/// Counts an operation and says what becomes of it: what it always does, if it is none of those that count.
fn fate(name: &[u8], kind: Kind, file: c_int, path: &Text) -> Fate {
    if !is_inside(path.get()) {
        return Fate::Happens;
    }
    let full = kind != Kind::Other && is_full();
    let count = match is_command() {
        true => COUNT.fetch_add(1, SeqCst) + 1,
        false if full => 0,
        false => return Fate::Happens,
    };
    let fate = decided(count, kind, file, full);
    log(count, name, path.get(), fate);
    if fate != Fate::Happens
        && let Some(mark) = variable(c"MEZO_FAULT_STICKY")
    {
        touch(mark.as_ptr().cast(), O_CREAT);
    }
    match fate {
        Fate::Fails => unsafe { *__errno_location() = number(c"MEZO_FAULT_ERRNO") as c_int },
        Fate::Half => TORN.store(file, SeqCst),
        Fate::Happens => {}
    }
    fate
}

fn decided(count: usize, kind: Kind, file: c_int, full: bool) -> Fate {
    let is_write = matches!(kind, Kind::Write(_));
    let torn = is_write && TORN.compare_exchange(file, -1, SeqCst, SeqCst).is_ok();
    let due = count > 0 && count == number(c"MEZO_FAULT_AT");
    match kind {
        _ if torn || full => Fate::Fails,
        Kind::Write(2..) if due && variable(c"MEZO_FAULT_SHORT").is_some() => Fate::Half,
        _ if due => Fate::Fails,
        _ => Fate::Happens,
    }
}

fn log(count: usize, name: &[u8], path: &[u8], fate: Fate) {
    let Some(log) = variable(c"MEZO_FAULT_LOG") else {
        return;
    };
    let mut line = Text::new();
    line.add_number(count).add(b" ").add(name).add(b" ");
    line.add(path);
    line.add(match fate {
        Fate::Happens => b"\n",
        Fate::Half => b" halved\n",
        Fate::Fails => b" failed\n",
    });
    let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC;
    unsafe {
        let file = syscall(sys::OPENAT, AT_FDCWD, log.as_ptr(), flags, 0o644) as c_int;
        syscall(sys::WRITE, file, line.bytes.as_ptr(), line.length);
        syscall(sys::CLOSE, file);
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn write(file: c_int, bytes: *const c_void, length: usize) -> isize {
    let length = match fate(b"write", Kind::Write(length), file, &Text::path_of(file)) {
        Fate::Happens => length,
        Fate::Half => length / 2,
        Fate::Fails => return -1,
    };
    unsafe { syscall(sys::WRITE, file, bytes, length) as isize }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite64(
    file: c_int,
    bytes: *const c_void,
    length: usize,
    at: i64,
) -> isize {
    let length = match fate(b"pwrite", Kind::Write(length), file, &Text::path_of(file)) {
        Fate::Happens => length,
        Fate::Half => length / 2,
        Fate::Fails => return -1,
    };
    unsafe { syscall(sys::PWRITE64, file, bytes, length, at) as isize }
}

/// Never halved: half of its parts need not be half of its bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn writev(file: c_int, parts: *const c_void, count: c_int) -> isize {
    match fate(b"writev", Kind::Write(0), file, &Text::path_of(file)) {
        Fate::Fails => -1,
        _ => unsafe { syscall(sys::WRITEV, file, parts, count) as isize },
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn fsync(file: c_int) -> c_int {
    match fate(b"fsync", Kind::Other, file, &Text::path_of(file)) {
        Fate::Fails => -1,
        _ => unsafe { syscall(sys::FSYNC, file) as c_int },
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn fdatasync(file: c_int) -> c_int {
    match fate(b"fdatasync", Kind::Other, file, &Text::path_of(file)) {
        Fate::Fails => -1,
        _ => unsafe { syscall(sys::FDATASYNC, file) as c_int },
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftruncate64(file: c_int, length: i64) -> c_int {
    match fate(b"ftruncate", Kind::Other, file, &Text::path_of(file)) {
        Fate::Fails => -1,
        _ => unsafe { syscall(sys::FTRUNCATE, file, length) as c_int },
    }
}

/// A file that is made counts; one that is only opened does not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    let fails =
        || fate(b"create", Kind::Entry, -1, &unsafe { Text::absolute(path) }) == Fate::Fails;
    if flags & O_CREAT != 0 && fails() {
        return -1;
    }
    unsafe { syscall(sys::OPENAT, AT_FDCWD, path, flags, mode) as c_int }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    let path = unsafe { Text::absolute(to) };
    match fate(b"rename", Kind::Entry, -1, &path) {
        Fate::Fails => -1,
        _ => unsafe { syscall(sys::RENAMEAT2, AT_FDCWD, from, AT_FDCWD, to, 0) as c_int },
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkdir(path: *const c_char, mode: c_uint) -> c_int {
    let absolute = unsafe { Text::absolute(path) };
    match fate(b"mkdir", Kind::Entry, -1, &absolute) {
        Fate::Fails => -1,
        _ => unsafe { syscall(sys::MKDIRAT, AT_FDCWD, path, mode) as c_int },
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    let absolute = unsafe { Text::absolute(path) };
    match fate(b"unlink", Kind::Other, -1, &absolute) {
        Fate::Fails => -1,
        _ => unsafe { syscall(sys::UNLINKAT, AT_FDCWD, path, 0) as c_int },
    }
}

/// A file system whose locks hold nobody back, where the test asks for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flock(file: c_int, operation: c_int) -> c_int {
    if variable(c"MEZO_FAULT_NO_LOCKS").is_some() {
        return 0;
    }
    unsafe { syscall(sys::FLOCK, file, operation) as c_int }
}
