//! Globs over users and groups that anybody could meet.
//!
//! Whoever may create service accounts in one namespace can give them any name there, so a glob
//! over the accounts of several namespaces names accounts that its author does not know.

use crate::glob;

/// How Kubernetes calls a service account: this, its namespace, `:`, its name.
const USER_PREFIX: &str = "system:serviceaccount:";

/// The group of every service account; with `:` and a namespace behind it, those of that namespace.
const GROUP: &str = "system:serviceaccounts";

/// Reads a glob over the users that something is lifted for.
pub(crate) fn user(text: &str) -> Result<&str, String> {
    if spans_namespaces(text) {
        return Err(
            "matches service accounts of more than one namespace, name the namespace".to_owned(),
        );
    }
    Ok(text)
}

/// Reads a glob over the groups that something is lifted for.
pub(crate) fn group(text: &str) -> Result<&str, String> {
    if spans_groups(text) {
        return Err("matches the service accounts of more than one namespace, name the group without a wildcard".to_owned());
    }
    Ok(text)
}

/// Whether a glob over groups has a wildcard and matches a group of service accounts by it.
fn spans_groups(pattern: &str) -> bool {
    glob::has_wildcard(pattern)
        && (glob::matches(pattern, GROUP) || reaches(pattern, &format!("{GROUP}:"), false))
}

/// Whether a glob over users matches service accounts of more than one namespace.
fn spans_namespaces(pattern: &str) -> bool {
    glob::has_wildcard(pattern) && reaches(pattern, USER_PREFIX, true)
}

/// Follows every way in which the glob can read `prefix`, a namespace and, with `named`, `:` and a
/// name; says whether one of them reads a part of the namespace by a wildcard.
fn reaches(pattern: &str, prefix: &str, named: bool) -> bool {
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Part {
        Prefix(usize),
        /// In the namespace; whether it has a character yet.
        Namespace(bool),
        /// In the name; whether it has a character yet.
        Name(bool),
    }
    let pattern = pattern.as_bytes();
    let mut seen = Vec::new();
    // Position in the glob, part of the user name, whether a wildcard read a part of the namespace.
    let mut open = vec![(0, Part::Prefix(0), false)];
    while let Some(state @ (at, part, open_namespace)) = open.pop() {
        if seen.contains(&state) {
            continue;
        }
        seen.push(state);
        let part = match part {
            Part::Prefix(read) if read == prefix.len() => Part::Namespace(false),
            part => part,
        };
        let Some(&wanted) = pattern.get(at) else {
            let is_whole = if named {
                part == Part::Name(true)
            } else {
                part == Part::Namespace(true)
            };
            if is_whole && open_namespace {
                return true;
            }
            continue;
        };
        let is_wildcard = matches!(wanted, b'*' | b'?');
        if wanted == b'*' {
            open.push((at + 1, part, open_namespace));
        }
        // One character more: `*` stays, everything else is used up.
        let next = if wanted == b'*' { at } else { at + 1 };
        let may_be = |fits: &dyn Fn(u8) -> bool| is_wildcard || fits(wanted);
        match part {
            Part::Prefix(read) => {
                if may_be(&|byte| prefix.as_bytes().get(read) == Some(&byte)) {
                    open.push((next, Part::Prefix(read + 1), open_namespace));
                }
            }
            Part::Namespace(has_character) => {
                if may_be(&|byte| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
                }) {
                    open.push((next, Part::Namespace(true), open_namespace || is_wildcard));
                }
                if named && has_character && may_be(&|byte| byte == b':') {
                    open.push((next, Part::Name(false), open_namespace));
                }
            }
            Part::Name(_) => {
                if may_be(&|byte| {
                    byte.is_ascii_lowercase()
                        || byte.is_ascii_digit()
                        || matches!(byte, b'-' | b'.')
                }) {
                    open.push((next, Part::Name(true), open_namespace));
                }
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_over_accounts_of_several_namespaces_is_too_wide() {
        for wide in [
            "*",
            "system:*",
            "system:serviceaccount:*",
            "system:serviceaccount:*:deployer",
            "system:serviceaccount:ci-?:deployer",
            "*-admin",
            "*:deployer",
            "system:serviceaccount:ci*",
        ] {
            assert!(spans_namespaces(wide), "{wide}");
        }
        for narrow in [
            "system:serviceaccount:ci:*",
            "system:serviceaccount:ci:deploy-?",
            "system:serviceaccount:ci:deployer",
            "system:node:*",
            "*@corp.io",
            "jane*",
            "?lice",
            "system:kube-*",
            "*Admin",
        ] {
            assert!(!spans_namespaces(narrow), "{narrow}");
        }
    }

    #[test]
    fn a_wildcard_must_not_reach_the_groups_of_service_accounts() {
        for wide in [
            "*",
            "system:*",
            "system:serviceaccounts*",
            "system:serviceaccounts:*",
            "system:serviceaccounts:c*",
        ] {
            assert!(spans_groups(wide), "{wide}");
        }
        for narrow in [
            "system:serviceaccounts",
            "system:serviceaccounts:ci",
            "system:nodes",
            "team-*",
            "system:n*",
        ] {
            assert!(!spans_groups(narrow), "{narrow}");
        }
    }
}
