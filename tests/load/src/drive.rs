//! Exchanges over kept connections, a fresh proof for each, every answer checked.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

use super::consents::Permission;
use super::http::{Answer, Connection};
use super::jose::{self, Key, Keys};
use super::process;
use super::world::{CHILDREN, unit};

/// Receipts that are kept at most for checking their signatures after the run: all of a short run, a share of a long one.
const KEPT_RECEIPTS: usize = 50_000;
/// Wrong answers of which the run tells more than the number.
const TOLD: usize = 5;

/// How to drive.
#[derive(Clone)]
pub struct Plan {
    pub connections: usize,
    /// Ends after so many exchanges, or so long.
    pub exchanges: Option<u64>,
    pub length: Option<Duration>,
    /// Exchanges a second, each sent at its own time whatever the answers before; as fast as the answers come otherwise.
    pub rate: Option<f64>,
}

impl Plan {
    pub fn of(connections: usize) -> Self {
        Self { connections, exchanges: None, length: None, rate: None }
    }
}

/// Who is asked, and how answers are judged.
pub struct Target {
    pub ports: Vec<u16>,
    pub url: String,
    pub holder: String,
    pub recipient: String,
    pub key: Arc<Key>,
    pub permissions: Vec<Rc<Permission>>,
    /// Of receipts; none where the server gives none, and one static answer for all.
    pub receipts: Option<Rc<Keys>>,
    /// Exchanges that were answered with data, in all runs.
    pub served: Cell<u64>,
}

/// What came of it.
#[derive(Default, Serialize, Clone)]
pub struct Outcome {
    pub exchanges: u64,
    pub seconds: f64,
    pub per_second: f64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
    pub nonce_renewals: u64,
    pub refusals: BTreeMap<String, u64>,
    pub wrong: u64,
    pub told: Vec<String>,
    pub receipts_verified: u64,
    /// Refused because the resident had stopped the permission, or was about to.
    pub refused_after_stop: u64,
    /// Served though sent after the portal had confirmed the stop.
    pub served_after_stop: u64,
    /// Processor time of this program.
    pub own_cpu_us_per_exchange: f64,
    pub body_bytes: usize,
}

/// State of one run, shared by its connections.
struct Run {
    target: Rc<Target>,
    plan: Plan,
    header: String,
    path: String,
    host: String,
    nonce: RefCell<String>,
    started: Cell<u64>,
    until: Option<Instant>,
    over: Option<watch::Receiver<bool>>,
    outcome: RefCell<Outcome>,
    times: RefCell<Vec<f32>>,
    exchanges_seen: RefCell<HashSet<[u8; 16]>>,
    receipts: RefCell<KeptReceipts>,
}

/// Every so many receipts: when there are too many, every second of them goes, and twice as few come.
#[derive(Default)]
struct KeptReceipts {
    kept: Vec<String>,
    seen: usize,
    halved: u32,
}

impl KeptReceipts {
    fn keep(&mut self, text: &str) {
        if self.seen.is_multiple_of(1 << self.halved) {
            self.kept.push(text.to_owned());
        }
        self.seen += 1;
        if self.kept.len() == KEPT_RECEIPTS {
            let mut number = 0;
            self.kept.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            self.halved += 1;
        }
    }
}

#[derive(Deserialize)]
struct Receipt<'a> {
    iss: &'a str,
    aud: &'a str,
    jti: &'a str,
    grant_id: &'a str,
    proof_digest: &'a str,
    body_digest: &'a str,
    records: usize,
}

/// Runs a plan against a target.
pub async fn drive(target: &Rc<Target>, plan: &Plan) -> Result<Outcome> {
    drive_until(target, plan, None).await
}

/// As [`drive`], and ends when it is told.
pub async fn drive_until(
    target: &Rc<Target>,
    plan: &Plan,
    over: Option<watch::Receiver<bool>>,
) -> Result<Outcome> {
    let url = url::Url::parse(&target.url)?;
    let own = process::cpu(&[std::process::id()]);
    let begin = Instant::now();
    let run = Rc::new(Run {
        header: target.key.proof_header(),
        path: url.path().to_owned(),
        host: format!("{}:{}", url.host_str().unwrap_or(""), url.port().unwrap_or(80)),
        target: target.clone(),
        plan: plan.clone(),
        nonce: RefCell::default(),
        started: Cell::new(0),
        over,
        until: plan.length.map(|length| begin + length),
        outcome: RefCell::default(),
        times: RefCell::default(),
        exchanges_seen: RefCell::default(),
        receipts: RefCell::default(),
    });
    let ticks = plan.rate.map(|rate| Rc::new(tokio::sync::Mutex::new(pace(begin, rate, plan))));
    let workers = (0..plan.connections).map(|number| {
        let (run, ticks) = (run.clone(), ticks.clone());
        let port = target.ports[number % target.ports.len()];
        tokio::task::spawn_local(async move { run.connection(port, ticks).await })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.map_err(|_| anyhow!("a task ended"))?;
    }
    let seconds = begin.elapsed().as_secs_f64();
    let own = process::cpu(&[std::process::id()]) - own;
    let mut outcome = run.finish(seconds);
    outcome.own_cpu_us_per_exchange = own.as_secs_f64() * 1e6 / outcome.exchanges.max(1) as f64;
    Ok(outcome)
}

/// The times at which exchanges are to be sent, each told at its time by a thread that sleeps more exactly than a runtime.
fn pace(begin: Instant, rate: f64, plan: &Plan) -> mpsc::UnboundedReceiver<Instant> {
    let (send, receive) = mpsc::unbounded_channel();
    let most = plan.exchanges.unwrap_or(u64::MAX);
    let until = plan.length.map(|length| begin + length);
    std::thread::spawn(move || {
        for number in 0..most {
            let due = begin + Duration::from_secs_f64(number as f64 / rate);
            if until.is_some_and(|until| due >= until) {
                return;
            }
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if send.send(due).is_err() {
                return;
            }
        }
    });
    receive
}

type Ticks = Rc<tokio::sync::Mutex<mpsc::UnboundedReceiver<Instant>>>;

impl Run {
    async fn connection(&self, port: u16, ticks: Option<Ticks>) {
        let mut connection = Connection::new(port);
        loop {
            let due = match &ticks {
                Some(ticks) => match ticks.lock().await.recv().await {
                    Some(due) => Some(due),
                    None => return,
                },
                None => None,
            };
            if self.until.is_some_and(|until| Instant::now() >= until)
                || self.over.as_ref().is_some_and(|over| *over.borrow())
                || self.plan.exchanges.is_some_and(|most| self.started.get() >= most)
            {
                return;
            }
            let number = self.started.replace(self.started.get() + 1);
            let which = usize::try_from(number).unwrap_or(0) % self.target.permissions.len();
            let permission = &self.target.permissions[which];
            if let Err(error) = self.exchange(&mut connection, permission, due).await {
                self.count_refusal(format!("broken: {error:#}"));
            }
        }
    }

    async fn exchange(
        &self,
        connection: &mut Connection,
        permission: &Permission,
        due: Option<Instant>,
    ) -> Result<()> {
        let mut renewed = false;
        loop {
            let proof = self.proof(permission)?;
            let request = format!(
                "GET {} HTTP/1.1\r\nHost: {}\r\nAuthorization: DPoP {}\r\nDPoP: {proof}\r\n\r\n",
                self.path, self.host, permission.token
            );
            let sent = Instant::now();
            let answer = connection.exchange(request.as_bytes()).await?;
            let took = due.unwrap_or(sent).elapsed();
            if let Some(nonce) = answer.header("dpop-nonce") {
                let mut known = self.nonce.borrow_mut();
                if *known != nonce {
                    nonce.clone_into(&mut known);
                }
            }
            if answer.status == 200 {
                self.target.served.set(self.target.served.get() + 1);
                if permission.stopped.get().is_some_and(|stopped| sent > stopped) {
                    self.outcome.borrow_mut().served_after_stop += 1;
                }
                self.times.borrow_mut().push(took.as_secs_f32() * 1000.0);
                match self.check(permission, &proof, &answer) {
                    Ok(()) => self.outcome.borrow_mut().exchanges += 1,
                    Err(error) => self.tell_wrong(&format!("resident {}: {error:#}", permission.resident)),
                }
                return Ok(());
            }
            let challenge = answer.header("www-authenticate").unwrap_or("");
            if challenge.contains("use_dpop_nonce") && !renewed {
                renewed = true;
                self.outcome.borrow_mut().nonce_renewals += 1;
                continue;
            }
            if permission.stopping.get().is_some() {
                self.outcome.borrow_mut().refused_after_stop += 1;
            } else {
                self.count_refusal(format!("{} {}", answer.status, reason(&answer)));
            }
            return Ok(());
        }
    }

    /// A proof that has never been sent (RFC 9449 §4.2).
    fn proof(&self, permission: &Permission) -> Result<String> {
        let nonce = self.nonce.borrow();
        let nonce = if nonce.is_empty() { String::new() } else { format!(r#","nonce":"{nonce}""#) };
        let payload = format!(
            r#"{{"htm":"GET","htu":"{}","iat":{},"jti":"{}","ath":"{}"{nonce}}}"#,
            self.target.url,
            jose::now(),
            jose::secret::<16>(),
            permission.token_hash,
        );
        self.target.key.sign_parts(&self.header, payload.as_bytes())
    }

    /// Whether the answer is what this permission gives, nobody else's, and has a receipt that says so.
    fn check(&self, permission: &Permission, proof: &str, answer: &Answer) -> Result<()> {
        if self.target.receipts.is_none() {
            return ensure(!answer.body.is_empty(), "no body");
        }
        let digest = jose::sha256(&answer.body);
        let stated = answer.header("content-digest").unwrap_or("");
        ensure(stated == format!("sha-256=:{}:", jose::b64(&digest)), "Content-Digest does not fit")?;
        let mut known = permission.body.borrow_mut();
        match &*known {
            Some(body) => ensure(*body == answer.body, "the body is another one than before")?,
            None => {
                is_of(permission.resident, &answer.body)?;
                *known = Some(answer.body.clone());
            }
        }
        let text = answer.header("omadata-receipt").ok_or_else(|| anyhow!("no receipt"))?;
        let payload = URL_SAFE_NO_PAD.decode(text.split('.').nth(1).unwrap_or(""))?;
        let receipt: Receipt<'_> = serde_json::from_slice(&payload)?;
        ensure(
            receipt.iss == self.target.holder && receipt.aud == self.target.recipient,
            "a receipt of others",
        )?;
        ensure(receipt.grant_id == permission.grant_id, "a receipt of another permission")?;
        ensure(receipt.records == CHILDREN, "a receipt of other records")?;
        ensure(receipt.body_digest == jose::b64url(&digest), "a receipt of another body")?;
        ensure(
            receipt.proof_digest == jose::b64url(&jose::sha256(proof.as_bytes())),
            "a receipt of another proof",
        )?;
        let mut name = [0; 16];
        name.copy_from_slice(&jose::sha256(receipt.jti.as_bytes())[..16]);
        ensure(
            self.exchanges_seen.borrow_mut().insert(name),
            "an exchange's identifier for the second time",
        )?;
        self.receipts.borrow_mut().keep(text);
        Ok(())
    }

    fn tell_wrong(&self, what: &str) {
        let mut outcome = self.outcome.borrow_mut();
        outcome.wrong += 1;
        if outcome.told.len() < TOLD {
            outcome.told.push(what.to_owned());
        }
    }

    fn count_refusal(&self, what: String) {
        *self.outcome.borrow_mut().refusals.entry(what).or_default() += 1;
    }

    fn finish(&self, seconds: f64) -> Outcome {
        // Signatures after the run, so that the node is not measured beside them.
        for text in self.receipts.take().kept {
            let keys = self.target.receipts.as_ref();
            match keys.map(|keys| keys.verify("exchange-receipt+jwt", &text)) {
                Some(Err(error)) => self.tell_wrong(&format!("receipt: {error:#}")),
                _ => self.outcome.borrow_mut().receipts_verified += 1,
            }
        }
        let mut outcome = self.outcome.take();
        let mut times = self.times.take();
        times.sort_by(f32::total_cmp);
        let quantile = |q: f64| {
            let rank = (q * times.len() as f64).ceil() as usize;
            times.get(rank.saturating_sub(1)).or(times.last()).copied().map_or(0.0, f64::from)
        };
        outcome.seconds = seconds;
        outcome.per_second = outcome.exchanges as f64 / seconds;
        outcome.p50_ms = quantile(0.5);
        outcome.p90_ms = quantile(0.9);
        outcome.p99_ms = quantile(0.99);
        outcome.max_ms = quantile(1.0);
        let first = self.target.permissions.first().and_then(|one| one.body.borrow().as_ref().map(Vec::len));
        outcome.body_bytes = first.unwrap_or(0);
        outcome
    }
}

fn ensure(holds: bool, otherwise: &'static str) -> Result<()> {
    if holds { Ok(()) } else { Err(anyhow!(otherwise)) }
}

/// Whether a body has all of this resident's records, and no word of another's.
pub fn is_of(resident: usize, body: &[u8]) -> Result<()> {
    let text = std::str::from_utf8(body)?;
    let own = (0..CHILDREN).all(|child| text.contains(&unit(resident, child)));
    ensure(own, "the resident's records are missing")?;
    ensure(text.matches("Unit ").count() == CHILDREN, "records of somebody else")
}

/// Why an answer refuses: the OAuth error, or the problem's type.
fn reason(answer: &Answer) -> String {
    let challenge = answer.header("www-authenticate").unwrap_or("");
    if let Some(error) = challenge.split("error=\"").nth(1).and_then(|rest| rest.split('"').next()) {
        return error.to_owned();
    }
    let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let kind = ["code", "type", "error"].iter().find_map(|name| problem[*name].as_str());
    kind.and_then(|kind| kind.rsplit(['/', ':']).next()).unwrap_or("without reason").to_owned()
}
