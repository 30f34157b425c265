//! What a rule asks of whoever changes what it guards.

use crate::glob;
use crate::request::User;

use super::preset::Preset;

/// Conditions on a change, which must all hold. Without any, nobody may make it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who<'a> {
    /// The user is one of these, or in one of the groups.
    pub users: Vec<Account<'a>>,
    /// Globs over the user's groups.
    pub groups: Vec<&'a str>,
    /// Globs over field managers; none may match.
    pub denied_managers: Vec<&'a str>,
    /// Annotations that the request must set anew.
    pub annotations: Vec<&'a str>,
}

/// An item of `allowUsers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account<'a> {
    /// A glob over the user name.
    Glob(&'a str),
    /// The accounts of a tool.
    Preset(Preset),
}

impl Who<'_> {
    /// Whether nothing is asked, so that nobody can meet it.
    pub(crate) const fn is_nobody(&self) -> bool {
        self.users.is_empty()
            && self.groups.is_empty()
            && self.denied_managers.is_empty()
            && self.annotations.is_empty()
    }

    /// Whether the rule says who may, and this user is not among them.
    pub(crate) fn excludes(&self, user: &User<'_>) -> bool {
        if self.users.is_empty() && self.groups.is_empty() {
            return self.is_nobody();
        }
        let is_named = self.users.iter().any(|account| match account {
            Account::Glob(pattern) => glob::matches(pattern, &user.name),
            Account::Preset(preset) => preset.users.contains(&user.name.as_ref()),
        });
        let is_member = || {
            self.groups.iter().any(|pattern| {
                user.groups
                    .iter()
                    .any(|group| glob::matches(pattern, group))
            })
        };
        !is_named && !is_member()
    }

    /// Whether the field manager is denied.
    pub(crate) fn denies(&self, manager: Option<&str>) -> bool {
        manager.is_some_and(|manager| {
            self.denied_managers
                .iter()
                .any(|pattern| glob::matches(pattern, manager))
        })
    }
}
