//! The sample bundles in `tests/vectors/evidence/`, which docs/bundle.md names for whoever writes a verifier: made here from
//! counted keys, each with what is found in it.

use std::path::{Path, PathBuf};

use omadata::domain::bundle::{Bundle, ExchangePapers, RevokedLine, VerifyOptions, verify_bundle};
use omadata::domain::consent::Actor;
use omadata::domain::jose::{PublicKeys, RevokeReason, b64url, sha256};
use openssl::pkey::{Id, PKey};
use openssl::sign::Signer;
use serde_json::{Value, json};

use crate::case::{Case, EXPORTED, TestPasskey, counted_keys, made_with};
use crate::manual::{Manual, words};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/evidence")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn passkey() -> TestPasskey {
    let key = PKey::private_key_from_raw_bytes(&[99; 32], Id::ED25519).unwrap();
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": b64url(&key.raw_public_key().unwrap())});
    let sign =
        move |message: &[u8]| Signer::new_without_digest(&key).unwrap().sign_oneshot_to_vec(message).unwrap();
    TestPasskey { jwk, sign: Box::new(sign) }
}

fn sample() -> Case {
    made_with(2, Some(&passkey()), &mut counted_keys())
}

/// Every file by its name, as it is made.
fn made() -> Vec<(&'static str, String)> {
    let case = sample();
    let holds = case.sealed();
    let sealed = |change: &dyn Fn(&mut Bundle)| {
        let mut bundle = case.bundle.clone();
        change(&mut bundle);
        case.seal(&bundle)
    };
    vec![
        ("anchor.json", case.anchor_keys.to_jwks().to_string()),
        ("provider.json", case.provider_keys().to_string()),
        ("changed-after-sealing.json", holds.replacen(r#""actor":"resident""#, r#""actor":"node""#, 1)),
        (
            "text-changed.json",
            sealed(&|b| b.evidence.document = b.evidence.document.replace("haluaa hakea", "saa hakea")),
        ),
        ("receipts-dropped.json", sealed(&|b| b.receipts.clear())),
        ("ended-by-another.json", sealed(&|b| b.history[1].actor = Actor::Node)),
        (
            "exchange-hidden.json",
            sealed(&|b| {
                let ExchangePapers { receipt, acknowledgement } = b.exchanges[0].clone();
                b.exchanges[1] = ExchangePapers { receipt, acknowledgement };
                b.log.remove(2);
            }),
        ),
        (
            "sealed-with-a-lost-key.json",
            sealed(&|b| {
                b.keys[0].revoked =
                    Some(RevokedLine { at: EXPORTED - 60, reason: RevokeReason::Compromised });
            }),
        ),
        ("not-acknowledged.json", sealed(&|b| b.exchanges[1].acknowledgement = None)),
        ("holds.json", holds),
    ]
}

fn question() -> VerifyOptions {
    VerifyOptions {
        as_of: None,
        anchor_keys: Some(
            PublicKeys::from_jwks(&serde_json::from_str(&read("anchor.json")).unwrap()).unwrap(),
        ),
        provider_keys: Some(serde_json::from_str(&read("provider.json")).unwrap()),
    }
}

/// After a change of the form, `WRITE_SAMPLES=1` writes the files anew; look at the difference before you keep it.
#[test]
fn the_sample_bundles_are_made_as_this_program_makes_bundles() {
    let write = std::env::var_os("WRITE_SAMPLES").is_some();
    for (name, text) in made() {
        if write {
            std::fs::write(folder().join(name), &text).unwrap();
        }
        assert!(read(name) == text, "{name} is not what is made now");
    }
}

#[test]
fn the_sample_bundles_are_judged_as_their_list_says() {
    let expected: Value = serde_json::from_str(&read("expected.json")).unwrap();
    let expected = expected.as_object().unwrap();
    let manual = Manual::with_keys(&read("anchor.json"), &read("provider.json"));
    for (name, findings) in expected {
        let text = read(name);
        let ours = words(&verify_bundle(&text, &question()));
        let found: Vec<&str> =
            ours.iter().filter(|line| !line.starts_with("pass")).map(String::as_str).collect();
        assert_eq!(json!(found), findings["found"], "{name}");
        let (said, code) = manual.judge(&text, true, None);
        assert_eq!((said, json!(code)), (ours, findings["exit"].clone()), "{name}");
    }
    let bundles = made().len() - 2;
    assert_eq!(expected.len(), bundles, "every bundle has its findings");
}

/// The manual's example of a digest over texts is the one of the sample, and computed as the manual says.
#[test]
fn the_texts_of_the_manual_have_the_digest_that_it_names() {
    let manual =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/bundle.md")).unwrap();
    let (_, example) = manual.split_once("For `holds.json` of the samples it is").unwrap();
    let texts: Value =
        serde_json::from_str(example.split("```").nth(1).unwrap().strip_prefix("json").unwrap()).unwrap();
    let digest = b64url(&sha256(serde_json_canonicalizer::to_string(&texts).unwrap().as_bytes()));
    assert!(example.contains(&format!("`{digest}`")), "{digest}");
    let case = sample();
    assert_eq!(case.committed.texts_digest, digest);
    assert!(read("holds.json").contains(case.bundle.receipts[0].as_str()));
}
