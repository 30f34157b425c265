//! What differs between two values, place by place.
//!
//! Values whose bytes are equal are not looked into, so the work is that of what differs. Key order,
//! white space and the spelling of numbers do not count, and `null` is as good as absent.

mod pairing;

use crate::hashing::{ByHash, Seen, hash_of};
use crate::json::{Kind, Location, Step, Value, lookup, same_but_for};
use crate::shown::{is_private, is_record};

use pairing::{Member, pairs, positions_before};

/// Below this many levels, values are compared whole: each level reads what is below it again.
const DEEPEST: usize = 12;

/// Members that are looked into even where there is nothing to compare them with.
const ALWAYS_OPENED: [&str; 3] = ["metadata", "annotations", "labels"];

/// The lists of containers.
const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// The annotation by which `kubectl rollout restart` and Argo CD restart a workload.
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// A value that is another one than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Where it is, or where it was if it is gone.
    pub(crate) path: Location<'static>,
    /// How that is told, where it is not by the path alone.
    pub(crate) place: Option<String>,
    /// What it is called.
    pub(crate) noun: &'static str,
    /// What of it a message may show.
    pub(crate) shows: Shows,
    /// The value before; none if it is new.
    pub(crate) was: Option<String>,
    /// The value now; none if it is gone.
    pub(crate) is: Option<String>,
}

impl Difference {
    /// The place, as a message tells it.
    pub(crate) fn place(&self) -> String {
        match &self.place {
            Some(place) => place.clone(),
            None => self.path.to_string(),
        }
    }
}

/// Whether a place is in the object's own `ownerReferences`.
pub(super) fn is_owner(place: &[Step<'_>]) -> bool {
    matches!(place, [Step::Key(metadata), Step::Key(owners), ..]
        if metadata == "metadata" && owners == "ownerReferences")
}

/// Whether this is what restarts a workload, and does nothing else.
fn is_restart(path: &[Step<'_>]) -> bool {
    matches!(path, [.., Step::Key(template), Step::Key(metadata), Step::Key(annotations), Step::Key(key)]
        if template == "template" && metadata == "metadata" && annotations == "annotations" && key == RESTARTED_AT)
}

/// What of a difference a message may show: messages also reach audit logs and the logs of CI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shows {
    /// The values: of images, annotations, labels, numbers and booleans.
    Values,
    /// That there is one: every other value may be a secret.
    Change,
    /// That a list has the same elements in another order.
    Order,
}

/// A value and what it was.
pub(crate) type Change<'a> = (Option<Value<'a>>, Option<Value<'a>>);

/// Collects what differs, and knows where it stands.
pub(crate) struct Differences {
    /// The first of them.
    pub(crate) found: Vec<Difference>,
    /// How many more there are.
    pub(crate) more: usize,
    /// All of them are what restarts a workload.
    pub(crate) are_restarts: bool,
    /// The places of all, where two guards may find the same.
    seen: Option<Seen>,
    /// Places where nothing differs that counts.
    left_out: Option<fn(&[Step<'_>]) -> bool>,
    most: usize,
    at: Vec<Step<'static>>,
    /// The hash of that, where places are noted.
    hash: u64,
}

impl Differences {
    /// `by_many`: more than one guard looks for them, and what two of them find counts once. Keeps `most` of
    /// them.
    pub(crate) fn new(by_many: bool, most: usize) -> Self {
        Self {
            found: Vec::new(),
            more: 0,
            are_restarts: true,
            seen: by_many.then(Seen::default),
            left_out: None,
            most,
            at: Vec::new(),
            hash: 0,
        }
    }

    /// Without what differs at some places.
    pub(super) fn without(mut self, left_out: Option<fn(&[Step<'_>]) -> bool>) -> Self {
        self.left_out = left_out;
        self
    }

    /// Keeps all of them.
    pub(crate) fn all() -> Self {
        Self::new(false, usize::MAX)
    }

    /// Compares what a path leads to from two values. Elements of a list are paired by their `name`,
    /// where each has one of its own, else by their position.
    pub(crate) fn along(&mut self, change: Change<'_>, path: &[Step<'_>]) {
        let Some(change) = unequal(change) else {
            return;
        };
        let keys = path
            .iter()
            .take_while(|step| matches!(step, Step::Key(_)))
            .count();
        let (keys, rest) = path.split_at(keys);
        if !keys.is_empty() {
            for change in inside(change, keys) {
                self.below(keys, &mut |this| this.along(change, rest));
            }
        } else if let Some((_, rest)) = rest.split_first() {
            let (was, is) = (elements(change.0), elements(change.1));
            for (before, now) in pairs(&was, &is).found {
                let step = [Step::Index(now.or(before).unwrap_or_default())];
                let change = (pick(&was, before), pick(&is, now));
                self.below(&step, &mut |this| this.along(change, rest));
            }
        } else {
            self.value(change, DEEPEST);
        }
    }

    /// Compares the members of two maps whose keys are wanted.
    pub(crate) fn members_like(&mut self, change: Change<'_>, wanted: &dyn Fn(&str) -> bool) {
        if let Some(change) = unequal(change) {
            self.maps(change, wanted, DEEPEST);
        }
    }

    /// Does something some steps further down.
    pub(crate) fn below(&mut self, steps: &[Step<'_>], act: &mut dyn FnMut(&mut Self)) {
        let before = (self.at.len(), self.hash);
        self.at.extend(steps.iter().map(Step::detached));
        if self.seen.is_some() {
            self.hash = hash_below(self.hash, steps);
        }
        act(self);
        self.at.truncate(before.0);
        self.hash = before.1;
    }

    /// Keeps a difference at a place, or counts it only.
    pub(crate) fn add<'a>(
        &mut self,
        path: &dyn Fn() -> Location<'a>,
        difference: &dyn Fn(Location<'static>) -> Difference,
    ) {
        if self.counts_only() {
            self.more += 1;
            return;
        }
        let path = path();
        let hash = if self.seen.is_some() {
            hash_below(0, path.steps())
        } else {
            0
        };
        self.add_at(path.steps(), hash, difference);
    }

    /// Whether a difference is counted wherever it is, and no more.
    fn counts_only(&self) -> bool {
        self.seen.is_none()
            && self.left_out.is_none()
            && !self.are_restarts
            && self.found.len() >= self.most
    }

    fn add_at(
        &mut self,
        path: &[Step<'_>],
        hash: u64,
        difference: &dyn Fn(Location<'static>) -> Difference,
    ) {
        if self.left_out.is_some_and(|is_left_out| is_left_out(path)) {
            return;
        }
        if let Some(seen) = &mut self.seen
            && !seen.insert(&hash)
        {
            return;
        }
        self.are_restarts &= is_restart(path);
        if self.found.len() < self.most {
            let path = path.iter().map(Step::detached).collect();
            self.found.push(difference(Location(path)));
        } else {
            self.more += 1;
        }
    }

    /// Keeps a difference where it stands, or counts it only.
    pub(super) fn add_here(&mut self, difference: &dyn Fn(Location<'static>) -> Difference) {
        if self.counts_only() {
            self.more += 1;
            return;
        }
        let here = std::mem::take(&mut self.at);
        self.add_at(&here, self.hash, difference);
        self.at = here;
    }

    /// Compares two values a step further down, if they are not the same to the byte.
    fn inner(&mut self, step: Step<'_>, change: Change<'_>, deeper: usize) {
        if let Some(change) = unequal(change) {
            self.below(&[step], &mut |this| this.value(change, deeper));
        }
    }

    fn value(&mut self, change: Change<'_>, deeper: usize) {
        let is_opened = || matches!(self.at.last(), Some(Step::Key(key)) if ALWAYS_OPENED.contains(&key.as_ref()));
        match (change.0.map(Value::kind), change.1.map(Value::kind)) {
            (Some(Kind::Map), Some(Kind::Map)) if deeper > 0 => {
                self.maps(change, &|_| true, deeper);
            }
            (None, Some(Kind::Map)) | (Some(Kind::Map), None) if is_opened() => {
                self.maps(change, &|_| true, deeper);
            }
            (Some(Kind::List), Some(Kind::List)) if deeper > 0 => self.lists(change, deeper),
            _ => self.differ(change),
        }
    }

    fn maps(&mut self, change: Change<'_>, wanted: &dyn Fn(&str) -> bool, deeper: usize) {
        let (Some(was), Some(is)) = (members(change.0), members(change.1)) else {
            return self.differ(change);
        };
        let Some(before) = positions_before(change.0, &was, &is) else {
            return self.differ(change);
        };
        let mut is_left = vec![false; was.len()];
        for ((key, now), index) in is.iter().zip(before) {
            if let Some(left) = index.and_then(|index| is_left.get_mut(index)) {
                *left = true;
            }
            if wanted(key) {
                let value = index
                    .and_then(|index| was.get(index))
                    .map(|(_, value)| *value);
                self.inner(Step::key(key), (value, Some(*now)), deeper - 1);
            }
        }
        for ((key, value), is_left) in was.iter().zip(is_left) {
            if !is_left && wanted(key) {
                self.inner(Step::key(key), (Some(*value), None), deeper - 1);
            }
        }
    }

    fn lists(&mut self, change: Change<'_>, deeper: usize) {
        let (was, is) = (elements(change.0), elements(change.1));
        let pairs = pairs(&was, &is);
        // Without names, or in another order, a list is one value.
        if !pairs.are_named || pairs.are_reordered() {
            return self.differ(change);
        }
        for (before, now) in pairs.found {
            let step = Step::Index(now.or(before).unwrap_or_default());
            let change = (pick(&was, before), pick(&is, now));
            self.inner(step, change, deeper - 1);
        }
    }

    /// Notes that the value here, which is not the same to the byte, is another one, if it is.
    fn differ(&mut self, change: Change<'_>) {
        if let (Some(was), Some(is)) = change
            && same_but_for(was, is, &[])
        {
            return;
        }
        self.add_here(&|path| {
            // `"1"` and `1` must not look alike.
            let is_other_type = matches!(change, (Some(was), Some(is)) if was.kind() != is.kind());
            let shows = if has_same_elements(change) {
                Shows::Order
            } else if is_public(path.steps(), change) {
                Shows::Values
            } else {
                Shows::Change
            };
            let told = |value: Value<'_>| match shows {
                Shows::Values => {
                    let text = value.string().filter(|_| !is_other_type);
                    text.unwrap_or_else(|| value.text()).to_owned()
                }
                Shows::Change | Shows::Order => String::new(),
            };
            Difference {
                path,
                place: None,
                noun: "value",
                shows,
                was: change.0.map(told),
                is: change.1.map(told),
            }
        });
    }
}

/// The hash of a place, given that of the place some steps further up.
fn hash_below(above: u64, steps: &[Step<'_>]) -> u64 {
    steps
        .iter()
        .fold(above, |above, step| hash_of(&(above, step)))
}

/// Whether a message may show what stood and stands at a place.
fn is_public(place: &[Step<'_>], change: Change<'_>) -> bool {
    if (place.first().and_then(Step::as_key)).is_some_and(is_private) {
        return false;
    }
    let is_plain = |value: Value<'_>| matches!(value.kind(), Kind::Bool | Kind::Number);
    let is_text = |value: Value<'_>| is_plain(value) || value.kind() == Kind::Text;
    let is_each =
        |is: &dyn Fn(Value<'_>) -> bool| [change.0, change.1].into_iter().flatten().all(is);
    match place {
        [.., Step::Key(metadata), Step::Key(map), Step::Key(key)]
            if metadata == "metadata" && matches!(map.as_ref(), "annotations" | "labels") =>
        {
            is_each(&is_text) && !is_record(key)
        }
        [.., Step::Key(list), Step::Index(_), Step::Key(image)]
            if image == "image" && CONTAINERS.contains(&list.as_ref()) =>
        {
            is_each(&is_text)
        }
        [
            ..,
            Step::Key(list),
            Step::Index(_),
            Step::Key(image),
            Step::Key(reference),
        ] if list == "volumes" && image == "image" && reference == "reference" => is_each(&is_text),
        _ => is_each(&is_plain),
    }
}

/// Whether two lists have the same elements, so that only their order differs.
fn has_same_elements(change: Change<'_>) -> bool {
    let (Some(was), Some(is)) = change else {
        return false;
    };
    if was.kind() != Kind::List || is.kind() != Kind::List {
        return false;
    }
    let mut counts = ByHash::default();
    for element in was.elements() {
        *counts.entry(hash_of(element.text())).or_default() += 1;
    }
    let is_known = |element: Value<'_>| match counts.get_mut(&hash_of(element.text())) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    };
    // With as many elements, none is left over.
    was.elements().count() == is.elements().count() && is.elements().all(is_known)
}

/// The two values, unless they are the same to the byte or both absent.
fn unequal((was, is): Change<'_>) -> Option<Change<'_>> {
    let is_present = |value: &Value<'_>| !value.is_null();
    let change = (was.filter(is_present), is.filter(is_present));
    match change {
        (None, None) => None,
        (Some(was), Some(is)) if was.is_written_as(is) => None,
        change => Some(change),
    }
}

/// Whether there is anything to compare in two values.
pub(super) fn is_unlike(change: Change<'_>) -> bool {
    unequal(change).is_some()
}

/// The members of a map; none of what is absent, `None` for what is something else.
fn members(value: Option<Value<'_>>) -> Option<Vec<Member<'_>>> {
    if value.is_some_and(|value| value.kind() != Kind::Map) {
        return None;
    }
    let members = value.into_iter().flat_map(Value::members);
    Some(members.map(|(key, value)| (key.text(), value)).collect())
}

/// What a path leads to from each of the two values, in pairs: a repeated key leads to several.
pub(super) fn inside<'a>(change: Change<'a>, path: &[Step<'_>]) -> Vec<Change<'a>> {
    zip(&values(change.0, path), &values(change.1, path))
}

/// Values of which each has one to be compared with, or none.
pub(super) fn zip<'a>(was: &[Value<'a>], is: &[Value<'a>]) -> Vec<Change<'a>> {
    (0..was.len().max(is.len()))
        .map(|index| (was.get(index).copied(), is.get(index).copied()))
        .collect()
}

fn values<'a>(value: Option<Value<'a>>, path: &[Step<'_>]) -> Vec<Value<'a>> {
    value.map_or_else(Vec::new, |value| lookup(value, path))
}

fn elements(value: Option<Value<'_>>) -> Vec<Value<'_>> {
    value.into_iter().flat_map(Value::elements).collect()
}

fn pick<'a>(list: &[Value<'a>], index: Option<usize>) -> Option<Value<'a>> {
    index.and_then(|index| list.get(index)).copied()
}
