//! A node and an anchor of the production profile start, serve, and stop.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::config::{AnchorConfig, Config, Overlay};

const ANCHOR: &str = r#"
[anchor]
entity_id = "https://anchor.federation.invalid"
listen = "LISTEN"
profile = "production"
organization_name = "Test federation"
data_dir = "anchor"
drain_ms = 1000

[store]
url = "sqlite:anchor.sqlite"
"#;

const NODE: &str = r##"
[node]
base_url = "https://mydata.city.invalid"
listen = "LISTEN"
profile = "production"
city = { fi = "Mallila", sv = "Modellby", en = "Mallila" }
data_dir = "node"
drain_ms = 700

[node.brand]
name = { fi = "Omat tiedot", sv = "Mina uppgifter", en = "My data" }
primary_colour = "#1f4e79"

[store]
url = "sqlite:node.sqlite"

[[trust_anchors]]
entity_id = "https://anchor.federation.invalid"
jwks_file = "JWKS"

[federation]
private_networks = ["10.20.0.0/16"]

[login]
issuer = "https://login.city.invalid"
client_id = "mydata"
authentication = "private_key_jwt"
identifier_claim = "national_id"
scopes = ["openid"]
acr_values = ["loa2"]

[contact]
name = { fi = "Mallila", sv = "Modellby", en = "Mallila" }
email = "mydata@city.invalid"

[data_protection_officer]
name = { fi = "Tietosuoja", sv = "Dataskydd", en = "Data protection" }
email = "dpo@city.invalid"
"##;

fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

async fn get(address: SocketAddr, host: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    (answer.get(9..12).unwrap().parse().unwrap(), answer)
}

fn anchor(folder: &Path, listen: SocketAddr) -> AnchorConfig {
    let text = ANCHOR.replace("LISTEN", &listen.to_string());
    AnchorConfig::parse("anchor.toml", &text, folder, &Overlay::none()).unwrap()
}

async fn node(folder: &Path, listen: SocketAddr) -> Config {
    let anchor = anchor(folder, listen);
    let keys = crate::operator::keys::federation_keys(&anchor.store, &anchor.keys).await.unwrap();
    std::fs::write(folder.join("anchor.jwks.json"), keys.to_jwks().to_string()).unwrap();
    let jwks = folder.join("anchor.jwks.json").display().to_string();
    let text = NODE.replace("LISTEN", &listen.to_string()).replace("JWKS", &jwks);
    Config::parse("node.toml", &text, folder, &Overlay::none()).unwrap_or_else(|error| panic!("{error}"))
}

#[actix_web::test]
async fn a_production_node_starts_serves_and_drains_before_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let config = node(folder.path(), address).await;
    let running = start_node(&config).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(get(address, "mydata.city.invalid", "/health/ready").await.0, 204);
    let (status, page) = get(address, "mydata.city.invalid", "/").await;
    assert_eq!(status, 200);
    assert!(page.to_ascii_lowercase().contains("strict-transport-security:"), "{page}");
    assert_eq!(get(address, "mydata.city.invalid", "/.well-known/openid-federation").await.0, 200);

    let stopping = tokio::spawn(running.stop());
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    // During the drain: not ready, and requests are still answered.
    assert_eq!(get(address, "mydata.city.invalid", "/health/ready").await.0, 503);
    assert_eq!(get(address, "mydata.city.invalid", "/").await.0, 200);
    tokio::time::timeout(std::time::Duration::from_secs(15), stopping).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[actix_web::test]
async fn a_lost_root_key_is_not_replaced_by_a_wrong_one() {
    let folder = tempfile::tempdir().unwrap();
    let anchor = anchor(folder.path(), free_address());
    let keys = || crate::operator::keys::federation_keys(&anchor.store, &anchor.keys);
    let before = keys().await.unwrap();
    for name in ["sealing.key", "lookup.key"] {
        let file = anchor.keys.dir.join(name);
        let original = std::fs::read(&file).unwrap();
        std::fs::rename(&file, anchor.keys.dir.join("elsewhere")).unwrap();
        let refused = keys().await.unwrap_err().to_string();
        assert!(refused.contains(name) && refused.contains("backup"), "{refused}");
        assert!(!file.exists(), "a wrong {name} was written");
        // The remedy in the message can be followed.
        std::fs::rename(anchor.keys.dir.join("elsewhere"), &file).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), original);
        assert_eq!(keys().await.unwrap().to_jwks(), before.to_jwks());
    }
}

#[actix_web::test]
async fn a_production_anchor_starts_serves_and_drains_before_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let running =
        start_anchor(&anchor(folder.path(), address)).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(get(address, "anchor.federation.invalid", "/health/ready").await.0, 204);
    let stopping = tokio::spawn(running.stop());
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(get(address, "anchor.federation.invalid", "/health/ready").await.0, 503);
    assert_eq!(get(address, "anchor.federation.invalid", "/.well-known/openid-federation").await.0, 200);
    tokio::time::timeout(std::time::Duration::from_secs(15), stopping).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[actix_web::test]
async fn an_anchor_is_not_ready_while_nothing_can_be_written_though_nobody_asks_it_to_write() {
    use diesel::Connection;
    use diesel::connection::SimpleConnection;
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let config = anchor(folder.path(), address);
    let running = start_anchor(&config).await.unwrap_or_else(|error| panic!("{error}"));
    let until = async |status: u16| {
        let look = async {
            while get(address, "anchor.federation.invalid", "/health/ready").await.0 != status {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), look).await.unwrap();
    };
    until(204).await;
    let crate::config::DatabaseUrl::Sqlite(file) = &config.store.url else { panic!("a SQLite file") };
    let mut foreign = diesel::SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    foreign.batch_execute("PRAGMA busy_timeout = 30000; BEGIN IMMEDIATE").unwrap();
    until(503).await;
    foreign.batch_execute("ROLLBACK").unwrap();
    until(204).await;
    running.stop().await;
}

#[test]
fn the_manual_says_truly_how_many_bytes_another_member_can_make_a_node_keep() {
    let manual = include_str!("../../docs/operators.md");
    let limits = crate::config::Limits::default();
    let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
    let event = u64::try_from(crate::domain::exchange::event::SECURITY_EVENT.max_bytes).unwrap();
    let request = u64::try_from(crate::domain::consent::MAX_REQUEST_BYTES).unwrap();
    let requests = 2 * u64::from(limits.pushed_open) * request;
    let given = u64::from(limits.given_per_hour) * 2 * event;
    let pending = crate::store::recipient::pending_events::MOST.unsigned_abs() * event;
    for said in [
        format!("{} MB of requests", megabytes(requests)),
        format!("{} MB an hour of permissions", megabytes(given)),
        format!("{} MB of events", megabytes(pending)),
    ] {
        assert!(manual.contains(&said), "{said}");
    }
}
