//! Pace, time left, and how numbers are said. There is no clock in here: the caller says how many seconds have passed.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// How fast one run goes, over the last seconds of it.
#[derive(Debug, Clone)]
pub struct Pace {
    window_s: f64,
    /// When a step was seen, and which.
    seen: VecDeque<(f64, u64)>,
}

impl Pace {
    /// A pace over the last `window_s` seconds, or over the last two sightings where steps are
    /// slower than that.
    pub fn new(window_s: f64) -> Self {
        Self {
            window_s,
            seen: VecDeque::new(),
        }
    }

    /// At `now_s` the run stood at `step`. The first call should tell where the run began.
    pub fn record(&mut self, now_s: f64, step: u64) {
        match self.seen.back() {
            Some(&(_, last)) if last == step => return,
            // A run that was put back counts from there.
            Some(&(_, last)) if last > step => self.seen.clear(),
            _ => {}
        }
        self.seen.push_back((now_s, step));
        while self.seen.len() > 2 && self.seen[1].0 <= now_s - self.window_s {
            self.seen.pop_front();
        }
    }

    /// Steps a second at `now_s`; none before a second step was seen.
    pub fn steps_per_second(&self, now_s: f64) -> Option<f64> {
        let (&(first_s, first), &(last_s, last)) = (self.seen.front()?, self.seen.back()?);
        let steps = (last - first) as f64;
        let took = last_s - first_s;
        if steps == 0.0 || took <= 0.0 {
            return None;
        }
        // A run that has stood still for longer than a step takes has become slower.
        let silence = now_s - last_s;
        let took = if silence > took / steps {
            now_s - first_s
        } else {
            took
        };
        Some(steps / took)
    }

    /// The seconds left at `now_s` of a run of `steps` steps.
    pub fn time_left(&self, now_s: f64, steps: u64) -> Option<f64> {
        let step = self.seen.back()?.1;
        if step >= steps {
            return Some(0.0);
        }
        Some((steps - step) as f64 / self.steps_per_second(now_s)?)
    }
}

/// The seconds left of a whole sweep of `jobs` places: `running` has the steps left and the pace
/// of each running run (none where it is not known yet), `waiting` the steps of those that come,
/// in their order. A run of unknown pace is taken to go at the mean of the others; none where no
/// pace is known.
pub fn sweep_time_left(
    running: &[(u64, Option<f64>)],
    waiting: &[u64],
    jobs: usize,
) -> Option<f64> {
    let known: Vec<f64> = running.iter().filter_map(|(_, pace)| *pace).collect();
    let left: u64 = running.iter().map(|(left, _)| left).chain(waiting).sum();
    if left == 0 {
        return Some(0.0);
    }
    if known.is_empty() {
        return None;
    }
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let seconds = |left: u64, pace: f64| Seconds(if left == 0 { 0.0 } else { left as f64 / pace });
    // When each place is free; every waiting run takes the one that is free first.
    let mut free: BinaryHeap<Reverse<Seconds>> = running
        .iter()
        .map(|(left, pace)| Reverse(seconds(*left, pace.unwrap_or(mean))))
        .collect();
    let mut end = free.iter().map(|Reverse(at)| at.0).fold(0.0, f64::max);
    for steps in waiting {
        let idle = free.len() < jobs;
        let start = if idle {
            0.0
        } else {
            free.pop().map_or(0.0, |Reverse(at)| at.0)
        };
        let at = start + seconds(*steps, mean).0;
        end = end.max(at);
        free.push(Reverse(Seconds(at)));
    }
    Some(end)
}

/// Seconds with an order.
#[derive(Clone, Copy)]
struct Seconds(f64);

impl PartialEq for Seconds {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Seconds {}

impl PartialOrd for Seconds {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Seconds {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// Seconds as a person says them: `45s`, `2m 05s`, `3h 07m`, `2d 04h`.
pub fn human_time(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "unknown".to_owned();
    }
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0..60 => format!("{whole}s"),
        60..3_600 => format!("{}m {:02}s", whole / 60, whole % 60),
        3_600..86_400 => format!("{}h {:02}m", whole / 3_600, whole % 3_600 / 60),
        _ => format!("{}d {:02}h", whole / 86_400, whole % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_two_parts() {
        let said = [
            0.2,
            45.0,
            59.6,
            125.0,
            3_599.0,
            3_600.0,
            11_220.0,
            187_200.0,
            -3.0,
            f64::NAN,
        ]
        .map(human_time);
        let expected = [
            "0s", "45s", "1m 00s", "2m 05s", "59m 59s", "1h 00m", "3h 07m", "2d 04h", "0s",
            "unknown",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn a_steady_run_has_a_steady_pace() {
        let mut pace = Pace::new(10.0);
        assert_eq!(pace.steps_per_second(0.0), None);
        pace.record(0.0, 100);
        assert_eq!(pace.steps_per_second(1.0), None);
        for tick in 1..=300 {
            pace.record(f64::from(tick) * 0.1, 100 + tick as u64 / 2);
        }
        let now = pace.steps_per_second(30.0).unwrap_or_default();
        assert!((now - 5.0).abs() < 0.1, "{now}");
        let left = pace.time_left(30.0, 350).unwrap_or_default();
        assert!((left - 20.0).abs() < 0.5, "{left}");
        assert_eq!(pace.time_left(30.0, 250), Some(0.0));
    }

    #[test]
    fn only_the_window_counts() {
        let mut pace = Pace::new(10.0);
        (0..=100).for_each(|tick| pace.record(f64::from(tick), tick as u64));
        (1..=20).for_each(|tick| pace.record(100.0 + f64::from(tick), 100 + 10 * tick as u64));
        assert_eq!(pace.steps_per_second(120.0), Some(10.0));
    }

    #[test]
    fn steps_slower_than_the_window_still_have_a_pace() {
        let mut pace = Pace::new(10.0);
        (0..5).for_each(|tick| pace.record(60.0 * f64::from(tick), tick as u64));
        assert_eq!(pace.steps_per_second(240.0), Some(1.0 / 60.0));
    }

    #[test]
    fn a_run_that_stands_still_becomes_slower() {
        let mut pace = Pace::new(10.0);
        (0..=10).for_each(|tick| pace.record(f64::from(tick), tick as u64));
        assert_eq!(pace.steps_per_second(10.5), Some(1.0));
        assert_eq!(pace.steps_per_second(20.0), Some(0.5));
    }

    #[test]
    fn a_run_put_back_starts_over() {
        let mut pace = Pace::new(10.0);
        pace.record(0.0, 50);
        pace.record(1.0, 60);
        pace.record(2.0, 40);
        assert_eq!(pace.steps_per_second(2.0), None);
        pace.record(3.0, 42);
        assert_eq!(pace.steps_per_second(3.0), Some(2.0));
    }

    #[test]
    fn a_sweep_ends_with_its_last_place() {
        let pace = Some(10.0);
        assert_eq!(sweep_time_left(&[], &[], 2), Some(0.0));
        assert_eq!(sweep_time_left(&[], &[0, 0], 2), Some(0.0));
        assert_eq!(sweep_time_left(&[(100, None)], &[100], 2), None);
        assert_eq!(sweep_time_left(&[(100, pace)], &[], 2), Some(10.0));
        assert_eq!(
            sweep_time_left(&[(100, pace), (50, pace)], &[100, 100], 2),
            Some(20.0)
        );
        assert_eq!(
            sweep_time_left(&[(100, pace), (100, None)], &[100], 2),
            Some(20.0)
        );
        assert_eq!(sweep_time_left(&[(100, pace)], &[100], 2), Some(10.0));
        assert_eq!(sweep_time_left(&[(100, pace)], &[100; 3], 1), Some(40.0));
    }
}
