//! What a run's failures mean for its next attempt. It is decided by the files alone, so that everybody decides the same.

use std::collections::BTreeSet;

use mezo_run::{Attempt, Class, End, EndReason};

/// Attempts in a row that were killed or hung and made no step, after which a run has failed.
const FUTILE: usize = 3;
/// Devices that a run fails on before it is at fault itself.
const FAULTS: usize = 2;

/// Why a run is not tried again until somebody says so (`mezo sweep retry`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind of its last failure.
    pub class: Class,
    /// What went wrong.
    pub reason: String,
    /// Attempts in a row that failed.
    pub attempts: usize,
}

/// Whether a run with these attempts has failed.
///
/// What comes from outside may pass: a run that was killed or hung goes on from its journal, unless it does so three times
/// in a row without a step, and one whose device failed goes on elsewhere, once. That there was not enough memory for several
/// says nothing of one: it goes on alone. Anything else would happen again.
pub(crate) fn failure(attempts: &[Attempt]) -> Option<Failure> {
    let Some(Attempt::End(last)) = attempts.last() else {
        return None;
    };
    let row = failed_in_a_row(attempts);
    if row.is_empty() {
        return None;
    }
    let class = class_of(last);
    let of_one_kind =
        |alike: &dyn Fn(&End) -> bool| row.iter().take_while(|end| alike(end)).count();
    let failed = match class {
        Class::Killed | Class::Hang => {
            let futile = |end: &End| {
                matches!(class_of(end), Class::Killed | Class::Hang) && end.steps == last.steps
            };
            of_one_kind(&futile) >= FUTILE
        }
        Class::DeviceFault => of_one_kind(&|end| class_of(end) == Class::DeviceFault) >= FAULTS,
        Class::OutOfMemory => !in_batch(attempts, last.attempt),
        Class::DiskFull | Class::BadData | Class::Error => true,
    };
    failed.then(|| Failure {
        class,
        reason: last
            .error
            .clone()
            .unwrap_or_else(|| "no reason was written".to_owned()),
        attempts: row.len(),
    })
}

/// Whether a run with these attempts, that nobody holds, is to go alone in a process: when it last failed it was killed, hung,
/// ran out of memory or lost its device. Nobody can tell which run of a batch caused it; whoever did is found out alone, and
/// takes no other run down twice. An attempt in a batch that ended without a word counts likewise: whoever would have said why
/// was taken down with it.
///
/// That it was stopped or is to be tried again changes nothing of it.
pub(crate) fn goes_alone(attempts: &[Attempt]) -> bool {
    let mut ended = BTreeSet::new();
    for attempt in attempts.iter().rev() {
        match attempt {
            Attempt::End(end) => match end.reason {
                EndReason::Failed => return takes_others_down(class_of(end)),
                EndReason::Finished | EndReason::Diverged => return false,
                EndReason::Stopped => {
                    ended.insert(end.attempt);
                }
            },
            Attempt::Start(start) if start.together > 1 && !ended.contains(&start.attempt) => {
                return true;
            }
            Attempt::Start(_) | Attempt::Retry { .. } => {}
        }
    }
    false
}

/// Whether a failure of this class ends a process, or may do so.
fn takes_others_down(class: Class) -> bool {
    match class {
        Class::OutOfMemory | Class::DeviceFault | Class::Killed | Class::Hang => true,
        Class::DiskFull | Class::BadData | Class::Error => false,
    }
}

/// Whether the attempt of this number was begun together with other runs.
fn in_batch(attempts: &[Attempt], number: u64) -> bool {
    let start = attempts.iter().rev().find_map(|attempt| match attempt {
        Attempt::Start(start) if start.attempt == number => Some(start),
        _ => None,
    });
    start.is_some_and(|start| start.together > 1)
}

/// What the last of these attempts leaves to be said of a run that is to be taken up.
pub(crate) fn last_word(attempts: &[Attempt]) -> Option<String> {
    Some(match attempts.last()? {
        Attempt::Start(_) => "its last process ended without a word".to_owned(),
        Attempt::Retry { .. } => "to be tried again".to_owned(),
        Attempt::End(end) => match end.reason {
            EndReason::Stopped => "stopped".to_owned(),
            EndReason::Failed => format!("{}, goes on", class_of(end)),
            EndReason::Finished | EndReason::Diverged => return None,
        },
    })
}

/// The failed ends since anything else, the newest first.
fn failed_in_a_row(attempts: &[Attempt]) -> Vec<&End> {
    let mut row: Vec<&End> = Vec::new();
    for attempt in attempts.iter().rev() {
        match attempt {
            Attempt::Start(_) => {}
            Attempt::End(end) if end.reason == EndReason::Failed => row.push(end),
            // A silent one that did stop when it was asked to: its sweep has the last word on it.
            Attempt::End(end)
                if row
                    .last()
                    .is_some_and(|failed| failed.attempt == end.attempt)
                    && end.attempt != 0 => {}
            Attempt::End(_) | Attempt::Retry { .. } => break,
        }
    }
    row
}

/// Earlier versions wrote no class.
fn class_of(end: &End) -> Class {
    end.class.unwrap_or(Class::Error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mezo_run::Start;

    fn start(attempt: u64, together: usize) -> Attempt {
        Attempt::Start(Start {
            attempt,
            time: String::new(),
            host: String::new(),
            device: "cpu".to_owned(),
            threads: 1,
            together,
            argv: Vec::new(),
        })
    }

    fn end(attempt: u64, reason: EndReason, class: Option<Class>) -> Attempt {
        Attempt::End(End {
            attempt,
            time: String::new(),
            wall_s: 0.0,
            reason,
            class,
            steps: 0,
            error: None,
        })
    }

    fn failed_at(attempt: u64, class: Class) -> Attempt {
        end(attempt, EndReason::Failed, Some(class))
    }

    fn stopped(attempt: u64) -> Attempt {
        end(attempt, EndReason::Stopped, None)
    }

    fn failed(class: Class, steps: u64) -> Attempt {
        Attempt::End(End {
            attempt: 1,
            time: String::new(),
            wall_s: 0.0,
            reason: EndReason::Failed,
            class: Some(class),
            steps,
            error: Some(format!("{class} at {steps}")),
        })
    }

    /// A silent run that stops when it is asked to says so itself, and then its sweep has its say.
    #[test]
    fn a_run_that_hangs_and_stops_when_asked_is_counted() {
        let hung = |number| {
            let end = |reason, class| {
                let Attempt::End(end) = failed(Class::Hang, 5) else {
                    unreachable!()
                };
                Attempt::End(End {
                    attempt: number,
                    reason,
                    class,
                    ..end
                })
            };
            [
                end(EndReason::Stopped, None),
                end(EndReason::Failed, Some(Class::Hang)),
            ]
        };
        let lines: Vec<Attempt> = (1..=3).flat_map(hung).collect();
        assert_eq!(class(&lines[..4]), None);
        assert_eq!(class(&lines), Some((Class::Hang, 3)));
    }

    fn retry() -> Attempt {
        Attempt::Retry {
            time: String::new(),
        }
    }

    fn class(attempts: &[Attempt]) -> Option<(Class, usize)> {
        failure(attempts).map(|failure| (failure.class, failure.attempts))
    }

    #[test]
    fn what_would_happen_again_has_failed_at_once() {
        for kind in [
            Class::OutOfMemory,
            Class::DiskFull,
            Class::BadData,
            Class::Error,
        ] {
            assert_eq!(class(&[failed(kind, 3)]), Some((kind, 1)));
            assert_eq!(class(&[failed(kind, 3), retry()]), None);
        }
        assert_eq!(class(&[]), None);
    }

    #[test]
    fn a_killed_run_goes_on_while_it_gets_on() {
        let killed = |steps| failed(Class::Killed, steps);
        assert_eq!(class(&[killed(1), killed(1)]), None);
        assert_eq!(
            class(&[killed(1), failed(Class::Hang, 1), killed(1)]),
            Some((Class::Killed, 3))
        );
        assert_eq!(class(&[killed(1), killed(1), killed(2)]), None);
        assert_eq!(class(&[killed(1), killed(1), retry(), killed(1)]), None);
    }

    #[test]
    fn the_last_word_is_the_last_attempts() {
        assert_eq!(last_word(&[]), None);
        assert_eq!(
            last_word(&[retry(), failed(Class::Killed, 1)]).as_deref(),
            Some("killed, goes on")
        );
        assert_eq!(
            last_word(&[failed(Class::Error, 1), retry()]).as_deref(),
            Some("to be tried again")
        );
    }

    #[test]
    fn what_may_take_others_down_goes_alone() {
        for kind in Class::ALL {
            let alone = !matches!(kind, Class::DiskFull | Class::BadData | Class::Error);
            assert_eq!(goes_alone(&[failed(kind, 3)]), alone, "{kind}");
            assert_eq!(goes_alone(&[failed(kind, 3), retry()]), alone, "{kind}");
        }
        assert!(!goes_alone(&[]) && !goes_alone(&[retry()]));
        // It stays so when it is stopped in between, until it fails otherwise.
        let killed = [start(1, 4), failed_at(1, Class::Killed)];
        let again = [start(2, 1), stopped(2), start(3, 1), stopped(3)];
        let lines: Vec<Attempt> = killed.iter().chain(&again).cloned().collect();
        for count in 2..=lines.len() {
            assert!(goes_alone(&lines[..count]), "{count}");
        }
        let otherwise = [start(4, 1), failed_at(4, Class::DiskFull), retry()];
        let lines: Vec<Attempt> = lines.into_iter().chain(otherwise).collect();
        assert!(!goes_alone(&lines));
        // A stop is no failure, in a batch or not.
        for together in [1, 4] {
            assert!(!goes_alone(&[start(1, together), stopped(1)]));
            let result = end(1, EndReason::Finished, None);
            assert!(!goes_alone(&[start(1, together), result]));
        }
    }

    #[test]
    fn what_ended_in_batch_without_a_word_goes_alone() {
        let cut = [start(1, 2)];
        assert!(goes_alone(&cut));
        assert_eq!(class(&cut), None);
        assert!(goes_alone(&[start(1, 2), retry()]));
        assert!(goes_alone(&[start(1, 2), start(2, 1), stopped(2)]));
        assert!(goes_alone(&[start(1, 2), stopped(1), start(2, 2)]));
        // Alone it took nobody down.
        assert!(!goes_alone(&[start(1, 1)]));
        assert!(!goes_alone(&[start(1, 2), stopped(1), start(2, 1)]));
    }

    #[test]
    fn what_had_too_little_memory_in_batch_is_tried_alone() {
        let together = [start(1, 2), failed_at(1, Class::OutOfMemory)];
        assert_eq!(class(&together), None);
        assert!(goes_alone(&together));
        assert_eq!(
            last_word(&together).as_deref(),
            Some("out-of-memory, goes on")
        );
        let alone = [start(2, 1), failed_at(2, Class::OutOfMemory)];
        let lines: Vec<Attempt> = together.iter().chain(&alone).cloned().collect();
        assert_eq!(class(&lines), Some((Class::OutOfMemory, 2)));
        assert_eq!(class(&alone), Some((Class::OutOfMemory, 1)));
        // What a run of several does by itself is its own.
        for kind in [Class::DiskFull, Class::BadData, Class::Error] {
            assert_eq!(class(&[start(1, 2), failed_at(1, kind)]), Some((kind, 1)));
        }
        // How often it was killed, hung or lost its device counts in a batch as alone.
        let killed = |number| [start(number, 2), failed_at(number, Class::Killed)];
        let lines: Vec<Attempt> = (1..=3).flat_map(killed).collect();
        assert_eq!(class(&lines), Some((Class::Killed, 3)));
    }

    #[test]
    fn a_run_that_fails_on_two_devices_has_failed() {
        let fault = || failed(Class::DeviceFault, 0);
        assert_eq!(class(&[fault()]), None);
        assert_eq!(class(&[fault(), fault()]), Some((Class::DeviceFault, 2)));
        assert_eq!(class(&[fault(), failed(Class::Killed, 4), fault()]), None);
    }
}
