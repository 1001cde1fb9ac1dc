//! What depends on a consent: codes, tokens, exchanges, refusals.

use super::*;

on_both!(
    async fn a_code_is_redeemed_once_and_only_by_its_client(fixture) {
        let store = &fixture.store;
        let id = given(store, 1, 2).await.id;
        let code = Code {
            kind: CodeKind::Code,
            consent: id,
            client: entity(HELSINKI),
            redirect_uri: Some("https://helsinki.example/oauth/callback".to_owned()),
            code_challenge: Some("challenge".to_owned()),
            dpop_jkt: None,
            expires_at: at(60),
        };
        let kept = code.clone();
        store
            .write("test", move |tx| {
                authorization_codes::insert(tx, "secret-code", &kept, at(0))?;
                authorization_codes::insert(tx, "late-code", &kept, at(0))
            })
            .await
            .unwrap();
        let redeem = |text: &'static str, client: &'static str, when| {
            store.write("test", move |tx| authorization_codes::redeem(tx, text, &entity(client), at(when)))
        };
        assert_eq!(redeem("other", HELSINKI, 1).await, Err(StoreError::NotFound));
        assert_eq!(redeem("secret-code", ESPOO, 1).await, Err(StoreError::NotFound));
        assert_eq!(redeem("late-code", HELSINKI, 60).await, Err(StoreError::NotFound));
        let (one, two) = tokio::join!(redeem("secret-code", HELSINKI, 2), redeem("secret-code", HELSINKI, 2));
        let fresh = [&one, &two].iter().filter(|r| matches!(r, Ok(Redeemed::Fresh(_)))).count();
        let replayed = [&one, &two].iter().filter(|r| matches!(r, Ok(Redeemed::Replayed(_)))).count();
        assert_eq!((fresh, replayed), (1, 1));
        assert_eq!(redeem("secret-code", HELSINKI, 99).await, Ok(Redeemed::Replayed(code)));
        assert_eq!(store.write("test", |tx| authorization_codes::purge(tx, at(61), 100)).await, Ok(2));
    }
);

on_both!(
    async fn tokens_are_found_until_they_are_forgotten(fixture) {
        let store = &fixture.store;
        let id = given(store, 1, 2).await.id;
        let jti = Jti::new("jti-1").unwrap();
        let token = IssuedToken {
            jti: jti.clone(),
            consent: id,
            jkt: "t".repeat(43).parse().unwrap(),
            iat: at(0),
            exp: at(600),
        };
        let kept = token.clone();
        store
            .write("test", move |tx| {
                tokens::insert(tx, &kept)?;
                tokens::insert_refresh(tx, "refresh", id, &entity(HELSINKI), at(0))
            })
            .await
            .unwrap();
        let wanted = jti.clone();
        assert_eq!(store.read("test", move |r| tokens::find(r, &wanted)).await.unwrap(), token);
        let refresh = |client: &'static str| store.read("test", move |r| tokens::find_refresh(r, "refresh", &entity(client)));
        assert_eq!(refresh(HELSINKI).await, Ok(id));
        assert_eq!(refresh(ESPOO).await, Err(StoreError::NotFound));
        store.write("test", move |tx| tokens::forget(tx, id)).await.unwrap();
        assert_eq!(refresh(HELSINKI).await, Err(StoreError::NotFound));
        assert_eq!(store.read("test", move |r| tokens::find(r, &jti)).await, Err(StoreError::NotFound));
    }
);

on_both!(
    async fn exchanges_are_listed_and_acknowledged_once(fixture) {
        let store = &fixture.store;
        let consent = given(store, 1, 9).await;
        let id = consent.id;
        for n in [1, 2] {
            store
                .write_log("test", move |tx| {
                    let index = log::append(tx, &leaf(), at(50))?;
                    exchanges::insert(tx, &exchange(n, id, index))
                })
                .await
                .unwrap();
        }
        let unlogged = store.write("test", move |tx| exchanges::insert(tx, &exchange(3, id, 99))).await;
        assert!(matches!(unlogged, Err(StoreError::Rule(_))), "no exchange without its log entry: {unlogged:?}");
        let listed = store.read("test", move |r| exchanges::of_consent(r, id, 10)).await.unwrap();
        assert_eq!(listed, [exchange(2, id, 1), exchange(1, id, 0)]);

        let first = ExchangeId::from_bytes([1; 16]);
        let acknowledge = |by: &'static str, text: &'static str, when| {
            store.write("test", move |tx| exchanges::acknowledge(tx, first, &entity(by), text, at(when)))
        };
        assert_eq!(acknowledge(ESPOO, "forged", 70).await, Err(StoreError::NotFound));
        acknowledge(HELSINKI, "signed", 70).await.unwrap();
        acknowledge(HELSINKI, "again", 80).await.unwrap();
        let known = store.read("test", move |r| exchanges::find(r, first)).await.unwrap();
        assert_eq!(known.acknowledged_at, Some(at(70)));
        assert_eq!(store.read("test", move |r| exchanges::acknowledgement(r, first)).await.unwrap(), "signed");
        let second = ExchangeId::from_bytes([2; 16]);
        let missing = store.read("test", move |r| exchanges::acknowledgement(r, second)).await;
        assert_eq!(missing, Err(StoreError::NotFound));

        let refusal = refusals::NewRefusal {
            at: at(90),
            refusal: Refusal::token(crate::domain::token::RefusalReason::ConsentEnded),
            client: None,
            consent: Some(id),
            dataset: None,
        };
        store.write("test", move |tx| refusals::insert(tx, &refusal)).await.unwrap();
        assert_eq!(store.read("test", move |r| refusals::of_consent(r, id, 10)).await.unwrap().len(), 1);
    }
);
