//! The annotations of an object and of its pod templates.

use std::cell::{Cell, OnceCell};

use crate::hashing::{Index, Seen, hash_of};
use crate::json::{Kind, Location, Place, Position, Step, Value, lookup};
use crate::kind::GroupKind;
use crate::shown::{is_private, is_record};
use crate::violation::Action;
use crate::workload::{Malformed, Object};

use super::{Name, Names};

/// The annotations at one place of an object.
#[derive(Debug, Default)]
pub(crate) struct Annotations<'a> {
    /// What they annotate: the object itself, or a pod template.
    pub(crate) owner: Place<'a>,
    /// They annotate a pod template, and not the object or a bare Pod.
    pub(crate) is_template: bool,
    /// There is `metadata`.
    pub(crate) has_metadata: bool,
    /// There are annotations, be it of the wrong JSON type.
    pub(crate) has_map: bool,
    /// The maps of annotations. There is one, or none; more where a key occurs twice.
    pub(crate) maps: Vec<Value<'a>>,
    /// The annotations in the order of the document, a repeated one as often as it was written.
    pub(crate) all: Vec<Annotation<'a>>,
    /// Where in this list the annotations of a key are; made when it is asked for.
    by_key: OnceCell<Index>,
    /// What is no map of annotations, and stands where one belongs.
    no_maps: Vec<Value<'a>>,
    /// How much has the wrong JSON type.
    pub(crate) malformed: usize,
    /// What the strictest rule about them does with a request for that.
    pub(crate) strictest: Cell<Option<Action>>,
}

/// An annotation.
#[derive(Clone, Debug)]
pub(crate) struct Annotation<'a> {
    pub(crate) key: &'a str,
    raw: Value<'a>,
    /// It stands among an object's data.
    is_private: bool,
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

    /// The value as a message may show it; none where it is no string, stands among data, or holds the object
    /// as it was applied.
    pub(crate) fn shown(&self) -> Option<&'a str> {
        self.value()
            .filter(|_| !self.is_private && !is_record(self.key))
    }

    /// Whether the value is a string that is not empty.
    pub(crate) fn is_full(&self) -> bool {
        self.value().is_some_and(|value| !value.is_empty())
    }
}

impl<'a> Annotations<'a> {
    /// The place of the map of annotations.
    pub(crate) fn place(&self) -> Location<'a> {
        self.place_in_metadata().location()
    }

    fn place_in_metadata(&self) -> Place<'a> {
        let metadata = self.owner.below(Step::key("metadata"));
        metadata.below(Step::key("annotations"))
    }

    /// The annotations that spell a name, each with which spelling of it that is: looks at all of a few, and of many
    /// at those that have the keys.
    #[inline(never)]
    pub(crate) fn spelled<'o>(
        &'o self,
        names: &Names<'_>,
        name: Name<'_>,
    ) -> Vec<(usize, &'o Annotation<'a>)> {
        let mut spelled = Vec::new();
        let mut add = |annotation: &'o Annotation<'a>| {
            if let Some(rank) = names.spelling(name, annotation.key)
                && !(names.empty_is_absent && annotation.value() == Some(""))
            {
                spelled.push((rank, annotation));
            }
        };
        if self.all.len() <= Index::FEW {
            self.all.iter().for_each(add);
            return spelled;
        }
        let hash_at = |at| self.all.get(at).map(|it: &Annotation<'_>| hash_of(&it.key));
        let index = || Index::new(self.all.len(), &hash_at);
        let by_key = self.by_key.get_or_init(index);
        names.each_key(name, &mut |key| {
            let found = by_key.get(hash_of(key));
            found.filter_map(|at| self.all.get(at)).for_each(&mut add);
        });
        spelled
    }

    /// Where the first map stands in the input; where there is none, where the object does.
    pub(crate) fn position(&self, object: &Object<'_>) -> Position {
        let map = self.maps.first().copied();
        map.or(object.metadata).unwrap_or(object.value).position()
    }

    /// Reads the maps of annotations in a value, `way` leading to them.
    fn read(&mut self, value: Value<'a>, way: &[Step<'a>]) {
        let first = self.owner.first().and_then(Step::as_key);
        let is_private = first.is_some_and(is_private);
        for map in lookup(value, way) {
            self.has_map = true;
            match map.kind() {
                Kind::Null => {}
                Kind::Map => {
                    self.maps.push(map);
                    for (key, raw) in map.members() {
                        let key = key.text();
                        self.malformed += usize::from(raw.kind() != Kind::Text);
                        self.all.push(Annotation {
                            key,
                            raw,
                            is_private,
                        });
                    }
                }
                _ => {
                    self.malformed += 1;
                    self.no_maps.push(map);
                }
            }
        }
    }

    /// Hands over all that has the wrong JSON type.
    pub(crate) fn each_malformed(&self, sink: &mut dyn FnMut(&Malformed<'a>)) {
        let map = self.place_in_metadata();
        let mut add = |raw: Value<'a>, place, expected| {
            sink(&Malformed {
                raw,
                place,
                expected,
                found: raw.kind(),
            });
        };
        for raw in &self.no_maps {
            add(*raw, map.clone(), Kind::Map);
        }
        for annotation in &self.all {
            if annotation.raw.kind() != Kind::Text {
                let place = map.below(Step::key(annotation.key));
                add(annotation.raw, place, Kind::Text);
            }
        }
    }
}

/// The annotations of an object, and those that it gives to Jobs.
pub(crate) fn of_object<'a>(object: &Object<'a>, kind: &GroupKind<'_>) -> Vec<Annotations<'a>> {
    let mut places = vec![own(object)];
    if kind.is_cron_job() {
        places.push(at(object, &of_jobs()));
    }
    places
}

/// The place of what a `CronJob` makes Jobs of.
pub(crate) fn of_jobs<'a>() -> Place<'a> {
    let spec = Place::default().below(Step::key("spec"));
    spec.below(Step::key("jobTemplate"))
}

/// The annotations of the pod templates in an object.
pub(crate) fn of_templates_in<'a>(object: &Object<'a>) -> Vec<Annotations<'a>> {
    // Repeated keys lead to one place more than once, and all that stands there is read at once.
    let mut seen = Seen::default();
    let is_first = |template: &&Place<'_>| object.templates.len() < 2 || seen.insert(*template);
    let templates = object.templates.iter().filter(is_first);
    let annotations = templates.map(|template| Annotations {
        is_template: true,
        ..at(object, template)
    });
    annotations.collect()
}

fn own<'a>(object: &Object<'a>) -> Annotations<'a> {
    let mut annotations = Annotations {
        has_metadata: object.metadata.is_some(),
        ..Annotations::default()
    };
    match object.metadata {
        Some(metadata) if !object.is_metadata_repeated => {
            annotations.read(metadata, &[Step::key("annotations")]);
        }
        _ => annotations.read(object.value, annotations.place().steps()),
    }
    annotations
}

/// The annotations of what stands at a place in an object: the object itself, or what runs containers
/// or makes Jobs.
pub(crate) fn at<'a>(object: &Object<'a>, owner: &Place<'a>) -> Annotations<'a> {
    if owner.step().is_none() {
        return own(object);
    }
    let mut annotations = Annotations {
        owner: owner.clone(),
        ..Annotations::default()
    };
    for metadata in object.marked(&owner.below(Step::key("metadata"))) {
        annotations.has_metadata = true;
        annotations.read(metadata, &[Step::key("annotations")]);
    }
    annotations
}
