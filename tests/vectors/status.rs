//! Runs `tests/vectors/status/lists.json`: every line is a status list token, altered as the line says, and what the check of one
//! place in it must say: the status, or the reason for which nothing may rest on the list.
//!
//! A line may set `header` and `claims` (members to set; null removes), `sign` (`other-key`), `at` (seconds after the list
//! was signed) and `index`.

use omadata::domain::clock::Timestamp;
use omadata::domain::ids::EntityId;
use omadata::domain::jose::{PublicKeys, SigningKey, b64url};
use omadata::domain::token::status_list::StatusReference;
use omadata::domain::token::status_list::{self, TokenStatus};
use serde::Deserialize;
use serde_json::{Map, Value, json};

const SIGNED_AT: i64 = 1_780_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    header: Map<String, Value>,
    #[serde(default)]
    claims: Map<String, Value>,
    #[serde(default)]
    sign: String,
    #[serde(default)]
    at: i64,
    index: u32,
    reason: String,
}

fn alter(target: &mut Value, changes: &Map<String, Value>) {
    let members = target.as_object_mut().unwrap();
    for (name, value) in changes {
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
}

#[test]
fn every_line_says_what_it_must() {
    let holder: EntityId = "https://holder.example".parse().unwrap();
    let (key, stranger) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let keys = PublicKeys::single(key.public().clone());
    let compressed = status_list::compress(&status_list::pack([(1, 1), (2, 2), (3, 3)])).unwrap();
    let good = status_list::claims(&holder, 0, &compressed, Timestamp::from_secs(SIGNED_AT), 300);
    let cases: Vec<Case> = serde_json::from_str(include_str!("status/lists.json")).unwrap();
    let mut wrong = Vec::new();
    for case in &cases {
        let mut header = json!({"alg": "ES256", "typ": "statuslist+jwt", "kid": key.kid()});
        let mut claims = serde_json::to_value(&good).unwrap();
        alter(&mut header, &case.header);
        alter(&mut claims, &case.claims);
        let message =
            format!("{}.{}", b64url(header.to_string().as_bytes()), b64url(claims.to_string().as_bytes()));
        let signer = if case.sign == "other-key" { &stranger } else { &key };
        let jwk = josekit::jwk::Jwk::from_bytes(signer.to_private_jwk().as_bytes()).unwrap();
        let signer = josekit::jws::ES256.signer_from_jwk(&jwk).unwrap();
        let signature = josekit::jws::JwsSigner::sign(&signer, message.as_bytes()).unwrap();
        let token = format!("{message}.{}", b64url(&signature));
        let reference = StatusReference { idx: case.index, uri: status_list::list_uri(&holder, 0) };
        let now = Timestamp::from_secs(SIGNED_AT + case.at);
        let said = match status_list::verify(&token, &keys, &holder, &reference, now) {
            Ok(TokenStatus::Valid) => "valid",
            Ok(TokenStatus::Invalid) => "invalid",
            Ok(TokenStatus::Suspended) => "suspended",
            Ok(TokenStatus::Other(_)) => "other",
            Err(error) => error.reason(),
        };
        if said != case.reason {
            wrong.push(format!("{}: {said}, not {}", case.name, case.reason));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
