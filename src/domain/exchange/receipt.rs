//! Exchange receipts: the holder's signature on what it released, verified by the recipient before it uses anything.

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;
use crate::domain::consent::ReleasedPerson;
use crate::domain::ids::{DatasetId, EntityId, FieldPath, GrantId, Jti, KeyId};
use crate::domain::jose::{
    Claims, JoseError, KeySource, Profile, PublicKeys, UnverifiedJws, b64url, check_times, sha256,
};

/// Profile of an exchange receipt.
pub const EXCHANGE_RECEIPT: Profile = Profile {
    typ: "exchange-receipt+jwt",
    max_bytes: 8 * 1024,
    key_source: KeySource::Kid,
    required: &[
        "iss",
        "aud",
        "iat",
        "jti",
        "grant_id",
        "dataset",
        "fields",
        "records",
        "proof_digest",
        "body_digest",
        "log_entry",
    ],
    optional: Claims::Only(&["persons"]),
    forbidden_headers: &[],
};

/// A holder's statement about one released exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The holder.
    pub iss: EntityId,
    /// The recipient.
    pub aud: EntityId,
    /// Seconds since 1970.
    pub iat: i64,
    /// The exchange.
    pub jti: Jti,
    /// The consent.
    pub grant_id: GrantId,
    /// The dataset.
    pub dataset: DatasetId,
    /// The fields released.
    pub fields: Vec<FieldPath>,
    /// The number of records released.
    pub records: usize,
    /// Whose records, where the permission names persons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub persons: Vec<ReleasedPerson>,
    /// SHA-256 of the compact DPoP proof, base64url.
    pub proof_digest: String,
    /// SHA-256 of the body, base64url.
    pub body_digest: String,
    /// Leaf hash of the holder's log entry, base64url.
    pub log_entry: String,
}

/// The recipient's own data about its request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReceiptExpectation<'a> {
    /// The holder that was asked.
    pub(crate) holder: &'a EntityId,
    pub(crate) recipient: &'a EntityId,
    pub(crate) grant_id: &'a GrantId,
    /// The dataset asked for.
    pub(crate) dataset: &'a DatasetId,
    pub(crate) fields: &'a [FieldPath],
    /// The proof as sent.
    pub(crate) proof: &'a str,
    /// The body as received.
    pub(crate) body: &'a [u8],
    pub(crate) now: Timestamp,
}

/// A receipt that matches the exchange. Only [`VerifiedReceipt::check`] creates one.
#[derive(Debug, Clone)]
pub(crate) struct VerifiedReceipt(Receipt);

/// Why a receipt does not prove the exchange.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReceiptError {
    /// Form, signature or times.
    #[error("the receipt does not verify: {0}")]
    Signature(#[from] JoseError),
    /// It is about another exchange; the text names the part.
    #[error("the receipt is about another {0}")]
    Other(&'static str),
    /// It is about this exchange, and names fields that the consent does not cover.
    #[error("the receipt names more fields than the consent covers")]
    Surplus(Box<Receipt>),
}

impl VerifiedReceipt {
    /// Verifies a receipt with the holder's receipt keys.
    ///
    /// # Errors
    /// [`ReceiptError`]: nothing that came with it may be used.
    pub(crate) fn check(
        text: &str,
        keys: &PublicKeys,
        expected: &ReceiptExpectation<'_>,
    ) -> Result<Self, ReceiptError> {
        let receipt =
            UnverifiedJws::parse(text, &EXCHANGE_RECEIPT)?.verify_with::<Receipt>(keys)?.into_claims();
        check_times(expected.now, Some(receipt.iat), None, None)?;
        let fits = [
            (&receipt.iss == expected.holder, "holder"),
            (&receipt.aud == expected.recipient, "recipient"),
            (&receipt.grant_id == expected.grant_id, "consent"),
            (&receipt.dataset == expected.dataset, "dataset"),
            (receipt.proof_digest == digest(expected.proof.as_bytes()), "proof"),
            (receipt.body_digest == digest(expected.body), "body"),
        ];
        match fits.iter().find(|(fits, _)| !fits) {
            Some((_, part)) => Err(ReceiptError::Other(part)),
            None if receipt.fields.iter().any(|field| !expected.fields.contains(field)) => {
                Err(ReceiptError::Surplus(Box::new(receipt)))
            }
            None => Ok(Self(receipt)),
        }
    }

    /// The content of a receipt that this node has verified or signed before.
    #[must_use]
    pub(crate) fn stored(text: &str) -> Option<Receipt> {
        UnverifiedJws::parse(text, &EXCHANGE_RECEIPT).ok()?.claimed().ok()
    }

    /// The identifier of the signing key, to select the keys to verify with.
    #[must_use]
    pub(crate) fn claimed_key(text: &str) -> Option<KeyId> {
        UnverifiedJws::parse(text, &EXCHANGE_RECEIPT).ok()?.kid().cloned()
    }

    #[must_use]
    pub(crate) const fn receipt(&self) -> &Receipt {
        &self.0
    }
}

/// SHA-256, base64url: how receipts refer to a proof or a body.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    b64url(&sha256(bytes))
}

/// The `Content-Digest` field value of a body (RFC 9530 §2).
#[must_use]
pub(crate) fn content_digest(body: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    format!("sha-256=:{}:", STANDARD.encode(sha256(body)))
}
