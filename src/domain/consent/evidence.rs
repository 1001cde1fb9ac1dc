//! The evidence for a decision: the login provider's signature over the commitment to what the resident saw.
//!
//! Kept sealed with the consent. [`Evidence::verify`] needs nothing but the evidence itself and the commitment that
//! the consent token carries, so it can be judged anywhere, at any later time.

use serde::{Deserialize, Serialize};

use super::document::{Commitment, ConsentDocument, Salt};
use super::passkey::{PasskeyError, PasskeyEvidence};
use crate::domain::clock::Timestamp;
use crate::domain::jose::{JoseError, id_token};

/// What is kept of one decision.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Evidence {
    /// The consent document in canonical JSON, byte for byte.
    pub document: String,
    /// The salt of the commitment, base64url.
    pub salt: String,
    /// The ID token whose `nonce` is the commitment, compact.
    pub id_token: String,
    /// The login provider's public key (JWK) that signed it, as published at that time.
    pub provider_key: serde_json::Value,
    /// The login provider.
    pub provider: String,
    /// This node's client identifier at the provider: whom the ID token was made for.
    pub client_id: String,
    /// The passkey's signature over the same commitment, where the dataset demanded one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passkey: Option<PasskeyEvidence>,
}

impl std::fmt::Debug for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evidence").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// Evidence that holds. Only [`Evidence::verify`] makes one.
#[derive(Debug, Clone)]
pub struct VerifiedEvidence {
    /// What the resident saw and decided.
    pub document: ConsentDocument,
    /// When the provider signed (`iat`), seconds since 1970.
    pub signed_at: i64,
    /// The provider's key, to be compared with what the provider publishes or published then.
    pub provider_key: serde_json::Value,
    /// The provider.
    pub provider: String,
}

/// The longest between Allow and the provider's signature, in seconds.
const LONGEST_SIGNING_SECS: u64 = 20 * 60;

/// Why evidence does not hold; each names the part that was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// The document is not canonical JSON of the known form.
    #[error("the consent document is not in its canonical form")]
    Document,
    /// The salt is not 32 bytes in base64url.
    #[error("the salt is malformed")]
    Salt,
    /// Document or salt differ from what was committed to.
    #[error("the document or its salt is not what the commitment was made to")]
    Commitment,
    /// The provider's key did not sign this ID token.
    #[error("the login provider's signature does not verify: {0}")]
    Signature(JoseError),
    /// The ID token was signed for something else.
    #[error("the login provider signed another decision")]
    Nonce,
    /// The ID token names another provider, or was made for another client of it.
    #[error("the ID token is another provider's or another application's")]
    Provider,
    /// Somebody else logged in than the one whom the document commits to.
    #[error("another person signed than the one whom the document names")]
    Signer,
    /// Signed long before or after the decision.
    #[error("the signature is not of the time of the decision")]
    Time,
    /// The document names passkeys, and none of them signed.
    #[error(transparent)]
    Passkey(#[from] PasskeyError),
}

impl Evidence {
    /// Checks every link: canonical document → commitment → nonce → the provider's signature → its person, client and
    /// time. Whether the key is really the provider's is for the caller to compare with what the provider publishes.
    ///
    /// # Errors
    /// [`EvidenceError`]: the first link that does not hold.
    pub fn verify(&self, commitment: &Commitment) -> Result<VerifiedEvidence, EvidenceError> {
        let document: ConsentDocument =
            serde_json::from_str(&self.document).map_err(|_| EvidenceError::Document)?;
        if document.canonical().ok().as_deref() != Some(self.document.as_str()) {
            return Err(EvidenceError::Document);
        }
        let salt = decode_salt(&self.salt).ok_or(EvidenceError::Salt)?;
        if &Commitment::to(&self.document, &salt) != commitment {
            return Err(EvidenceError::Commitment);
        }
        let claims =
            id_token::verify(&self.id_token, &self.provider_key).map_err(EvidenceError::Signature)?;
        if claims.nonce.as_deref() != Some(commitment.as_str()) {
            return Err(EvidenceError::Nonce);
        }
        if claims.iss != self.provider || !claims.is_for(&self.client_id) {
            return Err(EvidenceError::Provider);
        }
        if document.signer.as_deref() != Some(salt.signer(&claims.iss, &claims.sub).as_str()) {
            return Err(EvidenceError::Signer);
        }
        let decided_at: Timestamp = document.decided_at.parse().map_err(|_| EvidenceError::Document)?;
        if claims.iat.abs_diff(decided_at.secs()) > LONGEST_SIGNING_SECS {
            return Err(EvidenceError::Time);
        }
        self.verify_passkey(&document, commitment)?;
        Ok(VerifiedEvidence {
            document,
            signed_at: claims.iat,
            provider_key: self.provider_key.clone(),
            provider: self.provider.clone(),
        })
    }

    /// The document says which passkeys may sign it, so that neither can one be left out later nor another be put in.
    fn verify_passkey(
        &self,
        document: &ConsentDocument,
        commitment: &Commitment,
    ) -> Result<(), PasskeyError> {
        match &self.passkey {
            None if document.passkeys.is_empty() => Ok(()),
            None => Err(PasskeyError::Missing),
            Some(passkey) => {
                let signer = passkey.verify(commitment, &document.holder.id)?;
                if document.passkeys.contains(&signer) { Ok(()) } else { Err(PasskeyError::Other) }
            }
        }
    }
}

fn decode_salt(text: &str) -> Option<Salt> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Salt)
}
