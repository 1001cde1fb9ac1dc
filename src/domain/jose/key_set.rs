//! Sets of public keys (RFC 7517 §5), looked up by `kid`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::key::{has_private_part, is_ours};
use super::{JoseError, PublicKey};
use crate::domain::ids::KeyId;

/// Maximum number of keys of one set; a node publishes a few.
const MAX_KEYS: usize = 64;

/// Maximum length of a `kid` in reports, in characters.
const MAX_SHOWN_KID: usize = 64;

/// One key of a set; `None` if it is of an unsupported kind.
fn read_one(jwk: &Value) -> Result<Option<PublicKey>, JoseError> {
    let members = jwk.as_object().ok_or(JoseError::MalformedKeySet)?;
    if has_private_part(members) {
        return Err(JoseError::PrivateKey);
    }
    if !is_ours(members) {
        return Ok(None);
    }
    // OpenID Federation 1.0 §5.2.1: every key of a set has a kid.
    if !members.get("kid").is_some_and(Value::is_string) {
        return Err(JoseError::MalformedKeySet);
    }
    PublicKey::from_public_members(members).map(Some)
}

/// Public keys by unique `kid`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublicKeys(BTreeMap<KeyId, PublicKey>);

impl PublicKeys {
    /// Parses a JWK Set. Unusable keys are ignored (RFC 7517 §5): of another `kty`, `crv` or `use`, without a valid
    /// `kid`, off the curve. See [`Self::unusable`] for which. A private key, or a duplicate `kid`, refuses the set:
    /// the first is no longer secret, and the second is ambiguous.
    ///
    /// # Errors
    /// [`JoseError::DuplicateKeyId`], [`JoseError::PrivateKey`], [`JoseError::MalformedKeySet`]; and the error of
    /// [`PublicKey::from_jwk`] for the first key if no key of the set is usable.
    pub fn from_jwks(jwks: &Value) -> Result<Self, JoseError> {
        let keys = jwks.get("keys").and_then(Value::as_array).ok_or(JoseError::MalformedKeySet)?;
        if keys.len() > MAX_KEYS {
            return Err(JoseError::MalformedKeySet);
        }
        let mut kids = std::collections::BTreeSet::new();
        let (mut usable, mut fault) = (Vec::new(), None);
        for jwk in keys {
            let kid = jwk.get("kid").and_then(Value::as_str);
            if kid.is_some_and(|kid| !kids.insert(kid)) {
                return Err(JoseError::DuplicateKeyId);
            }
            match read_one(jwk) {
                Ok(key) => usable.extend(key),
                Err(JoseError::PrivateKey) => return Err(JoseError::PrivateKey),
                Err(error) => fault = fault.or(Some(error)),
            }
        }
        match fault {
            Some(error) if usable.is_empty() => Err(error),
            _ => Self::from_keys(usable),
        }
    }

    /// The keys of a JWK Set that [`Self::from_jwks`] ignores, each by its `kid` (or its index, from zero) with the
    /// reason. Keys of an unsupported kind are no fault and not included.
    #[must_use]
    pub(crate) fn unusable(jwks: &Value) -> Vec<(String, JoseError)> {
        let keys = jwks.get("keys").and_then(Value::as_array).into_iter().flatten();
        let name = |at: usize, jwk: &Value| match jwk.get("kid").and_then(Value::as_str) {
            Some(kid) => kid.chars().take(MAX_SHOWN_KID).collect(),
            None => at.to_string(),
        };
        keys.enumerate().filter_map(|(at, jwk)| Some((name(at, jwk), read_one(jwk).err()?))).collect()
    }

    /// A set of these keys; one without `kid` gets its thumbprint.
    ///
    /// # Errors
    /// [`JoseError::DuplicateKeyId`] when two have the same `kid`.
    pub fn from_keys(keys: Vec<PublicKey>) -> Result<Self, JoseError> {
        let mut set = BTreeMap::new();
        for key in keys {
            let key = key.with_kid()?;
            let kid = key.kid().ok_or(JoseError::MalformedKeyId)?.clone();
            if set.insert(kid, key).is_some() {
                return Err(JoseError::DuplicateKeyId);
            }
        }
        Ok(Self(set))
    }

    /// A set of one key, which gets its thumbprint if it has no `kid`.
    #[must_use]
    pub fn single(key: PublicKey) -> Self {
        let key = key.with_kid().unwrap_or(key);
        Self(key.kid().cloned().map(|kid| (kid, key)).into_iter().collect())
    }

    /// The key of that `kid`.
    #[must_use]
    pub fn find(&self, kid: &KeyId) -> Option<&PublicKey> {
        self.0.get(kid)
    }

    /// All keys, in the order of their `kid`.
    pub fn iter(&self) -> impl Iterator<Item = &PublicKey> {
        self.0.values()
    }

    /// The number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As a JWK Set to publish.
    #[must_use]
    pub fn to_jwks(&self) -> Value {
        json!({ "keys": self.iter().map(PublicKey::to_jwk).collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::jose::SigningKey;

    #[test]
    fn keys_are_found_by_kid_and_foreign_kinds_are_left_out() {
        let key = SigningKey::generate().unwrap();
        let mut jwks = PublicKeys::single(key.public().clone()).to_jwks();
        jwks["keys"].as_array_mut().unwrap().push(json!({"kty":"RSA","kid":"rsa","n":"AQAB","e":"AQAB"}));
        let keys = PublicKeys::from_jwks(&jwks).unwrap();
        assert_eq!(keys.len(), 1);
        assert_eq!(keys.find(key.kid()), Some(key.public()));
        assert!(keys.find(&KeyId::new("other").unwrap()).is_none());
    }

    #[test]
    fn an_unusable_key_beside_good_ones_is_left_out_and_named() {
        let key = SigningKey::generate().unwrap();
        let good = PublicKeys::single(key.public().clone());
        let of = |changes: Value| {
            let mut jwk = SigningKey::generate().unwrap().public().to_jwk();
            for (name, value) in changes.as_object().unwrap() {
                jwk[name] = value.clone();
            }
            jwk
        };
        for (jwk, reason) in [
            (of(json!({"kid": "a", "use": "tls"})), JoseError::MalformedKey),
            (of(json!({"kid": "a", "alg": "ES512"})), JoseError::MalformedKey),
            (of(json!({"kid": "a", "y": crate::domain::jose::b64url(&[1; 32])})), JoseError::MalformedKey),
            (of(json!({"kid": "a key"})), JoseError::MalformedKeyId),
            (of(json!({"kid": null})), JoseError::MalformedKeySet),
            (json!("key"), JoseError::MalformedKeySet),
        ] {
            let mut jwks = good.to_jwks();
            jwks["keys"].as_array_mut().unwrap().push(jwk.clone());
            assert_eq!(PublicKeys::from_jwks(&jwks).unwrap(), good, "{jwk}");
            let name = jwk.get("kid").and_then(Value::as_str).unwrap_or("1").to_owned();
            assert_eq!(PublicKeys::unusable(&jwks), [(name, reason)]);
            assert_eq!(PublicKeys::from_jwks(&json!({ "keys": [jwk] })).unwrap_err(), reason);
        }
        assert!(PublicKeys::unusable(&good.to_jwks()).is_empty());
    }

    #[test]
    fn faulty_sets_are_refused() {
        let jwk = SigningKey::generate().unwrap().public().to_jwk();
        let mut nameless = jwk.clone();
        nameless.as_object_mut().unwrap().remove("kid");
        let mut private = jwk.clone();
        private["kid"] = json!("private");
        private["d"] = json!("AA");
        let many = (0..65).map(|n| json!({"kty":"RSA","kid":n.to_string()})).collect::<Vec<_>>();
        for (jwks, expected) in [
            (json!({ "keys": [jwk, jwk] }), JoseError::DuplicateKeyId),
            (json!({"keys":[{"kty":"RSA","kid":"a"},{"kty":"RSA","kid":"a"}]}), JoseError::DuplicateKeyId),
            (json!({ "keys": [jwk, private] }), JoseError::PrivateKey),
            (json!({ "keys": [{"kty":"oct","kid":"k"}] }), JoseError::PrivateKey),
            (json!({ "keys": [nameless] }), JoseError::MalformedKeySet),
            (json!({ "keys": many }), JoseError::MalformedKeySet),
            (json!({ "keys": {} }), JoseError::MalformedKeySet),
            (json!([]), JoseError::MalformedKeySet),
        ] {
            assert_eq!(PublicKeys::from_jwks(&jwks).unwrap_err(), expected, "{jwks}");
        }
    }
}
