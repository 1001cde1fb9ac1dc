//! Consents and their changes.

use super::*;
use crate::domain::consent::{DenialKind, StandingDenial};
use crate::domain::ids::DenialId;
use crate::store::holder::standing_denials;

on_both!(
    async fn a_consent_is_kept_whole_with_every_change(fixture) {
        let store = &fixture.store;
        let stored = given(store, 1, 2).await;
        let id = stored.id;
        assert!(stored.status_index < LIST_SIZE);
        assert_eq!(stored.terms, terms(2));
        assert_eq!((stored.acr.as_deref(), stored.auth_time), (Some("substantial"), Some(at(5))));
        let grant = stored.grant_id.clone();
        assert_eq!(store.read("test", move |r| consents::find_by_grant(r, &grant)).await.unwrap().id, id);
        assert_eq!(store.read("test", move |r| consents::evidence(r, id)).await.unwrap(), evidence());
        assert_eq!(store.read("test", move |r| consent_requests::of_consent(r, id)).await.unwrap().id, request(1).id);
        let owner = stored.person;
        assert_eq!(store.read("test", move |r| consents::of_person(r, owner)).await.unwrap().len(), 1);

        for when in [20, 30] {
            store
                .write("test", move |tx| {
                    let mut consent = consents::lock(tx, id)?;
                    let change = consent.count_exchange(at(when)).map_err(|_| StoreError::Conflict)?;
                    consents::save(tx, &consent, change.as_ref())
                })
                .await
                .unwrap();
        }
        let used_up = store.read("test", move |r| consents::find(r, id)).await.unwrap();
        assert_eq!(used_up.state, ConsentState::Ended { at: at(30), how: End::Exhausted });
        assert_eq!((used_up.exchanges, used_up.last_exchange_at), (2, Some(at(30))));

        let back = store
            .write("test", move |tx| {
                let mut consent = consents::lock(tx, id)?;
                consent.state = ConsentState::Active;
                consents::save(tx, &consent, None)
            })
            .await;
        assert_eq!(back, Err(StoreError::Conflict), "nothing leaves an end state");
        let history = store.read("test", move |r| consents::history(r, id)).await.unwrap();
        let seen: Vec<_> = history.iter().map(|change| (change.from, change.to.as_str(), change.actor)).collect();
        assert_eq!(seen, [(None, "active", Actor::Resident), (Some("active"), "exhausted", Actor::Node)]);
        let rewritten = store
            .write("test", |tx| {
                diesel::delete(consent_events::table).execute(tx.db)?;
                Ok::<_, StoreError>(())
            })
            .await;
        assert!(rewritten.is_err(), "every change is kept");
        let statuses = store.read("test", |r| consents::statuses(r, 0)).await.unwrap();
        assert_eq!(statuses, [(stored.status_index, used_up.state)]);
        assert_eq!(store.read("test", consents::status_lists).await, Ok(1));
        assert!(store.read("test", |r| consents::statuses(r, 1)).await.unwrap().is_empty());
    }
);

on_both!(
    async fn several_are_locked_and_counted_together_and_told_when_they_are_held_back(fixture) {
        let store = &fixture.store;
        let (one, two) = (given(store, 1, 5).await, given(store, 2, 5).await);
        let ids = std::collections::BTreeSet::from([one.id, two.id]);
        let lock_all = |ids: std::collections::BTreeSet<_>| {
            store.write("test", move |tx| consents::lock_all(tx, &ids))
        };
        let locked = lock_all(ids.clone()).await.unwrap();
        assert_eq!(locked.iter().map(|(consent, held)| (consent.id, *held)).collect::<Vec<_>>(), ids.iter().map(|id| (*id, false)).collect::<Vec<_>>());
        let mut used: Vec<_> = locked.into_iter().map(|(consent, _)| consent).collect();
        for (consent, times) in used.iter_mut().zip([1, 2]) {
            // The later one is recorded first.
            (0..times).for_each(|n| assert!(consent.count_exchange(at(30 - n)).is_ok()));
        }
        store
            .write("test", move |tx| consents::count_exchanges(tx, &used.iter().collect::<Vec<_>>()))
            .await
            .unwrap();
        let counted = lock_all(ids.clone()).await.unwrap();
        let seen: Vec<_> = counted.iter().map(|(consent, _)| (consent.exchanges, consent.last_exchange_at)).collect();
        assert_eq!(seen, [(1, Some(at(30))), (2, Some(at(30)))]);
        store.write("test", |tx| crate::store::restore::begin_epoch(tx, at(40))).await.unwrap();
        assert!(lock_all(ids.clone()).await.unwrap().iter().all(|(_, held)| *held));
        let (other, missing) = (one.id, crate::domain::ids::ConsentId::from_bytes([9; 16]));
        store.write("test", move |tx| consents::mark_compared(tx, other)).await.unwrap();
        let held: Vec<_> = lock_all(ids).await.unwrap().into_iter().filter(|(_, held)| *held).collect();
        assert_eq!(held.iter().map(|(consent, _)| consent.id).collect::<Vec<_>>(), [two.id]);
        assert_eq!(lock_all([other, missing].into()).await.unwrap_err(), StoreError::NotFound);
    }
);

on_both!(
    async fn one_request_leads_to_one_consent(fixture) {
        let store = &fixture.store;
        let first = given(store, 1, 2).await;
        let twice = store
            .write("test", move |tx| {
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
        let due = |when: Timestamp| store.read("test", move |r| consents::due_to_expire(r, when, 10));
        assert!(due(end.plus_secs(-1)).await.unwrap().is_empty());
        assert_eq!(due(end).await.unwrap(), [id]);
        store
            .write("test", move |tx| {
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
                            .write_log("test", move |tx| {
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
            .write("test", move |tx| {
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
        let consent = fixture.store.read("test", move |r| consents::find(r, id)).await.unwrap();
        assert_eq!(consent.exchanges, total);
        assert_eq!(fixture.store.read("test", log::size).await, Ok(u64::from(total)));
    }
);

/// Rank correlation of two lists of numbers (Spearman): 0 for none, 1 or -1 when one determines the other.
fn rank_correlation(numbers: &[u32]) -> f64 {
    let mut sorted: Vec<(u32, u32)> = numbers.iter().copied().zip(0..).collect();
    sorted.sort_unstable();
    let count = f64::from(u32::try_from(numbers.len()).unwrap());
    let squares: f64 = sorted
        .iter()
        .zip(0..)
        .map(|((_, drawn), rank): (_, u32)| (f64::from(*drawn) - f64::from(rank)).powi(2))
        .sum();
    1.0 - 6.0 * squares / (count * (count * count - 1.0))
}

on_both!(
    async fn places_in_the_status_list_do_not_tell_the_order_in_which_they_were_given(fixture) {
        const DRAWN: u32 = 2000;
        let places: Vec<u32> = fixture
            .store
            .write("test", |tx| (0..DRAWN).map(|_| consents::draw_status_index(tx)).collect::<Result<_, _>>())
            .await
            .unwrap();
        // Six standard deviations of a random draw: a correct one fails this once in a thousand million runs.
        let order = rank_correlation(&places);
        assert!(order.abs() < 6.0 / f64::from(DRAWN).sqrt(), "the place tells the time: {order}");
        let steps: Vec<u32> = places.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]) % LIST_SIZE).collect();
        let step = rank_correlation(&steps);
        assert!(step.abs() < 6.0 / f64::from(DRAWN).sqrt(), "the step tells the time: {step}");
        // Sixteen equal parts of the list, with equal expected counts (chi-squared, 15 degrees of freedom).
        let mut parts = [0.0_f64; 16];
        for place in &places {
            assert!(*place < LIST_SIZE, "the first list");
            parts[usize::try_from(place / (LIST_SIZE / 16)).unwrap()] += 1.0;
        }
        let share = f64::from(DRAWN) / 16.0;
        let spread: f64 = parts.iter().map(|part| (part - share).powi(2) / share).sum();
        assert!(spread < 70.0, "the places are not spread evenly: {parts:?}");
        // The measure itself: ordered places are detected.
        assert!(rank_correlation(&(0..2000).collect::<Vec<_>>()) > 0.99);
    }
);

on_both!(
    async fn what_ended_long_ago_is_erased_and_nothing_else(fixture) {
        let store = &fixture.store;
        let kept = given(store, 1, 2).await;
        let over = given(store, 2, 2).await;
        store
            .write("test", move |tx| {
                let mut consent = consents::lock(tx, over.id)?;
                let change = consent.revoke(Actor::Resident, Reason::TakenBack, at(60)).map_err(|_| StoreError::Conflict)?;
                consents::save(tx, &consent, Some(&change))?;
                consent_requests::insert(tx, &request(3), None)?;
                consent_requests::conclude(tx, request(3).id, RequestState::Declined, at(50))
            })
            .await
            .unwrap();
        let due = |when| store.read("test", move |r| consents::due_for_erasure(r, at(when), 10));
        assert!(due(60).await.unwrap().is_empty());
        assert_eq!(due(61).await.unwrap(), [over.id]);
        let early = store.write("test", move |tx| consents::erase(tx, kept.id, at(100))).await;
        assert_eq!(early, Err(StoreError::NotFound), "in force");
        store
            .write("test", move |tx| {
                consents::erase(tx, over.id, at(100))?;
                consent_requests::erase_person(tx, over.id)?;
                tokens::forget(tx, over.id)?;
                assert_eq!(consent_requests::delete_ended(tx, at(50), 10)?, 0);
                assert_eq!(consent_requests::delete_ended(tx, at(51), 10)?, 1);
                // She has a consent in force, so her identity is kept.
                assert_eq!(persons::erase_idle(tx, at(200), 10)?, (0, false));
                assert_eq!(persons::erase_idle(tx, at(200), 1)?, (0, false), "looked at once a day");
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
        assert_eq!(store.read("test", move |r| consents::evidence(r, over.id)).await, Err(StoreError::NotFound));
        assert_eq!(store.read("test", move |r| consents::erased_at(r, over.id)).await, Ok(Some(at(100))));
        assert!(due(1000).await.unwrap().is_empty(), "once");
        assert_eq!(store.read("test", move |r| consents::evidence(r, kept.id)).await.unwrap(), evidence());
        assert_eq!(store.read("test", move |r| consents::history(r, over.id)).await.unwrap().len(), 2, "the log stays");
        // When her consent has ended and is erased too, her identity can be neither found nor read.
        store
            .write("test", move |tx| {
                let mut consent = consents::lock(tx, kept.id)?;
                let change = consent.revoke(Actor::Resident, Reason::TakenBack, at(300)).map_err(|_| StoreError::Conflict)?;
                consents::save(tx, &consent, Some(&change))?;
                consents::erase(tx, kept.id, at(400))?;
                assert_eq!(persons::erase_idle(tx, at(0), 10)?.0, 0, "a late login");
                // A permanent denial is kept, and the person with it.
                let denial = StandingDenial {
                    id: DenialId::from_bytes([1; 16]),
                    kind: DenialKind::Partner,
                    target: HELSINKI.to_owned(),
                    name: Text { fi: "a".into(), sv: "b".into(), en: "c".into() },
                    created_at: at(1),
                    until: None,
                };
                standing_denials::insert(tx, kept.person, &denial)?;
                let days = |days: i64| at(201 + days * 86_400);
                assert_eq!(persons::erase_idle(tx, days(1), 1)?, (0, true), "a refusal stands");
                assert!(standing_denials::remove(tx, kept.person, denial.id)?);
                assert_eq!(persons::erase_idle(tx, days(3), 10)?, (1, false));
                assert_eq!(persons::erase_idle(tx, days(9), 10)?, (0, false), "once");
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
        assert!(store.read("test", move |r| persons::find(r, kept.person)).await.is_err());
        assert_ne!(person(store, "resident").await, kept.person, "a new resident");
    }
);

on_both!(
    async fn one_reminder_before_the_end_of_what_was_given_for_long(fixture) {
        let store = &fixture.store;
        let id = given(store, 1, 2).await.id;
        let end = terms(2).until.end();
        let lead = 14 * 86_400;
        let due = |now: Timestamp| store.read("test", move |r| consents::due_for_reminder(r, now, 10));
        assert!(due(end.plus_secs(-lead - 1)).await.unwrap().is_empty(), "too early");
        assert_eq!(due(end.plus_secs(-lead)).await.unwrap(), [id]);
        assert!(due(end).await.unwrap().is_empty(), "over");
        let short = store
            .read("test", move |r| {
                let long = consents::find(r, id)?;
                Ok::<_, StoreError>(Consent { decided_at: end.plus_secs(-2 * lead), ..long })
            })
            .await
            .unwrap();
        assert_eq!(short.reminder_at(), None, "given for a short time");
        store.write("test", move |tx| consents::remind(tx, id, at(7))).await.unwrap();
        assert_eq!(store.write("test", move |tx| consents::remind(tx, id, at(8))).await, Err(StoreError::NotFound));
        assert_eq!(store.read("test", move |r| consents::reminded_at(r, id)).await, Ok(Some(at(7))));
        assert!(due(end.plus_secs(-lead)).await.unwrap().is_empty(), "once");
    }
);

on_both!(
    async fn a_consent_is_compared_with_each_version_of_its_use_once_and_after_each_change(fixture) {
        let store = &fixture.store;
        let consent = given(store, 1, 3).await;
        let (id, used) = (consent.id, consent.terms.declared_use.clone());
        assert_eq!(store.read("test", |r| consents::next_declared_use(r, None)).await.unwrap(), Some(used.clone()));
        let last = used.clone();
        assert_eq!(
            store.read("test", move |r| consents::next_declared_use(r, Some(&last))).await.unwrap(),
            None
        );
        let due = |version: &'static str| {
            let used = used.clone();
            store.read("test", move |r| {
                Ok::<_, StoreError>(consents::not_compared(r, &used, version, 10)?.len())
            })
        };
        let mark = |state, version: &'static str| {
            store.write("test", move |tx| consents::mark_followed(tx, &[(id, state)], version))
        };
        assert_eq!(due("1.b").await, Ok(1), "never compared");
        mark(ConsentState::Suspended, "1.b").await.unwrap();
        assert_eq!(due("1.b").await, Ok(1), "its state is another");
        mark(ConsentState::Active, "1.b").await.unwrap();
        assert_eq!(due("1.b").await, Ok(0));
        assert_eq!((due("1.a").await, due("1.c").await), (Ok(1), Ok(1)), "another version, whatever its order");
        store
            .write("test", move |tx| {
                let mut consent = consents::lock(tx, id)?;
                let paused = consent.suspend(Actor::Resident, Reason::Paused, at(20)).unwrap();
                consents::save(tx, &consent, Some(&paused))
            })
            .await
            .unwrap();
        assert_eq!(due("1.b").await, Ok(1), "it has changed");
    }
);
