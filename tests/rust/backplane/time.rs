//! Waiting for what others do, with a bound.

use std::thread;
use std::time::{Duration, Instant};

/// Looks until something is the case.
#[track_caller]
pub fn within(bound: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + bound;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: not within {bound:?}");
        thread::sleep(Duration::from_millis(1));
    }
}
