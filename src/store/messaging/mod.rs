//! Messages to and from other nodes.

pub mod outbox;
pub(crate) mod received_events;
