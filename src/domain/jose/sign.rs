//! Signing.

use std::fmt;
use std::sync::Arc;

use josekit::jwk::{Jwk, KeyPair};
use josekit::jws::{ES256, EdDSA, JwsSigner};
use serde::Serialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::json::parse_object;
use super::key::coordinate;
use super::{Algorithm, JoseError, PublicKey, b64url, p256};
use crate::domain::ids::KeyId;

/// A private key that signs. Cheap to clone; prints its public thumbprint only.
#[derive(Clone)]
pub struct SigningKey(Arc<Inner>);

struct Inner {
    public: PublicKey,
    kid: KeyId,
    private_jwk: Zeroizing<String>,
    signer: Box<dyn JwsSigner>,
}

impl SigningKey {
    /// Generates an ES256 key with OpenSSL's randomness; its `kid` is its thumbprint.
    ///
    /// # Errors
    /// [`JoseError::Crypto`] from OpenSSL.
    pub fn generate() -> Result<Self, JoseError> {
        let pair = ES256.generate_key_pair().map_err(|_| JoseError::Crypto)?;
        Self::from_private_jwk(&Zeroizing::new(pair.to_jwk_key_pair().to_string()))
    }

    /// Parses a private JWK (EC P-256 or OKP Ed25519, with its public part); without `kid` it gets its thumbprint.
    ///
    /// # Errors
    /// [`JoseError::MalformedSigningKey`] when it has no private part or one that does not match the public part; else
    /// the error of [`PublicKey::from_jwk`].
    pub fn from_private_jwk(text: &str) -> Result<Self, JoseError> {
        let members = parse_object(text.as_bytes()).map_err(|_| JoseError::MalformedSigningKey)?;
        let public = PublicKey::from_public_members(&members)?.with_kid()?;
        let kid = public.kid().ok_or(JoseError::MalformedKeyId)?.clone();
        let d = Zeroizing::new(coordinate(&members, "d").map_err(|_| JoseError::MalformedSigningKey)?);
        let mut private = public.bare();
        private.insert("kid".into(), kid.as_str().into());
        private.insert("d".into(), d.as_str().into());
        let private_jwk = Zeroizing::new(Value::Object(private.clone()).to_string());
        let signer = signer(public.algorithm(), private)?;
        // A signature that the public half verifies proves that the halves match.
        let probe = b"OmaData signing key";
        let signature = signer.sign(probe).map_err(|_| JoseError::MalformedSigningKey)?;
        public.check(probe, &signature).map_err(|_| JoseError::MalformedSigningKey)?;
        Ok(Self(Arc::new(Inner { public, kid, private_jwk, signer })))
    }

    /// The private JWK, to be sealed and stored. Never log it.
    #[must_use]
    pub fn to_private_jwk(&self) -> Zeroizing<String> {
        self.0.private_jwk.clone()
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.0.public
    }

    /// Its key identifier.
    #[must_use]
    pub fn kid(&self) -> &KeyId {
        &self.0.kid
    }

    /// Signs claims as a compact JWS with the header members `alg`, `kid` and `typ`.
    ///
    /// # Errors
    /// [`JoseError::UnsignableClaims`] when the claims are not a JSON object, [`JoseError::Crypto`] from OpenSSL.
    pub fn sign<C: Serialize>(&self, typ: &str, claims: &C) -> Result<String, JoseError> {
        self.compact(
            &json!({ "alg": self.public().algorithm().name(), "kid": self.kid(), "typ": typ }),
            claims,
        )
    }

    /// Signs claims as a compact JWS that carries its public key: header members `alg`, `typ` and `jwk`, as a DPoP
    /// proof needs (RFC 9449 §4.2).
    ///
    /// # Errors
    /// As [`Self::sign`].
    pub fn sign_with_jwk<C: Serialize>(&self, typ: &str, claims: &C) -> Result<String, JoseError> {
        let jwk = self.public().bare();
        self.compact(&json!({ "alg": self.public().algorithm().name(), "typ": typ, "jwk": jwk }), claims)
    }

    fn compact<C: Serialize>(&self, header: &Value, claims: &C) -> Result<String, JoseError> {
        let payload = serde_json::to_vec(claims).map_err(|_| JoseError::UnsignableClaims)?;
        if payload.first() != Some(&b'{') {
            return Err(JoseError::UnsignableClaims);
        }
        let message = format!("{}.{}", b64url(header.to_string().as_bytes()), b64url(&payload));
        let signature = self.0.signer.sign(message.as_bytes()).map_err(|_| JoseError::Crypto)?;
        Ok(format!("{message}.{}", b64url(&signature)))
    }
}

fn signer(algorithm: Algorithm, private: Map<String, Value>) -> Result<Box<dyn JwsSigner>, JoseError> {
    Ok(match algorithm {
        Algorithm::Es256 => {
            let text = |name| private.get(name).and_then(Value::as_str).unwrap_or_default();
            Box::new(p256::Signer::new(text("d"), text("x"), text("y"))?)
        }
        Algorithm::EdDsa => {
            let jwk = Jwk::from_map(private).map_err(|_| JoseError::MalformedSigningKey)?;
            Box::new(EdDSA.signer_from_jwk(&jwk).map_err(|_| JoseError::MalformedSigningKey)?)
        }
    })
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, private part redacted)", self.0.public.thumbprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_storage_and_prints_nothing_private() {
        let key = SigningKey::generate().unwrap();
        let again = SigningKey::from_private_jwk(&key.to_private_jwk()).unwrap();
        assert_eq!(again.public(), key.public());
        assert_eq!(key.kid().as_str(), key.public().thumbprint().as_str());
        let private: Value = serde_json::from_str(&key.to_private_jwk()).unwrap();
        assert!(!format!("{key:?}").contains(private["d"].as_str().unwrap()));
    }

    #[test]
    fn an_ed25519_key_is_read() {
        // RFC 8037 appendix A.1.
        let key = SigningKey::from_private_jwk(
            r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
                "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        )
        .unwrap();
        assert_eq!(key.public().algorithm(), Algorithm::EdDsa);
    }

    #[test]
    fn halves_that_do_not_belong_together_are_refused() {
        let one: Value = serde_json::from_str(&SigningKey::generate().unwrap().to_private_jwk()).unwrap();
        let mut other: Value =
            serde_json::from_str(&SigningKey::generate().unwrap().to_private_jwk()).unwrap();
        other["d"] = one["d"].clone();
        assert_eq!(
            SigningKey::from_private_jwk(&other.to_string()).unwrap_err(),
            JoseError::MalformedSigningKey
        );
        other.as_object_mut().unwrap().remove("d");
        assert_eq!(
            SigningKey::from_private_jwk(&other.to_string()).unwrap_err(),
            JoseError::MalformedSigningKey
        );
    }

    #[test]
    fn only_objects_are_signed() {
        let key = SigningKey::generate().unwrap();
        assert_eq!(key.sign("x+jwt", &"text"), Err(JoseError::UnsignableClaims));
    }
}
