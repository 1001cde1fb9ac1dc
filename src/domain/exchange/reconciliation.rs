//! Events between nodes after one of them was restored from a backup: the comparison of their knowledge of the consents
//! between them (docs/protocol-notes.md, "Restored backups").

use serde::{Deserialize, Serialize};

use crate::domain::consent::{Commitment, ReasonWord};
use crate::domain::ids::GrantId;
use crate::domain::word_enum::word_enum;

/// Type of [`ReconciliationRequested`].
pub(crate) const REQUESTED: &str = "urn:omadata:event:reconciliation-requested";

/// Type of [`ReconciliationAnswered`].
pub(crate) const ANSWERED: &str = "urn:omadata:event:reconciliation-answered";

word_enum! {
    /// The role in which a node was restored.
    pub enum RestoredRole {
        /// As the holder: it may have lost ends, suspensions and exchanges, and asks for the recipient's knowledge.
        Holder = "holder",
        /// As the recipient: it may have lost events, and asks for them again.
        Recipient = "recipient",
    }
}

/// A node was restored and asks for the other's knowledge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReconciliationRequested {
    /// The sender's role.
    pub role: RestoredRole,
    /// Identifies this restoration: milliseconds since 1970.
    pub(crate) epoch: u64,
}

/// A recipient's knowledge of a holder's consents, in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReconciliationAnswered {
    /// The restoration that is answered.
    pub(crate) epoch: u64,
    /// The consents of this part, at most [`MOST_IN_A_PART`].
    pub consents: Vec<KnownConsent>,
    /// Whether this is the last part: consents in none of them are unknown to the recipient.
    pub complete: bool,
}

/// Maximum number of consents in one part, so that an event stays well below its 16 KiB.
pub(crate) const MOST_IN_A_PART: usize = 40;

/// A recipient's knowledge of one consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownConsent {
    pub(crate) grant_id: GrantId,
    /// Which consent of the grant.
    pub(crate) commitment: Commitment,
    pub(crate) state: KnownState,
    /// The holder's reason of a suspension or an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<ReasonWord>,
    /// Number of exchanges with data.
    pub(crate) exchanges: u32,
}

word_enum! {
    /// State of a consent at its recipient.
    pub(crate) enum KnownState {
        /// Data may be fetched.
        Active = "active",
        Suspended = "suspended",
        Ended = "ended",
    }
}
