//! Registries, with Kubewarden's client: answers for policies, and a [`Connection`] that artifacts go
//! over.
//!
//! What a registry says reaches a policy as text only, and without its error code: of
//! `MANIFEST_UNKNOWN: manifest unknown` the client passes on the second half, of a 404 whose body is
//! no error of a registry `code: 404` (`policy-fetcher`, `registry/mod.rs`; `oci-client`, `errors.rs`).

mod address;
mod connection;
mod failure;
mod presence;

pub use address::{Address, AddressError};
pub use connection::Connection;
pub use failure::{FailureKind, RegistryFailure};
pub use presence::{Presence, look_for};

use std::{io, net::IpAddr, time::Duration};

use docker_credential::DockerCredential;
use oci_client::{
    Client, Reference,
    client::{ClientConfig, ClientProtocol},
    errors::OciDistributionError,
    secrets::RegistryAuth,
};
use serde::Serialize;
use thiserror::Error;
use tokio::runtime::Runtime;

use policy_runner::HostRequest;

/// The longest that Kubernetes waits for a webhook: nobody waits for an answer that comes later.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The words of `policy-fetcher`.
#[derive(Debug, Error)]
#[error("Fail to interact with OCI registry: {0}")]
struct RegistryError(#[from] OciDistributionError);

#[derive(Serialize)]
struct ManifestDigest {
    digest: String,
}

/// Asks the registry of an image for the digest of its manifest.
///
/// Registries on loopback (`localhost`, `127.0.0.1`) are asked by plain HTTP, all others by HTTPS.
/// Users and passwords are Docker's (`~/.docker/config.json`, or the directory in
/// `DOCKER_CONFIG`, and its credential helpers).
///
/// # Errors
///
/// When the image is no reference, the registry does not answer, or says no.
pub fn answer(request: &HostRequest) -> anyhow::Result<Vec<u8>> {
    let HostRequest::OciManifestDigest { image } = request;
    let image: Reference = image.parse()?;
    let digest = runtime()?
        .block_on(manifest_digest(&image))
        .map_err(RegistryError)?;
    Ok(serde_json::to_vec(&ManifestDigest { digest })?)
}

async fn manifest_digest(image: &Reference) -> Result<String, OciDistributionError> {
    let client = client(image.registry(), is_loopback(host_of(image.registry())))?;
    client
        .fetch_manifest_digest(image, &credentials(image.registry()).into_auth())
        .await
}

/// What the client runs on.
fn runtime() -> io::Result<Runtime> {
    // Of two callers the second finds it done.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// A client for one registry.
fn client(registry: &str, is_plain_http: bool) -> Result<Client, OciDistributionError> {
    let host = host_of(registry);
    let mut config = ClientConfig {
        connect_timeout: Some(LONGEST_WAIT),
        read_timeout: Some(LONGEST_WAIT),
        ..ClientConfig::default()
    };
    if is_plain_http {
        config.protocol = ClientProtocol::Http;
    }
    if is_loopback(host) {
        // A proxy has another loopback, and would read the password. Only where one is given are the
        // proxies of the environment left alone: this one is for all hosts but the one that is asked.
        config.http_proxy = Some(format!("http://{registry}"));
        config.no_proxy = Some(host.to_owned());
    }
    Client::try_from(config)
}

/// What Docker's configuration has for a registry.
enum Credentials {
    /// Nothing, or nothing that can be read: the registry is asked without a name, as kwctl does.
    None,
    /// A token that neither kwctl nor this host can use.
    IdentityToken,
    /// A user and a password.
    User(String, String),
}

impl Credentials {
    fn into_auth(self) -> RegistryAuth {
        match self {
            Self::User(user, password) => RegistryAuth::Basic(user, password),
            Self::None | Self::IdentityToken => RegistryAuth::Anonymous,
        }
    }
}

fn credentials(registry: &str) -> Credentials {
    match docker_credential::get_credential(registry) {
        Ok(DockerCredential::UsernamePassword(user, password)) => Credentials::User(user, password),
        Ok(DockerCredential::IdentityToken(_)) => Credentials::IdentityToken,
        Err(_) => Credentials::None,
    }
}

/// The host of a registry, `host` or `host:port`.
fn host_of(registry: &str) -> &str {
    registry.split_once(':').map_or(registry, |(host, _)| host)
}

/// Whether a host is this machine.
fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}
