//! The members of the cities' network, and the declared uses of their services.

pub(crate) mod members;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod use_page;
