//! This node as the holder: its authorization server, the resident's decision, the release of data and the life cycle
//! of consents.

pub mod decision;
pub(crate) mod exchange;
pub(crate) mod oauth;
pub(crate) mod pairwise;
pub mod permissions;
