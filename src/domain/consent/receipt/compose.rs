//! Composes receipts: of a decision from what was shown, of a change from the previous receipt.

use super::{
    Complaint, ConsentChange, ConsentReceipt, DPV, Issuer, JURISDICTION, Limits, PartyContact,
    PiiInformation, PiiProcessing, Purpose, ReceiptChange, ReceiptEvent, ReceiptParty, SCHEMA_VERSION,
    Verification, Withdrawal,
};
use crate::domain::catalogue::{Contact, Language};
use crate::domain::consent::document::{ConsentDocument, digest};
use crate::domain::consent::evidence::Committed;
use crate::domain::consent::state::Actor;
use crate::domain::ids::{GrantId, Jti};

/// The parts of a decision's receipt.
#[derive(Debug)]
pub struct ReceiptParts<'a> {
    /// The issuer.
    pub issuer: &'a Issuer,
    /// Its identifier.
    pub jti: Jti,
    /// The document of the decision.
    pub document: &'a ConsentDocument,
    /// The consent towards its recipient.
    pub grant_id: Option<&'a GrantId>,
    /// The decision, by the resident.
    pub change: &'a ConsentChange,
    /// Digests of the evidence, if something was allowed.
    pub evidence: Option<Committed>,
    /// Leaf hash of the log entry.
    pub log_entry: &'a str,
}

impl ConsentReceipt {
    /// Composes the receipt of a decision.
    #[must_use]
    pub fn new(parts: ReceiptParts<'_>) -> Self {
        let (issuer, document, change) = (parts.issuer, parts.document, parts.change);
        let allowed = change.change != ReceiptChange::Declined;
        let at = |path: &str| format!("{}{path}", issuer.id);
        let language = document.language;
        let contact = |contact: &Contact| PartyContact {
            name: contact.name.get(language).to_owned(),
            email: contact.email.clone(),
        };
        Self {
            iss: issuer.id.clone(),
            sub: document.subject.clone(),
            iat: change.at.secs(),
            jti: parts.jti,
            schema_version: SCHEMA_VERSION.to_owned(),
            record_id: document.consent,
            grant_id: parts.grant_id.cloned(),
            version: 1,
            previous: None,
            event: event(change, document.subject.to_string()),
            pii_processing: PiiProcessing {
                privacy_notice: document.terms.declared_use.to_string(),
                language,
                purposes: vec![purpose(document, allowed)],
            },
            party_identification: parties(document, issuer),
            withdrawal: Withdrawal {
                portal: at(&format!("/me/sharing/{}/stop", document.consent)),
                without_portal: contact(&issuer.contact),
            },
            complaint: complaint(language),
            evidence: parts.evidence,
            log_entry: parts.log_entry.to_owned(),
            verification: Verification {
                page: at("/receipt/verify"),
                keys: at("/.well-known/openid-federation"),
            },
        }
    }

    /// The receipt of the next change.
    #[must_use]
    pub fn next(&self, text: &str, jti: Jti, change: &ConsentChange, log_entry: &str) -> Self {
        let recipient = self.party("recipient").map(|party| party.party_id.to_string());
        let entity_id = match change.actor {
            Actor::Resident => self.sub.to_string(),
            Actor::Recipient => recipient.unwrap_or_default(),
            Actor::Node => self.iss.to_string(),
        };
        Self {
            iat: change.at.secs(),
            jti,
            version: self.version.saturating_add(1),
            previous: Some(digest(text)),
            event: event(change, entity_id),
            evidence: None,
            log_entry: log_entry.to_owned(),
            ..self.clone()
        }
    }
}

fn event(change: &ConsentChange, entity_id: String) -> ReceiptEvent {
    ReceiptEvent {
        event_type: change.change,
        event_state: format!("{DPV}{}", change.change.dpv_status()),
        event_time: change.at.rfc3339(),
        entity_id,
        method: change.change.method(change.actor).to_owned(),
        reason: change.reason,
    }
}

fn purpose(document: &ConsentDocument, allowed: bool) -> Purpose {
    let terms = &document.terms;
    let fields = document.fields.iter().map(|field| PiiInformation {
        pii_attribute_id: field.name.clone(),
        pii_type: field.label.clone(),
        pii_optional: field.optional,
    });
    Purpose {
        purpose: document.purpose_text.clone(),
        purpose_digest: digest(&document.purpose_text),
        purpose_type: terms.purpose.clone(),
        lawful_basis: document.legal_basis.clone(),
        service: document.service.clone(),
        declared_use: terms.declared_use.to_string(),
        dataset: document.dataset_title.clone(),
        pii_information: if allowed { fields.collect() } else { Vec::new() },
        persons: if allowed { document.persons.clone() } else { Vec::new() },
        pii_controllers: vec![terms.recipient.clone()],
        collection_method: terms.holder.clone(),
        retention_period: terms.retention.to_string(),
        storage_locations: vec![JURISDICTION.to_owned()],
        jurisdiction: JURISDICTION.to_owned(),
        recipient_third_parties: document.onward_sharing.clone(),
        limits: allowed.then(|| Limits {
            until: terms.until,
            frequency: terms.to_detail().frequency,
            period: terms.period,
        }),
    }
}

fn parties(document: &ConsentDocument, issuer: &Issuer) -> Vec<ReceiptParty> {
    let language = document.language;
    vec![
        ReceiptParty {
            party_id: document.terms.holder.clone(),
            party_role: "holder".to_owned(),
            party_name: document.holder.name.clone(),
            contact_name: issuer.contact.name.get(language).to_owned(),
            contact_email: issuer.contact.email.clone(),
            data_protection_officer: Some(PartyContact {
                name: issuer.data_protection_officer.name.get(language).to_owned(),
                email: issuer.data_protection_officer.email.clone(),
            }),
        },
        ReceiptParty {
            party_id: document.terms.recipient.clone(),
            party_role: "recipient".to_owned(),
            party_name: document.recipient.name.clone(),
            contact_name: document.controller.name.clone(),
            contact_email: document.controller.email.clone(),
            data_protection_officer: Some(PartyContact {
                name: document.data_protection_officer.name.clone(),
                email: document.data_protection_officer.email.clone(),
            }),
        },
    ]
}

/// The Data Protection Ombudsman, the supervisory authority in Finland (GDPR Article 77).
fn complaint(language: Language) -> Complaint {
    let (authority, url) = match language {
        Language::Fi => ("Tietosuojavaltuutetun toimisto", "https://tietosuoja.fi/"),
        Language::Sv => ("Dataombudsmannens byrå", "https://tietosuoja.fi/sv/"),
        Language::En => ("Office of the Data Protection Ombudsman", "https://tietosuoja.fi/en/"),
    };
    Complaint { authority: authority.to_owned(), url: url.to_owned() }
}
