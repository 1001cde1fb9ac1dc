//! A resident's passkey at this node (Web Authentication).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::ids::Thumbprint;

/// A passkey as registered. Stored sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Passkey {
    /// `base64url(SHA-256(credential id))`.
    pub credential_hash: String,
    /// Its public key (JWK).
    pub public_key: Value,
    /// The thumbprint of that key.
    pub thumbprint: Thumbprint,
    /// The verifier's state, including its counter; opaque to everything else.
    pub(crate) credential: String,
    /// The resident's name for it.
    pub(crate) label: String,
}

impl std::fmt::Debug for Passkey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passkey").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}
