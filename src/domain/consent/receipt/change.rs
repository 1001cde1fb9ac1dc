//! Changes of a consent in receipts.

use crate::domain::consent::state::{Actor, ConsentStatus};
use crate::domain::word_enum::word_enum;

word_enum! {
    /// A change of a consent.
    pub enum ReceiptChange {
        /// The resident allowed.
        Given = "given",
        /// The resident declined.
        Declined = "declined",
        /// Suspended.
        Suspended = "suspended",
        /// Resumed.
        Resumed = "resumed",
        /// The resident withdrew it.
        Revoked = "revoked",
        /// The recipient gave it back.
        Returned = "returned",
        /// The holder's node ended it.
        Withdrawn = "withdrawn",
        /// Its last day passed.
        Expired = "expired",
        /// The last allowed exchange was made.
        Exhausted = "exhausted",
        /// Another consent replaced it.
        Replaced = "replaced",
    }
}

impl ReceiptChange {
    /// The status after it.
    #[must_use]
    pub(crate) const fn status(self) -> ConsentStatus {
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
            // The vocabulary's term for an end caused by somebody else than the data subject.
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
