//! A federation that is served out of one table, on one port of loopback: anchors, intermediates and members of any
//! number, each statement of which a test may change, and each answer replaced by bytes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    dead_code
)]
#![allow(unreachable_pub, reason = "each test binary uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use omadata::domain::catalogue::Text;
use omadata::domain::clock::Timestamp;
use omadata::domain::federation::{MARK_STATUS_TYP, NodeDescription, Role};
use omadata::domain::ids::EntityId;
use omadata::domain::jose::{PublicKeys, SigningKey};
use omadata::ports::Clock;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const START: i64 = 1_800_000_000;

/// Life of statements, in seconds.
pub const LIFETIME: i64 = 6 * 3600;

pub struct HandClock(AtomicI64);

impl HandClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(START)))
    }

    pub fn pass(&self, secs: i64) {
        self.0.fetch_add(secs, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// What is changed about one kind of message.
#[derive(Clone, Default)]
pub struct Change {
    /// Claims to set; null takes one out. Objects are merged.
    pub claims: Value,
    /// Another `typ`.
    pub typ: Option<String>,
    /// Signed with a key that nobody knows.
    pub forged: bool,
    /// These bytes instead, without end when asked for so.
    pub raw: Option<(Vec<u8>, bool)>,
    /// The answer comes letter by letter, and never to its end.
    pub drips: bool,
}

/// One entity.
#[derive(Clone)]
pub struct Entity {
    /// The key that signs, and those that are named.
    pub key: SigningKey,
    pub named: Vec<SigningKey>,
    /// Names of its superiors.
    pub hints: Vec<String>,
    /// Names of those about whom it speaks; none for a leaf.
    pub members: BTreeSet<String>,
    /// Roles whose marks it shows, given by whom.
    pub marks: Vec<(Role, String)>,
    /// Marks of these roles were taken back by their issuer.
    pub revoked: BTreeSet<(String, Role)>,
    /// Whether it has metadata of a node.
    pub node: bool,
    pub away: bool,
    /// Who may issue marks, in an anchor's configuration.
    pub issuers: Vec<String>,
    pub configuration: Change,
    /// What it says about others, by name.
    pub about: BTreeMap<String, Change>,
    pub list: Change,
    pub status: Change,
}

struct State {
    entities: BTreeMap<String, Entity>,
    asked: Vec<(String, String)>,
    forger: SigningKey,
}

/// The federation. Cheap to clone.
#[derive(Clone)]
pub struct Toy {
    pub port: u16,
    pub clock: Arc<HandClock>,
    state: Arc<Mutex<State>>,
    written: Arc<AtomicUsize>,
}

impl Toy {
    pub async fn serve() -> Self {
        // Small, so that little waits in a connection that nobody reads.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(16 * 1024).unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = socket.listen(1024).unwrap();
        let state =
            State { entities: BTreeMap::new(), asked: Vec::new(), forger: SigningKey::generate().unwrap() };
        let toy = Self {
            port: listener.local_addr().unwrap().port(),
            clock: HandClock::new(),
            state: Arc::new(Mutex::new(state)),
            written: Arc::default(),
        };
        let serving = toy.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().answer(stream));
            }
        });
        toy
    }

    pub fn id(&self, name: &str) -> EntityId {
        EntityId::new(format!("http://{name}.localhost:{}", self.port)).unwrap()
    }

    /// An anchor, or an intermediate when it has superiors, with these members.
    pub fn superior(&self, name: &str, hints: &[&str], members: &[&str]) {
        let mut entity = fresh(hints);
        entity.members = members.iter().map(|name| (*name).to_owned()).collect();
        if hints.is_empty() {
            entity.issuers = vec![name.to_owned()];
        }
        self.put(name, entity);
    }

    /// A node that shows marks of all roles, given by the anchor.
    pub fn node(&self, name: &str, hints: &[&str], anchor: &str) {
        let mut entity = fresh(hints);
        entity.node = true;
        entity.marks = Role::ALL.map(|role| (role, anchor.to_owned())).to_vec();
        self.put(name, entity);
    }

    pub fn put(&self, name: &str, entity: Entity) {
        self.state.lock().unwrap().entities.insert(name.to_owned(), entity);
    }

    pub fn change(&self, name: &str, change: impl FnOnce(&mut Entity)) {
        change(self.state.lock().unwrap().entities.get_mut(name).unwrap());
    }

    pub fn keys(&self, name: &str) -> PublicKeys {
        named(&self.state.lock().unwrap().entities[name])
    }

    /// Who was asked for what, since the last time that this was asked.
    pub fn asked(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }

    /// A statement of one entity about another, or about itself, with these claims set.
    pub fn statement(&self, issuer: &str, subject: &str, change: &Value, forged: bool) -> String {
        let state = self.state.lock().unwrap();
        let now = self.clock.now().secs();
        let entity = &state.entities[issuer];
        let mut claims = if issuer == subject {
            self.configuration(issuer, entity, &state, now)
        } else {
            let keys = named(&state.entities[subject]).to_jwks();
            let (issuer, subject) = (self.id(issuer), self.id(subject));
            json!({"iss": issuer, "sub": subject, "iat": now, "exp": now + LIFETIME, "jwks": keys})
        };
        merge(&mut claims, change);
        let key = if forged { &state.forger } else { &entity.key };
        key.sign("entity-statement+jwt", &claims).unwrap()
    }

    async fn answer(self, mut stream: TcpStream) {
        let mut seen = Vec::new();
        loop {
            let Some((head, body)) = request(&mut stream, &mut seen).await else { return };
            let mut words = head.split_ascii_whitespace();
            let (_, path) = (words.next(), words.next().unwrap_or_default().to_owned());
            let host = head
                .lines()
                .find_map(|line| line.strip_prefix("host: ").or(line.strip_prefix("Host: ")))
                .and_then(|host| host.split('.').next())
                .unwrap_or_default()
                .to_owned();
            let ((bytes, endless), drips) = (self.reply(&host, &path, &body), self.drips(&host, &path));
            if drips {
                for byte in bytes.iter().chain(std::iter::repeat(&b'a')) {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    if stream.write_all(&[*byte]).await.is_err() {
                        return;
                    }
                }
            }
            if !self.write(&mut stream, &bytes).await {
                return;
            }
            if !endless {
                continue;
            }
            loop {
                if !self.write(&mut stream, &[b'a'; 4096]).await {
                    return;
                }
            }
        }
    }

    /// Writes, and counts what the other side took.
    async fn write(&self, stream: &mut TcpStream, bytes: &[u8]) -> bool {
        let written = stream.write_all(bytes).await.is_ok();
        if written {
            self.written.fetch_add(bytes.len(), Ordering::Relaxed);
        }
        written
    }

    /// How many bytes were sent since the last time that this was asked; what waits in a connection counts.
    pub fn sent(&self) -> usize {
        self.written.swap(0, Ordering::Relaxed)
    }

    fn drips(&self, host: &str, path: &str) -> bool {
        let state = self.state.lock().unwrap();
        let Some(entity) = state.entities.get(host) else { return false };
        match path.split(['?', '&']).next().unwrap_or_default() {
            "/.well-known/openid-federation" => entity.configuration.drips,
            "/fetch" => entity.about.values().any(|change| change.drips),
            "/list" => entity.list.drips,
            "/status" => entity.status.drips,
            _ => false,
        }
    }

    fn reply(&self, host: &str, path: &str, body: &str) -> (Vec<u8>, bool) {
        let mut state = self.state.lock().unwrap();
        state.asked.push((host.to_owned(), path.to_owned()));
        let now = self.clock.now().secs();
        let url = url::Url::parse(&format!("http://x{path}")).unwrap();
        let parameter =
            |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let Some(entity) = state.entities.get(host).filter(|entity| !entity.away) else {
            return (http(503, "application/json", b"{}"), false);
        };
        let own = self.id(host);
        let statement = "application/entity-statement+jwt";
        match url.path() {
            "/.well-known/openid-federation" => {
                let claims = self.configuration(host, entity, &state, now);
                self.signed(&state, entity, claims, "entity-statement+jwt", statement, &entity.configuration)
            }
            "/fetch" => {
                let sub = parameter("sub").unwrap_or_default();
                let name = name_of(&sub);
                let Some(member) = state.entities.get(&name).filter(|_| entity.members.contains(&name))
                else {
                    return (http(404, "application/json", br#"{"error":"not_found"}"#), false);
                };
                let claims = json!({
                    "iss": own, "sub": sub, "iat": now, "exp": now + LIFETIME, "jwks": named(member).to_jwks(),
                });
                let change = entity.about.get(&name).cloned().unwrap_or_default();
                self.signed(&state, entity, claims, "entity-statement+jwt", statement, &change)
            }
            "/list" => {
                if let Some((raw, endless)) = &entity.list.raw {
                    return (raw.clone(), *endless);
                }
                let only = parameter("intermediate").is_some();
                let listed: Vec<EntityId> = entity
                    .members
                    .iter()
                    .filter(|name| {
                        !only || state.entities.get(*name).is_some_and(|member| !member.members.is_empty())
                    })
                    .map(|name| self.id(name))
                    .collect();
                (http(200, "application/json", json!(listed).to_string().as_bytes()), false)
            }
            "/status" => {
                let mark = url::form_urlencoded::parse(body.as_bytes()).next().unwrap().1.into_owned();
                let claims = payload(&mark);
                let subject = name_of(claims["sub"].as_str().unwrap());
                let anchor =
                    claims["trust_mark_type"].as_str().unwrap().split("/trust-marks/").next().unwrap();
                let anchor = EntityId::new(anchor).unwrap();
                let role = Role::of_mark(claims["trust_mark_type"].as_str().unwrap(), &anchor).unwrap();
                let word = if entity.revoked.contains(&(subject, role)) { "revoked" } else { "active" };
                let answer = json!({"iss": own, "iat": now, "trust_mark": mark, "status": word});
                let kind = "application/trust-mark-status-response+jwt";
                self.signed(&state, entity, answer, MARK_STATUS_TYP, kind, &entity.status)
            }
            "/catalogue/uses" => {
                let text = json!({"fi": host, "sv": host, "en": host});
                let uses = json!({"recipient": own, "name": text, "uses": []});
                (http(200, "application/json", uses.to_string().as_bytes()), false)
            }
            _ => (http(404, "application/json", b"{}"), false),
        }
    }

    fn configuration(&self, name: &str, entity: &Entity, state: &State, now: i64) -> Value {
        let (own, keys) = (self.id(name), named(entity));
        let text = Text { fi: name.to_owned(), sv: name.to_owned(), en: name.to_owned() };
        let mut claims = json!({
            "iss": own, "sub": own, "iat": now, "exp": now + LIFETIME, "jwks": keys.to_jwks(),
            "metadata": {"federation_entity": {"organization_name": name}},
        });
        if entity.node {
            let description = NodeDescription {
                id: own.clone(),
                name: text,
                organization_uri: None,
                contacts: vec![],
                trust_anchors: vec![],
                authority_hints: vec![],
                grant_types: vec!["authorization_code".into()],
                acr_values: vec![],
                federation_keys: keys.clone(),
                token_keys: keys.clone(),
                receipt_keys: keys.clone(),
                client_keys: keys,
            };
            let statement = description.entity_configuration(Timestamp::from_secs(now), LIFETIME);
            claims["metadata"] = Value::Object(statement.metadata.unwrap());
        }
        if !entity.hints.is_empty() {
            claims["authority_hints"] = entity.hints.iter().map(|hint| json!(self.id(hint))).collect();
        }
        if !entity.members.is_empty() || !entity.issuers.is_empty() {
            let federation = claims["metadata"]["federation_entity"].as_object_mut().unwrap();
            federation.insert("federation_fetch_endpoint".into(), json!(format!("{own}/fetch")));
            federation.insert("federation_list_endpoint".into(), json!(format!("{own}/list")));
            federation.insert("federation_trust_mark_status_endpoint".into(), json!(format!("{own}/status")));
        }
        if entity.hints.is_empty() && !entity.issuers.is_empty() {
            let issuers: Vec<EntityId> = entity.issuers.iter().map(|name| self.id(name)).collect();
            let kinds = Role::ALL.map(|role| (role.mark_type(&own), json!(issuers)));
            claims["trust_mark_issuers"] = kinds.into_iter().collect();
        }
        if !entity.marks.is_empty() {
            claims["trust_marks"] = entity
                .marks
                .iter()
                .filter_map(|(role, issuer)| {
                    let anchor = self.anchor_of(issuer, state);
                    let kind = role.mark_type(&self.id(&anchor));
                    let claims = json!({
                        "iss": self.id(issuer), "sub": own, "trust_mark_type": kind, "iat": START,
                        "exp": START + 10 * LIFETIME,
                    });
                    let mark = state.entities.get(issuer)?.key.sign("trust-mark+jwt", &claims).unwrap();
                    Some(json!({"trust_mark_type": kind, "trust_mark": mark}))
                })
                .collect();
        }
        claims
    }

    fn anchor_of(&self, name: &str, state: &State) -> String {
        match state.entities.get(name).and_then(|entity| entity.hints.first()) {
            Some(above) => self.anchor_of(above, state),
            None => name.to_owned(),
        }
    }

    fn signed(
        &self,
        state: &State,
        entity: &Entity,
        mut claims: Value,
        typ: &str,
        media: &str,
        change: &Change,
    ) -> (Vec<u8>, bool) {
        if let Some((raw, endless)) = &change.raw {
            return (raw.clone(), *endless);
        }
        merge(&mut claims, &change.claims);
        let key = if change.forged { &state.forger } else { &entity.key };
        let text = key.sign(change.typ.as_deref().unwrap_or(typ), &claims).unwrap();
        (http(200, media, text.as_bytes()), false)
    }
}

fn fresh(hints: &[&str]) -> Entity {
    let key = SigningKey::generate().unwrap();
    Entity {
        named: vec![key.clone()],
        key,
        hints: hints.iter().map(|hint| (*hint).to_owned()).collect(),
        members: BTreeSet::new(),
        marks: Vec::new(),
        revoked: BTreeSet::new(),
        node: false,
        away: false,
        issuers: Vec::new(),
        configuration: Change::default(),
        about: BTreeMap::new(),
        list: Change::default(),
        status: Change::default(),
    }
}

fn named(entity: &Entity) -> PublicKeys {
    PublicKeys::from_keys(entity.named.iter().map(|key| key.public().clone()).collect()).unwrap()
}

fn name_of(id: &str) -> String {
    id.trim_start_matches("http://").split('.').next().unwrap_or_default().to_owned()
}

fn payload(jws: &str) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let part = jws.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// RFC 7396, and a text `@N` becomes N letters.
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else { return };
    for (name, value) in patch {
        match value {
            Value::Null => {
                target.as_object_mut().unwrap().remove(name);
            }
            Value::Object(_) if target.get(name).is_some_and(Value::is_object) => {
                merge(&mut target[name], value);
            }
            Value::String(text) if text.starts_with('@') => {
                let letters: usize = text[1..].parse().unwrap();
                target[name] = json!("a".repeat(letters));
            }
            other => target[name] = other.clone(),
        }
    }
}

pub fn http(status: u16, media: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status} X\r\ncontent-type: {media}\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

async fn request(stream: &mut TcpStream, seen: &mut Vec<u8>) -> Option<(String, String)> {
    loop {
        if let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&seen[..end]).into_owned();
            let length: usize = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0);
            let whole = end + 4 + length;
            if seen.len() >= whole {
                let body = String::from_utf8_lossy(&seen[end + 4..whole]).into_owned();
                seen.drain(..whole);
                return Some((head, body));
            }
        }
        let mut buffer = [0; 8192];
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => seen.extend_from_slice(&buffer[..read]),
        }
    }
}
