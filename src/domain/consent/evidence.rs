//! The evidence for a decision: the login provider's signature over the commitment to what the resident saw.
//!
//! Stored sealed with the consent. [`Evidence::verify`] needs only the evidence itself and the commitment in the
//! consent token, so it can be verified anywhere, at any later time. The holder's signed receipt of the decision
//! contains its digests ([`Committed`]): with it, every change is identified, and a substituted provider key is
//! detected.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::{Commitment, ConsentDocument, Salt, digest};
use super::passkey::{PasskeyError, PasskeyEvidence};
use crate::domain::clock::Timestamp;
use crate::domain::jose::JoseError;
use crate::domain::jose::id_token::{self, ProviderDocuments};

/// The evidence of one decision.
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
    pub provider_key: Value,
    /// The login provider.
    pub provider: String,
    /// This node's client identifier at the provider: the audience of the ID token.
    pub client_id: String,
    /// The passkey's signature on the same commitment, if the dataset required one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passkey: Option<PasskeyEvidence>,
    /// What the provider published then. Absent in evidence of the first version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_documents: Option<ProviderDocuments>,
    /// The trust chains of holder and recipient as they were then. Absent in evidence of the first version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chains: Option<Chains>,
}

/// Signed entity statements, from an entity up to its trust anchor (OpenID Federation 1.0 §4).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Chains {
    /// The holder's; empty if it was not available.
    pub holder: Vec<String>,
    /// The recipient's; empty if it was not available.
    pub recipient: Vec<String>,
}

impl std::fmt::Debug for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evidence").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// Digests of the evidence in the holder's signed receipt of the decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Committed {
    /// The commitment that the provider signed.
    pub commitment: Commitment,
    /// SHA-256 of the consent document, base64url.
    pub(crate) document_digest: String,
    /// SHA-256 of the texts as shown, base64url.
    pub texts_digest: String,
    /// The login provider.
    pub provider: String,
    /// RFC 7638 thumbprint of the provider's key that signed.
    pub provider_key: String,
    /// The audience of the ID token.
    pub client_id: String,
}

impl Committed {
    /// The digests of this evidence.
    ///
    /// # Errors
    /// [`EvidenceError`] when the evidence has an unknown form.
    pub fn to(evidence: &Evidence, commitment: &Commitment) -> Result<Self, EvidenceError> {
        let document = parse(&evidence.document)?;
        Ok(Self {
            commitment: commitment.clone(),
            document_digest: digest(&evidence.document),
            texts_digest: document.texts_digest().map_err(|_| EvidenceError::Form)?,
            provider: evidence.provider.clone(),
            provider_key: id_token::thumbprint(&evidence.provider_key).map_err(EvidenceError::Signature)?,
            client_id: evidence.client_id.clone(),
        })
    }
}

/// Verified evidence. Only [`Evidence::verify`] creates it.
#[derive(Debug, Clone)]
pub struct VerifiedEvidence {
    /// The document of the decision.
    pub document: ConsentDocument,
    /// When the provider signed (`iat`), seconds since 1970.
    pub signed_at: i64,
    /// The provider's key, to be compared with the keys that the provider publishes or published.
    pub provider_key: Value,
    /// The provider.
    pub provider: String,
}

/// Maximum time between Allow and the provider's signature, in seconds.
const LONGEST_SIGNING_SECS: u64 = 20 * 60;

/// Why evidence is invalid; each names the changed part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// The document is not canonical JSON of the known form, or it contradicts itself.
    #[error("the consent document is not of its form")]
    Form,
    /// The texts or their language are not those of the decision.
    #[error("a text of the consent document, or its language, was changed")]
    Text,
    /// The document is not that of the decision.
    #[error("the consent document was changed")]
    Document,
    /// The salt is not 32 bytes in base64url.
    #[error("the salt is malformed")]
    SaltForm,
    /// The document is that of the decision, and the salt is not.
    #[error("the salt was changed")]
    Salt,
    /// Document or salt differ from the commitment; there is no receipt of the decision to tell which.
    #[error("the document or its salt is not what the commitment was made to")]
    Commitment,
    /// The holder's receipt is about another commitment.
    #[error("the commitment is not the one that the receipt of the decision names")]
    OtherCommitment,
    /// The provider's key is not the one in the holder's receipt.
    #[error("the login provider's key was swapped")]
    ProviderKey,
    /// The provider did not publish this key when the decision was signed.
    #[error("the login provider did not publish this key then")]
    UnpublishedKey,
    /// The provider's key did not sign this ID token.
    #[error("the login provider's signature does not verify: {0}")]
    Signature(JoseError),
    /// The ID token's nonce is another one.
    #[error("the login provider signed another decision")]
    Nonce,
    /// The ID token is another provider's.
    #[error("the ID token is another provider's")]
    Provider,
    /// The ID token was made for another client of the provider.
    #[error("the ID token was made for another application")]
    Client,
    /// Another person logged in than the one in the document.
    #[error("another person signed than the one whom the document names")]
    Signer,
    /// Signed long before or after the decision.
    #[error("the signature is not of the time of the decision")]
    Time,
    /// The document names passkeys, and none of them signed.
    #[error(transparent)]
    Passkey(#[from] PasskeyError),
}

impl EvidenceError {
    /// A stable code for programs.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Form => "document_form",
            Self::Text => "text_changed",
            Self::Document => "document_changed",
            Self::SaltForm => "salt_form",
            Self::Salt => "salt_changed",
            Self::Commitment => "document_or_salt_changed",
            Self::OtherCommitment => "commitment_changed",
            Self::ProviderKey => "provider_key_swapped",
            Self::UnpublishedKey => "provider_key_unpublished",
            Self::Signature(_) => "provider_signature",
            Self::Nonce => "other_decision",
            Self::Provider => "other_provider",
            Self::Client => "other_client",
            Self::Signer => "other_person",
            Self::Time => "other_time",
            Self::Passkey(error) => match error {
                PasskeyError::Missing => "passkey_missing",
                PasskeyError::Other => "passkey_other",
                PasskeyError::Malformed => "passkey_malformed",
                PasskeyError::Key => "passkey_key",
                PasskeyError::Purpose => "passkey_purpose",
                PasskeyError::Challenge => "passkey_other_decision",
                PasskeyError::Origin => "passkey_other_address",
                PasskeyError::Owner => "passkey_owner",
                PasskeyError::Signature => "passkey_signature",
            },
        }
    }
}

impl Evidence {
    /// Verifies every link: canonical document → commitment → nonce → the provider's signature → its person, client and
    /// time. `committed` is from the holder's signed receipt of the decision, if there is one. The caller must compare
    /// the key with those that the provider publishes or published.
    /// really was the provider's is for the caller to compare with what the provider publishes or published.
    ///
    /// # Errors
    /// [`EvidenceError`]: the first link that is invalid.
    pub fn verify(
        &self,
        commitment: &Commitment,
        committed: Option<&Committed>,
    ) -> Result<VerifiedEvidence, EvidenceError> {
        let document = self.check_document(commitment, committed)?;
        let salt = decode_salt(&self.salt).ok_or(EvidenceError::SaltForm)?;
        if &Commitment::to(&self.document, &salt) != commitment {
            return Err(if committed.is_some() { EvidenceError::Salt } else { EvidenceError::Commitment });
        }
        if !document.is_coherent() {
            return Err(EvidenceError::Form);
        }
        self.check_key(committed)?;
        let claims =
            id_token::verify(&self.id_token, &self.provider_key).map_err(EvidenceError::Signature)?;
        let decided_at: Timestamp = document.decided_at.parse().map_err(|_| EvidenceError::Form)?;
        let signer = salt.signer(&claims.iss, &claims.sub);
        let same_client = committed.is_none_or(|committed| committed.client_id == self.client_id);
        let links = [
            (claims.nonce.as_deref() == Some(commitment.as_str()), EvidenceError::Nonce),
            (claims.iss == self.provider, EvidenceError::Provider),
            (same_client && claims.is_for(&self.client_id), EvidenceError::Client),
            (document.signer.as_deref() == Some(signer.as_str()), EvidenceError::Signer),
            (claims.iat.abs_diff(decided_at.secs()) <= LONGEST_SIGNING_SECS, EvidenceError::Time),
        ];
        if let Some((_, broken)) = links.into_iter().find(|(holds, _)| !holds) {
            return Err(broken);
        }
        self.verify_passkey(&document, commitment)?;
        Ok(VerifiedEvidence {
            document,
            signed_at: claims.iat,
            provider_key: self.provider_key.clone(),
            provider: self.provider.clone(),
        })
    }

    /// The document lists its passkeys, so that one can be neither left out nor replaced later.
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

    /// What the resident saw, as stored; not verified.
    #[must_use]
    pub(crate) fn shown(&self) -> Option<ConsentDocument> {
        parse(&self.document).ok()
    }

    fn check_document(
        &self,
        commitment: &Commitment,
        committed: Option<&Committed>,
    ) -> Result<ConsentDocument, EvidenceError> {
        let document = parse(&self.document)?;
        let Some(committed) = committed else { return Ok(document) };
        if digest(&self.document) != committed.document_digest {
            let texts = document.texts_digest().map_err(|_| EvidenceError::Form)?;
            let same_texts = texts == committed.texts_digest;
            return Err(if same_texts { EvidenceError::Document } else { EvidenceError::Text });
        }
        if &committed.commitment != commitment {
            return Err(EvidenceError::OtherCommitment);
        }
        Ok(document)
    }

    fn check_key(&self, committed: Option<&Committed>) -> Result<(), EvidenceError> {
        if let Some(committed) = committed {
            let key = id_token::thumbprint(&self.provider_key).map_err(EvidenceError::Signature)?;
            if key != committed.provider_key {
                return Err(EvidenceError::ProviderKey);
            }
            if self.provider != committed.provider {
                return Err(EvidenceError::Provider);
            }
        }
        match &self.provider_documents {
            Some(documents) if !documents.publish(&self.provider_key) => Err(EvidenceError::UnpublishedKey),
            _ => Ok(()),
        }
    }
}

/// A document in canonical form; any other serialisation is refused.
fn parse(text: &str) -> Result<ConsentDocument, EvidenceError> {
    let document: ConsentDocument = serde_json::from_str(text).map_err(|_| EvidenceError::Form)?;
    let canonical = document.canonical().map_err(|_| EvidenceError::Form)?;
    if canonical == text { Ok(document) } else { Err(EvidenceError::Form) }
}

fn decode_salt(text: &str) -> Option<Salt> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Salt)
}
