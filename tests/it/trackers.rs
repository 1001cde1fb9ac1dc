//! Data trackers answer a resident who looks: what they answer stands in the log under their name, and what they do not
//! answer is said. Nothing of it is stored.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

use omadata::config::{Config, Overlay};
use omadata::demo::run::Adjust;
use omadata::domain::catalogue::Language;
use omadata::domain::ids::NationalIdentifier;
use omadata::operator;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::harness::browser::{Browser, Page};
use crate::harness::{self, Setup, World, free_ports};
use crate::holdings::{file, unzipped};

/// Uses that the working tracker has of Aino's data.
const AINOS: usize = 1_120;

/// A security server with three trackers behind it, as the protocol describes them: one works, one is silent, and one
/// answers what is none.
fn serve(listener: TcpListener) {
    for stream in listener.incoming().map_while(Result::ok) {
        std::thread::spawn(move || answer(stream));
    }
}

fn answer(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = std::iter::from_fn(|| {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim_end().to_owned()).filter(|line| !line.is_empty())
    });
    let Some(first) = lines.next() else { return };
    let headers: Vec<String> = lines.collect();
    let header = |name: &str| {
        let line = headers.iter().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let target = first.split(' ').nth(1).unwrap();
    let body = match target.split('/').nth(5) {
        Some("Silent") => return std::thread::sleep(Duration::from_secs(30)),
        Some("Broken") => Some(json!({"usages": [{"action": "SECRET"}]})),
        _ => working(target, header("x-road-userid")),
    };
    let (status, body) = body.map_or(("400 X", json!({})), |body| ("200 X", body));
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json;charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

/// What the working tracker answers; `None` where the request is not the protocol's.
fn working(target: &str, user: Option<String>) -> Option<Value> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match path.strip_prefix("/r1/EE-DEV/GOV/70000002/Registry/findUsage/v2/")? {
        "heartbeat" => Some(json!({"status": "OK"})),
        "usagePeriod" => Some(json!({"periodStart": "2021-01-31T10:20:30Z"})),
        "findUsage" => {
            let query: Vec<(String, String)> =
                url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            let asked =
                |name: &str| query.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
            if user.as_deref() != asked("userCode") {
                return None;
            }
            let aino = world().identifier("aino");
            let total = if asked("userCode")? == format!("EE{aino}") { AINOS } else { 0 };
            let offset: usize = asked("offset")?.parse().ok()?;
            let limit: usize = asked("limit")?.parse().ok()?;
            let rows: Vec<Value> = (offset..total.min(offset + limit)).map(row).collect();
            Some(json!({"totalUsages": total, "usages": rows}))
        }
        _ => None,
    }
}

fn row(number: usize) -> Value {
    let (hour, minute, second) = (23 - number / 3600, 59 - number / 60 % 60, 59 - number % 60);
    let name = if number == 0 { "<b>Agency</b>\u{202e}" } else { "Agency" };
    json!({
        "logtime": format!("2024-05-06T{hour:02}:{minute:02}:{second:02}Z"),
        "action": format!("Address checked, number {number}."),
        "receiverCode": "12345678",
        "receiverName": name,
        "receiverSystem": "Case system",
    })
}

static SECURITY_SERVER: OnceLock<u16> = OnceLock::new();

/// Espoo asks three trackers.
fn adjust(config: &mut Config) {
    if !config.node.base_url.as_str().contains("espoo") {
        return;
    }
    let port = SECURITY_SERVER.get().unwrap();
    let section = |id: &str, subsystem: &str| {
        format!(
            r#"
[[data_trackers]]
id = "{id}"
title = {{ fi = "Rekisteri {id}", sv = "Registret {id}", en = "Register {id}" }}
url = "http://security-server.localhost:{port}"
timeout_ms = 3000
xroad = {{ client = "EE-DEV/GOV/70000001/OmaData", service = "EE-DEV/GOV/70000002/{subsystem}/findUsage", user = "EE{{subject}}" }}
"#
        )
    };
    let sections = [section("silent", "Silent"), section("working", "Registry"), section("broken", "Broken")];
    let text = format!("{}{}", include_str!("../../federation-config/espoo.toml"), sections.concat());
    let read = Config::parse("espoo.toml", &text, &config.node.data_dir, &Overlay::default()).unwrap();
    config.data_trackers = read.data_trackers;
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        SECURITY_SERVER.set(listener.local_addr().unwrap().port()).unwrap();
        std::thread::spawn(move || serve(listener));
        let adjust = Adjust { city: Some(adjust), ..Adjust::default() };
        World::start(Setup { base_port: free_ports(11), adjust, ..Setup::default() })
    })
}

async fn at_espoo(resident: &str, path: &str) -> (Browser, Page) {
    let mut browser = Browser::new();
    let page = browser.open(&format!("{}{path}", world().url("espoo"))).await;
    let page = page.log_in(&mut browser, resident).await;
    (browser, page)
}

#[tokio::test]
async fn aino_sees_what_a_tracker_has_under_its_name_and_of_the_others_that_they_do_not_answer() {
    let (mut browser, page) = at_espoo("aino", "/me/log?lang=en").await;
    assert_eq!(page.status, 200, "{}", page.describe());
    let text = page.text();
    for told in [
        "What registers have recorded on their own",
        "Register working",
        "It keeps uses from 31 January 2021 onwards.",
        "Address checked, number 0.",
        "Address checked, number 49.",
        "(12345678)",
        "Case system",
    ] {
        assert!(text.contains(told), "{told} in {text}");
    }
    assert_eq!(text.matches("This source does not answer now").count(), 2, "{text}");
    assert_eq!(text.matches("Address checked").count(), 50, "{text}");
    // The protocol has no legal basis and names no data: the page invents none.
    assert!(text.contains("The data is not named") && !text.contains("Another basis"), "{text}");
    assert!(!page.body.contains("<b>Agency") && !page.body.contains('\u{202e}'), "{}", page.body);
    assert!(!text.contains("SECRET"), "{text}");
    for (language, told) in [
        ("fi", "Lähde ei vastaa nyt, joten sen kirjaamia käyttötietoja ei voi näyttää."),
        ("sv", "Källan svarar inte just nu, så den användning som den har antecknat kan inte visas."),
    ] {
        let page = browser.open(&format!("{}/me/log/broken?lang={language}", world().url("espoo"))).await;
        assert!(page.text().contains(told), "{language}: {}", page.text());
    }
}

#[tokio::test]
async fn a_silent_tracker_holds_up_neither_the_log_nor_another_tracker() {
    let (browser, _) = at_espoo("mikael", "/me").await;
    let cookie = browser.cookies["espoo.localhost"].iter().map(|(name, value)| format!("{name}={value}"));
    let started = Instant::now();
    let mut answer = harness::client()
        .get(format!("{}/me/log", world().url("espoo")))
        .header("accept-language", "en")
        .header("cookie", cookie.collect::<Vec<_>>().join("; "))
        .send()
        .await
        .unwrap();
    let (mut body, mut log, mut other) = (String::new(), None, None);
    while let Some(chunk) = answer.chunk().await.unwrap() {
        body.push_str(&String::from_utf8_lossy(&chunk));
        if body.contains("Asking:") {
            log.get_or_insert_with(|| started.elapsed());
        }
        // He is somebody else than Aino: the tracker has nothing about him.
        if body.contains("It has recorded no use of your data.") {
            other.get_or_insert_with(|| started.elapsed());
        }
    }
    assert!(body.ends_with("</html>\n") || body.trim_end().ends_with("</html>"), "{body}");
    assert!(started.elapsed() >= Duration::from_millis(2_900), "{:?}", started.elapsed());
    assert!(log.unwrap() < Duration::from_millis(2_500), "{log:?}");
    assert!(other.unwrap() < Duration::from_millis(2_500), "{other:?}");
    assert!(!body.contains("Address checked"), "{body}");
}

#[tokio::test]
async fn all_that_a_tracker_has_is_shown_page_by_page() {
    let (mut browser, mut page) = at_espoo("aino", "/me/log/working?lang=en").await;
    let (mut seen, mut pages) = (0, 0);
    loop {
        assert_eq!(page.status, 200, "{}", page.describe());
        assert!(page.text().contains(&format!("number {seen}.")), "{}", page.text());
        seen += page.text().matches("Address checked").count();
        pages += 1;
        let older = format!("/me/log/working?offset={seen}");
        if !page.body.contains(&format!("href=\"{older}\"")) {
            break;
        }
        page = browser.open(&format!("{}{older}", world().url("espoo"))).await;
    }
    assert_eq!((seen, pages), (AINOS, 23));
    for (path, status) in [
        ("/me/log/working?offset=5000", 200),
        ("/me/log/working?offset=-1", 200),
        ("/me/log/working?offset=99999999999", 200),
        ("/me/log/working?offset=1&offset=2", 400),
        ("/me/log/early-education", 404),
        ("/me/log/Working", 404),
    ] {
        let page = browser.open(&format!("{}{path}", world().url("espoo"))).await;
        assert_eq!(page.status, status, "{path}: {}", page.describe());
        if path.ends_with("5000") {
            assert!(page.text().contains("There are no older uses."), "{}", page.text());
        }
    }
}

#[tokio::test]
async fn the_answer_under_article_15_has_all_of_them_and_says_who_did_not_answer() {
    let config = &world().cities["espoo"];
    let whose = NationalIdentifier::new(world().identifier("aino")).unwrap();
    let archive = operator::residents::export_article_15(config, &whose, Language::En).await.unwrap();
    let files = unzipped(&archive);
    let recipients: Value = serde_json::from_slice(file(&files, "recipients.json")).unwrap();
    let trackers = recipients["dataTrackers"].as_array().unwrap();
    let coverage: Vec<(&str, &str, usize)> = trackers
        .iter()
        .map(|one| {
            let uses = one["uses"].as_array().unwrap().len();
            (one["id"].as_str().unwrap(), one["coverage"].as_str().unwrap(), uses)
        })
        .collect();
    assert_eq!(
        coverage,
        [("silent", "unavailable", 0), ("working", "complete", AINOS), ("broken", "unavailable", 0)]
    );
    assert_eq!(trackers[1]["keptFrom"], "2021-01-31T10:20:30Z");
    assert_eq!(trackers[1]["uses"][1]["action"], "Address checked, number 1.");
    let page = String::from_utf8(file(&files, "index.html").to_vec()).unwrap();
    assert_eq!(page.matches("Not in this copy: this source did not answer, or not as it should.").count(), 2);
    assert!(page.contains("Address checked, number 1119.") && !page.contains("<b>Agency"), "{page}");
}
