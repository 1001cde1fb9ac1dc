//! The log: one entry for every decision, change and exchange, each a leaf of a Merkle tree (RFC 6962 §2.1).

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::clock::Timestamp;
use super::consent::{ConsentStatus, Reason, ReleasedPerson};
use super::ids::{
    ConsentId, DatasetId, EntityId, FieldPath, HidingId, HidingReason, PairwiseSubject, ServiceId,
};
use super::jose::b64url;
use super::uses::hiding::HidingAct;

/// An entry. Contains no personal data: the consent's identifier is meaningful to its holder only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// A resident decided, or a consent changed.
    Consent {
        /// The consent.
        consent: ConsentId,
        /// Its state after the change.
        state: ConsentStatus,
        /// For the decision: the commitment that the login provider signed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commitment: Option<String>,
        /// Thumbprint of the provider's key that signed it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        provider_key: Option<String>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
        /// When, seconds since 1970.
        at: i64,
    },
    /// The resident was reminded of a consent that ends soon.
    Reminder {
        /// The consent.
        consent: ConsentId,
        /// When, seconds since 1970.
        at: i64,
    },
    /// The city made its answer to a request under GDPR article 15.
    SubjectAccess {
        /// The person, as the copy names them.
        subject: PairwiseSubject,
        /// When, seconds since 1970.
        at: i64,
    },
    /// A service proposed to withhold a use from its person for a time, or another confirmed it.
    UseHiding {
        /// The proposal.
        hiding: HidingId,
        /// What was done.
        act: HidingAct,
        /// By which service.
        service: ServiceId,
        /// The law that allows it, by its name in the configuration.
        reason: HidingReason,
        /// Until when, seconds since 1970.
        until: i64,
        /// When, seconds since 1970.
        at: i64,
    },
    /// Data was released.
    Exchange {
        /// The consent.
        consent: ConsentId,
        /// Who fetched.
        recipient: EntityId,
        /// What.
        dataset: DatasetId,
        /// Which fields.
        fields: Vec<FieldPath>,
        /// Whose records, where the permission names persons.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        persons: Vec<ReleasedPerson>,
        /// Digest of the proof (SHA-256 of its compact form, base64url).
        proof_digest: String,
        /// Digest of the answer's body (SHA-256, base64url).
        body_digest: String,
        /// When, seconds since 1970.
        at: i64,
    },
}

impl Entry {
    /// A consent's change.
    #[must_use]
    pub fn consent(consent: ConsentId, state: ConsentStatus, at: Timestamp) -> Self {
        Self::Consent { consent, state, commitment: None, provider_key: None, reason: None, at: at.secs() }
    }

    /// A consent's change with its reason.
    #[must_use]
    pub fn change(consent: ConsentId, state: ConsentStatus, reason: Reason, at: Timestamp) -> Self {
        Self::Consent {
            consent,
            state,
            commitment: None,
            provider_key: None,
            reason: Some(reason),
            at: at.secs(),
        }
    }

    /// A consent's beginning.
    #[must_use]
    pub fn decision(consent: ConsentId, commitment: &str, provider_key: &str, at: Timestamp) -> Self {
        Self::Consent {
            consent,
            state: ConsentStatus::Active,
            commitment: Some(commitment.to_owned()),
            provider_key: Some(provider_key.to_owned()),
            reason: None,
            at: at.secs(),
        }
    }

    /// The entry in canonical JSON and its leaf hash: `SHA-256(0x00 || entry)` (RFC 6962 §2.1), base64url.
    ///
    /// # Errors
    /// Never for a valid entry; the serialiser's error otherwise.
    pub fn leaf(&self) -> Result<Leaf, serde_json::Error> {
        let entry = serde_json_canonicalizer::to_string(self)?;
        let mut hash = Sha256::new();
        hash.update([0_u8]);
        hash.update(entry.as_bytes());
        Ok(Leaf { hash: b64url(&hash.finalize()), entry })
    }
}

/// An entry ready to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Leaf hash, base64url.
    pub hash: String,
    /// The entry in canonical JSON.
    pub entry: String,
}
