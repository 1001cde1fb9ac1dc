//! Keys with which a member signed consent tokens and receipts before, so that anyone can verify their signatures.
//! Separate from the standard's historical keys, which readers take for keys of entity statements.

use serde_json::{Map, Value, json};

use super::historical_keys::{HistoricalKey, read_keys};
use super::statement::refused;
use super::{TrustError, TrustFault};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{EntityId, KeyId};
use crate::domain::jose::{
    Claims, JoseError, KeySource, Profile, PublicKeys, SigningKey, UnverifiedJws, check_times,
};

/// The `typ` of the signed list; its media type with the prefix `application/`.
pub const FORMER_KEYS_TYP: &str = "omadata-former-keys+jwt";

static FORMER_KEYS: Profile = Profile {
    typ: FORMER_KEYS_TYP,
    max_bytes: 1024 * 1024,
    key_source: KeySource::Kid,
    required: &["iss", "iat", "token_keys", "receipt_keys"],
    optional: Claims::Any,
    forbidden_headers: &[],
};

/// A member's former keys, by what they signed.
#[derive(Debug, Clone)]
pub struct FormerKeys {
    /// Whose keys they are.
    pub iss: EntityId,
    /// When the list was signed, in seconds since 1970.
    pub iat: i64,
    /// Keys of consent tokens and status lists.
    pub token: Vec<HistoricalKey>,
    /// Keys of receipts and events.
    pub receipt: Vec<HistoricalKey>,
}

impl FormerKeys {
    /// Signs the list, with a federation key, as a compact JWS.
    ///
    /// # Errors
    /// [`JoseError::Crypto`] from OpenSSL.
    pub fn sign(&self, key: &SigningKey) -> Result<String, JoseError> {
        let jwks = |keys: &[HistoricalKey]| keys.iter().map(HistoricalKey::to_jwk).collect::<Vec<_>>();
        let claims = json!({
            "iss": self.iss, "iat": self.iat,
            "token_keys": jwks(&self.token), "receipt_keys": jwks(&self.receipt),
        });
        key.sign(FORMER_KEYS_TYP, &claims)
    }

    /// Verifies a member's list of its own keys. Keys of unsupported kinds are ignored.
    ///
    /// # Errors
    /// [`TrustError::NotTrusted`] with the first check that fails.
    pub fn verify(
        text: &str,
        entity: &EntityId,
        federation_keys: &PublicKeys,
        now: Timestamp,
    ) -> Result<Self, TrustError> {
        let jws = UnverifiedJws::parse(text, &FORMER_KEYS).map_err(refused)?;
        let claims = jws.verify_with::<Map<String, Value>>(federation_keys).map_err(refused)?.into_claims();
        let malformed = TrustError::NotTrusted(TrustFault::MalformedKeyHistory);
        let iat = claims.get("iat").and_then(Value::as_i64).ok_or(malformed)?;
        check_times(now, Some(iat), None, None).map_err(refused)?;
        if claims.get("iss").and_then(Value::as_str) != Some(entity.as_str()) {
            return Err(TrustError::NotTrusted(TrustFault::KeyHistoryOfAnother));
        }
        let (token, receipt) = (read_keys(claims.get("token_keys"))?, read_keys(claims.get("receipt_keys"))?);
        Ok(Self { iss: entity.clone(), iat, token, receipt })
    }

    /// The former receipt key of that `kid`.
    #[must_use]
    pub(crate) fn find_receipt_key(&self, kid: &KeyId) -> Option<&HistoricalKey> {
        self.receipt.iter().find(|one| one.key.kid() == Some(kid))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Revocation, RevocationReason};
    use super::*;

    #[test]
    fn a_list_is_the_members_own_and_keeps_what_each_key_was_for() {
        let (federation, token, receipt) = (
            SigningKey::generate().unwrap(),
            SigningKey::generate().unwrap(),
            SigningKey::generate().unwrap(),
        );
        let id = EntityId::new("https://espoo.example").unwrap();
        let former = |key: &SigningKey, revoked| HistoricalKey {
            key: key.public().clone(),
            iat: Some(10),
            exp: 20,
            revoked,
        };
        let given_up = Revocation { revoked_at: 15, reason: Some(RevocationReason::Compromised) };
        let list = FormerKeys {
            iss: id.clone(),
            iat: 100,
            token: vec![former(&token, None)],
            receipt: vec![former(&receipt, Some(given_up.clone()))],
        };
        let text = list.sign(&federation).unwrap();
        let vouched = PublicKeys::single(federation.public().clone());
        let now = Timestamp::from_secs(101);
        let read = FormerKeys::verify(&text, &id, &vouched, now).unwrap();
        assert_eq!(read.find_receipt_key(receipt.kid()).unwrap().revoked, Some(given_up));
        assert!(read.find_receipt_key(token.kid()).is_none(), "a token key signs no receipts");
        assert_eq!(read.token.len(), 1);
        let refused = |text: &str, id: &EntityId, keys: &PublicKeys, now: i64| {
            FormerKeys::verify(text, id, keys, Timestamp::from_secs(now)).unwrap_err()
        };
        let other = EntityId::new("https://turku.example").unwrap();
        let another = TrustError::NotTrusted(TrustFault::KeyHistoryOfAnother);
        assert_eq!(refused(&text, &other, &vouched, 101), another);
        let stranger = PublicKeys::single(receipt.public().clone());
        assert_eq!(
            refused(&text, &id, &stranger, 101),
            TrustError::NotTrusted(TrustFault::Jose(JoseError::UnknownKey))
        );
        assert_eq!(
            refused(&text, &id, &vouched, 0),
            TrustError::NotTrusted(TrustFault::Jose(JoseError::NotYetValid))
        );
        let plain = federation.sign("jwk-set+jwt", &json!({"iss": id, "iat": 1, "keys": []})).unwrap();
        assert_eq!(
            refused(&plain, &id, &vouched, 101),
            TrustError::NotTrusted(TrustFault::Jose(JoseError::WrongType))
        );
    }
}
