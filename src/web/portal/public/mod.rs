//! The pages that anyone may read: what this is, the catalogue, what problems mean.

pub(crate) mod assets;
pub(crate) mod catalogue;
pub(crate) mod home;
pub(crate) mod problem;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod uses;
