//! The words of the states of a consent at its recipient.

use crate::domain::word_enum::word_enum;

word_enum! {
    /// The word of a state, stored and in the service API.
    pub enum HeldStatus {
        /// The resident has not decided.
        Requested = "requested",
        /// Given in the holder's portal; the code waits to be redeemed.
        Given = "given",
        /// Data may be fetched.
        Active = "active",
        /// Held back by the resident or the holder; data may be fetched again when the holder says so.
        Suspended = "suspended",
        /// The resident said no.
        Declined = "declined",
        /// Nobody decided in time.
        Lapsed = "lapsed",
        /// The holder cannot put it before a resident, or issued something that does not hold.
        Failed = "failed",
        /// Over: taken back, expired, used up, or refused by the holder.
        Ended = "ended",
    }
}

impl HeldStatus {
    /// The states that nothing leads out of.
    pub const ENDS: [Self; 4] = [Self::Declined, Self::Lapsed, Self::Failed, Self::Ended];

    /// Whether nothing leads out of it.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Declined | Self::Lapsed | Self::Failed | Self::Ended)
    }
}
