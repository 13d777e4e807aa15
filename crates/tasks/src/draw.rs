//! Which rows a k-shot split takes: the published procedure, on row numbers alone.

use crate::numpy::Mt19937;

/// The seed with which the published script cuts every test file, whatever the split's own seed.
const TEST_SEED: u32 = 42;

/// The row numbers of a k-shot split, in the order in which they are written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Draw {
    pub(crate) train: Vec<usize>,
    pub(crate) dev: Vec<usize>,
}

/// Shuffles all rows, groups them by label in the order in which labels are first seen, and gives train the
/// first `k` of each label and dev the next `k`. A label with fewer rows gives what it has.
pub(crate) fn draw(labels: &[usize], k: usize, seed: u32) -> Draw {
    let mut groups: Vec<(usize, Vec<usize>)> = Vec::new();
    for row in Mt19937::new(seed).permutation(labels.len()) {
        match groups.iter_mut().find(|(label, _)| *label == labels[row]) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((labels[row], vec![row])),
        }
    }
    let part = |from: usize| {
        groups
            .iter()
            .flat_map(|(_, rows)| rows.iter().skip(from).take(k).copied())
            .collect()
    };
    Draw {
        train: part(0),
        dev: part(k),
    }
}

/// The rows of a test file that are kept: all when there are no more than `cap`, else the first `cap` of a
/// shuffle that is the same for every split.
pub(crate) fn capped(rows: usize, cap: Option<usize>) -> Vec<usize> {
    match cap {
        Some(cap) if rows > cap => {
            let mut order = Mt19937::new(TEST_SEED).permutation(rows);
            order.truncate(cap);
            order
        }
        _ => (0..rows).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Draw, capped, draw};
    use proptest::prelude::*;

    #[test]
    fn capped_tests_are_the_published_rows() {
        let csv = capped(2_210, Some(1_000));
        assert_eq!(csv.len(), 1_000);
        assert_eq!(csv[..6], [855, 1546, 1473, 430, 1557, 1411]);
        assert_eq!(
            capped(9_815, Some(1_000))[..5],
            [3344, 3852, 5009, 5398, 2335]
        );
        assert_eq!(
            capped(9_842, Some(1_000))[..5],
            [7988, 7120, 106, 439, 2420]
        );
    }

    #[test]
    fn a_test_that_fits_the_cap_is_left_alone() {
        let whole: Vec<usize> = (0..1_000).collect();
        assert_eq!(capped(1_000, Some(1_000)), whole);
        assert_eq!(capped(1_000, None), whole);
        assert_eq!(capped(1_001, Some(1_000)).len(), 1_000);
    }

    #[test]
    fn labels_come_in_the_order_first_seen() {
        // seed 13 leaves 0..10 as 3 5 6 1 4 7 8 9 0 2
        let labels = [1, 0, 0, 1, 0, 1, 1, 0, 0, 1];
        let expected = Draw {
            train: vec![3, 5, 1, 4],
            dev: vec![6, 9, 7, 8],
        };
        assert_eq!(draw(&labels, 2, 13), expected);
    }

    #[test]
    fn a_rare_label_gives_what_it_has() {
        let split = draw(&[0, 0, 0, 0, 1], 2, 13);
        assert_eq!((split.train.len(), split.dev.len()), (3, 2));
    }

    proptest! {
        #[test]
        fn train_and_dev_share_no_row(
            labels in prop::collection::vec(0usize..4, 0..200),
            k in 1usize..20,
            seed: u32,
        ) {
            let Draw { train, dev } = draw(&labels, k, seed);
            let mut all: Vec<usize> = train.iter().chain(&dev).copied().collect();
            all.sort_unstable();
            all.dedup();
            prop_assert_eq!(all.len(), train.len() + dev.len());
            for label in 0..4 {
                let of = |rows: &[usize]| rows.iter().filter(|row| labels[**row] == label).count();
                let total = labels.iter().filter(|own| **own == label).count();
                prop_assert_eq!(of(&train), total.min(k));
                prop_assert_eq!(of(&dev), total.saturating_sub(k).min(k));
            }
        }
    }
}
