//! `/me/data`: what the city holds about the resident, and the download of it.

pub(super) mod download;
#[cfg(test)]
pub(super) mod samples;
pub(super) mod show;
pub(crate) mod view;
