//! Consents at their recipient.

use super::*;

fn held(n: u8) -> HeldConsent {
    let detail: AuthorizationDetail = terms(5).to_detail();
    HeldConsent {
        id: HeldConsentId::from_bytes([n; 16]),
        origin: Origin::Pushed,
        service: ServiceId::new("daycare").unwrap(),
        holder: entity(ESPOO),
        case_reference: Some("CASE-7".to_owned()),
        expected_person: Some(NationalIdentifier::new("ID-aino").unwrap()),
        asked: AssuranceRequirement { acr: Some("substantial high".to_owned()), max_age: Some(600) },
        return_url: Some("https://service.example/back".to_owned()),
        replaces: None,
        created_at: at(i64::from(n)),
        life: HeldLife::requested(detail, at(i64::from(n))),
    }
}

fn tokens_of(kid: KeyId) -> HeldTokens {
    HeldTokens {
        access_token: "access".to_owned(),
        expires_at: at(600),
        refresh_token: Some("refresh".to_owned()),
        dpop_kid: kid,
    }
}

fn pending(state: &str) -> PendingAuthorization {
    PendingAuthorization {
        state: state.to_owned(),
        code_verifier: "verifier".to_owned(),
        browser_binding: "browser".to_owned(),
        dpop_kid: Some(KeyId::new("dpop-key").unwrap()),
    }
}

on_both!(
    async fn a_browser_comes_back_once_with_its_own_state(fixture) {
        let store = &fixture.store;
        let id = held(1).id;
        store.write("test", |tx| held_consents::insert(tx, &held(1))).await.unwrap();
        store.write("test", move |tx| held_consents::set_pending(tx, id, &pending("old"), at(0))).await.unwrap();
        store.write("test", move |tx| held_consents::set_pending(tx, id, &pending("new"), at(1))).await.unwrap();
        let take = |state: &'static str, browser: &'static str, when| {
            store.write("test", move |tx| held_consents::take_pending(tx, state, browser, at(when)))
        };
        for (state, browser, when) in [("old", "browser", 2), ("new", "stranger", 2), ("new", "browser", 7201)] {
            assert_eq!(take(state, browser, when).await.map(|_| ()), Err(StoreError::NotFound));
        }
        let back = take("new", "browser", 2).await.unwrap();
        assert_eq!((back.held.id, back.code_verifier.as_str()), (id, "verifier"));
        assert_eq!(back.dpop_kid, Some(KeyId::new("dpop-key").unwrap()));
        assert_eq!(take("new", "browser", 2).await.map(|_| ()), Err(StoreError::NotFound));
    }
);

on_both!(
    async fn a_list_is_read_page_by_page_without_a_gap_or_a_repeat(fixture) {
        let store = &fixture.store;
        // Two of the same moment at a page boundary.
        for (n, moment) in [(1, 1), (2, 2), (3, 2), (4, 2), (5, 3)] {
            let held = HeldConsent { created_at: at(moment), ..held(n) };
            store.write("test", move |tx| held_consents::insert(tx, &held)).await.unwrap();
        }
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let service = ServiceId::new("daycare").unwrap();
            let page = store.read("test", move |r| held_consents::of_service(r, &service, None, after, 2)).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some((last.created_at, last.id));
            seen.extend(page.iter().map(|held| held.id));
        }
        let expected: Vec<_> = [5, 2, 3, 4, 1].map(|n| held(n).id).into();
        assert_eq!(seen, expected);
    }
);

on_both!(
    async fn a_held_consent_lives_and_does_not_come_back(fixture) {
        let store = &fixture.store;
        let kid = store
            .write("test", |tx| signing_keys::ensure_active(tx, Purpose::Dpop, at(0), SigningKey::generate))
            .await
            .unwrap()
            .kid()
            .clone();
        store.write("test", |tx| held_consents::insert(tx, &held(1))).await.unwrap();
        store.write("test", |tx| held_consents::insert(tx, &held(2))).await.unwrap();
        let id = held(1).id;
        let mut active = store.read("test", move |r| held_consents::find(r, id)).await.unwrap();
        assert_eq!(active.case_reference.as_deref(), Some("CASE-7"));
        assert_eq!(active.expected_person, held(1).expected_person);
        let grant = HeldGrant {
            grant_id: GrantId::new("g").unwrap(),
            tokens: tokens_of(kid),
            commitment: Commitment::from_text("c".to_owned()),
        };
        let detail = active.life.detail().clone();
        active.life.grant(grant, detail, at(1)).unwrap();
        let kept = active.clone();
        store.write("test", move |tx| held_consents::save(tx, &kept)).await.unwrap();
        let by_grant = |holder: &'static str| {
            store.read("test", move |r| held_consents::find_by_grant(r, &entity(holder), &GrantId::new("g").unwrap()))
        };
        assert_eq!(by_grant(ESPOO).await.unwrap().life, active.life);
        assert_eq!(by_grant(HELSINKI).await.map(|_| ()), Err(StoreError::NotFound));

        let list = |service: &'static str, state| {
            let service = ServiceId::new(service).unwrap();
            store.read("test", move |r| held_consents::of_service(r, &service, state, None, 10))
        };
        let ids: Vec<_> = list("daycare", None).await.unwrap().iter().map(|held| held.id).collect();
        assert_eq!(ids, [held(2).id, held(1).id]);
        assert_eq!(list("daycare", Some(HeldStatus::Active)).await.unwrap().len(), 1);
        assert!(list("parking", None).await.unwrap().is_empty());

        let mut ended = active.clone();
        let taken_back = ReasonWord::try_from("taken_back".to_owned()).unwrap();
        ended.life.end(taken_back, at(1)).unwrap();
        for _ in 0..2 {
            let ended = ended.clone();
            store.write("test", move |tx| held_consents::save(tx, &ended)).await.unwrap();
        }
        let late = store.write("test", move |tx| held_consents::save(tx, &active)).await;
        assert_eq!(late, Err(StoreError::Conflict), "tokens that came too late are not kept");
        let found = store.read("test", move |r| held_consents::find(r, id)).await.unwrap();
        assert_eq!((found.status(), found.life.grant_held()), (HeldStatus::Ended, None));
        assert_eq!(found.life.reason().map(HeldReason::as_str), Some("taken_back"));

        assert_eq!(store.write("test", |tx| held_consents::lapse_older(tx, at(3), at(9), 9)).await, Ok(1));
        for (when, outcome) in [(1, "received"), (2, "refused")] {
            store
                .write("test", move |tx| {
                    let fetch =
                        NewFetch { held: id, at: at(when), outcome, receipt: Some("r"), body_digest: None, available_from: None };
                    fetches::insert(tx, &fetch)
                })
                .await
                .unwrap();
        }
        let fetched = store.read("test", move |r| fetches::of_held(r, id, 10)).await.unwrap();
        assert_eq!(fetched.iter().map(|f| f.outcome.as_str()).collect::<Vec<_>>(), ["refused", "received"]);
    }
);

on_both!(
    async fn undecided_requests_of_a_service_lapse_a_few_at_a_time(fixture) {
        let store = &fixture.store;
        store
            .write("test", |tx| (1..=5).try_for_each(|n| held_consents::insert(tx, &held(n))))
            .await
            .unwrap();
        for lapsed in [2, 2, 0] {
            let done = store.write("test", |tx| held_consents::lapse_older(tx, at(5), at(9), 2)).await;
            assert_eq!(done, Ok(lapsed), "the fifth is not old enough");
        }
    }
);
