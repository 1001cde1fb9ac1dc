//! Status, actors and reasons of a consent.

use crate::domain::word_enum::word_enum;

word_enum! {
    /// Who caused a change.
    pub enum Actor {
        /// The resident.
        Resident = "resident",
        /// The recipient, giving the consent back.
        Recipient = "recipient",
        /// The holder node itself, by rule (end date, number of exchanges, replayed code).
        Node = "node",
    }
}

word_enum! {
    /// The reason of a change: a stable code, stored with the change and sent to the recipient and the resident.
    pub enum Reason {
        /// The resident decided.
        Decided = "decided",
        /// The resident suspended it.
        Paused = "paused",
        /// The resident resumed it.
        Continued = "continued",
        /// The declared use no longer covers it.
        UseChanged = "use_changed",
        /// The declared use is no longer published.
        UseWithdrawn = "use_withdrawn",
        /// The recipient is not trusted now: it lost its membership or its role, or this node cannot verify the anchor.
        RecipientNotTrusted = "recipient_not_trusted",
        /// The declared use covers it again.
        UseFits = "use_fits",
        /// The resident withdrew it.
        TakenBack = "taken_back",
        /// The recipient gave it back.
        GivenBack = "given_back",
        /// Its code was replayed, hence stolen.
        CodeReplayed = "code_replayed",
        /// Its code was not redeemed in time.
        Unredeemed = "unredeemed",
        /// Its last day passed.
        LastDay = "last_day",
        /// The last allowed exchange was made.
        UsedUp = "used_up",
        /// Another consent replaced it.
        Replaced = "replaced",
        /// The holder was restored from a backup and no longer has it.
        LostByHolder = "lost_by_holder",
    }
}

impl Reason {
    /// Whether the node suspended the consent for it: then the resident alone cannot resume it.
    #[must_use]
    pub(crate) const fn holds_back(self) -> bool {
        match self {
            Self::UseChanged | Self::UseWithdrawn | Self::RecipientNotTrusted => true,
            Self::Decided
            | Self::Paused
            | Self::Continued
            | Self::UseFits
            | Self::TakenBack
            | Self::GivenBack
            | Self::CodeReplayed
            | Self::Unredeemed
            | Self::LastDay
            | Self::UsedUp
            | Self::Replaced
            | Self::LostByHolder => false,
        }
    }
}

word_enum! {
    /// Status of a consent or a request in the store, the log, receipts and bundles.
    pub enum ConsentStatus {
        /// In force.
        Active = "active",
        /// Suspended; can be resumed.
        Suspended = "suspended",
        /// Withdrawn by the resident.
        Revoked = "revoked",
        /// Given back by the recipient.
        Returned = "returned",
        /// Revoked by the holder's node.
        Withdrawn = "withdrawn",
        /// Its last day passed.
        Expired = "expired",
        /// The last allowed exchange was made.
        Exhausted = "exhausted",
        /// Another consent replaced it.
        Replaced = "replaced",
        /// The request was declined: there is no consent.
        Declined = "declined",
    }
}
