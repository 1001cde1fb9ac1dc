//! Evidence and bundles without a node: every changed part is refused by name, every changed byte at all.

use omadata::domain::bundle::{Bundle, LogLine, Verdict, VerifyOptions, verify_bundle};
use omadata::domain::clock::Timestamp;
use omadata::domain::consent::{Actor, Commitment, ConsentStatus, Evidence};
use omadata::domain::exchange::receipt::{EXCHANGE_RECEIPT, Receipt};
use omadata::domain::jose::{SigningKey, b64url};
use omadata::domain::log::Entry;
use serde_json::{Value, json};

use crate::case::{Case, DECIDED, EXPORTED, LUMI, ONNI, PLACEMENT, case};
use crate::manual::{Manual, words};

fn changed(case: &Case, vector: &Value) -> (Evidence, Commitment) {
    let mut evidence = case.evidence.clone();
    let mut commitment = case.commitment.clone();
    let stranger = SigningKey::generate().unwrap();
    let text = |name: &str| vector[name].as_str().unwrap();
    match text("change") {
        "none" => {}
        "document" => {
            assert!(evidence.document.contains(text("from")), "{vector}");
            evidence.document = evidence.document.replacen(text("from"), text("to"), 1);
        }
        "salt" => evidence.salt = b64url(&[8; 32]),
        "short_salt" => evidence.salt = b64url(&[7; 31]),
        "commitment" => commitment = Commitment::from_text(b64url(&[9; 32])),
        "provider_key" | "provider_documents" => {
            evidence.provider_key = stranger.public().to_jwk();
            let claims = serde_json::json!({
                "iss": crate::case::PROVIDER, "sub": "person-1", "aud": "espoo", "iat": DECIDED, "exp": DECIDED + 300,
                "nonce": commitment.as_str()
            });
            evidence.id_token = stranger.sign("JWT", &claims).unwrap();
            if text("change") == "provider_documents" {
                let documents = evidence.provider_documents.as_mut().unwrap();
                documents.jwks = serde_json::json!({ "keys": [stranger.public().to_jwk()] });
            }
        }
        "signature" => {
            let (rest, signature) = evidence.id_token.rsplit_once('.').unwrap();
            let other = if signature.starts_with('A') { "B" } else { "A" };
            evidence.id_token = format!("{rest}.{other}{}", &signature[1..]);
        }
        "claims" => {
            let claims: Vec<(&str, Value)> = vector["claims"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| (name.as_str(), value.clone()))
                .collect();
            evidence.id_token = case.id_token(&claims);
        }
        other => panic!("{other}"),
    }
    (evidence, commitment)
}

#[test]
fn every_changed_part_of_the_evidence_is_refused_by_name() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("consent/evidence.json")).unwrap();
    let case = case(1);
    for vector in &vectors {
        let (evidence, commitment) = changed(&case, vector);
        let found = |committed| evidence.verify(&commitment, committed).err().map(|error| error.reason());
        assert_eq!(found(None), vector["alone"].as_str(), "alone: {}", vector["name"]);
        assert_eq!(found(Some(&case.committed)), vector["with_receipt"].as_str(), "{}", vector["name"]);
    }
    assert!(vectors.len() >= 20);
}

fn full_question(case: &Case) -> VerifyOptions {
    VerifyOptions {
        as_of: None,
        anchor_keys: Some(case.anchor_keys.clone()),
        provider_keys: Some(case.provider_keys()),
    }
}

#[test]
fn a_bundle_holds_and_says_what_it_cannot_tell() {
    let case = case(3);
    let sealed = case.sealed();
    let judged = verify_bundle(&sealed, &full_question(&case));
    assert!(judged.holds(), "{:#?}", judged.findings);
    assert_eq!(judged.state_as_of.as_deref(), Some("revoked"));

    let judged = verify_bundle(&sealed, &VerifyOptions::default());
    let open: Vec<&str> = judged
        .findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::CannotTell)
        .map(|finding| finding.subject)
        .collect();
    assert_eq!(open, ["anchor", "provider_key"], "{:#?}", judged.findings);
    assert!(!judged.has_failed() && !judged.holds());

    for (secs, state) in [
        (DECIDED - 1, "not_given"),
        (DECIDED, "active"),
        (DECIDED + 899_999, "active"),
        (DECIDED + 900_000, "revoked"),
        (EXPORTED + 90_000_000, "revoked"),
    ] {
        let question = VerifyOptions { as_of: Some(Timestamp::from_secs(secs)), ..VerifyOptions::default() };
        assert_eq!(verify_bundle(&sealed, &question).state_as_of.as_deref(), Some(state), "{secs}");
    }
    let stranger =
        omadata::domain::jose::PublicKeys::single(SigningKey::generate().unwrap().public().clone());
    let question = VerifyOptions { anchor_keys: Some(stranger), ..VerifyOptions::default() };
    assert!(verify_bundle(&sealed, &question).failures().contains(&"chain_broken"));
    let question =
        VerifyOptions { provider_keys: Some(serde_json::json!({"keys": []})), ..full_question(&case) };
    assert_eq!(verify_bundle(&sealed, &question).failures(), ["provider_key_foreign"]);
}

#[test]
fn no_byte_of_a_bundle_can_be_changed() {
    let case = case(1);
    let sealed = case.sealed();
    let question = full_question(&case);
    assert!(verify_bundle(&sealed, &question).holds());
    let bytes = sealed.as_bytes();
    // A dense sample where the program is optimised, else a thin one; another bit from place to place, and every bit of
    // one stretch.
    let step = if cfg!(debug_assertions) { 131 } else { 5 };
    let sample = (0..bytes.len()).step_by(step).map(|place| (place, 1 << (place % 7)));
    let stretch = (0..16).flat_map(|place| (0..7).map(move |bit| (place, 1 << bit)));
    for (place, bit) in sample.chain(stretch) {
        let mut changed = bytes.to_vec();
        changed[place] ^= bit;
        let Ok(changed) = String::from_utf8(changed) else { continue };
        let judged = verify_bundle(&changed, &question);
        assert!(judged.has_failed(), "byte {place} of {}: {:#?}", bytes.len(), judged.findings);
    }
    for changed in ["", "{}", &sealed[1..], &sealed[..sealed.len() - 1], &format!("{sealed}\n")] {
        assert!(verify_bundle(changed, &question).has_failed());
    }
}

/// What a holder could do who has its own keys, and what is found out all the same.
#[test]
fn a_holder_who_seals_something_else_is_found_out_by_name() {
    let case = case(2);
    let other = crate::case::case(2);
    let found = |change: &dyn Fn(&mut Bundle)| {
        let mut bundle = case.bundle.clone();
        change(&mut bundle);
        verify_bundle(&case.seal(&bundle), &full_question(&case)).failures()
    };
    assert_eq!(found(&|_| ()), Vec::<&str>::new());
    type Change<'a> = &'a dyn Fn(&mut Bundle);
    let cases: [(&str, Change<'_>, &str); 26] = [
        ("a text", &|b| b.evidence.document = b.evidence.document.replace("haluaa", "saa"), "text_changed"),
        ("the salt", &|b| b.evidence.salt = b64url(&[1; 32]), "salt_changed"),
        (
            "the provider's key",
            &|b| b.evidence.provider_key = other.evidence.provider_key.clone(),
            "provider_key_swapped",
        ),
        ("the terms", &|b| b.consent.terms.max_exchanges = 99, "record_changed"),
        (
            "the end of a permission",
            &|b| {
                b.history.pop();
                b.consent.state = "active".parse().unwrap();
            },
            "history_other",
        ),
        (
            "the last receipt",
            &|b| {
                b.receipts.pop();
            },
            "receipt_missing",
        ),
        ("all receipts", &|b| b.receipts.clear(), "receipt_missing"),
        (
            "all receipts but for their log entries",
            &|b| {
                b.receipts.clear();
                b.log.retain(|line| !line.entry.contains(r#""state":"active""#));
            },
            "receipt_missing",
        ),
        ("why it ended", &|b| b.history[1].reason = "paused".parse().ok(), "history_other"),
        ("that there was a reason", &|b| b.history[1].reason = None, "history_other"),
        ("who ended it", &|b| b.history[1].actor = Actor::Node, "history_other"),
        (
            "an exchange in the place of another",
            &|b| {
                b.exchanges[1] = b.exchanges[0].clone();
                b.log.remove(2);
            },
            "exchange_twice",
        ),
        (
            "an exchange left out and the number with it",
            &|b| {
                b.exchanges.pop();
                b.consent.exchanges = 1;
            },
            "exchange_missing",
        ),
        (
            "a reminder in the log",
            &|b| {
                let reminder = Entry::Reminder { consent: b.consent.id, at: DECIDED };
                b.log.push(LogLine { index: 99, entry: reminder.leaf().unwrap().entry });
            },
            "log_entry_other",
        ),
        ("a key of no known purpose", &|b| b.keys[0].purpose = "seal".to_owned(), "form"),
        ("a key that is there twice", &|b| b.keys.push(b.keys[0].clone()), "form"),
        ("a time with a fraction", &|b| b.exported_at = b.exported_at.replace('Z', ".0Z"), "form"),
        ("a time of another zone", &|b| b.history[0].at = b.history[0].at.replace('Z', "+00:00"), "form"),
        ("a permission that was declined", &|b| b.consent.state = ConsentStatus::Declined, "form"),
        (
            "the first receipt",
            &|b| {
                b.receipts.remove(0);
            },
            "receipt_missing",
        ),
        ("another's receipts", &|b| b.receipts.clone_from(&other.bundle.receipts), "receipt_key_unknown"),
        (
            "an exchange left out",
            &|b| {
                b.exchanges.pop();
            },
            "exchange_missing",
        ),
        (
            "a log entry left out",
            &|b| {
                b.log.remove(1);
            },
            "log_entry_missing",
        ),
        ("a log entry out of order", &|b| b.log.reverse(), "log_order"),
        ("another's acknowledgement", &|b| b.exchanges.swap_acknowledgements(), "acknowledgement_other"),
        (
            "a chain of another time",
            &|b| {
                let chains = b.chains.clone();
                b.evidence.chains = Some(chains);
            },
            "chain_broken",
        ),
    ];
    for (name, change, reason) in cases {
        let failures = found(change);
        assert!(failures.contains(&reason), "{name}: {failures:?}");
    }
}

trait Swap {
    fn swap_acknowledgements(&mut self);
}

impl Swap for Vec<omadata::domain::bundle::ExchangePapers> {
    fn swap_acknowledgements(&mut self) {
        let first = self[0].acknowledgement.take();
        self[0].acknowledgement = self[1].acknowledgement.take();
        self[1].acknowledgement = first;
    }
}

/// A bundle that is written right after the decision carries a list that may be older than it.
#[test]
fn a_status_list_from_before_the_permission_says_nothing_about_it() {
    let case = case(1);
    let judged = |signed_at: i64| {
        let mut bundle = case.bundle.clone();
        bundle.status_list = crate::case::status_list(&case.token_key, signed_at);
        let judged = verify_bundle(&case.seal(&bundle), &full_question(&case));
        let finding = judged.findings.into_iter().find(|finding| finding.subject == "status_list").unwrap();
        (finding.verdict, finding.reason)
    };
    // The list says that the permission is over. It was, from the revocation on.
    assert_eq!(judged(DECIDED - 1), (Verdict::CannotTell, Some("status_list_older")));
    assert_eq!(judged(DECIDED + 5), (Verdict::CannotTell, Some("status_list_older")));
    assert_eq!(judged(DECIDED + 6), (Verdict::Fail, Some("status_other")));
    assert_eq!(judged(DECIDED + 899_999), (Verdict::Fail, Some("status_other")));
    assert_eq!(judged(DECIDED + 900_000), (Verdict::Pass, None));
}

/// A receipt key that was given up: what the log recorded before the compromise holds, a back-dated receipt does not.
#[test]
fn a_compromised_key_proves_what_was_recorded_before() {
    use omadata::domain::bundle::RevokedLine;
    let case = case(1);
    let judged = |reason: &str, at: i64| {
        let mut bundle = case.bundle.clone();
        bundle.keys[0].revoked = Some(RevokedLine { at, reason: reason.parse().unwrap() });
        bundle.chains.holder.clone_from(&case.next_chain);
        let sealed = bundle.seal(&case.next_receipt_key, Timestamp::from_secs(EXPORTED)).unwrap();
        verify_bundle(&sealed, &full_question(&case)).failures()
    };
    assert_eq!(judged("compromised", DECIDED + 900_001), Vec::<&str>::new());
    assert!(judged("compromised", DECIDED + 900_000).contains(&"key_compromised"));
    assert_eq!(judged("superseded", DECIDED + 900_000), Vec::<&str>::new());
}

/// Who got hold of a key that the holder has replaced cannot seal a file that hides it.
#[test]
fn a_seal_counts_only_by_a_key_that_the_holder_has_today() {
    use omadata::domain::bundle::RevokedLine;
    let case = case(1);
    let judged = |change: &dyn Fn(&mut Bundle), key: &SigningKey| {
        let mut bundle = case.bundle.clone();
        change(&mut bundle);
        let sealed = bundle.seal(key, Timestamp::from_secs(EXPORTED)).unwrap();
        let judged = verify_bundle(&sealed, &full_question(&case));
        let seal = judged.findings.into_iter().find(|finding| finding.subject == "seal").unwrap();
        (seal.verdict, seal.reason)
    };
    let replaced = |b: &mut Bundle| b.chains.holder.clone_from(&case.next_chain);
    let given_up = |reason: &str, at: i64| {
        let reason = reason.parse().unwrap();
        move |b: &mut Bundle| b.keys[0].revoked = Some(RevokedLine { at, reason })
    };
    let (old, new) = (&case.receipt_key, &case.next_receipt_key);
    assert_eq!(judged(&replaced, new), (Verdict::Pass, None));
    assert_eq!(judged(&replaced, old), (Verdict::CannotTell, Some("seal_key_not_vouched_for")));
    assert_eq!(judged(&|b| b.chains.holder.clear(), old), (Verdict::Pass, None), "the chain of the decision");
    let compromised = given_up("compromised", EXPORTED + 1);
    assert_eq!(judged(&compromised, old), (Verdict::Fail, Some("key_compromised")));
    assert_eq!(judged(&given_up("superseded", EXPORTED - 1), old), (Verdict::Fail, Some("key_revoked")));
    assert_eq!(judged(&given_up("superseded", EXPORTED), old), (Verdict::Pass, None));
}

/// A holder that signs one thing for the recipient and logs another.
#[test]
fn an_exchange_is_the_one_that_the_log_recorded() {
    let case = case(1);
    let found = |change: &dyn Fn(&mut Value)| {
        let mut bundle = case.bundle.clone();
        let mut claims: Receipt = serde_json::from_slice(&payload(&bundle.exchanges[0].receipt)).unwrap();
        let recorded = |line: &&mut LogLine| line.entry.contains(r#""kind":"exchange""#);
        let line = bundle.log.iter_mut().find(recorded).unwrap();
        let mut entry: Value = serde_json::from_str(&line.entry).unwrap();
        change(&mut entry);
        let leaf = serde_json::from_value::<Entry>(entry).unwrap().leaf().unwrap();
        line.entry = leaf.entry;
        claims.log_entry = leaf.hash;
        bundle.exchanges[0].receipt = case.receipt_key.sign(EXCHANGE_RECEIPT.typ, &claims).unwrap();
        bundle.exchanges[0].acknowledgement = None;
        let judged = verify_bundle(&case.seal(&bundle), &full_question(&case));
        judged.findings.into_iter().find(|finding| finding.subject == "exchanges").unwrap().reason
    };
    assert_eq!(found(&|_| ()), None);
    for (member, other) in [
        ("recipient", json!("https://other.example")),
        ("dataset", json!("fee-decisions")),
        ("fields", json!(["unit"])),
        ("persons", json!([{"id": ONNI, "records": 3}])),
        ("body_digest", json!(b64url(&[1; 32]))),
        ("at", json!(DECIDED + 1001)),
    ] {
        let changed = |entry: &mut Value| {
            assert_ne!(entry[member].take(), other, "{member} is as before, or not there");
            entry[member] = other.clone();
        };
        assert_eq!(found(&changed), Some("log_entry_other"), "{member}");
    }
}

/// A holder that released what the guardian had left out, and says so in everything that it signed.
#[test]
fn what_was_released_of_a_child_whom_the_guardian_left_out_is_found() {
    let case = case(1);
    let manual =
        Manual::with_keys(&case.anchor_keys.to_jwks().to_string(), &case.provider_keys().to_string());
    let found = |persons: Value, records: usize| {
        let mut bundle = case.bundle.clone();
        let mut claims: Value = serde_json::from_slice(&payload(&bundle.exchanges[0].receipt)).unwrap();
        let recorded = |line: &&mut LogLine| line.entry.contains(r#""kind":"exchange""#);
        let line = bundle.log.iter_mut().find(recorded).unwrap();
        let mut entry: Value = serde_json::from_str(&line.entry).unwrap();
        entry["persons"] = persons.clone();
        let leaf = serde_json::from_value::<Entry>(entry).unwrap().leaf().unwrap();
        line.entry = leaf.entry;
        claims["persons"] = persons;
        claims["records"] = records.into();
        claims["log_entry"] = leaf.hash.into();
        bundle.exchanges[0].receipt = case.receipt_key.sign(EXCHANGE_RECEIPT.typ, &claims).unwrap();
        bundle.exchanges[0].acknowledgement = None;
        let sealed = case.seal(&bundle);
        let judged = verify_bundle(&sealed, &full_question(&case));
        assert_eq!(manual.judge(&sealed, true, None).0, words(&judged));
        judged.findings.into_iter().find(|finding| finding.subject == "exchanges").unwrap().reason
    };
    let (onni, other) = (json!({"id": ONNI, "records": 1}), b64url(&[9; 16]));
    assert_eq!(found(json!([onni, {"id": LUMI, "records": 1, "record_ids": [PLACEMENT]}]), 2), None);
    assert_eq!(found(json!([onni]), 1), None);
    for (persons, records) in [
        (json!([onni, {"id": other, "records": 1}]), 2),
        (json!([onni, {"id": LUMI, "records": 1}]), 2),
        (json!([onni, {"id": LUMI, "records": 1, "record_ids": [other]}]), 2),
        (json!([onni, {"id": LUMI, "records": 2, "record_ids": [PLACEMENT]}]), 3),
        (json!([onni]), 2),
        (json!([onni, onni]), 2),
        (json!([{"id": LUMI, "records": 2, "record_ids": [PLACEMENT, PLACEMENT]}]), 2),
    ] {
        assert_eq!(found(persons.clone(), records), Some("exchange_beyond_persons"), "{persons}");
    }
}

fn payload(jws: &str) -> Vec<u8> {
    use base64::Engine;
    let part = jws.split('.').nth(1).unwrap();
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()
}

/// The terms in the file say how often the data may be fetched, and the receipts how often it was.
#[test]
fn more_exchanges_than_were_allowed_are_found() {
    let case = case(3);
    let failures = |most: u32, per: Option<&str>| {
        let mut bundle = case.bundle.clone();
        bundle.consent.terms.max_exchanges = most;
        bundle.consent.terms.per = per.map(|per| per.to_owned().try_into().unwrap());
        let judged = verify_bundle(&case.seal(&bundle), &full_question(&case));
        let found = judged.findings.into_iter().find(|finding| finding.subject == "exchanges").unwrap();
        found.reason
    };
    // They were made within 2000 seconds.
    assert_eq!(failures(3, None), None);
    assert_eq!(failures(2, None), Some("exchange_too_often"));
    assert_eq!(failures(3, Some("P1D")), None);
    assert_eq!(failures(2, Some("P1D")), Some("exchange_too_often"));
}

/// `null` is no other word for "absent", and what is not known is not passed over.
#[test]
fn a_file_says_nothing_that_is_not_judged() {
    let case = case(1);
    let found = |change: &dyn Fn(&mut Value)| {
        let mut file: Value = serde_json::from_str(&case.sealed()).unwrap();
        change(&mut file);
        let text = serde_json_canonicalizer::to_string(&file).unwrap();
        verify_bundle(&text, &full_question(&case)).failures()
    };
    type Change<'a> = &'a dyn Fn(&mut Value);
    let changes: [(&str, Change<'_>); 6] = [
        ("a key that was given up in no way", &|file| file["keys"][0]["revoked"] = Value::Null),
        ("no acknowledgement", &|file| file["exchanges"][0]["acknowledgement"] = Value::Null),
        ("no passkey", &|file| file["evidence"]["passkey"] = Value::Null),
        ("no stretch of time", &|file| file["consent"]["terms"]["per"] = Value::Null),
        ("an unknown term", &|file| file["consent"]["terms"]["more"] = 1.into()),
        ("an unknown member", &|file| file["more"] = 1.into()),
    ];
    for (name, change) in changes {
        assert_eq!(found(change), ["form"], "{name}");
    }
}

/// The page shows what the terms say: a document that contradicts itself is none, whoever signed it.
#[test]
fn a_document_that_shows_something_else_than_its_terms_is_refused() {
    let case = case(1);
    let judged = |from: &str, to: &str| {
        let mut evidence = case.evidence.clone();
        assert!(evidence.document.contains(from), "{from}");
        evidence.document = evidence.document.replacen(from, to, 1);
        let commitment = Commitment::to(&evidence.document, &case.salt);
        evidence.id_token = case.id_token(&[("nonce", commitment.as_str().into())]);
        evidence.verify(&commitment, None).err().map(|error| error.reason())
    };
    assert_eq!(judged("haluaa", "saa"), None, "another text, signed as such");
    for (from, to) in [
        (r#""name":"startDate""#, r#""name":"endDate""#),
        (r#""fields":["unit","startDate"]"#, r#""fields":["unit"]"#),
        ("2027-11-01", "2027-11-02"),
        (r#","name":"Lumi","records":"#, r#","name":"Lumi","record":"#),
        (r#""persons":[{"id":"AQEBAQEBAQEBAQEBAQEBAQ","name":"Onni"},"#, r#""persons":["#),
        (r#""id":"https://helsinki.example""#, r#""id":"https://vantaa.example""#),
        ("omadata-consent/1", "omadata-consent/2"),
    ] {
        assert_eq!(judged(from, to), Some("document_form"), "{to}");
    }
}
