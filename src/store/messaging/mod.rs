//! Messages to and from other nodes.

pub mod outbox;
pub mod received_events;
