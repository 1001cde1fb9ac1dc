//! Signs a receipt of a decision or a change, in the transaction that makes it.

use crate::domain::clock::Timestamp;
use crate::domain::consent::receipt::{CONSENT_RECEIPT, ReceiptParts};
use crate::domain::consent::{
    Actor, Committed, Consent, ConsentChange, ConsentDocument, ConsentReceipt, ConsentState, Issuer,
    ReceiptChange, Transition,
};
use crate::domain::ids::{Jti, PersonId, ReceiptId};
use crate::domain::jose::UnverifiedJws;
use crate::node::Node;
use crate::node::messaging::outbox_message::Logged;
use crate::store::holder::consent_receipts;
use crate::store::holder::consent_receipts::StoredReceipt;
use crate::store::{StoreError, Tx};

/// The issuer of receipts here.
pub(crate) fn issuer(node: &Node) -> Issuer {
    let settings = &node.settings;
    Issuer {
        id: settings.id.clone(),
        contact: settings.contact.clone(),
        data_protection_officer: settings.data_protection_officer.clone(),
    }
}

pub(crate) struct DecisionReceipt<'a> {
    /// What was shown and signed.
    pub(crate) document: &'a ConsentDocument,
    /// The evidence in digests.
    pub(crate) committed: &'a Committed,
}

/// The receipt of an allowed request.
pub(crate) fn of_decision(
    tx: &mut Tx<'_>,
    issuer: &Issuer,
    consent: &Consent,
    decided: DecisionReceipt<'_>,
    logged: &Logged,
) -> Result<(), StoreError> {
    let change = decision(ReceiptChange::Given, consent.decided_at);
    let id = ReceiptId::from_bytes(tx.random());
    let receipt = ConsentReceipt::new(ReceiptParts {
        issuer,
        jti: jti(id)?,
        document: decided.document,
        grant_id: Some(&consent.grant_id),
        change: &change,
        evidence: Some(decided.committed.clone()),
        log_entry: &logged.leaf_hash,
    });
    keep(tx, &NewReceipt { id, person: consent.person, receipt: &receipt, change: &change }, logged)
}

pub(crate) struct DeclinedOffer<'a> {
    pub(crate) person: PersonId,
    pub(crate) offered: &'a ConsentDocument,
    /// When it was declined.
    pub(crate) at: Timestamp,
}

/// The receipt of a request that was declined.
pub(crate) fn of_refusal(
    tx: &mut Tx<'_>,
    issuer: &Issuer,
    declined: &DeclinedOffer<'_>,
    logged: &Logged,
) -> Result<(), StoreError> {
    let DeclinedOffer { person, offered, at } = *declined;
    let change = decision(ReceiptChange::Declined, at);
    let id = ReceiptId::from_bytes(tx.random());
    let receipt = ConsentReceipt::new(ReceiptParts {
        issuer,
        jti: jti(id)?,
        document: offered,
        grant_id: None,
        change: &change,
        evidence: None,
        log_entry: &logged.leaf_hash,
    });
    keep(tx, &NewReceipt { id, person, receipt: &receipt, change: &change }, logged)
}

/// The receipt of a change. `None` for a consent from before there were receipts, which has none to repeat.
pub(crate) fn of_change(
    tx: &mut Tx<'_>,
    consent: &Consent,
    change: &Transition,
    logged: &Logged,
) -> Result<(), StoreError> {
    let before = match consent_receipts::newest(tx, consent.id) {
        Ok(before) => before,
        Err(StoreError::NotFound) => return Ok(()),
        Err(error @ StoreError::Corrupt(_)) => return unreadable(&error),
        Err(error) => return Err(error),
    };
    let Ok(known) = claimed(&before.text) else {
        return unreadable(&"it is no receipt");
    };
    let change = ConsentChange {
        change: what(change),
        actor: change.actor,
        at: change.at,
        reason: Some(change.reason),
    };
    let id = ReceiptId::from_bytes(tx.random());
    let receipt = known.next(&before.text, jti(id)?, &change, &logged.leaf_hash);
    keep(tx, &NewReceipt { id, person: consent.person, receipt: &receipt, change: &change }, logged)
}

/// A withdrawal must never fail because of a damaged receipt.
fn unreadable(error: &dyn std::fmt::Display) -> Result<(), StoreError> {
    tracing::error!(event = "receipt_unreadable", %error, "a receipt cannot be read, and its consent's change gets none");
    Ok(())
}

fn decision(change: ReceiptChange, at: Timestamp) -> ConsentChange {
    ConsentChange { change, actor: Actor::Resident, at, reason: None }
}

const fn what(change: &Transition) -> ReceiptChange {
    use crate::domain::consent::End;
    match change.to {
        ConsentState::Active => ReceiptChange::Resumed,
        ConsentState::Suspended => ReceiptChange::Suspended,
        ConsentState::Ended { how, .. } => match how {
            End::Revoked(Actor::Resident) => ReceiptChange::Revoked,
            End::Revoked(Actor::Recipient) => ReceiptChange::Returned,
            End::Revoked(Actor::Node) => ReceiptChange::Withdrawn,
            End::Expired => ReceiptChange::Expired,
            End::Exhausted => ReceiptChange::Exhausted,
            End::Replaced => ReceiptChange::Replaced,
        },
    }
}

/// A receipt that this node signed, read from its own sealed column.
fn claimed(text: &str) -> Result<ConsentReceipt, crate::domain::jose::JoseError> {
    UnverifiedJws::parse(text, &CONSENT_RECEIPT)?.claimed()
}

fn jti(id: ReceiptId) -> Result<Jti, StoreError> {
    Ok(Jti::new(id.to_string())?)
}

/// A receipt to be signed and stored.
struct NewReceipt<'a> {
    id: ReceiptId,
    person: PersonId,
    receipt: &'a ConsentReceipt,
    change: &'a ConsentChange,
}

fn keep(tx: &mut Tx<'_>, new: &NewReceipt<'_>, logged: &Logged) -> Result<(), StoreError> {
    let NewReceipt { id, person, receipt, change } = *new;
    let key = consent_receipts::signer(tx)?;
    let text = receipt.sign(&key)?;
    consent_receipts::insert(
        tx,
        &StoredReceipt {
            id,
            consent: receipt.record_id,
            person,
            version: receipt.version,
            change: change.change,
            at: change.at,
            log_index: logged.index,
            text,
        },
    )
}
