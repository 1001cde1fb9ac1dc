//! Former keys of an entity (OpenID Federation 1.0 §8.7), so that their signatures stay verifiable.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::statement::refused;
use super::{TrustError, TrustFault};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{EntityId, KeyId};
use crate::domain::jose::{
    Claims, JoseError, KeySource, KeyStanding, MAX_NUMERIC_DATE, Profile, PublicKey, PublicKeys, SigningKey,
    UnverifiedJws, check_times,
};

/// The `typ` of a signed key set; its media type with the prefix `application/`.
pub const KEY_SET_TYP: &str = "jwk-set+jwt";

static KEY_SET: Profile = Profile {
    typ: KEY_SET_TYP,
    max_bytes: 1024 * 1024,
    key_source: KeySource::Kid,
    required: &["iss", "iat", "keys"],
    optional: Claims::Any,
    forbidden_headers: &[],
};

/// Maximum number of keys of one history: a rotation a day for ten years and more.
const MAX_KEYS: usize = 4096;

/// Why a key was revoked (§8.7.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RevocationReason {
    /// Not stated.
    Unspecified,
    /// Key compromise.
    Compromised,
    /// Superseded by another key.
    Superseded,
    /// A reason outside of the standard.
    #[serde(untagged)]
    Other(String),
}

/// When and why a key was revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// From when on its signatures do not count, in seconds since 1970.
    pub revoked_at: i64,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<RevocationReason>,
}

/// A key with its times.
#[derive(Debug, Clone)]
pub struct HistoricalKey {
    /// The key; always has a `kid`.
    pub key: PublicKey,
    /// When it was made, in seconds since 1970.
    pub iat: Option<i64>,
    /// When it ended or will end, in seconds since 1970.
    pub exp: i64,
    /// Its revocation, if it was revoked.
    pub revoked: Option<Revocation>,
}

/// An entity's history of keys.
#[derive(Debug, Clone)]
pub struct HistoricalKeys {
    /// Whose keys they are.
    pub iss: EntityId,
    /// When the history was signed, in seconds since 1970.
    pub iat: i64,
    /// The keys.
    pub keys: Vec<HistoricalKey>,
}

impl HistoricalKey {
    /// As a JWK with the standard's additional members.
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        let mut jwk = self.key.to_jwk();
        if let Some(members) = jwk.as_object_mut() {
            if let Some(iat) = self.iat {
                members.insert("iat".into(), json!(iat));
            }
            members.insert("exp".into(), json!(self.exp));
            if let Some(revoked) = &self.revoked {
                members.insert("revoked".into(), json!(revoked));
            }
        }
        jwk
    }

    /// How far its signatures are trusted. Without a known reason the worst is assumed.
    #[must_use]
    pub(crate) fn standing(&self) -> KeyStanding {
        match &self.revoked {
            None => KeyStanding::Sound,
            Some(Revocation { revoked_at, reason: Some(RevocationReason::Superseded) }) => {
                KeyStanding::Superseded { at: Timestamp::from_secs(*revoked_at) }
            }
            Some(Revocation { revoked_at, .. }) => {
                KeyStanding::Compromised { since: Timestamp::from_secs(*revoked_at) }
            }
        }
    }

    fn from_jwk(jwk: &Value) -> Result<Self, TrustError> {
        let malformed = TrustError::NotTrusted(TrustFault::MalformedHistoricalKey);
        let time = |name: &str| match jwk.get(name) {
            None => Ok(None),
            Some(value) => match value.as_i64() {
                Some(secs) if (0..=MAX_NUMERIC_DATE).contains(&secs) => Ok(Some(secs)),
                _ => Err(malformed.clone()),
            },
        };
        let revoked = match jwk.get("revoked") {
            None => None,
            Some(value) => {
                Some(serde_json::from_value::<Revocation>(value.clone()).map_err(|_| malformed.clone())?)
            }
        };
        let key = PublicKey::from_jwk(jwk).map_err(refused)?;
        let exp = time("exp")?.ok_or(malformed.clone())?;
        if key.kid().is_none() {
            return Err(malformed);
        }
        Ok(Self { key, iat: time("iat")?, exp, revoked })
    }
}

impl HistoricalKeys {
    /// Signs the history as a compact JWS.
    ///
    /// # Errors
    /// [`JoseError::Crypto`] from OpenSSL.
    pub fn sign(&self, key: &SigningKey) -> Result<String, JoseError> {
        let keys: Vec<Value> = self.keys.iter().map(HistoricalKey::to_jwk).collect();
        key.sign(KEY_SET_TYP, &json!({ "iss": self.iss, "iat": self.iat, "keys": keys }))
    }

    /// Verifies an entity's history of its own keys. Keys of unsupported kinds are ignored.
    ///
    /// # Errors
    /// [`TrustError::NotTrusted`] with the first check that fails.
    pub fn verify(
        text: &str,
        entity: &EntityId,
        keys: &PublicKeys,
        now: Timestamp,
    ) -> Result<Self, TrustError> {
        let jws = UnverifiedJws::parse(text, &KEY_SET).map_err(refused)?;
        let claims = jws.verify_with::<Map<String, Value>>(keys).map_err(refused)?.into_claims();
        let malformed = TrustError::NotTrusted(TrustFault::MalformedKeyHistory);
        let iat = claims.get("iat").and_then(Value::as_i64).ok_or(malformed)?;
        check_times(now, Some(iat), None, None).map_err(refused)?;
        if claims.get("iss").and_then(Value::as_str) != Some(entity.as_str()) {
            return Err(TrustError::NotTrusted(TrustFault::KeyHistoryOfAnother));
        }
        Ok(Self { iss: entity.clone(), iat, keys: read_keys(claims.get("keys"))? })
    }

    /// The key of that `kid`.
    #[must_use]
    pub fn find(&self, kid: &KeyId) -> Option<&HistoricalKey> {
        self.keys.iter().find(|one| one.key.kid() == Some(kid))
    }
}

/// Parses a list of keys with their times, with unique identifiers. Keys of unsupported kinds are ignored.
pub(super) fn read_keys(claim: Option<&Value>) -> Result<Vec<HistoricalKey>, TrustError> {
    let listed = claim
        .and_then(Value::as_array)
        .filter(|listed| listed.len() <= MAX_KEYS)
        .ok_or(TrustError::NotTrusted(TrustFault::MalformedKeyHistory))?;
    let ours = listed.iter().filter(|jwk| PublicKey::is_of_a_known_kind(jwk));
    let keys: Vec<HistoricalKey> = ours.map(HistoricalKey::from_jwk).collect::<Result<_, _>>()?;
    let mut kids = std::collections::BTreeSet::new();
    if keys.iter().all(|one| one.key.kid().is_some_and(|kid| kids.insert(kid))) {
        Ok(keys)
    } else {
        Err(TrustError::NotTrusted(TrustFault::Jose(JoseError::DuplicateKeyId)))
    }
}
