//! Requests over TLS by a private authority, and through a proxy that resolves the host name itself.

use std::sync::{Arc, Mutex};

use openssl::ssl::{SslAcceptor, SslMethod};
use std::io::{Read, Write};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use super::*;
use crate::http::testing::{Authority, authority, certificate};
use crate::http::{AddressPolicy, Expected, GuardedClient};

const JSON: Expected = Expected { content_types: &["application/json"], max_bytes: 1000 };

/// A TLS server for a name, on loopback, that answers `{}`; its port.
fn serve(authority: &Authority, name: &str) -> u16 {
    let (certificate, key) = certificate(name, Some(authority));
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_certificate(&certificate).unwrap();
    acceptor.set_private_key(&key).unwrap();
    let acceptor = acceptor.build();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = acceptor.accept(stream.unwrap()) else { continue };
            let _ = stream.read(&mut [0; 4096]);
            let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\
                          content-length: 2\r\n\r\n{}";
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

fn loopback() -> AddressPolicy {
    AddressPolicy::production(&["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()])
}

fn client(policy: AddressPolicy, route: &Route, url: &Url) -> GuardedClient {
    let client = GuardedClient::over(policy, route).unwrap();
    client.allow(url);
    client
}

#[tokio::test]
async fn a_private_authority_counts_where_it_is_configured_and_only_there() {
    let authority = authority();
    let port = serve(&authority, "localhost");
    let url = Url::parse(&format!("https://localhost:{port}/x")).unwrap();
    let trusting = Route { ca_pem: Some(authority.certificate.to_pem().unwrap()), ..Route::default() };
    let reply = client(loopback(), &trusting, &url).get(&url, &[], JSON).await.unwrap();
    assert_eq!(reply.body, b"{}");
    let stranger = client(loopback(), &Route::default(), &url);
    assert_eq!(stranger.get(&url, &[], JSON).await.unwrap_err(), GuardError::Unreachable);
    let told = stranger.failed_connection("localhost").unwrap();
    assert!(told.starts_with("localhost could not be reached: ") && told.contains("UnknownIssuer"), "{told}");
    // Another name than the certificate's is refused in any case.
    let other = serve(&authority, "other.example");
    let url = Url::parse(&format!("https://localhost:{other}/x")).unwrap();
    assert_eq!(
        client(loopback(), &trusting, &url).get(&url, &[], JSON).await.unwrap_err(),
        GuardError::Unreachable
    );
    let garbage = Route {
        ca_pem: Some(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec()),
        ..Route::default()
    };
    assert!(GuardedClient::over(loopback(), &garbage).is_err());
}

#[tokio::test]
async fn a_listed_network_is_reached_and_an_unlisted_one_is_named_in_the_refusal() {
    let authority = authority();
    let port = serve(&authority, "localhost");
    let url = Url::parse(&format!("https://localhost:{port}/x")).unwrap();
    let trusting = Route { ca_pem: Some(authority.certificate.to_pem().unwrap()), ..Route::default() };
    let elsewhere = AddressPolicy::production(&["10.20.0.0/16".parse().unwrap()]);
    let refusing = client(elsewhere, &trusting, &url);
    let rule = GuardError::Forbidden("neither a public address nor in private_networks");
    assert_eq!(refusing.get(&url, &[], JSON).await.unwrap_err(), rule);
    let refused = refusing.refused_address("localhost").unwrap().to_string();
    assert!(
        refused.starts_with("localhost resolves to ") && refused.contains("which is a loopback address"),
        "{refused}"
    );
    assert!(client(loopback(), &trusting, &url).get(&url, &[], JSON).await.is_ok());
}

/// A proxy that records the request heads and connects every tunnel to one loopback port.
async fn proxy(port: u16) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let mut head = String::new();
                while stream.read_line(&mut head).await.is_ok_and(|read| read > 2) {}
                seen.lock().unwrap().push(head);
                let mut there = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut there).await;
            });
        }
    });
    (own, heads)
}

#[tokio::test]
async fn a_proxy_gets_the_name_and_the_credentials_and_exceptions_go_around_it() {
    let authority = authority();
    let port = serve(&authority, "espoo.example");
    let (proxy_port, heads) = proxy(port).await;
    let mut route = Route {
        ca_pem: Some(authority.certificate.to_pem().unwrap()),
        proxy: Some(Proxy {
            // By name, and private: the operator is responsible for the proxy's own address.
            url: Url::parse(&format!("http://localhost:{proxy_port}")).unwrap(),
            credentials: Some(("node".into(), SecretString::from("secret"))),
            except: Vec::new(),
        }),
        ..Route::default()
    };
    let url = Url::parse("https://espoo.example/x").unwrap();
    let reply = client(AddressPolicy::Public, &route, &url).get(&url, &[], JSON).await.unwrap();
    assert_eq!(reply.body, b"{}");
    let head = heads.lock().unwrap().pop().unwrap();
    assert!(head.starts_with("CONNECT espoo.example:443 HTTP/1.1\r\n"), "{head}");
    // RFC 7617: base64 of "node:secret".
    assert!(head.to_ascii_lowercase().contains("proxy-authorization: basic bm9kztpzzwnyzxq=\r\n"), "{head}");
    // A proxy that does not answer is told apart from the host behind it.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent =
        Proxy { url: Url::parse(&format!("http://{free}")).unwrap(), credentials: None, except: Vec::new() };
    let guard = client(AddressPolicy::Public, &Route { proxy: Some(silent), ..route.clone() }, &url);
    assert_eq!(guard.get(&url, &[], JSON).await.unwrap_err(), GuardError::Unreachable);
    let told = guard.failed_connection("espoo.example").unwrap();
    assert!(
        told.starts_with(&format!("espoo.example could not be reached through the proxy http://{free} ")),
        "{told}"
    );
    // Addresses and strangers are refused before the proxy hears of them.
    for text in ["https://127.0.0.1/x", "https://stranger.example/x", "http://espoo.example/x"] {
        let url = Url::parse(text).unwrap();
        let guard = GuardedClient::over(AddressPolicy::Public, &route).unwrap();
        assert!(matches!(guard.get(&url, &[], JSON).await, Err(GuardError::Forbidden(_))), "{text}");
    }
    if let Some(proxy) = &mut route.proxy {
        proxy.except = vec!["localhost".into()];
    }
    let url = Url::parse(&format!("https://localhost:{}/x", serve(&authority, "localhost"))).unwrap();
    assert!(client(loopback(), &route, &url).get(&url, &[], JSON).await.is_ok());
    assert!(heads.lock().unwrap().is_empty(), "the exception went through the proxy");
}
