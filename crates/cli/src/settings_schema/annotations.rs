//! Rules about annotations, in the schema.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::selector::Match;
use super::{Action, Text};

#[derive(JsonSchema)]
#[schemars(
    rename_all = "camelCase",
    deny_unknown_fields,
    transform = either_rules_or_names
)]
pub(super) struct AnnotationRule {
    /// The name of the rule in messages.
    #[schemars(length(min = 1))]
    name: Option<String>,
    /// Which requests. Absent, all.
    r#match: Option<Match>,
    /// Whose annotations: the object's own, those of the Pods that it makes, or both.
    #[schemars(extend("default" = "object"))]
    target: Option<Target>,
    /// Stands before every name in this rule that has no `/`.
    #[schemars(
        length(min = 1),
        example = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-"
    )]
    prefix: Option<String>,
    /// Older spellings of `prefix`, which count where the first is absent.
    alias_prefixes: Option<Vec<Text>>,
    /// Other names of single annotations, by the first, which count where that is absent.
    aliases: Option<BTreeMap<String, OtherNames>>,
    /// Whether an annotation whose value is empty is as good as absent.
    #[schemars(extend("default" = false))]
    empty_is_absent: Option<bool>,
    /// Names or globs over names: every one must be there, and not empty.
    #[schemars(example = ["team"])]
    required: Option<Vec<Text>>,
    /// Groups of names, of each of which one must be there, and not empty.
    #[schemars(example = [["cert-manager.io/issuer", "cert-manager.io/cluster-issuer"]])]
    require_any: Option<Vec<Group>>,
    /// Globs over names: none may be there.
    #[schemars(example = ["nginx.ingress.kubernetes.io/*-snippet"])]
    denied: Option<Vec<Text>>,
    /// Globs over names: no others may be there, besides those that Kubernetes and its tools write.
    allowed: Option<Vec<Text>>,
    /// What values may be, by name or by glob over names. Beside `criteria`, the list of names that this is about.
    values: Option<Values>,
    /// Groups of names, of each of which at most one may be there.
    #[schemars(example = [["id", "spec"]])]
    conflicting: Option<Vec<Group>>,
    /// Conditions: where `when` holds, `then` must.
    requires: Option<Vec<Requirement>>,
    /// Names or globs over names: may not be added, changed or removed by an update.
    immutable: Option<Vec<Text>>,
    /// Names or globs over names: may not be added or changed by an update, but may be removed.
    create_only: Option<Vec<Text>>,
    /// Names or globs over names: may not be removed by an update.
    keep: Option<Vec<Text>>,
    /// Groups of names, of each of which one must stay while there is one.
    #[schemars(example = [["limit-rps", "limit-rpm"]])]
    keep_any: Option<Vec<Group>>,
    /// A criterion of Kubewarden's annotations policy, over the names in `values`.
    criteria: Option<Criterion>,
    /// What values of the object's own fields may be, by field path.
    fields: Option<BTreeMap<String, Checks>>,
    /// Refuse, let pass with a warning, or take the annotation out where `denied`, `createOnly` or
    /// `conflicting` object to it.
    #[schemars(extend("default" = "reject"))]
    action: Option<RuleAction>,
    /// What happens where one check of this rule is not met, by its key. It goes before `action`.
    actions: Option<Parts<Action>>,
    /// From when it refuses and removes: a day, or a time. Until then it warns.
    #[schemars(length(min = 1), example = "2026-12-31")]
    from: Option<String>,
    /// What to do instead, appended to the messages of this rule.
    #[schemars(length(min = 1))]
    message: Option<String>,
    /// What is appended instead where one check of this rule is not met, by its key.
    messages: Option<Parts<Text>>,
}

// Something for each check of an annotation rule.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields, inline)]
struct Parts<T> {
    /// Where `required` is not met.
    required: Option<T>,
    /// Where `requireAny` is not met.
    require_any: Option<T>,
    /// Where `denied` is not met.
    denied: Option<T>,
    /// Where `allowed` is not met.
    allowed: Option<T>,
    /// Where `values` is not met.
    values: Option<T>,
    /// Where `conflicting` is not met.
    conflicting: Option<T>,
    /// Where `requires` is not met.
    requires: Option<T>,
    /// Where `immutable` is not met.
    immutable: Option<T>,
    /// Where `createOnly` is not met.
    create_only: Option<T>,
    /// Where `keep` is not met.
    keep: Option<T>,
    /// Where `keepAny` is not met.
    keep_any: Option<T>,
    /// Where `criteria` is not met.
    criteria: Option<T>,
    /// Where `fields` is not met.
    fields: Option<T>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
enum Target {
    Object,
    PodTemplate,
    Both,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
enum RuleAction {
    Reject,
    Warn,
    Remove,
}

// At least one name.
#[derive(JsonSchema)]
#[schemars(inline)]
struct OtherNames(#[schemars(length(min = 1))] Vec<Text>);

// At least two names.
#[derive(JsonSchema)]
#[schemars(inline)]
struct Group(#[schemars(length(min = 2))] Vec<Text>);

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Values {
    /// Rules about values, by the name of the annotation.
    Rules(BTreeMap<String, ValueRule>),
    /// Names, beside `criteria`.
    Names(Vec<Text>),
}

// What values may be, and with what besides.
macro_rules! checks {
    ($name:ident { $($besides:tt)* }) => {
        #[derive(JsonSchema)]
        #[schemars(rename_all = "camelCase", deny_unknown_fields)]
        struct $name {
            /// Globs, one of which must match.
            #[schemars(example = ["internet", "intranet"])]
            one_of: Option<Vec<String>>,
            /// A regular expression that must match the whole value.
            #[schemars(length(min = 1), example = "[0-9]{1,3}")]
            pattern: Option<String>,
            /// The least that the value may be, a decimal integer.
            min: Option<i64>,
            /// The most that the value may be, a decimal integer.
            max: Option<i64>,
            /// Whether letter case does not count for `oneOf`, `pattern` and `not`.
            #[schemars(extend("default" = false))]
            any_case: Option<bool>,
            /// Globs, none of which may match. With `cidr`, networks, none of which may lie in the value.
            #[schemars(example = ["0.0.0.0/0", "::/0"])]
            not: Option<Vec<String>>,
            /// What the elements of the list that the value is may be.
            each: Option<Elements>,
            /// How many elements the list has: all count for `max`, those that are not empty for `min`.
            count: Option<Count>,
            /// The value is JSON of this type, without keys that differ by letter case alone.
            json: Option<JsonType>,
            /// Whether the value must be a network in CIDR notation whose host bits are zero.
            #[schemars(extend("default" = false))]
            cidr: Option<bool>,
            /// A field path of the object, one of whose values it must be.
            #[schemars(length(min = 1), example = "spec.ports[*].port")]
            path: Option<String>,
            /// A field path of the object: it must begin with the value there, and `-` or `/`.
            #[schemars(length(min = 1), example = "metadata.namespace")]
            starts_with_path: Option<String>,
            $($besides)*
        }
    };
}

checks!(ValueRule {
    /// The value that counts where the annotation is absent.
    default: Option<String>,
});

checks!(Checks {});

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Elements {
    /// What stands between two elements.
    #[schemars(length(min = 1), example = ",")]
    separator: String,
    /// Whether white space around an element does not belong to it.
    #[schemars(extend("default" = false))]
    trim: Option<bool>,
    /// Globs, one of which must match each element.
    one_of: Option<Vec<String>>,
    /// A regular expression that must match each element.
    #[schemars(length(min = 1), example = "[0-9]{1,3}")]
    pattern: Option<String>,
    /// The least that each element may be, a decimal integer.
    min: Option<i64>,
    /// The most that each element may be, a decimal integer.
    max: Option<i64>,
    /// Whether letter case does not count for `oneOf`, `pattern` and `not`.
    #[schemars(extend("default" = false))]
    any_case: Option<bool>,
    /// Globs, none of which may match an element. With `cidr`, networks, none of which may lie in one.
    #[schemars(example = ["0.0.0.0/0", "::/0"])]
    not: Option<Vec<String>>,
    /// Whether each element must be a network in CIDR notation whose host bits are zero.
    #[schemars(extend("default" = false))]
    cidr: Option<bool>,
    /// A field path of the object, one of whose values each element must be.
    #[schemars(length(min = 1), example = "spec.ports[*].port")]
    path: Option<String>,
    /// A field path of the object: each element must begin with the value there, and `-` or `/`.
    #[schemars(length(min = 1), example = "metadata.namespace")]
    starts_with_path: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields, inline)]
struct Count {
    /// The fewest elements that are not empty.
    #[schemars(range(min = 1))]
    min: Option<i64>,
    /// The most elements.
    #[schemars(range(min = 1))]
    max: Option<i64>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
enum JsonType {
    Object,
    Array,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Requirement {
    /// Names or globs over names, each with what its value is: a glob, `"*"` for present and not empty,
    /// `"!*"` for absent, or checks as in `values`. All must hold; of a list of such maps, those of one.
    when: Alternatives,
    /// What must hold then, written as `when`.
    then: Alternatives,
}

#[derive(JsonSchema)]
#[schemars(untagged, inline)]
enum Alternatives {
    One(Conditions),
    Any(#[schemars(length(min = 1))] Vec<Conditions>),
}

#[derive(JsonSchema)]
#[schemars(inline)]
struct Conditions(#[schemars(extend("minProperties" = 1))] BTreeMap<String, Option<Condition>>);

#[derive(JsonSchema)]
#[schemars(untagged, inline)]
enum Condition {
    Like(String),
    Checks(Box<Checks>),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
enum Criterion {
    ContainsAnyOf,
    DoesNotContainAnyOf,
    ContainsAllOf,
    DoesNotContainAllOf,
    ContainsOtherThan,
    DoesNotContainOtherThan,
}

/// `values` is a list where there are `criteria`, else a map.
fn either_rules_or_names(schema: &mut Schema) {
    let values = |types: Value| json!({ "values": { "type": types } });
    let names = json!({ "required": ["values"], "properties": values(json!("array")) });
    let rules = json!({ "properties": values(json!(["object", "null"])) });
    let criteria =
        json!({ "required": ["criteria"], "properties": { "criteria": { "type": "string" } } });
    schema.insert("if".to_owned(), criteria);
    schema.insert("then".to_owned(), names);
    schema.insert("else".to_owned(), rules);
}
