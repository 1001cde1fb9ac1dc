//! The manual of the bundle (docs/bundle.md) says enough: `tests/foreign/verify_bundle.py`, which was written from it, finds
//! what this program finds, part by part.

use std::path::{Path, PathBuf};
use std::process::Command;

use omadata::domain::bundle::{Bundle, RevokedLine, Verdict, VerifyOptions, verify_bundle};
use omadata::domain::consent::{Actor, Reason};
use omadata::domain::jose::{RevokeReason, SigningKey, b64url};
use serde_json::json;

use crate::case::{Case, DECIDED, EXPORTED, PROVIDER, TestPasskey, case, case_with, status_list};

/// A finding as the script prints it.
pub(crate) fn words(judged: &omadata::domain::bundle::Judgement) -> Vec<String> {
    let mut lines: Vec<String> = judged
        .findings
        .iter()
        .map(|finding| {
            let verdict = match finding.verdict {
                Verdict::Pass => "pass",
                Verdict::Fail => "fail",
                Verdict::CannotTell => "cannot_tell",
            };
            let reason = finding.reason.map(|reason| format!(" [{reason}]")).unwrap_or_default();
            format!("{verdict} {}{reason}", finding.subject)
        })
        .collect();
    lines.extend(judged.state_as_of.iter().map(|state| format!("state {state}")));
    lines
}

pub(crate) struct Manual {
    folder: tempfile::TempDir,
}

impl Manual {
    fn new(case: &Case) -> Self {
        Self::with_keys(&case.anchor_keys.to_jwks().to_string(), &case.provider_keys().to_string())
    }

    pub(crate) fn with_keys(anchor: &str, provider: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("anchor.json"), anchor).unwrap();
        std::fs::write(folder.path().join("provider.json"), provider).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the script says, and its exit code.
    pub(crate) fn judge(
        &self,
        text: &str,
        with_keys: bool,
        as_of: Option<&str>,
    ) -> (Vec<String>, Option<i32>) {
        std::fs::write(self.path("bundle.json"), text).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/verify_bundle.py");
        let mut command = Command::new("python3");
        command.arg("-B").arg(script).arg(self.path("bundle.json"));
        if with_keys {
            command.arg("--anchor-keys").arg(self.path("anchor.json"));
            command.arg("--provider-keys").arg(self.path("provider.json"));
        }
        if let Some(moment) = as_of {
            command.args(["--as-of", moment]);
        }
        let output = command.output().expect("python3 runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.is_empty(), "{errors}");
        let said = String::from_utf8(output.stdout).unwrap();
        (said.lines().map(str::to_owned).collect(), output.status.code())
    }
}

fn question(case: &Case) -> VerifyOptions {
    VerifyOptions {
        as_of: None,
        anchor_keys: Some(case.anchor_keys.clone()),
        provider_keys: Some(case.provider_keys()),
    }
}

#[test]
fn a_verifier_written_from_the_manual_judges_a_bundle_as_this_program_does() {
    let case = case(3);
    let manual = Manual::new(&case);
    let sealed = case.sealed();
    let (said, code) = manual.judge(&sealed, true, None);
    assert_eq!(said, words(&verify_bundle(&sealed, &question(&case))));
    assert_eq!((said.last().map(String::as_str), code), (Some("state revoked"), Some(0)));

    let (said, code) = manual.judge(&sealed, false, None);
    assert_eq!(said, words(&verify_bundle(&sealed, &VerifyOptions::default())));
    assert_eq!(code, Some(3), "nobody vouches for the anchor and the provider");

    for moment in ["2026-11-18T00:00:00Z", "2026-12-01T12:00:00Z", "2030-01-01T00:00:00Z"] {
        let asked = VerifyOptions { as_of: Some(moment.parse().unwrap()), ..question(&case) };
        assert_eq!(
            manual.judge(&sealed, true, Some(moment)).0,
            words(&verify_bundle(&sealed, &asked)),
            "{moment}"
        );
    }
}

#[test]
fn a_verifier_written_from_the_manual_finds_the_same_fault_in_a_spoilt_bundle() {
    let case = case(2);
    let other = crate::case::case(2);
    let manual = Manual::new(&case);
    let stranger = SigningKey::generate().unwrap();
    let id_token = |claims: &[(&str, serde_json::Value)]| case.id_token(claims);
    type Change<'a> = Box<dyn Fn(&mut Bundle) + 'a>;
    let change = |change: Change<'_>| {
        let mut bundle = case.bundle.clone();
        change(&mut bundle);
        case.seal(&bundle)
    };
    let changes: Vec<(&str, Change<'_>)> = vec![
        ("text_changed", Box::new(|b| b.evidence.document = b.evidence.document.replace("haluaa", "saa"))),
        (
            "document_changed",
            Box::new(|b| {
                b.evidence.document = b.evidence.document.replace("\"optional\":true", "\"optional\":false");
            }),
        ),
        ("salt_changed", Box::new(|b| b.evidence.salt = b64url(&[1; 32]))),
        ("salt_form", Box::new(|b| b.evidence.salt = b64url(&[7; 31]))),
        ("provider_key_swapped", Box::new(|b| b.evidence.provider_key = stranger.public().to_jwk())),
        ("other_decision", Box::new(|b| b.evidence.id_token = id_token(&[("nonce", "x".into())]))),
        (
            "other_provider",
            Box::new(|b| b.evidence.id_token = id_token(&[("iss", "https://x.example".into())])),
        ),
        ("other_client", Box::new(|b| b.evidence.id_token = id_token(&[("aud", "x".into())]))),
        ("other_person", Box::new(|b| b.evidence.id_token = id_token(&[("sub", "x".into())]))),
        ("other_time", Box::new(|b| b.evidence.id_token = id_token(&[("iat", (DECIDED + 1_201).into())]))),
        (
            "provider_signature",
            Box::new(|b| {
                let (rest, signature) = b.evidence.id_token.rsplit_once('.').unwrap();
                let other = if signature.starts_with('A') { "B" } else { "A" };
                b.evidence.id_token = format!("{rest}.{other}{}", &signature[1..]);
            }),
        ),
        ("record_changed", Box::new(|b| b.consent.terms.max_exchanges = 99)),
        (
            "receipt_other",
            Box::new(|b| b.consent.recorded_at = b.consent.recorded_at.replace("2026", "2025")),
        ),
        ("receipt_missing", Box::new(|b| drop(b.receipts.remove(0)))),
        ("receipt_key_unknown", Box::new(|b| b.receipts.clone_from(&other.bundle.receipts))),
        ("receipt_missing", Box::new(|b| drop(b.receipts.pop()))),
        ("receipt_missing", Box::new(|b| b.receipts.clear())),
        ("history_other", Box::new(|b| drop(b.history.pop()))),
        ("history_other", Box::new(|b| b.history[1].actor = Actor::Recipient)),
        ("history_other", Box::new(|b| b.history[1].reason = Some(Reason::Paused))),
        ("exchange_twice", Box::new(|b| b.exchanges[1] = b.exchanges[0].clone())),
        (
            "exchange_missing",
            Box::new(|b| {
                b.exchanges.pop();
                b.consent.exchanges = 1;
            }),
        ),
        ("exchange_too_often", Box::new(|b| b.consent.terms.max_exchanges = 1)),
        (
            "exchange_too_often",
            Box::new(|b| {
                b.consent.terms.max_exchanges = 1;
                b.consent.terms.per = Some("P1D".to_owned().try_into().unwrap());
            }),
        ),
        ("seal_key_not_vouched_for", Box::new(|b| b.chains.holder.clone_from(&case.next_chain))),
        ("form", Box::new(|b| b.keys.push(b.keys[0].clone()))),
        ("form", Box::new(|b| b.exported_at = b.exported_at.replace('Z', "+00:00"))),
        (
            "key_revoked",
            Box::new(|b| {
                b.keys[0].revoked = Some(RevokedLine { at: EXPORTED - 1, reason: RevokeReason::Superseded });
            }),
        ),
        ("status_list_signature", Box::new(|b| b.status_list = status_list(&stranger, EXPORTED))),
        ("status_list_older", Box::new(|b| b.status_list = status_list(&case.token_key, DECIDED + 5))),
        ("status_other", Box::new(|b| b.status_list = status_list(&case.token_key, DECIDED + 6))),
        ("status_index_out_of_range", Box::new(|b| b.consent.status_index = 8)),
        ("provider_key_unpublished", Box::new(|b| b.receipts_dropped().unpublished())),
        ("exchange_missing", Box::new(|b| drop(b.exchanges.pop()))),
        ("log_entry_missing", Box::new(|b| drop(b.log.remove(1)))),
        ("log_order", Box::new(|b| b.log.reverse())),
        (
            "acknowledgement_other",
            Box::new(|b| b.exchanges[0].acknowledgement = b.exchanges[1].acknowledgement.clone()),
        ),
        ("not_acknowledged", Box::new(|b| b.exchanges[0].acknowledgement = None)),
        ("chain_broken", Box::new(|b| b.evidence.chains = Some(b.chains.clone()))),
        ("chain_not_kept", Box::new(|b| b.evidence.chains = None)),
        ("receipts_not_kept", Box::new(|b| _ = b.receipts_dropped())),
        ("status_list_other", Box::new(|b| b.consent.status_list.push('1'))),
        ("status_other", Box::new(|b| b.consent.status_index = 4)),
        (
            "key_compromised",
            Box::new(|b| {
                b.keys[0].revoked =
                    Some(RevokedLine { at: DECIDED + 900_000, reason: RevokeReason::Compromised });
            }),
        ),
    ];
    for (expected, spoil) in changes {
        let text = change(spoil);
        let ours = words(&verify_bundle(&text, &question(&case)));
        assert!(ours.iter().any(|line| line.contains(&format!("[{expected}]"))), "{expected}: {ours:#?}");
        assert_eq!(manual.judge(&text, true, None).0, ours, "{expected}");
    }
    let sealed = case.sealed();
    for (expected, text) in [
        ("changed_after_sealing", sealed.replacen("Espoo", "Esboo", 1)),
        ("not_canonical", format!("{sealed}\n")),
        ("not_json", sealed[..sealed.len() - 1].to_owned()),
        ("form", sealed.replacen("omadata-consent-bundle/1", "omadata-consent-bundle/9", 1)),
    ] {
        let ours = words(&verify_bundle(&text, &question(&case)));
        assert!(ours.iter().any(|line| line.contains(&format!("[{expected}]"))), "{expected}: {ours:#?}");
        let (said, code) = manual.judge(&text, true, None);
        assert_eq!((said, code), (ours, Some(1)), "{expected}");
    }
    assert!(sealed.contains(PROVIDER));
}

/// What was never there in a bundle that is older than receipts, or than the provider's documents.
trait Older {
    fn receipts_dropped(&mut self) -> &mut Self;
    fn unpublished(&mut self);
}

impl Older for Bundle {
    fn receipts_dropped(&mut self) -> &mut Self {
        self.receipts.clear();
        self.log.retain(|line| line.entry.contains(r#""kind":"exchange""#));
        self
    }

    fn unpublished(&mut self) {
        self.evidence.provider_documents.as_mut().unwrap().jwks = json!({ "keys": [] });
    }
}

/// One passkey of each kind that a resident may have.
fn passkeys() -> Vec<TestPasskey> {
    use openssl::hash::MessageDigest;
    use openssl::pkey::{PKey, Private};
    use openssl::sign::Signer;
    let sign = |key: PKey<Private>, digest: Option<MessageDigest>| -> crate::case::Signer {
        Box::new(move |message| {
            let mut signer = match digest {
                Some(digest) => Signer::new(digest, &key).unwrap(),
                None => Signer::new_without_digest(&key).unwrap(),
            };
            signer.sign_oneshot_to_vec(message).unwrap()
        })
    };
    let group = openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1).unwrap();
    let ec = openssl::ec::EcKey::generate(&group).unwrap();
    let (mut x, mut y) = (openssl::bn::BigNum::new().unwrap(), openssl::bn::BigNum::new().unwrap());
    let mut context = openssl::bn::BigNumContext::new().unwrap();
    ec.public_key().affine_coordinates(&group, &mut x, &mut y, &mut context).unwrap();
    let coordinate = |number: &openssl::bn::BigNum| b64url(&number.to_vec_padded(32).unwrap());
    let ec_jwk = json!({"kty": "EC", "crv": "P-256", "x": coordinate(&x), "y": coordinate(&y)});
    let ed = PKey::generate_ed25519().unwrap();
    let ed_jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": b64url(&ed.raw_public_key().unwrap())});
    let rsa = openssl::rsa::Rsa::generate(2048).unwrap();
    let rsa_jwk = json!({"kty": "RSA", "n": b64url(&rsa.n().to_vec()), "e": b64url(&rsa.e().to_vec())});
    let sha256 = Some(MessageDigest::sha256());
    vec![
        TestPasskey { jwk: ec_jwk, sign: sign(PKey::from_ec_key(ec).unwrap(), sha256) },
        TestPasskey { jwk: ed_jwk, sign: sign(ed, None) },
        TestPasskey { jwk: rsa_jwk, sign: sign(PKey::from_rsa(rsa).unwrap(), sha256) },
    ]
}

#[test]
fn bundles_with_a_passkey_of_every_kind_are_judged_alike() {
    let all = passkeys();
    for (passkey, other) in all.iter().zip(all.iter().cycle().skip(1)) {
        let case = case_with(1, Some(passkey));
        let manual = Manual::new(&case);
        let stranger = case_with(1, Some(other)).evidence.passkey;
        let flip = |text: &str| {
            let mut bytes = from_b64url(text);
            *bytes.last_mut().unwrap() ^= 1;
            b64url(&bytes)
        };
        type Change<'a> = Box<dyn Fn(&mut Bundle) + 'a>;
        let changes: Vec<(Option<&str>, Change<'_>)> = vec![
            (None, Box::new(|_| ())),
            (Some("passkey_missing"), Box::new(|b| b.evidence.passkey = None)),
            (Some("passkey_other_decision"), Box::new(|b| b.evidence.passkey.clone_from(&stranger))),
            (
                Some("passkey_signature"),
                Box::new(|b| {
                    let passkey = b.evidence.passkey.as_mut().unwrap();
                    passkey.signature = flip(&passkey.signature);
                }),
            ),
            (
                Some("passkey_malformed"),
                Box::new(|b| b.evidence.passkey.as_mut().unwrap().authenticator_data.truncate(40)),
            ),
        ];
        for (expected, change) in changes {
            let mut bundle = case.bundle.clone();
            change(&mut bundle);
            let text = case.seal(&bundle);
            let judged = verify_bundle(&text, &question(&case));
            let failures = judged.failures();
            assert_eq!(failures.first().copied(), expected, "{}", passkey.jwk);
            assert_eq!(manual.judge(&text, true, None).0, words(&judged), "{expected:?} {}", passkey.jwk);
        }
    }
}

fn from_b64url(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()
}
