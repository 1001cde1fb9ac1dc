//! `/receipt/verify`: whether a receipt is what it says, for anyone.

use crate::node::resident::check_receipt::{SignerKey, Verified};

/// The page, before and after a check.
#[derive(Debug, Clone)]
pub struct VerifyView {
    /// What came of the check, where something was sent.
    pub verified: Option<Verified>,
}

impl VerifyView {
    /// Whether it can be relied on.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        matches!(
            self.verified,
            Some(Verified::Genuine {
                key: SignerKey::InUse | SignerKey::Retired | SignerKey::GivenUpSince,
                ..
            })
        )
    }
}

page!(VerifyView, "verify.html", None);
