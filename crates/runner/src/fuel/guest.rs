//! The waPC protocol, as far as a count needs it.

use ::wapc::{HOST_NAMESPACE, wapc_functions as wapc};
use wasmtime_provider::wasmtime::{
    Caller, Error, Extern, Instance, Linker, Memory, Result, Store, error::format_err,
};

use super::wasi::Exit;
use crate::{
    callback::{Callback, Services},
    host::HostError,
};

/// The host's end of one instance.
pub(super) struct Guest {
    operation: Vec<u8>,
    payload: Vec<u8>,
    response: Option<Vec<u8>>,
    error: Option<String>,
    callback: Callback,
    host_response: Vec<u8>,
    host_error: Vec<u8>,
    /// What the guest printed: a panic says there what happened.
    pub(super) output: Vec<u8>,
}

impl Guest {
    pub(super) fn new(operation: &str, payload: &[u8]) -> Self {
        Self {
            operation: operation.as_bytes().to_owned(),
            payload: payload.to_owned(),
            response: None,
            error: None,
            callback: Callback::new(Services::default()),
            host_response: Vec::new(),
            host_error: Vec::new(),
            output: Vec::new(),
        }
    }

    pub(super) fn check_log(&self) -> std::result::Result<(), HostError> {
        self.callback
            .take_fault()
            .map_or(Ok(()), |fault| Err(HostError::Log(fault)))
    }

    /// Why wasmtime stopped the guest, with what the guest printed.
    pub(super) fn explain(&self, error: &Error) -> String {
        let mut text = error.root_cause().to_string();
        let output = String::from_utf8_lossy(&self.output);
        if !output.trim().is_empty() {
            text = format!("{text}: {}", output.trim());
        }
        text
    }

    /// The answer of a guest whose `__guest_call` returned `returned`, with the texts of waPC's
    /// own host.
    pub(super) fn answer(self, returned: i32) -> std::result::Result<Vec<u8>, HostError> {
        let error = match (returned, self.response, self.error) {
            (0, _, None) => "No error message set for call failure".to_owned(),
            (0, _, Some(error)) | (_, None, Some(error)) => error,
            (_, None, None) => "No error message OR response set for call success".to_owned(),
            (_, Some(response), _) => return Ok(response),
        };
        Err(HostError::Guest(format!("Guest call failure: {error}")))
    }
}

/// Runs what the host runs before the first call.
pub(super) fn start(store: &mut Store<Guest>, instance: &Instance) -> Result<()> {
    for name in wapc::REQUIRED_STARTS {
        if instance.get_export(&mut *store, name).is_none() {
            continue;
        }
        let function = instance.get_typed_func::<(), ()>(&mut *store, name)?;
        match function.call(&mut *store, ()) {
            // A WASI command ends its `_start` with an exit.
            Err(error) if error.downcast_ref() == Some(&Exit(0)) => (),
            other => other?,
        }
    }
    Ok(())
}

/// Runs the call; whether it went well is for [`Guest::answer`] to say.
pub(super) fn call(store: &mut Store<Guest>, instance: &Instance) -> Result<i32> {
    let lengths = (
        i32::try_from(store.data().operation.len())?,
        i32::try_from(store.data().payload.len())?,
    );
    instance
        .get_typed_func::<(i32, i32), i32>(&mut *store, wapc::GUEST_CALL)?
        .call(store, lengths)
}

/// Defines waPC's imports.
pub(super) fn link(linker: &mut Linker<Guest>) -> Result<()> {
    linker.func_wrap(
        HOST_NAMESPACE,
        wapc::GUEST_REQUEST_FN,
        |mut caller: Caller<'_, Guest>, operation: u32, payload: u32| {
            let guest = caller.data();
            let (name, bytes) = (guest.operation.clone(), guest.payload.clone());
            write(&mut caller, payload, &bytes)?;
            write(&mut caller, operation, &name)
        },
    )?;
    linker.func_wrap(
        HOST_NAMESPACE,
        wapc::GUEST_RESPONSE_FN,
        |mut caller: Caller<'_, Guest>, start: u32, length: u32| {
            caller.data_mut().response = Some(read(&mut caller, start, length)?);
            Ok(())
        },
    )?;
    linker.func_wrap(
        HOST_NAMESPACE,
        wapc::GUEST_ERROR_FN,
        |mut caller: Caller<'_, Guest>, start: u32, length: u32| {
            caller.data_mut().error = Some(read_text(&mut caller, start, length)?);
            Ok(())
        },
    )?;
    linker.func_wrap(
        HOST_NAMESPACE,
        wapc::HOST_CONSOLE_LOG,
        |_: Caller<'_, Guest>, _start: u32, _length: u32| (),
    )?;
    linker.func_wrap(HOST_NAMESPACE, wapc::HOST_CALL, host_call)?;
    linker.func_wrap(
        HOST_NAMESPACE,
        wapc::HOST_RESPONSE_LEN_FN,
        |caller: Caller<'_, Guest>| Ok(u32::try_from(caller.data().host_response.len())?),
    )?;
    linker.func_wrap(
        HOST_NAMESPACE,
        wapc::HOST_RESPONSE_FN,
        |mut caller: Caller<'_, Guest>, start: u32| {
            let response = caller.data().host_response.clone();
            write(&mut caller, start, &response)
        },
    )?;
    linker.func_wrap(
        HOST_NAMESPACE,
        wapc::HOST_ERROR_LEN_FN,
        |caller: Caller<'_, Guest>| Ok(u32::try_from(caller.data().host_error.len())?),
    )?;
    linker.func_wrap(
        HOST_NAMESPACE,
        wapc::HOST_ERROR_FN,
        |mut caller: Caller<'_, Guest>, start: u32| {
            let error = caller.data().host_error.clone();
            write(&mut caller, start, &error)
        },
    )?;
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "the signature is waPC's")]
fn host_call(
    mut caller: Caller<'_, Guest>,
    binding: u32,
    binding_length: u32,
    namespace: u32,
    namespace_length: u32,
    operation: u32,
    operation_length: u32,
    payload: u32,
    payload_length: u32,
) -> Result<i32> {
    let binding = read_text(&mut caller, binding, binding_length)?;
    let namespace = read_text(&mut caller, namespace, namespace_length)?;
    let operation = read_text(&mut caller, operation, operation_length)?;
    let payload = read(&mut caller, payload, payload_length)?;
    let guest = caller.data_mut();
    let answer = guest
        .callback
        .answer(&binding, &namespace, &operation, &payload);
    let (returned, response, error) = match answer {
        Ok(response) => (1, response, Vec::new()),
        Err(error) => (0, Vec::new(), error.into_bytes()),
    };
    guest.host_response = response;
    guest.host_error = error;
    Ok(returned)
}

fn memory(caller: &mut Caller<'_, Guest>) -> Result<Memory> {
    caller
        .get_export("memory")
        .and_then(Extern::into_memory)
        .ok_or_else(|| format_err!("the guest exports no memory"))
}

/// Copies bytes out of the guest.
pub(super) fn read(caller: &mut Caller<'_, Guest>, start: u32, length: u32) -> Result<Vec<u8>> {
    let memory = memory(caller)?;
    let start = usize::try_from(start)?;
    start
        .checked_add(usize::try_from(length)?)
        .and_then(|end| memory.data(&mut *caller).get(start..end))
        .map(<[u8]>::to_vec)
        .ok_or_else(|| format_err!("the guest points beyond its memory"))
}

fn read_text(caller: &mut Caller<'_, Guest>, start: u32, length: u32) -> Result<String> {
    Ok(String::from_utf8(read(caller, start, length)?)?)
}

/// Copies bytes into the guest.
pub(super) fn write(caller: &mut Caller<'_, Guest>, start: u32, bytes: &[u8]) -> Result<()> {
    let memory = memory(caller)?;
    Ok(memory.write(&mut *caller, usize::try_from(start)?, bytes)?)
}
