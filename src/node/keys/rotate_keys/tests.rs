//! Rotation of keys, with a controlled clock.

use super::*;
use crate::domain::federation::{Outage, TrustError, TrustMark};
use crate::domain::ids::EntityId;
use crate::domain::jose::{LoginKeyKind, PublicKeys};
use crate::node::keys::key_ring::LoginKeyPolicy;
use crate::ports::Superiors;
use crate::store::engine::testing::{Kind, TestStore, at};

const POLICY: KeyPolicy = KeyPolicy {
    lead_secs: 100,
    overlap_secs: 1_000,
    rotate_days: [0, 1, 0, 0, 0, 0, 0, 0],
    login: LoginKeyPolicy { rsa_signing: false, decryption: false },
};

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

    // The lead time begins when a process publishes the key, not when the operator asked for it.
    run_rotation(store, &one, false, at(20)).await.unwrap();
    run_rotation(store, &other, false, at(21)).await.unwrap();
    for ring in [&one, &other] {
        assert!(ring.published_for(KeyPurpose::Receipt).find(&next).is_some());
        assert_eq!(signing(ring, KeyPurpose::Receipt), old);
    }
    run_rotation(store, &other, false, at(119)).await.unwrap();
    assert_eq!(signing(&other, KeyPurpose::Receipt), old);
    run_rotation(store, &other, false, at(120)).await.unwrap();
    run_rotation(store, &one, false, at(120)).await.unwrap();
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
    run_rotation(store, &one, false, at(1)).await.unwrap();
    // No process ran from here on; the key's time came and nobody could fetch it.
    let after = KeyRing::open_with(store, POLICY, at(500)).await.unwrap();
    restart_lead(store, &after, at(500)).await.unwrap();
    run_rotation(store, &after, false, at(501)).await.unwrap();
    assert_eq!(signing(&after, KeyPurpose::Federation), old);
    run_rotation(store, &after, false, at(600)).await.unwrap();
    assert_ne!(signing(&after, KeyPurpose::Federation), old);
}

#[tokio::test]
async fn keys_on_a_schedule_are_replaced_once_by_whichever_process() {
    let (fixture, one, other) = processes().await;
    let (store, day) = (&fixture.store, 86_400);
    let old = signing(&one, KeyPurpose::Token);
    for ring in [&one, &other] {
        run_rotation(store, ring, false, at(day - 101)).await.unwrap();
        assert_eq!(ring.published_for(KeyPurpose::Token).len(), 1);
    }
    let ends = crate::node::keys::expiry_warnings::key_expiries(&one.records(), &POLICY);
    assert!(ends.iter().any(|end| end.name.ends_with(old.as_str()) && end.ends_at == at(day)));
    assert_eq!(ends.len(), 1, "keys without a schedule have no end");
    for now in [day - 100, day - 99] {
        tokio::join!(async { run_rotation(store, &one, false, at(now)).await.unwrap() }, async {
            run_rotation(store, &other, false, at(now)).await.unwrap();
        });
    }
    let needed = KeyPurpose::ALL.into_iter().filter(|purpose| POLICY.needs(*purpose)).count();
    assert_eq!(store.read("test", signing_keys::list).await.unwrap().len(), needed + 1);
    run_rotation(store, &one, false, at(day + 2)).await.unwrap();
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
        run_rotation(store, ring, false, at(51)).await.unwrap();
        assert_eq!(signing(ring, KeyPurpose::Token), next);
        assert!(ring.published_for(KeyPurpose::Token).find(&old).is_none());
        assert!(ring.verifying(KeyPurpose::Token).find(&old).is_none());
        let revoked = ring.revoked(KeyPurpose::Token, &old).unwrap();
        assert_eq!(revoked.standing, crate::domain::jose::KeyStanding::Compromised { since: at(40) });
        assert!(ring.revoked(KeyPurpose::Receipt, &old).is_none());
    }
    let again = revoke(store, old, RevokeReason::Superseded, None, at(60)).await;
    assert_eq!(again, Err(RotateError::NoSuchKey));
    // A pending key replaces a revoked one.
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

/// Superiors and the keys in their statements; one that is missing here cannot be reached.
#[derive(Default)]
struct Superior(std::sync::Mutex<Vec<(EntityId, Option<PublicKeys>)>>);

#[async_trait::async_trait]
impl Superiors for Superior {
    async fn trust_mark(
        &self,
        _: &EntityId,
        _: &str,
        _: &EntityId,
    ) -> Result<Option<(TrustMark, String)>, TrustError> {
        Ok(None)
    }

    async fn vouched_keys(
        &self,
        superior: &EntityId,
        _: &EntityId,
    ) -> Result<Option<PublicKeys>, TrustError> {
        let said = self.0.lock().unwrap();
        let found = said.iter().find(|(id, _)| id == superior);
        found.map(|(_, keys)| keys.clone()).ok_or(TrustError::Unavailable(Outage::Unreachable))
    }
}

#[tokio::test]
async fn a_federation_key_waits_until_the_superiors_vouch_for_it() {
    let (fixture, one, _) = processes().await;
    let (store, superiors) = (&fixture.store, Superior::default());
    let id = |name: &str| EntityId::new(format!("https://{name}.example")).unwrap();
    let (own, named) = (id("espoo"), || vec![id("anchor"), id("second")]);
    let above = EntitySuperiors { superiors: &superiors, own: &own, named: &named };
    let old = signing(&one, KeyPurpose::Federation);
    let Rotation::Begun(next) = rotate(store, KeyPurpose::Federation, at(0)).await.unwrap() else { panic!() };
    rotate(store, KeyPurpose::Receipt, at(0)).await.unwrap();
    run_rotation(store, &one, above.anyone(), at(1)).await.unwrap();
    assert_eq!(activate_when_vouched(store, &one, &above, at(100)).await, Ok(false), "its lead");
    let receipt = signing(&one, KeyPurpose::Receipt);
    run_rotation(store, &one, above.anyone(), at(101)).await.unwrap();
    assert_ne!(signing(&one, KeyPurpose::Receipt), receipt, "other keys wait for nobody");
    let published = one.published_for(KeyPurpose::Federation);
    let before = PublicKeys::single(published.find(&old).unwrap().clone());
    for said in [
        // None can be reached; only one; one has not followed yet; none has it as a member.
        vec![],
        vec![(id("anchor"), Some(published.clone()))],
        vec![(id("anchor"), Some(published.clone())), (id("second"), Some(before))],
        vec![(id("anchor"), None), (id("second"), None)],
    ] {
        *superiors.0.lock().unwrap() = said;
        assert_eq!(activate_when_vouched(store, &one, &above, at(900)).await, Ok(true));
        run_rotation(store, &one, above.anyone(), at(900)).await.unwrap();
        assert_eq!(signing(&one, KeyPurpose::Federation), old);
    }
    // A superior without it as a member has nothing to follow.
    *superiors.0.lock().unwrap() = vec![(id("anchor"), Some(published)), (id("second"), None)];
    assert_eq!(activate_when_vouched(store, &one, &above, at(901)).await, Ok(false));
    assert_eq!(signing(&one, KeyPurpose::Federation), next);
}

#[tokio::test]
async fn a_long_lead_does_not_begin_anew_with_each_start() {
    let fixture = TestStore::new(Kind::Sqlite).await.unwrap();
    let store = &fixture.store;
    let policy = KeyPolicy { lead_secs: 604_800, ..POLICY };
    let ring = KeyRing::open_with(store, policy, at(0)).await.unwrap();
    rotate(store, KeyPurpose::Federation, at(0)).await.unwrap();
    run_rotation(store, &ring, false, at(0)).await.unwrap();
    let planned = || async {
        ring.refresh(store, at(0)).await.unwrap();
        ring.records().into_iter().find_map(|key| key.activates_at.filter(|_| key.state == KeyState::Pending))
    };
    for start in [86_400, 500_000] {
        restart_lead(store, &ring, at(start)).await.unwrap();
        assert_eq!(planned().await, Some(at(604_800)));
    }
    restart_lead(store, &ring, at(604_799)).await.unwrap();
    assert_eq!(planned().await, Some(at(604_799 + 150)), "and is not over before it was seen again");
}

#[tokio::test]
async fn a_decryption_key_opens_what_was_encrypted_to_it_until_the_overlap_is_over() {
    let fixture = TestStore::new(Kind::Sqlite).await.unwrap();
    let store = &fixture.store;
    let policy = KeyPolicy { login: LoginKeyPolicy { rsa_signing: true, decryption: true }, ..POLICY };
    let ring = KeyRing::open_with(store, policy, at(0)).await.unwrap();
    let other = KeyRing::open_with(store, policy, at(0)).await.unwrap();
    let published = |ring: &KeyRing, now| {
        let keys = ring.login_jwks(now)["keys"].as_array().unwrap().clone();
        let of_use = |wanted: &str| {
            let found = keys.iter().filter(|key| key["use"] == *wanted);
            found.map(|key| key["kid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        (of_use("sig"), of_use("enc"))
    };
    let (signing, decryption) = published(&ring, at(0));
    assert_eq!((signing.len(), decryption.len()), (1, 2), "RS256; RSA-OAEP and ECDH-ES");
    assert_eq!(published(&other, at(0)), (signing.clone(), decryption.clone()));
    assert_eq!(ring.login_signing_key().unwrap().kid().as_str(), signing[0]);

    let old = ring.decryption_keys(at(0)).into_iter().find(|key| key.kind() == LoginKeyKind::RsaDecryption);
    let old = old.unwrap().kid().clone();
    let begun = rotate(store, KeyPurpose::LoginRsaDecryption, at(10)).await.unwrap();
    let Rotation::Begun(next) = begun else { panic!("{begun:?}") };
    run_rotation(store, &ring, false, at(10)).await.unwrap();
    let opens = |kid: &KeyId, now| ring.decryption_keys(now).iter().any(|key| key.kid() == kid);
    assert!(opens(&old, at(10)) && opens(&next, at(10)), "both are published, either may be used");
    assert_eq!(published(&ring, at(10)).1.len(), 3);

    run_rotation(store, &ring, false, at(110)).await.unwrap();
    let shown = published(&ring, at(110)).1;
    assert!(shown.contains(&next.as_str().to_owned()) && !shown.contains(&old.as_str().to_owned()));
    assert!(opens(&old, at(110)) && opens(&old, at(1_109)), "what is under way is still opened");
    assert!(!opens(&old, at(1_110)) && opens(&next, at(1_110)));

    let before = at(1_111 - 1_000);
    store.write("test", move |tx| signing_keys::forget_private_parts(tx, before)).await.unwrap();
    ring.refresh(store, at(1_111)).await.unwrap();
    assert!(!opens(&old, at(0)), "its private part is destroyed");

    let (purpose, replaced) =
        revoke(store, next.clone(), RevokeReason::Compromised, None, at(1_200)).await.unwrap();
    assert_eq!(purpose, KeyPurpose::LoginRsaDecryption);
    ring.refresh(store, at(1_200)).await.unwrap();
    assert!(!opens(&next, at(1_200)) && opens(&replaced.unwrap(), at(1_200)));
}

#[tokio::test]
async fn keys_towards_the_login_provider_are_made_only_where_they_are_used() {
    let (fixture, ring, _) = processes().await;
    let records = fixture.store.read("test", signing_keys::list).await.unwrap();
    assert!(records.iter().all(|record| record.purpose.login_kind().is_none()));
    assert!(ring.login_signing_key().is_none() && ring.decryption_keys(at(0)).is_empty());
    let client = ring.active(KeyPurpose::Client).unwrap().public().to_jwk();
    assert_eq!(ring.login_jwks(at(0)), serde_json::json!({"keys": [client]}));
}
