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

use crate::date::{self, Clock, Date};
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
    /// What its entries say besides what they match.
    pub says: Vec<Says<'a>>,
    /// When it begins to refuse; until then it warns.
    pub from: Option<Date<'a>>,
    /// Its lists.
    pub list: L,
}

/// What is said of a rule that begins to refuse, and never does.
pub(crate) const NEVER_BEGINS: &str =
    "`from` is when a rule begins to refuse, and this one only warns: leave out one of the two";

/// What an entry of a list says of what it refuses.
#[derive(Clone, Debug)]
pub struct Says<'a> {
    /// The list.
    pub list: &'static str,
    /// The position of the entry in it.
    pub index: usize,
    /// `use`: what to write instead; a text, if there is a space in it.
    pub instead: Option<&'a str>,
    /// `message`: what the user is told besides.
    pub message: Option<&'a str>,
}

/// The lists of an item.
pub(crate) trait List<'n> {
    /// The keys of its lists.
    fn lists(&self) -> [&'static str; 2];

    /// Reads the value of a key.
    fn read(
        &mut self,
        key: &'static str,
        entry: Entry<'_, 'n>,
        errors: &mut SettingsErrors,
        says: &mut Vec<Says<'n>>,
    );

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

/// Whether there is anything to break in items.
pub(crate) fn say_something<'a, L: List<'a>>(items: &[Item<'a, L>]) -> bool {
    items.iter().any(|item| item.list.action().is_some())
}

/// What happens to an image that breaks an item now; none where there is nothing to break.
pub(crate) fn action<'a, L: List<'a>>(item: &Item<'a, L>, clock: Clock) -> Option<Action> {
    let action = item.list.action()?;
    Some(date::action(action, item.from.as_ref(), clock))
}

impl<'a> Item<'a, ()> {
    fn with<L>(self, list: L) -> Item<'a, L> {
        Item {
            name: self.name,
            position: self.position,
            selector: self.selector,
            says: self.says,
            from: self.from,
            list,
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
pub(crate) fn read<'n, L: List<'n> + Default>(
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
    wanted: &mut Wanted<'_, '_>,
) -> Vec<Item<'n, L>> {
    let mut items = Vec::new();
    each(entry, errors, &mut |position, entry, errors| {
        let mut list = L::default();
        let item = item(entry, position, errors, wanted, &mut list);
        items.extend(item.map(|item| item.with(list)));
    });
    items
}

fn each<'n>(
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
    read: &mut dyn FnMut(Option<usize>, Entry<'_, 'n>, &mut SettingsErrors),
) {
    if entry.value.kind() == Kind::List {
        entry.list(errors, &mut |position, entry, errors| {
            read(Some(position), entry, errors);
        });
    } else {
        read(None, entry, errors);
    }
}

/// The entries of a list, each a text that `parse` reads or a map that has one: `{ entry, use, message }`.
pub(crate) fn entries<'n, T>(
    (list, entry): (&'static str, Entry<'_, 'n>),
    errors: &mut SettingsErrors,
    says: &mut Vec<Says<'n>>,
    parse: impl Fn(&'n str) -> Result<T, String>,
) -> Vec<T> {
    let mut parsed = Vec::with_capacity(entry.value.elements().count());
    each_entry(list, entry, errors, says, &mut |text| {
        parse(text).map(|value| parsed.push(value))
    });
    parsed
}

fn each_entry<'n>(
    list: &'static str,
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
    says: &mut Vec<Says<'n>>,
    read: &mut dyn FnMut(&'n str) -> Result<(), String>,
) {
    entry.list(errors, &mut |index, entry, errors| {
        if entry.value.kind() != Kind::Map {
            return entry.each(errors, read);
        }
        let mut said = Says {
            list,
            index,
            instead: None,
            message: None,
        };
        let before = errors.len();
        let mut has_entry = false;
        // What allows refuses nothing of which it could say more.
        let keys: &[&'static str] = match list {
            "allow" => &["entry"],
            _ => &["entry", "use", "message"],
        };
        entry.map_of_full(keys, errors, &mut |key, entry, errors| match key {
            "entry" => {
                has_entry = true;
                entry.each(errors, read);
            }
            "use" => said.instead = entry.text(errors),
            _ => said.message = entry.text(errors),
        });
        if errors.len() != before {
        } else if !has_entry {
            entry.error(errors, "`entry` is missing");
        } else if said.instead.is_some() || said.message.is_some() {
            says.push(said);
        }
    });
}

fn item<'n>(
    entry: Entry<'_, 'n>,
    position: Option<usize>,
    errors: &mut SettingsErrors,
    wanted: &mut Wanted<'_, '_>,
    list: &mut dyn List<'n>,
) -> Option<Item<'n, ()>> {
    let before = errors.len();
    let [first, second] = list.lists();
    if position.is_some() && !matches!(entry.value.kind(), Kind::Map) {
        entry.mismatch(errors, &format!("an item such as `{{ {first}: […] }}`"));
        return None;
    }
    let mut item = Item {
        name: None,
        position,
        selector: Selector::default(),
        says: Vec::new(),
        from: None,
        list: (),
    };
    if let Some((request, object)) = wanted.request
        && entry.value.get("match").is_some()
    {
        entry.member("match", errors, &mut |entry, errors| {
            item.selector = selector::read(entry, errors, Purpose::Apply);
        });
        if errors.len() == before && !item.selector.matches(request, object) {
            wanted.is_partial = true;
            return None;
        }
    }
    let keys = [first, second, "action", "name", "match", "from"];
    let mut read = |key, entry: Entry<'_, 'n>, errors: &mut SettingsErrors| match key {
        "name" => item.name = entry.text(errors),
        "from" => item.from = Date::beginning(entry, errors),
        "match" if wanted.request.is_some() => {}
        "match" => item.selector = selector::read(entry, errors, Purpose::Apply),
        key => list.read(key, entry, errors, &mut item.says),
    };
    if position.is_some() {
        // As in other lists of rules: a template that rendered to nothing must not take a rule away.
        entry.map_of_full(&keys, errors, &mut read);
    } else {
        entry.map(&keys, errors, &mut read);
    }
    let action = list.action();
    if position.is_some() && action.is_none() && errors.len() == before {
        entry.error(
            errors,
            format!("no rule: say what to `{first}` or to `{second}`"),
        );
    }
    if item.from.is_some() && action == Some(Action::Warn) {
        entry.error(errors, NEVER_BEGINS);
    }
    Some(item)
}
