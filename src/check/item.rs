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

use crate::date::Date;
use crate::json::Kind;
use crate::request::Request;
use crate::schema::{Entry, SettingsErrors};
use crate::selector::{self, Purpose, Selector};
use crate::violation::Action;
use crate::workload::Object;

/// An item of `registries`, `images`, `tags` or `digests`.
#[derive(Clone, Debug)]
pub struct Item<'a, L> {
    /// Which item it is, and what is the same for the lists of each section.
    pub head: Head<'a>,
    /// Its lists.
    pub list: L,
}

/// An item without its lists.
#[derive(Clone, Debug, Default)]
pub struct Head<'a> {
    /// Its section.
    pub section: &'static str,
    /// The name, as messages give it.
    pub name: Option<&'a str>,
    /// Where it stands in its section; `None` where the section is one map.
    pub position: Option<usize>,
    /// Which requests; `None`: all.
    pub selector: Option<Selector<'a>>,
    /// What its entries say besides what they match.
    pub says: Vec<Says<'a>>,
    /// When it begins to refuse; until then it warns.
    pub from: Option<Date<'a>>,
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

impl Head<'_> {
    /// What the settings call it: its name, or the place in them; `None` for a section without names.
    pub(crate) fn title(&self) -> Option<String> {
        match (self.name, self.position) {
            (Some(name), _) => Some(name.to_owned()),
            (None, Some(_)) => Some(self.path()),
            (None, None) => None,
        }
    }

    /// Where it is in the settings.
    pub(crate) fn path(&self) -> String {
        match self.position {
            Some(position) => format!("{}[{position}]", self.section),
            None => self.section.to_owned(),
        }
    }

    /// Whether it is all of its section, for all requests.
    pub(crate) fn is_everywhere(&self) -> bool {
        self.position.is_none() && self.selector.is_none()
    }

    /// Whether it is about a request.
    pub(crate) fn matches(&self, request: &Request<'_>, object: &Object<'_>) -> bool {
        let mut selector = self.selector.iter();
        selector.all(|selector| selector.matches(request, object))
    }

    /// Whether it is about each request that another one is about.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let all = Selector::default();
        let other = other.selector.as_ref().unwrap_or(&all);
        let mut selector = self.selector.iter();
        selector.all(|selector| selector.covers(other))
    }

    /// Whether it is this other one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.section == other.section && self.position == other.position
    }
}

/// Whether there is anything to break in items.
pub(crate) fn say_something<'a, L: List<'a>>(items: &[Item<'a, L>]) -> bool {
    items.iter().any(|item| item.list.action().is_some())
}

/// Reads a section: an item, or a list of them.
pub(crate) fn read<'n, L: List<'n> + Default>(
    (section, entry): (&'static str, Entry<'_, 'n>),
    errors: &mut SettingsErrors,
    wanted: &mut Wanted<'_, '_>,
) -> Vec<Item<'n, L>> {
    let mut items = Vec::new();
    each(entry, errors, &mut |position, entry, errors| {
        let head = Head {
            section,
            position,
            ..Head::default()
        };
        let list = L::default();
        let item = items.push_mut(Item { head, list });
        if !is_read(&mut item.head, &mut item.list, entry, errors, wanted) {
            items.pop();
        }
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

/// Reads an item; `false` where it is none, or is not wanted.
fn is_read<'n>(
    item: &mut Head<'n>,
    list: &mut dyn List<'n>,
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
    wanted: &mut Wanted<'_, '_>,
) -> bool {
    let before = errors.len();
    let [first, second] = list.lists();
    let is_of_several = item.position.is_some();
    if is_of_several && !matches!(entry.value.kind(), Kind::Map) {
        entry.mismatch(errors, &format!("an item such as `{{ {first}: […] }}`"));
        return false;
    }
    if let Some((request, object)) = wanted.request
        && entry
            .value
            .get("match")
            .is_some_and(|written| !written.is_null())
    {
        entry.member("match", errors, &mut |entry, errors| {
            item.selector = Some(selector::read(entry, errors, Purpose::Apply));
        });
        if errors.len() == before && !item.matches(request, object) {
            wanted.is_partial = true;
            return false;
        }
    }
    let keys = [first, second, "action", "name", "match", "from"];
    let mut read = |key, entry: Entry<'_, 'n>, errors: &mut SettingsErrors| match key {
        "name" => item.name = entry.text(errors),
        "from" => item.from = Date::beginning(entry, errors),
        "match" if wanted.request.is_some() => {}
        "match" => item.selector = Some(selector::read(entry, errors, Purpose::Apply)),
        key => list.read(key, entry, errors, &mut item.says),
    };
    if is_of_several {
        // As in other lists of rules: a template that rendered to nothing must not take a rule away.
        entry.map_of_full(&keys, errors, &mut read);
    } else {
        entry.map(&keys, errors, &mut read);
    }
    let action = list.action();
    if is_of_several && action.is_none() && errors.len() == before {
        entry.error(
            errors,
            format!("no rule: say what to `{first}` or to `{second}`"),
        );
    }
    if item.from.is_some() && action == Some(Action::Warn) {
        entry.error(errors, NEVER_BEGINS);
    }
    true
}
