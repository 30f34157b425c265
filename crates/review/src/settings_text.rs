//! Settings in sentences.

use rollout_guard::json::Node;

/// What settings do, a sentence for each thing, in the order of docs/settings.md.
pub fn sentences(settings: &Node<'_>) -> Vec<String> {
    let mut said = Vec::new();
    for (section, that) in [
        ("registries", "whose registry is"),
        ("images", "that is"),
        ("tags", "whose tag is"),
    ] {
        let Some(lists) = get(settings, section) else {
            continue;
        };
        let ends = ends(lists);
        if let Some(allowed) = list(lists, "allow") {
            said.push(format!("An image {that} none of {allowed} {ends}."));
        }
        if let Some(rejected) = list(lists, "reject") {
            said.push(format!("An image {that} one of {rejected} {ends}."));
        }
    }
    if let Some(digests) = get(settings, "digests") {
        let ends = ends(digests);
        if let Some(required) = list(digests, "require") {
            said.push(format!("An image of {required} without a digest {ends}."));
        }
        if let Some(forbidden) = list(digests, "forbid") {
            said.push(format!("An image of {forbidden} with a digest {ends}."));
        }
    }
    for mirror in items(settings, "mirrors") {
        said.push(mirror_sentence(mirror));
    }
    if get(settings, "mirrors").is_some() {
        said.push(
            match text(settings, "rewrite") {
                Some("workloads") => "Images are rewritten in workloads when they are written, and in Pods when they are created.",
                Some("never") => "No image is rewritten: messages name the mirror.",
                _ => "Images are rewritten in Pods when they are created; a workload passes with a warning that names the mirror.",
            }
            .to_owned(),
        );
    }
    for rule in items(settings, "annotations") {
        said.push(item_sentence("Annotations", rule));
    }
    for rule in items(settings, "changes") {
        said.push(item_sentence("Changes", rule));
    }
    if let Some(action) = get(settings, "drift").and_then(|drift| text(drift, "lastApplied")) {
        said.push(match action {
            "reject" => "An object that differs from what was last applied is refused.".to_owned(),
            "warn" => {
                "An object that differs from what was last applied gets a warning.".to_owned()
            }
            _ => "What was last applied is not looked at.".to_owned(),
        });
    }
    said.push(match text(settings, "onUpdate") {
        Some("all") => "On UPDATE the whole object is judged.".to_owned(),
        _ => "On UPDATE what the object had before only gets a warning.".to_owned(),
    });
    for path in items(settings, "imagePaths") {
        let (kind, path) = (text(path, "kind"), text(path, "path"));
        said.push(format!(
            "In objects of the kind `{}`, `{}` is an image too.",
            kind.unwrap_or_default(),
            path.unwrap_or_default()
        ));
    }
    for exemption in items(settings, "exemptions") {
        let what = match list(exemption, "checks") {
            Some(checks) => format!("from {checks}"),
            None => "from every rule".to_owned(),
        };
        let (images, is) = match list(exemption, "images") {
            Some(images) => (format!("Images of {images}"), "are"),
            None => ("Everything".to_owned(), "is"),
        };
        let reason = match text(exemption, "reason") {
            Some(reason) => format!(" ({reason})"),
            None => String::new(),
        };
        let condition = condition(exemption);
        said.push(format!("{images}{condition} {is} exempt {what}{reason}."));
    }
    if let Some(url) = text(settings, "docsUrl") {
        said.push(format!("A refusal ends with {url}."));
    }
    said
}

fn ends(section: &Node<'_>) -> &'static str {
    match text(section, "action") {
        Some("warn") => "gets a warning",
        _ => "is refused",
    }
}

fn mirror_sentence(mirror: &Node<'_>) -> String {
    let (source, target) = (text(mirror, "source"), text(mirror, "mirror"));
    let source = match source {
        Some("*") => "Every image that is not under a mirror".to_owned(),
        source => format!("`{}`", source.unwrap_or_default()),
    };
    let digest = match text(mirror, "digest") {
        Some("drop") => ", without its digest",
        Some("skip") => ", unless it has a digest",
        _ => "",
    };
    let asked = if matches!(get(mirror, "checkExists"), Some(Node::Bool(true))) {
        ", if the mirror has it"
    } else {
        ""
    };
    let secrets = match list(mirror, "pullSecrets") {
        Some(secrets) => format!(", with the pull secrets {secrets}"),
        None => String::new(),
    };
    let condition = condition(mirror);
    format!(
        "{source} is pulled from `{}`{digest}{asked}{secrets}{condition}.",
        target.unwrap_or_default()
    )
}

/// A rule of a section, key by key.
fn item_sentence(what: &str, rule: &Node<'_>) -> String {
    let name = text(rule, "name").map_or_else(String::new, |name| format!(" `{name}`"));
    let Node::Map(members) = rule else {
        return format!("{what}{name}.");
    };
    let keys: Vec<_> = members
        .iter()
        .filter(|(key, _)| !matches!(key.as_ref(), "name" | "match"))
        .map(|(key, value)| format!("{key} {}", shown(value)))
        .collect();
    let condition = condition(rule);
    format!("{what}{name}{condition}: {}.", keys.join(", "))
}

/// The `match` of an item: where namespaces is one of these.
fn condition(item: &Node<'_>) -> String {
    let Some(Node::Map(members)) = get(item, "match") else {
        return String::new();
    };
    let parts: Vec<_> = members
        .iter()
        .map(|(key, value)| match value {
            Node::List(_) => format!("`{key}` is one of {}", shown(value)),
            value => format!("`{key}` has {}", shown(value)),
        })
        .collect();
    format!(" where {}", parts.join(" and "))
}

fn shown(value: &Node<'_>) -> String {
    match value {
        Node::Null => "absent".to_owned(),
        Node::Bool(value) => value.to_string(),
        Node::Number(number) => number.0.to_owned(),
        Node::Text(text) => format!("`{text}`"),
        Node::Raw(json) => format!("`{json}`"),
        Node::List(elements) => {
            let elements: Vec<_> = elements.iter().map(shown).collect();
            elements.join(", ")
        }
        Node::Map(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(key, value)| format!("{key}: {}", shown(value)))
                .collect();
            format!("({})", members.join(", "))
        }
    }
}

fn get<'n>(node: &'n Node<'n>, key: &str) -> Option<&'n Node<'n>> {
    let Node::Map(members) = node else {
        return None;
    };
    let (_, value) = members.iter().find(|(known, _)| known == key)?;
    (*value != Node::Null).then_some(value)
}

fn text<'n>(node: &'n Node<'n>, key: &str) -> Option<&'n str> {
    match get(node, key)? {
        Node::Text(text) => Some(text),
        _ => None,
    }
}

/// The entries of a list, each in backticks; none of an empty one.
fn list(node: &Node<'_>, key: &str) -> Option<String> {
    match get(node, key)? {
        Node::List(elements) if elements.is_empty() => None,
        list => Some(shown(list)),
    }
}

fn items<'n>(node: &'n Node<'n>, key: &str) -> impl Iterator<Item = &'n Node<'n>> {
    let elements = match get(node, key) {
        Some(Node::List(elements)) => elements.as_slice(),
        _ => &[],
    };
    elements.iter()
}
