//! The pattern language of image lists: host, path, tag and digest, each matched on its own.
//!
//! Owns what a list entry means. Where the lists stand, and what happens on a match, is in
//! [`check`](crate::check).

mod host;
mod image;
mod path;
mod registry;
mod shape;
mod source;
mod tag;

pub use image::ImagePattern;
pub(crate) use path::crossing;
pub use registry::RegistryPattern;
pub use source::SourcePattern;
pub use tag::TagPattern;

/// What a list does with what its entries match, which decides how wide a wildcard reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// The list admits: `*` stays within a segment of the path, and dangerous hosts are errors.
    Allow,
    /// The list restricts: `*` crosses segments, so that an entry never covers less than it says.
    Reject,
}

/// Why a text is no entry of a list: what is wrong, and what to write instead. Reads well behind the
/// entry and a colon.
pub type PatternError = String;

/// What to write instead of a text with a scheme, which `what` it should be does not have.
#[cold]
fn without_scheme(what: &str, text: &str) -> Option<String> {
    let rest = crate::image::after_scheme(text)?.trim_end_matches('/');
    Some(format!("{what} must not contain a scheme, write `{rest}`"))
}

/// What to write instead of a text with a scheme or a final `/`, neither of which `what` it should be has.
#[cold]
pub(crate) fn plainer(what: &str, text: &str) -> Option<String> {
    let hint = without_scheme(what, text);
    if hint.is_some() {
        return hint;
    }
    let rest = text.strip_suffix('/')?.trim_end_matches('/');
    Some(format!("ends with `/`, write `{rest}`"))
}

/// How a problem with a part of an entry begins: with the part, unless that is all of the entry,
/// which is shown before the problem.
fn part_of(entry: &str, part: &str) -> String {
    if part == entry {
        String::new()
    } else {
        format!("`{part}` ")
    }
}
