//! The place that an image is pulled from instead.

use crate::glob;
use crate::image::host::is_host;
use crate::image::{DOCKER_HUB, OFFICIAL, Reference, ReferenceError, Split, Wild, normalize_host};
use crate::pattern::{SourcePattern, crossing, plainer};

/// The `mirror` of a rule: `registry.example.com/library`, `example.azurecr.io/redis:7.2-final`, or a
/// template such as `registry.example.com/cache/{registry}/{repository}`.
///
/// # Syntax
///
/// A reference without a digest. Without placeholders what follows the source in the image's path is
/// appended. With placeholders these are filled in: `{registry}` (host and port), `{repository}` (the
/// whole path, with `library/`), `{name}` (the last part of it), `{tag}` (`latest` where an image has
/// none). Without a tag, or `{tag}`, the image's own tag is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    text: &'a str,
    /// Whether the text has placeholders.
    is_template: bool,
    host: String,
    path: String,
    tag: Option<String>,
}

/// Why a text is no mirror: what is wrong, and what to write instead.
pub type TargetError = String;

/// The placeholders of a template.
const PLACEHOLDERS: [&str; 4] = ["registry", "repository", "name", "tag"];

impl<'a> Target<'a> {
    /// As written, without its tag.
    pub(crate) fn without_tag(&self) -> &str {
        let tag = self.tag.as_deref().unwrap_or_default();
        let before = self.text.strip_suffix(tag);
        before.map_or(self.text, |before| before.trim_end_matches(':'))
    }

    /// Reads a mirror.
    ///
    /// # Errors
    ///
    /// Where no image can be there.
    pub fn parse(text: &'a str) -> Result<Self, TargetError> {
        if let Some(split) = Split::plain(text).filter(Split::has_good_tag)
            && let Some(host) = split.host
        {
            return Ok(Self::of(text, &split, host.to_owned(), false));
        }
        if glob::has_wildcard(text) {
            return Err(
                "a mirror has no wildcard, use `{registry}`, `{repository}`, `{name}` or `{tag}`"
                    .to_owned(),
            );
        }
        // What the placeholders stand for may be anything: `*`.
        let mut globs = String::with_capacity(text.len());
        pieces(text, &mut |piece| {
            match piece {
                Piece::Literal(literal) => globs.push_str(literal),
                Piece::Placeholder(name) if PLACEHOLDERS.contains(&name) => globs.push('*'),
                Piece::Placeholder(name) => {
                    return Err(format!(
                        "unknown placeholder `{{{name}}}`, there are `{{registry}}`, `{{repository}}`, `{{name}}` and `{{tag}}`"
                    ));
                }
                Piece::Open(_) => return Err("a `{` without its `}`".to_owned()),
            }
            Ok(())
        })?;
        let is_template = globs != text;
        if is_template && !text.contains('/') {
            return Err(
                "a template begins with a host: `registry.example.com/{repository}`".to_owned(),
            );
        }
        let split = Split::of_place(&globs, Wild::Anywhere);
        if split.digest.is_some() {
            return Err(
                "a mirror has no digest: `digest` says what becomes of the image's own".to_owned(),
            );
        }
        if !is_template {
            check(text, &split)?;
        }
        let host = normalize_host(split.host.unwrap_or(DOCKER_HUB)).into_owned();
        Ok(Self::of(text, &split, host, is_template))
    }

    /// The mirror of parts that fit the grammar, and the normal form of its host.
    fn of(text: &'a str, split: &Split<'_>, host: String, is_template: bool) -> Self {
        Self {
            text,
            is_template,
            path: split.path.to_owned(),
            tag: split.tag.map(str::to_owned),
            host,
        }
    }

    /// The mirror as written.
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// Whether it has placeholders.
    pub const fn is_template(&self) -> bool {
        self.is_template
    }

    /// Whether it names a tag, be it by `{tag}`.
    pub const fn has_tag(&self) -> bool {
        self.tag.is_some()
    }

    /// Makes `text` the image there: of an `image` with this `rest` of its path behind the source, and
    /// this `digest`.
    pub(crate) fn fill(
        &self,
        image: &Reference<'_>,
        rest: &str,
        digest: Option<&str>,
        text: &mut String,
    ) {
        // A mirror is kept as long as its image.
        let filled = if self.is_template {
            image.host().len() + image.path().len()
        } else {
            rest.len()
        };
        let tags = image.written_tag().map_or(0, str::len) + digest.map_or(0, str::len);
        text.clear();
        text.reserve(self.text.len() + filled + tags + 3);
        // That it can be read was seen in `parse`.
        let _ = pieces(self.text, &mut |piece| {
            text.push_str(match piece {
                Piece::Literal(literal) | Piece::Open(literal) => literal,
                Piece::Placeholder("registry") => image.host(),
                Piece::Placeholder("repository") => image.path(),
                Piece::Placeholder("name") => image.path().rsplit('/').next().unwrap_or_default(),
                Piece::Placeholder(_) => image.tag().unwrap_or("latest"),
            });
            Ok(())
        });
        if !self.is_template && !rest.is_empty() {
            text.push('/');
            text.push_str(rest);
        }
        if self.tag.is_none()
            && let Some(tag) = image.written_tag()
        {
            text.push(':');
            text.push_str(tag);
        }
        if let Some(digest) = digest {
            text.push('@');
            text.push_str(digest);
        }
    }

    /// Whether an image is there already. `may_be_at`: images can be at the mirror's path, not only
    /// below it.
    pub(crate) fn holds(&self, image: &Reference<'_>, may_be_at: bool) -> bool {
        let is_host = if self.is_template {
            glob::matches(&self.host, image.host())
        } else {
            self.host == image.host()
        };
        is_host
            && self.holds_tag(image)
            && (self.holds_path(image.path())
                || ((may_be_at || self.is_template)
                    && self.is_official()
                    && image
                        .path()
                        .strip_prefix(OFFICIAL)
                        .is_some_and(|path| self.holds_path(path))))
    }

    fn holds_path(&self, path: &str) -> bool {
        if self.is_template {
            crossing(&self.path, path)
        } else if self.tag.is_some() {
            self.path == path
        } else {
            self.path.is_empty() || is_at_or_below(&self.path, path)
        }
    }

    fn holds_tag(&self, image: &Reference<'_>) -> bool {
        match (&self.tag, image.tag()) {
            (None, _) => true,
            (Some(wanted), Some(tag)) => glob::matches(wanted, tag),
            (Some(wanted), None) => wanted == "*",
        }
    }

    /// Whether what is at its path is an official image of Docker Hub.
    fn is_official(&self) -> bool {
        self.host == DOCKER_HUB && !self.path.contains('/')
    }

    /// What matches whatever is held to be under the mirror of a source, for [`glob::may_meet`]: host, path
    /// (one of them) and tag.
    pub(crate) fn globs(&self, source: &SourcePattern<'_>) -> (&str, Vec<String>, &str) {
        let mut paths = Vec::new();
        if self.is_template {
            paths.push(self.filled_path(source));
        } else if !self.path.is_empty() {
            paths.push(self.path.clone());
        }
        if self.is_official() && (self.is_template || source.may_be_at()) {
            let official = paths.iter().map(|path| [OFFICIAL, path].concat());
            paths.extend(official.collect::<Vec<_>>());
        }
        if !self.is_template && self.tag.is_none() {
            let slash = if self.path.is_empty() { "" } else { "/" };
            paths.push(format!("{}{slash}{}", self.path, glob::ANY_DEPTH));
        }
        (&self.host, paths, self.tag.as_deref().unwrap_or("*"))
    }

    /// The path of what a template makes of the images of a source, for [`glob::may_meet`].
    fn filled_path(&self, source: &SourcePattern<'_>) -> String {
        let (host, covered, _) = source.globs();
        let mut path = String::new();
        let _ = pieces(self.text, &mut |piece| {
            match piece {
                Piece::Literal(literal) | Piece::Open(literal) => path.push_str(literal),
                // What has no dot has a port, which no path can hold, or is this machine.
                Piece::Placeholder("registry") => {
                    path.push_str(if host == "*" { "*.*" } else { host });
                }
                Piece::Placeholder("repository") => {
                    // One for all of them: what is at the path, and what is below it.
                    let at = covered.last().map_or("", String::as_str);
                    path.push_str(at);
                    if covered.len() > 1 {
                        path.push(glob::ANY_DEPTH);
                    }
                }
                Piece::Placeholder(_) => path.push('*'),
            }
            Ok(())
        });
        let start = match self.text.split_once('/') {
            Some((first, _)) if is_host(&first.replace('{', "*"), Wild::Anywhere) => {
                path.find('/').map_or(0, |at| at + 1)
            }
            _ => 0,
        };
        let mut path = path.split_off(start);
        // What is behind the `:` of the last part is the tag.
        let last = path.rfind('/').unwrap_or_default();
        if let Some(at) = path.get(last..).and_then(|last| last.find(':')) {
            path.truncate(last + at);
        }
        path
    }

    /// Whether every image is there already, so that nothing can ever be rewritten to it.
    pub(crate) fn is_everything(&self) -> bool {
        self.host == "*"
            && self.tag.as_deref().is_none_or(|tag| tag == "*")
            && matches!(self.path.as_str(), "*" | "*/*")
    }
}

/// Holds a mirror without placeholders to the grammar of references.
fn check(text: &str, split: &Split<'_>) -> Result<(), TargetError> {
    // A host alone gets some path.
    let sample = if split.path.is_empty() {
        format!("{text}/a")
    } else {
        text.to_owned()
    };
    let problem = |error: ReferenceError| {
        plainer("a mirror", text)
            .unwrap_or_else(|| format!("is not a valid image reference: {error}"))
    };
    Reference::parse(&sample).map(|_| ()).map_err(problem)
}

fn is_at_or_below(above: &str, path: &str) -> bool {
    path.strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A part of a template.
enum Piece<'t> {
    Literal(&'t str),
    /// The name of a placeholder.
    Placeholder(&'t str),
    /// A brace that none belongs to, and what follows.
    Open(&'t str),
}

fn pieces<'t>(
    text: &'t str,
    read: &mut dyn FnMut(Piece<'t>) -> Result<(), TargetError>,
) -> Result<(), TargetError> {
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once('{') {
        read(Piece::Literal(literal))?;
        let Some((name, after)) = after.split_once('}') else {
            return read(Piece::Open(after));
        };
        read(Piece::Placeholder(name))?;
        rest = after;
    }
    read(Piece::Literal(rest))
}
