//! Public keys of login providers and passkeys. Besides the kinds used between nodes they may be RSA, which providers
//! and Windows Hello still use; messages between nodes accept no such key.

use josekit::jwk::Jwk;
use josekit::jws::{JwsVerifier, PS256, RS256};
use serde_json::{Map, Value, json};

use super::key::has_private_part;
use super::{Algorithm, JoseError, PublicKey, b64url, from_b64url, sha256};
use crate::domain::ids::Thumbprint;

/// Accepted sizes of RSA moduli in bytes: 2048 bits (RFC 7518 §3.3) to 8192.
const RSA_MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// Maximum size of an RSA exponent in bytes. Longer ones only make a verification slow.
const MAX_RSA_EXPONENT_BYTES: usize = 8;

/// The signature algorithms accepted from login providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExternalAlgorithm {
    /// ECDSA with P-256 and SHA-256 (RFC 7518 §3.4).
    Es256,
    /// Ed25519 (RFC 8037).
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3).
    Rs256,
    /// RSASSA-PSS with SHA-256 (RFC 7518 §3.5).
    Ps256,
}

impl ExternalAlgorithm {
    /// The algorithm of an `alg` value. `Ed25519` is the newer name of `EdDSA` with that curve (RFC 9864 §2.2).
    #[must_use]
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "ES256" => Some(Self::Es256),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            _ => None,
        }
    }

    /// The `kty` and `crv` of the keys that it is used with.
    #[must_use]
    pub(crate) const fn key_kind(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Es256 => ("EC", Some("P-256")),
            Self::EdDsa => ("OKP", Some("Ed25519")),
            Self::Rs256 | Self::Ps256 => ("RSA", None),
        }
    }
}

/// A public key of a login provider or a passkey.
#[derive(Debug, Clone)]
pub(crate) enum ExternalKey {
    /// P-256 or Ed25519.
    Curve(PublicKey),
    Rsa(RsaPublicKey),
}

/// An RSA key that verifies RS256 and PS256.
#[derive(Debug, Clone)]
pub(crate) struct RsaPublicKey {
    members: Map<String, Value>,
    algorithm: Option<String>,
    thumbprint: Thumbprint,
}

impl ExternalKey {
    /// Parses a JWK: EC on P-256, OKP Ed25519, or RSA of 2048 to 8192 bits. `alg`, `use` and `key_ops` must allow
    /// verifying if they are present; a `kid` may be any text and is ignored.
    ///
    /// # Errors
    /// [`JoseError::PrivateKey`] when it has a private part, else [`JoseError::MalformedKey`].
    pub(crate) fn from_jwk(jwk: &Value) -> Result<Self, JoseError> {
        if jwk.get("kty").and_then(Value::as_str) == Some("RSA") {
            return RsaPublicKey::from_jwk(jwk).map(Self::Rsa);
        }
        let mut members = jwk.as_object().ok_or(JoseError::MalformedKey)?.clone();
        members.remove("kid");
        PublicKey::from_jwk(&Value::Object(members)).map(Self::Curve)
    }

    /// Its RFC 7638 SHA-256 thumbprint.
    #[must_use]
    pub(crate) fn thumbprint(&self) -> &Thumbprint {
        match self {
            Self::Curve(key) => key.thumbprint(),
            Self::Rsa(key) => &key.thumbprint,
        }
    }

    /// Verifies the signature of a JWS over exactly these bytes.
    ///
    /// # Errors
    /// [`JoseError::AlgorithmMismatch`] when the algorithm is not one of this key's, [`JoseError::Signature`].
    pub(crate) fn check(
        &self,
        algorithm: ExternalAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), JoseError> {
        match (self, algorithm) {
            (Self::Curve(key), ExternalAlgorithm::Es256) if key.algorithm() == Algorithm::Es256 => {
                key.check(message, signature)
            }
            (Self::Curve(key), ExternalAlgorithm::EdDsa) if key.algorithm() == Algorithm::EdDsa => {
                key.check(message, signature)
            }
            (Self::Rsa(key), ExternalAlgorithm::Rs256) => key.check("RS256", message, signature),
            (Self::Rsa(key), ExternalAlgorithm::Ps256) => key.check("PS256", message, signature),
            _ => Err(JoseError::AlgorithmMismatch),
        }
    }

    /// Verifies a signature as in Web Authentication Level 2 §6.5.6: ECDSA in DER, Ed25519 and RS256 as they are.
    ///
    /// # Errors
    /// [`JoseError::Signature`].
    pub(crate) fn check_assertion(&self, message: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        match self {
            Self::Curve(key) => key.check_assertion(message, signature),
            Self::Rsa(key) => key.check("RS256", message, signature),
        }
    }
}

impl RsaPublicKey {
    fn from_jwk(jwk: &Value) -> Result<Self, JoseError> {
        let members = jwk.as_object().ok_or(JoseError::MalformedKey)?;
        if has_private_part(members) {
            return Err(JoseError::PrivateKey);
        }
        let verifies = |operations: &Value| {
            operations.as_array().is_some_and(|all| all.iter().any(|one| one == "verify" || one == "sign"))
        };
        let algorithm = match members.get("alg") {
            None => None,
            Some(Value::String(name)) if name == "RS256" || name == "PS256" => Some(name.clone()),
            Some(_) => return Err(JoseError::MalformedKey),
        };
        if members.get("use").is_some_and(|key_use| key_use != "sig")
            || !members.get("key_ops").is_none_or(verifies)
        {
            return Err(JoseError::MalformedKey);
        }
        let number = |name| {
            let text = members.get(name).and_then(Value::as_str).ok_or(JoseError::MalformedKey)?;
            Ok((text.to_owned(), from_b64url(text).map_err(|_| JoseError::MalformedKey)?.len()))
        };
        let ((modulus, modulus_bytes), (exponent, exponent_bytes)) = (number("n")?, number("e")?);
        if !RSA_MODULUS_BYTES.contains(&modulus_bytes) || exponent_bytes > MAX_RSA_EXPONENT_BYTES {
            return Err(JoseError::MalformedKey);
        }
        let canonical = format!(r#"{{"e":"{exponent}","kty":"RSA","n":"{modulus}"}}"#);
        let thumbprint =
            Thumbprint::new(b64url(&sha256(canonical.as_bytes()))).map_err(|_| JoseError::MalformedKey)?;
        let mut bare = Map::new();
        bare.insert("kty".into(), json!("RSA"));
        bare.insert("n".into(), json!(modulus));
        bare.insert("e".into(), json!(exponent));
        let key = Self { members: bare, algorithm, thumbprint };
        key.verifier("RS256")?;
        Ok(key)
    }

    fn verifier(&self, algorithm: &str) -> Result<Box<dyn JwsVerifier>, JoseError> {
        let jwk = Jwk::from_map(self.members.clone()).map_err(|_| JoseError::MalformedKey)?;
        let malformed = |_| JoseError::MalformedKey;
        Ok(match algorithm {
            "PS256" => Box::new(PS256.verifier_from_jwk(&jwk).map_err(malformed)?),
            _ => Box::new(RS256.verifier_from_jwk(&jwk).map_err(malformed)?),
        })
    }

    fn check(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        if self.algorithm.as_deref().is_some_and(|own| own != algorithm) {
            return Err(JoseError::AlgorithmMismatch);
        }
        self.verifier(algorithm)?.verify(message, signature).map_err(|_| JoseError::Signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rsa(modulus_bytes: usize) -> Value {
        json!({"kty": "RSA", "n": b64url(&vec![0xC1; modulus_bytes]), "e": "AQAB", "kid": "any text / at all"})
    }

    #[test]
    fn rsa_keys_are_of_2048_to_8192_bits_and_public() {
        for (jwk, expected) in [
            (rsa(256), None),
            (rsa(255), Some(JoseError::MalformedKey)),
            (rsa(1025), Some(JoseError::MalformedKey)),
        ] {
            assert_eq!(ExternalKey::from_jwk(&jwk).err(), expected, "{jwk}");
        }
        for (name, value, expected) in [
            ("d", json!("AA"), JoseError::PrivateKey),
            ("use", json!("enc"), JoseError::MalformedKey),
            ("alg", json!("RSA-OAEP"), JoseError::MalformedKey),
            ("alg", json!(1), JoseError::MalformedKey),
            ("key_ops", json!(["encrypt"]), JoseError::MalformedKey),
            ("e", json!("AQABAQABAQAB"), JoseError::MalformedKey),
            ("n", json!("a=="), JoseError::MalformedKey),
        ] {
            let mut jwk = rsa(256);
            jwk[name] = value;
            assert_eq!(ExternalKey::from_jwk(&jwk).err(), Some(expected), "{name}");
        }
    }

    #[test]
    fn a_key_verifies_its_own_algorithms_only() {
        let mut jwk = rsa(256);
        jwk["alg"] = json!("PS256");
        let rsa = ExternalKey::from_jwk(&jwk).unwrap();
        for (algorithm, expected) in [
            (ExternalAlgorithm::Rs256, JoseError::AlgorithmMismatch),
            (ExternalAlgorithm::Es256, JoseError::AlgorithmMismatch),
            (ExternalAlgorithm::Ps256, JoseError::Signature),
        ] {
            assert_eq!(rsa.check(algorithm, b"message", &[1; 256]), Err(expected));
        }
    }
}
