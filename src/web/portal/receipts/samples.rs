//! Made-up receipts, and every result of a verification.

use serde_json::json;

use super::own::{ReceiptLine, ReceiptView, ReceiptsView};
use super::verify::VerifyView;
use crate::domain::clock::Timestamp;
use crate::domain::consent::receipt::ReceiptParts;
use crate::domain::consent::{
    Actor, Committed, ConsentChange, ConsentDocument, ConsentReceipt, Issuer, ReceiptChange,
};
use crate::domain::ids::{GrantId, Jti};
use crate::node::resident::check_receipt::{Paper, SignerKey, Verified};
use crate::web::portal::samples::{Sample, asker, at, contact, controller, officer, sample};

fn document() -> ConsentDocument {
    let person =
        |contact: crate::domain::catalogue::Contact| json!({"name": contact.name.fi, "email": contact.email});
    serde_json::from_value(json!({
        "version": "omadata-consent/1", "consent": "AQEBAQEBAQEBAQEBAQEBAQ", "subject": "pairwise-1", "language": "fi",
        "holder": {"id": "https://espoo.example", "name": "Espoo"},
        "recipient": {"id": "https://omat.helsinki.example", "name": "Helsinki"},
        "service": "Varhaiskasvatuksen hakemukset <b>",
        "purposeText": "Helsinki haluaa hakea lapsesi varhaiskasvatuspaikan tiedot.",
        "datasetTitle": "Varhaiskasvatuspaikka",
        "fields": [{"name": "unit", "label": "Päiväkoti", "optional": false}],
        "terms": {
            "holder": "https://espoo.example", "recipient": "https://omat.helsinki.example",
            "declaredUse": "https://omat.helsinki.example/catalogue/uses/daycare", "dataset": "placements", "fields": ["unit"],
            "purpose": "https://w3id.org/dpv#ServiceProvision", "period": {"from": "2025-08-01", "to": "2026-12-31"},
            "maxExchanges": 3, "retention": "P1Y", "until": "2027-06-30"
        },
        "legalBasis": "https://w3id.org/dpv/legal/eu/gdpr#A6-1-a", "onwardSharing": "none", "otherwise": "Voit tuoda päätöksen.",
        "controller": person(controller()), "dataProtectionOfficer": person(officer()),
        "until": "2027-06-30", "decidedAt": "2026-11-20T12:30:09Z"
    }))
    .unwrap()
}

fn receipt(change: ReceiptChange) -> ConsentReceipt {
    let document = document();
    let issuer = Issuer {
        id: document.terms.holder.clone(),
        contact: contact("Espoon neuvonta", "Esbo rådgivning", "Espoo advice", "neuvonta@espoo.example"),
        data_protection_officer: officer(),
    };
    let grant = GrantId::new("grant-1").unwrap();
    let allowed = change != ReceiptChange::Declined;
    let happened = |change| ConsentChange { change, actor: Actor::Resident, at: given(), reason: None };
    let first = if allowed { ReceiptChange::Given } else { ReceiptChange::Declined };
    let decision = ConsentReceipt::new(ReceiptParts {
        issuer: &issuer,
        jti: Jti::new("receipt-1").unwrap(),
        document: &document,
        grant_id: allowed.then_some(&grant),
        change: &happened(first),
        evidence: allowed.then(|| {
            serde_json::from_value::<Committed>(json!({
                "commitment": "c", "document_digest": "d", "texts_digest": "t",
                "provider": "https://login.example", "provider_key": "k", "client_id": "espoo"
            }))
            .unwrap()
        }),
        log_entry: "leaf",
    });
    if change == first {
        return decision;
    }
    decision.next("compact", Jti::new("receipt-2").unwrap(), &happened(change), "leaf-2")
}

fn given() -> Timestamp {
    at("2026-11-20T12:30:09Z")
}

fn page(change: ReceiptChange) -> ReceiptView {
    let receipt = receipt(change);
    let all = (1..=receipt.version).map(|version| line(&receipt, version, change)).collect();
    ReceiptView { at: given(), all, receipt }
}

fn line(receipt: &ConsentReceipt, version: u32, change: ReceiptChange) -> ReceiptLine {
    ReceiptLine {
        consent: receipt.record_id,
        version,
        change,
        at: given(),
        about: "Varhaiskasvatuspaikka, Helsinki".into(),
    }
}

fn verified() -> Vec<Verified> {
    let signer = || asker().city_and_host;
    let genuine = |paper, key| Verified::Genuine { paper, signer: signer(), at: given(), key };
    let exchange = serde_json::from_value(json!({
        "iss": "https://espoo.example", "aud": "https://omat.helsinki.example", "iat": 1_795_000_000, "jti": "exchange-1",
        "grant_id": "grant-1", "dataset": "placements", "fields": ["unit", "startDate"], "records": 2,
        "proof_digest": "p", "body_digest": "b", "log_entry": "leaf"
    }))
    .unwrap();
    vec![
        genuine(Paper::Consent(Box::new(receipt(ReceiptChange::Given))), SignerKey::InUse),
        genuine(Paper::Consent(Box::new(receipt(ReceiptChange::Declined))), SignerKey::Retired),
        genuine(Paper::Consent(Box::new(receipt(ReceiptChange::Revoked))), SignerKey::Compromised),
        genuine(Paper::Exchange(Box::new(exchange)), SignerKey::GivenUpSince),
        Verified::Altered { signer: signer() },
        Verified::UnknownKey { signer: signer() },
        Verified::UnknownSigner { signer: signer() },
        Verified::Unavailable { signer: signer() },
        Verified::Unsigned,
        Verified::NoReceipt,
    ]
}

pub(crate) fn all() -> Vec<Sample> {
    let mut samples: Vec<Sample> = ReceiptChange::ALL
        .into_iter()
        .map(|change| {
            let name = format!("receipt-{}", change.as_str());
            sample(name, "/me/sharing/1/receipt/1", true, page(change))
        })
        .collect();
    let given = receipt(ReceiptChange::Given);
    let receipts = vec![line(&given, 2, ReceiptChange::Revoked), line(&given, 1, ReceiptChange::Given)];
    samples.push(sample("receipts", "/me/receipts", true, ReceiptsView { receipts }));
    samples.push(sample("receipts-none", "/me/receipts", true, ReceiptsView { receipts: Vec::new() }));
    samples.push(sample("verify", "/receipt/verify", false, VerifyView { verified: None }));
    for (number, verified) in verified().into_iter().enumerate() {
        let view = VerifyView { verified: Some(verified) };
        samples.push(sample(format!("verify-{number}"), "/receipt/verify", false, view));
    }
    samples
}
