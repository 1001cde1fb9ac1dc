//! The use cases, one file per verb.

pub mod federation;
