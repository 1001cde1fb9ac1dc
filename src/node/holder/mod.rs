//! This node as the holder: its authorization server, the resident's decision, the release of data and the life cycle
//! of consents.

pub mod decision;
pub mod exchange;
pub mod oauth;
pub mod permissions;
