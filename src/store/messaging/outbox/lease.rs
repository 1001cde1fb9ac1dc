//! Leases of due items. A lease costs what it leases and one look at each destination that has something waiting, however
//! many items wait.
//!
//! Only the first item of an order key may be leased. `place` says whether an item is. Whoever pushes or settles one reads no
//! others, which another transaction may change: the next lease places what is new, and what comes first now.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::{Leased, UNREADABLE, give_up};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{EntityId, OutboxId};
use crate::prepared::PreparedOnce;
use crate::store::engine::schema::outbox;
use crate::store::engine::sealed::column;
use crate::store::{Reader, StoreError, Tx};

/// The place of an item that is delivered or given up since the last lease.
pub(super) const SETTLED: i64 = 4;

/// Concurrent deliveries to one destination. A destination that did not answer last time is tried with one item.
const PER_DESTINATION: i64 = 4;

/// Every delay and lease is shorter, in seconds: a later time was written by a clock that has since been corrected.
const FARTHEST_SECS: i64 = 3600;

/// Most items that one lease places, of the new and of those behind what was settled.
const PLACED_AT_ONCE: i64 = 2000;

/// Where new items stand. All statements work on both databases.
const PLACE: &str = "\
    UPDATE outbox SET place = CASE WHEN EXISTS (\
      SELECT 1 FROM outbox e WHERE e.order_key = outbox.order_key AND e.seq < outbox.seq AND e.place < 3) \
      THEN 2 ELSE 1 END \
    WHERE seq IN (SELECT n.seq FROM outbox n WHERE n.place = 0 ORDER BY n.seq LIMIT $1)";

const ADVANCE: &str = "\
    UPDATE outbox SET place = 1 WHERE place = 2 AND seq IN (\
      SELECT (SELECT MIN(e.seq) FROM outbox e WHERE e.order_key = f.order_key AND e.place < 3) \
      FROM (SELECT s.order_key FROM outbox s WHERE s.place = 4 ORDER BY s.seq LIMIT $1) f)";

const ADVANCED: &str = "\
    UPDATE outbox SET place = 3 WHERE seq IN (SELECT s.seq FROM outbox s WHERE s.place = 4 ORDER BY s.seq LIMIT $1)";

/// The destinations that something is due for and that have room, longest due first. Each is found from the one before
/// it in the index, without reading its items.
const DESTINATIONS: &str = "\
    WITH RECURSIVE known(destination) AS (\
      SELECT MIN(f.destination) FROM outbox f WHERE f.place = 1 \
      UNION ALL \
      SELECT (SELECT MIN(f.destination) FROM outbox f WHERE f.place = 1 AND f.destination > known.destination) \
      FROM known WHERE known.destination IS NOT NULL), \
    waiting AS (\
      SELECT k.destination, \
        CASE WHEN s.destination IS NULL THEN $1 ELSE 1 END - (\
          SELECT COUNT(*) FROM outbox l WHERE l.destination = k.destination AND l.lease_until > 0 AND l.lease_until > $2) \
          AS room, \
        COALESCE(\
          (SELECT o.next_at FROM outbox o WHERE o.place = 1 AND o.destination = k.destination AND o.next_at <= $2 \
             AND (o.lease_until <= $2 OR o.lease_until > $3) ORDER BY o.next_at, o.seq LIMIT 1), \
          (SELECT o.next_at FROM outbox o WHERE o.place = 1 AND o.destination = k.destination AND o.next_at > $3 \
             AND (o.lease_until <= $2 OR o.lease_until > $3) ORDER BY o.next_at, o.seq LIMIT 1)) AS due \
      FROM known k LEFT JOIN outbox_peers s ON s.destination = k.destination \
      WHERE k.destination IS NOT NULL \
        AND (s.not_before IS NULL OR s.not_before <= $2 OR s.not_before > $3)) \
    SELECT destination, room FROM waiting WHERE room > 0 AND due IS NOT NULL ORDER BY due LIMIT $4";

/// One destination's due items. The last condition finds a placed item overtaken by one that was pushed before it and
/// committed after it.
macro_rules! due {
    ($when:literal) => {
        concat!(
            "SELECT o.seq, o.next_at FROM outbox o WHERE o.place = 1 AND o.destination = $1 AND ",
            $when,
            " AND (o.lease_until <= $2 OR o.lease_until > $3) \
             AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.order_key = o.order_key AND e.seq < o.seq AND e.place < 3) \
             ORDER BY o.next_at, o.seq LIMIT $4"
        )
    };
}

const DUE: &str = due!("o.next_at <= $2");
const DUE_BY_A_WRONG_CLOCK: &str = due!("o.next_at > $3 AND o.next_at > $2");

#[derive(QueryableByName)]
struct Destination {
    #[diesel(sql_type = Text)]
    destination: String,
    #[diesel(sql_type = BigInt)]
    room: i64,
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = BigInt)]
    next_at: i64,
}

#[derive(Queryable)]
struct Row {
    id: OutboxId,
    kind: String,
    destination: String,
    payload: Vec<u8>,
    attempts: i64,
    created_at: Timestamp,
}

impl Row {
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
    place(tx)?;
    let due = due(tx, now, i64::from(limit))?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Row> = diesel::update(outbox::table.filter(outbox::seq.eq_any(&due)))
        .set((
            outbox::lease_owner.eq(owner),
            outbox::lease_until.eq(until),
            outbox::attempts.eq(outbox::attempts + 1),
        ))
        .returning((
            outbox::id,
            outbox::kind,
            outbox::destination,
            outbox::payload,
            outbox::attempts,
            outbox::created_at,
        ))
        .get_results(tx.db)?;
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

/// Places what is new, and what comes first now behind what was settled.
pub(super) fn place(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    for statement in [PLACE, ADVANCE, ADVANCED] {
        PreparedOnce(diesel::sql_query(statement).bind::<BigInt, _>(PLACED_AT_ONCE)).execute(tx.db)?;
    }
    Ok(())
}

/// The items to lease, longest due first, within the room of each destination.
fn due(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<Vec<i64>, StoreError> {
    let farthest = now.plus_secs(FARTHEST_SECS);
    let asked = diesel::sql_query(DESTINATIONS)
        .bind::<BigInt, _>(PER_DESTINATION)
        .bind::<BigInt, _>(now)
        .bind::<BigInt, _>(farthest)
        .bind::<BigInt, _>(limit);
    let waiting: Vec<Destination> = PreparedOnce(asked).load(tx.db)?;
    let mut due: Vec<Due> = Vec::new();
    for Destination { destination, room } in waiting {
        let mut left = room.min(limit);
        for statement in [DUE, DUE_BY_A_WRONG_CLOCK] {
            if left == 0 {
                break;
            }
            let asked = diesel::sql_query(statement)
                .bind::<Text, _>(&destination)
                .bind::<BigInt, _>(now)
                .bind::<BigInt, _>(farthest)
                .bind::<BigInt, _>(left);
            let found: Vec<Due> = PreparedOnce(asked).load(tx.db)?;
            left = left.saturating_sub(i64::try_from(found.len()).unwrap_or(left));
            due.extend(found);
        }
    }
    due.sort_by_key(|item| (item.next_at, item.seq));
    due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(due.into_iter().map(|item| item.seq).collect())
}
