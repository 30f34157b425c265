//! An object and what it was.

use std::cell::OnceCell;

use serde_json::value::RawValue;

use crate::json::{Member, Step, members};
use crate::request::{Request, RequestError};
use crate::workload::{self, ImagePath, Object};

use super::difference::{Change, Difference, Differences, zip};
use super::{ChangeRule, Guard, entries, images, owners};

/// The object of an UPDATE beside the one before, each opened as far as a guard needs.
pub(crate) struct Compared<'p, 'a> {
    request: &'p Request<'a>,
    new: &'p Object<'a>,
    old_text: &'a str,
    image_paths: &'p [ImagePath<'p>],
    was: Vec<Member<'a>>,
    is: Vec<Member<'a>>,
    old: OnceCell<Object<'a>>,
}

impl<'p, 'a> Compared<'p, 'a> {
    /// Opens both objects. The images at `image_paths` must be among those of the new one already.
    pub(crate) fn read(
        request: &'p Request<'a>,
        new: &'p Object<'a>,
        old_text: &'a str,
        image_paths: &'p [ImagePath<'p>],
    ) -> Result<Self, RequestError> {
        Ok(Self {
            request,
            new,
            old_text,
            image_paths,
            was: members(old_text).map_err(|error| unreadable(&error))?,
            is: members(new.text)
                .map_err(|error| RequestError::unreadable("request.object", &error))?,
            old: OnceCell::new(),
        })
    }

    /// The object before, with its images.
    pub(crate) fn old(&self) -> Result<&Object<'a>, RequestError> {
        if let Some(old) = self.old.get() {
            return Ok(old);
        }
        let mut old =
            Object::read(self.old_text, &self.request.kind).map_err(|error| unreadable(&error))?;
        workload::add_images(self.image_paths, &mut old, &self.request.kind)
            .map_err(|error| unreadable(&error))?;
        Ok(self.old.get_or_init(|| old))
    }

    /// Whether the object holds the `metadata` of Jobs.
    pub(super) fn is_cron_job(&self) -> bool {
        self.request.kind.is_cron_job()
    }

    /// The object now.
    pub(super) const fn new_object(&self) -> &'p Object<'a> {
        self.new
    }

    /// What differs of what a rule guards. Images are compared by what `as_it_will_run` makes of
    /// their texts.
    pub(crate) fn differences(
        &self,
        rule: &ChangeRule<'_>,
        as_it_will_run: &dyn Fn(&workload::ImageField<'_>) -> String,
    ) -> Result<Vec<Difference>, RequestError> {
        let mut differences = Differences::default();
        for guard in &rule.guards {
            match guard {
                Guard::Images => {
                    if self.is_body_changed() {
                        images::compare(self.old()?, self.new, as_it_will_run, &mut differences);
                    }
                }
                Guard::Annotations(glob) => {
                    entries::compare(self, "annotations", glob, &mut differences)?;
                }
                Guard::Labels(glob) => entries::compare(self, "labels", glob, &mut differences)?,
                Guard::Field(path) => {
                    if let Some((Step::Key(key), rest)) = path.steps().split_first() {
                        for change in self.member(key) {
                            differences
                                .below(&[Step::key(key)], &mut |this| this.along(change, rest));
                        }
                    }
                }
            }
        }
        if rule.guard_delete {
            for change in self.member("metadata") {
                owners::compare(change, &mut differences);
            }
        }
        if rule.guards.len() > 1 {
            differences.keep_each_once();
        }
        Ok(differences.found)
    }

    /// A member of the object and what it was; more than one where its key is repeated.
    pub(super) fn member(&self, key: &str) -> Vec<Change<'a>> {
        let named = |members: &[Member<'a>]| -> Vec<&'a RawValue> {
            let named = members.iter().filter(|(name, _)| name == key);
            named.map(|(_, value)| *value).collect()
        };
        zip(&named(&self.was), &named(&self.is))
    }

    /// Whether anything but `metadata` and `status` is written differently than before.
    pub(super) fn is_body_changed(&self) -> bool {
        let in_body = |member: &&Member<'a>| !matches!(member.0.as_ref(), "metadata" | "status");
        let (mut was, mut is) = (
            self.was.iter().filter(in_body),
            self.is.iter().filter(in_body),
        );
        loop {
            match (was.next(), is.next()) {
                (None, None) => return false,
                (Some((key, value)), Some((other, now)))
                    if key == other && value.get() == now.get() => {}
                _ => return true,
            }
        }
    }
}

fn unreadable(error: &serde_json::Error) -> RequestError {
    RequestError::unreadable("request.oldObject", error)
}
