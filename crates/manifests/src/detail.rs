//! What a finding is about, taken apart: for reports of programs, for groups, and to know it again.
//!
//! A message has all of this in one line, for people; values are cut there, and not here.

use std::fmt::Write as _;

use rollout_guard::image::Reference;
use rollout_guard::json::{Location, Step};
use rollout_guard::violation::{Code, Violation};
use serde::Serialize;

use crate::before::was;
use crate::manifest::Value;
use crate::secret::leads_to_hidden;

/// What a violation is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// The list of the settings, or the name of the rule: `registries.allow`, `ownership`,
    /// `annotations[0]`.
    pub rule: Option<String>,
    /// The image, if it is about one.
    pub image: Option<Image>,
    /// The value in the object, whole; none of a list or map, and of what no message shows.
    pub value: Option<String>,
    /// Where it is, with containers and other named elements of lists by their name:
    /// `spec.containers["redis"].image`.
    pub place: String,
    /// There is a value that no message shows: of a Secret, say.
    pub is_hidden: bool,
    /// What the value was before, whole.
    pub old: Option<String>,
}

/// An image of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Image {
    /// As the object has it.
    pub written: String,
    /// As it will run: from its mirror, in its normal form; none where it is no image reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<String>,
}

impl Image {
    /// An image, given the mirror that it is pulled from.
    pub fn new(written: String, mirror: Option<&str>) -> Self {
        let runs = Reference::parse(mirror.unwrap_or(&written));
        let runs = runs.ok().map(|reference| reference.to_string());
        Self { written, runs }
    }

    /// What it is called in a report: images that run the same are one.
    pub fn name(&self) -> &str {
        self.runs.as_deref().unwrap_or(&self.written)
    }
}

impl Detail {
    /// What a violation in an object is about, but for its image.
    pub fn new(object: Value<'_>, violation: &Violation) -> Self {
        let value = said(object, violation).or_else(|| object.at(&violation.path));
        let scalar = value.filter(|value| !value.is_map() && !value.is_list());
        // What a message shows may be shown whole.
        let is_shown = (violation.value.as_ref()).is_some_and(|value| value.text.is_some());
        Self {
            rule: rule(violation),
            image: None,
            value: scalar.filter(|_| is_shown).map(whole),
            place: place(object, violation),
            is_hidden: scalar.is_some_and(|value| !value.is_null()) && !is_shown,
            old: None,
        }
    }

    /// With what the value was in the object before.
    #[must_use]
    pub fn before(
        mut self,
        object: Value<'_>,
        old: Option<Value<'_>>,
        path: &Location<'_>,
    ) -> Self {
        // What is not shown of the new value is not shown of the old one; there is none where it was removed.
        let is_shown = self.value.is_some() || object.at(path).is_none() && !leads_to_hidden(path);
        let was = old.and_then(|old| was(old, object, path));
        let was = was.filter(|was| is_shown && !was.is_map() && !was.is_list());
        self.old = was.map(whole);
        self
    }
}

/// A value as a text.
fn whole(value: Value<'_>) -> String {
    match value.text() {
        Some(text) => text.into_owned(),
        None => value.json().to_owned(),
    }
}

/// Of the values that a path leads to, where keys occur more than once, the one that a violation tells.
pub(crate) fn said<'d>(object: Value<'d>, violation: &Violation) -> Option<Value<'d>> {
    if !object.has_repeated_keys() {
        return None;
    }
    let told = violation.value.as_ref()?.text.as_deref()?;
    let mut values = object.all_at(&violation.path).into_iter();
    values.find(|value| value.text().is_some_and(|text| text == told))
}

/// The list of the settings or the rule that a violation is of; none where it is of no rule.
fn rule(violation: &Violation) -> Option<String> {
    // An item of lists that has a name is called by it.
    if violation.rule.is_some() {
        return violation.rule.clone();
    }
    if let Some((section, list)) = violation.code.list() {
        return Some(format!("{section}.{list}"));
    }
    match violation.code {
        Code::MirrorUsed
        | Code::MirrorAvailable
        | Code::MirrorInvalid
        | Code::MirrorNeedsTag
        | Code::MirrorMissing
        | Code::MirrorUnchecked => Some("mirrors".to_owned()),
        Code::ImageDrifted | Code::AnnotationDrifted | Code::LastAppliedUnreadable => {
            Some("drift.lastApplied".to_owned())
        }
        _ => None,
    }
}

/// The place of a violation, with elements of lists by their name.
fn place(object: Value<'_>, violation: &Violation) -> String {
    let mut place = by_name(object, &violation.path);
    // What is missing has a place that the path does not lead to.
    let path = violation.path.to_string();
    match violation.place.strip_prefix(&path) {
        Some(missing) if missing.starts_with(['.', '[']) && !missing.contains("] \"") => {
            place.push_str(missing);
        }
        _ if place.is_empty() => place.push_str(&violation.place),
        _ => {}
    }
    place
}

/// A path with elements of lists by their name, where they have one.
pub fn by_name(object: Value<'_>, path: &Location<'_>) -> String {
    let mut place = String::new();
    let mut at = Some(object);
    for step in path.steps() {
        // Writing to a string cannot fail.
        match step {
            Step::Key(key) => {
                at = at.and_then(|value| value.get(key));
                let step = Location(vec![Step::Key(key.clone())]);
                let separator = if place.is_empty() || key.contains(['.', '/']) {
                    ""
                } else {
                    "."
                };
                let _ = write!(place, "{separator}{step:#}");
            }
            Step::Index(index) => {
                at = at.and_then(|value| value.element(*index));
                let name = at.and_then(|element| element.text_at(&["name"]));
                let _ = match name.filter(|name| !name.is_empty()) {
                    Some(name) => write!(place, "[{:?}]", name.as_ref()),
                    None => write!(place, "[{index}]"),
                };
            }
            Step::Each => place.push_str("[*]"),
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_run_the_same_have_one_name() {
        let image = |written: &str| Image::new(written.to_owned(), None);
        assert_eq!(image("redis:7").name(), "docker.io/library/redis:7");
        assert_eq!(image("docker.io/redis:7").name(), image("redis:7").name());
        assert_eq!(image("a b").name(), "a b");
        let mirrored = Image::new("redis:7".to_owned(), Some("ghcr.io/hub/redis:7"));
        assert_eq!(mirrored.name(), "ghcr.io/hub/redis:7");
    }
}
