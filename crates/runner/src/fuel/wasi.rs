//! The WASI functions that Rust's standard library asks for, without anything behind them. What is
//! not here stops the guest with the function's name.

use thiserror::Error;
use wasmtime_provider::wasmtime::{Caller, Linker, Result};

use super::guest::{Guest, read, write};

/// The guest ended itself.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("the policy exits with code {0}")]
pub(super) struct Exit(pub(super) i32);

const MODULE: &str = "wasi_snapshot_preview1";

/// WASI's codes: done, and no such file descriptor.
const SUCCESS: i32 = 0;
const BAD_DESCRIPTOR: i32 = 8;

const STDERR: u32 = 2;

/// Defines the functions.
pub(super) fn link(linker: &mut Linker<Guest>) -> Result<()> {
    linker.func_wrap(
        MODULE,
        "random_get",
        |mut caller: Caller<'_, Guest>, start: u32, length: u32| {
            // Always the same bytes: the seed of a map must not change the count.
            let bytes = vec![0x5a; usize::try_from(length)?];
            write(&mut caller, start, &bytes)?;
            Ok(SUCCESS)
        },
    )?;
    linker.func_wrap(
        MODULE,
        "clock_time_get",
        |mut caller: Caller<'_, Guest>, _clock: u32, _precision: u64, time: u32| {
            write(&mut caller, time, &0_u64.to_le_bytes())?;
            Ok(SUCCESS)
        },
    )?;
    for (sizes, list) in [
        ("environ_sizes_get", "environ_get"),
        ("args_sizes_get", "args_get"),
    ] {
        linker.func_wrap(
            MODULE,
            sizes,
            |mut caller: Caller<'_, Guest>, count: u32, size: u32| {
                write(&mut caller, count, &0_u32.to_le_bytes())?;
                write(&mut caller, size, &0_u32.to_le_bytes())?;
                Ok(SUCCESS)
            },
        )?;
        linker.func_wrap(MODULE, list, |_: u32, _: u32| SUCCESS)?;
    }
    linker.func_wrap(MODULE, "sched_yield", || SUCCESS)?;
    linker.func_wrap(MODULE, "proc_exit", |code: i32| -> Result<()> {
        Err(Exit(code).into())
    })?;
    linker.func_wrap(MODULE, "fd_write", fd_write)?;
    Ok(())
}

/// Takes what the guest prints to stdout and stderr.
fn fd_write(
    mut caller: Caller<'_, Guest>,
    descriptor: u32,
    buffers: u32,
    count: u32,
    written: u32,
) -> Result<i32> {
    if !(1..=STDERR).contains(&descriptor) {
        return Ok(BAD_DESCRIPTOR);
    }
    let mut printed = Vec::new();
    // Each entry is the address and the length of one buffer.
    let list = read(&mut caller, buffers, count.saturating_mul(8))?;
    let (words, _) = list.as_chunks();
    for &[start, length] in words.as_chunks().0 {
        let (start, length) = (u32::from_le_bytes(start), u32::from_le_bytes(length));
        printed.extend(read(&mut caller, start, length)?);
    }
    let size = u32::try_from(printed.len())?;
    caller.data_mut().output.extend(printed);
    write(&mut caller, written, &size.to_le_bytes())?;
    Ok(SUCCESS)
}
