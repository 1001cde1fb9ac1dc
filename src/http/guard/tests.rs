//! Hostile servers, byte by byte.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

const JSON: Expected = Expected { content_types: &["application/json"], max_bytes: 1000 };

/// A server that answers every connection with these bytes, then with `more` again and again while it is not empty.
async fn serve(answer: &'static str, more: &'static [u8]) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                while !more.is_empty() && stream.write_all(more).await.is_ok() {}
            });
        }
    });
    Url::parse(&format!("http://espoo.localhost:{port}/x")).unwrap()
}

fn demo(url: &Url) -> GuardedClient {
    let mut client = GuardedClient::new(AddressPolicy::Demo).unwrap();
    client.deadline = Duration::from_millis(500);
    client.allow(url);
    client
}

async fn ask(answer: &'static str, more: &'static [u8]) -> Result<Reply, GuardError> {
    let url = serve(answer, more).await;
    demo(&url).get(&url, &[], JSON).await
}

#[tokio::test]
async fn a_good_answer_comes_through() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nDPoP-Nonce: n\r\n\
                  Twice: 1\r\nTwice: 2\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    let reply = ask(answer, b"").await.unwrap();
    assert_eq!((reply.status.as_u16(), reply.body.as_slice()), (200, &b"{}"[..]));
    assert_eq!(reply.header("dpop-nonce"), Some("n"));
    assert_eq!(reply.header("twice"), None);
}

#[tokio::test]
async fn errors_are_answers_with_json_or_without_a_body() {
    let json = ask(
        "HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
        b"",
    );
    assert_eq!(json.await.unwrap().body, b"{}");
    let page =
        "HTTP/1.1 500 Bad\r\nContent-Type: text/html\r\nContent-Length: 4\r\nConnection: close\r\n\r\n<p/>";
    let page = ask(page, b"").await.unwrap();
    assert_eq!((page.status.as_u16(), page.body.len()), (500, 0));
    let endless = ask("HTTP/1.1 500 Bad\r\nContent-Type: application/json\r\n\r\n", &[b' '; 8192]).await;
    assert_eq!(endless.unwrap().body.len(), 0);
    let empty = ask("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", b"").await;
    assert_eq!(empty.unwrap().status.as_u16(), 202);
}

#[tokio::test]
async fn hostile_answers_are_refused() {
    let cases: [(&str, &[u8], GuardError); 10] = [
        (
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            b"",
            GuardError::Unexpected("a redirect"),
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1001\r\n\r\n",
            b"",
            GuardError::TooLarge,
        ),
        ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", &[b' '; 4096], GuardError::TooLarge),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\n1",
            b"",
            GuardError::Unexpected("compressed"),
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n{}",
            b"",
            GuardError::Unexpected("another content type"),
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-7\r\nContent-Length: 2\r\n\r\n{}",
            b"",
            GuardError::Unexpected("another content type"),
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n{}",
            b"",
            GuardError::Unexpected("another content type"),
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            b"",
            GuardError::Unexpected("another content type"),
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{}",
            b"",
            GuardError::Unreachable,
        ),
        ("not HTTP\r\n\r\n", b"", GuardError::Unreachable),
    ];
    for (answer, more, expected) in cases {
        assert_eq!(ask(answer, more).await.unwrap_err(), expected, "{answer}");
    }
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port())).unwrap();
    assert_eq!(demo(&url).get(&url, &[], JSON).await.unwrap_err(), GuardError::Timeout);
    drop(listener);
    assert_eq!(demo(&url).get(&url, &[], JSON).await.unwrap_err(), GuardError::Unreachable);
}

#[tokio::test]
async fn addresses_inward_are_refused_before_anything_is_sent() {
    let cases = [
        (AddressPolicy::Public, "http://espoo.example/", "not https"),
        (AddressPolicy::Public, "https://user@espoo.example/", "user information"),
        (AddressPolicy::Public, "https://127.0.0.1/", "an address instead of a name"),
        (AddressPolicy::Public, "https://2130706433/", "an address instead of a name"),
        (AddressPolicy::Public, "https://0x7f.1/", "an address instead of a name"),
        (AddressPolicy::Public, "https://[::1]/", "an address instead of a name"),
        (AddressPolicy::Public, "https://[::ffff:127.0.0.1]/", "an address instead of a name"),
        (AddressPolicy::Public, "https://93.184.216.34/", "an address instead of a name"),
        (AddressPolicy::Public, "https://localhost/", "not a public address"),
        (AddressPolicy::Demo, "http://10.0.0.1/", "not loopback"),
        (AddressPolicy::Demo, "http://espoo.example/", "not loopback"),
        (AddressPolicy::Demo, "ftp://localhost/", "not https"),
    ];
    for (reach, text, rule) in cases {
        let client = GuardedClient::new(reach).unwrap();
        let url = Url::parse(text).unwrap();
        client.allow(&url);
        let refusal = client.get(&url, &[], JSON).await.unwrap_err();
        assert_eq!(refusal, GuardError::Forbidden(rule), "{text}");
    }
}

#[tokio::test]
async fn only_configured_and_listed_origins_are_asked() {
    let url = serve("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", b"").await;
    let client = GuardedClient::new(AddressPolicy::Demo).unwrap();
    let stranger = GuardError::Forbidden("neither configured nor listed by an anchor");
    assert_eq!(client.get(&url, &[], JSON).await.unwrap_err(), stranger);
    let anchor = EntityId::new("http://anchor.localhost:8400").unwrap();
    let member = EntityId::new(url.origin().ascii_serialization()).unwrap();
    client.set_members(&anchor, [&member]);
    assert!(client.post_form(&url, &[("a", "b")], &[], JSON).await.is_ok());
    client.set_members(&anchor, []);
    assert_eq!(client.get(&url, &[], JSON).await.unwrap_err(), stranger);
}

/// A server on one loopback address, which counts connections and closes each after one response.
async fn host(address: &str, port: u16) -> (u16, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let listener = TcpListener::bind((address, port)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let visits: std::sync::Arc<std::sync::atomic::AtomicUsize> = Arc::default();
    let counter = Arc::clone(&visits);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\
                          content-length: 2\r\n\r\n{}";
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (port, visits)
}

#[tokio::test]
async fn a_name_that_changes_its_address_never_leads_inward() {
    use std::sync::atomic::Ordering::SeqCst;
    // Loopback addresses play both parts: 127.8.8.0/24 is public, 127.0.0.1 private, on the same port.
    let (port, inward) = host("127.0.0.1", 0).await;
    let (_, outside) = host("127.8.8.8", port).await;
    let url = Url::parse(&format!("http://fickle.localhost:{port}/x")).unwrap();
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    let (good, bad) = (ip("127.8.8.8"), ip("127.0.0.1"));
    let client = |answers: Vec<Vec<IpAddr>>| {
        let fickle = super::super::address::testing::Fickle { answers, looks: Arc::default() };
        let looks = Arc::clone(&fickle.looks);
        let route = Route::default();
        let client =
            GuardedClient::with_resolver(AddressPolicy::Demo, &route, fickle, Refusals::default()).unwrap();
        client.allow(&url);
        (client, looks)
    };
    // Public at the first lookup, private at the next: the connection uses the first result, and there is no second
    // lookup.
    let (rebinding, looks) = client(vec![vec![good], vec![bad]]);
    assert!(rebinding.get(&url, &[], JSON).await.is_ok());
    assert_eq!((outside.load(SeqCst), *looks.lock().unwrap()), (1, 1));
    let refused = Err(GuardError::Forbidden("neither a public address nor in private_networks"));
    assert_eq!(rebinding.get(&url, &[], JSON).await.map(|_| ()), refused);
    assert_eq!(*looks.lock().unwrap(), 2);
    // One private address among several, first or last, refuses the name.
    for mixed in
        [vec![good, bad], vec![bad, good], vec![ip("::1"), good], vec![ip("::ffff:127.0.0.1")], vec![]]
    {
        let (client, _) = client(vec![mixed.clone()]);
        assert_eq!(client.get(&url, &[], JSON).await.map(|_| ()), refused, "{mixed:?}");
    }
    assert_eq!((inward.load(SeqCst), outside.load(SeqCst)), (0, 1));
}
