//! Responses of the provider, and which of them count as a login.

use super::*;

#[actix_web::test]
async fn a_good_login_tells_who_came_and_which_key_says_so() {
    let bench = Bench::with_secret();
    let person = bench.complete().await.unwrap();
    assert_eq!(person.subject, "subject-1");
    assert_eq!(person.identifier.reveal(), "010190-999C");
    assert_eq!(person.display_name.as_deref(), Some("Aino Esimerkki"));
    assert_eq!(person.acr.as_deref(), Some("loa2"));
    assert_eq!(person.auth_time, Some(Timestamp::from_secs(NOW - 5)));
    // The evidence verifies by itself.
    assert_eq!(
        jose::id_token::verify(&person.id_token, &person.provider_key).unwrap().iss,
        bench.provider.issuer
    );
    assert_eq!(bench.form("code_verifier").as_deref(), Some(VERIFIER));
    assert_eq!(bench.form("redirect_uri").as_deref(), Some("http://espoo.localhost:8402/login/callback"));
    assert!(!format!("{person:?}").contains("Aino"));
    bench.stop().await;
}

#[actix_web::test]
async fn rsa_providers_work_too() {
    let bench = Bench::with_secret();
    for signing in [Signing::Rs256, Signing::Ps256] {
        bench.script(|script| script.signing = signing);
        let person = bench.complete().await.unwrap();
        assert!(jose::id_token::verify(&person.id_token, &person.provider_key).is_ok());
    }
    bench.stop().await;
}

#[actix_web::test]
async fn the_node_proves_itself_in_each_of_the_three_ways() {
    let bench = Bench::with_secret();
    bench.complete().await.unwrap();
    let header = bench.provider.last_authorization.lock().unwrap().clone().unwrap();
    let encoded = header.strip_prefix("Basic ").unwrap();
    use base64::{Engine, engine::general_purpose::STANDARD};
    let decoded = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
    assert_eq!(decoded, "node-of-espoo:a+secret+with+%3A+and+%2B");
    assert_eq!(bench.form("client_secret"), None);
    bench.stop().await;

    let bench = Bench::new(ClientAuthentication::SecretPost(SECRET.to_owned().into()));
    bench.complete().await.unwrap();
    assert_eq!(bench.form("client_secret").as_deref(), Some(SECRET));
    assert_eq!(bench.form("client_id").as_deref(), Some(CLIENT));
    assert_eq!(*bench.provider.last_authorization.lock().unwrap(), None);
    bench.stop().await;

    let key = SigningKey::generate().unwrap();
    let bench = Bench::new(ClientAuthentication::PrivateKeyJwt(Arc::new(key.clone())));
    bench.complete().await.unwrap();
    assert_eq!(bench.form("client_assertion_type").as_deref(), Some(ASSERTION_TYPE));
    let assertion = bench.form("client_assertion").unwrap();
    let claims = ProviderJwt::parse(&assertion).unwrap().verify(&key.public().to_jwk()).unwrap();
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(CLIENT), &json!(CLIENT)));
    assert_eq!(claims["aud"], json!(bench.provider.issuer));
    assert_eq!(claims["exp"], json!(NOW + 60));
    assert_eq!(bench.form("client_secret"), None);
    bench.stop().await;
}

#[actix_web::test]
async fn every_id_token_that_does_not_fit_is_refused() {
    let cases: Vec<TokenCase> =
        serde_json::from_str(include_str!("../../../../tests/vectors/login/id_token.json")).unwrap();
    let bench = Bench::with_secret();
    for case in &cases {
        let claims = bench.value(&case.claims);
        bench.script(|script| {
            script.signing = case.signing;
            script.claims = claims;
        });
        assert_eq!(word(&bench.complete().await.unwrap_err()), case.error, "{}", case.name);
    }
    bench.script(|script| {
        script.signing = Signing::Es256;
        script.claims =
            json!({"iat": NOW - 60, "auth_time": NOW - 660, "azp": CLIENT, "aud": [CLIENT], "acr": "loa3"});
    });
    assert!(bench.complete().await.is_ok(), "the bounds themselves are good");
    bench.stop().await;
}

#[actix_web::test]
async fn every_answer_of_the_browser_that_does_not_fit_is_refused() {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        name: String,
        set: Value,
        error: String,
    }
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../../../../tests/vectors/login/callback.json")).unwrap();
    let bench = Bench::with_secret();
    let good = bench.callback();
    let (_, pending) = bench.begin().await;
    for case in cases {
        let set = |name: &str, good: &Option<String>| match case.set.get(name) {
            None => good.clone(),
            Some(value) => value.as_str().map(str::to_owned),
        };
        let callback = Callback {
            code: set("code", &good.code),
            state: set("state", &good.state),
            iss: set("iss", &good.iss),
            error: set("error", &good.error),
        };
        let outcome = bench.node.complete(&pending, &callback, bench.clock.now()).await;
        assert_eq!(word(&outcome.unwrap_err()), case.error, "{}", case.name);
    }
    let no_state = PendingLogin { state: String::new(), ..pending };
    let empty = Callback { state: Some(String::new()), ..good };
    assert_eq!(
        bench.node.complete(&no_state, &empty, bench.clock.now()).await.unwrap_err(),
        LoginError::Invalid("state")
    );
    bench.stop().await;
}

#[actix_web::test]
async fn an_issuer_in_the_answer_is_compared_even_where_it_is_not_promised() {
    let bench = Bench::with_secret();
    bench.script(|script| script.metadata = json!({"authorization_response_iss_parameter_supported": null}));
    let (_, pending) = bench.begin().await;
    let without = Callback { iss: None, ..bench.callback() };
    assert!(bench.node.complete(&pending, &without, bench.clock.now()).await.is_ok());
    let other = Callback { iss: Some("http://other.localhost".into()), ..bench.callback() };
    let outcome = bench.node.complete(&pending, &other, bench.clock.now()).await;
    assert_eq!(outcome.unwrap_err(), LoginError::Invalid("iss"));
    bench.stop().await;
}

#[actix_web::test]
async fn what_the_token_endpoint_answers_is_told_apart() {
    use LoginError::{Invalid, ProviderUnavailable};
    let bench = Bench::with_secret();
    let cases = [
        (400, json!({"error": "invalid_grant"}), Invalid("code")),
        (401, json!({"error": "invalid_client"}), ProviderUnavailable),
        (500, json!("broken"), ProviderUnavailable),
        (200, json!({"hello": "world"}), ProviderUnavailable),
        (200, json!({"access_token": "a", "token_type": "Bearer"}), Invalid("id_token")),
        (
            200,
            json!({"access_token": "a", "token_type": "Bearer", "id_token": "no.token"}),
            Invalid("id_token"),
        ),
        (302, json!({}), ProviderUnavailable),
    ];
    for (status, body, expected) in cases {
        bench.script(|script| script.token_answer = Some((status, body.clone())));
        assert_eq!(bench.complete().await.unwrap_err(), expected, "{status} {body}");
    }
    bench.script(|script| script.token_answer = Some((200, json!({"access_token": "x".repeat(300 * 1024)}))));
    assert_eq!(bench.complete().await.unwrap_err(), ProviderUnavailable, "an answer without end");
    bench.stop().await;
}

#[actix_web::test]
async fn an_identifier_that_the_token_lacks_is_asked_at_userinfo() {
    let bench = Bench::with_secret();
    bench.script(|script| script.claims = json!({"national_id": null, "name": null}));
    assert_eq!(bench.complete().await.unwrap_err(), LoginError::ProviderUnavailable);
    let info = json!({"sub": "subject-1", "national_id": "010190-999c", "given_name": "Aino", "family_name": "Virta"});
    bench.script(|script| script.userinfo = Some(info.clone()));
    let person = bench.complete().await.unwrap();
    assert_eq!(person.identifier.reveal(), "010190-999C");
    assert_eq!(person.display_name.as_deref(), Some("Aino Virta"));
    bench.script(|script| {
        script.userinfo = Some(json!({"sub": "someone-else", "national_id": "010190-999C"}))
    });
    assert_eq!(bench.complete().await.unwrap_err(), LoginError::Invalid("userinfo sub"));
    bench.script(|script| script.userinfo = Some(json!({"sub": "subject-1"})));
    assert_eq!(bench.complete().await.unwrap_err(), LoginError::NoIdentifier);
    bench.stop().await;
}

#[test]
fn the_name_to_greet_with_is_short_and_printable() {
    let name = |claims: Value| display_name(claims.as_object().unwrap());
    assert_eq!(name(json!({"name": " Aino "})).as_deref(), Some("Aino"));
    assert_eq!(name(json!({"name": "", "given_name": "Aino"})).as_deref(), Some("Aino"));
    assert_eq!(name(json!({"name": "a\u{1b}[31m"})), None);
    assert_eq!(name(json!({"name": "x".repeat(121)})), None);
    assert_eq!(name(json!({})), None);
}

#[actix_web::test]
async fn claims_that_a_login_does_not_use_never_refuse_it() {
    let bench = Bench::with_secret();
    bench.script(|script| {
        script.claims = json!({
            "updated_at": "2026-01-01T00:00:00Z", "email_verified": "true", "address": "Esimerkkikatu 1",
            "amr": "pwd", "birthdate": 19_900_101, "phone_number_verified": 1, "zoneinfo": ["Europe/Helsinki"],
        });
    });
    assert!(bench.complete().await.is_ok());
    bench.stop().await;
}

#[actix_web::test]
async fn a_token_that_logs_in_can_be_evidence() {
    let bench = Bench::with_secret();
    for iat in [json!(NOW), json!(1_800_000_000.0), json!(1_800_000_000.75)] {
        bench.script(|script| {
            script.claims = json!({"iat": iat, "exp": 1_800_000_300.5, "auth_time": 1_799_999_995.0})
        });
        let person = bench.complete().await.unwrap();
        assert_eq!(person.auth_time, Some(Timestamp::from_secs(NOW - 5)));
        assert_eq!(jose::id_token::verify(&person.id_token, &person.provider_key).unwrap().iat, NOW, "{iat}");
    }
    bench.stop().await;
}
