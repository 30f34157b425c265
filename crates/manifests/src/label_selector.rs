//! Label selectors, as webhooks and policies have them.

use std::collections::BTreeMap;

use crate::manifest::Value;

/// Labels.
pub type Labels = BTreeMap<String, String>;

/// What labels have to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    /// None that is known: it keeps nothing from being judged.
    Unknown,
}

impl LabelSelector {
    /// Reads a selector: `matchLabels` and `matchExpressions`.
    pub fn read(selector: Value<'_>) -> Self {
        let text = |value: Value<'_>| value.text().unwrap_or_default().into_owned();
        let labels = selector.get("matchLabels");
        let labels = labels.into_iter().flat_map(Value::members);
        let labels = labels.map(|(key, value)| Requirement {
            key: text(key),
            operator: Operator::In,
            values: vec![text(value)],
        });
        let expressions = selector.get("matchExpressions");
        let expressions = expressions.into_iter().flat_map(Value::elements);
        let expressions = expressions.map(|expression| Requirement {
            key: expression.get("key").map(text).unwrap_or_default(),
            operator: match expression.text_at(&["operator"]).as_deref() {
                Some("In") => Operator::In,
                Some("NotIn") => Operator::NotIn,
                Some("Exists") => Operator::Exists,
                Some("DoesNotExist") => Operator::DoesNotExist,
                _ => Operator::Unknown,
            },
            values: expression
                .get("values")
                .into_iter()
                .flat_map(Value::elements)
                .map(text)
                .collect(),
        });
        Self(labels.chain(expressions).collect())
    }

    /// Whether labels are so; an empty selector takes all.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|requirement| {
            let value = labels.get(&requirement.key);
            let is_in = value.is_some_and(|value| requirement.values.contains(value));
            match requirement.operator {
                Operator::In => is_in,
                // What lacks the key is not in the list either.
                Operator::NotIn => !is_in,
                Operator::Exists => value.is_some(),
                Operator::DoesNotExist => value.is_none(),
                Operator::Unknown => true,
            }
        })
    }
}

/// The labels of an object.
pub fn labels(object: Value<'_>) -> Labels {
    let labels = object.get("metadata").and_then(|it| it.get("labels"));
    let labels = labels.into_iter().flat_map(Value::members);
    labels
        .filter_map(|(key, value)| Some((key.text()?.into_owned(), value.text()?.into_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;

    #[test]
    fn a_selector_takes_what_the_api_server_takes() {
        for (selector, taken) in [
            ("{}", [true, true, true]),
            ("{ matchLabels: { tier: edge } }", [true, false, false]),
            (
                "{ matchExpressions: [{ key: tier, operator: In, values: [edge, core] }] }",
                [true, true, false],
            ),
            (
                "{ matchExpressions: [{ key: tier, operator: NotIn, values: [edge] }] }",
                [false, true, true],
            ),
            (
                "{ matchExpressions: [{ key: tier, operator: Exists }] }",
                [true, true, false],
            ),
            (
                "{ matchExpressions: [{ key: tier, operator: DoesNotExist }] }",
                [false, false, true],
            ),
            (
                "{ matchExpressions: [{ key: tier, operator: Later }] }",
                [true, true, true],
            ),
        ] {
            let documents = manifest::readable(selector);
            let selector = LabelSelector::read(documents[0].tree.root().unwrap());
            let with = |tier: &str| Labels::from([("tier".to_owned(), tier.to_owned())]);
            let found = [with("edge"), with("core"), Labels::new()];
            assert_eq!(
                found.map(|labels| selector.matches(&labels)),
                taken,
                "{selector:?}"
            );
        }
    }
}
