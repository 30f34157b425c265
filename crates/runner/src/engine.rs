//! The one wasmtime engine of the process, and the clock of its deadlines.

use std::{sync::OnceLock, thread, time::Duration};

use wasmtime_provider::{
    EpochDeadlines,
    wasmtime::{Config, Engine},
};

use crate::host::HostError;

/// How long `wapc_init` and each call may take, in ticks of one second: policy-server's
/// `--policy-timeout`, whose default is 2. The call is stopped after more than one second and at
/// most two.
pub(crate) const DEADLINES: EpochDeadlines = EpochDeadlines {
    wapc_init: 2,
    wapc_func: 2,
};

const TICK: Duration = Duration::from_secs(1);

/// The engine, configured as policy-server configures its own. It is started on first use.
pub(crate) fn shared() -> Result<&'static Engine, HostError> {
    static ENGINE: OnceLock<Result<Engine, String>> = OnceLock::new();
    ENGINE
        .get_or_init(start)
        .as_ref()
        .map_err(|error| HostError::Engine(error.clone()))
}

fn start() -> Result<Engine, String> {
    let mut config = config();
    config.epoch_interruption(true);
    let engine = Engine::new(&config).map_err(|error| error.to_string())?;
    let ticking = engine.clone();
    thread::Builder::new()
        .name("epoch-ticker".to_owned())
        .spawn(move || {
            loop {
                // Sleeping after each tick never makes up for missed ones: on a loaded machine a
                // burst of ticks would stop policies that had no time to run.
                thread::sleep(TICK);
                ticking.increment_epoch();
            }
        })
        .map_err(|error| error.to_string())?;
    Ok(engine)
}

/// Which WebAssembly a policy may be written in: wasmtime's defaults and function references.
pub(crate) fn config() -> Config {
    let mut config = Config::new();
    config.wasm_function_references(true);
    config
}
