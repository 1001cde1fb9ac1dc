//! Keys over time, with the clock in the hand.

use super::*;
use crate::store::testing::{Kind, TestStore, at};

const POLICY: KeyPolicy = KeyPolicy { lead_secs: 100, overlap_secs: 1_000, rotate_days: [0, 1, 0, 0, 0] };

/// Two processes over one store.
async fn processes() -> (TestStore, KeyRing, KeyRing) {
    let fixture = TestStore::new(Kind::Sqlite).await.unwrap();
    let one = KeyRing::open_with(&fixture.store, POLICY, at(0)).await.unwrap();
    let other = KeyRing::open_with(&fixture.store, POLICY, at(0)).await.unwrap();
    (fixture, one, other)
}

fn signing(ring: &KeyRing, purpose: KeyPurpose) -> KeyId {
    ring.active(purpose).unwrap().kid().clone()
}

#[tokio::test]
async fn a_new_key_is_published_before_it_signs_and_every_process_follows() {
    let (fixture, one, other) = processes().await;
    let store = &fixture.store;
    let old = signing(&one, KeyPurpose::Receipt);
    let Rotation::Begun(next) = rotate(store, KeyPurpose::Receipt, at(10)).await.unwrap() else { panic!() };
    assert_eq!(rotate(store, KeyPurpose::Receipt, at(11)).await, Ok(Rotation::UnderWay(next.clone())));

    // The lead begins when a process publishes the key, not when the operator asked for it.
    tend(store, &one, at(20)).await.unwrap();
    tend(store, &other, at(21)).await.unwrap();
    for ring in [&one, &other] {
        assert!(ring.published_for(KeyPurpose::Receipt).find(&next).is_some());
        assert_eq!(signing(ring, KeyPurpose::Receipt), old);
    }
    tend(store, &other, at(119)).await.unwrap();
    assert_eq!(signing(&other, KeyPurpose::Receipt), old);
    tend(store, &other, at(120)).await.unwrap();
    tend(store, &one, at(120)).await.unwrap();
    for ring in [&one, &other] {
        assert_eq!(signing(ring, KeyPurpose::Receipt), next);
        assert!(ring.published_for(KeyPurpose::Receipt).find(&old).is_some());
    }
}

#[tokio::test]
async fn a_start_begins_the_lead_anew() {
    let (fixture, one, _) = processes().await;
    let store = &fixture.store;
    let old = signing(&one, KeyPurpose::Federation);
    rotate(store, KeyPurpose::Federation, at(0)).await.unwrap();
    tend(store, &one, at(1)).await.unwrap();
    // Nothing ran from here on; the key's time came and nobody had seen it.
    let after = KeyRing::open_with(store, POLICY, at(500)).await.unwrap();
    begin_lead_anew(store, &after, at(500)).await.unwrap();
    tend(store, &after, at(501)).await.unwrap();
    assert_eq!(signing(&after, KeyPurpose::Federation), old);
    tend(store, &after, at(600)).await.unwrap();
    assert_ne!(signing(&after, KeyPurpose::Federation), old);
}

#[tokio::test]
async fn keys_on_a_schedule_are_replaced_once_by_whichever_process() {
    let (fixture, one, other) = processes().await;
    let (store, day) = (&fixture.store, 86_400);
    let old = signing(&one, KeyPurpose::Token);
    for ring in [&one, &other] {
        tend(store, ring, at(day - 101)).await.unwrap();
        assert_eq!(ring.published_for(KeyPurpose::Token).len(), 1);
    }
    let ends = crate::node::warn_of_ends::key_endings(&one.records(), &POLICY);
    assert!(ends.iter().any(|end| end.name.ends_with(old.as_str()) && end.ends_at == at(day)));
    assert_eq!(ends.len(), 1, "keys without a schedule have no end");
    for now in [day - 100, day - 99] {
        tokio::join!(async { tend(store, &one, at(now)).await.unwrap() }, async {
            tend(store, &other, at(now)).await.unwrap();
        });
    }
    assert_eq!(store.read(signing_keys::list).await.unwrap().len(), KeyPurpose::ALL.len() + 1);
    tend(store, &one, at(day + 2)).await.unwrap();
    assert_ne!(signing(&one, KeyPurpose::Token), old);
    assert!(one.published_for(KeyPurpose::Dpop).len() == 1, "off the schedule");
}

#[tokio::test]
async fn a_revoked_key_is_replaced_in_the_same_step() {
    let (fixture, one, other) = processes().await;
    let store = &fixture.store;
    let old = signing(&one, KeyPurpose::Token);
    let ahead = revoke(store, old.clone(), RevokeReason::Compromised, Some(at(51)), at(50)).await;
    assert_eq!(ahead, Err(RotateError::SinceAhead));
    let revoked = revoke(store, old.clone(), RevokeReason::Compromised, Some(at(40)), at(50)).await;
    let (KeyPurpose::Token, Some(next)) = revoked.unwrap() else { panic!() };
    for ring in [&one, &other] {
        tend(store, ring, at(51)).await.unwrap();
        assert_eq!(signing(ring, KeyPurpose::Token), next);
        assert!(ring.published_for(KeyPurpose::Token).find(&old).is_none());
        assert!(ring.verifying(KeyPurpose::Token).find(&old).is_none());
        let revoked = ring.revoked(KeyPurpose::Token, &old).unwrap();
        assert_eq!(revoked.standing, crate::domain::jose::KeyStanding::Compromised { since: at(40) });
        assert!(ring.revoked(KeyPurpose::Receipt, &old).is_none());
    }
    let again = revoke(store, old, RevokeReason::Superseded, None, at(60)).await;
    assert_eq!(again, Err(RotateError::NoSuchKey));
    // One that waits takes the place of one that is revoked.
    let Rotation::Begun(waiting) = rotate(store, KeyPurpose::Token, at(70)).await.unwrap() else { panic!() };
    let (_, after) = revoke(store, next, RevokeReason::Superseded, None, at(71)).await.unwrap();
    assert_eq!(after, Some(waiting));
}

#[tokio::test]
async fn a_federation_key_cannot_skip_its_lead() {
    let (fixture, ..) = processes().await;
    let refused = rotate_now(&fixture.store, KeyPurpose::Federation, at(1)).await;
    assert_eq!(refused, Err(RotateError::FederationNeedsLead));
    assert!(matches!(rotate_now(&fixture.store, KeyPurpose::Dpop, at(1)).await, Ok(Rotation::Done(_))));
}
