//! Lints: what is valid in settings and probably a mistake.
//!
//! None of it is an error: a strictness without need would be an outage at the next upgrade.

use rollout_guard::date::Clock;
use rollout_guard::json::{self, Location, Step};
use rollout_guard::pattern::{ImagePattern, RegistryPattern, TagPattern};
use rollout_guard::policy::Policy;
use rollout_guard::request::Request;
use rollout_guard::settings::{Item, Settings};

use crate::manifest::Value;
use crate::policy_file::Source;

/// What somebody should look at in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// The path of the entry: `images.allow[3]`.
    pub path: String,
    /// Why it is probably a mistake, and what to write instead.
    pub problem: String,
}

/// Every lint, in the order of the sections.
pub fn find(source: &Source<'_>, settings: &Settings<'_>) -> Vec<Lint> {
    let mut lints = Vec::new();
    let registry = |one: &RegistryPattern<'_>, other: &RegistryPattern<'_>| one.covers(other);
    let image = |one: &ImagePattern<'_>, other: &ImagePattern<'_>| one.covers(other);
    let tag = |one: &TagPattern<'_>, other: &TagPattern<'_>| one.covers(other.text());
    for item in &settings.registries {
        let mut lint = |list, entries| redundant(source, item, list, entries, &mut lints, registry);
        lint("registries.allow", &item.list.allow);
        lint("registries.reject", &item.list.reject);
    }
    for item in &settings.images {
        let mut lint = |list, entries| redundant(source, item, list, entries, &mut lints, image);
        lint("images.allow", &item.list.allow);
        lint("images.reject", &item.list.reject);
    }
    for item in &settings.tags {
        let mut lint = |list, entries| redundant(source, item, list, entries, &mut lints, tag);
        lint("tags.allow", &item.list.allow);
        lint("tags.reject", &item.list.reject);
    }
    for item in &settings.digests {
        let mut lint = |list, entries| redundant(source, item, list, entries, &mut lints, image);
        lint("digests.require", &item.list.require);
        lint("digests.forbid", &item.list.forbid);
    }
    for error in settings.contradictions_across_items().iter() {
        add(&mut lints, error.path.clone(), error.problem.as_str());
    }
    exemptions(settings, &mut lints);
    mirrors(source, settings, &mut lints);
    placeholders(source, &mut lints);
    changes(source, settings, &mut lints);
    rewrites(source, settings, &mut lints);
    if source.policy.is_some()
        && let Some(settings) = source.value
    {
        nulls(settings, &Location::default(), false, &mut lints);
    }
    lints
}

fn add(lints: &mut Vec<Lint>, path: String, problem: impl Into<String>) {
    lints.push(Lint {
        path,
        problem: problem.into(),
    });
}

/// Exemptions that have ended, or end soon.
fn exemptions(settings: &Settings<'_>, lints: &mut Vec<Lint>) {
    for (index, exemption) in settings.exemptions.iter().enumerate() {
        let Some(until) = exemption.until else {
            continue;
        };
        let problem = if matches!(settings.clock, Clock::None) {
            continue;
        } else if until.has_come(settings.clock) && exemption.warns_after_end {
            "it has ended: what it exempted only warns"
        } else if until.has_come(settings.clock) {
            "it has ended: it exempts nothing, remove it or renew it"
        } else if until.is_near(settings.clock) {
            "it ends within 14 days"
        } else {
            continue;
        };
        add(lints, format!("exemptions[{index}].until"), problem);
    }
}

/// The texts of a list, given the way to it.
fn texts(from: Option<Value<'_>>, way: &str) -> Vec<String> {
    let list = from.and_then(|from| way.split('.').try_fold(from, Value::get));
    list.into_iter()
        .flat_map(Value::elements)
        .map(|entry| entry.get("entry").unwrap_or(entry))
        .map(|entry| entry.text().unwrap_or_default().into_owned())
        .collect()
}

/// The items of a section as they are written: itself, or those in it.
fn items<'v>(source: &Source<'v>, section: &str) -> Vec<(String, Value<'v>)> {
    let Some(value) = source.value.and_then(|settings| settings.get(section)) else {
        return Vec::new();
    };
    let listed: Vec<_> = value.elements().collect();
    if listed.is_empty() {
        return vec![(section.to_owned(), value)];
    }
    let listed = listed.into_iter().enumerate();
    let listed = listed.map(|(index, item)| (format!("{section}[{index}]"), item));
    listed.collect()
}

/// Entries that another one of their list covers, and lists that allow everything.
fn redundant<T, L>(
    source: &Source<'_>,
    item: &Item<'_, L>,
    list: &str,
    entries: &[T],
    lints: &mut Vec<Lint>,
    covers: impl Fn(&T, &T) -> bool,
) {
    let (section, name) = list.split_once('.').unwrap_or_default();
    let mut written = items(source, section).into_iter();
    let Some((path, value)) = written.nth(item.head.position.unwrap_or_default()) else {
        return;
    };
    let texts = texts(Some(value), name);
    let list = &format!("{path}.{name}");
    for (index, (entry, text)) in entries.iter().zip(&texts).enumerate() {
        if text == "*" && list.contains(".allow") {
            let problem = "`*` allows everything: the list does nothing, leave it out";
            add(lints, format!("{list}[{index}]"), problem);
            continue;
        }
        // What it says is not said by the one that covers it.
        let mut says = item.head.says.iter();
        if says.any(|says| says.list == name && says.index == index) {
            continue;
        }
        let covering = entries
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
            add(lints, format!("{list}[{index}]"), problem);
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

/// What stands in the bundle for ACK where a team's own registry belongs.
const PLACEHOLDER: &str = "example.azurecr.io";

/// The placeholder of a bundle where nobody has put in a registry.
fn placeholders(source: &Source<'_>, lints: &mut Vec<Lint>) {
    let is_placeholder = |text: &str| {
        let host = text.split(['/', '@']).next().unwrap_or_default();
        let name = host.split(':').next().unwrap_or_default();
        name.eq_ignore_ascii_case(PLACEHOLDER)
    };
    let problem = format!("`{PLACEHOLDER}` stands for a registry of yours, put in its name");
    let sections = ["registries", "images"].map(|section| items(source, section));
    for (path, item) in sections.into_iter().flatten() {
        for (index, text) in texts(Some(item), "allow").iter().enumerate() {
            if is_placeholder(text) {
                add(lints, format!("{path}.allow[{index}]"), problem.as_str());
            }
        }
    }
    let mirrors = source.value.and_then(|settings| settings.get("mirrors"));
    for (index, mirror) in mirrors.into_iter().flat_map(Value::elements).enumerate() {
        if mirror
            .text_at(&["mirror"])
            .is_some_and(|text| is_placeholder(&text))
        {
            add(lints, format!("mirrors[{index}].mirror"), problem.as_str());
        }
    }
}

/// Mirrors whose images the lists refuse: then every rewrite ends in a refusal.
fn mirrors(source: &Source<'_>, settings: &Settings<'_>, lints: &mut Vec<Lint>) {
    let allows_some = (settings
        .registries
        .iter()
        .any(|item| !item.list.allow.is_empty()))
        || settings
            .images
            .iter()
            .any(|item| !item.list.allow.is_empty());
    if !allows_some {
        return;
    }
    let allowing = Settings {
        registries: settings.registries.clone(),
        images: settings.images.clone(),
        ..Settings::default()
    };
    let mirrors = source.value.and_then(|settings| settings.get("mirrors"));
    let mirrors = mirrors.into_iter().flat_map(Value::elements);
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
            .all(|image| refuses(&allowing, image));
        if refused {
            let problem = format!("the allow lists refuse what comes from `{target}`");
            add(lints, format!("mirrors[{index}].mirror"), problem);
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
    let json = json::Document::of(&request);
    Request::of(&json).is_ok_and(|request| !Policy::new(lists).evaluate(request).accepted())
}

/// `guardDelete` in a policy that is not asked about DELETE.
fn changes(source: &Source<'_>, settings: &Settings<'_>, lints: &mut Vec<Lint>) {
    let Some(rules) = &source.rules else {
        return;
    };
    let asked: Vec<_> = rules.iter().filter(|rule| rule.asks("DELETE")).collect();
    let written = source.value.and_then(|settings| settings.get("changes"));
    let written = written.into_iter().flat_map(Value::elements);
    for (index, (rule, written)) in settings.changes.iter().zip(written).enumerate() {
        if !rule.guard_delete {
            continue;
        }
        let path = format!("changes[{index}].guardDelete");
        if asked.is_empty() {
            let problem = "the rules of the policy lack `DELETE`, so that it is never asked";
            add(lints, path, problem);
            continue;
        }
        for kind in texts(Some(written), "match.kinds") {
            if !asked.iter().any(|rule| rule.may_be_about(&kind)) {
                let problem = format!(
                    "the rules of the policy lack `DELETE` for `{kind}`, so that it is never asked"
                );
                add(lints, path.clone(), problem);
            }
        }
    }
}

/// Rewrites in a policy that may not mutate.
fn rewrites(source: &Source<'_>, settings: &Settings<'_>, lints: &mut Vec<Lint>) {
    let is_never = settings.rewrite == rollout_guard::mirror::Rewrite::Never;
    if source.is_mutating == Some(false)
        && settings.mirrors.iter().any(|mirror| !mirror.is_only_named)
        && !is_never
    {
        let problem = "the policy has `mutating: false`: Kubewarden refuses a Pod that is rewritten, \
                       set `mutating: true` or `rewrite: never`";
        add(lints, "mirrors".to_owned(), problem);
    }
}

/// Conditions of a policy that say `null` for absent: `kubectl apply` drops them from what it makes.
fn nulls(value: Value<'_>, at: &Location<'_>, is_conditions: bool, lints: &mut Vec<Lint>) {
    for (index, element) in value.elements().enumerate() {
        let at = at.below(Location(vec![Step::Index(index)]));
        nulls(element, &at, false, lints);
    }
    for (key, member) in value.members() {
        let key = key.text().unwrap_or_default();
        let at = at.below(Location(vec![Step::key(&key)]));
        if is_conditions && member.is_null() {
            let problem = "`kubectl apply` drops `null` from a policy, and the condition with it: write `\"!*\"` for absent";
            add(lints, at.to_string(), problem);
        }
        let holds_conditions = ["labels", "fields", "oldFields", "when", "then"];
        nulls(member, &at, holds_conditions.contains(&&*key), lints);
    }
}
