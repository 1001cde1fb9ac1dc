//! `/me/sharing/{id}/stop`: the question before stopping. Its form posts to the same address.

use super::parts::PermissionCard;

/// The question before a permission is stopped.
#[derive(Debug, Clone)]
pub struct StopView {
    /// The permission, in force or suspended.
    pub card: PermissionCard,
    /// How long the one who asked keeps what it has fetched, ISO 8601 duration.
    pub retention: String,
}

page!(StopView, "stop.html", Some(Section::Sharing));
