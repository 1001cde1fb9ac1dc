//! What must be said to others, written in the transaction that causes it and delivered afterwards, as often as needed.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Text};
use zeroize::Zeroizing;

use super::db::on_backend;
use super::schema::outbox;
use super::sealed::column;
use super::{Reader, StoreError, Tx};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{EntityId, OutboxId};

/// A message to be delivered.
#[derive(Clone)]
pub struct NewItem {
    /// What is to be done with it; the deliverer's word.
    pub kind: &'static str,
    /// To whom.
    pub destination: EntityId,
    /// What it is about (a consent's or exchange's id), to show its state.
    pub subject: String,
    /// Items of one key go out one after the other, in the order in which they were pushed.
    pub order_key: String,
    /// A second item with the same key is not pushed.
    pub dedup_key: String,
    /// The message. Sealed while it waits, forgotten when it is delivered or given up.
    pub payload: String,
    /// Not before.
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

/// An item that this worker alone may deliver until its lease ends.
#[derive(Clone)]
pub struct Leased {
    /// The item.
    pub id: OutboxId,
    /// What is to be done with it.
    pub kind: String,
    /// To whom.
    pub destination: EntityId,
    /// What it is about.
    pub subject: String,
    /// The message.
    pub payload: Zeroizing<String>,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// When it was pushed.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for Leased {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leased").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// How the delivery of an item stands.
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
    /// When it was given up.
    pub given_up_at: Option<Timestamp>,
    /// The last failure, a stable word.
    pub last_error: Option<String>,
}

/// Pushes an item, in the caller's transaction. None when its dedup key was pushed before.
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

/// `$n` works on both databases. The inner query takes the oldest open item of each order key only.
const LEASE: &str = "\
    UPDATE outbox SET lease_owner = $1, lease_until = $2, attempts = attempts + 1 \
    WHERE seq IN ( \
      SELECT o.seq FROM outbox o \
      WHERE o.delivered_at IS NULL AND o.given_up_at IS NULL AND o.next_at <= $3 AND o.lease_until <= $4 \
        AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.order_key = o.order_key AND e.seq < o.seq \
                        AND e.delivered_at IS NULL AND e.given_up_at IS NULL) \
      ORDER BY o.next_at, o.seq LIMIT $5) \
    RETURNING id, kind, destination, subject, payload, attempts, created_at";

#[derive(QueryableByName)]
struct LeasedRow {
    #[diesel(sql_type = Binary)]
    id: OutboxId,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    destination: EntityId,
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = Binary)]
    payload: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    attempts: i64,
    #[diesel(sql_type = BigInt)]
    created_at: Timestamp,
}

/// Leases items that are due, each to one worker at a time. A worker that dies loses its lease at `until`.
///
/// # Errors
/// [`StoreError`].
pub fn lease(
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
        .bind::<BigInt, _>(now)
        .bind::<BigInt, _>(i64::from(limit))
        .load(tx.db)?;
    rows.into_iter()
        .map(|row| {
            Ok(Leased {
                payload: tx.keys.sealer.open_text(
                    column!(outbox.payload),
                    row.id.as_bytes(),
                    &row.payload,
                )?,
                id: row.id,
                kind: row.kind,
                destination: row.destination,
                subject: row.subject,
                attempt: u32::try_from(row.attempts).unwrap_or(u32::MAX),
                created_at: row.created_at,
            })
        })
        .collect()
}

/// The item has arrived.
///
/// # Errors
/// [`StoreError::NotFound`] when this worker's lease was lost to another.
pub fn delivered(tx: &mut Tx<'_>, id: OutboxId, owner: &str, now: Timestamp) -> Result<(), StoreError> {
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
    one(changed)
}

/// The attempt failed; the next one is not before `next_at`. The word must hold no part of any answer.
///
/// # Errors
/// [`StoreError::NotFound`] when this worker's lease was lost to another.
pub fn failed(
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
    one(changed)
}

/// The item will not be tried again; the ones behind it may go.
///
/// # Errors
/// [`StoreError::NotFound`] when this worker's lease was lost to another.
pub fn give_up(
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
    one(changed)
}

fn one(changed: usize) -> Result<(), StoreError> {
    if changed == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

/// How the deliveries about a subject stand, oldest first.
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

/// When the next item is due; none when nothing waits.
///
/// # Errors
/// [`StoreError`].
pub fn next_due(reader: &mut Reader<'_>) -> Result<Option<Timestamp>, StoreError> {
    Ok(outbox::table
        .filter(outbox::delivered_at.is_null().and(outbox::given_up_at.is_null()))
        .select(diesel::dsl::min(outbox::next_at))
        .first(reader.db)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{at, on_both, root_keys};

    fn item(order: &str, dedup: &str) -> NewItem {
        NewItem {
            kind: "event",
            destination: EntityId::new("https://peer.example").unwrap(),
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
                .write(|tx| {
                    for n in 0..200 {
                        push(tx, &item(&format!("o{n}"), &format!("d{n}")), at(0))?;
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
                                store.write(move |tx| lease(tx, &owner, at(1), at(60), 10)).await.unwrap();
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
                .write(|tx| {
                    Ok::<_, StoreError>([
                        push(tx, &item("o", "a"), at(0))?,
                        push(tx, &item("o", "b"), at(0))?,
                        push(tx, &item("o", "a"), at(0))?,
                    ])
                })
                .await
                .unwrap();
            assert!(pushed[0].is_some() && pushed[1].is_some() && pushed[2].is_none());
            let take = |when, until| store.write(move |tx| lease(tx, "w", at(when), at(until), 10));

            let first = take(1, 60).await.unwrap();
            assert_eq!(first.len(), 1);
            assert_eq!(first[0].payload.as_str(), "payload of a");
            assert_eq!(first[0].attempt, 1);
            assert!(take(2, 60).await.unwrap().is_empty(), "leased");
            assert_eq!(take(60, 120).await.unwrap()[0].attempt, 2, "a lost lease is taken again");
            let id = first[0].id;
            let stolen = store.write(move |tx| delivered(tx, id, "other", at(61))).await;
            assert_eq!(stolen, Err(StoreError::NotFound));
            store.write(move |tx| failed(tx, id, "w", at(100), "unreachable")).await.unwrap();
            assert!(take(99, 120).await.unwrap().is_empty(), "b waits behind a");
            assert_eq!(store.read(next_due).await.unwrap(), Some(at(0)));
            assert_eq!(take(100, 120).await.unwrap()[0].id, id);
            store.write(move |tx| give_up(tx, id, "w", at(101), "refused")).await.unwrap();
            let second = take(102, 120).await.unwrap();
            assert_eq!(second[0].payload.as_str(), "payload of b");
            let id = second[0].id;
            store.write(move |tx| delivered(tx, id, "w", at(103))).await.unwrap();
            let again = store.write(move |tx| delivered(tx, id, "w", at(104))).await;
            assert_eq!(again, Err(StoreError::NotFound));
            assert!(take(1000, 2000).await.unwrap().is_empty());
            assert_eq!(store.read(next_due).await.unwrap(), None);

            let seen = store.read(|r| deliveries(r, "consent-1")).await.unwrap();
            assert_eq!(seen.len(), 2);
            assert_eq!((seen[0].given_up_at, seen[0].last_error.as_deref()), (Some(at(101)), Some("refused")));
            assert_eq!((seen[1].delivered_at, seen[1].attempts), (Some(at(103)), 1));
        }
    );
}
