//! Turning a panic of a library below into an error of the run.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Mutex, Once, PoisonError};

/// What the first panic said. A device's driver panics in a thread of its own, and what the caller sees of it is the end of a
/// channel.
static FIRST: Mutex<Option<String>> = Mutex::new(None);

/// Does some work; where it panics, what the first panic of the process said.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static LISTEN: Once = Once::new();
    LISTEN.call_once(listen);
    *first() = None;
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
        let said = first().take();
        said.unwrap_or_else(|| "a panic without words".into())
    })
}

/// Keeps the words of the first panic; what was done with panics before is still done.
fn listen() {
    let before = take_hook();
    set_hook(Box::new(move |panic| {
        let words = panic.payload_as_str().unwrap_or("a panic without words");
        let at = panic.location().map(ToString::to_string);
        let said = format!("{words} ({})", at.unwrap_or_default());
        first().get_or_insert(said);
        before(panic);
    }));
}

fn first() -> std::sync::MutexGuard<'static, Option<String>> {
    FIRST.lock().unwrap_or_else(PoisonError::into_inner)
}
