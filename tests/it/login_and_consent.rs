//! What a login and a decision must refuse, line by line (`tests/vectors/login/refusals.json`), with the standard's status and
//! code, no way onward, and nothing changed: after every line that is refused, what is good still works.

use omadata::app::SystemClock;
use omadata::domain::consent::RequestState;
use omadata::domain::ids::{ConsentId, EntityId, HeldConsentId, Jti, RequestId};
use omadata::domain::jose::{SigningKey, b64url, sha256};
use omadata::domain::token::client_assertion::{self, ASSERTION_TYPE};
use omadata::ports::Clock;
use omadata::store::holder::{consent_requests, consents};
use omadata::store::keys::signing_keys;
use omadata::store::keys::signing_keys::Purpose;
use omadata::store::recipient::held_consents;
use reqwest::header::LOCATION;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::harness::browser::{Browser, Page};
use crate::harness::{self, Service, World};

const PLACEMENT: &str = "early-education-placement";

/// One line of the table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Where the request goes.
    at: String,
    section: String,
    name: String,
    /// Parameters to set; `null` takes one out, a name after `+` is sent beside the good one.
    #[serde(default)]
    set: Map<String, Value>,
    #[serde(default)]
    headers: Option<Vec<(String, String)>>,
    /// `other` or `none` in place of the resident's own.
    #[serde(default)]
    browser: String,
    /// Another city in place of the client.
    #[serde(default)]
    client: String,
    #[serde(default)]
    proof: String,
    /// What happens before.
    #[serde(default, rename = "do")]
    deed: String,
    #[serde(default)]
    method: String,
    #[serde(default)]
    path: String,
    status: u16,
    code: Option<String>,
}

fn cases(at: &str) -> Vec<Case> {
    let all: Vec<Case> = serde_json::from_str(include_str!("../vectors/login/refusals.json")).unwrap();
    let known = ["par", "authorize", "token", "recipient", "login", "return", "decide", "others", "own"];
    assert!(all.iter().all(|case| known.contains(&case.at.as_str())), "a line that nothing reads");
    let found: Vec<Case> = all.into_iter().filter(|case| case.at == at).collect();
    assert!(!found.is_empty());
    found
}

pub(crate) type Pairs = Vec<(String, String)>;

/// Names in braces and what stands for them.
pub(crate) struct Names(Pairs);

impl Names {
    fn add(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((format!("{{{name}}}"), value.into()));
    }

    fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    pub(crate) fn change(&self, good: &[(&str, &str)], set: &Map<String, Value>) -> Pairs {
        let mut pairs: Pairs =
            good.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        for (name, value) in set {
            let beside = name.strip_prefix('+');
            if beside.is_none() {
                pairs.retain(|(known, _)| known != name);
            }
            if let Some(value) = value.as_str() {
                pairs.push((beside.unwrap_or(name).to_owned(), self.fill(value)));
            }
        }
        pairs
    }
}

pub(crate) fn fresh() -> String {
    SigningKey::generate().unwrap().kid().to_string()
}

/// Helsinki as client of Espoo, asking by hand.
pub(crate) struct Client {
    pub(crate) world: &'static World,
    pub(crate) service: Service,
    pub(crate) holder: String,
    pub(crate) id: String,
    pub(crate) details: String,
    pub(crate) verifier: String,
    pub(crate) dpop: SigningKey,
    pub(crate) http: reqwest::Client,
}

impl Client {
    pub(crate) async fn new() -> Self {
        let world = World::shared();
        let service = world.service("helsinki").await;
        let asked = service.ask("espoo", PLACEMENT, None, json!({})).await;
        let held: HeldConsentId = asked["id"].as_str().unwrap().parse().unwrap();
        let held = world
            .store("helsinki")
            .read("test", move |store| held_consents::find(store, held))
            .await
            .unwrap();
        Self {
            world,
            service,
            holder: world.url("espoo"),
            id: world.url("helsinki"),
            details: serde_json::to_string(&[held.life.detail()]).unwrap(),
            verifier: b64url(&[5; 48]),
            dpop: SigningKey::generate().unwrap(),
            http: harness::client(),
        }
    }

    pub(crate) async fn assertion(&self, city: &'static str, audience: &str) -> String {
        let store = self.world.store(city);
        let key = store.read("test", |store| signing_keys::active(store, Purpose::Client)).await.unwrap();
        let id: EntityId = self.world.url(city).parse().unwrap();
        client_assertion::sign(&key, &id, audience, Jti::new(fresh()).unwrap(), SystemClock.now()).unwrap()
    }

    pub(crate) fn challenge(&self) -> String {
        b64url(&sha256(self.verifier.as_bytes()))
    }

    pub(crate) fn names(&self) -> Names {
        let mut names = Names(Vec::new());
        names.add("client", &self.id);
        names.add("CLIENT", self.id.to_uppercase());
        names.add("holder", &self.holder);
        names.add("other", self.world.url("turku"));
        names.add("verifier", &self.verifier);
        names.add("other_verifier", b64url(&[6; 48]));
        names.add("challenge", self.challenge());
        names.add("long", "a".repeat(129));
        let mut narrowed: Value = serde_json::from_str(&self.details).unwrap();
        narrowed[0]["retention"] = json!("P1D");
        names.add("narrowed", narrowed.to_string());
        names
    }

    pub(crate) async fn push(&self, names: &Names, set: &Map<String, Value>) -> (u16, Value) {
        self.push_with(names, set, None).await
    }

    /// As [`Self::push`], with this DPoP proof.
    pub(crate) async fn push_with(
        &self,
        names: &Names,
        set: &Map<String, Value>,
        proof: Option<&str>,
    ) -> (u16, Value) {
        let (assertion, challenge) = (self.assertion("helsinki", &self.holder).await, self.challenge());
        let redirect = format!("{}/oauth/callback", self.id);
        let good = [
            ("client_id", self.id.as_str()),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", &assertion),
            ("response_type", "code"),
            ("redirect_uri", &redirect),
            ("state", "the-state"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("dpop_jkt", self.dpop.public().thumbprint().as_str()),
            ("authorization_details", &self.details),
        ];
        let form = names.change(&good, set);
        let mut request = self.http.post(format!("{}/oauth/par", self.holder)).form(&form);
        if let Some(proof) = proof {
            request = request.header("dpop", proof);
        }
        let answer = request.send().await.unwrap();
        assert!(!answer.headers().contains_key(LOCATION));
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// A fresh request: its URI, and its number at the holder.
    async fn pushed(&self) -> (String, RequestId) {
        let (status, answer) = self.push(&self.names(), &Map::new()).await;
        assert_eq!(status, 201, "{answer}");
        let uri = answer["request_uri"].as_str().unwrap().to_owned();
        let (known, client) = (uri.clone(), self.id.parse().unwrap());
        let store = self.world.store("espoo");
        let found = store.read("test", move |store| {
            consent_requests::by_request_uri(store, &known, &client, SystemClock.now())
        });
        (uri, found.await.unwrap().id)
    }

    pub(crate) fn authorize(&self, query: &[(String, String)]) -> String {
        let mut url: url::Url = format!("{}/oauth/authorize", self.holder).parse().unwrap();
        url.query_pairs_mut().extend_pairs(query);
        url.into()
    }

    async fn token(&self, nonce: &str, case: &Case, names: &Names, code: &str) -> (u16, Value) {
        let city = if case.client == "turku" { "turku" } else { "helsinki" };
        let (client, assertion) = (self.world.url(city), self.assertion(city, &self.holder).await);
        let redirect = format!("{}/oauth/callback", self.id);
        let good = [
            ("client_id", client.as_str()),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", &assertion),
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &redirect),
            ("code_verifier", &self.verifier),
        ];
        let url = format!("{}/oauth/token", self.holder);
        let other = SigningKey::generate().unwrap();
        let key = if case.proof == "other-key" { &other } else { &self.dpop };
        let now = SystemClock.now().secs();
        let proof = json!({"htm": "POST", "htu": url, "iat": now, "jti": fresh(), "nonce": nonce});
        let mut request = self.http.post(&url).form(&names.change(&good, &case.set));
        if case.proof != "none" {
            request = request.header("dpop", key.sign_with_jwk("dpop+jwt", &proof).unwrap());
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    async fn state(&self, id: RequestId) -> RequestState {
        let store = self.world.store("espoo");
        store.read("test", move |store| consent_requests::find(store, id)).await.unwrap().state
    }
}

/// What does not fit a line, to be told all at once.
fn judge(wrong: &mut Vec<String>, case: &Case, status: u16, code: Option<&str>) {
    if status != case.status || (case.code.is_some() && case.code.as_deref() != code) {
        wrong.push(format!("{}: {}: {status} {}", case.section, case.name, code.unwrap_or_default()));
    }
}

#[tokio::test]
async fn what_cannot_be_pushed() {
    let client = Client::new().await;
    let mut names = client.names();
    names.add("assertion_for_other", client.assertion("helsinki", &client.world.url("turku")).await);
    let used = client.assertion("helsinki", &client.holder).await;
    names.add("assertion_used", &used);
    let once = json!({"client_assertion": used}).as_object().unwrap().clone();
    assert_eq!(client.push(&names, &once).await.0, 201, "the first time");
    let mut wrong = Vec::new();
    for case in cases("par") {
        let (status, said) = client.push(&names, &case.set).await;
        judge(&mut wrong, &case, status, said["error"].as_str());
        assert!(said.get("request_uri").is_none(), "{}", case.name);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    client.pushed().await;
}

#[tokio::test]
async fn what_leads_no_browser_anywhere() {
    let client = Client::new().await;
    let mut wrong = Vec::new();
    for case in cases("authorize") {
        let (uri, id) = client.pushed().await;
        let mut names = client.names();
        names.add("request_uri", &uri);
        names.add("REQUEST_URI", uri.to_uppercase());
        let good = [("client_id", client.id.as_str()), ("request_uri", uri.as_str())];
        let address = client.authorize(&names.change(&good, &Map::new()));
        match case.deed.as_str() {
            "" => {}
            "open" => {
                let mut owner = Browser::new();
                let page = owner.open(&address).await.log_in(&mut owner, "aino").await;
                assert_eq!(page.status, 200, "{}", page.describe());
            }
            "expire" => expire(client.world, id),
            other => panic!("unknown deed {other}"),
        }
        let page = Browser::new().look(&client.authorize(&names.change(&good, &case.set))).await;
        judge(&mut wrong, &case, page.status, None);
        assert!(!page.headers.contains_key(LOCATION), "{}", case.name);
        assert!(page.text().contains("Request not found"), "{}: {}", case.name, page.describe());
        assert_eq!(client.state(id).await, RequestState::Requested, "{}", case.name);
        if case.deed.is_empty() {
            assert_eq!(Browser::new().look(&address).await.status, 303, "{}: spoiled", case.name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Lets a request's URI be over, behind the node's back.
fn expire(world: &World, id: RequestId) {
    let id = harness::hex(id.as_bytes());
    world.alter(
        "espoo",
        &format!("UPDATE consent_requests SET request_uri_expires_at = 1 WHERE id = x'{id}'"),
    );
}

#[tokio::test]
async fn what_a_code_is_not_worth() {
    let client = Client::new().await;
    let (uri, id) = client.pushed().await;
    let query = client.names().change(&[("client_id", &client.id), ("request_uri", &uri)], &Map::new());
    let mut browser = Browser::new();
    let page = browser.open(&client.authorize(&query)).await.log_in(&mut browser, "aino").await;
    browser.stop_before = Some("/oauth/callback");
    let back = page.decide(&mut browser, "allow", &[]).await.leads_to();
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let mut names = client.names();
    names.add("code", &code);
    let nonce = client.http.get(format!("{}/exchange/datasets/x", client.holder)).send().await.unwrap();
    let nonce = nonce.headers()["dpop-nonce"].to_str().unwrap().to_owned();
    let mut wrong = Vec::new();
    for case in cases("token") {
        let (status, said) = client.token(&nonce, &case, &names, &code).await;
        judge(&mut wrong, &case, status, said["error"].as_str());
        assert!(said.get("access_token").is_none(), "{}", case.name);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // All that has not spoiled it for whom it is meant; and it works once.
    let good: Case =
        serde_json::from_value(json!({"at": "token", "section": "", "name": "good", "status": 200})).unwrap();
    let (status, said) = client.token(&nonce, &good, &names, &code).await;
    assert_eq!(status, 200, "{said}");
    let (status, said) = client.token(&nonce, &good, &names, &code).await;
    assert_eq!((status, said["error"].as_str()), (400, Some("invalid_grant")));
    let consent = ConsentId::from_bytes(*id.as_bytes());
    let kept =
        client.world.store("espoo").read("test", move |store| consents::find(store, consent)).await.unwrap();
    assert_eq!(kept.state.as_str(), "withdrawn", "a code that comes twice ends what came of it");
}

/// An address with its query changed as a line says.
fn changed(url: &url::Url, names: &Names, set: &Map<String, Value>) -> String {
    let good: Pairs = url.query_pairs().into_owned().collect();
    let good: Vec<(&str, &str)> = good.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(names.change(&good, set));
    url.into()
}

#[tokio::test]
async fn what_answer_a_recipient_does_not_take() {
    let client = Client::new().await;
    let mut wrong = Vec::new();
    for case in cases("recipient") {
        let asked = client.service.ask("espoo", PLACEMENT, None, json!({})).await;
        let id = asked["id"].as_str().unwrap();
        let mut browser = Browser::new();
        let start = asked["startUrl"].as_str().unwrap();
        let page = browser.open(start).await.log_in(&mut browser, "aino").await;
        browser.stop_before = Some("/oauth/callback");
        let back = page.decide(&mut browser, "allow", &[]).await.leads_to();
        let address = changed(&back, &client.names(), &case.set);
        let page = match case.browser.as_str() {
            "other" => Browser::new().look(&address).await,
            _ => browser.look(&address).await,
        };
        judge(&mut wrong, &case, page.status, None);
        assert!(!page.headers.contains_key(LOCATION), "{}", case.name);
        assert_eq!(client.service.show(id).await["state"], "requested", "{}", case.name);
        assert_ne!(client.service.fetch(id).await.0, 200, "{}", case.name);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn what_logs_nobody_in() {
    let client = Client::new().await;
    let base = &client.holder;
    let mut wrong = Vec::new();
    for case in cases("login") {
        let mut browser = Browser::new();
        let choice = browser.open(&format!("{base}/login")).await;
        browser.stop_before = Some("/login/callback");
        let back = choice.log_in(&mut browser, "otso").await.leads_to();
        let address = changed(&back, &client.names(), &case.set);
        let mut other = Browser::new();
        other.look(&format!("{base}/login")).await;
        let answering = if case.browser == "other" { &mut other } else { &mut browser };
        // The other browser has no login under way that this could be an answer to.
        if case.browser == "other" {
            answering.cookies.clear();
        }
        let page = answering.look(&address).await;
        judge(&mut wrong, &case, page.status, None);
        assert!(!page.headers.contains_key(LOCATION), "{}", case.name);
        assert_eq!(answering.look(&format!("{base}/me")).await.status, 303, "{}: logged in", case.name);
    }
    for case in cases("return") {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(client.names().change(&[], &case.set))
            .finish();
        let mut browser = Browser::new();
        let page = browser.open(&format!("{base}/login?{query}")).await.log_in(&mut browser, "otso").await;
        judge(&mut wrong, &case, page.status, None);
        assert_eq!(page.url.as_str(), format!("{base}/me"), "{}", case.name);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A resident who has logged in at Espoo, and the word of her forms.
async fn at_home(base: &str, resident: &str) -> (Browser, String) {
    let mut browser = Browser::new();
    let page = browser.open(&format!("{base}/login")).await.log_in(&mut browser, resident).await;
    let word = page.form("/logout").fields.iter().find(|(name, _)| name == "csrf").unwrap().1.clone();
    (browser, word)
}

#[tokio::test]
async fn what_decides_nothing() {
    let client = Client::new().await;
    let asked = client.service.ask("espoo", PLACEMENT, Some("elin"), json!({"times": 2})).await;
    let mut browser = Browser::new();
    let start = asked["startUrl"].as_str().unwrap();
    let page = browser.open(start).await.log_in(&mut browser, "elin").await;
    let (mut other, others_csrf) = at_home(&client.holder, "otso").await;
    let mut names = client.names();
    names.add("other_hash", b64url(&[7; 32]));
    names.add("others_csrf", others_csrf);
    let mut wrong = Vec::new();
    for case in cases("decide") {
        let mut form = page.form("/consent/");
        form.fields.push(("decision".to_owned(), "allow".to_owned()));
        form.fields.extend(page.offered_persons().into_iter().map(|person| ("person".to_owned(), person)));
        let good: Vec<(&str, &str)> =
            form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let fields = names.change(&good, &case.set);
        form.fields = fields;
        let own = [("origin", client.holder.as_str()), ("sec-fetch-site", "same-origin")];
        let headers: Vec<(&str, &str)> = match &case.headers {
            Some(headers) => headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            None => own.to_vec(),
        };
        let mut nobody = Browser::new();
        let sender = match case.browser.as_str() {
            "other" => &mut other,
            "none" => &mut nobody,
            _ => &mut browser,
        };
        let answer = sender.submit_from(&form, &[], &headers).await;
        judge(&mut wrong, &case, answer.status, None);
        assert_eq!(answer.url.path(), page.url.path(), "{}: {}", case.name, answer.describe());
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let id = asked["id"].as_str().unwrap();
    assert_eq!(client.service.show(id).await["state"], "requested", "something was decided");
    let end = page.decide(&mut browser, "allow", &[]).await;
    assert!(end.url.query().unwrap().contains("state=active"), "{}", end.describe());
}

#[tokio::test]
async fn what_another_resident_does_not_reach_and_looking_does_not_change() {
    let client = Client::new().await;
    let base = &client.holder;
    let (id, mut aino) = client.service.given("espoo", PLACEMENT, "aino", json!({})).await;
    let consent = client.world.consent("helsinki", "espoo", &id).await;
    let asked = client.service.ask("espoo", PLACEMENT, Some("aino"), json!({})).await;
    let open: Page = aino.open(asked["startUrl"].as_str().unwrap()).await;
    let request: RequestId = open.url.path().rsplit('/').next().unwrap().parse().unwrap();
    let (mut otso, word) = at_home(base, "otso").await;
    let mut names = client.names();
    names.add("consent", consent.to_string());
    names.add("request", consent.to_string());
    names.add("open", request.to_string());
    let before =
        client.world.store("espoo").read("test", move |store| consents::find(store, consent)).await.unwrap();
    let mut wrong = Vec::new();
    for case in cases("others") {
        let url = format!("{base}{}", names.fill(&case.path));
        let answer = if case.method == "POST" {
            let form = harness::browser::Form {
                action: url.parse().unwrap(),
                fields: names.change(&[("csrf", &word)], &case.set),
            };
            otso.submit_from(&form, &[], &[("origin", base), ("sec-fetch-site", "same-origin")]).await
        } else {
            otso.look(&url).await
        };
        judge(&mut wrong, &case, answer.status, None);
        assert!(!answer.text().contains("Aino"), "{}", case.name);
    }
    for case in cases("own") {
        let page = aino.look(&format!("{base}{}", names.fill(&case.path))).await;
        judge(&mut wrong, &case, page.status, None);
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{}: {policy}", case.name);
        assert!(policy.contains("default-src 'none'"), "{}: {policy}", case.name);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let store = client.world.store("espoo");
    let after = store.read("test", move |store| {
        Ok::<_, omadata::store::StoreError>((
            consents::find(store, consent)?,
            consents::history(store, consent)?.len(),
        ))
    });
    let (after, changes) = after.await.unwrap();
    assert_eq!((after.state, after.reason, changes), (before.state, before.reason, 1));
    assert_eq!(client.state(request).await, RequestState::Requested);
}
