//! Tests against a small provider with real signatures, which can be made to fail in one place.

mod answers;
mod documents;
mod protected;
mod request;

use std::net::TcpListener;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::token::ASSERTION_TYPE;
use super::*;
use crate::domain::catalogue::Language;
use crate::domain::jose::SigningKey;
use crate::domain::jose::jwe::testing::encrypt_with;

const NOW: i64 = 1_800_000_000;
const CLIENT: &str = "node-of-espoo";
const SECRET: &str = "a secret with : and +";
const VERIFIER: &str = "a-code-verifier-that-is-just-long-enough-for-it";

/// A clock that the test moves.
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

/// The signer of the ID token, and its algorithm.
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

/// The behaviour of the provider.
struct Script {
    signing: Signing,
    /// Overrides of the claims; null removes a claim.
    claims: Value,
    /// Overrides of the metadata.
    metadata: Value,
    /// The whole token response, in place of a good one.
    token_answer: Option<(u16, Value)>,
    userinfo: Option<Value>,
    /// Answers of UserInfo are signed.
    userinfo_signed: bool,
    /// Key, and algorithms to encrypt all messages with.
    encryption: Option<(Value, &'static str, &'static str)>,
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

    fn encrypted(&self, signed: String) -> String {
        match &self.script.lock().unwrap().encryption {
            None => signed,
            Some((key, alg, enc)) => encrypt_with(key, (alg, enc), &[("cty", json!("JWT"))], &signed),
        }
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
            "access_token": "access", "token_type": "bearer", "expires_in": "300", "scope": 7, "refresh_token": null,
            "id_token": provider.encrypted(provider.id_token()),
        })),
    }
}

async fn serve_userinfo(provider: web::Data<FakeProvider>, http: HttpRequest) -> HttpResponse {
    assert_eq!(http.headers().get("authorization").unwrap(), "Bearer access");
    let (claims, signed) = {
        let script = provider.script.lock().unwrap();
        (script.userinfo.clone(), script.userinfo_signed)
    };
    match claims {
        Some(claims) if signed => HttpResponse::Ok()
            .content_type("application/jwt; charset=utf-8")
            .body(provider.encrypted(provider.key.sign("JWT", &claims).unwrap())),
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
        Self::with(authentication, |_| {})
    }

    fn with(authentication: ClientAuthentication, change: impl FnOnce(&mut OpenIdSettings)) -> Self {
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
                userinfo_signed: false,
                encryption: None,
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
        // A kept-alive connection would be answered for a while after the server has stopped.
        .keep_alive(actix_web::http::KeepAlive::Disabled)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let clock = Arc::new(StillClock(AtomicI64::new(NOW)));
        let mut settings = OpenIdSettings {
            issuer,
            client_id: CLIENT.to_owned(),
            authentication,
            identifier_claim: "national_id".to_owned(),
            scopes: vec!["profile".to_owned()],
            redirect_url: "http://espoo.localhost:8402/login/callback".parse().unwrap(),
            network: ProviderNetwork::Demo,
            assurance_request: AssuranceRequest::default(),
            messages: MessageProtection::default(),
        };
        change(&mut settings);
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

/// The error code in the tables under `tests/vectors/login`.
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
    /// A value of the table: `@now` with an offset, and placeholders.
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
