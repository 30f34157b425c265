//! No text makes the parser of references panic, and what it reads it reads again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollout_guard::image::Reference;

/// What distribution/reference, and so this parser, counts as the length of a path.
const LONGEST_PATH: usize = 255;

fuzz_target!(|text: &str| {
    let reference = match Reference::parse(text) {
        Ok(reference) => reference,
        Err(error) => {
            let told = error.to_string();
            assert!(!told.contains(char::is_control), "{told:?}");
            let (_, position) = told.rsplit_once(' ').expect("a position");
            let position: usize = position.parse().expect("a position");
            assert!((1..=text.chars().count() + 1).contains(&position), "{told}");
            return;
        }
    };
    assert!(text.is_ascii());
    assert!(!reference.host().is_empty() && !reference.path().is_empty());
    assert!(
        !reference
            .host()
            .bytes()
            .any(|byte| byte.is_ascii_uppercase())
    );
    assert!(!reference.host().ends_with(":443"));
    assert!(reference.tag().is_some() || reference.digest().is_some());
    if let Some(unpinned) = reference.without_digest() {
        assert_eq!(unpinned.digest(), None);
        assert_eq!(unpinned.tag(), reference.tag());
    }
    // A host of one label is known as one by its upper-case letter or port, and loses both.
    let has_mark = reference.host() == "localhost" || reference.host().contains(['.', ':']);
    // What upstream does not count, `library/` below an alias of Docker Hub, the normal form has.
    let fits = reference.path().len() <= LONGEST_PATH;
    if has_mark && fits {
        let shown = reference.to_string();
        assert_eq!(
            Reference::parse(&shown).as_ref(),
            Ok(&reference),
            "{text:?} is shown as {shown:?}"
        );
    }
});
