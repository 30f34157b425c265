//! What is redundant or odd in settings that are valid.
//!
//! None of it is an error: a strictness without need would be an outage at the next upgrade.

use rollout_guard::policy::Policy;
use rollout_guard::request::Request;
use rollout_guard::settings::{AllowReject, Settings, SettingsError};

use crate::policy_file::Source;

/// Everything that somebody should look at, with its path.
pub fn find(source: &Source<'_>, settings: &Settings<'_>) -> Vec<SettingsError> {
    let mut odd = Vec::new();
    let Settings {
        registries,
        images,
        tags,
        ..
    } = settings;
    redundant(source, "registries", registries, &mut odd, |one, other| {
        one.covers(other)
    });
    redundant(source, "images", images, &mut odd, |one, other| {
        one.covers(other)
    });
    redundant(source, "tags", tags, &mut odd, |one, other| {
        one.covers(other.text())
    });
    mirrors(source, settings, &mut odd);
    changes(source, &mut odd);
    rewrites(source, settings, &mut odd);
    odd
}

fn add(odd: &mut Vec<SettingsError>, path: String, problem: impl Into<String>) {
    odd.push(SettingsError {
        path,
        problem: problem.into(),
    });
}

/// The texts of a list.
fn texts(source: &Source<'_>, section: &str, list: &str) -> Vec<String> {
    let list = source
        .value
        .and_then(|settings| settings.get(section)?.get(list));
    list.into_iter()
        .flat_map(crate::manifest::Value::elements)
        .map(|entry| entry.text().unwrap_or_default().into_owned())
        .collect()
}

/// Entries that another one of their list covers, and lists that allow everything.
fn redundant<T>(
    source: &Source<'_>,
    section: &str,
    lists: &AllowReject<T>,
    odd: &mut Vec<SettingsError>,
    covers: impl Fn(&T, &T) -> bool,
) {
    for (name, entries) in [("allow", &lists.allow), ("reject", &lists.reject)] {
        let texts = texts(source, section, name);
        for (index, (entry, text)) in entries.iter().zip(&texts).enumerate() {
            if text == "*" && name == "allow" {
                let problem = "`*` allows everything: the list does nothing, leave it out";
                add(odd, format!("{section}.{name}[{index}]"), problem);
                continue;
            }
            let covering =
                entries
                    .iter()
                    .zip(&texts)
                    .enumerate()
                    .find(|(other, (by, covering))| {
                        // Of two that say the same the later one is too much.
                        *other != index
                            && is_plain_in_path(covering)
                            && covers(by, entry)
                            && !(covers(entry, by) && *other > index)
                    });
            if let Some((_, (_, covering))) = covering {
                let problem = format!("`{text}` is redundant: `{covering}` covers it");
                add(odd, format!("{section}.{name}[{index}]"), problem);
            }
        }
    }
}

/// Whether a pattern has no wildcard behind its first part but a final `/*`: others cover less in an
/// allow list than in a reject list.
fn is_plain_in_path(pattern: &str) -> bool {
    let path = pattern.split_once('/').map_or("", |(_, path)| path);
    let path = path.strip_suffix('*').unwrap_or(path);
    !path.contains(['*', '?'])
}

/// Mirrors whose images the lists refuse: then every rewrite ends in a refusal.
fn mirrors(source: &Source<'_>, settings: &Settings<'_>, odd: &mut Vec<SettingsError>) {
    if settings.registries.allow.is_empty() && settings.images.allow.is_empty() {
        return;
    }
    let lists = Settings {
        registries: settings.registries.clone(),
        images: settings.images.clone(),
        ..Settings::default()
    };
    let mirrors = source.value.and_then(|settings| settings.get("mirrors"));
    let mirrors = mirrors
        .into_iter()
        .flat_map(crate::manifest::Value::elements);
    for (index, mirror) in mirrors.enumerate() {
        let Some(target) = mirror.text_at(&["mirror"]) else {
            continue;
        };
        let filled = target
            .replace("{registry}", "docker.io")
            .replace("{repository}", "library/redis")
            .replace("{name}", "redis")
            .replace("{tag}", "7");
        let refused = [filled.clone(), format!("{filled}/redis:7")]
            .iter()
            .all(|image| refuses(&lists, image));
        if refused {
            let problem = format!("the allow lists refuse what comes from `{target}`");
            add(odd, format!("mirrors[{index}].mirror"), problem);
        }
    }
}

/// Whether the lists refuse a Pod with an image.
fn refuses(lists: &Settings<'_>, image: &str) -> bool {
    let request = serde_json::json!({
        "uid": "", "operation": "CREATE",
        "kind": { "group": "", "version": "v1", "kind": "Pod" },
        "userInfo": { "username": "rollout-guard" },
        "object": { "spec": { "containers": [{ "name": "app", "image": image }] } },
    })
    .to_string();
    Request::read(&request).is_ok_and(|request| !Policy::new(lists).evaluate(request).accepted())
}

/// `guardDelete` in a policy that is not asked about DELETE.
fn changes(source: &Source<'_>, odd: &mut Vec<SettingsError>) {
    let Some(rules) = &source.rules else {
        return;
    };
    let is_asked = rules.iter().any(|rule| {
        rule.operations
            .iter()
            .any(|operation| operation == "DELETE" || operation == "*")
    });
    let changes = source.value.and_then(|settings| settings.get("changes"));
    let changes = changes
        .into_iter()
        .flat_map(crate::manifest::Value::elements);
    for (index, change) in changes.enumerate() {
        let guards = change
            .get("guardDelete")
            .is_some_and(|value| value.json() == "true");
        if guards && !is_asked {
            let problem = "the rules of the policy lack `DELETE`, so that it is never asked";
            add(odd, format!("changes[{index}].guardDelete"), problem);
        }
    }
}

/// Rewrites in a policy that may not mutate.
fn rewrites(source: &Source<'_>, settings: &Settings<'_>, odd: &mut Vec<SettingsError>) {
    let is_never = settings.rewrite == rollout_guard::mirror::Rewrite::Never;
    if source.is_mutating == Some(false) && !settings.mirrors.is_empty() && !is_never {
        let problem = "the policy has `mutating: false`: Kubewarden refuses a Pod that is rewritten, \
                       set `mutating: true` or `rewrite: never`";
        add(odd, "mirrors".to_owned(), problem);
    }
}
