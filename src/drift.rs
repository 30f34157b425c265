//! The live object beside the configuration that was last applied to it.
//!
//! `kubectl apply` keeps in an annotation what it applied. Where the object now says something else,
//! somebody changed it in the cluster, and the next apply changes it back.

use crate::json::{Document, Location, Step, Value, lookup, text_at};
use crate::kind::GroupKind;
use crate::shown::Shown;
use crate::violation::{Advice, Code, NamedValue, Violation};
use crate::workload::Object;

/// The annotation in which `kubectl apply` keeps what it applied.
pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The last applied configuration in the object's own `metadata`: none if there is none.
///
/// # Errors
///
/// What is wrong with it where it is no text.
pub(crate) fn last_applied(metadata: Value<'_>) -> Result<Option<&str>, &'static str> {
    let way = [Step::key("annotations"), Step::key(LAST_APPLIED)];
    match lookup(metadata, &way).last().filter(|raw| !raw.is_null()) {
        None => Ok(None),
        Some(raw) => raw.string().map(Some).ok_or("it is no string"),
    }
}

/// Reads a last applied configuration as the object that it is.
///
/// # Errors
///
/// Why it says nothing about this object.
pub(crate) fn read<'a>(
    applied: &'a Document<'a>,
    kind: &GroupKind<'_>,
    live: &Object<'_>,
) -> Result<Object<'a>, &'static str> {
    let applied = applied.root();
    let object = Object::read(applied, kind).map_err(|_| "it is not JSON")?;
    let is_other = |path: &[Step<'_>], known: Option<&str>| {
        let said = text_at(applied, path);
        said.is_none() || said != known
    };
    let group = text_at(applied, &[Step::key("apiVersion")]).map(|version| {
        let group = version.rsplit_once('/').map_or("", |(group, _)| group);
        group == kind.group
    });
    let metadata = |key| [Step::key("metadata"), Step::key(key)];
    let namespace = text_at(applied, &metadata("namespace"));
    if group != Some(true)
        || is_other(&[Step::key("kind")], Some(&kind.kind))
        || is_other(&metadata("name"), text_at(live.value, &metadata("name")))
        || (namespace.is_some() && namespace != text_at(live.value, &metadata("namespace")))
    {
        return Err("it is another object's");
    }
    Ok(object)
}

/// Whether somebody else than `kubectl` applied the object on the server, which leaves the
/// configuration in the annotation as it was.
pub(crate) fn is_history(metadata: Value<'_>) -> bool {
    let entries = lookup(metadata, &[Step::key("managedFields"), Step::Each]);
    entries.iter().any(|entry| {
        let says = |key| entry.get(key).and_then(Value::string);
        says("operation") == Some("Apply")
            && says("manager") != Some("kubectl")
            && says("subresource").is_none_or(str::is_empty)
    })
}

/// A value that is not as it was applied last.
pub(crate) struct Drifted<'d> {
    pub(crate) noun: &'static str,
    /// Whether a message may show it.
    pub(crate) is_shown: bool,
    pub(crate) was: &'d str,
    /// `None` if it is gone.
    pub(crate) now: Option<&'d str>,
}

impl Drifted<'_> {
    pub(crate) fn violation(&self, code: Code, place: String) -> Violation {
        let problem = match self.now {
            Some(_) if self.is_shown => format!("`{}` was applied last", Shown(self.was)),
            Some(_) => "another one was applied last".to_owned(),
            None => "it was applied last and is gone".to_owned(),
        };
        let advice = "change it in Git, or the next apply changes it back".to_owned();
        Violation {
            value: Some(if self.is_shown {
                NamedValue::shown(self.noun, self.now.unwrap_or(self.was))
            } else {
                NamedValue::hidden(self.noun)
            }),
            advice: Some(Advice::Instead(advice)),
            ..Violation::new(code, place, problem)
        }
    }
}

/// The last applied configuration says nothing about this object.
pub(crate) fn unreadable(problem: &str) -> Violation {
    let path = [
        Step::key("metadata"),
        Step::key("annotations"),
        Step::key(LAST_APPLIED),
    ];
    let path = Location(path.to_vec());
    let problem = format!("{problem}, so drift cannot be checked");
    let place = path.to_string();
    Violation {
        path,
        advice: Some(Advice::Instead("apply the object again".to_owned())),
        ..Violation::new(Code::LastAppliedUnreadable, place, problem)
    }
}
