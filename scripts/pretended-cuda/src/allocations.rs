//! What is allocated.

use std::alloc::{Layout, alloc, dealloc};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// As the device aligns, and more: a page.
const ALIGN: usize = 4096;
/// What comes after, so that nothing is empty.
const SLACK: usize = 64;
/// Numbers that are none, so that it shows where what nobody wrote is used.
const UNWRITTEN: u8 = 0xFF;

/// Live allocations, by their addresses.
#[derive(Debug, Clone, Default)]
pub struct Ranges {
    /// Where each ends, by where it begins.
    ends: BTreeMap<u64, u64>,
}

impl Ranges {
    /// The allocation that begins last before an address or at it.
    pub fn before(&self, address: u64) -> Option<(u64, u64)> {
        let (&start, &end) = self.ends.range(..=address).next_back()?;
        Some((start, end))
    }

    /// The allocation that an address is of; an empty one where it is of none.
    pub fn around(&self, address: u64) -> (u64, u64) {
        let found = self.before(address).filter(|range| address < range.1);
        found.unwrap_or((u64::MAX, 0))
    }

    /// Whether a stretch lies in one allocation.
    pub fn holds(&self, address: u64, bytes: u64) -> bool {
        let (start, end) = self.around(address);
        bytes == 0 || (address >= start && address.saturating_add(bytes) <= end)
    }

    #[cfg(test)]
    pub fn of<const N: usize>(ranges: [(u64, u64); N]) -> Self {
        Self {
            ends: ranges.into(),
        }
    }
}

/// Launches that run keep what was there when they began.
static LIVE: RwLock<Option<Arc<Ranges>>> = RwLock::new(None);

fn read() -> RwLockReadGuard<'static, Option<Arc<Ranges>>> {
    LIVE.read().unwrap_or_else(PoisonError::into_inner)
}

fn write() -> RwLockWriteGuard<'static, Option<Arc<Ranges>>> {
    LIVE.write().unwrap_or_else(PoisonError::into_inner)
}

/// What is allocated now.
pub fn live() -> Arc<Ranges> {
    read().clone().unwrap_or_default()
}

fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.checked_add(SLACK)?, ALIGN).ok()
}

/// Allocates; gives nothing where there is not so much.
pub fn allocate(bytes: usize, fill: bool) -> Option<u64> {
    let layout = layout(bytes)?;
    // SAFETY: the size is not zero.
    let memory = unsafe { alloc(layout) };
    if memory.is_null() {
        return None;
    }
    if fill {
        // SAFETY: it was allocated so large.
        unsafe { memory.write_bytes(UNWRITTEN, layout.size()) };
    }
    let start = memory as u64;
    let mut live = write();
    Arc::make_mut(live.get_or_insert_default())
        .ends
        .insert(start, start + bytes as u64);
    Some(start)
}

/// Gives memory back; whether there was any.
pub fn free(start: u64) -> bool {
    let Some(end) = write()
        .as_mut()
        .and_then(|live| Arc::make_mut(live).ends.remove(&start))
    else {
        return false;
    };
    if let Some(layout) = layout((end - start) as usize) {
        // SAFETY: it was allocated with this layout, as only `allocate` enters it.
        unsafe { dealloc(start as *mut u8, layout) };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_find_their_allocation() {
        let ranges = Ranges::of([(100, 200), (300, 310)]);
        assert_eq!(ranges.around(100), (100, 200));
        assert_eq!(ranges.around(199), (100, 200));
        assert_eq!(ranges.around(200), (u64::MAX, 0));
        assert_eq!(ranges.before(250), Some((100, 200)));
        assert_eq!(ranges.before(99), None);
        assert!(ranges.holds(300, 10) && !ranges.holds(301, 10) && ranges.holds(0, 0));
    }

    #[test]
    fn what_is_freed_is_gone() {
        let at = allocate(10, true).expect("memory");
        assert!(live().holds(at, 10) && !live().holds(at, 11));
        assert!(free(at));
        assert!(!free(at));
        assert!(!live().holds(at, 1));
    }
}
