//! ID tokens of login providers (OpenID Connect Core 1.0 §2): one parser for logins and for evidence years later, so
//! that both accept the same tokens.
//!
//! Used claims are parsed strictly; unused ones may have any form.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::provider_jwt::ProviderJwt;
use super::{JoseError, MAX_NUMERIC_DATE, b64url, sha256};

/// The claims of an ID token with a verified signature.
#[derive(Debug, Clone)]
pub(crate) struct IdTokenClaims {
    pub(crate) iss: String,
    /// The person at the provider.
    pub(crate) sub: String,
    pub(crate) audiences: Vec<String>,
    /// When it was issued, seconds since 1970.
    pub(crate) iat: i64,
    /// Expiry, seconds since 1970.
    pub(crate) exp: Option<i64>,
    /// Not valid before, seconds since 1970.
    pub(crate) nbf: Option<i64>,
    /// When the person logged in, seconds since 1970.
    pub(crate) auth_time: Option<i64>,
    /// The relying party's nonce.
    pub(crate) nonce: Option<String>,
    /// The level of assurance.
    pub(crate) acr: Option<String>,
    /// All claims as signed, including those without a member here.
    pub(crate) all: Map<String, Value>,
}

impl IdTokenClaims {
    fn read(all: Map<String, Value>) -> Result<Self, JoseError> {
        let text = |name: &str| all.get(name).and_then(Value::as_str).map(str::to_owned);
        let time = |name: &'static str| match all.get(name) {
            None => Ok(None),
            Some(value) => numeric_date(value).map(Some).ok_or(JoseError::MalformedTime(name)),
        };
        Ok(Self {
            iss: text("iss").ok_or(JoseError::MissingClaim("iss"))?,
            sub: text("sub").ok_or(JoseError::MissingClaim("sub"))?,
            audiences: audiences(all.get("aud")),
            iat: time("iat")?.ok_or(JoseError::MissingClaim("iat"))?,
            exp: time("exp")?,
            nbf: time("nbf")?,
            // A malformed one counts as absent: it does not fulfil a maximum age.
            auth_time: all.get("auth_time").and_then(numeric_date),
            nonce: text("nonce"),
            acr: text("acr"),
            all,
        })
    }

    /// Whether this client is the only audience.
    #[must_use]
    pub(crate) fn is_for(&self, client_id: &str) -> bool {
        matches!(self.audiences.as_slice(), [only] if only == client_id)
    }
}

/// The audiences (OpenID Connect Core 1.0 §2: one string or a list); empty if the claim has another form.
fn audiences(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(all)) => {
            let texts: Option<Vec<String>> = all.iter().map(|one| one.as_str().map(str::to_owned)).collect();
            texts.unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// The whole seconds of a `NumericDate`, which may have a fraction (RFC 7519 §2).
fn numeric_date(value: &Value) -> Option<i64> {
    let number = value.as_number()?;
    let secs = match number.as_i64() {
        Some(secs) => secs,
        // A double represents every accepted second exactly.
        None => format!("{:.0}", number.as_f64()?.floor()).parse().ok()?,
    };
    (0..=MAX_NUMERIC_DATE).contains(&secs).then_some(secs)
}

/// A login provider's published documents, as fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProviderDocuments {
    /// Its metadata (OpenID Connect Discovery 1.0 §4).
    pub metadata: Value,
    /// Its key set.
    pub jwks: Value,
    /// When the key set was fetched, RFC 3339.
    pub fetched_at: String,
}

impl ProviderDocuments {
    /// Whether the key set has this key.
    #[must_use]
    pub(crate) fn publish(&self, key: &Value) -> bool {
        let Ok(wanted) = thumbprint(key) else { return false };
        let keys = self.jwks.get("keys").and_then(Value::as_array);
        keys.into_iter().flatten().any(|known| thumbprint(known).as_ref() == Ok(&wanted))
    }
}

/// Verifies an ID token's signature with the provider's key (ES256, EdDSA, RS256 or PS256) and parses its claims.
///
/// # Errors
/// The [`JoseError`] of the first check that fails.
pub(crate) fn verify(text: &str, provider_key: &Value) -> Result<IdTokenClaims, JoseError> {
    IdTokenClaims::read(ProviderJwt::parse(text)?.verify(provider_key)?)
}

/// The RFC 7638 SHA-256 thumbprint of a provider's key, including RSA keys.
///
/// # Errors
/// [`JoseError::MalformedKey`] when a required member is missing or not base64url.
pub fn thumbprint(provider_key: &Value) -> Result<String, JoseError> {
    let text = |name| provider_key.get(name).and_then(Value::as_str);
    let names: &[&str] = match text("kty") {
        Some("EC") => &["crv", "kty", "x", "y"],
        Some("OKP") => &["crv", "kty", "x"],
        Some("RSA") => &["e", "kty", "n"],
        _ => return Err(JoseError::MalformedKey),
    };
    let mut members = Vec::new();
    for name in names {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let value = text(name).filter(|value| value.chars().all(plain)).ok_or(JoseError::MalformedKey)?;
        members.push(format!(r#""{name}":"{value}""#));
    }
    Ok(b64url(&sha256(format!("{{{}}}", members.join(",")).as_bytes())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::jose::SigningKey;

    #[test]
    fn thumbprints_are_those_of_the_standard() {
        // RFC 7638 §3.1.
        let rsa = json!({"kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29", "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"});
        assert_eq!(thumbprint(&rsa).unwrap(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        let key = SigningKey::generate().unwrap();
        assert_eq!(thumbprint(&key.public().to_jwk()).unwrap(), key.public().thumbprint().as_str());
        assert_eq!(thumbprint(&json!({"kty": "RSA", "e": "AQAB"})), Err(JoseError::MalformedKey));
        assert_eq!(thumbprint(&json!({"kty": "oct", "k": "AA"})), Err(JoseError::MalformedKey));
    }

    fn claims(set: &Value) -> Result<IdTokenClaims, JoseError> {
        let mut claims =
            json!({"iss": "i", "sub": "s", "aud": "c", "iat": 1_795_779_999, "exp": 1_795_780_299});
        for (name, value) in set.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let key = SigningKey::generate().unwrap();
        verify(&key.sign("JWT", &claims).unwrap(), &key.public().to_jwk())
    }

    #[test]
    fn times_may_have_a_fraction_and_must_be_times() {
        for (value, secs) in [
            (json!(1_795_779_999.0), 1_795_779_999),
            (json!(1_795_779_999.9), 1_795_779_999),
            (json!(1.795_779_999e9), 1_795_779_999),
            (json!(0), 0),
        ] {
            let read = claims(&json!({"iat": value, "exp": value})).unwrap();
            assert_eq!((read.iat, read.exp), (secs, Some(secs)), "{value}");
        }
        for value in [json!("1795779999"), json!(-1), json!(1e300), json!(null), json!(253_402_300_800_i64)] {
            assert_eq!(
                claims(&json!({"iat": value})).unwrap_err(),
                JoseError::MalformedTime("iat"),
                "{value}"
            );
        }
    }

    #[test]
    fn claims_that_nothing_rests_on_may_have_any_form() {
        let odd = json!({
            "updated_at": "2026-01-01", "email_verified": "true", "address": "Esimerkkikatu 1", "amr": "pwd",
            "acr": 2, "auth_time": "yesterday", "nonce": ["n"], "birthdate": 19_900_101, "phone_number": null,
        });
        let read = claims(&odd).unwrap();
        assert_eq!((read.acr, read.auth_time, read.nonce), (None, None, None));
        assert_eq!(read.all["email_verified"], "true");
    }

    #[test]
    fn a_token_is_for_its_only_audience() {
        for (aud, fits) in [
            (json!("c"), true),
            (json!(["c"]), true),
            (json!(["c", "d"]), false),
            (json!([]), false),
            (json!({"c": 1}), false),
            (json!(["c", 1]), false),
        ] {
            assert_eq!(claims(&json!({"aud": aud})).unwrap().is_for("c"), fits, "{aud}");
        }
    }
}
