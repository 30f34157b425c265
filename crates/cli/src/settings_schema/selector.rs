//! The `match` language, in the schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::{Text, filled};

/// A `match`, or the `except` in it: the two have the same conditions.
macro_rules! conditions {
    ($(#[$doc:meta])* $name:ident { $($except:tt)* }) => {
        $(#[$doc])*
        #[derive(JsonSchema)]
        #[schemars(rename_all = "camelCase", deny_unknown_fields, transform = filled)]
        pub(super) struct $name {
            /// Globs over the namespace.
            #[schemars(example = ["prod-*"])]
            namespaces: Option<Vec<Text>>,
            /// Kinds: `Kind` in any group, `group/Kind` in one, `core/Kind` in the core group.
            #[schemars(example = ["apps/Deployment", "core/Pod"])]
            kinds: Option<Vec<Text>>,
            /// Globs over the name, else over `generateName`.
            names: Option<Vec<Text>>,
            /// Globs over `CREATE`, `UPDATE`, `DELETE`, `CONNECT`.
            #[schemars(example = ["CREATE"])]
            operations: Option<Vec<Text>>,
            /// Globs over the user name. Never match a request without one, such as the audit scanner's.
            users: Option<Vec<Text>>,
            /// Globs over the user's groups.
            groups: Option<Vec<Text>>,
            /// The object's own labels, each with a glob over the value, `"*"` for present and not empty, or
            /// `"!*"` for absent.
            labels: Option<BTreeMap<String, Option<String>>>,
            /// Field paths of the object, each with a condition as in `labels`. Numbers and booleans are
            /// written in quotes.
            #[schemars(example = BTreeMap::from([("spec.type", "LoadBalancer")]))]
            fields: Option<BTreeMap<String, Option<String>>>,
            /// As `fields`, on the object before the change. Never match a request without one.
            old_fields: Option<BTreeMap<String, Option<String>>>,
            $($except)*
        }
    };
}

conditions! {
    /// Which requests. What is absent matches everything; what is present must match.
    Match {
        /// What is not matched all the same: conditions that must all hold.
        except: Option<Except>,
    }
}

conditions! {
    /// What a `match` leaves out. What is present must match.
    Except {}
}
