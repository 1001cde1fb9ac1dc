//! A consent's life in the store, at its holder and at its recipient.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::prelude::*;

use super::authorization_codes::{self, Code, CodeKind, Redeemed};
use super::exchanges::{self, Exchange};
use super::fetches::{self, NewFetch};
use super::schema::consent_events;
use super::signing_keys::{self, Purpose};
use super::testing::{at, on_both, root_keys};
use super::tokens::{self, IssuedToken};
use super::{Store, StoreError, consent_requests, consents, held_consents, log, persons, refusals};
use crate::domain::audit::Leaf;
use crate::domain::catalogue::{DeclaredUse, Text};
use crate::domain::clock::Timestamp;
use crate::domain::consent::request::ReturnPath;
use crate::domain::consent::{
    Actor, AuthorizationDetail, Commitment, Consent, ConsentRequest, ConsentState, End, Evidence,
    HeldConsent, HeldState, HeldTokens, Origin, PendingAuthorization, PendingDecision, RequestState, Terms,
};
use crate::domain::ids::{
    ConsentId, EntityId, ExchangeId, GrantId, HeldConsentId, Jti, KeyId, NationalIdentifier, PairwiseSubject,
    PersonId, RequestId, ServiceId,
};
use crate::domain::jose::SigningKey;
use crate::domain::token::{Refusal, status_list::LIST_SIZE};

const HELSINKI: &str = "https://helsinki.example";
const ESPOO: &str = "https://espoo.example";

fn entity(text: &str) -> EntityId {
    EntityId::new(text).unwrap()
}

fn declared_use() -> DeclaredUse {
    let text = serde_json::json!({"fi": "a", "sv": "b", "en": "c"});
    let contact = serde_json::json!({"name": text, "email": "office@helsinki.example"});
    serde_json::from_value(serde_json::json!({
        "id": format!("{HELSINKI}/catalogue/uses/daycare"), "service": "daycare", "serviceName": text,
        "title": text, "purposeText": text, "purpose": "https://w3id.org/dpv#ServiceProvision",
        "legalBasis": "A6-1-a", "datasetType": "placements", "requiredFields": ["unit"],
        "optionalFields": ["startDate"], "maxExchanges": 5, "maxDays": 366, "retention": "P1Y",
        "otherwise": text, "controller": contact, "dataProtectionOfficer": contact
    }))
    .unwrap()
}

fn terms(max_exchanges: u32) -> Terms {
    serde_json::from_value(serde_json::json!({
        "holder": ESPOO, "recipient": HELSINKI, "declaredUse": format!("{HELSINKI}/catalogue/uses/daycare"),
        "dataset": "placements", "fields": ["unit", "startDate"], "purpose": "https://w3id.org/dpv#ServiceProvision",
        "period": null, "maxExchanges": max_exchanges, "retention": "P1Y", "until": "2026-12-31"
    }))
    .unwrap()
}

fn request(n: u8) -> ConsentRequest {
    ConsentRequest {
        id: RequestId::from_bytes([n; 16]),
        origin: Origin::Pushed,
        terms: terms(5),
        declared_use: declared_use(),
        recipient_name: Text { fi: "Helsinki".into(), sv: "Helsingfors".into(), en: "Helsinki".into() },
        return_path: Some(ReturnPath {
            redirect_uri: format!("{HELSINKI}/oauth/callback"),
            state: Some("s".to_owned()),
            code_challenge: "challenge".to_owned(),
            dpop_jkt: None,
        }),
        expected_person: None,
        person: None,
        state: RequestState::Requested,
        created_at: at(0),
        expires_at: at(1800),
    }
}

async fn person(store: &Store, subject: &'static str) -> PersonId {
    let identifier = NationalIdentifier::new(&format!("ID-{subject}")).unwrap();
    store
        .write(move |tx| persons::upsert_login(tx, "https://login.example", subject, &identifier, at(0)))
        .await
        .unwrap()
}

fn evidence() -> Evidence {
    Evidence {
        document: "{\"shown\":true}".to_owned(),
        salt: "salt".to_owned(),
        id_token: "a.b.c".to_owned(),
        provider_key: serde_json::json!({"kty": "EC"}),
        provider: "https://login.example".to_owned(),
    }
}

fn consent(n: u8, person: PersonId, max_exchanges: u32) -> Consent {
    Consent {
        id: ConsentId::from_bytes([n; 16]),
        grant_id: GrantId::new(format!("grant-{n}")).unwrap(),
        person,
        subject: PairwiseSubject::new("pairwise").unwrap(),
        terms: terms(max_exchanges),
        origin: Origin::Pushed,
        commitment: Commitment::from_text("commitment".to_owned()),
        status_index: 0,
        state: ConsentState::Active,
        exchanges: 0,
        last_exchange_at: None,
        decided_at: at(10),
        acr: Some("substantial".to_owned()),
        auth_time: at(5),
    }
}

/// A consent in force, with its person.
async fn given(store: &Store, n: u8, max_exchanges: u32) -> Consent {
    let person = person(store, "resident").await;
    store
        .write(move |tx| {
            consent_requests::insert(tx, &request(n), None)?;
            let index = consents::draw_status_index(tx)?;
            let consent = Consent { status_index: index, ..consent(n, person, max_exchanges) };
            consents::insert(tx, &consent, RequestId::from_bytes([n; 16]), &evidence())?;
            consents::find(tx, consent.id)
        })
        .await
        .unwrap()
}

fn leaf() -> Leaf {
    Leaf { hash: "h".repeat(43), entry: "{}".to_owned() }
}

fn exchange(n: u8, consent: ConsentId, log_index: u64) -> Exchange {
    Exchange {
        id: ExchangeId::from_bytes([n; 16]),
        consent,
        recipient: entity(HELSINKI),
        dataset: "placements".parse().unwrap(),
        fields: vec!["unit".parse().unwrap()],
        at: at(100 + i64::from(n)),
        log_index,
        proof_digest: "proof".to_owned(),
        body_digest: "body".to_owned(),
        receipt: "r.e.c".to_owned(),
        delivered_at: None,
        acknowledged_at: None,
    }
}

on_both!(
    async fn a_request_uri_is_used_once_by_its_client(fixture) {
        let store = &fixture.store;
        store.write(|tx| consent_requests::insert(tx, &request(1), Some(("urn:x:1", at(60))))).await.unwrap();
        let redeem = |uri: &'static str, client: &'static str, when| {
            store.write(move |tx| consent_requests::use_request_uri(tx, uri, &entity(client), at(when)))
        };
        for (uri, client, when) in [("urn:x:2", HELSINKI, 1), ("urn:x:1", ESPOO, 1), ("urn:x:1", HELSINKI, 60)] {
            assert_eq!(redeem(uri, client, when).await.map(|_| ()), Err(StoreError::NotFound));
        }
        let found = redeem("urn:x:1", HELSINKI, 59).await.unwrap();
        assert_eq!(found.terms, terms(5));
        assert_eq!(found.return_path, request(1).return_path);
        assert_eq!(found.recipient_name, request(1).recipient_name);
        assert_eq!(redeem("urn:x:1", HELSINKI, 59).await.map(|_| ()), Err(StoreError::NotFound));
    }
);

on_both!(
    async fn a_request_belongs_to_whom_it_expects_or_who_opens_it(fixture) {
        let store = &fixture.store;
        let (aino, eino) = (person(store, "aino").await, person(store, "eino").await);
        let expected = store.read(move |r| persons::find(r, aino)).await.unwrap().identifier_hash;
        store
            .write(move |tx| {
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
                    .read(move |r| {
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
        store.write(move |tx| consent_requests::bind_person(tx, second, eino)).await.unwrap();
        store.write(move |tx| consent_requests::bind_person(tx, second, eino)).await.unwrap();
        let taken = store.write(move |tx| consent_requests::bind_person(tx, second, aino)).await;
        assert_eq!(taken, Err(StoreError::Conflict));
        assert_eq!(waiting(eino, 1).await, [second]);
        assert!(waiting(eino, 1800).await.is_empty(), "lapsed");
        assert_eq!(store.write(|tx| consent_requests::lapse_due(tx, at(1800))).await, Ok(2));
        let lapsed = store.read(move |r| consent_requests::find(r, first)).await.unwrap();
        assert_eq!(lapsed.state, RequestState::Lapsed);
    }
);

on_both!(
    async fn a_decision_is_made_once(fixture) {
        let store = &fixture.store;
        let id = RequestId::from_bytes([1; 16]);
        store.write(|tx| consent_requests::insert(tx, &request(1), None)).await.unwrap();
        assert_eq!(store.read(move |r| consent_requests::pending(r, id)).await, Err(StoreError::NotFound));
        let decision = PendingDecision {
            consent: ConsentId::from_bytes([1; 16]),
            terms: terms(1),
            document: "{}".to_owned(),
            salt: "salt".to_owned(),
        };
        let kept = decision.clone();
        store.write(move |tx| consent_requests::keep_pending(tx, id, &kept)).await.unwrap();
        assert_eq!(store.read(move |r| consent_requests::pending(r, id)).await.unwrap(), decision);
        let allowed = RequestState::Allowed(ConsentId::from_bytes([1; 16]));
        store.write(move |tx| consent_requests::conclude(tx, id, allowed, at(5))).await.unwrap();
        let again = store.write(move |tx| consent_requests::conclude(tx, id, RequestState::Declined, at(6))).await;
        assert_eq!(again, Err(StoreError::NotFound));
        let late = decision.clone();
        let late = store.write(move |tx| consent_requests::keep_pending(tx, id, &late)).await;
        assert_eq!(late, Err(StoreError::NotFound));
        assert_eq!(store.read(move |r| consent_requests::pending(r, id)).await, Err(StoreError::NotFound));
        assert_eq!(store.read(move |r| consent_requests::find(r, id)).await.unwrap().state, allowed);
    }
);

on_both!(
    async fn a_consent_is_kept_whole_with_every_change(fixture) {
        let store = &fixture.store;
        let stored = given(store, 1, 2).await;
        let id = stored.id;
        assert!(stored.status_index < LIST_SIZE);
        assert_eq!(stored.terms, terms(2));
        assert_eq!((stored.acr.as_deref(), stored.auth_time), (Some("substantial"), at(5)));
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
                let change = consent.revoke(Actor::Resident, at(60)).map_err(|_| StoreError::Conflict)?;
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
            .write(move |tx| {
                authorization_codes::insert(tx, "secret-code", &kept, at(0))?;
                authorization_codes::insert(tx, "late-code", &kept, at(0))
            })
            .await
            .unwrap();
        let redeem = |text: &'static str, client: &'static str, when| {
            store.write(move |tx| authorization_codes::redeem(tx, text, &entity(client), at(when)))
        };
        assert_eq!(redeem("other", HELSINKI, 1).await, Err(StoreError::NotFound));
        assert_eq!(redeem("secret-code", ESPOO, 1).await, Err(StoreError::NotFound));
        assert_eq!(redeem("late-code", HELSINKI, 60).await, Err(StoreError::NotFound));
        assert_eq!(store.read(|r| authorization_codes::peek(r, "secret-code", at(1))).await, Ok(code.clone()));
        let (one, two) = tokio::join!(redeem("secret-code", HELSINKI, 2), redeem("secret-code", HELSINKI, 2));
        let fresh = [&one, &two].iter().filter(|r| matches!(r, Ok(Redeemed::Fresh(_)))).count();
        let replayed = [&one, &two].iter().filter(|r| matches!(r, Ok(Redeemed::Replayed(_)))).count();
        assert_eq!((fresh, replayed), (1, 1));
        assert_eq!(redeem("secret-code", HELSINKI, 99).await, Ok(Redeemed::Replayed(code)));
        let unused = store.read(|r| authorization_codes::peek(r, "secret-code", at(3))).await;
        assert_eq!(unused, Err(StoreError::NotFound));
        assert_eq!(store.write(|tx| authorization_codes::purge(tx, at(61))).await, Ok(2));
    }
);

on_both!(
    async fn tokens_are_found_until_they_are_revoked(fixture) {
        let store = &fixture.store;
        let id = given(store, 1, 2).await.id;
        let jti = Jti::new("jti-1").unwrap();
        let token = IssuedToken {
            jti: jti.clone(),
            consent: id,
            jkt: "t".repeat(43).parse().unwrap(),
            iat: at(0),
            exp: at(600),
            revoked_at: None,
        };
        let kept = token.clone();
        store
            .write(move |tx| {
                tokens::insert(tx, &kept)?;
                tokens::insert_refresh(tx, "refresh", id, &entity(HELSINKI), at(0))
            })
            .await
            .unwrap();
        let wanted = jti.clone();
        assert_eq!(store.read(move |r| tokens::find(r, &wanted)).await.unwrap(), token);
        let refresh = |client: &'static str| store.read(move |r| tokens::find_refresh(r, "refresh", &entity(client)));
        assert_eq!(refresh(HELSINKI).await, Ok(id));
        assert_eq!(refresh(ESPOO).await, Err(StoreError::NotFound));
        store.write(move |tx| tokens::revoke_all(tx, id, at(9))).await.unwrap();
        assert_eq!(refresh(HELSINKI).await, Err(StoreError::NotFound));
        assert_eq!(store.read(move |r| tokens::find(r, &jti)).await, Err(StoreError::NotFound));
    }
);

on_both!(
    async fn exchanges_are_listed_and_acknowledged_once(fixture) {
        let store = &fixture.store;
        let consent = given(store, 1, 9).await;
        let id = consent.id;
        for n in [1, 2] {
            store
                .write_log(move |tx| {
                    let index = log::append(tx, &leaf(), at(50))?;
                    exchanges::insert(tx, &exchange(n, id, index))
                })
                .await
                .unwrap();
        }
        let unlogged = store.write(move |tx| exchanges::insert(tx, &exchange(3, id, 99))).await;
        assert!(matches!(unlogged, Err(StoreError::Rule(_))), "no exchange without its log entry: {unlogged:?}");
        let listed = store.read(move |r| exchanges::of_consent(r, id, 10)).await.unwrap();
        assert_eq!(listed, [exchange(2, id, 1), exchange(1, id, 0)]);
        let owner = consent.person;
        assert_eq!(store.read(move |r| exchanges::of_person(r, owner, 1)).await.unwrap().len(), 1);

        let first = ExchangeId::from_bytes([1; 16]);
        let acknowledge = |by: &'static str, text: &'static str, when| {
            store.write(move |tx| exchanges::acknowledge(tx, first, &entity(by), text, at(when)))
        };
        assert_eq!(acknowledge(ESPOO, "forged", 70).await, Err(StoreError::NotFound));
        acknowledge(HELSINKI, "signed", 70).await.unwrap();
        acknowledge(HELSINKI, "again", 80).await.unwrap();
        let known = store.read(move |r| exchanges::find(r, first)).await.unwrap();
        assert_eq!((known.delivered_at, known.acknowledged_at), (Some(at(70)), Some(at(70))));
        assert_eq!(store.read(move |r| exchanges::acknowledgement(r, first)).await.unwrap(), "signed");
        let second = ExchangeId::from_bytes([2; 16]);
        store.write(move |tx| exchanges::mark_delivered(tx, second, at(71))).await.unwrap();
        let missing = store.read(move |r| exchanges::acknowledgement(r, second)).await;
        assert_eq!(missing, Err(StoreError::NotFound));

        let refusal = refusals::NewRefusal {
            at: at(90),
            refusal: Refusal::token("consent_ended"),
            client: None,
            consent: Some(id),
            dataset: None,
        };
        store.write(move |tx| refusals::insert(tx, &refusal)).await.unwrap();
        assert_eq!(store.read(move |r| refusals::of_person(r, owner, 10)).await.unwrap().len(), 1);
    }
);

fn held(n: u8) -> HeldConsent {
    let detail: AuthorizationDetail = terms(5).to_detail();
    HeldConsent {
        id: HeldConsentId::from_bytes([n; 16]),
        origin: Origin::Pushed,
        service: ServiceId::new("daycare").unwrap(),
        holder: entity(ESPOO),
        detail,
        case_reference: Some("CASE-7".to_owned()),
        expected_person: Some(NationalIdentifier::new("ID-aino").unwrap()),
        return_url: Some("https://service.example/back".to_owned()),
        state: HeldState::Requested,
        reason: None,
        grant_id: None,
        tokens: None,
        created_at: at(i64::from(n)),
        updated_at: at(i64::from(n)),
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
    }
}

on_both!(
    async fn a_browser_comes_back_once_with_its_own_state(fixture) {
        let store = &fixture.store;
        let id = held(1).id;
        store.write(|tx| held_consents::insert(tx, &held(1))).await.unwrap();
        store.write(move |tx| held_consents::set_pending(tx, id, &pending("old"), at(0))).await.unwrap();
        store.write(move |tx| held_consents::set_pending(tx, id, &pending("new"), at(1))).await.unwrap();
        let take = |state: &'static str, browser: &'static str, when| {
            store.write(move |tx| held_consents::take_pending(tx, state, browser, at(when)))
        };
        for (state, browser, when) in [("old", "browser", 2), ("new", "stranger", 2), ("new", "browser", 7201)] {
            assert_eq!(take(state, browser, when).await.map(|_| ()), Err(StoreError::NotFound));
        }
        let (found, verifier) = take("new", "browser", 2).await.unwrap();
        assert_eq!((found.id, verifier.as_str()), (id, "verifier"));
        assert_eq!(take("new", "browser", 2).await.map(|_| ()), Err(StoreError::NotFound));
    }
);

on_both!(
    async fn a_held_consent_lives_and_does_not_come_back(fixture) {
        let store = &fixture.store;
        let kid = store
            .write(|tx| signing_keys::ensure_active(tx, Purpose::Dpop, at(0), SigningKey::generate))
            .await
            .unwrap()
            .kid()
            .clone();
        store.write(|tx| held_consents::insert(tx, &held(1))).await.unwrap();
        store.write(|tx| held_consents::insert(tx, &held(2))).await.unwrap();
        let id = held(1).id;
        let mut active = store.read(move |r| held_consents::find(r, id)).await.unwrap();
        assert_eq!(active.case_reference.as_deref(), Some("CASE-7"));
        assert_eq!(active.expected_person, held(1).expected_person);
        active.state = HeldState::Active;
        active.grant_id = Some(GrantId::new("g").unwrap());
        active.tokens = Some(tokens_of(kid));
        let kept = active.clone();
        store.write(move |tx| held_consents::save(tx, &kept)).await.unwrap();
        let by_grant = |holder: &'static str| {
            store.read(move |r| held_consents::find_by_grant(r, &entity(holder), &GrantId::new("g").unwrap()))
        };
        assert_eq!(by_grant(ESPOO).await.unwrap().tokens, active.tokens);
        assert_eq!(by_grant(HELSINKI).await.map(|_| ()), Err(StoreError::NotFound));

        let list = |service: &'static str, state| {
            let service = ServiceId::new(service).unwrap();
            store.read(move |r| held_consents::of_service(r, &service, state, 10))
        };
        let ids: Vec<_> = list("daycare", None).await.unwrap().iter().map(|held| held.id).collect();
        assert_eq!(ids, [held(2).id, held(1).id]);
        assert_eq!(list("daycare", Some(HeldState::Active)).await.unwrap().len(), 1);
        assert!(list("parking", None).await.unwrap().is_empty());

        let mut ended = active.clone();
        ended.state = HeldState::Ended;
        ended.reason = Some("taken_back".to_owned());
        ended.tokens = None;
        for _ in 0..2 {
            let ended = ended.clone();
            store.write(move |tx| held_consents::save(tx, &ended)).await.unwrap();
        }
        let late = store.write(move |tx| held_consents::save(tx, &active)).await;
        assert_eq!(late, Err(StoreError::Conflict), "tokens that came too late are not kept");
        let found = store.read(move |r| held_consents::find(r, id)).await.unwrap();
        assert_eq!((found.state, found.tokens, found.reason.as_deref()), (HeldState::Ended, None, Some("taken_back")));

        assert_eq!(store.write(|tx| held_consents::lapse_older(tx, at(3), at(9))).await, Ok(1));
        for (when, outcome) in [(1, "received"), (2, "refused")] {
            store
                .write(move |tx| {
                    let fetch =
                        NewFetch { held: id, at: at(when), outcome, receipt: Some("r"), body_digest: None };
                    fetches::insert(tx, &fetch)
                })
                .await
                .unwrap();
        }
        let fetched = store.read(move |r| fetches::of_held(r, id, 10)).await.unwrap();
        assert_eq!(fetched.iter().map(|f| f.outcome.as_str()).collect::<Vec<_>>(), ["refused", "received"]);
    }
);
