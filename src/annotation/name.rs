//! Names of annotations in settings, and the keys of an object that they stand for.

use std::ops::Deref;
use std::sync::OnceLock;

use rollout_guard_json::{has_any, is_same};

use crate::glob::{self, Ends};
use crate::hashing::{Index, Seen};

/// What the names of a rule are relative to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names<'a> {
    /// Stands before every name without a `/`.
    pub prefix: &'a str,
    /// Older spellings of the prefix: read where an object does not have the first.
    pub aliases: Vec<&'a str>,
    /// Other names of single annotations: read, in their order, where an object has no spelling of the first.
    pub other_names: Vec<(Name<'a>, Vec<Name<'a>>)>,
    /// Whether an annotation whose value is empty is as good as absent.
    pub empty_is_absent: bool,
}

/// The name of an annotation, or a glob over names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    text: &'a str,
    /// A prefix belongs before it.
    is_relative: bool,
    is_glob: bool,
}

/// Names and globs, to hold many keys against.
#[derive(Clone, Debug, Default)]
pub struct NameList<'a> {
    all: Vec<Name<'a>>,
    /// The globs among them: those that a prefix belongs before, and the others.
    globs: [Globs<'a>; 2],
    /// The keys that the others are, of a long list; made when there is a key to hold against it.
    keys: OnceLock<Seen>,
}

/// Globs, and how each begins and ends.
#[derive(Clone, Debug, Default)]
struct Globs<'a>(Vec<(Ends, &'a str)>);

impl Globs<'_> {
    /// Whether one of them matches a text.
    fn match_any(&self, text: &str) -> bool {
        let text_ends = Ends::of(text);
        for (ends, glob) in &self.0 {
            if ends.may_match(text_ends) && glob::matches(glob, text) {
                return true;
            }
        }
        false
    }
}

impl<'a> From<Vec<Name<'a>>> for NameList<'a> {
    fn from(all: Vec<Name<'a>>) -> Self {
        let globs = |is_relative| {
            let wanted = |name: &&Name<'_>| name.is_glob && name.is_relative == is_relative;
            let globs = all.iter().filter(wanted);
            Globs(globs.map(|glob| (Ends::of(glob.text), glob.text)).collect())
        };
        Self {
            globs: [globs(true), globs(false)],
            all,
            keys: OnceLock::new(),
        }
    }
}

impl<'a> Deref for NameList<'a> {
    type Target = [Name<'a>];

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl NameList<'_> {
    /// Whether a key is one of the names, or one of the globs matches it.
    #[inline(never)]
    pub(crate) fn has(&self, names: &Names<'_>, key: &str) -> bool {
        if self.all.len() <= Index::FEW {
            let mut all = self.all.iter();
            return all.any(|name| names.matches(*name, key));
        }
        let [relative, absolute] = &self.globs;
        let keys = self.keys.get_or_init(|| {
            let mut keys = Seen::default();
            for name in self.all.iter().filter(|name| !name.is_glob) {
                names.each_key(*name, &mut |key| {
                    keys.insert(key);
                });
            }
            keys
        });
        keys.contains(key)
            || names.rests(key).any(|(_, rest)| relative.match_any(rest))
            || absolute.match_any(key)
            || names.first_name(key).is_some_and(|(_, first)| {
                let globs = if first.is_relative {
                    relative
                } else {
                    absolute
                };
                globs.match_any(first.text)
            })
    }
}

/// A name of an annotation has at most this many characters behind its `/`.
const LONGEST_NAME: usize = 63;

/// The domain before the `/` has at most this many characters.
const LONGEST_DOMAIN: usize = 253;

impl<'a> Names<'a> {
    /// The name that a text in the settings stands for: relative to the prefix, unless it holds a `/`.
    ///
    /// A name that is written out with one of the prefixes is a relative one: it has the other
    /// spellings too.
    ///
    /// Another name of an annotation stands for its first.
    pub fn name(&self, text: &'a str) -> Name<'a> {
        let name = self.written(text);
        let mut others = self.other_names.iter();
        let first = others.find(|(_, names)| names.contains(&name));
        first.map_or(name, |(first, _)| *first)
    }

    /// The name that a text is, which may be another name of an annotation.
    pub(crate) fn written(&self, text: &'a str) -> Name<'a> {
        let rest = |prefix: &str| {
            let rest = text.strip_prefix(prefix)?;
            (!prefix.is_empty() && !rest.is_empty() && !rest.contains('/')).then_some(rest)
        };
        let relative = self.spellings().find_map(rest);
        // Most names have none of these.
        let is_plain = !has_any(text, *b"/*?");
        Name {
            text: relative.unwrap_or(text),
            is_relative: relative.is_some() || is_plain || !text.contains('/'),
            is_glob: !is_plain && glob::has_wildcard(text),
        }
    }

    /// The prefix, then its older spellings.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = &'a str> {
        std::iter::once(self.prefix).chain(self.aliases.iter().copied())
    }

    /// What stands in a key behind each spelling of the prefix that it begins with, and which that is.
    pub(crate) fn rests<'k>(&self, key: &'k str) -> impl Iterator<Item = (usize, &'k str)> {
        self.spellings()
            .enumerate()
            .filter_map(move |(rank, prefix)| {
                let (start, rest) = key.split_at_checked(prefix.len())?;
                is_same(start, prefix).then_some((rank, rest))
            })
    }

    /// Which spelling of the name a key is: 0 with the prefix, 1 with the first alias; other names come behind.
    #[inline(never)]
    pub(crate) fn spelling(&self, name: Name<'_>, key: &str) -> Option<usize> {
        let own = self.own_spelling(name, key);
        if self.other_names.is_empty() || own.is_some() {
            return own;
        }
        let (rank, first) = self.first_name(key)?;
        (first == name).then_some(rank)
    }

    #[expect(
        clippy::inline_always,
        reason = "each annotation is held against each name, most often in `spelling`"
    )]
    #[inline(always)]
    fn own_spelling(&self, name: Name<'_>, key: &str) -> Option<usize> {
        let text = name.text;
        if !name.is_relative {
            return (key == text).then_some(0);
        }
        // The end first: most keys are those of something else, and most by their last character.
        if key.as_bytes().last() != text.as_bytes().last() {
            return None;
        }
        let prefix = key.strip_suffix(text)?;
        self.spellings().position(|known| is_same(known, prefix))
    }

    /// The name of an annotation that a key spells another name of, and which spelling of it that is.
    pub(crate) fn first_name(&self, key: &str) -> Option<(usize, Name<'a>)> {
        let spellings = self.aliases.len() + 1;
        self.other_names.iter().find_map(|(first, others)| {
            let mut others = others.iter().enumerate();
            others.find_map(|(at, other)| {
                let rank = self.own_spelling(*other, key)?;
                Some(((at + 1) * spellings + rank, *first))
            })
        })
    }

    /// Whether a key spells a name, or one that a glob over names matches.
    #[inline(never)]
    pub(crate) fn matches(&self, glob: Name<'_>, key: &str) -> bool {
        if !glob.is_glob() {
            // The ends tell most keys apart, sooner than a glob does.
            return self.spelling(glob, key).is_some();
        }
        let is_first = || {
            let (_, first) = self.first_name(key)?;
            Some(first.is_relative == glob.is_relative && glob::matches(glob.text, first.text))
        };
        let is_own = if glob.is_relative {
            self.rests(key)
                .any(|(_, rest)| glob::matches(glob.text, rest))
        } else {
            glob::matches(glob.text, key)
        };
        is_own || is_first() == Some(true)
    }

    /// Whether a name is this other one, or a glob over names matches it.
    pub(crate) fn is_name_of(&self, glob: Name<'_>, name: Name<'_>) -> bool {
        if glob.is_relative && name.is_relative && glob::matches(glob.text, name.text) {
            return true;
        }
        // Without another spelling, nothing else of a relative name is told from it.
        let is_told = glob.is_relative && name.is_relative && self.aliases.is_empty();
        !is_told && self.matches(glob, &self.key(name))
    }

    /// Whether a key is under the prefix or one of its older spellings.
    pub(crate) fn covers(&self, key: &str) -> bool {
        self.rests(key).next().is_some()
    }

    /// The name in its first spelling.
    #[inline(never)]
    pub(crate) fn key(&self, name: Name<'_>) -> String {
        let prefix = if name.is_relative { self.prefix } else { "" };
        [prefix, name.text].concat()
    }

    /// The name in each of its spellings, once.
    pub(crate) fn each_key(&self, name: Name<'_>, sink: &mut dyn FnMut(&str)) {
        self.each_own_key(name, sink);
        let mut others = self.other_names.iter();
        if let Some((_, others)) = others.find(|(first, _)| *first == name) {
            for other in others {
                self.each_own_key(*other, sink);
            }
        }
    }

    fn each_own_key(&self, name: Name<'_>, sink: &mut dyn FnMut(&str)) {
        if name.is_relative {
            let mut key = String::new();
            for (rank, prefix) in self.spellings().enumerate() {
                if self.spellings().take(rank).all(|earlier| earlier != prefix) {
                    key.clear();
                    key += prefix;
                    key += name.text;
                    sink(&key);
                }
            }
        } else {
            sink(name.text);
        }
    }

    /// What is wrong with a name, which no annotation can have then.
    ///
    /// Source: `ValidateAnnotations` and `IsQualifiedName` of `k8s.io/apimachinery`: a qualified name,
    /// in which letter case does not matter.
    ///
    /// # Errors
    ///
    /// What is wrong, and what to write instead.
    pub(crate) fn check(&self, name: Name<'_>, may_be_glob: bool) -> Result<(), String> {
        let key = self.key(name);
        if glob::has_wildcard(&key) {
            if !may_be_glob {
                return Err(
                    "a wildcard is possible in `denied`, `allowed`, `values`, `requires`, `required`, `immutable`, `createOnly` and `keep` only".to_owned(),
                );
            }
            let is_character = |byte: u8| is_inside(byte) || matches!(byte, b'/' | b'*' | b'?');
            return if key.bytes().all(is_character) {
                Ok(())
            } else {
                Err(NO_NAME.to_owned())
            };
        }
        let (domain, name) = match key.split_once('/') {
            Some((domain, name)) => (Some(domain), name),
            None => (None, key.as_str()),
        };
        let is_valid = is_name(name)
            && name.len() <= LONGEST_NAME
            && domain.is_none_or(|domain| {
                domain.len() <= LONGEST_DOMAIN && domain.split('.').all(is_label)
            });
        if is_valid {
            Ok(())
        } else if name.len() > LONGEST_NAME {
            Err(format!(
                "longer than the {LONGEST_NAME} characters that Kubernetes admits behind the `/`"
            ))
        } else {
            Err(NO_NAME.to_owned())
        }
    }
}

const NO_NAME: &str = "no annotation can have this name: write `name` or `domain/name`, of letters, digits, `-`, `_` and `.`";

const fn is_inside(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

fn has_ends(text: &str) -> bool {
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    is_end(text.as_bytes().first()) && is_end(text.as_bytes().last())
}

fn is_name(text: &str) -> bool {
    has_ends(text) && text.bytes().all(is_inside)
}

fn is_label(text: &str) -> bool {
    has_ends(text)
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

impl<'a> Name<'a> {
    /// The name or glob, without the prefix if it is relative to one.
    pub(crate) const fn text(&self) -> &'a str {
        self.text
    }

    /// The same text as a name, whatever it holds.
    #[must_use]
    pub(crate) const fn literal(self) -> Self {
        Self {
            is_glob: false,
            ..self
        }
    }

    /// Whether a prefix belongs before it.
    pub(crate) const fn is_relative(&self) -> bool {
        self.is_relative
    }

    /// Whether it is a glob.
    pub(crate) const fn is_glob(&self) -> bool {
        self.is_glob
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names<'static> {
        Names {
            prefix: "example.com/lb-",
            aliases: vec!["old.example.com/lb-"],
            ..Names::default()
        }
    }

    #[test]
    fn a_name_without_a_slash_is_relative_to_the_prefix() {
        let names = names();
        let spec = names.name("spec");
        assert_eq!(names.spelling(spec, "example.com/lb-spec"), Some(0));
        assert_eq!(names.spelling(spec, "old.example.com/lb-spec"), Some(1));
        assert_eq!(names.spelling(spec, "spec"), None);
        assert_eq!(names.spelling(spec, "example.com/lb-spec2"), None);
        let absolute = names.name("other.example.com/spec");
        assert_eq!(names.spelling(absolute, "other.example.com/spec"), Some(0));
        assert_eq!(
            names.spelling(absolute, "example.com/lb-other.example.com/spec"),
            None
        );
    }

    #[test]
    fn a_name_written_out_with_a_prefix_has_the_other_spellings() {
        let names = names();
        for text in ["example.com/lb-spec", "old.example.com/lb-spec"] {
            assert_eq!(names.name(text), names.name("spec"), "{text}");
        }
    }

    #[test]
    fn says_which_names_no_annotation_can_have() {
        let names = Names::default();
        for text in ["a", "a/b", "Example.com/A_b.c", "1/2", &"a".repeat(63)] {
            assert_eq!(names.check(names.name(text), false), Ok(()), "{text}");
        }
        for text in [
            "-a",
            "a-",
            "a/",
            "/a",
            "a/b/c",
            "a b",
            "a@b",
            "a..b/c",
            "a_b/c",
            "é",
            "a-/b",
            "a/.b",
            &"a".repeat(64),
        ] {
            assert!(names.check(names.name(text), false).is_err(), "{text}");
        }
        assert!(names.check(names.name("a/*"), false).is_err());
        assert!(names.check(names.name("a/*"), true).is_ok());
        assert!(names.check(names.name("a b*"), true).is_err());
    }
}
