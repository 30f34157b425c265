//! Where an artifact is in a registry, as its users write it.

use std::{fmt, str::FromStr};

use oci_client::{ParseError, Reference};
use thiserror::Error;

/// The form that Kubewarden's tools take, with or without `registry://`.
const FORM: &str = "registry://host/repository:tag";

/// `registry://ghcr.io/org/policy:v1`, or the same without the scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(Reference);

/// Why a text is no address. It never holds a password that stands in the text.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum AddressError {
    /// `https://…`
    #[error("`{0}`: only `registry://` is known, expected `{FORM}`")]
    Scheme(String),
    /// `user:password@host/…`
    #[error(
        "a user or password does not belong in an address, `docker login` keeps it: expected \
         `{FORM}`"
    )]
    Credentials,
    /// The grammar of references.
    #[error("`{text}`: {error}, expected `{FORM}`")]
    Grammar {
        /// What was given.
        text: String,
        /// What is wrong with it.
        error: ParseError,
    },
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (scheme, plain) = match text.split_once("://") {
            Some((scheme, plain)) => (Some(scheme), plain),
            None => (None, text),
        };
        let authority = plain.split('/').next().unwrap_or_default();
        // The `@` of a digest stands behind a repository, which has no host only on Docker Hub.
        if authority.contains('@') && !authority.contains("@sha") {
            return Err(AddressError::Credentials);
        }
        if scheme.is_some_and(|scheme| scheme != "registry") {
            return Err(AddressError::Scheme(text.to_owned()));
        }
        plain
            .parse()
            .map(Self)
            .map_err(|error| AddressError::Grammar {
                text: text.to_owned(),
                error,
            })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Address {
    /// The reference in the client's form.
    pub(super) fn reference(&self) -> &Reference {
        &self.0
    }

    /// Whether the artifact is named by its digest, which leaves no choice of what it is.
    pub fn has_digest(&self) -> bool {
        self.0.digest().is_some()
    }

    /// The same repository, and the artifact of this digest in it.
    pub fn immutable(&self, digest: &str) -> String {
        format!("{}/{}@{digest}", self.0.registry(), self.0.repository())
    }
}
