//! What nodes tell each other after one of them was restored from a backup: what each still knows of the consents between
//! them (docs/protocol-notes.md, "Restored backups").

use serde::{Deserialize, Serialize};

use crate::domain::consent::{Commitment, ReasonWord};
use crate::domain::ids::GrantId;
use crate::domain::word_enum::word_enum;

/// Type of [`ReconciliationRequested`].
pub const REQUESTED: &str = "urn:omadata:event:reconciliation-requested";

/// Type of [`ReconciliationAnswered`].
pub const ANSWERED: &str = "urn:omadata:event:reconciliation-answered";

word_enum! {
    /// In which role a node was restored and asks.
    pub enum RestoredRole {
        /// As the holder: it may have forgotten ends, suspensions and exchanges, and asks what the recipient knows.
        Holder = "holder",
        /// As the recipient: it may have forgotten what the holder told it, and asks to be told again.
        Recipient = "recipient",
    }
}

/// A node was restored and asks what the other knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReconciliationRequested {
    /// The asker's role.
    pub role: RestoredRole,
    /// Tells this restoration from others: milliseconds since 1970.
    pub epoch: u64,
}

/// What a recipient knows of a holder's consents, in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReconciliationAnswered {
    /// The restoration that is answered.
    pub epoch: u64,
    /// The consents of this part, [`MOST_IN_A_PART`] at most.
    pub consents: Vec<KnownConsent>,
    /// Whether this is the last part: what was in none of them is not known to the recipient.
    pub complete: bool,
}

/// Most consents in one part, so that an event stays well below its 16 KiB.
pub const MOST_IN_A_PART: usize = 40;

/// How far a consent is known to its recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownConsent {
    /// Its grant.
    pub grant_id: GrantId,
    /// Which consent of the grant.
    pub commitment: Commitment,
    /// Where it stands.
    pub state: KnownState,
    /// Why it is suspended or over, as the holder had said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonWord>,
    /// How many exchanges brought data.
    pub exchanges: u32,
}

word_enum! {
    /// Where a consent stands at its recipient.
    pub enum KnownState {
        /// Data may be fetched.
        Active = "active",
        /// Held back.
        Suspended = "suspended",
        /// Over.
        Ended = "ended",
    }
}
