//! The federation as seen from here: trust chains resolved from the anchors, members, trust marks, diagnosis
//! (OpenID Federation 1.0).

pub(crate) mod anchor;
pub(crate) mod bounded_cache;
pub(crate) mod cache;
pub(crate) mod diagnose;
pub mod directory;
pub(crate) mod resolver;
pub(crate) mod superior;
pub(crate) mod superior_client;
pub(crate) mod trust_marks;
