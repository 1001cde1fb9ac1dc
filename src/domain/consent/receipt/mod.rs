//! Consent receipts: the holder's signature on the decision and on every change, for the resident to keep.
//!
//! The members are those of ISO/IEC TS 27560:2023, with its snake-case names and sections; their values are terms of
//! the Data Privacy Vocabulary. Additional members (`version`, `previous`, `evidence`, `log_entry`) link a receipt to
//! the previous one, to the evidence and to the log.

mod change;
mod compose;

pub use change::ReceiptChange;
pub use compose::ReceiptParts;

use serde::{Deserialize, Serialize};

use super::document::{ShownPerson, digest};
use super::evidence::Committed;
use super::state::{Actor, Reason};
use super::terms::{Frequency, Period};
use crate::domain::catalogue::{Contact, Language};
use crate::domain::clock::{Day, Timestamp};
use crate::domain::ids::{ConsentId, EntityId, FieldPath, GrantId, Jti, PairwiseSubject};
use crate::domain::jose::{Claims, JoseError, KeySource, Profile, PublicKeys, SigningKey, UnverifiedJws};

/// Profile of a consent receipt.
pub(crate) const CONSENT_RECEIPT: Profile = Profile {
    typ: "consent-receipt+jwt",
    max_bytes: 64 * 1024,
    key_source: KeySource::Kid,
    required: &[
        "iss",
        "sub",
        "iat",
        "jti",
        "schema_version",
        "record_id",
        "version",
        "event",
        "pii_processing",
        "party_identification",
        "withdrawal",
        "complaint",
        "log_entry",
        "verification",
    ],
    optional: Claims::Only(&["grant_id", "previous", "evidence"]),
    forbidden_headers: &[],
};

/// Version of the receipt format.
pub(crate) const SCHEMA_VERSION: &str = "omadata-consent-receipt/1 ISO/IEC TS 27560:2023";

/// The vocabulary of the values.
const DPV: &str = "https://w3id.org/dpv#";

/// The law that applies to all holders.
const JURISDICTION: &str = "FI";

/// The event of a receipt (27560: event).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptEvent {
    pub(crate) event_type: ReceiptChange,
    /// The consent's status after it, a DPV term.
    pub(crate) event_state: String,
    /// When, RFC 3339.
    pub(crate) event_time: String,
    /// The actor: the person, the recipient or the holder.
    pub entity_id: String,
    /// The method.
    pub method: String,
    /// The reason, if it says more than the actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// One field that the consent covers (27560: pii_information).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PiiInformation {
    pub(crate) pii_attribute_id: FieldPath,
    /// Its label as shown.
    pub(crate) pii_type: String,
    /// Whether the resident could leave it out.
    pub(crate) pii_optional: bool,
}

/// Limits of time and number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub(crate) until: Day,
    /// The frequency, as in an `authorization_details` entry.
    pub(crate) frequency: Frequency,
    /// The period of the data; the whole history when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) period: Option<Period>,
}

/// What the consent is for (27560: purpose).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    /// In one sentence, as shown.
    pub purpose: String,
    /// SHA-256 of that sentence, base64url.
    pub(crate) purpose_digest: String,
    /// A DPV term.
    pub(crate) purpose_type: String,
    /// Legal basis, a DPV term.
    pub(crate) lawful_basis: String,
    /// The recipient's service, as shown.
    pub service: String,
    /// The declared use.
    pub declared_use: String,
    /// Title of the dataset, as shown.
    pub dataset: String,
    /// The fields; empty when nothing was allowed.
    pub(crate) pii_information: Vec<PiiInformation>,
    /// The persons whose records it covers, as shown; everybody's when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub persons: Vec<ShownPerson>,
    /// The controllers after the release, by `party_id`.
    pub(crate) pii_controllers: Vec<EntityId>,
    /// The source of the data, by `party_id`.
    pub(crate) collection_method: EntityId,
    /// Retention by the recipient, ISO 8601 duration.
    pub(crate) retention_period: String,
    /// The place of storage.
    pub(crate) storage_locations: Vec<String>,
    pub(crate) jurisdiction: String,
    /// Further recipients of the data.
    pub(crate) recipient_third_parties: String,
    /// The limits; `None` when nothing was allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
}

/// 27560: pii_processing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PiiProcessing {
    /// URL of the declared use.
    pub(crate) privacy_notice: String,
    /// The language of the texts.
    pub(crate) language: Language,
    pub(crate) purposes: Vec<Purpose>,
}

/// A party of the consent (27560: party_identification).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReceiptParty {
    /// Entity identifier, which is its address too.
    pub(crate) party_id: EntityId,
    /// `holder` or `recipient`.
    pub(crate) party_role: String,
    pub(crate) party_name: String,
    pub(crate) contact_name: String,
    pub(crate) contact_email: String,
    /// The data protection officer, if it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) data_protection_officer: Option<PartyContact>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartyContact {
    pub(crate) name: String,
    pub(crate) email: String,
}

/// How to withdraw the consent (27560: withdrawal_method).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Withdrawal {
    pub(crate) portal: String,
    /// Outside of the portal: the holder's office, by letter, e-mail or in person, with the number of this receipt.
    pub(crate) without_portal: PartyContact,
}

/// Where to complain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Complaint {
    pub(crate) authority: String,
    /// Its address.
    pub url: String,
}

/// How to verify this receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verification {
    /// A page that verifies it for anyone.
    pub(crate) page: String,
    /// The holder's entity configuration, with its keys.
    pub(crate) keys: String,
}

/// A holder's statement about a decision or a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentReceipt {
    /// The holder.
    pub iss: EntityId,
    /// The person's subject for this recipient (27560: pii_principal_id).
    pub sub: PairwiseSubject,
    /// Seconds since 1970.
    pub iat: i64,
    /// This receipt (27560: receipt_id).
    pub jti: Jti,
    /// [`SCHEMA_VERSION`].
    pub(crate) schema_version: String,
    /// The consent, or the request that was declined.
    pub(crate) record_id: ConsentId,
    /// The consent's identifier for its recipient (`grant_id`); `None` when nothing was allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<GrantId>,
    /// 1 for the decision, then incremented for every change.
    pub version: u32,
    /// SHA-256 of the previous receipt's compact form, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<String>,
    /// The events.
    pub event: ReceiptEvent,
    pub(crate) pii_processing: PiiProcessing,
    pub(crate) party_identification: Vec<ReceiptParty>,
    /// How to withdraw it.
    pub(crate) withdrawal: Withdrawal,
    /// Where to complain.
    pub complaint: Complaint,
    /// Digests of the evidence, in the receipt of a decision that allowed something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Committed>,
    /// Leaf hash of the holder's log entry, base64url.
    pub log_entry: String,
    /// How to verify this receipt.
    pub(crate) verification: Verification,
}

/// The issuer of receipts.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// The holder.
    pub id: EntityId,
    /// The contact for residents.
    pub contact: Contact,
    /// The holder's data protection officer.
    pub data_protection_officer: Contact,
}

/// A recorded change of the consent.
#[derive(Debug, Clone)]
pub struct ConsentChange {
    /// What.
    pub change: ReceiptChange,
    /// Who caused it.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// The reason, if it says more than the actor.
    pub reason: Option<Reason>,
}

impl ConsentReceipt {
    /// The purpose; a receipt has exactly one.
    #[must_use]
    pub fn purpose(&self) -> Option<&Purpose> {
        self.pii_processing.purposes.first()
    }

    /// The party of a role (`holder`, `recipient`).
    #[must_use]
    pub(crate) fn party(&self, role: &str) -> Option<&ReceiptParty> {
        self.party_identification.iter().find(|party| party.party_role == role)
    }

    /// The receipt in canonical JSON (RFC 8785), which is also the signed payload.
    ///
    /// # Errors
    /// Never for a valid receipt; the serialiser's error otherwise.
    pub fn canonical(&self) -> Result<String, serde_json::Error> {
        serde_json_canonicalizer::to_string(self)
    }

    /// Signs the receipt, as a compact JWS over its canonical JSON.
    ///
    /// # Errors
    /// [`JoseError`] when the key cannot sign.
    pub fn sign(&self, key: &SigningKey) -> Result<String, JoseError> {
        let canonical = self.canonical().map_err(|_| JoseError::UnsignableClaims)?;
        // Parsed again, the members keep the canonical order.
        let claims: serde_json::Value =
            serde_json::from_str(&canonical).map_err(|_| JoseError::UnsignableClaims)?;
        key.sign(CONSENT_RECEIPT.typ, &claims)
    }

    /// A receipt whose signature verifies with one of these keys.
    ///
    /// # Errors
    /// [`JoseError`] of the first check that fails; [`JoseError::MalformedClaims`] when it contradicts itself.
    pub fn verify(text: &str, keys: &PublicKeys) -> Result<Self, JoseError> {
        let receipt: Self = UnverifiedJws::parse(text, &CONSENT_RECEIPT)?.verify_with(keys)?.into_claims();
        if receipt.is_coherent() { Ok(receipt) } else { Err(JoseError::MalformedClaims) }
    }

    /// Whether the redundant parts agree.
    fn is_coherent(&self) -> bool {
        let time: Result<Timestamp, _> = self.event.event_time.parse();
        self.schema_version == SCHEMA_VERSION
            && time.is_ok_and(|time| time.secs() == self.iat)
            && (self.version == 1) == self.previous.is_none()
            && self.pii_processing.purposes.len() == 1
            && self.purpose().is_some_and(|purpose| digest(&purpose.purpose) == purpose.purpose_digest)
            && self.party("holder").is_some_and(|holder| holder.party_id == self.iss)
            && self.party("recipient").is_some()
    }
}
