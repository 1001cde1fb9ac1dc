//! Consents and their changes.

use super::*;

on_both!(
    async fn a_consent_is_kept_whole_with_every_change(fixture) {
        let store = &fixture.store;
        let stored = given(store, 1, 2).await;
        let id = stored.id;
        assert!(stored.status_index < LIST_SIZE);
        assert_eq!(stored.terms, terms(2));
        assert_eq!((stored.acr.as_deref(), stored.auth_time), (Some("substantial"), Some(at(5))));
        let grant = stored.grant_id.clone();
        assert_eq!(store.read(move |r| consents::find_by_grant(r, &grant)).await.unwrap().id, id);
        assert_eq!(store.read(move |r| consents::evidence(r, id)).await.unwrap(), evidence());
        assert_eq!(store.read(move |r| consent_requests::of_consent(r, id)).await.unwrap().id, request(1).id);
        let owner = stored.person;
        assert_eq!(store.read(move |r| consents::of_person(r, owner)).await.unwrap().len(), 1);

        for when in [20, 30] {
            store
                .write(move |tx| {
                    let mut consent = consents::lock(tx, id)?;
                    let change = consent.count_exchange(at(when)).map_err(|_| StoreError::Conflict)?;
                    consents::save(tx, &consent, change.as_ref())
                })
                .await
                .unwrap();
        }
        let used_up = store.read(move |r| consents::find(r, id)).await.unwrap();
        assert_eq!(used_up.state, ConsentState::Ended { at: at(30), how: End::Exhausted });
        assert_eq!((used_up.exchanges, used_up.last_exchange_at), (2, Some(at(30))));

        let back = store
            .write(move |tx| {
                let mut consent = consents::lock(tx, id)?;
                consent.state = ConsentState::Active;
                consents::save(tx, &consent, None)
            })
            .await;
        assert_eq!(back, Err(StoreError::Conflict), "nothing leaves an end state");
        let history = store.read(move |r| consents::history(r, id)).await.unwrap();
        let seen: Vec<_> = history.iter().map(|change| (change.from, change.to.as_str(), change.actor)).collect();
        assert_eq!(seen, [(None, "active", Actor::Resident), (Some("active"), "exhausted", Actor::Node)]);
        let rewritten = store
            .write(|tx| {
                diesel::delete(consent_events::table).execute(tx.db)?;
                Ok::<_, StoreError>(())
            })
            .await;
        assert!(rewritten.is_err(), "every change is kept");
        let statuses = store.read(|r| consents::statuses(r, 0)).await.unwrap();
        assert_eq!(statuses, [(stored.status_index, used_up.state)]);
        assert_eq!(store.read(consents::status_lists).await, Ok(1));
        assert!(store.read(|r| consents::statuses(r, 1)).await.unwrap().is_empty());
    }
);

on_both!(
    async fn one_request_leads_to_one_consent(fixture) {
        let store = &fixture.store;
        let first = given(store, 1, 2).await;
        let twice = store
            .write(move |tx| {
                let mut second = consent(2, first.person, 2);
                second.status_index = consents::draw_status_index(tx)?;
                consents::insert(tx, &second, RequestId::from_bytes([1; 16]), &evidence())
            })
            .await;
        assert_eq!(twice, Err(StoreError::Conflict));
    }
);

on_both!(
    async fn a_consent_is_due_when_its_last_day_is_over(fixture) {
        let store = &fixture.store;
        let id = given(store, 1, 2).await.id;
        let end = terms(2).until.end();
        let due = |when: Timestamp| store.read(move |r| consents::due_to_expire(r, when, 10));
        assert!(due(end.plus_secs(-1)).await.unwrap().is_empty());
        assert_eq!(due(end).await.unwrap(), [id]);
        store
            .write(move |tx| {
                let mut consent = consents::lock(tx, id)?;
                let change = consent.expire(end).map_err(|_| StoreError::Conflict)?;
                consents::save(tx, &consent, Some(&change))
            })
            .await
            .unwrap();
        assert!(due(end).await.unwrap().is_empty());
    }
);

on_both!(
    async fn no_exchange_is_counted_after_a_revocation_was_acknowledged(fixture) {
        let id = given(&fixture.store, 1, 5000).await.id;
        let revoked = Arc::new(AtomicBool::new(false));
        let fetchers: Vec<_> = (0..4)
            .map(|_| {
                // Each its own process.
                let store = fixture.other_process(&root_keys()).unwrap();
                let revoked = Arc::clone(&revoked);
                tokio::spawn(async move {
                    let (mut released, mut after) = (0_u32, 0_u32);
                    for _ in 0..400 {
                        let over = revoked.load(Ordering::SeqCst);
                        let result = store
                            .write_log(move |tx| {
                                let mut consent = consents::lock(tx, id)?;
                                let change = consent.count_exchange(at(50)).map_err(|_| StoreError::NotFound)?;
                                consents::save(tx, &consent, change.as_ref())?;
                                log::append(tx, &leaf(), at(50))
                            })
                            .await;
                        match result {
                            Ok(_) if over => after += 1,
                            Ok(_) => released += 1,
                            Err(StoreError::NotFound) => break,
                            Err(error) => panic!("{error}"),
                        }
                    }
                    (released, after)
                })
            })
            .collect();
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        fixture
            .store
            .write(move |tx| {
                let mut consent = consents::lock(tx, id)?;
                let change = consent.revoke(Actor::Resident, Reason::TakenBack, at(60)).map_err(|_| StoreError::Conflict)?;
                consents::save(tx, &consent, Some(&change))
            })
            .await
            .unwrap();
        revoked.store(true, Ordering::SeqCst);
        let mut total = 0;
        for fetcher in fetchers {
            let (released, after) = fetcher.await.unwrap();
            assert_eq!(after, 0);
            total += released;
        }
        let consent = fixture.store.read(move |r| consents::find(r, id)).await.unwrap();
        assert_eq!(consent.exchanges, total);
        assert_eq!(fixture.store.read(log::size).await, Ok(u64::from(total)));
    }
);
