//! The `match` of a rule: which requests the rule is about.

mod except;
mod read;
pub(crate) mod service_accounts;

use std::borrow::Cow;

use crate::glob;
use crate::hashing::Seen;
use crate::json::{FieldPath, Kind, Spot, Step, Value, each_at, lookup};
use crate::kind::{GroupKind, KindPattern};
use crate::request::{Operation, Request};
use crate::workload::Object;

pub(crate) use except::find_contradictions;
pub(crate) use read::{Purpose, condition, read, read_without_fields};

/// Conditions that must all hold; what is absent holds for every request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector<'a> {
    /// Globs over the request's namespace, else the object's.
    pub namespaces: Option<Vec<&'a str>>,
    /// The kinds.
    pub kinds: Option<Vec<KindPattern<'a>>>,
    /// Globs over the object's name, else over what its name will begin with.
    pub names: Option<Vec<&'a str>>,
    /// Globs over the operation.
    pub operations: Option<Vec<&'a str>>,
    /// Globs over the user name; never match where there is none.
    pub users: Option<Vec<&'a str>>,
    /// Globs over the user's groups; never match where there is no user name.
    pub groups: Option<Vec<&'a str>>,
    /// The object's own labels.
    pub labels: Vec<(&'a str, Condition<'a>)>,
    /// Fields of the object.
    pub fields: Vec<(FieldPath<'a>, Condition<'a>)>,
    /// Fields of the object as it was; never match where there is no old object.
    pub old_fields: Vec<(FieldPath<'a>, Condition<'a>)>,
    /// What is not matched, although the rest holds; has no exception of its own.
    pub except: Option<Box<Self>>,
}

/// What a label or field must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition<'a> {
    /// `null` or `"!*"`: not there. `kubectl apply` drops a `null` from what it makes, so that a policy that is
    /// installed needs the other spelling.
    Absent,
    /// `"*"`: there, and not empty.
    Present,
    /// A glob over its text. Numbers and booleans are compared in their JSON spelling.
    Like(&'a str),
}

impl<'a> Condition<'a> {
    /// The condition that a text in the settings is.
    pub(crate) fn of(text: &'a str) -> Self {
        match text {
            "*" => Self::Present,
            "!*" => Self::Absent,
            glob => Self::Like(glob),
        }
    }

    /// The condition as settings have it, where that is a text.
    pub(crate) const fn written(self) -> &'a str {
        match self {
            Self::Absent => "",
            Self::Present => "*",
            Self::Like(glob) => glob,
        }
    }

    /// Whether a text is so.
    pub(crate) fn is_met_by(self, text: &str) -> bool {
        match self {
            Self::Absent => false,
            Self::Present => !text.is_empty(),
            Self::Like(glob) => glob::matches(glob, text),
        }
    }

    fn holds(self, values: &[Value<'_>]) -> bool {
        let is_met = |value: &Value<'_>| match (self, value.kind()) {
            (Self::Absent, _) | (_, Kind::Null) | (Self::Like(_), Kind::List | Kind::Map) => false,
            (Self::Present, Kind::List | Kind::Map) => !value.is_empty(),
            (Self::Present, Kind::Text) => value.string() != Some(""),
            (Self::Present, Kind::Bool | Kind::Number) => true,
            (Self::Like(glob), _) => {
                glob::matches(glob, value.string().unwrap_or_else(|| value.text()))
            }
        };
        match self {
            Self::Absent => values.iter().all(|value| value.is_null()),
            _ => values.iter().any(is_met),
        }
    }
}

impl Selector<'_> {
    /// Whether the rule is about this request, judging `object`: the new object or the old one.
    ///
    /// Operation, user and old fields are the request's whichever object is judged.
    pub fn matches(&self, request: &Request<'_>, object: &Object<'_>) -> bool {
        self.matches_but_for_except(request, object, false)
            && !self.excepts(request, object, &[object], false)
    }

    /// As [`matches`](Self::matches), where nothing in doubt may count as matched: what the request does not show
    /// is taken to be in `except`.
    pub(crate) fn certainly_matches(&self, request: &Request<'_>, object: &Object<'_>) -> bool {
        self.matches_but_for_except(request, object, false)
            && !self.excepts(request, object, &[object], true)
    }

    /// As [`matches`](Self::matches), where a label that the request takes away, or one that it adds for an
    /// `except`, counts as it was.
    pub(crate) fn matches_by_labels_of(
        &self,
        request: &Request<'_>,
        object: &Object<'_>,
        old: &Object<'_>,
    ) -> bool {
        let has_labels = |selector: &Self| !selector.labels.is_empty();
        (has_labels(self) || self.except.as_deref().is_some_and(has_labels))
            && self.matches_but_for_labels(request, object, false)
            && (self.has_labels(object, false) || self.has_labels(old, false))
            && !self.excepts(request, object, &[object, old], false)
    }

    /// Whether `except` takes out an object, all of these having its labels. What cannot be told is as it is
    /// `in_doubt`.
    fn excepts(
        &self,
        request: &Request<'_>,
        object: &Object<'_>,
        labelled: &[&Object<'_>],
        in_doubt: bool,
    ) -> bool {
        self.except.as_ref().is_some_and(|except| {
            except.matches_but_for_labels(request, object, in_doubt)
                && labelled
                    .iter()
                    .all(|object| except.has_labels(object, in_doubt))
        })
    }

    fn matches_but_for_except(
        &self,
        request: &Request<'_>,
        object: &Object<'_>,
        in_doubt: bool,
    ) -> bool {
        self.matches_but_for_labels(request, object, in_doubt) && self.has_labels(object, in_doubt)
    }

    /// Whether the object has the labels.
    fn has_labels(&self, object: &Object<'_>, in_doubt: bool) -> bool {
        self.labels.iter().all(|(key, condition)| {
            let path = [Step::key("labels"), Step::key(key)];
            let metadata = object.metadata.unwrap_or(Value::NULL);
            holds(*condition, metadata, &path, in_doubt)
        })
    }

    /// As [`matches`](Self::matches), whatever labels the object has, and without `except`.
    fn matches_but_for_labels(
        &self,
        request: &Request<'_>,
        object: &Object<'_>,
        in_doubt: bool,
    ) -> bool {
        // What is created was not there before.
        let without_old = in_doubt && request.operation != Operation::Create;
        (self.old_fields.is_empty() || request.old_object.is_some() || without_old)
            && self.is_about(request, object, in_doubt)
            && self
                .fields
                .iter()
                .all(|(path, condition)| has_field(path, *condition, object, in_doubt))
            && self.old_fields.iter().all(|(path, condition)| {
                request
                    .old_object
                    .is_none_or(|old| holds(*condition, old, path.steps(), in_doubt))
            })
    }

    /// Whether only who asks, and the kind, namespace and name of the object decide.
    pub(crate) fn needs_no_object(&self) -> bool {
        self.operations.is_none()
            && !self.reads_the_object()
            && (self.except.as_deref()).is_none_or(Self::needs_no_object)
    }

    /// Whether what is in the object decides, or what was.
    fn reads_the_object(&self) -> bool {
        !(self.labels.is_empty() && self.fields.is_empty() && self.old_fields.is_empty())
    }

    /// Whether the rule would be about this request if labels and fields were what it wants.
    pub(crate) fn may_match(&self, request: &Request<'_>, object: &Object<'_>) -> bool {
        let is_excepted =
            |except: &Self| !except.reads_the_object() && except.is_about(request, object, false);
        self.is_about(request, object, false) && !self.except.as_deref().is_some_and(is_excepted)
    }

    /// Whether all holds but for labels, fields and `except`.
    fn is_about(&self, request: &Request<'_>, object: &Object<'_>, in_doubt: bool) -> bool {
        any_glob(self.operations.as_deref(), || {
            Some(Cow::Borrowed(request.operation.as_str()))
        }) && self
            .kinds
            .as_ref()
            .is_none_or(|kinds| kinds.iter().any(|kind| kind.matches(&request.kind)))
            && self.matches_user(request, in_doubt)
            && any_glob(self.namespaces.as_deref(), || namespace(request, object))
            && any_glob(self.names.as_deref(), || name(request, object))
    }

    fn matches_user(&self, request: &Request<'_>, in_doubt: bool) -> bool {
        if self.users.is_none() && self.groups.is_none() {
            return true;
        }
        let Some(user) = &request.user else {
            return in_doubt;
        };
        any_glob(self.users.as_deref(), || {
            Some(Cow::Borrowed(user.name.as_ref()))
        }) && self.groups.as_ref().is_none_or(|groups| {
            groups.iter().any(|pattern| {
                user.groups
                    .iter()
                    .any(|group| glob::matches(pattern, group))
            })
        })
    }
}

/// Whether a field of an object meets a condition.
fn has_field(
    path: &FieldPath<'_>,
    condition: Condition<'_>,
    object: &Object<'_>,
    in_doubt: bool,
) -> bool {
    let holder = match path.steps() {
        [Step::Key(first), ..] => object.holder(first),
        _ => object.value,
    };
    holds(condition, holder, path.steps(), in_doubt)
}

fn any_glob<'t>(patterns: Option<&[&str]>, text: impl FnOnce() -> Option<Cow<'t, str>>) -> bool {
    patterns.is_none_or(|patterns| {
        text().is_some_and(|text| patterns.iter().any(|pattern| glob::matches(pattern, &text)))
    })
}

/// Where the path leads to one place twice, by a repeated key, nobody knows which one counts: then the answer
/// is `in_doubt`.
fn holds(condition: Condition<'_>, value: Value<'_>, path: &[Step<'_>], in_doubt: bool) -> bool {
    let values = lookup(value, path);
    if values.len() < 2 {
        return condition.holds(&values);
    }
    let mut places = Seen::default();
    let mut is_repeated = false;
    each_at(value, path, &mut |spot, _| {
        is_repeated |= !places.insert(&spot.map(Spot::place));
    });
    if is_repeated {
        return in_doubt;
    }
    condition.holds(&values)
}

/// The namespace that a request is about.
pub(crate) fn namespace<'a>(request: &'a Request<'_>, object: &Object<'a>) -> Option<Cow<'a, str>> {
    // A Namespace is in the namespace that it names.
    if request.kind
        == (GroupKind {
            group: Cow::Borrowed(""),
            kind: Cow::Borrowed("Namespace"),
        })
    {
        return name(request, object);
    }
    request
        .namespace
        .as_deref()
        .map(Cow::Borrowed)
        .or_else(|| metadata_text(object, "namespace"))
}

fn name<'a>(request: &'a Request<'_>, object: &Object<'a>) -> Option<Cow<'a, str>> {
    metadata_text(object, "name")
        .or_else(|| request.name.as_deref().map(Cow::Borrowed))
        .or_else(|| metadata_text(object, "generateName"))
}

fn metadata_text<'a>(object: &Object<'a>, member: &str) -> Option<Cow<'a, str>> {
    let texts = object.metadata?.all(member).filter_map(Value::string);
    let mut texts = texts.filter(|text| !text.is_empty());
    texts.next().map(Cow::Borrowed)
}
