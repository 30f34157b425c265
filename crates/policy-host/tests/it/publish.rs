//! `policy-host push` and `policy-host pull`, against a registry on loopback that does what a test
//! says. A real one is asked in `e2e-tests/publish.bats`.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    net::TcpListener,
    os::unix::fs::symlink,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use crate::{
    command::{Outcome, Workshop, outcome},
    guest::{ACCEPT, policy},
    server::{Ask, Reply, Server, reply},
};

/// As `sha256sum` says, so that nothing here is compared with itself.
fn digest(content: &[u8]) -> String {
    let mut sum = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    sum.stdin.take().unwrap().write_all(content).unwrap();
    let output = String::from_utf8(sum.wait_with_output().unwrap().stdout).unwrap();
    format!("sha256:{}", output.split_whitespace().next().unwrap())
}

const WASM: &str = "application/vnd.wasm.content.layer.v1+wasm";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A layer as a manifest names it.
fn layer(media_type: &str, content: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": digest(content), "size": content.len()})
}

fn manifest(layers: &[Value]) -> Value {
    json!({"schemaVersion": 2, "config": layer("application/vnd.wasm.config.v1+json", b"{}"), "layers": layers})
}

/// A registry of one artifact; `instead` may answer first.
fn registry(
    manifest: &Value,
    blobs: &[&[u8]],
    instead: impl Fn(&Ask) -> Option<Reply> + Send + 'static,
) -> Server {
    let manifest = manifest.to_string();
    let blobs: BTreeMap<_, _> = blobs
        .iter()
        .map(|blob| (digest(blob), blob.to_vec()))
        .collect();
    Server::start(move |ask| {
        if let Some(reply) = instead(ask) {
            return reply;
        }
        let last = ask.path.rsplit('/').next().unwrap();
        match ask.method.as_str() {
            "GET" if ask.path == "/v2/" => reply(200, "{}"),
            "GET" if ask.path.contains("/manifests/") => {
                reply(200, manifest.as_str()).header("Content-Type", MANIFEST)
            }
            "GET" if ask.path.contains("/blobs/") => match blobs.get(last) {
                Some(blob) => reply(200, blob.clone()),
                None => reply(404, "{}"),
            },
            "POST" => reply(202, "").header("Location", "/v2/upload?state=1"),
            "PUT" => reply(201, "").header("Location", format!("/v2/x/{}", digest(&ask.body))),
            _ => reply(405, ""),
        }
    })
}

/// A registry with a policy of four bytes and some.
fn policy_registry(instead: impl Fn(&Ask) -> Option<Reply> + Send + 'static) -> Server {
    registry(&manifest(&[layer(WASM, MODULE)]), &[MODULE], instead)
}

/// Answers with the manifest that was pushed last.
fn keep_manifests(stored: &Arc<Mutex<Vec<u8>>>) -> impl Fn(&Ask) -> Option<Reply> + Send + 'static {
    let kept = Arc::clone(stored);
    move |ask| {
        if !ask.path.contains("/manifests/") {
            return None;
        }
        if ask.method == "PUT" {
            kept.lock().unwrap().clone_from(&ask.body);
            return None;
        }
        Some(reply(200, kept.lock().unwrap().clone()))
    }
}

const MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// `alice:secret`
fn log_in(workshop: &Workshop, registry: &str) {
    let config = json!({"auths": {registry: {"auth": "YWxpY2U6c2VjcmV0"}}});
    workshop.file("config.json", config.to_string());
}

fn host(workshop: &Workshop, arguments: &str) -> Outcome {
    let output = workshop
        .command(arguments)
        .env("DOCKER_CONFIG", ".")
        // A proxy would see the password, and has another loopback.
        .env("http_proxy", "http://127.0.0.1:1")
        .output()
        .unwrap();
    outcome(&output)
}

fn pull(workshop: &Workshop, server: &Server) -> Outcome {
    host(workshop, &format!("pull -o out {}/x:1", server.address))
}

#[track_caller]
fn fails(workshop: &Workshop, done: &Outcome, code: i32, message: &str) {
    let expected = Outcome {
        code,
        stdout: String::new(),
        stderr: format!("error: {message}\n"),
    };
    assert_eq!(*done, expected);
    let left = workshop.names();
    let known = [
        "bundle",
        "config.json",
        "in.wasm",
        "metadata.yml",
        "policy.wasm",
    ];
    assert!(
        left.iter().all(|name| known.contains(&name.as_str())),
        "{left:?}"
    );
}

const METADATA: &str = r#"
rules: [{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}]
mutating: false
annotations:
  io.kubewarden.policy.title: test
  io.kubewarden.policy.source: " https://github.com/org/test "
  io.kubewarden.policy.usage: "two\nlines"
"#;

/// With an annotated policy in it.
fn workshop(name: &str) -> Workshop {
    let workshop = Workshop::new(name);
    workshop
        .file("in.wasm", policy(&ACCEPT))
        .file("metadata.yml", METADATA);
    let done = workshop.host("annotate -m metadata.yml -o policy.wasm in.wasm");
    assert_eq!(done.code, 0, "{done:?}");
    workshop
}

#[test]
fn pulls_a_policy_and_says_its_digest() {
    let workshop = workshop("pull");
    let server = policy_registry(|_| None);
    let done = pull(&workshop, &server);
    let manifest = digest(manifest(&[layer(WASM, MODULE)]).to_string().as_bytes());
    assert_eq!(
        done.stdout,
        format!(
            "Policy successfully pulled: {}/x@{manifest}\n",
            server.address
        )
    );
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    assert_eq!(workshop.read("out"), MODULE);

    // By its digest, and over what is there.
    workshop.file("out", "older");
    let done = host(
        &workshop,
        &format!("pull -o out registry://{}/x@{manifest}", server.address),
    );
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(workshop.read("out"), MODULE);
}

#[test]
fn pushes_a_policy_as_kwctl_does() {
    let workshop = workshop("push");
    let stored = Arc::new(Mutex::new(Vec::new()));
    let server = policy_registry(keep_manifests(&stored));
    let done = host(
        &workshop,
        &format!("push policy.wasm {}/org/x:1", server.address),
    );
    let stored = stored.lock().unwrap().clone();
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    assert_eq!(
        done.stdout,
        format!(
            "Policy successfully pushed: {}/org/x@{}\n",
            server.address,
            digest(&stored)
        )
    );
    let wasm = workshop.read("policy.wasm");
    assert_eq!(
        serde_json::from_slice::<Value>(&stored).unwrap(),
        json!({
            "schemaVersion": 2,
            "config": layer("application/vnd.wasm.config.v1+json", b"{}"),
            "layers": [layer(WASM, &wasm)],
            "annotations": {
                "io.kubewarden.kwctl": concat!("policy-host ", env!("CARGO_PKG_VERSION")),
                "io.kubewarden.policy.source": "https://github.com/org/test",
                "io.kubewarden.policy.title": "test",
                "org.opencontainers.image.source": "https://github.com/org/test",
            },
        })
    );
    // Canonical: the keys in order, and nothing between them.
    let text = String::from_utf8(stored).unwrap();
    assert!(
        text.starts_with(r#"{"annotations":{"io.kubewarden.kwctl":""#),
        "{text}"
    );
    assert!(text.ends_with(r#","schemaVersion":2}"#), "{text}");
    let asked = server.asked.lock().unwrap();
    let bodies: Vec<_> = asked
        .iter()
        .filter(|ask| ask.path.starts_with("/v2/upload?state=1&digest=sha256%3A"))
        .map(|ask| ask.body.clone())
        .collect();
    assert_eq!(bodies, [b"{}".to_vec(), wasm]);
    drop(asked);

    let json = host(
        &workshop,
        &format!(
            "push -o json policy.wasm registry://{}/org/x:1",
            server.address
        ),
    );
    let said: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        said["immutable_ref"],
        done.stdout.trim_end().rsplit(' ').next().unwrap()
    );
}

#[test]
fn gives_the_user_where_only_pushing_needs_one() {
    let workshop = workshop("push-user");
    let keep = keep_manifests(&Arc::default());
    let server = policy_registry(move |ask| {
        if ask.method != "GET" && ask.authorization.is_none() {
            return Some(reply(401, ""));
        }
        keep(ask)
    });
    let push = format!("push policy.wasm {}/x:1", server.address);
    assert_eq!(host(&workshop, &push).code, 3);
    log_in(&workshop, &server.address);
    assert_eq!(host(&workshop, &push).code, 0);
}

#[test]
fn a_registry_that_says_no_is_one_line_and_a_code() {
    let workshop = workshop("says-no");
    let envelope = |code: &str, message: &str| {
        json!({"errors": [{"code": code, "message": message}]}).to_string()
    };
    for (status, body, code, said) in [
        (
            401,
            String::new(),
            3,
            "wants credentials, and Docker's configuration has none for it that can be read: \
             `docker login {registry}`",
        ),
        (403, String::new(), 3, "denies access"),
        (
            403,
            envelope("DENIED", "requested access to the\nresource is denied"),
            3,
            "denies access (requested access to the resource is denied)",
        ),
        (
            404,
            envelope("MANIFEST_UNKNOWN", "manifest unknown"),
            4,
            "does not have it (manifest unknown)",
        ),
        (
            404,
            "<html>no such page</html>".to_owned(),
            4,
            "does not have it",
        ),
        (
            429,
            envelope("TOOMANYREQUESTS", "slow down"),
            5,
            "has had too many requests, try again later (slow down)",
        ),
        (
            500,
            "oh\u{1b}[31m dear".to_owned(),
            5,
            "fails with 500 Internal Server Error, try again later (oh\\u{1b}[31m dear)",
        ),
        (
            503,
            String::new(),
            5,
            "fails with 503 Service Unavailable, try again later",
        ),
        (
            418,
            "x".repeat(5000),
            1,
            &format!("answers 418 I'm a teapot ({})", "x".repeat(200)),
        ),
    ] {
        for what in ["/manifests/", "/blobs/", "/v2/"] {
            let is_greeting = what == "/v2/";
            if is_greeting && matches!(status, 401 | 404) {
                // The usual greeting of a registry with users, and no registry.
                continue;
            }
            let answer = body.clone();
            let server = policy_registry(move |ask| {
                let is_meant = if is_greeting {
                    ask.path == what
                } else {
                    ask.path.contains(what)
                };
                is_meant.then(|| reply(status, answer.as_bytes()))
            });
            let address = &server.address;
            let said = said.replace("{registry}", address);
            // What a layer is refused with is not passed on by the client.
            let bare = match what {
                "/blobs/" => said.split(" (").next().unwrap().to_owned(),
                _ => said.clone(),
            };
            let done = pull(&workshop, &server);
            fails(
                &workshop,
                &done,
                code,
                &format!("`{address}/x:1`: `{address}` {bare}"),
            );
            let done = host(&workshop, &format!("push policy.wasm {address}/x:1"));
            fails(
                &workshop,
                &done,
                code,
                &format!("`{address}/x:1`: `{address}` {said}"),
            );
        }
    }
}

#[test]
fn a_server_that_is_no_registry_is_told() {
    let workshop = workshop("no-registry");
    let server = Server::start(|_| reply(404, ""));
    let address = &server.address;
    let done = pull(&workshop, &server);
    let said = format!("`{address}/x:1`: `{address}` is no registry: it does not know `/v2/`");
    fails(&workshop, &done, 1, &said);

    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .unwrap();
    for command in ["pull -o out", "push policy.wasm"] {
        let done = host(&workshop, &format!("{command} {address}/x:1"));
        let said =
            format!("`{address}/x:1`: cannot reach `{address}`: Connection refused (os error 111)");
        fails(&workshop, &done, 5, &said);
    }
    // Anything but loopback is asked by HTTPS, unless it is said otherwise.
    let done = host(&workshop, "pull -o out registry.invalid/x:1");
    assert_eq!(done.code, 5);
    assert!(
        done.stderr.contains("cannot reach `registry.invalid`"),
        "{done:?}"
    );
}

#[test]
fn plain_http_is_for_loopback_or_for_who_asks_for_it() {
    let workshop = workshop("insecure");
    let server = policy_registry(|_| None);
    // This machine, in a spelling that is not loopback's.
    let address = server.address.replace("127.0.0.1", "0.0.0.0");
    let done = workshop.host(&format!("pull -o out {address}/x:1"));
    assert_eq!((done.code, done.stdout.as_str()), (5, ""));
    assert!(
        done.stderr.contains(&format!("cannot reach `{address}`")),
        "{done:?}"
    );
    assert_eq!(server.paths(), Vec::<String>::new());

    let done = workshop.host(&format!("pull --insecure -o out {address}/x:1"));
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(workshop.read("out"), MODULE);
}

#[test]
fn what_arrives_is_what_its_manifest_says() {
    let workshop = workshop("arrives");
    let manifest_of = |layers: &[Value]| manifest(layers);
    let other = b"\0asm\x01\0\0\x01";
    let wrong = digest(other);
    let right = digest(MODULE);
    let html = b"<html>";
    let mut short = layer(WASM, MODULE);
    short["size"] = json!(7);
    let mut huge = layer(WASM, MODULE);
    huge["size"] = json!(1_u64 << 40);
    let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []});
    let image = "application/vnd.oci.image.layer.v1.tar+gzip";
    for (manifest, blobs, said) in [
        (
            manifest_of(&[layer(WASM, MODULE)]),
            None,
            format!("the registry's answer has another digest: expected `{right}`, got `{wrong}`"),
        ),
        (
            manifest_of(&[short]),
            Some(MODULE),
            "the registry sends another layer: its manifest says 7 bytes".to_owned(),
        ),
        (
            manifest_of(&[huge]),
            Some(MODULE),
            "a layer of 1099511627776 bytes, expected at most 134217728".to_owned(),
        ),
        (
            manifest_of(&[layer(WASM, html)]),
            Some(html.as_slice()),
            "its layer is not WebAssembly".to_owned(),
        ),
        (
            manifest_of(&[layer(image, MODULE)]),
            Some(MODULE),
            format!("neither a policy nor a bundle: its layer is `{image}`, expected `{WASM}`"),
        ),
        (
            manifest_of(&[]),
            None,
            "no policy: it has no layers".to_owned(),
        ),
        (
            manifest_of(&[layer(WASM, MODULE), layer(WASM, other)]),
            Some(MODULE),
            "no policy: it has several layers".to_owned(),
        ),
        (
            index,
            None,
            "it is an index of images, expected a policy or a bundle".to_owned(),
        ),
        (
            json!("hello"),
            None,
            "the registry's answer is not a manifest".to_owned(),
        ),
        (
            json!({"schemaVersion": 2}),
            None,
            "the registry's answer is not a manifest".to_owned(),
        ),
    ] {
        let blob = blobs.unwrap_or(other).to_vec();
        let server = registry(&manifest, &[], move |ask| {
            ask.path
                .contains("/blobs/")
                .then(|| reply(200, blob.clone()))
        });
        let done = pull(&workshop, &server);
        fails(
            &workshop,
            &done,
            1,
            &format!("`{}/x:1`: {said}", server.address),
        );
    }
}

#[test]
fn an_answer_that_breaks_off_leaves_nothing_behind() {
    let workshop = workshop("breaks-off");
    for what in ["/manifests/", "/blobs/"] {
        let server = policy_registry(move |ask| {
            ask.path.contains(what).then(|| Reply {
                missing: 100,
                ..reply(200, MODULE)
            })
        });
        let address = &server.address;
        let done = pull(&workshop, &server);
        let said = format!("`{address}/x:1`: the answer of `{address}` breaks off");
        fails(&workshop, &done, 5, &said);
    }
}

#[test]
fn another_manifest_than_the_one_that_was_asked_for_is_refused() {
    let workshop = workshop("other-manifest");
    let server = policy_registry(|_| None);
    let other = format!("sha256:{}", "a".repeat(64));
    let done = host(
        &workshop,
        &format!("pull -o out {}/x@{other}", server.address),
    );
    assert_eq!(done.code, 1, "{done:?}");
    assert!(
        done.stderr.contains(&format!("expected `{other}`")),
        "{done:?}"
    );

    // It takes one manifest and gives another.
    let done = host(
        &workshop,
        &format!("push policy.wasm {}/x:1", server.address),
    );
    let said = format!(
        "`{}/x:1`: the registry has another manifest than it was given",
        server.address
    );
    fails(&workshop, &done, 1, &said);
}

#[test]
fn the_user_is_told_to_the_registry_alone() {
    let workshop = workshop("redirects");
    // Wherever the registry sends: the place that it names gets no credentials.
    let elsewhere = Server::start(|ask| match ask.method.as_str() {
        "GET" if ask.path == "/v2/" => {
            reply(401, "").header("WWW-Authenticate", "Basic realm=\"elsewhere\"")
        }
        "GET" => reply(200, MODULE),
        _ => reply(201, "").header("Location", "/v2/x/blobs/1"),
    });
    let there = format!("http://{}/place", elsewhere.address);
    let basic = "Basic realm=\"here\"";

    // A layer.
    let place = there.clone();
    let server = policy_registry(move |ask| {
        if ask.path == "/v2/" {
            return Some(reply(401, "").header("WWW-Authenticate", basic));
        }
        ask.path
            .contains("/blobs/")
            .then(|| reply(307, "").header("Location", &place))
    });
    log_in(&workshop, &server.address);
    let done = pull(&workshop, &server);
    assert_eq!(done.code, 0, "{done:?}");
    fs::remove_file(workshop.path("out")).unwrap();
    assert_eq!(server.authorized().len(), 2);
    assert_eq!(elsewhere.paths(), ["/place"]);

    // A manifest; what comes back is none.
    let place = there.clone();
    let server = policy_registry(move |ask| {
        if ask.path == "/v2/" {
            return Some(reply(401, "").header("WWW-Authenticate", basic));
        }
        ask.path
            .contains("/manifests/")
            .then(|| reply(302, "").header("Location", &place))
    });
    log_in(&workshop, &server.address);
    let done = pull(&workshop, &server);
    assert_eq!(done.code, 1, "{done:?}");
    assert_eq!(server.authorized().len(), 1);

    // The place of an upload: the registry gets the user, the place does not.
    let place = there.clone();
    let server = policy_registry(move |ask| {
        if ask.path == "/v2/" {
            return Some(reply(401, "").header("WWW-Authenticate", basic));
        }
        (ask.method == "POST").then(|| reply(202, "").header("Location", &place))
    });
    log_in(&workshop, &server.address);
    let done = host(
        &workshop,
        &format!("push policy.wasm {}/x:1", server.address),
    );
    assert!(done.stderr.contains("another manifest"), "{done:?}");
    assert!(server.authorized().len() > 2);

    // The upload itself, which is not followed.
    let place = there.clone();
    let server = policy_registry(move |ask| {
        (ask.method == "POST").then(|| reply(307, "").header("Location", &place))
    });
    log_in(&workshop, &server.address);
    let done = host(
        &workshop,
        &format!("push policy.wasm {}/x:1", server.address),
    );
    let address = &server.address;
    let said = format!(
        "`{address}/x:1`: `{address}` sends to another place (307 Temporary Redirect), which is \
         not followed here"
    );
    fails(&workshop, &done, 1, &said);

    // The greeting: who answers there asks for credentials that are not for it.
    let greeting = format!("http://{}/v2/", elsewhere.address);
    let server = Server::start(move |_| reply(302, "").header("Location", &greeting));
    log_in(&workshop, &server.address);
    let address = &server.address;
    let done = pull(&workshop, &server);
    let said = format!(
        "`{address}/x:1`: `{address}` sends to another place (302 Found), which is not followed \
         here"
    );
    fails(&workshop, &done, 1, &said);

    assert_eq!(elsewhere.authorized(), Vec::<String>::new());
}

#[test]
fn gets_a_token_where_the_registry_wants_one() {
    let workshop = workshop("token");
    // Neither is checked here: that is the registry's.
    for token in [
        "opaque",
        "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjk5OTk5OTk5OTl9.c2ln",
    ] {
        let tokens = Server::start(move |_| reply(200, json!({ "token": token }).to_string()));
        let realm = format!(
            "Bearer realm=\"http://{}/token\",service=\"s\"",
            tokens.address
        );
        let server = policy_registry(move |ask| {
            let is_authorized = ask.authorization == Some(format!("Bearer {token}"));
            (!is_authorized).then(|| reply(401, "").header("WWW-Authenticate", &realm))
        });
        log_in(&workshop, &server.address);
        let done = pull(&workshop, &server);
        assert_eq!(done.code, 0, "{done:?}");
        let done = host(
            &workshop,
            &format!("push policy.wasm {}/x:1", server.address),
        );
        assert!(done.stderr.contains("another manifest"), "{done:?}");
        let asked = |scope: &str| {
            format!("/token?scope=repository%3Ax%3A{scope}&service=s Basic YWxpY2U6c2VjcmV0")
        };
        // A push looks at what it left behind.
        let scopes = [asked("pull"), asked("pull%2Cpush"), asked("pull")];
        assert_eq!(tokens.authorized(), scopes, "{token}");
        fs::remove_file(workshop.path("out")).unwrap();
    }
}

#[test]
fn wrong_credentials_are_told_and_never_shown() {
    let workshop = workshop("wrong-user");
    let basic = policy_registry(|_| {
        Some(reply(401, "alice:secret? no!").header("WWW-Authenticate", "Basic realm=\"x\""))
    });
    // This one repeats what it was given, and the line is cut in the password.
    let echo = format!(
        "{} no user YWxpY2U6c2VjcmV0 with password secret",
        "x".repeat(157)
    );
    let said = format!(" ({} no user *** with password ***)", "x".repeat(157));
    let tokens = Server::start(move |_| reply(401, echo.as_str()));
    let realm = format!("Bearer realm=\"http://{}/token\"", tokens.address);
    let bearer = policy_registry(move |_| Some(reply(401, "").header("WWW-Authenticate", &realm)));
    for (server, words) in [(&basic, ""), (&bearer, said.as_str())] {
        log_in(&workshop, &server.address);
        let address = &server.address;
        for command in ["pull -o out", "push policy.wasm"] {
            let done = host(&workshop, &format!("{command} {address}/x:1"));
            let said = format!(
                "`{address}/x:1`: `{address}` does not accept the user and password that Docker's \
                 configuration has for it"
            );
            let words = if words.is_empty() && command.starts_with("push") {
                " (alice:***? no!)"
            } else {
                words
            };
            fails(&workshop, &done, 3, &format!("{said}{words}"));
        }
    }
    // Where a password would be read by others.
    let open = policy_registry(|_| {
        Some(reply(401, "").header(
            "WWW-Authenticate",
            "Bearer realm=\"http://tokens.invalid/t\"",
        ))
    });
    log_in(&workshop, &open.address);
    let address = &open.address;
    let done = pull(&workshop, &open);
    let said = format!(
        "`{address}/x:1`: `{address}` wants the credentials at `http://tokens.invalid/t`: plain \
         HTTP is for loopback only, or with `--insecure`"
    );
    fails(&workshop, &done, 1, &said);
    assert_eq!(open.authorized(), Vec::<String>::new());

    let config = json!({"auths": {basic.address.as_str(): {"identitytoken": "secret"}}});
    workshop.file("config.json", config.to_string());
    let address = &basic.address;
    let done = pull(&workshop, &basic);
    let said = format!(
        "`{address}/x:1`: `{address}` wants a user and a password, and Docker's configuration has \
         an identity token for it: `docker login {address}`"
    );
    fails(&workshop, &done, 3, &said);
}

#[test]
fn asks_the_helper_that_dockers_configuration_names() {
    let workshop = workshop("helper");
    let server = policy_registry(|ask| match &ask.authorization {
        Some(basic) if basic == "Basic YWxpY2U6c2VjcmV0" => None,
        _ => Some(reply(401, "").header("WWW-Authenticate", "Basic realm=\"here\"")),
    });
    workshop.file("config.json", r#"{"credsStore": "fake"}"#);
    let run = |script: &str| {
        // It reads what it is asked for: nobody could tell it else.
        workshop.file("script", format!("#!/bin/sh\ncat >asked\n{script}\n"));
        // Written by another process: a test that forks while this one has the file open for
        // writing would keep it from being run (ETXTBSY).
        let installed = Command::new("install")
            .arg("-m755")
            .args([
                workshop.path("script"),
                workshop.path("docker-credential-fake"),
            ])
            .status();
        assert!(installed.unwrap().success());
        let path = format!("{}:/usr/bin:/bin", workshop.path("").display());
        let pull = format!("pull -o out {}/x:1", server.address);
        let mut command = workshop.command(&pull);
        outcome(
            &command
                .env("DOCKER_CONFIG", ".")
                .env("PATH", path)
                .output()
                .unwrap(),
        )
    };
    let done = run(r#"echo '{"ServerURL": "x", "Username": "alice", "Secret": "secret"}'"#);
    assert_eq!(done.code, 0, "{done:?}");
    let asked = fs::read_to_string(workshop.path("asked")).unwrap();
    assert_eq!(asked, server.address);
    // What a helper says when it fails is not for others to read.
    let done = run("echo secret >&2; echo secret; exit 1");
    assert_eq!(done.code, 3, "{done:?}");
    assert!(
        done.stderr.contains("has none for it that can be read"),
        "{done:?}"
    );
    assert!(!done.stderr.contains("secret"), "{done:?}");
}

#[test]
fn an_address_has_one_form() {
    let workshop = workshop("address");
    let form = "registry://host/repository:tag";
    for (address, said) in [
        (
            "https://ghcr.io/x:1",
            format!("`https://ghcr.io/x:1`: only `registry://` is known, expected `{form}`"),
        ),
        (
            "registry://alice:secret@ghcr.io/x:1",
            format!(
                "a user or password does not belong in an address, `docker login` keeps it: \
                 expected `{form}`"
            ),
        ),
        (
            "ghcr.io/X:1",
            format!("`ghcr.io/X:1`: invalid reference format, expected `{form}`"),
        ),
        (
            "ghcr.io/x:",
            format!("`ghcr.io/x:`: invalid reference format, expected `{form}`"),
        ),
        (
            "registry://",
            format!(
                "`registry://`: repository name must have at least one component, expected `{form}`"
            ),
        ),
        (
            "ghcr.io/x@sha256:12",
            format!("`ghcr.io/x@sha256:12`: invalid reference format, expected `{form}`"),
        ),
    ] {
        for command in ["pull -o out", "push policy.wasm"] {
            let done = host(&workshop, &format!("{command} {address}"));
            fails(&workshop, &done, 2, &said);
        }
    }
    let pinned = format!("127.0.0.1:1/x@sha256:{}", "a".repeat(64));
    let done = host(&workshop, &format!("push policy.wasm {pinned}"));
    let said = format!("`{pinned}`: push to a tag, the digest is what comes of it");
    fails(&workshop, &done, 2, &said);
}

#[test]
fn pushes_only_what_policy_server_takes() {
    let workshop = workshop("push-what");
    for (arguments, code, said) in [
        (
            "push in.wasm 127.0.0.1:1/x:1",
            1,
            "`in.wasm`: not annotated, policy-server needs the metadata that `annotate` adds",
        ),
        (
            "push metadata.yml 127.0.0.1:1/x:1",
            1,
            "`metadata.yml`: not a WebAssembly file",
        ),
        (
            "push no.wasm 127.0.0.1:1/x:1",
            1,
            "cannot read `no.wasm`: no such file or directory",
        ),
        (
            "push --annotation a=b policy.wasm 127.0.0.1:1/x:1",
            2,
            "--annotation: a policy has the annotations of its metadata",
        ),
        (
            "push --annotation a policy.wasm 127.0.0.1:1/x:1",
            2,
            "--annotation `a`: expected `KEY=VALUE`",
        ),
    ] {
        let done = host(&workshop, arguments);
        fails(&workshop, &done, code, said);
    }
}

#[test]
fn a_bundle_stays_in_its_folder() {
    let workshop = workshop("bundle-names");
    let named = |name: &str| {
        let mut layer = layer("application/yaml", b"a: 1\n");
        layer["annotations"] = json!({"org.opencontainers.image.title": name});
        layer
    };
    let bundle = |layers: &[Value]| {
        let mut manifest = manifest(layers);
        manifest["artifactType"] = json!("application/vnd.rollout-guard.bundle.v1");
        manifest
    };
    for names in [
        &["../out.yaml"][..],
        &["/etc/out.yaml"],
        &["a/../../out.yaml"],
        &["."],
        &[""],
        &["a.yaml", "a.yaml"],
    ] {
        let layers: Vec<_> = names.iter().map(|name| named(name)).collect();
        let server = registry(&bundle(&layers), &[b"a: 1\n"], |_| None);
        let done = pull(&workshop, &server);
        let name = names[0];
        let said = format!(
            "`{}/x:1`: a broken bundle: `{name}`: the name of a file in it, expected a path below \
             the folder, once",
            server.address
        );
        fails(&workshop, &done, 1, &said);
    }
    let mut huge = named("a.yaml");
    huge["size"] = json!(1_u64 << 40);
    let many: Vec<_> = (0..=1000)
        .map(|number| named(&format!("{number}.yaml")))
        .collect();
    for layers in [vec![huge], many] {
        let server = registry(&bundle(&layers), &[], |_| None);
        let done = pull(&workshop, &server);
        let said = format!(
            "`{}/x:1`: a broken bundle: it holds more than 1000 files, or 16777216 bytes",
            server.address
        );
        fails(&workshop, &done, 1, &said);
    }
    let unnamed = registry(
        &bundle(&[layer("application/yaml", b"a: 1\n")]),
        &[],
        |_| None,
    );
    let done = pull(&workshop, &unnamed);
    let said = format!(
        "`{}/x:1`: a broken bundle: it holds no files",
        unnamed.address
    );
    fails(&workshop, &done, 1, &said);

    // A folder that is there already keeps what is in it.
    let server = registry(&bundle(&[named("b/a.yaml")]), &[b"a: 1\n"], |_| None);
    fs::create_dir(workshop.path("bundle")).unwrap();
    workshop.file("bundle/mine", "");
    let done = host(&workshop, &format!("pull -o bundle {}/x:1", server.address));
    let said = "cannot write `bundle`: it is there already, and not empty";
    fails(&workshop, &done, 1, said);
    fs::remove_file(workshop.path("bundle/mine")).unwrap();
    let done = host(
        &workshop,
        &format!("pull -o bundle/ {}/x:1", server.address),
    );
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(workshop.read("bundle/b/a.yaml"), b"a: 1\n");
}

#[test]
fn a_bundle_is_files_and_folders() {
    let workshop = workshop("bundle-folder");
    fs::create_dir(workshop.path("bundle")).unwrap();
    let done = host(&workshop, "push bundle 127.0.0.1:1/x:1");
    let said = "`bundle`: no bundle: it does not hold `settings.yaml`";
    fails(&workshop, &done, 1, said);
    workshop.file("bundle/settings.yaml", "");
    symlink("/etc/passwd", workshop.path("bundle/link")).unwrap();
    let done = host(&workshop, "push bundle 127.0.0.1:1/x:1");
    let said = "`bundle`: `bundle/link`: a bundle holds files and folders, with names in UTF-8";
    fails(&workshop, &done, 1, said);
}
