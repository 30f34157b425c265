//! The live object beside the configuration that was last applied to it.
//!
//! `kubectl apply` keeps in an annotation what it applied. Where the object now says something else,
//! somebody changed it in the cluster, and the next apply changes it back.

use std::borrow::Cow;

use crate::json::scan::lookup;
use crate::json::{Scalar, Step, is_json, text_at};
use crate::kind::GroupKind;
use crate::workload::Object;

/// The annotation in which `kubectl apply` keeps what it applied.
pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The last applied configuration in the object's own `metadata`: none if there is none.
///
/// # Errors
///
/// What is wrong with it where it is no text.
pub(crate) fn last_applied(metadata: &str) -> Result<Option<Cow<'_, str>>, &'static str> {
    let way = [Step::key("annotations"), Step::key(LAST_APPLIED)];
    match lookup(metadata, &way).last().map(|raw| Scalar::of(raw)) {
        None | Some(Scalar::Null) => Ok(None),
        Some(Scalar::Text(text)) => Ok(Some(text)),
        Some(_) => Err("it is no string"),
    }
}

/// Reads a last applied configuration as the object that it is.
///
/// # Errors
///
/// Why it says nothing about this object.
pub(crate) fn read<'a>(
    text: &'a str,
    kind: &GroupKind<'_>,
    live: &Object<'_>,
) -> Result<Object<'a>, &'static str> {
    if !is_json(text) {
        return Err("it is not JSON");
    }
    let object = Object::read(text, kind).map_err(|_| "it is not JSON")?;
    let is_other = |path: &[Step<'_>], known: Option<Cow<'_, str>>| {
        let said = text_at(text, path);
        said.is_none() || said != known
    };
    let group = text_at(text, &[Step::key("apiVersion")]).map(|version| {
        let group = version.rsplit_once('/').map_or("", |(group, _)| group);
        group == kind.group
    });
    let metadata = |key| [Step::key("metadata"), Step::key(key)];
    let namespace = text_at(text, &metadata("namespace"));
    if group != Some(true)
        || is_other(&[Step::key("kind")], Some(Cow::Borrowed(&kind.kind)))
        || is_other(&metadata("name"), text_at(live.text, &metadata("name")))
        || (namespace.is_some() && namespace != text_at(live.text, &metadata("namespace")))
    {
        return Err("it is another object's");
    }
    Ok(object)
}

/// Whether somebody else than `kubectl` applied the object on the server, which leaves the
/// configuration in the annotation as it was.
pub(crate) fn is_history(metadata: &str) -> bool {
    let entries = lookup(metadata, &[Step::key("managedFields"), Step::Each]);
    entries.iter().any(|entry| {
        let says = |key| text_at(entry, &[Step::key(key)]);
        says("operation").as_deref() == Some("Apply")
            && says("manager").as_deref() != Some("kubectl")
            && says("subresource").is_none_or(|name| name.is_empty())
    })
}
