//! What the systems refuse, and the forms of what they answer.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use actix_web::{App, test};
use serde_json::{Value, json};

use super::*;
use crate::app::{SystemClock, SystemEntropy};
use crate::config::shipped::{self, City, Overrides};
use crate::demo::world::write_world;

/// The systems with a made-up world, their secrets and Aino's identifier.
struct Stand {
    systems: CitySystems,
    youth: String,
    client: String,
    aino: String,
    _folder: tempfile::TempDir,
}

fn stand() -> Stand {
    let folder = tempfile::tempdir().unwrap();
    let world = write_world(folder.path(), 1).unwrap();
    let config = shipped::node(City::Helsinki, &Overrides::in_folder(folder.path())).unwrap();
    let systems =
        CitySystems::new(&config, &world.systems, Arc::new(SystemClock), Arc::new(SystemEntropy)).unwrap();
    let secret =
        |name: &str| std::fs::read_to_string(config.node.data_dir.join("secrets").join(name)).unwrap();
    let aino = world.residents.iter().find(|resident| resident.username == "aino").unwrap();
    Stand {
        youth: secret("youth-services-token"),
        client: secret("resident-profile-client"),
        aino: aino.identifier.reveal().to_owned(),
        systems,
        _folder: folder,
    }
}

/// An answer's status, challenge and body.
async fn send(systems: &CitySystems, request: TestRequest) -> (u16, Option<String>, Value) {
    let app = test::init_service(App::new().configure(|app| systems.configure(app))).await;
    let answer = test::call_service(&app, request.to_request()).await;
    let status = answer.status();
    let challenge = answer.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
    let body = test::read_body(answer).await;
    if status != StatusCode::NO_CONTENT {
        return (status.as_u16(), challenge, serde_json::from_slice(&body).unwrap());
    }
    assert!(body.is_empty());
    (status.as_u16(), challenge, Value::Null)
}

fn memberships(query: &str, token: &str, guardian: &str) -> TestRequest {
    TestRequest::get()
        .uri(&format!("/youth-services/v1/memberships{query}"))
        .insert_header(("authorization", format!("Bearer {token}")))
        .insert_header(("x-guardian", guardian))
}

fn profile(id: &str, token: &str) -> TestRequest {
    TestRequest::get()
        .uri(&format!("/profile/gdpr-api/v1/profiles/{id}"))
        .insert_header(("authorization", format!("Bearer {token}")))
}

fn token(secret: &str, form: &[(&str, &str)]) -> TestRequest {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let basic = STANDARD.encode(format!("omadata:{secret}"));
    TestRequest::post()
        .uri("/token")
        .insert_header(("authorization", format!("Basic {basic}")))
        .set_form(form)
}

#[actix_web::test]
async fn memberships_come_on_pages_to_whoever_has_the_token() {
    let stand = stand();
    let ask = async |query: &str| send(&stand.systems, memberships(query, &stand.youth, &stand.aino)).await;
    let (status, _, first) = ask("").await;
    assert_eq!((status, first["data"]["items"].as_array().unwrap().len()), (200, 2), "{first}");
    assert_eq!(first["data"]["items"][0]["guardian"]["identifier"], stand.aino.as_str());
    let next = first["links"]["next"].as_str().unwrap();
    assert_eq!(next, "/youth-services/v1/memberships?page=2", "no address names a person");
    let (status, _, last) = ask("?page=2").await;
    assert_eq!((status, last["data"]["items"].as_array().unwrap().len()), (200, 1), "{last}");
    assert_eq!((&last["links"]["next"], &last["data"]["total"]), (&Value::Null, &json!(3)));
    let (status, _, nobody) = send(&stand.systems, memberships("", &stand.youth, "-")).await;
    assert_eq!((status, &nobody["data"]["items"]), (200, &json!([])), "an unknown person has none");
}

#[actix_web::test]
async fn memberships_are_refused_without_the_token_or_with_a_bad_request() {
    let stand = stand();
    let good = stand.youth.as_str();
    let bare = || TestRequest::get().uri("/youth-services/v1/memberships");
    let bearer = ("authorization", format!("Bearer {good}"));
    let guardian = ("x-guardian", stand.aino.clone());
    for (request, status, error) in [
        (bare().insert_header(guardian.clone()), 401, "invalid_token"),
        (memberships("", "wrong", &stand.aino), 401, "invalid_token"),
        (memberships("", "", &stand.aino), 401, "invalid_token"),
        (memberships("", &stand.client, &stand.aino), 401, "invalid_token"),
        (
            bare().insert_header(guardian.clone()).insert_header(("authorization", format!("Basic {good}"))),
            401,
            "invalid_token",
        ),
        // The token is judged first: who has none learns nothing of the form.
        (memberships("?page=x", "wrong", "a b"), 401, "invalid_token"),
        (bare().insert_header(bearer.clone()), 400, "invalid_request"),
        (memberships("", good, "two words"), 400, "invalid_request"),
        (memberships("", good, ""), 400, "invalid_request"),
        (memberships("", good, &stand.aino).append_header(("x-guardian", "-")), 400, "invalid_request"),
        (memberships("?page=0", good, &stand.aino), 400, "invalid_request"),
        (memberships("?page=-1", good, &stand.aino), 400, "invalid_request"),
        (memberships("?page=two", good, &stand.aino), 400, "invalid_request"),
        (memberships("?guardian=everybody", good, &stand.aino), 400, "invalid_request"),
        (memberships("?page=3", good, &stand.aino), 404, "no_such_page"),
        (memberships("?page=18446744073709551615", good, &stand.aino), 404, "no_such_page"),
    ] {
        let (told, challenge, body) = send(&stand.systems, request).await;
        assert_eq!((told, body["error"].as_str()), (status, Some(error)), "{body}");
        assert_eq!(
            challenge.is_some_and(|challenge| challenge.starts_with("Bearer ")),
            status == 401,
            "{body}"
        );
        assert!(!body.to_string().contains(&stand.aino), "{body}");
    }
}

#[actix_web::test]
async fn a_profile_is_a_tree_for_a_token_with_its_scope() {
    let stand = stand();
    let form = [("grant_type", "client_credentials"), ("scope", "profile.gdprquery")];
    let (status, _, granted) = send(&stand.systems, token(&stand.client, &form)).await;
    assert_eq!((status, granted["token_type"].as_str()), (200, Some("Bearer")), "{granted}");
    let access = granted["access_token"].as_str().unwrap();
    let (status, _, tree) = send(&stand.systems, profile(&stand.aino, access)).await;
    assert_eq!((status, tree["key"].as_str()), (200, Some("PROFILE")), "{tree}");
    assert!(tree.to_string().contains("aino.mallimaa@post.example"), "{tree}");
    let (status, _, none) = send(&stand.systems, profile("-", access)).await;
    assert_eq!((status, none), (204, Value::Null), "an unknown person has no data");
    for (request, status, code) in [
        (profile(&stand.aino, "wrong"), 401, "invalid_token"),
        (profile(&stand.aino, &stand.client), 401, "invalid_token"),
        (profile(&stand.aino, &stand.youth), 401, "invalid_token"),
        (profile("a%20b", "wrong"), 401, "invalid_token"),
        (profile("a%20b", access), 400, "invalid_request"),
        (profile("%C3%A4", access), 400, "invalid_request"),
    ] {
        let (told, _, body) = send(&stand.systems, request).await;
        assert_eq!((told, body["errors"][0]["code"].as_str()), (status, Some(code)), "{body}");
    }
    // A token without the scope is one, and reads nothing.
    let (_, _, granted) = send(&stand.systems, token(&stand.client, &form[..1])).await;
    let (status, challenge, body) =
        send(&stand.systems, profile(&stand.aino, granted["access_token"].as_str().unwrap())).await;
    assert_eq!((status, body["errors"][0]["code"].as_str()), (403, Some("insufficient_scope")), "{body}");
    assert!(challenge.unwrap().contains("insufficient_scope"));
}

#[actix_web::test]
async fn a_token_is_given_to_the_registered_client_alone() {
    let stand = stand();
    let form = [("grant_type", "client_credentials"), ("scope", "profile.gdprquery")];
    for (request, status, error) in [
        (token("wrong", &form), 401, "invalid_client"),
        (token(&stand.youth, &form), 401, "invalid_client"),
        (TestRequest::post().uri("/token").set_form(form), 401, "invalid_client"),
        (token(&stand.client, &[("grant_type", "password")]), 400, "unsupported_grant_type"),
        (token(&stand.client, &[("scope", "profile.gdprquery")]), 400, "invalid_request"),
        (token(&stand.client, &[form[0], ("scope", "profile.gdprdelete")]), 400, "invalid_scope"),
        (token(&stand.client, &[]).set_json(json!({})), 400, "invalid_request"),
    ] {
        let (told, _, body) = send(&stand.systems, request).await;
        assert_eq!((told, body["error"].as_str()), (status, Some(error)), "{body}");
    }
    let (status, _, _) = send(&stand.systems, TestRequest::get().uri("/profile/gdpr-api/v1/profiles")).await;
    assert_eq!(status, 404);
}

#[actix_web::test]
async fn a_city_without_such_registers_has_no_such_systems() {
    let folder = tempfile::tempdir().unwrap();
    let config = shipped::node(City::Espoo, &Overrides::in_folder(folder.path())).unwrap();
    let made =
        CitySystems::new(&config, &SystemRecords::default(), Arc::new(SystemClock), Arc::new(SystemEntropy));
    assert!(matches!(made, Err(SystemsError::NoRegister("http"))));
}
