//! The commands of `policy-host` that publish, one module each.

mod pull;
mod push;
mod scaffold;

pub use pull::Pull;
pub use push::Push;
pub use scaffold::Scaffold;
