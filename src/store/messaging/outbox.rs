//! Messages to others, written in the transaction that causes them and delivered afterwards (transactional outbox).

mod lease;
#[cfg(test)]
mod tests;

use diesel::prelude::*;
use zeroize::Zeroizing;

use crate::domain::clock::Timestamp;
use crate::domain::ids::{EntityId, OutboxId};
use crate::store::engine::db::on_backend;
use crate::store::engine::error::exactly_one;
use crate::store::engine::purge::delete_oldest;
use crate::store::engine::schema::{outbox, outbox_peers};
use crate::store::engine::sealed::column;
use crate::store::{Reader, StoreError, Tx};

pub(crate) use lease::lease;

/// A message to be delivered.
#[derive(Clone)]
pub struct NewItem {
    /// The kind of message; defined by the deliverer.
    pub kind: &'static str,
    /// The destination.
    pub destination: EntityId,
    /// What it is about (a consent's or exchange's id), to show the delivery state.
    pub subject: String,
    /// Items with the same key are delivered in the order in which they were pushed.
    pub order_key: String,
    /// A second item with the same key is not pushed.
    pub dedup_key: String,
    /// The message. Sealed while it waits, deleted when it is delivered or given up.
    pub payload: String,
    /// The earliest delivery.
    pub next_at: Timestamp,
}

impl std::fmt::Debug for NewItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewItem")
            .field("kind", &self.kind)
            .field("destination", &self.destination)
            .finish_non_exhaustive()
    }
}

/// An item that this worker has leased.
#[derive(Clone)]
pub(crate) struct Leased {
    pub(crate) id: OutboxId,
    /// What is to be done with it.
    pub(crate) kind: String,
    pub(crate) destination: EntityId,
    pub(crate) payload: Zeroizing<String>,
    /// Number of this attempt, from 1.
    pub(crate) attempt: u32,
    /// When it was pushed.
    pub(crate) created_at: Timestamp,
}

impl std::fmt::Debug for Leased {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leased").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// The delivery state of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What is to be done.
    pub kind: String,
    /// To whom.
    pub destination: EntityId,
    /// When it was pushed.
    pub created_at: Timestamp,
    /// Attempts so far.
    pub attempts: u32,
    /// When the destination confirmed it.
    pub delivered_at: Option<Timestamp>,
    /// The code of the last failure.
    pub(crate) given_up_at: Option<Timestamp>,
    /// The last failure, a stable word.
    pub(crate) last_error: Option<String>,
}

/// Pushes an item, in the caller's transaction. `None` when its dedup key was pushed before.
///
/// # Errors
/// [`StoreError`].
pub fn push(tx: &mut Tx<'_>, item: &NewItem, now: Timestamp) -> Result<Option<OutboxId>, StoreError> {
    let id = OutboxId::from_bytes(tx.random());
    let payload = tx.keys.sealer.seal(column!(outbox.payload), id.as_bytes(), item.payload.as_bytes())?;
    let row = (
        outbox::id.eq(id),
        outbox::kind.eq(item.kind),
        outbox::destination.eq(&item.destination),
        outbox::subject.eq(&item.subject),
        outbox::order_key.eq(&item.order_key),
        outbox::dedup_key.eq(&item.dedup_key),
        outbox::payload.eq(payload),
        outbox::next_at.eq(item.next_at),
        outbox::created_at.eq(now),
    );
    let inserted = on_backend!(tx.db, |c| diesel::insert_into(outbox::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok((inserted == 1).then_some(id))
}

/// The failure code of an item that cannot be read.
pub(crate) const UNREADABLE: &str = "unreadable";

/// A destination answered, whatever it said: its back-off is reset.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn destination_answered(tx: &mut Tx<'_>, destination: &EntityId) -> Result<(), StoreError> {
    diesel::delete(outbox_peers::table.find(destination)).execute(tx.db)?;
    Ok(())
}

/// A destination did not answer: it is paused, with exponential back-off up to `longest_secs`.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn destination_silent(
    tx: &mut Tx<'_>,
    destination: &EntityId,
    now: Timestamp,
    longest_secs: i64,
) -> Result<(), StoreError> {
    let known: Option<i64> =
        outbox_peers::table.find(destination).select(outbox_peers::failures).get_result(tx.db).optional()?;
    let failures = known.unwrap_or(0).saturating_add(1);
    let not_before = now.plus_secs(back_off_secs(failures, longest_secs));
    if known.is_some() {
        diesel::update(outbox_peers::table.find(destination))
            .set((outbox_peers::failures.eq(failures), outbox_peers::not_before.eq(not_before)))
            .execute(tx.db)?;
    } else {
        diesel::insert_into(outbox_peers::table)
            .values((
                outbox_peers::destination.eq(destination),
                outbox_peers::failures.eq(failures),
                outbox_peers::not_before.eq(not_before),
            ))
            .execute(tx.db)?;
    }
    Ok(())
}

/// 1, 2, 4 … seconds, at most `longest`.
#[must_use]
pub(crate) fn back_off_secs(failures: i64, longest: i64) -> i64 {
    let doublings = u32::try_from(failures.saturating_sub(1).clamp(0, 16)).unwrap_or(16);
    1_i64.checked_shl(doublings).map_or(longest, |secs| secs.min(longest))
}

/// Records the item as delivered.
///
/// # Errors
/// [`StoreError::NotFound`] when this worker's lease was lost to another.
pub(crate) fn delivered(
    tx: &mut Tx<'_>,
    id: OutboxId,
    owner: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    settle(tx, id, owner, (Some(now), None, None))
}

/// When an item was delivered, when it was given up, and why.
type Settled = (Option<Timestamp>, Option<Timestamp>, Option<&'static str>);

/// Closes an item: its message is forgotten, and the next lease lets the next one of its key come first. Reads nothing, so
/// that deliveries that end together do not hinder each other.
fn settle(tx: &mut Tx<'_>, id: OutboxId, owner: &str, how: Settled) -> Result<(), StoreError> {
    let (delivered_at, given_up_at, error) = how;
    let forgotten = tx.keys.sealer.seal(column!(outbox.payload), id.as_bytes(), b"")?;
    let own = outbox::table.filter(outbox::id.eq(id)).filter(outbox::lease_owner.eq(owner));
    let changed = diesel::update(own)
        .set((
            outbox::delivered_at.eq(delivered_at),
            outbox::given_up_at.eq(given_up_at),
            outbox::payload.eq(forgotten),
            outbox::place.eq(lease::SETTLED),
            outbox::lease_owner.eq(None::<String>),
            outbox::lease_until.eq(0),
            outbox::last_error.eq(error),
        ))
        .execute(tx.db)?;
    exactly_one(changed, StoreError::NotFound)
}

/// Records a failed attempt; the next one is not before `next_at`. The code must contain no part of any response.
///
/// # Errors
/// [`StoreError::NotFound`] when this worker's lease was lost to another.
pub(crate) fn failed(
    tx: &mut Tx<'_>,
    id: OutboxId,
    owner: &str,
    next_at: Timestamp,
    error: &'static str,
) -> Result<(), StoreError> {
    let changed =
        diesel::update(outbox::table.filter(outbox::id.eq(id)).filter(outbox::lease_owner.eq(owner)))
            .set((
                outbox::next_at.eq(next_at),
                outbox::lease_owner.eq(None::<String>),
                outbox::lease_until.eq(0),
                outbox::last_error.eq(error),
            ))
            .execute(tx.db)?;
    exactly_one(changed, StoreError::NotFound)
}

/// Gives the item up; the items behind it may be delivered.
///
/// # Errors
/// [`StoreError::NotFound`] when this worker's lease was lost to another.
pub(crate) fn give_up(
    tx: &mut Tx<'_>,
    id: OutboxId,
    owner: &str,
    now: Timestamp,
    error: &'static str,
) -> Result<(), StoreError> {
    settle(tx, id, owner, (None, Some(now), Some(error)))
}

/// The delivery states of the items about a subject, oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn deliveries(reader: &mut Reader<'_>, subject: &str) -> Result<Vec<Delivery>, StoreError> {
    type Row = (String, EntityId, Timestamp, i64, Option<Timestamp>, Option<Timestamp>, Option<String>);
    let rows: Vec<Row> = outbox::table
        .filter(outbox::subject.eq(subject))
        .order(outbox::seq)
        .select((
            outbox::kind,
            outbox::destination,
            outbox::created_at,
            outbox::attempts,
            outbox::delivered_at,
            outbox::given_up_at,
            outbox::last_error,
        ))
        .load(reader.db)?;
    Ok(rows
        .into_iter()
        .map(|(kind, destination, created_at, attempts, delivered_at, given_up_at, last_error)| Delivery {
            kind,
            destination,
            created_at,
            attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
            delivered_at,
            given_up_at,
            last_error,
        })
        .collect())
}

/// Deletes items that were delivered or given up and created before a moment.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn forget_settled(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
    // What waits behind one that was settled is known by it: it gets its place first.
    lease::place(tx)?;
    delete_oldest!(tx, "outbox", key "seq", while "created_at < $1 AND place = 3", by "created_at", before, limit)
}
