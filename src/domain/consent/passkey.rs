//! A passkey's signature on a decision (Web Authentication, an assertion whose challenge is the commitment): the second
//! evidence that a dataset may require. Verified from the assertion, the commitment and the holder's identifier alone,
//! anywhere and at any later time.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::Commitment;
use crate::domain::ids::Thumbprint;
use crate::domain::jose::{ExternalKey, from_b64url, parse_strict_json, sha256};

/// Maximum size of one part of an assertion in bytes.
const MAX_BYTES: usize = 4096;

/// Length of the RP ID hash in the authenticator data; then follow the flags and a counter of four bytes.
const HASH_BYTES: usize = 32;
const LEAST_DATA_BYTES: usize = HASH_BYTES + 1 + 4;

const USER_PRESENT: u8 = 0x01;

const USER_VERIFIED: u8 = 0x04;

/// A passkey's signature as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PasskeyEvidence {
    /// `base64url(SHA-256(credential id))`: identifies the passkey without its credential id.
    pub credential_hash: String,
    /// Its public key (JWK), as registered.
    pub public_key: Value,
    /// `clientDataJSON` as signed, base64url.
    pub client_data: String,
    /// `authenticatorData` as signed, base64url.
    pub authenticator_data: String,
    /// The signature, base64url.
    pub signature: String,
}

/// Why a passkey's signature is invalid; each names the part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    /// The decision requires one, and there is none.
    #[error("the passkey's signature is missing")]
    Missing,
    /// The document names other passkeys, or none.
    #[error("the passkey is none of those that the document names")]
    Other,
    /// A part is not base64url, too large or malformed.
    #[error("the passkey's signature is malformed")]
    Malformed,
    /// The public key is not one of P-256, Ed25519 or RSA.
    #[error("the passkey's public key is malformed")]
    Key,
    /// Not an assertion, or made in an embedded page.
    #[error("the passkey was used for something else")]
    Purpose,
    /// Another challenge.
    #[error("the passkey signed another decision")]
    Challenge,
    /// Another origin than the holder's.
    #[error("the passkey signed at another address")]
    Origin,
    /// The user was not verified.
    #[error("the device did not make sure that its owner was there")]
    Owner,
    /// The signature does not verify.
    #[error("the passkey's signature does not verify")]
    Signature,
}

/// The allowed origin and RP ID of this holder's passkeys.
fn relying_party(holder: &str) -> Option<(String, String)> {
    let url = url::Url::parse(holder).ok()?;
    Some((url.origin().ascii_serialization(), url.host_str()?.to_owned()))
}

impl PasskeyEvidence {
    /// Verifies every link: challenge → commitment, origin and RP ID → holder, user verification, signature. Returns
    /// the key's thumbprint, to be compared with those in the document.
    ///
    /// # Errors
    /// [`PasskeyError`]: the first link that is invalid.
    pub fn verify(&self, commitment: &Commitment, holder: &str) -> Result<Thumbprint, PasskeyError> {
        let key = ExternalKey::from_jwk(&self.public_key).map_err(|_| PasskeyError::Key)?;
        let (origin, host) = relying_party(holder).ok_or(PasskeyError::Origin)?;
        let client_data = part(&self.client_data)?;
        let members = parse_strict_json(&client_data).map_err(|_| PasskeyError::Malformed)?;
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        if text("type") != Some("webauthn.get") || members.get("crossOrigin") == Some(&Value::Bool(true)) {
            return Err(PasskeyError::Purpose);
        }
        if text("challenge") != Some(commitment.as_str()) {
            return Err(PasskeyError::Challenge);
        }
        if text("origin") != Some(origin.as_str()) {
            return Err(PasskeyError::Origin);
        }
        let data = part(&self.authenticator_data)?;
        if data.len() < LEAST_DATA_BYTES {
            return Err(PasskeyError::Malformed);
        }
        let (bound_to, rest) = data.split_at(HASH_BYTES);
        if bound_to != sha256(host.as_bytes()) {
            return Err(PasskeyError::Origin);
        }
        let flags = rest.first().copied().unwrap_or_default();
        if flags & USER_PRESENT == 0 || flags & USER_VERIFIED == 0 {
            return Err(PasskeyError::Owner);
        }
        let message = [data.as_slice(), &sha256(&client_data)].concat();
        key.check_assertion(&message, &part(&self.signature)?).map_err(|_| PasskeyError::Signature)?;
        Ok(key.thumbprint().clone())
    }
}

fn part(text: &str) -> Result<Vec<u8>, PasskeyError> {
    if text.len() > MAX_BYTES {
        return Err(PasskeyError::Malformed);
    }
    from_b64url(text).map_err(|_| PasskeyError::Malformed)
}
