//! Signed messages (JWS, RFC 7515; JWK, RFC 7517): strict parsing, verification, signing, key sets.
//! The only user of josekit, for signing and verifying; parsing is done here.
//!
//! The entry point is [`UnverifiedJws::parse`], which checks the format and trusts nothing. It gives access only to
//! what is needed to find the key; [`UnverifiedJws::verify`] consumes it and returns a [`Verified`], the only proof of
//! a verified signature.

mod error;
mod external_key;
pub mod id_token;
mod json;
pub(crate) mod jwe;
mod key;
mod key_life;
mod key_set;
mod login_key;
mod p256;
mod parse;
pub(crate) mod provider_jwt;
mod sign;
mod times;
mod verified;

pub use error::JoseError;
pub(crate) use external_key::ExternalKey;
pub(crate) use json::parse_strict_json;
pub use key::{Algorithm, PublicKey};
pub use key_life::{KeyGivenUp, KeyStanding, RevokeReason};
pub use key_set::PublicKeys;
pub(crate) use login_key::{LoginKey, LoginKeyKind};
pub use parse::{Claims, KeySource, PLAIN_JWT, Profile, UnverifiedJws};
pub use sign::SigningKey;
pub(crate) use times::{MAX_NUMERIC_DATE, MAX_SKEW_SECS, check_times};
pub use verified::Verified;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// The SHA-256 digest.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Base64url without padding (RFC 7515 §2).
#[must_use]
pub fn b64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes canonical base64url without padding: no white space, no `=`, unused bits zero.
pub(crate) fn from_b64url(text: &str) -> Result<Vec<u8>, JoseError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| JoseError::Base64)?;
    // One byte string must have one encoding, whatever the decoder's options allow.
    if b64url(&bytes) == text { Ok(bytes) } else { Err(JoseError::Base64) }
}
