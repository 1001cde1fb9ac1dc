//! What reading, verifying and signing a message costs: `cargo bench --bench jose`.
//!
//! A consent token and a DPoP proof of ordinary size, and a receipt. Beside them josekit's own ES256, which is OpenSSL's: the
//! library below our verifier must be worth its place. Prints a table and fails beyond its bounds; ratios are of one run.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::as_conversions,
    missing_docs,
    reason = "a program that measures"
)]
#![allow(clippy::print_stdout, reason = "it prints its table")]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::jwk::Jwk;
use josekit::jws::{ES256, JwsVerifier};
use omadata::domain::jose::{Claims, KeySource, Profile, PublicKeys, SigningKey, UnverifiedJws};
use serde_json::{Value, json};

/// Whether times count: they mean nothing in a build without optimisation.
const TIMED: bool = !cfg!(debug_assertions);

/// Longest share of OpenSSL's time that reading a proof's key and verifying one signature with it may take.
const MOST_OF_OPENSSL: f64 = 0.9;

static TOKEN: Profile = Profile {
    typ: "at+jwt",
    max_bytes: 8192,
    key_source: KeySource::Kid,
    required: &["iss", "exp"],
    optional: Claims::Any,
    forbidden_headers: &[],
};

static PROOF: Profile =
    Profile { typ: "dpop+jwt", key_source: KeySource::EmbeddedJwk, required: &["jti"], ..TOKEN };

fn token(key: &SigningKey) -> String {
    let holder = "https://mydata.espoo.example";
    let claims = json!({
        "iss": holder, "sub": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "aud": holder,
        "client_id": "https://mydata.helsinki.example", "iat": 1_780_000_000, "nbf": 1_780_000_000, "exp": 1_780_003_600,
        "jti": "AAAAAAAAAAAAAAAAAAAAAA", "grant_id": "BBBBBBBBBBBBBBBBBBBBBB",
        "cnf": {"jkt": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
        "authorization_details": [{
            "type": "urn:omadata:consent", "locations": [holder], "actions": ["read"], "datatypes": ["placements"],
            "fields": ["childName", "unit.name", "startDate", "endDate"], "purpose": "https://w3id.org/dpv#ServiceProvision",
            "declared_use": "https://mydata.helsinki.example/catalogue/uses/daycare", "max_exchanges": 10,
            "retention": "P1Y", "until": "2026-12-31"
        }],
        "status": {"status_list": {"idx": 77_123, "uri": "https://mydata.espoo.example/status/0"}},
        "consent_commitment": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "acr": "http://ftn.ficora.fi/2017/loa2"
    });
    key.sign(TOKEN.typ, &claims).unwrap()
}

fn proof(key: &SigningKey) -> String {
    let claims = json!({
        "jti": "CCCCCCCCCCCCCCCCCCCCCC", "htm": "GET", "iat": 1_780_000_000,
        "htu": "https://mydata.espoo.example/exchange/datasets/placements",
        "ath": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "nonce": "DDDDDDDDDDDDDDDDDDDDDDDD"
    });
    key.sign_with_jwk(PROOF.typ, &claims).unwrap()
}

fn receipt() -> Value {
    json!({
        "iss": "https://mydata.espoo.example", "aud": "https://mydata.helsinki.example", "iat": 1_780_000_000,
        "jti": "EEEEEEEEEEEEEEEEEEEEEE", "grant_id": "BBBBBBBBBBBBBBBBBBBBBB", "dataset": "placements",
        "fields": ["childName", "unit.name", "startDate", "endDate"], "records": 2,
        "proof_digest": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        "body_digest": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        "log_entry": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    })
}

/// The middle of 15 rounds, each of so many runs, for one run.
fn median(mut work: impl FnMut()) -> Duration {
    let runs: u32 = if TIMED { 200 } else { 2 };
    let mut times: Vec<Duration> = (0..15)
        .map(|_| {
            let start = Instant::now();
            (0..runs).for_each(|_| work());
            start.elapsed() / runs
        })
        .collect();
    times.sort_unstable();
    times.get(7).copied().unwrap()
}

fn main() -> ExitCode {
    let key = SigningKey::generate().unwrap();
    let keys = PublicKeys::single(key.public().clone());
    let (token, proof, receipt) = (token(&key), proof(&key), receipt());
    let jwk = key.public().to_jwk();
    let openssl_key = Jwk::from_map(jwk.as_object().unwrap().clone()).unwrap();
    let (message, signature) = proof.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let openssl = median(|| {
        let verifier = ES256.verifier_from_jwk(&openssl_key).unwrap();
        verifier.verify(black_box(message.as_bytes()), &signature).unwrap();
    });
    let whole_proof = median(|| {
        let unverified = UnverifiedJws::parse(black_box(&proof), &PROOF).unwrap();
        let embedded = unverified.embedded_key().unwrap().clone();
        black_box(unverified.verify::<Value>(&embedded).unwrap());
    });
    let rows = [
        (
            "a token of its size is read strictly",
            token.len(),
            median(|| drop(black_box(UnverifiedJws::parse(black_box(&token), &TOKEN).unwrap()))),
        ),
        (
            "and verified with a known key",
            token.len(),
            median(|| {
                black_box(UnverifiedJws::parse(&token, &TOKEN).unwrap().verify_with::<Value>(&keys).unwrap());
            }),
        ),
        (
            "a proof is read with the key that it carries",
            proof.len(),
            median(|| drop(black_box(UnverifiedJws::parse(black_box(&proof), &PROOF).unwrap()))),
        ),
        ("and verified with it", proof.len(), whole_proof),
        (
            "a receipt is signed",
            receipt.to_string().len(),
            median(|| drop(black_box(key.sign("receipt+jwt", &receipt).unwrap()))),
        ),
        ("OpenSSL: a key is read and one signature verified", signature.len(), openssl),
    ];
    println!("{:<56} {:>8} {:>12}", "messages", "bytes", "measured");
    for (what, bytes, time) in &rows {
        println!("{what:<56} {bytes:>8} {:>9.1} µs", time.as_secs_f64() * 1e6);
    }
    let ratio = whole_proof.as_secs_f64() / openssl.as_secs_f64();
    println!(
        "a whole proof, strict reading included, takes {ratio:.2} of OpenSSL's time for the signature alone"
    );
    if TIMED && ratio > MOST_OF_OPENSSL { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
