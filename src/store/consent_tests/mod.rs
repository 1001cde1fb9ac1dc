//! A consent's life in the store, at its holder and at its recipient.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::prelude::*;

use crate::domain::catalogue::{AssuranceRequirement, DeclaredUse, Text};
use crate::domain::clock::Timestamp;
use crate::domain::consent::request::ReturnPath;
use crate::domain::consent::{
    Actor, AuthorizationDetail, Commitment, Consent, ConsentRequest, ConsentState, End, Evidence,
    HeldConsent, HeldGrant, HeldLife, HeldReason, HeldStatus, HeldTokens, Origin, PendingAuthorization,
    PendingDecision, Reason, ReasonWord, RequestState, Terms,
};
use crate::domain::ids::{
    ConsentId, EntityId, ExchangeId, GrantId, HeldConsentId, Jti, KeyId, NationalIdentifier, PairwiseSubject,
    PersonId, RequestId, ServiceId,
};
use crate::domain::jose::SigningKey;
use crate::domain::log::Leaf;
use crate::domain::token::{Refusal, status_list::LIST_SIZE};
use crate::store::engine::schema::consent_events;
use crate::store::engine::testing::{at, on_both, root_keys};
use crate::store::holder::authorization_codes;
use crate::store::holder::authorization_codes::{Code, CodeKind, Redeemed};
use crate::store::holder::exchanges;
use crate::store::holder::exchanges::Exchange;
use crate::store::holder::tokens;
use crate::store::holder::tokens::IssuedToken;
use crate::store::holder::{consent_requests, consents, refusals};
use crate::store::keys::signing_keys;
use crate::store::keys::signing_keys::Purpose;
use crate::store::recipient::fetches;
use crate::store::recipient::fetches::NewFetch;
use crate::store::recipient::held_consents;
use crate::store::resident::persons;
use crate::store::{Store, StoreError, log};

mod grants;
mod histories;
mod life;
mod recipient;
mod requests;

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
        "optionalFields": ["startDate"], "maxExchanges": 5, "maxDays": 365, "retention": "P1Y",
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
        asked: AssuranceRequirement { acr: Some("substantial".to_owned()), max_age: Some(600) },
        replaces: None,
        person: None,
        state: RequestState::Requested,
        created_at: at(0),
        expires_at: at(1800),
    }
}

async fn person(store: &Store, subject: &'static str) -> PersonId {
    let identifier = NationalIdentifier::new(&format!("ID-{subject}")).unwrap();
    store
        .write("test", move |tx| {
            persons::upsert_login(tx, "https://login.example", subject, &identifier, at(0))
        })
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
        client_id: "espoo".to_owned(),
        passkey: None,
        provider_documents: None,
        chains: None,
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
        reason: Reason::Decided,
        replaces: None,
        replaced_by: None,
        exchanges: 0,
        last_exchange_at: None,
        decided_at: at(10),
        acr: Some("substantial".to_owned()),
        auth_time: Some(at(5)),
    }
}

/// A consent in force, with its person.
async fn given(store: &Store, n: u8, max_exchanges: u32) -> Consent {
    let person = person(store, "resident").await;
    store
        .write("test", move |tx| {
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
        acknowledged_at: None,
    }
}
