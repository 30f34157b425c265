//! No text makes the parsers of patterns panic, and an entry rejects whatever it would allow.
//!
//! The first line is the pattern, the others are references.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollout_guard::image::Reference;
use rollout_guard::pattern::{ImagePattern, RegistryPattern, Sense, TagPattern};

fuzz_target!(|text: &str| {
    let (pattern, lines) = text.split_once('\n').unwrap_or((text, ""));
    // Wildcards filled in: what the pattern should match, more often than chance would have it.
    let filled = ["a", "a/b", "library/a", "docker.io", "1"]
        .map(|with| pattern.replace("**", with).replace(['*', '?'], with));
    let references: Vec<_> = lines
        .split('\n')
        .chain([pattern])
        .chain(filled.iter().map(String::as_str))
        .filter_map(|line| Reference::parse(line).ok())
        .collect();
    images(pattern, &references);
    registries(pattern, &references);
    tags(pattern, &references);
});

fn images(text: &str, references: &[Reference<'_>]) {
    let allowed = ImagePattern::parse(text, Sense::Allow);
    let rejected = ImagePattern::parse(text, Sense::Reject);
    let Ok(rejected) = rejected else {
        assert!(
            allowed.is_err(),
            "{text:?} can be allowed, but not rejected"
        );
        return;
    };
    assert_eq!(rejected.text(), text);
    for reference in references {
        let rejects = rejected.matches(reference, Sense::Reject);
        if let Ok(allowed) = &allowed {
            let allows = allowed.matches(reference, Sense::Allow);
            assert!(!allows || rejects, "{text:?} allows {reference} only");
        }
        if text == "*" || text == "*/*" || text == "*/**" {
            assert!(rejects, "{text:?} is not every image: {reference}");
        }
    }
    // An entry without wildcards is a reference as well, and matches itself.
    if !text.contains(['*', '?'])
        && let Ok(reference) = Reference::parse(text)
    {
        assert!(rejected.matches(&reference, Sense::Reject), "{text:?}");
        if let Ok(allowed) = &allowed {
            assert!(allowed.matches(&reference, Sense::Allow), "{text:?}");
        }
    }
}

fn registries(text: &str, references: &[Reference<'_>]) {
    let allowed = RegistryPattern::parse(text, Sense::Allow);
    let rejected = RegistryPattern::parse(text, Sense::Reject);
    let Ok(rejected) = rejected else {
        assert!(
            allowed.is_err(),
            "{text:?} can be allowed, but not rejected"
        );
        return;
    };
    for reference in references {
        let rejects = rejected.matches(reference, Sense::Reject);
        if let Ok(allowed) = &allowed {
            let allows = allowed.matches(reference, Sense::Allow);
            assert!(!allows || rejects, "{text:?} allows {reference} only");
        }
        assert!(text != "*" || rejects, "{reference}");
    }
    // Every port of a host is its default port as well, which a reference does not show.
    if let Some(host) = text.strip_suffix(":*")
        && !host.contains(['*', '?', '/'])
        && let Ok(reference) = Reference::parse(&format!("{host}:443/a"))
    {
        assert!(rejected.matches(&reference, Sense::Reject), "{text:?}");
    }
}

fn tags(text: &str, references: &[Reference<'_>]) {
    let Ok(entry) = TagPattern::parse(text) else {
        return;
    };
    for tag in references.iter().filter_map(Reference::tag) {
        let matches = entry.matches(tag);
        assert!(matches || text != "*", "{tag:?}");
        assert!(matches || text != tag, "{tag:?}");
    }
}
