//! JSON texts that look like admission requests and settings, with our keys in the right places,
//! and now and then something else there.

use libfuzzer_sys::arbitrary::{Result, Unstructured};

/// What stands at a place.
enum Shape {
    Map(&'static [(&'static str, &'static Shape)]),
    List(&'static Shape),
    /// One of these JSON texts.
    Literal(&'static [&'static str]),
    /// One of these strings, or any other.
    Word(&'static [&'static str]),
    Image,
    Pattern,
    Any,
}

use Shape::{Any, Image, List, Literal, Map, Pattern, Word};

static ANY: Shape = Any;
static IMAGE: Shape = Image;
static NAME: Shape = Word(&["app", "istio-proxy", "init", "a\" b", ""]);
static CONTAINER: Shape = Map(&[
    ("name", &NAME),
    ("image", &IMAGE),
    ("imagePullPolicy", &Word(&["Never", "Always"])),
    ("env", &ANY),
]);
static CONTAINERS: Shape = List(&CONTAINER);
static VOLUMES: Shape = List(&Map(&[
    ("name", &NAME),
    (
        "image",
        &Map(&[("reference", &IMAGE), ("pullPolicy", &ANY)]),
    ),
]));
static POD_SPEC: Shape = Map(&[
    ("containers", &CONTAINERS),
    ("initContainers", &CONTAINERS),
    ("ephemeralContainers", &CONTAINERS),
    ("volumes", &VOLUMES),
    ("serviceAccountName", &NAME),
]);
static STRINGS: Shape = Map(&[
    ("team", &Word(&["a", "b", ""])),
    ("kubernetes.io/config.mirror", &Word(&["x"])),
]);
static METADATA: Shape = Map(&[
    ("name", &Word(&["web", "prod-eu"])),
    ("generateName", &Word(&["web-"])),
    ("namespace", &Word(&["default", "kube-system", "prod-eu"])),
    ("labels", &STRINGS),
    ("annotations", &STRINGS),
    ("finalizers", &ANY),
    ("ownerReferences", &ANY),
]);
static TEMPLATE: Shape = Map(&[("metadata", &METADATA), ("spec", &POD_SPEC)]);
static POD: Shape = Map(&[
    ("apiVersion", &Word(&["v1"])),
    ("kind", &Word(&["Pod"])),
    ("metadata", &METADATA),
    ("spec", &POD_SPEC),
    ("status", &TEMPLATE),
]);
static POD_TEMPLATE: Shape = Map(&[("metadata", &METADATA), ("template", &TEMPLATE)]);
static DEPLOYMENT: Shape = Map(&[
    ("metadata", &METADATA),
    (
        "spec",
        &Map(&[
            ("replicas", &Literal(&["1", "1.0", "3"])),
            ("selector", &ANY),
            ("template", &TEMPLATE),
        ]),
    ),
    ("status", &ANY),
]);
static CRON_JOB: Shape = Map(&[
    ("metadata", &METADATA),
    (
        "spec",
        &Map(&[
            ("schedule", &Word(&["* * * * *"])),
            (
                "jobTemplate",
                &Map(&[("spec", &Map(&[("template", &TEMPLATE)]))]),
            ),
        ]),
    ),
]);
static CUSTOM: Shape = Map(&[
    ("metadata", &METADATA),
    (
        "spec",
        &Map(&[
            ("image", &IMAGE),
            ("images", &List(&IMAGE)),
            ("containers", &ANY),
            ("sets", &List(&TEMPLATE)),
            ("pod.template/v1", &TEMPLATE),
        ]),
    ),
]);
/// Kinds, with what their objects look like.
static KINDS: [(&str, &Shape); 9] = [
    (r#"{"group":"","version":"v1","kind":"Pod"}"#, &POD),
    (
        r#"{"group":"apps","version":"v1","kind":"Deployment"}"#,
        &DEPLOYMENT,
    ),
    (
        r#"{"group":"batch","version":"v1","kind":"CronJob"}"#,
        &CRON_JOB,
    ),
    (
        r#"{"group":"","version":"v1","kind":"PodTemplate"}"#,
        &POD_TEMPLATE,
    ),
    (
        r#"{"group":"example.com","version":"v1","kind":"Set"}"#,
        &CUSTOM,
    ),
    (r#"{"kind":"Namespace","group":null}"#, &POD),
    (
        r#"{"group":"apps","version":"v1","kind":"ControllerRevision"}"#,
        &DEPLOYMENT,
    ),
    (
        r#"{"group":"templates.gatekeeper.sh","version":"v1","kind":"Set"}"#,
        &CUSTOM,
    ),
    (r#"{"group":"apps"}"#, &DEPLOYMENT),
];

static ACTION: Shape = Word(&["reject", "warn"]);
static PATTERNS: Shape = List(&Pattern);
static ALLOW_REJECT: Shape = Map(&[
    ("allow", &PATTERNS),
    ("reject", &PATTERNS),
    ("action", &ACTION),
]);
static TAGS: Shape = List(&Word(&["latest", "*", "*-rc*", "1.?", "7"]));
static CONDITIONS: Shape = Map(&[
    ("spec.type", &Literal(&["null", "\"*\"", "\"a*\""])),
    ("spec.replicas", &Word(&["1", "?"])),
    ("metadata.labels[\\\"team\\\"]", &Word(&["*", "a"])),
    ("spec.containers[*].name", &Word(&["app"])),
]);
static SELECTOR: Shape = Map(&[
    ("namespaces", &List(&Word(&["kube-system", "prod-*"]))),
    ("kinds", &List(&Word(&["Pod", "apps/*", "core/Pod"]))),
    ("names", &List(&Word(&["web*", "?"]))),
    ("operations", &List(&Word(&["CREATE", "UP*", "*"]))),
    ("users", &List(&Word(&["jane", "system:node:*"]))),
    ("groups", &List(&Word(&["system:nodes", "dev*"]))),
    (
        "labels",
        &Map(&[("team", &Literal(&["null", "\"*\"", "\"a\""]))]),
    ),
    ("fields", &CONDITIONS),
    ("oldFields", &CONDITIONS),
]);
static SETTINGS: Shape = Map(&[
    ("registries", &ALLOW_REJECT),
    ("images", &ALLOW_REJECT),
    (
        "tags",
        &Map(&[("allow", &TAGS), ("reject", &TAGS), ("action", &ACTION)]),
    ),
    (
        "digests",
        &Map(&[
            ("require", &PATTERNS),
            ("forbid", &PATTERNS),
            ("action", &ACTION),
        ]),
    ),
    ("onUpdate", &Word(&["changed", "all"])),
    (
        "imagePaths",
        &List(&Map(&[
            ("kind", &Word(&["Set", "core/Pod", "*"])),
            (
                "path",
                &Word(&[
                    "spec.image",
                    "spec.images",
                    "spec.images[*]",
                    "spec.containers[*].image",
                    "metadata.labels",
                    "spec.sets[*].spec.volumes[*].image.reference",
                ]),
            ),
        ])),
    ),
    (
        "exemptions",
        &List(&Map(&[
            ("name", &Word(&["system"])),
            ("match", &SELECTOR),
            ("images", &PATTERNS),
            ("checks", &List(&Word(&["images"]))),
            ("reason", &Word(&["because"])),
        ])),
    ),
    ("docsUrl", &Word(&["https://wiki.example.com/images"])),
]);

static USER: Shape = Map(&[
    ("username", &Word(&["jane", "system:node:a", ""])),
    ("groups", &List(&Word(&["system:nodes", "dev"]))),
    ("uid", &ANY),
]);

static HOSTS: [&str; 14] = [
    "",
    "docker.io/",
    "index.docker.io/",
    "INDEX.docker.io:443/",
    "registry-1.docker.io/",
    "docker.io/library/",
    "ghcr.io/",
    "GHCR.io:0443/",
    "ghcr.io:5000/",
    "localhost/",
    "[2001:DB8::1]:5000/",
    "10.0.0.1/",
    "a_b.io/",
    "example.azurecr.io/",
];
static PATTERN_HOSTS: [&str; 6] = ["*/", "*.azurecr.io/", "*.io/", "?hcr.io/", "*:5000/", "**/"];
static PATHS: [&str; 6] = [
    "redis",
    "org/app",
    "a/b/c",
    "a",
    "a.b__c-d/e",
    "library/redis",
];
static PATTERN_PATHS: [&str; 7] = ["*", "**", "org/*", "re*", "a/**/c", "org/?pp", "a/*/c"];
static DIGEST: &str = "@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static VERSIONS: [&str; 6] = ["", ":latest", ":7.2-alpine", ":", ":1.0-rc1", ":0443"];
static PATTERN_VERSIONS: [&str; 4] = [":*", ":1.*", ":7?2*", "@sha256:*"];

/// A payload, and what is known of it.
#[derive(Debug)]
pub struct Payload {
    pub text: String,
    pub settings: String,
    /// Whether the request updates a readable object to itself, in any guise.
    pub updates_to_itself: bool,
}

/// A payload.
pub fn payload(u: &mut Unstructured<'_>) -> Result<Payload> {
    let mut settings = String::new();
    write(u, &SETTINGS, &mut settings)?;
    let (kind, shape) = *u.choose(&KINDS)?;
    let mut object = String::new();
    write(u, shape, &mut object)?;
    let operation = *u.choose(&["CREATE", "UPDATE", "DELETE", "CONNECT", "UPDATE", "CREATE"])?;
    let mut old_object = String::new();
    let is_same = u.ratio(1, 2)?;
    if is_same {
        old_object.push_str(&object);
    } else {
        write(u, shape, &mut old_object)?;
    }
    let mut members = vec![
        ("uid", r#""1299d386""#.to_owned()),
        ("kind", kind.to_owned()),
        ("operation", format!("\"{operation}\"")),
    ];
    for (key, shape) in [
        ("userInfo", &USER),
        ("namespace", &Word(&["default", "prod-eu", ""])),
        ("name", &Word(&["web", ""])),
        ("subResource", &Word(&["", "ephemeralcontainers", "status"])),
        ("user_info", &Any),
    ] {
        if u.ratio(1, 3)? && !u.is_empty() {
            let mut text = String::new();
            write(u, shape, &mut text)?;
            members.push((key, text));
        }
    }
    let is_plain = members.len() == 3;
    members.push(("object", object));
    if operation != "CREATE" || u.ratio(1, 8)? {
        members.push(("oldObject", old_object));
    }
    let first = u.choose_index(members.len())?;
    members.rotate_left(first);
    let mut text = String::new();
    text.push_str("{\"request\":{");
    for (position, (key, value)) in members.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        text.push_str(&format!("\"{key}\": {value}"));
    }
    text.push_str(&format!("}},\"settings\":{settings}}}"));
    Ok(Payload {
        text,
        settings,
        updates_to_itself: is_plain
            && is_same
            && operation == "UPDATE"
            && kind != r#"{"group":"apps"}"#,
    })
}

/// Settings.
pub fn settings(u: &mut Unstructured<'_>) -> Result<String> {
    let mut text = String::new();
    write(u, &SETTINGS, &mut text)?;
    Ok(text)
}

fn write(u: &mut Unstructured<'_>, shape: &Shape, out: &mut String) -> Result<()> {
    if !u.is_empty() && u.ratio(1, 64)? {
        return any(u, 3, out);
    }
    match shape {
        Map(members) => {
            out.push('{');
            let mut is_first = true;
            for (key, shape) in *members {
                if !u.is_empty() && u.ratio(2, 5)? {
                    continue;
                }
                member(u, key, shape, &mut is_first, out)?;
            }
            if !u.is_empty() && u.ratio(1, 24)? {
                // One more: of another kind, or a second time.
                match members.get(u.choose_index(members.len() * 2)?) {
                    Some((key, shape)) => member(u, key, shape, &mut is_first, out)?,
                    None => member(u, "containers", &CONTAINERS, &mut is_first, out)?,
                }
            }
            out.push('}');
        }
        List(element) => {
            out.push('[');
            let length = if u.is_empty() {
                1
            } else {
                *u.choose(&[1, 1, 1, 2, 2, 3, 0, 1, 1, 2, 17])?
            };
            for index in 0..length {
                if index > 0 {
                    out.push(',');
                }
                write(u, element, out)?;
            }
            out.push(']');
        }
        Literal(texts) => out.push_str(u.choose(texts)?),
        Word(words) => {
            if !u.is_empty() && u.ratio(1, 16)? {
                return string(u, out);
            }
            let word = *u.choose(words)?;
            quote(word, out);
        }
        Image => {
            if !u.is_empty() && u.ratio(1, 12)? {
                return string(u, out);
            }
            let text = format!("{}{}{}", u.choose(&HOSTS)?, u.choose(&PATHS)?, version(u)?);
            quote(&text, out);
        }
        Pattern => {
            if !u.is_empty() && u.ratio(1, 24)? {
                return string(u, out);
            }
            let host = either(u, &HOSTS, &PATTERN_HOSTS)?;
            let path = either(u, &PATHS, &PATTERN_PATHS)?;
            let text = match *u.choose(&[0_u8, 0, 1, 2])? {
                // A registry.
                0 => host.trim_end_matches('/').to_owned(),
                1 => format!("{host}{path}"),
                _ => format!("{host}{path}{}", u.choose(&PATTERN_VERSIONS)?),
            };
            quote(&text, out);
        }
        Any => any(u, 3, out)?,
    }
    Ok(())
}

fn version(u: &mut Unstructured<'_>) -> Result<String> {
    let tag = *u.choose(&VERSIONS)?;
    let digest = if !u.is_empty() && u.ratio(1, 4)? {
        DIGEST
    } else {
        ""
    };
    Ok(format!("{tag}{digest}"))
}

fn either(
    u: &mut Unstructured<'_>,
    texts: &[&'static str],
    patterns: &[&'static str],
) -> Result<&'static str> {
    Ok(if !u.is_empty() && u.ratio(1, 2)? {
        u.choose(patterns)?
    } else {
        u.choose(texts)?
    })
}

fn member(
    u: &mut Unstructured<'_>,
    key: &str,
    shape: &Shape,
    is_first: &mut bool,
    out: &mut String,
) -> Result<()> {
    if !*is_first {
        out.push(',');
    }
    *is_first = false;
    out.push('"');
    out.push_str(key);
    out.push_str("\":");
    write(u, shape, out)
}

fn any(u: &mut Unstructured<'_>, depth: usize, out: &mut String) -> Result<()> {
    match if u.is_empty() {
        0
    } else {
        u.int_in_range(0..=9)?
    } {
        0 => out.push_str("null"),
        1 => out.push_str(u.choose(&["true", "false"])?),
        2 => out.push_str(u.choose(&["0", "-1", "1e400", "18446744073709551616", "1.5"])?),
        3 | 4 => string(u, out)?,
        5 if depth > 0 => {
            out.push('[');
            for index in 0..u.int_in_range(0..=3)? {
                if index > 0 {
                    out.push(',');
                }
                any(u, depth - 1, out)?;
            }
            out.push(']');
        }
        6 if depth > 0 => {
            out.push('{');
            for index in 0..u.int_in_range(0..=3)? {
                if index > 0 {
                    out.push(',');
                }
                string(u, out)?;
                out.push(':');
                any(u, depth - 1, out)?;
            }
            out.push('}');
        }
        7 if depth > 0 => write(u, &TEMPLATE, out)?,
        8 if depth > 0 => write(u, &CONTAINERS, out)?,
        _ => quote("x", out),
    }
    Ok(())
}

fn string(u: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    let text: &str = u.arbitrary()?;
    quote(text, out);
    Ok(())
}

fn quote(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).expect("a string is JSON"));
}
