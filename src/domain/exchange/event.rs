//! Events between nodes: Security Event Tokens (RFC 8417), pushed (RFC 8935).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::reconciliation::{self, ReconciliationAnswered, ReconciliationRequested};
use crate::domain::clock::{Day, Timestamp};
use crate::domain::consent::{Commitment, HolderChange, ReasonWord};
use crate::domain::ids::{DatasetId, EntityId, FieldPath, GrantId, Jti, UseId};
use crate::domain::jose::{
    Claims, JoseError, KeySource, Profile, PublicKeys, SigningKey, UnverifiedJws, check_times,
};
use crate::domain::word_enum::word_enum;

/// Profile of a Security Event Token.
pub(crate) const SECURITY_EVENT: Profile = Profile {
    typ: "secevent+jwt",
    max_bytes: 16 * 1024,
    key_source: KeySource::Kid,
    required: &["iss", "aud", "iat", "jti", "events"],
    optional: Claims::Any,
    forbidden_headers: &[],
};

/// Maximum age of an event, in seconds: delivery is retried for days.
const OLDEST_SECS: i64 = 14 * 86_400;

const GIVEN: &str = "urn:omadata:event:consent-given";
const CHANGED: &str = "urn:omadata:event:consent-changed";
const SUSPENDED: &str = "urn:omadata:event:consent-suspended";
const RESUMED: &str = "urn:omadata:event:consent-resumed";
const EXPIRED: &str = "urn:omadata:event:consent-expired";
/// Type of [`Event::ConsentRevoked`].
pub(crate) const REVOKED: &str = "urn:omadata:event:consent-revoked";
const ACKNOWLEDGED: &str = "urn:omadata:event:exchange-acknowledged";
const REJECTED: &str = "urn:omadata:event:exchange-rejected";
const DELETED: &str = "urn:omadata:event:data-deleted";

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A resident gave a consent in the holder's portal.
    ConsentGiven(ConsentGiven),
    /// Another consent replaced it, or its terms must be read again.
    ConsentChanged(ConsentEvent),
    /// A consent is suspended: the recipient stops at once and may resume later.
    ConsentSuspended(ConsentEvent),
    /// A suspended consent is active again.
    ConsentResumed(ConsentEvent),
    /// A consent was withdrawn, or revoked by its holder: the recipient stops at once.
    ConsentRevoked(ConsentEvent),
    /// A consent ended by its own limits: the last day, or the last exchange.
    ConsentExpired(ConsentEvent),
    /// The recipient verified an exchange's response.
    ExchangeAcknowledged(ExchangeAcknowledged),
    /// The recipient refused an exchange's response: its records are more than the consent covers, or do not fit the
    /// holder's catalogue.
    ExchangeRejected(ExchangeRejected),
    /// The recipient's service deleted the fetched data.
    DataDeleted(DataDeleted),
    /// The sender was restored from a backup and asks for the other's knowledge.
    ReconciliationRequested(ReconciliationRequested),
    /// A recipient's knowledge of the consents of a restored holder.
    ReconciliationAnswered(ReconciliationAnswered),
}

/// A consent that the recipient's service did not request itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentGiven {
    /// The consent.
    pub grant_id: GrantId,
    /// The recipient's declared use.
    #[serde(rename = "use")]
    pub declared_use: UseId,
    /// The dataset at the holder.
    pub dataset: DatasetId,
    /// The fields.
    pub fields: Vec<FieldPath>,
    /// Last day of the permission.
    pub until: Day,
    /// Redeemed once at the holder's token endpoint (`pre-authorized_code`).
    pub pre_authorized_code: String,
}

impl std::fmt::Debug for ConsentGiven {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConsentGiven").field("grant_id", &self.grant_id).finish_non_exhaustive()
    }
}

/// A change of a consent that its recipient knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentEvent {
    /// The consent.
    pub grant_id: GrantId,
    /// When, seconds since 1970.
    pub at: i64,
    /// The reason, a stable code ([`crate::domain::consent::Reason`] at the holder; a recipient accepts any).
    pub reason: ReasonWord,
    /// The sequence number of the change at the holder: an event with a lower one than the last has no effect.
    pub sequence: u64,
    /// The commitment of the consent: a grant may have passed to another one since.
    pub commitment: Commitment,
}

/// The recipient's acknowledgement of an exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeAcknowledged {
    /// The exchange (`jti` of its receipt).
    pub exchange: Jti,
    /// The consent.
    pub grant_id: GrantId,
    /// SHA-256 of the body as received, base64url.
    pub body_digest: String,
    /// SHA-256 of the compact receipt, base64url.
    pub receipt_digest: String,
}

word_enum! {
    /// What is wrong with the records of an exchange's response.
    pub enum RejectionReason {
        /// More than the consent covers.
        Surplus = "surplus",
        /// A permitted field is missing.
        Missing = "missing",
        /// A value is not of the type in the holder's catalogue.
        Type = "type",
        /// They are no records of the dataset.
        Form = "form",
    }
}

/// The recipient's refusal of an exchange's response, of which it used and stored nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeRejected {
    /// The exchange (`jti` of its receipt).
    pub exchange: Jti,
    /// The consent.
    pub grant_id: GrantId,
    /// SHA-256 of the body as received, base64url.
    pub body_digest: String,
    /// What is wrong: a word of [`RejectionReason`], or one of a later version.
    pub reason: String,
    /// The fields that it is wrong with, by their paths; never a value.
    #[serde(default)]
    pub fields: Vec<String>,
}

/// The data fetched under a consent was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataDeleted {
    /// The consent.
    pub grant_id: GrantId,
    /// Its commitment, if the recipient knows it: a grant may have passed to another consent since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<Commitment>,
    /// When it was deleted, seconds since 1970.
    pub deleted_at: i64,
    /// Everything fetched until then is covered, seconds since 1970.
    pub fetched_until: i64,
}

/// The claims of a Security Event Token with exactly one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventClaims {
    /// The sender.
    pub iss: EntityId,
    /// The recipient of the event.
    pub aud: EntityId,
    /// Seconds since 1970.
    pub iat: i64,
    /// Identifier of this event.
    pub jti: Jti,
    events: Map<String, Value>,
}

impl Event {
    /// Its type, as a URN.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ConsentGiven(_) => GIVEN,
            Self::ConsentChanged(_) => CHANGED,
            Self::ConsentSuspended(_) => SUSPENDED,
            Self::ConsentResumed(_) => RESUMED,
            Self::ConsentRevoked(_) => REVOKED,
            Self::ConsentExpired(_) => EXPIRED,
            Self::ExchangeAcknowledged(_) => ACKNOWLEDGED,
            Self::ExchangeRejected(_) => REJECTED,
            Self::DataDeleted(_) => DELETED,
            Self::ReconciliationRequested(_) => reconciliation::REQUESTED,
            Self::ReconciliationAnswered(_) => reconciliation::ANSWERED,
        }
    }

    /// The change of a consent, if the event is one.
    #[must_use]
    pub(crate) const fn consent_change(&self) -> Option<(HolderChange, &ConsentEvent)> {
        match self {
            Self::ConsentSuspended(event) => Some((HolderChange::Suspended, event)),
            Self::ConsentResumed(event) => Some((HolderChange::Resumed, event)),
            Self::ConsentChanged(event) | Self::ConsentRevoked(event) | Self::ConsentExpired(event) => {
                Some((HolderChange::Over, event))
            }
            Self::ConsentGiven(_)
            | Self::ExchangeAcknowledged(_)
            | Self::ExchangeRejected(_)
            | Self::DataDeleted(_)
            | Self::ReconciliationRequested(_)
            | Self::ReconciliationAnswered(_) => None,
        }
    }

    /// Whether this program knows the event type.
    #[must_use]
    pub(crate) fn is_known(name: &str) -> bool {
        [
            GIVEN,
            CHANGED,
            SUSPENDED,
            RESUMED,
            EXPIRED,
            REVOKED,
            ACKNOWLEDGED,
            REJECTED,
            DELETED,
            reconciliation::REQUESTED,
            reconciliation::ANSWERED,
        ]
        .contains(&name)
    }

    fn to_member(&self) -> Result<(&'static str, Value), serde_json::Error> {
        let value = match self {
            Self::ConsentGiven(event) => serde_json::to_value(event)?,
            Self::ConsentChanged(event)
            | Self::ConsentSuspended(event)
            | Self::ConsentResumed(event)
            | Self::ConsentRevoked(event)
            | Self::ConsentExpired(event) => serde_json::to_value(event)?,
            Self::ExchangeAcknowledged(event) => serde_json::to_value(event)?,
            Self::ExchangeRejected(event) => serde_json::to_value(event)?,
            Self::DataDeleted(event) => serde_json::to_value(event)?,
            Self::ReconciliationRequested(event) => serde_json::to_value(event)?,
            Self::ReconciliationAnswered(event) => serde_json::to_value(event)?,
        };
        Ok((self.name(), value))
    }

    fn from_member(name: &str, value: Value) -> Result<Self, JoseError> {
        let malformed = |_| JoseError::MalformedClaims;
        match name {
            GIVEN => serde_json::from_value(value).map(Self::ConsentGiven).map_err(malformed),
            CHANGED => serde_json::from_value(value).map(Self::ConsentChanged).map_err(malformed),
            SUSPENDED => serde_json::from_value(value).map(Self::ConsentSuspended).map_err(malformed),
            RESUMED => serde_json::from_value(value).map(Self::ConsentResumed).map_err(malformed),
            REVOKED => serde_json::from_value(value).map(Self::ConsentRevoked).map_err(malformed),
            EXPIRED => serde_json::from_value(value).map(Self::ConsentExpired).map_err(malformed),
            ACKNOWLEDGED => serde_json::from_value(value).map(Self::ExchangeAcknowledged).map_err(malformed),
            REJECTED => serde_json::from_value(value).map(Self::ExchangeRejected).map_err(malformed),
            DELETED => serde_json::from_value(value).map(Self::DataDeleted).map_err(malformed),
            reconciliation::REQUESTED => {
                serde_json::from_value(value).map(Self::ReconciliationRequested).map_err(malformed)
            }
            reconciliation::ANSWERED => {
                serde_json::from_value(value).map(Self::ReconciliationAnswered).map_err(malformed)
            }
            _ => Err(JoseError::MalformedClaims),
        }
    }

    /// Signs the event.
    ///
    /// # Errors
    /// [`JoseError`] when the key cannot sign.
    pub fn sign(
        &self,
        key: &SigningKey,
        from: &EntityId,
        to: &EntityId,
        jti: Jti,
        now: Timestamp,
    ) -> Result<String, JoseError> {
        let (name, value) = self.to_member().map_err(|_| JoseError::MalformedClaims)?;
        let events = Map::from_iter([(name.to_owned(), value)]);
        key.sign(
            SECURITY_EVENT.typ,
            &EventClaims { iss: from.clone(), aud: to.clone(), iat: now.secs(), jti, events },
        )
    }

    /// The claimed sender of an event, for finding the keys; nothing is verified yet.
    ///
    /// # Errors
    /// [`JoseError`] when it is not a Security Event Token at all.
    pub fn open(text: &str) -> Result<(EntityId, UnverifiedJws), JoseError> {
        let unverified = UnverifiedJws::parse(text, &SECURITY_EVENT)?;
        let from = unverified
            .claimed_issuer()
            .and_then(|issuer| issuer.parse().ok())
            .ok_or(JoseError::MalformedClaims)?;
        Ok((from, unverified))
    }

    /// Verifies an event with its sender's receipt keys.
    ///
    /// # Errors
    /// [`JoseError`]: signature, audience or times are invalid, or it does not contain exactly one known event.
    pub fn verify(
        unverified: UnverifiedJws,
        keys: &PublicKeys,
        to: &EntityId,
        now: Timestamp,
    ) -> Result<(EventClaims, Self), JoseError> {
        let mut claims = unverified.verify_with::<EventClaims>(keys)?.into_claims();
        check_times(now, Some(claims.iat), None, Some(claims.iat.saturating_add(OLDEST_SECS)))?;
        let events = std::mem::take(&mut claims.events);
        if &claims.aud != to || events.len() != 1 {
            return Err(JoseError::MalformedClaims);
        }
        let (name, value) = events.into_iter().next().ok_or(JoseError::MalformedClaims)?;
        let event = Self::from_member(&name, value)?;
        Ok((claims, event))
    }
}
