//! The table of references in `tests/corpus/`: every production of the grammar.

use std::fmt::Write as _;

use rollout_guard::image::Reference;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    input: Option<String>,
    repeat: Option<Repeat>,
    host: Option<String>,
    path: Option<String>,
    tag: Option<String>,
    digest: Option<String>,
    refused: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeat {
    text: String,
    times: usize,
    prefix: String,
    suffix: String,
}

#[test]
fn reads_references_as_distribution_reference_does() {
    let table: Vec<Entry> =
        yaml_serde::from_str(include_str!("../corpus/references.yaml")).unwrap();
    let (mut parsed, mut refused) = (0, 0);
    for entry in &table {
        let input = match (&entry.input, &entry.repeat) {
            (Some(input), None) => input.clone(),
            (None, Some(repeat)) => format!(
                "{}{}{}",
                repeat.prefix,
                repeat.text.repeat(repeat.times),
                repeat.suffix
            ),
            _ => panic!("an entry has `input` or `repeat`"),
        };
        match (Reference::parse(&input), &entry.refused) {
            (Ok(reference), None) => {
                parsed += 1;
                assert_eq!(
                    Some(reference.host()),
                    entry.host.as_deref(),
                    "host of {input:?}"
                );
                if entry.repeat.is_none() || entry.path.is_some() {
                    assert_eq!(
                        Some(reference.path()),
                        entry.path.as_deref(),
                        "path of {input:?}"
                    );
                }
                assert_eq!(reference.tag(), entry.tag.as_deref(), "tag of {input:?}");
                assert_eq!(
                    reference.digest(),
                    entry.digest.as_deref(),
                    "digest of {input:?}"
                );
            }
            (Err(_), Some(_)) => refused += 1,
            (Ok(reference), Some(class)) => {
                panic!("{input:?} was read as {reference}, but is refused: {class}")
            }
            (Err(error), None) => panic!("{input:?} was refused: {error}"),
        }
    }
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("corpus", format!("parsed {parsed}, refused {refused}"));
    });
}

/// What each class of fault is called, for the eye.
#[test]
fn says_what_is_wrong_with_a_reference() {
    let table: Vec<Entry> =
        yaml_serde::from_str(include_str!("../corpus/references.yaml")).unwrap();
    let mut told = String::new();
    for entry in table.iter().filter(|entry| entry.refused.is_some()) {
        if let Some(input) = &entry.input
            && let Err(error) = Reference::parse(input)
        {
            writeln!(told, "{input:?}: {error}").unwrap();
        }
    }
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("reference_errors", told);
    });
}
