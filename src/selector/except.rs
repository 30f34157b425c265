//! `match.except`: holds what it takes out against the rest of its `match`.

use crate::glob;
use crate::schema::SettingsErrors;

use super::{Condition, Selector};

/// Notes a `match` of which its `except` leaves nothing, so that its rule would never apply.
pub(crate) fn find_contradictions(
    path: &str,
    selector: &Selector<'_>,
    errors: &mut SettingsErrors,
) {
    if let Some(except) = &selector.except
        && has_conditions_of(except, selector)
    {
        errors.contradiction(
            [path, ".match.except"].concat(),
            "takes out all that the rest of `match` matches: narrow it, or leave the item out",
        );
    }
}

impl Selector<'_> {
    /// Whether it certainly matches all that another one does.
    ///
    /// It may say no where the answer is yes, never the other way round.
    pub(crate) fn covers(&self, narrow: &Self) -> bool {
        self == narrow || (self.except.is_none() && has_conditions_of(self, narrow))
    }
}

/// Whether all that a selector wants is certain where another one holds, whatever the two except.
fn has_conditions_of(wide: &Selector<'_>, narrow: &Selector<'_>) -> bool {
    let globs = |wide: Option<&[&str]>, narrow: Option<&[&str]>| {
        covers_list(wide, narrow, |wide, narrow| glob::covers(wide, narrow))
    };
    globs(wide.namespaces.as_deref(), narrow.namespaces.as_deref())
        && globs(wide.names.as_deref(), narrow.names.as_deref())
        && globs(wide.operations.as_deref(), narrow.operations.as_deref())
        && globs(wide.users.as_deref(), narrow.users.as_deref())
        && globs(wide.groups.as_deref(), narrow.groups.as_deref())
        && covers_list(
            wide.kinds.as_deref(),
            narrow.kinds.as_deref(),
            PartialEq::eq,
        )
        && covers_conditions(&wide.labels, &narrow.labels)
        && covers_conditions(&wide.fields, &narrow.fields)
        && covers_conditions(&wide.old_fields, &narrow.old_fields)
}

fn covers_list<T>(
    wide: Option<&[T]>,
    narrow: Option<&[T]>,
    covers: impl Fn(&T, &T) -> bool,
) -> bool {
    let Some(wide) = wide else { return true };
    narrow.is_some_and(|narrow| {
        let mut narrow = narrow.iter();
        narrow.all(|narrow| wide.iter().any(|wide| covers(wide, narrow)))
    })
}

fn covers_conditions<K: PartialEq>(
    wide: &[(K, Condition<'_>)],
    narrow: &[(K, Condition<'_>)],
) -> bool {
    wide.iter().all(|condition| narrow.contains(condition))
}
