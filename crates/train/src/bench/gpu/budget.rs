//! The time there is, and who may have how much of it.

use std::time::{Duration, Instant};

/// The time of a whole measurement.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    end: Instant,
}

/// What a part asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Need {
    /// With less it need not begin.
    pub(super) least: Duration,
    /// More it is not given, so that something is left for the others.
    pub(super) most: Duration,
}

/// The time of a part. What it does over and over it stops doing when this is up; what it does once is done to its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    end: Instant,
}

impl Need {
    pub(super) const fn seconds(least: u64, most: u64) -> Self {
        Self {
            least: Duration::from_secs(least),
            most: Duration::from_secs(most),
        }
    }

    /// What is granted of the time that is left.
    fn of(self, left: Duration) -> Option<Duration> {
        (left >= self.least).then(|| left.min(self.most))
    }
}

impl Budget {
    /// From now on.
    pub fn new(total: Duration) -> Self {
        Self {
            end: Instant::now() + total,
        }
    }

    /// What is left of it.
    pub fn left(self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// The time of a part that asks for so much; none where too little is left.
    pub(super) fn share(self, need: Need) -> Option<Share> {
        let granted = need.of(self.left())?;
        Some(Share {
            end: Instant::now() + granted,
        })
    }
}

impl Share {
    /// What is left of it.
    pub(super) fn left(self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Whether it is up.
    pub(super) fn is_up(self) -> bool {
        self.left().is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn no_part_begins_with_too_little_or_gets_too_much() {
        let need = Need::seconds(5, 20);
        for (left, granted) in [
            (0u32, None),
            (4, None),
            (5, Some(5)),
            (19, Some(19)),
            (500, Some(20)),
        ] {
            assert_eq!(need.of(left * SECOND), granted.map(|it: u32| it * SECOND));
        }
    }

    #[test]
    fn time_runs_out() {
        let budget = Budget::new(100 * SECOND);
        assert!(budget.left() > 90 * SECOND);
        let share = budget.share(Need::seconds(1, 10)).expect("enough is left");
        assert!(!share.is_up() && share.left() <= 10 * SECOND);
        assert!(budget.share(Need::seconds(101, 200)).is_none());
        let none = Budget::new(Duration::ZERO);
        assert!(none.left().is_zero());
        assert!(none.share(Need::seconds(1, 10)).is_none());
        assert!(none.share(Need::seconds(0, 10)).is_some_and(Share::is_up));
    }
}
