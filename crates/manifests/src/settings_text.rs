//! Settings in sentences.

mod annotations;
mod read;

use rollout_guard::json::{Kind, Value};

use annotations::{annotation_rule, conditions};
use read::{all, either, get, is_true, items, list, text};

/// What settings do, a sentence for each thing, and several for a rule, in the order of
/// docs/settings.md.
pub fn sentences(settings: Value<'_>) -> Vec<String> {
    let mut said = Vec::new();
    let mut say = |sentence: String| said.push(sentence);
    for (section, that) in [
        ("registries", "whose registry is"),
        ("images", "that is"),
        ("tags", "whose tag is"),
    ] {
        for item in scopes(settings, section) {
            let (image, ends) = (image_of(item), ends(item));
            if let Some(allowed) = list(item, "allow") {
                let none = if allowed.len() > 1 { "none of" } else { "not" };
                say(format!(
                    "{image} {that} {none} {} {ends}.",
                    either(&allowed)
                ));
            }
            if let Some(rejected) = list(item, "reject") {
                say(format!("{image} {that} {} {ends}.", either(&rejected)));
            }
            said_of_entries(item, "reject")
                .into_iter()
                .for_each(&mut say);
        }
    }
    for item in scopes(settings, "digests") {
        let (image, ends) = (image_of(item), ends(item));
        if let Some(required) = list(item, "require") {
            say(format!(
                "{image} of {} without a digest {ends}.",
                either(&required)
            ));
        }
        if let Some(forbidden) = list(item, "forbid") {
            say(format!(
                "{image} of {} with a digest {ends}.",
                either(&forbidden)
            ));
        }
        for list in ["require", "forbid"] {
            said_of_entries(item, list).into_iter().for_each(&mut say);
        }
    }
    for mirror in items(settings, "mirrors") {
        say(mirror_sentence(mirror));
    }
    if items(settings, "mirrors").next().is_some() {
        say(match text(settings, "rewrite") {
            Some("workloads") => "Images are rewritten in workloads when they are written, and in Pods when they are created.",
            Some("never") => "No image is rewritten: messages name the mirror.",
            _ => "Images are rewritten in Pods when they are created; a workload passes with a warning that names the mirror.",
        }
        .to_owned());
    }
    for (index, rule) in items(settings, "annotations").enumerate() {
        say(annotation_rule(index, rule));
    }
    for (index, rule) in items(settings, "changes").enumerate() {
        say(change_rule(index, rule));
    }
    if let Some(action) = get(settings, "drift").and_then(|drift| text(drift, "lastApplied")) {
        say(match action {
            "reject" => "An object that differs from what was last applied is refused.",
            "warn" => "An object that differs from what was last applied gets a warning.",
            _ => "What was last applied is not looked at.",
        }
        .to_owned());
    }
    say(match text(settings, "onUpdate") {
        Some("all") => "On UPDATE the whole object is judged.",
        _ => "On UPDATE what the object had before only gets a warning.",
    }
    .to_owned());
    for path in items(settings, "imagePaths") {
        let (kind, path) = (text(path, "kind"), text(path, "path"));
        let (kind, path) = (kind.unwrap_or_default(), path.unwrap_or_default());
        say(format!(
            "In objects of the kind `{kind}`, `{path}` is an image too."
        ));
    }
    if get(settings, "wellKnownKinds").is_some() && !is_true(settings, "wellKnownKinds") {
        say("Well-known kinds are not searched for images where only they keep them.".to_owned());
    }
    for exemption in items(settings, "exemptions") {
        say(exemption_sentence(exemption));
    }
    if let Some(url) = text(settings, "docsUrl") {
        say(format!("A refusal ends with {url}."));
    }
    said
}

/// The items of a section, which is one if it is a map.
fn scopes<'n>(settings: Value<'n>, section: &str) -> Vec<Value<'n>> {
    match get(settings, section) {
        Some(section) if section.kind() == Kind::List => section.elements().collect(),
        section => section.into_iter().collect(),
    }
}

/// The images that an item of lists is about: `An image in an object of the kind … (`name`)`.
fn image_of(item: Value<'_>) -> String {
    let about = match condition(item) {
        about if about.is_empty() => about,
        about => format!(" in an object{about}"),
    };
    let name = text(item, "name").map(|name| format!(" (`{name}`)"));
    format!("An image{about}{}", name.unwrap_or_default())
}

fn ends(section: Value<'_>) -> String {
    match (text(section, "action"), text(section, "from")) {
        (Some("warn"), _) => "gets a warning".to_owned(),
        (_, None) => "is refused".to_owned(),
        (_, Some(from)) => format!("is refused from {from}, and gets a warning until then"),
    }
}

/// What messages about the entries of a list advise and end with.
fn said_of_entries(item: Value<'_>, list: &str) -> Vec<String> {
    let mut said = Vec::new();
    for entry in items(item, list) {
        let name = text(entry, "entry").unwrap_or_default();
        if let Some(instead) = text(entry, "use") {
            said.push(format!("Instead of `{name}`, messages advise `{instead}`."));
        }
        if let Some(message) = text(entry, "message") {
            said.push(format!("Messages about `{name}` end with: {message}"));
        }
    }
    said
}

fn mirror_sentence(mirror: Value<'_>) -> String {
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
    let asked = if is_true(mirror, "checkExists") {
        ", if the mirror has it"
    } else {
        ""
    };
    let secrets = match list(mirror, "pullSecrets") {
        Some(secrets) => format!(", with the pull secrets {}", all(&secrets)),
        None => String::new(),
    };
    let condition = condition(mirror);
    if text(mirror, "rewrite") == Some("never") {
        return format!(
            "Where an image of {source}{condition} is used, messages name `{}`{digest}.",
            target.unwrap_or_default()
        );
    }
    format!(
        "{source}{condition} is pulled from `{}`{digest}{asked}{secrets}.",
        target.unwrap_or_default()
    )
}

fn exemption_sentence(exemption: Value<'_>) -> String {
    let images = list(exemption, "images");
    let from = match (list(exemption, "checks"), &images) {
        (Some(checks), _) => format!("from {}", all(&checks)),
        (None, Some(_)) => "from `images` and `mirrors`".to_owned(),
        (None, None) => "from every rule".to_owned(),
    };
    let (what, is) = match &images {
        Some(images) => (format!("Images of {}", either(images)), "are"),
        None => ("Everything".to_owned(), "is"),
    };
    let reason = match text(exemption, "reason") {
        Some(reason) => format!(" ({reason})"),
        None => String::new(),
    };
    let until = match (text(exemption, "until"), text(exemption, "afterEnd")) {
        (None, _) => String::new(),
        (Some(until), Some("warn")) => format!(" until {until}, and gets warnings afterwards"),
        (Some(until), _) => format!(" until {until}"),
    };
    let condition = condition(exemption);
    format!("{what}{condition} {is} exempt {from}{until}{reason}.")
}

/// What a rule about changes guards, and who may change it.
fn change_rule(index: usize, rule: Value<'_>) -> String {
    let name = named(rule, "changes", index);
    let guards = list(rule, "guard");
    let deletes = is_true(rule, "guardDelete");
    let what = match (&guards, deletes) {
        (Some(guards), false) => format!("Changes of {}", either(guards)),
        (Some(guards), true) => format!("Changes of {}, and deletions,", either(guards)),
        (None, _) => "Deletions".to_owned(),
    };
    let mut parts = Vec::new();
    let users = list(rule, "allowUsers").map(|users| either(&users));
    let groups = list(rule, "allowGroups").map(|groups| format!("members of {}", either(&groups)));
    let who: Vec<_> = users.into_iter().chain(groups).collect();
    if !who.is_empty() {
        parts.push(format!("Only {} may make them.", who.join(" or ")));
    }
    if let Some(managers) = list(rule, "denyFieldManagers") {
        parts.push(format!("Not with the field manager {}.", either(&managers)));
    }
    if let Some(annotations) = list(rule, "requireAnnotations") {
        parts.push(format!(
            "Only with {} set to something new in the same request.",
            all(&annotations)
        ));
    }
    if parts.is_empty() {
        parts.push("Nobody may make them but Kubernetes' own controllers.".to_owned());
    }
    if is_true(rule, "allowRestart") {
        parts.push("`kubectl rollout restart` passes.".to_owned());
    }
    parts.push(format!("Any other {}.", ends(rule)));
    parts.extend(message(rule));
    let about = condition(rule);
    format!("{what}{about} (`{name}`): {}", parts.join(" "))
}

fn named(rule: Value<'_>, section: &str, index: usize) -> String {
    let name = text(rule, "name").map(str::to_owned);
    name.unwrap_or_else(|| format!("{section}[{index}]"))
}

fn message(rule: Value<'_>) -> Option<String> {
    let message = text(rule, "message")?;
    Some(format!("Messages end with: {message}"))
}

/// The `match` of an item: ` of the kind … in the namespace …`.
fn condition(item: Value<'_>) -> String {
    let Some(selector) = get(item, "match") else {
        return String::new();
    };
    match get(selector, "except") {
        Some(except) => format!("{}, except{},", matched(selector), matched(except)),
        None => matched(selector),
    }
}

/// What a selector matches, but for its exception.
fn matched(selector: Value<'_>) -> String {
    let mut said = String::new();
    for (key, before) in [
        ("kinds", "of the kind"),
        ("names", "with the name"),
        ("namespaces", "in the namespace"),
        ("operations", "on"),
        ("users", "asked for by"),
        ("groups", "asked for by members of"),
    ] {
        if let Some(globs) = list(selector, key) {
            said.extend([" ", before, " ", &either(&globs)]);
        }
    }
    let mut fields = Vec::new();
    if let Some(labels) = get(selector, "labels") {
        let labels = conditions(labels, "is").into_iter();
        fields.extend(labels.map(|label| format!("the label {label}")));
    }
    if let Some(of_object) = get(selector, "fields") {
        fields.extend(conditions(of_object, "is"));
    }
    if let Some(before) = get(selector, "oldFields") {
        fields.extend(conditions(before, "was"));
    }
    if !fields.is_empty() {
        said.extend([" where ", &fields.join(" and ")]);
    }
    said
}
