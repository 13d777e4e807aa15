//! The scheduler, with workers that are short scripts.
#![allow(clippy::unwrap_used)]

mod scheduler {
    mod batched;
    mod bench;
    mod failures;
    mod held;
    mod pool;
    mod sharing;
    mod stopping;
}
