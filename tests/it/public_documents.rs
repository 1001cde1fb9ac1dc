//! What is public is sent compressed and with a validator; what is somebody's own is not.

use std::io::Read;

use flate2::read::GzDecoder;
use reqwest::Response;

use crate::harness::browser::Browser;
use crate::harness::{World, client};

/// Public documents that are worth compressing: path, `Accept`, `Cache-Control`.
const PUBLIC: &[(&str, &str, &str)] = &[
    ("/assets/omadata.css", "text/css", "public, max-age=300"),
    ("/assets/passkey.js", "*/*", "public, max-age=300"),
    ("/", "text/html", "private, no-cache"),
    ("/partners", "text/html", "private, no-cache"),
    ("/problems/not-found", "text/html", "private, no-cache"),
    ("/catalogue", "text/html", "private, no-cache"),
    ("/catalogue?q=a", "text/html", "private, no-cache"),
    ("/catalogue/datasets/placements", "text/html", "private, no-cache"),
    ("/catalogue", "application/ld+json", "public, max-age=60"),
    ("/catalogue", "text/turtle", "public, max-age=60"),
    ("/catalogue", "application/rdf+xml", "public, max-age=60"),
    ("/catalogue?format=ttl", "text/html", "public, max-age=60"),
    ("/catalogue/datasets/placements", "text/turtle", "public, max-age=60"),
    ("/catalogue/datasets/placements/schema", "*/*", "public, max-age=60"),
    ("/catalogue/uses", "application/json", "public, max-age=60"),
    ("/catalogue/uses/schema", "*/*", "public, max-age=60"),
];

/// Too small to compress, but with a validator.
const SMALL: &[(&str, &str, &str)] = &[
    ("/assets/city.css", "text/css", "public, max-age=300"),
    ("/assets/icon.svg", "image/svg+xml", "public, max-age=86400"),
];

async fn ask(method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    let url = format!("{}{path}", World::shared().url("espoo"));
    let request = client().request(method.parse().unwrap(), url);
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

fn header(answer: &Response, name: &str) -> String {
    let values = answer.headers().get_all(name).iter().map(|value| value.to_str().unwrap());
    values.collect::<Vec<_>>().join(", ")
}

fn unpacked(bytes: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

#[tokio::test]
async fn the_client_decides_whether_a_public_document_comes_compressed() {
    let rows = [
        (None, false),
        (Some(""), false),
        (Some("gzip"), true),
        (Some("gzip, deflate, br, zstd"), true),
        (Some("br"), false),
        (Some("*"), true),
        (Some("*;q=0"), false),
        (Some("gzip;q=0, *"), false),
        (Some("identity"), false),
        (Some("identity;q=0"), false),
        (Some("identity;q=0, gzip;q=0.1"), true),
        (Some("identity, gzip;q=0.5"), false),
        (Some("gzip;q=9, ;;=,,"), false),
    ];
    for (path, accept, _) in PUBLIC {
        let plain = ask("GET", path, &[("accept", accept)]).await;
        assert_eq!(
            (plain.status().as_u16(), header(&plain, "content-encoding")),
            (200, String::new()),
            "{path}"
        );
        let plain = plain.text().await.unwrap();
        for (coding, compressed) in rows {
            let mut headers = vec![("accept", *accept)];
            headers.extend(coding.map(|coding| ("accept-encoding", coding)));
            let answer = ask("GET", path, &headers).await;
            let case = format!("{path} {accept} {coding:?}");
            assert_eq!(header(&answer, "content-encoding") == "gzip", compressed, "{case}");
            assert!(header(&answer, "vary").ends_with("accept-encoding"), "{case}");
            let bytes = answer.bytes().await.unwrap();
            let text = if compressed { unpacked(&bytes) } else { String::from_utf8(bytes.to_vec()).unwrap() };
            assert_eq!(text, plain, "{case}");
        }
    }
}

#[tokio::test]
async fn who_has_a_document_gets_304_and_head_says_what_get_does() {
    for (path, accept, cached) in PUBLIC.iter().chain(SMALL) {
        for coding in ["gzip", "identity"] {
            let case = format!("{path} {accept} {coding}");
            let asked = [("accept", *accept), ("accept-encoding", coding)];
            let (got, head) = (ask("GET", path, &asked).await, ask("HEAD", path, &asked).await);
            for name in [
                "etag",
                "vary",
                "cache-control",
                "content-type",
                "content-encoding",
                "content-length",
                "content-security-policy",
                "access-control-allow-origin",
            ] {
                assert_eq!(header(&got, name), header(&head, name), "{case} {name}");
            }
            let tag = header(&got, "etag");
            assert!(tag.starts_with('"') && tag.len() > 20, "{case}: {tag}");
            assert_eq!(header(&got, "cache-control"), *cached, "{case}");
            for method in ["GET", "HEAD"] {
                for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
                    let again = [asked[0], asked[1], ("if-none-match", known.as_str())];
                    let again = ask(method, path, &again).await;
                    assert_eq!(again.status(), 304, "{case} {known}");
                    for name in ["etag", "vary", "cache-control"] {
                        assert_eq!(header(&again, name), header(&got, name), "{case} {name}");
                    }
                    assert!(again.bytes().await.unwrap().is_empty(), "{case}");
                }
            }
            let other = [asked[0], asked[1], ("if-none-match", "\"other\"")];
            assert_eq!(ask("GET", path, &other).await.status(), 200, "{case}");
        }
    }
}

#[tokio::test]
async fn every_content_has_a_validator_of_its_own() {
    let mut tags = Vec::new();
    for (path, accept) in [
        ("/catalogue", "text/turtle"),
        ("/catalogue", "application/ld+json"),
        ("/catalogue", "application/rdf+xml"),
        ("/catalogue/datasets/placements", "text/turtle"),
        ("/catalogue/datasets/decisions", "text/turtle"),
        ("/catalogue?lang=fi", "text/html"),
        ("/catalogue?lang=sv", "text/html"),
        ("/catalogue?lang=en", "text/html"),
        ("/catalogue?lang=en&q=placement", "text/html"),
        ("/catalogue/datasets/placements?lang=en", "text/html"),
        ("/catalogue/datasets/decisions?lang=en", "text/html"),
    ] {
        for coding in ["gzip", "identity"] {
            let asked = [("accept", accept), ("accept-encoding", coding)];
            let (first, again) = (ask("GET", path, &asked).await, ask("GET", path, &asked).await);
            assert_eq!(header(&first, "etag"), header(&again, "etag"), "{path} {accept}");
            tags.push(header(&first, "etag"));
        }
    }
    let different: std::collections::BTreeSet<&String> = tags.iter().collect();
    assert_eq!(different.len(), tags.len(), "{tags:#?}");
}

#[tokio::test]
async fn nothing_else_is_compressed() {
    let id = "AAAAAAAAAAAAAAAAAAAAAA";
    for (path, methods) in omadata::web::server::node_routes() {
        if path.starts_with("/catalogue") || path.starts_with("/assets") || ["/", "/partners"].contains(path)
        {
            continue;
        }
        let named =
            [("{version}", "1"), ("{list}", "0"), ("{dataset}", "none"), ("{grant}", id), ("{id}", id)];
        let path =
            named.into_iter().fold((*path).to_owned(), |path, (name, value)| path.replace(name, value));
        for method in *methods {
            let verb = method.trim_end_matches("_without_head").to_uppercase();
            let answer = ask(&verb, &path, &[("accept-encoding", "gzip, br"), ("accept", "*/*")]).await;
            assert_eq!(header(&answer, "content-encoding"), "", "{verb} {path}");
            // Status lists have their own, of the signed list.
            assert!(
                header(&answer, "etag").is_empty() || path.starts_with("/oauth/status-lists/"),
                "{verb} {path}"
            );
        }
    }
}

/// Their pages have their name and a CSRF token, beside what an address asks for (`?q=`).
#[tokio::test]
async fn pages_of_who_has_logged_in_are_neither_compressed_nor_kept() {
    let base = World::shared().url("espoo");
    let mut browser = Browser::new();
    let page = browser.open(&format!("{base}/login?return_to=/me")).await;
    page.log_in(&mut browser, "otso").await;
    let anyone = ask("GET", "/catalogue?lang=en", &[("accept", "text/html")]).await;
    let tag = header(&anyone, "etag");
    for path in
        ["/", "/catalogue?lang=en", "/catalogue?q=a", "/partners", "/me", "/me/sharing", "/me/receipts"]
    {
        let url = format!("{base}{path}");
        let page = browser.look_with(&url, &[("accept-encoding", "gzip"), ("if-none-match", &tag)]).await;
        assert_eq!(page.status, 200, "{path}");
        for name in ["content-encoding", "etag"] {
            assert!(!page.headers.contains_key(name), "{path} {name}");
        }
        assert_eq!(page.headers["cache-control"], "no-store", "{path}");
        assert!(page.body.contains("name=\"csrf\""), "{path}");
    }
    let schema = browser.look_with(&format!("{base}/catalogue/datasets/placements/schema"), &[]).await;
    assert_eq!(schema.headers["cache-control"], "public, max-age=60");
}
