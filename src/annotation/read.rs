//! The annotations of an object and of its pod templates.

use crate::json::{Kind, Location, Position, Step, Value, lookup};
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
    pub(crate) maps: Vec<Value<'a>>,
    /// The annotations in the order of the document, a repeated one as often as it was written.
    pub(crate) all: Vec<Annotation<'a>>,
    /// What has the wrong JSON type.
    pub(crate) malformed: Vec<Malformed<'a>>,
}

/// An annotation.
#[derive(Clone, Debug)]
pub(crate) struct Annotation<'a> {
    pub(crate) key: &'a str,
    raw: Value<'a>,
}

impl<'a> Annotation<'a> {
    /// Where the value stands in the input, which tells this annotation from every other.
    pub(crate) fn position(&self) -> Position {
        self.raw.position()
    }

    /// The value; none where it is no string.
    pub(crate) fn value(&self) -> Option<&'a str> {
        self.raw.string()
    }

    /// The value as a message may show it; none where it is no string, or holds the object as it was
    /// applied.
    pub(crate) fn shown(&self) -> Option<&'a str> {
        self.value().filter(|_| !is_record(self.key))
    }

    /// Whether the value is a string that is not empty.
    pub(crate) fn is_full(&self) -> bool {
        self.value().is_some_and(|value| !value.is_empty())
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
    pub(crate) fn position(&self, object: &Object<'_>) -> Position {
        let map = self.maps.first().copied();
        map.or(object.metadata).unwrap_or(object.value).position()
    }

    /// The values of an annotation as they were written, of which there is one at most; `None` where it
    /// or the map is repeated.
    pub(crate) fn values_of(&self, key: &str) -> Option<Vec<Value<'a>>> {
        let found = self.all.iter().filter(|annotation| annotation.key == key);
        let values: Vec<_> = found.map(|annotation| annotation.raw).collect();
        (self.maps.len() < 2 && values.len() < 2).then_some(values)
    }

    /// Reads the maps of annotations in a value, `way` leading to them.
    fn read(&mut self, value: Value<'a>, way: &[Step<'a>]) {
        for map in lookup(value, way) {
            match map.kind() {
                Kind::Null => {}
                Kind::Map => {
                    self.maps.push(map);
                    for (key, raw) in map.members() {
                        let key = key.text();
                        if raw.kind() != Kind::Text {
                            let mut place = self.place();
                            place.0.push(Step::key(key));
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

    fn misfit(&mut self, raw: Value<'a>, place: Location<'a>, expected: Kind) {
        self.malformed.push(Malformed {
            raw,
            place,
            expected,
            found: raw.kind(),
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
        _ => annotations.read(object.value, annotations.place().steps()),
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
    annotations.read(object.value, annotations.place().steps());
    annotations
}
