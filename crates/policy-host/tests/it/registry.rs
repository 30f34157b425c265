//! Answers from registries, here one on loopback that says what it is told to.

use std::{env, net::TcpListener};

use policy_host::{HostRequest, registry};
use serde_json::json;

use crate::{
    command::Workshop,
    guest::{Act, policy, request},
    server::{Reply, Server, reply},
};

const DIGEST: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";

/// A registry with users that answers each question for a manifest alike.
fn answering(answer: Reply) -> Server {
    Server::start(move |ask| match ask.path.as_str() {
        "/v2/" => reply(401, "").header("WWW-Authenticate", "Basic realm=\"here\""),
        _ => answer.clone(),
    })
}

fn found() -> Reply {
    reply(200, "").header("Docker-Content-Digest", DIGEST)
}

/// The first line of each question, with the authorization.
fn asked(server: &Server) -> Vec<String> {
    let asked = server.asked.lock().unwrap();
    let asked = asked.iter().map(|ask| {
        let question = format!("{} {}", ask.method, ask.path);
        match &ask.authorization {
            Some(authorization) => format!("{question} {authorization}"),
            None => question,
        }
    });
    asked.collect()
}

#[track_caller]
fn answer(image: String) -> String {
    match registry::answer(&HostRequest::OciManifestDigest { image }) {
        Ok(answer) => String::from_utf8(answer).unwrap(),
        Err(error) => format!("{error:#}"),
    }
}

#[test]
fn asks_a_registry_on_loopback_by_plain_http() {
    let registry = answering(found());
    let answer = answer(format!("{}/library/redis:7.2", registry.address));
    assert_eq!(answer, format!(r#"{{"digest":"{DIGEST}"}}"#));
    assert_eq!(
        asked(&registry).last().unwrap(),
        "HEAD /v2/library/redis/manifests/7.2"
    );
}

#[test]
fn passes_on_the_words_of_a_registry_that_has_no_such_image() {
    for (body, words) in [
        (
            r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"9"}}]}"#,
            "Registry error: url {url}, envelope: OCI API errors: [OCI API error: manifest unknown]",
        ),
        (
            r#"{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}"#,
            "Registry error: url {url}, envelope: OCI API errors: \
             [OCI API error: repository name not known to registry]",
        ),
        (
            r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#,
            "Registry error: url {url}, envelope: OCI API errors: [OCI API error: ]",
        ),
        (
            "no such page",
            "Server error: url {url}, code: 404, message: no such page",
        ),
    ] {
        let registry = answering(reply(404, body));
        let url = format!("http://{}/v2/library/redis/manifests/9", registry.address);
        let words = words.replace("{url}", &url);
        assert_eq!(
            answer(format!("{}/library/redis:9", registry.address)),
            format!("Fail to interact with OCI registry: {words}: {words}")
        );
    }
}

#[test]
fn passes_on_other_errors() {
    let refusing = answering(reply(401, "{}"));
    let text = answer(format!("{}/redis:9", refusing.address));
    assert!(text.contains("Not authorized: url http://"), "{text}");

    let broken = answering(reply(503, "down"));
    let text = answer(format!("{}/redis:9", broken.address));
    assert!(text.contains(", code: 503, message: down"), "{text}");

    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .unwrap();
    let text = answer(format!("{address}/redis:404"));
    let start = "Fail to interact with OCI registry: error sending request for url ";
    assert!(text.starts_with(start), "{text}");
    assert!(text.contains("Connection refused"), "{text}");

    assert_eq!(answer("Redis".to_owned()), "invalid reference format");
}

#[test]
fn asks_any_other_registry_by_https() {
    // These answer nobody: the name is reserved, and the address is no loopback in that spelling.
    for host in ["registry.invalid", "0.0.0.0:1", "localhost.invalid"] {
        let text = answer(format!("{host}/redis:9"));
        assert!(
            text.contains(&format!("https://{host}/v2/redis/manifests/9")),
            "{text}"
        );
    }
}

/// A guest that asks for a digest and fails with what it is told.
fn workshop(name: &str, image: &str) -> Workshop {
    let payload = json!(image).to_string();
    let call = ["kubewarden", "oci", "v1/manifest_digest", &payload];
    let workshop = Workshop::new(name);
    workshop
        .file("policy.wasm", policy(&Act::TellAnswer(call)))
        .file("request.json", request().to_string());
    workshop
}

#[test]
fn run_gives_the_users_name_to_the_registry_that_it_is_for() {
    let registry = answering(found());
    let workshop = workshop(
        "registry-auth",
        &format!("{}/library/redis:7.2", registry.address),
    );
    // `alice:secret`
    let docker = json!({"auths": {registry.address.as_str(): {"auth": "YWxpY2U6c2VjcmV0"}}});
    workshop.file("config.json", docker.to_string());
    let output = workshop
        .command("run -r request.json policy.wasm")
        .env("DOCKER_CONFIG", ".")
        // A proxy would see the password, and has another loopback.
        .env("http_proxy", "http://127.0.0.1:1")
        .output()
        .unwrap();
    let answer = String::from_utf8(output.stdout).unwrap();
    assert!(answer.contains(DIGEST), "{answer}");
    assert_eq!(
        asked(&registry),
        [
            "GET /v2/",
            "HEAD /v2/library/redis/manifests/7.2 Basic YWxpY2U6c2VjcmV0"
        ]
    );
}

#[test]
fn run_asks_no_registry_when_it_is_not_granted() {
    let registry = answering(found());
    let workshop = workshop("registry-denied", &format!("{}/redis", registry.address));
    for patterns in ["", " net/*", " oci/v1/oci_manifest oci/v2/*"] {
        let arguments =
            format!("run -r request.json --allowed-host-capabilities{patterns} -- policy.wasm");
        let answer = workshop.host(&arguments).stdout;
        assert!(answer.contains("has not been granted access"), "{answer}");
    }
    assert_eq!(asked(&registry), Vec::<String>::new());
}

#[test]
#[ignore = "asks the registry at `REGISTRY` for an image of digest `DIGEST`: e2e-tests/registry.bats has both"]
fn run_asks_a_real_registry() {
    let registry = env::var("REGISTRY").unwrap();
    let digest = env::var("DIGEST").unwrap();
    for (registry, image, words) in [
        (registry.as_str(), "library/redis:7.2", digest.as_str()),
        (
            registry.as_str(),
            "library/redis:404",
            "OCI API errors: [OCI API error: manifest unknown]",
        ),
        // A repository that is not there.
        (
            registry.as_str(),
            "library/valkey:8",
            "OCI API errors: [OCI API error: manifest unknown]",
        ),
        ("127.0.0.1:1", "library/redis:7.2", "Connection refused"),
    ] {
        let workshop = workshop("registry-real", &format!("{registry}/{image}"));
        let answer = workshop.host(
            "run -r request.json --allowed-host-capabilities oci/v1/manifest_digest -- policy.wasm",
        );
        assert!(answer.stdout.contains(words), "{image}: {answer:?}");
    }
}
