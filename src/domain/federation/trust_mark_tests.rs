//! Trust marks, their status, delegation, and their roles; histories of keys and resolve responses.

use serde_json::{Value, json};

use super::*;
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;
use crate::domain::jose::{JoseError, PublicKeys, SigningKey};

const NOW: i64 = 1_800_000_000;

fn id(text: &str) -> EntityId {
    EntityId::new(text).unwrap()
}

fn anchor() -> EntityId {
    id("https://anchor.example")
}

fn member() -> EntityId {
    id("https://espoo.example")
}

fn issuer() -> EntityId {
    id("https://marks.example")
}

fn now() -> Timestamp {
    Timestamp::from_secs(NOW)
}

fn keys(key: &SigningKey) -> PublicKeys {
    PublicKeys::single(key.public().clone())
}

fn mark(role: Role) -> Value {
    json!({
        "iss": anchor(), "sub": member(), "trust_mark_type": role.mark_type(&anchor()),
        "iat": NOW - 10, "exp": NOW + 600, "logo_uri": "https://anchor.example/logo.svg",
    })
}

/// An anchor's rules, parsed from its configuration.
fn rules(claims: Value) -> MarkRules {
    let key = SigningKey::generate().unwrap();
    let mut all = json!(EntityStatement::new(&anchor(), &anchor(), &keys(&key), now(), 60));
    all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    MarkRules::of_anchor(&serde_json::from_value(all).unwrap())
}

fn reason<T: std::fmt::Debug>(outcome: Result<T, TrustError>) -> &'static str {
    match outcome {
        Err(TrustError::NotTrusted(fault)) => fault.as_str(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_mark_gives_the_role_of_its_type() {
    let key = SigningKey::generate().unwrap();
    for role in Role::ALL {
        let text = key.sign(TRUST_MARK_TYP, &mark(role)).unwrap();
        let held = rules(json!({})).verify(&text, &member(), &keys(&key), now()).unwrap();
        assert_eq!((held.role(), held.mark().exp, held.text()), (role, Some(NOW + 600), text.as_str()));
        assert_eq!(Role::from_name(role.name()), Some(role));
    }
    assert_eq!(Role::DataRecipient.mark_type(&anchor()), "https://anchor.example/trust-marks/data-recipient");
}

#[test]
fn a_mark_that_does_not_fit_is_refused() {
    let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let cases: Vec<(&str, Value, &str, &SigningKey)> = vec![
        ("unknown_key", json!({}), TRUST_MARK_TYP, &other),
        ("wrong_type", json!({}), "entity-statement+jwt", &key),
        ("wrong_type", json!({}), "JWT", &key),
        ("a trust mark is another's", json!({"sub": "https://vantaa.example"}), TRUST_MARK_TYP, &key),
        (
            "a trust mark gives no role",
            json!({"trust_mark_type": "https://x.example/m"}),
            TRUST_MARK_TYP,
            &key,
        ),
        (
            "a trust mark gives no role",
            json!({"trust_mark_type": "https://other.example/trust-marks/data-holder"}),
            TRUST_MARK_TYP,
            &key,
        ),
        (
            "a trust mark is not by an issuer that the anchor allows",
            json!({"iss": issuer()}),
            TRUST_MARK_TYP,
            &key,
        ),
        ("expired", json!({"exp": NOW}), TRUST_MARK_TYP, &key),
        ("not_yet_valid", json!({"iat": NOW + 61}), TRUST_MARK_TYP, &key),
        ("missing_claim", json!({"iat": null}), TRUST_MARK_TYP, &key),
        ("missing_claim", json!({"trust_mark_type": null}), TRUST_MARK_TYP, &key),
        ("malformed_time", json!({"exp": 1e300}), TRUST_MARK_TYP, &key),
        (
            "a trust mark is delegated by nobody that the anchor knows",
            json!({"delegation": "a.b.c"}),
            TRUST_MARK_TYP,
            &key,
        ),
    ];
    for (expected, change, typ, signer) in cases {
        let mut claims = mark(Role::DataHolder);
        claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let text = signer.sign(typ, &claims).unwrap();
        let found = rules(json!({})).verify(&text, &member(), &keys(&key), now());
        assert_eq!(reason(found), expected, "{change}");
    }
}

#[test]
fn others_issue_as_far_as_the_anchor_allows_them() {
    let key = SigningKey::generate().unwrap();
    let kind = Role::DataHolder.mark_type(&anchor());
    let mut claims = mark(Role::DataHolder);
    claims["iss"] = json!(issuer());
    let text = key.sign(TRUST_MARK_TYP, &claims).unwrap();
    let verify = |issuers: Value| {
        rules(json!({"trust_mark_issuers": {kind.clone(): issuers}})).verify(
            &text,
            &member(),
            &keys(&key),
            now(),
        )
    };
    assert!(verify(json!([issuer()])).is_ok());
    assert!(verify(json!([])).is_ok(), "an empty list lets everyone issue");
    assert!(verify(json!([member()])).is_err());
}

#[test]
fn a_mark_that_belongs_to_another_needs_its_owners_delegation() {
    let (key, owner, other) =
        (SigningKey::generate().unwrap(), SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let kind = Role::DataHolder.mark_type(&anchor());
    let ministry = id("https://ministry.example");
    let rules = rules(json!({
        "trust_mark_issuers": {kind.clone(): [issuer()]},
        "trust_mark_owners": {kind.clone(): {"sub": ministry, "jwks": keys(&owner).to_jwks()}},
    }));
    let good = Delegation {
        iss: ministry.clone(),
        sub: issuer(),
        trust_mark_type: kind.clone(),
        iat: NOW - 10,
        exp: Some(NOW + 10),
    };
    let verify = |delegation: Option<String>| {
        let claims = TrustMark {
            iss: issuer(),
            sub: member(),
            trust_mark_type: kind.clone(),
            iat: NOW,
            exp: None,
            reference: None,
            delegation,
        };
        rules.verify(&claims.sign(&key).unwrap(), &member(), &keys(&key), now()).map(|held| held.role())
    };
    assert_eq!(verify(Some(good.sign(&owner).unwrap())), Ok(Role::DataHolder));
    assert_eq!(reason(verify(None)), "a trust mark lacks its owner's delegation");
    assert_eq!(reason(verify(Some(good.sign(&other).unwrap()))), "unknown_key");
    assert_eq!(reason(verify(Some(owner.sign(TRUST_MARK_TYP, &good).unwrap()))), "wrong_type");
    let foreign = "a trust mark's delegation is for another";
    for (expected, delegation) in [
        (foreign, Delegation { iss: issuer(), ..good.clone() }),
        (foreign, Delegation { sub: anchor(), ..good.clone() }),
        (foreign, Delegation { trust_mark_type: "x".into(), ..good.clone() }),
        ("expired", Delegation { exp: Some(NOW), ..good.clone() }),
        ("not_yet_valid", Delegation { iat: NOW + 100, ..good }),
    ] {
        assert_eq!(reason(verify(Some(delegation.sign(&owner).unwrap()))), expected);
    }
}

#[test]
fn the_issuers_word_about_a_mark_is_about_that_mark_and_of_now() {
    let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let text = key.sign(TRUST_MARK_TYP, &mark(Role::DataHolder)).unwrap();
    let held = rules(json!({})).verify(&text, &member(), &keys(&key), now()).unwrap();
    let good = MarkStatusResponse { iss: anchor(), iat: NOW, trust_mark: text, status: MarkStatus::Active };
    let verify = |answer: &MarkStatusResponse, signer: &SigningKey| {
        MarkStatusResponse::verify(&answer.sign(signer).unwrap(), &held, &keys(&key), now())
    };
    assert_eq!(verify(&good, &key), Ok(MarkStatus::Active));
    for (word, status) in [
        ("revoked", MarkStatus::Revoked),
        ("expired", MarkStatus::Expired),
        ("invalid", MarkStatus::Invalid),
        ("Active", MarkStatus::Other("Active".into())),
    ] {
        let wire = json!({"iss": anchor(), "iat": NOW, "trust_mark": held.text(), "status": word});
        let signed = key.sign(MARK_STATUS_TYP, &wire).unwrap();
        assert_eq!(MarkStatusResponse::verify(&signed, &held, &keys(&key), now()), Ok(status));
    }
    assert_eq!(reason(verify(&good, &other)), "unknown_key");
    let about = "a trust mark's status is another's";
    assert_eq!(reason(verify(&MarkStatusResponse { trust_mark: "x".into(), ..good.clone() }, &key)), about);
    assert_eq!(reason(verify(&MarkStatusResponse { iss: issuer(), ..good.clone() }, &key)), about);
    assert_eq!(reason(verify(&MarkStatusResponse { iat: NOW - 61, ..good.clone() }, &key)), "expired");
    let untyped = key.sign("JWT", &good).unwrap();
    assert_eq!(reason(MarkStatusResponse::verify(&untyped, &held, &keys(&key), now())), "wrong_type");
}

#[test]
fn a_history_of_keys_says_when_each_ended_and_why() {
    let (key, old, older) =
        (SigningKey::generate().unwrap(), SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let revoked = Revocation { revoked_at: NOW - 50, reason: Some(RevocationReason::Compromised) };
    let entry = |key: &SigningKey, revoked: Option<Revocation>| HistoricalKey {
        key: key.public().clone(),
        iat: Some(NOW - 1000),
        exp: NOW - 5,
        revoked,
    };
    let history = HistoricalKeys {
        iss: member(),
        iat: NOW,
        keys: vec![entry(&old, None), entry(&older, Some(revoked.clone()))],
    };
    let text = history.sign(&key).unwrap();
    let read = HistoricalKeys::verify(&text, &member(), &keys(&key), now()).unwrap();
    assert_eq!(read.keys.len(), 2);
    assert_eq!(read.find(older.kid()).unwrap().revoked, Some(revoked));
    assert_eq!(read.find(old.kid()).unwrap().exp, NOW - 5);
    assert!(read.find(key.kid()).is_none());
    assert!(HistoricalKeys::verify(&text, &anchor(), &keys(&key), now()).is_err());
    assert_eq!(reason(HistoricalKeys::verify(&text, &member(), &keys(&old), now())), "unknown_key");
    let twice = HistoricalKeys { keys: vec![entry(&old, None), entry(&old, None)], ..history };
    let twice = twice.sign(&key).unwrap();
    assert_eq!(reason(HistoricalKeys::verify(&twice, &member(), &keys(&key), now())), "duplicate_key_id");
    // Other software lists keys of unsupported kinds, and omits optional members.
    let jwk = |exp: Value| {
        let mut jwk = old.public().to_jwk();
        jwk["exp"] = exp;
        json!({"iss": member(), "iat": NOW, "keys": [{"kty": "RSA", "kid": "r", "exp": 1}, jwk]})
    };
    let read = |claims: &Value| {
        let text = key.sign(KEY_SET_TYP, claims)?;
        Ok::<_, JoseError>(HistoricalKeys::verify(&text, &member(), &keys(&key), now()))
    };
    assert_eq!(read(&jwk(json!(NOW))).unwrap().unwrap().keys.len(), 1);
    assert_eq!(reason(read(&jwk(json!("soon"))).unwrap()), "a historical key is malformed");
}

#[test]
fn a_resolve_response_is_its_resolvers() {
    let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let answer = ResolveResponse {
        iss: anchor(),
        sub: member(),
        iat: NOW,
        exp: NOW + 60,
        metadata: serde_json::Map::new(),
        trust_chain: vec!["a".into()],
        trust_marks: None,
    };
    let text = answer.sign(&key).unwrap();
    assert_eq!(ResolveResponse::verify(&text, &anchor(), &keys(&key), now()), Ok(answer));
    assert!(ResolveResponse::verify(&text, &issuer(), &keys(&key), now()).is_err());
    assert!(ResolveResponse::verify(&text, &anchor(), &keys(&other), now()).is_err());
    assert!(ResolveResponse::verify(&text, &anchor(), &keys(&key), now().plus_secs(60)).is_err());
}
