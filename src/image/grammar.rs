//! The grammar of [distribution/reference], one function a production.
//!
//! Each takes the text of its part and answers with what is wrong and the byte where. That of hosts is in
//! [`host`](super::host).
//!
//! [distribution/reference]: https://github.com/distribution/reference/blob/main/reference.go

/// What is wrong, and the byte where.
pub(super) type Checked = Result<(), (&'static str, usize)>;

/// Repository paths may have 255 characters (`RepositoryNameTotalLengthMax`).
const LONGEST_PATH: usize = 255;

/// Tags may have 128 characters.
const LONGEST_TAG: usize = 128;

/// Why a text is the ID of an image that a node has, whatever registry it came from, and not a name.
///
/// The bare digits are one to distribution/reference. A digest alone reads as a name and a tag there, but
/// containerd takes it for an ID before it parses a name (`LocalResolve` in `internal/cri/server/images`).
pub(crate) fn identifier(text: &str) -> Option<&'static str> {
    let is_bare = text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_bare {
        Some("64 hexadecimal digits are an image's identifier, not a name")
    } else if text.starts_with("sha") && digest(text).is_ok() {
        Some("a digest alone is an image's identifier, not a name")
    } else {
        None
    }
}

/// Path components joined by `/`, 255 characters at most with the `added` ones.
pub(crate) fn path(text: &str, added: usize) -> Checked {
    if !is_plain_path(text) {
        let mut start = 0;
        for component in text.split('/') {
            path_component(component).map_err(|(problem, at)| (problem, start + at))?;
            start += component.len() + 1;
        }
    }
    if text.len() + added > LONGEST_PATH {
        return Err((
            "more than 255 characters",
            LONGEST_PATH.saturating_sub(added),
        ));
    }
    Ok(())
}

/// Whether a text certainly is a path of any length, in one pass: what is not may still be one.
fn is_plain_path(text: &str) -> bool {
    let mut previous = b'/';
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' => {}
            b'-' | b'.' | b'_' | b'/' if previous.is_ascii_alphanumeric() => {}
            _ => return false,
        }
        previous = byte;
    }
    previous.is_ascii_alphanumeric()
}

/// Lower-case letters and digits, with `.`, `_`, `__` or hyphens between them.
fn path_component(text: &str) -> Checked {
    if text.is_empty() {
        return Err(("empty part of the path", 0));
    }
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii_lowercase() || byte.is_ascii_digit() {
            at += 1;
            continue;
        }
        if byte.is_ascii_uppercase() {
            return Err(("must be lower case", at));
        }
        let run = bytes
            .iter()
            .skip(at)
            .take_while(|&&next| next == byte)
            .count();
        match byte {
            b'.' if run > 1 => return Err(("`..` is no separator", at)),
            b'_' if run > 2 => return Err(("`___` is no separator", at)),
            b'.' | b'_' | b'-' => {}
            _ => {
                return Err((
                    "expected lower-case letters, digits, `.`, `_`, `-` or `/`",
                    at,
                ));
            }
        }
        if at == 0 {
            return Err(("begins with a separator", at));
        }
        match bytes.get(at + run) {
            None => return Err(("ends with a separator", at)),
            Some(b'.' | b'_' | b'-') => return Err(("two separators side by side", at + run)),
            Some(_) => at += run,
        }
    }
    Ok(())
}

/// A letter, digit or `_`, then up to 127 of these, `.` and `-`.
pub(crate) fn tag(text: &str) -> Checked {
    if text.is_empty() {
        return Err(("empty tag after `:`", 0));
    }
    if text.starts_with(['.', '-']) {
        return Err(("begins with `.` or `-`", 0));
    }
    if let Some(at) = text
        .bytes()
        .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')))
    {
        return Err(("expected letters, digits, `_`, `.` or `-`", at));
    }
    if text.len() > LONGEST_TAG {
        return Err(("more than 128 characters", LONGEST_TAG));
    }
    Ok(())
}

/// An algorithm that registries know, `:`, and its number of lower-case hexadecimal digits.
///
/// distribution/reference accepts what [go-digest] has registered: these three.
///
/// [go-digest]: https://github.com/opencontainers/go-digest/blob/master/algorithm.go
pub(crate) fn digest(text: &str) -> Checked {
    let Some((algorithm, encoded)) = text.split_once(':') else {
        return Err(("expected `sha256:` and 64 hexadecimal digits", 0));
    };
    let (length, problem) = match algorithm {
        "sha256" => (64, "sha256 has 64 hexadecimal digits"),
        "sha384" => (96, "sha384 has 96 hexadecimal digits"),
        "sha512" => (128, "sha512 has 128 hexadecimal digits"),
        _ => return Err(("unknown algorithm, expected sha256, sha384 or sha512", 0)),
    };
    let start = algorithm.len() + 1;
    if let Some(at) = encoded
        .bytes()
        .position(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    {
        return Err(("expected lower-case hexadecimal digits", start + at));
    }
    if encoded.len() == length {
        Ok(())
    } else {
        Err((problem, start + encoded.len().min(length)))
    }
}
