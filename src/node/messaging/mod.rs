//! Messages between nodes: the outbox's tasks, their delivery, and the events that arrive.

pub mod deliver_outbox;
pub(crate) mod outbox_message;
pub mod receive_event;
pub mod reconciliation;
