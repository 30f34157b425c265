//! The path of a pattern, segment by segment.

use std::borrow::Cow;

use crate::glob;

use super::Sense;

/// A path, possibly with wildcards.
///
/// `**` is zero or more segments, a final `*` segment one or more, `*` and `?` stay within their
/// segment; in a reject list `*` and `?` may be a `/` as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path<'a> {
    text: Cow<'a, str>,
    has_wildcard: bool,
}

impl<'a> Path<'a> {
    /// A path that fits the grammar; `has_wildcard` may be true where only what is around it has one.
    pub(super) fn new(text: impl Into<Cow<'a, str>>, has_wildcard: bool) -> Self {
        Self {
            text: text.into(),
            has_wildcard,
        }
    }

    /// Whether it is one path.
    pub(super) const fn is_exact(&self) -> bool {
        !self.has_wildcard
    }

    /// Whether it matches the whole of `path`.
    pub(super) fn matches(&self, path: &str, sense: Sense) -> bool {
        if !self.has_wildcard {
            return self.text == path;
        }
        covers(&self.text, path, sense, false)
    }

    /// Whether it matches `path` or one of the paths above it.
    pub(super) fn is_prefix(&self, path: &str, sense: Sense) -> bool {
        if !self.has_wildcard {
            return path
                .strip_prefix(self.text.as_ref())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        }
        covers(&self.text, path, sense, true)
    }

    /// Whether it matches one of the paths above `path`, in an allow list.
    pub(super) fn is_above(&self, path: &str) -> bool {
        match path.rsplit_once('/') {
            Some((above, _)) => self.is_prefix(above, Sense::Allow),
            // `**` may be no segment at all.
            None => self.text.split('/').all(|segment| segment == "**"),
        }
    }

    /// What follows it in `path`, where that is at it or below it. Nothing where it has wildcards.
    pub(super) fn rest<'p>(&self, path: &'p str) -> Option<&'p str> {
        if self.has_wildcard {
            return self.is_prefix(path, Sense::Allow).then_some("");
        }
        match path.strip_prefix(self.text.as_ref())? {
            "" => Some(""),
            below => below.strip_prefix('/'),
        }
    }

    /// Whether each path that `other` matches, or one above it, is certainly matched.
    pub(super) fn certainly_above(&self, other: &Self) -> bool {
        self.text == other.text
            || (!self.has_wildcard && !other.has_wildcard && self.rest(&other.text).is_some())
    }

    /// The text, with `library/` where that was added.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What matches each path that this matches in an allow list, in two parts, for [`glob::may_meet`].
    pub(super) fn glob(&self) -> (&str, &'static str) {
        // `**` may be no segment at all, and then one `/` is missing.
        if let Some(at) = depth(&self.text) {
            let fixed = self.text.get(..at).unwrap_or_default();
            return (fixed.trim_end_matches('/'), ">");
        }
        match self.text.strip_suffix('*') {
            // A final `*` segment is one or more.
            Some(above) if above.is_empty() || above.ends_with('/') => (above, ">"),
            _ => (&self.text, ""),
        }
    }

    /// Whether some path that it matches in an allow list matches this glob.
    pub(super) fn may_be_at(&self, paths: &str) -> bool {
        glob::may_meet(paths, self.glob())
    }

    /// Whether some path below one that it matches in an allow list matches this glob.
    pub(super) fn may_be_below(&self, paths: &str) -> bool {
        let (text, end) = self.glob();
        glob::may_meet(paths, (text, if end.is_empty() { "/>" } else { end }))
    }

    /// Whether, in a reject list, it certainly matches each path that `other` matches.
    pub(super) fn covers(&self, other: &Self) -> bool {
        if self.is_everything() || self.text == other.text {
            return true;
        }
        match other.text.strip_suffix("/**") {
            Some(above) if !has_any_depth(above) => self.covers_below_and_at(above),
            // `**` may be no segment at all, which no glob knows.
            _ => !has_any_depth(&other.text) && glob::covers(&self.text, &other.text),
        }
    }

    /// Whether, in a reject list, it certainly matches each path that `other` matches, or one of the
    /// paths above it.
    pub(super) fn covers_below(&self, other: &Self) -> bool {
        self.is_everything()
            || above(&other.text)
                .filter(|above| !has_any_depth(above))
                .any(|above| glob::covers(&self.text, above))
    }

    /// Whether, in a reject list, it certainly matches each path at `other` and below.
    pub(super) fn covers_subtree(&self, other: &Self) -> bool {
        self.is_everything()
            || (!has_any_depth(&other.text) && self.covers_below_and_at(&other.text))
    }

    fn covers_below_and_at(&self, other: &str) -> bool {
        self.text
            .strip_suffix("/**")
            .is_some_and(|above| !has_any_depth(above) && glob::covers(above, other))
    }

    /// This path below another one, unless it is there already.
    pub(super) fn below(&self, above: &str) -> Option<Path<'static>> {
        (!self.text.starts_with(above)).then(|| Path {
            text: Cow::Owned(format!("{above}{}", self.text)),
            has_wildcard: self.has_wildcard,
        })
    }

    /// Whether it matches every path.
    pub(super) fn is_everything(&self) -> bool {
        matches!(self.text.as_ref(), "*" | "**")
    }
}

/// Whether a pattern matches where `*` and `?` may be a `/`, and `**` no segment at all.
pub(crate) fn crossing(pattern: &str, path: &str) -> bool {
    covers(pattern, path, Sense::Reject, false)
}

/// Whether a pattern matches a path; with `prefix`, or a path above it.
///
/// Returns to the last wildcard that can take more, and never to one before: the time is at most the
/// product of the two lengths, whatever the pattern.
fn covers(pattern: &str, path: &str, sense: Sense, prefix: bool) -> bool {
    let crosses = sense == Sense::Reject;
    // `/**` at the end, be it there more than once, may be nothing.
    let mut fixed = pattern;
    while let Some(fewer) = fixed.strip_suffix("/**") {
        fixed = fewer;
    }
    let may_end_above = prefix || fixed.len() < pattern.len();
    let (pattern, path) = (fixed.as_bytes(), path.as_bytes());
    // What stands behind the last wildcard, or the last segment, is the end: most are told by that.
    let mut ends = pattern.iter().rev().zip(path.iter().rev());
    let is_other = |(wanted, found): (&u8, &u8)| match wanted {
        b'*' | b'?' | b'/' => Some(false),
        wanted => (wanted != found).then_some(true),
    };
    if !may_end_above && ends.find_map(is_other) == Some(true) {
        return false;
    }
    let (mut at, mut read) = (0, 0);
    // What `*` takes, of any characters or of those of a segment, and the segments that `**` takes: each as
    // the place behind the wildcard, and where what it takes ends.
    let mut star: Option<(usize, usize)> = None;
    let mut segments: Option<(usize, usize)> = None;
    loop {
        // No path has a wildcard in it.
        if let (Some(wanted), Some(found)) = (pattern.get(at), path.get(read))
            && wanted == found
        {
            (at, read) = (at + 1, read + 1);
            continue;
        }
        let rest = pattern.get(at..).unwrap_or_default();
        let begins_segment = at == 0 || pattern.get(at - 1) == Some(&b'/');
        match (rest, path.get(read)) {
            ([], None) => return true,
            ([], Some(b'/')) if may_end_above => return true,
            // At the end, one segment or more.
            ([b'*'], Some(_)) | ([b'*', b'*'], _) if begins_segment => return true,
            ([b'*', b'*', b'/', ..], _) if begins_segment => {
                at += 3;
                (star, segments) = (None, Some((at, read)));
                continue;
            }
            ([b'*', ..], _) => {
                at += 1;
                star = Some((at, read));
                if crosses {
                    // It can take whatever segments could.
                    segments = None;
                }
                continue;
            }
            ([b'?', ..], Some(found))
                if (crosses || *found != b'/') && char::from(*found) != glob::ANY_DEPTH =>
            {
                (at, read) = (at + 1, read + 1);
                continue;
            }
            _ => {}
        }
        if let Some((after, taken)) = &mut star
            && path
                .get(*taken)
                .is_some_and(|next| crosses || *next != b'/')
        {
            *taken += 1;
            (at, read) = (*after, *taken);
        } else if let Some((after, taken)) = &mut segments
            && let Some(end) = next_segment(path, *taken, pattern.get(*after))
        {
            *taken = end;
            (at, read, star) = (*after, end, None);
        } else {
            return false;
        }
    }
}

/// Where the next segment begins that may begin with this part of a pattern.
fn next_segment(path: &[u8], from: usize, wanted: Option<&u8>) -> Option<usize> {
    let wanted = wanted.filter(|wanted| !matches!(wanted, b'*' | b'?'));
    let mut at = from;
    while let Some(byte) = path.get(at) {
        at += 1;
        if *byte == b'/' && (wanted.is_none() || path.get(at) == wanted) {
            return Some(at);
        }
    }
    None
}

/// Whether a path has a `**`.
fn has_any_depth(path: &str) -> bool {
    depth(path).is_some()
}

/// Where the first `**` of a path stands.
fn depth(path: &str) -> Option<usize> {
    path.as_bytes().windows(2).position(|pair| pair == b"**")
}

/// A path and the paths above it.
fn above(path: &str) -> impl Iterator<Item = &str> {
    let ends = path
        .match_indices('/')
        .map(|(at, _)| at)
        .chain([path.len()]);
    ends.filter_map(|end| path.get(..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As [`crossing`], by all positions that what was read can lead to.
    fn by_positions(pattern: &str, path: &str) -> bool {
        if !has_any_depth(pattern) {
            return glob::matches(pattern, path);
        }
        // Whether what was read so far can lead to each position of the pattern.
        let mut open = vec![false; pattern.len() + 1];
        open_at(&mut open, 0);
        let mut before = b'/';
        let mut rest = path.bytes();
        loop {
            for (at, _) in pattern.char_indices() {
                let after = pattern.get(at..).unwrap_or_default();
                if open.get(at) != Some(&true) {
                    continue;
                }
                if after.starts_with('*') {
                    open_at(&mut open, at + 1);
                }
                let begins_segment = at == 0 || pattern.as_bytes().get(at - 1) == Some(&b'/');
                if before == b'/' && begins_segment && after.starts_with("**/") {
                    open_at(&mut open, at + 3);
                }
                // `/**` at the end, be it there more than once, may be nothing.
                let mut left = after;
                while let Some(fewer) = left.strip_prefix("/**") {
                    left = fewer;
                }
                if left.is_empty() && !after.is_empty() {
                    open_at(&mut open, pattern.len());
                }
            }
            let Some(read) = rest.next() else {
                return open.last() == Some(&true);
            };
            let mut next = vec![false; pattern.len() + 1];
            for ((at, wanted), _) in pattern
                .bytes()
                .enumerate()
                .zip(&open)
                .filter(|(_, open)| **open)
            {
                if wanted == b'*' {
                    open_at(&mut next, at);
                } else if wanted == b'?' || wanted == read {
                    open_at(&mut next, at + 1);
                }
            }
            open = next;
            before = read;
        }
    }

    fn open_at(open: &mut [bool], position: usize) {
        if let Some(open) = open.get_mut(position) {
            *open = true;
        }
    }

    /// Matches segments with a single point to return to, the last `**`.
    fn by_segments(pattern: &str, path: &str, prefix: bool) -> bool {
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

    proptest::proptest! {
        #[test]
        fn one_point_to_return_to_is_enough(
            pattern in proptest::collection::vec(
                proptest::sample::select(vec!["a", "b", "*", "**", "**", "?", "a*", "*b", "a**b", "?b", "**a", "*a*b*"]),
                1..6,
            ),
            path in proptest::collection::vec(proptest::sample::select(vec!["a", "b", "ab", "ba", "aab"]), 1..7),
        ) {
            let (pattern, path) = (pattern.join("/"), path.join("/"));
            let path = path.as_str();
            let above = |matches: &dyn Fn(&str) -> bool| above(path).any(matches);
            for (sense, matches, is_prefix) in [
                (Sense::Allow, by_segments(&pattern, path, false), by_segments(&pattern, path, true)),
                (
                    Sense::Reject,
                    by_segments(&pattern, path, false) || by_positions(&pattern, path),
                    by_segments(&pattern, path, true) || above(&|above| by_positions(&pattern, above)),
                ),
            ] {
                proptest::prop_assert_eq!(covers(&pattern, path, sense, false), matches, "{} {}", pattern, path);
                proptest::prop_assert_eq!(covers(&pattern, path, sense, true), is_prefix, "{} {}", pattern, path);
            }
        }
    }

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
            assert!(
                Path::new(pattern, true).matches(path, Sense::Allow),
                "{pattern} {path}"
            );
            assert!(
                Path::new(pattern, true).matches(path, Sense::Reject),
                "{pattern} {path}"
            );
        }
        for (pattern, path) in [
            ("a/*", "a"),
            ("a/*/c", "a/b/x/c"),
            ("a/b*", "a/bc/d"),
            ("a*", "a/b"),
            ("a?b", "a/b"),
            ("**/c", "a/cc"),
        ] {
            assert!(
                !Path::new(pattern, true).matches(path, Sense::Allow),
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn a_wildcard_crosses_segments_in_a_reject_list() {
        for (pattern, path) in [
            ("a/*/c", "a/b/x/c"),
            ("a/b*", "a/bc/d"),
            ("*redis*", "x/redis/y"),
            ("a?b", "a/b"),
            ("**/re*", "redis/a"),
            ("a/**/re*", "a/redis/b"),
            ("re*/**", "redis/a"),
        ] {
            assert!(
                Path::new(pattern, true).matches(path, Sense::Reject),
                "{pattern} {path}"
            );
        }
        assert!(!Path::new("a/b", true).matches("a/b/c", Sense::Reject));
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
            assert!(
                Path::new(pattern, true).is_prefix(path, Sense::Allow),
                "{pattern} {path}"
            );
        }
        for (pattern, path) in [
            ("a/b", "a/bc"),
            ("a/b", "a"),
            ("a/*", "a"),
            ("a/*/c", "a/b/d"),
        ] {
            assert!(
                !Path::new(pattern, true).is_prefix(path, Sense::Allow),
                "{pattern} {path}"
            );
        }
        assert!(Path::new("a*z", true).is_prefix("a/b/z/c", Sense::Reject));
    }
}
