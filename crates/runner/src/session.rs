//! A recorded session: what a policy asked of its host, and what it was told.
//!
//! The file is kwctl's (`kwctl run --record-host-capabilities-interactions`): a list, in which each
//! request is YAML within a string.
//!
//! ```yaml
//! - type: Exchange
//!   request: |
//!     !OciManifestDigest
//!     image: registry.example.com/redis:7.2
//!   response:
//!     type: Success                # or: type: Error, message: why
//!     payload: '{"digest":"sha256:…"}'
//! ```

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::anyhow;
use serde::Deserialize;
use thiserror::Error;

use crate::callback::HostRequest;

/// Answers that are given in the order of the file, each to the request that it was recorded for
/// (`kwctl`, `callback_handler/proxy.rs`).
#[derive(Debug)]
pub struct Session(Mutex<VecDeque<Exchange>>);

/// Why a file is no session.
#[derive(Debug, Error)]
pub enum SessionError {
    /// No YAML, or not a list of exchanges.
    #[error("not a session: {0}")]
    Yaml(yaml_serde::Error),
    /// A request that cannot be read, or that no policy can make of this host.
    #[error("exchange {number}: `request`: {source}")]
    Request {
        /// Which one, counted from 1.
        number: usize,
        /// What is wrong with it.
        source: yaml_serde::Error,
    },
}

#[derive(Debug)]
struct Exchange {
    request: HostRequest,
    response: Response,
}

#[derive(Deserialize)]
#[serde(expecting = "an exchange with `request` and `response`")]
struct ExchangeInFile {
    request: String,
    response: Response,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
enum Response {
    Success { payload: String },
    Error { message: String },
}

impl Session {
    /// Reads the text of a session file, YAML or JSON.
    ///
    /// # Errors
    ///
    /// When it is not a list of exchanges, or a request is of a kind that this host does not answer.
    pub fn from_yaml(text: &str) -> Result<Self, SessionError> {
        let exchanges: Vec<ExchangeInFile> =
            yaml_serde::from_str(text).map_err(SessionError::Yaml)?;
        let read = |(index, exchange): (usize, ExchangeInFile)| {
            Ok(Exchange {
                request: yaml_serde::from_str(&exchange.request).map_err(|source| {
                    SessionError::Request {
                        number: index + 1,
                        source,
                    }
                })?,
                response: exchange.response,
            })
        };
        let exchanges: Result<_, _> = exchanges.into_iter().enumerate().map(read).collect();
        Ok(Self(Mutex::new(exchanges?)))
    }

    /// Takes the next exchange and answers with what was recorded.
    ///
    /// # Errors
    ///
    /// The recorded error; when nothing is left; when the exchange is about another request, which
    /// is then used up all the same.
    pub fn answer(&self, request: &HostRequest) -> anyhow::Result<Vec<u8>> {
        let Some(exchange) = self.exchanges().pop_front() else {
            return Err(anyhow!("the list of recorded responses is empty"));
        };
        if exchange.request != *request {
            return Err(anyhow!(
                "Replay error: unexpected request. Was expecting {:?}, got {request:?} instead",
                exchange.request
            ));
        }
        match exchange.response {
            Response::Success { payload } => Ok(payload.into_bytes()),
            Response::Error { message } => Err(anyhow!("{message}")),
        }
    }

    /// The requests that nobody made yet, in the order of the file.
    pub fn leftovers(&self) -> Vec<HostRequest> {
        self.exchanges()
            .iter()
            .map(|exchange| exchange.request.clone())
            .collect()
    }

    fn exchanges(&self) -> MutexGuard<'_, VecDeque<Exchange>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
