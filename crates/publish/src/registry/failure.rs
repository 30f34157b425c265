//! Why a registry did not do what it was asked for, on one line.

use std::io;

use oci_client::errors::{DigestError, OciDistributionError, OciEnvelope, OciErrorCode};
use reqwest::StatusCode;
use thiserror::Error;

/// What can be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Other credentials may help: 401 and 403.
    Refused,
    /// It is not there: 404.
    NotFound,
    /// The same may work later: no answer, half an answer, 429, 5xx.
    Unavailable,
    /// Nothing of these: what the registry has or says is wrong.
    Other,
}

/// A registry that did not do what it was asked for.
#[derive(Debug, Error)]
#[error("`{address}`: {message}")]
pub struct RegistryFailure {
    /// What can be done about it.
    pub kind: FailureKind,
    address: String,
    message: String,
}

/// The most of a registry's own words that a message repeats.
const MOST_WORDS: usize = 200;

/// Whom a failure is told about.
pub(super) struct Subject<'a> {
    pub(super) address: &'a str,
    pub(super) registry: &'a str,
    /// What was said about credentials.
    pub(super) authorization: Authorization,
    /// What must not be repeated, whoever repeats it.
    pub(super) secrets: &'a [String],
}

/// What the registry was told about who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Authorization {
    None,
    IdentityToken,
    User,
}

impl Subject<'_> {
    pub(super) fn failure(&self, kind: FailureKind, message: &str) -> RegistryFailure {
        RegistryFailure {
            kind,
            address: self.address.to_owned(),
            message: self.without_secrets(message),
        }
    }

    fn without_secrets(&self, text: &str) -> String {
        let secrets = self.secrets.iter().filter(|secret| !secret.is_empty());
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }

    /// A registry's words as they can stand in a line: of its own form of errors the messages, of a
    /// web page nothing.
    fn words(&self, text: &str) -> String {
        let text = match serde_json::from_str::<OciEnvelope>(text) {
            Ok(envelope) => messages(&envelope),
            Err(_) if text.trim_start().starts_with('<') => String::new(),
            Err(_) => text.to_owned(),
        };
        let text: Vec<_> = text.split_whitespace().collect();
        let text = self.without_secrets(&text.join(" "));
        text.chars().take(MOST_WORDS).collect()
    }

    /// The failure behind an error of the client.
    pub(super) fn of_client(&self, error: &OciDistributionError) -> RegistryFailure {
        match error {
            OciDistributionError::UnauthorizedError { .. } => {
                self.of_status(StatusCode::UNAUTHORIZED, "")
            }
            OciDistributionError::AuthenticationFailure(words) => {
                self.of_status(StatusCode::UNAUTHORIZED, words)
            }
            OciDistributionError::ServerError { code, message, .. } => {
                match StatusCode::from_u16(*code) {
                    Ok(status) => self.of_status(status, message),
                    Err(_) => self.failure(FailureKind::Other, &self.words(message)),
                }
            }
            OciDistributionError::RegistryError { envelope, .. } => {
                let status = envelope.errors.first().map(|error| status_of(&error.code));
                self.of_status(
                    status.unwrap_or(StatusCode::BAD_REQUEST),
                    &messages(envelope),
                )
            }
            OciDistributionError::RequestError(error) => self.of_request(error),
            OciDistributionError::IoError(error) => self.of_stream(error),
            OciDistributionError::DigestError(error) => self.of_digest(error),
            OciDistributionError::VersionedParsingError(_)
            | OciDistributionError::ManifestParsingError(_)
            | OciDistributionError::ManifestEncodingError(_)
            | OciDistributionError::JsonError(_) => self.failure(
                FailureKind::Other,
                "the registry's answer is not a manifest",
            ),
            other => self.failure(FailureKind::Other, &self.words(&other.to_string())),
        }
    }

    /// The failure behind an answer that is no success.
    pub(super) fn of_status(&self, status: StatusCode, body: &str) -> RegistryFailure {
        let registry = self.registry;
        let (kind, message) = match status {
            StatusCode::UNAUTHORIZED => (
                FailureKind::Refused,
                match self.authorization {
                    Authorization::None => format!(
                        "`{registry}` wants credentials, and Docker's configuration has none for \
                         it that can be read: `docker login {registry}`"
                    ),
                    Authorization::IdentityToken => format!(
                        "`{registry}` wants a user and a password, and Docker's configuration has \
                         an identity token for it: `docker login {registry}`"
                    ),
                    Authorization::User => format!(
                        "`{registry}` does not accept the user and password that Docker's \
                         configuration has for it"
                    ),
                },
            ),
            StatusCode::FORBIDDEN => (FailureKind::Refused, format!("`{registry}` denies access")),
            StatusCode::NOT_FOUND => (
                FailureKind::NotFound,
                format!("`{registry}` does not have it"),
            ),
            StatusCode::TOO_MANY_REQUESTS => (
                FailureKind::Unavailable,
                format!("`{registry}` has had too many requests, try again later"),
            ),
            status if status.is_server_error() => (
                FailureKind::Unavailable,
                format!("`{registry}` fails with {status}, try again later"),
            ),
            status if status.is_redirection() => (
                FailureKind::Other,
                format!(
                    "`{registry}` sends to another place ({status}), which is not followed here"
                ),
            ),
            status => (FailureKind::Other, format!("`{registry}` answers {status}")),
        };
        let words = self.words(body);
        if words.is_empty() {
            self.failure(kind, &message)
        } else {
            self.failure(kind, &format!("{message} ({words})"))
        }
    }

    /// The failure behind a request that got no whole answer.
    pub(super) fn of_request(&self, error: &reqwest::Error) -> RegistryFailure {
        if let Some(status) = error.status() {
            return self.of_status(status, "");
        }
        let registry = self.registry;
        let cause = self.words(&root_cause(error));
        let (kind, message) = if error.is_redirect() {
            (
                FailureKind::Other,
                format!("`{registry}` sends from place to place: {cause}"),
            )
        } else if error.is_timeout() {
            (
                FailureKind::Unavailable,
                format!("`{registry}` does not answer in time"),
            )
        } else if error.is_body() || error.is_decode() {
            (
                FailureKind::Unavailable,
                format!("the answer of `{registry}` breaks off"),
            )
        } else {
            (
                FailureKind::Unavailable,
                format!("cannot reach `{registry}`: {cause}"),
            )
        };
        self.failure(kind, &message)
    }

    /// The failure behind a layer that did not arrive whole.
    pub(super) fn of_stream(&self, error: &io::Error) -> RegistryFailure {
        let inner = error.get_ref();
        if let Some(digest) = inner.and_then(|inner| inner.downcast_ref()) {
            return self.of_digest(digest);
        }
        if let Some(request) = inner.and_then(|inner| inner.downcast_ref()) {
            return self.of_request(request);
        }
        self.failure(FailureKind::Unavailable, &self.words(&error.to_string()))
    }

    fn of_digest(&self, error: &DigestError) -> RegistryFailure {
        let message = match error {
            DigestError::VerificationError { expected, actual } => format!(
                "the registry's answer has another digest: expected `{expected}`, got `{actual}`"
            ),
            other => self.words(&other.to_string()),
        };
        self.failure(FailureKind::Other, &message)
    }
}

/// The client keeps the code of an error and drops the status.
fn status_of(code: &OciErrorCode) -> StatusCode {
    match code {
        OciErrorCode::Unauthorized => StatusCode::UNAUTHORIZED,
        OciErrorCode::Denied => StatusCode::FORBIDDEN,
        OciErrorCode::ManifestUnknown
        | OciErrorCode::NameUnknown
        | OciErrorCode::BlobUnknown
        | OciErrorCode::NotFound => StatusCode::NOT_FOUND,
        OciErrorCode::Toomanyrequests => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::BAD_REQUEST,
    }
}

fn messages(envelope: &OciEnvelope) -> String {
    let messages: Vec<_> = envelope
        .errors
        .iter()
        .map(|error| error.message.as_str())
        .collect();
    messages.join("; ")
}

fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
