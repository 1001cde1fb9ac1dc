//! The result of a verified signature.

use crate::domain::ids::{KeyId, Thumbprint};

/// Claims with a verified signature. Only [`super::UnverifiedJws::verify`] and [`super::UnverifiedJws::verify_with`]
/// create them.
#[derive(Debug, Clone)]
pub struct Verified<C> {
    pub(super) claims: C,
    pub(super) kid: Option<KeyId>,
    pub(super) thumbprint: Thumbprint,
    pub(super) digest: String,
}

impl<C> Verified<C> {
    /// The claims.
    #[must_use]
    pub const fn claims(&self) -> &C {
        &self.claims
    }

    /// The claims, by value.
    #[must_use]
    pub(crate) fn into_claims(self) -> C {
        self.claims
    }

    /// The `kid` in the header.
    #[must_use]
    pub const fn kid(&self) -> Option<&KeyId> {
        self.kid.as_ref()
    }

    /// The thumbprint of the key that verified it.
    #[must_use]
    pub(crate) const fn key_thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }

    /// Base64url SHA-256 of the compact form. For records only: an ECDSA signature has more than one valid encoding, so
    /// this must never be the key of replay protection.
    #[must_use]
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }
}
