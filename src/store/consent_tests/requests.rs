//! Requests before they are decided.

use super::*;

on_both!(
    async fn a_request_uri_is_used_once_by_its_client(fixture) {
        let store = &fixture.store;
        store.write("test", |tx| consent_requests::insert(tx, &request(1), Some(("urn:x:1", at(60))))).await.unwrap();
        let redeem = |uri: &'static str, client: &'static str, when| {
            store.read("test", move |r| consent_requests::by_request_uri(r, uri, &entity(client), at(when)))
        };
        for (uri, client, when) in [("urn:x:2", HELSINKI, 1), ("urn:x:1", ESPOO, 1), ("urn:x:1", HELSINKI, 60)] {
            assert_eq!(redeem(uri, client, when).await.map(|_| ()), Err(StoreError::NotFound));
        }
        let found = redeem("urn:x:1", HELSINKI, 59).await.unwrap();
        assert_eq!(found.terms, terms(5));
        assert_eq!(found.return_path, request(1).return_path);
        assert_eq!(found.recipient_name, request(1).recipient_name);
        // Reading it does not use it up; opening it does, even when the login took longer than the request URI is
        // valid.
        assert!(redeem("urn:x:1", HELSINKI, 59).await.is_ok());
        let (aino, eino) = (person(store, "aino").await, person(store, "eino").await);
        let open = |who: PersonId, when| {
            store.write("test", move |tx| consent_requests::open(tx, RequestId::from_bytes([1; 16]), who, at(when)))
        };
        assert_eq!(open(aino, 61).await, Ok(()));
        assert_eq!(open(eino, 62).await, Err(StoreError::Conflict));
        assert_eq!(open(aino, 62).await, Err(StoreError::Conflict), "once");
        assert_eq!(redeem("urn:x:1", HELSINKI, 59).await.map(|_| ()), Err(StoreError::NotFound));
        let owner = store.read("test", |r| consent_requests::find(r, RequestId::from_bytes([1; 16]))).await.unwrap().person;
        assert_eq!(owner, Some(aino));
    }
);

on_both!(
    async fn a_request_belongs_to_whom_it_expects_or_who_opens_it(fixture) {
        let store = &fixture.store;
        let (aino, eino) = (person(store, "aino").await, person(store, "eino").await);
        let expected = store.read("test", move |r| persons::find(r, aino)).await.unwrap().identifier_hash;
        store
            .write("test", move |tx| {
                let mut for_aino = request(1);
                for_aino.expected_person = Some(expected.as_bytes().to_vec());
                consent_requests::insert(tx, &for_aino, None)?;
                consent_requests::insert(tx, &request(2), None)
            })
            .await
            .unwrap();
        let waiting = |who: PersonId, when| {
            let store = store.clone();
            async move {
                store
                    .read("test", move |r| {
                        let who = persons::find(r, who)?;
                        consent_requests::waiting_for(r, &who, at(when))
                    })
                    .await
                    .unwrap()
                    .into_iter()
                    .map(|request| request.id)
                    .collect::<Vec<_>>()
            }
        };
        let (first, second) = (RequestId::from_bytes([1; 16]), RequestId::from_bytes([2; 16]));
        assert_eq!(waiting(aino, 1).await, [first]);
        assert!(waiting(eino, 1).await.is_empty());
        store.write("test", move |tx| consent_requests::bind_person(tx, second, eino)).await.unwrap();
        store.write("test", move |tx| consent_requests::bind_person(tx, second, eino)).await.unwrap();
        let taken = store.write("test", move |tx| consent_requests::bind_person(tx, second, aino)).await;
        assert_eq!(taken, Err(StoreError::Conflict));
        assert_eq!(waiting(eino, 1).await, [second]);
        assert!(waiting(eino, 1800).await.is_empty(), "lapsed");
        assert_eq!(store.write("test", |tx| consent_requests::lapse_due(tx, at(1800), 9)).await, Ok(2));
        let lapsed = store.read("test", move |r| consent_requests::find(r, first)).await.unwrap();
        assert_eq!(lapsed.state, RequestState::Lapsed);
    }
);

on_both!(
    async fn undecided_requests_lapse_and_are_forgotten_a_few_at_a_time(fixture) {
        let store = &fixture.store;
        store
            .write("test", |tx| {
                (1..=6).try_for_each(|n| consent_requests::insert(tx, &request(n), None))?;
                consent_requests::conclude(tx, RequestId::from_bytes([6; 16]), RequestState::Declined, at(5))
            })
            .await
            .unwrap();
        for lapsed in [2, 2, 1, 0] {
            let done = store.write("test", |tx| consent_requests::lapse_due(tx, at(1800), 2)).await;
            assert_eq!(done, Ok(lapsed));
        }
        assert_eq!(store.write("test", |tx| consent_requests::delete_lapsed(tx, at(1800), 2)).await, Ok(0));
        for forgotten in [2, 2, 1, 0] {
            let done = store.write("test", |tx| consent_requests::delete_lapsed(tx, at(1801), 2)).await;
            assert_eq!(done, Ok(forgotten));
        }
        let declined = RequestId::from_bytes([6; 16]);
        let kept = store.read("test", move |r| consent_requests::find(r, declined)).await.unwrap();
        assert_eq!(kept.state, RequestState::Declined, "what somebody decided is kept for longer");
    }
);

on_both!(
    async fn a_decision_is_made_once(fixture) {
        let store = &fixture.store;
        let id = RequestId::from_bytes([1; 16]);
        store.write("test", |tx| consent_requests::insert(tx, &request(1), None)).await.unwrap();
        assert_eq!(store.read("test", move |r| consent_requests::pending(r, id)).await, Err(StoreError::NotFound));
        let decision = PendingDecision {
            passkey: None,
            consent: ConsentId::from_bytes([1; 16]),
            terms: terms(1),
            document: "{}".to_owned(),
            salt: "salt".to_owned(),
        };
        let kept = decision.clone();
        store.write("test", move |tx| consent_requests::keep_pending(tx, id, &kept)).await.unwrap();
        assert_eq!(store.read("test", move |r| consent_requests::pending(r, id)).await.unwrap(), decision);
        let allowed = RequestState::Allowed(ConsentId::from_bytes([1; 16]));
        store.write("test", move |tx| consent_requests::conclude(tx, id, allowed, at(5))).await.unwrap();
        let again = store.write("test", move |tx| consent_requests::conclude(tx, id, RequestState::Declined, at(6))).await;
        assert_eq!(again, Err(StoreError::NotFound));
        let late = decision.clone();
        let late = store.write("test", move |tx| consent_requests::keep_pending(tx, id, &late)).await;
        assert_eq!(late, Err(StoreError::NotFound));
        assert_eq!(store.read("test", move |r| consent_requests::pending(r, id)).await, Err(StoreError::NotFound));
        assert_eq!(store.read("test", move |r| consent_requests::find(r, id)).await.unwrap().state, allowed);
    }
);

#[test]
fn a_request_is_too_long_with_whatever_another_member_writes_into_it() {
    assert!(!request(1).is_too_long());
    let long = || "x".repeat(crate::domain::consent::MAX_REQUEST_BYTES);
    let mut with_text = request(1);
    with_text.declared_use.otherwise.fi = long();
    let mut with_redirect = request(1);
    with_redirect.return_path.as_mut().unwrap().redirect_uri = long();
    let mut with_name = request(1);
    with_name.recipient_name.en = long();
    for request in [with_text, with_redirect, with_name] {
        assert!(request.is_too_long(), "{request:?}");
    }
}
