//! An object and what it was.

use std::cell::OnceCell;

use crate::annotation::of_jobs;
use crate::hashing::Seen;
use crate::json::{Key, Place, Step, Value};
use crate::request::Request;
use crate::workload::{ImageField, Object};

use super::controllers::unties_owners;
use super::difference::{Change, Differences, is_owner, zip};
use super::guard::is_annotation_or_label;
use super::{ChangeRule, Guard, entries, images, owners};

/// The object of an UPDATE beside the one before, each opened as far as a guard needs.
pub(crate) struct Compared<'p, 'a> {
    request: &'p Request<'a>,
    new: &'p Object<'a>,
    old: &'p Object<'a>,
    is_body_changed: bool,
    has_image_paths: bool,
    templates: OnceCell<Vec<(Place<'a>, Change<'a>)>>,
}

impl<'p, 'a> Compared<'p, 'a> {
    /// Both objects, each with its images: `has_image_paths`, the settings know more than their shape shows.
    pub(crate) fn new(
        request: &'p Request<'a>,
        new: &'p Object<'a>,
        old: &'p Object<'a>,
        has_image_paths: bool,
    ) -> Self {
        Self {
            request,
            new,
            // Nothing else counts of what goes through `status`.
            is_body_changed: !request.is_through_status() && is_body_changed(old, new),
            has_image_paths: !request.is_through_status() && has_image_paths,
            old,
            templates: OnceCell::new(),
        }
    }

    /// The `metadata` of pod templates, and of the Jobs of a `CronJob`, each with its place.
    fn templates(&self) -> &[(Place<'a>, Change<'a>)] {
        if let Some(templates) = self.templates.get() {
            return templates;
        }
        let mut templates = Vec::new();
        if self.is_body_changed {
            let jobs = self.request.kind.is_cron_job().then(of_jobs);
            let all = self.new.templates.iter().chain(&self.old.templates);
            let mut seen = Seen::default();
            for place in jobs.iter().chain(all) {
                if !seen.insert(place) {
                    continue;
                }
                let metadata = place.below(Step::key("metadata"));
                for change in self.marked(&metadata) {
                    templates.push((metadata.clone(), change));
                }
            }
        }
        self.templates.get_or_init(|| templates)
    }

    /// What is at a place now and what was there, for places that the walks over both objects note.
    fn marked(&self, place: &Place<'_>) -> Vec<Change<'a>> {
        zip(&self.old.marked(place), &self.new.marked(place))
    }

    /// Compares what a path leads to.
    fn field(&self, path: &[Step<'_>], differences: &mut Differences) {
        if let Some((Step::Key(key), rest)) = path.split_first() {
            for change in self.member(key) {
                differences.below(&[Step::key(key)], &mut |this| this.along(change, rest));
            }
        }
    }

    /// What differs of what a rule guards, at most so much of it. Images that are not written alike are equal if `comes_to_the_same`
    /// says so of what one was and is.
    pub(crate) fn differences(
        &self,
        rule: &ChangeRule<'_>,
        most: usize,
        comes_to_the_same: &dyn Fn(&ImageField<'_>, &ImageField<'_>) -> bool,
    ) -> Differences {
        let mut differences =
            Differences::new(rule.guards.len() > 1, most).without(self.left_out());
        for guard in &rule.guards {
            match guard {
                Guard::Images => {
                    // A path of the settings may lead anywhere.
                    if self.is_body_changed || self.has_image_paths {
                        images::compare(self.old, self.new, comes_to_the_same, &mut |was, is| {
                            images::note(was, is, &mut differences);
                        });
                    }
                }
                Guard::Annotations(glob) => self.entries("annotations", glob, &mut differences),
                Guard::Labels(glob) => self.entries("labels", glob, &mut differences),
                Guard::Field(path) => self.field(path.steps(), &mut differences),
            }
        }
        if rule.guard_delete {
            for change in self.member("metadata") {
                owners::compare(change, &mut differences);
            }
        }
        differences
    }

    /// Compares the annotations or labels that a glob matches.
    fn entries(&self, map: &str, glob: &str, differences: &mut Differences) {
        let own = self.member("metadata");
        entries::compare(&own, self.templates(), map, glob, differences);
    }

    /// Where nothing that differs counts.
    fn left_out(&self) -> Option<fn(&[Step<'_>]) -> bool> {
        if self.request.is_through_status() {
            return Some(|place| !is_annotation_or_label(place));
        }
        let unties = self.request.user.as_ref().is_some_and(unties_owners);
        unties.then_some(is_owner)
    }

    /// A member of the object and what it was; more than one where its key is repeated.
    fn member(&self, key: &str) -> Vec<Change<'a>> {
        let members = |object: &Object<'a>| object.holder(key).all(key).collect::<Vec<_>>();
        zip(&members(self.old), &members(self.new))
    }
}

/// Whether anything but `metadata` and `status` is written differently.
fn is_body_changed(was: &Object<'_>, is: &Object<'_>) -> bool {
    let (mut was, mut is) = (body(was.value), body(is.value));
    loop {
        match (was.next(), is.next()) {
            (None, None) => return false,
            (Some((key, before)), Some((other, now)))
                if other.is(key.text()) && before.is_written_as(now) => {}
            _ => return true,
        }
    }
}

fn body(object: Value<'_>) -> impl Iterator<Item = (Key<'_>, Value<'_>)> {
    let members = object.members();
    members.filter(|(key, _)| !key.is("metadata") && !key.is("status"))
}
