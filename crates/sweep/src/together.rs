//! How many runs go together in one process.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use crate::device::Fleet;
use crate::plan::Run;

/// The most runs in one process where nobody has said how many: beyond that there is little more to be gained.
const MOST: usize = 16;
/// The same where it is not known how much memory there is or how much of it a run takes.
const UNTOLD: usize = 8;

/// How many runs of one company a process may carry out together, as a user says it by `--together`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Together {
    /// What is good for the device.
    Auto,
    /// Each run has a process of its own.
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

/// How many runs a process on a device may have at most.
///
/// A number that was asked for is taken at its word. Else the processor has one, which gains nothing by more, and a CUDA
/// device up to 16: as many as find room, by `run_bytes` each, in half of the `memory_bytes` that the process may use. The
/// other half is the model's that they share. Where one of the two is not known, it has 8.
pub fn together_limit(
    together: Together,
    kind: DeviceKind,
    memory_bytes: Option<u64>,
    run_bytes: Option<u64>,
) -> usize {
    match (together, kind) {
        (Together::Exactly(number), _) => number.get(),
        (Together::Off, _) | (Together::Auto, DeviceKind::Processor) => 1,
        (Together::Auto, DeviceKind::Cuda { .. }) => match (memory_bytes, run_bytes) {
            (Some(memory), Some(run)) => {
                let room = memory / 2 / run.max(1);
                usize::try_from(room).map_or(MOST, |room| room.clamp(1, MOST))
            }
            _ => UNTOLD,
        },
    }
}

/// How many runs a free place takes up at once, the first one among them.
///
/// `waiting` runs train and wait, of them `company` are of the first one's company and may go with it; `places` are free for
/// them. Each place gets its even share of all that wait, the odd ones going to the places that are filled first, but no more
/// than its `limit` and than there are in the company. So 8 runs of a company on two devices are 4 and 4, and two companies
/// of 4 are one on each.
pub(crate) fn crew_size(limit: usize, company: usize, waiting: usize, places: usize) -> usize {
    let share = waiting.div_ceil(places.max(1));
    share.min(limit).min(company).max(1)
}

/// The most runs that one process of a fleet will have: 1 where none go together.
pub fn largest_crew(runs: &[Run], fleet: &Fleet) -> usize {
    let mut companies: BTreeMap<&str, usize> = BTreeMap::new();
    for run in runs.iter().filter(|run| !run.is_finished()) {
        if let Some(company) = &run.company {
            *companies.entry(company).or_default() += 1;
        }
    }
    let largest = companies.into_values().max().unwrap_or(1);
    let limit = fleet.devices.iter().map(|device| device.together).max();
    largest.min(limit.unwrap_or(1)).max(1)
}

/// The runs in groups of one company, at most `limit` in each, for whoever carries them out without watching them: in the
/// runs' order, by the first of each group, and as even as may be. A run that goes alone is a group of its own.
pub(crate) fn groups<'r>(runs: &[&'r Run], limit: usize) -> Vec<Vec<&'r Run>> {
    let mut companies: Vec<(Option<&str>, Vec<&'r Run>)> = Vec::new();
    for &run in runs {
        let company = run.company.as_deref().filter(|_| limit > 1);
        let company = company.filter(|_| !run.goes_alone());
        let at = match company {
            Some(_) => companies.iter().position(|(other, _)| *other == company),
            None => None,
        };
        match at {
            Some(at) => companies[at].1.push(run),
            None => companies.push((company, vec![run])),
        }
    }
    let mut groups = Vec::new();
    for (_, members) in companies {
        let count = members.len().div_ceil(limit.max(1));
        let size = members.len().div_ceil(count.max(1));
        groups.extend(members.chunks(size.max(1)).map(|group| group.to_vec()));
    }
    groups
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

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
        let auto = |memory, run| together_limit(Together::Auto, cuda, memory, run);
        assert_eq!(auto(None, None), 8);
        assert_eq!(auto(Some(80 << 30), None), 8);
        assert_eq!(auto(None, Some(1 << 30)), 8);
        assert_eq!(auto(Some(80 << 30), Some(1 << 30)), 16);
        assert_eq!(auto(Some(24 << 30), Some(2 << 30)), 6);
        assert_eq!(auto(Some(8 << 30), Some(9 << 30)), 1);
        assert_eq!(auto(Some(8 << 30), Some(0)), 16);
        let processor = DeviceKind::Processor;
        assert_eq!(together_limit(Together::Auto, processor, None, None), 1);
        let asked = Together::Exactly(NonZeroUsize::new(20).unwrap());
        for kind in [cuda, processor] {
            assert_eq!(together_limit(asked, kind, Some(1), Some(1)), 20);
            assert_eq!(together_limit(Together::Off, kind, None, None), 1);
        }
    }

    /// The crews that places of one limit take up one after the other, all of one company.
    fn crews(limit: usize, mut waiting: usize, places: usize) -> Vec<usize> {
        let mut crews = Vec::new();
        for free in (1..=places).rev() {
            if waiting == 0 {
                break;
            }
            let size = crew_size(limit, waiting, waiting, free);
            waiting -= size;
            crews.push(size);
        }
        crews
    }

    #[test]
    fn a_company_is_spread_evenly_over_free_places() {
        assert_eq!(crews(8, 8, 1), [8]);
        assert_eq!(crews(8, 8, 2), [4, 4]);
        assert_eq!(crews(8, 8, 3), [3, 3, 2]);
        assert_eq!(crews(3, 8, 2), [3, 3]);
        assert_eq!(crews(8, 2, 4), [1, 1]);
        assert_eq!(crews(1, 8, 2), [1, 1]);
        assert_eq!(crews(8, 100, 2), [8, 8]);
    }

    #[test]
    fn companies_have_a_place_each_where_that_is_as_even() {
        // Four of one company and four of another on two devices.
        assert_eq!(crew_size(8, 4, 8, 2), 4);
        assert_eq!(crew_size(8, 4, 4, 1), 4);
        // A company of two among eight runs that wait.
        assert_eq!(crew_size(8, 2, 8, 2), 2);
    }

    fn runs(companies: &[Option<&str>]) -> Vec<Run> {
        let run = |(number, company): (usize, &Option<&str>)| Run {
            id: number.to_string(),
            dir: "/nowhere".into(),
            label: String::new(),
            steps: 4,
            company: company.map(Into::into),
        };
        companies.iter().enumerate().map(run).collect()
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
    fn groups_are_of_one_company_and_even() {
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
