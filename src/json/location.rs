//! Places inside a JSON value, written as Kubernetes writes field paths.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use crate::hashing::hash_of;
use crate::shown::Shown;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step<'a> {
    /// Into the member of a map with this key.
    Key(Cow<'a, str>),
    /// Into one element of a list.
    Index(usize),
    /// Into every element of a list (`[*]`): only in paths that a user wrote.
    Each,
}

impl<'a> Step<'a> {
    /// The step into the member with this key.
    pub const fn key(key: &'a str) -> Self {
        Self::Key(Cow::Borrowed(key))
    }

    /// The key of the member that it leads into.
    pub(crate) fn as_key(&self) -> Option<&str> {
        match self {
            Self::Key(key) => Some(key),
            Self::Index(_) | Self::Each => None,
        }
    }

    /// The same step, borrowing nothing.
    pub(crate) fn detached(&self) -> Step<'static> {
        match self {
            Self::Key(key) => Step::Key(Cow::Owned(key.to_string())),
            Self::Index(index) => Step::Index(*index),
            Self::Each => Step::Each,
        }
    }
}

/// A place in a JSON value: `spec.template.spec.containers[0]`.
///
/// Keys that hold anything but letters, digits, `-` and `_` are written in brackets:
/// `metadata.annotations["example.com/team"]`. Keys are shown as all user text is; the alternate
/// form (`{:#}`) has them whole, to compare places by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Location<'a>(pub Vec<Step<'a>>);

impl<'a> Location<'a> {
    /// A place below this one, given the way from here.
    #[must_use]
    pub fn below(&self, way: Self) -> Self {
        let mut steps = self.0.clone();
        steps.extend(way.0);
        Self(steps)
    }

    /// The steps, outermost first.
    pub fn steps(&self) -> &[Step<'a>] {
        &self.0
    }

    /// The same place, borrowing nothing.
    pub fn detached(&self) -> Location<'static> {
        Location(self.0.iter().map(Step::detached).collect())
    }
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Each => f.write_str("[*]")?,
                Step::Key(key) if is_plain(key) => {
                    if position > 0 {
                        f.write_str(".")?;
                    }
                    write_key(f, key)?;
                }
                Step::Key(key) => {
                    f.write_str("[\"")?;
                    write_key(f, key)?;
                    f.write_str("\"]")?;
                }
            }
        }
        Ok(())
    }
}

/// A place in an object, which shares the way to it with the places beside it.
///
/// What stands deep in an object, and there may be much of it, takes no more than what stands at the top.
#[derive(Clone, Debug, Default)]
pub struct Place<'a>(Option<Rc<Way<'a>>>);

/// The last step to a place.
#[derive(Debug)]
struct Way<'a> {
    above: Place<'a>,
    step: Step<'a>,
    /// The hash of the place, once it has been asked for: zero before.
    hash: Cell<u64>,
}

impl<'a> Place<'a> {
    /// The place one step further down.
    #[must_use]
    pub fn below(&self, step: Step<'a>) -> Self {
        Self(Some(Rc::new(Way {
            above: self.clone(),
            step,
            hash: Cell::new(0),
        })))
    }

    /// The place one step up; none of the root.
    pub fn above(&self) -> Option<&Self> {
        self.0.as_deref().map(|way| &way.above)
    }

    /// The last step; none of the root.
    pub fn step(&self) -> Option<&Step<'a>> {
        self.0.as_deref().map(|way| &way.step)
    }

    /// The steps, innermost first.
    fn upwards(&self) -> impl Iterator<Item = &Step<'a>> {
        std::iter::successors(self.0.as_deref(), |way| way.above.0.as_deref()).map(|way| &way.step)
    }

    /// The outermost step; none of the root.
    pub(crate) fn first(&self) -> Option<&Step<'a>> {
        self.upwards().last()
    }

    /// The hash of all steps: that of the place above and the last step.
    fn hash_of_all(&self) -> u64 {
        let Some(way) = &self.0 else {
            return 0;
        };
        if way.hash.get() == 0 {
            way.hash.set(hash_of(&(way.above.hash_of_all(), &way.step)));
        }
        way.hash.get()
    }

    /// The place with steps of its own.
    pub fn location(&self) -> Location<'a> {
        let mut steps: Vec<_> = self.upwards().cloned().collect();
        steps.reverse();
        Location(steps)
    }
}

impl PartialEq for Place<'_> {
    fn eq(&self, other: &Self) -> bool {
        let (mut one, mut other) = (self, other);
        loop {
            match (&one.0, &other.0) {
                (None, None) => return true,
                (Some(way), Some(known)) if Rc::ptr_eq(way, known) => return true,
                (Some(way), Some(known)) if way.step == known.step => {
                    (one, other) = (&way.above, &known.above);
                }
                _ => return false,
            }
        }
    }
}

impl Eq for Place<'_> {}

impl Hash for Place<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash_of_all());
    }
}

/// Where a reader of an object stands: a step, and the way to it on the stack. Only of what is kept a
/// [`Place`] is made, of the way to it but once.
pub(crate) struct Spot<'t, 'a> {
    pub(crate) above: Option<&'t Spot<'t, 'a>>,
    pub(crate) step: Step<'a>,
    place: OnceCell<Place<'a>>,
}

impl<'t, 'a> Spot<'t, 'a> {
    /// The first step, where there is nothing above.
    pub(crate) const fn below(above: Option<&'t Self>, step: Step<'a>) -> Self {
        Self {
            above,
            step,
            place: OnceCell::new(),
        }
    }

    /// A place that is kept, which is not the root.
    pub(crate) fn at(place: &Place<'a>) -> Self {
        Self {
            above: None,
            step: place.step().cloned().unwrap_or(Step::Each),
            place: OnceCell::from(place.clone()),
        }
    }

    /// The place, to be kept.
    pub(crate) fn place(&self) -> Place<'a> {
        let place = || {
            let above = self.above.map(Self::place).unwrap_or_default();
            above.below(self.step.clone())
        };
        self.place.get_or_init(place).clone()
    }
}

fn write_key(f: &mut fmt::Formatter<'_>, key: &str) -> fmt::Result {
    if f.alternate() {
        f.write_str(key)
    } else {
        write!(f, "{}", Shown(key))
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_kubernetes_writes_it() {
        let steps = [
            Step::key("metadata"),
            Step::key("annotations"),
            Step::key("a.b/c"),
            Step::Index(3),
            Step::key("x"),
            Step::Each,
        ];
        assert_eq!(
            Location(steps.to_vec()).to_string(),
            r#"metadata.annotations["a.b/c"][3].x[*]"#
        );
    }

    #[test]
    fn a_spot_is_the_same_place() {
        let spec = Spot::below(None, Step::key("spec"));
        let containers = Spot::below(Some(&spec), Step::key("containers"));
        let first = Spot::below(Some(&containers), Step::Index(0));
        assert_eq!(first.place().location().to_string(), "spec.containers[0]");
    }
}
