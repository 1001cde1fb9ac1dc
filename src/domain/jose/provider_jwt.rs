//! Signed messages of login providers: ID tokens (OpenID Connect Core 1.0 §2) and UserInfo answers (§5.3.2). Providers
//! choose their `kid` and header members freely, so the profiles of messages between nodes do not fit them.

use serde_json::{Map, Value};

use super::external_key::{ExternalAlgorithm, ExternalKey};
use super::json::parse_object;
use super::{JoseError, from_b64url};

/// Maximum size in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// Header members that change how a message is parsed (RFC 7515 §4.1.11, RFC 7797, RFC 7516 §4.1).
const FORBIDDEN_HEADERS: [&str; 4] = ["crit", "b64", "zip", "enc"];

/// Members of a provider's public key that are stored as evidence.
const PUBLIC_MEMBERS: [&str; 9] = ["kty", "crv", "x", "y", "n", "e", "kid", "use", "alg"];

/// Why no provider key was selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyNotFound {
    /// The set has no such key; a newer set may have it.
    Unknown,
    Ambiguous,
}

/// A parsed compact JWS of a login provider with an unverified signature.
#[derive(Clone)]
pub(crate) struct ProviderJwt {
    signing_input: String,
    algorithm: ExternalAlgorithm,
    algorithm_name: String,
    kid: Option<Value>,
    payload: Map<String, Value>,
    signature: Vec<u8>,
}

impl ProviderJwt {
    /// Parses a compact JWS signed with ES256, EdDSA, RS256 or PS256.
    ///
    /// # Errors
    /// The [`JoseError`] of the first malformed part.
    pub(crate) fn parse(text: &str) -> Result<Self, JoseError> {
        if text.len() > MAX_BYTES {
            return Err(JoseError::TooLarge);
        }
        let (signing_input, signature) = text.rsplit_once('.').ok_or(JoseError::NotCompact)?;
        let (header, payload) = signing_input.split_once('.').ok_or(JoseError::NotCompact)?;
        let header = parse_object(&from_b64url(header)?)?;
        if FORBIDDEN_HEADERS.iter().any(|name| header.contains_key(*name)) {
            return Err(JoseError::ForbiddenHeader);
        }
        let name = header.get("alg").and_then(Value::as_str).unwrap_or_default();
        Ok(Self {
            algorithm: ExternalAlgorithm::from_name(name).ok_or(JoseError::AlgorithmNotAllowed)?,
            algorithm_name: name.to_owned(),
            kid: header.get("kid").cloned(),
            payload: parse_object(&from_b64url(payload)?)?,
            signature: from_b64url(signature).map_err(|_| JoseError::Signature)?,
            signing_input: signing_input.to_owned(),
        })
    }

    /// The one key of a set that can have signed this message, by its `kid` and algorithm: its public members.
    ///
    /// # Errors
    /// [`KeyNotFound`] when there is none, or more than one.
    pub(crate) fn find_key(&self, keys: &[Value]) -> Result<Value, KeyNotFound> {
        let (kty, crv) = self.algorithm.key_kind();
        let fits = |key: &&Value| {
            let has = |member: &str, value: &str| key.get(member).and_then(Value::as_str) == Some(value);
            let may_have = |member: &str, value: &str| key.get(member).is_none() || has(member, value);
            let same_algorithm = key
                .get("alg")
                .and_then(Value::as_str)
                .is_some_and(|name| ExternalAlgorithm::from_name(name) == Some(self.algorithm));
            has("kty", kty)
                && crv.is_none_or(|crv| has("crv", crv))
                && may_have("use", "sig")
                && (same_algorithm || may_have("alg", &self.algorithm_name))
                && (self.kid.is_none() || key.get("kid") == self.kid.as_ref())
        };
        let mut fitting = keys.iter().filter(fits);
        let key = fitting.next().ok_or(KeyNotFound::Unknown)?;
        if fitting.next().is_some() {
            return Err(KeyNotFound::Ambiguous);
        }
        let members = key.as_object().into_iter().flatten();
        let public = members.filter(|(name, _)| PUBLIC_MEMBERS.contains(&name.as_str()));
        Ok(Value::Object(public.map(|(name, value)| (name.clone(), value.clone())).collect()))
    }

    /// Verifies the signature with this key. The caller selects the key, so other header members about keys (`kid`,
    /// `x5t`) are ignored.
    ///
    /// # Errors
    /// [`JoseError`]: the key is malformed, not of the message's algorithm, or did not sign it.
    pub(crate) fn verify(self, key: &Value) -> Result<Map<String, Value>, JoseError> {
        let key = ExternalKey::from_jwk(key)?;
        key.check(self.algorithm, self.signing_input.as_bytes(), &self.signature)?;
        Ok(self.payload)
    }

    #[must_use]
    pub(crate) const fn unverified_payload(&self) -> &Map<String, Value> {
        &self.payload
    }
}
