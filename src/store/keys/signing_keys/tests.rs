//! The life of keys in both databases.

use super::*;
use crate::store::engine::testing::{at, on_both, root_keys};

on_both!(
    async fn processes_agree_on_one_active_key(fixture) {
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let store = fixture.other_process(&root_keys()).unwrap();
                tokio::spawn(async move {
                    store
                        .write("test", |tx| ensure_active(tx, Purpose::Token, at(0), SigningKey::generate))
                        .await
                        .unwrap()
                        .kid()
                        .clone()
                })
            })
            .collect();
        let mut kids = Vec::new();
        for task in tasks {
            kids.push(task.await.unwrap());
        }
        kids.dedup();
        assert_eq!(kids.len(), 1);
        assert_eq!(fixture.store.read("test", list).await.unwrap().len(), 1);
    }
);

on_both!(
    async fn a_key_goes_from_pending_to_revoked(fixture) {
        let store = &fixture.store;
        let first = store
            .write("test", |tx| ensure_active(tx, Purpose::Client, at(0), SigningKey::generate))
            .await
            .unwrap();
        let second = SigningKey::generate().unwrap();
        let kid = second.kid().clone();
        store.write("test", move |tx| add_pending(tx, Purpose::Client, &second, at(1))).await.unwrap();
        assert_eq!(store.read("test", |r| active(r, Purpose::Client)).await.unwrap().kid(), first.kid());
        assert_eq!(store.read("test", version).await.unwrap(), 2, "one change, one count");

        let next = kid.clone();
        store.write("test", move |tx| activate(tx, &next, at(2))).await.unwrap();
        assert_eq!(store.read("test", |r| active(r, Purpose::Client)).await.unwrap().kid(), &kid);
        let old = first.kid().clone();
        assert_eq!(store.read("test", move |r| with_private_part(r, &old)).await.unwrap().kid(), first.kid());

        let old = first.kid().clone();
        store.write("test", move |tx| revoke(tx, &old, RevokeReason::Superseded, None, at(3))).await.unwrap();
        let old = first.kid().clone();
        let gone = store.read("test", move |r| with_private_part(r, &old)).await.map(|_| ());
        assert_eq!(gone, Err(StoreError::NotFound));
        let old = first.kid().clone();
        let again = store.write("test", move |tx| revoke(tx, &old, RevokeReason::Compromised, None, at(4))).await;
        assert_eq!(again, Err(StoreError::NotFound));

        let states: Vec<_> =
            store.read("test", list).await.unwrap().into_iter().map(|key| (key.state, key.revoked)).collect();
        assert_eq!(states[0], (KeyState::Revoked, Some((at(3), RevokeReason::Superseded))));
        assert_eq!(states[1], (KeyState::Active, None));
    }
);

on_both!(
    async fn one_key_of_a_purpose_waits_and_the_next_to_sign_is_that_one(fixture) {
        let store = &fixture.store;
        store.write("test", |tx| ensure_active(tx, Purpose::Dpop, at(0), SigningKey::generate).map(|_| ())).await.unwrap();
        let keys: Vec<_> = (0..3).map(|_| SigningKey::generate().unwrap()).collect();
        let kids: Vec<_> = keys.iter().map(|key| key.kid().clone()).collect();
        for key in keys.clone().into_iter().take(2) {
            store.write("test", move |tx| add_pending(tx, Purpose::Dpop, &key, at(1))).await.unwrap();
        }
        assert_eq!(store.read("test", |r| pending(r, Purpose::Dpop)).await.unwrap().unwrap().kid, kids[0]);
        assert_eq!(store.read("test", list).await.unwrap().len(), 2);
        let waiting = kids[0].clone();
        store.write("test", move |tx| announce(tx, &waiting, at(9))).await.unwrap();
        assert_eq!(store.read("test", |r| pending(r, Purpose::Dpop)).await.unwrap().unwrap().activates_at, Some(at(9)));
        let spare = keys[2].clone();
        let next = store.write("test", move |tx| replace_active(tx, Purpose::Dpop, &spare, at(2))).await.unwrap();
        assert_eq!(next, kids[0]);
        let spare = keys[2].clone();
        let next = store.write("test", move |tx| replace_active(tx, Purpose::Dpop, &spare, at(3))).await.unwrap();
        assert_eq!(next, kids[2]);
        let signing = kids[2].clone();
        let late = store.write("test", move |tx| announce(tx, &signing, at(9))).await;
        assert_eq!(late, Err(StoreError::NotFound));
    }
);

on_both!(
    async fn private_parts_of_retired_keys_are_destroyed_in_time(fixture) {
        let store = &fixture.store;
        let old = store.write("test", |tx| ensure_active(tx, Purpose::Token, at(0), SigningKey::generate)).await.unwrap();
        let spare = SigningKey::generate().unwrap();
        store.write("test", move |tx| replace_active(tx, Purpose::Token, &spare, at(10))).await.unwrap();
        assert_eq!(store.write("test", |tx| forget_private_parts(tx, at(10))).await.unwrap(), 0);
        assert_eq!(store.write("test", |tx| forget_private_parts(tx, at(11))).await.unwrap(), 1);
        assert_eq!(store.write("test", |tx| forget_private_parts(tx, at(11))).await.unwrap(), 0);
        let kid = old.kid().clone();
        assert!(matches!(store.read("test", move |r| with_private_part(r, &kid)).await, Err(StoreError::NotFound)));
        let kid = old.kid().clone();
        let record = store.read("test", move |r| find(r, &kid)).await.unwrap();
        assert_eq!((record.state, record.public.verifying()), (KeyState::Retired, Some(old.public())));
        assert!(store.read("test", |r| active(r, Purpose::Token)).await.is_ok());
    }
);
