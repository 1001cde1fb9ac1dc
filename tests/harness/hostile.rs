//! The hostile answers of `vectors/federation/hostile.json`, and the federation in which they are given.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    dead_code
)]
#![allow(unreachable_pub, reason = "each test binary uses a part of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use omadata::domain::federation::{Role, TrustError, TrustedPeer};
use omadata::domain::jose::SigningKey;
use omadata::node::OAuthError;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::toy_federation::{Change, START, Toy, http};

/// Espoo below the anchor, Turku below an intermediate, Helsinki below both; a stranger, and an anchor that is not ours.
pub async fn federation() -> Toy {
    let toy = Toy::serve().await;
    toy.superior("anchor", &[], &["espoo", "helsinki", "middle"]);
    toy.superior("middle", &["anchor"], &["turku", "helsinki"]);
    toy.superior("rogue", &[], &["outsider"]);
    toy.node("espoo", &["anchor"], "anchor");
    toy.node("turku", &["middle"], "anchor");
    toy.node("helsinki", &["middle", "anchor"], "anchor");
    toy.node("stranger", &["anchor"], "anchor");
    toy.node("outsider", &["rogue"], "rogue");
    toy
}

pub fn count(asked: &[(String, String)], host: &str, path: &str) -> usize {
    asked.iter().filter(|(name, target)| name == host && target.starts_with(path)).count()
}

/// All lines.
pub fn lines() -> Vec<Line> {
    serde_json::from_str(include_str!("../vectors/federation/hostile.json")).unwrap()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub name: String,
    #[serde(default)]
    pub resolve: Option<String>,
    #[serde(default)]
    who: String,
    #[serde(default)]
    part: String,
    about: Option<String>,
    #[serde(default)]
    claims: Value,
    typ: Option<String>,
    #[serde(default)]
    forged: bool,
    raw: Option<String>,
    also: Option<Also>,
    outcome: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    roles: Vec<String>,
}

#[derive(Deserialize)]
pub struct Also {
    who: String,
    about: String,
    claims: Value,
}

/// A place on loopback that nobody may ask.
pub async fn canary() -> (String, Arc<AtomicU32>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let inward = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let visits: Arc<AtomicU32> = Arc::default();
    let counter = visits.clone();
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    (inward, visits)
}

/// Replaces the words of a line by what they stand for in this federation.
pub fn spell(toy: &Toy, inward: &str, value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members.iter().map(|(name, value)| (name.clone(), spell(toy, inward, value))).collect(),
        ),
        Value::Array(list) => list.iter().map(|value| spell(toy, inward, value)).collect(),
        Value::String(text) => match text.as_str() {
            "$deep" => (0..40).fold(json!(1), |inner, _| json!([inner])),
            "$twice" => {
                let keys = SigningKey::generate().unwrap().public().to_jwk();
                json!([keys, keys])
            }
            "$rogue_keys" => toy.keys("rogue").to_jwks(),
            "$marks_of_turku" => marks(toy, "turku", &Role::ALL),
            "$marks_mixed_up" => {
                marks(toy, "espoo", &[Role::DataHolder, Role::ConsentIssuer, Role::DataRecipient])
            }
            now if now.starts_with("$now") => {
                json!(START + now["$now".len()..].trim_start_matches('+').parse::<i64>().unwrap_or(0))
            }
            text => {
                let mut text = text.replace("$inward", inward);
                for name in ["anchor", "rogue", "turku", "espoo"] {
                    text = text.replace(&format!("${name}"), toy.id(name).as_str());
                }
                json!(text)
            }
        },
        other => other.clone(),
    }
}

/// Marks of a member, shown under the types of all roles in order, whatever roles they really are for.
fn marks(toy: &Toy, member: &str, real: &[Role]) -> Value {
    let mut key = None;
    toy.change("anchor", |anchor| key = Some(anchor.key.clone()));
    Role::ALL
        .iter()
        .zip(real)
        .map(|(shown, real)| {
            let claims = json!({
                "iss": toy.id("anchor"), "sub": toy.id(member), "iat": START,
                "trust_mark_type": real.mark_type(&toy.id("anchor")),
            });
            let mark = key.as_ref().unwrap().sign("trust-mark+jwt", &claims).unwrap();
            json!({"trust_mark_type": shown.mark_type(&toy.id("anchor")), "trust_mark": mark})
        })
        .collect()
}

fn raw(kind: &str, part: &str, inward: &str) -> (Vec<u8>, bool) {
    let media = match part {
        "list" => "application/json",
        "status" => "application/trust-mark-status-response+jwt",
        _ => "application/entity-statement+jwt",
    };
    let open = |extra: &str| format!("HTTP/1.1 200 X\r\ncontent-type: {media}\r\n{extra}\r\n").into_bytes();
    match kind {
        "oversize" => (http(200, media, &vec![b'a'; 70_000]), false),
        "gzip" => (open("content-encoding: gzip\r\ncontent-length: 3\r\n"), false),
        "endless" => (open(""), true),
        "redirect" => (
            format!("HTTP/1.1 302 X\r\nlocation: {inward}/x\r\ncontent-length: 0\r\n\r\n").into_bytes(),
            false,
        ),
        "page" => (http(200, "text/html", b"<p>hello</p>"), false),
        "words" => (http(200, media, b"hello"), false),
        "gone" => (http(404, "application/json", br#"{"error":"not_found"}"#), false),
        "failure" => (http(500, "application/json", b"{}"), false),
        "object" => (http(200, media, b"{}"), false),
        other => panic!("{other}"),
    }
}

pub fn set_up(toy: &Toy, line: &Line, inward: &str) {
    let raw = line.raw.as_ref().map(|kind| raw(kind, &line.part, inward));
    let claims = spell(toy, inward, &line.claims);
    let change = Change { claims, typ: line.typ.clone(), forged: line.forged, raw, ..Change::default() };
    let resolved = line.resolve.clone().unwrap_or("espoo".into());
    match line.part.as_str() {
        "" => {}
        "configuration" => toy.change(&line.who, |entity| entity.configuration = change),
        "about" => {
            let about = line.about.clone().unwrap_or(resolved);
            toy.change(&line.who, |entity| {
                entity.about.insert(about, change);
            });
        }
        "list" => toy.change(&line.who, |entity| entity.list = change),
        "status" => toy.change(&line.who, |entity| entity.status = change),
        other => panic!("{other}"),
    }
    if let Some(also) = &line.also {
        let change = Change { claims: spell(toy, inward, &also.claims), ..Change::default() };
        toy.change(&also.who, |entity| {
            entity.about.insert(also.about.clone(), change);
        });
    }
}

pub fn judge(line: &Line, outcome: Result<Arc<TrustedPeer>, TrustError>) {
    let name = &line.name;
    match (line.outcome.as_str(), outcome) {
        ("roles", Ok(peer)) => {
            let roles: Vec<&str> = peer.roles().into_iter().map(Role::name).collect();
            assert_eq!(roles, line.roles, "{name}");
        }
        ("not_trusted", Err(error @ TrustError::NotTrusted(_)))
        | ("unavailable", Err(error @ TrustError::Unavailable(_))) => {
            assert_eq!(error.reason(), line.reason, "{name}");
            assert_eq!(OAuthError::from(error).code.as_str(), line.error, "{name}");
        }
        (_, other) => panic!("{name}: {other:?}"),
    }
}
