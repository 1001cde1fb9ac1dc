//! Messages between nodes: the outbox's items, their delivery, and received events.

pub mod deliver_outbox;
pub(crate) mod outbox_message;
pub(crate) mod receive_event;
pub mod reconciliation;
