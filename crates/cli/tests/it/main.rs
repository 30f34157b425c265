//! The command as its users meet it.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod baseline;
#[cfg(test)]
mod before;
#[cfg(test)]
mod builds;
#[cfg(test)]
mod builds_before;
#[cfg(test)]
mod builds_written;
#[cfg(test)]
mod check;
#[cfg(test)]
mod command;
#[cfg(test)]
mod compose;
#[cfg(test)]
mod config;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod drift;
#[cfg(test)]
mod files;
#[cfg(test)]
mod fix;
#[cfg(test)]
mod images;
#[cfg(test)]
mod init;
#[cfg(test)]
mod judged;
#[cfg(test)]
mod kustomize;
#[cfg(test)]
mod manifests;
#[cfg(test)]
mod pipelines;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod same_verdict;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod settings_schema;
#[cfg(test)]
mod shell;
#[cfg(test)]
mod suite;
