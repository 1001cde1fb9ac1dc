//! Deletion of fetched data: a city's service confirms it, and its node signs the confirmation.

use std::collections::HashMap;

use super::request_consent;
use crate::domain::clock::Timestamp;
use crate::domain::consent::{HeldConsent, deletion};
use crate::domain::exchange::Event;
use crate::domain::exchange::event::DataDeleted;
use crate::domain::ids::HeldConsentId;
use crate::domain::jose::MAX_SKEW_SECS;
use crate::node::messaging::outbox_message;
use crate::node::{Node, Problem, ProblemKind, Service};
use crate::store::recipient::deletions;
pub(crate) use crate::store::recipient::deletions::Deletion;
use crate::store::{StoreError, Tx};

/// The deletion duty for a service's consent; `None` when nothing was fetched.
///
/// # Errors
/// [`Problem`] when the store is unavailable.
pub(crate) async fn of_held(node: &Node, id: HeldConsentId) -> Result<Option<Deletion>, Problem> {
    Ok(node.store.read("find_deletion", move |store| deletions::find(store, id)).await?)
}

/// The same for several, by consent.
///
/// # Errors
/// [`Problem`] when the store is unavailable.
pub(crate) async fn of_all(
    node: &Node,
    ids: Vec<HeldConsentId>,
) -> Result<HashMap<HeldConsentId, Deletion>, Problem> {
    Ok(node.store.read("list_deletions", move |store| deletions::of_all(store, &ids)).await?)
}

/// Records that a service deleted everything that it fetched under a consent, at `deleted_at` or now. Idempotent.
///
/// # Errors
/// [`Problem`]: not the service's consent, nothing was fetched, or an impossible moment.
pub(crate) async fn confirm_deletion(
    node: &Node,
    service: &Service,
    id: HeldConsentId,
    deleted_at: Option<Timestamp>,
) -> Result<Deletion, Problem> {
    let held = request_consent::find(node, service, id).await?;
    let now = node.now();
    let deleted_at = deleted_at.unwrap_or(now);
    let impossible = |detail: &str| Problem::with_detail(ProblemKind::BadRequest, detail);
    let known =
        of_held(node, id).await?.ok_or_else(|| impossible("nothing was fetched under this consent"))?;
    // The API uses whole seconds.
    if deleted_at > now.plus_secs(MAX_SKEW_SECS) || deleted_at.secs() < known.fetched_at.secs() {
        return Err(impossible("deletedAt must lie between the last fetch and now"));
    }
    let done = node.store.write("confirm_deletion", move |tx| record(tx, &held, deleted_at, now)).await?;
    node.outbox_bell.notify_one();
    Ok(done)
}

/// Stores the confirmation and queues it for the holder, in one transaction.
fn record(
    tx: &mut Tx<'_>,
    held: &HeldConsent,
    deleted_at: Timestamp,
    now: Timestamp,
) -> Result<Deletion, StoreError> {
    let known = deletions::existing(tx, held.id)?;
    if known.confirmed_at.is_some() || deleted_at.secs() < known.fetched_at.secs() {
        return Ok(known);
    }
    deletions::confirm(tx, held.id, deleted_at, now)?;
    if let Some(grant_id) = held.life.grant_id() {
        let event = Event::DataDeleted(DataDeleted {
            grant_id: grant_id.clone(),
            commitment: held.life.commitment().cloned(),
            deleted_at: deleted_at.secs(),
            fetched_until: known.fetched_at.secs(),
        });
        outbox_message::deletion(tx, held, &event, known.fetched_at, now)?;
    }
    deletions::existing(tx, held.id)
}

/// Records the deletion duty of a fetch. Part of the transaction that stores the receipt.
pub(crate) fn fetched(tx: &mut Tx<'_>, held: &HeldConsent, now: Timestamp) -> Result<(), StoreError> {
    let due_at = deletion::due_at(now, &held.life.detail().retention);
    deletions::fetched(tx, held.id, now, due_at)
}
