//! HTTP as its standards have it: methods, negotiation of errors, who may call what.

use reqwest::Method;
use serde_json::Value;

use crate::harness::{World, client};

async fn answer(method: &str, path: &str) -> reqwest::Response {
    let url = format!("{}{path}", World::shared().url("espoo"));
    let method: Method = method.parse().unwrap();
    client().request(method, url).header("accept", "text/html, */*;q=0.1").send().await.unwrap()
}

fn header<'a>(answer: &'a reqwest::Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// A path with identifiers that nothing bears.
fn filled(path: &str) -> String {
    let id = "AAAAAAAAAAAAAAAAAAAAAA";
    [("{version}", "1"), ("{list}", "999"), ("{slug}", "not-found"), ("{dataset}", "none"), ("{grant}", id)]
        .into_iter()
        .fold(path.replace("{id}", id), |path, (name, value)| path.replace(name, value))
}

#[tokio::test]
async fn head_is_answered_wherever_get_is() {
    for (path, methods) in omadata::web::server::node_routes() {
        if !methods.contains(&"get") {
            continue;
        }
        let path = filled(path);
        let (got, head) = (answer("GET", &path).await, answer("HEAD", &path).await);
        // Looking at an address that sets something off sets nothing off.
        if !["/login", "/oauth/authorize", "/oauth/callback"].contains(&path.as_str())
            && !path.starts_with("/requests/")
        {
            assert_eq!(head.status(), got.status(), "{path}");
        }
        assert!(head.bytes().await.unwrap().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn another_method_is_405_and_says_which_there_are() {
    for (path, methods) in omadata::web::server::node_routes() {
        let refused = answer("PATCH", &filled(path)).await;
        assert_eq!(refused.status(), 405, "{path}");
        let allowed: Vec<String> = header(&refused, "allow")
            .split(", ")
            .map(str::to_lowercase)
            .filter(|name| name != "head")
            .collect();
        let offered: Vec<&str> =
            methods.iter().map(|method| method.trim_end_matches("_without_head")).collect();
        assert_eq!(allowed, offered, "{path}");
    }
}

#[tokio::test]
async fn programs_get_problems_and_residents_get_pages() {
    for (method, path, status) in [
        ("GET", "/api", 404),
        ("GET", "/api/v2/consents", 404),
        ("GET", "/api/v1/nothing", 404),
        ("PUT", "/api/v1/consents", 405),
        ("GET", "/oauth/par", 405),
        ("POST", "/exchange/datasets/placements", 405),
        ("GET", "/exchange/none", 404),
        ("GET", "/oauth/status-lists/none", 404),
        ("GET", "/.well-known/none", 404),
        ("GET", "/federation/none", 404),
    ] {
        let answer = answer(method, path).await;
        assert_eq!(answer.status(), status, "{method} {path}");
        assert_eq!(header(&answer, "content-type"), "application/problem+json", "{method} {path}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["status"], status, "{method} {path}");
    }
    for (method, path, status) in [("GET", "/nothing", 404), ("PUT", "/me", 405)] {
        let answer = answer(method, path).await;
        assert_eq!(answer.status(), status, "{method} {path}");
        assert!(header(&answer, "content-type").starts_with("text/html"), "{method} {path}");
        assert!(answer.text().await.unwrap().contains("<h1>"), "{method} {path}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_a_problem() {
    let service = World::shared().service("espoo").await;
    let url = format!("{}/api/v1/consent-requests", World::shared().url("espoo"));
    let huge = vec![b' '; 16 * 1024 * 1024];
    let sent = client().post(url).bearer_auth(&service.token).body(huge).send().await;
    // The server may close before all of it was sent.
    if let Ok(answer) = sent {
        assert_eq!(answer.status(), 413);
        assert_eq!(header(&answer, "content-type"), "application/problem+json");
    }
    let form = format!("{}/oauth/par", World::shared().url("espoo"));
    let sent = client()
        .post(form)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("content-length", (64 * 1024 * 1024).to_string())
        .body(vec![b'a'; 1024])
        .send()
        .await;
    if let Ok(answer) = sent {
        assert_eq!(answer.status(), 413);
    }
}

#[tokio::test]
async fn nothing_is_kept_but_what_says_so_and_public_documents_may_be_read_from_anywhere() {
    for (path, methods) in omadata::web::server::node_routes() {
        if !methods.contains(&"get") {
            continue;
        }
        let answer = answer("GET", &filled(path)).await;
        let cached = header(&answer, "cache-control").to_owned();
        let open_page = ["/", "/catalogue", "/partners", "/problems/{slug}"].contains(path);
        assert!(
            cached == "no-store"
                || cached.starts_with("public, max-age=")
                || (open_page && cached == "private, no-cache"),
            "{path}: {cached:?}"
        );
        let shared = header(&answer, "access-control-allow-origin") == "*";
        let public = path.starts_with("/.well-known/")
            || path.starts_with("/federation/")
            || path.starts_with("/oauth/jwks")
            || path.starts_with("/oauth/client-jwks")
            || *path == "/oauth/status-lists"
            || *path == "/catalogue/uses";
        if public {
            assert!(shared, "{path}");
        }
        for personal in ["/me", "/consent", "/api", "/exchange", "/login", "/receipt"] {
            if path.starts_with(personal) {
                assert!(!shared && cached == "no-store", "{path}: {cached}");
            }
        }
    }
}

/// What somebody gets who shows nothing: no session, no token, no proof.
const UNAUTHENTICATED: &[(&str, &str, u16)] = &[
    ("get", "/", 200),
    ("get", "/assets/omadata.css", 200),
    ("get", "/assets/city.css", 200),
    ("get", "/assets/passkey.js", 200),
    ("get", "/assets/icon.svg", 200),
    ("get", "/assets/logo", 404),
    ("get", "/catalogue", 200),
    ("get", "/catalogue/uses", 200),
    ("get", "/catalogue/uses/schema", 200),
    ("get", "/catalogue/datasets/{id}", 404),
    ("get", "/catalogue/datasets/{id}/schema", 404),
    ("get", "/partners", 200),
    ("get", "/partners/use", 404),
    ("post", "/partners/use", 401),
    ("get", "/problems/{slug}", 200),
    ("get", "/login", 303),
    ("get", "/login/callback", 401),
    ("post", "/logout", 303),
    ("get", "/logged-out", 200),
    ("get", "/receipt/verify", 200),
    ("post", "/receipt/verify", 400),
    ("get", "/me", 303),
    ("get", "/me/log", 303),
    ("get", "/me/log/{id}", 303),
    ("get", "/me/data", 303),
    ("get", "/me/data/download", 303),
    ("get", "/me/data/{id}", 303),
    ("get", "/me/data/{id}/log-in", 303),
    ("get", "/me/uses", 303),
    ("get", "/me/uses/{id}/object", 303),
    // The identifier that stands here for all is no use's name.
    ("post", "/me/uses/{id}/object", 404),
    ("get", "/me/sharing", 303),
    ("get", "/me/sharing/{id}", 303),
    ("get", "/me/sharing/{id}/stop", 303),
    ("post", "/me/sharing/{id}/stop", 401),
    ("post", "/me/sharing/{id}/pause", 401),
    ("post", "/me/sharing/{id}/resume", 401),
    ("get", "/me/denials", 303),
    ("post", "/me/denials", 401),
    ("post", "/me/denials/{id}/remove", 401),
    ("get", "/me/receipts", 303),
    ("get", "/me/sharing/{id}/receipt", 303),
    ("get", "/me/sharing/{id}/receipt/{version}", 303),
    ("get", "/me/sharing/{id}/receipt/{version}/signed", 303),
    ("get", "/me/sharing/{id}/receipt/{version}/readable", 303),
    ("get", "/me/sharing/{id}/bundle", 303),
    ("get", "/me/passkeys", 303),
    ("post", "/me/passkeys", 401),
    ("get", "/me/passkeys/new", 303),
    ("post", "/me/passkeys/{id}/remove", 401),
    ("get", "/oauth/authorize", 404),
    ("get", "/consent/{id}", 303),
    ("post", "/consent/{id}", 401),
    ("get", "/consent/{id}/done", 303),
    ("get", "/consent/{id}/passkey", 303),
    ("post", "/consent/{id}/passkey", 401),
    ("get", "/requests/{id}", 404),
    ("get", "/oauth/callback", 404),
    ("get", "/.well-known/openid-federation", 200),
    ("get", "/federation/historical-keys", 200),
    ("get", "/federation/former-keys", 200),
    ("get", "/.well-known/oauth-authorization-server", 200),
    ("get", "/.well-known/oauth-protected-resource", 200),
    ("get", "/oauth/jwks", 200),
    ("get", "/oauth/client-jwks", 200),
    ("get", "/oauth/login-jwks", 200),
    ("get", "/oauth/status-lists", 200),
    ("get", "/oauth/status-lists/{list}", 404),
    ("post", "/oauth/par", 401),
    ("post", "/oauth/token", 400),
    ("post", "/oauth/revoke", 401),
    ("post", "/oauth/introspect", 401),
    ("get", "/oauth/grants/{grant}", 401),
    ("delete", "/oauth/grants/{grant}", 401),
    ("get_without_head", "/exchange/datasets/{dataset}", 401),
    ("post", "/events", 400),
    ("post", "/api/v1/token", 400),
    ("post", "/api/v1/consent-requests", 401),
    ("get", "/api/v1/consents", 401),
    ("get", "/api/v1/consents/{id}", 401),
    ("delete", "/api/v1/consents/{id}", 401),
    ("post", "/api/v1/consents/{id}/deletion", 401),
    ("post", "/api/v1/consents/{id}/fetch", 401),
    ("post", "/api/v1/uses", 401),
    ("get", "/api/v1/uses/hidings", 401),
    ("post", "/api/v1/uses/hidings/{id}/confirm", 401),
    ("post", "/api/v1/uses/hidings/{id}/extend", 401),
    ("get", "/health/live", 204),
    ("get", "/health/ready", 204),
];

#[tokio::test]
async fn every_route_says_what_somebody_gets_who_shows_nothing() {
    let offered: std::collections::BTreeSet<(&str, &str)> = omadata::web::server::node_routes()
        .flat_map(|(path, methods)| methods.iter().map(move |method| (*path, *method)))
        .collect();
    let listed = UNAUTHENTICATED.iter().map(|(method, path, _)| (*path, *method)).collect();
    assert_eq!(offered, listed, "a route is not listed here, or no longer there");
    let base = World::shared().url("espoo");
    let mut wrong = Vec::new();
    for (method, path, status) in UNAUTHENTICATED {
        let verb = method.trim_end_matches("_without_head").to_uppercase();
        let request = client().request(verb.parse().unwrap(), format!("{base}{}", filled(path)));
        let request = request.header("accept", "text/html, */*;q=0.1");
        let form = *method == "post" && !path.starts_with("/receipt");
        let request = if form { request.form(&[("csrf", "guessed")]) } else { request };
        let answer = request.send().await.unwrap();
        if answer.status().as_u16() != *status {
            wrong.push(format!("{method} {path}: {}", answer.status()));
        }
        if *status == 303 && path.starts_with("/me") {
            assert!(header(&answer, "location").starts_with("/login?return_to="), "{path}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_return_path_with_control_characters_ends_no_login() {
    let base = World::shared().url("espoo");
    for bad in ["/me%00", "/me%0d%0aset-cookie:a=b", "/me%7f", "/me%1b", "/me%e2%80%ae"] {
        let mut browser = crate::harness::browser::Browser::new();
        let page = browser.open(&format!("{base}/login?return_to={bad}")).await;
        let end = page.log_in(&mut browser, "otso").await;
        assert_eq!((end.status, end.url.path()), (200, "/me"), "{bad}: {}", end.describe());
    }
}
