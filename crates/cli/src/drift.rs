//! Git, the live workloads and the running Pods, side by side.
//!
//! | module | what it owns |
//! |---|---|
//! | [`workload`] | the containers of an object, typed as the API has them |
//! | [`compare`] | what the three columns say together |

pub(crate) mod compare;
pub(crate) mod workload;
