//! The bundle: everything about one consent in one file, which anyone can verify offline, years later, without the node
//! that wrote it.
//!
//! A bundle is canonical JSON (RFC 8785), so that every byte of it counts, with the holder's signature over everything
//! else. [`verify_bundle`] reports for each part whether it is valid, invalid, or undecided from the file alone.

mod chain;
mod documents;
mod finding;
mod verify;

pub use crate::domain::bundle::verify::{VerifyOptions, verify_bundle};
pub use finding::{Finding, Judgement, Verdict};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::clock::Timestamp;
use super::consent::{Actor, Chains, Commitment, ConsentStatus, Evidence, Reason, Terms};
use super::ids::{ConsentId, EntityId, GrantId, PairwiseSubject};
use super::jose::{Claims, JoseError, KeySource, Profile, RevokeReason, SigningKey, b64url, sha256};

/// Version of the bundle format.
pub const FORMAT: &str = "omadata-consent-bundle/1";

/// Maximum size of a bundle in bytes.
pub(crate) const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Profile of a bundle's seal.
pub(crate) const SEAL: Profile = Profile {
    typ: "consent-bundle+jwt",
    max_bytes: 4096,
    key_source: KeySource::Kid,
    required: &["iss", "iat", "digest"],
    optional: Claims::Only(&[]),
    forbidden_headers: &[],
};

/// The consent as its holder records it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Record {
    /// Its identifier at the holder.
    pub id: ConsentId,
    /// Its identifier towards the recipient (`grant_id`).
    pub grant_id: GrantId,
    /// The person's subject for the recipient.
    pub subject: PairwiseSubject,
    /// What it covers.
    pub terms: Terms,
    /// The commitment that the login provider signed.
    pub commitment: Commitment,
    /// Its state when the bundle was written.
    pub state: ConsentStatus,
    /// When the provider's signature had arrived and the consent came into force, RFC 3339: later than the document's
    /// own `decidedAt`, when the resident pressed Allow.
    pub recorded_at: String,
    /// Exchanges made.
    pub exchanges: u32,
    /// Address of the status list that it is in.
    pub status_list: String,
    /// Its index there.
    pub status_index: u32,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HistoryLine {
    /// State after it.
    pub state: ConsentStatus,
    /// Who caused it.
    pub actor: Actor,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// When, RFC 3339.
    pub at: String,
}

/// One entry of the holder's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogLine {
    /// Its number.
    pub index: u64,
    /// The entry in canonical JSON, byte for byte.
    pub entry: String,
}

/// The signed documents of one exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExchangePapers {
    /// The holder's receipt, compact.
    pub receipt: String,
    /// The recipient's acknowledgement, compact; `None` if it did not arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement: Option<String>,
}

/// One signing key of the holder, with its revocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyLine {
    /// `receipt` or `token`.
    pub purpose: String,
    /// The public key (JWK) with its `kid`.
    pub key: Value,
    /// When it was made, seconds since 1970.
    pub created_at: i64,
    /// When it retired, seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<i64>,
    /// Its revocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<RevokedLine>,
}

/// A revocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RevokedLine {
    /// From when on its signatures do not count, seconds since 1970.
    pub at: i64,
    /// Why.
    pub reason: RevokeReason,
}

/// Everything about one consent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bundle {
    /// [`FORMAT`].
    pub format: String,
    /// When it was written, RFC 3339.
    pub exported_at: String,
    /// Who wrote it.
    pub holder: EntityId,
    /// The consent.
    pub consent: Record,
    /// The evidence of the decision.
    pub evidence: Evidence,
    /// Every change, oldest first.
    pub history: Vec<HistoryLine>,
    /// The log entries that receipts and exchanges refer to, in order.
    pub log: Vec<LogLine>,
    /// The consent's receipts, oldest first, compact.
    pub receipts: Vec<String>,
    /// The exchanges, oldest first.
    pub exchanges: Vec<ExchangePapers>,
    /// The holder's keys for receipts and tokens, current and former.
    pub keys: Vec<KeyLine>,
    /// The trust chains when the bundle was written.
    pub chains: Chains,
    /// The status list when the bundle was written, compact.
    pub status_list: String,
}

impl std::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bundle").field("consent", &self.consent.id).finish_non_exhaustive()
    }
}

/// The claims of a seal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seal {
    iss: EntityId,
    iat: i64,
    digest: String,
}

/// The member with the seal.
const SEAL_MEMBER: &str = "seal";

impl Bundle {
    /// Seals the bundle and serialises it.
    ///
    /// # Errors
    /// [`JoseError`] when the key cannot sign.
    pub fn seal(&self, key: &SigningKey, now: Timestamp) -> Result<String, JoseError> {
        let unsignable = |_| JoseError::UnsignableClaims;
        let Value::Object(mut members) = serde_json::to_value(self).map_err(unsignable)? else {
            return Err(JoseError::UnsignableClaims);
        };
        let seal = Seal { iss: self.holder.clone(), iat: now.secs(), digest: digest(&members)? };
        members.insert(SEAL_MEMBER.into(), json!(key.sign(SEAL.typ, &seal)?));
        serde_json_canonicalizer::to_string(&members).map_err(unsignable)
    }
}

/// SHA-256 of the canonical JSON, base64url.
fn digest(members: &Map<String, Value>) -> Result<String, JoseError> {
    let text = serde_json_canonicalizer::to_string(members).map_err(|_| JoseError::UnsignableClaims)?;
    Ok(b64url(&sha256(text.as_bytes())))
}
