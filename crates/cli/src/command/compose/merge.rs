//! What becomes of the sections of several settings.
//!
//! | what | becomes |
//! |---|---|
//! | a list of entries | both, each entry once |
//! | a list of items | both; an item replaces one with its name, a mirror one with its source |
//! | an item with `disabled: true` | the item of that name goes |
//! | a section of lists that is a map here and a list there | a list of both |
//! | anything else | the later value |
//!
//! The first mirror that matches counts, so a mirror of a later file stands before those of an earlier one, but
//! behind those whose source is narrower.

use rollout_guard::json::{Kind, Value};
use rollout_guard::settings::Settings;

use super::section::{Item, Origin, Part, Parts, Section, Written, each_part, section};

/// Something that is wrong, or weaker.
pub(super) struct Remark {
    pub(super) problem: String,
    pub(super) origin: Origin,
}

/// Settings made of several.
#[derive(Default)]
pub(super) struct Composed<'d> {
    pub(super) sections: Vec<(&'d str, Section<'d>)>,
    /// What the first file refuses and the result may admit.
    pub(super) weaker: Vec<Remark>,
}

impl<'d> Composed<'d> {
    /// Adds the settings of a file, and says what in them has no meaning here.
    pub(super) fn add(&mut self, file: usize, settings: Value<'d>) -> Vec<Remark> {
        let mut errors = Vec::new();
        for (key, value) in settings.members() {
            let key = key.text();
            let origin = Origin {
                file,
                path: key.to_owned(),
            };
            let section = section(key, value, &origin);
            let known = self.sections.iter().position(|(known, _)| *known == key);
            let mut merge = Merge {
                key,
                weaker: &mut self.weaker,
                errors: &mut errors,
            };
            if let Some((_, known)) = known.and_then(|at| self.sections.get_mut(at)) {
                merge.section(known, section);
            } else {
                let section = merge.alone(section, file > 0);
                self.sections.push((key, section));
            }
        }
        self.sections.sort_by_key(|(key, _)| {
            let mut keys = Settings::KEYS.iter();
            keys.position(|known| known == key).unwrap_or(usize::MAX)
        });
        errors
    }

    /// Where something of the result was written, by its path there.
    pub(super) fn origin(&self, path: &str) -> Option<Origin> {
        let mut best: Option<(usize, Origin)> = None;
        let mut consider = |here: &str, origin: &Origin| {
            let Some(rest) = path.strip_prefix(here) else {
                return;
            };
            let is_whole = rest.is_empty() || rest.starts_with(['.', '[']);
            if is_whole && best.as_ref().is_none_or(|(length, _)| *length < here.len()) {
                let path = [&origin.path, rest].concat();
                let file = origin.file;
                best = Some((here.len(), Origin { file, path }));
            }
        };
        for (key, section) in &self.sections {
            match section {
                Section::Value(written) => consider(key, &written.origin),
                Section::Parts(parts) => each_part(key, parts, &mut consider),
                Section::Items(items) => {
                    for (position, item) in items.iter().enumerate() {
                        let here = format!("{key}[{position}]");
                        match item {
                            Item::Whole(written) => consider(&here, &written.origin),
                            Item::Parts(parts) => each_part(&here, parts, &mut consider),
                        }
                    }
                }
            }
        }
        best.map(|(_, origin)| origin)
    }
}

/// What tells an item of a section from others: its name, or the source of a mirror.
fn identity<'d>(key: &str, item: &Item<'d>) -> Option<&'d str> {
    let identifying = if key == "mirrors" { "source" } else { "name" };
    match item {
        Item::Whole(written) => written.value.get(identifying)?.string(),
        Item::Parts(parts) => text_of(parts, identifying),
    }
}

fn text_of<'d>(parts: &Parts<'d>, key: &str) -> Option<&'d str> {
    parts.iter().find_map(|(name, part)| match part {
        Part::Value(written) if *name == key => written.value.string(),
        _ => None,
    })
}

/// What an entry of a list is about: itself, or its `entry`.
fn entry_of<'d>(entry: &Written<'d>) -> &'d str {
    let named = entry.value.get("entry").and_then(Value::string);
    named
        .or_else(|| entry.value.string())
        .unwrap_or_else(|| entry.value.text())
}

/// Brings a section of a file together with what is there.
struct Merge<'m> {
    key: &'m str,
    weaker: &'m mut Vec<Remark>,
    errors: &'m mut Vec<Remark>,
}

impl Merge<'_> {
    fn weakens(&mut self, origin: &Origin, problem: String) {
        self.weaker.push(Remark {
            problem,
            origin: origin.clone(),
        });
    }

    fn error(&mut self, origin: &Origin, problem: String) {
        self.errors.push(Remark {
            problem,
            origin: origin.clone(),
        });
    }

    /// A section that only this file has.
    fn alone<'d>(&mut self, section: Section<'d>, extends: bool) -> Section<'d> {
        match section {
            Section::Items(items) => {
                let mut known = Section::Items(Vec::new());
                let is_first = !extends;
                if let Section::Items(into) = &mut known {
                    self.items(into, items, is_first);
                }
                known
            }
            Section::Value(written) if extends => {
                self.value(None, &written, self.key);
                Section::Value(written)
            }
            other => other,
        }
    }

    fn section<'d>(&mut self, known: &mut Section<'d>, new: Section<'d>) {
        match (&mut *known, new) {
            (Section::Items(known), Section::Items(new)) => self.items(known, new, false),
            (Section::Parts(known), Section::Parts(new)) if !are_apart(known, &new) => {
                self.parts(known, new);
            }
            (Section::Parts(first), Section::Parts(new)) => {
                let mut items = vec![Item::Parts(std::mem::take(first))];
                self.items(&mut items, vec![Item::Parts(new)], false);
                *known = Section::Items(items);
            }
            (Section::Items(items), Section::Parts(new)) => {
                self.items(items, vec![Item::Parts(new)], false);
            }
            (Section::Parts(first), Section::Items(new)) => {
                let mut items = vec![Item::Parts(std::mem::take(first))];
                self.items(&mut items, new, false);
                *known = Section::Items(items);
            }
            (known, new) => {
                if let Section::Value(written) = &new {
                    let before = match &*known {
                        Section::Value(before) => Some(before.value),
                        _ => None,
                    };
                    self.value(before, written, self.key);
                }
                *known = new;
            }
        }
    }

    /// Entries are appended, each once; of other values the later one counts.
    fn parts<'d>(&mut self, known: &mut Parts<'d>, new: Parts<'d>) {
        for (name, part) in new {
            let path = format!("{}.{name}", self.key);
            match (known.iter_mut().find(|(key, _)| *key == name), part) {
                (Some((_, Part::Entries(known))), Part::Entries(new)) => {
                    for entry in new {
                        let text = entry_of(&entry);
                        let same = known.iter_mut().find(|known| entry_of(known) == text);
                        if let Some(same) = same {
                            if same.value.text() != entry.value.text() {
                                *same = entry;
                            }
                            continue;
                        }
                        if matches!(name, "allow" | "skip" | "except" | "ignore") {
                            self.weakens(&entry.origin, format!("`{path}` also has `{text}`"));
                        }
                        known.push(entry);
                    }
                }
                (Some((_, known)), part) => {
                    if let Part::Value(written) = &part {
                        let before = match &*known {
                            Part::Value(before) => Some(before.value),
                            Part::Entries(_) => None,
                        };
                        self.value(before, written, &path);
                    }
                    *known = part;
                }
                (None, part) => {
                    if let Part::Value(written) = &part {
                        self.value(None, written, &path);
                    }
                    known.push((name, part));
                }
            }
        }
    }

    /// A value that is another than before; whether it is weaker only a few keys tell, so most are named.
    fn value(&mut self, before: Option<Value<'_>>, new: &Written<'_>, path: &str) {
        let text = |value: Value<'_>| value.string().unwrap_or(value.text()).to_owned();
        let is_same = before.is_some_and(|before| before.text() == new.value.text());
        let key = path.rsplit('.').next().unwrap_or_default();
        let is_stricter = matches!(
            (key, text(new.value).as_str()),
            ("action" | "drift", "reject") | ("onUpdate", "all") | ("wellKnownKinds", "true")
        ) || (key == "drift" && before.is_none())
            || matches!(key, "docsUrl" | "message" | "name");
        if is_same || is_stricter {
            return;
        }
        let before =
            before.map_or_else(String::new, |before| format!(", before `{}`", text(before)));
        self.weakens(
            &new.origin,
            format!("`{path}` is `{}`{before}", text(new.value)),
        );
    }

    /// Items are appended, or replace those of their name.
    fn items<'d>(&mut self, known: &mut Vec<Item<'d>>, new: Vec<Item<'d>>, is_first: bool) {
        // So many mirrors of this file stand before those that were there.
        let mut in_front = 0;
        for item in new {
            let name = identity(self.key, &item);
            let at = known
                .iter()
                .position(|known| name.is_some() && identity(self.key, known) == name)
                .filter(|_| !is_first);
            if let Item::Whole(written) = &item {
                if written.value.get("disabled").is_some() {
                    self.disable(written, at, known);
                    continue;
                }
                if is_entry(written) {
                    let is_known = known.iter().any(|known| match known {
                        Item::Whole(known) => entry_of(known) == entry_of(written),
                        Item::Parts(_) => false,
                    });
                    if !is_known {
                        known.push(item);
                    }
                    continue;
                }
            }
            let origin = origin_of(&item);
            if let Some(same) = at.and_then(|at| known.get_mut(at)) {
                if let Some(origin) = origin.filter(|_| !is_same(same, &item)) {
                    let (key, name) = (self.key, name.unwrap_or_default());
                    self.weakens(&origin, format!("`{key}`: `{name}` is replaced"));
                }
                *same = item;
                continue;
            }
            if let Some(origin) = origin.filter(|_| !is_first)
                && let Some(problem) = lifts(self.key, &item)
            {
                self.weakens(&origin, problem);
            }
            let place = if self.key == "mirrors" && !is_first {
                place_of_mirror(name.unwrap_or_default(), in_front, known)
            } else {
                known.len()
            };
            if place <= in_front {
                in_front += 1;
            }
            known.insert(place, item);
        }
    }

    /// Takes an item out.
    fn disable<'d>(&mut self, written: &Written<'d>, at: Option<usize>, known: &mut Vec<Item<'d>>) {
        let (key, value) = (self.key, written.value);
        let item = Item::Whole(written.clone());
        let identifying = if key == "mirrors" { "source" } else { "name" };
        let Some(name) = identity(key, &item) else {
            let problem = format!("`disabled` needs the `{identifying}` of what it takes out");
            return self.error(&written.origin, problem);
        };
        let is_disabled = value
            .get("disabled")
            .is_some_and(|value| value.text() == "true");
        let reason = value
            .get("reason")
            .and_then(Value::string)
            .unwrap_or_default();
        let others = value.members().map(|(key, _)| key.text());
        let mut others = others.filter(|key| ![identifying, "disabled", "reason"].contains(key));
        if !is_disabled {
            let problem = "`disabled` can only be `true`: leave it out to keep the item".to_owned();
            return self.error(&written.origin, problem);
        }
        if reason.trim().is_empty() {
            let problem = format!("`{name}` is disabled without a `reason`, write why");
            return self.error(&written.origin, problem);
        }
        if let Some(other) = others.next() {
            let problem = format!("`{name}` is disabled, so `{other}` has no meaning, remove it");
            return self.error(&written.origin, problem);
        }
        let Some(at) = at else {
            let names = known.iter().filter_map(|item| identity(key, item));
            let near = names
                .map(|known| (strsim::damerau_levenshtein(known, name), known))
                .min();
            let meant = near
                .filter(|(distance, _)| *distance <= 1 + name.len() / 4)
                .map_or_else(String::new, |(_, known)| {
                    format!(", did you mean `{known}`?")
                });
            let problem = format!("there is no `{name}` in `{key}` to disable{meant}");
            return self.error(&written.origin, problem);
        };
        known.remove(at);
        let end = if key == "exemptions" {
            // One exemption less is stricter.
            return;
        } else {
            format!("`{key}`: `{name}` is disabled: {reason}")
        };
        self.weakens(&written.origin, end);
    }
}

/// Whether two maps of one section say when they hold, so that each is an item of its own.
fn are_apart(known: &Parts<'_>, new: &Parts<'_>) -> bool {
    let has = |parts: &Parts<'_>| {
        parts
            .iter()
            .any(|(key, _)| ["name", "match", "from"].contains(key))
    };
    has(known) || has(new)
}

/// How one more item lets pass what others refuse, if it can.
fn lifts(key: &str, item: &Item<'_>) -> Option<String> {
    let Item::Whole(Written { value, .. }) = item else {
        return None;
    };
    let has = |key, text| value.get(key).and_then(Value::string) == Some(text);
    let problem = match key {
        "exemptions" => "there is one more exemption",
        // Most lists judge what it makes of an image.
        "mirrors" if !has("rewrite", "never") => "there is one more mirror for",
        "annotations" if has("action", "remove") => "what others refuse may be removed by",
        _ => return None,
    };
    let name = identity(key, item).map_or_else(
        || match key {
            "annotations" => " a rule without a name".to_owned(),
            _ => String::new(),
        },
        |name| format!(" `{name}`"),
    );
    Some([problem, &name].concat())
}

/// Where a mirror of a later file stands: behind those before it in its file, and behind what is narrower.
fn place_of_mirror(source: &str, in_front: usize, known: &[Item<'_>]) -> usize {
    let is_narrower = |item: &Item<'_>| {
        let of = identity("mirrors", item).unwrap_or_default();
        of.strip_prefix(source)
            .is_some_and(|rest| rest.starts_with(['/', ':', '@']))
    };
    let last = known.iter().rposition(is_narrower);
    last.map_or(in_front, |last| in_front.max(last + 1))
}

/// Whether it is an entry, such as a path of `imagePaths` that is only text.
fn is_entry(written: &Written<'_>) -> bool {
    written.value.kind() == Kind::Text || written.value.get("entry").is_some()
}

fn origin_of(item: &Item<'_>) -> Option<Origin> {
    match item {
        Item::Whole(written) => Some(written.origin.clone()),
        Item::Parts(parts) => parts.iter().find_map(|(_, part)| match part {
            Part::Value(written) => Some(written.origin.clone()),
            Part::Entries(entries) => entries.first().map(|entry| entry.origin.clone()),
        }),
    }
}

fn is_same(one: &Item<'_>, other: &Item<'_>) -> bool {
    match (one, other) {
        (Item::Whole(one), Item::Whole(other)) => one.value.text() == other.value.text(),
        _ => false,
    }
}
