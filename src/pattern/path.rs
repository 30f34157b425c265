//! The path of a pattern, segment by segment.

use crate::glob;

use super::Sense;

/// Whether a path pattern matches the whole of `path`.
///
/// `**` is zero or more segments, a final `*` segment one or more, `*` and `?` stay within their
/// segment; in a reject list `*` and `?` may be a `/` as well.
pub(super) fn matches(pattern: &str, path: &str, sense: Sense) -> bool {
    if !glob::has_wildcard(pattern) {
        return pattern == path;
    }
    segments(pattern, path, false) || (sense == Sense::Reject && glob::matches(pattern, path))
}

/// Whether a path pattern matches `path` or one of the paths above it.
pub(super) fn is_prefix(pattern: &str, path: &str, sense: Sense) -> bool {
    if !glob::has_wildcard(pattern) {
        return path
            .strip_prefix(pattern)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    }
    segments(pattern, path, true)
        || (sense == Sense::Reject
            && path
                .match_indices('/')
                .map(|(at, _)| at)
                .chain([path.len()])
                .any(|end| {
                    path.get(..end)
                        .is_some_and(|above| glob::matches(pattern, above))
                }))
}

/// Whether `pattern`, in a reject list, certainly matches each path that `other` matches.
pub(super) fn covers(pattern: &str, other: &str) -> bool {
    pattern == "*" || glob::covers(pattern, other)
}

/// Matches segments with a single point to return to, the last `**`.
fn segments(pattern: &str, path: &str, prefix: bool) -> bool {
    // Positions are the rest that is still to be matched: `None` once nothing is left.
    let (mut pattern_rest, mut path_rest) = (Some(pattern), Some(path));
    let mut again: Option<(Option<&str>, Option<&str>)> = None;
    loop {
        let done = match (pattern_rest, path_rest) {
            (None, rest) => rest.is_none() || prefix,
            (Some("*"), Some(_)) => true,
            (Some(pattern), rest) => {
                let (wanted, after) = split(pattern);
                if wanted == "**" {
                    again = Some((after, rest));
                    pattern_rest = after;
                    continue;
                }
                match rest.map(split) {
                    Some((found, below)) if glob::matches(wanted, found) => {
                        pattern_rest = after;
                        path_rest = below;
                        continue;
                    }
                    _ => false,
                }
            }
        };
        if done {
            return true;
        }
        match again {
            // Let `**` take one segment more.
            Some((after, Some(rest))) => {
                let below = split(rest).1;
                again = Some((after, below));
                pattern_rest = after;
                path_rest = below;
            }
            _ => return false,
        }
    }
}

fn split(path: &str) -> (&str, Option<&str>) {
    match path.split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stays_within_its_segment_in_an_allow_list() {
        for (pattern, path) in [
            ("a/b", "a/b"),
            ("a/*", "a/b"),
            ("a/*", "a/b/c"),
            ("*", "a/b"),
            ("a/*/c", "a/b/c"),
            ("a/**/c", "a/c"),
            ("a/**/c", "a/x/y/c"),
            ("**/c", "c"),
            ("**/c", "a/b/c"),
            ("a/**", "a"),
            ("a/**", "a/b/c"),
            ("**/a/**/b", "x/a/y/a/z/b"),
            ("re?is", "redis"),
            ("a/b*", "a/bc"),
        ] {
            assert!(matches(pattern, path, Sense::Allow), "{pattern} {path}");
            assert!(matches(pattern, path, Sense::Reject), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("a/*", "a"),
            ("a/*/c", "a/b/x/c"),
            ("a/b*", "a/bc/d"),
            ("a*", "a/b"),
            ("a?b", "a/b"),
            ("**/c", "a/cc"),
        ] {
            assert!(!matches(pattern, path, Sense::Allow), "{pattern} {path}");
        }
    }

    #[test]
    fn a_wildcard_crosses_segments_in_a_reject_list() {
        for (pattern, path) in [
            ("a/*/c", "a/b/x/c"),
            ("a/b*", "a/bc/d"),
            ("*redis*", "x/redis/y"),
            ("a?b", "a/b"),
        ] {
            assert!(matches(pattern, path, Sense::Reject), "{pattern} {path}");
        }
        assert!(!matches("a/b", "a/b/c", Sense::Reject));
    }

    #[test]
    fn a_prefix_ends_at_a_segment() {
        for (pattern, path) in [
            ("a/b", "a/b"),
            ("a/b", "a/b/c"),
            ("a/b*", "a/bc/d"),
            ("a/*", "a/b/c"),
            ("**/b", "x/b/c"),
        ] {
            assert!(is_prefix(pattern, path, Sense::Allow), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("a/b", "a/bc"),
            ("a/b", "a"),
            ("a/*", "a"),
            ("a/*/c", "a/b/d"),
        ] {
            assert!(!is_prefix(pattern, path, Sense::Allow), "{pattern} {path}");
        }
        assert!(is_prefix("a*z", "a/b/z/c", Sense::Reject));
    }
}
