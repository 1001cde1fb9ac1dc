//! DPoP proofs (RFC 9449 §4): created by a recipient and verified by a holder for each request.

use serde::{Deserialize, Serialize};

use url::Url;

use super::refusal::{Refusal, RefusalCode};
use super::refusal_reason::RefusalReason;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{Jti, Thumbprint};
use crate::domain::jose::{Claims, JoseError, KeySource, Profile, SigningKey, UnverifiedJws, b64url, sha256};

/// Maximum time that a proof's `iat` may be ahead of this node's clock, in seconds.
pub(crate) const PROOF_AHEAD_SECS: i64 = 10;

/// Profile of a DPoP proof.
pub(crate) const DPOP_PROOF: Profile = Profile {
    typ: "dpop+jwt",
    max_bytes: 4 * 1024,
    key_source: KeySource::EmbeddedJwk,
    required: &["htm", "htu", "iat", "jti"],
    optional: Claims::Any,
    forbidden_headers: &[],
};

/// The claims of a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProofClaims {
    pub(crate) htm: String,
    /// HTTP URI (`htu`); its query and fragment are ignored.
    pub(crate) htu: String,
    /// Seconds since 1970.
    pub(crate) iat: i64,
    /// Expiry, in seconds since 1970, if present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exp: Option<i64>,
    /// Not valid before, in seconds since 1970, if present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nbf: Option<i64>,
    pub(crate) jti: Jti,
    /// Hash of the access token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ath: Option<String>,
    /// The nonce that the server requires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<String>,
}

/// `ath`: base64url SHA-256 of the access token (RFC 9449 §4.2).
#[must_use]
pub(crate) fn token_hash(token: &str) -> String {
    b64url(&sha256(token.as_bytes()))
}

/// Signs a proof.
///
/// # Errors
/// [`JoseError`] when the key cannot sign.
pub(crate) fn sign(key: &SigningKey, claims: &ProofClaims) -> Result<String, JoseError> {
    key.sign_with_jwk(DPOP_PROOF.typ, claims)
}

/// Whether an `htu` matches the URI of a request: without query and fragment, after the syntax-based and the
/// scheme-based normalisation of RFC 3986 §6.2.2 and §6.2.3 (RFC 9449 §4.3).
fn is_same_target(htu: &str, url: &str) -> bool {
    htu == url || normalised_target(htu).is_some_and(|htu| Some(htu) == normalised_target(url))
}

/// Scheme, host and port in the URL parser's form, and the path with canonical escapes. `%2F` stays as it is: only
/// escapes of unreserved characters are decoded. `None` for URIs that other parsers might read otherwise.
fn normalised_target(text: &str) -> Option<String> {
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return None;
    }
    let url = Url::parse(text).ok().filter(|url| url.has_host() && url.username().is_empty())?;
    if url.password().is_some() {
        return None;
    }
    let mut pieces = url.path().split('%');
    let mut path = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        let byte = u8::from_str_radix(digits, 16).ok()?;
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push('%');
            path.push_str(&digits.to_ascii_uppercase());
        }
        path.push_str(rest);
    }
    Some(format!("{}{path}", url.origin().ascii_serialization()))
}

/// Expected values of a proof.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProofExpectation<'a> {
    pub(crate) method: &'a str,
    /// The request's URI, from the configured base URL.
    pub(crate) url: &'a str,
    /// The access token of the request, if there is one.
    pub(crate) token: Option<&'a str>,
    /// The required signing key, if it is known.
    pub(crate) jkt: Option<&'a Thumbprint>,
    /// The accepted nonces; `None` if no nonce is required.
    pub(crate) nonces: Option<&'a [String]>,
    /// Maximum age in seconds.
    pub(crate) max_age_secs: i64,
    pub(crate) now: Timestamp,
}

/// A proof that matches its request. Its (`jkt`, `jti`) still has to be used up, once, in the deciding transaction.
#[derive(Debug, Clone)]
pub(crate) struct VerifiedProof {
    jkt: Thumbprint,
    jti: Jti,
    digest: String,
    expires_at: Timestamp,
}

impl VerifiedProof {
    /// Verifies a proof against its request (RFC 9449 §4.3).
    ///
    /// # Errors
    /// [`Refusal`] `invalid_dpop_proof`; `use_dpop_nonce` if everything but the nonce is valid.
    pub(crate) fn check(text: &str, expected: &ProofExpectation<'_>) -> Result<Self, Refusal> {
        let refuse = |error: JoseError| Refusal::proof(error.into());
        let unverified = UnverifiedJws::parse(text, &DPOP_PROOF).map_err(refuse)?;
        let key = unverified.embedded_key().cloned().ok_or(Refusal::proof(RefusalReason::JwkMissing))?;
        let verified = unverified.verify::<ProofClaims>(&key).map_err(refuse)?;
        let claims = verified.claims();
        if claims.htm != expected.method {
            return Err(Refusal::proof(RefusalReason::HtmOther));
        }
        if !is_same_target(&claims.htu, expected.url) {
            return Err(Refusal::proof(RefusalReason::HtuOther));
        }
        if claims.exp.is_some_and(|exp| exp <= expected.now.secs()) {
            return Err(Refusal::proof(RefusalReason::Expired));
        }
        if claims.nbf.is_some_and(|nbf| nbf > expected.now.plus_secs(PROOF_AHEAD_SECS).secs()) {
            return Err(Refusal::proof(RefusalReason::NotYetValid));
        }
        if claims.iat < expected.now.plus_secs(-expected.max_age_secs).secs() {
            return Err(Refusal::proof(RefusalReason::IatOld));
        }
        if claims.iat > expected.now.plus_secs(PROOF_AHEAD_SECS).secs() {
            return Err(Refusal::proof(RefusalReason::IatAhead));
        }
        if claims.ath != expected.token.map(token_hash) {
            return Err(Refusal::proof(RefusalReason::AthOther));
        }
        if expected.jkt.is_some_and(|jkt| jkt != verified.key_thumbprint()) {
            return Err(Refusal::proof(RefusalReason::KeyOther));
        }
        if let Some(accepted) = expected.nonces
            && !claims.nonce.as_ref().is_some_and(|nonce| accepted.contains(nonce))
        {
            return Err(Refusal::new(RefusalCode::UseDpopNonce, RefusalReason::NonceMissingOrStale));
        }
        Ok(Self {
            jkt: verified.key_thumbprint().clone(),
            jti: claims.jti.clone(),
            digest: verified.digest().to_owned(),
            // Longer than it could be accepted, so that a slow clock elsewhere allows no replay.
            expires_at: Timestamp::from_secs(claims.iat)
                .plus_secs(2 * expected.max_age_secs + PROOF_AHEAD_SECS),
        })
    }

    /// Thumbprint of the signing key.
    #[must_use]
    pub(crate) const fn jkt(&self) -> &Thumbprint {
        &self.jkt
    }

    #[must_use]
    pub(crate) const fn jti(&self) -> &Jti {
        &self.jti
    }

    /// Base64url SHA-256 of the compact proof, for the receipt.
    #[must_use]
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    /// How long its identifier must be remembered.
    #[must_use]
    pub(crate) const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;
    const TARGET: &str = "https://oulu.example/exchange/datasets/placements";

    fn check(change: impl Fn(&mut ProofClaims)) -> Result<VerifiedProof, &'static str> {
        let jti = Jti::new("a").unwrap();
        let mut claims = ProofClaims {
            htm: "GET".to_owned(),
            htu: TARGET.to_owned(),
            iat: NOW,
            exp: None,
            nbf: None,
            jti,
            ath: None,
            nonce: None,
        };
        change(&mut claims);
        let text = sign(&SigningKey::generate().unwrap(), &claims).unwrap();
        let expected = ProofExpectation {
            method: "GET",
            url: TARGET,
            token: None,
            jkt: None,
            nonces: None,
            max_age_secs: 60,
            now: Timestamp::from_secs(NOW),
        };
        VerifiedProof::check(&text, &expected).map_err(|refusal| refusal.reason.as_str())
    }

    #[test]
    fn an_address_is_compared_without_query_and_fragment_in_one_spelling() {
        for same in [
            "https://oulu.example/exchange/datasets/placements?fields=unit",
            "https://oulu.example/exchange/datasets/placements#a",
            "HTTPS://OULU.Example:443/exchange/datasets/placements",
            "https://oulu.example/exchange/datasets/%70lacements",
            "https://oulu.example/exchange/./datasets/placements",
        ] {
            assert!(check(|claims| same.clone_into(&mut claims.htu)).is_ok(), "{same}");
        }
        for other in [
            "http://oulu.example/exchange/datasets/placements",
            "https://oulu.example:8443/exchange/datasets/placements",
            "https://oulu.example/exchange/datasets/placements/",
            "https://oulu.example/exchange/datasets/Placements",
            "https://oulu.example/exchange/datasets%2Fplacements",
            "https://oulu.example/exchange/datasets/placements%",
            "https://oulu.example\\exchange\\datasets\\placements",
            "https://oulu.example/exchange/data\tsets/placements",
            "https://turku@oulu.example/exchange/datasets/placements",
            "https://oulu.example/exchange/..;/datasets/placements",
            "/exchange/datasets/placements",
            "",
        ] {
            assert_eq!(
                check(|claims| other.clone_into(&mut claims.htu)).unwrap_err(),
                "htu_other",
                "{other}"
            );
        }
    }

    #[test]
    fn escapes_of_reserved_characters_stay_apart_and_their_digits_have_one_case() {
        assert!(is_same_target("https://a.example/b%2fc", "https://a.example/b%2Fc"));
        assert!(!is_same_target("https://a.example/b%2fc", "https://a.example/b/c"));
        assert!(!is_same_target("https://a.example/b%25%32%46c", "https://a.example/b%2Fc"));
    }

    #[test]
    fn a_proof_holds_within_the_times_that_it_names() {
        assert!(check(|claims| (claims.exp, claims.nbf) = (Some(NOW + 1), Some(NOW))).is_ok());
        assert_eq!(check(|claims| claims.exp = Some(NOW)).unwrap_err(), "expired");
        assert_eq!(check(|claims| claims.exp = Some(NOW - 3600)).unwrap_err(), "expired");
        assert_eq!(check(|claims| claims.nbf = Some(NOW + 3600)).unwrap_err(), "not_yet_valid");
    }
}
