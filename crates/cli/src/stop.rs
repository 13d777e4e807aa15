//! How a process is asked to stop at the next step boundary.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};

use crate::exit::Exit;

/// How long a process whose stdin has closed may take for the step it is at. What is lost of it is made again.
const GRACE: Duration = Duration::from_secs(60);

/// A flag that Ctrl-C, SIGTERM and SIGUSR1, a cluster's warning before the time limit, raise.
pub fn on_signals() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGUSR1] {
        // It can only fail for signals that must not be caught; then the default, an abrupt end, is safe too.
        let _ = signal_hook::flag::register(signal, Arc::clone(&stop));
    }
    stop
}

/// Raises the flag when stdin closes, which happens when its other end dies, by whatever cause. The process ends then, if need be
/// in the middle of a step.
pub fn with_stdin(stop: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let mut byte = [0];
        while matches!(std::io::stdin().read(&mut byte), Ok(n) if n > 0) {}
        stop.store(true, Ordering::Relaxed);
        // A step that hangs, on a device that is gone, would leave this process behind for ever.
        std::thread::sleep(GRACE);
        std::process::exit(Exit::Stopped as i32);
    });
}
