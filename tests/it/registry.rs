//! A registry that answers as a test says.

use std::cell::RefCell;
use std::collections::BTreeMap;

use rollout_guard::registry::{Existence, Registry};

/// Answers of a registry, by image: `there`, `missing`, or the text of an error.
#[derive(Default)]
pub(crate) struct Answers {
    answers: BTreeMap<String, String>,
    /// The images that it was asked about.
    pub(crate) asked: RefCell<Vec<String>>,
}

impl Answers {
    pub(crate) fn new(answers: BTreeMap<String, String>) -> Self {
        Self {
            answers,
            asked: RefCell::default(),
        }
    }
}

impl Registry for Answers {
    fn has(&self, image: &str) -> Existence {
        self.asked.borrow_mut().push(image.to_owned());
        match self.answers.get(image).map(String::as_str) {
            Some("there") => Existence::There,
            Some("missing") => Existence::Missing,
            Some(error) => Existence::of_error(error.to_owned()),
            None => Existence::Unknown("no answer in this test".to_owned()),
        }
    }
}
