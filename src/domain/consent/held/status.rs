//! The status of a consent at its recipient.

use crate::domain::word_enum::word_enum;

word_enum! {
    /// The status of a consent, stored and in the service API.
    pub enum HeldStatus {
        /// Undecided.
        Requested = "requested",
        /// Given in the holder's portal; the code is to be redeemed.
        Given = "given",
        /// Data may be fetched.
        Active = "active",
        /// Suspended by the resident or the holder; data may be fetched again when the holder resumes it.
        Suspended = "suspended",
        /// The resident declined.
        Declined = "declined",
        /// Expired undecided.
        Lapsed = "lapsed",
        /// The holder cannot show it to a resident, or its response does not verify.
        Failed = "failed",
        /// Ended: withdrawn, expired, used up, or refused by the holder.
        Ended = "ended",
    }
}

impl HeldStatus {
    pub(crate) const ENDS: [Self; 4] = [Self::Declined, Self::Lapsed, Self::Failed, Self::Ended];

    /// Whether it is an end state.
    #[must_use]
    pub(crate) const fn is_end(self) -> bool {
        match self {
            Self::Declined | Self::Lapsed | Self::Failed | Self::Ended => true,
            Self::Requested | Self::Given | Self::Active | Self::Suspended => false,
        }
    }
}
