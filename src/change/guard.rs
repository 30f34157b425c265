//! What of an object a rule guards.

use crate::json::{FieldPath, Step};

/// A guarded part of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard<'a> {
    /// `images`: every image, by the name of its container or volume, as it will run.
    Images,
    /// `annotations:<glob>`: of the object and of its pod templates.
    Annotations(&'a str),
    /// `labels:<glob>`: of the object and of its pod templates.
    Labels(&'a str),
    /// A field, and what is below it; `spec` is one.
    Field(FieldPath<'a>),
}

/// What the objects of Kubernetes' own kinds hold beside `apiVersion`, `kind`, `metadata` and
/// `status`.
///
/// Source: `k8s.io/api`, all groups.
const MEMBERS: [&str; 39] = [
    "spec",
    "data",
    "binaryData",
    "stringData",
    "immutable",
    "type",
    "secrets",
    "imagePullSecrets",
    "automountServiceAccountToken",
    "template",
    "subsets",
    "revision",
    "rules",
    "aggregationRule",
    "subjects",
    "roleRef",
    "webhooks",
    "provisioner",
    "parameters",
    "reclaimPolicy",
    "mountOptions",
    "allowVolumeExpansion",
    "volumeBindingMode",
    "allowedTopologies",
    "driverName",
    "nodeTopology",
    "storageClassName",
    "capacity",
    "maximumVolumeSize",
    "value",
    "globalDefault",
    "description",
    "preemptionPolicy",
    "handler",
    "overhead",
    "scheduling",
    "addressType",
    "endpoints",
    "ports",
];

/// Members of `metadata` that the API server sets once or lets nobody change.
///
/// Source: `ValidateObjectMetaUpdate` in `k8s.io/apimachinery/pkg/api/validation/objectmeta.go`.
const FIXED: [&str; 6] = [
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

/// Members of `metadata` that the API server writes, whatever the request changes.
const WRITTEN: [&str; 3] = ["managedFields", "resourceVersion", "generation"];

impl<'a> Guard<'a> {
    /// Whether it is about annotations or labels of the object, which a write through `status` changes as well.
    pub(crate) fn is_about_metadata(&self) -> bool {
        match self {
            Self::Images => false,
            Self::Annotations(_) | Self::Labels(_) => true,
            Self::Field(path) => is_annotation_or_label(path.steps()),
        }
    }

    /// Reads an item of `guard`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and what to write instead. `suggest` finds the word that was meant.
    pub fn parse(text: &'a str, suggest: &dyn Fn(&str, &[&str]) -> String) -> Result<Self, String> {
        if let Some((kind, glob)) = text.split_once(':')
            && matches!(kind, "annotations" | "labels")
        {
            return match (kind, glob) {
                (_, "") => Err(format!("expected a glob after `:`, as in `{kind}:*`")),
                ("labels", glob) => Ok(Self::Labels(glob)),
                (_, glob) => Ok(Self::Annotations(glob)),
            };
        }
        if text == "images" {
            return Ok(Self::Images);
        }
        if text.contains(':') && !text.contains('[') {
            return Err("expected `annotations` or `labels` before `:`".to_owned());
        }
        let path = FieldPath::parse(text).map_err(|error| error.to_string())?;
        match path.steps() {
            [Step::Each, ..] => Err("an object is no list".to_owned()),
            [Step::Key(first), rest @ ..] => match (first.as_ref(), rest) {
                ("status", _) => Err(
                    "`status` is written through a sub-resource, which no rule judges".to_owned(),
                ),
                ("apiVersion" | "kind", _) => Err("no request can change it".to_owned()),
                ("metadata", []) => Err(
                    "the API server writes `metadata` with every request, write `annotations:*`, `labels:*` or `metadata.ownerReferences`".to_owned(),
                ),
                ("metadata", [Step::Key(member), ..]) if FIXED.contains(&member.as_ref()) => {
                    Err("no request can change it".to_owned())
                }
                ("metadata", [Step::Key(member), ..]) if WRITTEN.contains(&member.as_ref()) => {
                    Err("the API server writes it with every request".to_owned())
                }
                ("annotations" | "labels", []) => {
                    Err(format!("write `{first}:*` for all, or a glob over the keys"))
                }
                // In brackets, a word is what its author says it is.
                (word, []) if !text.starts_with('[') && !MEMBERS.contains(&word) => {
                    let mut known = vec!["images"];
                    known.extend(MEMBERS);
                    Err(format!(
                        "is neither `images` nor a top-level field of Kubernetes' own kinds (for a custom kind's own, write `[\"{word}\"]`){}",
                        suggest(word, &known)
                    ))
                }
                _ => Ok(Self::Field(path)),
            },
            _ => Err("expected a field".to_owned()),
        }
    }
}

/// Whether a path leads to the object's own annotations or labels.
pub(super) fn is_annotation_or_label(path: &[Step<'_>]) -> bool {
    matches!(path, [Step::Key(metadata), Step::Key(map), ..]
        if metadata == "metadata" && matches!(map.as_ref(), "annotations" | "labels"))
}
