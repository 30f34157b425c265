//! JSON texts that look like admission requests and settings, with our keys in the right places,
//! and now and then something else there.

use libfuzzer_sys::arbitrary::{Result, Unstructured};

/// Keys, and what stands there.
type Members = &'static [(&'static str, &'static Shape)];

/// What stands at a place.
enum Shape {
    /// Some of these members.
    Map(Members),
    /// All of the former members, and some of the latter.
    Rule(Members, Members),
    List(&'static Shape),
    OneOf(&'static [&'static Shape]),
    /// One of these JSON texts.
    Literal(&'static [&'static str]),
    /// One of these strings, or any other.
    Word(&'static [&'static str]),
    Image,
    Pattern,
    /// An object as somebody applied it, in a string. It holds none of these again: each escapes the other's escapes.
    LastApplied,
    Any,
}

use Shape::{Any, Image, LastApplied, List, Literal, Map, OneOf, Pattern, Rule, Word};

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
    (
        "imagePullSecrets",
        &List(&Map(&[("name", &Word(&["pull", "mine"]))])),
    ),
]);
static STRINGS: Shape = Map(&[
    ("team", &Word(&["a", "b", ""])),
    ("kubernetes.io/config.mirror", &Word(&["x"])),
    ("example.com/spec", &Word(&["small", "Small", "10", ""])),
    ("old.example.com/spec", &Word(&["small", "Small", "10", ""])),
    ("example.com/id", &Word(&["a", ""])),
    ("kubectl.kubernetes.io/restartedAt", &Word(&["now", ""])),
    (
        "kubectl.kubernetes.io/last-applied-configuration",
        &LastApplied,
    ),
]);
static APPLIED: Shape = Map(&[
    ("apiVersion", &Word(&["v1", "apps/v1"])),
    ("kind", &Word(&["Pod", "Deployment"])),
    (
        "metadata",
        &Map(&[
            ("name", &Word(&["web", "prod-eu"])),
            ("annotations", &Map(&[("team", &Word(&["a", "b", ""]))])),
        ]),
    ),
    (
        "spec",
        &OneOf(&[
            &POD_SPEC,
            &Map(&[("template", &Map(&[("spec", &POD_SPEC)]))]),
        ]),
    ),
]);
static OWNERS: Shape = List(&Map(&[
    ("apiVersion", &Word(&["apps/v1"])),
    ("kind", &Word(&["Deployment", "ReplicaSet"])),
    ("name", &Word(&["web", "other"])),
    ("uid", &Word(&["1", "2"])),
]));
static MANAGED_FIELDS: Shape = List(&Map(&[
    ("manager", &Word(&["kubectl-edit", "helm"])),
    ("operation", &Word(&["Update", "Apply"])),
    (
        "time",
        &Word(&["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]),
    ),
    ("subresource", &Word(&["status"])),
]));
static METADATA: Shape = Map(&[
    ("name", &Word(&["web", "prod-eu"])),
    ("generateName", &Word(&["web-"])),
    ("namespace", &Word(&["default", "kube-system", "prod-eu"])),
    ("labels", &STRINGS),
    ("annotations", &STRINGS),
    ("finalizers", &ANY),
    ("ownerReferences", &OWNERS),
    ("managedFields", &MANAGED_FIELDS),
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
static REGISTRIES: Shape = List(&Word(&[
    "docker.io",
    "ghcr.io",
    "*.azurecr.io",
    "docker.io/library",
    "localhost:*",
    "example.azurecr.io/hub",
]));
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
static NAMES: Shape = List(&Word(&[
    "team",
    "spec",
    "id",
    "example.com/id",
    "restartedAt",
    "missing",
]));
static GROUPS: Shape = Literal(&[
    r#"[["spec","id"]]"#,
    r#"[["team","id"],["missing","spec"]]"#,
    r#"[["id"]]"#,
]);
static GLOBS: Shape = List(&Word(&["team", "sp*", "example.com/*", "*", "i?"]));
static WANTED: Shape = Literal(&[
    r#"{"spec":"*"}"#,
    r#"{"spec":null,"i*":"a"}"#,
    r#"{"i*":null}"#,
    r#"{"spec":"small"}"#,
]);
static ANNOTATION_RULE: Shape = Rule(
    &[("keep", &NAMES)],
    &[
        ("name", &Word(&["rule"])),
        ("match", &SELECTOR),
        ("prefix", &Word(&["example.com/", "kubectl.kubernetes.io/"])),
        ("aliasPrefixes", &List(&Word(&["old.example.com/"]))),
        ("target", &Word(&["object", "podTemplate", "both"])),
        ("required", &NAMES),
        ("requireAny", &GROUPS),
        ("denied", &GLOBS),
        ("allowed", &GLOBS),
        ("conflicting", &GROUPS),
        ("immutable", &NAMES),
        ("createOnly", &NAMES),
        (
            "requires",
            &List(&Rule(&[("when", &WANTED), ("then", &WANTED)], &[])),
        ),
        (
            "values",
            &Rule(
                &[(
                    "spec",
                    &Map(&[
                        ("oneOf", &List(&Word(&["small", "s*", ""]))),
                        ("pattern", &Word(&["[a-z]+", "[0-9]{1,3}", "s.*l"])),
                        ("default", &Word(&["small", "x"])),
                    ]),
                )],
                &[],
            ),
        ),
        ("action", &Word(&["reject", "warn", "remove"])),
        ("message", &Word(&["see the wiki"])),
    ],
);
static CRITERIA_RULE: Shape = Rule(
    &[
        (
            "criteria",
            &Word(&["containsAnyOf", "doesNotContainOtherThan", "containsAllOf"]),
        ),
        ("values", &NAMES),
    ],
    &[
        ("match", &SELECTOR),
        ("target", &Word(&["podTemplate", "both"])),
    ],
);
static CHANGE_RULE: Shape = Rule(
    &[
        (
            "match",
            &Rule(
                &[("kinds", &List(&Word(&["Pod", "apps/*", "Set", "*"])))],
                &[
                    ("namespaces", &List(&Word(&["default", "prod-*"]))),
                    (
                        "labels",
                        &Map(&[("team", &Literal(&["null", "\"*\"", "\"a\""]))]),
                    ),
                ],
            ),
        ),
        (
            "guard",
            &List(&Word(&[
                "images",
                "spec",
                "annotations:*",
                "labels:team",
                "spec.containers[*].env",
                "metadata.ownerReferences",
            ])),
        ),
    ],
    &[
        ("name", &Word(&["git"])),
        ("allowUsers", &List(&Word(&["jane", "preset:argocd"]))),
        ("allowGroups", &List(&Word(&["dev*"]))),
        ("denyFieldManagers", &List(&Word(&["kubectl-*"]))),
        ("requireAnnotations", &List(&Word(&["team"]))),
        ("allowRestart", &Literal(&["true", "false"])),
        ("guardDelete", &Literal(&["true", "false"])),
        ("action", &ACTION),
    ],
);
static MIRROR_OPTIONS: Members = &[
    ("digest", &Word(&["keep", "drop", "skip"])),
    ("pullSecrets", &List(&Word(&["pull"]))),
    ("checkExists", &Literal(&["true", "false"])),
    ("onCheckError", &Word(&["keep", "rewrite", "reject"])),
    ("match", &SELECTOR),
];
static TEMPLATES: Shape = Word(&[
    "example.azurecr.io/cache/{registry}/{repository}",
    "registry.example.com/cache/{repository}",
]);
static MIRROR: Shape = OneOf(&[
    &Rule(
        &[
            (
                "source",
                &Word(&[
                    "docker.io",
                    "docker.io/library/redis",
                    "ghcr.io/org",
                    "docker.io/library",
                ]),
            ),
            (
                "mirror",
                &Word(&[
                    "example.azurecr.io/hub",
                    "registry.example.com/{name}:{tag}",
                    "docker.io/org",
                ]),
            ),
        ],
        MIRROR_OPTIONS,
    ),
    &Rule(
        &[
            ("source", &Word(&["*", "*.azurecr.io", "docker.io"])),
            ("mirror", &TEMPLATES),
        ],
        MIRROR_OPTIONS,
    ),
]);
static SETTINGS: Shape = Map(&[
    ("mirrors", &List(&MIRROR)),
    ("rewrite", &Word(&["pods", "workloads", "never"])),
    (
        "annotations",
        &List(&OneOf(&[
            &ANNOTATION_RULE,
            &ANNOTATION_RULE,
            &CRITERIA_RULE,
        ])),
    ),
    ("changes", &List(&CHANGE_RULE)),
    (
        "drift",
        &Map(&[("lastApplied", &Word(&["ignore", "warn", "reject"]))]),
    ),
    (
        "registries",
        &OneOf(&[
            &Map(&[
                ("allow", &REGISTRIES),
                ("reject", &REGISTRIES),
                ("action", &ACTION),
            ]),
            &Map(&[("allow", &REGISTRIES), ("action", &ACTION)]),
        ]),
    ),
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
        &List(&Rule(
            &[
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
            ],
            &[],
        )),
    ),
    (
        "exemptions",
        &List(&OneOf(&[
            &Rule(
                &[("images", &PATTERNS)],
                &[
                    ("name", &Word(&["system"])),
                    ("match", &SELECTOR),
                    ("checks", &List(&Word(&["images", "mirrors"]))),
                    ("reason", &Word(&["because"])),
                ],
            ),
            &Rule(
                &[(
                    "match",
                    &Rule(
                        &[("namespaces", &List(&Word(&["kube-system", "prod-*"])))],
                        &[("fields", &CONDITIONS), ("users", &List(&Word(&["jane"])))],
                    ),
                )],
                &[(
                    "checks",
                    &List(&Word(&[
                        "images",
                        "mirrors",
                        "annotations",
                        "changes",
                        "drift",
                    ])),
                )],
            ),
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
/// With these paths, images of every list.
static ENTRY_HOSTS: [&str; 6] = [
    "docker.io/",
    "ghcr.io/",
    "GHCR.io:443/",
    "*.azurecr.io/",
    "*/",
    "localhost:*/",
];
static ENTRY_PATHS: [&str; 8] = [
    "redis",
    "org/*",
    "a/**/c",
    "*",
    "library/re*:7*",
    "org/app@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "**:latest",
    "a/?",
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
    members: Vec<(&'static str, String)>,
    pub settings: String,
    /// Whether the request updates a readable object to itself, in any guise.
    pub updates_to_itself: bool,
}

impl Payload {
    /// The payload as JSON.
    pub fn text(&self) -> String {
        self.text_with(None)
    }

    /// The payload as JSON, with another object in the object's place.
    pub fn text_with(&self, object: Option<&str>) -> String {
        let members: Vec<_> = self
            .members
            .iter()
            .map(|(key, value)| match object {
                Some(object) if *key == "object" => format!("\"{key}\": {object}"),
                _ => format!("\"{key}\": {value}"),
            })
            .collect();
        format!(
            "{{\"request\":{{{}}},\"settings\":{}}}",
            members.join(","),
            self.settings
        )
    }
}

/// A payload.
pub fn payload(u: &mut Unstructured<'_>) -> Result<Payload> {
    let mut settings = String::new();
    let wild = u.ratio(1, 8)?;
    write(u, &SETTINGS, wild, &mut settings)?;
    let (kind, shape) = *u.choose(&KINDS)?;
    let mut object = String::new();
    let wild = u.ratio(1, 2)?;
    write(u, shape, wild, &mut object)?;
    let operation = *u.choose(&["CREATE", "UPDATE", "DELETE", "CONNECT", "UPDATE", "CREATE"])?;
    let mut old_object = String::new();
    let is_same = u.ratio(1, 2)?;
    if is_same {
        old_object.push_str(&object);
    } else {
        write(u, shape, wild, &mut old_object)?;
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
        (
            "options",
            &Map(&[("fieldManager", &Word(&["kubectl-edit", "helm"]))]),
        ),
        ("user_info", &Any),
    ] {
        if u.ratio(1, 3)? && !u.is_empty() {
            let mut text = String::new();
            write(u, shape, wild, &mut text)?;
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
    Ok(Payload {
        members,
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
    let wild = u.ratio(1, 2)?;
    write(u, &SETTINGS, wild, &mut text)?;
    Ok(text)
}

/// Writes what a shape says; where it is `wild`, now and then something else.
fn write(u: &mut Unstructured<'_>, shape: &Shape, wild: bool, out: &mut String) -> Result<()> {
    if wild && !u.is_empty() && u.ratio(1, 64)? {
        return any(u, 3, out);
    }
    match shape {
        Map(members) => map(u, (&[], members), wild, out)?,
        Rule(must, may) => map(u, (must, may), wild, out)?,
        List(element) => {
            out.push('[');
            let length = match (u.is_empty(), wild) {
                (true, _) => 1,
                (false, false) => *u.choose(&[1, 1, 1, 2, 3])?,
                (false, true) => *u.choose(&[1, 1, 1, 2, 2, 3, 0, 1, 1, 2, 17])?,
            };
            for index in 0..length {
                if index > 0 {
                    out.push(',');
                }
                write(u, element, wild, out)?;
            }
            out.push(']');
        }
        OneOf(shapes) => {
            let shape = *u.choose(shapes)?;
            write(u, shape, wild, out)?;
        }
        Literal(texts) => out.push_str(u.choose(texts)?),
        Word(words) => {
            if wild && !u.is_empty() && u.ratio(1, 16)? {
                return string(u, out);
            }
            let word = *u.choose(words)?;
            quote(word, out);
        }
        Image => {
            if wild && !u.is_empty() && u.ratio(1, 12)? {
                return string(u, out);
            }
            let text = format!("{}{}{}", u.choose(&HOSTS)?, u.choose(&PATHS)?, version(u)?);
            quote(&text, out);
        }
        Pattern => {
            if wild && !u.is_empty() && u.ratio(1, 24)? {
                return string(u, out);
            }
            if !wild {
                let text = format!("{}{}", u.choose(&ENTRY_HOSTS)?, u.choose(&ENTRY_PATHS)?);
                quote(&text, out);
                return Ok(());
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
        LastApplied => {
            let mut applied = String::new();
            write(u, &APPLIED, wild, &mut applied)?;
            quote(&applied, out);
        }
        Any => any(u, 3, out)?,
    }
    Ok(())
}

fn map(
    u: &mut Unstructured<'_>,
    (must, may): (Members, Members),
    wild: bool,
    out: &mut String,
) -> Result<()> {
    out.push('{');
    let mut is_first = true;
    for (key, shape) in must {
        if !(wild && !u.is_empty() && u.ratio(1, 24)?) {
            member(u, key, shape, wild, &mut is_first, out)?;
        }
    }
    for (position, (key, shape)) in may.iter().enumerate() {
        // Tame maps are not empty.
        let is_last_chance = !wild && is_first && position + 1 == may.len();
        if is_last_chance || u.is_empty() || !u.ratio(2, 5)? {
            member(u, key, shape, wild, &mut is_first, out)?;
        }
    }
    if wild && !u.is_empty() && u.ratio(1, 24)? {
        // One more: of another kind, or a second time.
        match may.get(u.choose_index(may.len() * 2 + 1)?) {
            Some((key, shape)) => member(u, key, shape, wild, &mut is_first, out)?,
            None => member(u, "containers", &CONTAINERS, wild, &mut is_first, out)?,
        }
    }
    out.push('}');
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
    wild: bool,
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
    write(u, shape, wild, out)
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
        7 if depth > 0 => write(u, &TEMPLATE, true, out)?,
        8 if depth > 0 => write(u, &CONTAINERS, true, out)?,
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
