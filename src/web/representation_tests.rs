use std::io::Read;

use actix_web::body::to_bytes;
use actix_web::test::TestRequest;
use flate2::read::GzDecoder;

use super::*;

const TEXT: &str = "text/turtle";

fn long(letter: &str) -> Representation {
    Representation::new(TEXT, letter.repeat(5000))
}

fn ask(body: &Representation, headers: &[(&str, &str)]) -> HttpResponse {
    let request =
        headers.iter().fold(TestRequest::default(), |request, header| request.append_header(*header));
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "public, max-age=60"));
    response.insert_header((header::VARY, "accept"));
    body.respond(&request.to_http_request(), &mut response)
}

fn header<'a>(answer: &'a HttpResponse, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[actix_web::test]
async fn what_comes_compressed_is_the_same_text() {
    let body = long("a");
    let answer = ask(&body, &[("accept-encoding", "gzip")]);
    assert_eq!((header(&answer, "content-encoding"), header(&answer, "content-type")), ("gzip", TEXT));
    assert_eq!(header(&answer, "vary"), "accept, accept-encoding");
    let bytes = to_bytes(answer.into_body()).await.unwrap();
    let mut text = String::new();
    GzDecoder::new(&*bytes).read_to_string(&mut text).unwrap();
    assert!(bytes.len() < 200 && text == "a".repeat(5000));
    let answer = ask(&body, &[]);
    assert_eq!(
        (header(&answer, "content-encoding"), header(&answer, "vary")),
        ("", "accept, accept-encoding")
    );
    assert_eq!(to_bytes(answer.into_body()).await.unwrap(), "a".repeat(5000));
}

#[test]
fn every_body_and_coding_has_a_validator_of_its_own() {
    let tag =
        |body: &Representation, coding| header(&ask(body, &[("accept-encoding", coding)]), "etag").to_owned();
    let tags = [
        tag(&long("a"), "gzip"),
        tag(&long("a"), "identity"),
        tag(&long("b"), "gzip"),
        tag(&long("b"), "identity"),
    ];
    let different: std::collections::BTreeSet<_> = tags.iter().collect();
    assert_eq!(different.len(), 4, "{tags:?}");
    assert!(tags.iter().all(|tag| tag.starts_with('"') && tag.ends_with('"')), "{tags:?}");
    assert_eq!(tag(&long("a"), "gzip"), tags[0], "the same body has the same tag again");
}

#[test]
fn who_has_the_body_gets_no_other() {
    let body = long("a");
    let gzip = ("accept-encoding", "gzip");
    let tag = header(&ask(&body, &[gzip]), "etag").to_owned();
    let weak = format!("W/{tag}");
    let among = format!("\"x,y\", {tag} ,W/\"z\"");
    for known in [tag.as_str(), &weak, &among, "*"] {
        let answer = ask(&body, &[gzip, ("if-none-match", known)]);
        assert_eq!(answer.status(), 304, "{known}");
        assert_eq!(header(&answer, "etag"), tag, "{known}");
        assert_eq!(header(&answer, "cache-control"), "public, max-age=60", "{known}");
        assert_eq!(header(&answer, "vary"), "accept, accept-encoding", "{known}");
        assert_eq!(
            (header(&answer, "content-type"), header(&answer, "content-encoding")),
            ("", ""),
            "{known}"
        );
    }
    let split = ask(&body, &[gzip, ("if-none-match", "\"x\""), ("if-none-match", &tag)]);
    assert_eq!(split.status(), 304);
    for other in ["", "\"\"", "\"x\"", "rubbish", tag.trim_matches('"'), "\"*\"", "*, *", "W/W/\"x\""] {
        assert_eq!(ask(&body, &[gzip, ("if-none-match", other)]).status(), 200, "{other:?}");
    }
    // It has the same text in another coding: these are not its bytes.
    assert_eq!(ask(&body, &[("if-none-match", &tag)]).status(), 200);
}

#[test]
fn only_text_that_gets_smaller_is_compressed() {
    let compressed =
        |media_type: &'static str, body: Vec<u8>| Representation::new(media_type, body).gzip.is_some();
    for media_type in [
        "text/css; charset=utf-8",
        "text/html",
        "image/svg+xml",
        "application/json",
        "application/ld+json",
        "application/schema+json",
        "application/rdf+xml",
    ] {
        assert!(compressed(media_type, vec![b'a'; 5000]), "{media_type}");
    }
    for media_type in ["image/png", "application/zip", "application/jose", "application/statuslist+jwt"] {
        assert!(!compressed(media_type, vec![b'a'; 5000]), "{media_type}");
    }
    assert!(!compressed(TEXT, vec![b'a'; MIN_COMPRESSED - 1]));
    let noise: Vec<u8> = (0..200_u32).flat_map(|number| sha256(&number.to_be_bytes())).collect();
    assert!(!compressed(TEXT, noise));
}
