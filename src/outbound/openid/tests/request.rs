//! The redirects for login and logout.

use super::*;

#[actix_web::test]
async fn the_request_says_everything_that_was_asked() {
    let bench = Bench::with_secret();
    let (address, pending) = bench.begin().await;
    let sent: std::collections::BTreeMap<String, String> = address.query_pairs().into_owned().collect();
    let expected = [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", "http://espoo.localhost:8402/login/callback"),
        ("scope", "openid profile"),
        ("state", "the-state"),
        ("nonce", "the-nonce"),
        ("code_challenge_method", "S256"),
        ("acr_values", "loa2 loa3"),
        ("max_age", "600"),
        ("ui_locales", "sv"),
    ];
    for (name, value) in expected {
        assert_eq!(sent.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(sent["code_challenge"], jose::b64url(&jose::sha256(VERIFIER.as_bytes())));
    assert_eq!(pending.started_at, Timestamp::from_secs(NOW));
    let short = LoginStart { code_verifier: "short".into(), ..start() };
    assert_eq!(bench.node.begin(short).await.unwrap_err(), LoginError::Invalid("code_verifier"));
    bench.stop().await;
}

#[actix_web::test]
async fn a_level_that_must_be_reached_is_demanded_in_words_that_the_provider_knows() {
    let claims = json!({"id_token": {"acr": {"essential": true, "values": ["loa2", "loa3"]}}});
    for (supported, step_up, demands) in [
        (true, true, (Some(&claims), None, None)),
        (true, false, (Some(&claims), None, None)),
        (false, true, (None, Some("loa2 loa3"), Some("login"))),
        (false, false, (None, Some("loa2 loa3"), None)),
    ] {
        let bench = Bench::with_secret();
        bench.provider.script.lock().unwrap().metadata = json!({"claims_parameter_supported": supported});
        let (address, _) = bench.node.begin(LoginStart { step_up, ..start() }).await.unwrap();
        let sent: std::collections::BTreeMap<String, String> = address.query_pairs().into_owned().collect();
        let sent_claims: Option<Value> = sent.get("claims").map(|text| serde_json::from_str(text).unwrap());
        let said = |name: &str| sent.get(name).map(String::as_str);
        assert_eq!((sent_claims.as_ref(), said("acr_values"), said("prompt")), demands);
        // Without a required level, no parameter about levels is sent.
        let (address, _) = bench.node.begin(LoginStart { acr: None, ..start() }).await.unwrap();
        assert!(!address.query().unwrap().contains("claims="), "{address}");
        bench.stop().await;
    }
}

#[actix_web::test]
async fn a_logout_address_tells_nothing_about_the_person() {
    let bench = Bench::with_secret();
    let back = "http://espoo.localhost:8402/".parse().unwrap();
    let person = bench.complete().await.unwrap();
    let address = bench.node.logout_url(&person.id_token, &back).await.unwrap();
    assert_eq!(
        address.as_str().strip_prefix(&bench.provider.issuer).unwrap(),
        "/logout?client_id=node-of-espoo&post_logout_redirect_uri=http%3A%2F%2Fespoo.localhost%3A8402%2F"
    );
    let plain = bench.provider.key.sign("JWT", &json!({"iss": "i", "sub": "s", "aud": CLIENT})).unwrap();
    let address = bench.node.logout_url(&plain, &back).await.unwrap();
    assert!(address.as_str().ends_with(&format!("&id_token_hint={plain}")));
    bench.stop().await;

    let bench = Bench::with_secret();
    bench.script(|script| script.metadata = json!({"end_session_endpoint": null}));
    assert_eq!(bench.node.logout_url("", &back).await, None);
    bench.stop().await;
}

#[test]
fn plain_http_is_no_issuer_outside_the_demo() {
    let settings = |issuer: &str, network| OpenIdSettings {
        issuer: issuer.to_owned(),
        client_id: CLIENT.to_owned(),
        authentication: ClientAuthentication::SecretBasic(SECRET.to_owned().into()),
        identifier_claim: "national_id".to_owned(),
        scopes: Vec::new(),
        redirect_url: "https://espoo.example/login/callback".parse().unwrap(),
        network,
        assurance_request: AssuranceRequest::default(),
        messages: MessageProtection::default(),
    };
    let make = |issuer: &str, network| {
        let clock = Arc::new(StillClock(AtomicI64::new(NOW)));
        OpenIdProvider::new(settings(issuer, network), clock, Arc::new(Counting(AtomicU64::new(0)))).err()
    };
    assert!(make("https://login.example", ProviderNetwork::Production).is_none());
    assert!(make("http://login.localhost:8409", ProviderNetwork::Demo).is_none());
    for (issuer, network) in [
        ("http://login.example", ProviderNetwork::Demo),
        ("http://login.localhost:8409", ProviderNetwork::Production),
    ] {
        assert!(matches!(make(issuer, network), Some(OpenIdSettingsError::InsecureIssuer)), "{issuer}");
    }
    assert!(matches!(make("login", ProviderNetwork::Demo), Some(OpenIdSettingsError::Issuer)));
}

#[actix_web::test]
async fn a_provider_that_ignores_claims_can_be_asked_by_acr_values() {
    let bench = Bench::with(ClientAuthentication::SecretBasic(SECRET.to_owned().into()), |settings| {
        settings.assurance_request = AssuranceRequest::AcrValues;
    });
    bench.script(|script| script.metadata = json!({"claims_parameter_supported": true}));
    for (step_up, prompt) in [(true, Some("login")), (false, None)] {
        let (address, _) = bench.node.begin(LoginStart { step_up, ..start() }).await.unwrap();
        let sent: std::collections::BTreeMap<String, String> = address.query_pairs().into_owned().collect();
        assert_eq!(sent.get("acr_values").map(String::as_str), Some("loa2 loa3"));
        assert_eq!((sent.get("prompt").map(String::as_str), sent.get("claims")), (prompt, None));
    }
    bench.stop().await;
}
