//! A resident's permissions: overview, list, log, single permission, stopping.

pub(crate) mod card;
pub(crate) mod change;
pub(crate) mod detail;
pub(crate) mod list;
pub(crate) mod log;
pub(crate) mod log_entry;
pub(crate) mod overview;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod stop;
pub(crate) mod tracked;
