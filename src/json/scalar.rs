//! A value as far as comparing it with a text needs.

use std::borrow::Cow;

use super::node::Kind;
use super::scan::{kind_of, string};

/// What a value is, as far as comparing it with a text needs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    /// `null`
    Null,
    /// A string, without its quotes and escapes.
    Text(Cow<'a, str>),
    /// A number or boolean in its JSON spelling.
    Literal(&'a str),
    /// A list or a map.
    Composite {
        /// Whether it has no element or member.
        is_empty: bool,
    },
}

impl<'a> Scalar<'a> {
    /// Classifies a value by its first character; only strings are read.
    pub(crate) fn of(text: &'a str) -> Self {
        match kind_of(text) {
            Kind::Null => Self::Null,
            Kind::Bool | Kind::Number => Self::Literal(text),
            Kind::Text => Self::Text(string(text).unwrap_or_default()),
            Kind::List | Kind::Map => Self::Composite {
                is_empty: text.get(1..).is_some_and(|rest| {
                    matches!(rest.trim_start().as_bytes().first(), Some(b']' | b'}'))
                }),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_scalars_apart() {
        assert_eq!(Scalar::of("null"), Scalar::Null);
        assert_eq!(Scalar::of("1e2"), Scalar::Literal("1e2"));
        assert_eq!(Scalar::of("true"), Scalar::Literal("true"));
        assert_eq!(Scalar::of(r#""a\tb""#), Scalar::Text("a\tb".into()));
        assert_eq!(Scalar::of("[ ]"), Scalar::Composite { is_empty: true });
        assert_eq!(
            Scalar::of("{ \"a\":1}"),
            Scalar::Composite { is_empty: false }
        );
        assert_eq!(Scalar::of(r#""\ud800""#), Scalar::Text(r"\ud800".into()));
    }
}
