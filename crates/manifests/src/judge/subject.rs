//! An object with what it was before.

use rollout_guard::json::Location;
use rollout_guard::request::Operation;

use super::Judge;
use crate::manifest::{self, Document, Value};
use crate::object::{Asking, Object};

/// The documents of an object as it will be and as it was.
pub(super) struct Trees<'t> {
    new: Vec<Document<'t>>,
    pub(super) old: Vec<Document<'t>>,
}

impl<'t> Trees<'t> {
    pub(super) fn new(new: Option<&'t str>, old: &'t str) -> Self {
        Self {
            new: new.map(manifest::readable).unwrap_or_default(),
            old: manifest::readable(old),
        }
    }

    /// An object as it will be, where that is not what its manifest says.
    pub(super) fn object<'o>(&'o self, written: &Object<'o>) -> Option<Object<'o>> {
        let value = self.new.first()?.tree.root()?;
        Some(Object {
            value,
            ..written.clone()
        })
    }

    pub(super) fn old(&self) -> Option<Value<'_>> {
        self.old.first()?.tree.root()
    }
}

/// An object that is judged.
pub(super) struct Judged<'j> {
    pub(super) document: &'j Document<'j>,
    /// As the file has it: what has a place.
    pub(super) written: &'j Object<'j>,
    /// As it will be.
    pub(super) object: &'j Object<'j>,
    /// As it was.
    pub(super) old: Option<Value<'j>>,
}

impl Judged<'_> {
    pub(super) const fn operation(&self) -> Operation {
        match self.old {
            Some(_) => Operation::Update,
            None => Operation::Create,
        }
    }

    pub(super) fn write_request(&self, judge: &Judge<'_>, json: &mut String) {
        let asking = Asking {
            operation: self.operation(),
            namespace: judge.namespace,
            identity: &judge.identity,
            old: self.old.map(Value::json),
            field_manager: "",
        };
        self.object.write_request_as(&asking, json);
    }

    /// Whether a pod template is as it was, so that no new Pods come from it.
    pub(super) fn has_same(&self, template: &Location<'_>) -> bool {
        let read = |value: Option<Value<'_>>| {
            let value: Option<serde_json::Value> =
                serde_json::from_str(value?.at(template)?.json()).ok();
            value
        };
        let old = read(self.old);
        old.is_some() && old == read(Some(self.object.value))
    }
}
