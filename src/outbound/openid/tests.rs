//! Against a small provider that signs for real and can be told to go wrong in one place.

use std::net::TcpListener;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::*;
use crate::domain::catalogue::Language;

const NOW: i64 = 1_800_000_000;
const CLIENT: &str = "node-of-espoo";
const SECRET: &str = "a secret with : and +";
const VERIFIER: &str = "a-code-verifier-that-is-just-long-enough-for-it";

/// A clock that stands still until told.
struct StillClock(AtomicI64);

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// Bytes that differ from call to call.
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        let seed = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        for (target, source) in buffer.iter_mut().zip(jose::sha256(&seed).iter().cycle()) {
            *target = *source;
        }
    }
}

/// Who signs the ID token, and how.
#[derive(Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Signing {
    #[default]
    Es256,
    NotAKeyOfTheProvider,
    Nothing,
    Hs256WithTheSecret,
    Broken,
    Rs256,
    Ps256,
}

/// How the provider behaves.
struct Script {
    signing: Signing,
    /// Laid over the claims; null takes a claim away.
    claims: Value,
    /// Laid over the metadata.
    metadata: Value,
    /// The whole answer of the token endpoint, in place of a good one.
    token_answer: Option<(u16, Value)>,
    userinfo: Option<Value>,
    jwks: Vec<Value>,
}

struct FakeProvider {
    issuer: String,
    key: SigningKey,
    rsa: openssl::rsa::Rsa<openssl::pkey::Private>,
    script: Mutex<Script>,
    last_form: Mutex<Vec<(String, String)>>,
    last_authorization: Mutex<Option<String>>,
    metadata_fetches: AtomicUsize,
    jwks_fetches: AtomicUsize,
}

impl FakeProvider {
    fn lay_over(base: &mut Value, changes: &Value) {
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                base.as_object_mut().unwrap().remove(name);
            } else {
                base[name] = value.clone();
            }
        }
    }

    fn metadata(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let mut metadata = json!({
            "issuer": self.issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "userinfo_endpoint": at("/userinfo"),
            "jwks_uri": at("/jwks"),
            "end_session_endpoint": at("/logout"),
            "authorization_response_iss_parameter_supported": true,
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "RS256"],
        });
        Self::lay_over(&mut metadata, &self.script.lock().unwrap().metadata);
        metadata
    }

    fn id_token(&self) -> String {
        let script = self.script.lock().unwrap();
        let mut claims = json!({
            "iss": self.issuer, "sub": "subject-1", "aud": CLIENT, "nonce": "the-nonce",
            "iat": NOW, "exp": NOW + 300, "auth_time": NOW - 5, "acr": "loa2", "name": "Aino Esimerkki",
            "national_id": "010190-999C",
        });
        Self::lay_over(&mut claims, &script.claims);
        let unsigned = |header: Value| {
            format!(
                "{}.{}",
                jose::b64url(header.to_string().as_bytes()),
                jose::b64url(claims.to_string().as_bytes())
            )
        };
        match script.signing {
            Signing::Es256 => self.key.sign("JWT", &claims).unwrap(),
            Signing::NotAKeyOfTheProvider => SigningKey::generate().unwrap().sign("JWT", &claims).unwrap(),
            Signing::Nothing => format!("{}.", unsigned(json!({"alg": "none"}))),
            Signing::Hs256WithTheSecret => {
                let input = unsigned(json!({"alg": "HS256"}));
                let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
                mac.update(input.as_bytes());
                format!("{input}.{}", jose::b64url(&mac.finalize().into_bytes()))
            }
            Signing::Broken => {
                let good = self.key.sign("JWT", &claims).unwrap();
                let (input, signature) = good.rsplit_once('.').unwrap();
                format!("{input}.{}{}", signature.get(2..).unwrap(), signature.get(..2).unwrap())
            }
            Signing::Rs256 | Signing::Ps256 => {
                use openssl::{
                    hash::MessageDigest, pkey::PKey, rsa::Padding, sign::RsaPssSaltlen, sign::Signer,
                };
                let pss = script.signing == Signing::Ps256;
                let input = unsigned(json!({"alg": if pss { "PS256" } else { "RS256" }, "kid": "rsa-1"}));
                let key = PKey::from_rsa(self.rsa.clone()).unwrap();
                let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
                if pss {
                    signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
                    signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).unwrap();
                }
                signer.update(input.as_bytes()).unwrap();
                format!("{input}.{}", jose::b64url(&signer.sign_to_vec().unwrap()))
            }
        }
    }
}

async fn serve_token(
    provider: web::Data<FakeProvider>,
    http: HttpRequest,
    form: web::Form<Vec<(String, String)>>,
) -> HttpResponse {
    *provider.last_form.lock().unwrap() = form.into_inner();
    *provider.last_authorization.lock().unwrap() =
        http.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let answer = provider.script.lock().unwrap().token_answer.clone();
    match answer {
        Some((status, body)) => {
            HttpResponse::build(actix_web::http::StatusCode::from_u16(status).unwrap()).json(body)
        }
        None => HttpResponse::Ok().json(json!({
            "access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": provider.id_token(),
        })),
    }
}

async fn serve_userinfo(provider: web::Data<FakeProvider>, http: HttpRequest) -> HttpResponse {
    assert_eq!(http.headers().get("authorization").unwrap(), "Bearer access");
    match &provider.script.lock().unwrap().userinfo {
        Some(claims) => HttpResponse::Ok().json(claims),
        None => HttpResponse::InternalServerError().finish(),
    }
}

async fn serve_metadata(provider: web::Data<FakeProvider>) -> HttpResponse {
    provider.metadata_fetches.fetch_add(1, Ordering::SeqCst);
    HttpResponse::Ok().json(provider.metadata())
}

async fn serve_jwks(provider: web::Data<FakeProvider>) -> HttpResponse {
    provider.jwks_fetches.fetch_add(1, Ordering::SeqCst);
    HttpResponse::Ok().json(json!({"keys": provider.script.lock().unwrap().jwks}))
}

/// A provider on a loopback port, and a node that uses it.
struct Bench {
    provider: web::Data<FakeProvider>,
    server: ServerHandle,
    clock: Arc<StillClock>,
    node: OpenIdProvider,
}

impl Bench {
    fn new(authentication: ClientAuthentication) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://login.localhost:{}", listener.local_addr().unwrap().port());
        let key = SigningKey::generate().unwrap();
        let rsa = openssl::rsa::Rsa::generate(2048).unwrap();
        let rsa_jwk = json!({
            "kty": "RSA", "kid": "rsa-1", "use": "sig",
            "n": jose::b64url(&rsa.n().to_vec()), "e": jose::b64url(&rsa.e().to_vec()),
        });
        let provider = web::Data::new(FakeProvider {
            issuer: issuer.clone(),
            script: Mutex::new(Script {
                signing: Signing::Es256,
                claims: json!({}),
                metadata: json!({}),
                token_answer: None,
                userinfo: None,
                jwks: vec![key.public().to_jwk(), rsa_jwk],
            }),
            key,
            rsa,
            last_form: Mutex::default(),
            last_authorization: Mutex::default(),
            metadata_fetches: AtomicUsize::default(),
            jwks_fetches: AtomicUsize::default(),
        });
        let served = provider.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(served.clone())
                .route("/.well-known/openid-configuration", web::get().to(serve_metadata))
                .route("/jwks", web::get().to(serve_jwks))
                .route("/token", web::post().to(serve_token))
                .route("/userinfo", web::get().to(serve_userinfo))
        })
        .workers(1)
        // A connection that is kept would be answered for a while after the server has stopped.
        .keep_alive(actix_web::http::KeepAlive::Disabled)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let clock = Arc::new(StillClock(AtomicI64::new(NOW)));
        let settings = OpenIdSettings {
            issuer,
            client_id: CLIENT.to_owned(),
            authentication,
            identifier_claim: "national_id".to_owned(),
            scopes: vec!["profile".to_owned()],
            redirect_url: "http://espoo.localhost:8402/login/callback".parse().unwrap(),
            network: ProviderNetwork::Demo,
        };
        let node =
            OpenIdProvider::new(settings, clock.clone(), Arc::new(Counting(AtomicU64::new(0)))).unwrap();
        Self { provider, server: handle, clock, node }
    }

    fn with_secret() -> Self {
        Self::new(ClientAuthentication::SecretBasic(SECRET.to_owned().into()))
    }

    fn script(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.provider.script.lock().unwrap());
    }

    async fn begin(&self) -> (Url, PendingLogin) {
        self.node.begin(start()).await.unwrap()
    }

    fn callback(&self) -> Callback {
        Callback {
            code: Some("the-code".into()),
            state: Some("the-state".into()),
            iss: Some(self.provider.issuer.clone()),
            error: None,
        }
    }

    async fn complete(&self) -> Result<AuthenticatedPerson, LoginError> {
        let (_, pending) = self.begin().await;
        self.node.complete(&pending, &self.callback(), self.clock.now()).await
    }

    fn form(&self, name: &str) -> Option<String> {
        let form = self.provider.last_form.lock().unwrap();
        form.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
    }

    async fn stop(self) {
        self.server.stop(false).await;
    }
}

fn start() -> LoginStart {
    LoginStart {
        nonce: "the-nonce".into(),
        state: "the-state".into(),
        code_verifier: VERIFIER.into(),
        acr: Some("loa2 loa3".into()),
        max_age: Some(600),
        step_up: false,
        language: Language::Sv,
    }
}

#[actix_web::test]
async fn the_request_says_everything_that_was_asked() {
    let bench = Bench::with_secret();
    let (address, pending) = bench.begin().await;
    let sent: std::collections::BTreeMap<String, String> = address.query_pairs().into_owned().collect();
    let expected = [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", "http://espoo.localhost:8402/login/callback"),
        ("scope", "openid profile"),
        ("state", "the-state"),
        ("nonce", "the-nonce"),
        ("code_challenge_method", "S256"),
        ("acr_values", "loa2 loa3"),
        ("max_age", "600"),
        ("ui_locales", "sv"),
    ];
    for (name, value) in expected {
        assert_eq!(sent.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(sent["code_challenge"], jose::b64url(&jose::sha256(VERIFIER.as_bytes())));
    assert_eq!(pending.started_at, Timestamp::from_secs(NOW));
    let short = LoginStart { code_verifier: "short".into(), ..start() };
    assert_eq!(bench.node.begin(short).await.unwrap_err(), LoginError::Invalid("code_verifier"));
    bench.stop().await;
}

#[actix_web::test]
async fn a_level_that_must_be_reached_is_demanded_in_words_that_the_provider_knows() {
    let claims = json!({"id_token": {"acr": {"essential": true, "values": ["loa2", "loa3"]}}});
    for (supported, step_up, demands) in [
        (true, true, (Some(&claims), None, None)),
        (true, false, (Some(&claims), None, None)),
        (false, true, (None, Some("loa2 loa3"), Some("login"))),
        (false, false, (None, Some("loa2 loa3"), None)),
    ] {
        let bench = Bench::with_secret();
        bench.provider.script.lock().unwrap().metadata = json!({"claims_parameter_supported": supported});
        let (address, _) = bench.node.begin(LoginStart { step_up, ..start() }).await.unwrap();
        let sent: std::collections::BTreeMap<String, String> = address.query_pairs().into_owned().collect();
        let sent_claims: Option<Value> = sent.get("claims").map(|text| serde_json::from_str(text).unwrap());
        let said = |name: &str| sent.get(name).map(String::as_str);
        assert_eq!((sent_claims.as_ref(), said("acr_values"), said("prompt")), demands);
        // Where no level is demanded, there is nothing to say about levels.
        let (address, _) = bench.node.begin(LoginStart { acr: None, ..start() }).await.unwrap();
        assert!(!address.query().unwrap().contains("claims="), "{address}");
        bench.stop().await;
    }
}

#[actix_web::test]
async fn a_good_login_tells_who_came_and_which_key_says_so() {
    let bench = Bench::with_secret();
    let person = bench.complete().await.unwrap();
    assert_eq!(person.subject, "subject-1");
    assert_eq!(person.identifier.reveal(), "010190-999C");
    assert_eq!(person.display_name.as_deref(), Some("Aino Esimerkki"));
    assert_eq!(person.acr.as_deref(), Some("loa2"));
    assert_eq!(person.auth_time, Some(Timestamp::from_secs(NOW - 5)));
    // The evidence can be checked by itself.
    assert_eq!(
        jose::id_token::verify(&person.id_token, &person.provider_key).unwrap().iss,
        bench.provider.issuer
    );
    assert_eq!(bench.form("code_verifier").as_deref(), Some(VERIFIER));
    assert_eq!(bench.form("redirect_uri").as_deref(), Some("http://espoo.localhost:8402/login/callback"));
    assert!(!format!("{person:?}").contains("Aino"));
    bench.stop().await;
}

#[actix_web::test]
async fn rsa_providers_work_too() {
    let bench = Bench::with_secret();
    for signing in [Signing::Rs256, Signing::Ps256] {
        bench.script(|script| script.signing = signing);
        let person = bench.complete().await.unwrap();
        assert!(jose::id_token::verify(&person.id_token, &person.provider_key).is_ok());
    }
    bench.stop().await;
}

#[actix_web::test]
async fn the_node_proves_itself_in_each_of_the_three_ways() {
    let bench = Bench::with_secret();
    bench.complete().await.unwrap();
    let header = bench.provider.last_authorization.lock().unwrap().clone().unwrap();
    let encoded = header.strip_prefix("Basic ").unwrap();
    use base64::{Engine, engine::general_purpose::STANDARD};
    let decoded = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
    assert_eq!(decoded, "node-of-espoo:a+secret+with+%3A+and+%2B");
    assert_eq!(bench.form("client_secret"), None);
    bench.stop().await;

    let bench = Bench::new(ClientAuthentication::SecretPost(SECRET.to_owned().into()));
    bench.complete().await.unwrap();
    assert_eq!(bench.form("client_secret").as_deref(), Some(SECRET));
    assert_eq!(bench.form("client_id").as_deref(), Some(CLIENT));
    assert_eq!(*bench.provider.last_authorization.lock().unwrap(), None);
    bench.stop().await;

    let key = SigningKey::generate().unwrap();
    let bench = Bench::new(ClientAuthentication::PrivateKeyJwt(Arc::new(key.clone())));
    bench.complete().await.unwrap();
    assert_eq!(bench.form("client_assertion_type").as_deref(), Some(ASSERTION_TYPE));
    let claims =
        id_token::decoded(bench.form("client_assertion").unwrap().split('.').nth(1).unwrap()).unwrap();
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(CLIENT), &json!(CLIENT)));
    assert_eq!(claims["aud"], json!(bench.provider.issuer));
    assert_eq!(claims["exp"], json!(NOW + 60));
    assert_eq!(bench.form("client_secret"), None);
    bench.stop().await;
}

/// The word by which the tables under `tests/vectors/login` name an error.
fn word(error: &LoginError) -> &'static str {
    match error {
        LoginError::Invalid(what) => what,
        LoginError::AssuranceTooLow => "assurance_too_low",
        LoginError::NoIdentifier => "no_identifier",
        LoginError::Cancelled => "cancelled",
        LoginError::ProviderUnavailable => "provider_unavailable",
    }
}

/// One line of `tests/vectors/login/id_token.json`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenCase {
    name: String,
    #[serde(default)]
    signing: Signing,
    claims: Value,
    error: String,
}

impl Bench {
    /// A value of the table: `@now` with an offset, and the names of this bench.
    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => match text.strip_prefix("@now") {
                Some(off) => json!(NOW + off.parse::<i64>().unwrap_or(0)),
                None => {
                    let issuer = &self.provider.issuer;
                    let text = text.replace("{issuer}", issuer).replace("{ISSUER}", &issuer.to_uppercase());
                    text.replace("{client}", CLIENT).into()
                }
            },
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                members.iter().map(|(name, value)| (name.clone(), self.value(value))).collect()
            }
            other => other.clone(),
        }
    }
}

#[actix_web::test]
async fn every_id_token_that_does_not_fit_is_refused() {
    let cases: Vec<TokenCase> =
        serde_json::from_str(include_str!("../../../tests/vectors/login/id_token.json")).unwrap();
    let bench = Bench::with_secret();
    for case in &cases {
        let claims = bench.value(&case.claims);
        bench.script(|script| {
            script.signing = case.signing;
            script.claims = claims;
        });
        assert_eq!(word(&bench.complete().await.unwrap_err()), case.error, "{}", case.name);
    }
    bench.script(|script| {
        script.signing = Signing::Es256;
        script.claims =
            json!({"iat": NOW - 60, "auth_time": NOW - 660, "azp": CLIENT, "aud": [CLIENT], "acr": "loa3"});
    });
    assert!(bench.complete().await.is_ok(), "the bounds themselves are good");
    bench.stop().await;
}

#[actix_web::test]
async fn every_answer_of_the_browser_that_does_not_fit_is_refused() {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        name: String,
        set: Value,
        error: String,
    }
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../../../tests/vectors/login/callback.json")).unwrap();
    let bench = Bench::with_secret();
    let good = bench.callback();
    let (_, pending) = bench.begin().await;
    for case in cases {
        let set = |name: &str, good: &Option<String>| match case.set.get(name) {
            None => good.clone(),
            Some(value) => value.as_str().map(str::to_owned),
        };
        let callback = Callback {
            code: set("code", &good.code),
            state: set("state", &good.state),
            iss: set("iss", &good.iss),
            error: set("error", &good.error),
        };
        let outcome = bench.node.complete(&pending, &callback, bench.clock.now()).await;
        assert_eq!(word(&outcome.unwrap_err()), case.error, "{}", case.name);
    }
    let no_state = PendingLogin { state: String::new(), ..pending };
    let empty = Callback { state: Some(String::new()), ..good };
    assert_eq!(
        bench.node.complete(&no_state, &empty, bench.clock.now()).await.unwrap_err(),
        LoginError::Invalid("state")
    );
    bench.stop().await;
}

#[actix_web::test]
async fn an_issuer_in_the_answer_is_compared_even_where_it_is_not_promised() {
    let bench = Bench::with_secret();
    bench.script(|script| script.metadata = json!({"authorization_response_iss_parameter_supported": null}));
    let (_, pending) = bench.begin().await;
    let without = Callback { iss: None, ..bench.callback() };
    assert!(bench.node.complete(&pending, &without, bench.clock.now()).await.is_ok());
    let other = Callback { iss: Some("http://other.localhost".into()), ..bench.callback() };
    let outcome = bench.node.complete(&pending, &other, bench.clock.now()).await;
    assert_eq!(outcome.unwrap_err(), LoginError::Invalid("iss"));
    bench.stop().await;
}

#[actix_web::test]
async fn what_the_token_endpoint_answers_is_told_apart() {
    use LoginError::{Invalid, ProviderUnavailable};
    let bench = Bench::with_secret();
    let cases = [
        (400, json!({"error": "invalid_grant"}), Invalid("code")),
        (401, json!({"error": "invalid_client"}), ProviderUnavailable),
        (500, json!("broken"), ProviderUnavailable),
        (200, json!({"hello": "world"}), ProviderUnavailable),
        (200, json!({"access_token": "a", "token_type": "Bearer"}), Invalid("id_token")),
        (
            200,
            json!({"access_token": "a", "token_type": "Bearer", "id_token": "no.token"}),
            Invalid("id_token"),
        ),
        (302, json!({}), ProviderUnavailable),
    ];
    for (status, body, expected) in cases {
        bench.script(|script| script.token_answer = Some((status, body.clone())));
        assert_eq!(bench.complete().await.unwrap_err(), expected, "{status} {body}");
    }
    bench.script(|script| script.token_answer = Some((200, json!({"access_token": "x".repeat(300 * 1024)}))));
    assert_eq!(bench.complete().await.unwrap_err(), ProviderUnavailable, "an answer without end");
    bench.stop().await;
}

#[actix_web::test]
async fn an_identifier_that_the_token_lacks_is_asked_at_userinfo() {
    let bench = Bench::with_secret();
    bench.script(|script| script.claims = json!({"national_id": null, "name": null}));
    assert_eq!(bench.complete().await.unwrap_err(), LoginError::ProviderUnavailable);
    let info = json!({"sub": "subject-1", "national_id": "010190-999c", "given_name": "Aino", "family_name": "Virta"});
    bench.script(|script| script.userinfo = Some(info.clone()));
    let person = bench.complete().await.unwrap();
    assert_eq!(person.identifier.reveal(), "010190-999C");
    assert_eq!(person.display_name.as_deref(), Some("Aino Virta"));
    bench.script(|script| {
        script.userinfo = Some(json!({"sub": "someone-else", "national_id": "010190-999C"}))
    });
    assert_eq!(bench.complete().await.unwrap_err(), LoginError::Invalid("userinfo sub"));
    bench.script(|script| script.userinfo = Some(json!({"sub": "subject-1"})));
    assert_eq!(bench.complete().await.unwrap_err(), LoginError::NoIdentifier);
    bench.stop().await;
}

#[actix_web::test]
async fn documents_are_kept_for_an_hour_and_keys_are_asked_again_once_a_minute() {
    let bench = Bench::with_secret();
    let (metadata, jwks) = (&bench.provider.metadata_fetches, &bench.provider.jwks_fetches);
    bench.complete().await.unwrap();
    bench.complete().await.unwrap();
    assert_eq!((metadata.load(Ordering::SeqCst), jwks.load(Ordering::SeqCst)), (1, 1));

    // The provider publishes its signing key only now: found by the first login after the cool-down.
    let all = bench.provider.script.lock().unwrap().jwks.clone();
    bench.clock.0.store(NOW + 3600, Ordering::SeqCst);
    bench.script(|script| {
        script.jwks = vec![SigningKey::generate().unwrap().public().to_jwk()];
        script.claims = json!({"iat": NOW + 3600, "exp": NOW + 3900, "auth_time": NOW + 3600});
    });
    assert_eq!(bench.complete().await.unwrap_err(), LoginError::Invalid("kid"));
    assert_eq!((metadata.load(Ordering::SeqCst), jwks.load(Ordering::SeqCst)), (2, 2));
    bench.script(|script| script.jwks = all);
    assert_eq!(bench.complete().await.unwrap_err(), LoginError::Invalid("kid"), "too soon to ask again");
    assert_eq!(jwks.load(Ordering::SeqCst), 2);
    bench.clock.0.store(NOW + 3660, Ordering::SeqCst);
    assert!(bench.complete().await.is_ok());
    assert_eq!((metadata.load(Ordering::SeqCst), jwks.load(Ordering::SeqCst)), (2, 3));
    bench.stop().await;
}

#[actix_web::test]
async fn two_keys_that_both_fit_are_one_too_many() {
    let bench = Bench::with_secret();
    bench.script(|script| {
        let first = script.jwks.first().cloned().unwrap();
        script.jwks.push(first);
    });
    assert_eq!(bench.complete().await.unwrap_err(), LoginError::Invalid("kid"));
    bench.stop().await;
}

#[actix_web::test]
async fn a_provider_that_is_away_or_not_itself_is_unavailable() {
    let bench = Bench::with_secret();
    let cases = [
        json!({"issuer": "http://other.localhost"}),
        json!({"token_endpoint": null}),
        json!({"token_endpoint": "http://192.0.2.1/token"}),
        json!({"authorization_endpoint": "http://provider.example/authorize"}),
        json!({"jwks_uri": "http://provider.example/jwks"}),
        json!({"authorization_endpoint": null}),
    ];
    for (round, change) in (1_i64..).zip(cases) {
        bench.clock.0.store(NOW + 10 * round, Ordering::SeqCst);
        bench.script(|script| script.metadata = change.clone());
        assert_eq!(bench.node.begin(start()).await.unwrap_err(), LoginError::ProviderUnavailable, "{change}");
    }
    // Nobody asks again within three seconds of a failure.
    let asked = bench.provider.metadata_fetches.load(Ordering::SeqCst);
    bench.script(|script| script.metadata = json!({}));
    assert_eq!(bench.node.begin(start()).await.unwrap_err(), LoginError::ProviderUnavailable);
    assert_eq!(bench.provider.metadata_fetches.load(Ordering::SeqCst), asked);
    bench.clock.0.fetch_add(3, Ordering::SeqCst);
    let (_, pending) = bench.begin().await;
    let callback = bench.callback();
    bench.server.stop(false).await;
    let outcome = bench.node.complete(&pending, &callback, bench.clock.now()).await;
    assert_eq!(outcome.unwrap_err(), LoginError::ProviderUnavailable);
    bench.clock.0.fetch_add(4000, Ordering::SeqCst);
    assert_eq!(bench.node.begin(start()).await.unwrap_err(), LoginError::ProviderUnavailable);
}

#[actix_web::test]
async fn a_logout_address_tells_nothing_about_the_person() {
    let bench = Bench::with_secret();
    let back = "http://espoo.localhost:8402/".parse().unwrap();
    let person = bench.complete().await.unwrap();
    let address = bench.node.logout_url(&person.id_token, &back).await.unwrap();
    assert_eq!(
        address.as_str().strip_prefix(&bench.provider.issuer).unwrap(),
        "/logout?client_id=node-of-espoo&post_logout_redirect_uri=http%3A%2F%2Fespoo.localhost%3A8402%2F"
    );
    let plain = bench.provider.key.sign("JWT", &json!({"iss": "i", "sub": "s", "aud": CLIENT})).unwrap();
    let address = bench.node.logout_url(&plain, &back).await.unwrap();
    assert!(address.as_str().ends_with(&format!("&id_token_hint={plain}")));
    bench.stop().await;

    let bench = Bench::with_secret();
    bench.script(|script| script.metadata = json!({"end_session_endpoint": null}));
    assert_eq!(bench.node.logout_url("", &back).await, None);
    bench.stop().await;
}

#[test]
fn plain_http_is_no_issuer_outside_the_demo() {
    let settings = |issuer: &str, network| OpenIdSettings {
        issuer: issuer.to_owned(),
        client_id: CLIENT.to_owned(),
        authentication: ClientAuthentication::SecretBasic(SECRET.to_owned().into()),
        identifier_claim: "national_id".to_owned(),
        scopes: Vec::new(),
        redirect_url: "https://espoo.example/login/callback".parse().unwrap(),
        network,
    };
    let make = |issuer: &str, network| {
        let clock = Arc::new(StillClock(AtomicI64::new(NOW)));
        OpenIdProvider::new(settings(issuer, network), clock, Arc::new(Counting(AtomicU64::new(0)))).err()
    };
    assert!(make("https://login.example", ProviderNetwork::Production).is_none());
    assert!(make("http://login.localhost:8409", ProviderNetwork::Demo).is_none());
    for (issuer, network) in [
        ("http://login.example", ProviderNetwork::Demo),
        ("http://login.localhost:8409", ProviderNetwork::Production),
    ] {
        assert!(matches!(make(issuer, network), Some(OpenIdSettingsError::InsecureIssuer)), "{issuer}");
    }
    assert!(matches!(make("login", ProviderNetwork::Demo), Some(OpenIdSettingsError::Issuer)));
}

#[test]
fn the_name_to_greet_with_is_short_and_printable() {
    let name = |claims: Value| display_name(claims.as_object().unwrap());
    assert_eq!(name(json!({"name": " Aino "})).as_deref(), Some("Aino"));
    assert_eq!(name(json!({"name": "", "given_name": "Aino"})).as_deref(), Some("Aino"));
    assert_eq!(name(json!({"name": "a\u{1b}[31m"})), None);
    assert_eq!(name(json!({"name": "x".repeat(121)})), None);
    assert_eq!(name(json!({})), None);
}
