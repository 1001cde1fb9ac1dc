//! What the node keeps as a recipient.

pub(crate) mod deletions;
pub mod fetches;
pub mod held_consents;
pub mod pending_events;
