//! The annotations of an object and of its pod templates.

use std::borrow::Cow;

use crate::json::scan::lookup;
use crate::json::{Kind, Location, Scalar, Step, kind_of, members, position};
use crate::kind::GroupKind;
use crate::shown::is_record;
use crate::workload::{Malformed, Object};

/// The annotations at one place of an object.
#[derive(Debug, Default)]
pub(crate) struct Annotations<'a> {
    /// What they annotate: the object itself, or a pod template.
    pub(crate) owner: Location<'a>,
    /// The pod template that they annotate; none where they annotate the object or a bare Pod.
    pub(crate) template: Option<Location<'a>>,
    /// The maps of annotations. There is one, or none; more where a key occurs twice.
    pub(crate) maps: Vec<&'a str>,
    /// The annotations in the order of the document, a repeated one as often as it was written.
    pub(crate) all: Vec<Annotation<'a>>,
    /// What has the wrong JSON type.
    pub(crate) malformed: Vec<Malformed<'a>>,
}

/// An annotation.
#[derive(Clone, Debug)]
pub(crate) struct Annotation<'a> {
    pub(crate) key: Cow<'a, str>,
    raw: &'a str,
}

impl<'a> Annotation<'a> {
    /// Where the value stands in the input, which tells this annotation from every other.
    pub(crate) fn position(&self) -> usize {
        position(self.raw)
    }

    /// The value; none where it is no string.
    pub(crate) fn value(&self) -> Option<Cow<'a, str>> {
        match Scalar::of(self.raw) {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value as a message may show it; none where it is no string, or holds the object as it was
    /// applied.
    pub(crate) fn shown(&self) -> Option<Cow<'a, str>> {
        self.value().filter(|_| !is_record(&self.key))
    }

    /// Whether the value is a string that is not empty.
    pub(crate) fn is_full(&self) -> bool {
        kind_of(self.raw) == Kind::Text && self.raw != "\"\""
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
            Some(map) => position(map),
            None => position(object.metadata.unwrap_or(object.text)),
        }
    }

    /// The values of an annotation as they were written, of which there is one at most; `None` where it
    /// or the map is repeated.
    pub(crate) fn values_of(&self, key: &str) -> Option<Vec<&'a str>> {
        let found = self.all.iter().filter(|annotation| annotation.key == key);
        let values: Vec<_> = found.map(|annotation| annotation.raw).collect();
        (self.maps.len() < 2 && values.len() < 2).then_some(values)
    }

    /// Reads the maps of annotations in `text`, `way` leading to them.
    fn read(&mut self, text: &'a str, way: &[Step<'a>]) {
        for map in lookup(text, way) {
            match kind_of(map) {
                Kind::Null => {}
                Kind::Map => {
                    self.maps.push(map);
                    for (key, raw) in members(map).unwrap_or_default() {
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
    }

    fn misfit(&mut self, raw: &'a str, place: Location<'a>, expected: Kind) {
        self.malformed.push(Malformed {
            raw,
            place,
            expected,
            found: kind_of(raw),
        });
    }
}

/// The annotations of an object, and those that it gives to Jobs.
pub(crate) fn of_object<'a>(object: &Object<'a>, kind: &GroupKind<'_>) -> Vec<Annotations<'a>> {
    let mut places = vec![own(object)];
    if kind.is_cron_job() {
        let jobs = Location(vec![Step::key("spec"), Step::key("jobTemplate")]);
        places.push(at(object, jobs));
    }
    places
}

/// The annotations of the pod templates in an object.
pub(crate) fn of_templates_in<'a>(object: &Object<'a>) -> Vec<Annotations<'a>> {
    let mut places = Vec::new();
    for template in &object.templates {
        let mut annotations = at(object, template.clone());
        annotations.template = Some(template.clone());
        places.push(annotations);
    }
    places
}

fn own<'a>(object: &Object<'a>) -> Annotations<'a> {
    let mut annotations = Annotations::default();
    match object.metadata {
        Some(metadata) if !object.is_metadata_repeated => {
            annotations.read(metadata, &[Step::key("annotations")]);
        }
        _ => annotations.read(object.text, annotations.place().steps()),
    }
    annotations
}

/// The annotations of what stands at a place in an object.
pub(crate) fn at<'a>(object: &Object<'a>, owner: Location<'a>) -> Annotations<'a> {
    if owner.steps().is_empty() {
        return own(object);
    }
    let mut annotations = Annotations {
        owner,
        ..Annotations::default()
    };
    annotations.read(object.text, annotations.place().steps());
    annotations
}
