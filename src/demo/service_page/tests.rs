//! The page against a small fake node with the service API.

use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use actix_web::dev::ServerHandle;
use actix_web::{HttpRequest, HttpResponse};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use actix_web::{App, HttpServer};

use super::*;
use crate::domain::jose;

const SECRET: &str = "a+b secret";

struct StillClock;

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_800_000_000)
    }
}

struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        let seed = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        for (target, source) in buffer.iter_mut().zip(jose::sha256(&seed).iter().cycle()) {
            *target = *source;
        }
    }
}

/// The present behaviour of Helsinki's node.
#[derive(Default)]
struct FakeNode {
    state: StdMutex<String>,
    asked: StdMutex<Value>,
    tokens: AtomicUsize,
    /// Tokens before this one are no longer valid.
    valid_from: AtomicUsize,
    start_url: StdMutex<String>,
}

impl FakeNode {
    fn lets_in(&self, http: &HttpRequest) -> bool {
        let header = http.headers().get("authorization").unwrap().to_str().unwrap();
        let number: usize = header.strip_prefix("Bearer a-long-access-token-").unwrap().parse().unwrap();
        number >= self.valid_from.load(Ordering::SeqCst)
    }
}

fn problem(status: u16, title: &str) -> HttpResponse {
    HttpResponse::build(StatusCode::from_u16(status).unwrap()).content_type("application/problem+json").body(
        json!({"type": "/problems/x", "title": title, "status": status,
            "detail": "What to <do>.", "side": "holder", "trace": "4711"})
        .to_string(),
    )
}

use actix_web::http::StatusCode;

async fn token(node: web::Data<FakeNode>, http: HttpRequest, form: web::Bytes) -> HttpResponse {
    let header = http.headers().get("authorization").unwrap().to_str().unwrap();
    let decoded = STANDARD.decode(header.strip_prefix("Basic ").unwrap()).unwrap();
    assert_eq!(decoded, b"early-education:a%2Bb+secret");
    assert_eq!(form, "grant_type=client_credentials");
    let number = node.tokens.fetch_add(1, Ordering::SeqCst) + 1;
    let token = format!("a-long-access-token-{number}");
    HttpResponse::Ok().json(json!({"access_token": token, "token_type": "Bearer", "expires_in": 600}))
}

async fn consent_requests(
    node: web::Data<FakeNode>,
    http: HttpRequest,
    body: web::Json<Value>,
) -> HttpResponse {
    if !node.lets_in(&http) {
        return problem(401, "The token has ended");
    }
    *node.asked.lock().unwrap() = body.into_inner();
    *node.state.lock().unwrap() = "requested".into();
    HttpResponse::Created().json(json!({"id": "consent/1", "state": "requested", "startUrl":
        node.start_url.lock().unwrap().clone(), "expiresAt": "2027-01-15T08:30:00Z"}))
}

async fn consent(node: web::Data<FakeNode>, http: HttpRequest, id: web::Path<String>) -> HttpResponse {
    assert_eq!(*id, "consent/1");
    if !node.lets_in(&http) {
        return problem(401, "The token has ended");
    }
    let state = node.state.lock().unwrap().clone();
    let mut view = json!({"id": "consent/1", "state": state});
    match state.as_str() {
        "requested" => view["startUrl"] = json!(*node.start_url.lock().unwrap()),
        "ended" => view["reason"] = json!("taken_back"),
        _ => (),
    }
    HttpResponse::Ok().json(view)
}

async fn consents() -> HttpResponse {
    HttpResponse::Ok().json(json!({"consents": [
        {"id": "consent/1", "state": "active", "dataset": "placements", "holder": "http://espoo.localhost", "origin": "portal"},
    ]}))
}

async fn fetch(node: web::Data<FakeNode>) -> HttpResponse {
    match node.state.lock().unwrap().as_str() {
        "active" => HttpResponse::Ok().json(json!({
            "data": [{"childName": "Eino", "unit": "Daycare <Harbour>", "startDate": "2026-08-01"},
                     {"childName": "Eino", "unit": null, "endDate": "2027-05-31"}],
            "receipt": "e".repeat(300),
        })),
        _ => problem(409, "The permission does not hold"),
    }
}

struct Bench {
    node: web::Data<FakeNode>,
    servers: [ServerHandle; 2],
    page: String,
    http: reqwest::Client,
}

fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn city(id: &str, node: &str) -> City {
    City {
        id: id.to_owned(),
        name: format!("City of {id}"),
        node: node.parse().unwrap(),
        client_id: "early-education".to_owned(),
        client_secret: SECRET.to_owned().into(),
        uses: vec![ServiceUse {
            url: format!("{node}/catalogue/uses/daycare"),
            title: "Daycare application".to_owned(),
            purpose: "To decide on the application.".to_owned(),
            dataset_type: "early-education-placements".to_owned(),
            max_exchanges: 10,
        }],
        datasets: vec![HeldDataset {
            id: "placements".to_owned(),
            kind: "early-education-placements".to_owned(),
            title: "Placements".to_owned(),
        }],
    }
}

impl Bench {
    fn new() -> Self {
        let node: web::Data<FakeNode> = web::Data::new(FakeNode::default());
        *node.start_url.lock().unwrap() = "http://helsinki.localhost/requests/1".into();
        let served = node.clone();
        let (listener, node_port) = listen();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(served.clone())
                .route("/api/v1/token", web::post().to(token))
                .route("/api/v1/consent-requests", web::post().to(consent_requests))
                .route("/api/v1/consents", web::get().to(consents))
                .route("/api/v1/consents/{id}", web::get().to(consent))
                .route("/api/v1/consents/{id}/fetch", web::post().to(fetch))
        });
        let node_server = server.workers(1).disable_signals().listen(listener).unwrap().run();
        let (listener, port) = listen();
        let page = format!("http://127.0.0.1:{port}");
        let config = ServicePageConfig {
            base_url: page.parse().unwrap(),
            cities: vec![
                city("helsinki", &format!("http://helsinki.localhost:{node_port}")),
                city("espoo", "http://espoo.localhost:9"),
            ],
            residents: vec![Customer {
                username: "aino".to_owned(),
                name: "Aino Esimerkki".to_owned(),
                identifier: NationalIdentifier::new("010190-999C").unwrap(),
            }],
        };
        let service =
            ServicePage::new(config, Arc::new(StillClock), Arc::new(Counting(AtomicU64::new(0)))).unwrap();
        let page_server = service.run(listener).unwrap();
        let servers = [node_server.handle(), page_server.handle()];
        actix_web::rt::spawn(node_server);
        actix_web::rt::spawn(page_server);
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self { node, servers, page, http }
    }

    async fn get(&self, path: &str) -> String {
        let response = self.http.get(format!("{}{path}", self.page)).send().await.unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let body = response.text().await.unwrap();
        assert!(!body.contains("<script") && !body.contains(" style="));
        body
    }

    /// Sends a form and returns the path that it redirects to.
    async fn post(&self, path: &str, form: &[(&str, &str)]) -> String {
        let response = self.http.post(format!("{}{path}", self.page)).form(form).send().await.unwrap();
        assert_eq!(response.status(), 303);
        response.headers()["location"].to_str().unwrap().to_owned()
    }

    async fn ask(&self, person: &str) -> String {
        let form = [
            ("asking", "helsinki"),
            ("holding", "espoo"),
            ("choice", "0 placements"),
            ("person", person),
            ("often", "yes"),
        ];
        self.post("/ask", &form).await
    }

    async fn stop(self) {
        for server in self.servers {
            server.stop(false).await;
        }
    }
}

#[actix_web::test]
async fn a_case_goes_from_the_question_to_the_data_and_to_the_refusal() {
    let bench = Bench::new();
    let home = bench.get("/").await;
    assert!(
        home.contains("City of helsinki asks City of espoo") && home.contains("Aino Esimerkki"),
        "{home}"
    );
    assert!(!home.contains("010190"), "the identifier is not on the form");

    let case = bench.ask("aino").await;
    let asked = bench.node.asked.lock().unwrap().clone();
    assert_eq!(asked["times"], 10);
    assert_eq!(asked["holder"], "http://espoo.localhost:9");
    assert_eq!(asked["dataset"], "placements");
    assert!(asked["use"].as_str().unwrap().ends_with("/catalogue/uses/daycare"));
    assert_eq!(asked["person"], "010190-999C");
    assert_eq!(asked["caseReference"], "HELSINKI-0001");
    assert_eq!(asked["returnUrl"], format!("{}{case}", bench.page));

    let shown = bench.get(&case).await;
    assert!(shown.contains("href=\"http://helsinki.localhost/requests/1\""), "{shown}");
    assert!(shown.contains("Waiting for the resident") && shown.contains("POST</span>"));
    assert!(!shown.contains(SECRET) && !shown.contains("a-long-access-token"), "secrets are shortened");

    bench.post(&format!("{case}/fetch"), &[]).await;
    let refused = bench.get(&case).await;
    assert!(
        refused.contains("The permission does not hold") && refused.contains("What to &#60;do&#62;."),
        "{refused}"
    );
    assert!(refused.contains("4711") && refused.contains("/problems/x\">What this"));

    *bench.node.state.lock().unwrap() = "active".into();
    bench.post(&format!("{case}/fetch"), &[]).await;
    let fetched = bench.get(&case).await;
    assert!(fetched.contains("In force") && fetched.contains("Daycare &#60;Harbour&#62;"), "{fetched}");
    assert!(fetched.contains("<th scope=\"col\">endDate</th>") && fetched.contains("2027-05-31"));
    assert!(!fetched.contains("<div class=\"problem\">"), "an earlier problem is not shown again");

    *bench.node.state.lock().unwrap() = "ended".into();
    bench.post(&format!("{case}/fetch"), &[]).await;
    let stopped = bench.get(&case).await;
    assert!(stopped.contains("The resident has stopped it"), "{stopped}");
    assert!(!stopped.contains("Harbour"), "data of before is not shown as if it were fetched now");
    assert!(bench.get("/").await.contains("HELSINKI-0001"));
    assert_eq!(bench.node.tokens.load(Ordering::SeqCst), 1, "one token serves until it ends");
    bench.stop().await;
}

#[actix_web::test]
async fn a_token_that_ended_early_is_replaced() {
    let bench = Bench::new();
    let case = bench.ask("aino").await;
    bench.node.valid_from.store(2, Ordering::SeqCst);
    assert!(bench.get(&case).await.contains("Waiting for the resident"));
    assert_eq!(bench.node.tokens.load(Ordering::SeqCst), 2);
    // And no further attempt if a new token does not help either.
    bench.node.valid_from.store(99, Ordering::SeqCst);
    assert!(bench.get(&case).await.contains("The token has ended"));
    assert_eq!(bench.node.tokens.load(Ordering::SeqCst), 3);
    bench.stop().await;
}

#[actix_web::test]
async fn permissions_that_residents_started_are_taken_up() {
    let bench = Bench::new();
    let list = bench.get("/cities/helsinki/permissions").await;
    assert!(
        list.contains("the resident, in the portal") && list.contains("/permissions/consent%2F1"),
        "{list}"
    );
    *bench.node.state.lock().unwrap() = "active".into();
    let case = bench.post("/cities/helsinki/permissions/consent%2F1", &[]).await;
    assert!(bench.get(&case).await.contains("In force"));
    assert_eq!(
        bench.post("/cities/helsinki/permissions/consent%2F1", &[]).await,
        case,
        "one case for one permission"
    );
    bench.stop().await;
}

#[actix_web::test]
async fn what_does_not_fit_is_said_plainly() {
    let bench = Bench::new();
    assert_eq!(bench.ask("").await.len(), "/cases/".len() + 16);
    assert_eq!(bench.node.asked.lock().unwrap().get("person"), None, "nobody is expected");

    // Espoo's node is not there.
    let form = [("asking", "espoo"), ("holding", "helsinki"), ("choice", "0 placements"), ("person", "aino")];
    let case = bench.post("/ask", &form).await;
    let shown = bench.get(&case).await;
    assert!(shown.contains("The node does not answer") && shown.contains("no answer"), "{shown}");

    *bench.node.start_url.lock().unwrap() = "javascript:alert(1)".into();
    let case = bench.ask("aino").await;
    assert!(!bench.get(&case).await.contains("href=\"javascript"));

    let send = async |form: &[(&str, &str)], origin: &str| {
        let request = bench.http.post(format!("{}/ask", bench.page)).header("origin", origin).form(form);
        request.send().await.unwrap().status().as_u16()
    };
    let good = [("asking", "helsinki"), ("holding", "espoo"), ("choice", "0 placements"), ("person", "aino")];
    assert_eq!(send(&good, "http://evil.localhost").await, 403);
    assert_eq!(send(&good, &bench.page).await, 303);
    for choice in ["", "0", "7 placements", "0 diagnoses", "-1 placements"] {
        let form = [("asking", "helsinki"), ("holding", "espoo"), ("choice", choice)];
        assert_eq!(send(&form, &bench.page).await, 400, "{choice}");
    }
    for path in ["/cases/unknown", "/cities/atlantis/permissions", "/elsewhere"] {
        let status = bench.http.get(format!("{}{path}", bench.page)).send().await.unwrap().status();
        assert_eq!(status, 404, "{path}");
    }
    bench.stop().await;
}
