//! What the exchange must refuse, line by line (`tests/vectors/exchange/refusals.json`), with real keys of a real consent:
//! the standard's status and code, no data, no question to the register, one record, and a node that lives on.

use hmac::{Hmac, Mac};
use omadata::app::{self, SystemClock};
use omadata::domain::consent::{Actor, Reason};
use omadata::domain::ids::{ConsentId, GrantId, HeldConsentId, Jti, KeyId};
use omadata::domain::jose::{RevokeReason, SigningKey, b64url, sha256};
use omadata::domain::token::management_token::NewManagementToken;
use omadata::domain::token::{ManagementScope, client_assertion};
use omadata::operator;
use omadata::ports::Clock;
use omadata::store::holder::{consents, exchanges, refusals};
use omadata::store::keys::signing_keys;
use omadata::store::keys::signing_keys::Purpose;
use omadata::store::recipient::held_consents;
use omadata::store::{StoreError, Tx};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::harness::browser::Browser;
use crate::harness::{self, World};

/// How one signed message is altered.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Change {
    /// Header members to set; `null` takes one out.
    header: Map<String, Value>,
    /// Claims to set; `null` takes one out.
    claims: Map<String, Value>,
    /// Another way to sign.
    sign: String,
}

/// How the request is altered.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RequestChange {
    method: Option<String>,
    path: Option<String>,
    query: Option<String>,
    body: Option<String>,
    authorization: Option<Vec<String>>,
    proofs: Option<usize>,
    headers: Vec<(String, String)>,
}

/// One line of the table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    section: String,
    name: String,
    #[serde(default)]
    header: Map<String, Value>,
    #[serde(default)]
    claims: Map<String, Value>,
    #[serde(default)]
    sign: String,
    /// Members of the one entry of `authorization_details` to set.
    #[serde(default)]
    detail: Map<String, Value>,
    #[serde(default)]
    double_detail: bool,
    #[serde(default)]
    header_prefix: String,
    #[serde(default)]
    payload_prefix: String,
    #[serde(default)]
    payload_before: String,
    #[serde(default)]
    payload_after: String,
    /// The whole token, `{token}` being the good one.
    text: Option<String>,
    #[serde(default)]
    proof: Change,
    #[serde(default)]
    request: RequestChange,
    status: u16,
    code: String,
    /// The check's word in the record; any where absent.
    reason: Option<String>,
}

/// A consent with all the keys that stand behind it.
struct Bench {
    world: &'static World,
    holder: &'static str,
    base: String,
    dataset: String,
    token: String,
    claims: Map<String, Value>,
    token_key: SigningKey,
    dpop: SigningKey,
    nonce: String,
    names: Vec<(&'static str, String)>,
    other_city_key: SigningKey,
    given_up: [SigningKey; 2],
    http: reqwest::Client,
}

fn now() -> i64 {
    SystemClock.now().secs()
}

async fn key(world: &World, city: &'static str, purpose: Purpose) -> SigningKey {
    world.store(city).read("test", move |store| signing_keys::active(store, purpose)).await.unwrap()
}

/// A city as holder for one test at a time: benches replace and revoke its keys under the feet of everyone there.
async fn alone_at(holder: &'static str) -> tokio::sync::MutexGuard<'static, ()> {
    static TURNS: [(&str, tokio::sync::Mutex<()>); 3] = [
        ("espoo", tokio::sync::Mutex::const_new(())),
        ("oulu", tokio::sync::Mutex::const_new(())),
        ("turku", tokio::sync::Mutex::const_new(())),
    ];
    TURNS.iter().find(|(name, _)| *name == holder).unwrap().1.lock().await
}

/// Two token keys that signed once and were revoked by the operator: one as superseded, one as compromised.
async fn given_up(world: &World, city: &'static str) -> [SigningKey; 2] {
    let store = world.store(city);
    let mut keys = Vec::new();
    for reason in [RevokeReason::Superseded, RevokeReason::Compromised] {
        let key = SigningKey::generate().unwrap();
        let next = key.clone();
        let now = SystemClock.now();
        store
            .write("test", move |tx| signing_keys::replace_active(tx, Purpose::Token, &next, now))
            .await
            .unwrap();
        let config = &world.cities[city];
        operator::keys::rotate(&config.store, &config.keys, &[Purpose::Token], true).await.unwrap();
        operator::keys::revoke(&config.store, &config.keys, key.kid().clone(), reason, None).await.unwrap();
        keys.push(key);
    }
    keys.try_into().unwrap()
}

impl Bench {
    /// Helsinki's consent for placements in a city, given by a resident for so many times.
    async fn new(holder: &'static str, resident: &str, times: u32) -> (Self, String, Browser) {
        Self::under("early-education-placement", holder, resident, times, json!({"times": times})).await
    }

    /// As [`Bench::new`], under another declared use.
    async fn under(
        use_slug: &str,
        holder: &'static str,
        resident: &str,
        times: u32,
        more: Value,
    ) -> (Self, String, Browser) {
        let world = World::shared();
        let given_up = given_up(world, holder).await;
        let service = world.service("helsinki").await;
        let asked = service.ask(holder, use_slug, Some(resident), more).await;
        let mut browser = Browser::new();
        let page =
            browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, resident).await;
        let times = times.to_string();
        let changes = [("duration", Some("until")), ("times", Some(times.as_str()))];
        let end = page.decide(&mut browser, "allow", if times == "1" { &[] } else { &changes }).await;
        assert!(end.url.query().unwrap_or("").contains("state=active"), "{}", end.describe());
        let id = asked["id"].as_str().unwrap().to_owned();
        let held_id: HeldConsentId = id.parse().unwrap();
        let held = world
            .store("helsinki")
            .read("test", move |store| held_consents::find(store, held_id))
            .await
            .unwrap();
        let tokens = held.life.grant_held().unwrap().tokens.clone();
        let dpop = world
            .store("helsinki")
            .read("test", move |store| signing_keys::with_private_part(store, &tokens.dpop_kid))
            .await
            .unwrap();
        let claims = part(&tokens.access_token, 1);
        // The very key that signed it: another bench may have replaced the holder's keys meanwhile.
        let kid: KeyId = part(&tokens.access_token, 0)["kid"].as_str().unwrap().parse().unwrap();
        let token_key = world
            .store(holder)
            .read("test", move |store| signing_keys::with_private_part(store, &kid))
            .await
            .unwrap();
        let other_city_key = key(world, "espoo", Purpose::Token).await;
        let base = world.url(holder);
        let dataset = asked["dataset"].as_str().unwrap().to_owned();
        let private: Value = serde_json::from_str(&dpop.to_private_jwk()).unwrap();
        let names = vec![
            ("{token}", tokens.access_token.clone()),
            ("{long}", "a".repeat(9000)),
            ("{holder}", base.clone()),
            ("{HOLDER}", base.to_uppercase()),
            ("{htu}", format!("{base}/exchange/datasets/{dataset}")),
            ("{other_city}", world.url("turku")),
            ("{receipt_kid}", key(world, holder, Purpose::Receipt).await.kid().to_string()),
            ("{other_city_kid}", other_city_key.kid().to_string()),
            ("{private_jwk}", private.to_string()),
            ("{superseded_kid}", given_up[0].kid().to_string()),
            ("{compromised_kid}", given_up[1].kid().to_string()),
        ];
        let mut bench = Self {
            world,
            holder,
            base,
            dataset,
            token: tokens.access_token.clone(),
            claims,
            token_key,
            dpop,
            nonce: String::new(),
            names,
            other_city_key,
            given_up,
            http: harness::client(),
        };
        let answer = bench.http.get(bench.htu()).send().await.unwrap();
        bench.nonce = answer.headers()["dpop-nonce"].to_str().unwrap().to_owned();
        (bench, id, browser)
    }

    fn htu(&self) -> String {
        format!("{}/exchange/datasets/{}", self.base, self.dataset)
    }

    fn fill(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) if text == "{private_jwk}" => serde_json::from_str(&self.fill(text)).unwrap(),
            Value::String(text) => match text.strip_prefix("@now") {
                Some(off) => json!(now() + off.parse::<i64>().unwrap_or(0)),
                None => self.fill(text).into(),
            },
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            other => other.clone(),
        }
    }

    fn set(&self, members: &mut Map<String, Value>, changes: &Map<String, Value>) {
        for (name, value) in changes {
            match value {
                Value::Null => members.remove(name),
                value => members.insert(name.clone(), self.value(value)),
            };
        }
    }

    fn make_token(&self, case: &Case) -> String {
        if let Some(text) = &case.text {
            return self.fill(text);
        }
        let mut header = part(&self.token, 0);
        self.set(&mut header, &case.header);
        let mut claims = self.claims.clone();
        let entry = claims["authorization_details"][0].as_object_mut().unwrap();
        self.set(entry, &case.detail);
        if case.double_detail {
            let entry = claims["authorization_details"][0].clone();
            claims["authorization_details"].as_array_mut().unwrap().push(entry);
        }
        self.set(&mut claims, &case.claims);
        let untouched = header == part(&self.token, 0)
            && claims == self.claims
            && [
                &case.header_prefix,
                &case.payload_prefix,
                &case.payload_before,
                &case.payload_after,
                &case.sign,
            ]
            .iter()
            .all(|change| change.is_empty());
        if untouched {
            return self.token.clone();
        }
        let prefixed = |members: Map<String, Value>, prefix: &str| {
            Value::Object(members).to_string().replacen('{', &format!("{{{prefix}"), 1)
        };
        let payload = format!(
            "{}{}{}",
            case.payload_before,
            prefixed(claims, &case.payload_prefix),
            case.payload_after
        );
        let header = prefixed(header, &case.header_prefix);
        let message = format!("{}.{}", b64url(header.as_bytes()), b64url(payload.as_bytes()));
        format!("{message}.{}", self.signature(&case.sign, &self.token_key, &message))
    }

    fn make_proof(&self, case: &Case, token: &str, method: &str, htu: &str) -> String {
        let other = SigningKey::generate().unwrap();
        let key = if case.proof.sign == "other-key-own-jwk" { &other } else { &self.dpop };
        let mut jwk = key.public().to_jwk();
        jwk.as_object_mut().unwrap().retain(|name, _| ["kty", "crv", "x", "y"].contains(&name.as_str()));
        let mut header = json!({"alg": "ES256", "typ": "dpop+jwt", "jwk": jwk}).as_object().unwrap().clone();
        self.set(&mut header, &case.proof.header);
        let mut claims = json!({
            "htm": method, "htu": htu, "iat": now(), "jti": fresh(), "nonce": self.nonce,
            "ath": b64url(&sha256(token.as_bytes())),
        })
        .as_object()
        .unwrap()
        .clone();
        self.set(&mut claims, &case.proof.claims);
        let header = Value::Object(header).to_string();
        let message =
            format!("{}.{}", b64url(header.as_bytes()), b64url(Value::Object(claims).to_string().as_bytes()));
        format!("{message}.{}", self.signature(&case.proof.sign, key, &message))
    }

    fn signature(&self, how: &str, key: &SigningKey, message: &str) -> String {
        let bytes = match how {
            "" | "other-key-own-jwk" => raw_signature(key, message),
            "empty" => vec![],
            "zero" => vec![0; 64],
            "der" => {
                let raw = raw_signature(key, message);
                let half = |half: &[u8]| [&[2, 33, 0][..], half].concat();
                [&[0x30, 70][..], &half(&raw[..32]), &half(&raw[32..])].concat()
            }
            "other-key" => raw_signature(&SigningKey::generate().unwrap(), message),
            "superseded-key" => raw_signature(&self.given_up[0], message),
            "compromised-key" => raw_signature(&self.given_up[1], message),
            "other-city-key" => raw_signature(&self.other_city_key, message),
            "claims-changed" => raw_signature(key, &format!("{}.e30", message.split_once('.').unwrap().0)),
            "hmac-public-key" => {
                let secret = key.public().to_jwk().to_string();
                let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
                mac.update(message.as_bytes());
                mac.finalize().into_bytes().to_vec()
            }
            other => panic!("unknown way to sign: {other}"),
        };
        b64url(&bytes)
    }

    /// The request of a line; none of its parts is sent twice.
    fn request(&self, case: &Case) -> reqwest::RequestBuilder {
        let change = &case.request;
        let method = change.method.as_deref().unwrap_or("GET");
        let path = change.path.clone().unwrap_or_else(|| format!("/exchange/datasets/{}", self.dataset));
        let token = self.make_token(case);
        let proof = self.make_proof(case, &token, method, &format!("{}{path}", self.base));
        let query = change.query.as_ref().map(|query| format!("?{}", self.fill(query))).unwrap_or_default();
        let mut request = self.http.request(method.parse().unwrap(), format!("{}{path}{query}", self.base));
        let authorization = change.authorization.clone().unwrap_or_else(|| vec![format!("DPoP {token}")]);
        for value in authorization {
            request = request.header("authorization", self.fill(&value));
        }
        for _ in 0..change.proofs.unwrap_or(1) {
            request = request.header("dpop", &proof);
        }
        for (name, value) in &change.headers {
            request = request.header(name, value);
        }
        match &change.body {
            Some(body) => request.header("content-type", "application/json").body(body.clone()),
            None => request,
        }
    }

    async fn records(&self) -> Vec<refusals::RecordedRefusal> {
        self.world.store(self.holder).read("test", |store| refusals::latest(store, 100_000)).await.unwrap()
    }

    /// A good request, ready to be sent as often as one likes: always with the same proof.
    fn good(&self) -> (String, String) {
        (self.token.clone(), self.make_proof(&good_case(), &self.token, "GET", &self.htu()))
    }

    async fn send(&self, port: Option<u16>, token: &str, proof: &str) -> (u16, String) {
        let mut url: url::Url = self.htu().parse().unwrap();
        if let Some(port) = port {
            url.set_port(Some(port)).unwrap();
        }
        let request =
            self.http.get(url).header("authorization", format!("DPoP {token}")).header("dpop", proof);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

/// How many refusals there were: those that concern no consent are counted, not listed.
fn times(records: &[refusals::RecordedRefusal]) -> u32 {
    records.iter().map(|record| record.times).sum()
}

fn good_case() -> Case {
    serde_json::from_value(json!({"section": "", "name": "good", "status": 200, "code": "", "reason": null}))
        .unwrap()
}

fn part(token: &str, index: usize) -> Map<String, Value> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()).unwrap()
}

fn fresh() -> String {
    SigningKey::generate().unwrap().kid().to_string()
}

fn raw_signature(key: &SigningKey, message: &str) -> Vec<u8> {
    let jwk = josekit::jwk::Jwk::from_bytes(key.to_private_jwk().as_bytes()).unwrap();
    let signer = josekit::jws::ES256.signer_from_jwk(&jwk).unwrap();
    josekit::jws::JwsSigner::sign(&signer, message.as_bytes()).unwrap()
}

#[tokio::test]
async fn every_line_is_refused_as_it_says_without_data_and_without_asking_the_register() {
    let _turn = alone_at("oulu").await;
    let cases: Vec<Case> = serde_json::from_str(include_str!("../vectors/exchange/refusals.json")).unwrap();
    let (bench, id, _) = Bench::new("oulu", "aino", 10).await;
    // A register that is gone answers every question with 503: whoever asked it would be seen.
    let file = bench.world.register("oulu", "early-education/placements.csv");
    let away = file.with_extension("away");
    std::fs::rename(&file, &away).unwrap();
    let (token, proof) = bench.good();
    assert_eq!(bench.send(None, &token, &proof).await.0, 503, "the register does not give itself away");
    // The service is told so too, gets nothing, and its consent lives on.
    let service = bench.world.service("helsinki").await;
    let (status, problem) = service.fetch(&id).await;
    assert_eq!((status, problem.get("data")), (503, None), "{problem}");
    assert!(problem["type"].as_str().unwrap().starts_with("/problems/"), "{problem}");
    assert_eq!(service.show(&id).await["state"], "active");
    let mut wrong = Vec::new();
    let mut known = times(&bench.records().await);
    for case in &cases {
        let name = format!("{}: {}", case.section, case.name);
        let answer = bench.request(case).send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.text().await.unwrap();
        let records = bench.records().await;
        let said: Value = serde_json::from_str(&body).unwrap_or_default();
        let last = records.first().map_or("", |last| last.reason.as_str());
        if (status, said["code"].as_str()) != (case.status, Some(case.code.as_str())) {
            wrong.push(format!("{name}: {status} {} ({last})", said["code"]));
        } else if times(&records) != known + 1 {
            wrong.push(format!("{name}: {} records", times(&records) - known));
        } else if case.reason.as_ref().is_some_and(|reason| reason != last) {
            wrong.push(format!("{name}: refused because of {last}"));
        }
        if matches!(status, 401 | 403) {
            let challenge =
                headers.get("www-authenticate").and_then(|value| value.to_str().ok()).unwrap_or("");
            assert!(challenge.contains(&format!("error=\"{}\"", case.code)), "{name}: {challenge}");
        }
        assert!(!body.contains("records") && !headers.contains_key("omadata-receipt"), "{name}: {body}");
        assert!(!last.is_empty() && !body.contains(last), "{name}: the reason is told to the caller");
        known = times(&records);
    }
    std::fs::rename(&away, &file).unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
    // After all that, what is good still passes, also with a clock that is ten seconds ahead.
    let (token, proof) = bench.good();
    let (status, body) = bench.send(None, &token, &proof).await;
    assert_eq!(status, 200, "{body}");
    let mut ahead = good_case();
    ahead.claims = json!({"nbf": "@now+10", "iat": "@now+10"}).as_object().unwrap().clone();
    assert_eq!(bench.request(&ahead).send().await.unwrap().status(), 200);
}

/// One line of `tests/vectors/exchange/consent_states.json`: what was done with the consent before its token is shown.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateCase {
    name: String,
    #[serde(rename = "do")]
    deeds: Vec<String>,
    status: u16,
    code: Option<String>,
    reason: Option<String>,
}

/// Does with a consent, in the holder's store, what a use case would.
async fn undergo(bench: &Bench, consent: ConsentId, another: &GrantId, deed: &str) {
    let (deed, another) = (deed.to_owned(), another.clone());
    let now = SystemClock.now();
    bench
        .world
        .store(bench.holder)
        .write("test", move |tx| {
            let mut known = consents::lock(tx, consent)?;
            let change = match deed.as_str() {
                "pause" => known.suspend(Actor::Resident, Reason::Paused, now),
                "use-changed" => known.suspend(Actor::Node, Reason::UseChanged, now),
                "use-withdrawn" => known.suspend(Actor::Node, Reason::UseWithdrawn, now),
                "continue" => known.resume(Actor::Resident, Reason::Continued, now),
                "use-fits" => known.resume(Actor::Node, Reason::UseFits, now),
                "take-back" => known.revoke(Actor::Resident, Reason::TakenBack, now),
                "give-back" => known.revoke(Actor::Recipient, Reason::GivenBack, now),
                "expire" => known.expire(now),
                "replace" => known.replace(consents::find_by_grant(tx, &another)?.id, now),
                other => panic!("unknown deed {other}"),
            };
            consents::save(tx, &known, Some(&change.unwrap()))?;
            if deed == "replace" {
                consents::supersede(tx, &known, now)?;
            }
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_token_is_worth_what_its_consent_is() {
    let _turn = alone_at("espoo").await;
    let cases: Vec<StateCase> =
        serde_json::from_str(include_str!("../vectors/exchange/consent_states.json")).unwrap();
    let slug = "early-education-service-need";
    let more = json!({"times": 2, "per": "P30D"});
    let (other, ..) = Bench::under(slug, "espoo", "elin", 2, more.clone()).await;
    let another: GrantId = other.claims["grant_id"].as_str().unwrap().parse().unwrap();
    for case in cases {
        let (bench, id, _) = Bench::under(slug, "espoo", "aino", 2, more.clone()).await;
        let consent = bench.world.consent("helsinki", "espoo", &id).await;
        let mut line = good_case();
        for deed in &case.deeds {
            match deed.as_str() {
                "anothers-grant" => {
                    line.claims.insert("grant_id".to_owned(), json!(another.as_str()));
                }
                "fetch" => {
                    let (token, proof) = bench.good();
                    assert_eq!(bench.send(None, &token, &proof).await.0, 200, "{}", case.name);
                }
                deed => undergo(&bench, consent, &another, deed).await,
            }
        }
        let answer = bench.request(&line).send().await.unwrap();
        let (status, retry) = (answer.status().as_u16(), answer.headers().get("retry-after").cloned());
        let body = answer.text().await.unwrap();
        assert_eq!(status, case.status, "{}: {body}", case.name);
        assert_eq!(body.contains("records"), status == 200, "{}: {body}", case.name);
        let said: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(said["code"].as_str(), case.code.as_deref(), "{}", case.name);
        assert_eq!(retry.is_some(), status == 429, "{}", case.name);
        if let Some(reason) = &case.reason {
            assert!(!body.contains(reason.as_str()), "{}: the reason is told to the caller", case.name);
            let client = bench.claims["client_id"].as_str().unwrap();
            let records = bench.records().await;
            let last = records.iter().find(|record| {
                record.consent == Some(consent)
                    || (record.client.as_ref().is_some_and(|known| known.as_str() == client)
                        && record.reason.as_str() == reason)
            });
            assert_eq!(last.map(|record| record.reason.as_str()), Some(reason.as_str()), "{}", case.name);
        }
    }
}

/// One request at the grant management endpoint: status and code.
async fn manage(bench: &Bench, method: &str, grant: &str, token: &str) -> (u16, String) {
    let url = format!("{}/oauth/grants/{grant}", bench.base);
    let proof = bench.make_proof(&good_case(), token, method, &url);
    let request = bench.http.request(method.parse().unwrap(), url);
    let request = request.header("authorization", format!("DPoP {token}")).header("dpop", proof);
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let said: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default();
    let word = said["code"].as_str().or(said["status"].as_str()).unwrap_or_default();
    (status, word.to_owned())
}

fn management_token(bench: &Bench, client: &str, scopes: &[ManagementScope]) -> String {
    let new = NewManagementToken {
        holder: &bench.base.parse().unwrap(),
        client: &client.parse().unwrap(),
        jkt: bench.dpop.public().thumbprint(),
        scopes,
        jti: Jti::new(fresh()).unwrap(),
        now: SystemClock.now(),
    };
    new.sign(&bench.token_key).unwrap()
}

#[tokio::test]
async fn a_grant_is_managed_by_its_own_client_alone() {
    let _turn = alone_at("turku").await;
    let (bench, id, _) = Bench::new("turku", "aino", 3).await;
    let grant = bench.claims["grant_id"].as_str().unwrap().to_owned();
    let helsinki = bench.world.url("helsinki");
    let token = management_token(&bench, &helsinki, &ManagementScope::ALL);
    let said = |status: u16, word: &str| (status, word.to_owned());
    assert_eq!(manage(&bench, "GET", &grant, &token).await, said(200, "active"));
    // Another member's looks like one that there never was.
    let other = management_token(&bench, &bench.world.url("espoo"), &ManagementScope::ALL);
    let stranger = management_token(&bench, "http://stranger.localhost:1", &ManagementScope::ALL);
    for method in ["GET", "DELETE"] {
        assert_eq!(manage(&bench, method, &grant, &other).await, said(404, "unknown_grant"));
        assert_eq!(manage(&bench, method, "no-such-grant", &token).await, said(404, "unknown_grant"));
        assert_eq!(manage(&bench, method, &grant, &stranger).await, said(401, "invalid_token"));
        // What opens data manages nothing, and the other way round.
        assert_eq!(manage(&bench, method, &grant, &bench.token).await, said(401, "invalid_token"));
    }
    let proof = bench.make_proof(&good_case(), &token, "GET", &bench.htu());
    assert_eq!(bench.send(None, &token, &proof).await.0, 401);
    let query = management_token(&bench, &helsinki, &[ManagementScope::Query]);
    assert_eq!(manage(&bench, "DELETE", &grant, &query).await, said(403, "insufficient_scope"));
    let revoke = management_token(&bench, &helsinki, &[ManagementScope::Revoke]);
    assert_eq!(manage(&bench, "GET", &grant, &revoke).await, said(403, "insufficient_scope"));
    // A proof for another address does not do, and a good one does once.
    let url = format!("{}/oauth/grants/{grant}", bench.base);
    let used = bench.make_proof(&good_case(), &token, "GET", &url);
    for (proof, status) in [(&used, 200), (&used, 401), (&proof, 401)] {
        let request = bench.http.get(&url).header("authorization", format!("DPoP {token}"));
        assert_eq!(request.header("dpop", proof).send().await.unwrap().status(), status);
    }
    // After all that it is still there; given back, it is unknown.
    assert_eq!(manage(&bench, "DELETE", &grant, &revoke).await, said(204, ""));
    assert_eq!(manage(&bench, "DELETE", &grant, &revoke).await, said(404, "unknown_grant"));
    assert_eq!(manage(&bench, "GET", &grant, &query).await, said(404, "unknown_grant"));
    let consent = bench.world.consent("helsinki", "turku", &id).await;
    let store = bench.world.store("turku");
    let known = store.read("test", move |store| consents::find(store, consent)).await.unwrap();
    assert_eq!((known.state.as_str(), known.reason), ("returned", Reason::GivenBack));
}

#[tokio::test]
async fn one_proof_passes_once_whoever_asks_and_whenever() {
    let _turn = alone_at("espoo").await;
    let (bench, ..) = Bench::new("espoo", "aino", 5).await;
    let (token, proof) = bench.good();
    let all = (0..16).map(|_| bench.send(None, &token, &proof));
    let answers = futures_util::future::join_all(all).await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 1, "{answers:?}");
    for (_, body) in answers.iter().filter(|(status, _)| *status != 200) {
        assert!(body.contains("invalid_dpop_proof") && !body.contains("records"), "{body}");
    }
    // At another process of the same node, and at one that was started after it.
    let mut config = bench.world.cities["espoo"].clone();
    for _ in 0..2 {
        let port = harness::free_ports(1);
        config.node.listen = ([127, 0, 0, 1], port).into();
        let process = app::start_node(&config).await.unwrap();
        let (status, body) = bench.send(Some(port), &token, &proof).await;
        assert_eq!(status, 401, "{body}");
        assert!(body.contains("invalid_dpop_proof"));
        process.stop().await;
    }
}

#[tokio::test]
async fn of_sixteen_that_are_committed_together_each_succeeds_or_fails_alone() {
    let _turn = alone_at("espoo").await;
    let (many, ..) = Bench::new("espoo", "aino", 10).await;
    let (two, ..) = Bench::new("espoo", "elin", 2).await;
    let (stopped, id, _) = Bench::new("espoo", "otso", 5).await;
    let consent = stopped.world.consent("helsinki", "espoo", &id).await;
    let replayed = many.good();
    let mut requests = vec![(&many, replayed.clone()), (&many, replayed)];
    requests.extend((0..8).map(|_| (&many, many.good())));
    requests.extend((0..3).map(|_| (&two, two.good())));
    requests.extend((0..3).map(|_| (&stopped, stopped.good())));
    // Nothing can be committed until all of them wait, and one consent is taken back before they are.
    let store = many.world.store("espoo");
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let mut begun = Some(begun);
    let taken_back = tokio::spawn(async move {
        let work = move |tx: &mut Tx<'_>| {
            let mut known = consents::lock(tx, consent)?;
            if let Some(begun) = begun.take() {
                begun.send(()).unwrap();
                std::thread::sleep(std::time::Duration::from_secs(2));
            }
            let now = SystemClock.now();
            let change = known.revoke(Actor::Resident, Reason::TakenBack, now).unwrap();
            consents::save(tx, &known, Some(&change))
        };
        store.write_log("test", work).await.unwrap();
    });
    has_begun.await.unwrap();
    let all = requests.iter().map(|(bench, (token, proof))| bench.send(None, token, proof));
    let answers = futures_util::future::join_all(all).await;
    taken_back.await.unwrap();
    let codes: Vec<_> = answers
        .iter()
        .map(|(status, body)| match status {
            200 => "released".to_owned(),
            _ => serde_json::from_str::<Value>(body).unwrap()["code"].as_str().unwrap().to_owned(),
        })
        .collect();
    let count = |codes: &[String], code: &str| codes.iter().filter(|known| *known == code).count();
    let (of_many, rest) = codes.split_at(10);
    let (of_two, of_stopped) = rest.split_at(3);
    assert_eq!((count(of_many, "released"), count(of_many, "invalid_dpop_proof")), (9, 1), "{codes:?}");
    assert_eq!((count(of_two, "released"), count(of_two, "invalid_token")), (2, 1), "{codes:?}");
    assert_eq!(count(of_stopped, "invalid_token"), 3, "{codes:?}");
    for (bench, made, state) in [(&many, 9, "active"), (&two, 2, "exhausted"), (&stopped, 0, "revoked")] {
        let grant: GrantId = bench.claims["grant_id"].as_str().unwrap().parse().unwrap();
        let store = bench.world.store("espoo");
        let known = store.read("test", move |store| consents::find_by_grant(store, &grant)).await.unwrap();
        assert_eq!((known.exchanges, known.state.as_str()), (made, state));
        let id = known.id;
        let kept = store.read("test", move |store| exchanges::of_consent(store, id, 100)).await.unwrap();
        assert_eq!(kept.len(), usize::try_from(made).unwrap());
    }
}

#[tokio::test]
async fn unknown_used_up_and_taken_back_look_alike() {
    let _turn = alone_at("turku").await;
    let (bench, id, mut browser) = Bench::new("turku", "otso", 1).await;
    let shown = |(status, body): (u16, String)| {
        let mut body: Value = serde_json::from_str(&body).unwrap();
        body.as_object_mut().unwrap().remove("trace");
        (status, body)
    };
    let unknown = bench.request(&Case {
        claims: json!({"grant_id": "AAAAAAAAAAAAAAAAAAAAAA"}).as_object().unwrap().clone(),
        ..good_case()
    });
    let unknown = unknown.send().await.unwrap();
    let unknown = shown((unknown.status().as_u16(), unknown.text().await.unwrap()));
    let (token, proof) = bench.good();
    assert_eq!(bench.send(None, &token, &proof).await.0, 200);
    let (token, proof) = bench.good();
    assert_eq!(shown(bench.send(None, &token, &proof).await), unknown, "used up");

    let (bench, id_again, mut browser_again) = Bench::new("turku", "otso", 3).await;
    assert_ne!(id, id_again);
    std::mem::swap(&mut browser, &mut browser_again);
    let consent = bench.world.consent("helsinki", "turku", &id_again).await;
    let page = browser.open(&format!("{}/me/sharing/{consent}/stop", bench.base)).await;
    browser.submit(&page, &page.form("/me/sharing/"), &[]).await;
    let (token, proof) = bench.good();
    assert_eq!(shown(bench.send(None, &token, &proof).await), unknown, "taken back");
}

#[tokio::test]
async fn a_compromised_key_upholds_what_was_recorded_before_and_nothing_else() {
    let _turn = alone_at("espoo").await;
    let (bench, ..) = Bench::new("espoo", "otso", 5).await;
    let (store, kid) = (bench.world.store(bench.holder), bench.token_key.kid().clone());
    // Tokens are dated in whole seconds.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let config = &bench.world.cities[bench.holder];
    let reason = RevokeReason::Compromised;
    operator::keys::revoke(&config.store, &config.keys, kid.clone(), reason, None).await.unwrap();
    harness::eventually("the running node's notice", || async {
        let url = format!("{}/oauth/jwks", bench.base);
        let jwks = bench.http.get(url).send().await.unwrap().text().await.unwrap();
        (!jwks.contains(kid.as_str())).then_some(())
    })
    .await;
    // The resident's permission goes on: this node noted the token when it issued it.
    let (token, proof) = bench.good();
    let (status, body) = bench.send(None, &token, &proof).await;
    assert_eq!(status, 200, "{body}");
    // The thief knows the token and signs another under its name, for a proof key of their own, or for longer.
    let thief = SigningKey::generate().unwrap();
    for claims in [
        json!({"cnf": {"jkt": thief.public().thumbprint()}}),
        json!({"exp": bench.claims["exp"].as_i64().unwrap() - 1}),
        json!({"jti": "never-issued", "iat": "@now-3600", "nbf": "@now-3600", "exp": "@now+3600"}),
    ] {
        let case = Case { claims: claims.as_object().unwrap().clone(), ..good_case() };
        let token = bench.make_token(&case);
        let key = if case.claims.contains_key("cnf") { &thief } else { &bench.dpop };
        let proof = json!({
            "htm": "GET", "htu": bench.htu(), "iat": now(), "jti": fresh(), "nonce": bench.nonce,
            "ath": b64url(&sha256(token.as_bytes())),
        });
        let proof = key.sign_with_jwk("dpop+jwt", &proof).unwrap();
        let (status, body) = bench.send(None, &token, &proof).await;
        assert_eq!(status, 401, "{claims}: {body}");
        assert!(body.contains("invalid_token") && !body.contains("records"), "{body}");
        let last = store.read("test", |store| refusals::latest(store, 1)).await.unwrap();
        assert_eq!(last[0].reason.as_str(), "key_compromised", "{claims}");
    }
}

#[tokio::test]
async fn a_code_that_comes_twice_ends_what_came_of_it() {
    let _turn = alone_at("turku").await;
    let (bench, id, browser) = Bench::new("turku", "elin", 3).await;
    let back = browser.visited.iter().find(|url| url.path() == "/oauth/callback").unwrap();
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let client_key = key(bench.world, "helsinki", Purpose::Client).await;
    let client: omadata::domain::ids::EntityId = bench.world.url("helsinki").parse().unwrap();
    let url = format!("{}/oauth/token", bench.base);
    let jti = Jti::new(fresh()).unwrap();
    let assertion =
        client_assertion::sign(&client_key, &client, &bench.base, jti, SystemClock.now()).unwrap();
    let redirect = format!("{client}/oauth/callback");
    let proof = json!({"htm": "POST", "htu": url, "iat": now(), "jti": fresh(), "nonce": bench.nonce});
    let answer = bench
        .http
        .post(&url)
        .header("dpop", bench.dpop.sign_with_jwk("dpop+jwt", &proof).unwrap())
        .form(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &redirect),
            ("code_verifier", &"a".repeat(43)),
            ("client_id", client.as_str()),
            ("client_assertion_type", client_assertion::ASSERTION_TYPE),
            ("client_assertion", &assertion),
        ])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.json::<Value>().await.unwrap()["error"], "invalid_grant");
    let consent = bench.world.consent("helsinki", "turku", &id).await;
    let state = bench
        .world
        .store("turku")
        .read("test", move |store| Ok::<_, StoreError>(consents::find(store, consent)?.state))
        .await
        .unwrap();
    assert_eq!(state.as_str(), "withdrawn");
    let (token, proof) = bench.good();
    assert_eq!(bench.send(None, &token, &proof).await.0, 401);
}

#[tokio::test]
async fn a_deferred_answer_uses_its_proof_up_and_none_of_the_permission() {
    let _turn = alone_at("turku").await;
    let (bench, ..) = Bench::new("turku", "ilmari", 1).await;
    let (token, proof) = bench.good();
    let before = times(&bench.records().await);
    let (status, body) = bench.send(None, &token, &proof).await;
    assert_eq!(status, 202, "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["dataset", "available_from"], "anything else could be data");
    assert_eq!(times(&bench.records().await), before, "it is no refusal");
    let (status, body) = bench.send(None, &token, &proof).await;
    assert_eq!(status, 401, "{body}");
    assert!(body.contains("invalid_dpop_proof"), "{body}");
    // The only exchange that the permission allows is still there.
    let (token, proof) = bench.good();
    assert_eq!(bench.send(None, &token, &proof).await.0, 202);
}
