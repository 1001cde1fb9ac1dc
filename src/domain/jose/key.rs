//! Public keys (RFC 7517), parsed once, ready to verify.

use std::fmt;
use std::sync::Arc;

use josekit::jwk::Jwk;
use josekit::jws::{EdDSA, JwsVerifier};
use serde_json::{Map, Value, json};

use super::{JoseError, b64url, from_b64url, p256, sha256};
use crate::domain::ids::{KeyId, Thumbprint};

/// The signature algorithms of this product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256 (RFC 7518 §3.4).
    Es256,
    /// Ed25519 (RFC 8037).
    EdDsa,
}

impl Algorithm {
    /// The `alg` value.
    #[must_use]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Every accepted `alg` value, for metadata.
    pub(crate) const NAMES: [&str; 3] = ["ES256", "EdDSA", "Ed25519"];

    /// The algorithm of an `alg` value, compared exactly. `Ed25519` is the RFC 9864 §2.2 name of the supported use of
    /// `EdDSA`.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "ES256" => Some(Self::Es256),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// Members of a JWK that only private and symmetric keys have (RFC 7518 §6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A public key that verifies signatures. Cheap to clone.
#[derive(Clone)]
pub struct PublicKey(Arc<Inner>);

struct Inner {
    algorithm: Algorithm,
    kid: Option<KeyId>,
    thumbprint: Thumbprint,
    x: String,
    y: Option<String>,
    verifier: Box<dyn JwsVerifier>,
}

impl PublicKey {
    /// Parses a JWK: EC on P-256 or OKP Ed25519, coordinates of exact length and on the curve. `alg`, `use` and
    /// `key_ops` must allow verifying with it if they are present; other members are ignored (RFC 7517 §4).
    ///
    /// # Errors
    /// [`JoseError::PrivateKey`] when it has a private part, [`JoseError::MalformedKeyId`] for its `kid`, else
    /// [`JoseError::MalformedKey`].
    pub(crate) fn from_jwk(jwk: &Value) -> Result<Self, JoseError> {
        let members = jwk.as_object().ok_or(JoseError::MalformedKey)?;
        if has_private_part(members) {
            return Err(JoseError::PrivateKey);
        }
        Self::from_public_members(members)
    }

    /// As [`Self::from_jwk`], without checking for a private part.
    pub(super) fn from_public_members(members: &Map<String, Value>) -> Result<Self, JoseError> {
        let text = |name| members.get(name).and_then(Value::as_str);
        let algorithm = match (text("kty"), text("crv")) {
            (Some("EC"), Some("P-256")) => Algorithm::Es256,
            (Some("OKP"), Some("Ed25519")) => Algorithm::EdDsa,
            _ => return Err(JoseError::MalformedKey),
        };
        check_use(members, algorithm)?;
        let kid = match members.get("kid") {
            None => None,
            Some(Value::String(kid)) => {
                Some(KeyId::new(kid.as_str()).map_err(|_| JoseError::MalformedKeyId)?)
            }
            Some(_) => return Err(JoseError::MalformedKeyId),
        };
        let x = coordinate(members, "x")?;
        let y = match algorithm {
            Algorithm::Es256 => Some(coordinate(members, "y")?),
            Algorithm::EdDsa => None,
        };
        let bare = bare_jwk(algorithm, &x, y.as_deref());
        let thumbprint = thumbprint(&bare)?;
        let verifier: Box<dyn JwsVerifier> = match &y {
            Some(y) => Box::new(p256::Verifier::new(&x, y)?),
            None => {
                let jwk = Jwk::from_map(bare).map_err(|_| JoseError::MalformedKey)?;
                Box::new(EdDSA.verifier_from_jwk(&jwk).map_err(|_| JoseError::MalformedKey)?)
            }
        };
        Ok(Self(Arc::new(Inner { algorithm, kid, thumbprint, x, y, verifier })))
    }

    /// Whether a JWK is of a supported kind: EC on P-256 or OKP Ed25519, for signatures. A set may have others, which
    /// are ignored (RFC 7517 §5).
    #[must_use]
    pub(crate) fn is_of_a_known_kind(jwk: &Value) -> bool {
        jwk.as_object().is_some_and(is_ours)
    }

    /// Its `kid`, if it has one.
    #[must_use]
    pub fn kid(&self) -> Option<&KeyId> {
        self.0.kid.as_ref()
    }

    /// Its RFC 7638 SHA-256 thumbprint.
    #[must_use]
    pub fn thumbprint(&self) -> &Thumbprint {
        &self.0.thumbprint
    }

    /// The one algorithm that it verifies.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.0.algorithm
    }

    /// As a JWK to publish: the required members, `kid` if it has one, `alg` and `use`.
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        let mut jwk = self.bare();
        if let Some(kid) = self.kid() {
            jwk.insert("kid".into(), kid.as_str().into());
        }
        jwk.insert("alg".into(), self.algorithm().name().into());
        jwk.insert("use".into(), "sig".into());
        Value::Object(jwk)
    }

    /// Only the required members, as in a DPoP proof.
    pub(super) fn bare(&self) -> Map<String, Value> {
        bare_jwk(self.0.algorithm, &self.0.x, self.0.y.as_deref())
    }

    /// The same key with this `kid`, or with its thumbprint if it has none.
    pub(super) fn with_kid(&self) -> Result<Self, JoseError> {
        if self.kid().is_some() {
            return Ok(self.clone());
        }
        let mut members = self.bare();
        members.insert("kid".into(), self.thumbprint().as_str().into());
        Self::from_public_members(&members)
    }

    /// Verifies a signature as in Web Authentication (§6.5.5): ECDSA in DER, Ed25519 as it is.
    ///
    /// # Errors
    /// [`JoseError::Signature`].
    pub(crate) fn check_assertion(&self, message: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        match self.algorithm() {
            Algorithm::EdDsa => self.check(message, signature),
            Algorithm::Es256 => self.check(message, &raw_signature(signature).ok_or(JoseError::Signature)?),
        }
    }

    /// Verifies a signature over exactly these bytes.
    pub(super) fn check(&self, message: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        self.0.verifier.verify(message, signature).map_err(|_| JoseError::Signature)
    }
}

/// An ECDSA signature on P-256 in the JOSE format (RFC 7518 §3.4), from its canonical DER.
fn raw_signature(der: &[u8]) -> Option<Vec<u8>> {
    let parsed = openssl::ecdsa::EcdsaSig::from_der(der).ok()?;
    if parsed.to_der().ok()? != der {
        return None;
    }
    Some([parsed.r().to_vec_padded(32).ok()?, parsed.s().to_vec_padded(32).ok()?].concat())
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.0.thumbprint)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.thumbprint == other.0.thumbprint && self.0.kid == other.0.kid
    }
}

impl Eq for PublicKey {}

/// Whether a key is of a supported kind.
pub(super) fn is_ours(members: &Map<String, Value>) -> bool {
    let text = |name| members.get(name).and_then(Value::as_str);
    matches!((text("kty"), text("crv")), (Some("EC"), Some("P-256")) | (Some("OKP"), Some("Ed25519")))
        && text("use") != Some("enc")
}

/// Whether a JWK has members of a private or symmetric key, whatever its type.
pub(super) fn has_private_part(members: &Map<String, Value>) -> bool {
    members.get("kty").is_some_and(|kty| kty == "oct")
        || PRIVATE_MEMBERS.iter().any(|name| members.contains_key(*name))
}

/// Checks that `alg`, `use` and `key_ops` allow verifying, if they are present.
fn check_use(members: &Map<String, Value>, algorithm: Algorithm) -> Result<(), JoseError> {
    let alg = match members.get("alg").map(Value::as_str) {
        None => true,
        Some(name) => name.and_then(Algorithm::from_name) == Some(algorithm),
    };
    let key_use = members.get("use").is_none_or(|key_use| key_use == "sig");
    let operations = members.get("key_ops").is_none_or(|operations| {
        operations.as_array().is_some_and(|all| all.iter().any(|one| one == "verify" || one == "sign"))
    });
    if alg && key_use && operations { Ok(()) } else { Err(JoseError::MalformedKey) }
}

/// A 32-byte member, in canonical base64url.
pub(super) fn coordinate(members: &Map<String, Value>, name: &str) -> Result<String, JoseError> {
    let text = members.get(name).and_then(Value::as_str).ok_or(JoseError::MalformedKey)?;
    match from_b64url(text) {
        Ok(bytes) if bytes.len() == 32 => Ok(text.to_owned()),
        _ => Err(JoseError::MalformedKey),
    }
}

fn bare_jwk(algorithm: Algorithm, x: &str, y: Option<&str>) -> Map<String, Value> {
    let (kty, crv) = match algorithm {
        Algorithm::Es256 => ("EC", "P-256"),
        Algorithm::EdDsa => ("OKP", "Ed25519"),
    };
    // RFC 7638 §3.2: exactly the required members, in this order.
    let mut members = Map::new();
    members.insert("crv".into(), json!(crv));
    members.insert("kty".into(), json!(kty));
    members.insert("x".into(), json!(x));
    if let Some(y) = y {
        members.insert("y".into(), json!(y));
    }
    members
}

/// RFC 7638 §3, over members that are already the required ones in lexical order.
fn thumbprint(bare: &Map<String, Value>) -> Result<Thumbprint, JoseError> {
    let text = |name| bare.get(name).and_then(Value::as_str).unwrap_or_default();
    // Written out, so that it does not depend on how serde_json orders a map. No value needs escaping.
    let canonical = match bare.get("y") {
        Some(_) => format!(
            r#"{{"crv":"{}","kty":"{}","x":"{}","y":"{}"}}"#,
            text("crv"),
            text("kty"),
            text("x"),
            text("y")
        ),
        None => format!(r#"{{"crv":"{}","kty":"{}","x":"{}"}}"#, text("crv"), text("kty"), text("x")),
    };
    Thumbprint::new(b64url(&sha256(canonical.as_bytes()))).map_err(|_| JoseError::MalformedKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p256() -> Value {
        // RFC 7517 appendix A.1, first key.
        json!({"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
               "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"sig","kid":"1"})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut jwk = p256();
        jwk[name] = value;
        jwk
    }

    #[test]
    fn a_thumbprint_is_the_standards() {
        // RFC 8037 appendix A.3.
        let jwk = json!({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let key = PublicKey::from_jwk(&jwk).unwrap();
        assert_eq!(key.thumbprint().as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(key.algorithm(), Algorithm::EdDsa);
    }

    #[test]
    fn a_key_comes_back_as_it_was() {
        let key = PublicKey::from_jwk(&p256()).unwrap();
        assert_eq!(PublicKey::from_jwk(&key.to_jwk()).unwrap(), key);
        assert_eq!(key.to_jwk()["alg"], "ES256");
    }

    #[test]
    fn any_printable_key_identifier_is_read() {
        for kid in ["abc+/w==", "did:web:espoo.example#key-1", "../1", "k\u{e9}y"] {
            let read = PublicKey::from_jwk(&with("kid", json!(kid)));
            assert_eq!(read.is_ok(), kid.is_ascii(), "{kid}");
        }
    }

    #[test]
    fn what_is_no_public_key_of_ours_is_refused() {
        let short = b64url(&[1; 31]);
        let off_curve = b64url(&[1; 32]);
        for (jwk, expected) in [
            (with("d", json!("AA")), JoseError::PrivateKey),
            (json!({"kty":"oct","k":"AA"}), JoseError::PrivateKey),
            (with("use", json!("enc")), JoseError::MalformedKey),
            (with("alg", json!("RS256")), JoseError::MalformedKey),
            (with("alg", json!(1)), JoseError::MalformedKey),
            (with("key_ops", json!(["encrypt"])), JoseError::MalformedKey),
            (with("crv", json!("P-384")), JoseError::MalformedKey),
            (with("x", json!(short)), JoseError::MalformedKey),
            (with("y", json!(off_curve)), JoseError::MalformedKey),
            (with("y", json!("4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM=")), JoseError::MalformedKey),
            (with("kid", json!("a key")), JoseError::MalformedKeyId),
            (with("kid", json!("' OR 1=1 --")), JoseError::MalformedKeyId),
            (with("kid", json!("")), JoseError::MalformedKeyId),
            (with("kid", json!(1)), JoseError::MalformedKeyId),
            (json!({"kty":"RSA","n":"AQAB","e":"AQAB"}), JoseError::MalformedKey),
            (json!("key"), JoseError::MalformedKey),
        ] {
            assert_eq!(PublicKey::from_jwk(&jwk).unwrap_err(), expected, "{jwk}");
        }
    }
}
