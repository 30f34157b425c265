//! Answers from registries, with Kubewarden's client and in its words.
//!
//! What a registry says reaches the policy as text only, and without its error code: of
//! `MANIFEST_UNKNOWN: manifest unknown` the client passes on the second half, of a 404 whose body is
//! no error of a registry `code: 404` (`policy-fetcher`, `registry/mod.rs`; `oci-client`, `errors.rs`).

use std::{net::IpAddr, time::Duration};

use docker_credential::DockerCredential;
use oci_client::{
    Client, Reference,
    client::{ClientConfig, ClientProtocol},
    errors::OciDistributionError,
    secrets::RegistryAuth,
};
use serde::Serialize;
use thiserror::Error;

use crate::callback::HostRequest;

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
    // Of two callers the second finds it done.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let digest = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(manifest_digest(&image))
        .map_err(RegistryError)?;
    Ok(serde_json::to_vec(&ManifestDigest { digest })?)
}

async fn manifest_digest(image: &Reference) -> Result<String, OciDistributionError> {
    let client = Client::try_from(ClientConfig {
        connect_timeout: Some(LONGEST_WAIT),
        read_timeout: Some(LONGEST_WAIT),
        ..connection(image.registry())
    })?;
    client
        .fetch_manifest_digest(image, &credentials(image.registry()))
        .await
}

/// How to reach a registry.
fn connection(registry: &str) -> ClientConfig {
    let host = host_of(registry);
    if !is_loopback(host) {
        return ClientConfig::default();
    }
    ClientConfig {
        protocol: ClientProtocol::Http,
        // A proxy has another loopback, and would read the password. Only where one is given are the
        // proxies of the environment left alone: this one is for all hosts but the one that is asked.
        http_proxy: Some(format!("http://{registry}")),
        no_proxy: Some(host.to_owned()),
        ..ClientConfig::default()
    }
}

/// As kwctl does, identity tokens and whatever goes wrong included: then the registry is asked
/// without a name.
fn credentials(registry: &str) -> RegistryAuth {
    match docker_credential::get_credential(registry) {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            RegistryAuth::Basic(user, password)
        }
        Ok(DockerCredential::IdentityToken(_)) | Err(_) => RegistryAuth::Anonymous,
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
