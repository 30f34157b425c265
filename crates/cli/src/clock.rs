//! What time it is: now, or what `--now` says, for the whole of a run.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use rollout_guard::date::{Clock, Time};

static TIME: OnceLock<Time> = OnceLock::new();

/// Reads `--now`.
pub(crate) fn parse(text: &str) -> Result<Time, String> {
    Time::parse(text)
        .ok_or_else(|| "expected a date such as 2026-12-31 or 2026-12-31T18:00:00Z".to_owned())
}

/// Makes it this time, for the rest of the run.
pub(crate) fn set(time: Time) {
    // It is set once, before anybody asks.
    let _ = TIME.set(time);
}

/// The clock that settings are judged by.
pub(crate) fn get() -> Clock {
    Clock::At(*TIME.get_or_init(|| {
        let passed = SystemTime::now().duration_since(UNIX_EPOCH);
        let seconds = passed.map_or(0, |passed| passed.as_secs());
        Time::from_seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
    }))
}
