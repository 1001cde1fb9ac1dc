//! The words of a consent's life: its states, who changed them and why.

use crate::domain::word_enum::word_enum;

word_enum! {
    /// Who caused a change.
    pub enum Actor {
        /// The resident.
        Resident = "resident",
        /// The recipient, giving the consent back.
        Recipient = "recipient",
        /// The holder node itself, by rule (end date, use count, code replay).
        Node = "node",
    }
}

word_enum! {
    /// Why a change was made, as a stable word: kept with the change, told to the recipient and to the resident.
    pub enum Reason {
        /// The resident decided.
        Decided = "decided",
        /// The resident paused it.
        Paused = "paused",
        /// The resident let it go on.
        Continued = "continued",
        /// The declared use that it rests on no longer covers it.
        UseChanged = "use_changed",
        /// The declared use that it rests on is no longer published.
        UseWithdrawn = "use_withdrawn",
        /// The recipient is not trusted now: it lost its membership or its role, or this node cannot verify the anchor.
        RecipientNotTrusted = "recipient_not_trusted",
        /// The declared use covers it again.
        UseFits = "use_fits",
        /// The resident took it back.
        TakenBack = "taken_back",
        /// The recipient gave it back.
        GivenBack = "given_back",
        /// Its code came twice: it was stolen somewhere.
        CodeReplayed = "code_replayed",
        /// Nobody came for it in time.
        Unredeemed = "unredeemed",
        /// Its last day passed.
        LastDay = "last_day",
        /// Its last exchange was made.
        UsedUp = "used_up",
        /// Another consent took its place.
        Replaced = "replaced",
        /// The holder was restored from a backup and no longer knows it.
        LostByHolder = "lost_by_holder",
    }
}

impl Reason {
    /// Whether the node holds the consent back for it: then the resident alone cannot let the consent go on.
    #[must_use]
    pub const fn holds_back(self) -> bool {
        matches!(self, Self::UseChanged | Self::UseWithdrawn | Self::RecipientNotTrusted)
    }
}

word_enum! {
    /// What a consent, or a request, has become: the word of its state in the store, the log, receipts and bundles.
    pub enum ConsentStatus {
        /// In force.
        Active = "active",
        /// Held back; may become active again.
        Suspended = "suspended",
        /// Taken back by the resident.
        Revoked = "revoked",
        /// Given back by the recipient.
        Returned = "returned",
        /// Withdrawn by the holder's node.
        Withdrawn = "withdrawn",
        /// Its last day passed.
        Expired = "expired",
        /// Its last exchange was made.
        Exhausted = "exhausted",
        /// Another consent took its place.
        Replaced = "replaced",
        /// The request was declined: there never was a consent.
        Declined = "declined",
    }
}
