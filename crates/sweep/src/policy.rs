//! What a run's failures mean for its next attempt. It is decided by the files alone, so that everybody decides the same.

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
/// in a row without a step, and one whose device failed goes on elsewhere, once. Anything else would happen again.
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
        Class::OutOfMemory | Class::DiskFull | Class::BadData | Class::Error => true,
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

/// Whether a run with these attempts is to go alone in a process: its last attempt that ended was killed, hung, ran out of
/// memory or lost its device. A failure that a run has in company counts for it as any other does, because nobody can tell
/// which of them caused it; whoever did is found out alone, and takes no other run down twice.
pub(crate) fn goes_alone(attempts: &[Attempt]) -> bool {
    let last = attempts.iter().rev().find_map(|attempt| match attempt {
        Attempt::End(end) => Some(end),
        Attempt::Start(_) | Attempt::Retry { .. } => None,
    });
    last.is_some_and(|end| {
        end.reason == EndReason::Failed
            && matches!(
                class_of(end),
                Class::OutOfMemory | Class::DeviceFault | Class::Killed | Class::Hang
            )
    })
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
        let Attempt::End(end) = failed(Class::Killed, 3) else {
            unreachable!()
        };
        let stopped = Attempt::End(End {
            reason: EndReason::Stopped,
            class: None,
            ..end
        });
        assert!(!goes_alone(&[failed(Class::Killed, 3), stopped]));
    }

    #[test]
    fn a_run_that_fails_on_two_devices_has_failed() {
        let fault = || failed(Class::DeviceFault, 0);
        assert_eq!(class(&[fault()]), None);
        assert_eq!(class(&[fault(), fault()]), Some((Class::DeviceFault, 2)));
        assert_eq!(class(&[fault(), failed(Class::Killed, 4), fault()]), None);
    }
}
