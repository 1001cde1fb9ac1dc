//! Public pages: front page, catalogue, problem types.

pub(crate) mod assets;
pub(crate) mod catalogue;
pub(crate) mod home;
pub(crate) mod problem;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod uses;
