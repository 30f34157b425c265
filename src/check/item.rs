//! The items of a section: each holds its lists against the images of the requests that it matches.
//!
//! ```yaml
//! registries:
//!   - { name: everywhere, match: { except: { namespaces: [lab] } }, allow: [registry.example.com] }
//!   - { name: lab, match: { namespaces: [lab] }, allow: [registry.example.com, docker.io] }
//! ```
//!
//! Every item that matches must be satisfied, so that one more item never admits more. A section that is one map is
//! one item.

use crate::json::Kind;
use crate::request::Request;
use crate::schema::{Entry, SettingsErrors};
use crate::selector::{self, Purpose, Selector};
use crate::violation::Action;
use crate::workload::Object;

/// An item of `registries`, `images`, `tags` or `digests`.
#[derive(Clone, Debug)]
pub struct Item<'a, L> {
    /// The name, as messages give it.
    pub name: Option<&'a str>,
    /// Where it stands in its section; `None` where the section is one map.
    pub position: Option<usize>,
    /// Which requests.
    pub selector: Selector<'a>,
    /// Its lists.
    pub list: L,
}

/// The lists of an item.
pub(crate) trait List<'n>: Default {
    /// The keys of an item of this section: its lists, and what all have.
    const KEYS: [&'static str; 5];

    /// Reads the value of a key.
    fn read(&mut self, key: &'static str, entry: Entry<'_, 'n>, errors: &mut SettingsErrors);

    /// What happens to an image that breaks it; none where there is nothing to break.
    fn action(&self) -> Option<Action>;
}

/// Which items of settings a request needs.
pub(crate) struct Wanted<'w, 'r> {
    /// The request and its object: what does not match it is left out. `None`: all are read.
    pub(crate) request: Option<(&'w Request<'r>, &'w Object<'r>)>,
    /// Whether something was left out.
    pub(crate) is_partial: bool,
}

impl<'a, L> Item<'a, L> {
    /// What the settings call it: its name, or the place in them; `None` for a section without names.
    pub(crate) fn title(&self, section: &str) -> Option<String> {
        match (self.name, self.position) {
            (Some(name), _) => Some(name.to_owned()),
            (None, Some(_)) => Some(self.path(section)),
            (None, None) => None,
        }
    }

    /// Where it is in the settings.
    pub(crate) fn path(&self, section: &str) -> String {
        match self.position {
            Some(position) => format!("{section}[{position}]"),
            None => section.to_owned(),
        }
    }

    /// Which item it is, and what it is about.
    pub(crate) const fn scope(&self, section: &'static str) -> Scope<'_, 'a> {
        Scope {
            section,
            position: self.position,
            selector: &self.selector,
        }
    }
}

/// An item without its lists.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Scope<'i, 'a> {
    section: &'static str,
    position: Option<usize>,
    pub(crate) selector: &'i Selector<'a>,
}

impl Scope<'_, '_> {
    /// Whether it is all of its section, for all requests.
    pub(crate) fn is_everywhere(self) -> bool {
        self.position.is_none() && *self.selector == Selector::default()
    }
}

/// Reads a section: an item, or a list of them.
pub(crate) fn read<'n, L: List<'n>>(
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
    wanted: &mut Wanted<'_, '_>,
) -> Vec<Item<'n, L>> {
    let mut items = Vec::new();
    if entry.value.kind() == Kind::List {
        entry.list(errors, &mut |position, entry, errors| {
            item(entry, Some(position), errors, wanted, &mut items);
        });
    } else {
        item(entry, None, errors, wanted, &mut items);
    }
    items
}

fn item<'n, L: List<'n>>(
    entry: Entry<'_, 'n>,
    position: Option<usize>,
    errors: &mut SettingsErrors,
    wanted: &mut Wanted<'_, '_>,
    items: &mut Vec<Item<'n, L>>,
) {
    let before = errors.len();
    let [first, second, ..] = L::KEYS;
    if position.is_some() && !matches!(entry.value.kind(), Kind::Map) {
        return entry.mismatch(errors, &format!("an item such as `{{ {first}: […] }}`"));
    }
    let mut selector = Selector::default();
    if let Some((request, object)) = wanted.request
        && entry.value.get("match").is_some()
    {
        entry.member("match", errors, &mut |entry, errors| {
            selector = selector::read(entry, errors, Purpose::Apply);
        });
        if errors.len() == before && !selector.matches(request, object) {
            wanted.is_partial = true;
            return;
        }
    }
    let mut name = None;
    let mut list = L::default();
    let mut read = |key, entry: Entry<'_, 'n>, errors: &mut SettingsErrors| match key {
        "name" => name = entry.text(errors),
        "match" if wanted.request.is_some() => {}
        "match" => selector = selector::read(entry, errors, Purpose::Apply),
        key => list.read(key, entry, errors),
    };
    if position.is_some() {
        // As in other lists of rules: a template that rendered to nothing must not take a rule away.
        entry.map_of_full(&L::KEYS, errors, &mut read);
    } else {
        entry.map(&L::KEYS, errors, &mut read);
    }
    if position.is_some() && list.action().is_none() && errors.len() == before {
        entry.error(
            errors,
            format!("no rule: say what to `{first}` or to `{second}`"),
        );
    }
    items.push(Item {
        name,
        position,
        selector,
        list,
    });
}
