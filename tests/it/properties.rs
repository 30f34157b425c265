//! What holds for every reference, pattern, setting and payload, on generated ones.
//!
//! Most generators draw from few words, so that entries and images meet. `PROPTEST_CASES` sets how
//! many cases a property gets; a failure is shown in its smallest form and belongs into
//! `tests/cases/`, hence no files of failures are kept.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::sample::select;
use rollout_guard::date::{Clock, Time};
use rollout_guard::glob;
use rollout_guard::image::Reference;
use rollout_guard::json::Document;
use rollout_guard::pattern::{ImagePattern, RegistryPattern, Sense, TagPattern};
use rollout_guard::policy::Policy;
use rollout_guard::request::Payload;
use rollout_guard::settings::{Settings, SettingsErrors};
use rollout_guard::violation::Code;
use rollout_guard::wire;
use serde_json::{Map, Value, json};

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

// --- references ---------------------------------------------------------------------------------

/// A host that is known as one however it is spelled.
///
/// Left out are hosts of one label, which only an upper-case letter or a port tells from a path:
/// the normal form of `CORP/app` and of `corp:443/app` is on the host `corp`, shown as `corp/app`.
fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z0-9]{1,3}(-[a-z0-9]{1,2})?(\\.[A-Za-z0-9]{1,3}){1,3}",
        2 => "[a-zA-Z]{1,4}:[1-9][0-9]{0,2}",
        1 => "[a-z0-9.-]{0,2}[a-z](_|__)[a-z]{1,2}\\.[a-z]{1,3}"
            .prop_filter("a path component", |host| is_path_component(host)),
        1 => "(\\[)[0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4}){7}(\\])",
        1 => select(vec!["localhost", "LocalHost", "[::1]", "[::ffff:a00:1]", "[2001:DB8:0:0::1]", "10.0.0.1"])
            .prop_map(str::to_owned),
        2 => select(DOCKER_HUB.to_vec()).prop_map(str::to_owned),
    ]
}

const DOCKER_HUB: [&str; 4] = [
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
    "registry.hub.docker.com",
];

fn is_path_component(text: &str) -> bool {
    Reference::parse(&format!("ghcr.io/{text}")).is_ok()
}

fn port() -> impl Strategy<Value = &'static str> {
    select(vec!["", "", ":443", ":0443", ":5000", ":05000", ":0"])
}

fn path() -> impl Strategy<Value = String> {
    "[a-z0-9]{1,3}((\\.|_|__|-|--)[a-z0-9]{1,2}){0,2}(/[a-z0-9]{1,3}){0,3}"
}

fn tag() -> impl Strategy<Value = Option<String>> {
    proptest::option::of("[A-Za-z0-9_][A-Za-z0-9_.-]{0,6}")
}

fn digest() -> impl Strategy<Value = Option<String>> {
    let digits = |algorithm: &'static str, length: usize| {
        proptest::collection::vec(
            select("0123456789abcdef".chars().collect::<Vec<_>>()),
            length,
        )
        .prop_map(move |digits| format!("{algorithm}:{}", digits.iter().collect::<String>()))
    };
    proptest::option::of(prop_oneof![
        digits("sha256", 64),
        digits("sha384", 96),
        digits("sha512", 128),
    ])
}

fn version((tag, digest): (Option<String>, Option<String>)) -> String {
    let tag = tag.map(|tag| format!(":{tag}")).unwrap_or_default();
    let digest = digest
        .map(|digest| format!("@{digest}"))
        .unwrap_or_default();
    format!("{tag}{digest}")
}

/// Any reference, except for those of [`host`].
fn reference() -> impl Strategy<Value = String> {
    let hosted = (host(), port()).prop_map(|(host, port)| {
        // A host that has its port gets no second one.
        let has_port = host.contains(':') && !host.ends_with(']');
        let port = if has_port || host.contains('_') {
            ""
        } else {
            port
        };
        format!("{host}{port}/")
    });
    let hosted = prop_oneof![1 => Just(String::new()), 4 => hosted];
    (hosted, path(), (tag(), digest()).prop_map(version))
        .prop_map(|(host, path, version)| format!("{host}{path}{version}"))
}

/// The text with some of its letters in upper case.
fn in_other_case(text: &str, upper: u32) -> String {
    text.char_indices()
        .map(|(at, letter)| {
            if upper >> (at % 32) & 1 == 1 {
                letter.to_ascii_uppercase()
            } else {
                letter
            }
        })
        .collect()
}

#[test]
fn a_host_of_one_label_is_shown_as_a_host() {
    for text in ["A:443/a", "a:443/a", "A/a"] {
        let read = Reference::parse(text).unwrap();
        assert_eq!(read.to_string(), "a:443/a:latest");
        assert_eq!(Reference::parse("a:443/a").unwrap(), read);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_reference_is_shown_as_what_it_is_read_from(text in reference()) {
        let read = Reference::parse(&text).unwrap();
        let shown = read.to_string();
        let again = Reference::parse(&shown).unwrap();
        prop_assert_eq!(&again, &read);
        prop_assert_eq!(again.to_string(), shown);
    }

    #[test]
    fn a_host_has_one_normal_form(
        host in select(vec!["docker.io", "ghcr.io", "a.b.corp.io", "localhost", "[2001:db8::1]"]),
        alias in select(DOCKER_HUB.to_vec()),
        upper in any::<u32>(),
        port in select(vec!["", ":443", ":0443"]),
        rest in (path(), (tag(), digest()).prop_map(version)),
    ) {
        let (path, version) = rest;
        let normal = format!("{host}/{path}{version}");
        let name = if host == "docker.io" { alias } else { host };
        let spelled = format!("{}{port}/{path}{version}", in_other_case(name, upper));
        prop_assert_eq!(Reference::parse(&spelled), Reference::parse(&normal));
        if host == "docker.io" {
            let bare = format!("{path}{version}");
            if !path.contains(['/', '.']) {
                prop_assert_eq!(Reference::parse(&bare), Reference::parse(&normal));
            }
            let whole = format!("{name}/library/{path}{version}");
            if !path.contains('/') {
                prop_assert_eq!(Reference::parse(&whole), Reference::parse(&normal));
            }
        }
    }

    #[test]
    fn another_port_is_another_host(text in path(), port in 1_u16..) {
        let with = format!("ghcr.io:{port}/{text}");
        let without = format!("ghcr.io/{text}");
        let same = Reference::parse(&with).unwrap() == Reference::parse(&without).unwrap();
        prop_assert_eq!(same, port == 443);
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in any::<String>()) {
        let parsed = Reference::parse(&text).is_ok();
        prop_assert!(!parsed || text.is_ascii());
        for sense in [Sense::Allow, Sense::Reject] {
            let _ = ImagePattern::parse(&text, sense);
            let _ = RegistryPattern::parse(&text, sense);
        }
        let _ = TagPattern::parse(&text);
    }
}

#[test]
fn a_reference_of_any_length_is_read_or_refused() {
    for length in 0..400 {
        let (letters, digits) = ("c".repeat(length), "0".repeat(length));
        for text in [
            letters.clone(),
            format!("ghcr.io/{letters}"),
            format!("ghcr.io/{letters}/a"),
            format!("docker.io/{letters}"),
            format!("registry-1.docker.io/{letters}"),
            format!("{letters}.io/a"),
            format!("a_b.{letters}/a"),
            format!("ghcr.io:{digits}/a"),
            format!("ghcr.io/a:{letters}"),
            format!("ghcr.io/a@sha256:{digits}"),
        ] {
            match Reference::parse(&text) {
                Ok(reference) => assert!(reference.path().len() <= 255 + "library/".len()),
                Err(error) => {
                    let told = error.to_string();
                    let position: usize = told.rsplit(' ').next().unwrap().parse().unwrap();
                    assert!((1..=text.len() + 1).contains(&position), "{text}: {told}");
                }
            }
        }
    }
}

// --- patterns -----------------------------------------------------------------------------------

const HOSTS: [&str; 7] = [
    "docker.io",
    "ghcr.io",
    "a.corp.io",
    "b.a.corp.io",
    "corp.io",
    "ghcr.io:5000",
    "localhost",
];
const SEGMENTS: [&str; 6] = ["a", "b", "ab", "aab", "library", "redis"];
const TAGS: [&str; 5] = ["1", "1.2", "12", "1-rc1", "latest"];
const DIGESTS: [&str; 2] = [
    "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "sha256:abababababababababababababababababababababababababababababababab",
];

/// An image of few words.
#[derive(Clone, Debug)]
struct Image {
    host: &'static str,
    path: Vec<&'static str>,
    tag: Option<&'static str>,
    digest: Option<&'static str>,
}

impl Image {
    fn text(&self) -> String {
        let version = version((self.tag.map(str::to_owned), self.digest.map(str::to_owned)));
        format!("{}/{}{version}", self.host, self.path.join("/"))
    }

    /// What the path comes to on its registry.
    fn full_path(&self) -> Vec<&'static str> {
        let mut path = self.path.clone();
        if self.host == "docker.io" && path.len() == 1 {
            path.insert(0, "library");
        }
        path
    }

    /// The tag that is meant where none is written.
    fn full_tag(&self) -> Option<&'static str> {
        match (self.tag, self.digest) {
            (None, None) => Some("latest"),
            (tag, _) => tag,
        }
    }
}

fn image() -> impl Strategy<Value = Image> {
    (
        select(HOSTS.to_vec()),
        proptest::collection::vec(select(SEGMENTS.to_vec()), 1..=4),
        proptest::option::of(select(TAGS.to_vec())),
        proptest::option::weighted(0.3, select(DIGESTS.to_vec())),
    )
        .prop_map(|(host, path, tag, digest)| Image {
            host,
            path,
            tag,
            digest,
        })
}

/// An entry of a list of images, in its parts.
#[derive(Clone, Debug)]
struct Entry {
    host: String,
    path: Vec<String>,
    tag: Option<String>,
    digest: Option<String>,
}

impl Entry {
    fn text(&self) -> String {
        let version = version((self.tag.clone(), self.digest.clone()));
        format!("{}/{}{version}", self.host, self.path.join("/"))
    }

    fn path(&self) -> String {
        self.path.join("/")
    }

    /// The entry of a list of registries with this host and path.
    fn registry(&self) -> String {
        format!("{}/{}", self.host, self.path())
    }

    /// What the entry says, in the plainest words.
    fn matches(&self, image: &Image, sense: Sense) -> bool {
        let hosts: &[&str] = match (image.host, sense) {
            ("docker.io", Sense::Reject) => &DOCKER_HUB,
            (host, _) => &[host],
        };
        let path = image.full_path();
        // One segment on Docker Hub is an image of `library/`.
        let short = path
            .strip_prefix(&["library"])
            .filter(|_| image.host == "docker.io" && self.path.len() == 1);
        hosts.iter().any(|host| naive_host(&self.host, host))
            && (self.matches_path(&path, sense)
                || short.is_some_and(|path| self.matches_path(path, sense)))
            && self.matches_version(image, sense)
    }

    fn matches_path(&self, path: &[&str], sense: Sense) -> bool {
        match sense {
            Sense::Allow => naive_segments(&self.path, path),
            Sense::Reject => naive_crossing(&self.path, &path.join("/")),
        }
    }

    fn matches_version(&self, image: &Image, sense: Sense) -> bool {
        let digest = self.digest.as_ref().map(|wanted| {
            image
                .digest
                .is_some_and(|digest| naive_glob(wanted, digest))
        });
        let tag = self
            .tag
            .as_ref()
            .map(|wanted| image.full_tag().map(|tag| naive_glob(wanted, tag)));
        match (digest, tag, sense) {
            (Some(digest), _, Sense::Reject) => digest,
            (Some(digest), tag, Sense::Allow) => digest && tag.flatten().unwrap_or(true),
            (None, None, _) => true,
            (None, Some(tag), Sense::Reject) => tag.unwrap_or(false),
            (None, Some(tag), Sense::Allow) => image.digest.is_none() && tag.unwrap_or(false),
        }
    }
}

/// Characters of which `*` is any number and `?` is one.
fn naive_glob(pattern: &str, text: &str) -> bool {
    fn run(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => {
                run(rest, text) || matches!(text, [_, text @ ..] if run(pattern, text))
            }
            (['?', pattern @ ..], [_, text @ ..]) => run(pattern, text),
            ([wanted, pattern @ ..], [found, text @ ..]) => wanted == found && run(pattern, text),
            _ => false,
        }
    }
    let chars = |text: &str| text.chars().collect::<Vec<_>>();
    run(&chars(pattern), &chars(text))
}

/// A host that may be written with the default port or without.
fn naive_host(pattern: &str, host: &str) -> bool {
    naive_glob(pattern, host)
        || (!host.contains(':') && naive_glob(pattern, &format!("{host}:443")))
}

/// Segments of which `**` is any number, and `*` at the end is one or more.
fn naive_segments(pattern: &[String], path: &[&str]) -> bool {
    let Some((wanted, rest)) = pattern.split_first() else {
        return path.is_empty();
    };
    match (wanted.as_str(), path) {
        ("**", _) => {
            naive_segments(rest, path)
                || matches!(path, [_, path @ ..] if naive_segments(pattern, path))
        }
        ("*", [_, ..]) if rest.is_empty() => true,
        (wanted, [found, path @ ..]) => naive_glob(wanted, found) && naive_segments(rest, path),
        (_, []) => false,
    }
}

/// Characters of which `*` is any number and `?` is one, `/` among them; a segment `**` may also be
/// none, together with its `/`.
fn naive_crossing(pattern: &[String], path: &str) -> bool {
    naive_glob(&pattern.join("/"), path)
        || (0..pattern.len()).any(|at| {
            let mut without = pattern.to_vec();
            without.remove(at) == "**" && naive_crossing(&without, path)
        })
}

/// An entry whose host is not dangerous in an allow list.
fn entry() -> impl Strategy<Value = Entry> {
    let host = prop_oneof![
        3 => select(HOSTS.to_vec()),
        2 => select(vec!["*", "*.corp.io", "?.corp.io", "*.io", "*.docker.io", "b.*.corp.io"]),
        1 => select(vec!["ghcr.io:*", "ghcr.io:44?", "*.io:*", "docker.io:*", "*.corp.io:4*3"]),
    ];
    let segment = prop_oneof![
        4 => select(SEGMENTS.to_vec()),
        3 => select(vec!["*", "**", "a*", "*b", "?", "a?", "*a*", "re*", "***", "a**b"]),
    ];
    let tag = select(vec![
        "1", "1.2", "*", "1*", "?", "1?2", "*-rc*", "latest", "**",
    ]);
    let digest = select(vec![DIGESTS[0], DIGESTS[1], "sha256:*", "sha256:ab*", "*"]);
    (
        host,
        proptest::collection::vec(segment, 1..=4),
        proptest::option::weighted(0.4, tag),
        proptest::option::weighted(0.2, digest),
    )
        .prop_map(|(host, path, tag, digest)| Entry {
            host: host.to_owned(),
            path: path.into_iter().map(str::to_owned).collect(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
}

/// An entry and images, some of which it should match: its own text with the wildcards filled in.
fn entry_and_images() -> impl Strategy<Value = (Entry, Vec<Image>)> {
    let fills = proptest::collection::vec(select(SEGMENTS.to_vec()), 12);
    let filled = (entry(), proptest::collection::vec((fills, image()), 4));
    (filled, proptest::collection::vec(image(), 2)).prop_map(|((entry, fills), mut images)| {
        for (fills, other) in fills {
            images.push(fill(&entry, &fills, &other));
        }
        (entry, images)
    })
}

/// An image that an entry may match: as the entry says where it says something, else as `other`.
fn fill(entry: &Entry, fills: &[&'static str], other: &Image) -> Image {
    let mut fills = fills.iter().copied();
    let mut path = Vec::new();
    for segment in &entry.path {
        match SEGMENTS.iter().find(|word| *word == segment) {
            Some(word) => path.push(*word),
            None if segment.starts_with("**") && fills.next() == Some("a") => {}
            None => {
                let like: Vec<_> = SEGMENTS
                    .into_iter()
                    .filter(|word| naive_glob(segment, word))
                    .collect();
                let wanted = fills.next().unwrap_or("a");
                path.push(
                    like.iter()
                        .copied()
                        .find(|word| *word == wanted)
                        .or(like.first().copied())
                        .unwrap_or(wanted),
                );
            }
        }
    }
    if path.is_empty() {
        path.push("a");
    }
    let choose = |wanted: &Option<String>, words: &[&'static str], other| match wanted {
        Some(wanted) => words
            .iter()
            .copied()
            .find(|word| naive_glob(wanted, word))
            .or(other),
        None => other,
    };
    let host = HOSTS
        .into_iter()
        .find(|host| naive_host(&entry.host, host) && entry.host != "*");
    Image {
        host: host.unwrap_or(other.host),
        path,
        tag: choose(&entry.tag, &TAGS, other.tag),
        digest: choose(&entry.digest, &DIGESTS, other.digest),
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_glob_matches_as_its_characters_do(
        pattern in "[ab*?éж]{0,6}",
        text in "[abéж]{0,7}",
    ) {
        prop_assert_eq!(glob::matches(&pattern, &text), naive_glob(&pattern, &text));
    }

    #[test]
    fn an_entry_matches_as_its_parts_do((entry, images) in entry_and_images()) {
        let text = entry.text();
        for sense in [Sense::Allow, Sense::Reject] {
            let parsed = ImagePattern::parse(&text, sense);
            prop_assert!(parsed.is_ok(), "{:?}", parsed);
            let parsed = parsed.unwrap();
            for image in &images {
                let image_text = image.text();
                let reference = Reference::parse(&image_text).unwrap();
                prop_assert_eq!(
                    parsed.matches(&reference, sense),
                    entry.matches(image, sense),
                    "{} {:?} {}", text, sense, image_text
                );
            }
        }
    }

    #[test]
    fn an_entry_without_wildcards_allows_its_own_image_only(one in image(), other in image()) {
        let text = one.text();
        let entry = ImagePattern::parse(&text, Sense::Allow).unwrap();
        prop_assert!(entry.matches(&Reference::parse(&text).unwrap(), Sense::Allow), "{}", text);
        let other_text = other.text();
        let is_same = one.host == other.host
            && one.full_path() == other.full_path()
            && match (one.tag, one.digest) {
                (None, None) => true,
                (Some(tag), None) => other.digest.is_none() && other.full_tag() == Some(tag),
                (None, digest) => other.digest == digest,
                (tag, digest) => other.digest == digest && (other.tag.is_none() || other.tag == tag),
            };
        let matches = entry.matches(&Reference::parse(&other_text).unwrap(), Sense::Allow);
        prop_assert_eq!(matches, is_same, "{} {}", text, other_text);
    }

    #[test]
    fn an_entry_rejects_whatever_it_allows((entry, images) in entry_and_images()) {
        let (text, registry) = (entry.text(), entry.registry());
        for image in &images {
            let image_text = image.text();
            let reference = Reference::parse(&image_text).unwrap();
            let allows = ImagePattern::parse(&text, Sense::Allow).unwrap().matches(&reference, Sense::Allow);
            let rejects = ImagePattern::parse(&text, Sense::Reject).unwrap().matches(&reference, Sense::Reject);
            prop_assert!(rejects || !allows, "{} {}", text, image_text);
            let allows = RegistryPattern::parse(&registry, Sense::Allow).unwrap().matches(&reference, Sense::Allow);
            let rejects = RegistryPattern::parse(&registry, Sense::Reject).unwrap().matches(&reference, Sense::Reject);
            prop_assert!(rejects || !allows, "{} {}", registry, image_text);
        }
    }

    #[test]
    fn an_entry_that_can_be_allowed_can_be_rejected(text in "[a-c*?./:@]{1,12}") {
        if ImagePattern::parse(&text, Sense::Allow).is_ok() {
            prop_assert!(ImagePattern::parse(&text, Sense::Reject).is_ok(), "{}", text);
        }
        if RegistryPattern::parse(&text, Sense::Allow).is_ok() {
            prop_assert!(RegistryPattern::parse(&text, Sense::Reject).is_ok(), "{}", text);
        }
    }

    #[test]
    fn nothing_crosses_from_host_to_path(
        host in select(HOSTS.to_vec()),
        entry in entry(),
        text in reference(),
        near in image(),
    ) {
        let entry = Entry { host: host.to_owned(), ..entry };
        let (entry_text, registry, near) = (entry.text(), entry.registry(), near.text());
        for image in [&text, &near] {
            let reference = Reference::parse(image).unwrap();
            if reference.host() == host {
                continue;
            }
            for sense in [Sense::Allow, Sense::Reject] {
                let matches = ImagePattern::parse(&entry_text, sense).unwrap().matches(&reference, sense);
                prop_assert!(!matches, "{} {}", entry_text, image);
                let matches = RegistryPattern::parse(&registry, sense).unwrap().matches(&reference, sense);
                prop_assert!(!matches, "{} {}", registry, image);
            }
        }
    }

    #[test]
    fn a_registry_with_a_path_covers_what_is_at_it_and_below_it(
        (entry, images) in entry_and_images(),
        below in proptest::collection::vec(select(SEGMENTS.to_vec()), 0..3),
    ) {
        let text = entry.registry();
        for mut image in images {
            image.path.extend(&below);
            let image_text = image.text();
            let path = image.full_path();
            let matches = naive_host(&entry.host, image.host)
                && (1..=path.len()).any(|end| naive_segments(&entry.path, &path[..end]));
            let parsed = RegistryPattern::parse(&text, Sense::Allow).unwrap();
            let reference = Reference::parse(&image_text).unwrap();
            prop_assert_eq!(parsed.matches(&reference, Sense::Allow), matches, "{} {}", text, image_text);
        }
    }
}

// --- verdicts on an image -----------------------------------------------------------------------

/// An answer, of which what every answer has is asserted.
#[derive(Debug, PartialEq)]
struct Answer {
    accepted: bool,
    codes: BTreeSet<String>,
    /// The lines of the message, in no order.
    lines: Vec<String>,
    warnings: Vec<String>,
}

impl Answer {
    fn to(payload: &[u8]) -> Self {
        let members: Map<String, Value> = serde_json::from_slice(&wire::validate(payload)).unwrap();
        let known = [
            "accepted",
            "message",
            "code",
            "audit_annotations",
            "warnings",
        ];
        assert!(
            members.keys().all(|key| known.contains(&key.as_str())),
            "{members:?}"
        );
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let sorted = |mut texts: Vec<String>| {
            texts.sort();
            texts
        };
        let accepted = members["accepted"].as_bool().unwrap();
        let message = members.get("message").map(text);
        assert_eq!(message.is_none(), accepted, "{members:?}");
        assert_eq!(members.get("code").is_none(), accepted, "{members:?}");
        let warnings: Vec<_> = members
            .get("warnings")
            .map(|warnings| warnings.as_array().unwrap().iter().map(text).collect())
            .unwrap_or_default();
        assert!(warnings.len() <= 16, "{members:?}");
        for warning in &warnings {
            assert!(warning.len() <= 256 && !warning.contains('\n'), "{warning}");
        }
        let lines = message.unwrap_or_default();
        assert!(lines.lines().count() <= 103, "{lines}");
        let codes = members
            .get("audit_annotations")
            .and_then(|annotations| annotations.get("violations"))
            .map(|codes| text(codes).split(',').map(str::to_owned).collect())
            .unwrap_or_default();
        Self {
            accepted,
            codes,
            lines: sorted(lines.lines().map(str::to_owned).collect()),
            warnings: sorted(warnings),
        }
    }

    fn has(&self, code: Code) -> bool {
        self.codes.contains(code.as_str())
    }
}

fn pod(image: &str) -> Value {
    json!({ "kind": "Pod", "spec": { "containers": [{ "name": "app", "image": image }] } })
}

fn create(settings: &Value, object: &Value) -> Vec<u8> {
    let kind = json!({ "group": "", "version": "v1", "kind": "Pod" });
    let request = json!({ "uid": "1", "kind": kind, "operation": "CREATE", "object": object });
    serde_json::to_vec(&json!({ "request": request, "settings": settings })).unwrap()
}

fn judge(settings: &Value, image: &str) -> Answer {
    Answer::to(&create(settings, &pod(image)))
}

/// The paths of the mistakes in settings that can be read; `None` if they cannot be.
fn contradictions(settings: &Value) -> Option<Vec<String>> {
    let text = settings.to_string();
    let document = Document::of(&text).unwrap();
    Settings::read(document.root()).ok()?;
    Some(match Settings::validate(document.root()) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(|error| error.path.clone()).collect(),
    })
}

/// An entry that may reject all that another one allows: the other one, made wider here and there.
fn wider(entry: Entry) -> impl Strategy<Value = Entry> {
    let part = |text: String, wide: Vec<&'static str>| {
        let wide = select(wide).prop_map(str::to_owned);
        prop_oneof![3 => Just(text), 1 => wide]
    };
    let every_port = match entry.host.split(':').next() {
        Some(name) if name != "*" => format!("{name}:*"),
        _ => entry.host.clone(),
    };
    let wide = vec!["*", "*.io", "*.corp.io", "*.docker.io", "*.io:*"];
    let host = prop_oneof![4 => part(entry.host, wide), 1 => Just(every_port)];
    let path: Vec<_> = entry
        .path
        .into_iter()
        .map(|segment| part(segment, vec!["*", "**", "a*", "*b"]))
        .collect();
    let path = prop_oneof![
        5 => path,
        1 => Just(vec!["*".to_owned()]),
        1 => Just(vec!["**".to_owned()]),
    ];
    let below = select(vec!["", "", "", "*", "**"]);
    let version = prop_oneof![
        Just((None, None)),
        Just((entry.tag.clone(), None)),
        Just((None, entry.digest.clone())),
        Just((entry.tag, entry.digest)),
        Just((Some("1*".to_owned()), None)),
    ];
    (host, path, below, version).prop_map(|(host, mut path, below, (tag, digest))| {
        if !below.is_empty() {
            path.push(below.to_owned());
        }
        Entry {
            host,
            path,
            tag,
            digest,
        }
    })
}

/// What is allowed, what is rejected, and images that the first one may match.
fn allowed_rejected_images() -> impl Strategy<Value = (Entry, Entry, Vec<Image>)> {
    entry_and_images().prop_flat_map(|(allowed, images)| {
        let rejected = prop_oneof![4 => wider(allowed.clone()).boxed(), 1 => entry().boxed()];
        (Just(allowed), rejected, Just(images))
    })
}

/// If settings are said to contradict themselves, no image passes them.
fn none_passes_if_contradicting(settings: &Value, images: &[Image]) -> Result<(), TestCaseError> {
    let found = contradictions(settings);
    prop_assert!(found.is_some(), "{}", settings);
    if found.is_some_and(|found| found.is_empty()) {
        return Ok(());
    }
    for image in images {
        let image = image.text();
        prop_assert!(!judge(settings, &image).accepted, "{} {}", settings, image);
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_image_passes_if_each_section_is_satisfied(
        allow in proptest::collection::vec(entry(), 0..3),
        (rejected, images) in entry_and_images(),
        registries in proptest::collection::vec(select(HOSTS.to_vec()), 0..4),
        tag in select(vec!["*", "1*", "latest", "?"]),
    ) {
        let texts: Vec<_> = allow.iter().map(Entry::text).collect();
        let settings = json!({
            "images": { "allow": texts, "reject": [rejected.text()] },
            "registries": { "allow": registries },
            "tags": { "reject": [tag] },
        });
        for image in &images {
            let text = image.text();
            let answer = judge(&settings, &text);
            let is_rejected = rejected.matches(image, Sense::Reject);
            let is_allowed = allow.is_empty() || allow.iter().any(|entry| entry.matches(image, Sense::Allow));
            let is_from_there = registries.is_empty() || registries.contains(&image.host);
            let is_tagged = image.full_tag().is_some_and(|found| naive_glob(tag, found));
            prop_assert_eq!(answer.has(Code::ImageRejected), is_rejected, "{}", text);
            prop_assert_eq!(answer.has(Code::ImageNotAllowed), !is_rejected && !is_allowed, "{}", text);
            prop_assert_eq!(answer.has(Code::RegistryNotAllowed), !is_from_there, "{}", text);
            prop_assert_eq!(answer.has(Code::TagRejected), is_tagged, "{}", text);
            prop_assert_eq!(answer.accepted, answer.codes.is_empty());
        }
    }

    #[test]
    fn a_reject_entry_beats_every_allow_entry((entry, images) in entry_and_images()) {
        let text = entry.text();
        let settings = json!({ "images": { "allow": ["*", text], "reject": [text] } });
        for image in &images {
            let answer = judge(&settings, &image.text());
            let reference = image.text();
            let rejected = ImagePattern::parse(&text, Sense::Reject)
                .unwrap()
                .matches(&Reference::parse(&reference).unwrap(), Sense::Reject);
            prop_assert_eq!(answer.accepted, !rejected, "{} {}", text, reference);
        }
    }

    #[test]
    fn no_image_passes_an_entry_that_is_wholly_rejected_as_images(
        (allowed, rejected, images) in allowed_rejected_images(),
    ) {
        let settings = json!({
            "images": { "allow": [allowed.text()], "reject": [rejected.text()] },
        });
        none_passes_if_contradicting(&settings, &images)?;
    }

    #[test]
    fn no_image_passes_a_registry_that_is_wholly_rejected_as_a_registry(
        (allowed, rejected, images) in allowed_rejected_images(),
    ) {
        for (allow, reject) in [
            (allowed.registry(), rejected.registry()),
            (allowed.registry(), rejected.host.clone()),
            (allowed.host, rejected.host),
        ] {
            let settings = json!({ "registries": { "allow": [allow], "reject": [reject] } });
            none_passes_if_contradicting(&settings, &images)?;
        }
    }

    #[test]
    fn no_image_passes_an_entry_that_is_wholly_rejected_as_a_registry(
        (allowed, rejected, images) in allowed_rejected_images(),
    ) {
        for reject in [rejected.registry(), rejected.host] {
            let settings = json!({
                "images": { "allow": [allowed.text()] },
                "registries": { "reject": [reject] },
            });
            none_passes_if_contradicting(&settings, &images)?;
        }
    }

    #[test]
    fn no_image_passes_a_registry_that_is_wholly_rejected_as_images(
        (allowed, rejected, images) in allowed_rejected_images(),
    ) {
        for allow in [allowed.registry(), allowed.host] {
            let settings = json!({
                "registries": { "allow": [allow] },
                "images": { "reject": [rejected.text()] },
            });
            none_passes_if_contradicting(&settings, &images)?;
        }
    }

    #[test]
    fn no_image_passes_an_entry_whose_tags_are_wholly_rejected(
        (allowed, images) in entry_and_images(),
        reject in select(vec!["1", "1.2", "*", "1*", "?", "1?2", "*-rc*", "latest"]),
        exempt in proptest::option::of(entry()),
    ) {
        let mut settings = json!({
            "images": { "allow": [allowed.text()] },
            "tags": { "reject": [reject] },
        });
        none_passes_if_contradicting(&settings, &images)?;
        if let Some(exempt) = exempt.map(|entry| entry.text()) {
            settings["exemptions"] = json!([{ "match": { "namespaces": ["elsewhere"] }, "images": [exempt] }]);
            none_passes_if_contradicting(&settings, &images)?;
        }
    }

    #[test]
    fn no_image_passes_an_entry_whose_digests_are_wholly_required_or_forbidden(
        (allowed, restricted, images) in allowed_rejected_images(),
    ) {
        for list in ["require", "forbid"] {
            let settings = json!({
                "images": { "allow": [allowed.text()] },
                "digests": { list: [restricted.text()] },
            });
            none_passes_if_contradicting(&settings, &images)?;
        }
    }

    #[test]
    fn a_tag_that_is_wholly_rejected_never_passes(
        allow in "[a1*?]{1,4}", reject in "[a1*?]{1,4}", tag in "[a1]{1,4}",
    ) {
        let settings = json!({ "tags": { "allow": [allow], "reject": [reject] } });
        if contradictions(&settings).is_some_and(|found| !found.is_empty()) {
            prop_assert!(!judge(&settings, &format!("redis:{tag}")).accepted, "{} {}", settings, tag);
        }
    }

    #[test]
    fn an_image_of_contradicting_digests_never_passes(
        (required, forbidden, images) in allowed_rejected_images(),
    ) {
        let settings = json!({
            "digests": { "require": [required.text()], "forbid": [forbidden.text()] },
        });
        let found = contradictions(&settings);
        prop_assert!(found.is_some(), "{}", settings);
        if found.is_some_and(|found| found.is_empty()) {
            return Ok(());
        }
        let (required, forbidden) = (required.text(), forbidden.text());
        let restricts = |entry: &str, image: &str| {
            ImagePattern::parse(entry, Sense::Reject)
                .unwrap()
                .matches(&Reference::parse(image).unwrap(), Sense::Reject)
        };
        // The narrower entry is the one of which no image passes, be it pinned or not.
        let (mut of_required, mut of_forbidden) = (true, true);
        for image in &images {
            let tag = image.full_tag().or(Some("latest"));
            let pinned = Image { tag, digest: Some(DIGESTS[0]), ..image.clone() }.text();
            let loose = Image { tag, digest: None, ..image.clone() }.text();
            of_required &= !restricts(&required, &loose) || !judge(&settings, &pinned).accepted;
            of_forbidden &= !restricts(&forbidden, &pinned) || !judge(&settings, &loose).accepted;
        }
        prop_assert!(of_required || of_forbidden, "{}", settings);
    }

    #[test]
    fn the_order_of_the_entries_changes_no_verdict(
        entries in proptest::collection::vec(entry(), 2..5),
        shuffled in any::<proptest::sample::Index>(),
        images in proptest::collection::vec(image(), 4),
    ) {
        let texts: Vec<_> = entries.iter().map(Entry::text).collect();
        let mut other = texts.clone();
        other.rotate_left(shuffled.index(texts.len()));
        for list in ["allow", "reject"] {
            let settings = json!({ "images": { list: texts } });
            let shuffled = json!({ "images": { list: other } });
            for image in &images {
                let text = image.text();
                let (one, other) = (judge(&settings, &text), judge(&shuffled, &text));
                prop_assert_eq!(one.codes, other.codes, "{}", text);
            }
        }
    }

    #[test]
    fn one_more_entry_admits_more_or_rejects_more(
        entries in proptest::collection::vec(entry(), 1..4),
        more in entry(),
        images in proptest::collection::vec(image(), 4),
    ) {
        let texts: Vec<_> = entries.iter().map(Entry::text).collect();
        let mut longer = texts.clone();
        longer.push(more.text());
        for image in images {
            let text = image.text();
            let passes = |list: &str, entries: &[String]| {
                judge(&json!({ "images": { list: entries } }), &text).accepted
            };
            prop_assert!(!passes("allow", &texts) || passes("allow", &longer), "{}", text);
            prop_assert!(passes("reject", &texts) || !passes("reject", &longer), "{}", text);
        }
    }

    #[test]
    fn every_text_is_an_image_that_passes_or_is_refused(text in any::<String>()) {
        let settings = json!({ "images": { "allow": ["docker.io/library/*"] } });
        let answer = judge(&settings, &text);
        let reads = Reference::parse(&text);
        prop_assert_eq!(answer.has(Code::ImageUnparsable), reads.is_err() && !text.is_empty());
        prop_assert!(!answer.has(Code::RequestMalformed));
        prop_assert!(answer.accepted || answer.codes.len() == 1);
    }
}

// --- payloads -----------------------------------------------------------------------------------

const WORDS: [&str; 32] = [
    "request",
    "settings",
    "kind",
    "group",
    "operation",
    "object",
    "oldObject",
    "subResource",
    "userInfo",
    "username",
    "groups",
    "namespace",
    "metadata",
    "spec",
    "template",
    "containers",
    "initContainers",
    "volumes",
    "image",
    "reference",
    "name",
    "registries",
    "images",
    "tags",
    "digests",
    "allow",
    "reject",
    "exemptions",
    "match",
    "imagePaths",
    "onUpdate",
    "docsUrl",
];

/// Any JSON value, often with keys of ours.
fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        3 => select(vec!["CREATE", "UPDATE", "Pod", "redis", "*", "all", "warn", "", "a\nb"])
            .prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        4 => text.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 32, 4, |inner| {
        let key = prop_oneof![
            6 => select(WORDS.to_vec()).prop_map(str::to_owned),
            1 => any::<String>(),
        ];
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => proptest::collection::vec((key, inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A workload: its kind, and the object with these members of its pod spec.
fn workload() -> impl Strategy<Value = Workload> {
    (
        select(vec!["Pod", "Deployment", "CronJob", "Set"]),
        proptest::collection::vec(container(), 0..4),
        proptest::collection::vec(container(), 0..2),
        proptest::option::weighted(0.2, any_json()),
    )
        .prop_map(|(kind, containers, init, other)| Workload {
            kind,
            containers,
            init,
            other,
        })
}

#[derive(Clone, Debug)]
struct Workload {
    kind: &'static str,
    containers: Vec<Value>,
    init: Vec<Value>,
    /// Whatever else the pod spec has.
    other: Option<Value>,
}

impl Workload {
    fn group(&self) -> &'static str {
        match self.kind {
            "Pod" => "",
            "Deployment" => "apps",
            "CronJob" => "batch",
            _ => "example.com",
        }
    }

    fn object(&self) -> Value {
        let spec = json!({
            "containers": self.containers,
            "initContainers": self.init,
            "volumes": self.other,
        });
        let template = json!({ "metadata": { "labels": { "app": "a" } }, "spec": spec });
        let spec = match self.kind {
            "Pod" => spec,
            "Deployment" => json!({ "replicas": 1, "template": template }),
            "CronJob" => json!({ "jobTemplate": { "spec": { "template": template } } }),
            _ => json!({ "sets": [template] }),
        };
        json!({ "kind": self.kind, "metadata": { "name": "web", "labels": { "a": "b" } }, "spec": spec })
    }

    fn request(&self, operation: &str, old: Option<&Self>) -> Value {
        let mut request = json!({
            "uid": "1",
            "kind": { "group": self.group(), "version": "v1", "kind": self.kind },
            "operation": operation,
            "namespace": "default",
            "userInfo": { "username": "jane", "groups": ["dev"] },
            "object": self.object(),
        });
        if let Some(old) = old {
            request["oldObject"] = old.object();
        }
        request
    }

    fn create(&self, settings: &Value) -> Answer {
        let request = self.request("CREATE", None);
        Answer::to(
            json!({ "request": request, "settings": settings })
                .to_string()
                .as_bytes(),
        )
    }

    fn update(&self, old: &Self, settings: &Value) -> Answer {
        let request = self.request("UPDATE", Some(old));
        Answer::to(
            json!({ "request": request, "settings": settings })
                .to_string()
                .as_bytes(),
        )
    }
}

/// A container, in most cases one as it should be.
/// A Deployment with a container for each image.
fn deployment_of(images: &[Image]) -> Workload {
    let container = |(index, image): (usize, &Image)| json!({ "name": format!("c{index}"), "image": image.text() });
    Workload {
        kind: "Deployment",
        containers: images.iter().enumerate().map(container).collect(),
        init: Vec::new(),
        other: None,
    }
}

fn container() -> impl Strategy<Value = Value> {
    let name = select(vec!["app", "side", "a b"]).prop_map(Value::from);
    let name = prop_oneof![6 => name, 1 => Just(Value::Null), 1 => any_json()];
    let reference = image().prop_map(|image| Value::from(image.text()));
    let image = prop_oneof![8 => reference, 1 => Just(Value::from("no:image:")), 1 => any_json()];
    let container = (name, image).prop_map(|(name, image)| json!({ "name": name, "image": image }));
    prop_oneof![12 => container, 1 => any_json()]
}

/// Settings that can be read, and mean something for many an image.
fn settings() -> impl Strategy<Value = Value> {
    let entries = || proptest::collection::vec(entry().prop_map(|entry| entry.text()), 0..3);
    let action = || select(vec!["reject", "reject", "warn"]);
    (
        (
            select(vec!["ghcr.io", "*.corp.io", "docker.io", "*"]),
            action(),
        ),
        (entries(), entries(), action()),
        (entries(), entries(), action()),
        (select(vec!["latest", "1*"]), action()),
        select(vec!["changed", "all"]),
        proptest::option::of((entries(), select(vec!["default", "prod-*"]))),
        any::<bool>(),
    )
        .prop_map(
            |(registry, images, digests, tags, on_update, exempt, has_path)| {
                let mut settings = json!({
                    "registries": { "allow": [registry.0], "action": registry.1 },
                    "images": { "allow": images.0, "reject": images.1, "action": images.2 },
                    "digests": { "require": digests.0, "forbid": digests.1, "action": digests.2 },
                    "tags": { "reject": [tags.0], "action": tags.1 },
                    "onUpdate": on_update,
                });
                if let Some((images, namespace)) = exempt {
                    let mut exemption =
                        json!({ "name": "a", "match": { "namespaces": [namespace] } });
                    if !images.is_empty() {
                        exemption["images"] = images.into();
                    }
                    settings["exemptions"] = json!([exemption]);
                }
                if has_path {
                    settings["imagePaths"] =
                        json!([{ "kind": "*", "path": "spec.sets[*].spec.volumes" }]);
                }
                settings
            },
        )
}

/// Writes JSON in one of the many ways in which it can be written.
struct Writer {
    state: u64,
}

impl Writer {
    /// One of this many choices, the same for the same seed.
    fn choose(&mut self, choices: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 33).unwrap() % choices
    }

    fn space(&mut self, out: &mut String) {
        out.push_str(["", "", " ", "\n\t", " \r\n "][self.choose(5)]);
    }

    fn text(&mut self, text: &str, out: &mut String) {
        out.push('"');
        for unit in text.encode_utf16() {
            match (self.choose(4), u8::try_from(unit)) {
                (1.., Ok(byte @ b' '..=b'~')) if !matches!(byte, b'"' | b'\\') => {
                    out.push(char::from(byte));
                }
                _ => write!(out, "\\u{unit:04x}").unwrap(),
            }
        }
        out.push('"');
    }

    fn value(&mut self, value: &Value, out: &mut String) {
        self.space(out);
        match value {
            Value::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    self.value(element, out);
                }
                out.push(']');
            }
            Value::Object(members) => {
                out.push('{');
                let mut members: Vec<_> = members.iter().collect();
                for end in (1..members.len()).rev() {
                    let other = self.choose(end + 1);
                    members.swap(end, other);
                }
                for (index, (key, value)) in members.into_iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    self.space(out);
                    self.text(key, out);
                    self.space(out);
                    out.push(':');
                    self.value(value, out);
                }
                out.push('}');
            }
            Value::String(text) => self.text(text, out),
            other => out.push_str(&other.to_string()),
        }
        self.space(out);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(!Answer::to(&bytes).accepted);
    }

    #[test]
    fn any_json_is_answered(request in any_json(), settings in any_json(), whole in any_json()) {
        let payload = json!({ "request": request, "settings": settings });
        for payload in [whole, payload] {
            Answer::to(payload.to_string().as_bytes());
        }
    }

    #[test]
    fn any_object_is_answered(object in any_json(), old in any_json(), settings in settings()) {
        for kind in ["Pod", "Set"] {
            let request = json!({
                "kind": { "kind": kind },
                "operation": "UPDATE",
                "object": object,
                "oldObject": old,
            });
            let payload = json!({ "request": request, "settings": settings }).to_string();
            let answer = Answer::to(payload.as_bytes());
            prop_assert!(!answer.has(Code::SettingsInvalid), "{}", payload);
        }
    }

    #[test]
    fn every_mistake_in_the_settings_has_a_path(settings in any_json()) {
        let text = settings.to_string();
        let document = Document::of(&text).unwrap();
        let errors = Settings::validate(document.root()).err();
        for error in errors.iter().flat_map(SettingsErrors::iter) {
            prop_assert!(!error.path.is_empty() && !error.problem.is_empty(), "{:?}", error);
            prop_assert!(!error.to_string().contains(char::is_control), "{:?}", error);
        }
        prop_assert_eq!(wire::validate_settings(text.as_bytes()).is_ok(), errors.is_none());
    }

    #[test]
    fn what_is_written_in_settings_forges_no_line_of_a_message(
        text in prop_oneof!["[a-z*:/@.\n]{0,8}", any::<String>()],
        before in select(vec!["", "https://", "v1/", "apps/v1/", "ghcr.io/", "a*/", ":", "ghcr.io/a@"]),
        after in select(vec!["", "/", "*", "/*", ":1"]),
    ) {
        let text = format!("{before}{text}{after}");
        let settings = json!({
            "registries": { "allow": [text], "reject": [text] },
            "images": { "allow": [text], "reject": [text], "action": text },
            "tags": { "allow": [text], "reject": [text] },
            "digests": { "require": [text], &text: [] },
            "imagePaths": [{ "kind": text, "path": text }],
            "exemptions": [{ "name": "a", "match": {
                "kinds": [text], "operations": [text], "users": [text], "fields": { &text: "*" },
            } }],
            "docsUrl": text,
        });
        let written = settings.to_string();
        let document = Document::of(&written).unwrap();
        let errors = Settings::validate(document.root()).unwrap_err();
        for error in errors.iter() {
            prop_assert!(!error.to_string().contains(char::is_control), "{:?}", error);
        }
        judge(&settings, "redis");
    }

    #[test]
    fn settings_that_are_valid_judge(settings in any_json(), image in image()) {
        let is_valid = wire::validate_settings(settings.to_string().as_bytes()).is_ok();
        let answer = judge(&settings, &image.text());
        prop_assert!(!is_valid || !answer.has(Code::SettingsInvalid), "{}", settings);
    }

    #[test]
    fn the_spelling_of_a_payload_changes_no_verdict(
        settings in settings(),
        (new, old) in (workload(), workload()),
        seed in 1_u64..,
    ) {
        let old = Workload { kind: new.kind, ..old };
        for (operation, old) in [("CREATE", None), ("UPDATE", Some(&old)), ("DELETE", Some(&old))] {
            let payload = json!({ "request": new.request(operation, old), "settings": settings });
            let mut spelled = String::new();
            Writer { state: seed }.value(&payload, &mut spelled);
            let one = Answer::to(payload.to_string().as_bytes());
            let other = Answer::to(spelled.as_bytes());
            prop_assert!(!one.has(Code::RequestMalformed), "{:?}", one);
            prop_assert_eq!(one, other, "{}", spelled);
        }
    }

    #[test]
    fn an_object_updated_to_itself_is_never_refused(settings in settings(), workload in workload()) {
        let answer = workload.update(&workload, &settings);
        prop_assert!(answer.accepted, "{:?}", answer);
        let codes = workload.create(&settings).codes;
        prop_assert_eq!(answer.codes, codes, "what was refused is told");
    }

    #[test]
    fn an_update_refuses_nothing_that_could_be_created(
        settings in settings(), (new, old) in (workload(), workload()),
    ) {
        let old = Workload { kind: new.kind, ..old };
        if new.create(&settings).accepted {
            let answer = new.update(&old, &settings);
            prop_assert!(answer.accepted, "{:?}", answer);
        }
    }

    #[test]
    fn a_container_more_with_a_bad_image_is_refused(
        workload in workload(), at in any::<proptest::sample::Index>(), init in any::<bool>(),
        name in select(vec![Some("added"), None]),
    ) {
        let settings = json!({ "registries": { "reject": ["evil.example.com"] } });
        let mut more = workload.clone();
        let list = if init { &mut more.init } else { &mut more.containers };
        let at = at.index(list.len() + 1);
        list.insert(at, json!({ "name": name, "image": "evil.example.com/x:1" }));
        prop_assert!(!more.update(&workload, &settings).accepted);
        prop_assert!(more.update(&more, &settings).accepted);
    }

    #[test]
    fn one_more_container_with_the_same_bad_image_is_refused(
        images in proptest::collection::vec(image(), 1..4), again in any::<proptest::sample::Index>(),
    ) {
        let settings = json!({ "images": { "reject": ["*"] } });
        let old = deployment_of(&images);
        let mut new = old.clone();
        let mut container = again.get(&old.containers).clone();
        container["name"] = json!("more");
        new.containers.push(container.clone());
        prop_assert!(!new.update(&old, &settings).accepted);
        prop_assert!(old.update(&new, &settings).accepted, "and may go again");
        new.containers.pop();
        new.init.push(container);
        prop_assert!(!new.update(&old, &settings).accepted, "in another list");
    }

    #[test]
    fn the_order_of_named_containers_is_no_change(
        images in proptest::collection::vec(image(), 1..6), by in any::<proptest::sample::Index>(),
    ) {
        let settings = json!({ "images": { "reject": ["*"] } });
        let old = deployment_of(&images);
        let mut new = old.clone();
        new.containers.rotate_left(by.index(images.len()));
        prop_assert!(new.update(&old, &settings).accepted);
    }

    #[test]
    fn what_ends_is_never_refused(settings in settings(), workload in workload()) {
        for operation in ["DELETE", "CONNECT"] {
            let mut request = workload.request(operation, Some(&workload));
            for object in [workload.object(), Value::Null] {
                request["object"] = object;
                let payload = json!({ "request": request, "settings": settings }).to_string();
                prop_assert!(Answer::to(payload.as_bytes()).accepted, "{}", payload);
            }
        }
    }
}

// --- annotations --------------------------------------------------------------------------------

/// A key or value as it may be written: some characters by an escape.
fn written(text: &str, escaped: bool) -> String {
    if !escaped {
        return json!(text).to_string();
    }
    let mut written = String::from("\"");
    for character in text.chars() {
        write!(written, "\\u{:04x}", character as u32).unwrap();
    }
    written + "\""
}

/// Space between the parts of a JSON text.
fn space() -> impl Strategy<Value = &'static str> {
    select(vec!["", "", "", " ", "\n  ", "\t"])
}

/// The keys of annotations.
const ANNOTATIONS: [&str; 9] = [
    "a",
    "b",
    "c",
    "debug",
    "trace-1",
    "trace-2",
    "example.com/x",
    "example.com/lb-a",
    "old/lb-a",
];

/// An annotation: its key, a value, and how they are written.
fn annotation() -> impl Strategy<Value = (String, String, bool, [&'static str; 4])> {
    let value = select(vec![
        "",
        "x",
        ",",
        "7",
        "\"",
        "}",
        "{\"a\":1}",
        "\\",
        "é\u{1}",
    ]);
    (
        select(ANNOTATIONS.to_vec()),
        value,
        any::<bool>(),
        [space(), space(), space(), space()],
    )
        .prop_map(|(key, value, escaped, spaces)| {
            (key.to_owned(), value.to_owned(), escaped, spaces)
        })
}

/// Checks of a value.
fn checks() -> impl Strategy<Value = Map<String, Value>> {
    let checks = vec![
        json!({}),
        json!({ "min": 0, "max": 7 }),
        json!({ "not": ["*x*"], "anyCase": true }),
        json!({ "each": { "separator": ",", "trim": true, "oneOf": ["x", ""] }, "count": { "min": 1 } }),
        json!({ "each": { "separator": ",", "pattern": r"\bx\b" }, "count": { "max": 1 } }),
        json!({ "json": "object" }),
        json!({ "path": "data.image" }),
        json!({ "startsWithPath": "metadata.name" }),
        json!({ "cidr": true, "not": ["::/0"] }),
    ];
    select(checks).prop_map(|checks| checks.as_object().unwrap().clone())
}

/// What `requires` asks of a value.
fn condition() -> impl Strategy<Value = Value> {
    prop_oneof![
        select(vec![
            json!({ "not": ["x", ""] }),
            json!({ "oneOf": ["X"], "anyCase": true }),
            json!({ "path": "metadata.labels.l" }),
        ]),
        Just(Value::Null),
        select(vec!["", "x", ",", "*", "?*", "{*", "\\", "é*"]).prop_map(|value| json!(value)),
    ]
}

/// A rule about annotations: most of its parts name what may be there.
fn annotation_rule() -> impl Strategy<Value = Value> {
    let names = || select([&ANNOTATIONS[..], &["1", "x", "y"]].concat());
    let globs = || {
        prop_oneof![
            names(),
            select(vec!["trace-*", "*", "?", "example.com/*", "*ug", "*/*"])
        ]
    };
    let list = |names: BoxedStrategy<&'static str>| {
        proptest::collection::vec(names, 1..3).prop_map(|names| json!(names))
    };
    let conditions = move || {
        proptest::collection::vec((globs(), condition()), 1..3).prop_map(|conditions| {
            let conditions = conditions.into_iter();
            Value::Object(
                conditions
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect(),
            )
        })
    };
    let values = proptest::collection::vec(
        (
            globs(),
            checks(),
            proptest::option::of(proptest::collection::vec(
                select(vec!["x", "", "*x*", "y"]),
                1..3,
            )),
            proptest::option::of(select(vec![
                "x|y", ".{1,2}", "[^,]*", "(x|,)+", "(?i)X", r"\\", "^x$",
            ])),
            proptest::option::of(select(vec!["x", "y", ""])),
        ),
        1..4,
    )
    .prop_map(|values| {
        let mut map = Map::new();
        for (name, checks, one_of, pattern, default) in values {
            let mut value = checks;
            value.extend(one_of.map(|one_of| ("oneOf".to_owned(), json!(one_of))));
            value.extend(pattern.map(|pattern| ("pattern".to_owned(), json!(pattern))));
            value.extend(default.map(|default| ("default".to_owned(), json!(default))));
            map.insert(name.to_owned(), Value::Object(value));
        }
        Value::Object(map)
    });
    let sides = || {
        prop_oneof![
            3 => conditions(),
            1 => proptest::collection::vec(conditions(), 1..3).prop_map(Value::from),
        ]
    };
    let requires = proptest::collection::vec((sides(), sides()), 1..4).prop_map(|all| {
        let all = all.into_iter();
        all.map(|(when, then)| json!({ "when": when, "then": then }))
            .collect()
    });
    let conflicting = proptest::collection::vec(proptest::collection::vec(names(), 2..4), 1..3);
    let part = prop_oneof![
        3 => values.prop_map(|values| ("values", values)),
        3 => requires.prop_map(|requires| ("requires", requires)),
        1 => list(globs().boxed()).prop_map(|denied| ("denied", denied)),
        1 => (select(vec!["conflicting", "keepAny"]), conflicting.prop_map(|groups| json!(groups))),
        1 => list(globs().boxed()).prop_map(|names| ("required", names)),
        1 => (select(vec!["immutable", "createOnly", "keep"]), list(globs().boxed())),
        1 => select(vec!["trace-", "example.com/", "example.com/lb-"]).prop_map(|prefix| ("prefix", json!(prefix))),
        1 => list(select(vec!["trace-", "example.com/", "old/lb-"]).boxed())
            .prop_map(|prefixes| ("aliasPrefixes", prefixes)),
        1 => select(vec!["criteria", "values", "requires", "denied", "prefix"])
            .prop_map(|key| (key, Value::Null)),
        1 => select(vec!["object", "both", "podTemplate"]).prop_map(|target| ("target", json!(target))),
        1 => select(vec!["warn", "reject"]).prop_map(|action| ("action", json!(action))),
        1 => select(vec!["values", "denied", "keep"]).prop_map(|part| ("actions", json!({ part: "warn" }))),
        1 => select(vec!["2026-12-20", "2026-12-21", "2026-12-20T00:00:01Z"])
            .prop_map(|from| ("from", json!(from))),
        1 => select(vec!["values", "requires"]).prop_map(|part| ("messages", json!({ part: "own" }))),
        1 => (select(vec!["data.image", "spec.containers[*]", "metadata.annotations.a"]), checks())
            .prop_map(|(path, checks)| ("fields", json!({ path: checks }))),
        1 => (names(), names()).prop_map(|(first, other)| ("aliases", json!({ first: [other] }))),
        1 => Just(("emptyIsAbsent", json!(true))),
        1 => select(vec![
            json!({ "fields": { "data.image": "*7", "metadata.annotations.a": Value::Null } }),
            json!({ "fields": { "metadata.name": "a" }, "kinds": ["Pod", "ConfigMap"] }),
            json!({ "fields": { "metadata.name": "a" }, "operations": ["UPDATE"] }),
            json!({ "oldFields": { "metadata.labels.l": "1" } }),
        ])
        .prop_map(|matching| ("match", matching)),
    ];
    proptest::collection::vec(part, 1..6).prop_map(|parts| {
        let parts = parts.into_iter();
        Value::Object(parts.map(|(key, part)| (key.to_owned(), part)).collect())
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn removing_annotations_leaves_every_other_byte(
        annotations in proptest::collection::vec(annotation(), 0..7), head in space(), tail in space(),
    ) {
        let settings = json!({ "annotations": [{ "denied": ["debug", "trace-*"], "action": "remove" }] });
        let is_removed = |key: &str| key == "debug" || key.starts_with("trace-");
        let members: Vec<_> = annotations
            .iter()
            .map(|(key, value, escaped, [before, colon, after, end])| {
                let (key, value) = (written(key, *escaped), written(value, false));
                (*before, format!("{key}{colon}:{after}{value}"), *end)
            })
            .collect();
        let map = members
            .iter()
            .map(|(before, member, end)| format!("{before}{member}{end}"))
            .collect::<Vec<_>>()
            .join(",");
        let around = |map: &str| format!(
            r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"a","annotations":{{{map}}}}},"data":{{"n":1e2,"n":1.0}}}}"#
        );
        let map = format!("{head}{map}{tail}");
        let object = around(&map);
        let payload = json!({
            "request": {
                "kind": { "group": "", "version": "v1", "kind": "ConfigMap" },
                "operation": "CREATE",
                "userInfo": { "username": "jane" },
                "object": "OBJECT",
            },
            "settings": settings,
        })
        .to_string()
        .replace("\"OBJECT\"", &object);
        let answer = String::from_utf8(wire::validate(payload.as_bytes())).unwrap();
        let kept: Vec<_> = annotations
            .iter()
            .zip(&members)
            .filter(|((key, ..), _)| !is_removed(key))
            .map(|(_, (_, member, _))| member.as_str())
            .collect();
        let Some((_, mutated)) = answer.split_once(r#","mutated_object":"#) else {
            prop_assert_eq!(kept.len(), members.len(), "nothing was removed: {}", answer);
            return Ok(());
        };
        prop_assert!(kept.len() < members.len());
        let mutated = mutated.strip_suffix('}').unwrap();
        let (before, after) = object.split_once(&map).unwrap();
        prop_assert!(mutated.starts_with(before), "{}", mutated);
        prop_assert!(mutated.ends_with(after), "{}", mutated);
        // What stays is there as it was written, in its order, with one comma between two of them.
        let mut rest = mutated.strip_prefix(before).unwrap().strip_suffix(after).unwrap();
        for (index, member) in kept.iter().enumerate() {
            rest = rest.trim_start();
            if index > 0 {
                rest = rest.strip_prefix(',').unwrap().trim_start();
            }
            rest = rest.strip_prefix(member).unwrap();
        }
        prop_assert_eq!(rest.trim(), "");
        prop_assert!(serde_json::from_str::<Value>(mutated).is_ok(), "{}", mutated);
    }

    #[test]
    fn what_is_judged_once_read_and_while_it_is_read_is_judged_the_same(
        annotations in proptest::collection::vec(annotation(), 0..5),
        kind in select(vec!["ConfigMap", "Pod", "Service", "Deployment", "CronJob"]),
        update in any::<bool>(),
        image in select(vec!["", "redis:7", "ghcr.io/a:1"]),
        path in select(vec!["", "ConfigMap", "Service"]),
        before in proptest::collection::vec(annotation(), 0..5),
        rules in proptest::collection::vec(annotation_rule(), 0..4),
    ) {
        let mut settings = json!({
          "registries": { "allow": ["ghcr.io"] },
          "mirrors": [{ "source": "docker.io/library", "mirror": "ghcr.io/library" }],
          "digests": { "forbid": ["ghcr.io/*"], "action": "warn" },
          "drift": { "lastApplied": "warn" },
          "annotations": [
            { "match": { "kinds": ["ConfigMap", "Pod"] }, "required": ["a"], "denied": ["trace-*"] },
            { "match": { "kinds": ["Service"], "labels": { "l": "*" } }, "createOnly": ["b"], "values": { "c": { "oneOf": ["x"], "default": "y" } } },
            { "prefix": "example.com/", "aliasPrefixes": ["trace-"], "requires": [{ "when": { "x": "*" }, "then": { "1": "*" } }], "message": "m" },
            { "target": "both", "conflicting": [["a", "b"]], "action": "remove" },
        ] });
        let mut rules = rules;
        // What no rule can say is left to the cases of settings.
        rules.retain(|rule| {
            let text = json!({ "annotations": [rule] }).to_string();
            Settings::read(Document::of(&text).unwrap().root()).is_ok()
        });
        settings["annotations"].as_array_mut().unwrap().extend(rules);
        let map_of = |annotations: &[(String, String, bool, _)]| -> Map<String, Value> {
            let value = |value: &str| if value == "}" { json!(1) } else { json!(value) };
            annotations.iter().map(|(key, text, ..)| (key.clone(), value(text))).collect()
        };
        let map = map_of(&annotations);
        let object = json!({
            "apiVersion": "v1", "kind": kind,
            "metadata": { "name": "a", "labels": { "l": "1" }, "annotations": map },
            "spec": {
                "containers": [],
                "template": { "metadata": { "annotations": map_of(&before) } },
                "jobTemplate": { "metadata": { "annotations": map_of(&before) } },
            },
            "data": { "image": image },
        });
        let group = match kind {
            "Deployment" => "apps",
            "CronJob" => "batch",
            _ => "",
        };
        let request = json!({
            "kind": { "group": group, "version": "v1", "kind": kind },
            "operation": if update { "UPDATE" } else { "CREATE" },
            "userInfo": { "username": "jane" },
            "object": object,
            "oldObject": if update {
                json!({ "metadata": { "labels": { "l": "1" }, "annotations": map_of(&before) } })
            } else {
                Value::Null
            },
        })
        .to_string();
        if !path.is_empty() {
            settings["imagePaths"] = json!([{ "kind": path, "path": "data.image" }]);
        }
        let text = settings.to_string();
        let payload = format!(r#"{{"request":{request},"settings":{text}}}"#);
        let document = Document::of(&payload).unwrap();
        let Payload { request, settings } = Payload::read(&document).unwrap();
        let request = request.unwrap();
        let clock = Clock::At(Time::parse("2026-12-20").unwrap());
        let read = Settings::read(settings).unwrap().with_clock(clock);
        let whole = Policy::new(&read).evaluate(request.clone());
        let read = Settings::read_for(settings, Some(&request)).unwrap().with_clock(clock);
        let piecemeal = Policy::new(&read).evaluate(request);
        prop_assert_eq!(whole, piecemeal);
    }
}
