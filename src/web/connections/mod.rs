//! Connections, bounded in number and in the time that they may keep anything busy.
//!
//! The framework's own deadline covers the first head of a connection alone. Here every head has one, and every body
//! ([`body`]), and a connection that waits for its peer is closed when others need its place ([`table`]).

pub(super) mod body;
pub(super) mod phase;
pub(super) mod stream;
pub mod table;
