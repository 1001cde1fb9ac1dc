//! One consent with everything that is signed about it, made from fresh keys without a node: for vectors, mutations and
//! measurements.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    missing_docs,
    dead_code,
    unreachable_pub,
    reason = "shared by tests and benches, each of which uses a part of it"
)]

use omadata::domain::bundle::{Bundle, ExchangePapers, FORMAT, HistoryLine, KeyLine, LogLine, Record};
use omadata::domain::catalogue::{Contact, Text};
use omadata::domain::clock::Timestamp;
use omadata::domain::consent::receipt::ReceiptParts;
use omadata::domain::consent::{
    Actor, Chains, Commitment, Committed, ConsentChange, ConsentDocument, ConsentReceipt, ConsentStatus,
    Evidence, Issuer, Reason, ReceiptChange, Salt,
};
use omadata::domain::consent::{PasskeyEvidence, ReleasedPerson};
use omadata::domain::exchange::Event;
use omadata::domain::exchange::event::ExchangeAcknowledged;
use omadata::domain::exchange::receipt::{EXCHANGE_RECEIPT, Receipt, digest};
use omadata::domain::ids::{EntityId, GrantId, Jti};
use omadata::domain::jose::id_token::ProviderDocuments;
use omadata::domain::jose::{PublicKeys, SigningKey, b64url, sha256};
use omadata::domain::log::Entry;
use openssl::pkey::{Id, PKey};
use serde_json::{Value, json};

pub const ESPOO: &str = "https://espoo.example";
pub const HELSINKI: &str = "https://helsinki.example";
pub const ANCHOR: &str = "https://anchor.example";
pub const PROVIDER: &str = "https://login.example";

/// Two children, and the one record of the second that is covered.
pub const ONNI: &str = "AQEBAQEBAQEBAQEBAQEBAQ";
pub const LUMI: &str = "AgICAgICAgICAgICAgICAg";
pub const PLACEMENT: &str = "FRUVFRUVFRUVFRUVFRUVFQ";

/// Two records of Onni's and the one of Lumi's.
fn released_persons() -> Vec<ReleasedPerson> {
    let lumi = vec![PLACEMENT.parse().unwrap()];
    vec![
        ReleasedPerson { id: ONNI.parse().unwrap(), records: 2, record_ids: Vec::new() },
        ReleasedPerson { id: LUMI.parse().unwrap(), records: 1, record_ids: lumi },
    ]
}

/// When the resident decided.
pub const DECIDED: i64 = 1_795_000_000;
/// When the bundle was written: a year later, with a new federation statement.
pub const EXPORTED: i64 = DECIDED + 20_000_000;

pub struct Case {
    pub evidence: Evidence,
    pub commitment: Commitment,
    pub committed: Committed,
    pub bundle: Bundle,
    pub receipt_key: SigningKey,
    /// The receipt key that the holder took up after this one, and the holder's chain of today with it alone.
    pub next_receipt_key: SigningKey,
    pub next_chain: Vec<String>,
    pub token_key: SigningKey,
    pub provider_key: SigningKey,
    pub anchor_keys: PublicKeys,
    pub salt: Salt,
}

impl Case {
    /// The bundle as its holder writes it.
    pub fn sealed(&self) -> String {
        self.seal(&self.bundle)
    }

    /// Another bundle, sealed as if this holder had written it.
    pub fn seal(&self, bundle: &Bundle) -> String {
        bundle.seal(&self.receipt_key, Timestamp::from_secs(EXPORTED)).unwrap()
    }

    pub fn provider_keys(&self) -> Value {
        json!({ "keys": [self.provider_key.public().to_jwk()] })
    }

    /// An ID token of the provider's, with claims replaced.
    pub fn id_token(&self, changes: &[(&str, Value)]) -> String {
        id_token(&self.provider_key, self.commitment.as_str(), changes)
    }
}

fn id_token(key: &SigningKey, nonce: &str, changes: &[(&str, Value)]) -> String {
    let mut claims = json!({
        "iss": PROVIDER, "sub": "person-1", "aud": "espoo", "iat": DECIDED, "exp": DECIDED + 300, "nonce": nonce
    });
    for (name, value) in changes {
        claims[*name] = value.clone();
    }
    key.sign("JWT", &claims).unwrap()
}

fn entity(text: &str) -> EntityId {
    EntityId::new(text).unwrap()
}

fn contact(name: &str) -> Contact {
    let all = Text { fi: name.to_owned(), sv: name.to_owned(), en: name.to_owned() };
    Contact { name: all, email: "office@city.example".to_owned() }
}

fn document(salt: &Salt) -> ConsentDocument {
    let person = json!({"name": "Kasvatuksen toimiala", "email": "kasvatus@helsinki.example"});
    serde_json::from_value(json!({
        "version": "omadata-consent/1", "consent": "AQEBAQEBAQEBAQEBAQEBAQ", "subject": "pairwise-1", "language": "fi",
        "holder": {"id": ESPOO, "name": "Espoo"}, "recipient": {"id": HELSINKI, "name": "Helsinki"},
        "service": "Varhaiskasvatuksen hakemukset",
        "purposeText": "Helsinki haluaa hakea lapsesi varhaiskasvatuspaikan tiedot.",
        "datasetTitle": "Varhaiskasvatuspaikka",
        "fields": [
            {"name": "unit", "label": "Päiväkoti", "optional": false},
            {"name": "startDate", "label": "Alkaa", "optional": true}
        ],
        "persons": [
            {"id": ONNI, "name": "Onni"},
            {"id": LUMI, "name": "Lumi", "records": [{"id": PLACEMENT, "label": "Satakieli, 1.8.2026–31.7.2027"}]}
        ],
        "terms": {
            "holder": ESPOO, "recipient": HELSINKI, "declaredUse": format!("{HELSINKI}/catalogue/uses/daycare"),
            "dataset": "placements", "fields": ["unit", "startDate"],
            "persons": [{"id": ONNI}, {"id": LUMI, "records": [PLACEMENT]}],
            "purpose": "https://w3id.org/dpv#ServiceProvision", "period": null,
            "maxExchanges": 5, "retention": "P1Y", "until": "2027-11-01"
        },
        "legalBasis": "https://w3id.org/dpv/legal/eu/gdpr#A6-1-a", "onwardSharing": "none",
        "otherwise": "Voit tuoda päätöksen itse.", "controller": person, "dataProtectionOfficer": person,
        "until": "2027-11-01", "decidedAt": Timestamp::from_secs(DECIDED).rfc3339(),
        "signer": salt.signer(PROVIDER, "person-1")
    }))
    .unwrap()
}

/// A member's keys.
struct Member {
    id: &'static str,
    federation: SigningKey,
    receipt: SigningKey,
    token: SigningKey,
}

impl Member {
    fn new(id: &'static str, key: &mut dyn FnMut() -> SigningKey) -> Self {
        Self { id, federation: key(), receipt: key(), token: key() }
    }

    /// Its chain to the anchor as of a moment.
    fn chain(&self, anchor: &SigningKey, at: i64) -> Vec<String> {
        let jwks = |key: &SigningKey| PublicKeys::single(key.public().clone()).to_jwks();
        let statement = |key: &SigningKey, claims: Value| key.sign("entity-statement+jwt", &claims).unwrap();
        let id = self.id;
        let url = |path: &str| format!("{id}{path}");
        let own = json!({
            "iss": id, "sub": id, "iat": at - 10, "exp": at + 3600, "jwks": jwks(&self.federation),
            "authority_hints": [ANCHOR],
            "metadata": {
                "federation_entity": {"organization_name": id},
                "oauth_authorization_server": {
                    "issuer": id, "authorization_endpoint": url("/oauth/authorize"),
                    "pushed_authorization_request_endpoint": url("/oauth/par"),
                    "token_endpoint": url("/oauth/token"), "jwks": jwks(&self.token)
                },
                "oauth_resource": {"resource": id, "jwks": jwks(&self.receipt)},
                "oauth_client": {
                    "redirect_uris": [url("/oauth/callback")], "jwks": jwks(&self.token),
                    "omadata_receipt_jwks": jwks(&self.receipt)
                }
            }
        });
        let about = json!({
            "iss": ANCHOR, "sub": id, "iat": at - 10, "exp": at + 3600, "jwks": jwks(&self.federation)
        });
        let top = json!({
            "iss": ANCHOR, "sub": ANCHOR, "iat": at - 10, "exp": at + 3600, "jwks": jwks(anchor),
            "metadata": {"federation_entity": {"organization_name": "Anchor"}}
        });
        vec![statement(&self.federation, own), statement(anchor, about), statement(anchor, top)]
    }
}

/// What happened, as the log and the receipts have it.
struct Papers {
    log: Vec<LogLine>,
    receipts: Vec<String>,
    exchanges: Vec<ExchangePapers>,
}

fn papers(
    document: &ConsentDocument,
    committed: &Committed,
    espoo: &Member,
    helsinki: &Member,
    exchanges: i64,
) -> Papers {
    let grant = GrantId::new("grant-1").unwrap();
    let at = Timestamp::from_secs;
    let mut log = Vec::new();
    let mut enter = |entry: &Entry| {
        let leaf = entry.leaf().unwrap();
        log.push(LogLine { index: 10 + log.len() as u64, entry: leaf.entry });
        leaf.hash
    };
    let consent = document.consent;
    let decision =
        Entry::decision(consent, committed.commitment.as_str(), &committed.provider_key, at(DECIDED));
    let issuer = Issuer {
        id: entity(ESPOO),
        contact: contact("Neuvonta"),
        data_protection_officer: contact("Tietosuojavastaava"),
    };
    let happened =
        |change, secs, reason| ConsentChange { change, actor: Actor::Resident, at: at(secs), reason };
    let first = ConsentReceipt::new(ReceiptParts {
        issuer: &issuer,
        jti: Jti::new("receipt-1").unwrap(),
        document,
        grant_id: Some(&grant),
        change: &happened(ReceiptChange::Given, DECIDED, None),
        evidence: Some(committed.clone()),
        log_entry: &enter(&decision),
    });
    let mut papers = Vec::new();
    for number in 1..=exchanges {
        let secs = DECIDED + 1000 * number;
        let (proof_digest, body_digest) = (digest(&number.to_be_bytes()), digest(b"body"));
        let entry = Entry::Exchange {
            consent,
            recipient: entity(HELSINKI),
            dataset: document.terms.dataset.clone(),
            fields: document.terms.fields.clone(),
            persons: released_persons(),
            proof_digest: proof_digest.clone(),
            body_digest: body_digest.clone(),
            at: secs,
        };
        let released = Receipt {
            iss: entity(ESPOO),
            aud: entity(HELSINKI),
            iat: secs,
            jti: Jti::new(format!("exchange-{number}")).unwrap(),
            grant_id: grant.clone(),
            dataset: document.terms.dataset.clone(),
            fields: document.terms.fields.clone(),
            records: 3,
            persons: released_persons(),
            proof_digest,
            body_digest: body_digest.clone(),
            log_entry: enter(&entry),
        };
        let receipt = espoo.receipt.sign(EXCHANGE_RECEIPT.typ, &released).unwrap();
        let event = Event::ExchangeAcknowledged(ExchangeAcknowledged {
            exchange: released.jti.clone(),
            grant_id: grant.clone(),
            body_digest,
            receipt_digest: digest(receipt.as_bytes()),
        });
        let jti = Jti::new(format!("ack-{number}")).unwrap();
        let signed = event.sign(&helsinki.receipt, &entity(HELSINKI), &entity(ESPOO), jti, at(secs)).unwrap();
        papers.push(ExchangePapers { receipt, acknowledgement: Some(signed) });
    }
    let text = first.sign(&espoo.receipt).unwrap();
    let revoked =
        enter(&Entry::change(consent, ConsentStatus::Revoked, Reason::TakenBack, at(DECIDED + 900_000)));
    let second = first.next(
        &text,
        Jti::new("receipt-2").unwrap(),
        &happened(ReceiptChange::Revoked, DECIDED + 900_000, Some(Reason::TakenBack)),
        &revoked,
    );
    let receipts = vec![text, second.sign(&espoo.receipt).unwrap()];
    Papers { log, receipts, exchanges: papers }
}

/// Signs bytes with a key of its own.
pub type Signer = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// A passkey of the test's, of any kind.
pub struct TestPasskey {
    pub jwk: Value,
    /// Signs as a device does (Web Authentication Level 2 §6.5.6).
    pub sign: Signer,
}

impl TestPasskey {
    fn thumbprint(&self) -> String {
        omadata::domain::jose::id_token::thumbprint(&self.jwk).unwrap()
    }

    fn evidence(&self, commitment: &Commitment) -> PasskeyEvidence {
        let client_data = json!({
            "type": "webauthn.get", "challenge": commitment.as_str(), "origin": ESPOO, "crossOrigin": false
        });
        let client_data = client_data.to_string();
        let host = ESPOO.strip_prefix("https://").unwrap();
        let data = [&sha256(host.as_bytes())[..], &[0x05, 0, 0, 0, 1]].concat();
        let message = [&data[..], &sha256(client_data.as_bytes())].concat();
        PasskeyEvidence {
            credential_hash: b64url(&sha256(b"credential")),
            public_key: self.jwk.clone(),
            client_data: b64url(client_data.as_bytes()),
            authenticator_data: b64url(&data),
            signature: b64url(&(self.sign)(&message)),
        }
    }
}

/// A consent that was given, used `exchanges` times (five at most) and taken back.
pub fn case(exchanges: u32) -> Case {
    case_with(exchanges, None)
}

/// The same, whose dataset demanded a passkey's signature too where there is one.
pub fn case_with(exchanges: u32, passkey: Option<&TestPasskey>) -> Case {
    made_with(exchanges, passkey, &mut || SigningKey::generate().unwrap())
}

/// Ed25519 keys from counted seeds: what they sign is the same at every run.
pub fn counted_keys() -> impl FnMut() -> SigningKey {
    let mut seed = 0_u8;
    move || {
        seed += 1;
        let raw = [seed; 32];
        let key = PKey::private_key_from_raw_bytes(&raw, Id::ED25519).unwrap();
        let jwk = json!({
            "kty": "OKP", "crv": "Ed25519", "x": b64url(&key.raw_public_key().unwrap()), "d": b64url(&raw)
        });
        SigningKey::from_private_jwk(&jwk.to_string()).unwrap()
    }
}

/// The same with these keys.
pub fn made_with(exchanges: u32, passkey: Option<&TestPasskey>, key: &mut dyn FnMut() -> SigningKey) -> Case {
    let (provider_key, anchor) = (key(), key());
    let (espoo, helsinki) = (Member::new(ESPOO, key), Member::new(HELSINKI, key));
    let salt = Salt([7; 32]);
    let mut document = document(&salt);
    document.passkeys.extend(passkey.map(|passkey| passkey.thumbprint().parse().unwrap()));
    let text = document.canonical().unwrap();
    let commitment = Commitment::to(&text, &salt);
    let jwks = json!({ "keys": [provider_key.public().to_jwk()] });
    let evidence = Evidence {
        document: text,
        salt: b64url(&salt.0),
        id_token: id_token(&provider_key, commitment.as_str(), &[]),
        provider_key: provider_key.public().to_jwk(),
        provider_documents: Some(ProviderDocuments {
            metadata: json!({"issuer": PROVIDER, "jwks_uri": format!("{PROVIDER}/jwks")}),
            jwks,
            fetched_at: Timestamp::from_secs(DECIDED - 60).rfc3339(),
        }),
        chains: Some(Chains {
            holder: espoo.chain(&anchor, DECIDED),
            recipient: helsinki.chain(&anchor, DECIDED),
        }),
        passkey: passkey.map(|passkey| passkey.evidence(&commitment)),
        ..serde_json::from_value(json!({
            "document": "", "salt": "", "idToken": "", "providerKey": {}, "provider": PROVIDER, "clientId": "espoo"
        }))
        .unwrap()
    };
    let committed = Committed::to(&evidence, &commitment).unwrap();
    let papers = papers(&document, &committed, &espoo, &helsinki, exchanges.into());
    let line_of = |purpose: &str, key: &SigningKey| KeyLine {
        purpose: purpose.to_owned(),
        key: key.public().to_jwk(),
        created_at: DECIDED - 1000,
        retired_at: None,
        revoked: None,
    };
    let line = |state: &str, reason: &str, at: i64| HistoryLine {
        state: state.parse().unwrap(),
        actor: Actor::Resident,
        reason: Some(reason.parse().unwrap()),
        at: Timestamp::from_secs(at).rfc3339(),
    };
    let bundle = Bundle {
        format: FORMAT.to_owned(),
        exported_at: Timestamp::from_secs(EXPORTED).rfc3339(),
        holder: entity(ESPOO),
        consent: Record {
            id: document.consent,
            grant_id: GrantId::new("grant-1").unwrap(),
            subject: document.subject.clone(),
            terms: document.terms.clone(),
            commitment: commitment.clone(),
            state: ConsentStatus::Revoked,
            recorded_at: Timestamp::from_secs(DECIDED).rfc3339(),
            exchanges,
            status_list: format!("{ESPOO}/oauth/status-lists/0"),
            status_index: 5,
        },
        evidence: evidence.clone(),
        history: vec![line("active", "decided", DECIDED), line("revoked", "taken_back", DECIDED + 900_000)],
        log: papers.log,
        receipts: papers.receipts,
        exchanges: papers.exchanges,
        keys: vec![line_of("receipt", &espoo.receipt), line_of("token", &espoo.token)],
        chains: Chains {
            holder: espoo.chain(&anchor, EXPORTED),
            recipient: helsinki.chain(&anchor, EXPORTED),
        },
        status_list: status_list(&espoo.token, EXPORTED),
    };
    let next = Member { id: ESPOO, federation: espoo.federation, receipt: key(), token: espoo.token };
    Case {
        evidence,
        commitment,
        committed,
        bundle,
        receipt_key: espoo.receipt,
        next_chain: next.chain(&anchor, EXPORTED),
        next_receipt_key: next.receipt,
        token_key: next.token,
        provider_key,
        anchor_keys: PublicKeys::single(anchor.public().clone()),
        salt,
    }
}

/// A status list of eight entries of two bits, in which the sixth is invalid, signed at a moment.
pub fn status_list(key: &SigningKey, at: i64) -> String {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&[0b0000_0000, 0b0000_0100]).unwrap();
    let lst = b64url(&encoder.finish().unwrap());
    let claims = json!({
        "iss": ESPOO, "sub": format!("{ESPOO}/oauth/status-lists/0"), "iat": at, "exp": EXPORTED + 300, "ttl": 60,
        "status_list": {"bits": 2, "lst": lst}
    });
    key.sign("statuslist+jwt", &claims).unwrap()
}
