//! `/me/sharing`: the resident's permissions.

use super::parts::PermissionCard;

/// All permissions.
#[derive(Debug, Clone)]
pub struct SharingView {
    /// In force or suspended, newest first.
    pub in_force: Vec<PermissionCard>,
    /// Ended ones and those not given, latest end first.
    pub ended: Vec<PermissionCard>,
}

page!(SharingView, "sharing.html", Some(Section::Sharing));
