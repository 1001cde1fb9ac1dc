//! The strict parser: from text to a well-formed message whose content is not trusted yet.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::json::parse_object;
use super::{Algorithm, JoseError, PublicKey, PublicKeys, Verified, b64url, from_b64url, sha256, times};
use crate::domain::ids::KeyId;

/// Source of the verifying key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySource {
    /// The sender's known keys, by `kid`; a key in the header is refused.
    Kid,
    /// The header member `jwk`, which is required (RFC 9449 §4.2).
    EmbeddedJwk,
}

/// Allowed claims besides the required ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claims {
    /// Only these: for receipts, which are evidence of exactly their content.
    Only(&'static [&'static str]),
    /// Any; unknown ones are ignored (RFC 7519 §4), so that an older node reads a newer one's messages.
    Any,
}

/// [`Profile::typ`] of messages whose standard sets no type: `typ` absent or `JWT`. Only if the sender, the audience
/// and the use of the key already distinguish the kinds of messages (ID tokens, client assertions).
pub const PLAIN_JWT: &str = "JWT";

/// Required format of a kind of signed message.
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// Its `typ` as a media type without `application/`, compared case-insensitively (RFC 7515 §4.1.9); [`PLAIN_JWT`]
    /// also accepts messages without `typ`.
    pub typ: &'static str,
    /// Maximum size of the compact form in bytes.
    pub max_bytes: usize,
    /// Source of the verifying key.
    pub key_source: KeySource,
    /// Required claims, not null.
    pub required: &'static [&'static str],
    /// Allowed claims.
    pub optional: Claims,
    /// Header members that this kind of message must not have, besides those that are always forbidden. Other unknown
    /// ones are ignored (RFC 7515 §4); critical ones are named in `crit`, which is refused.
    pub forbidden_headers: &'static [&'static str],
}

/// Header members that are refused in every message: those that change how it is parsed, and those with a key of the
/// sender's choice (RFC 8725 §3.10).
const FORBIDDEN_HEADERS: [&str; 6] = ["b64", "zip", "enc", "jku", "x5u", "x5c"];

/// Size of an ES256 or Ed25519 signature in bytes.
const SIGNATURE_BYTES: usize = 64;

/// A well-formed compact JWS. Its signature is not verified: nothing in it is trusted.
#[derive(Clone)]
pub struct UnverifiedJws {
    signing_input: String,
    algorithm: Algorithm,
    kid: Option<KeyId>,
    embedded_key: Option<PublicKey>,
    source: KeySource,
    trust_chain: Option<Value>,
    payload: Map<String, Value>,
    signature: Vec<u8>,
    digest: String,
}

impl UnverifiedJws {
    /// Checks the format of a compact JWS against a profile: size, three parts, canonical base64url, JSON objects
    /// without duplicate names, header members, type, algorithm, length of the signature, claim names and times.
    ///
    /// # Errors
    /// The [`JoseError`] of the first check that fails.
    pub fn parse(text: &str, profile: &'static Profile) -> Result<Self, JoseError> {
        if text.len() > profile.max_bytes {
            return Err(JoseError::TooLarge);
        }
        let mut parts = text.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(JoseError::NotCompact);
        };
        let signing_input = format!("{header}.{payload}");
        let mut header = parse_object(&from_b64url(header)?)?;
        let payload_bytes = from_b64url(payload)?;
        let signature = from_b64url(signature)?;

        check_header_names(&header, profile)?;
        check_typ(&header, profile)?;
        let algorithm = header
            .get("alg")
            .and_then(Value::as_str)
            .and_then(Algorithm::from_name)
            .ok_or(JoseError::AlgorithmNotAllowed)?;
        let kid = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) => {
                Some(KeyId::new(kid.as_str()).map_err(|_| JoseError::MalformedKeyId)?)
            }
            Some(_) => return Err(JoseError::MalformedKeyId),
        };
        let embedded_key = match profile.key_source {
            KeySource::Kid => None,
            KeySource::EmbeddedJwk => {
                Some(PublicKey::from_jwk(header.get("jwk").ok_or(JoseError::MissingEmbeddedKey)?)?)
            }
        };
        check_signature_form(&signature, algorithm)?;
        let mut payload = parse_object(&payload_bytes)?;
        check_claim_names(&payload, profile)?;
        times::to_whole_seconds(&mut payload)?;
        Ok(Self {
            signing_input,
            algorithm,
            kid,
            embedded_key,
            source: profile.key_source,
            trust_chain: header.remove("trust_chain"),
            payload,
            signature,
            digest: b64url(&sha256(text.as_bytes())),
        })
    }

    /// The `kid` in the header.
    #[must_use]
    pub const fn kid(&self) -> Option<&KeyId> {
        self.kid.as_ref()
    }

    /// The header member `trust_chain` (OpenID Federation 1.0 §4.3), unverified.
    #[must_use]
    pub(crate) const fn handed_in_chain(&self) -> Option<&Value> {
        self.trust_chain.as_ref()
    }

    /// The unverified `iss`, to find the keys with.
    #[must_use]
    pub(crate) fn claimed_issuer(&self) -> Option<&str> {
        self.payload.get("iss").and_then(Value::as_str)
    }

    /// The unverified `aud`, if it is one string.
    #[must_use]
    pub(crate) fn claimed_audience(&self) -> Option<&str> {
        self.payload.get("aud").and_then(Value::as_str)
    }

    /// The unverified claims: only for messages that contain the keys to verify them with (an entity configuration in a
    /// trust chain).
    ///
    /// # Errors
    /// [`JoseError::MalformedClaims`] when they do not fit `C`.
    pub fn claimed<C: DeserializeOwned>(&self) -> Result<C, JoseError> {
        serde_json::from_value(Value::Object(self.payload.clone())).map_err(|_| JoseError::MalformedClaims)
    }

    /// The key in the header, if the profile requires one.
    #[must_use]
    pub const fn embedded_key(&self) -> Option<&PublicKey> {
        self.embedded_key.as_ref()
    }

    /// Verifies the signature with this key, whose algorithm must be the header's. A `kid` in the header must equal the
    /// key's if both have one; a key in the header must be this key.
    ///
    /// # Errors
    /// [`JoseError::UnknownKey`], [`JoseError::AlgorithmMismatch`], [`JoseError::Signature`], and
    /// [`JoseError::MalformedClaims`] when the claims do not fit `C`.
    pub fn verify<C: DeserializeOwned>(self, key: &PublicKey) -> Result<Verified<C>, JoseError> {
        if self.embedded_key.as_ref().is_some_and(|embedded| embedded.thumbprint() != key.thumbprint()) {
            return Err(JoseError::UnknownKey);
        }
        // A proof's key is identified by its thumbprint; a `kid` beside it is ignored.
        if self.source == KeySource::Kid
            && let (Some(named), Some(kid)) = (&self.kid, key.kid())
            && named != kid
        {
            return Err(JoseError::UnknownKey);
        }
        if key.algorithm() != self.algorithm {
            return Err(JoseError::AlgorithmMismatch);
        }
        key.check(self.signing_input.as_bytes(), &self.signature)?;
        let claims =
            serde_json::from_value(Value::Object(self.payload)).map_err(|_| JoseError::MalformedClaims)?;
        Ok(Verified { claims, kid: self.kid, thumbprint: key.thumbprint().clone(), digest: self.digest })
    }

    /// Verifies the signature with the one of these keys that has the header's `kid`.
    ///
    /// # Errors
    /// [`JoseError::MissingKeyId`], [`JoseError::UnknownKey`], or as [`Self::verify`].
    pub fn verify_with<C: DeserializeOwned>(self, keys: &PublicKeys) -> Result<Verified<C>, JoseError> {
        let kid = self.kid.as_ref().ok_or(JoseError::MissingKeyId)?;
        let key = keys.find(kid).ok_or(JoseError::UnknownKey)?;
        self.verify(key)
    }
}

impl std::fmt::Debug for UnverifiedJws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnverifiedJws").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

fn check_header_names(header: &Map<String, Value>, profile: &Profile) -> Result<(), JoseError> {
    if header.contains_key("crit") {
        return Err(JoseError::CriticalHeader);
    }
    if FORBIDDEN_HEADERS.iter().any(|name| header.contains_key(*name)) {
        return Err(JoseError::ForbiddenHeader);
    }
    if profile.forbidden_headers.iter().any(|name| header.contains_key(*name)) {
        return Err(JoseError::ForbiddenHeader);
    }
    if profile.key_source == KeySource::Kid && header.contains_key("jwk") {
        return Err(JoseError::ForbiddenHeader);
    }
    Ok(())
}

fn check_typ(header: &Map<String, Value>, profile: &Profile) -> Result<(), JoseError> {
    let fits = match header.get("typ") {
        None => profile.typ == PLAIN_JWT,
        Some(Value::String(typ)) => {
            let short = match typ.split_at_checked(12) {
                Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => rest,
                _ => typ,
            };
            short.eq_ignore_ascii_case(profile.typ)
        }
        Some(_) => false,
    };
    if fits { Ok(()) } else { Err(JoseError::WrongType) }
}

fn check_signature_form(signature: &[u8], algorithm: Algorithm) -> Result<(), JoseError> {
    let Some((first, second)) = signature.split_at_checked(SIGNATURE_BYTES / 2) else {
        return Err(JoseError::SignatureForm);
    };
    let zero = |half: &[u8]| half.iter().all(|byte| *byte == 0);
    let empty = match algorithm {
        // r and s of ECDSA are never zero.
        Algorithm::Es256 => zero(first) || zero(second),
        Algorithm::EdDsa => zero(first) && zero(second),
    };
    if signature.len() == SIGNATURE_BYTES && !empty { Ok(()) } else { Err(JoseError::SignatureForm) }
}

fn check_claim_names(payload: &Map<String, Value>, profile: &Profile) -> Result<(), JoseError> {
    for name in profile.required {
        if payload.get(*name).is_none_or(Value::is_null) {
            return Err(JoseError::MissingClaim(name));
        }
    }
    if let Claims::Only(optional) = profile.optional {
        let known = |name: &str| profile.required.contains(&name) || optional.contains(&name);
        if !payload.keys().all(|name| known(name)) {
            return Err(JoseError::UnknownClaim);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::jose::SigningKey;

    static TOKEN: Profile = Profile {
        typ: "test+jwt",
        max_bytes: 4096,
        key_source: KeySource::Kid,
        required: &["iss", "exp"],
        optional: Claims::Only(&["sub"]),
        forbidden_headers: &[],
    };
    static PROOF: Profile = Profile {
        typ: "dpop+jwt",
        max_bytes: 4096,
        key_source: KeySource::EmbeddedJwk,
        required: &["jti"],
        optional: Claims::Any,
        forbidden_headers: &[],
    };
    static PLAIN: Profile = Profile { typ: PLAIN_JWT, ..TOKEN };

    #[test]
    fn a_good_message_is_verified_with_the_key_that_it_names() {
        let key = SigningKey::generate().unwrap();
        let text = key.sign("test+jwt", &json!({"iss":"a","exp":9,"sub":"b"})).unwrap();
        let jws = UnverifiedJws::parse(&text, &TOKEN).unwrap();
        assert_eq!(jws.claimed_issuer(), Some("a"));
        let keys = PublicKeys::single(key.public().clone());
        let verified: Verified<Value> = jws.verify_with(&keys).unwrap();
        assert_eq!(verified.claims()["exp"], 9);
        assert_eq!(verified.kid(), Some(key.kid()));
        assert_eq!(verified.key_thumbprint(), key.public().thumbprint());
        assert_eq!(verified.digest(), b64url(&sha256(text.as_bytes())));
    }

    #[test]
    fn a_proof_is_verified_with_the_key_that_it_carries_and_no_other() {
        let key = SigningKey::generate().unwrap();
        let text = key.sign_with_jwk("dpop+jwt", &json!({"jti":"1"})).unwrap();
        let jws = UnverifiedJws::parse(&text, &PROOF).unwrap();
        let embedded = jws.embedded_key().unwrap().clone();
        let other = SigningKey::generate().unwrap();
        assert_eq!(jws.clone().verify::<Value>(other.public()).unwrap_err(), JoseError::UnknownKey);
        assert!(jws.verify::<Value>(&embedded).is_ok());
        assert_eq!(UnverifiedJws::parse(&text, &TOKEN).unwrap_err(), JoseError::ForbiddenHeader);
    }

    #[test]
    fn a_plain_jwt_may_lack_typ_but_may_not_have_another() {
        let key = SigningKey::generate().unwrap();
        for (header, fits) in [
            (json!({"alg":"ES256"}), true),
            (json!({"alg":"ES256","typ":"JWT"}), true),
            (json!({"alg":"ES256","typ":"at+jwt"}), false),
            (json!({"alg":"ES256","typ":null}), false),
        ] {
            let signed = key.sign("x", &json!({"iss":"a","exp":9})).unwrap();
            let rest = signed.split_once('.').unwrap().1;
            let text = format!("{}.{rest}", b64url(header.to_string().as_bytes()));
            assert_eq!(UnverifiedJws::parse(&text, &PLAIN).is_ok(), fits, "{header}");
        }
    }

    #[test]
    fn claims_that_do_not_fit_their_type_are_refused_after_verification() {
        #[derive(Debug, serde::Deserialize)]
        struct Typed {
            #[expect(dead_code)]
            iss: String,
        }
        let key = SigningKey::generate().unwrap();
        let text = key.sign("test+jwt", &json!({"iss":["a"],"exp":9})).unwrap();
        let jws = UnverifiedJws::parse(&text, &TOKEN).unwrap();
        assert_eq!(jws.verify::<Typed>(key.public()).unwrap_err(), JoseError::MalformedClaims);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,300}") {
            let _ = UnverifiedJws::parse(&text, &TOKEN);
            let _ = UnverifiedJws::parse(&text, &PROOF);
        }

        #[test]
        fn no_parts_make_the_parser_panic(
            header in prop::collection::vec(any::<u8>(), 0..200),
            payload in prop::collection::vec(any::<u8>(), 0..200),
            signature in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let text = format!("{}.{}.{}", b64url(&header), b64url(&payload), b64url(&signature));
            let _ = UnverifiedJws::parse(&text, &TOKEN);
            let _ = crate::domain::jose::parse_strict_json(&header);
        }

        #[test]
        fn no_signature_makes_the_verifier_panic_or_pass(signature in prop::collection::vec(any::<u8>(), 64)) {
            let key = SigningKey::generate().unwrap();
            let good = key.sign("test+jwt", &json!({"iss":"a","exp":9})).unwrap();
            let (message, _) = good.rsplit_once('.').unwrap();
            let text = format!("{message}.{}", b64url(&signature));
            if let Ok(jws) = UnverifiedJws::parse(&text, &TOKEN) {
                prop_assert_eq!(jws.verify::<Value>(key.public()).unwrap_err(), JoseError::Signature);
            }
        }
    }
}
