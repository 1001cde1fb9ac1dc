//! The floor: what an exchange costs at least. The same web server as the node's, the token and the proof verified, one row in a
//! durable SQLite transaction that all waiting requests share, a receipt signed; and nothing of what makes it lawful.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::ValueEnum;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::browser::Browser;
use super::config::DATASET;
use super::consents::Permission;
use super::drive::Target;
use super::http;
use super::jose::{self, Key, Keys, Verifier};
use super::process::{self, Process};
use super::world::{CHILDREN, unit};

pub const RECIPIENT: &str = "http://load.localhost";
const PROOF_SECONDS: u64 = 60;

/// One row and who waits for it.
struct Row {
    name: String,
    at: u64,
    done: oneshot::Sender<bool>,
}

/// What a wrong floor does, so that it can be seen that the load program notices.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Fault {
    /// Another resident's records, now and then.
    OtherResident,
    /// One exchange's identifier for all.
    SameExchange,
    /// Receipts signed with a key that is not published.
    ForgedReceipt,
    /// A digest of other bytes.
    WrongDigest,
}

struct Floor {
    fault: Option<Fault>,
    served: AtomicUsize,
    base: String,
    token_key: Key,
    token_verifier: Verifier,
    receipt_key: Key,
    published: Value,
    rows: mpsc::Sender<Row>,
}

#[derive(Deserialize)]
struct ProofHeader<'a> {
    typ: &'a str,
    alg: &'a str,
    jwk: Value,
}

#[derive(Deserialize)]
struct Proof<'a> {
    htm: &'a str,
    htu: &'a str,
    iat: u64,
    jti: &'a str,
    ath: &'a str,
}

#[derive(Deserialize)]
struct Bound {
    jkt: String,
}

#[derive(Deserialize)]
struct Token<'a> {
    exp: u64,
    resident: usize,
    grant_id: &'a str,
    cnf: Bound,
}

/// Serves until the process ends.
pub fn serve(port: u16, folder: &Path, workers: usize, fault: Option<Fault>) -> Result<()> {
    let token_key = Key::generate()?;
    let receipt_key = Key::generate()?;
    let mut published = receipt_key.jwks();
    if fault == Some(Fault::ForgedReceipt) {
        published = Key::generate()?.jwks();
        published["keys"][0]["kid"] = json!(receipt_key.kid);
    }
    let floor = web::Data::new(Floor {
        fault,
        served: AtomicUsize::new(0),
        published,
        base: format!("http://floor.localhost:{port}"),
        token_verifier: Verifier::from_jwk(&token_key.jwk())?,
        token_key,
        receipt_key,
        rows: writer(&folder.join("floor.sqlite"))?,
    });
    actix_web::rt::System::new().block_on(async move {
        HttpServer::new(move || {
            App::new()
                .app_data(floor.clone())
                .route("/ready", web::get().to(async || HttpResponse::NoContent().finish()))
                .route("/prepare", web::get().to(prepare))
                .route("/exchange/datasets/{dataset}", web::get().to(exchange))
        })
        .workers(workers)
        .bind(("127.0.0.1", port))?
        .run()
        .await
    })?;
    Ok(())
}

/// The thread that writes: one transaction for all that wait, then all answers.
fn writer(path: &Path) -> Result<mpsc::Sender<Row>> {
    let mut database = rusqlite::Connection::open(path)?;
    database.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE used (name TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;",
    )?;
    let (rows, waiting) = mpsc::channel::<Row>();
    std::thread::spawn(move || {
        while let Ok(first) = waiting.recv() {
            let mut batch = vec![first];
            batch.extend(waiting.try_iter());
            let kept = keep(&mut database, &batch).unwrap_or_default();
            for (number, row) in batch.into_iter().enumerate() {
                // Whoever no longer waits needs no answer.
                let _ = row.done.send(kept.get(number).copied().unwrap_or(false));
            }
        }
    });
    Ok(rows)
}

fn keep(database: &mut rusqlite::Connection, batch: &[Row]) -> rusqlite::Result<Vec<bool>> {
    let transaction = database.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let mut kept = Vec::with_capacity(batch.len());
    for row in batch {
        let mut insert = transaction.prepare_cached("INSERT OR IGNORE INTO used VALUES (?1, ?2)")?;
        kept.push(insert.execute((&row.name, row.at.cast_signed()))? == 1);
    }
    transaction.commit()?;
    Ok(kept)
}

/// A token of a resident, bound to a key: with as many bytes as a consent token, which has the permission in it.
pub fn token(key: &Key, issuer: &str, jkt: &str, resident: usize) -> Result<String> {
    let now = jose::now();
    key.sign("at+jwt", &json!({
        "iss": issuer, "aud": issuer, "sub": jose::secret::<128>(), "client_id": RECIPIENT, "iat": now, "nbf": now,
        "exp": now + 86_400, "jti": jose::secret::<16>(), "resident": resident, "grant_id": jose::secret::<16>(),
        "cnf": {"jkt": jkt}, "consent_commitment": jose::secret::<32>(),
        "authorization_details": [{"type": "omadata_dataset", "locations": [issuer], "identifier": DATASET,
            "actions": ["read"], "datatypes": ["childName", "unit", "startDate", "endDate"],
            "use": format!("{RECIPIENT}/catalogue/uses/load"), "purpose": "https://w3id.org/dpv#ServiceProvision",
            "frequency": {"max": 1_000_000}, "retention": "P1Y", "until": "2030-01-01"}],
        "status": {"status_list": {"idx": resident, "uri": format!("{issuer}/oauth/status/1")}},
    }))
}

/// Tokens for so many residents.
async fn prepare(floor: web::Data<Floor>, query: web::Query<HashMap<String, String>>) -> HttpResponse {
    let jkt = query.get("jkt").map(String::as_str).unwrap_or("");
    let count = query.get("count").and_then(|count| count.parse().ok()).unwrap_or(0);
    let tokens = (0..count).map(|resident| token(&floor.token_key, &floor.base, jkt, resident));
    match tokens.collect::<Result<Vec<_>>>() {
        Ok(tokens) => {
            HttpResponse::Ok().json(json!({"tokens": tokens, "jwks": floor.published, "base": floor.base}))
        }
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

/// The answer of a resident, as the node gives it.
pub fn body(resident: usize) -> String {
    let record = |child: usize| {
        json!({"childName": format!("Child {child} of LOAD-{resident:07}"), "unit": unit(resident, child),
            "startDate": "2024-08-01", "endDate": "2030-07-31"})
    };
    let about = |child: usize| json!({"person": format!("{resident:021}{child}"), "record": format!("{child}{resident:021}")});
    json!({"dataset": DATASET, "records": (0..CHILDREN).map(record).collect::<Vec<_>>(),
        "about": (0..CHILDREN).map(about).collect::<Vec<_>>()})
    .to_string()
}

async fn exchange(floor: web::Data<Floor>, request: HttpRequest) -> HttpResponse {
    match answer(&floor, &request).await {
        Ok(answer) => answer,
        Err(error) => HttpResponse::Unauthorized().json(json!({"error": error.to_string()})),
    }
}

thread_local! {
    /// Keys of proofs, parsed once.
    static PROOF_KEYS: RefCell<HashMap<String, Rc<Verifier>>> = RefCell::default();
}

async fn answer(floor: &Floor, request: &HttpRequest) -> Result<HttpResponse> {
    let header =
        |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).context("a header");
    let token = header(AUTHORIZATION.as_str())?.strip_prefix("DPoP ").context("no token")?;
    let now = jose::now();
    floor.token_verifier.verify_signature(token)?;
    let payload = part(token, 1)?;
    let claims: Token<'_> = serde_json::from_slice(&payload)?;
    let proof = header("dpop")?;
    let name = proof_of(&floor.base, request, proof, token, &claims, now)?;
    let (done, written) = oneshot::channel();
    floor.rows.send(Row { name, at: now, done }).ok().context("no writer")?;
    if !written.await? {
        bail!("a proof for the second time");
    }
    // A fault comes in the middle of a run, not at once.
    let fault = floor.fault.filter(|_| floor.served.fetch_add(1, Ordering::Relaxed) % 100 > 50);
    let body = body(claims.resident + usize::from(fault == Some(Fault::OtherResident)));
    let digest = jose::sha256(body.as_bytes());
    let stated = if fault == Some(Fault::WrongDigest) { jose::sha256(b"") } else { digest };
    let name = if fault == Some(Fault::SameExchange) { "same".to_owned() } else { jose::secret::<16>() };
    let receipt = floor.receipt_key.sign("exchange-receipt+jwt", &json!({
        "iss": floor.base, "aud": RECIPIENT, "iat": now, "jti": name, "grant_id": claims.grant_id,
        "dataset": DATASET, "fields": ["childName", "unit", "startDate", "endDate"], "records": CHILDREN,
        "persons": [{"person": format!("{:021}0", claims.resident)}, {"person": format!("{:021}1", claims.resident)}],
        "proof_digest": jose::b64url(&jose::sha256(proof.as_bytes())), "body_digest": jose::b64url(&digest),
        "log_entry": jose::secret::<32>(),
    }))?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header(("Content-Digest", format!("sha-256=:{}:", jose::b64(&stated))))
        .insert_header(("OmaData-Receipt", receipt))
        .body(body))
}

fn part(text: &str, number: usize) -> Result<Vec<u8>> {
    Ok(URL_SAFE_NO_PAD.decode(text.split('.').nth(number).context("not a compact JWS")?)?)
}

/// The name of a proof that is made for this request with the token's key.
fn proof_of(
    base: &str,
    request: &HttpRequest,
    proof: &str,
    token: &str,
    claims: &Token<'_>,
    now: u64,
) -> Result<String> {
    let head = part(proof, 0)?;
    let head: ProofHeader<'_> = serde_json::from_slice(&head)?;
    let jkt = jose::thumbprint(&head.jwk)?;
    let fits = head.typ == "dpop+jwt" && head.alg == "ES256" && jkt == claims.cnf.jkt && claims.exp > now;
    if !fits {
        bail!("the token is bound to another key");
    }
    let key = PROOF_KEYS.with_borrow_mut(|keys| {
        if let Some(key) = keys.get(&jkt) {
            return anyhow::Ok(key.clone());
        }
        let key = Rc::new(Verifier::from_jwk(&head.jwk)?);
        keys.insert(jkt.clone(), key.clone());
        Ok(key)
    })?;
    key.verify_signature(proof)?;
    let payload = part(proof, 1)?;
    let stated: Proof<'_> = serde_json::from_slice(&payload)?;
    let fits = stated.htm == request.method().as_str()
        && stated.htu.strip_prefix(base) == Some(request.path())
        && stated.iat.abs_diff(now) <= PROOF_SECONDS
        && stated.ath == jose::b64url(&jose::sha256(token.as_bytes()));
    if !fits {
        bail!("the proof is for another request");
    }
    Ok(format!("{jkt} {}", stated.jti))
}

/// The floor as a process, with tokens for so many residents.
pub async fn start(
    folder: &Path,
    workers: usize,
    residents: usize,
    key: &std::sync::Arc<Key>,
    fault: Option<Fault>,
) -> Result<(Process, Rc<Target>)> {
    let port = process::free_port()?;
    let mut command = Command::new(this_program()?);
    command
        .args(["floor-serve", "--port", &port.to_string(), "--workers", &workers.to_string(), "--folder"])
        .arg(folder);
    if let Some(fault) = fault.and_then(|fault| fault.to_possible_value()) {
        command.args(["--fault", fault.get_name()]);
    }
    let process = Process::start(&mut command, port, "/ready", &folder.join("floor.log")).await?;
    let prepared = http::get(&format!("http://127.0.0.1:{port}/prepare?jkt={}&count={residents}", key.kid))
        .await?
        .json()?;
    let base = prepared["base"].as_str().context("no base")?.to_owned();
    let tokens = prepared["tokens"].as_array().context("no tokens")?;
    let target = Target {
        ports: vec![port],
        url: format!("{base}/exchange/datasets/{DATASET}"),
        holder: base,
        recipient: RECIPIENT.to_owned(),
        key: key.clone(),
        permissions: tokens
            .iter()
            .enumerate()
            .map(|(resident, token)| permission(resident, token.as_str().context("a token")?))
            .collect::<Result<_>>()?,
        receipts: Some(Rc::new(Keys::from_jwks(&prepared["jwks"])?)),
        served: std::cell::Cell::default(),
    };
    Ok((process, Rc::new(target)))
}

/// A permission of which there is only a token.
pub fn permission(resident: usize, token: &str) -> Result<Rc<Permission>> {
    Ok(Rc::new(Permission::of(resident, token, Browser::default())?))
}

fn this_program() -> Result<PathBuf> {
    std::env::current_exe().context("this program's own file")
}
