//! Signs of life of all runs that a process carries on.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use mezo_run::Lease;

/// The leases that beat together: while one run's steps are done again or its dev rows are evaluated, those beside it wait,
/// and are no less alive.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pulse {
    leases: Rc<RefCell<Vec<Weak<Lease>>>>,
}

impl Pulse {
    /// From here on the lease beats with the others, for as long as somebody holds it.
    pub(crate) fn add(&self, lease: &Rc<Lease>) {
        self.leases.borrow_mut().push(Rc::downgrade(lease));
    }

    /// Gives a sign of life of every run that is held.
    pub(crate) fn beat(&self) {
        for lease in self.leases.borrow().iter().filter_map(Weak::upgrade) {
            lease.beat();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    use super::*;

    fn last_sign(dir: &Path) -> SystemTime {
        let lock = std::fs::metadata(dir.join(mezo_run::LOCK)).unwrap();
        lock.modified().unwrap()
    }

    #[test]
    fn all_beat_while_one_is_busy() {
        let dirs = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let pulse = Pulse::default();
        let mut leases: Vec<Rc<Lease>> = dirs
            .iter()
            .map(|dir| Rc::new(Lease::take(dir.path()).unwrap()))
            .collect();
        leases.iter().for_each(|lease| pulse.add(lease));
        drop(leases.pop());
        let signs = || [0, 1, 2].map(|number: usize| last_sign(dirs[number].path()));
        let before = signs();
        // A lease beats at most once a second.
        std::thread::sleep(Duration::from_millis(1100));
        pulse.clone().beat();
        let after = signs();
        assert!(after[0] > before[0] && after[1] > before[1]);
        assert_eq!(after[2], before[2], "a run that was let go of");
    }
}
