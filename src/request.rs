//! The admission request, as far as this policy reads it, borrowed from the payload.
//!
//! Source of the fields: `k8s.io/api/admission/v1`. Kubewarden's hosts write them in camelCase; the
//! spelling in `snake_case` of its SDK is read as well.

mod read;

use std::borrow::Cow;

use crate::json::{Document, Mistake, Value};
use crate::kind::GroupKind;
use crate::shown::Escaped;
use crate::workload::Object;

pub use read::Payload;

/// What the request wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A new object.
    Create,
    /// A change to an object, or a write through a sub-resource.
    Update,
    /// An object goes.
    Delete,
    /// A connection to an object, as `kubectl exec` makes.
    Connect,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 4] = [Self::Create, Self::Update, Self::Delete, Self::Connect];

    /// The operation as requests spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User<'a> {
    /// The user name, never empty.
    pub name: Cow<'a, str>,
    /// The groups of the user.
    pub groups: Vec<Cow<'a, str>>,
}

/// An admission request.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// What it wants to do.
    pub operation: Operation,
    /// The kind of the object. Never the plural resource: the audit scanner writes the kind there.
    pub kind: GroupKind<'a>,
    /// The sub-resource, if the write goes through one.
    pub sub_resource: Option<Cow<'a, str>>,
    /// The name in the request; none while the API server has yet to make one.
    pub name: Option<Cow<'a, str>>,
    /// The namespace of the request.
    pub namespace: Option<Cow<'a, str>>,
    /// Who asks; none in the audit scanner's requests.
    pub user: Option<User<'a>>,
    /// What the client calls itself, in the options of the request.
    pub field_manager: Option<Cow<'a, str>>,
    /// The object; none on DELETE.
    pub object: Option<Object<'a>>,
    /// The object as it was; none on CREATE.
    pub(crate) old_object: Option<Value<'a>>,
    /// There is no image in the object, nor one that was there before. Told only of requests that are written as
    /// hosts write them.
    pub(crate) runs_nothing: bool,
}

/// Why a request cannot be judged: the place in the request, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError {
    pub(crate) place: &'static str,
    pub(crate) problem: String,
}

impl RequestError {
    pub(crate) fn new(place: &'static str, problem: impl Into<String>) -> Self {
        Self::escaped(place, &problem.into())
    }

    fn escaped(place: &'static str, problem: &str) -> Self {
        Self {
            place,
            problem: Escaped(problem).to_string(),
        }
    }
}

impl From<Mistake> for RequestError {
    fn from(_: Mistake) -> Self {
        Self::new("request", "not JSON")
    }
}

impl<'a> Request<'a> {
    /// Whether it writes an object through its sub-resource `status`.
    pub(crate) fn is_through_status(&self) -> bool {
        self.operation == Operation::Update && self.sub_resource.as_deref() == Some("status")
    }

    /// Reads a bare admission request.
    ///
    /// # Errors
    ///
    /// Where it cannot be judged.
    pub fn read(value: Value<'a>) -> Result<Self, RequestError> {
        read::request(value)
    }

    /// As [`read`](Self::read), of a text that should be JSON.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read), and that it is none.
    pub fn of(document: &'a Result<Document<'a>, Mistake>) -> Result<Self, RequestError> {
        match document {
            Ok(document) => Self::read(document.root()),
            Err(mistake) => Err((*mistake).into()),
        }
    }
}
