//! The demo's login provider over loopback: a node logs in through it as through any provider, and what a client or a
//! browser gets wrong is refused.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use actix_web::dev::ServerHandle;
use omadata::demo::provider::{
    ClientAuthentication as Registered, DemoProvider, LOA2, LOA3, ProviderConfig, RegisteredClient, Resident,
};
use omadata::domain::catalogue::{Language, Text};
use omadata::domain::clock::Timestamp;
use omadata::domain::ids::NationalIdentifier;
use omadata::domain::jose::{PublicKeys, SigningKey, sha256};
use omadata::domain::login::{AuthenticatedPerson, Callback, LoginError, LoginStart, PendingLogin};
use omadata::outbound::openid::{
    AssuranceRequest, ClientAuthentication, MessageProtection, OpenIdProvider, OpenIdSettings,
    ProviderNetwork,
};
use omadata::ports::{Clock, Entropy, IdentityProvider};
use serde_json::{Value, json};
use url::Url;

const NOW: i64 = 1_800_000_000;
const CALLBACK: &str = "http://espoo.localhost:8402/login/callback";
const HOME: &str = "http://espoo.localhost:8402/";
const VERIFIER: &str = "a-code-verifier-that-is-just-long-enough-for-it";

struct StillClock(AtomicI64);

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.0.load(Ordering::SeqCst))
    }
}

struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        let seed = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        for (target, source) in buffer.iter_mut().zip(sha256(&seed).iter().cycle()) {
            *target = *source;
        }
    }
}

/// A browser: cookies of one host, redirects followed by hand.
struct Browser {
    http: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

struct Page {
    status: u16,
    location: Option<String>,
    headers: reqwest::header::HeaderMap,
    body: String,
}

impl Browser {
    fn new() -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .resolve("login.localhost", ([127, 0, 0, 1], 0).into())
            .build()
            .unwrap();
        Self { http, cookies: BTreeMap::new() }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = request.header("cookie", cookies.join("; ")).send().await.unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Page {
            status: response.status().as_u16(),
            location: response.headers().get("location").map(|value| value.to_str().unwrap().to_owned()),
            headers: response.headers().clone(),
            body: response.text().await.unwrap(),
        }
    }

    async fn get(&mut self, url: &str) -> Page {
        let request = self.http.get(url);
        self.send(request).await
    }

    async fn post(&mut self, url: &str, form: &[(&str, &str)]) -> Page {
        let request = self.http.post(url).form(form);
        self.send(request).await
    }
}

/// The provider, and a node that is registered there.
struct Bench {
    issuer: String,
    server: ServerHandle,
    clock: Arc<StillClock>,
    node: OpenIdProvider,
}

fn text(words: &str) -> Text {
    Text { fi: format!("{words} (fi)"), sv: format!("{words} (sv)"), en: format!("{words} (en)") }
}

fn resident(username: &str, name: &str, identifier: &str) -> Resident {
    Resident {
        username: username.to_owned(),
        name: name.to_owned(),
        identifier: NationalIdentifier::new(identifier).unwrap(),
        description: text("about"),
    }
}

impl Bench {
    fn new(registered: Registered, authentication: ClientAuthentication) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://login.localhost:{}", listener.local_addr().unwrap().port());
        let clock = Arc::new(StillClock(AtomicI64::new(NOW)));
        let entropy = Arc::new(Counting(AtomicU64::new(0)));
        let client = |id: &str, authentication, callback: &str| RegisteredClient {
            client_id: id.to_owned(),
            name: Text { fi: "Espoo".into(), sv: "Esbo".into(), en: "Espoo".into() },
            authentication,
            redirect_uris: vec![callback.to_owned()],
            post_logout_redirect_uris: vec![HOME.to_owned()],
        };
        let config = ProviderConfig {
            issuer: issuer.parse().unwrap(),
            identifier_claim: "national_id".to_owned(),
            residents: vec![
                resident("aino", "Aino <Esimerkki>", "010190-999C"),
                resident("onni", "Onni Olematon", "020280-998X"),
            ],
            clients: vec![
                client("espoo", registered, CALLBACK),
                client(
                    "turku",
                    Registered::Secret("turku-secret".to_owned().into()),
                    "http://turku.localhost/cb",
                ),
            ],
        };
        let provider = DemoProvider::new(config, clock.clone(), entropy.clone()).unwrap();
        let server = provider.run(listener).unwrap();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let settings = OpenIdSettings {
            issuer: issuer.clone(),
            client_id: "espoo".to_owned(),
            authentication,
            identifier_claim: "national_id".to_owned(),
            scopes: vec!["profile".to_owned()],
            redirect_url: CALLBACK.parse().unwrap(),
            network: ProviderNetwork::Demo,
            assurance_request: AssuranceRequest::default(),
            messages: MessageProtection::default(),
        };
        let node = OpenIdProvider::new(settings, clock.clone(), entropy).unwrap();
        Self { issuer, server: handle, clock, node }
    }

    fn with_secret() -> Self {
        let secret = || "espoo-secret".to_owned().into();
        Self::new(Registered::Secret(secret()), ClientAuthentication::SecretBasic(secret()))
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    async fn begin(&self, change: impl FnOnce(&mut LoginStart)) -> (Url, PendingLogin) {
        let mut start = LoginStart {
            nonce: "the-nonce".into(),
            state: "the-state".into(),
            code_verifier: VERIFIER.into(),
            acr: None,
            max_age: None,
            step_up: false,
            language: Language::Fi,
        };
        change(&mut start);
        self.node.begin(start).await.unwrap()
    }

    async fn complete(&self, pending: &PendingLogin, back: &str) -> Result<AuthenticatedPerson, LoginError> {
        self.node.complete(pending, &callback(back), self.clock.now()).await
    }

    /// Goes to the address that the node named, picks a resident, and gives the address that leads back.
    async fn pick(&self, browser: &mut Browser, address: &Url, username: &str) -> String {
        let choice = self.choice(browser, address).await;
        let back = browser.post(&choice, &[("resident", username)]).await;
        assert_eq!(back.status, 303, "{}", back.body);
        back.location.unwrap()
    }

    /// The address of the page on which a resident is picked.
    async fn choice(&self, browser: &mut Browser, address: &Url) -> String {
        let sent = browser.get(address.as_str()).await;
        assert_eq!(sent.status, 303, "{}", sent.body);
        let location = sent.location.unwrap();
        assert!(location.starts_with("/login/"), "{location}");
        self.at(&location)
    }

    async fn stop(self) {
        self.server.stop(false).await;
    }
}

fn callback(back: &str) -> Callback {
    assert!(back.starts_with(CALLBACK), "{back}");
    let query: BTreeMap<String, String> = Url::parse(back).unwrap().query_pairs().into_owned().collect();
    let get = |name: &str| query.get(name).cloned();
    Callback { code: get("code"), state: get("state"), iss: get("iss"), error: get("error") }
}

#[actix_web::test]
async fn a_resident_is_picked_once_and_then_known_without_a_page() {
    let bench = Bench::with_secret();
    let mut browser = Browser::new();
    let (address, pending) = bench.begin(|_| ()).await;
    let choice = bench.choice(&mut browser, &address).await;

    for (language, heading) in [
        ("", "Kenenä kirjaudut?"),
        ("?lang=sv", "Vem loggar du in som?"),
        ("?lang=en", "Whom do you log in as?"),
    ] {
        let page = browser.get(&format!("{choice}{language}")).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains(heading), "{}", page.body);
        assert!(page.body.contains("Aino &#60;Esimerkki&#62;"), "names are escaped: {}", page.body);
        assert!(!page.body.contains("010190"), "no identifier on the page");
        assert!(!page.body.contains("<script") && !page.body.contains("style="));
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("http://espoo.localhost:8402"),
            "{policy}"
        );
    }

    let back = browser.post(&choice, &[("resident", "aino")]).await.location.unwrap();
    let person = bench.complete(&pending, &back).await.unwrap();
    assert_eq!(person.identifier.reveal(), "010190-999C");
    assert_eq!(person.display_name.as_deref(), Some("Aino <Esimerkki>"));
    assert_eq!(person.acr.as_deref(), Some(LOA2));
    assert_eq!(person.auth_time, Some(Timestamp::from_secs(NOW)));

    // The decision is signed without another page; the login is the one from before.
    bench.clock.0.store(NOW + 900, Ordering::SeqCst);
    let (address, pending) = bench.begin(|start| start.nonce = "commitment".into()).await;
    let back = browser.get(address.as_str()).await.location.unwrap();
    let again = bench.complete(&pending, &back).await.unwrap();
    assert_eq!((again.subject, again.auth_time), (person.subject, Some(Timestamp::from_secs(NOW))));

    // The choice is gone, and another browser never had it.
    assert_eq!(browser.post(&choice, &[("resident", "onni")]).await.status, 410);
    bench.stop().await;
}

#[actix_web::test]
async fn a_fresher_or_stronger_login_shows_the_page_again() {
    let bench = Bench::with_secret();
    let mut browser = Browser::new();
    let (address, pending) = bench.begin(|_| ()).await;
    let back = bench.pick(&mut browser, &address, "aino").await;
    bench.complete(&pending, &back).await.unwrap();
    let session = browser.cookies["omadata_demo_login"].clone();

    bench.clock.0.store(NOW + 301, Ordering::SeqCst);
    let (address, pending) = bench.begin(|start| start.max_age = Some(300)).await;
    let back = bench.pick(&mut browser, &address, "aino").await;
    let person = bench.complete(&pending, &back).await.unwrap();
    assert_eq!(person.auth_time, Some(Timestamp::from_secs(NOW + 301)));
    assert_ne!(browser.cookies["omadata_demo_login"], session, "a new login has a new cookie");

    let (address, pending) = bench.begin(|start| start.acr = Some(LOA3.into())).await;
    let choice = bench.choice(&mut browser, &address).await;
    let page = browser.get(&format!("{choice}?lang=en")).await;
    assert!(
        page.body.contains("strong identification") && page.body.contains("logged in now"),
        "{}",
        page.body
    );
    let back = browser.post(&choice, &[("resident", "aino")]).await.location.unwrap();
    assert_eq!(bench.complete(&pending, &back).await.unwrap().acr.as_deref(), Some(LOA3));

    // A strong login also answers where the everyday level is asked for, and says the level that was asked.
    let (address, pending) = bench.begin(|start| start.acr = Some(LOA2.into())).await;
    let back = browser.get(address.as_str()).await.location.unwrap();
    assert_eq!(bench.complete(&pending, &back).await.unwrap().acr.as_deref(), Some(LOA2));

    let (address, _) = bench.begin(|_| ()).await;
    bench.choice(&mut browser, &format!("{address}&prompt=login").parse().unwrap()).await;
    let silent = browser.get(&format!("{address}&prompt=none")).await.location.unwrap();
    assert!(callback(&silent).code.is_some());
    let stranger = Browser::new().get(&format!("{address}&prompt=none")).await.location.unwrap();
    assert_eq!(callback(&stranger).error.as_deref(), Some("login_required"));
    bench.stop().await;
}

#[actix_web::test]
async fn turning_back_is_an_answer_too() {
    let bench = Bench::with_secret();
    let mut browser = Browser::new();
    let (address, pending) = bench.begin(|_| ()).await;
    let choice = bench.choice(&mut browser, &address).await;
    let back = browser.post(&choice, &[("cancel", "yes")]).await.location.unwrap();
    assert_eq!(callback(&back).error.as_deref(), Some("access_denied"));
    assert_eq!(bench.complete(&pending, &back).await.unwrap_err(), LoginError::Cancelled);
    bench.stop().await;
}

#[actix_web::test]
async fn nobody_picks_for_someone_elses_browser() {
    let bench = Bench::with_secret();
    let mut browser = Browser::new();
    let (address, _) = bench.begin(|_| ()).await;
    let choice = bench.choice(&mut browser, &address).await;
    assert_eq!(Browser::new().get(&choice).await.status, 410);
    assert_eq!(Browser::new().post(&choice, &[("resident", "aino")]).await.status, 410);
    let foreign =
        browser.http.post(&choice).header("origin", "http://evil.localhost").form(&[("resident", "aino")]);
    assert_eq!(browser.send(foreign).await.status, 403);
    let foreign =
        browser.http.post(&choice).header("sec-fetch-site", "same-site").form(&[("resident", "aino")]);
    assert_eq!(browser.send(foreign).await.status, 403);
    assert_eq!(browser.post(&choice, &[("resident", "nobody")]).await.status, 400);
    let own = browser.http.post(&choice).header("origin", &bench.issuer).form(&[("resident", "aino")]);
    assert_eq!(browser.send(own).await.status, 303);
    bench.stop().await;
}

#[actix_web::test]
async fn a_wrong_authorization_request_leads_nowhere_or_back_with_an_error() {
    let bench = Bench::with_secret();
    let mut browser = Browser::new();
    let (address, _) = bench.begin(|_| ()).await;
    let with = |name: &str, value: Option<&str>| {
        let mut changed = address.clone();
        let pairs: Vec<(String, String)> =
            address.query_pairs().into_owned().filter(|(n, _)| n != name).collect();
        changed.query_pairs_mut().clear().extend_pairs(pairs);
        if let Some(value) = value {
            changed.query_pairs_mut().append_pair(name, value);
        }
        changed.to_string()
    };
    let nowhere = [
        ("client_id", None),
        ("client_id", Some("helsinki")),
        ("client_id", Some("turku")),
        ("redirect_uri", None),
        ("redirect_uri", Some("http://espoo.localhost:8402/login/callback/")),
        ("redirect_uri", Some("http://espoo.localhost:8402/login/callback?x=1")),
        ("redirect_uri", Some("http://evil.localhost/login/callback")),
    ];
    for (name, value) in nowhere {
        let page = browser.get(&with(name, value)).await;
        assert_eq!((page.status, page.location), (400, None), "{name} {value:?}");
    }
    assert_eq!(browser.get(&format!("{address}&state=twice")).await.status, 400);
    let back = [
        ("response_type", Some("token"), "unsupported_response_type"),
        ("response_mode", Some("fragment"), "invalid_request"),
        ("scope", Some("profile"), "invalid_scope"),
        ("code_challenge", None, "invalid_request"),
        ("code_challenge", Some("short"), "invalid_request"),
        ("code_challenge_method", Some("plain"), "invalid_request"),
        ("request", Some("e30.e30."), "request_not_supported"),
        ("request_uri", Some("http://evil.localhost/"), "request_uri_not_supported"),
        ("max_age", Some("-1"), "invalid_request"),
        ("prompt", Some("none login"), "invalid_request"),
    ];
    for (name, value, error) in back {
        let location = browser.get(&with(name, value)).await.location.unwrap();
        let answer = callback(&location);
        assert_eq!(answer.error.as_deref(), Some(error), "{name} {value:?}");
        assert_eq!((answer.state.as_deref(), answer.iss), (Some("the-state"), Some(bench.issuer.clone())));
    }
    bench.stop().await;
}

#[actix_web::test]
async fn a_code_is_redeemed_once_by_its_own_client() {
    let bench = Bench::with_secret();
    let mut browser = Browser::new();
    let (address, _) = bench.begin(|_| ()).await;
    bench.pick(&mut browser, &address, "aino").await;
    let token = bench.at("/token");
    let good = ("espoo", "espoo-secret", VERIFIER, CALLBACK);
    let cases = [
        ("a wrong secret", ("espoo", "guess", VERIFIER, CALLBACK), "invalid_client"),
        ("an unknown client", ("oulu", "espoo-secret", VERIFIER, CALLBACK), "invalid_client"),
        ("another client", ("turku", "turku-secret", VERIFIER, CALLBACK), "invalid_grant"),
        (
            "another verifier",
            ("espoo", "espoo-secret", &VERIFIER.replace('a', "b"), CALLBACK),
            "invalid_grant",
        ),
        ("another address", ("espoo", "espoo-secret", VERIFIER, HOME), "invalid_grant"),
    ];
    let http = browser.http.clone();
    let redeem = async |code: &str, (id, secret, verifier, uri): (&str, &str, &str, &str)| -> (u16, Value) {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("code_verifier", verifier),
            ("redirect_uri", uri),
        ];
        let response = http.post(&token).basic_auth(id, Some(secret)).form(&form).send().await.unwrap();
        assert_eq!(response.headers()["cache-control"], "no-store");
        (response.status().as_u16(), response.json().await.unwrap())
    };
    for (name, attempt, error) in cases {
        let code = callback(&browser.get(address.as_str()).await.location.unwrap()).code.unwrap();
        let (status, body) = redeem(&code, attempt).await;
        assert_eq!(body["error"], error, "{name}");
        assert_eq!(status, if error == "invalid_client" { 401 } else { 400 }, "{name}");
    }

    let code = callback(&browser.get(address.as_str()).await.location.unwrap()).code.unwrap();
    let (status, answer) = redeem(&code, good).await;
    assert_eq!(status, 200);
    let userinfo = bench.at("/userinfo");
    let access = answer["access_token"].as_str().unwrap().to_owned();
    let claims: Value = http.get(&userinfo).bearer_auth(&access).send().await.unwrap().json().await.unwrap();
    assert_eq!(claims["national_id"], "010190-999C");

    // A second use takes back what the first one got.
    assert_eq!(redeem(&code, good).await.1["error"], "invalid_grant");
    assert_eq!(http.get(&userinfo).bearer_auth(&access).send().await.unwrap().status(), 401);

    let code = callback(&browser.get(address.as_str()).await.location.unwrap()).code.unwrap();
    bench.clock.0.fetch_add(60, Ordering::SeqCst);
    assert_eq!(redeem(&code, good).await.1["error"], "invalid_grant", "a minute is too long");
    let form = [("grant_type", "refresh_token"), ("client_id", "espoo"), ("client_secret", "espoo-secret")];
    let answer: Value = http.post(&token).form(&form).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["error"], "unsupported_grant_type");
    bench.stop().await;
}

#[actix_web::test]
async fn a_client_proves_itself_with_a_signed_assertion() {
    let key = SigningKey::generate().unwrap();
    let bench = Bench::new(
        Registered::Keys(PublicKeys::single(key.public().clone())),
        ClientAuthentication::PrivateKeyJwt(Arc::new(key.clone())),
    );
    let mut browser = Browser::new();
    let (address, pending) = bench.begin(|_| ()).await;
    let back = bench.pick(&mut browser, &address, "onni").await;
    assert_eq!(bench.complete(&pending, &back).await.unwrap().identifier.reveal(), "020280-998X");

    let claims = |changes: Value| {
        let mut claims =
            json!({"iss": "espoo", "sub": "espoo", "aud": bench.issuer, "exp": NOW + 60, "jti": "one"});
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    };
    let stranger = SigningKey::generate().unwrap();
    let good = key.sign("JWT", &claims(json!({}))).unwrap();
    let cases = [
        ("another key", stranger.sign("JWT", &claims(json!({"jti": "a"}))).unwrap(), "invalid_client"),
        (
            "another audience",
            key.sign("JWT", &claims(json!({"jti": "b", "aud": HOME}))).unwrap(),
            "invalid_client",
        ),
        ("expired", key.sign("JWT", &claims(json!({"jti": "c", "exp": NOW}))).unwrap(), "invalid_client"),
        (
            "lasts a day",
            key.sign("JWT", &claims(json!({"jti": "d", "exp": NOW + 86_400}))).unwrap(),
            "invalid_client",
        ),
        (
            "another subject",
            key.sign("JWT", &claims(json!({"jti": "e", "sub": "turku"}))).unwrap(),
            "invalid_client",
        ),
        (
            "another client",
            key.sign("JWT", &claims(json!({"jti": "f", "iss": "turku"}))).unwrap(),
            "invalid_client",
        ),
        ("good", good.clone(), "invalid_grant"),
        ("the good one again", good, "invalid_client"),
    ];
    for (name, assertion, error) in cases {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", "no-such-code"),
            ("code_verifier", VERIFIER),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion.as_str()),
        ];
        let answer: Value =
            browser.http.post(bench.at("/token")).form(&form).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["error"], error, "{name}");
    }
    bench.stop().await;
}

#[actix_web::test]
async fn logging_out_ends_the_login_here_too() {
    let bench = Bench::with_secret();
    let mut browser = Browser::new();
    let (address, pending) = bench.begin(|_| ()).await;
    let back = bench.pick(&mut browser, &address, "aino").await;
    let person = bench.complete(&pending, &back).await.unwrap();
    let kept = browser.cookies.clone();

    let logout = bench.node.logout_url(&person.id_token, &HOME.parse().unwrap()).await.unwrap();
    assert!(
        !logout.as_str().contains(person.id_token.as_str()),
        "an ID token with a name in it stays out of addresses"
    );
    let answer = browser.get(logout.as_str()).await;
    assert_eq!(answer.location.as_deref(), Some(HOME));
    assert!(!browser.cookies.contains_key("omadata_demo_login"));
    browser.cookies = kept;
    bench.choice(&mut browser, &address).await;

    // With a hint instead of a client, and never to an address that is not registered.
    let hinted = format!(
        "{}?id_token_hint={}&post_logout_redirect_uri={HOME}&state=s",
        bench.at("/logout"),
        person.id_token
    );
    assert_eq!(browser.get(&hinted).await.location.as_deref(), Some("http://espoo.localhost:8402/?state=s"));
    for query in [
        "client_id=espoo&post_logout_redirect_uri=http://evil.localhost/".to_owned(),
        format!("post_logout_redirect_uri={HOME}"),
        format!("client_id=oulu&post_logout_redirect_uri={HOME}"),
        format!("client_id=turku&id_token_hint={}&post_logout_redirect_uri={HOME}", person.id_token),
        format!("id_token_hint=no.id.token&client_id=espoo&post_logout_redirect_uri={HOME}"),
    ] {
        let page = browser.get(&format!("{}?{query}", bench.at("/logout"))).await;
        assert_eq!((page.status, page.location), (200, None), "{query}");
    }
    bench.stop().await;
}

#[actix_web::test]
async fn its_documents_are_what_the_standard_says() {
    let bench = Bench::with_secret();
    let mut browser = Browser::new();
    let metadata: Value =
        serde_json::from_str(&browser.get(&bench.at("/.well-known/openid-configuration")).await.body)
            .unwrap();
    assert_eq!(metadata["issuer"], json!(bench.issuer));
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], json!(true));
    let jwks: Value = serde_json::from_str(&browser.get(&bench.at("/jwks")).await.body).unwrap();
    assert_eq!(PublicKeys::from_jwks(&jwks).unwrap().iter().count(), 1);
    assert!(!jwks.to_string().contains("\"d\""));
    assert_eq!(browser.get(&bench.at("/")).await.status, 200);
    assert_eq!(browser.get(&bench.at("/elsewhere")).await.status, 404);
    assert_eq!(browser.get(&bench.at("/userinfo")).await.status, 401);
    let style = browser.get(&bench.at("/assets/demo.css")).await;
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
    bench.stop().await;
}
