//! The reference folder beside the project, for tests that compare with it.

use std::io::Write as _; // straight to stderr: what a passing test prints is not shown
use std::path::{Path, PathBuf};

/// Where the folder lies unless `MEZO_SHARED` says otherwise.
#[allow(dead_code, reason = "not every test file needs it")]
pub fn beside_project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared")
}

/// The path below the shared folder; prints that `what` is skipped where it is not there.
pub fn shared(below: &str, what: &str) -> Option<PathBuf> {
    let root = match std::env::var_os("MEZO_SHARED") {
        Some(root) => PathBuf::from(root),
        None => beside_project(),
    };
    let path = root.join(below);
    if path.exists() {
        return Some(path);
    }
    if root.exists() {
        let _ = writeln!(std::io::stderr(), "skipped: {what} (no {})", path.display());
    } else {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: {what} (no shared folder at {})",
            root.display()
        );
    }
    None
}
