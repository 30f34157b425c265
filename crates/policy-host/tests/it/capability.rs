//! Patterns of host capabilities.

use policy_host::{CapabilityPattern, HostCapabilities};

#[track_caller]
fn grants(patterns: &[&str], path: &str) -> bool {
    let patterns: HostCapabilities = patterns
        .iter()
        .map(|pattern| pattern.parse::<CapabilityPattern>().unwrap())
        .collect();
    patterns.allow(path)
}

#[test]
fn patterns_grant_what_they_grant_in_kwctl() {
    for (patterns, path, granted) in [
        (&[][..], "oci/v1/verify", false),
        (&["*"], "oci/v1/verify", true),
        (&[" * "], "kubernetes/can_i", true),
        (&["oci/*"], "oci/v2/verify", true),
        (&["oci/*"], "net/v1/dns_lookup_host", false),
        (&["oci/v2/*"], "oci/v1/verify", false),
        (&["oci/v1/oci_manifest"], "oci/v1/oci_manifest", true),
        (
            &["oci/v1/oci_manifest"],
            "oci/v1/oci_manifest_config",
            false,
        ),
        (&["net/*", "kubernetes/can_i"], "kubernetes/can_i", true),
        (
            &["net/*", "kubernetes/can_i"],
            "kubernetes/get_resource",
            false,
        ),
    ] {
        assert_eq!(grants(patterns, path), granted, "{patterns:?}, {path}");
    }
    assert!(!HostCapabilities::default().allow("oci/v1/verify"));
    assert!(HostCapabilities::all().allow("oci/v1/verify"));
}

#[test]
fn other_patterns_are_errors() {
    for (pattern, problem) in [
        ("", "the pattern is empty"),
        (" ", "the pattern is empty"),
        (
            "oci*",
            "`*` stands for everything below a segment, at the end: `oci/*`",
        ),
        (
            "oci/v1/oci_*",
            "`*` stands for everything below a segment, at the end: `oci/*`",
        ),
        (
            "*/oci",
            "`*` stands for everything below a segment, at the end: `oci/*`",
        ),
        (
            "oci/*/*",
            "`*` stands for everything below a segment, at the end: `oci/*`",
        ),
        (
            "cache/*",
            "unknown segment `cache`, expected `crypto` or `kubernetes` or `net` or `oci`",
        ),
        (
            "oci/v9/verify",
            "unknown segment `v9`, expected `v1` or `v2`",
        ),
        (
            "oci/v2/digest",
            "unknown segment `digest`, expected `verify`",
        ),
        ("oci//verify", "unknown segment ``, expected `v1` or `v2`"),
        ("oci/", "unknown segment ``, expected `v1` or `v2`"),
        (
            "oci/v2/verify/x",
            "unknown segment `x`, expected nothing after a capability",
        ),
        (
            "oci/v2/verify/*",
            "unknown segment `*`, expected nothing after a capability",
        ),
        (
            "oci/v1",
            "no capability, only the beginning of some, write `oci/v1/*` for all of them",
        ),
        (
            "net",
            "no capability, only the beginning of some, write `net/*` for all of them",
        ),
    ] {
        let error = pattern.parse::<CapabilityPattern>().unwrap_err();
        assert_eq!(error.to_string(), problem, "{pattern:?}");
    }
}
