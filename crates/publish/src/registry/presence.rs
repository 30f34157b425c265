//! Which images registries have.

use std::{collections::BTreeMap, io};

use futures_util::StreamExt;
use oci_client::{Client, Reference, errors::OciDistributionError};

use super::{
    Credentials, FailureKind, RegistryFailure, client, credentials,
    failure::{Authorization, Subject},
    host_of, is_loopback, runtime,
};

/// What a registry says of an image.
#[derive(Debug)]
pub enum Presence {
    /// It has it.
    There,
    /// It does not.
    Missing,
    /// It gave no answer, or wants other credentials.
    Unknown(RegistryFailure),
}

/// Asks the registries of images whether they have them, `at_once` at a time. Tells each answer with the
/// position of its image, as it comes.
///
/// As [`answer`](super::answer): plain HTTP on loopback, and Docker's credentials.
///
/// # Errors
///
/// When no connection can be made at all.
pub fn look_for(
    images: &[Reference],
    at_once: usize,
    told: &mut dyn FnMut(usize, Presence),
) -> io::Result<()> {
    // Before any client: it chooses the implementation of TLS.
    let runtime = runtime()?;
    // Clones of a client share its connections and tokens.
    let mut clients: BTreeMap<&str, Result<Client, OciDistributionError>> = BTreeMap::new();
    for image in images {
        let registry = image.registry();
        let is_plain_http = is_loopback(host_of(registry));
        clients
            .entry(registry)
            .or_insert_with(|| client(registry, is_plain_http));
    }
    let clients = &clients;
    runtime.block_on(async {
        let questions = images
            .iter()
            .enumerate()
            .map(|(position, image)| async move {
                (
                    position,
                    presence(clients.get(image.registry()), image).await,
                )
            });
        let mut answers = futures_util::stream::iter(questions).buffer_unordered(at_once.max(1));
        while let Some((position, presence)) = answers.next().await {
            told(position, presence);
        }
    });
    Ok(())
}

async fn presence(
    client: Option<&Result<Client, OciDistributionError>>,
    image: &Reference,
) -> Presence {
    let registry = image.registry();
    let credentials = credentials(registry);
    let authorization = match &credentials {
        Credentials::None => Authorization::None,
        Credentials::IdentityToken => Authorization::IdentityToken,
        Credentials::User(..) => Authorization::User,
    };
    let secrets = match &credentials {
        Credentials::User(_, password) => vec![password.clone()],
        Credentials::None | Credentials::IdentityToken => Vec::new(),
    };
    let name = image.whole();
    let subject = Subject {
        address: &name,
        registry,
        authorization,
        secrets: &secrets,
    };
    let asked = match client {
        Some(Ok(client)) => {
            client
                .fetch_manifest_digest(image, &credentials.into_auth())
                .await
        }
        Some(Err(error)) => return Presence::Unknown(subject.of_client(error)),
        None => {
            let failure = subject.failure(FailureKind::Other, "no connection");
            return Presence::Unknown(failure);
        }
    };
    match asked {
        Ok(_) => Presence::There,
        Err(error) => {
            let failure = subject.of_client(&error);
            match failure.kind {
                FailureKind::NotFound => Presence::Missing,
                _ => Presence::Unknown(failure),
            }
        }
    }
}
