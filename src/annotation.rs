//! The rules about annotations, one a file.
//!
//! A rule looks at the annotations of one place, and where it compares, at those that were there
//! before. Where that stands in the object, whether it is new and what becomes of it is
//! [`policy`](crate::policy)'s business.
//!
//! # Spellings and values
//!
//! Rules about presence count a name in any of its spellings. Rules about values judge the
//! *effective* value: that of the first spelling, else of an older one, else the default.

mod allowed;
mod conflicting;
mod contradictions;
mod create_only;
mod criteria;
mod denied;
mod effective;
mod immutable;
mod item;
mod keep;
mod keep_any;
mod name;
mod object;
mod pattern;
mod reading;
mod required;
mod requires;
mod tools;
mod value;
mod values;

use std::borrow::Cow;

use crate::date::Date;
use crate::json::Position;
use crate::shown::quoted;
use crate::violation::{Action, Code, Fate};

pub(crate) use contradictions::find as find_contradictions;
pub use criteria::{Criteria, Criterion};
pub(crate) use item::read;
pub use item::{AnnotationItem, RULE_KEYS};
pub use name::{Name, NameList, Names};
pub(crate) use object::{Annotation, Annotations, at, of_jobs, of_object, of_templates_in};
pub use requires::{Requirement, Term, Wanted};
pub use tools::KEYS as TOOLS_KEYS;
pub use value::FieldRule;
pub(crate) use value::Fields;
pub(crate) use value::field_rule::FieldValue;
pub use value::{Check, Checks, Globs, JsonType, List, Range};
pub use values::ValueRule;

/// What an item of `annotations` asks for.
#[derive(Clone, Debug, Default)]
pub struct AnnotationRule<'a> {
    /// The name, as messages give it.
    pub name: Cow<'a, str>,
    /// Whose annotations.
    pub target: Target,
    /// What the names below are relative to.
    pub names: Names<'a>,
    /// Every one must be there.
    pub required: Vec<Name<'a>>,
    /// Of every group one must be there.
    pub require_any: Vec<Vec<Name<'a>>>,
    /// None may be there. Globs.
    pub denied: NameList<'a>,
    /// If there are any, no others may be there. Globs.
    pub allowed: NameList<'a>,
    /// What the values may be.
    pub values: Vec<ValueRule<'a>>,
    /// Of every group at most one may be there.
    pub conflicting: Vec<Vec<Name<'a>>>,
    /// What must hold where something else does.
    pub requires: Vec<Requirement<'a>>,
    /// May not be added, changed or removed later.
    pub immutable: Vec<Name<'a>>,
    /// May not be added or changed later.
    pub create_only: Vec<Name<'a>>,
    /// May not be removed later.
    pub keep: Vec<Name<'a>>,
    /// Of every group one may not be removed later.
    pub keep_any: Vec<Vec<Name<'a>>>,
    /// A criterion of Kubewarden's annotations policy.
    pub criteria: Option<Criteria<'a>>,
    /// What values of the object's own fields may be.
    pub fields: Vec<FieldRule<'a>>,
    /// What happens otherwise.
    pub action: RuleAction,
    /// What happens instead where one of its checks, by its key, is not met.
    pub actions: Vec<(&'static str, Action)>,
    /// When it begins to refuse and to remove; until then it warns.
    pub from: Option<Date<'a>>,
    /// What the user is told besides.
    pub message: Option<Cow<'a, str>>,
    /// What the user is told instead of that where one of its checks, by its key, is not met.
    pub messages: Vec<(&'static str, &'a str)>,
}

/// Whose annotations a rule is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// Those of the object, and of the Jobs that a `CronJob` makes.
    #[default]
    Object,
    /// Those of the Pods that it makes. A bare Pod is its own template.
    PodTemplate,
    /// Both.
    Both,
}

/// What happens to a request that breaks a rule about annotations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RuleAction {
    /// It is refused.
    #[default]
    Reject,
    /// It passes with a warning.
    Warn,
    /// The annotation is removed, where the rule names one that must not be there; all else is
    /// refused.
    Remove,
}

impl RuleAction {
    /// What happens where nothing can be removed.
    pub(crate) const fn otherwise(self) -> Action {
        match self {
            Self::Warn => Action::Warn,
            Self::Reject | Self::Remove => Action::Reject,
        }
    }
}

/// What a rule has against the annotations of a place.
pub(crate) struct Objection<'o> {
    pub(crate) code: Code,
    /// The key of the check that it comes of.
    pub(crate) part: &'static str,
    /// The annotation it is about, as its key is or would be written; none where it is about all.
    pub(crate) key: Option<Cow<'o, str>>,
    /// The annotation, where it is there.
    pub(crate) found: Option<&'o Annotation<'o>>,
    /// What is wrong, given what becomes of the request: asked for where it is told.
    pub(crate) problem: Box<dyn Fn(Fate) -> String + 'o>,
    /// What to do instead, where the rule does not say so itself; may be empty.
    pub(crate) advice: &'static str,
    /// What else makes it the same as one of the old object.
    pub(crate) facts: String,
    /// Those that are set together and must not be, each with its value, as hashes: all of them must have
    /// been there before for this to be the same as one of the old object.
    pub(crate) members: Vec<u64>,
    /// The annotations without which nothing would be wrong, by their position.
    pub(crate) removable: Vec<Position>,
}

impl<'o> Objection<'o> {
    /// Against an annotation that is there.
    fn found(
        code: Code,
        annotation: &'o Annotation<'o>,
        problem: impl Fn(Fate) -> String + 'o,
    ) -> Self {
        let key = Some(Cow::Borrowed(annotation.key));
        Self::new(code, key, Some(annotation), Box::new(problem))
    }

    /// Against the absence of an annotation.
    fn missing(code: Code, key: String, problem: impl Fn(Fate) -> String + 'o) -> Self {
        Self::new(code, Some(Cow::Owned(key)), None, Box::new(problem))
    }

    /// Against all annotations together.
    fn all(code: Code, problem: impl Fn(Fate) -> String + 'o) -> Self {
        Self::new(code, None, None, Box::new(problem))
    }

    #[inline(never)]
    fn new(
        code: Code,
        key: Option<Cow<'o, str>>,
        found: Option<&'o Annotation<'o>>,
        problem: Box<dyn Fn(Fate) -> String + 'o>,
    ) -> Self {
        Self {
            code,
            part: part_of(code),
            key,
            found,
            problem,
            advice: "",
            facts: String::new(),
            members: Vec::new(),
            removable: Vec::new(),
        }
    }

    /// Of another check than its code tells.
    fn of(mut self, part: &'static str) -> Self {
        self.part = part;
        self
    }

    /// With what to do instead.
    fn advising(mut self, advice: &'static str) -> Self {
        self.advice = advice;
        self
    }
}

/// The check that a code is of, where nothing else says so.
const fn part_of(code: Code) -> &'static str {
    match code {
        Code::AnnotationRequired => "required",
        Code::AnnotationDenied => "denied",
        Code::AnnotationNotAllowed => "allowed",
        Code::AnnotationConflicting => "conflicting",
        Code::AnnotationRequirement => "requires",
        Code::AnnotationImmutable => "immutable",
        Code::AnnotationCreateOnly => "createOnly",
        Code::AnnotationKeep => "keep",
        Code::FieldValueNotAllowed => "fields",
        _ => "values",
    }
}

/// Where a rule puts what it objects to.
type Sink<'s, 'o> = &'s mut dyn FnMut(Objection<'o>);

impl<'a> AnnotationRule<'a> {
    /// Holds the annotations of a place against what a rule says about an object as it is.
    pub(crate) fn check<'o>(
        &'o self,
        annotations: &'o Annotations<'o>,
        fields: &'o Fields<'_>,
        sink: Sink<'_, 'o>,
    ) {
        required::check(self, annotations, sink);
        denied::check(self, annotations, sink);
        allowed::check(self, annotations, sink);
        values::check(self, annotations, fields, sink);
        conflicting::check(self, annotations, sink);
        requires::check(self, annotations, fields, sink);
        criteria::check(self, annotations, sink);
    }

    /// Holds the annotations of a place against those that were there before.
    pub(crate) fn compare<'o>(
        &'o self,
        annotations: &'o Annotations<'o>,
        old: &'o Annotations<'o>,
        sink: Sink<'_, 'o>,
    ) {
        immutable::check(self, annotations, old, sink);
        create_only::check(self, annotations, old, sink);
        keep::check(self, annotations, old, sink);
        keep_any::check(self, annotations, old, sink);
    }

    /// Names as an object would have them.
    #[inline(never)]
    fn keys(&self, names: &[Name<'a>]) -> Vec<String> {
        names.iter().map(|name| self.names.key(*name)).collect()
    }

    /// Whether one of the annotations spells a name.
    #[inline(never)]
    fn has(&self, name: Name<'a>, annotations: &Annotations<'_>) -> bool {
        !annotations.spelled(&self.names, name).is_empty()
    }

    /// What happens where a check is not met, if the settings say so for this one.
    pub(crate) fn action_of(&self, part: &str) -> Option<Action> {
        let mut actions = self.actions.iter();
        actions
            .find(|(key, _)| *key == part)
            .map(|(_, action)| *action)
    }

    /// The strictest that happens where a check is not met.
    pub(crate) fn strictest(&self) -> Action {
        let rejects = |(_, action): &(&str, Action)| *action == Action::Reject;
        if self.actions.iter().any(rejects) {
            return Action::Reject;
        }
        self.action.otherwise()
    }

    /// What the user is told where a check is not met.
    pub(crate) fn message_of(&self, part: &str) -> Option<&str> {
        let own = self.messages.iter().find(|(key, _)| *key == part);
        own.map(|(_, message)| *message).or(self.message.as_deref())
    }

    /// Whether it compares with the old object.
    pub(crate) fn compares(&self) -> bool {
        !(self.immutable.is_empty()
            && self.create_only.is_empty()
            && self.keep.is_empty()
            && self.keep_any.is_empty())
    }

    /// The annotations that spell a name, whichever way.
    fn spelled<'o>(
        &'o self,
        name: Name<'a>,
        annotations: &'o Annotations<'o>,
    ) -> impl Iterator<Item = &'o Annotation<'o>> {
        let spelled = annotations.spelled(&self.names, name).into_iter();
        spelled.map(|(_, annotation)| annotation)
    }
}

fn texts(keys: &[String]) -> Vec<&str> {
    keys.iter().map(String::as_str).collect()
}

/// Names of annotations as a message gives them, with `word` between them.
fn listed(keys: &[String], word: &str) -> String {
    quoted(&texts(keys), word)
}
