//! How many runs are batched in one worker.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use rustix::process::{Resource, getrlimit};

use crate::state::Run;

/// The most runs in one process where nobody has said how many: beyond that there is little more to be gained.
const MOST: usize = 16;
/// The same where it is not known how much memory there is or how much of it a run takes.
const UNTOLD: usize = 8;
/// Files that a process has open for each of its runs: the lock, the attempts, the journal and the evaluations.
const FILES: u64 = 4;
/// Files that it may need beside those.
const OTHER_FILES: u64 = 64;

/// How many runs with one batch key a worker may have, as a user says it by `--together`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Together {
    /// What is good for the device.
    Auto,
    /// Each run has a worker of its own.
    Off,
    /// So many at most.
    Exactly(NonZeroUsize),
}

/// A text that says no such number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected auto, off or a number of runs, 1 at least, found `{0}`")]
pub struct BadTogether(String);

impl FromStr for Together {
    type Err = BadTogether;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            number => match number.parse() {
                Ok(number) => Ok(Self::Exactly(number)),
                Err(_) => Err(BadTogether(text.to_owned())),
            },
        }
    }
}

impl fmt::Display for Together {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Off => f.write_str("off"),
            Self::Exactly(number) => write!(f, "{number}"),
        }
    }
}

/// What computes, as far as it matters to how many runs go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// The processor, under whatever name.
    Processor,
    /// A CUDA device.
    Cuda {
        /// Its number, as this process sees it.
        index: usize,
    },
}

/// How many runs a worker on a device may have at most.
///
/// A number that was asked for is taken at its word. Else the processor has one, which gains nothing by more, and a CUDA
/// device up to 16: as many as find room, by `run_bytes` each, in half of the `memory_bytes` that the process may use. The
/// other half is the model's that they share. Where one of the two is not known, it has 8. None has more than the
/// `open_files` that a process may have are enough for.
pub fn together_limit(
    together: Together,
    kind: DeviceKind,
    [memory_bytes, run_bytes]: [Option<u64>; 2],
    open_files: Option<u64>,
) -> usize {
    let limit = match (together, kind) {
        (Together::Exactly(number), _) => number.get(),
        (Together::Off, _) | (Together::Auto, DeviceKind::Processor) => 1,
        (Together::Auto, DeviceKind::Cuda { .. }) => match (memory_bytes, run_bytes) {
            (Some(memory), Some(run)) => {
                let room = memory / 2 / run.max(1);
                usize::try_from(room).map_or(MOST, |room| room.clamp(1, MOST))
            }
            _ => UNTOLD,
        },
    };
    let by_files = open_files.map(|files| files.saturating_sub(OTHER_FILES) / FILES);
    let by_files = by_files.map_or(usize::MAX, |runs| {
        usize::try_from(runs).unwrap_or(usize::MAX)
    });
    limit.min(by_files).max(1)
}

/// How many files this process may have open, and one that it starts; none where there is no limit.
pub fn open_files() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// How many runs a free place starts at once, the first one among them.
///
/// `waiting` runs train and wait, of them `same_key` have the first one's batch key, itself among them; `places` are free for
/// them. Each place gets its even share of all that wait, the odd ones going to the places that are filled first, but no more
/// than its `limit` and than have the key. So 8 runs of one key on two devices are 4 and 4, and two keys
/// of 4 are one on each.
pub(crate) fn batch_size(limit: usize, same_key: usize, waiting: usize, places: usize) -> usize {
    let share = waiting.div_ceil(places.max(1));
    share.min(limit).min(same_key).max(1)
}

/// The most runs that one worker will have if `places` are free now and each takes `limit` runs at most: 1 where none are
/// batched.
pub(super) fn largest_batch(runs: &[Run], limit: usize, places: usize) -> usize {
    if limit < 2 {
        return 1;
    }
    let to_train = runs
        .iter()
        .filter(|run| run.steps > 0 && !run.is_finished());
    let keys: Vec<Option<&str>> = to_train
        .map(|run| run.batch_key.as_deref().filter(|_| !run.goes_alone()))
        .collect();
    let sizes = batch_sizes(&keys, limit, places);
    sizes.into_iter().max().unwrap_or(1)
}

/// How many runs the workers have that are started on free places one after the other, of waiting runs with these keys;
/// those beyond the last place have one of their own when it is free again.
fn batch_sizes(keys: &[Option<&str>], limit: usize, places: usize) -> Vec<usize> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for key in keys.iter().flatten() {
        *left.entry(key).or_default() += 1;
    }
    // Runs of a key that were batched with an earlier one.
    let mut gone: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut waiting, mut sizes) = (keys.len(), Vec::new());
    for key in keys {
        let mut size = 1;
        if let Some(key) = key {
            let gone = gone.entry(key).or_default();
            if *gone > 0 {
                *gone -= 1;
                continue;
            }
            let left = left.entry(key).or_default();
            let free = places.saturating_sub(sizes.len());
            size = batch_size(limit, *left, waiting, free);
            *left -= size.min(*left);
            *gone = size - 1;
        }
        waiting -= size.min(waiting);
        sizes.push(size);
    }
    sizes
}

/// How many workers run these runs, with `limit` in each at most.
pub(crate) fn processes(runs: &[&Run], limit: usize) -> usize {
    groups(runs, limit).len()
}

/// The runs in groups of one batch key, at most `limit` in each, for whoever runs them without watching them: in the
/// runs' order, by the first of each group, and as even as may be. A run that goes alone is a group of its own.
pub(crate) fn groups<'r>(runs: &[&'r Run], limit: usize) -> Vec<Vec<&'r Run>> {
    let mut by_key: Vec<(Option<&str>, Vec<&'r Run>)> = Vec::new();
    for &run in runs {
        let key = run.batch_key.as_deref().filter(|_| limit > 1);
        let key = key.filter(|_| !run.goes_alone());
        let at = match key {
            Some(_) => by_key.iter().position(|(other, _)| *other == key),
            None => None,
        };
        match at {
            Some(at) => by_key[at].1.push(run),
            None => by_key.push((key, vec![run])),
        }
    }
    let mut groups = Vec::new();
    for (_, runs) in by_key {
        let count = runs.len().div_ceil(limit.max(1));
        let size = runs.len().div_ceil(count.max(1));
        groups.extend(runs.chunks(size.max(1)).map(|group| group.to_vec()));
    }
    groups
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::scheduler::device::{Device, Fleet};

    #[test]
    fn auto_off_and_numbers_are_read() {
        let eight = Together::Exactly(NonZeroUsize::new(8).unwrap());
        for (text, expected) in [
            ("auto", Together::Auto),
            ("off", Together::Off),
            ("8", eight),
        ] {
            assert_eq!(text.parse::<Together>(), Ok(expected));
            assert_eq!(expected.to_string(), text);
        }
    }

    #[test]
    fn other_words_are_refused() {
        for text in ["", "0", "-1", "2.5", "all", "Auto", "8 "] {
            let error = text.parse::<Together>().unwrap_err().to_string();
            let expected =
                format!("expected auto, off or a number of runs, 1 at least, found `{text}`");
            assert_eq!(error, expected);
        }
    }

    #[test]
    fn a_device_has_as_many_as_find_room() {
        let cuda = DeviceKind::Cuda { index: 1 };
        let auto = |memory, run| together_limit(Together::Auto, cuda, [memory, run], None);
        assert_eq!(auto(None, None), 8);
        assert_eq!(auto(Some(80 << 30), None), 8);
        assert_eq!(auto(None, Some(1 << 30)), 8);
        assert_eq!(auto(Some(80 << 30), Some(1 << 30)), 16);
        assert_eq!(auto(Some(24 << 30), Some(2 << 30)), 6);
        assert_eq!(auto(Some(8 << 30), Some(9 << 30)), 1);
        assert_eq!(auto(Some(8 << 30), Some(0)), 16);
        let processor = DeviceKind::Processor;
        let untold = [None, None];
        assert_eq!(together_limit(Together::Auto, processor, untold, None), 1);
        let asked = Together::Exactly(NonZeroUsize::new(20).unwrap());
        for kind in [cuda, processor] {
            assert_eq!(together_limit(asked, kind, [Some(1), Some(1)], None), 20);
            assert_eq!(together_limit(Together::Off, kind, untold, None), 1);
        }
    }

    #[test]
    fn no_process_has_more_runs_than_it_may_open_files_for() {
        let asked = Together::Exactly(NonZeroUsize::new(1000).unwrap());
        let kind = DeviceKind::Processor;
        let with = |files| together_limit(asked, kind, [None, None], Some(files));
        assert_eq!(with(u64::MAX), 1000);
        assert_eq!(with(1024), 240);
        assert_eq!(with(64 + 11), 2);
        assert_eq!(with(64), 1);
        assert_eq!(with(0), 1);
        let cuda = DeviceKind::Cuda { index: 0 };
        let auto = |files| together_limit(Together::Auto, cuda, [None, None], Some(files));
        assert_eq!((auto(1024), auto(64 + 16)), (8, 4));
        // This one's own.
        assert!(open_files().is_none_or(|files| files > 3));
    }

    /// The sizes of the batches that places of one limit take one after the other, all of one key.
    fn sizes_of_one(limit: usize, waiting: usize, places: usize) -> Vec<usize> {
        let mut sizes = batch_sizes(&vec![Some("a"); waiting], limit, places);
        sizes.truncate(places);
        sizes
    }

    #[test]
    fn runs_of_one_key_are_spread_evenly_over_free_places() {
        assert_eq!(sizes_of_one(8, 8, 1), [8]);
        assert_eq!(sizes_of_one(8, 8, 2), [4, 4]);
        assert_eq!(sizes_of_one(8, 8, 3), [3, 3, 2]);
        assert_eq!(sizes_of_one(3, 8, 2), [3, 3]);
        assert_eq!(sizes_of_one(8, 2, 4), [1, 1]);
        assert_eq!(sizes_of_one(1, 8, 2), [1, 1]);
        assert_eq!(sizes_of_one(8, 100, 2), [8, 8]);
    }

    #[test]
    fn keys_have_a_place_each_where_that_is_as_even() {
        // Four of one key and four of another on two devices.
        assert_eq!(batch_size(8, 4, 8, 2), 4);
        assert_eq!(batch_size(8, 4, 4, 1), 4);
        // Two of a key among eight runs that wait.
        assert_eq!(batch_size(8, 2, 8, 2), 2);
    }

    fn runs(keys: &[Option<&str>]) -> Vec<Run> {
        let run = |(number, key): (usize, &Option<&str>)| Run {
            id: number.to_string(),
            dir: "/nowhere".into(),
            label: String::new(),
            steps: 4,
            batch_key: key.map(Into::into),
        };
        keys.iter().enumerate().map(run).collect()
    }

    #[test]
    fn the_largest_batch_is_what_spreading_leaves() {
        let (a, b) = (Some("a"), Some("b"));
        assert_eq!(batch_sizes(&[a; 8], 8, 2), [4, 4]);
        assert_eq!(batch_sizes(&[a, b, b, b, None, a], 8, 2), [2, 3, 1]);
        assert_eq!(batch_sizes(&[a, b, a, b, a, b], 2, 1), [2, 2, 1, 1]);
        assert_eq!(batch_sizes(&[None, None], 8, 1), [1, 1]);
        let fleet = |together, per_device| Fleet {
            devices: vec![Device {
                name: "cuda:0".into(),
                args: Vec::new(),
                env: Vec::new(),
                together,
            }],
            per_device,
        };
        let eight = runs(&[a; 8]);
        let largest = |together, per_device| fleet(together, per_device).largest_batch(&eight);
        assert_eq!(largest(16, 1), 8);
        assert_eq!(largest(16, 2), 4);
        assert_eq!(largest(16, 3), 3);
        assert_eq!(largest(16, 8), 1);
        assert_eq!(largest(3, 2), 3);
        assert_eq!(largest(1, 2), 1);
        assert_eq!(fleet(16, 2).largest_batch(&[]), 1);
        // A run that only evaluates is not counted.
        let mut some = runs(&[a; 3]);
        some[0].steps = 0;
        assert_eq!(fleet(16, 1).largest_batch(&some), 2);
    }

    fn ids(runs: &[Run], limit: usize) -> Vec<String> {
        let all: Vec<&Run> = runs.iter().collect();
        let told = |group: &Vec<&Run>| {
            let ids: Vec<&str> = group.iter().map(|run| run.id.as_str()).collect();
            ids.join(" ")
        };
        groups(&all, limit).iter().map(told).collect()
    }

    #[test]
    fn groups_are_of_one_key_and_even() {
        let (a, b) = (Some("a"), Some("b"));
        let mixed = runs(&[None, a, b, a, None, b, a]);
        assert_eq!(ids(&mixed, 8), ["0", "1 3 6", "2 5", "4"]);
        assert_eq!(ids(&mixed, 2), ["0", "1 3", "6", "2 5", "4"]);
        assert_eq!(ids(&mixed, 1), ["0", "1", "2", "3", "4", "5", "6"]);
        let five = runs(&[a; 5]);
        assert_eq!(ids(&five, 4), ["0 1 2", "3 4"]);
        assert_eq!(ids(&five, 8), ["0 1 2 3 4"]);
        assert!(ids(&[], 8).is_empty());
    }
}
