//! The members of the cities' network, and what their services declare.

pub(crate) mod members;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod use_page;
