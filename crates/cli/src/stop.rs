//! How a process is asked to stop at the next step boundary.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{sleep, spawn};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};

use crate::exit::Exit;

/// How long a worker may take for the step or the evaluation it is at. What is lost of it is made again.
const GRACE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

/// A flag that Ctrl-C, SIGTERM and SIGUSR1, a cluster's warning before the time limit, raise. A second Ctrl-C ends the process.
pub fn on_signals() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    // Before the flag, which the first Ctrl-C has yet to raise. It can only fail for signals that must not be caught; then
    // the default, an abrupt end, is safe too.
    let at_once = i32::from(Exit::Stopped as u8);
    let _ = signal_hook::flag::register_conditional_shutdown(SIGINT, at_once, Arc::clone(&stop));
    for signal in [SIGINT, SIGTERM, SIGUSR1] {
        let _ = signal_hook::flag::register(signal, Arc::clone(&stop));
    }
    stop
}

/// Raises the flag when stdin closes, which happens when its other end dies, by whatever cause.
pub fn with_stdin(stop: Arc<AtomicBool>) {
    spawn(move || {
        let mut byte = [0];
        while matches!(std::io::stdin().read(&mut byte), Ok(n) if n > 0) {}
        stop.store(true, Ordering::Relaxed);
    });
}

/// Ends a process some time after the flag was raised, wherever it is: an evaluation may take long, and a step that hangs, on a
/// device that is gone, would leave it behind for ever.
pub fn at_last(stop: Arc<AtomicBool>) {
    spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            sleep(POLL);
        }
        sleep(GRACE);
        // Without the handlers of libraries below, which might wait for the very device that hangs.
        signal_hook::low_level::exit(i32::from(Exit::Stopped as u8));
    });
}
