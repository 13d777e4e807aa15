//! Turning a panic of a library below into an error of the run.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use crate::error::TrainError;

/// What panics have said. A device's driver panics in a thread of its own, and what the caller sees of it is the end of a
/// channel, perhaps much later: so words are kept until a caller breaks down.
static HEARD: Mutex<Heard> = Mutex::new(Heard::NOTHING);

struct Heard {
    /// What the first panic said that no caller was told of yet.
    untold: Option<String>,
    /// What the first caller that broke down was told: a device that has failed one run may fail the next with other words.
    first_told: Option<String>,
}

impl Heard {
    const NOTHING: Self = Self {
        untold: None,
        first_told: None,
    };

    /// What a caller that breaks down is told.
    fn tell(&mut self) -> String {
        let said = self.untold.take();
        let said = said.unwrap_or_else(|| "a panic without words".into());
        match &self.first_told {
            Some(first) if *first != said => format!("{said}; before that: {first}"),
            _ => self.first_told.insert(said).clone(),
        }
    }
}

/// Begins to listen; what was said until now is of no more interest.
pub(crate) fn listen_anew() {
    static LISTEN: Once = Once::new();
    LISTEN.call_once(listen);
    *heard() = Heard::NOTHING;
}

/// Does some work; where it panics, what the first panic said that nobody was told of yet.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| heard().tell())
}

/// Does some work of a run, to which a panic is an error as others are.
pub(crate) fn tried<T>(work: impl FnOnce() -> Result<T, TrainError>) -> Result<T, TrainError> {
    guarded(work).unwrap_or_else(|message| Err(TrainError::Panicked { message }))
}

/// Lets go of what may lie on a device that is gone: that may panic too, and changes nothing any more.
pub(crate) fn let_go<T>(value: T) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
}

/// Keeps the words of the first panic; what was done with panics before is still done.
fn listen() {
    let before = take_hook();
    set_hook(Box::new(move |panic| {
        let words = panic.payload_as_str().unwrap_or("a panic without words");
        let at = panic.location().map(ToString::to_string);
        let said = format!("{words} ({})", at.unwrap_or_default());
        heard().untold.get_or_insert(said);
        before(panic);
    }));
}

fn heard() -> MutexGuard<'static, Heard> {
    HEARD.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_first_is_told_to_all() {
        let mut heard = Heard::NOTHING;
        heard.untold = Some("out of memory".into());
        assert_eq!(heard.tell(), "out of memory");
        heard.untold = Some("the channel is closed".into());
        assert_eq!(
            heard.tell(),
            "the channel is closed; before that: out of memory"
        );
        assert_eq!(
            heard.tell(),
            "a panic without words; before that: out of memory"
        );
        heard.untold = Some("out of memory".into());
        assert_eq!(heard.tell(), "out of memory");
    }
}
