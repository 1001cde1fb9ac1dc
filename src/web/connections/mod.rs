//! Limits of connections, in number and time.
//!
//! The framework's deadline covers only the first request head of a connection. Here every head has one, and every body
//! ([`body`]), and a connection that waits for its client is closed when others need its place ([`table`]).

pub(super) mod body;
pub(super) mod phase;
pub(super) mod stream;
pub(crate) mod table;
