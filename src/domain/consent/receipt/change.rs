//! What happened to a consent, as receipts name it.

use crate::domain::consent::state::{Actor, ConsentStatus};
use crate::domain::word_enum::word_enum;

word_enum! {
    /// What happened to a consent.
    pub enum ReceiptChange {
        /// The resident allowed.
        Given = "given",
        /// The resident did not allow.
        Declined = "declined",
        /// It was held back.
        Suspended = "suspended",
        /// It came back into force.
        Resumed = "resumed",
        /// The resident took it back.
        Revoked = "revoked",
        /// The recipient gave it back.
        Returned = "returned",
        /// The holder's node took it out of force.
        Withdrawn = "withdrawn",
        /// Its last day passed.
        Expired = "expired",
        /// Its last exchange was made.
        Exhausted = "exhausted",
        /// Another consent took its place.
        Replaced = "replaced",
    }
}

impl ReceiptChange {
    /// What a consent is after it.
    #[must_use]
    pub const fn status(self) -> ConsentStatus {
        match self {
            Self::Given | Self::Resumed => ConsentStatus::Active,
            Self::Declined => ConsentStatus::Declined,
            Self::Suspended => ConsentStatus::Suspended,
            Self::Revoked => ConsentStatus::Revoked,
            Self::Returned => ConsentStatus::Returned,
            Self::Withdrawn => ConsentStatus::Withdrawn,
            Self::Expired => ConsentStatus::Expired,
            Self::Exhausted => ConsentStatus::Exhausted,
            Self::Replaced => ConsentStatus::Replaced,
        }
    }

    /// The consent's status in the Data Privacy Vocabulary.
    pub(super) const fn dpv_status(self) -> &'static str {
        match self {
            Self::Given | Self::Resumed => "ConsentGiven",
            Self::Declined => "ConsentRefused",
            Self::Suspended => "ConsentStatusInvalidForProcessing",
            Self::Revoked => "ConsentWithdrawn",
            // The vocabulary's word for an end that somebody else than the person brings about.
            Self::Returned | Self::Withdrawn => "ConsentRevoked",
            Self::Expired | Self::Exhausted => "ConsentExpired",
            Self::Replaced => "ConsentInvalidated",
        }
    }

    /// How the change was made.
    pub(super) const fn method(self, actor: Actor) -> &'static str {
        match (self, actor) {
            (Self::Given, _) => "portal_with_login_signature",
            (_, Actor::Resident) => "portal",
            (_, Actor::Recipient) => "recipient",
            (_, Actor::Node) => "rule",
        }
    }
}
