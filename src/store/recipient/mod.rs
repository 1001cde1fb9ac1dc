//! What the node keeps as a recipient.

pub mod deletions;
pub mod fetches;
pub mod held_consents;
pub mod pending_events;
