//! The annotations of an object and of its pod templates.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::json::{Kind, Location, Scalar, Step, find, kind_of, members, position};
use crate::kind::GroupKind;
use crate::workload::{Malformed, Object};

/// The annotations at one place of an object.
#[derive(Debug, Default)]
pub(crate) struct Annotations<'a> {
    /// What they annotate: the object itself, or a pod template.
    pub(crate) owner: Location<'a>,
    /// The pod template that they annotate; none where they annotate the object or a bare Pod.
    pub(crate) template: Option<Location<'a>>,
    /// The maps of annotations. There is one, or none; more where a key occurs twice.
    pub(crate) maps: Vec<&'a RawValue>,
    /// The annotations in the order of the document, a repeated one as often as it was written.
    pub(crate) all: Vec<Annotation<'a>>,
    /// What has the wrong JSON type.
    pub(crate) malformed: Vec<Malformed<'a>>,
}

/// An annotation.
#[derive(Debug)]
pub(crate) struct Annotation<'a> {
    pub(crate) key: Cow<'a, str>,
    raw: &'a RawValue,
}

impl<'a> Annotation<'a> {
    /// Where the value stands in the input, which tells this annotation from every other.
    pub(crate) fn position(&self) -> usize {
        position(self.raw.get())
    }

    /// The value; none where it is no string.
    pub(crate) fn value(&self) -> Option<Cow<'a, str>> {
        match Scalar::of(self.raw) {
            Scalar::Text(text) => Some(text),
            // A string with half of a surrogate pair, which no rule can name.
            Scalar::Literal(text) if kind_of(self.raw) == Kind::Text => Some(Cow::Borrowed(text)),
            _ => None,
        }
    }

    /// Whether the value is a string that is not empty.
    pub(crate) fn is_full(&self) -> bool {
        kind_of(self.raw) == Kind::Text && self.raw.get() != "\"\""
    }
}

impl<'a> Annotations<'a> {
    /// The place of the map of annotations.
    pub(crate) fn place(&self) -> Location<'a> {
        let mut place = self.owner.clone();
        place
            .0
            .extend([Step::key("metadata"), Step::key("annotations")]);
        place
    }

    /// Where the first map stands in the input; where there is none, where the object does.
    pub(crate) fn position(&self, object: &Object<'_>) -> usize {
        match self.maps.first() {
            Some(map) => position(map.get()),
            None => position(object.metadata.unwrap_or(object.text)),
        }
    }

    /// Reads the maps of annotations in `text`, `way` leading to them.
    fn read(&mut self, text: &'a str, way: &[Step<'a>]) -> Result<(), serde_json::Error> {
        for (_, map) in find(text, way)? {
            match kind_of(map) {
                Kind::Null => {}
                Kind::Map => {
                    self.maps.push(map);
                    for (key, raw) in members(map.get())? {
                        let found = kind_of(raw);
                        if found != Kind::Text {
                            let mut place = self.place();
                            place.0.push(Step::Key(key.clone()));
                            self.misfit(raw, place, Kind::Text);
                        }
                        self.all.push(Annotation { key, raw });
                    }
                }
                _ => {
                    let place = self.place();
                    self.misfit(map, place, Kind::Map);
                }
            }
        }
        Ok(())
    }

    fn misfit(&mut self, raw: &RawValue, place: Location<'a>, expected: Kind) {
        self.malformed.push(Malformed {
            position: position(raw.get()),
            place,
            expected,
            found: kind_of(raw),
        });
    }
}

/// The annotations of an object, and those that it gives to Jobs.
///
/// # Errors
///
/// Where a key is no text.
pub(crate) fn of_object<'a>(
    object: &Object<'a>,
    kind: &GroupKind<'_>,
) -> Result<Vec<Annotations<'a>>, serde_json::Error> {
    let mut places = vec![own(object)?];
    if kind.is_cron_job() {
        let jobs = Location(vec![Step::key("spec"), Step::key("jobTemplate")]);
        places.push(at(object, jobs)?);
    }
    Ok(places)
}

/// The annotations of the pod templates in an object.
///
/// # Errors
///
/// As [`of_object`].
pub(crate) fn of_templates_in<'a>(
    object: &Object<'a>,
) -> Result<Vec<Annotations<'a>>, serde_json::Error> {
    let mut places = Vec::new();
    for template in &object.templates {
        let mut annotations = at(object, template.clone())?;
        annotations.template = Some(template.clone());
        places.push(annotations);
    }
    Ok(places)
}

fn own<'a>(object: &Object<'a>) -> Result<Annotations<'a>, serde_json::Error> {
    let mut annotations = Annotations::default();
    match object.metadata {
        Some(metadata) if !object.is_metadata_repeated => {
            annotations.read(metadata, &[Step::key("annotations")])?;
        }
        _ => annotations.read(object.text, annotations.place().steps())?,
    }
    Ok(annotations)
}

/// The annotations of what stands at a place in an object.
pub(crate) fn at<'a>(
    object: &Object<'a>,
    owner: Location<'a>,
) -> Result<Annotations<'a>, serde_json::Error> {
    if owner.steps().is_empty() {
        return own(object);
    }
    let mut annotations = Annotations {
        owner,
        ..Annotations::default()
    };
    annotations.read(object.text, annotations.place().steps())?;
    Ok(annotations)
}
