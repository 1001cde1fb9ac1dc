//! What the node meets in the federation, made by other hands: a recipient city, and the login provider of made-up residents.
//! Both stand on one port under names of their own.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::Url;

use super::jose::{self, Key};

/// The cookie by which the login provider knows who sits before the browser.
pub const WHO: &str = "resident";
/// The client at the login provider that stands for every city.
pub const CLIENT_ID: &str = "load-city";
pub const DATASET_TYPE: &str = "early-education-placements";
pub const REQUIRED_FIELDS: [&str; 4] = ["childName", "unit", "startDate", "endDate"];
const CODES_AT_ONCE: usize = 100_000;

struct Login {
    resident: String,
    nonce: Option<String>,
    challenge: String,
    acr: String,
}

pub struct Parties {
    pub recipient: String,
    pub issuer: String,
    pub login_host: String,
    pub anchor: String,
    pub max_exchanges: u32,
    pub client_secret: String,
    pub federation_key: Key,
    pub client_key: Key,
    pub dpop_key: Arc<Key>,
    login_key: Key,
    marks: Mutex<Vec<Value>>,
    logins: Mutex<HashMap<String, Login>>,
}

/// The personal identity code of a made-up resident, which no real person can have.
pub fn identity(resident: usize) -> String {
    format!("LOAD-{resident:07}")
}

impl Parties {
    pub fn new(port: u16, anchor: String, max_exchanges: u32) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            recipient: format!("http://load.localhost:{port}"),
            issuer: format!("http://login.localhost:{port}"),
            login_host: "login.localhost".to_owned(),
            anchor,
            max_exchanges,
            client_secret: jose::secret::<24>(),
            federation_key: Key::generate()?,
            client_key: Key::generate()?,
            dpop_key: Arc::new(Key::generate()?),
            login_key: Key::generate()?,
            marks: Mutex::default(),
            logins: Mutex::default(),
        }))
    }

    pub fn use_id(&self) -> String {
        format!("{}/catalogue/uses/load", self.recipient)
    }

    pub fn redirect_uri(&self) -> String {
        format!("{}/oauth/callback", self.recipient)
    }

    pub fn set_mark(&self, kind: &str, mark: &str) {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        *marks = vec![json!({"trust_mark_type": kind, "trust_mark": mark})];
    }

    /// Serves in a thread of its own until the process ends.
    pub fn serve(self: &Arc<Self>, listener: TcpListener) {
        let parties = web::Data::from(Arc::clone(self));
        std::thread::spawn(move || {
            let served = actix_web::rt::System::new().block_on(async move {
                HttpServer::new(move || App::new().app_data(parties.clone()).configure(routes))
                    .workers(1)
                    .disable_signals()
                    .listen(listener)?
                    .run()
                    .await
            });
            if let Err(error) = served {
                eprintln!("load: the recipient does not serve: {error}");
            }
        });
    }

    fn configuration(&self) -> Result<String> {
        let now = jose::now();
        let marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let claims = json!({
            "iss": self.recipient, "sub": self.recipient, "iat": now, "exp": now + 6 * 3600,
            "jwks": self.federation_key.jwks(), "authority_hints": [self.anchor], "trust_marks": marks,
            "metadata": {
                "federation_entity": {"organization_name": "Load city"},
                "oauth_client": {
                    "client_name": "Load city",
                    "client_registration_types": ["automatic"],
                    "redirect_uris": [self.redirect_uri()],
                    "response_types": ["code"],
                    "grant_types": ["authorization_code", "refresh_token",
                        "urn:ietf:params:oauth:grant-type:pre-authorized_code"],
                    "token_endpoint_auth_method": "private_key_jwt",
                    "token_endpoint_auth_signing_alg": "ES256",
                    "dpop_bound_access_tokens": true,
                    "authorization_details_types": ["omadata_dataset"],
                    "jwks": self.client_key.jwks(),
                    "omadata_events_endpoint": format!("{}/events", self.recipient),
                },
            },
        });
        self.federation_key.sign("entity-statement+jwt", &claims)
    }

    fn uses(&self) -> Value {
        let text = |en: &str| json!({"fi": format!("{en} (fi)"), "sv": format!("{en} (sv)"), "en": en});
        let contact = json!({"name": text("Load city"), "email": "privacy@load-city.invalid"});
        json!({"recipient": self.recipient, "name": text("Load city"), "uses": [{
            "id": self.use_id(),
            "service": "load-service",
            "serviceName": text("Load service"),
            "title": text("Measuring"),
            "purposeText": text("The load city asks for this to measure how fast it comes."),
            "purpose": "https://w3id.org/dpv#ServiceProvision",
            "legalBasis": "A6-1-a",
            "datasetType": DATASET_TYPE,
            "requiredFields": REQUIRED_FIELDS,
            "optionalFields": [],
            "maxExchanges": self.max_exchanges,
            "maxDays": 90,
            "retention": "P1Y",
            "otherwise": text("Nothing happens otherwise."),
            "controller": contact,
            "dataProtectionOfficer": contact,
        }]})
    }

    fn id_token(&self, login: &Login) -> Result<String> {
        let now = jose::now();
        let mut claims = json!({
            "iss": self.issuer, "aud": CLIENT_ID, "sub": login.resident, "iat": now, "exp": now + 300,
            "auth_time": now, "acr": login.acr, "amr": ["user"], "national_id": login.resident,
            "name": format!("Resident {}", login.resident),
        });
        if let Some(nonce) = &login.nonce {
            claims["nonce"] = json!(nonce);
        }
        self.login_key.sign("JWT", &claims)
    }
}

fn routes(app: &mut web::ServiceConfig) {
    app.route("/.well-known/openid-federation", web::get().to(configuration))
        .route("/catalogue/uses", web::get().to(uses))
        .route("/oauth/callback", web::get().to(async || HttpResponse::Ok().body("<h1>Back</h1>")))
        .route("/events", web::post().to(async || HttpResponse::Accepted().finish()))
        .route("/.well-known/openid-configuration", web::get().to(provider))
        .route("/jwks", web::get().to(jwks))
        .route("/authorize", web::get().to(authorize))
        .route("/token", web::post().to(token));
}

async fn configuration(parties: web::Data<Parties>) -> HttpResponse {
    match parties.configuration() {
        Ok(text) => {
            HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/entity-statement+jwt")).body(text)
        }
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

async fn uses(parties: web::Data<Parties>) -> HttpResponse {
    HttpResponse::Ok().json(parties.uses())
}

async fn jwks(parties: web::Data<Parties>) -> HttpResponse {
    HttpResponse::Ok().json(parties.login_key.jwks())
}

async fn provider(parties: web::Data<Parties>) -> HttpResponse {
    let at = |path: &str| format!("{}{path}", parties.issuer);
    HttpResponse::Ok().json(json!({
        "issuer": parties.issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "jwks_uri": at("/jwks"),
        "authorization_response_iss_parameter_supported": true,
        "scopes_supported": ["openid", "profile"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": ["urn:omadata:demo:loa2", "urn:omadata:demo:loa3"],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
    }))
}

/// Logs in whoever the cookie names, without a page, and sends the browser back at once.
async fn authorize(
    parties: web::Data<Parties>,
    query: web::Query<HashMap<String, String>>,
    request: HttpRequest,
) -> HttpResponse {
    let cookies = request.headers().get("cookie").and_then(|value| value.to_str().ok()).unwrap_or("");
    let resident = cookies.split("; ").find_map(|pair| pair.strip_prefix(WHO)?.strip_prefix('='));
    let (Some(resident), Some(back), Some(challenge)) = (
        resident,
        query.get("redirect_uri").and_then(|uri| Url::parse(uri).ok()),
        query.get("code_challenge"),
    ) else {
        return HttpResponse::BadRequest().body("who?");
    };
    let asked = query.get("acr_values").and_then(|levels| levels.split(' ').next());
    let login = Login {
        resident: resident.to_owned(),
        nonce: query.get("nonce").cloned(),
        challenge: challenge.clone(),
        acr: asked.unwrap_or("urn:omadata:demo:loa2").to_owned(),
    };
    let code = jose::secret::<24>();
    let mut logins = parties.logins.lock().unwrap_or_else(PoisonError::into_inner);
    if logins.len() >= CODES_AT_ONCE {
        logins.clear();
    }
    logins.insert(code.clone(), login);
    drop(logins);
    let mut back = back;
    back.query_pairs_mut().append_pair("code", &code).append_pair("iss", &parties.issuer);
    if let Some(state) = query.get("state") {
        back.query_pairs_mut().append_pair("state", state);
    }
    HttpResponse::SeeOther().insert_header((LOCATION, back.as_str())).finish()
}

async fn token(
    parties: web::Data<Parties>,
    form: web::Form<HashMap<String, String>>,
    request: HttpRequest,
) -> HttpResponse {
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{}", parties.client_secret)));
    let authorization = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if authorization != Some(&basic) {
        return HttpResponse::Unauthorized().json(json!({"error": "invalid_client"}));
    }
    let code = form.get("code").map(String::as_str).unwrap_or("");
    let login = parties.logins.lock().unwrap_or_else(PoisonError::into_inner).remove(code);
    let verifier = form.get("code_verifier").map(String::as_str).unwrap_or("");
    let fits = |login: &Login| login.challenge == jose::b64url(&jose::sha256(verifier.as_bytes()));
    let Some(id_token) = login.filter(fits).and_then(|login| parties.id_token(&login).ok()) else {
        return HttpResponse::BadRequest().json(json!({"error": "invalid_grant"}));
    };
    HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(json!({
        "access_token": jose::secret::<16>(), "token_type": "Bearer", "expires_in": 300, "scope": "openid profile",
        "id_token": id_token,
    }))
}
