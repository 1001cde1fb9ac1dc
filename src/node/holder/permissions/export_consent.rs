//! The bundle: everything about one consent in one self-contained, verifiable file, for the resident and the operator.

use crate::domain::bundle::{
    Bundle, ExchangePapers, FORMAT, HistoryLine, KeyLine, LogLine, Record, RevokedLine,
};
use crate::domain::clock::Timestamp;
use crate::domain::consent::{Chains, Consent, Evidence};
use crate::domain::ids::{ConsentId, EntityId};
use crate::domain::jose::{KeyStanding, RevokeReason};
use crate::domain::login::Resident;
use crate::domain::token::status_list::{self, LIST_SIZE};
use crate::node::holder::oauth::publish_status;
use crate::node::resident::acting::Acting;
use crate::node::{KeyPurpose, Node, Problem};
use crate::store::holder::consents::Change;
use crate::store::holder::exchanges::Exchange;
use crate::store::holder::{consent_receipts, consents, exchanges};
use crate::store::keys::signing_keys;
use crate::store::keys::signing_keys::KeyRecord;
use crate::store::log::LogEntry;
use crate::store::{Reader, StoreError, log};

/// The bundle of a resident's own permission.
///
/// # Errors
/// [`Problem`] when it is unknown or another resident's.
pub(crate) async fn own(node: &Node, resident: &Resident, id: ConsentId) -> Result<String, Problem> {
    let found = node.store.read("export_own_consent", move |store| gather(store, id)).await?;
    Acting::for_self(resident).demand(found.consent.person)?;
    write(node, found).await
}

/// The bundle of any permission, for the operator.
///
/// # Errors
/// [`Problem`] when there is no such permission, or the store is unavailable.
pub(crate) async fn any(node: &Node, id: ConsentId) -> Result<String, Problem> {
    let found = node.store.read("export_consent", move |store| gather(store, id)).await?;
    write(node, found).await
}

/// The stored data, read in one snapshot.
struct Found {
    consent: Consent,
    evidence: Evidence,
    history: Vec<Change>,
    receipts: Vec<String>,
    exchanges: Vec<(Exchange, Option<String>)>,
    log: Vec<LogEntry>,
    keys: Vec<KeyRecord>,
}

fn gather(store: &mut Reader<'_>, id: ConsentId) -> Result<Found, StoreError> {
    let consent = consents::find(store, id)?;
    let evidence = consents::evidence(store, id)?;
    let history = consents::history(store, id)?;
    let receipts = consent_receipts::of_consent(store, id)?;
    let mut indexes: Vec<u64> = receipts.iter().map(|receipt| receipt.log_index).collect();
    let mut released = Vec::new();
    for exchange in exchanges::of_consent(store, id, u32::MAX)?.into_iter().rev() {
        let acknowledgement = match exchanges::acknowledgement(store, exchange.id) {
            Ok(text) => Some(text),
            Err(StoreError::NotFound) => None,
            Err(error) => return Err(error),
        };
        indexes.push(exchange.log_index);
        released.push((exchange, acknowledgement));
    }
    indexes.sort_unstable();
    indexes.dedup();
    let mut entries = Vec::new();
    for index in indexes {
        entries.extend(log::read(store, index, 1)?.into_iter().filter(|entry| entry.index == index));
    }
    Ok(Found {
        consent,
        evidence,
        history,
        receipts: receipts.into_iter().map(|receipt| receipt.text).collect(),
        exchanges: released,
        log: entries,
        keys: signing_keys::list(store)?,
    })
}

async fn write(node: &Node, found: Found) -> Result<String, Problem> {
    let consent = &found.consent;
    let chains = chains(node, &consent.terms.recipient).await;
    let list = consent.status_index / LIST_SIZE;
    let status_list = publish_status::publish_status(node, list).await?.token.to_string();
    let reference = status_list::reference(&node.settings.id, consent.status_index);
    let now = node.now();
    let bundle = Bundle {
        format: FORMAT.to_owned(),
        exported_at: now.rfc3339(),
        holder: node.settings.id.clone(),
        consent: Record {
            id: consent.id,
            grant_id: consent.grant_id.clone(),
            subject: consent.subject.clone(),
            terms: consent.terms.clone(),
            commitment: consent.commitment.clone(),
            state: consent.state.status(),
            recorded_at: consent.decided_at.rfc3339(),
            exchanges: consent.exchanges,
            status_list: reference.uri,
            status_index: reference.idx,
        },
        evidence: found.evidence.clone(),
        history: found.history.iter().map(history_line).collect(),
        log: found
            .log
            .iter()
            .map(|entry| LogLine { index: entry.index, entry: entry.leaf.entry.clone() })
            .collect(),
        receipts: found.receipts,
        exchanges: found
            .exchanges
            .into_iter()
            .map(|(exchange, acknowledgement)| ExchangePapers { receipt: exchange.receipt, acknowledgement })
            .collect(),
        keys: found.keys.iter().filter_map(key_line).collect(),
        chains,
        status_list,
    };
    let key = node.keys.active(KeyPurpose::Receipt)?;
    Ok(bundle.seal(&key, Timestamp::from_secs(now.secs()))?)
}

/// The current trust chains of this node and of a recipient; empty when one is not available, which must not fail a
/// decision or an export.
pub(crate) async fn chains(node: &Node, recipient: &EntityId) -> Chains {
    let (holder, recipient) = tokio::join!(statements(node, &node.settings.id), statements(node, recipient));
    Chains { holder, recipient }
}

async fn statements(node: &Node, id: &EntityId) -> Vec<String> {
    match node.peers.resolve(id).await {
        Ok(peer) => peer.statements.clone(),
        Err(error) => {
            tracing::warn!(
                event = "chain_not_kept", member = %id, %error,
                "a trust chain cannot be kept as evidence"
            );
            Vec::new()
        }
    }
}

fn history_line(change: &Change) -> HistoryLine {
    HistoryLine {
        state: change.to.status(),
        actor: change.actor,
        reason: Some(change.reason),
        at: change.at.rfc3339(),
    }
}

/// Receipt and token keys; the others sign nothing in a bundle.
fn key_line(record: &KeyRecord) -> Option<KeyLine> {
    let purpose = match record.purpose {
        KeyPurpose::Receipt | KeyPurpose::Token => record.purpose.as_str().to_owned(),
        KeyPurpose::Federation
        | KeyPurpose::Client
        | KeyPurpose::Dpop
        | KeyPurpose::LoginSigning
        | KeyPurpose::LoginRsaDecryption
        | KeyPurpose::LoginEcDecryption => return None,
    };
    let revoked = match record.standing() {
        KeyStanding::Sound => None,
        KeyStanding::Superseded { at } => {
            Some(RevokedLine { at: at.secs(), reason: RevokeReason::Superseded })
        }
        KeyStanding::Compromised { since } => {
            Some(RevokedLine { at: since.secs(), reason: RevokeReason::Compromised })
        }
    };
    Some(KeyLine {
        purpose,
        key: record.public.to_jwk(),
        created_at: record.created_at.secs(),
        retired_at: record.retired_at.map(Timestamp::secs),
        revoked,
    })
}
