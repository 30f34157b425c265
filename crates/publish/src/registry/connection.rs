//! Artifacts to and from a registry.
//!
//! Credentials go to the registry that they are for, and to where it says that its tokens are made,
//! by HTTPS. The client follows redirects without them. Its own uploads would take them to whatever
//! host the registry names as the place for a blob, so that what is pushed is sent from here.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::TryStreamExt;
use http_auth::ChallengeParser;
use oci_client::{
    Client, RegistryOperation,
    client::{AsLayerDescriptor, ImageLayer, LayerDescriptor},
    manifest::{
        IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE,
        OCI_IMAGE_MEDIA_TYPE, OciDescriptor, OciImageManifest, OciManifest,
    },
    secrets::RegistryAuth,
};
use reqwest::{
    StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap, LOCATION, WWW_AUTHENTICATE},
    redirect,
};
use tokio::runtime::Runtime;

use super::{
    Address, Credentials, FailureKind, LONGEST_WAIT, RegistryFailure, client, credentials,
    failure::{Authorization, Subject},
    host_of, is_loopback, runtime,
};
use crate::artifact::Artifact;

type Result<T> = std::result::Result<T, RegistryFailure>;

/// What a manifest is asked for as: all forms, so that what is no policy can be told.
const MANIFESTS: [&str; 4] = [
    OCI_IMAGE_MEDIA_TYPE,
    IMAGE_MANIFEST_MEDIA_TYPE,
    OCI_IMAGE_INDEX_MEDIA_TYPE,
    IMAGE_MANIFEST_LIST_MEDIA_TYPE,
];

/// One artifact's registry, asked for what it has or given what it shall have.
pub struct Connection {
    address: Address,
    name: String,
    runtime: Runtime,
    /// For all but uploads.
    client: Client,
    /// For uploads: follows no redirect.
    http: reqwest::Client,
    is_plain_http: bool,
    auth: RegistryAuth,
    authorization: Authorization,
    /// The password, and the form in which it is sent.
    secrets: Vec<String>,
}

impl Connection {
    /// Finds the registry. Plain HTTP is spoken to loopback, and where `insecure` says so.
    ///
    /// # Errors
    ///
    /// When it cannot be reached, is no registry, or wants the credentials in a place where others can
    /// read them.
    pub fn open(address: &Address, insecure: bool) -> Result<Self> {
        let name = address.to_string();
        let registry = address.reference().resolve_registry();
        let credentials = credentials(registry);
        let authorization = match &credentials {
            Credentials::None => Authorization::None,
            Credentials::IdentityToken => Authorization::IdentityToken,
            Credentials::User(..) => Authorization::User,
        };
        let auth = credentials.into_auth();
        let secrets = match &auth {
            RegistryAuth::Basic(user, password) => vec![
                STANDARD.encode(format!("{user}:{password}")),
                password.clone(),
            ],
            RegistryAuth::Anonymous | RegistryAuth::Bearer(_) => Vec::new(),
        };
        let subject = Subject {
            address: &name,
            registry,
            authorization,
            secrets: &secrets,
        };
        let runtime = runtime().map_err(|error| {
            subject.failure(FailureKind::Other, &format!("no connection: {error}"))
        })?;
        let is_plain_http = insecure || is_loopback(host_of(registry));
        let mut http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(LONGEST_WAIT)
            .read_timeout(LONGEST_WAIT);
        if is_loopback(host_of(registry)) {
            // A proxy has another loopback.
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| subject.of_request(&error))?;
        let client = client(registry, is_plain_http).map_err(|error| subject.of_client(&error))?;
        let connection = Self {
            address: address.clone(),
            name,
            runtime,
            client,
            http,
            is_plain_http,
            auth,
            authorization,
            secrets,
        };
        connection.runtime.block_on(connection.greet(insecure))?;
        Ok(connection)
    }

    /// Gives an artifact to the registry under its tag; the answer is its digest.
    ///
    /// # Errors
    ///
    /// When the registry does not take it, or has another one afterwards.
    pub fn push(&self, artifact: &Artifact) -> Result<String> {
        let manifest = artifact
            .manifest()
            .map_err(|error| self.other(&error.to_string()))?;
        self.runtime.block_on(async {
            let token = self.authorize(RegistryOperation::Push).await?;
            for blob in artifact.blobs() {
                self.upload(blob, token.as_deref()).await?;
            }
            let put = self
                .authorized(self.http.put(self.manifest_url()), token.as_deref())
                .header(CONTENT_TYPE, OCI_IMAGE_MEDIA_TYPE)
                .body(manifest.clone())
                .send()
                .await;
            self.expect(put, StatusCode::CREATED).await?;
            let (stored, digest) = self.raw_manifest().await?;
            if stored == manifest {
                Ok(digest)
            } else {
                Err(self.other("the registry has another manifest than it was given"))
            }
        })
    }

    /// The manifest of the artifact, and its digest.
    ///
    /// # Errors
    ///
    /// When the registry does not have it, or what it has is an index of several.
    pub fn manifest(&self) -> Result<(OciImageManifest, String)> {
        self.runtime.block_on(async {
            self.authorize(RegistryOperation::Pull).await?;
            let (body, digest) = self.raw_manifest().await?;
            match serde_json::from_slice(&body) {
                Ok(OciManifest::Image(manifest)) => Ok((manifest, digest)),
                Ok(OciManifest::ImageIndex(_)) => {
                    Err(self.other("it is an index of images, expected a policy or a bundle"))
                }
                Err(_) => Err(self.other("the registry's answer is not a manifest")),
            }
        })
    }

    /// The content of a layer, which has the digest and the size that its manifest says.
    ///
    /// # Errors
    ///
    /// When the layer is larger than `most` bytes, does not arrive whole, or is another one.
    pub fn layer(&self, layer: &OciDescriptor, most: usize) -> Result<Vec<u8>> {
        let size = usize::try_from(layer.size).unwrap_or(usize::MAX);
        if size > most {
            return Err(self.other(&format!("a layer of {size} bytes, expected at most {most}")));
        }
        self.runtime.block_on(async {
            let mut stream = self
                .client
                .pull_blob_stream(self.address.reference(), Blob(&layer.digest))
                .await
                .map_err(|error| self.subject().of_client(&error))?;
            let mut content = Vec::new();
            while let Some(bytes) = stream
                .try_next()
                .await
                .map_err(|error| self.subject().of_stream(&error))?
            {
                content.extend_from_slice(&bytes);
                if content.len() > size {
                    break;
                }
            }
            if content.len() == size {
                Ok(content)
            } else {
                Err(self.other(&format!(
                    "the registry sends another layer: its manifest says {size} bytes"
                )))
            }
        })
    }

    /// What is wrong with what the registry has.
    pub fn other(&self, message: &str) -> RegistryFailure {
        self.subject().failure(FailureKind::Other, message)
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            address: &self.name,
            registry: self.registry(),
            authorization: self.authorization,
            secrets: &self.secrets,
        }
    }

    fn registry(&self) -> &str {
        self.address.reference().resolve_registry()
    }

    /// A URL of the registry's API.
    fn url(&self, path: &str) -> String {
        let scheme = if self.is_plain_http { "http" } else { "https" };
        format!("{scheme}://{}/v2/{path}", self.registry())
    }

    fn manifest_url(&self) -> String {
        let reference = self.address.reference();
        let tag = reference.tag().unwrap_or_default();
        self.url(&format!("{}/manifests/{tag}", reference.repository()))
    }

    /// Asks whether there is a registry, and where it wants the credentials.
    async fn greet(&self, insecure: bool) -> Result<()> {
        let answer = self
            .http
            .get(self.url(""))
            .send()
            .await
            .map_err(|error| self.subject().of_request(&error))?;
        match answer.status() {
            StatusCode::OK => Ok(()),
            StatusCode::UNAUTHORIZED => {
                let asks_openly = realms(answer.headers())
                    .into_iter()
                    .find(|realm| !insecure && is_open(realm));
                match asks_openly {
                    Some(realm) => Err(self.other(&format!(
                        "`{}` wants the credentials at `{realm}`: plain HTTP is for loopback only, \
                         or with `--insecure`",
                        self.registry()
                    ))),
                    None => Ok(()),
                }
            }
            StatusCode::NOT_FOUND => Err(self.other(&format!(
                "`{}` is no registry: it does not know `/v2/`",
                self.registry()
            ))),
            status => {
                let body = answer.text().await.unwrap_or_default();
                Err(self.subject().of_status(status, &body))
            }
        }
    }

    /// Gets a token where the registry wants one, and leaves it with the client. The client by itself
    /// would go on without, and say less.
    async fn authorize(&self, operation: RegistryOperation) -> Result<Option<String>> {
        self.client
            .auth(self.address.reference(), &self.auth, operation)
            .await
            .map_err(|error| self.subject().of_client(&error))
    }

    async fn raw_manifest(&self) -> Result<(Vec<u8>, String)> {
        let (body, digest) = self
            .client
            .pull_manifest_raw(self.address.reference(), &self.auth, &MANIFESTS)
            .await
            .map_err(|error| self.subject().of_client(&error))?;
        Ok((body.to_vec(), digest))
    }

    /// Uploads a blob in one piece.
    async fn upload(&self, blob: &ImageLayer, token: Option<&str>) -> Result<()> {
        let repository = self.address.reference().repository();
        let begin = self.url(&format!("{repository}/blobs/uploads/"));
        let own = Url::parse(&begin)
            .map_err(|error| self.other(&format!("no URL can be made of it: {error}")))?;
        let answer = self
            .authorized(self.http.post(own.clone()), token)
            .header("Content-Length", 0)
            .send()
            .await;
        let answer = self.expect(answer, StatusCode::ACCEPTED).await?;
        let mut place = answer
            .headers()
            .get(LOCATION)
            .and_then(|place| own.join(place.to_str().ok()?).ok())
            .ok_or_else(|| self.other("the registry does not say where to upload to"))?;
        let is_own = place.origin() == own.origin();
        if !is_own && place.scheme() != "https" && own.scheme() == "https" {
            return Err(self.other(&format!(
                "the registry wants uploads at `{}`: plain HTTP is for loopback only",
                place.origin().ascii_serialization()
            )));
        }
        place
            .query_pairs_mut()
            .append_pair("digest", &blob.sha256_digest());
        let put = self.http.put(place);
        let put = if is_own {
            self.authorized(put, token)
        } else {
            put
        };
        let answer = put
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(blob.data.clone())
            .send()
            .await;
        self.expect(answer, StatusCode::CREATED).await.map(|_| ())
    }

    fn authorized(
        &self,
        request: reqwest::RequestBuilder,
        token: Option<&str>,
    ) -> reqwest::RequestBuilder {
        match (token, &self.auth) {
            (Some(token), _) => request.bearer_auth(token),
            (None, RegistryAuth::Basic(user, password)) => request.basic_auth(user, Some(password)),
            (None, _) => request,
        }
    }

    async fn expect(
        &self,
        answer: std::result::Result<reqwest::Response, reqwest::Error>,
        status: StatusCode,
    ) -> Result<reqwest::Response> {
        let answer = answer.map_err(|error| self.subject().of_request(&error))?;
        if answer.status() == status {
            return Ok(answer);
        }
        let status = answer.status();
        let body = answer.text().await.unwrap_or_default();
        Err(self.subject().of_status(status, &body))
    }
}

/// A blob in its registry. A manifest may name other places for it: these are not asked.
struct Blob<'a>(&'a str);

impl AsLayerDescriptor for Blob<'_> {
    fn as_layer_descriptor(&self) -> LayerDescriptor<'_> {
        LayerDescriptor {
            digest: self.0,
            urls: &None,
        }
    }
}

/// Where a registry wants credentials, if it has tokens made elsewhere.
fn realms(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| ChallengeParser::new(header).filter_map(std::result::Result::ok))
        .filter(|challenge| challenge.scheme.eq_ignore_ascii_case("bearer"))
        .flat_map(|challenge| challenge.params)
        .filter(|(name, _)| name.eq_ignore_ascii_case("realm"))
        .map(|(_, realm)| realm.to_unescaped())
        .collect()
}

/// Whether others could read what is sent there.
fn is_open(realm: &str) -> bool {
    Url::parse(realm)
        .is_ok_and(|url| url.scheme() == "http" && !url.host_str().is_some_and(is_loopback))
}
