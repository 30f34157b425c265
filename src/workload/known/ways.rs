//! Reads the notation of the table of well-known kinds, each part of it once.

use super::PARTS;

/// What comes next on the way to an image; numbers are places in [`Ways`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// The image is here, with these signs.
    Image(&'static str),
    /// A whole object is here.
    Object,
    /// On from there.
    On(usize),
    /// Both of these.
    Both(usize, usize),
    /// Only in a map where the first is the second, or unset.
    Where(&'static str, &'static str, usize),
    /// Into the members with this key, or into all.
    Member(&'static str, usize),
    /// Into each element of a list.
    Each(usize),
}

/// The ways to images that have been read.
#[derive(Debug, Default)]
pub(super) struct Ways {
    ways: Vec<Way>,
    /// Where the way begins that a text stands for, given where it goes on.
    begins: Vec<(&'static str, Option<usize>, usize)>,
}

impl Ways {
    pub(super) fn get(&self, at: usize) -> Option<Way> {
        self.ways.get(at).copied()
    }

    /// Where the way begins that a text stands for.
    pub(super) fn to(&mut self, text: &'static str, then: Option<usize>) -> usize {
        let is_known = |(known, on, _): &&(&str, Option<usize>, usize)| {
            known.as_ptr() == text.as_ptr() && *on == then
        };
        if let Some((_, _, begin)) = self.begins.iter().find(is_known) {
            return *begin;
        }
        // A part may be within itself.
        let begin = self.add(Way::On(0));
        self.begins.push((text, then, begin));
        let first = self.read(text, then);
        if let Some(way) = self.ways.get_mut(begin) {
            *way = Way::On(first);
        }
        begin
    }

    fn add(&mut self, way: Way) -> usize {
        self.ways.push(way);
        self.ways.len() - 1
    }

    fn read(&mut self, text: &'static str, then: Option<usize>) -> usize {
        let inside = text.get(1..).unwrap_or_default();
        match (text.bytes().next(), then) {
            (None, Some(then)) => then,
            (None | Some(b'~' | b':' | b'/' | b'+' | b'%'), _) => self.add(Way::Image(text)),
            (Some(b'.'), _) => self.read(inside, then),
            (Some(b'{'), _) => {
                let (mut left, rest) = split(inside, b'}');
                let then = Some(self.read(rest, then));
                let mut all = None;
                while !left.is_empty() {
                    let (first, rest) = split(left, b',');
                    let way = self.read(first, then);
                    all = Some(all.map_or(way, |all| self.add(Way::Both(all, way))));
                    left = rest;
                }
                all.unwrap_or_default()
            }
            (Some(b'<'), _) => {
                let (name, rest) = inside.split_once('>').unwrap_or_default();
                if name == "Object" {
                    return self.add(Way::Object);
                }
                let then = if rest.is_empty() {
                    then
                } else {
                    Some(self.read(rest, then))
                };
                let part = PARTS.iter().find(|(part, _)| *part == name);
                self.to(part.map_or("", |(_, text)| text), then)
            }
            (Some(b'('), _) => {
                let (condition, rest) = inside.split_once(')').unwrap_or_default();
                let (key, wanted) = condition.split_once('=').unwrap_or_default();
                let then = self.read(rest, then);
                self.add(Way::Where(key, wanted, then))
            }
            (Some(b'['), _) => {
                let (key, rest) = inside.split_once(']').unwrap_or_default();
                let then = self.read(rest, then);
                match key.strip_prefix('"') {
                    Some(key) => self.add(Way::Member(key.trim_end_matches('"'), then)),
                    None => self.add(Way::Each(then)),
                }
            }
            _ => {
                let ends = |byte: u8| b".[{(<~:/+%".contains(&byte);
                let end = text.bytes().position(ends).unwrap_or(text.len());
                let (key, rest) = text.split_at_checked(end).unwrap_or_default();
                let then = self.read(rest, then);
                self.add(Way::Member(key, then))
            }
        }
    }
}

/// What stands before and behind the first such mark that is in no braces.
fn split(text: &'static str, mark: u8) -> (&'static str, &'static str) {
    let mut depth = 0_usize;
    let end = text.bytes().position(|byte| {
        let is_end = byte == mark && depth == 0;
        match byte {
            b'{' => depth += 1,
            b'}' if !is_end => depth -= 1,
            _ => {}
        }
        is_end
    });
    let end = end.unwrap_or(text.len());
    let (before, behind) = text.split_at_checked(end).unwrap_or_default();
    (before, behind.get(1..).unwrap_or_default())
}
