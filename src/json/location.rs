//! Places inside a JSON value, written as Kubernetes writes field paths.

use std::borrow::Cow;
use std::fmt;

use crate::shown::Shown;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

/// A place in a JSON value: `spec.template.spec.containers[0]`.
///
/// Keys that hold anything but letters, digits, `-` and `_` are written in brackets:
/// `metadata.annotations["example.com/team"]`. Keys are shown as all user text is; the alternate
/// form (`{:#}`) has them whole, to compare places by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
        let steps = self.0.iter().map(|step| match step {
            Step::Key(key) => Step::Key(Cow::Owned(key.to_string())),
            Step::Index(index) => Step::Index(*index),
            Step::Each => Step::Each,
        });
        Location(steps.collect())
    }
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_steps(f, self.0.iter())
    }
}

/// The way from the root of a value down to where a reader stands, kept on the stack.
///
/// Only what is reported is turned into a [`Location`], so that reading costs no allocation.
#[derive(Clone, Copy, Debug)]
pub struct Trail<'t, 'a> {
    parent: Option<&'t Trail<'t, 'a>>,
    step: &'t Step<'a>,
}

impl<'t, 'a> Trail<'t, 'a> {
    /// The first step below the root.
    pub const fn root(step: &'t Step<'a>) -> Self {
        Self { parent: None, step }
    }

    /// One step further down.
    #[must_use]
    pub const fn then(&'t self, step: &'t Step<'a>) -> Self {
        Self {
            parent: Some(self),
            step,
        }
    }

    /// One step below `parent`, or the first one where there is no parent.
    pub const fn below(parent: Option<&'t Self>, step: &'t Step<'a>) -> Self {
        Self { parent, step }
    }

    /// The last step.
    pub const fn step(&self) -> &'t Step<'a> {
        self.step
    }

    /// The way without its last step.
    pub const fn parent(&self) -> Option<&'t Self> {
        self.parent
    }

    /// How many steps it has.
    pub fn depth(&self) -> usize {
        1 + self.parent.map_or(0, Trail::depth)
    }

    /// The whole way as a place of its own.
    pub fn location(&self) -> Location<'a> {
        let mut steps = Vec::new();
        let mut at = Some(self);
        while let Some(trail) = at {
            steps.push(trail.step.clone());
            at = trail.parent;
        }
        steps.reverse();
        Location(steps)
    }
}

fn write_steps<'s, 'a: 's>(
    f: &mut fmt::Formatter<'_>,
    steps: impl Iterator<Item = &'s Step<'a>>,
) -> fmt::Result {
    for (position, step) in steps.enumerate() {
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
    fn a_trail_is_the_same_place() {
        let (spec, containers, first) =
            (Step::key("spec"), Step::key("containers"), Step::Index(0));
        let spec = Trail::root(&spec);
        let containers = spec.then(&containers);
        assert_eq!(
            containers.then(&first).location().to_string(),
            "spec.containers[0]"
        );
    }
}
