//! Messages to others, written in the transaction that causes them and delivered afterwards (transactional outbox).

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Text};
use zeroize::Zeroizing;

use crate::domain::clock::Timestamp;
use crate::domain::ids::{EntityId, OutboxId};
use crate::store::engine::db::on_backend;
use crate::store::engine::error::exactly_one;
use crate::store::engine::purge::delete_oldest;
use crate::store::engine::schema::{outbox, outbox_peers};
use crate::store::engine::sealed::column;
use crate::store::{Reader, StoreError, Tx};

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

/// Concurrent deliveries to one destination. A destination that did not answer last time is tried with one item.
const PER_DESTINATION: i64 = 4;

/// Every delay and lease is shorter, in seconds: a later time was written by a clock that has since been corrected.
const FARTHEST_SECS: i64 = 3600;

/// `$n` works on both databases. The innermost query takes the oldest open item of each order key, and nothing for a
/// paused destination; the outer one limits the items of each destination.
const LEASE: &str = "\
    UPDATE outbox SET lease_owner = $1, lease_until = $2, attempts = attempts + 1 \
    WHERE seq IN ( \
      SELECT d.seq FROM ( \
        SELECT o.seq, o.next_at, o.destination, \
          ROW_NUMBER() OVER (PARTITION BY o.destination ORDER BY o.next_at, o.seq) AS place \
        FROM outbox o \
        WHERE o.delivered_at IS NULL AND o.given_up_at IS NULL AND (o.next_at <= $3 OR o.next_at > $4) \
          AND (o.lease_until <= $5 OR o.lease_until > $6) \
          AND NOT EXISTS (SELECT 1 FROM outbox_peers p WHERE p.destination = o.destination \
                          AND p.not_before > $7 AND p.not_before <= $8) \
          AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.order_key = o.order_key AND e.seq < o.seq \
                          AND e.delivered_at IS NULL AND e.given_up_at IS NULL)) d \
      LEFT JOIN (SELECT l.destination, COUNT(*) AS under_way FROM outbox l \
                 WHERE l.delivered_at IS NULL AND l.given_up_at IS NULL AND l.lease_until > $9 \
                 GROUP BY l.destination) b ON b.destination = d.destination \
      LEFT JOIN outbox_peers s ON s.destination = d.destination \
      WHERE d.place + COALESCE(b.under_way, 0) <= CASE WHEN s.destination IS NULL THEN $10 ELSE 1 END \
      ORDER BY d.next_at, d.seq LIMIT $11) \
    RETURNING id, kind, destination, payload, attempts, created_at";

#[derive(QueryableByName)]
struct LeasedRow {
    #[diesel(sql_type = Binary)]
    id: OutboxId,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    destination: String,
    #[diesel(sql_type = Binary)]
    payload: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    attempts: i64,
    #[diesel(sql_type = BigInt)]
    created_at: Timestamp,
}

impl LeasedRow {
    /// `None` when the row cannot be parsed.
    fn into_leased(self, reader: &Reader<'_>) -> Option<Leased> {
        let sealer = &reader.keys.sealer;
        Some(Leased {
            payload: sealer.open_text(column!(outbox.payload), self.id.as_bytes(), &self.payload).ok()?,
            destination: EntityId::new(&self.destination).ok()?,
            id: self.id,
            kind: self.kind,
            attempt: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            created_at: self.created_at,
        })
    }
}

/// Leases due items, each to one worker at a time. The lease of a worker that dies ends at `until`.
///
/// An item that cannot be read is given up here: it must not block the items after it.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn lease(
    tx: &mut Tx<'_>,
    owner: &str,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<Leased>, StoreError> {
    let rows: Vec<LeasedRow> = diesel::sql_query(LEASE)
        .bind::<Text, _>(owner)
        .bind::<BigInt, _>(until)
        .bind::<BigInt, _>(now)
        .bind::<BigInt, _>(now.plus_secs(FARTHEST_SECS))
        .bind::<BigInt, _>(now)
        .bind::<BigInt, _>(now.plus_secs(FARTHEST_SECS))
        .bind::<BigInt, _>(now)
        .bind::<BigInt, _>(now.plus_secs(FARTHEST_SECS))
        .bind::<BigInt, _>(now)
        .bind::<BigInt, _>(PER_DESTINATION)
        .bind::<BigInt, _>(i64::from(limit))
        .load(tx.db)?;
    let mut items = Vec::new();
    for row in rows {
        let id = row.id;
        match row.into_leased(tx) {
            Some(item) => items.push(item),
            None => {
                tracing::error!(event = "outbox_item_unreadable", item = %id, "an outbox item cannot be read and is given up");
                give_up(tx, id, owner, now, UNREADABLE)?;
            }
        }
    }
    Ok(items)
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
    let forgotten = tx.keys.sealer.seal(column!(outbox.payload), id.as_bytes(), b"")?;
    let changed =
        diesel::update(outbox::table.filter(outbox::id.eq(id)).filter(outbox::lease_owner.eq(owner)))
            .set((
                outbox::delivered_at.eq(now),
                outbox::payload.eq(forgotten),
                outbox::lease_owner.eq(None::<String>),
                outbox::last_error.eq(None::<String>),
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
    let forgotten = tx.keys.sealer.seal(column!(outbox.payload), id.as_bytes(), b"")?;
    let changed =
        diesel::update(outbox::table.filter(outbox::id.eq(id)).filter(outbox::lease_owner.eq(owner)))
            .set((
                outbox::given_up_at.eq(now),
                outbox::payload.eq(forgotten),
                outbox::lease_owner.eq(None::<String>),
                outbox::last_error.eq(error),
            ))
            .execute(tx.db)?;
    exactly_one(changed, StoreError::NotFound)
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
    delete_oldest!(
        tx, "outbox", key "seq",
        while "created_at < $1 AND (delivered_at IS NOT NULL OR given_up_at IS NOT NULL)", by "created_at", before, limit
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::testing::{at, on_both, root_keys};

    fn item(order: &str, dedup: &str) -> NewItem {
        to("https://peer.example", order, dedup)
    }

    fn to(destination: &str, order: &str, dedup: &str) -> NewItem {
        NewItem {
            kind: "event",
            destination: EntityId::new(destination).unwrap(),
            subject: "consent-1".to_owned(),
            order_key: order.to_owned(),
            dedup_key: dedup.to_owned(),
            payload: format!("payload of {dedup}"),
            next_at: at(0),
        }
    }

    on_both!(
        async fn four_workers_lease_each_item_once(fixture) {
            fixture
                .store
                .write("test", |tx| {
                    for n in 0..200 {
                        let peer = format!("https://peer-{}.example", n / 4);
                        push(tx, &to(&peer, &format!("o{n}"), &format!("d{n}")), at(0))?;
                    }
                    Ok::<_, StoreError>(())
                })
                .await
                .unwrap();
            let workers: Vec<_> = (0..4)
                .map(|worker| {
                    let store = fixture.other_process(&root_keys()).unwrap();
                    tokio::spawn(async move {
                        let mut got = Vec::new();
                        loop {
                            let owner = format!("w{worker}");
                            let batch =
                                store.write("test", move |tx| lease(tx, &owner, at(1), at(60), 10)).await.unwrap();
                            if batch.is_empty() {
                                return got;
                            }
                            got.extend(batch.into_iter().map(|leased| leased.id));
                        }
                    })
                })
                .collect();
            let mut all = Vec::new();
            for worker in workers {
                all.extend(worker.await.unwrap());
            }
            assert_eq!(all.len(), 200);
            all.sort();
            all.dedup();
            assert_eq!(all.len(), 200);
        }
    );

    on_both!(
        async fn one_key_goes_in_order_through_failure_and_surrender(fixture) {
            let store = &fixture.store;
            let pushed = store
                .write("test", |tx| {
                    Ok::<_, StoreError>([
                        push(tx, &item("o", "a"), at(0))?,
                        push(tx, &item("o", "b"), at(0))?,
                        push(tx, &item("o", "a"), at(0))?,
                    ])
                })
                .await
                .unwrap();
            assert!(pushed[0].is_some() && pushed[1].is_some() && pushed[2].is_none());
            let take = |when, until| store.write("test", move |tx| lease(tx, "w", at(when), at(until), 10));

            let first = take(1, 60).await.unwrap();
            assert_eq!(first.len(), 1);
            assert_eq!(first[0].payload.as_str(), "payload of a");
            assert_eq!(first[0].attempt, 1);
            assert!(take(2, 60).await.unwrap().is_empty(), "leased");
            assert_eq!(take(60, 120).await.unwrap()[0].attempt, 2, "a lost lease is taken again");
            let id = first[0].id;
            let stolen = store.write("test", move |tx| delivered(tx, id, "other", at(61))).await;
            assert_eq!(stolen, Err(StoreError::NotFound));
            store.write("test", move |tx| failed(tx, id, "w", at(100), "unreachable")).await.unwrap();
            assert!(take(99, 120).await.unwrap().is_empty(), "b waits behind a");
            assert_eq!(take(100, 120).await.unwrap()[0].id, id);
            store.write("test", move |tx| give_up(tx, id, "w", at(101), "refused")).await.unwrap();
            let second = take(102, 120).await.unwrap();
            assert_eq!(second[0].payload.as_str(), "payload of b");
            let id = second[0].id;
            store.write("test", move |tx| delivered(tx, id, "w", at(103))).await.unwrap();
            let again = store.write("test", move |tx| delivered(tx, id, "w", at(104))).await;
            assert_eq!(again, Err(StoreError::NotFound));
            assert!(take(1000, 2000).await.unwrap().is_empty());

            let seen = store.read("test", |r| deliveries(r, "consent-1")).await.unwrap();
            assert_eq!(seen.len(), 2);
            assert_eq!((seen[0].given_up_at, seen[0].last_error.as_deref()), (Some(at(101)), Some("refused")));
            assert_eq!((seen[1].delivered_at, seen[1].attempts), (Some(at(103)), 1));
        }
    );

    on_both!(
        async fn a_silent_destination_holds_back_nobody_else_and_is_asked_with_one_item(fixture) {
            let store = &fixture.store;
            store
                .write("test", |tx| {
                    for n in 0..100 {
                        push(tx, &to("https://dead.example", &format!("x{n}"), &format!("x{n}")), at(0))?;
                    }
                    push(tx, &to("https://alive.example", "y", "y"), at(0))
                })
                .await
                .unwrap();
            let take = |when| store.write("test", move |tx| lease(tx, "w", at(when), at(when + 60), 32));
            let first = take(1).await.unwrap();
            let hosts: Vec<&str> = first.iter().map(|item| item.destination.as_str()).collect();
            assert_eq!(hosts.iter().filter(|host| host.contains("dead")).count(), 4, "its share");
            assert_eq!(hosts.iter().filter(|host| host.contains("alive")).count(), 1);
            assert!(take(1).await.unwrap().is_empty(), "the share is under way");
            let dead = EntityId::new("https://dead.example").unwrap();
            for item in first {
                let dead = dead.clone();
                store
                    .write("test", move |tx| {
                        if item.destination == dead {
                            destination_silent(tx, &dead, at(2), 30)?;
                            return failed(tx, item.id, "w", at(3), "unreachable");
                        }
                        destination_answered(tx, &item.destination)?;
                        delivered(tx, item.id, "w", at(2))
                    })
                    .await
                    .unwrap();
            }
            // Four failures: eight seconds of pause, then one item at a time.
            assert!(take(9).await.unwrap().is_empty());
            let probe = take(10).await.unwrap();
            assert_eq!(probe.len(), 1);
            assert!(take(11).await.unwrap().is_empty());
            let id = probe[0].id;
            store
                .write("test", move |tx| {
                    destination_answered(tx, &dead)?;
                    delivered(tx, id, "w", at(12))
                })
                .await
                .unwrap();
            assert_eq!(take(12).await.unwrap().len(), 4, "as usual again");
            assert_eq!(back_off_secs(1, 30), 1);
            assert_eq!(back_off_secs(6, 30), 30);
            assert_eq!(back_off_secs(i64::MAX, 30), 30);
        }
    );

    on_both!(
        async fn an_item_that_cannot_be_read_is_given_up_and_blocks_nothing(fixture) {
            let store = &fixture.store;
            let first = store
                .write("test", |tx| {
                    let first = push(tx, &item("o", "a"), at(0))?;
                    push(tx, &item("o", "b"), at(0))?;
                    Ok::<_, StoreError>(first.unwrap())
                })
                .await
                .unwrap();
            store
                .write("test", move |tx| {
                    diesel::update(outbox::table.filter(outbox::id.eq(first)))
                        .set(outbox::payload.eq(b"not sealed by this node".to_vec()))
                        .execute(tx.db)
                        .map_err(StoreError::from)
                })
                .await
                .unwrap();
            assert!(store.write("test", |tx| lease(tx, "w", at(1), at(60), 10)).await.unwrap().is_empty());
            let next = store.write("test", |tx| lease(tx, "w", at(1), at(60), 10)).await.unwrap();
            assert_eq!(next[0].payload.as_str(), "payload of b");
            let seen = store.read("test", |r| deliveries(r, "consent-1")).await.unwrap();
            assert_eq!(
                (seen[0].given_up_at, seen[0].last_error.as_deref()),
                (Some(at(1)), Some(UNREADABLE))
            );
        }
    );
}
