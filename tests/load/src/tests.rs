//! What the judging of answers rests on.

use serde_json::json;
use url::Url;

use super::browser::Page;
use super::consents::date;
use super::drive::is_of;
use super::fetches::quantile;
use super::floor::body;
use super::http::Connection;
use super::jose::{Key, Keys};

#[test]
fn a_signature_holds_for_its_key_type_and_text_alone() {
    let (key, other) = (Key::generate().unwrap(), Key::generate().unwrap());
    let text = key.sign("exchange-receipt+jwt", &json!({"iss": "somebody"})).unwrap();
    let keys = Keys::from_jwks(&key.jwks()).unwrap();
    assert_eq!(keys.verify("exchange-receipt+jwt", &text).unwrap()["iss"], "somebody");
    assert!(keys.verify("at+jwt", &text).is_err());
    assert!(Keys::from_jwks(&other.jwks()).unwrap().verify("exchange-receipt+jwt", &text).is_err());
    let mut named_alike = other.jwks();
    named_alike["keys"][0]["kid"] = json!(key.kid);
    assert!(Keys::from_jwks(&named_alike).unwrap().verify("exchange-receipt+jwt", &text).is_err());
}

#[test]
fn a_body_is_of_one_resident() {
    assert!(is_of(7, body(7).as_bytes()).is_ok());
    assert!(is_of(7, body(8).as_bytes()).is_err());
    assert!(is_of(7, format!("{}{}", body(7), body(8)).as_bytes()).is_err());
    assert!(is_of(7, br#"{"records":[]}"#).is_err());
}

#[test]
fn quantiles_are_values_that_occurred() {
    let values = [5.0, 1.0, 4.0, 2.0, 3.0];
    assert_eq!([0.0, 0.5, 0.9, 0.99, 1.0].map(|q| quantile(&values, q)), [1.0, 3.0, 5.0, 5.0, 5.0]);
    assert_eq!(quantile(&[], 0.5), 0.0);
}

#[test]
fn days_have_the_names_of_the_calendar() {
    let days = [
        (0, "1970-01-01"),
        (951_782_400, "2000-02-29"),
        (1_796_083_199, "2026-11-30"),
        (4_107_542_400, "2100-03-01"),
    ];
    for (seconds, name) in days {
        assert_eq!(date(seconds), name);
    }
}

#[test]
fn a_form_is_read_as_a_browser_sends_it() {
    let body = r#"<form action="/other"></form><form method="post" action="/consent/1">
        <input type="hidden" name="csrf" value="a&amp;b"><input type="checkbox" name="field" value="x" checked>
        <input type="checkbox" name="field" value="y"><input type="radio" name="duration" value="once" checked></form>"#;
    let page = Page {
        url: Url::parse("http://holder.localhost:1/consent/1").unwrap(),
        status: 200,
        body: body.to_owned(),
    };
    let form = page.form("/consent/").unwrap();
    let fields = [("csrf", "a&b"), ("field", "x"), ("duration", "once")];
    assert_eq!(form.fields, fields.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(page.boxes("field"), ["x", "y"]);
    assert!(page.form("/nowhere").is_err());
}

#[tokio::test]
async fn answers_of_both_framings_are_read_whole_over_one_connection() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let answers: [&[&str]; 3] = [
            &["HTTP/1.1 200 OK\r\nContent-Le", "ngth: 5\r\n\r\nhe", "llo"],
            &[
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r",
                "\n2\r\nlo\r\n0\r\n",
                "\r\n",
            ],
            &["HTTP/1.1 204 No Content\r\n\r\n"],
        ];
        let mut request = [0; 64];
        for answer in answers {
            let _ = stream.read(&mut request).await.unwrap();
            for piece in answer {
                stream.write_all(piece.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
    });
    let mut connection = Connection::new(port);
    for expected in ["hello", "hello", ""] {
        let answer = connection.exchange(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert_eq!(answer.text(), expected);
    }
    assert!(connection.exchange(b"GET / HTTP/1.1\r\n\r\n").await.is_err(), "a closed connection is an error");
}
