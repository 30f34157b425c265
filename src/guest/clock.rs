//! The clock of the host.

#![expect(unsafe_code, reason = "the host writes the time where it is told to")]

use crate::date::Time;

/// The time of day, in WASI's numbers.
const REAL_TIME: u32 = 0;

const NANOSECONDS: u64 = 1_000_000_000;

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn clock_time_get(clock: u32, precision: u64, time: *mut u64) -> u32;
}

/// The time, if the host has a clock. (The standard library panics where there is none.)
pub(super) fn now() -> Option<Time> {
    let mut time = 0;
    // SAFETY: the place is as large as what the host writes.
    let error = unsafe { clock_time_get(REAL_TIME, NANOSECONDS, &raw mut time) };
    let seconds = i64::try_from(time / NANOSECONDS).ok()?;
    (error == 0).then(|| Time::from_seconds(seconds))
}
