//! What can be asked of a registry.

/// Whether a registry has an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Existence {
    /// It has it.
    There,
    /// It says that it does not.
    Missing,
    /// It cannot be asked, and why.
    Unknown(String),
}

/// Whoever can ask registries.
pub trait Registry {
    /// Whether the image is there. Asked at most once for each image of a request, which is a valid
    /// reference, and for a hundred of them.
    fn has(&self, image: &str) -> Existence;
}

/// Nobody to ask: as where Kubewarden has not granted the host capability.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unreachable;

impl Registry for Unreachable {
    fn has(&self, _: &str) -> Existence {
        Existence::Unknown("there is no access to registries".to_owned())
    }
}

/// What registries say of what they do not have, in the text of an error, in lower case. Kubewarden's
/// hosts hand on the registry's own words, not its code (`OciDistributionError` of oci-client), and
/// these are each registry's own.
const MISSING: [&str; 7] = [
    "manifest unknown",
    "manifest_unknown",
    "name unknown",
    "name_unknown",
    "not known to",
    "does not exist",
    "not found",
];

/// What they say where they do not tell whether they have it.
const FORBIDDEN: [&str; 4] = ["denied", "unauthorized", "permission", "authentic"];

impl Existence {
    /// What an error of the host means: that the registry does not have the image, or that it gave no
    /// answer.
    ///
    /// The text names the image's address as well, in which its author may write what he likes: only
    /// words that no address can hold count, and what follows it.
    pub fn of_error(error: String) -> Self {
        let lower = error.to_ascii_lowercase();
        let says = |answer: &str, words: &[&str]| words.iter().any(|words| contains(answer, words));
        let is_missing = if let Some(answer) = after(&lower, "oci api error:") {
            // Some say of what one may not see that it does not exist, or that one may not.
            !says(answer, &FORBIDDEN) && says(answer, &MISSING)
        } else if contains(&lower, "code: 404, message:") {
            true
        } else {
            after(&lower, "code: 400, message:")
                .is_some_and(|answer| says(answer, &["manifest_unknown", "name_unknown"]))
        };
        if is_missing {
            Self::Missing
        } else {
            Self::Unknown(error)
        }
    }
}

/// What follows the words in a text.
fn after<'t>(text: &'t str, words: &str) -> Option<&'t str> {
    let mut starts = text.char_indices().map(|(at, _)| at);
    let start = starts.find(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(words)))?;
    text.get(start + words.len()..)
}

fn contains(text: &str, words: &str) -> bool {
    after(text, words).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_is_not_there_from_what_cannot_be_asked() {
        let envelope = "Fail to interact with OCI registry: Registry error: url http://r.io/v2/a/manifests/1, envelope: OCI API errors: [OCI API error: ";
        for missing in [
            "manifest unknown]",
            "manifest tagged by \"x\" is not found]",
            "Requested image not found]",
            "The repository with name 'a' does not exist in the registry]",
            "repository name not known to registry]",
        ] {
            let text = format!("{envelope}{missing}");
            assert_eq!(Existence::of_error(text), Existence::Missing, "{missing}");
        }
        for missing in [
            "Server error: url https://r.io/v2/a/manifests/1, code: 404, message: <html>",
            "Server error: url https://r.io/v2/a/manifests/1, code: 400, message: {\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\"}]}",
        ] {
            assert_eq!(
                Existence::of_error(missing.to_owned()),
                Existence::Missing,
                "{missing}"
            );
        }
        for unknown in [
            "Not authorized: url https://r.io/v2/a/manifests/404",
            "Registry error: url https://r.io/v2/manifest_unknown/manifests/MANIFEST_UNKNOWN, envelope: OCI API errors: [OCI API error: access denied]",
            "error sending request for url (https://r.io/v2/404/manifests/NAME_UNKNOWN)\n\nCaused by:\n    host not found",
            "Server error: url https://r.io/v2/a/manifests/1, code: 503, message: try again",
            "Server error: url https://r.io/v2/a/manifests/1, code: 502, message: upstream host not found",
            "Server error: url https://r.io/v2/a/manifests/1, code: 403, message: repository does not exist or may require authorization",
            "Registry error: url https://r.io/v2/a/manifests/1, envelope: OCI API errors: [OCI API error: requested access denied: project does not exist]",
            "",
        ] {
            assert_eq!(
                Existence::of_error(unknown.to_owned()),
                Existence::Unknown(unknown.to_owned())
            );
        }
    }
}
