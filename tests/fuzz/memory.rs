//! How much memory a door asks for.
#![allow(dead_code, missing_docs)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::doors::{self, Door};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The bytes that are held, and the most that were.
static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// What nobody gets: the process ends with a word about it, before the machine has none left.
const REFUSED: usize = 4 << 30;

/// The system's allocator, counted.
struct Counting;

/// Whether so many bytes more may be had; they are counted then.
fn taken(bytes: usize) -> bool {
    let held = HELD.fetch_add(bytes, Ordering::Relaxed).wrapping_add(bytes);
    if held > REFUSED {
        given_back(bytes);
        return false;
    }
    PEAK.fetch_max(held, Ordering::Relaxed);
    true
}

fn given_back(bytes: usize) {
    HELD.fetch_sub(bytes, Ordering::Relaxed);
}

// SAFETY: the system's allocator does all of it, with the caller's own arguments; or nothing is done, and null says so.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !taken(layout.size()) {
            return ptr::null_mut();
        }
        // SAFETY: as the caller has it.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !taken(layout.size()) {
            return ptr::null_mut();
        }
        // SAFETY: as the caller has it.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        given_back(layout.size());
        // SAFETY: as the caller has it.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // While it moves there are both.
        if !taken(size) {
            return ptr::null_mut();
        }
        // SAFETY: as the caller has it.
        let moved = unsafe { System.realloc(at, layout, size) };
        given_back(if moved.is_null() { size } else { layout.size() });
        moved
    }
}

/// Brings bytes to a door, and holds that it asks for no more memory than it may; how much that was.
pub fn within(door: &Door, bytes: &[u8]) -> usize {
    doors::warm();
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    (door.open)(bytes);
    let most = PEAK.load(Ordering::Relaxed).saturating_sub(before);
    let limit = door.base + door.times * bytes.len();
    assert!(
        most <= limit,
        "{}: {} bytes came in and it asked for {most}, expected at most {limit}",
        door.name,
        bytes.len()
    );
    most
}
