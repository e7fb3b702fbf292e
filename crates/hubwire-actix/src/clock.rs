//! Where time enters.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time of day.
pub(crate) fn now() -> SystemTime {
    #[expect(clippy::disallowed_methods, reason = "this is the edge where time enters")]
    SystemTime::now()
}

/// Seconds since 1970, which tokens expire in.
pub(crate) fn unix_seconds() -> u32 {
    let seconds = now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    u32::try_from(seconds).unwrap_or(u32::MAX)
}
