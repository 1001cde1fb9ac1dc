//! This node as the holder: it authorises, lets the resident decide, releases data and follows the permission's
//! life.

pub mod decision;
pub mod exchange;
pub mod oauth;
pub mod permissions;
