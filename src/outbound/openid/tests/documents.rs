//! The provider's metadata and keys.

use super::*;

#[actix_web::test]
async fn documents_are_kept_for_an_hour_and_keys_are_asked_again_once_a_minute() {
    let bench = Bench::with_secret();
    let (metadata, jwks) = (&bench.provider.metadata_fetches, &bench.provider.jwks_fetches);
    bench.complete().await.unwrap();
    bench.complete().await.unwrap();
    assert_eq!((metadata.load(Ordering::SeqCst), jwks.load(Ordering::SeqCst)), (1, 1));

    // The provider publishes its signing key only now: found by the first login after the cool-down.
    let all = bench.provider.script.lock().unwrap().jwks.clone();
    bench.clock.0.store(NOW + 3600, Ordering::SeqCst);
    bench.script(|script| {
        script.jwks = vec![SigningKey::generate().unwrap().public().to_jwk()];
        script.claims = json!({"iat": NOW + 3600, "exp": NOW + 3900, "auth_time": NOW + 3600});
    });
    assert_eq!(bench.complete().await.unwrap_err(), LoginError::Invalid("kid"));
    assert_eq!((metadata.load(Ordering::SeqCst), jwks.load(Ordering::SeqCst)), (2, 2));
    bench.script(|script| script.jwks = all);
    assert_eq!(bench.complete().await.unwrap_err(), LoginError::Invalid("kid"), "too soon to ask again");
    assert_eq!(jwks.load(Ordering::SeqCst), 2);
    bench.clock.0.store(NOW + 3660, Ordering::SeqCst);
    assert!(bench.complete().await.is_ok());
    assert_eq!((metadata.load(Ordering::SeqCst), jwks.load(Ordering::SeqCst)), (2, 3));
    bench.stop().await;
}

#[actix_web::test]
async fn two_keys_that_both_fit_are_one_too_many() {
    let bench = Bench::with_secret();
    bench.script(|script| {
        let first = script.jwks.first().cloned().unwrap();
        script.jwks.push(first);
    });
    assert_eq!(bench.complete().await.unwrap_err(), LoginError::Invalid("kid"));
    bench.stop().await;
}

#[actix_web::test]
async fn a_provider_that_is_away_or_not_itself_is_unavailable() {
    let bench = Bench::with_secret();
    let cases = [
        json!({"issuer": "http://other.localhost"}),
        json!({"token_endpoint": null}),
        json!({"token_endpoint": "http://192.0.2.1/token"}),
        json!({"authorization_endpoint": "http://provider.example/authorize"}),
        json!({"jwks_uri": "http://provider.example/jwks"}),
        json!({"authorization_endpoint": null}),
    ];
    for (round, change) in (1_i64..).zip(cases) {
        bench.clock.0.store(NOW + 10 * round, Ordering::SeqCst);
        bench.script(|script| script.metadata = change.clone());
        assert_eq!(bench.node.begin(start()).await.unwrap_err(), LoginError::ProviderUnavailable, "{change}");
    }
    // No retry within three seconds of a failure.
    let asked = bench.provider.metadata_fetches.load(Ordering::SeqCst);
    bench.script(|script| script.metadata = json!({}));
    assert_eq!(bench.node.begin(start()).await.unwrap_err(), LoginError::ProviderUnavailable);
    assert_eq!(bench.provider.metadata_fetches.load(Ordering::SeqCst), asked);
    bench.clock.0.fetch_add(3, Ordering::SeqCst);
    let (_, pending) = bench.begin().await;
    let callback = bench.callback();
    bench.server.stop(false).await;
    let outcome = bench.node.complete(&pending, &callback, bench.clock.now()).await;
    assert_eq!(outcome.unwrap_err(), LoginError::ProviderUnavailable);
    bench.clock.0.fetch_add(4000, Ordering::SeqCst);
    assert_eq!(bench.node.begin(start()).await.unwrap_err(), LoginError::ProviderUnavailable);
}

#[actix_web::test]
async fn optional_members_of_the_metadata_never_stop_a_login() {
    let bench = Bench::with_secret();
    let changes = [
        json!({"op_policy_uri": "", "op_tos_uri": false, "service_documentation": 1}),
        json!({"end_session_endpoint": "", "userinfo_endpoint": 7}),
        json!({"response_types_supported": "code", "scopes_supported": {"openid": true}}),
        json!({"subject_types_supported": null, "id_token_signing_alg_values_supported": null}),
    ];
    for (round, change) in (1_i64..).zip(changes) {
        let now = NOW + 4_000 * round;
        bench.clock.0.store(now, Ordering::SeqCst);
        bench.script(|script| {
            script.metadata = change.clone();
            script.claims = json!({"iat": now, "exp": now + 300, "auth_time": now});
        });
        assert!(bench.complete().await.is_ok(), "{change}");
    }
    bench.stop().await;
}
