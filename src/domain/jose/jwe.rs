//! Decryption of a login provider's messages to this node (JWE, RFC 7516): ID tokens and UserInfo responses, signed
//! inside.
//!
//! Implemented on OpenSSL directly. josekit would inflate `zip`, run PBES2 as often as the sender says and accept
//! authentication tags of any length; here the algorithms are a short list, and any other header is refused before a
//! key is used.

use openssl::bn::BigNum;
use openssl::derive::Deriver;
use openssl::ec::{EcGroup, EcKey};
use openssl::encrypt::Decrypter;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Padding;
use openssl::sign::Signer;
use openssl::symm::{Cipher, decrypt, decrypt_aead};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::json::parse_object;
use super::login_key::{LoginKey, LoginKeyKind};
use super::{JoseError, from_b64url, sha256};

/// Maximum size of an encrypted message in bytes.
const MAX_BYTES: usize = 96 * 1024;

/// Header members that change how a message is parsed, or let the sender choose keys or work (RFC 7516 §4.1, RFC 7518
/// §4.8).
const FORBIDDEN_HEADERS: [&str; 8] = ["crit", "zip", "b64", "p2s", "p2c", "jku", "jwk", "x5u"];

/// Maximum size of `apu` and `apv` in bytes, which are part of the derived key (RFC 7518 §4.6.1).
const MAX_PARTY_INFO: usize = 512;

/// Key management algorithm (RFC 7518 §4.1).
#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyManagement {
    RsaOaep,
    RsaOaep256,
    EcdhEs,
    /// ECDH-ES with a wrapped key of this many bytes.
    EcdhEsWrapped(usize),
}

impl KeyManagement {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "RSA-OAEP" => Some(Self::RsaOaep),
            "RSA-OAEP-256" => Some(Self::RsaOaep256),
            "ECDH-ES" => Some(Self::EcdhEs),
            "ECDH-ES+A128KW" => Some(Self::EcdhEsWrapped(16)),
            "ECDH-ES+A256KW" => Some(Self::EcdhEsWrapped(32)),
            _ => None,
        }
    }

    const fn key_kind(self) -> LoginKeyKind {
        match self {
            Self::RsaOaep | Self::RsaOaep256 => LoginKeyKind::RsaDecryption,
            Self::EcdhEs | Self::EcdhEsWrapped(_) => LoginKeyKind::EcDecryption,
        }
    }
}

/// Content encryption (RFC 7518 §5.1).
#[derive(Clone, Copy, PartialEq, Eq)]
enum ContentEncryption {
    A128Gcm,
    A256Gcm,
    A128CbcHs256,
    A256CbcHs512,
}

impl ContentEncryption {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "A128GCM" => Some(Self::A128Gcm),
            "A256GCM" => Some(Self::A256Gcm),
            "A128CBC-HS256" => Some(Self::A128CbcHs256),
            "A256CBC-HS512" => Some(Self::A256CbcHs512),
            _ => None,
        }
    }

    /// Sizes of key, initialisation vector and authentication tag in bytes.
    const fn lengths(self) -> (usize, usize, usize) {
        match self {
            Self::A128Gcm => (16, 12, 16),
            Self::A256Gcm => (32, 12, 16),
            Self::A128CbcHs256 => (32, 16, 16),
            Self::A256CbcHs512 => (64, 16, 32),
        }
    }
}

/// Whether a text has the five parts of a compact JWE (RFC 7516 §7.1).
#[must_use]
pub(crate) fn is_compact_jwe(text: &str) -> bool {
    text.bytes().filter(|byte| *byte == b'.').count() == 4
}

/// The parts of a compact JWE with a checked header.
struct Parts<'a> {
    header_text: &'a str,
    header: Map<String, Value>,
    algorithm: &'a str,
    management: KeyManagement,
    encryption_name: &'a str,
    encryption: ContentEncryption,
    encrypted_key: Vec<u8>,
    vector: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

/// Decrypts a compact JWE with the matching one of these keys; returns the text inside.
///
/// The header's `kid` selects the key if it is known; for providers that use key identifiers of their own, all keys of
/// the right kind are tried.
///
/// # Errors
/// [`JoseError::NotCompact`], [`JoseError::ForbiddenHeader`], [`JoseError::AlgorithmNotAllowed`] and the like for the
/// format; [`JoseError::Decryption`] when no key decrypts it, for whatever reason.
pub(crate) fn decrypt_with(text: &str, keys: &[LoginKey]) -> Result<String, JoseError> {
    let header_text = text.split('.').next().unwrap_or_default();
    if text.len() > MAX_BYTES {
        return Err(JoseError::TooLarge);
    }
    let header = parse_object(&from_b64url(header_text)?)?;
    let parts = Parts::read(text, &header)?;
    let of_kind = || keys.iter().filter(|key| key.kind() == parts.management.key_kind());
    let named = parts.header.get("kid").and_then(Value::as_str);
    let named = of_kind().find(|key| Some(key.kid().as_str()) == named);
    let candidates: Vec<&LoginKey> = named.map_or_else(|| of_kind().collect(), |key| vec![key]);
    let content = candidates.into_iter().find_map(|key| parts.open(key.private()));
    let content = content.ok_or(JoseError::Decryption)?;
    String::from_utf8(content).map_err(|_| JoseError::Utf8)
}

impl<'a> Parts<'a> {
    fn read(text: &'a str, header: &'a Map<String, Value>) -> Result<Self, JoseError> {
        let mut parts = text.split('.');
        let (Some(header_text), Some(key), Some(vector), Some(ciphertext), Some(tag), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(JoseError::NotCompact);
        };
        if FORBIDDEN_HEADERS.iter().any(|name| header.contains_key(*name)) {
            return Err(JoseError::ForbiddenHeader);
        }
        let content_type = header.get("cty").map(Value::as_str);
        if content_type.is_some_and(|cty| !cty.is_some_and(|cty| cty.eq_ignore_ascii_case("JWT"))) {
            return Err(JoseError::WrongType);
        }
        let name = |member: &str| header.get(member).and_then(Value::as_str).unwrap_or_default();
        let (algorithm, encryption_name) = (name("alg"), name("enc"));
        let read = Self {
            management: KeyManagement::from_name(algorithm).ok_or(JoseError::AlgorithmNotAllowed)?,
            encryption: ContentEncryption::from_name(encryption_name)
                .ok_or(JoseError::AlgorithmNotAllowed)?,
            header: header.clone(),
            header_text,
            algorithm,
            encryption_name,
            encrypted_key: from_b64url(key)?,
            vector: from_b64url(vector)?,
            ciphertext: from_b64url(ciphertext)?,
            tag: from_b64url(tag)?,
        };
        let (_, vector_bytes, tag_bytes) = read.encryption.lengths();
        // RFC 7518 §5.2.2.1, §5.3: a shorter tag would be a weaker proof.
        if read.vector.len() != vector_bytes || read.tag.len() != tag_bytes {
            return Err(JoseError::Decryption);
        }
        Ok(read)
    }

    fn open(&self, key: &PKey<Private>) -> Option<Vec<u8>> {
        let key = self.content_key(key)?;
        let (key_bytes, ..) = self.encryption.lengths();
        if key.len() != key_bytes {
            return None;
        }
        let additional = self.header_text.as_bytes();
        match self.encryption {
            ContentEncryption::A128Gcm => self.open_gcm(Cipher::aes_128_gcm(), &key, additional),
            ContentEncryption::A256Gcm => self.open_gcm(Cipher::aes_256_gcm(), &key, additional),
            ContentEncryption::A128CbcHs256 => {
                self.open_cbc(Cipher::aes_128_cbc(), MessageDigest::sha256(), &key)
            }
            ContentEncryption::A256CbcHs512 => {
                self.open_cbc(Cipher::aes_256_cbc(), MessageDigest::sha512(), &key)
            }
        }
    }

    fn open_gcm(&self, cipher: Cipher, key: &[u8], additional: &[u8]) -> Option<Vec<u8>> {
        decrypt_aead(cipher, key, Some(&self.vector), additional, &self.ciphertext, &self.tag).ok()
    }

    /// RFC 7518 §5.2.2.2: the tag is compared before decryption, so that padding reveals nothing.
    fn open_cbc(&self, cipher: Cipher, digest: MessageDigest, key: &[u8]) -> Option<Vec<u8>> {
        let (mac_key, cipher_key) = key.split_at_checked(key.len() / 2)?;
        let additional = self.header_text.as_bytes();
        let bits = u64::try_from(additional.len()).ok()?.checked_mul(8)?.to_be_bytes();
        let mac_key = PKey::hmac(mac_key).ok()?;
        let mut mac = Signer::new(digest, &mac_key).ok()?;
        for part in [additional, &self.vector, &self.ciphertext, &bits] {
            mac.update(part).ok()?;
        }
        let expected = mac.sign_to_vec().ok()?;
        let expected = expected.get(..self.tag.len())?;
        if !bool::from(expected.ct_eq(&self.tag)) {
            return None;
        }
        decrypt(cipher, cipher_key, Some(&self.vector), &self.ciphertext).ok()
    }

    fn content_key(&self, key: &PKey<Private>) -> Option<Zeroizing<Vec<u8>>> {
        let (key_bytes, ..) = self.encryption.lengths();
        match self.management {
            KeyManagement::RsaOaep => unwrap_rsa(key, MessageDigest::sha1(), &self.encrypted_key),
            KeyManagement::RsaOaep256 => unwrap_rsa(key, MessageDigest::sha256(), &self.encrypted_key),
            KeyManagement::EcdhEs if self.encrypted_key.is_empty() => {
                self.agreed_key(key, self.encryption_name, key_bytes)
            }
            KeyManagement::EcdhEs => None,
            KeyManagement::EcdhEsWrapped(wrapping_bytes) => {
                let wrapping = self.agreed_key(key, self.algorithm, wrapping_bytes)?;
                unwrap_aes(&wrapping, &self.encrypted_key)
            }
        }
    }

    /// The key that both sides derive (RFC 7518 §4.6.2): one round of the Concat KDF for each 32 bytes.
    fn agreed_key(&self, key: &PKey<Private>, algorithm: &str, bytes: usize) -> Option<Zeroizing<Vec<u8>>> {
        let ephemeral = ephemeral_key(self.header.get("epk")?)?;
        let mut deriver = Deriver::new(key).ok()?;
        deriver.set_peer(&ephemeral).ok()?;
        let shared = Zeroizing::new(deriver.derive_to_vec().ok()?);
        let party = |name: &str| match self.header.get(name) {
            None => Some(Vec::new()),
            Some(value) => from_b64url(value.as_str()?).ok().filter(|info| info.len() <= MAX_PARTY_INFO),
        };
        let mut info = Vec::new();
        for part in [algorithm.as_bytes(), &party("apu")?, &party("apv")?] {
            info.extend_from_slice(&u32::try_from(part.len()).ok()?.to_be_bytes());
            info.extend_from_slice(part);
        }
        info.extend_from_slice(&u32::try_from(bytes.checked_mul(8)?).ok()?.to_be_bytes());
        let mut derived = Zeroizing::new(Vec::new());
        for round in 1_u32.. {
            if derived.len() >= bytes {
                break;
            }
            let input = Zeroizing::new([&round.to_be_bytes(), shared.as_slice(), info.as_slice()].concat());
            derived.extend_from_slice(&sha256(&input));
        }
        derived.truncate(bytes);
        Some(derived)
    }
}

fn unwrap_rsa(
    key: &PKey<Private>,
    digest: MessageDigest,
    encrypted_key: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut decrypter = Decrypter::new(key).ok()?;
    decrypter.set_rsa_padding(Padding::PKCS1_OAEP).ok()?;
    decrypter.set_rsa_oaep_md(digest).ok()?;
    decrypter.set_rsa_mgf1_md(digest).ok()?;
    let mut content_key = Zeroizing::new(vec![0; decrypter.decrypt_len(encrypted_key).ok()?]);
    let length = decrypter.decrypt(encrypted_key, &mut content_key).ok()?;
    content_key.truncate(length);
    Some(content_key)
}

/// RFC 3394, as RFC 7518 §4.4 uses it.
fn unwrap_aes(wrapping: &[u8], wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let key = openssl::aes::AesKey::new_decrypt(wrapping).ok()?;
    let mut content_key = Zeroizing::new(vec![0; wrapped.len().checked_sub(8)?]);
    if content_key.is_empty() || content_key.len() % 8 != 0 {
        return None;
    }
    openssl::aes::unwrap_key(&key, None, &mut content_key, wrapped).ok()?;
    Some(content_key)
}

/// The sender's ephemeral key. OpenSSL refuses a point that is not on the curve, which would leak bits of the private
/// key.
fn ephemeral_key(jwk: &Value) -> Option<PKey<openssl::pkey::Public>> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    if text("kty") != Some("EC") || text("crv") != Some("P-256") {
        return None;
    }
    let number = |name| BigNum::from_slice(&from_b64url(text(name)?).ok()?).ok();
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).ok()?;
    let key = EcKey::from_public_key_affine_coordinates(&group, &*number("x")?, &*number("y")?).ok()?;
    key.check_key().ok()?;
    PKey::from_ec_key(key).ok()
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
