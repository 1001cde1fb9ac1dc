//! Who may be asked, with which secrets, and over which connections.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use openssl::ssl::{SslAcceptor, SslMethod, SslVerifyMode};

use super::*;
use crate::domain::catalogue::service::OAuthClient;
use crate::http::testing::{Authority, authority, certificate};

fn file(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

async fn cause(sources: &CityRegisters) -> String {
    sources.ask(about(ANNA, &["unit"])).await.unwrap_err().cause
}

#[tokio::test]
async fn a_bearer_token_or_a_key_in_a_header_comes_from_a_file_and_may_be_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_| answer(200, "[]"));
    let token = file(folder.path(), "token", "first\n");
    let bearer = HttpService { credentials: Credentials::Bearer(token.clone()), ..service(server.url()) };
    let bearer = http(bearer, request("/{subject}"));
    assert_eq!(values(&bearer, about(ANNA, &["unit"])).await, Vec::<Value>::new());
    std::fs::write(&token, "second").unwrap();
    assert_eq!(values(&bearer, about(ANNA, &["unit"])).await, Vec::<Value>::new());
    let key = Credentials::Header("X-Api-Key".to_owned(), token.clone());
    let key = http(HttpService { credentials: key, ..service(server.url()) }, request("/{subject}"));
    assert_eq!(values(&key, about(ANNA, &["unit"])).await, Vec::<Value>::new());
    let sent: Vec<_> =
        server.asked().iter().map(|asked| asked.header("authorization").map(str::to_owned)).collect();
    assert_eq!(sent, [Some("Bearer first".to_owned()), Some("Bearer second".to_owned()), None]);
    assert_eq!(server.asked()[2].header("x-api-key"), Some("second"));
    std::fs::write(&token, " \n").unwrap();
    assert!(cause(&bearer).await.ends_with("holds no secret"));
    std::fs::remove_file(&token).unwrap();
    let told = cause(&bearer).await;
    assert!(told.starts_with("this side: bearer_file ") && told.contains("No such file"), "{told}");
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn a_client_credentials_token_is_kept_until_it_ends_and_fetched_once_more_after_a_401() {
    let folder = tempfile::tempdir().unwrap();
    let count = Arc::new(AtomicU32::new(0));
    let life = Arc::new(AtomicU32::new(3600));
    let (issued, seconds) = (Arc::clone(&count), Arc::clone(&life));
    let server = Server::start(move |asked| {
        if asked.target == "/token" {
            let number = issued.fetch_add(1, Ordering::SeqCst) + 1;
            let life = seconds.load(Ordering::SeqCst);
            return answer(
                200,
                &json!({"access_token": format!("t{number}"), "token_type": "Bearer", "expires_in": life})
                    .to_string(),
            );
        }
        match asked.header("authorization") {
            // Revoked before its end.
            Some("Bearer t1") if asked.target.ends_with("REVOKED") => answer(401, "{}"),
            Some("Bearer t1" | "Bearer t2" | "Bearer t3" | "Bearer t4") => answer(200, "[]"),
            _ => answer(401, "{}"),
        }
    });
    let client = OAuthClient {
        token_url: format!("http://register.localhost:{}/token", server.port).parse().unwrap(),
        client_id: "oma:data".to_owned(),
        secret_file: file(folder.path(), "secret", "s3 &cret\n"),
        scope: Some("youth.gdprquery".to_owned()),
    };
    let oauth = HttpService { credentials: Credentials::Client(client.clone()), ..service(server.url()) };
    let oauth = http(oauth, request("/{subject}"));
    for who in [ANNA, ANNA, "REVOKED", ANNA] {
        assert_eq!(values(&oauth, about(who, &["unit"])).await, Vec::<Value>::new());
    }
    let targets: Vec<_> = server.asked().into_iter().map(|asked| asked.target).collect();
    assert_eq!(
        targets,
        [
            "/token",
            "/api/010190-900P",
            "/api/010190-900P",
            "/api/REVOKED",
            "/token",
            "/api/REVOKED",
            "/api/010190-900P"
        ]
    );
    let token = &server.asked()[0];
    // base64 of "oma%3Adata:s3+%26cret" (RFC 6749 §2.3.1).
    assert_eq!(token.header("authorization"), Some("Basic b21hJTNBZGF0YTpzMyslMjZjcmV0"));
    assert_eq!(token.body, "grant_type=client_credentials&scope=youth.gdprquery");
    // A token whose end is near is not used twice.
    life.store(5, Ordering::SeqCst);
    let short = http(
        HttpService { credentials: Credentials::Client(client.clone()), ..service(server.url()) },
        request("/{subject}"),
    );
    for _ in 0..2 {
        assert_eq!(values(&short, about(ANNA, &["unit"])).await, Vec::<Value>::new());
    }
    assert_eq!(count.load(Ordering::SeqCst), 4);
    // A service that accepts no token is asked twice and no more.
    let before = server.asked().len();
    let told = cause(&short).await;
    assert!(told.contains("answered 401: it does not accept this node's credentials"), "{told}");
    assert_eq!(server.asked().len(), before + 4);
    let elsewhere = OAuthClient { token_url: server.url().join("/api/none").unwrap(), ..client };
    let elsewhere = HttpService { credentials: Credentials::Client(elsewhere), ..service(server.url()) };
    let told = cause(&http(elsewhere, request("/{subject}"))).await;
    assert!(told.contains("token_url answered 401; this side: check client_id"), "{told}");
}

#[tokio::test]
async fn a_redirect_takes_no_credentials_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let other = Server::start(|_| answer(200, "[]"));
    let target = other.url();
    let server = Server::start(move |_| with_headers(307, &format!("location: {target}\r\n"), ""));
    let token = Credentials::Bearer(file(folder.path(), "token", "t"));
    let sources = http(HttpService { credentials: token, ..service(server.url()) }, request("/{subject}"));
    assert!(cause(&sources).await.contains("redirects elsewhere"));
    assert_eq!(other.asked().len(), 0);
}

/// A service over TLS that demands a certificate of the authority.
fn tls(authority: &Authority) -> Server {
    let (certificate, key) = certificate("localhost", Some(authority));
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_certificate(&certificate).unwrap();
    acceptor.set_private_key(&key).unwrap();
    acceptor.cert_store_mut().add_cert(authority.certificate.clone()).unwrap();
    acceptor.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    let acceptor = acceptor.build();
    Server::over(move |stream| acceptor.accept(stream).ok(), |_| answer(200, "[]"))
}

#[tokio::test]
async fn a_service_inside_the_city_is_reached_over_tls_with_both_certificates_in_a_listed_network_alone() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority();
    let (own, key) = certificate("omadata.city.example", Some(&authority));
    let ca_file = Some(file(folder.path(), "ca.pem", authority.certificate.to_pem().unwrap()));
    let pair = Some((
        file(folder.path(), "own.pem", own.to_pem().unwrap()),
        file(folder.path(), "own.key", key.private_key_to_pem_pkcs8().unwrap()),
    ));
    let server = tls(&authority);
    let url: Url = format!("https://localhost:{}/api", server.port).parse().unwrap();
    let networks = vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
    let good = HttpService {
        demo: false,
        private_networks: networks,
        ca_file,
        client_certificate: pair,
        ..service(url)
    };
    let sources = http(good.clone(), request("/{subject}"));
    assert_eq!(values(&sources, about(ANNA, &["unit"])).await, Vec::<Value>::new());

    let without = http(HttpService { client_certificate: None, ..good.clone() }, request("/{subject}"));
    assert_eq!(without.read(about(ANNA, &["unit"])).await, Err(RegisterError::Unavailable));
    let stranger = http(HttpService { ca_file: None, ..good.clone() }, request("/{subject}"));
    assert!(cause(&stranger).await.contains("UnknownIssuer"));
    let unlisted = http(HttpService { private_networks: vec![], ..good.clone() }, request("/{subject}"));
    let told = cause(&unlisted).await;
    assert!(
        told.starts_with("localhost resolves to ") && told.contains("for a register in its own"),
        "{told}"
    );
    assert_eq!(server.asked().len(), 1);
    let plain: Url = format!("http://localhost:{}/api", server.port).parse().unwrap();
    let plain = http(HttpService { base_url: plain, ..good }, request("/{subject}"));
    assert!(cause(&plain).await.contains("not https"));
}

#[test]
fn certificates_that_cannot_be_used_are_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let client = |service: HttpService| {
        let id = crate::domain::ids::RegisterId::new("base").unwrap();
        Client::new(&id, &service, std::time::Duration::from_secs(1), BOUNDS)
            .err()
            .map(|error| error.to_string())
    };
    let plain = || service("http://register.localhost:1/api".parse().unwrap());
    let absent = HttpService { ca_file: Some(folder.path().join("none.pem")), ..plain() };
    assert!(client(absent).unwrap().starts_with("register base: ca_file: No such file"));
    let garbage = file(folder.path(), "garbage.pem", "no certificate");
    let pair = HttpService { client_certificate: Some((garbage.clone(), garbage)), ..plain() };
    assert!(client(pair).unwrap().ends_with("its certificates or its key cannot be used"));
    assert_eq!(client(plain()), None);
}
