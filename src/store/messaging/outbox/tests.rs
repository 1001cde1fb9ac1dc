//! Leases, order and pauses of the outbox.

use super::*;
use crate::store::engine::testing::{at, on_both, root_keys};

fn item(order: &str, dedup: &str) -> NewItem {
    to("https://peer.example", order, dedup)
}

fn to(destination: &str, order: &str, dedup: &str) -> NewItem {
    NewItem {
        kind: "event",
        destination: EntityId::new(destination).unwrap(),
        subject: "consent-1".to_owned(),
        order_key: order.to_owned(),
        dedup_key: dedup.to_owned(),
        payload: format!("payload of {dedup}"),
        next_at: at(0),
    }
}

on_both!(
    async fn four_workers_lease_each_item_once(fixture) {
        fixture
            .store
            .write("test", |tx| {
                for n in 0..200 {
                    let peer = format!("https://peer-{}.example", n / 4);
                    push(tx, &to(&peer, &format!("o{n}"), &format!("d{n}")), at(0))?;
                }
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                let store = fixture.other_process(&root_keys()).unwrap();
                tokio::spawn(async move {
                    let mut got = Vec::new();
                    loop {
                        let owner = format!("w{worker}");
                        let batch =
                            store.write("test", move |tx| lease(tx, &owner, at(1), at(60), 10)).await.unwrap();
                        if batch.is_empty() {
                            return got;
                        }
                        got.extend(batch.into_iter().map(|leased| leased.id));
                    }
                })
            })
            .collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.await.unwrap());
        }
        assert_eq!(all.len(), 200);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 200);
    }
);

on_both!(
    async fn one_key_goes_in_order_through_failure_and_surrender(fixture) {
        let store = &fixture.store;
        let pushed = store
            .write("test", |tx| {
                Ok::<_, StoreError>([
                    push(tx, &item("o", "a"), at(0))?,
                    push(tx, &item("o", "b"), at(0))?,
                    push(tx, &item("o", "a"), at(0))?,
                ])
            })
            .await
            .unwrap();
        assert!(pushed[0].is_some() && pushed[1].is_some() && pushed[2].is_none());
        let take = |when, until| store.write("test", move |tx| lease(tx, "w", at(when), at(until), 10));

        let first = take(1, 60).await.unwrap();
        assert_eq!(first.len(), 1);
        assert_eq!(first[0].payload.as_str(), "payload of a");
        assert_eq!(first[0].attempt, 1);
        assert!(take(2, 60).await.unwrap().is_empty(), "leased");
        assert_eq!(take(60, 120).await.unwrap()[0].attempt, 2, "a lost lease is taken again");
        let id = first[0].id;
        let stolen = store.write("test", move |tx| delivered(tx, id, "other", at(61))).await;
        assert_eq!(stolen, Err(StoreError::NotFound));
        store.write("test", move |tx| failed(tx, id, "w", at(100), "unreachable")).await.unwrap();
        assert!(take(99, 120).await.unwrap().is_empty(), "b waits behind a");
        assert_eq!(take(100, 120).await.unwrap()[0].id, id);
        store.write("test", move |tx| give_up(tx, id, "w", at(101), "refused")).await.unwrap();
        let second = take(102, 120).await.unwrap();
        assert_eq!(second[0].payload.as_str(), "payload of b");
        let id = second[0].id;
        store.write("test", move |tx| delivered(tx, id, "w", at(103))).await.unwrap();
        let again = store.write("test", move |tx| delivered(tx, id, "w", at(104))).await;
        assert_eq!(again, Err(StoreError::NotFound));
        assert!(take(1000, 2000).await.unwrap().is_empty());

        let seen = store.read("test", |r| deliveries(r, "consent-1")).await.unwrap();
        assert_eq!(seen.len(), 2);
        assert_eq!((seen[0].given_up_at, seen[0].last_error.as_deref()), (Some(at(101)), Some("refused")));
        assert_eq!((seen[1].delivered_at, seen[1].attempts), (Some(at(103)), 1));
    }
);

on_both!(
    async fn a_silent_destination_holds_back_nobody_else_and_is_asked_with_one_item(fixture) {
        let store = &fixture.store;
        store
            .write("test", |tx| {
                for n in 0..100 {
                    push(tx, &to("https://dead.example", &format!("x{n}"), &format!("x{n}")), at(0))?;
                }
                push(tx, &to("https://alive.example", "y", "y"), at(0))
            })
            .await
            .unwrap();
        let take = |when| store.write("test", move |tx| lease(tx, "w", at(when), at(when + 60), 32));
        let first = take(1).await.unwrap();
        let hosts: Vec<&str> = first.iter().map(|item| item.destination.as_str()).collect();
        assert_eq!(hosts.iter().filter(|host| host.contains("dead")).count(), 4, "its share");
        assert_eq!(hosts.iter().filter(|host| host.contains("alive")).count(), 1);
        assert!(take(1).await.unwrap().is_empty(), "the share is under way");
        let dead = EntityId::new("https://dead.example").unwrap();
        for item in first {
            let dead = dead.clone();
            store
                .write("test", move |tx| {
                    if item.destination == dead {
                        destination_silent(tx, &dead, at(2), 30)?;
                        return failed(tx, item.id, "w", at(3), "unreachable");
                    }
                    destination_answered(tx, &item.destination)?;
                    delivered(tx, item.id, "w", at(2))
                })
                .await
                .unwrap();
        }
        // Four failures: eight seconds of pause, then one item at a time.
        assert!(take(9).await.unwrap().is_empty());
        let probe = take(10).await.unwrap();
        assert_eq!(probe.len(), 1);
        assert!(take(11).await.unwrap().is_empty());
        let id = probe[0].id;
        store
            .write("test", move |tx| {
                destination_answered(tx, &dead)?;
                delivered(tx, id, "w", at(12))
            })
            .await
            .unwrap();
        assert_eq!(take(12).await.unwrap().len(), 4, "as usual again");
        assert_eq!(back_off_secs(1, 30), 1);
        assert_eq!(back_off_secs(6, 30), 30);
        assert_eq!(back_off_secs(i64::MAX, 30), 30);
    }
);

on_both!(
    async fn an_item_that_cannot_be_read_is_given_up_and_blocks_nothing(fixture) {
        let store = &fixture.store;
        let first = store
            .write("test", |tx| {
                let first = push(tx, &item("o", "a"), at(0))?;
                push(tx, &item("o", "b"), at(0))?;
                Ok::<_, StoreError>(first.unwrap())
            })
            .await
            .unwrap();
        store
            .write("test", move |tx| {
                diesel::update(outbox::table.filter(outbox::id.eq(first)))
                    .set(outbox::payload.eq(b"not sealed by this node".to_vec()))
                    .execute(tx.db)
                    .map_err(StoreError::from)
            })
            .await
            .unwrap();
        assert!(store.write("test", |tx| lease(tx, "w", at(1), at(60), 10)).await.unwrap().is_empty());
        let next = store.write("test", |tx| lease(tx, "w", at(1), at(60), 10)).await.unwrap();
        assert_eq!(next[0].payload.as_str(), "payload of b");
        let seen = store.read("test", |r| deliveries(r, "consent-1")).await.unwrap();
        assert_eq!(
            (seen[0].given_up_at, seen[0].last_error.as_deref()),
            (Some(at(1)), Some(UNREADABLE))
        );
    }
);

on_both!(
    async fn a_backlog_holds_back_nobody_and_each_key_goes_in_order(fixture) {
        let store = &fixture.store;
        store
            .write("test", |tx| {
                for n in 0..3000 {
                    // Twenty keys, each with a long line behind its first.
                    push(tx, &to("https://dead.example", &format!("x{}", n % 20), &format!("x{n}")), at(0))?;
                }
                for n in 0..4 {
                    push(tx, &to("https://alive.example", "y", &format!("y{n}")), at(0))?;
                }
                destination_silent(tx, &EntityId::new("https://dead.example").unwrap(), at(0), 30)
            })
            .await
            .unwrap();
        let mut got = Vec::new();
        for _ in 0..8 {
            let items = store.write("test", |tx| lease(tx, "w", at(0), at(60), 32)).await.unwrap();
            assert!(items.len() <= 1, "one of a key at a time");
            for item in items {
                got.push(item.payload.to_string());
                store.write("test", move |tx| delivered(tx, item.id, "w", at(0))).await.unwrap();
            }
        }
        assert_eq!(got, (0..4).map(|n| format!("payload of y{n}")).collect::<Vec<_>>());
        // The first of all that wait, when the pause is over, and one item alone.
        let probe = store.write("test", |tx| lease(tx, "w", at(10), at(60), 32)).await.unwrap();
        assert_eq!(probe.iter().map(|item| item.payload.as_str()).collect::<Vec<_>>(), ["payload of x0"]);
    }
);

on_both!(
    async fn an_item_that_comes_late_with_an_earlier_number_goes_first(fixture) {
        let store = &fixture.store;
        let numbered = |name: &'static str, number: i64| {
            store.write("test", move |tx| {
                let id = push(tx, &item("o", name), at(0))?.unwrap();
                let one = outbox::table.filter(outbox::id.eq(id));
                diesel::update(one).set(outbox::seq.eq(number)).execute(tx.db).map_err(StoreError::from)
            })
        };
        let take = |when| store.write("test", move |tx| lease(tx, "w", at(when), at(when + 5), 10));
        if fixture.options.url.starts_with("postgres") {
            // Its numbers are its own.
            return;
        }
        numbered("later", 7).await.unwrap();
        let first = take(1).await.unwrap();
        assert_eq!(first[0].payload.as_str(), "payload of later");
        let id = first[0].id;
        store.write("test", move |tx| failed(tx, id, "w", at(2), "unreachable")).await.unwrap();
        numbered("earlier", 3).await.unwrap();
        let second = take(3).await.unwrap();
        assert_eq!(second.iter().map(|item| item.payload.as_str()).collect::<Vec<_>>(), ["payload of earlier"]);
        let id = second[0].id;
        store.write("test", move |tx| delivered(tx, id, "w", at(4))).await.unwrap();
        assert_eq!(take(4).await.unwrap()[0].payload.as_str(), "payload of later");
    }
);

on_both!(
    async fn an_item_that_a_wrong_clock_put_off_goes_out_all_the_same(fixture) {
        let store = &fixture.store;
        store
            .write("test", |tx| push(tx, &NewItem { next_at: at(90_000), ..item("o", "a") }, at(0)))
            .await
            .unwrap();
        let items = store.write("test", |tx| lease(tx, "w", at(1), at(60), 10)).await.unwrap();
        assert_eq!(items.len(), 1);
    }
);

on_both!(
    async fn what_waits_behind_a_forgotten_item_is_leased(fixture) {
        let store = &fixture.store;
        store
            .write("test", |tx| {
                for dedup in ["first", "second"] {
                    push(tx, &item("key", dedup), at(0))?;
                }
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
        let lease = || store.write("test", |tx| lease(tx, "w", at(1), at(60), 10));
        let leased = lease().await.unwrap();
        assert_eq!(leased.len(), 1);
        let id = leased[0].id;
        store.write("test", move |tx| delivered(tx, id, "w", at(2))).await.unwrap();
        // No lease comes between the delivery and the end of its retention.
        assert_eq!(store.write("test", |tx| forget_settled(tx, at(100), 10)).await, Ok(1));
        assert_eq!(lease().await.unwrap().len(), 1);
        assert_eq!(store.write("test", |tx| forget_settled(tx, at(100), 10)).await, Ok(0));
    }
);
