//! The host as its users meet it: as a library, and as a command.

#[cfg(test)]
mod annotate;
#[cfg(test)]
mod artifact_hub;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod capability;
#[cfg(test)]
mod command;
#[cfg(test)]
mod evaluate;
#[cfg(test)]
mod files;
#[cfg(test)]
mod growth;
#[cfg(test)]
mod guest;
#[cfg(test)]
mod host_calls;
#[cfg(test)]
mod publish;
#[cfg(test)]
mod registry;
#[cfg(test)]
mod run;
#[cfg(test)]
mod server;
#[cfg(test)]
mod session;
#[cfg(test)]
mod show;
