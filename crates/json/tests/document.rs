//! The reader beside `serde_json`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use proptest::prelude::*;
use proptest::sample::select;
use rollout_guard_json::{Document, Kind, Mistake, Value, write_string};
use serde::Deserialize as _;

fn is_json(text: &str) -> bool {
    Document::of(text).is_ok()
}

fn is_json_to_serde(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Where the value ends that a text begins with.
fn first_end(text: &str) -> Option<usize> {
    let (document, behind) = Document::first(text).ok()?;
    let space = text.get(document.root().span().end..behind);
    assert!(space.is_some_and(|space| space.trim().is_empty()));
    Some(document.root().span().end)
}

fn first_end_to_serde(text: &str) -> Option<usize> {
    let mut reader = serde_json::Deserializer::from_str(text);
    serde::de::IgnoredAny::deserialize(&mut reader).ok()?;
    let reader = reader.into_iter::<serde::de::IgnoredAny>();
    Some(reader.byte_offset())
}

/// What a cursor and those below it lead to; a repeated key counts with its last value, as in a map.
fn followed(value: Value<'_>) -> serde_json::Value {
    match value.kind() {
        Kind::List => value.elements().map(followed).collect(),
        Kind::Map => {
            let members = value.members();
            let members = members.map(|(key, value)| (key.text().to_owned(), followed(value)));
            serde_json::Value::Object(members.collect())
        }
        Kind::Text => serde_json::Value::from(value.string().unwrap()),
        _ => serde_json::from_str(value.text()).unwrap(),
    }
}

/// Asserts that a document says the same as `serde_json`, in all its parts.
fn assert_followed(text: &str) {
    let document = Document::of(text).unwrap();
    let root = document.root();
    assert_eq!(
        followed(root),
        serde_json::from_str::<serde_json::Value>(text).unwrap(),
        "{text}"
    );
    assert_parts(root, text);
}

const NOTED: [&str; 5] = [
    "containers",
    "initContainers",
    "ephemeralContainers",
    "volumes",
    "metadata",
];

fn holds_pods(value: Value<'_>) -> bool {
    let mut members = value.members();
    members.any(|(key, below)| NOTED.contains(&key.text()) || holds_pods(below))
        || value.elements().any(holds_pods)
}

/// Asserts that what a value is written as is that value, and stands where it says.
fn assert_parts(value: Value<'_>, text: &str) {
    assert_eq!(text.get(value.span()), Some(value.text()));
    let has_escapes = value.is_composite() && value.text().contains('\\');
    assert!(value.may_hold_pods() || !holds_pods(value), "{text}");
    assert!(
        !value.may_hold_pods() || holds_pods(value) || has_escapes,
        "{text}"
    );
    let part = serde_json::from_str::<serde_json::Value>(value.text()).unwrap();
    assert_eq!(followed(value), part, "{text}");
    let mut last = value.position();
    let members = value.members().flat_map(|(key, below)| {
        assert!(key.is(key.text()) && !key.is(&format!("{}x", key.text())));
        assert!(
            value
                .all(key.text())
                .any(|found| found.position() == below.position())
        );
        [below]
    });
    for below in members.chain(value.elements()) {
        assert!(last < below.position(), "{text}");
        last = below.position();
        assert_parts(below, text);
    }
}

#[test]
fn takes_each_part_of_the_grammar() {
    for text in [
        "[0,-0,-1.5e+3,1E9,10,[],{},[[],{}],true,false,null]",
        "10",
        " [ ] ",
        r#"["\u00e9\\\n",{"":null,"":false}]"#,
        "\"\u{7f}\u{80}\"",
        " { \"a\" : [ 1 , {\"b\":\"]}\\\\\"} , [ ] ,null],\n\"c\":{\"d\":{\"e\":-1.5e3}},\"c\" : {\"d\":\"x\" } } ",
    ] {
        assert!(is_json_to_serde(text), "{text}");
        assert_followed(text);
    }
    // Around the 64 bytes that are looked at together.
    for length in 0..140 {
        let plain = "x".repeat(length);
        assert_followed(&format!("[\"{plain}\",\"{plain}\\\\\",\"\\u0041{plain}\"]"));
        assert!(!is_json(&format!("\"{plain}\n\"")) && !is_json(&format!("\"{plain}\\\"")));
    }
    assert!(
        is_json(r#""\ud800""#),
        "half a pair is JSON, though no text"
    );
}

#[test]
fn says_where_no_json_goes_on() {
    let wrong: [(usize, &[&str]); 8] = [
        (
            0,
            &[
                "", "-", "1.", ".1", "1e", "1e+", "+1", "nul", "]", "'a'", "NaN", "\0",
            ],
        ),
        (0, &["\u{feff}1"]),
        (
            1,
            &[
                " ", "01", "[,1]", "{,}", "{1:1}", "[}", "{]", "\"", "\"\\", "1,", "1\0",
            ],
        ),
        (1, &[r#""\x""#, r#""\u00g0""#, "\"\t\""]),
        (2, &["[1", "1 2", "[]]", "[],[]", "[1\0]"]),
        (3, &["[1,]", "[1 2]"]),
        (4, &["truex", r#"{"a"}"#]),
        (5, &[r#"{"a":}"#, r#"{"a" 1}"#]),
    ];
    let more = [(6, r#"{"a":1:2}"#), (6, r#"{"a":1"#), (7, r#"{"a":1,}"#)];
    let wrong = wrong
        .iter()
        .flat_map(|(at, texts)| texts.iter().map(|text| (*at, *text)));
    for (at, text) in wrong.chain(more) {
        assert!(!is_json_to_serde(text), "{text}");
        assert_eq!(
            Document::of(text).unwrap_err(),
            Mistake::NotJson(at),
            "{text}"
        );
    }
    assert_eq!(
        Document::read(b"[\"a\xff\"]").unwrap_err(),
        Mistake::NotUtf8(3)
    );
}

#[test]
fn what_is_nested_deep_closes_as_it_opened() {
    for levels in [1, 63, 64, 65, 129, 100_000] {
        let opening: String = (0..levels)
            .map(|level| if level % 3 == 0 { "[" } else { "{\"a\":" })
            .collect();
        let closing: String = (0..levels)
            .rev()
            .map(|level| if level % 3 == 0 { ']' } else { '}' })
            .collect();
        let text = format!("{opening}1{closing}");
        let document = Document::of(&text).unwrap();
        assert!(document.root().may_be_as_deep_as(levels));
        assert!(!document.root().may_be_as_deep_as(levels + 1));
        for at in [0, levels / 2, levels - 1] {
            let mut wrong = closing.clone().into_bytes();
            wrong[at] = if wrong[at] == b']' { b'}' } else { b']' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert!(!is_json(&format!("{opening}1{wrong}")), "{levels} {at}");
        }
    }
}

#[test]
fn a_repeated_key_leads_to_all_its_values() {
    let document = Document::of(r#"{"a":1,"b":2,"\u0061":3,"ab":4}"#).unwrap();
    let root = document.root();
    let texts: Vec<_> = root.all("a").map(Value::text).collect();
    assert_eq!(texts, ["1", "3"]);
    assert_eq!(root.get("a").unwrap().text(), "3");
    assert!(root.get("").is_none() && root.get("c").is_none());
    let one = Document::of("[1]").unwrap();
    assert!(one.root().get("0").is_none() && one.root().members().next().is_none());
    assert!(root.elements().next().is_none() && root.string().is_none());
}

#[test]
fn keys_that_are_noted_are_known_all_the_way_up() {
    for key in NOTED {
        let (first, rest) = key.split_at(1);
        let escaped = format!("\\u00{:x}{rest}", first.as_bytes()[0]);
        for written in [key, &escaped] {
            assert_followed(&format!(
                r#"{{"a":[[],{{"b":1,"{written}":[{{}}],"c":{{}}}},"{key}"],"d":{{"e":"{key}"}}}}"#
            ));
        }
    }
}

#[test]
fn half_a_pair_stays_as_it_is_written() {
    for half in [
        r"\ud83d",
        r"a\ude00",
        r"\ud83d\u0041",
        r"\ud83dx",
        r"\ud83d\ud83d\ude00",
        r"\ud83d\n",
        r"\ud83d\\",
        r"\ud83dx\ude00",
        r"\ud83d\\\ude00",
    ] {
        let text = format!("\"{half}\"");
        assert!(serde_json::from_str::<String>(&text).is_err());
        assert_eq!(Document::of(&text).unwrap().root().string(), Some(half));
    }
}

#[test]
fn writes_what_it_reads() {
    for text in [
        "",
        "a",
        "é\"\\/\u{7f}\u{2028}",
        "\n\t\u{0}\u{1f}\u{1}x",
        &"x\"".repeat(99),
    ] {
        let mut json = String::new();
        write_string(&mut json, text);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        assert_eq!(Document::of(&json).unwrap().root().string(), Some(text));
    }
}

/// Some JSON, in some spelling.
fn json() -> impl Strategy<Value = String> {
    let space = select(vec!["", "", "", " ", "\n\t"]);
    let text = proptest::collection::vec(
        select(vec![
            "a",
            "é",
            "]",
            "}",
            ",",
            r#"\""#,
            r"\\",
            r"\n",
            r"\u0041",
            r"\ud83d\ude00",
            "0123456789",
        ]),
        0..12,
    );
    let text = prop_oneof![
        4 => text.prop_map(|parts| format!("\"{}\"", parts.concat())),
        1 => select(NOTED.to_vec()).prop_map(|key| format!("\"{key}\"")),
    ];
    let leaf = prop_oneof![
        select(vec![
            "0", "-1", "17", "-2.5e-3", "1E5", "true", "false", "null", "[]", "{}"
        ])
        .prop_map(str::to_owned),
        text.clone(),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let spaced = (space.clone(), inner, space.clone());
        let spaced = spaced.prop_map(|(before, value, after)| [before, &value, after].concat());
        let member = (space.clone(), text.clone(), space.clone(), spaced.clone());
        let member =
            member.prop_map(|(before, key, after, value)| format!("{before}{key}{after}:{value}"));
        prop_oneof![
            proptest::collection::vec(spaced, 0..6).prop_map(|all| format!("[{}]", all.join(","))),
            proptest::collection::vec(member, 0..6)
                .prop_map(|all| format!("{{{}}}", all.join(","))),
        ]
    })
}

proptest! {
    #[test]
    fn says_what_serde_json_says(text in json()) {
        assert_followed(&text);
    }

    #[test]
    fn agrees_with_serde_json_on_what_is_json(
        tokens in proptest::collection::vec(select(vec![
            "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\"a\":", "\\", "\\u", "00e9", "\\n", "a", "é",
            "1", "0", "-", ".", "e", "E+", "true", "false", "null", " ", "\n", "\t", "\u{1}", "12345678", "\0",
        ]), 0..24),
    ) {
        let text = tokens.concat();
        prop_assert_eq!(is_json(&text), is_json_to_serde(&text), "{}", text);
    }

    #[test]
    fn agrees_with_serde_json_on_where_the_first_value_ends(text in json(), behind in json(), between in select(vec![" ", "\n", ",", "]", "x", ":"])) {
        let text = [text.as_str(), between, &behind].concat();
        prop_assert_eq!(first_end(&text), first_end_to_serde(&text), "{}", text);
    }

    #[test]
    fn agrees_with_serde_json_on_what_was_json(
        text in json(),
        at in any::<proptest::sample::Index>(),
        put in select(vec!["", "\"", "\\", "{", "]", ",", ":", "0", "\u{0}", "x"]),
        cut in any::<bool>(),
    ) {
        let mut text = text;
        let at = at.index(text.len() + 1);
        if text.is_char_boundary(at) {
            text.insert_str(at, put);
            if cut {
                text.truncate(at);
            }
        }
        prop_assert_eq!(is_json(&text), is_json_to_serde(&text), "{}", text);
    }
}
