//! Key pairs for the login provider only: RSA signatures, if it does not support elliptic curves, and decryption (RFC
//! 7518 §4.3, §4.6).

use std::fmt;
use std::sync::Arc;

use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use serde::Serialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::json::parse_object;
use super::{JoseError, b64url, from_b64url, sha256};
use crate::domain::ids::KeyId;

/// Modulus of a new RSA key, in bits.
const RSA_BITS: u32 = 2048;

/// Size of a coordinate on P-256 in bytes.
const P256_BYTES: i32 = 32;

/// The use of a key pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoginKeyKind {
    /// Signs client assertions and request objects with RS256.
    RsaSigning,
    /// Decrypts what was encrypted with RSA-OAEP or RSA-OAEP-256.
    RsaDecryption,
    /// Decrypts what was encrypted with ECDH-ES on P-256.
    EcDecryption,
}

/// A private key for the login provider. Cheap to clone; prints its identifier only.
#[derive(Clone)]
pub struct LoginKey(Arc<Inner>);

struct Inner {
    kind: LoginKeyKind,
    kid: KeyId,
    private_jwk: Zeroizing<String>,
    public_jwk: Value,
    key: PKey<Private>,
}

impl LoginKey {
    /// Generates a key pair with OpenSSL's randomness; its `kid` is its RFC 7638 thumbprint.
    ///
    /// # Errors
    /// [`JoseError::Crypto`] from OpenSSL.
    pub(crate) fn generate(kind: LoginKeyKind) -> Result<Self, JoseError> {
        let members = match kind {
            LoginKeyKind::EcDecryption => new_ec_members(),
            LoginKeyKind::RsaSigning | LoginKeyKind::RsaDecryption => {
                Rsa::generate(RSA_BITS).map(|key| rsa_members(&key))
            }
        };
        Self::from_members(kind, &members.map_err(|_| JoseError::Crypto)?)
    }

    /// Parses a private JWK as [`Self::to_private_jwk`] writes it.
    ///
    /// # Errors
    /// [`JoseError::MalformedSigningKey`] when it is not a key pair of this kind, or its halves do not match.
    pub(crate) fn from_private_jwk(kind: LoginKeyKind, text: &str) -> Result<Self, JoseError> {
        let members = parse_object(text.as_bytes()).map_err(|_| JoseError::MalformedSigningKey)?;
        Self::from_members(kind, &members)
    }

    fn from_members(kind: LoginKeyKind, members: &Map<String, Value>) -> Result<Self, JoseError> {
        let malformed = JoseError::MalformedSigningKey;
        let (key, names): (_, &[&str]) = match kind {
            LoginKeyKind::EcDecryption => (ec_key(members).ok_or(malformed)?, &["crv", "kty", "x", "y"]),
            _ => (rsa_key(members).ok_or(malformed)?, &["e", "kty", "n"]),
        };
        let mut public = Map::new();
        for name in names {
            public.insert((*name).to_owned(), members.get(*name).cloned().ok_or(malformed)?);
        }
        let canonical = serde_json_canonicalizer::to_vec(&public).map_err(|_| malformed)?;
        let kid = KeyId::new(b64url(&sha256(&canonical))).map_err(|_| malformed)?;
        let (key_use, algorithm) = match kind {
            LoginKeyKind::RsaSigning => ("sig", "RS256"),
            LoginKeyKind::RsaDecryption => ("enc", "RSA-OAEP"),
            LoginKeyKind::EcDecryption => ("enc", "ECDH-ES"),
        };
        public.insert("kid".into(), json!(kid));
        public.insert("use".into(), json!(key_use));
        public.insert("alg".into(), json!(algorithm));
        let private_jwk = Zeroizing::new(Value::Object(members.clone()).to_string());
        Ok(Self(Arc::new(Inner { kind, kid, private_jwk, public_jwk: Value::Object(public), key })))
    }

    /// Its use.
    #[must_use]
    pub fn kind(&self) -> LoginKeyKind {
        self.0.kind
    }

    /// Its key identifier.
    #[must_use]
    pub fn kid(&self) -> &KeyId {
        &self.0.kid
    }

    /// The public half as a JWK to publish, with `kid`, `use` and `alg`.
    #[must_use]
    pub(crate) fn to_public_jwk(&self) -> &Value {
        &self.0.public_jwk
    }

    /// The private JWK, to be sealed and stored. Never log it.
    #[must_use]
    pub fn to_private_jwk(&self) -> Zeroizing<String> {
        self.0.private_jwk.clone()
    }

    /// The private key, for decryption.
    pub(super) fn private(&self) -> &PKey<Private> {
        &self.0.key
    }

    /// Signs claims as a compact JWS with RS256 and the header members `alg`, `kid` and `typ`.
    ///
    /// # Errors
    /// [`JoseError::AlgorithmMismatch`] for a decryption key, [`JoseError::UnsignableClaims`] when the claims are not a
    /// JSON object, [`JoseError::Crypto`] from OpenSSL.
    pub fn sign<C: Serialize>(&self, typ: &str, claims: &C) -> Result<String, JoseError> {
        if self.0.kind != LoginKeyKind::RsaSigning {
            return Err(JoseError::AlgorithmMismatch);
        }
        let payload = serde_json::to_vec(claims).map_err(|_| JoseError::UnsignableClaims)?;
        if payload.first() != Some(&b'{') {
            return Err(JoseError::UnsignableClaims);
        }
        let header = json!({"alg": "RS256", "kid": self.kid(), "typ": typ}).to_string();
        let message = format!("{}.{}", b64url(header.as_bytes()), b64url(&payload));
        let signature = Signer::new(MessageDigest::sha256(), self.private())
            .and_then(|mut signer| signer.sign_oneshot_to_vec(message.as_bytes()))
            .map_err(|_| JoseError::Crypto)?;
        Ok(format!("{message}.{}", b64url(&signature)))
    }
}

impl fmt::Debug for LoginKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoginKey({}, private part redacted)", self.0.kid.as_str())
    }
}

fn rsa_members(key: &Rsa<Private>) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("kty".into(), json!("RSA"));
    for (name, number) in [
        ("n", Some(key.n())),
        ("e", Some(key.e())),
        ("d", Some(key.d())),
        ("p", key.p()),
        ("q", key.q()),
        ("dp", key.dmp1()),
        ("dq", key.dmq1()),
        ("qi", key.iqmp()),
    ] {
        if let Some(number) = number {
            members.insert(name.into(), json!(b64url(&number.to_vec())));
        }
    }
    members
}

fn new_ec_members() -> Result<Map<String, Value>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let key = EcKey::generate(&group)?;
    let (mut x, mut y, mut context) = (BigNum::new()?, BigNum::new()?, BigNumContext::new()?);
    key.public_key().affine_coordinates(&group, &mut x, &mut y, &mut context)?;
    let mut members = Map::new();
    members.insert("kty".into(), json!("EC"));
    members.insert("crv".into(), json!("P-256"));
    for (name, number) in [("x", &*x), ("y", &*y), ("d", key.private_key())] {
        members.insert(name.into(), json!(b64url(&number.to_vec_padded(P256_BYTES)?)));
    }
    Ok(members)
}

fn number(members: &Map<String, Value>, name: &str) -> Option<BigNum> {
    BigNum::from_slice(&from_b64url(members.get(name)?.as_str()?).ok()?).ok()
}

fn rsa_key(members: &Map<String, Value>) -> Option<PKey<Private>> {
    let part = |name| number(members, name);
    let key = Rsa::from_private_components(
        part("n")?,
        part("e")?,
        part("d")?,
        part("p")?,
        part("q")?,
        part("dp")?,
        part("dq")?,
        part("qi")?,
    )
    .ok()?;
    let sound = members.get("kty").is_some_and(|kty| kty == "RSA") && key.check_key().ok()?;
    if sound { PKey::from_rsa(key).ok() } else { None }
}

fn ec_key(members: &Map<String, Value>) -> Option<PKey<Private>> {
    if members.get("crv")? != "P-256" {
        return None;
    }
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).ok()?;
    let (x, y) = (number(members, "x")?, number(members, "y")?);
    let public = EcKey::from_public_key_affine_coordinates(&group, &x, &y).ok()?;
    let point: &openssl::ec::EcPointRef = public.public_key();
    let point: EcPoint = point.to_owned(&group).ok()?;
    let key = EcKey::from_private_components(&group, &*number(members, "d")?, &point).ok()?;
    key.check_key().ok()?;
    PKey::from_ec_key(key).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::jose::provider_jwt::ProviderJwt;

    const KINDS: [LoginKeyKind; 3] =
        [LoginKeyKind::RsaSigning, LoginKeyKind::RsaDecryption, LoginKeyKind::EcDecryption];

    #[test]
    fn a_key_survives_storage_and_publishes_nothing_private() {
        for kind in KINDS {
            let key = LoginKey::generate(kind).unwrap();
            let again = LoginKey::from_private_jwk(kind, &key.to_private_jwk()).unwrap();
            assert_eq!((again.kid(), again.to_public_jwk()), (key.kid(), key.to_public_jwk()));
            let thumbprint = crate::domain::jose::id_token::thumbprint(key.to_public_jwk()).unwrap();
            assert_eq!(key.kid().as_str(), thumbprint);
            for name in ["d", "p", "q", "dp", "dq", "qi"] {
                assert!(key.to_public_jwk().get(name).is_none(), "{kind:?} {name}");
            }
        }
    }

    #[test]
    fn halves_that_do_not_belong_together_are_refused() {
        for kind in KINDS {
            let members = |key: &LoginKey| parse_object(key.to_private_jwk().as_bytes()).unwrap();
            let mut one = members(&LoginKey::generate(kind).unwrap());
            let other = members(&LoginKey::generate(kind).unwrap());
            one.insert("d".into(), other["d"].clone());
            let text = Value::Object(one).to_string();
            assert_eq!(LoginKey::from_private_jwk(kind, &text).unwrap_err(), JoseError::MalformedSigningKey);
        }
        let rsa = LoginKey::generate(LoginKeyKind::RsaSigning).unwrap();
        assert!(LoginKey::from_private_jwk(LoginKeyKind::EcDecryption, &rsa.to_private_jwk()).is_err());
    }

    #[test]
    fn a_signing_key_signs_and_the_others_do_not() {
        let key = LoginKey::generate(LoginKeyKind::RsaSigning).unwrap();
        let text = key.sign("JWT", &json!({"iss": "client"})).unwrap();
        let claims = ProviderJwt::parse(&text).unwrap().verify(key.to_public_jwk()).unwrap();
        assert_eq!(claims["iss"], "client");
        assert_eq!(key.sign("JWT", &"text"), Err(JoseError::UnsignableClaims));
        let other = LoginKey::generate(LoginKeyKind::EcDecryption).unwrap();
        assert_eq!(other.sign("JWT", &json!({})), Err(JoseError::AlgorithmMismatch));
    }
}
