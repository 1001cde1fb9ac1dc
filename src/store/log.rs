//! The append-only log: entries numbered without gaps, in commit order. Rows can be neither changed nor removed.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};

use super::{Reader, StoreError, Tx};
use crate::domain::clock::Timestamp;
use crate::domain::log::Leaf;
use crate::prepared::PreparedOnce;
use crate::store::engine::db::{Db, on_backend};
use crate::store::engine::schema::{log_entries, log_head};

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Its number, from 0.
    pub index: u64,
    /// Its leaf.
    pub leaf: Leaf,
    /// When it was appended.
    pub at: Timestamp,
}

/// Appends an entry and returns its number. The number is taken under a lock on the log's head: it is the commit order
/// (a sequence's would not be), and a transaction that fails leaves no gap. Preferably within
/// [`super::Store::write_log`].
///
/// # Errors
/// [`StoreError`].
pub fn append(tx: &mut Tx<'_>, leaf: &Leaf, now: Timestamp) -> Result<u64, StoreError> {
    append_all(tx, &[(leaf, now)])
}

/// As [`append`], several, one after the other. Returns the number of the first.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn append_all(tx: &mut Tx<'_>, leaves: &[(&Leaf, Timestamp)]) -> Result<u64, StoreError> {
    tx.demand_queue()?;
    let more = i64::try_from(leaves.len()).map_err(|_| StoreError::Rule("log_head.next_idx"))?;
    let count = diesel::update(log_head::table.find(1))
        .set(log_head::next_idx.eq(log_head::next_idx + more))
        .returning(log_head::next_idx);
    let next: i64 = on_backend!(tx.db, |c| PreparedOnce(count).get_result(c))?;
    let first = next - more;
    match &mut *tx.db {
        Db::Postgres(connection) => {
            let insert = diesel::sql_query(
                "INSERT INTO log_entries (idx, leaf_hash, entry, at) \
                 SELECT * FROM unnest($1, $2, $3, $4)",
            )
            .bind::<Array<BigInt>, _>((first..next).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(leaves.iter().map(|(leaf, _)| leaf.hash.as_str()).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(leaves.iter().map(|(leaf, _)| leaf.entry.as_str()).collect::<Vec<_>>())
            .bind::<Array<BigInt>, _>(leaves.iter().map(|(_, at)| *at).collect::<Vec<_>>());
            PreparedOnce(insert).execute(connection)?;
        }
        Db::Sqlite(connection) => {
            for (index, (leaf, at)) in (first..next).zip(leaves) {
                diesel::insert_into(log_entries::table)
                    .values((
                        log_entries::idx.eq(index),
                        log_entries::leaf_hash.eq(&leaf.hash),
                        log_entries::entry.eq(&leaf.entry),
                        log_entries::at.eq(at),
                    ))
                    .execute(connection)?;
            }
        }
    }
    u64::try_from(first).map_err(|_| StoreError::Corrupt("log_head.next_idx"))
}

/// The number of entries.
///
/// # Errors
/// [`StoreError`].
#[cfg(test)]
pub(crate) fn size(reader: &mut Reader<'_>) -> Result<u64, StoreError> {
    let next: i64 = log_head::table.find(1).select(log_head::next_idx).get_result(reader.db)?;
    u64::try_from(next).map_err(|_| StoreError::Corrupt("log_head.next_idx"))
}

/// Entries from a number on, in order, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn read(reader: &mut Reader<'_>, from: u64, limit: u32) -> Result<Vec<LogEntry>, StoreError> {
    let Ok(from) = i64::try_from(from) else { return Ok(Vec::new()) };
    let rows: Vec<(i64, String, String, Timestamp)> = log_entries::table
        .filter(log_entries::idx.ge(from))
        .order(log_entries::idx)
        .limit(i64::from(limit))
        .select((log_entries::idx, log_entries::leaf_hash, log_entries::entry, log_entries::at))
        .load(reader.db)?;
    rows.into_iter()
        .map(|(index, hash, entry, at)| {
            let index = u64::try_from(index).map_err(|_| StoreError::Corrupt("log_entries.idx"))?;
            Ok(LogEntry { index, leaf: Leaf { hash, entry }, at })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::testing::{at, on_both, root_keys};

    fn leaf(n: u32) -> Leaf {
        Leaf { hash: format!("{n:043}"), entry: format!("{{\"n\":{n}}}") }
    }

    on_both!(
        async fn concurrent_appends_have_no_gap_even_when_some_fail(fixture) {
            let tasks: Vec<_> = (0..8)
                .map(|worker| {
                    let store = fixture.other_process(&root_keys()).unwrap();
                    tokio::spawn(async move {
                        for n in 0..20 {
                            let result = store
                                .write_log("test", move |tx| {
                                    append(tx, &leaf(worker * 100 + n), at(0))?;
                                    if n % 4 == 3 { Err(StoreError::NotFound) } else { Ok(()) }
                                })
                                .await;
                            assert!(matches!(result, Ok(()) | Err(StoreError::NotFound)), "{result:?}");
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            let entries = fixture.store.read("test", |r| read(r, 0, 1000)).await.unwrap();
            let indexes: Vec<_> = entries.iter().map(|entry| entry.index).collect();
            assert_eq!(indexes, (0..120).collect::<Vec<u64>>());
            assert_eq!(fixture.store.read("test", size).await, Ok(120));
            assert_eq!(fixture.store.read("test", |r| read(r, 118, 10)).await.unwrap().len(), 2);
            assert_eq!(fixture.store.read("test", |r| read(r, u64::MAX, 10)).await.unwrap(), []);
        }
    );

    on_both!(
        async fn several_are_numbered_in_their_order(fixture) {
            let append_three = || {
                fixture.store.write_log("test", |tx| {
                    let leaves = [leaf(1), leaf(2), leaf(3)];
                    let leaves: Vec<_> = leaves.iter().zip([at(1), at(2), at(3)]).collect();
                    append_all(tx, &leaves)
                })
            };
            assert_eq!(append_three().await, Ok(0));
            assert_eq!(append_three().await, Ok(3));
            let entries = fixture.store.read("test", |r| read(r, 3, 10)).await.unwrap();
            let found: Vec<_> = entries.iter().map(|entry| (entry.index, entry.leaf.clone(), entry.at)).collect();
            assert_eq!(found, [(3, leaf(1), at(1)), (4, leaf(2), at(2)), (5, leaf(3), at(3))]);
        }
    );

    on_both!(
        async fn writers_that_come_to_the_log_late_do_not_block_each_other(fixture) {
            use crate::store::engine::schema::counters;
            let tasks: Vec<_> = (0..6)
                .map(|worker| {
                    let store = fixture.other_process(&root_keys()).unwrap();
                    tokio::spawn(async move {
                        for n in 0..10 {
                            // Half of them lock the row first and the log second, half the other way round.
                            let work = move |tx: &mut Tx<'_>| {
                                diesel::update(counters::table.find("status_index"))
                                    .set(counters::next_value.eq(counters::next_value + 1))
                                    .execute(tx.db)?;
                                append(tx, &leaf(n), at(0))
                            };
                            if worker % 2 == 0 {
                                store.write("test", work).await.unwrap();
                            } else {
                                store.write_log("test", work).await.unwrap();
                            }
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(fixture.store.read("test", size).await, Ok(60));
        }
    );

    on_both!(
        async fn entries_can_be_neither_changed_nor_removed(fixture) {
            fixture.store.write_log("test", |tx| append(tx, &leaf(1), at(0))).await.unwrap();
            let changed = fixture
                .store
                .write("test", |tx| {
                    diesel::update(log_entries::table).set(log_entries::entry.eq("{}")).execute(tx.db)?;
                    Ok::<_, StoreError>(())
                })
                .await;
            let removed = fixture
                .store
                .write("test", |tx| {
                    diesel::delete(log_entries::table).execute(tx.db)?;
                    Ok::<_, StoreError>(())
                })
                .await;
            assert!(changed.is_err() && removed.is_err());
            assert_eq!(fixture.store.read("test", |r| read(r, 0, 10)).await.unwrap()[0].leaf, leaf(1));
        }
    );
}
