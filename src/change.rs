//! Rules over changes: what of an object is guarded, and who may change it.
//!
//! | module | what it owns |
//! |---|---|
//! | `read` | `changes` and `drift` in the settings |
//! | `guard` | which parts of an object a rule guards |
//! | `guarded_lists` | guards that lead through a list as if it were a map |
//! | `who` | what a rule asks of whoever changes them |
//! | `preset` | the accounts of GitOps tools, by one word |
//! | `controllers` | what Kubernetes' own controllers may always change |
//! | `manager` | the field manager of a request |
//! | `message` | what is said of a change that a rule forbids |
//! | `compared` | an object and what it was, read as far as a guard needs |
//! | `difference` | what differs between two values, by place |
//! | `images`, `entries`, `owners` | what differs of images, of annotations and labels, of owners |

mod compared;
pub(crate) mod controllers;
mod difference;
mod entries;
mod guard;
mod guarded_lists;
mod images;
mod manager;
mod message;
mod owners;
mod preset;
mod read;
mod who;

use std::borrow::Cow;

use crate::date::Date;
use crate::selector::Selector;
use crate::violation::Action;

pub(crate) use compared::Compared;
pub(crate) use difference::{Difference, Differences, Shows};
pub(crate) use entries::between as entries_between;
pub use guard::Guard;
pub(crate) use guarded_lists::find as find_contradictions;
pub(crate) use images::compare as compare_images;
pub(crate) use manager::field_manager;
pub(crate) use message::{Forbidden, old_object_missing};
pub use preset::Preset;
pub(crate) use read::{drift as read_drift, read};
pub use who::{Account, Who};

/// An item of `changes`.
#[derive(Clone, Debug)]
pub struct ChangeRule<'a> {
    /// The name, as messages give it.
    pub name: Cow<'a, str>,
    /// Which objects, as they are or as they were.
    pub selector: Selector<'a>,
    /// What of them is guarded.
    pub guards: Vec<Guard<'a>>,
    /// Who may change it, and how.
    pub who: Who<'a>,
    /// Whether a request passes that guards see nothing of but a restart.
    pub allow_restart: bool,
    /// Whether DELETE is guarded as well, and what makes the garbage collector delete.
    pub guard_delete: bool,
    /// What happens to other changes.
    pub action: Action,
    /// When it begins to refuse; until then it warns.
    pub from: Option<Date<'a>>,
    /// What to do instead; `None`: change it in Git.
    pub message: Option<&'a str>,
}

impl ChangeRule<'_> {
    /// Whether it guards annotations or labels of the object.
    pub(crate) fn guards_metadata(&self) -> bool {
        self.guards.iter().any(Guard::is_about_metadata)
    }

    /// Whether it guards images.
    pub(crate) fn guards_images(&self) -> bool {
        self.guards
            .iter()
            .any(|guard| matches!(guard, Guard::Images))
    }
}
