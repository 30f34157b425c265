//! Images as kustomize takes them apart (`api/internal/image`, `api/filters/imagetag`).

/// The parts of an image as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts<'i> {
    /// Registry and repository.
    pub name: &'i str,
    /// The tag.
    pub tag: Option<&'i str>,
    /// The digest.
    pub digest: Option<&'i str>,
}

impl<'i> Parts<'i> {
    /// The parts of an image.
    pub fn of(image: &'i str) -> Self {
        let (rest, digest) = match image.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (image, None),
        };
        // A port is before the first slash.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        Self { name, tag, digest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_a_name_a_tag_and_a_digest() {
        for (image, name, tag, digest) in [
            ("redis", "redis", None, None),
            ("redis:7", "redis", Some("7"), None),
            ("host:5000/a/b", "host:5000/a/b", None, None),
            (
                "host:5000/a/b:1@sha256:2",
                "host:5000/a/b",
                Some("1"),
                Some("sha256:2"),
            ),
            ("a@sha256:2", "a", None, Some("sha256:2")),
        ] {
            assert_eq!(Parts::of(image), Parts { name, tag, digest }, "{image}");
        }
    }
}
