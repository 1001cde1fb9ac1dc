//! The decision on a request: the page, its form, the signing login's return, and the result.

pub(crate) mod decide;
pub(crate) mod decided;
mod fill;
pub(crate) mod form;
pub(crate) mod open;
mod outcome;
pub(crate) mod persons;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod show;
pub(crate) mod view;
