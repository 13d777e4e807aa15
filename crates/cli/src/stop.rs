//! How a process is asked to stop at the next step boundary.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};

/// A flag that Ctrl-C and SIGTERM raise.
pub fn on_signals() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // It can only fail for signals that must not be caught; then the default, an abrupt end, is safe too.
        let _ = signal_hook::flag::register(signal, Arc::clone(&stop));
    }
    stop
}

/// Raises the flag when stdin closes, which happens when its other end dies, by whatever cause.
pub fn with_stdin(stop: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let mut byte = [0];
        while matches!(std::io::stdin().read(&mut byte), Ok(n) if n > 0) {}
        stop.store(true, Ordering::Relaxed);
    });
}
