//! A holder that is another program, and releases more or other than was allowed: nothing of it reaches the service, and
//! both operators hear of it. Espoo's answers pass a proxy that changes them and signs the receipt anew with Espoo's key.

use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use omadata::config::Config;
use omadata::demo::run::Adjust;
use omadata::domain::exchange::receipt::digest;
use omadata::domain::jose::SigningKey;
use omadata::store::holder::exchanges;
use omadata::store::keys::signing_keys;
use omadata::store::keys::signing_keys::Purpose;
use omadata::store::recipient::fetches;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{self, Setup, World, eventually};

const DECISION: &str = "early-education-decision";

/// Changes the body of an answer and the claims of its receipt.
type Change = fn(&mut Value, &mut Value);

/// What the proxy does to Espoo's answers.
struct Proxy {
    change: Mutex<Option<(SigningKey, Change)>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Espoo listens on the one port of a block that the demo leaves free.
fn behind(public: u16) -> u16 {
    public + 9
}

fn adjust_city(config: &mut Config) {
    if config.node.base_url.as_str().contains("espoo.") {
        let public = config.node.listen.port();
        config.node.listen.set_port(behind(public));
    }
}

/// Everything that the nodes of this process log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Foreign {
    world: &'static World,
    proxy: Arc<Proxy>,
    log: Log,
    /// One test at a time: they change the same answers.
    turn: tokio::sync::Mutex<()>,
}

impl Foreign {
    fn shared() -> &'static Self {
        static SHARED: OnceLock<Foreign> = OnceLock::new();
        SHARED.get_or_init(|| {
            let log = Log::default();
            let written = log.clone();
            let subscriber = tracing_subscriber::fmt()
                .with_ansi(false)
                .with_max_level(tracing::Level::WARN)
                .with_writer(move || written.clone());
            tracing::subscriber::set_global_default(subscriber.finish()).expect("no other test logs");
            let base_port = harness::free_ports(12);
            let proxy = Arc::new(Proxy { change: Mutex::new(None) });
            listen(base_port + 2, Arc::clone(&proxy));
            let adjust = Adjust { city: Some(adjust_city), anchor: None };
            let world = World::start(Setup { base_port, adjust, ..Setup::default() });
            Self { world: Box::leak(Box::new(world)), proxy, log, turn: tokio::sync::Mutex::default() }
        })
    }

    /// The lines of an event that name these.
    fn logged(&self, event: &str, names: &[&str]) -> Option<String> {
        let text = String::from_utf8_lossy(&lock(&self.log.0)).into_owned();
        let fits = |line: &&str| {
            line.contains(&format!("event=\"{event}\"")) && names.iter().all(|name| line.contains(name))
        };
        text.lines().find(fits).map(str::to_owned)
    }
}

fn listen(public: u16, proxy: Arc<Proxy>) {
    let (ready, listening) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, public)).await.unwrap();
            ready.send(()).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, behind(public), Arc::clone(&proxy)));
            }
        });
    });
    listening.recv().unwrap();
}

/// One request of a connection, answered and closed.
async fn serve(mut near: TcpStream, port: u16, proxy: Arc<Proxy>) {
    let Some((head, body)) = message(&mut near, false).await else { return };
    let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return };
    let is_exchange = head.contains(" /exchange/datasets/");
    let mut request = replaced(&head, "connection", "close").into_bytes();
    request.extend_from_slice(&body);
    far.write_all(&request).await.unwrap();
    let Some((mut head, mut body)) = message(&mut far, true).await else { return };
    let change = lock(&proxy.change).take_if(|_| is_exchange && head.contains(" 200 "));
    if let Some((key, change)) = change {
        (head, body) = changed(&head, &body, &key, change);
    }
    let mut answer = replaced(&head, "connection", "close").into_bytes();
    answer.extend_from_slice(&body);
    let _ = near.write_all(&answer).await;
    let _ = near.shutdown().await;
}

/// A message's head and body; without a length, an answer's body ends with the connection.
async fn message(stream: &mut TcpStream, is_answer: bool) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8(bytes[..end + 4].to_vec()).unwrap();
            let length = header(&head, "content-length").map(|length| length.parse::<usize>().unwrap());
            let length = length.unwrap_or(if is_answer { usize::MAX } else { 0 });
            if bytes.len() - end - 4 >= length {
                return Some((head, bytes[end + 4..].to_vec()));
            }
        }
        let mut more = [0; 8192];
        match stream.read(&mut more).await {
            Ok(0) | Err(_) if is_answer => {
                let end = end? + 4;
                return Some((String::from_utf8(bytes[..end].to_vec()).unwrap(), bytes[end..].to_vec()));
            }
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&more[..read]),
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let line = head
        .lines()
        .find(|line| line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name)))?;
    Some(line.split_once(':')?.1.trim())
}

fn replaced(head: &str, name: &str, value: &str) -> String {
    let is_other = |line: &&str| {
        !line.is_empty() && line.split_once(':').is_none_or(|(found, _)| !found.eq_ignore_ascii_case(name))
    };
    let kept: Vec<&str> = head.lines().filter(is_other).collect();
    format!("{}\r\n{name}: {value}\r\n\r\n", kept.join("\r\n"))
}

fn changed(head: &str, body: &[u8], key: &SigningKey, change: Change) -> (String, Vec<u8>) {
    let mut answer: Value = serde_json::from_slice(body).unwrap();
    let claims = header(head, "omadata-receipt").unwrap().split('.').nth(1).unwrap();
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    change(&mut answer, &mut claims);
    let body = serde_json::to_vec(&answer).unwrap();
    claims["body_digest"] = json!(digest(&body));
    let receipt = key.sign("exchange-receipt+jwt", &claims).unwrap();
    let sum = URL_SAFE_NO_PAD.decode(digest(&body)).unwrap();
    let head = replaced(head, "omadata-receipt", &receipt);
    let head = replaced(&head, "content-digest", &format!("sha-256=:{}:", STANDARD.encode(sum)));
    (replaced(&head, "content-length", &body.len().to_string()), body)
}

/// What the holder does, what is told to be wrong, and the fields of it.
const CASES: [(&str, Change, &str, &str); 8] = [
    (
        "adds a part of an object",
        |answer, _| answer["records"][0]["unit"]["address"] = json!("Keksittykuja 1"),
        "surplus",
        "unit.address",
    ),
    (
        "adds a field and signs for it",
        |answer, claims| {
            answer["records"][0]["income"] = json!("5000");
            claims["fields"].as_array_mut().unwrap().push(json!("income"));
        },
        "surplus",
        "income",
    ),
    (
        "leaves a part of an object out",
        |answer, _| drop(answer["records"][0]["unit"].as_object_mut().unwrap().remove("name")),
        "missing",
        "unit.name",
    ),
    (
        "writes another type than its catalogue names",
        |answer, _| answer["records"][0]["unit"]["name"] = json!(["Satakieli"]),
        "type",
        "unit.name",
    ),
    ("flattens an object", |answer, _| answer["records"][0]["unit"] = json!("Satakieli"), "type", "unit"),
    (
        "adds a record of somebody whom the resident left out, and signs for it",
        |answer, claims| {
            let record = answer["records"][0].clone();
            answer["records"].as_array_mut().unwrap().push(record);
            let stranger = json!({"person": "CQkJCQkJCQkJCQkJCQkJCQ", "record": "CQkJCQkJCQkJCQkJCQkJCQ"});
            answer["about"].as_array_mut().unwrap().push(stranger);
            let records = answer["records"].as_array().unwrap().len();
            claims["records"] = json!(records);
            let stranger = json!({"id": "CQkJCQkJCQkJCQkJCQkJCQ", "records": 1});
            claims["persons"].as_array_mut().unwrap().push(stranger);
        },
        "surplus",
        "",
    ),
    (
        "does not say whom the records are about",
        |answer, _| drop(answer.as_object_mut().unwrap().remove("about")),
        "missing",
        "",
    ),
    (
        "signs for another number of a child's records",
        |_, claims| claims["persons"][0]["records"] = json!(7),
        "form",
        "",
    ),
];

#[tokio::test]
async fn records_beyond_the_permission_are_refused_and_told_to_both_operators() {
    let foreign = Foreign::shared();
    let _turn = foreign.turn.lock().await;
    let world = foreign.world;
    let service = world.service("helsinki").await;
    for (name, change, reason, fields) in CASES {
        let (id, _) = service.given("espoo", DECISION, "aino", json!({})).await;
        let key = world
            .store("espoo")
            .read("test", |store| signing_keys::active(store, Purpose::Receipt))
            .await
            .unwrap();
        *lock(&foreign.proxy.change) = Some((key, change));
        let (status, problem) = service.fetch(&id).await;
        assert!(lock(&foreign.proxy.change).is_none(), "{name}: the answer was changed");
        assert_eq!(status, 502, "{name}: {problem}");
        let text = problem.to_string();
        assert!(text.contains("answer-refused") && text.contains(fields), "{name}: {text}");
        assert!(!text.contains("Keksittykuja") && !text.contains("5000"), "no value is told: {text}");
        let kept = world
            .store("helsinki")
            .read("test", {
                let id = id.parse().unwrap();
                move |store| fetches::of_held(store, id, 9)
            })
            .await
            .unwrap();
        assert!(kept.iter().all(|fetch| fetch.receipt.is_none()), "{name}: nothing counts as received");

        let named = foreign.logged("holder_records_unfit", &[&id, fields]);
        let named = named.unwrap_or_else(|| panic!("{name}: Helsinki's operator hears nothing"));
        assert!(!named.contains("Keksittykuja") && !named.contains("5000"), "{named}");
        let consent = world.consent("helsinki", "espoo", &id).await;
        let exchanges = world
            .store("espoo")
            .read("test", move |store| exchanges::of_consent(store, consent, 9))
            .await
            .unwrap();
        let exchange = exchanges[0].id.to_string();
        let told = eventually("Espoo's operator hears of it", || async {
            foreign.logged("exchange_rejected", &[&exchange, &format!("reason=\"{reason}\""), fields])
        })
        .await;
        assert!(told.contains("helsinki.localhost") && told.contains("decisions"), "{told}");
    }
    // An answer that is left alone is used.
    let (id, _) = service.given("espoo", DECISION, "aino", json!({})).await;
    let (status, answer) = service.fetch(&id).await;
    assert_eq!(status, 200, "{answer}");
    let unit = &answer["data"][0]["unit"];
    assert!(unit["name"].is_string() && unit.get("address").is_none(), "{unit}");
    assert!(answer["receipt"]["fields"].as_array().unwrap().contains(&json!("unit.name")), "{answer}");
}
