//! What rules about annotations ask for.

use rollout_guard::json::{Key, Kind, Value};

use super::read::{all, either, get, groups, is_true, items, list, text, texts};
use super::{condition, message, named};

/// What a rule about annotations asks for.
pub(super) fn annotation_rule(index: usize, rule: Value<'_>) -> String {
    let name = named(rule, "annotations", index);
    let annotations = match text(rule, "target") {
        Some("podTemplate") => "The annotations of Pods",
        Some("both") => "The annotations of objects and of their Pods",
        _ => "The annotations of objects",
    };
    let mut parts = Vec::new();
    let mut say = |part: String| parts.push(part);
    if let Some(prefix) = text(rule, "prefix") {
        let aliases = list(rule, "aliasPrefixes").map_or_else(String::new, |aliases| {
            format!(", in older spelling {}", either(&aliases))
        });
        say(format!(
            "Names without a `/` stand behind `{prefix}`{aliases}."
        ));
    }
    if let Some(criteria) = text(rule, "criteria") {
        let names = list(rule, "values").unwrap_or_default();
        say(format!(
            "`{criteria}` must hold for the names {}.",
            all(&names)
        ));
    }
    if let Some(names) = list(rule, "required") {
        say(format!("{} must be there, and not empty.", all(&names)));
    }
    for group in groups(rule, "requireAny") {
        say(format!("One of {} must be there.", all(&group)));
    }
    if let Some(names) = list(rule, "denied") {
        say(format!("{} must not be there.", either(&names)));
    }
    if let Some(names) = list(rule, "allowed") {
        let whole = match text(rule, "prefix") {
            Some(_) => "behind the prefix",
            None => "but what Kubernetes and its tools write",
        };
        say(format!(
            "Nothing but {} may be there, {whole}.",
            either(&names)
        ));
    }
    let values = get(rule, "values").into_iter().flat_map(Value::members);
    parts.extend(values.map(|(name, value)| value_rule(name.text(), value)));
    let mut say = |part: String| parts.push(part);
    for group in groups(rule, "conflicting") {
        say(format!("At most one of {} may be there.", all(&group)));
    }
    for requirement in items(rule, "requires") {
        say(format!(
            "Where {}, {}.",
            alternatives(requirement, "when", "is"),
            alternatives(requirement, "then", "must be")
        ));
    }
    parts.extend(of_updates(rule));
    parts.extend(besides(rule));
    let mut say = |part: String| parts.push(part);
    say(match text(rule, "action") {
        Some("warn") => "Anything else gets a warning.".to_owned(),
        Some("remove") => {
            "What must not be there is taken out; anything else is refused.".to_owned()
        }
        _ => "Anything else is refused.".to_owned(),
    });
    if let Some(from) = text(rule, "from") {
        say(format!("Until {from} this only gets a warning."));
    }
    parts.extend(message(rule));
    let about = condition(rule);
    format!("{annotations}{about} (`{name}`): {}", parts.join(" "))
}

/// What a rule says of updates.
fn of_updates(rule: Value<'_>) -> Vec<String> {
    let mut parts = Vec::new();
    let mut say = |part: String| parts.push(part);
    for (key, may_not) in [
        ("immutable", "added, changed or removed"),
        ("createOnly", "added or changed"),
        ("keep", "removed"),
    ] {
        if let Some(names) = list(rule, key) {
            say(format!(
                "{} may not be {may_not} by an update.",
                all(&names)
            ));
        }
    }
    for group in groups(rule, "keepAny") {
        say(format!("Of {} an update must leave one.", all(&group)));
    }
    parts
}

/// What a rule says of other names, of fields, and of what happens for each of its checks.
fn besides(rule: Value<'_>) -> Vec<String> {
    let mut parts = Vec::new();
    let mut say = |part: String| parts.push(part);
    let others = get(rule, "aliases").into_iter().flat_map(Value::members);
    for (name, others) in others {
        let name = name.text();
        say(format!(
            "Without `{name}`, {} counts.",
            either(&texts(others))
        ));
    }
    if is_true(rule, "emptyIsAbsent") {
        say("An empty value is as good as none.".to_owned());
    }
    let fields = get(rule, "fields").into_iter().flat_map(Value::members);
    for (path, value) in fields {
        say(format!(
            "Each `{}` {}.",
            path.text(),
            checks(value).join(" and ")
        ));
    }
    let actions = get(rule, "actions").into_iter().flat_map(Value::members);
    for (key, action) in actions {
        let happens = match action.string() {
            Some("warn") => "gets a warning",
            _ => "is refused",
        };
        say(format!("What is not as `{}` says {happens}.", key.text()));
    }
    let messages = get(rule, "messages").into_iter().flat_map(Value::members);
    for (key, message) in messages {
        let message = message.string().unwrap_or_default();
        say(format!(
            "Messages about `{}` end with: {message}",
            key.text()
        ));
    }
    parts
}

/// What a value of an annotation must be.
fn value_rule(name: &str, value: Value<'_>) -> String {
    let must = checks(value).join(" and ");
    match (text(value, "default"), must.as_str()) {
        (None, must) => format!("The value of `{name}` {must}."),
        (Some(default), "") => format!("Without `{name}`, its value is `{default}`."),
        (Some(default), must) => {
            format!("The value of `{name}`, which is `{default}` without it, {must}.")
        }
    }
}

/// What the checks of a value want, each as a verb and what follows it.
fn checks(value: Value<'_>) -> Vec<String> {
    let in_any_case = if is_true(value, "anyCase") {
        ", in any case"
    } else {
        ""
    };
    let mut must = Vec::new();
    if let Some(path) = text(value, "path") {
        must.push(format!("is one of the values of `{path}`"));
    }
    if let Some(path) = text(value, "startsWithPath") {
        must.push(format!("begins with the value of `{path}`"));
    }
    if let Some(words) = list(value, "oneOf") {
        must.push(format!("is {}{in_any_case}", either(&words)));
    }
    if let Some(pattern) = text(value, "pattern") {
        must.push(format!("matches `{pattern}`{in_any_case}"));
    }
    must.extend(bounds(value, "is a number"));
    if let Some(words) = list(value, "not") {
        must.push(format!("is not {}{in_any_case}", either(&words)));
    }
    if let Some(kind) = text(value, "json") {
        must.push(format!("is a JSON {kind}"));
    }
    if is_true(value, "cidr") {
        must.push("is a network".to_owned());
    }
    if let Some(each) = get(value, "each") {
        let separator = text(each, "separator").unwrap_or_default();
        let elements = checks(each).into_iter();
        let elements: Vec<_> = elements.map(|check| format!("each {check}")).collect();
        let of = if elements.is_empty() {
            String::new()
        } else {
            format!(", of which {}", elements.join(" and "))
        };
        must.push(format!(
            "is a list with `{separator}` between its elements{of}"
        ));
    }
    if let Some(count) = get(value, "count") {
        must.extend(bounds(count, "has a number of elements"));
    }
    must
}

/// `min` and `max` in words.
fn bounds(value: Value<'_>, what: &str) -> Option<String> {
    let bound = |key| get(value, key).map(Value::text);
    match (bound("min"), bound("max")) {
        (Some(min), Some(max)) => Some(format!("{what} from {min} to {max}")),
        (Some(min), None) => Some(format!("{what} of at least {min}")),
        (None, Some(max)) => Some(format!("{what} of at most {max}")),
        (None, None) => None,
    }
}

/// A side of a requirement, of which one alternative holds.
fn alternatives(requirement: Value<'_>, key: &str, verb: &str) -> String {
    let Some(side) = get(requirement, key) else {
        return String::new();
    };
    let all = |map| conditions(map, verb).join(" and ");
    match side.kind() {
        Kind::List => side.elements().map(all).collect::<Vec<_>>().join(", or "),
        _ => all(side),
    }
}

/// The conditions of a map: `` `spec.type` is `LoadBalancer` ``.
pub(super) fn conditions(map: Value<'_>, verb: &str) -> Vec<String> {
    let condition = |(key, value): (Key<'_>, Value<'_>)| match (key.text(), value.string()) {
        (key, Some("*")) => format!("`{key}` {verb} set"),
        (key, Some(text)) => format!("`{key}` {verb} `{text}`"),
        (key, None) if value.kind() == Kind::Map => {
            format!(
                "`{key}` {verb} a value that {}",
                checks(value).join(" and ")
            )
        }
        (key, None) => format!("`{key}` {verb} absent"),
    };
    map.members().map(condition).collect()
}
