//! What a path leads to in a JSON text.

use std::borrow::Cow;

pub(crate) use rollout_guard_json::{
    Wanted, balanced_end, each_element, each_member, has_any, is_same, kind_at, kind_of, plain_end,
    space_end, string, string_at, value_end,
};

use crate::hashing::{Index, Seen};

use super::location::{Spot, Step};
use super::node::Kind;

/// How deep what is looked into may be nested. `serde_json`, which hosts read with, goes as deep.
pub(crate) const DEEPEST: usize = 128;

/// A member of a map: its key, and its value as it was written.
pub(crate) type Member<'a> = (Cow<'a, str>, &'a str);

/// The members of the map that a text known to be JSON begins with, a repeated key as often as it was
/// written; `None` if it begins with something else.
pub(crate) fn members(text: &str) -> Option<Vec<Member<'_>>> {
    let mut found = Vec::new();
    each_member(text, 0, &mut |key, start| {
        let end = balanced_end(text, start)?;
        found.push((key, text.get(start..end)?));
        Some(end)
    })
    .map(|_| found)
}

/// Whether a key occurs twice.
pub(crate) fn is_any_repeated<T>(members: &[(Cow<'_, str>, T)]) -> bool {
    if members.len() > Index::FEW {
        let mut seen = Seen::default();
        return members.iter().any(|(key, _)| !seen.insert(key));
    }
    members.iter().enumerate().any(|(at, (key, _))| {
        let mut earlier = members.iter().take(at);
        earlier.any(|(earlier, _)| is_same(earlier, key))
    })
}

/// Hands every value that `path` leads to in the value that a text known to be JSON begins with to
/// `found`, with where it stands: nowhere where the path is empty.
///
/// A key that occurs twice leads to both its values. What does not have the shape that the path
/// expects leads nowhere.
pub(crate) fn each_at<'a>(
    text: &'a str,
    path: &[Step<'_>],
    found: &mut dyn FnMut(Option<&Spot<'_, 'a>>, &'a str),
) {
    descend(text, 0, path, None, DEEPEST, found);
}

/// Every value that a path leads to, as [`each_at`] finds them.
pub(crate) fn lookup<'a>(text: &'a str, path: &[Step<'_>]) -> Vec<&'a str> {
    let mut found = Vec::new();
    each_at(text, path, &mut |_, value| found.push(value));
    found
}

/// The text that a path leads to, the last one where a key is repeated; none where it leads to
/// nothing or to something else.
pub(crate) fn text_at<'a>(text: &'a str, path: &[Step<'_>]) -> Option<Cow<'a, str>> {
    string(lookup(text, path).last()?)
}

/// The elements of the list that `text` begins with; none if it begins with something else.
pub(crate) fn elements(text: &str) -> Vec<&str> {
    lookup(text, &[Step::Each])
}

/// Follows a path from the value at `start`, and says where that value ends.
fn descend<'a>(
    text: &'a str,
    start: usize,
    path: &[Step<'_>],
    above: Option<&Spot<'_, 'a>>,
    deeper: usize,
    found: &mut dyn FnMut(Option<&Spot<'_, 'a>>, &'a str),
) -> Option<usize> {
    let start = space_end(text.as_bytes(), start);
    let (Some((step, rest)), Some(deeper)) = (path.split_first(), deeper.checked_sub(1)) else {
        let end = balanced_end(text, start)?;
        if path.is_empty() {
            found(above, text.get(start..end)?);
        }
        return Some(end);
    };
    match (step, kind_at(text, start)) {
        (Step::Key(wanted), Kind::Map) => each_member(text, start, &mut |key, start| {
            if key != *wanted {
                return balanced_end(text, start);
            }
            let spot = Spot::below(above, Step::Key(key));
            descend(text, start, rest, Some(&spot), deeper, found)
        }),
        (Step::Index(_) | Step::Each, Kind::List) => {
            let mut index = 0;
            each_element(text, start, &mut |start| {
                index += 1;
                if matches!(step, Step::Index(wanted) if wanted + 1 != index) {
                    return balanced_end(text, start);
                }
                let spot = Spot::below(above, Step::Index(index - 1));
                descend(text, start, rest, Some(&spot), deeper, found)
            })
        }
        _ => balanced_end(text, start),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_there() {
        let text = r#" { "a\"}" : [ 1 , {"b":"]}\\"} , [ ] ,null], "c":{"d":{"e":-1.5e3}},"c" : {"d":"x" } } , "rest""#;
        let all = members(text).unwrap();
        assert_eq!(
            all[0],
            ("a\"}".into(), r#"[ 1 , {"b":"]}\\"} , [ ] ,null]"#)
        );
        assert_eq!(all[2], ("c".into(), r#"{"d":"x" }"#));
        assert_eq!(elements(all[0].1), ["1", r#"{"b":"]}\\"}"#, "[ ]", "null"]);
        let keys = |path: &[&'static str]| -> Vec<Step<'static>> {
            path.iter().map(|key| Step::key(key)).collect()
        };
        assert_eq!(
            lookup(text, &keys(&["c", "d"])),
            [r#"{"e":-1.5e3}"#, "\"x\""]
        );
        assert_eq!(lookup(text, &keys(&["c", "d", "e"])), ["-1.5e3"]);
        let way = [Step::key("a\"}"), Step::Index(1), Step::key("b")];
        assert_eq!(lookup(text, &way), [r#""]}\\""#]);
        assert!(members("[]").is_none());
        assert!(elements("{}").is_empty());
        assert!(elements(" [ ]").is_empty());
    }
}
