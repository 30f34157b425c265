//! Exact instruction counts.
//!
//! wasmtime counts the instructions that it runs ("fuel"). Two runs of one module with one payload
//! must count the same, so nothing may come from outside: the module is linked anew, with
//! `random_get` and the clock fixed (waPC's registry in the guest is a map with a random seed) and
//! next to no WASI.
//!
//! `nop`, `drop`, `block` and `loop` are free, every other instruction counts as one, however much
//! `memory.copy` and `memory.fill` move.

mod guest;
mod wasi;

use wasmtime_provider::wasmtime::{
    Engine, InstancePre, Linker, Module, OperatorCost, Store, VariableOperatorCost,
};

use crate::{engine, host::HostError, wasm_file::WasmFile};

use guest::Guest;

/// What a call cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fuel {
    /// Instructions from the new instance to the end of `wapc_init`.
    pub init: u64,
    /// Instructions of the call.
    pub call: u64,
    /// Bytes of linear memory at the end of the call, which never shrinks.
    pub memory: usize,
    /// What the policy answered.
    pub answer: Vec<u8>,
}

impl Fuel {
    /// Instructions in all: what one request costs.
    pub fn total(&self) -> u64 {
        self.init + self.call
    }
}

/// Counts the instructions of one `validate` with the given payload, and of the `wapc_init`
/// before it.
///
/// # Errors
///
/// As [`FuelMeter::load`] and [`FuelMeter::measure`].
pub fn fuel(wasm: &[u8], payload: &[u8]) -> Result<Fuel, HostError> {
    FuelMeter::load(wasm)?.measure("validate", payload)
}

/// A policy compiled for counting.
pub struct FuelMeter {
    engine: Engine,
    pre: InstancePre<Guest>,
}

/// Where an endless loop ends: far beyond what the deadlines of a host allow.
const LIMIT: u64 = 20_000_000_000;

impl FuelMeter {
    /// Compiles a policy for counting.
    ///
    /// # Errors
    ///
    /// When it is not a waPC policy, or does not compile.
    pub fn load(wasm: &[u8]) -> Result<Self, HostError> {
        WasmFile::read(wasm)?.check()?;
        let mut config = engine::config();
        config.consume_fuel(true).operator_cost(instructions());
        let engine =
            Engine::new(&config).map_err(|error| HostError::Engine(format!("{error:#}")))?;
        let pre = Module::from_binary(&engine, wasm)
            .and_then(|module| {
                let mut linker = Linker::new(&engine);
                guest::link(&mut linker)?;
                wasi::link(&mut linker)?;
                linker.define_unknown_imports_as_traps(&module)?;
                linker.instantiate_pre(&module)
            })
            .map_err(|error| HostError::Compile(format!("{error:#}")))?;
        Ok(Self { engine, pre })
    }

    /// Makes a new instance and counts the instructions of one call.
    ///
    /// # Errors
    ///
    /// When the guest fails, or runs more than 20 billion instructions.
    pub fn measure(&self, operation: &str, payload: &[u8]) -> Result<Fuel, HostError> {
        let mut store = Store::new(&self.engine, Guest::new(operation, payload));
        let instance = store
            .set_fuel(LIMIT)
            .and_then(|()| self.pre.instantiate(&mut store))
            .map_err(|error| HostError::Start(store.data().explain(&error)))?;
        guest::start(&mut store, &instance)
            .map_err(|error| HostError::Start(store.data().explain(&error)))?;
        store.data().check_log()?;
        let after_init = remaining(&store)?;
        let returned = guest::call(&mut store, &instance).map_err(|error| {
            HostError::Guest(format!(
                "Guest call failure: {}",
                store.data().explain(&error)
            ))
        })?;
        store.data().check_log()?;
        let after_call = remaining(&store)?;
        let memory = instance
            .get_memory(&mut store, "memory")
            .map_or(0, |memory| memory.data_size(&store));
        Ok(Fuel {
            init: LIMIT - after_init,
            call: after_init - after_call,
            memory,
            answer: store.into_data().answer(returned)?,
        })
    }
}

/// Wasmtime's costs, without the one for each byte that is copied or filled: that is a small part of an
/// instruction.
fn instructions() -> OperatorCost {
    OperatorCost {
        variable: VariableOperatorCost {
            memory_copy_per_byte: 0,
            memory_fill_per_byte: 0,
            memory_init_per_byte: 0,
            ..VariableOperatorCost::new()
        },
        ..OperatorCost::new()
    }
}

fn remaining(store: &Store<Guest>) -> Result<u64, HostError> {
    store
        .get_fuel()
        .map_err(|error| HostError::Engine(error.to_string()))
}
