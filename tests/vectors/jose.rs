//! Runs the tables under `vectors/jose`: every line is a signed message, altered as the line says, and the reason for
//! which it must be refused (`ok` when it must pass).
//!
//! A line may set: `header`, `claims`, `jwk` (members to set; null removes; a text `@N` stands for N letters),
//! `header_text`, `payload_text`, `header_hex`, `payload_hex` (the whole part), `sign` (how the signature is made),
//! `signature` (the whole part), `wrap` (text before and behind) and `text` (the whole message).

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use hmac::{Hmac, Mac};
use omadata::domain::jose::{
    Algorithm, Claims, JoseError, KeySource, Profile, PublicKeys, SigningKey, UnverifiedJws, Verified, b64url,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

static TOKEN: Profile = Profile {
    typ: "test+jwt",
    max_bytes: 4096,
    key_source: KeySource::Kid,
    required: &["iss", "exp"],
    optional: Claims::Only(&["sub", "iat", "nbf", "a"]),
    forbidden_headers: &[],
};

static PROOF: Profile = Profile {
    typ: "dpop+jwt",
    max_bytes: 4096,
    key_source: KeySource::EmbeddedJwk,
    required: &["jti", "iat"],
    optional: Claims::Any,
    forbidden_headers: &[],
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    reason: String,
    #[serde(default)]
    header: Map<String, Value>,
    #[serde(default)]
    jwk: Map<String, Value>,
    #[serde(default)]
    claims: Map<String, Value>,
    header_text: Option<String>,
    header_hex: Option<String>,
    payload_text: Option<String>,
    payload_hex: Option<String>,
    #[serde(default)]
    sign: String,
    signature: Option<String>,
    wrap: Option<(String, String)>,
    text: Option<String>,
}

fn alter(target: &mut Value, changes: &Map<String, Value>) {
    let members = target.as_object_mut().unwrap();
    for (name, value) in changes {
        match value {
            Value::Null => {
                members.remove(name);
            }
            Value::String(text) if text.starts_with('@') => {
                members.insert(name.clone(), "x".repeat(text[1..].parse().unwrap()).into());
            }
            _ => {
                members.insert(name.clone(), value.clone());
            }
        }
    }
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// Signs `header.payload` through the public signing call of the product, whose own header is then left aside: the
/// message to sign must be ours, so the raw signature comes from josekit, as an attacker's would.
fn raw_signature(key: &SigningKey, message: &str) -> Vec<u8> {
    let jwk = josekit::jwk::Jwk::from_bytes(key.to_private_jwk().as_bytes()).unwrap();
    match key.public().algorithm() {
        Algorithm::Es256 => {
            let signer = josekit::jws::ES256.signer_from_jwk(&jwk).unwrap();
            josekit::jws::JwsSigner::sign(&signer, message.as_bytes()).unwrap()
        }
        Algorithm::EdDsa => {
            let signer = josekit::jws::EdDSA.signer_from_jwk(&jwk).unwrap();
            josekit::jws::JwsSigner::sign(&signer, message.as_bytes()).unwrap()
        }
    }
}

fn ed25519() -> SigningKey {
    let pair = josekit::jws::EdDSA.generate_key_pair(josekit::jwk::alg::ed::EdCurve::Ed25519).unwrap();
    SigningKey::from_private_jwk(&pair.to_jwk_key_pair().to_string()).unwrap()
}

fn signature(case: &Case, key: &SigningKey, message: &str) -> String {
    let good = || raw_signature(key, message);
    let bytes = match case.sign.as_str() {
        "" => good(),
        "zero" => vec![0; 64],
        "zero-r" => [&[0; 32][..], &good()[32..]].concat(),
        "zero-s" => [&good()[..32], &[0; 32][..]].concat(),
        "short" => good()[..63].to_vec(),
        "long" => [&good()[..], &[1]].concat(),
        "der" => {
            let raw = good();
            let half = |half: &[u8]| [&[2, 33, 0][..], half].concat();
            [&[0x30, 70][..], &half(&raw[..32]), &half(&raw[32..])].concat()
        }
        "other-key" if key.public().algorithm() == Algorithm::EdDsa => raw_signature(&ed25519(), message),
        "other-key" => raw_signature(&SigningKey::generate().unwrap(), message),
        "claims-changed" => {
            raw_signature(key, &format!("{}.{}", message.split_once('.').unwrap().0, b64url(b"{}")))
        }
        "header-changed" => {
            raw_signature(key, &format!("{}.{}", b64url(b"{}"), message.split_once('.').unwrap().1))
        }
        "hmac-public-key" => {
            let secret = key.public().to_jwk().to_string();
            let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
            mac.update(message.as_bytes());
            mac.finalize().into_bytes().to_vec()
        }
        "standard-base64" => {
            // Signatures are random: take one that differs between the two alphabets.
            return std::iter::repeat_with(|| STANDARD_NO_PAD.encode(good()))
                .find(|text| text.contains(['+', '/']))
                .unwrap();
        }
        "unused-bits" => {
            let text = b64url(&good());
            let (rest, last) = text.split_at(text.len() - 1);
            let next = char::from(last.as_bytes()[0] + 1);
            return format!("{rest}{next}");
        }
        other => panic!("{}: unknown way to sign: {other}", case.name),
    };
    b64url(&bytes)
}

fn message(case: &Case, key: &SigningKey, mut header: Value, mut claims: Value) -> String {
    if let Some(text) = &case.text {
        return text.clone();
    }
    if let Some(jwk) = header.get_mut("jwk") {
        alter(jwk, &case.jwk);
    }
    alter(&mut header, &case.header);
    alter(&mut claims, &case.claims);
    let part = |text: &Option<String>, hex: &Option<String>, value: &Value| match (text, hex) {
        (Some(text), _) => b64url(text.as_bytes()),
        (None, Some(hex)) => b64url(&unhex(hex)),
        (None, None) => b64url(value.to_string().as_bytes()),
    };
    let signed = format!(
        "{}.{}",
        part(&case.header_text, &case.header_hex, &header),
        part(&case.payload_text, &case.payload_hex, &claims)
    );
    let signature = case.signature.clone().unwrap_or_else(|| signature(case, key, &signed));
    let (before, behind) = case.wrap.clone().unwrap_or_default();
    format!("{before}{signed}.{signature}{behind}")
}

fn run(table: &str, attempt: impl Fn(&Case) -> Result<Verified<Value>, JoseError>) {
    let cases: Vec<Case> = serde_json::from_str(table).unwrap();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let found = attempt(case).map_or_else(JoseError::reason, |_| "ok");
            (found != case.reason).then(|| format!("{}: {found}, not {}", case.name, case.reason))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn tokens() {
    let key = SigningKey::generate().unwrap();
    let keys = PublicKeys::from_keys(vec![key.public().clone()]).unwrap();
    run(include_str!("jose/form.json"), |case| {
        let header = json!({"alg": "ES256", "typ": "test+jwt", "kid": key.kid()});
        let claims = json!({"iss": "https://holder.example", "exp": 2_000_000_000});
        UnverifiedJws::parse(&message(case, &key, header, claims), &TOKEN)?.verify_with(&keys)
    });
}

#[test]
fn proofs() {
    let key = SigningKey::generate().unwrap();
    let mut jwk = key.public().to_jwk();
    jwk.as_object_mut().unwrap().remove("kid");
    jwk.as_object_mut().unwrap().remove("alg");
    run(include_str!("jose/proof.json"), |case| {
        let header = json!({"alg": "ES256", "typ": "dpop+jwt", "jwk": jwk});
        let claims = json!({"jti": "1", "iat": 2_000_000_000, "htm": "GET"});
        let jws = UnverifiedJws::parse(&message(case, &key, header, claims), &PROOF)?;
        let own = jws.embedded_key().unwrap().clone();
        jws.verify(&own)
    });
}

#[test]
fn ed25519_is_accepted_under_both_of_its_names() {
    let key = ed25519();
    let table = include_str!("jose/ed25519.json");
    let keys = PublicKeys::from_keys(vec![key.public().clone()]).unwrap();
    run(table, |case| {
        let header = json!({"typ": "test+jwt", "kid": key.kid()});
        let claims = json!({"iss": "https://holder.example", "exp": 2_000_000_000});
        UnverifiedJws::parse(&message(case, &key, header, claims), &TOKEN)?.verify_with(&keys)
    });
    // A proof brings its key along, which may be said to be for either name too.
    for alg in ["EdDSA", "Ed25519"] {
        let mut jwk = key.public().to_jwk();
        jwk["alg"] = json!(alg);
        jwk.as_object_mut().unwrap().remove("kid");
        run(table, |case| {
            let header = json!({"typ": "dpop+jwt", "jwk": jwk});
            let claims = json!({"jti": "1", "iat": 2_000_000_000, "htm": "GET"});
            let jws = UnverifiedJws::parse(&message(case, &key, header, claims), &PROOF)?;
            let own = jws.embedded_key().unwrap().clone();
            jws.verify(&own)
        });
    }
}

#[test]
fn every_reason_is_told_apart() {
    let all = [
        JoseError::TooLarge,
        JoseError::NotCompact,
        JoseError::Base64,
        JoseError::Utf8,
        JoseError::Json,
        JoseError::NotObject,
        JoseError::DuplicateMember,
        JoseError::TooDeep,
        JoseError::CriticalHeader,
        JoseError::ForbiddenHeader,
        JoseError::WrongType,
        JoseError::AlgorithmNotAllowed,
        JoseError::AlgorithmMismatch,
        JoseError::MissingKeyId,
        JoseError::MalformedKeyId,
        JoseError::MissingEmbeddedKey,
        JoseError::SignatureForm,
        JoseError::UnknownKey,
        JoseError::Signature,
        JoseError::MissingClaim("exp"),
        JoseError::UnknownClaim,
        JoseError::MalformedTime("exp"),
        JoseError::MalformedClaims,
        JoseError::Expired,
        JoseError::NotYetValid,
        JoseError::MalformedKey,
        JoseError::PrivateKey,
        JoseError::MalformedKeySet,
        JoseError::DuplicateKeyId,
        JoseError::MalformedSigningKey,
        JoseError::Crypto,
        JoseError::UnsignableClaims,
    ];
    let reasons: std::collections::BTreeSet<_> = all.iter().map(|error| error.reason()).collect();
    assert_eq!(reasons.len(), all.len());
}
